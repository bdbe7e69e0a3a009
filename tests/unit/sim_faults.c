/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated host as a host: what reading shows, calls that hang, deviations, and the file itself. */
#include "tests/unit/sim_fixture.h"

#include <sys/stat.h>

#define EXPECT(call, code)                                                                         \
	do {                                                                                       \
		int r_ = (call);                                                                   \
		if (r_ != (code))                                                                  \
			fail_msg("%s: %d (%s), not %d", #call, r_, r_ < 0 ? f.err.message : "",    \
				 code);                                                            \
	} while (0)

/* While a running guest holds a VF by vfio, the kernel does not come back; when it is gone, it finishes. */
static void held_by_guest(void **state)
{
	const struct host_ops *ops;
	struct fixture f;
	int64_t now;

	fixture_open(&f, "one-node-x710.json");
	ops = f.host.ops;
	now = ops->now_ms(&f.host);
	EXPECT(numvfs(&f, X710, 0), -ETIMEDOUT);
	assert_int_equal(f.err.status, SRIOV_STUCK);
	assert_non_null(strstr(f.err.message, "web1 holds vf 1"));
	assert_int_equal(look(&f, X710)->vfs, 4);
	assert_int_equal(ops->now_ms(&f.host), now + 1000);
	/* the device lock is taken: nothing else on this PF comes back either, while attributes do */
	EXPECT(numvfs(&f, X710, 0), -ETIMEDOUT);
	EXPECT(ops->unbind(&f.host, look(&f, X710), "0000:03:02.0", 0, &f.err), -ETIMEDOUT);
	EXPECT(vf_set(&f, X710, 2, (struct sriov_vf_attrs){.has = SRIOV_VF_SPOOFCHK}), 0);
	fixture_put(&f, "domains", "[{'name':'web1','state':'defined','vfs':['0000:03:02.1']}]");
	assert_int_equal(look(&f, X710)->vfs, 0);
	EXPECT(numvfs(&f, X710, 0), 0);
	EXPECT(numvfs(&f, X710, 2), 0);
	fixture_close(&f);
}

static void unbinding_from_guest(void **state)
{
	const struct host_ops *ops;
	struct fixture f;

	fixture_open(&f, "one-node-x710.json");
	ops = f.host.ops;
	EXPECT(ops->unbind(&f.host, look(&f, X710), "0000:03:02.0", 50, &f.err), 0);
	EXPECT(ops->unbind(&f.host, look(&f, X710), "0000:03:02.3", 50, &f.err), 0);
	EXPECT(ops->unbind(&f.host, look(&f, X710), "0000:03:02.1", 50, &f.err), -ETIMEDOUT);
	assert_string_equal(f.err.object, "vf 1 of " X710);
	assert_string_equal(look(&f, X710)->vf[1].driver, "vfio-pci");
	fixture_put(&f, "domains", "[]");
	assert_string_equal(look(&f, X710)->vf[1].driver, "");
	fixture_close(&f);
}

static void hanging(void **state)
{
	struct fixture f;

	fixture_open(&f, "two-node.json");
	fixture_put(&f, "sim",
		    "{'deviate':[{'op':'numvfs','pf':'" IXGBE "','hang':true,'times':2}]}");
	EXPECT(numvfs(&f, I40E, 2), 0);
	EXPECT(numvfs(&f, IXGBE, 2), -ETIMEDOUT);
	assert_int_equal(f.err.status, SRIOV_STUCK);
	assert_int_equal(look(&f, IXGBE)->vfs, 0);
	EXPECT(numvfs(&f, IXGBE, 3), -ETIMEDOUT);
	/* now the first call finishes, with its own count */
	assert_int_equal(look(&f, IXGBE)->vfs, 2);
	EXPECT(numvfs(&f, IXGBE, 3), -EBUSY);
	fixture_close(&f);
}

