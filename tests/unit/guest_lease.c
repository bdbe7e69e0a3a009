/* SPDX-License-Identifier: Apache-2.0 */
/* Leases end to end: a host of the fixture, a real database in a temporary folder. */
#include "lib/store/store.h"
#include "tests/unit/guest_fixture.h"

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define UUID_A "6f1c2b5e-0000-4000-8000-00000000000a"
#define UUID_B "6f1c2b5e-0000-4000-8000-00000000000b"
#define PF "0000:81:00.0" /* ens2f0, node 1 */

/* What the fixture's host shows differently in a test. */
static void (*change)(struct sriov_inventory *inv);

static int fake_read(struct sriov_host *host, const char *pf, unsigned what,
		     struct sriov_inventory *inv, struct sriov_error *err)
{
	fixture_fill(inv);
	if (change)
		change(inv);
	if (pf && !inventory_find(inv, pf))
		return sriov_error_set(err, -ENODEV, pf, "no such device");
	return 0;
}

static void fake_close(struct sriov_host *host)
{
}

static int fake_mac_user(struct sriov_host *host, const uint8_t mac[6], char *name, size_t size,
			 struct sriov_error *err)
{
	return 0;
}

/* Nothing but the PFs, of which nobody asks here. */
static int fake_links(struct sriov_host *host, struct host_links *out, struct sriov_error *err)
{
	*out = (struct host_links){0};
	return 0;
}

static const struct host_ops fake_ops = {.name = "fake",
					 .close = fake_close,
					 .read = fake_read,
					 .mac_user = fake_mac_user,
					 .links = fake_links};

