/* SPDX-License-Identifier: Apache-2.0 */
/* The database: schema, leases that cannot be double, journals, damaged and foreign files. */
#include "lib/store/db.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct fixture {
	struct sriov_host host;
	char dir[64];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/sriov-store-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->host.state_dir, sizeof(f->host.state_dir), "%s/a/b", f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {
		"a/b/state.db", "a/b/state.db-wal", "a/b/state.db-shm", "a/b", "a", ""};
	struct fixture *f = *state;
	char path[400];

	store_close(f->host.store);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		remove(path);
	}
	free(f);
	return 0;
}

static struct store *open_store(struct fixture *f)
{
	struct sriov_error err = {0};
	struct store *store = NULL;

	if (store_get(&f->host, true, &store, &err))
		fail_msg("%s: %s %s", err.object, err.message, err.kernel);
	return store;
}

static void reopen(struct fixture *f)
{
	store_close(f->host.store);
	f->host.store = NULL;
}

static void test_reading_creates_nothing(void **state)
{
	struct fixture *f = *state;
	struct sriov_error err = {0};
	struct store *store = (struct store *)&err;

	assert_int_equal(store_get(&f->host, false, &store, &err), 0);
	assert_null(store);
	assert_int_equal(access(f->host.state_dir, F_OK), -1);
}