static void deviations(void **state)
{
	const struct sriov_vf_attrs trust = {.has = SRIOV_VF_TRUST, .trust = true};
	struct fixture f;

	fixture_open(&f, "two-node.json");
	EXPECT(numvfs(&f, IXGBE, 4), 0);
	fixture_put(&f, "sim",
		    "{'deviate':[{'op':'vf_set','pf':'" IXGBE "','vf':3,'errno':'EIO','times':1},"
		    "{'op':'vf_set','vf':2,'lie':true},"
		    "{'op':'vf_set','vf':1,'skip':1,'errno':'EBUSY'},"
		    "{'op':'numvfs','errno':'ENOMEM'},"
		    "{'op':'link','never':true}]}");
	EXPECT(vf_set(&f, IXGBE, 3, trust), -EIO);
	assert_string_equal(f.err.object, "vf 3 of " IXGBE);
	assert_false(look(&f, IXGBE)->vf[3].attrs.trust);
	EXPECT(vf_set(&f, IXGBE, 3, trust), 0);
	assert_true(look(&f, IXGBE)->vf[3].attrs.trust);
	EXPECT(vf_set(&f, IXGBE, 2, trust), 0);
	assert_false(look(&f, IXGBE)->vf[2].attrs.trust);
	EXPECT(vf_set(&f, IXGBE, 1, trust), 0);
	EXPECT(vf_set(&f, IXGBE, 1, trust), -EBUSY);
	EXPECT(vf_set(&f, IXGBE, 1, trust), -EBUSY);
	assert_int_equal(counter(&f, "vf_set"), 6);
	EXPECT(numvfs(&f, IXGBE, 0), -ENOMEM);
	assert_int_equal(look(&f, IXGBE)->vfs, 4);
	EXPECT(f.host.ops->ntuple(&f.host, look(&f, IXGBE), true, &f.err), 0);
	settle(&f);
	assert_false(look(&f, IXGBE)->carrier);
	fixture_close(&f);
}

static void what_is_read(void **state)
{
	struct sriov_inventory inv = {0}, *all;
	struct fixture f;
	struct sriov_pf *pf;

	fixture_open(&f, "one-node-x710.json");
	pf = look(&f, X710);
	assert_int_equal(f.inv->nnodes, 1);
	assert_int_equal(pf->queues, 16);
	assert_int_equal(pf->vf[0].uses.n, 1);
	assert_string_equal(pf->vf[0].uses.at[0].who, "host");
	assert_string_equal(pf->vf[0].uses.at[0].how, "netdev enp3s0f0v0 is up");
	assert_string_equal(pf->vf[1].uses.at[0].who, "guest web1 (running)");
	assert_true(pf->vf[1].uses.at[0].running);
	assert_int_equal(pf->vf[2].uses.n, 0);
	assert_int_equal(pf->vf[2].attrs.has, SRIOV_VF_ALL);
	assert_string_equal(pf->vf[3].uses.at[0].who, "guest db1 (defined)");
	assert_false(pf->vf[3].uses.at[0].running);

	EXPECT(f.host.ops->read(&f.host, "enp3s0f0", 0, &inv, &f.err), 0);
	all = calloc(1, sizeof(*all));
	*all = inv;
	assert_int_equal(all->nnodes, 0);
	assert_int_equal(all->npfs, 1);
	assert_null(all->pf[0].vf);
	assert_int_equal(all->pf[0].vfs, 4);
	assert_int_equal(all->pf[0].queues, 0);
	assert_string_equal(all->pf[0].firmware, "");
	assert_int_equal(all->pf[0].ntuple, SRIOV_NTUPLE_UNKNOWN);
	assert_int_equal(all->pf[0].speed_mbps, 10000);
	sriov_inventory_free(all);

	EXPECT(f.host.ops->read(&f.host, "03:00.0", SRIOV_READ_VFS | SRIOV_READ_OVERRIDES, &inv,
				&f.err),
	       0);
	all = calloc(1, sizeof(*all));
	*all = inv;
	assert_int_equal(all->pf[0].vf[1].attrs.has, 0);
	assert_int_equal(all->pf[0].vf[1].uses.n, 0);
	assert_string_equal(all->pf[0].vf[1].driver_override, "vfio-pci");
	sriov_inventory_free(all);

	inv = (struct sriov_inventory){.npfs = 77};
	EXPECT(f.host.ops->read(&f.host, "eth9", 0, &inv, &f.err), -ENODEV);
	EXPECT(f.host.ops->read(&f.host, "0000:03:02.3", 0, &inv, &f.err), -ENOTSUP);
	EXPECT(f.host.ops->read(&f.host, "enp3s0f0v0", 0, &inv, &f.err), -ENOTSUP);
	assert_non_null(strstr(f.err.message, "VF 0 of " X710));
	assert_int_equal(inv.npfs, 77);
	fixture_close(&f);
}