static int setup(void **state)
{
	struct sriov_host *host = calloc(1, sizeof(*host));

	strcpy(host->state_dir, "/tmp/guest-lease-XXXXXX");
	assert_non_null(mkdtemp(host->state_dir));
	host->ops = &fake_ops;
	change = NULL;
	*state = host;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int teardown(void **state)
{
	struct sriov_host *host = *state;
	char dir[sizeof(host->state_dir)];

	strcpy(dir, host->state_dir);
	sriov_host_close(host);
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* One call; on success *@lease is filled and the texts checked to be there. */
static int ask(struct sriov_host *host, const struct sriov_guest_request *req, bool dry_run,
	       struct sriov_lease *lease, char reason[256], struct sriov_error *err)
{
	char *xml = NULL, *why = NULL;
	struct sriov_lease got = {.id = 99};
	int r;

	*err = (struct sriov_error){0};
	r = sriov_guest_xml(host, req, dry_run, &xml, &got, &why, err);
	if (r < 0) {
		assert_null(xml);
		assert_null(why);
		assert_int_equal(got.id, 99);
		assert_int_equal(err->code, r);
		assert_true(err->message[0] && err->hint[0]);
		return r;
	}
	assert_non_null(strstr(xml, "type=\"hostdev\""));
	if (reason)
		core_copy(reason, 256, why);
	*lease = got;
	free(xml);
	free(why);
	return 0;
}

static size_t count_leases(struct sriov_host *host)
{
	struct sriov_lease *list;
	struct sriov_error err;
	size_t n;

	assert_int_equal(sriov_guest_list(host, &list, &n, &err), 0);
	free(list);
	return n;
}

static void name_vf_2(struct sriov_inventory *inv)
{
	uses_add(&inventory_find(inv, PF)->vf[2].uses, false, "guest web1 (defined)", "web1.xml");
}

static void end_leases(struct sriov_host *host)
{
	struct store *store;

	assert_int_equal(store_get(host, true, &store, NULL), 0);
	assert_int_equal(store_lease_drop_pf(store, PF, NULL), 0);
}

/* Somebody else has chosen for this guest: its lease is of that VF. */
static void test_adopts_what_the_domain_names(void **state)
{
	struct sriov_guest_request req = {.guest = "web1", .node = -1};
	struct sriov_lease lease;
	struct sriov_error err;
	char reason[256];

	change = name_vf_2;
	assert_int_equal(ask(*state, &req, false, &lease, reason, &err), 0);
	assert_int_equal(lease.vf, 2);
	assert_string_equal(lease.state, "adopted");
	assert_non_null(strstr(reason, "names already (web1.xml)"));
	end_leases(*state);
	req.node = 0;
	assert_int_equal(ask(*state, &req, false, &lease, NULL, &err), -EEXIST);
	assert_non_null(strstr(err.message, "VF 2"));
}

/* Whoever asks for XML alone has nobody who would make the netdev that its VLAN is on. */
static void test_vlan_of_a_macvtap(void **state)
{
	struct sriov_guest_request req = {
		.guest = "web1",
		.node = -1,
		.policy = {.path = {SRIOV_PATH_MACVTAP}, .npaths = 1},
		.attrs = {.has = SRIOV_VF_VLAN, .vlan = 100},
	};
	struct sriov_lease lease;
	struct sriov_error err;

	assert_int_equal(ask(*state, &req, false, &lease, NULL, &err), -ENODEV);
	assert_non_null(strstr(err.message, "which would carry its VLAN 100, is not there"));
	assert_non_null(strstr(err.hint, "guest attach"));
	assert_int_equal(count_leases(*state), 0);
	req.attrs.vlan = 4095;
	assert_int_equal(ask(*state, &req, false, &lease, NULL, &err), -ERANGE);
}

/* The VFs of a PF whose change is not at its end may not be there a moment later. */
static void test_no_lease_during_a_change(void **state)
{
	struct sriov_guest_request req = {.guest = "web1", .node = 1};
	struct store_journal journal = {.row = {.pf = PF, .command = "vf delete", .status = "open"},
					.before = (char *)"",
					.want = (char *)"",
					.steps = (char *)""};
	struct sriov_lease lease;
	struct sriov_error err;
	struct store *store;

	assert_int_equal(store_get(*state, true, &store, &err), 0);
	assert_int_equal(store_journal_insert(store, &journal, &err), 0);
	assert_int_equal(ask(*state, &req, false, &lease, NULL, &err), -EBUSY);
	assert_int_equal(err.status, SRIOV_REFUSED);
	assert_non_null(strstr(err.message, "vf delete"));
	assert_int_equal(count_leases(*state), 0);
	assert_int_equal(store_journal_status(store, journal.row.id, "undone", NULL, &err), 0);
	assert_int_equal(ask(*state, &req, false, &lease, NULL, &err), 0);
}

static void test_lease(void **state)
{
	struct sriov_guest_request req = {.guest = "web1", .node = 1};
	struct sriov_lease lease, again, *list;
	struct sriov_error err;
	char reason[256];
	size_t n;

	assert_int_equal(ask(*state, &req, false, &lease, reason, &err), 0);
	assert_string_equal(reason, "node 1: free VF 0 of 4 on " PF " (ens2f0)");
	assert_string_equal(lease.guest, "web1");
	assert_string_equal(lease.state, "reserved");
	assert_string_equal(lease.pf, PF);
	assert_string_equal(lease.address, "0000:81:10.0");
	assert_int_equal(lease.generation, 1);
	assert_int_equal(lease.node, 1);
	assert_int_equal(strlen(lease.created), strlen("2026-11-20T20:13:48Z"));
	assert_int_equal(sriov_guest_list(*state, &list, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(list[0].id, lease.id);
	free(list);

	/* once more: the same lease; another guest: the next VF */
	assert_int_equal(ask(*state, &req, false, &again, reason, &err), 0);
	assert_int_equal(again.id, lease.id);
	assert_int_equal(again.vf, lease.vf);
	assert_memory_equal(again.mac, lease.mac, 6);
	assert_string_equal(again.created, lease.created);
	assert_non_null(strstr(reason, "held by lease"));
	assert_int_equal(ask(*state, &req, true, &again, NULL, &err), 0);
	assert_int_equal(again.id, lease.id);
	req.guest = "web2";
	assert_int_equal(ask(*state, &req, false, &again, NULL, &err), 0);
	assert_int_equal(again.vf, 1);
	assert_int_equal(count_leases(*state), 2);
}

static void test_dry_run(void **state)
{
	struct sriov_guest_request req = {.guest = "web1", .node = -1};
	struct sriov_host *host = *state;
	struct sriov_lease lease;
	struct sriov_error err;
	char path[300];

	assert_int_equal(ask(host, &req, true, &lease, NULL, &err), 0);
	assert_int_equal(lease.id, 0);
	snprintf(path, sizeof(path), "%s/state.db", host->state_dir);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(count_leases(host), 0);
}

static void test_names(void **state)
{
	static const struct {
		const char *name;
		bool good;
	} rows[] = {
		{NULL, false},
		{"", false},
		{" web", false},
		{"web ", false},
		{"a/b", false},
		{"a\nb", false},
		{"a\177", false},
		{"a\302\233b", false},
		{"\377", false},
		{"0123456789012345678901234567890123456789012345678901234567890123", false},
		{"012345678901234567890123456789012345678901234567890123456789012", true},
		{"web 1", true},
		{"gr\303\266\303\237e", true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_guest_request req = {.guest = rows[i].name, .node = -1};
		struct sriov_lease lease;
		struct sriov_error err;

		assert_int_equal(ask(*state, &req, true, &lease, NULL, &err),
				 rows[i].good ? 0 : -EINVAL);
	}
}

/* Requests that contradict themselves, their domain or the host. */
static void test_refused(void **state)
{
	static const struct {
		struct sriov_guest_request req;
		int code;
		const char *words;
	} rows[] = {
		{{.guest = "web1", .pf = "ens9", .node = -1, .domain_xml = NULL},
		 -ENODEV,
		 "not an SR-IOV PF"},
		{{.guest = "web1", .pf = "ens1", .node = 1, .domain_xml = NULL},
		 -EINVAL,
		 "is on node 0"},
		{{.guest = "web1", .pf = "ens2f1", .node = -1, .domain_xml = NULL},
		 -EUSERS,
		 "no VFs"},
		{{.guest = "web1",
		  .pf = NULL,
		  .node = -1,
		  .domain_xml = "<domain><name>web2</name></domain>"},
		 -EINVAL,
		 "'web2'"},
		{{.guest = "web1",
		  .pf = NULL,
		  .node = 0,
		  .domain_xml = "<domain><vcpu cpuset='8'>1</vcpu></domain>"},
		 -EINVAL,
		 "bound to node 1"},
		{{.guest = "web1",
		  .pf = "ens1",
		  .node = -1,
		  .domain_xml = "<domain><vcpu cpuset='8'>1</vcpu></domain>"},
		 -EINVAL,
		 "is on node 0"},
		/* found out only when the XML is made: the lease is not recorded either */
		{{.guest = "web1",
		  .pf = NULL,
		  .node = 1,
		  .domain_xml = "<domain><vcpu cpuset='0-15'>1</vcpu></domain>"},
		 -EINVAL,
		 "cpuset='0-15'"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_lease lease;
		struct sriov_error err;

		if (ask(*state, &rows[i].req, false, &lease, NULL, &err) != rows[i].code ||
		    !strstr(err.message, rows[i].words))
			fail_msg("row %zu: %d %s", i, err.code, err.message);
		assert_int_equal(count_leases(*state), 0);
	}
}

static void test_uuid(void **state)
{
	struct sriov_guest_request req = {.guest = "web1", .node = 1};
	struct sriov_lease lease;
	struct sriov_error err;

	/* made by name, bound to the first UUID seen, then refused to another domain */
	assert_int_equal(ask(*state, &req, false, &lease, NULL, &err), 0);
	assert_string_equal(lease.uuid, "");
	req.domain_xml = "<domain><name>web1</name><uuid>" UUID_A "</uuid></domain>";
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask(*state, &req, false, &lease, NULL, &err), 0);
		assert_string_equal(lease.uuid, UUID_A);
		assert_int_equal(lease.vf, 0);
	}
	req.domain_xml = "<domain><name>web1</name><uuid>" UUID_B "</uuid></domain>";
	assert_int_equal(ask(*state, &req, false, &lease, NULL, &err), -EEXIST);
	assert_non_null(strstr(err.message, UUID_A));
	assert_int_equal(count_leases(*state), 1);
}

static void own_guest_runs(struct sriov_inventory *inv)
{
	uses_add(&inventory_find(inv, PF)->vf[0].uses, true, "guest web1 (running)", "web1.xml");
}

static void other_guest_too(struct sriov_inventory *inv)
{
	uses_add(&inventory_find(inv, PF)->vf[0].uses, false, "guest web10 (defined)", "web10.xml");
}

static void pf_is_gone(struct sriov_inventory *inv)
{
	strcpy(inventory_find(inv, PF)->address, "0000:82:00.0");
}

static void pf_is_down(struct sriov_inventory *inv)
{
	inventory_find(inv, PF)->up = false;
}

static void no_vfs(struct sriov_inventory *inv)
{
	inventory_find(inv, PF)->vfs = 0;
}

static void other_nic(struct sriov_inventory *inv)
{
	inventory_find(inv, PF)->perm_mac[5] ^= 0x80;
}

/* A guest that has a lease comes back to a host that changed. */
static void test_return(void **state)
{
	static const struct {
		void (*change)(struct sriov_inventory *inv);
		const char *pf;
		int node, code;
		const char *words;
	} rows[] = {
		{own_guest_runs, NULL, -1, 0, NULL},
		{NULL, "ens2f0", 1, 0, NULL},
		{NULL, NULL, 0, -EEXIST, "not where it is wanted"},
		{other_guest_too, NULL, -1, -EBUSY, "guest web10"},
		{pf_is_down, NULL, -1, -ENETDOWN, "is down"},
		{pf_is_gone, NULL, -1, -ESTALE, "no such PF"},
		{no_vfs, NULL, -1, -ESTALE, "fewer VFs"},
		{other_nic, NULL, -1, -ESTALE, "another NIC"},
	};
	struct sriov_guest_request req = {.guest = "web1", .node = 1};
	struct store_pf known = {.address = PF, .perm_mac = {0, 0x1b, 0x21, 0, 0x81, 2}};
	struct sriov_lease lease;
	struct sriov_error err;
	struct store *store;

	assert_int_equal(store_get(*state, true, &store, &err), 0);
	assert_int_equal(store_pf_put(store, &known, &err), 0);
	assert_int_equal(ask(*state, &req, false, &lease, NULL, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		req.pf = rows[i].pf;
		req.node = rows[i].node;
		change = rows[i].change;
		if (ask(*state, &req, false, &lease, NULL, &err) != rows[i].code ||
		    (rows[i].words && !strstr(err.message, rows[i].words)))
			fail_msg("row %zu: %d %s", i, err.code, err.message);
	}
	change = NULL;
	req.pf = NULL;
	known.epoch = 1;
	assert_int_equal(store_pf_put(store, &known, &err), 0);
	assert_int_equal(ask(*state, &req, false, &lease, NULL, &err), -ESTALE);
	assert_non_null(strstr(err.message, "made anew"));
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_lease),
		T(test_dry_run),
		T(test_names),
		T(test_refused),
		T(test_adopts_what_the_domain_names),
		T(test_no_lease_during_a_change),
		T(test_vlan_of_a_macvtap),
		T(test_uuid),
		T(test_return),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