static void test_for_root_only(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(stat(open_store(f)->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(f->host.state_dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static struct sriov_lease lease(const char *guest, unsigned vf)
{
	struct sriov_lease lease = {.state = "reserved",
				    .generation = 1,
				    .pf = "0000:81:00.0",
				    .vf = vf,
				    .epoch = 1,
				    .created = "now"};

	core_copy(lease.guest, sizeof(lease.guest), guest);
	return lease;
}

/* The guest's only one. */
static int find_lease(struct store *store, const char *guest, struct sriov_lease *out,
		      struct sriov_error *err)
{
	struct sriov_lease *list;
	size_t n;
	int r = store_lease_of(store, guest, &list, &n, err);

	if (r < 0)
		return r;
	if (n)
		*out = list[0];
	free(list);
	return n == 1 ? 0 : -ENOENT;
}

static void test_leases(void **state)
{
	struct store *store = open_store(*state);
	struct sriov_lease a = lease("a", 0), b = lease("b", 0), found = {.vf = 99}, *list = NULL;
	struct sriov_error err = {0};
	size_t n = 0;

	assert_int_equal(store_lease_insert(store, &a, &err), 0);
	assert_true(a.id > 0);
	assert_int_equal(store_lease_insert(store, &b, &err), -EEXIST);
	b.vf = 1;
	assert_int_equal(store_lease_insert(store, &b, &err), 0);
	assert_int_equal(find_lease(store, "nobody", &found, &err), -ENOENT);
	assert_int_equal(found.vf, 99);
	assert_int_equal(find_lease(store, "b", &found, &err), 0);
	assert_int_equal(found.vf, 1);
	/* only the holder's generation releases */
	assert_int_equal(store_lease_delete(store, found.id, 2, &err), -ENOENT);
	assert_int_equal(store_lease_epoch(store, "0000:81:00.0", 5, 1, &err), 0);
	assert_int_equal(store_lease_list(store, NULL, &list, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_int_equal(list[0].epoch, 5);
	assert_string_equal(list[1].state, "stale");
	free(list);
	assert_int_equal(store_lease_delete(store, found.id, 1, &err), 0);
	assert_int_equal(store_lease_drop_pf(store, "0000:81:00.0", &err), 0);
	assert_int_equal(find_lease(store, "a", &found, &err), -ENOENT);
}

static void test_transactions(void **state)
{
	struct fixture *f = *state;
	struct store *store = open_store(f);
	struct sriov_lease a = lease("a", 0), found;
	struct sriov_error err = {0};

	assert_int_equal(store_begin(store, STORE_DURABLE, &err), 0);
	assert_int_equal(store_lease_insert(store, &a, &err), 0);
	store_rollback(store);
	store_rollback(store);
	assert_int_equal(find_lease(store, "a", &found, &err), -ENOENT);
	assert_int_equal(store_begin(store, STORE_MARK, &err), 0);
	assert_int_equal(store_lease_insert(store, &a, &err), 0);
	assert_int_equal(store_commit(store, &err), 0);
	reopen(f);
	assert_int_equal(find_lease(open_store(f), "a", &found, &err), 0);
}

static void test_journal(void **state)
{
	struct store *store = open_store(*state);
	struct store_journal journal = {.row = {.pf = "0000:81:00.0",
						.command = "vf create",
						.status = "open",
						.started = "now",
						.steps = 4},
					.boot_id = "boot",
					.before = (char *)"{b}",
					.want = (char *)"{w}",
					.steps = (char *)"s"};
	struct store_journal read = {0};
	struct sriov_journal_row *rows = NULL;
	struct sriov_error err = {0};
	size_t n = 9;

	assert_int_equal(store_journal_open_of(store, "0000:81:00.0", &read, &err), -ENOENT);
	assert_int_equal(store_journal_insert(store, &journal, &err), 0);
	assert_int_equal(store_journal_mark(store, journal.row.id, 3, &err), 0);
	assert_int_equal(store_journal_open_of(store, "0000:81:00.0", &read, &err), 0);
	assert_string_equal(read.want, "{w}");
	assert_int_equal(read.row.done, 3);
	store_journal_clear(&read);
	assert_int_equal(store_journal_status(store, journal.row.id, "stuck", "why", &err), 0);
	assert_int_equal(store_journal_list(store, true, &rows, &n, &err), 0);
	assert_int_equal(n, 0);
	assert_int_equal(store_journal_list(store, false, &rows, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_string_equal(rows[0].error, "why");
	assert_string_equal(rows[0].ended, "");
	free(rows);
	assert_int_equal(store_journal_status(store, journal.row.id, "committed", NULL, &err), 0);
	assert_int_equal(store_journal_get(store, journal.row.id, &read, &err), 0);
	assert_false(read.row.open);
	assert_string_not_equal(read.row.ended, "");
	assert_string_equal(read.row.error, "");
	assert_int_equal(read.row.done, 4);
	store_journal_clear(&read);
}

static void test_pf_and_pools(void **state)
{
	struct store *store = open_store(*state);
	struct store_pf pf = {
		.address = "0000:81:00.0", .perm_mac = {2, 0, 0, 0, 0, 1}, .epoch = 3};
	struct store_pf read = {.epoch = 77};
	struct sriov_error err = {0};
	char(*list)[SRIOV_PCI_LEN] = NULL;
	size_t n;

	assert_int_equal(store_pf_get(store, pf.address, &read, &err), -ENOENT);
	assert_int_equal(read.epoch, 77);
	assert_int_equal(store_pf_put(store, &pf, &err), 0);
	assert_int_equal(store_pf_list(store, &list, &n, &err), 0);
	assert_int_equal(n, 0);
	pf.intent = (char *)"{}";
	assert_int_equal(store_pf_put(store, &pf, &err), 0);
	assert_int_equal(store_pf_get(store, pf.address, &read, &err), 0);
	assert_int_equal(read.epoch, 3);
	assert_memory_equal(read.perm_mac, pf.perm_mac, 6);
	assert_string_equal(read.intent, "{}");
	assert_null(read.found);
	store_pf_clear(&read);
	assert_int_equal(store_pf_list(store, &list, &n, &err), 0);
	assert_int_equal(n, 1);
	free(list);
}

static void test_join(void **state)
{
	struct store *store = open_store(*state);
	struct sriov_vf vf[2] = {{.index = 0}, {.index = 1}};
	struct sriov_pf pf = {.address = "0000:81:00.0", .vfs = 2, .vf = vf};
	struct sriov_inventory inv = {.pf = &pf, .npfs = 1};
	struct sriov_lease a = lease("web1", 1), gone = lease("web9", 9);
	struct sriov_error err = {0};

	assert_int_equal(store_lease_insert(store, &a, &err), 0);
	assert_int_equal(store_lease_insert(store, &gone, &err), 0);
	assert_int_equal(store_pool_set(store, "0000:81:00.0", 1, 7, "nova", &err), 0);
	assert_int_equal(store_pool_set(store, "0000:99:00.0", 0, 7, "x", &err), 0);
	assert_int_equal(store_join(store, &inv, &err), 0);
	assert_string_equal(vf[0].pool, "");
	assert_string_equal(vf[1].pool, "nova");
	assert_int_equal(vf[0].uses.n, 0);
	assert_int_equal(vf[1].uses.n, 1);
	assert_string_equal(vf[1].uses.at[0].who, "guest web1");
	free(vf[1].uses.at);
}

static void test_evidence(void **state)
{
	struct fixture *f = *state;
	struct store *store = open_store(f);
	struct sriov_evidence row = {.pf = "0000:81:00.0",
				     .question = "redirect",
				     .answer = "unclear",
				     .counts = "8 sent",
				     .nature = "emulated",
				     .nature_why = "a mark",
				     .kernel = "6.12",
				     .driver = "ixgbe",
				     .driver_version = "6.12",
				     .firmware = "0x1",
				     .vendor = 0x8086,
				     .device = 0x10fb,
				     .taken = "2026-11-20T20:13:48Z"};
	struct sriov_evidence other = row, *list = NULL;
	struct sriov_error err = {0};
	size_t n = 42;

	assert_int_equal(store_evidence_list(store, NULL, &list, &n, &err), 0);
	assert_int_equal(n, 0);
	free(list);
	assert_int_equal(store_begin(store, STORE_DURABLE, &err), 0);
	assert_int_equal(store_evidence_put(store, &row, &err), 0);
	strcpy(other.pf, "0000:82:00.0");
	assert_int_equal(store_evidence_put(store, &other, &err), 0);
	memcpy(row.answer, "yes\0\0\0\0", 8); /* the newest counts */
	assert_int_equal(store_evidence_put(store, &row, &err), 0);
	assert_int_equal(store_commit(store, &err), 0);
	assert_int_equal(store_evidence_list(store, NULL, &list, &n, &err), 0);
	assert_int_equal(n, 2);
	free(list);
	assert_int_equal(store_evidence_list(store, row.pf, &list, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_memory_equal(list, &row, sizeof(row));
	free(list);
	sqlite3_exec(store->db, "DROP TABLE evidence", NULL, NULL, NULL);
	list = NULL;
	assert_true(store_evidence_list(store, row.pf, &list, &n, &err) < 0);
	assert_null(list);
	assert_true(store_evidence_put(store, &row, &err) < 0);
}

/* Which instance of the driver was watched from an empty table on: a reload or a reboot makes another. */
static void test_watched(void **state)
{
	struct fixture *f = *state;
	struct store_pf pf = {.address = "0000:81:00.0", .watched = true}, got = {0};
	struct sriov_pf port = {.address = "0000:81:00.0", .ifindex = 4};
	struct sriov_inventory inv = {.boot_id = "boot-1", .pf = &port, .npfs = 1};
	struct store *store = open_store(f);
	struct sriov_error err = {0};
	char instance[STORE_INSTANCE];

	pf.seen = (char *)store_instance(&inv, &port, instance);
	assert_string_equal(instance, "boot-1/4");
	assert_int_equal(store_pf_put(store, &pf, &err), 0);
	assert_int_equal(store_pf_get(store, pf.address, &got, &err), 0);
	assert_string_equal(got.seen, instance);
	assert_true(got.watched);
	store_pf_clear(&got);
	assert_int_equal(store_join_watched(store, &inv, &err), 0);
	assert_true(port.watched);
	port.watched = false;
	port.ifindex = 5;
	assert_int_equal(store_join_watched(store, &inv, &err), 0);
	assert_false(port.watched);
	port.ifindex = 4;
	core_copy(inv.boot_id, sizeof(inv.boot_id), "boot-2");
	assert_int_equal(store_join_watched(store, &inv, &err), 0);
	assert_false(port.watched);
}

/* A database of the first schema gets the columns of the second, and its journals keep their texts. */
static void test_migrated(void **state)
{
	struct fixture *f = *state;
	struct store_pf pf = {.address = "0000:81:00.0"}, got = {0};
	struct store_journal journal = {0};
	struct store *store = open_store(f);
	struct sriov_lease old = {0};
	struct sriov_error err = {0};

	assert_int_equal(
		sqlite3_exec(
			store->db,
			"ALTER TABLE pf DROP COLUMN seen; ALTER TABLE pf DROP COLUMN "
			"watched; DROP TABLE physnet; DROP TABLE physnet_pf; DROP TABLE lease; CREATE "
			"TABLE lease (id INTEGER PRIMARY KEY AUTOINCREMENT, guest TEXT NOT NULL UNIQUE, uuid "
			"TEXT NOT NULL, state TEXT NOT NULL, generation INTEGER NOT NULL, pf TEXT NOT NULL, "
			"vf INTEGER NOT NULL, epoch INTEGER NOT NULL, address TEXT NOT NULL, node INTEGER NOT "
			"NULL, created TEXT NOT NULL, UNIQUE (pf, vf)) STRICT; INSERT INTO lease (guest, uuid, "
			"state, generation, pf, vf, epoch, address, node, created) VALUES ('old', '', "
			"'reserved', 1, '0000:81:00.0', 6, 3, '0000:81:10.6', 1, 'then'); DROP TABLE evidence; DROP TABLE rte; DROP TABLE tuning; DROP TABLE generation; DROP INDEX journal_generation; ALTER TABLE journal DROP COLUMN generation; DROP TABLE journal_text; ALTER TABLE journal ADD "
			"COLUMN before TEXT; ALTER TABLE journal ADD COLUMN want TEXT; ALTER TABLE "
			"journal ADD COLUMN plan TEXT; PRAGMA user_version = 1; INSERT INTO pf (address, "
			"perm_mac, epoch) VALUES ('0000:81:00.0', "
			"'02:00:00:00:00:01', 3); INSERT INTO journal (pf, command, status, boot_id, "
			"started, steps, done, before, want, plan) VALUES ('0000:81:00.0', 'flow apply', "
			"'open', 'boot', 'now', 2, 1, '{b}', '{w}', '[s]')",
			NULL, NULL, NULL),
		SQLITE_OK);
	reopen(f);
	store = open_store(f);
	assert_int_equal(store_pf_get(store, pf.address, &got, &err), 0);
	assert_int_equal(got.epoch, 3);
	assert_null(got.seen);
	assert_false(got.watched);
	store_pf_clear(&got);
	assert_int_equal(store_journal_open_of(store, pf.address, &journal, &err), 0);
	assert_int_equal(journal.row.done, 1);
	assert_string_equal(journal.before, "{b}");
	assert_string_equal(journal.want, "{w}");
	assert_string_equal(journal.steps, "[s]");
	assert_int_equal(find_lease(store, "old", &old, &err), 0);
	assert_int_equal(old.vf, 6);
	assert_string_equal(old.kind, "interface");
	assert_int_equal(old.found.has, 0);
	store_journal_clear(&journal);
}

/* Of a port that DPDK owns the last request stands, also in another process. */
static void test_rte(void **state)
{
	struct fixture *f = *state;
	struct store *store = open_store(f);
	struct sriov_error err = {0};
	char *request = NULL;

	assert_int_equal(store_rte_get(store, "0000:03:00.0", &request, &err), -ENOENT);
	assert_null(request);
	assert_int_equal(store_rte_put(store, "0000:03:00.0", "{1}", &err), 0);
	assert_int_equal(store_rte_put(store, "0000:03:00.0", "{2}", &err), 0);
	assert_int_equal(store_rte_put(store, "net_tap0", "{3}", &err), 0);
	reopen(f);
	assert_int_equal(store_rte_get(open_store(f), "0000:03:00.0", &request, &err), 0);
	assert_string_equal(request, "{2}");
	free(request);
}

static void test_newer(void **state)
{
	struct fixture *f = *state;
	struct sriov_error err = {0};
	struct store *store = open_store(f);

	sqlite3_exec(store->db, "PRAGMA user_version = 99", NULL, NULL, NULL);
	reopen(f);
	assert_int_equal(store_get(&f->host, true, &store, &err), -EPROTO);
	assert_non_null(strstr(err.message, "newer sriovctl"));
	assert_non_null(strstr(err.message, "99"));
}

static void test_damaged(void **state)
{
	struct fixture *f = *state;
	struct sriov_error err = {0};
	char path[400];
	struct store *store = open_store(f);
	FILE *file;

	/* an intact log beside it would heal the file */
	snprintf(path, sizeof(path), "%s-wal", store->path);
	reopen(f);
	assert_int_equal(remove(path), 0);
	path[strlen(path) - 4] = '\0';
	file = fopen(path, "w");
	for (int i = 0; i < 1000; i++)
		fputs("this is no database ", file);
	fclose(file);
	assert_int_equal(store_get(&f->host, true, &store, &err), -EUCLEAN);
	assert_non_null(strstr(err.hint, "move"));
	assert_string_equal(err.object, path);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_reading_creates_nothing),
		TEST(test_for_root_only),
		TEST(test_leases),
		TEST(test_transactions),
		TEST(test_journal),
		TEST(test_pf_and_pools),
		TEST(test_join),
		TEST(test_evidence),
		TEST(test_watched),
		TEST(test_migrated),
		TEST(test_rte),
		TEST(test_newer),
		TEST(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
