/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated host behaves as the drivers do: VFs, links, attributes, binding, rules. */
#include "tests/unit/sim_fixture.h"

#define EXPECT(call, code)                                                                         \
	do {                                                                                       \
		int r_ = (call);                                                                   \
		if (r_ != (code))                                                                  \
			fail_msg("%s: %d (%s), not %d", #call, r_, r_ < 0 ? f.err.message : "",    \
				 code);                                                            \
	} while (0)

static void vf_counts(void **state)
{
	static const struct {
		const char *pf;
		unsigned n;
		int r;
	} rows[] = {
		{IXGBE, 64, -ERANGE}, {IXGBE, 0, 0},        {IXGBE, 63, 0},    {IXGBE, 63, 0},
		{IXGBE, 62, -EBUSY},  {IXGBE, 64, -ERANGE}, {IXGBE, 0, 0},     {IXGBE, 4, 0},
		{I40E, 65, -ERANGE},  {I40E, 64, 0},        {IGB, 8, -ERANGE}, {IGB, 7, 0},
	};
	struct fixture f;

	fixture_open(&f, "two-node.json");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned before = look(&f, rows[i].pf)->vfs;

		EXPECT(numvfs(&f, rows[i].pf, rows[i].n), rows[i].r);
		assert_int_equal(look(&f, rows[i].pf)->vfs, rows[i].r ? before : rows[i].n);
	}
	assert_int_equal(counter(&f, "numvfs"), ARRAY_SIZE(rows));
	fixture_close(&f);
}

static void vf_addresses(void **state)
{
	static const struct {
		const char *pf;
		unsigned n, vf;
		const char *address;
	} rows[] = {
		{IXGBE, 63, 0, "0000:81:10.0"},  {IXGBE, 63, 1, "0000:81:10.2"},
		{IXGBE, 63, 62, "0000:81:1f.4"}, {I40E, 64, 0, "0000:3b:02.0"},
		{I40E, 64, 9, "0000:3b:03.1"},   {IGB, 7, 1, "0000:04:10.4"},
	};
	struct fixture f;

	fixture_open(&f, "two-node.json");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT(numvfs(&f, rows[i].pf, rows[i].n), 0);
		assert_string_equal(look(&f, rows[i].pf)->vf[rows[i].vf].address, rows[i].address);
	}
	assert_int_equal(look(&f, IXGBE)->vf[1].iommu_group,
			 look(&f, IXGBE)->vf[0].iommu_group + 1);
	fixture_close(&f);
}

/* The link drops with the VF count and comes back late; so do the VFs' netdevs. */
static void landing_late(void **state)
{
	const struct sriov_pf *pf;
	struct fixture f;
	int64_t before;

	fixture_open(&f, "two-node.json");
	assert_int_equal(f.host.ops->watch(&f.host, &f.err), 0);
	EXPECT(numvfs(&f, IXGBE, 4), 0);
	pf = look(&f, IXGBE);
	assert_true(pf->up && !pf->carrier);
	assert_int_equal(pf->speed_mbps, 0);
	assert_int_equal(pf->queues, 4);
	assert_string_equal(pf->vf[3].netdev, "");
	assert_string_equal(pf->vf[3].driver, "");
	assert_int_equal(pf->vf[3].attrs.has, SRIOV_VF_ALL);
	before = f.host.ops->now_ms(&f.host);
	EXPECT(f.host.ops->wait(&f.host, before + 10000, &f.err), 0);
	pf = look(&f, IXGBE);
	assert_string_equal(pf->vf[3].netdev, "ens2f0v3");
	assert_string_equal(pf->vf[3].driver, "ixgbevf");
	assert_false(pf->carrier);
	EXPECT(f.host.ops->wait(&f.host, before + 10000, &f.err), 0);
	pf = look(&f, IXGBE);
	assert_true(pf->carrier);
	assert_int_equal(pf->speed_mbps, 10000);
	EXPECT(f.host.ops->wait(&f.host, before + 10000, &f.err), -ETIMEDOUT);
	assert_int_equal(f.host.ops->now_ms(&f.host), before + 10000);
	fixture_close(&f);
}

