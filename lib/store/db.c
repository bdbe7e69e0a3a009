/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the database, its schema, transactions and statements. */
#include "lib/store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

/* One entry a schema version; user_version counts those applied. Never edit an entry that was released. */
static const char *const migrations[] = {
	"CREATE TABLE pf (address TEXT PRIMARY KEY, perm_mac TEXT NOT NULL, epoch INTEGER NOT NULL,"
	" intent TEXT, found TEXT) STRICT;"
	"CREATE TABLE pool (pf TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
	" name TEXT NOT NULL) STRICT;"
	"CREATE TABLE lease (id INTEGER PRIMARY KEY AUTOINCREMENT, guest TEXT NOT NULL UNIQUE,"
	" uuid TEXT NOT NULL, state TEXT NOT NULL, generation INTEGER NOT NULL, pf TEXT NOT NULL,"
	" vf INTEGER NOT NULL, epoch INTEGER NOT NULL, address TEXT NOT NULL, node INTEGER NOT NULL,"
	" created TEXT NOT NULL, UNIQUE (pf, vf)) STRICT;"
	"CREATE TABLE journal (id INTEGER PRIMARY KEY AUTOINCREMENT, pf TEXT NOT NULL,"
	" command TEXT NOT NULL, status TEXT NOT NULL, boot_id TEXT NOT NULL, started TEXT NOT NULL,"
	" ended TEXT, steps INTEGER NOT NULL, done INTEGER NOT NULL, error TEXT, before TEXT NOT NULL,"
	" want TEXT NOT NULL, plan TEXT NOT NULL) STRICT;"
	"CREATE INDEX journal_pf ON journal (pf, status);",
	/* which instance of the driver was first seen, and whether its rule table was empty then */
	"ALTER TABLE pf ADD COLUMN seen TEXT;"
	"ALTER TABLE pf ADD COLUMN watched INTEGER NOT NULL DEFAULT 0;",

	"CREATE TABLE evidence (pf TEXT NOT NULL, question TEXT NOT NULL, answer TEXT NOT NULL,"
	" counts TEXT NOT NULL, nature TEXT NOT NULL, nature_why TEXT NOT NULL, kernel TEXT NOT NULL,"
	" driver TEXT NOT NULL, driver_version TEXT NOT NULL, firmware TEXT NOT NULL,"
	" vendor INTEGER NOT NULL, device INTEGER NOT NULL, taken TEXT NOT NULL,"
	" PRIMARY KEY (pf, question)) STRICT;",

	/* The texts, megabytes for thousands of rules, apart from what a mark or a status writes again. */
	"CREATE TABLE journal_text (id INTEGER PRIMARY KEY REFERENCES journal (id), before TEXT NOT NULL,"
	" want TEXT NOT NULL, plan TEXT NOT NULL) STRICT;"
	"INSERT INTO journal_text SELECT id, before, want, plan FROM journal;"
	"ALTER TABLE journal DROP COLUMN before;"
	"ALTER TABLE journal DROP COLUMN want;"
	"ALTER TABLE journal DROP COLUMN plan;",

	/*
	 * A guest may hold one VF of each network, and what it holds need not be a VF. The VF's MAC and VLAN
	 * are part of the lease: while the guest is stopped nothing else says them.
	 */
	"CREATE TABLE physnet (name TEXT PRIMARY KEY) STRICT;"
	"CREATE TABLE physnet_pf (pf TEXT PRIMARY KEY, physnet TEXT NOT NULL REFERENCES physnet (name))"
	" STRICT;"
	"CREATE TABLE lease_5 (id INTEGER PRIMARY KEY AUTOINCREMENT, guest TEXT NOT NULL,"
	" uuid TEXT NOT NULL, state TEXT NOT NULL, generation INTEGER NOT NULL, path TEXT NOT NULL,"
	" kind TEXT NOT NULL, net TEXT NOT NULL, pf TEXT NOT NULL, vf INTEGER, epoch INTEGER NOT NULL,"
	" address TEXT NOT NULL, node INTEGER NOT NULL, mac TEXT NOT NULL, vlan INTEGER NOT NULL,"
	" below TEXT NOT NULL, queues INTEGER NOT NULL, found TEXT NOT NULL, uri TEXT NOT NULL,"
	" created TEXT NOT NULL,"
	" UNIQUE (pf, vf)) STRICT;"
	"INSERT INTO lease_5 SELECT id, guest, uuid, state, generation, 'vf', 'interface', '', pf, vf,"
	" epoch, address, node, '00:00:00:00:00:00', 0, '', 0, '{}', '', created FROM lease;"
	"DROP TABLE lease; ALTER TABLE lease_5 RENAME TO lease;"
	"CREATE INDEX lease_guest ON lease (guest);",

	/* the last request for a port that DPDK owns, as its owner took it */
	"CREATE TABLE rte (port TEXT PRIMARY KEY, request TEXT NOT NULL, taken TEXT NOT NULL) STRICT;",

	/* what a guest's pins and definition were, while its tuning is under way */
	"CREATE TABLE tuning (uuid TEXT PRIMARY KEY, guest TEXT NOT NULL, uri TEXT NOT NULL,"
	" boot_id TEXT NOT NULL, before TEXT NOT NULL) STRICT;",

	/* where guests of a network are when no VF is left, and what goes with them there and back */
	"ALTER TABLE physnet ADD COLUMN bridge TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE physnet ADD COLUMN uplink INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE physnet ADD COLUMN port TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE physnet ADD COLUMN uplink_pf TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE physnet ADD COLUMN uplink_vf INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE physnet ADD COLUMN sockets TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE physnet ADD COLUMN fallbacks INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE lease ADD COLUMN socket TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE lease ADD COLUMN reason TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE lease ADD COLUMN attrs TEXT NOT NULL DEFAULT '{}';",
	/* what a host file made, over several PFs: their journals are parts of it */
	"CREATE TABLE generation (id INTEGER PRIMARY KEY AUTOINCREMENT, status TEXT NOT NULL,"
	" command TEXT NOT NULL, boot_id TEXT NOT NULL, made TEXT NOT NULL, confirm_by TEXT NOT NULL,"
	" file TEXT NOT NULL, why TEXT NOT NULL, source TEXT NOT NULL, before TEXT NOT NULL,"
	" after TEXT NOT NULL) STRICT;"
	"ALTER TABLE journal ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX journal_generation ON journal (generation) WHERE generation;",

	/* how guests of a network are placed that do not say */
	"ALTER TABLE physnet ADD COLUMN paths TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE physnet ADD COLUMN numa TEXT NOT NULL DEFAULT '';",

	/* whose VFs are home to a guest that is on a bridge */
	"ALTER TABLE lease ADD COLUMN pool TEXT NOT NULL DEFAULT '';",
};

