/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of rules in files: lines, names, notes, and how the rest is refused. */
#include "lib/core/core.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sriov/flow.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void reads_lists(void **state)
{
	static const struct {
		const char *text;
		unsigned lines[4]; /* where the rules stand */
	} cases[] = {
		{"", {0}},
		{"\n\n# only words\n \t\n", {0}},
		{"udp4 drop", {1}},
		{"udp4 drop\n", {1}},
		{"\r\n# CR LF\r\nudp4 drop\r\ntcp4 drop # too\r\n", {3, 4}},
		{"name a udp4 drop\nname b udp4 drop\nudp4 drop\n\nudp4 drop", {1, 2, 3, 5}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sriov_rules rules;
		size_t n = 0;

		assert_int_equal(sriov_rules_parse(cases[i].text, "f", &rules, NULL), 0);
		while (n < ARRAY_SIZE(cases[i].lines) && cases[i].lines[n])
			n++;
		assert_int_equal(rules.n, n);
		assert_int_equal(rules.notes.n, 0);
		assert_string_equal(rules.file, "f");
		for (size_t k = 0; k < n; k++)
			assert_int_equal(rules.at[k].line, cases[i].lines[k]);
		sriov_rules_clear(&rules);
		assert_null(rules.at);
	}
}

static void refuses_lists(void **state)
{
	static const struct {
		const char *text, *file, *place;
		int code;
		const char *message;
	} cases[] = {
		{"udp4 drop\nudp4 dorp\n", "f", "f:2:6", -EINVAL,
		 "unknown word 'dorp'\n"
		 "  udp4 dorp\n"
		 "       ^~~~"},
		{"\n\n  udp4\r\n", "a b.rules", "a b.rules:3:7", -EINVAL,
		 "does not say what to do"},
		{"udp4 drop\nudp4 queue x", NULL, "line 2, column 12", -EINVAL, "queue needs"},
		{"udp5 drop", NULL, "column 1", -EINVAL, "expected a flow type"},
		{"ethtool -N eth0\n", "f", "f:1:16", -EINVAL, "expected a flow type"},
		{"name a udp4 drop\nudp4 drop\n# x\nudp4 drop name a # twice\n", "f", "f:4:16",
		 -EEXIST,
		 "line 1 has a rule of this name already\n"
		 "  udp4 drop name a # twice\n"
		 "                 ^"},
		/* the first of them, as one reads */
		{"name b udp4 drop\nname a udp4 drop\nname a tcp4 drop\nname b tcp4 drop\n"
		 "name a sctp4 drop",
		 "f", "f:3:6", -EEXIST, "line 2 has a rule of this name already"},
		{"name name udp4 guest name\nudp4 guest name name name\n", "f", "f:2:22", -EEXIST,
		 "line 1 has"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sriov_error err = {0};
		struct sriov_rules rules, untouched;
		int r;

		memset(&rules, 0x5a, sizeof(rules));
		untouched = rules;
		r = sriov_rules_parse(cases[i].text, cases[i].file, &rules, &err);
		if (r != cases[i].code || strcmp(err.object, cases[i].place) ||
		    !strstr(err.message, cases[i].message))
			fail_msg("case %zu gave %d at %s: %s", i, r, err.object, err.message);
		assert_memory_equal(&rules, &untouched, sizeof(rules));
	}
}

static void long_names_keep_their_end(void **state)
{
	struct sriov_error err = {0};
	struct sriov_rules rules;
	char path[300];

	memset(path, 'd', sizeof(path));
	strcpy(path + sizeof(path) - sizeof("/rules.txt"), "/rules.txt");
	assert_int_equal(sriov_rules_parse("x", path, &rules, &err), -EINVAL);
	assert_non_null(strstr(err.object, "ddd/rules.txt:1:1"));
	assert_int_equal(strncmp(err.object, "…", 3), 0);
}

static void tells_what_words_mean(void **state)
{
	static const struct {
		const char *text, *note;
	} cases[] = {
		{"udp4 action 0x200000001",
		 "action 0x200000001 is vf 1 queue 1: the kernel reads bits 32-39 as VF + 1"},
		{"udp4 action 4294967296", "action 4294967296 is vf 0 queue 0: "},
		{"udp4 action 5", NULL},
		{"udp4 action -1", NULL},
		{"udp4 vf 1 queue 1", NULL},
		{"ethtool -N eth0 udp4 action 1", "eth0 is not part of the rule"},
	};
	struct sriov_rules rules;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sriov_notes notes = {0};
		struct sriov_rule rule;

		assert_int_equal(sriov_rule_read(cases[i].text, NULL, 7, &rule, &notes, NULL), 0);
		assert_int_equal(notes.n, cases[i].note ? 1 : 0);
		if (cases[i].note) {
			assert_non_null(strstr(notes.at[0].text, cases[i].note));
			assert_int_equal(notes.at[0].line, 7);
			assert_false(notes.at[0].left_out);
		}
		sriov_notes_clear(&notes);
		assert_int_equal(sriov_rule_parse(cases[i].text, NULL, 7, &rule, NULL), 0);
	}
	assert_int_equal(sriov_rules_parse("udp4 action 0x100000000\n"
					   "ethtool -U eth1 udp4 action 0x200000003\n",
					   NULL, &rules, NULL),
			 0);
	assert_int_equal(rules.notes.n, 3);
	assert_int_equal(rules.notes.at[0].line, 1);
	assert_int_equal(rules.notes.at[2].line, 2);
	assert_int_equal(rules.at[1].action.vf, 1);
	assert_string_equal(rules.file, "");
	sriov_rules_clear(&rules);
}

/* ---- files ---- */

struct folder {
	char path[64];
	char file[80];
};

static int make_folder(void **state)
{
	static struct folder folder;

	strcpy(folder.path, "/tmp/flow-list-XXXXXX");
	assert_non_null(mkdtemp(folder.path));
	snprintf(folder.file, sizeof(folder.file), "%s/rules", folder.path);
	*state = &folder;
	return 0;
}

static int remove_folder(void **state)
{
	struct folder *folder = *state;

	unlink(folder->file);
	return rmdir(folder->path);
}

static void put(const struct folder *folder, const char *bytes, size_t size)
{
	assert_int_equal(core_replace_file(AT_FDCWD, folder->file, bytes, size, 0600), 0);
}

static void reads_files(void **state)
{
	struct folder *folder = *state;
	struct sriov_error err = {0};
	struct sriov_rules rules;
	char place[96];
	int fd;

	assert_int_equal(sriov_rules_read(folder->file, &rules, &err), -ENOENT);
	assert_string_equal(err.object, folder->file);
	assert_string_equal(err.kernel, strerror(ENOENT));

	put(folder, "udp4 drop\nname x udp4 drop\n", 27);
	assert_int_equal(sriov_rules_read(folder->file, &rules, &err), 0);
	assert_int_equal(rules.n, 2);
	assert_string_equal(rules.file, folder->file);
	sriov_rules_clear(&rules);

	put(folder, "udp4 drop\nx\n", 12);
	assert_int_equal(sriov_rules_read(folder->file, &rules, &err), -EINVAL);
	snprintf(place, sizeof(place), "%s:2:1", folder->file);
	assert_string_equal(err.object, place);

	put(folder, "udp4 drop\0\n", 11);
	assert_int_equal(sriov_rules_read(folder->file, &rules, &err), -EINVAL);
	assert_non_null(strstr(err.message, "a byte of value 0 stands at offset 9"));

	/* sparse: nothing is written */
	fd = open(folder->file, O_WRONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, SRIOV_RULES_FILE_MAX + 1), 0);
	close(fd);
	assert_int_equal(sriov_rules_read(folder->file, &rules, &err), -EFBIG);
	assert_string_equal(err.message, "larger than 64 MiB");
}