static void without_autoprobe(void **state)
{
	const struct host_ops *ops;
	struct fixture f;
	int64_t deadline;

	fixture_open(&f, "two-node.json");
	ops = f.host.ops;
	EXPECT(ops->autoprobe(&f.host, look(&f, IXGBE), false, &f.err), 0);
	EXPECT(numvfs(&f, IXGBE, 2), 0);
	settle(&f);
	deadline = ops->now_ms(&f.host) + 1000;
	assert_string_equal(look(&f, IXGBE)->vf[0].driver, "");
	/* drivers_probe with autoprobe off does nothing, and says nothing */
	EXPECT(ops->probe(&f.host, look(&f, IXGBE), "0000:81:10.0", deadline, &f.err), 0);
	assert_string_equal(look(&f, IXGBE)->vf[0].driver, "");
	EXPECT(ops->override(&f.host, f.inv->pf, "0000:81:10.0", "vfio-pci", HOST_AT_ONCE, &f.err),
	       -ENODEV);
	EXPECT(ops->override(&f.host, look(&f, IXGBE), "0000:81:10.0", "vfio-pci", HOST_AT_ONCE,
			     &f.err),
	       0);
	EXPECT(ops->probe(&f.host, look(&f, IXGBE), "0000:81:10.0", deadline, &f.err), 0);
	assert_string_equal(look(&f, IXGBE)->vf[0].driver, "vfio-pci");
	assert_string_equal(look(&f, IXGBE)->vf[0].driver_override, "vfio-pci");
	/* an override that names no driver here matches nothing */
	EXPECT(ops->override(&f.host, look(&f, IXGBE), "0000:81:10.2", "no-driver", HOST_AT_ONCE,
			     &f.err),
	       0);
	EXPECT(ops->probe(&f.host, look(&f, IXGBE), "0000:81:10.2", deadline, &f.err), 0);
	assert_string_equal(look(&f, IXGBE)->vf[1].driver, "");
	fixture_close(&f);
}

static void binding(void **state)
{
	const struct host_ops *ops;
	const char *vf = "0000:81:10.2";
	struct fixture f;
	int64_t deadline;

	fixture_open(&f, "two-node.json");
	ops = f.host.ops;
	EXPECT(numvfs(&f, IXGBE, 2), 0);
	settle(&f);
	deadline = ops->now_ms(&f.host) + 100000;
	assert_string_equal(look(&f, IXGBE)->vf[1].netdev, "ens2f0v1");
	EXPECT(ops->override(&f.host, look(&f, IXGBE), vf, "vfio-pci", HOST_AT_ONCE, &f.err), 0);
	EXPECT(ops->unbind(&f.host, look(&f, IXGBE), vf, deadline, &f.err), 0);
	assert_string_equal(look(&f, IXGBE)->vf[1].netdev, "");
	EXPECT(ops->unbind(&f.host, look(&f, IXGBE), vf, deadline, &f.err), -ENODEV);
	EXPECT(ops->probe(&f.host, look(&f, IXGBE), vf, deadline, &f.err), 0);
	assert_string_equal(look(&f, IXGBE)->vf[1].driver, "vfio-pci");
	EXPECT(ops->unbind(&f.host, look(&f, IXGBE), vf, deadline, &f.err), 0);
	EXPECT(ops->override(&f.host, look(&f, IXGBE), vf, "", HOST_AT_ONCE, &f.err), 0);
	EXPECT(ops->probe(&f.host, look(&f, IXGBE), vf, deadline, &f.err), 0);
	assert_string_equal(look(&f, IXGBE)->vf[1].driver, "ixgbevf");
	assert_string_equal(look(&f, IXGBE)->vf[1].netdev, "");
	settle(&f);
	assert_string_equal(look(&f, IXGBE)->vf[1].netdev, "ens2f0v1");
	EXPECT(ops->probe(&f.host, look(&f, IXGBE), "0000:99:00.0", deadline, &f.err), -ENODEV);
	assert_string_equal(f.err.object, "0000:99:00.0");
	fixture_close(&f);
}

