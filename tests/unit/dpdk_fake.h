/* SPDX-License-Identifier: Apache-2.0 */
/* A port of a pretended driver, which fails where it is told to. */
#ifndef SRIOV_TESTS_DPDK_FAKE_H
#define SRIOV_TESTS_DPDK_FAKE_H

#include "tests/unit/flow_fixture.h"

#include "flows/to/rte.h"

#include <rte_errno.h>

#define FLOWS_MAX 64
struct fake_flow {
	bool there, tunnel;
	uint32_t mark; /* its number */
};

static struct {
	struct fake_flow flow[FLOWS_MAX];
	unsigned calls;      /* of create and destroy */
	unsigned fail_at[2]; /* which of them fails, 0 = none */
	int number;          /* with which errno */
	const char *text;
	unsigned validated;
	int isolated;            /* what isolate gives back */
	uint16_t vxlan;          /* the UDP port that it was told */
	unsigned told, told_bad; /* calls of tunnel, and which of them fails */
	unsigned tunnels;        /* rules that are there and need it */
} fake;

static inline bool fails(void)
{
	fake.calls++;
	return fake.calls == fake.fail_at[0] || fake.calls == fake.fail_at[1];
}

static inline int fake_validate(uint16_t port, const struct rte_flow_attr *attr,
				const struct rte_flow_item *item,
				const struct rte_flow_action *action, struct rte_flow_error *error)
{
	fake.validated++;
	if (!fake.number || fake.validated != fake.fail_at[0])
		return 0;
	error->message = fake.text;
	return -fake.number;
}

static inline struct rte_flow *fake_create(uint16_t port, const struct rte_flow_attr *attr,
					   const struct rte_flow_item *item,
					   const struct rte_flow_action *action,
					   struct rte_flow_error *error)
{
	unsigned i = 0;

	if (fails()) {
		rte_errno = fake.number;
		error->message = fake.text;
		return NULL;
	}
	while (fake.flow[i].there)
		i++;
	fake.flow[i].there = true;
	for (fake.flow[i].tunnel = false; item->type; item++)
		fake.flow[i].tunnel |= item->type == RTE_FLOW_ITEM_TYPE_VXLAN;
	/* packets would not be known for tunnels */
	if (fake.flow[i].tunnel)
		assert_int_not_equal(fake.vxlan, 0);
	fake.tunnels += fake.flow[i].tunnel;
	while (action->type && action->type != RTE_FLOW_ACTION_TYPE_MARK)
		action++;
	fake.flow[i].mark = action->type ? ((const struct rte_flow_action_mark *)action->conf)->id
					 : 0;
	return (struct rte_flow *)&fake.flow[i];
}

static inline int fake_destroy(uint16_t port, struct rte_flow *flow, struct rte_flow_error *error)
{
	struct fake_flow *f = (struct fake_flow *)flow;

	assert_true(f->there);
	if (fails()) {
		error->message = fake.text;
		return -fake.number;
	}
	f->there = false;
	fake.tunnels -= f->tunnel;
	return 0;
}

static inline int fake_isolate(uint16_t port, int set, struct rte_flow_error *error)
{
	error->message = fake.text;
	return fake.isolated;
}

/* As net_i40e: a port that it knows is refused, and so is one to forget that it does not know. */
static inline int fake_tunnel(uint16_t port, bool add, uint16_t udp)
{
	assert_int_equal(fake.vxlan, add ? 0 : udp);
	if (!add)
		assert_int_equal(fake.tunnels, 0);
	if (++fake.told == fake.told_bad)
		return -1;
	fake.vxlan = add ? udp : 0;
	return 0;
}

static const struct rte_calls calls = {fake_validate, fake_create, fake_destroy, fake_isolate,
				       fake_tunnel};

static inline unsigned present(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < FLOWS_MAX; i++)
		n += fake.flow[i].there;
	return n;
}

static inline struct sriov_rte *open_fake(const char *nic)
{
	struct sriov_rte *port;
	struct sriov_pf pf;

	memset(&fake, 0, sizeof(fake));
	assert_int_equal(sriov_nic_port(nic, &pf, NULL), 0);
	assert_int_equal(sriov_nic_rte(&pf, NULL), 0);
	assert_int_equal(rte_port_new(&calls, 0, &pf, &port, NULL), 0);
	return port;
}

static inline int apply(struct sriov_rte *port, const char *text, struct sriov_rte_count *count,
			struct sriov_error *err)
{
	struct sriov_rules rules;
	int r;

	assert_int_equal(sriov_rules_parse(text, NULL, &rules, NULL), 0);
	r = sriov_rte_apply(port, &rules, NULL, count, err);
	sriov_rules_clear(&rules);
	return r;
}

#endif
