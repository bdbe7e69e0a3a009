/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated host in a private directory, made from a file of examples/hosts/, for the tests of it. */
#ifndef SIM_FIXTURE_H
#define SIM_FIXTURE_H

#include "flows/flows.h"
#include "lib/host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define IXGBE "0000:81:00.0"
#define I40E "0000:3b:00.0"
#define IGB "0000:04:00.0"
#define X710 "0000:03:00.0"

struct fixture {
	struct sriov_host host;
	struct sriov_error err;
	char dir[32], file[64];
	struct sriov_inventory *inv; /* of the last look() */
};

static inline json_t *fixture_json(const struct fixture *f)
{
	json_t *json = json_load_file(f->file, 0, NULL);

	assert_non_null(json);
	return json;
}

static inline void fixture_write(const struct fixture *f, json_t *json)
{
	assert_int_equal(json_dump_file(json, f->file, 0), 0);
	json_decref(json);
}

/* Puts the JSON text @value (with ' for ") under @key of the file. */
static inline void fixture_put(const struct fixture *f, const char *key, const char *value)
{
	_free_ char *copy = strdup(value);
	json_t *json = fixture_json(f), *member;

	for (char *p = copy; *p; p++) {
		if (*p == '\'')
			*p = '"';
	}
	member = json_loads(copy, JSON_DECODE_ANY, NULL);
	assert_non_null(member);
	json_object_set_new(json, key, member);
	fixture_write(f, json);
}

static inline void fixture_open(struct fixture *f, const char *example)
{
	_free_ char *path = core_printf("%s/examples/hosts/%s", TEST_SOURCE_DIR, example);

	*f = (struct fixture){.dir = "/tmp/sriov-sim-XXXXXX"};
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->file, sizeof(f->file), "%s/host.json", f->dir);
	fixture_write(f, json_load_file(path, 0, NULL));
	assert_int_equal(host_sim_open(&f->host, f->file, &f->err), 0);
}

static inline void fixture_close(struct fixture *f)
{
	static const char *const names[] = {"host.json.state/host.lock", "host.json.state",
					    "host.json", ""};

	sriov_inventory_free(f->inv);
	f->host.ops->close(&f->host);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_free_ char *path = core_printf("%s/%s", f->dir, names[i]);

		remove(path);
	}
}

/* Reads the host anew; what it gave before is gone. */
static inline struct sriov_pf *look(struct fixture *f, const char *pf)
{
	sriov_inventory_free(f->inv);
	f->inv = NULL;
	if (host_read(&f->host, NULL, SRIOV_READ_ALL, &f->inv, &f->err) < 0)
		fail_msg("%s: %s", f->err.object, f->err.message);
	return inventory_find(f->inv, pf);
}

static inline int numvfs(struct fixture *f, const char *pf, unsigned n)
{
	return f->host.ops->numvfs(&f->host, look(f, pf), n, f->host.ops->now_ms(&f->host) + 1000,
				   &f->err);
}

static inline int vf_set(struct fixture *f, const char *pf, unsigned vf,
			 struct sriov_vf_attrs attrs)
{
	return f->host.ops->vf_set(&f->host, look(f, pf), vf, &attrs, &f->err);
}

/* Waits until nothing more lands. */
static inline void settle(struct fixture *f)
{
	int r;

	do
		r = f->host.ops->wait(&f->host, f->host.ops->now_ms(&f->host) + 60000, &f->err);
	while (!r);
	assert_int_equal(r, -ETIMEDOUT);
}

static inline long counter(const struct fixture *f, const char *op)
{
	_json_ json_t *json = fixture_json(f);

	return json_integer_value(
		json_object_get(json_object_get(json_object_get(json, "sim"), "ops"), op));
}

#endif