static void attributes(void **state)
{
	static const struct {
		const char *pf;
		unsigned vf;
		struct sriov_vf_attrs attrs;
		int r;
	} rows[] = {
		{IXGBE, 4, {.has = SRIOV_VF_TRUST}, -EINVAL},
		{IXGBE, 0, {.has = SRIOV_VF_MAC, .mac = {1, 2}}, -EINVAL},
		{IXGBE,
		 0,
		 {.has = SRIOV_VF_MAC, .mac = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		 -EINVAL},
		{IXGBE, 0, {.has = SRIOV_VF_MAC, .mac = {2, 2}}, 0},
		{IXGBE, 0, {.has = SRIOV_VF_MAC}, 0},
		{IXGBE, 0, {.has = SRIOV_VF_VLAN, .vlan = 4096, .vlan_proto = 0x8100}, -EINVAL},
		{IXGBE,
		 0,
		 {.has = SRIOV_VF_VLAN, .vlan = 5, .qos = 8, .vlan_proto = 0x8100},
		 -EINVAL},
		{IXGBE,
		 0,
		 {.has = SRIOV_VF_VLAN, .vlan = 5, .vlan_proto = 0x88a8},
		 -EPROTONOSUPPORT},
		{I40E,
		 0,
		 {.has = SRIOV_VF_VLAN, .vlan = 5, .vlan_proto = 0x88a8},
		 -EPROTONOSUPPORT},
		{IXGBE, 0, {.has = SRIOV_VF_VLAN, .vlan = 5, .qos = 7, .vlan_proto = 0x8100}, 0},
		{IXGBE, 0, {.has = SRIOV_VF_RATE, .max_rate = 10}, -EINVAL},
		{IXGBE, 0, {.has = SRIOV_VF_RATE, .max_rate = 11}, 0},
		{IXGBE, 0, {.has = SRIOV_VF_RATE, .max_rate = 10001}, -EINVAL},
		{IXGBE, 0, {.has = SRIOV_VF_RATE, .max_rate = 10000}, 0},
		{IXGBE, 0, {.has = SRIOV_VF_RATE, .min_rate = 5, .max_rate = 100}, -EINVAL},
		{IXGBE, 0, {.has = SRIOV_VF_RATE, .min_rate = 5, .max_rate = 4}, -EINVAL},
		{IXGBE, 0, {.has = SRIOV_VF_RATE}, 0},
		{I40E, 0, {.has = SRIOV_VF_RATE, .max_rate = 7}, 0},
		{I40E, 0, {.has = SRIOV_VF_RATE, .max_rate = 40001}, -EINVAL},
		{IGB, 0, {.has = SRIOV_VF_RATE, .max_rate = 100}, -EOPNOTSUPP}, /* I350 */
		{IXGBE, 0, {.has = SRIOV_VF_LINK, .link = SRIOV_LINK_DISABLE}, 0},
		{IGB, 0, {.has = SRIOV_VF_LINK, .link = SRIOV_LINK_DISABLE}, -EOPNOTSUPP},
		{IGB, 0, {.has = SRIOV_VF_SPOOFCHK | SRIOV_VF_TRUST, .trust = true}, 0},
	};
	const unsigned vfs = 4;
	struct fixture f;

	fixture_open(&f, "two-node.json");
	EXPECT(numvfs(&f, IXGBE, vfs), 0);
	EXPECT(numvfs(&f, I40E, vfs), 0);
	EXPECT(numvfs(&f, IGB, vfs), 0);
	settle(&f);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_vf_attrs before = {0};

		if (rows[i].vf < vfs)
			before = look(&f, rows[i].pf)->vf[rows[i].vf].attrs;
		if (vf_set(&f, rows[i].pf, rows[i].vf, rows[i].attrs) != rows[i].r)
			fail_msg("row %zu: %s", i, f.err.message);
		if (rows[i].vf >= vfs)
			continue;
		if (rows[i].r)
			assert_memory_equal(&look(&f, rows[i].pf)->vf[rows[i].vf].attrs, &before,
					    sizeof(before));
		else
			assert_int_equal(
				sriov_vf_attrs_differ(&look(&f, rows[i].pf)->vf[rows[i].vf].attrs,
						      &rows[i].attrs),
				0);
	}
	fixture_close(&f);
}