#define SCHEMA_VERSION ((int)ARRAY_SIZE(migrations))
#define BUSY_TIMEOUT_MS 10000
/*
 * A longer log is folded into the database when it is closed, which takes three syncs. Whoever opens the database first,
 * and without a daemon that is each command, reads all of the log and checks its sums: microseconds a page.
 */
#define LOG_PAGES_MAX 128

static const struct {
	int result, code;
	const char *what, *hint;
} failures[] = {
	{SQLITE_FULL, -ENOSPC, "no space left for the database",
	 "free some space and run the command again"},
	{SQLITE_IOERR, -EIO, "the database cannot be read or written",
	 "look at the file system and its free space, then run the command again"},
	{SQLITE_CORRUPT, -EUCLEAN, "the database is damaged",
	 "move it away (with its -wal and -shm files) and run the command again: what the kernel shows "
	 "is untouched, but leases, rule names and the intent for `restore` start anew"},
	{SQLITE_NOTADB, -EUCLEAN, "this is not a database of sriovctl",
	 "move the file away and run the command again"},
	{SQLITE_READONLY, -EROFS, "the database cannot be written",
	 "check its owner, mode and file system"},
	{SQLITE_CANTOPEN, -EACCES, "the database cannot be opened",
	 "run as root; check its folder"},
	{SQLITE_BUSY, -EBUSY, "another process holds the database",
	 "run the command again when it is done"},
	{SQLITE_CONSTRAINT, -EEXIST, "already taken", NULL},
	{SQLITE_NOMEM, -ENOMEM, "not enough memory", NULL},
};

int store_fail(struct store *store, int result, struct sriov_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		if (failures[i].result != (result & 0xff))
			continue;
		sriov_error_set(err, failures[i].code, store->path, "%s", failures[i].what);
		sriov_error_kernel(err, "SQLite: %s", sqlite3_errmsg(store->db));
		if (failures[i].hint)
			sriov_error_hint(err, "%s", failures[i].hint);
		return failures[i].code;
	}
	return sriov_error_set(err, -EIO, store->path, "SQLite: %s", sqlite3_errmsg(store->db));
}

static int bind_all(sqlite3_stmt *stmt, const char *types, va_list ap)
{
	int result = SQLITE_OK;

	for (int i = 0; types[i] && result == SQLITE_OK; i++) {
		if (types[i] == 'i')
			result = sqlite3_bind_int64(stmt, i + 1, va_arg(ap, int64_t));
		else
			result = sqlite3_bind_text(stmt, i + 1, va_arg(ap, const char *), -1,
						   SQLITE_TRANSIENT);
	}
	return result;
}

int store_run(struct store *store, struct sriov_error *err, store_row_fn fn, void *data,
	      const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt = NULL;
	int result, rows = 0, r = 0;
	va_list ap;

	result = sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL);
	if (result == SQLITE_OK) {
		va_start(ap, types);
		result = bind_all(stmt, types, ap);
		va_end(ap);
	}
	if (result != SQLITE_OK) {
		r = store_fail(store, result, err);
		sqlite3_finalize(stmt);
		return r;
	}
	while ((result = sqlite3_step(stmt)) == SQLITE_ROW) {
		rows++;
		r = fn ? fn(stmt, data, err) : 0;
		if (r < 0)
			break;
	}
	if (!r && result != SQLITE_DONE)
		r = store_fail(store, result, err);
	if (!r)
		r = sqlite3_column_count(stmt) ? rows : sqlite3_changes(store->db);
	sqlite3_finalize(stmt);
	return r;
}