static void counted_reads(void **state)
{
	_free_ char *before = NULL, *after = NULL;
	struct fixture f;
	struct sriov_inventory inv;
	struct stat st;
	char lock[128];

	fixture_open(&f, "two-node.json");
	assert_int_equal(core_read_file(AT_FDCWD, f.file, 1 << 20, &before, NULL), 0);
	look(&f, IXGBE);
	f.host.ops->watch(&f.host, &f.err);
	assert_int_equal(core_read_file(AT_FDCWD, f.file, 1 << 20, &after, NULL), 0);
	assert_string_equal(before, after);
	snprintf(lock, sizeof(lock), "%s.state", f.file);
	assert_int_equal(stat(lock, &st), -1); /* reading and opening create nothing */
	fixture_put(&f, "sim",
		    "{'count_reads':true,'deviate':[{'op':'read_rules','pf':'" I40E
		    "','skip':1,'errno':'EIO'}]}");
	look(&f, IXGBE);
	assert_int_equal(counter(&f, "read"), 1);
	assert_int_equal(counter(&f, "read_attrs"), 3);
	assert_int_equal(counter(&f, "read_rules"), 3);
	EXPECT(f.host.ops->read(&f.host, NULL, SRIOV_READ_RULES, &inv, &f.err), -EIO);
	assert_string_equal(f.err.object, I40E);
	fixture_close(&f);
}

