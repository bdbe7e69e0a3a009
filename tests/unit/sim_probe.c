/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated host for probes: netdevs, frames and what they meet, and the answers that come of it. */
#include "tests/unit/sim_fixture.h"

#include <sriov/probe.h>

static int frames(struct fixture *f, const char *pf, struct exchange *what)
{
	return f->host.ops->exchange(&f->host, look(f, pf), what,
				     f->host.ops->now_ms(&f->host) + 10000, &f->err);
}

static void with_vfs(struct fixture *f, const char *pf, unsigned n)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	struct sriov_vf_attrs attrs = {.has = SRIOV_VF_MAC};

	fixture_open(f, "two-node.json");
	memcpy(attrs.mac, mac, sizeof(mac));
	assert_int_equal(numvfs(f, pf, n), 0);
	settle(f);
	assert_int_equal(vf_set(f, pf, 0, attrs), 0);
	settle(f);
}

static void netdevs(void **state)
{
	struct netdev_facts facts = {.ifindex = 42};
	struct fixture f;
	char why[160];

	with_vfs(&f, IXGBE, 2);
	assert_int_equal(f.host.ops->netdev(&f.host, "ens2f0", &facts, &f.err), 0);
	assert_true(facts.up && facts.carrier && !facts.forwards);
	assert_int_equal(f.host.ops->netdev(&f.host, "ens2f0v0", &facts, &f.err), 0);
	assert_false(facts.up || facts.carrier);
	assert_int_equal(facts.mac[0], 2);
	assert_int_equal(f.host.ops->vf_up(&f.host, look(&f, IXGBE), 0, true, &f.err), 0);
	assert_int_equal(f.host.ops->netdev(&f.host, "ens2f0v0", &facts, &f.err), 0);
	assert_true(facts.up && facts.carrier);
	facts.ifindex = 42;
	assert_int_equal(f.host.ops->netdev(&f.host, "nosuch0", &facts, &f.err), -ENODEV);
	assert_int_equal(f.host.ops->netdev(&f.host, "", &facts, &f.err), -ENODEV);
	assert_int_equal(facts.ifindex, 42);
	assert_int_equal(f.host.ops->vf_up(&f.host, look(&f, IXGBE), 7, true, &f.err), -ENODEV);
	assert_string_equal(f.err.object, "vf 7 of " IXGBE);
	assert_int_equal(f.host.ops->nature(&f.host, look(&f, IXGBE), why, sizeof(why)),
			 NATURE_SIMULATED);
	fixture_close(&f);
}

static void ways(void **state)
{
	struct exchange what = {.from = "ens1f0",
				.to = "ens2f0",
				.place = {"ens2f0", "ens2f0v0"},
				.src_ip = {192, 0, 2, 9},
				.dst_ip = {198, 51, 100, 9},
				.src_port = 40009,
				.dst_port = 9,
				.count = 8,
				.hits = "fdir_match"};
	struct sriov_entry entry = {.loc = 1, .type = SRIOV_FLOW_UDP4, .cookie = SRIOV_COOKIE_DROP};
	struct fixture f;

	with_vfs(&f, IXGBE, 2);
	/* the VF's netdev is down: nothing that happens would change that */
	assert_int_equal(frames(&f, IXGBE, &what), -ENOLINK);
	assert_string_equal(f.err.object, "ens2f0v0");
	assert_int_equal(what.sent, 0);
	assert_int_equal(f.host.ops->vf_up(&f.host, look(&f, IXGBE), 0, true, &f.err), 0);
	/* a reset of the port: the link is waited for */
	assert_int_equal(f.host.ops->ntuple(&f.host, look(&f, IXGBE), true, &f.err), 0);
	assert_false(look(&f, IXGBE)->carrier);
	assert_int_equal(frames(&f, IXGBE, &what), 0);
	assert_true(look(&f, IXGBE)->carrier);
	assert_int_equal(what.sent, 8);
	assert_int_equal(what.arrived[0], 8);
	assert_int_equal(what.hit, 0);
	entry.value.dst_port = 9;
	entry.mask.dst_port = 0xffff;
	assert_int_equal(f.host.ops->rule_insert(&f.host, look(&f, IXGBE), &entry, &f.err), 0);
	what.until_one = true;
	assert_int_equal(frames(&f, IXGBE, &what), 0);
	assert_int_equal(what.sent, 8); /* none arrives, so all are tried */
	assert_int_equal(what.arrived[0] + what.arrived[1], 0);
	assert_int_equal(what.hit, 8);
	/* 82599: what is switched inside the port is not classified */
	strcpy(what.from, "ens2f0v0");
	assert_int_equal(frames(&f, IXGBE, &what), 0);
	assert_int_equal(what.sent, 1);
	assert_int_equal(what.arrived[0], 1);
	strcpy(what.from, "nosuch0");
	assert_int_equal(frames(&f, IXGBE, &what), -ENODEV);
	fixture_close(&f);
}

/* A NIC without a model: an error and not an answer. */
static void unmodelled(void **state)
{
	struct exchange what = {.from = "ens1f0", .to = "eno1", .place = {"eno1", ""}, .count = 1};
	struct sriov_pf *pf;
	struct fixture f;
	json_t *json;

	fixture_open(&f, "two-node.json");
	json = fixture_json(&f);
	json_object_set_new(json_array_get(json_object_get(json, "pfs"), 2), "device",
			    json_string("1234"));
	fixture_write(&f, json);
	pf = look(&f, IXGBE);
	assert_int_equal(pf->device, 0x1234);
	strcpy(what.to, "ens2f0");
	strcpy(what.place[0], "ens2f0");
	assert_int_equal(frames(&f, IXGBE, &what), -EOPNOTSUPP);
	assert_int_equal(what.sent, 0);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(netdevs),
		cmocka_unit_test(ways),
		cmocka_unit_test(unmodelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
