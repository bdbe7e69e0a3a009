/* SPDX-License-Identifier: Apache-2.0 */
/* The ground floor: numbers, words, small files, errors. */
#include "lib/core/core.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static void test_number(void **state)
{
	static const struct {
		const char *text;
		uint64_t min, max;
		int result;
		uint64_t value;
	} rows[] = {
		{"0", 0, 10, 0, 0},
		{"10", 0, 10, 0, 10},
		{"0x1F", 0, 100, 0, 31},
		{"18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX},
		{"18446744073709551616", 0, UINT64_MAX, -ERANGE, 0},
		{"11", 0, 10, -ERANGE, 0},
		{"4", 5, 10, -ERANGE, 0},
		{"", 0, 10, -EINVAL, 0},
		{" 1", 0, 10, -EINVAL, 0},
		{"1 ", 0, 10, -EINVAL, 0},
		{"-1", 0, 10, -EINVAL, 0},
		{"+1", 0, 10, -EINVAL, 0},
		{"0x", 0, 10, -EINVAL, 0},
		{"0x-1", 0, 10, -EINVAL, 0},
		{"1k", 0, 10, -EINVAL, 0},
		{NULL, 0, 10, -EINVAL, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t value = 77;

		assert_int_equal(core_number(rows[i].text, rows[i].min, rows[i].max, &value),
				 rows[i].result);
		assert_int_equal(value, rows[i].result ? 77 : rows[i].value);
	}
}

static void test_nearest(void **state)
{
	static const char *const words[] = {"create", "delete", "list", "bind", NULL};

	assert_string_equal(core_nearest("crate", words), "create");
	assert_string_equal(core_nearest("delet", words), "delete");
	assert_string_equal(core_nearest("lits", words), "list");
	assert_null(core_nearest("zzzzzz", words));
	assert_null(core_nearest("a-word-that-is-much-longer-than-any-that-we-would-know", words));
}

static void test_copy_and_grow(void **state)
{
	char small[4];
	int *array = NULL;
	size_t n = 0;

	core_copy(small, sizeof(small), "abcdef");
	assert_string_equal(small, "abc");
	core_copy(small, sizeof(small), NULL);
	assert_string_equal(small, "");
	for (int i = 0; i < 100; i++) {
		int *slot = core_grow(&array, &n, sizeof(*slot));

		assert_int_equal(*slot, 0);
		*slot = i;
	}
	assert_int_equal(n, 100);
	assert_int_equal(array[42], 42);
	free(array);
}

static void test_errors(void **state)
{
	struct sriov_error err = {.hint = "old", .kernel = "old", .status = SRIOV_STUCK};

	assert_int_equal(sriov_error_set(&err, -EBUSY, "vf 3", "held by %s", "web1"), -EBUSY);
	assert_string_equal(err.object, "vf 3");
	assert_string_equal(err.message, "held by web1");
	assert_string_equal(err.hint, "");
	assert_string_equal(err.kernel, "");
	assert_int_equal(err.status, SRIOV_FAILED);
	assert_int_equal(sriov_error_hint(&err, "release it"), -EBUSY);
	assert_int_equal(sriov_error_status(&err, SRIOV_REFUSED), -EBUSY);
	assert_int_equal(core_errno(&err, -ENOSPC, "x", "no"), -ENOSPC);
	assert_string_equal(err.kernel, strerror(ENOSPC));
	/* who does not want the words still gets the code */
	assert_int_equal(sriov_error_set(NULL, -ENODEV, "x", "y"), -ENODEV);
	assert_int_equal(sriov_error_hint(NULL, "z"), -ENODEV);
	assert_int_equal(sriov_error_status(NULL, SRIOV_STUCK), -ENODEV);
}

static void test_files(void **state)
{
	char dir[] = "/tmp/sriov-core-XXXXXX", path[PATH_MAX], line[8] = "old";
	_free_ char *text = NULL;
	struct stat st;
	int64_t number = 77;
	size_t size;
	int fd;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a/b/c", dir);
	assert_int_equal(core_make_dirs(path, 0700), 0);
	assert_int_equal(core_make_dirs(path, 0700), 0);
	fd = open(path, O_RDONLY | O_DIRECTORY);
	assert_int_equal(core_read_line(fd, "none", line, sizeof(line)), -ENOENT);
	assert_string_equal(line, "old");
	assert_int_equal(core_replace_file(fd, "f", "42\nmore\n", 8, 0600), 0);
	assert_int_equal(fstatat(fd, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(faccessat(fd, "f.tmp", F_OK, 0), -1);
	assert_int_equal(core_read_line(fd, "f", line, sizeof(line)), 0);
	assert_string_equal(line, "42");
	assert_int_equal(core_read_number(fd, "f", &number), 0);
	assert_int_equal(number, 42);
	assert_int_equal(core_read_file(fd, "f", 100, &text, &size), 0);
	assert_int_equal(size, 8);
	assert_string_equal(text, "42\nmore\n");
	assert_int_equal(core_read_file(fd, "f", 7, &text, &size), -EFBIG);
	assert_int_equal(core_replace_file(fd, "f", "x", 1, 0600), 0);
	assert_int_equal(core_read_number(fd, "f", &number), -EINVAL);
	assert_int_equal(number, 42);
	assert_int_equal(core_write_file(fd, "none", "x"), -ENOENT);
	assert_int_equal(core_write_file(fd, "f", "7"), 0);
	assert_int_equal(symlinkat("../x/last", fd, "l"), 0);
	assert_int_equal(core_read_link_base(fd, "l", line, sizeof(line)), 0);
	assert_string_equal(line, "last");
	assert_int_equal(core_read_link_base(fd, "f", line, sizeof(line)), -EINVAL);
	/* a file where a folder is wanted */
	snprintf(path, sizeof(path), "%s/a/b/c/f/g", dir);
	assert_int_equal(core_make_dirs(path, 0700), -ENOTDIR);
	unlinkat(fd, "f", 0);
	unlinkat(fd, "l", 0);
	close(fd);
	for (const char *const *name = (const char *const[]){"/a/b/c", "/a/b", "/a", "", NULL};
	     *name; name++) {
		snprintf(path, sizeof(path), "%s%s", dir, *name);
		assert_int_equal(rmdir(path), 0);
	}
}

static void test_json(void **state)
{
	_json_ json_t *json = json_loads("{\"a\":1,\"b\":\"x\",\"c\":true,\"d\":null}", 0, NULL);
	const char *bad = NULL;

	assert_int_equal(core_json_int(json, "a", 9, &bad), 1);
	assert_string_equal(core_json_text(json, "b", "-", &bad), "x");
	assert_true(core_json_bool(json, "c", false, &bad));
	assert_int_equal(core_json_int(json, "none", 9, &bad), 9);
	assert_int_equal(core_json_int(json, "d", 9, &bad), 9);
	assert_null(bad);
	assert_int_equal(core_json_int(json, "b", 9, &bad), 9);
	assert_string_equal(bad, "b");
}

static char logged[128];

static void collect(void *data, const char *subsystem, const char *text)
{
	snprintf(logged, sizeof(logged), "%s %s: %s", (const char *)data, subsystem, text);
}

static void test_log(void **state)
{
	core_log("core", "nobody listens");
	sriov_set_log(collect, (void *)"me");
	core_log("core", "%d VFs", 4);
	sriov_set_log(NULL, NULL);
	core_log("core", "again");
	assert_string_equal(logged, "me core: 4 VFs");
}

/* What is written equals what jansson would write, also where text has to be escaped. */
static void test_doc(void **state)
{
	const char *odd = "a\"b\\c\n\x01 gr\xc3\xbc\xc3\x9f";
	struct core_doc doc = {0};
	_json_ json_t *want = json_pack("{s:s, s:[I, b, {}, []], s:{s:b}, s:s}", "odd", odd, "list",
					(json_int_t)INT64_MIN, 0, "in", "yes", 1, "last", "");
	_json_ json_t *in = json_pack("{s:b}", "yes", 1), *got = NULL;
	_free_ char *text = NULL;

	core_doc_open(&doc, NULL, '{');
	core_doc_text(&doc, "odd", odd);
	core_doc_open(&doc, "list", '[');
	core_doc_int(&doc, NULL, INT64_MIN);
	core_doc_bool(&doc, NULL, false);
	core_doc_open(&doc, NULL, '{');
	core_doc_close(&doc, '}');
	core_doc_open(&doc, NULL, '[');
	core_doc_close(&doc, ']');
	core_doc_close(&doc, ']');
	core_doc_json(&doc, "in", in);
	core_doc_text(&doc, "last", "");
	core_doc_close(&doc, '}');
	text = core_doc_take(&doc);
	assert_non_null(text);
	got = json_loads(text, 0, NULL);
	assert_true(json_equal(got, want));
	assert_null(doc.text);
}

/* Numbers are written digit by digit, as a format string would. */
static void test_doc_numbers(void **state)
{
	static const int64_t numbers[] = {0,     7,         10,        -1,           -10,
					  65535, INT64_MAX, INT64_MIN, INT64_MIN + 1};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct core_doc doc = {0};
		_free_ char *got = NULL;
		char want[32];

		core_doc_int(&doc, NULL, numbers[i]);
		got = core_doc_take(&doc);
		snprintf(want, sizeof(want), "%" PRId64, numbers[i]);
		assert_string_equal(got, want);
	}
}

/* Text that no reader would take back is not written at all; an array beyond the first room is. */
static void test_doc_ends(void **state)
{
	struct core_doc doc = {0};
	_json_ json_t *many = NULL;

	core_doc_open(&doc, NULL, '[');
	for (int i = 0; i < 5000; i++)
		core_doc_int(&doc, NULL, i);
	core_doc_close(&doc, ']');
	many = core_doc_parse(&doc);
	assert_int_equal(json_array_size(many), 5000);
	assert_int_equal(json_integer_value(json_array_get(many, 4999)), 4999);

	core_doc_text(&doc, NULL, "not \xff UTF-8");
	assert_true(doc.failed);
	core_doc_text(&doc, NULL, "and no more");
	assert_null(core_doc_take(&doc));
	core_doc_json(&doc, NULL, NULL);
	assert_null(core_doc_parse(&doc));
	assert_false(doc.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number),        cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_copy_and_grow), cmocka_unit_test(test_errors),
		cmocka_unit_test(test_files),         cmocka_unit_test(test_json),
		cmocka_unit_test(test_log),           cmocka_unit_test(test_doc),
		cmocka_unit_test(test_doc_numbers),   cmocka_unit_test(test_doc_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