static void reads_standard_input(void **state)
{
	struct folder *folder = *state;
	int kept = dup(STDIN_FILENO), fd;
	struct sriov_error err = {0};
	struct sriov_rules rules;

	put(folder, "udp4 drop\nudp5 drop\n", 20);
	fd = open(folder->file, O_RDONLY | O_CLOEXEC);
	dup2(fd, STDIN_FILENO);
	assert_int_equal(sriov_rules_read("-", &rules, &err), -EINVAL);
	assert_string_equal(err.object, "standard input:2:1");
	dup2(kept, STDIN_FILENO);
	close(fd);
	close(kept);
}

/* Many rules with names cost little more than many rules. */
static void reads_many(void **state)
{
	const unsigned n = 20000;
	_free_ char *text = malloc(n * 40 + 1);
	struct sriov_rules rules;
	size_t used = 0;

	for (unsigned i = 0; i < n; i++)
		used += sprintf(text + used, "name r%u udp4 dst-port %u drop\n", n - i, i);
	assert_int_equal(sriov_rules_parse(text, NULL, &rules, NULL), 0);
	assert_int_equal(rules.n, n);
	sriov_rules_clear(&rules);
}

/* The file that shows the language has every word of it, and both notes. */
static void the_example_shows_every_word(void **state)
{
	static const char *const words[] = {
		"\nname ",     " queue ",      " queues ",   " vf ",        " guest ",   " drop",
		" in pf ",     " in vf ",      " in guest ", " weight ",    " optional", " loc ",
		" vid ",       " prio ",       "src-ip ",    "dst-ip ",     "/",         " m ",
		"-2000 ",      "proto ",       " syn",       " tcp-flags ", " e-tag ",   " vni ",
		" inner-dst ", " inner-vlan ",
	};
	_free_ char *path = core_printf("%s/examples/rules/language.rules", TEST_SOURCE_DIR);
	static char text[16384] = "\n";
	struct sriov_error err = {0};
	struct sriov_rules rules;
	size_t used = 1;

	if (sriov_rules_read(path, &rules, &err))
		fail_msg("%s: %s", err.object, err.message);
	for (size_t i = 0; i < rules.n; i++) {
		assert_int_equal(
			sriov_rule_format(&rules.at[i], text + used, sizeof(text) - used - 1), 0);
		used += strlen(text + used);
		text[used++] = '\n';
	}
	assert_int_equal(rules.notes.n, 2);
	sriov_rules_clear(&rules);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strstr(text, words[i]))
			fail_msg("'%s' is not shown", words[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_lists),
		cmocka_unit_test(refuses_lists),
		cmocka_unit_test(long_names_keep_their_end),
		cmocka_unit_test(tells_what_words_mean),
		cmocka_unit_test_setup_teardown(reads_files, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(reads_standard_input, make_folder, remove_folder),
		cmocka_unit_test(reads_many),
		cmocka_unit_test(the_example_shows_every_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
