/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervised child: quick accesses, errors, and a "kernel" that does not return, which a FIFO without
 * a reader plays: opening it for writing blocks.
 */
#include "lib/kernel/kernel.h"
#include "tests/unit/kernel_tree.h"

#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

static struct supervised at(const struct tree *tree, const char *path, int timeout_ms)
{
	return (struct supervised){.dir = tree->dir,
				   .path = path,
				   .object = "eth2",
				   .deadline_ms = core_monotonic_ms() + timeout_ms};
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

static void test_write_and_read(void **state)
{
	struct supervisor *sup = NULL;
	struct supervised what;
	struct sriov_error err;
	struct tree tree;
	char line[64];

	tree_make(&tree);
	tree_file(&tree, "sriov_numvfs", "0000000\n");
	what = at(&tree, "sriov_numvfs", 5000);
	assert_int_equal(supervise_write(&sup, &what, "4\n", &err), 0);
	assert_int_equal(core_read_line(tree.dir, "sriov_numvfs", line, sizeof(line)), 0);
	assert_string_equal(line, "4");
	/* the same child answers, and a read gives one line */
	assert_int_equal(supervise_read(&sup, &what, line, sizeof(line), &err), 0);
	assert_string_equal(line, "4");
	supervise_close(sup);
	tree_remove(&tree);
}

static void test_refusals(void **state)
{
	struct supervisor *sup = NULL;
	struct supervised what;
	struct sriov_error err;
	struct tree tree;
	char line[64] = "untouched";

	tree_make(&tree);
	tree_folder(&tree, "folder");
	what = at(&tree, "nothing", 5000);
	assert_int_equal(supervise_write(&sup, &what, "1", &err), -ENOENT);
	assert_string_equal(err.object, "eth2");
	assert_string_equal(err.kernel, strerror(ENOENT));
	assert_non_null(strstr(err.message, "nothing"));
	assert_int_equal(err.status, SRIOV_FAILED);
	assert_int_equal(supervise_read(&sup, &what, line, sizeof(line), &err), -ENOENT);
	what = at(&tree, "folder", 5000);
	assert_int_equal(supervise_read(&sup, &what, line, sizeof(line), &err), -EISDIR);
	assert_string_equal(line, "untouched");
	/* an error is an answer: the child is well */
	what = at(&tree, "folder/../folder", 5000);
	assert_int_equal(supervise_write(&sup, &what, "1", &err), -EISDIR);
	supervise_close(sup);
	tree_remove(&tree);
}

static void test_too_long(void **state)
{
	char text[100], path[300];
	struct supervisor *sup = NULL;
	struct supervised what;
	struct sriov_error err;

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	what = (struct supervised){.dir = AT_FDCWD, .path = "x", .object = "eth2"};
	assert_int_equal(supervise_write(&sup, &what, text, &err), -EINVAL);
	what.path = path;
	assert_int_equal(supervise_write(&sup, &what, "1", &err), -EINVAL);
	assert_null(sup);
}

/* What the child has open, as /proc tells. */
static int open_files(pid_t pid, char *names, size_t size)
{
	char path[64], target[128];
	int n = 0;

	names[0] = '\0';
	for (int fd = 0; fd < 256; fd++) {
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
		len = readlink(path, target, sizeof(target) - 1);
		if (len < 0)
			continue;
		target[len] = '\0';
		n++;
		snprintf(names + strlen(names), size - strlen(names), "%s ", target);
	}
	return n;
}

static pid_t pid_of(const struct sriov_error *err)
{
	const char *text = strstr(err->message, "process ");

	assert_non_null(text);
	return atoi(text + strlen("process "));
}

static void test_stuck(void **state)
{
	struct supervisor *sup = NULL;
	struct supervised what;
	struct sriov_error err, again;
	struct tree tree;
	char path[128], names[1024];
	int locks[1], other, fifo;
	int64_t before, took;
	pid_t child;

	tree_make(&tree);
	tree_file(&tree, "pf.lock", "");
	tree_file(&tree, "fine", "0\n");
	snprintf(path, sizeof(path), "%s/sriov_numvfs", tree.path);
	assert_int_equal(mkfifo(path, 0600), 0);
	locks[0] = openat(tree.dir, "pf.lock", O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(locks[0], LOCK_EX | LOCK_NB), 0);

	/* an idle child has no lock */
	what = at(&tree, "fine", 5000);
	what.lock_fd = locks;
	what.nlocks = 1;
	assert_int_equal(supervise_write(&sup, &what, "1", &err), 0);

	what = at(&tree, "sriov_numvfs", 100);
	what.lock_fd = locks;
	what.nlocks = 1;
	before = core_monotonic_ms();
	assert_int_equal(supervise_write(&sup, &what, "0", &err), -ETIMEDOUT);
	took = core_monotonic_ms() - before;
	assert_true(took >= 100 && took < 5000);
	assert_int_equal(err.code, -ETIMEDOUT);
	assert_int_equal(err.status, SRIOV_STUCK);
	assert_non_null(strstr(err.message, "writing '0' to sriov_numvfs"));
	child = pid_of(&err);
	assert_int_equal(kill(child, 0), 0);

	/* it has its socket, the directory and the lock, and nothing of ours: no output, no terminal; once it has run */
	for (int i = 0; i < 5000 && open_files(child, names, sizeof(names)) != 3; i++)
		nap();
	assert_int_equal(open_files(child, names, sizeof(names)), 3);
	assert_non_null(strstr(names, "socket:"));
	assert_non_null(strstr(names, "pf.lock"));

	/* from then on nothing goes through, and says why */
	what = at(&tree, "fine", 5000);
	assert_int_equal(supervise_write(&sup, &what, "2", &again), -ETIMEDOUT);
	assert_int_equal(again.status, SRIOV_STUCK);
	assert_int_equal(pid_of(&again), child);
	assert_int_equal(core_read_line(tree.dir, "fine", names, sizeof(names)), 0);
	assert_string_equal(names, "1");

	/* the lock outlives the parent's descriptor and its end of the socket */
	close(locks[0]);
	supervise_close(sup);
	other = openat(tree.dir, "pf.lock", O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
	assert_int_equal(errno, EWOULDBLOCK);

	/* the kernel returns: the child finds nobody to tell, gives the lock back and ends */
	fifo = openat(tree.dir, "sriov_numvfs", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	assert_true(fifo >= 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	close(fifo);
	close(other);
	tree_remove(&tree);
}

/* An idle child keeps no lock: closing ours is enough for the next one to get it. */
static void test_idle_has_no_lock(void **state)
{
	struct supervisor *sup = NULL;
	struct supervised what;
	struct sriov_error err;
	struct tree tree;
	int lock, other;

	tree_make(&tree);
	tree_file(&tree, "pf.lock", "");
	tree_file(&tree, "fine", "0\n");
	lock = openat(tree.dir, "pf.lock", O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(lock, LOCK_EX | LOCK_NB), 0);
	what = at(&tree, "fine", 5000);
	what.lock_fd = &lock;
	what.nlocks = 1;
	assert_int_equal(supervise_write(&sup, &what, "1", &err), 0);
	close(lock);
	other = openat(tree.dir, "pf.lock", O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	close(other);
	supervise_close(sup);
	tree_remove(&tree);
}

/* The first process named in a file of /proc, 0 = none. */
static pid_t child_of(const char *path)
{
	char list[64] = "";

	return core_read_line(AT_FDCWD, path, list, sizeof(list)) < 0 ? 0 : atoi(list);
}

static bool has_lock(pid_t child)
{
	char names[1024];

	return child && open_files(child, names, sizeof(names)) == 3 && strstr(names, "pf.lock");
}

/* A parent that is killed in the middle: the child carries on with the lock, then ends by itself. */
static void test_parent_killed(void **state)
{
	struct sriov_error err;
	struct tree tree;
	char path[128];
	int other, fifo, status;
	pid_t parent;

	tree_make(&tree);
	tree_file(&tree, "pf.lock", "");
	snprintf(path, sizeof(path), "%s/reset", tree.path);
	assert_int_equal(mkfifo(path, 0600), 0);
	other = openat(tree.dir, "pf.lock", O_RDWR | O_CLOEXEC);
	parent = fork();
	if (!parent) {
		struct supervisor *sup = NULL;
		struct supervised what = at(&tree, "reset", 60000);
		int lock = openat(tree.dir, "pf.lock", O_RDWR | O_CLOEXEC);

		if (flock(lock, LOCK_EX) < 0)
			_exit(1);
		what.lock_fd = &lock;
		what.nlocks = 1;
		supervise_write(&sup, &what, "1", &err);
		_exit(2);
	}
	/* until the child has the lock too */
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
	for (int i = 0; i < 15000 && !has_lock(child_of(path)); i++)
		nap();
	assert_int_equal(kill(parent, SIGKILL), 0);
	assert_int_equal(waitpid(parent, &status, 0), parent);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
	fifo = openat(tree.dir, "reset", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	assert_true(fifo >= 0);
	/* blocks until the child has gone */
	assert_int_equal(flock(other, LOCK_EX), 0);
	close(fifo);
	close(other);
	tree_remove(&tree);
}

/* It is not there any more when it is asked: the same to whoever asks. */
static void test_child_gone(void **state)
{
	char children[64], list[64];
	struct supervisor *sup = NULL;
	struct supervised what;
	struct sriov_error err;
	struct tree tree;
	siginfo_t info;
	pid_t child;

	tree_make(&tree);
	tree_file(&tree, "fine", "0\n");
	what = at(&tree, "fine", 5000);
	assert_int_equal(supervise_write(&sup, &what, "1", &err), 0);
	snprintf(children, sizeof(children), "/proc/%d/task/%d/children", getpid(), getpid());
	assert_int_equal(core_read_line(AT_FDCWD, children, list, sizeof(list)), 0);
	child = atoi(list);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, child, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(supervise_write(&sup, &what, "2", &err), -ECHILD);
	assert_string_equal(err.object, what.object);
	assert_non_null(strstr(err.hint, "look again"));
	assert_null(sup);
	assert_int_equal(supervise_write(&sup, &what, "3", &err), 0);
	supervise_close(sup);
	tree_remove(&tree);
}

static void test_child_killed(void **state)
{
	struct supervisor *sup = NULL;
	struct supervised what;
	struct sriov_error err;
	struct tree tree;
	char path[128];
	pid_t killer;

	tree_make(&tree);
	tree_file(&tree, "fine", "0\n");
	snprintf(path, sizeof(path), "%s/reset", tree.path);
	assert_int_equal(mkfifo(path, 0600), 0);
	killer = fork();
	if (!killer) {
		/* our sibling is the only process called so that our parent has */
		char children[64], list[256];
		pid_t self = getpid();

		snprintf(children, sizeof(children), "/proc/%d/task/%d/children", getppid(),
			 getppid());
		for (;;) {
			char *state_ = NULL;

			nap();
			if (core_read_line(AT_FDCWD, children, list, sizeof(list)) < 0)
				_exit(1);
			for (char *word = strtok_r(list, " ", &state_); word;
			     word = strtok_r(NULL, " ", &state_))
				if (atoi(word) != self) {
					kill(atoi(word), SIGKILL);
					_exit(0);
				}
		}
	}
	what = at(&tree, "reset", 20000);
	assert_int_equal(supervise_write(&sup, &what, "1", &err), -ECHILD);
	assert_non_null(strstr(err.hint, "not known"));
	assert_null(sup);
	waitpid(killer, NULL, 0);
	/* and the next access starts a new one */
	what = at(&tree, "fine", 5000);
	assert_int_equal(supervise_write(&sup, &what, "1", &err), 0);
	supervise_close(sup);
	tree_remove(&tree);
}

static void test_bad_replies(void **state)
{
	static const struct supervise_reply good = {.sequence = 7, .opened = 1, .text = "x"};
	static const struct {
		struct supervise_reply reply;
		size_t size;
		int r;
	} cases[] = {
		{{.sequence = 7, .opened = 1}, sizeof(good), 0},
		{{.sequence = 8}, sizeof(good), -EPROTO},
		{{.sequence = 7, .result = 5}, sizeof(good), -EPROTO},
		{{.sequence = 7}, sizeof(good) - 1, -EPROTO},
		{{.sequence = 7}, 1, -EPROTO},
		{{.sequence = 7}, 0, -ECHILD},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct supervise_reply out = {.sequence = 99};
		int pair[2], r;

		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
		if (cases[i].size)
			assert_int_equal(send(pair[1], &cases[i].reply, cases[i].size, 0),
					 cases[i].size);
		close(pair[1]);
		r = supervise_await(pair[0], 7, core_monotonic_ms() + 5000, &out);
		if (r != cases[i].r)
			fail_msg("case %zu: %d", i, r);
		assert_int_equal(out.sequence, r ? 99 : 7);
		close(pair[0]);
	}
}

static void test_long_reply(void **state)
{
	char bytes[2 * sizeof(struct supervise_reply)] = {7};
	struct supervise_reply out = {.sequence = 99};
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(send(pair[1], bytes, sizeof(bytes), 0), sizeof(bytes));
	assert_int_equal(supervise_await(pair[0], 7, core_monotonic_ms() + 5000, &out), -EPROTO);
	assert_int_equal(supervise_await(pair[0], 7, core_monotonic_ms() - 1, &out), -ETIMEDOUT);
	assert_int_equal(out.sequence, 99);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_and_read),   cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_too_long),         cmocka_unit_test(test_stuck),
		cmocka_unit_test(test_idle_has_no_lock), cmocka_unit_test(test_parent_killed),
		cmocka_unit_test(test_child_gone),       cmocka_unit_test(test_child_killed),
		cmocka_unit_test(test_bad_replies),      cmocka_unit_test(test_long_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