/* ixgbe: no rate without the link, and what comes after the rate is then not applied. */
static void kernel_order(void **state)
{
	struct sriov_vf_attrs all = {.has = SRIOV_VF_ALL,
				     .mac = {2, 0, 0, 0, 0, 9},
				     .vlan = 7,
				     .vlan_proto = 0x8100,
				     .max_rate = 100,
				     .trust = true,
				     .link = SRIOV_LINK_DISABLE};
	const struct sriov_vf_attrs *now;
	struct fixture f;

	fixture_open(&f, "two-node.json");
	EXPECT(numvfs(&f, IXGBE, 1), 0);
	EXPECT(vf_set(&f, IXGBE, 0, all), -EINVAL);
	assert_string_equal(f.err.object, "vf 0 of " IXGBE);
	assert_string_equal(f.err.kernel, "Invalid argument");
	now = &look(&f, IXGBE)->vf[0].attrs;
	assert_int_equal(now->vlan, 7);
	assert_int_equal(now->mac[5], 9);
	assert_int_equal(now->max_rate, 0);
	assert_true(now->spoofchk && !now->trust && now->link == SRIOV_LINK_AUTO);
	settle(&f);
	EXPECT(vf_set(&f, IXGBE, 0, all), 0);
	assert_int_equal(sriov_vf_attrs_differ(&look(&f, IXGBE)->vf[0].attrs, &all), 0);
	/* "enable" is accepted without effect */
	EXPECT(vf_set(&f, IXGBE, 0,
		      (struct sriov_vf_attrs){.has = SRIOV_VF_LINK, .link = SRIOV_LINK_ENABLE}),
	       0);
	assert_int_equal(look(&f, IXGBE)->vf[0].attrs.link, SRIOV_LINK_DISABLE);
	/* kernels before 6.12 do not report the link state */
	fixture_put(&f, "kernel", "'6.1.0-33-amd64'");
	assert_false(look(&f, IXGBE)->vf[0].attrs.has & SRIOV_VF_LINK);
	fixture_close(&f);
}

/* i40e: MAC, VLAN, trust and link state reset the VF, and until that ended it answers EAGAIN. */
static void vf_in_reset(void **state)
{
	struct sriov_vf_attrs two = {.has = SRIOV_VF_MAC | SRIOV_VF_VLAN | SRIOV_VF_TRUST,
				     .mac = {2, 0, 0, 0, 0, 9},
				     .vlan = 7,
				     .vlan_proto = 0x8100,
				     .trust = true};
	struct fixture f;

	fixture_open(&f, "two-node.json");
	EXPECT(numvfs(&f, I40E, 2), 0);
	settle(&f);
	EXPECT(vf_set(&f, I40E, 0, two), -EAGAIN);
	assert_int_equal(look(&f, I40E)->vf[0].attrs.mac[5], 9);
	assert_int_equal(look(&f, I40E)->vf[0].attrs.vlan, 0);
	EXPECT(vf_set(&f, I40E, 0, two), -EAGAIN);
	EXPECT(vf_set(&f, I40E, 1, (struct sriov_vf_attrs){.has = SRIOV_VF_SPOOFCHK}), 0);
	f.host.ops->pause(&f.host, 500);
	two.has &= ~SRIOV_VF_MAC;
	EXPECT(vf_set(&f, I40E, 0, two), 0);
	EXPECT(vf_set(&f, I40E, 0, (struct sriov_vf_attrs){.has = SRIOV_VF_SPOOFCHK}), -EAGAIN);
	f.host.ops->pause(&f.host, 500);
	/* the same VLAN and trust again reset nothing */
	EXPECT(vf_set(&f, I40E, 0, two), 0);
	EXPECT(vf_set(&f, I40E, 0, (struct sriov_vf_attrs){.has = SRIOV_VF_SPOOFCHK}), 0);
	assert_int_equal(counter(&f, "pause"), 2);
	fixture_close(&f);
}

static const struct sriov_entry udp53 = {.loc = 7,
					 .type = SRIOV_FLOW_UDP4,
					 .value = {.dst_port = 53},
					 .mask = {.dst_port = 0xffff},
					 .cookie = 1};