static int read_int(sqlite3_stmt *row, void *data, struct sriov_error *err)
{
	*(int *)data = sqlite3_column_int(row, 0);
	return 0;
}

static int migrate(struct store *store, struct sriov_error *err)
{
	int version = 0;
	int r = store_run(store, err, read_int, &version, "PRAGMA user_version", "");

	if (r < 0 || version == SCHEMA_VERSION)
		return r < 0 ? r : 0;
	if (version > SCHEMA_VERSION) {
		sriov_error_set(err, -EPROTO, store->path,
				"made by a newer sriovctl (schema %d, this one knows up to %d)",
				version, SCHEMA_VERSION);
		return sriov_error_hint(err,
					"install the newer sriovctl again, or move the file away");
	}
	r = store_begin(store, STORE_DURABLE, err);
	if (r < 0)
		return r;
	/* again, now that nobody else can be migrating */
	r = store_run(store, err, read_int, &version, "PRAGMA user_version", "");
	for (; r >= 0 && version < SCHEMA_VERSION; version++) {
		char pragma[40];

		if (sqlite3_exec(store->db, migrations[version], NULL, NULL, NULL) != SQLITE_OK)
			r = store_fail(store, sqlite3_extended_errcode(store->db), err);
		snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", version + 1);
		if (r >= 0)
			r = store_run(store, err, NULL, NULL, pragma, "");
	}
	if (r >= 0)
		r = store_commit(store, err);
	store_rollback(store);
	return r < 0 ? r : 0;
}

static int on_commit(void *data, sqlite3 *db, const char *name, int pages)
{
	((struct store *)data)->log_pages = pages;
	return SQLITE_OK;
}

static int configure(struct store *store, struct sriov_error *err)
{
	int result;

	sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
	sqlite3_extended_result_codes(store->db, 1);
	/* The last one to leave does not tidy up: a checkpoint costs syncs that no promise needs. */
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	/* In place of SQLite's own, which would checkpoint in the middle of a change. */
	sqlite3_wal_hook(store->db, on_commit, store);
	/* The file's text is not trusted to call functions through its schema. */
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	result = sqlite3_exec(store->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
	if (result != SQLITE_OK)
		return store_fail(store, result, err);
	return migrate(store, err);
}

/* The folder and an empty file for root only, before SQLite would make them with the umask's mode. */
static int create(const char *dir, const char *path, struct sriov_error *err)
{
	_close_ int fd = -1;
	int r = core_make_dirs(dir, 0700);

	if (r < 0)
		return core_errno(err, r, dir, "the folder for the database cannot be made");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return core_errno(err, -errno, path, "the database cannot be opened");
	return 0;
}

int store_get(struct sriov_host *host, bool write, struct store **out, struct sriov_error *err)
{
	_close_ int alone = -1;
	struct store *store;
	int result, r = 0;

	if (host->store) {
		*out = host->store;
		return 0;
	}
	store = calloc(1, sizeof(*store));
	if (!store)
		return core_oom(err);
	snprintf(store->path, sizeof(store->path), "%s/state.db", host->state_dir);
	if (write) {
		r = create(host->state_dir, store->path, err);
	} else if (access(store->path, F_OK) < 0 && errno == ENOENT) {
		free(store);
		*out = NULL;
		return 0;
	}
	if (!r) {
		/* the switch to WAL and the migrations of two processes must not meet: SQLite says BUSY */
		alone = open(host->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (alone >= 0)
			flock(alone, LOCK_EX);
		result = sqlite3_open_v2(store->path, &store->db, SQLITE_OPEN_READWRITE, NULL);
		r = result == SQLITE_OK ? configure(store, err) : store_fail(store, result, err);
	}
	if (r < 0) {
		store_close(store);
		return r;
	}
	*out = host->store = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	/*
	 * Whatever comes of it: the log has everything. Nobody waits for others, whose turn it is then. What is folded
	 * must be cut off too, because who comes next knows nothing of it and would add to the log.
	 */
	if (store->log_pages >= LOG_PAGES_MAX) {
		sqlite3_busy_timeout(store->db, 0);
		sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	}
	sqlite3_close(store->db);
	free(store);
}

int store_begin(struct store *store, enum store_durability durability, struct sriov_error *err)
{
	const char *sql = durability == STORE_DURABLE
				  ? "PRAGMA synchronous = FULL; BEGIN IMMEDIATE"
				  : "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE";
	int result = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	if (result != SQLITE_OK)
		return store_fail(store, result, err);
	store->in_transaction = true;
	return 0;
}

int store_commit(struct store *store, struct sriov_error *err)
{
	int result = sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);

	if (result != SQLITE_OK)
		return store_fail(store, result, err);
	store->in_transaction = false;
	return 0;
}

void store_rollback(struct store *store)
{
	if (store->in_transaction)
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	store->in_transaction = false;
}