/* Two processes have the same host: one's effects and time are the other's. */
static void shared(void **state)
{
	struct sriov_host other = {0};
	struct fixture f;
	struct stat st;

	fixture_open(&f, "two-node.json");
	assert_int_equal(chmod(f.file, 0640), 0);
	assert_int_equal(host_sim_open(&other, f.file, NULL), 0);
	assert_string_equal(other.state_dir, f.host.state_dir);
	assert_int_equal(other.ops->watch(&other, &f.err), 0);
	EXPECT(numvfs(&f, IXGBE, 2), 0);
	settle(&f);
	assert_int_equal(other.ops->now_ms(&other), f.host.ops->now_ms(&f.host));
	/* what landed since watch() is told at once */
	EXPECT(other.ops->wait(&other, other.ops->now_ms(&other), &f.err), 0);
	EXPECT(other.ops->wait(&other, other.ops->now_ms(&other), &f.err), -ETIMEDOUT);
	assert_int_equal(stat(f.file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	other.ops->close(&other);
	fixture_close(&f);
}

static void no_file(void **state)
{
	struct sriov_host host = {0};
	struct sriov_inventory inv;
	struct fixture f;

	fixture_open(&f, "two-node.json");
	assert_int_equal(host_sim_open(&host, "/tmp/sriov-no-such-file", &f.err), -ENOENT);
	assert_string_equal(f.err.message, "no such snapshot");
	assert_string_not_equal(f.err.hint, "");
	assert_null(host.ops);
	assert_int_equal(truncate(f.file, 100), 0);
	EXPECT(f.host.ops->read(&f.host, NULL, 0, &inv, &f.err), -EINVAL);
	assert_non_null(strstr(f.err.message, "line "));
	assert_int_equal(remove(f.file), 0);
	EXPECT(f.host.ops->read(&f.host, NULL, 0, &inv, &f.err), -ENOENT);
	fixture_close(&f);
}

static void refused_members(void **state)
{
	static const struct {
		const char *key, *value, *message;
	} rows[] = {
		{"sim", "[]", "sim: must be an object"},
		{"sim", "{'clock':1}", "sim.clock: is not known here"},
		{"sim", "{'clock_ms':-1}", "sim.clock_ms: -1 is out of range"},
		{"sim", "{'ops':{'numvf':1}}",
		 "sim.ops.numvf: is not known here, did you mean 'numvfs'?"},
		{"sim", "{'ops':{'numvfs':-1}}", "sim.ops.numvfs: -1 is out of range"},
		{"sim", "{'pending':[{'at_ms':1,'event':'netdev','pf':'" IXGBE "'}]}",
		 "sim.pending[0].vf: is for netdev and ready events"},
		{"sim", "{'pending':[{'at_ms':1,'event':'boom','pf':'" IXGBE "'}]}",
		 "sim.pending[0].event: 'boom' is unknown"},
		{"sim", "{'stuck':[{'pf':'" IXGBE "','op':'vf_set'}]}",
		 "sim.stuck[0].op: 'vf_set' cannot be stuck"},
		{"sim", "{'deviate':[{'op':'vfset','lie':true}]}",
		 "sim.deviate[0].op: 'vfset' is unknown, did you mean 'vf_set'?"},
		{"sim", "{'deviate':[{'op':'vf_set'}]}", "sim.deviate[0]: needs exactly one of"},
		{"sim", "{'deviate':[{'op':'vf_set','lie':true,'errno':'EIO'}]}",
		 "sim.deviate[0]: needs exactly one of"},
		{"sim", "{'deviate':[{'op':'vf_set','lie':false}]}",
		 "sim.deviate[0]: deviates in no way"},
		{"sim", "{'deviate':[{'op':'vf_set','hang':true}]}",
		 "sim.deviate[0].op: 'vf_set' cannot deviate in that way"},
		{"sim", "{'deviate':[{'op':'wait','errno':'EIO'}]}",
		 "sim.deviate[0].op: 'wait' cannot deviate in that way"},
		{"sim", "{'deviate':[{'op':'numvfs','errno':'EOOPS'}]}",
		 "sim.deviate[0].errno: 'EOOPS' is not the name of an error"},
		{"sim", "{'deviate':[{'op':'numvfs','errno':'EIO','times':0}]}",
		 "sim.deviate[0].times: 0 is out of range"},
		{"domains", "{}", "domains: must be an array"},
		{"domains", "[{}]", "domains[0].name: is missing"},
		{"domains", "[{'name':'a','state':'dead'}]", "domains[0].state: 'dead' is unknown"},
		{"domains", "[{'name':'a','vfs':['x']}]",
		 "domains[0].vfs[0]: is not a PCI address"},
		{"domains", "[{'name':'a','vfs':[7]}]", "domains[0].vfs[0]: is not a PCI address"},
	};
	struct sriov_inventory inv;
	struct fixture f;

	fixture_open(&f, "two-node.json");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_error err = {0};

		fixture_put(&f, "sim", "{}");
		fixture_put(&f, "domains", "[]");
		fixture_put(&f, rows[i].key, rows[i].value);
		assert_true(f.host.ops->read(&f.host, NULL, 0, &inv, &err) < 0);
		if (strncmp(err.message, rows[i].message, strlen(rows[i].message)) != 0)
			fail_msg("%s: %s", rows[i].value, err.message);
		assert_string_equal(err.object, f.file);
		assert_true(f.host.ops->numvfs(&f.host, NULL, 0, 0, &err) < 0);
	}
	fixture_close(&f);
}

/* An effect keeps what it has nothing to do with, domains and deviations included. */
static void keeps_the_rest(void **state)
{
	static const char *const kept[] = {"kernel", "hostname", "boot_id", "iommu",
					   "nodes",  "pfs",      "domains"};
	_json_ json_t *first = NULL, *second = NULL;
	const json_t *sim;
	struct fixture f;

	fixture_open(&f, "one-node-x710.json");
	fixture_put(&f, "sim",
		    "{'clock_ms':5,'deviate':[{'op':'link','pf':'" X710 "','never':true}]}");
	f.host.ops->pause(&f.host, 1); /* writes every member out */
	first = fixture_json(&f);
	f.host.ops->pause(&f.host, 1);
	second = fixture_json(&f);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		assert_non_null(json_object_get(first, kept[i]));
		assert_true(json_equal(json_object_get(first, kept[i]),
				       json_object_get(second, kept[i])));
	}
	sim = json_object_get(second, "sim");
	assert_int_equal(json_integer_value(json_object_get(sim, "clock_ms")), 7);
	assert_int_equal(json_array_size(json_object_get(sim, "deviate")), 1);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(held_by_guest),   cmocka_unit_test(unbinding_from_guest),
		cmocka_unit_test(hanging),         cmocka_unit_test(deviations),
		cmocka_unit_test(what_is_read),    cmocka_unit_test(counted_reads),
		cmocka_unit_test(shared),          cmocka_unit_test(no_file),
		cmocka_unit_test(refused_members), cmocka_unit_test(keeps_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