static void rules(void **state)
{
	struct sriov_entry other = udp53;
	const struct host_ops *ops;
	struct fixture f;

	fixture_open(&f, "two-node.json");
	ops = f.host.ops;
	EXPECT(ops->rule_insert(&f.host, look(&f, IXGBE), &udp53, &f.err), -EOPNOTSUPP);
	assert_int_equal(look(&f, IXGBE)->nrules, 0);
	EXPECT(ops->ntuple(&f.host, look(&f, IXGBE), true, &f.err), 0);
	assert_false(look(&f, IXGBE)->carrier);
	settle(&f);
	assert_true(look(&f, IXGBE)->carrier);
	EXPECT(ops->ntuple(&f.host, look(&f, IXGBE), true, &f.err), 0);
	assert_true(look(&f, IXGBE)->carrier);
	EXPECT(ops->rule_insert(&f.host, look(&f, IXGBE), &udp53, &f.err), 0);
	other.loc = 3;
	other.value.dst_port = 54;
	EXPECT(ops->rule_insert(&f.host, look(&f, IXGBE), &other, &f.err), 0);
	assert_int_equal(look(&f, IXGBE)->nrules, 2);
	assert_int_equal(look(&f, IXGBE)->rules[0].loc, 3);
	assert_true(sriov_entry_same(&look(&f, IXGBE)->rules[1], &udp53));
	EXPECT(ops->rule_delete(&f.host, look(&f, IXGBE), 3, &f.err), 0);
	EXPECT(ops->rule_delete(&f.host, look(&f, IXGBE), 3, &f.err), -EINVAL);
	/* off keeps the list of ixgbe, a change of the VF count empties it */
	EXPECT(ops->ntuple(&f.host, look(&f, IXGBE), false, &f.err), 0);
	assert_int_equal(look(&f, IXGBE)->nrules, 1);
	EXPECT(numvfs(&f, IXGBE, 2), 0);
	assert_int_equal(look(&f, IXGBE)->nrules, 0);
	/* i40e the other way round */
	EXPECT(ops->rule_insert(&f.host, look(&f, I40E), &udp53, &f.err), 0);
	EXPECT(numvfs(&f, I40E, 2), 0);
	assert_int_equal(look(&f, I40E)->nrules, 1);
	EXPECT(ops->ntuple(&f.host, look(&f, I40E), false, &f.err), 0);
	assert_int_equal(look(&f, I40E)->nrules, 0);
	fixture_close(&f);
}

static void link_set(void **state)
{
	const struct host_ops *ops;
	struct fixture f;

	fixture_open(&f, "two-node.json");
	ops = f.host.ops;
	EXPECT(ops->ntuple(&f.host, look(&f, IXGBE), true, &f.err), 0);
	EXPECT(ops->rule_insert(&f.host, look(&f, IXGBE), &udp53, &f.err), 0);
	EXPECT(ops->link_set(&f.host, look(&f, IXGBE), false, &f.err), 0);
	assert_false(look(&f, IXGBE)->up);
	assert_int_equal(look(&f, IXGBE)->nrules, 0); /* ixgbe_close() */
	settle(&f);
	assert_false(look(&f, IXGBE)->carrier);
	EXPECT(numvfs(&f, IXGBE, 2), 0);
	settle(&f);
	assert_false(look(&f, IXGBE)->carrier);
	EXPECT(ops->link_set(&f.host, look(&f, IXGBE), true, &f.err), 0);
	settle(&f);
	assert_true(look(&f, IXGBE)->carrier);
	assert_int_equal(look(&f, IXGBE)->speed_mbps, 10000);
	fixture_close(&f);
}

static void fixed_ntuple(void **state)
{
	struct fixture f;
	json_t *json;

	fixture_open(&f, "two-node.json");
	json = fixture_json(&f);
	json_object_set_new(json_array_get(json_object_get(json, "pfs"), 0), "ntuple",
			    json_string("off [fixed]"));
	json_object_set_new(json_array_get(json_object_get(json, "pfs"), 1), "driver",
			    json_string("mlx5_core"));
	fixture_write(&f, json);
	EXPECT(f.host.ops->ntuple(&f.host, look(&f, IGB), true, &f.err), -EOPNOTSUPP);
	/* a driver without a model can be read, and not be changed */
	EXPECT(numvfs(&f, I40E, 1), -EOPNOTSUPP);
	assert_non_null(strstr(f.err.message, "mlx5_core"));
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vf_counts),    cmocka_unit_test(vf_addresses),
		cmocka_unit_test(landing_late), cmocka_unit_test(without_autoprobe),
		cmocka_unit_test(binding),      cmocka_unit_test(attributes),
		cmocka_unit_test(kernel_order), cmocka_unit_test(vf_in_reset),
		cmocka_unit_test(rules),        cmocka_unit_test(link_set),
		cmocka_unit_test(fixed_ntuple),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
