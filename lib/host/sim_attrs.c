/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VF attributes of a simulated PF, as do_setvfinfo() in net/core/rtnetlink.c hands them to the driver: in a
 * fixed order, stopping at the first failure, with what came before it applied.
 */
#include "lib/host/sim.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

/* i40e: "hundreds of milliseconds" */
#define VF_RESET_MS 300

struct setting {
	struct sim *sim;
	struct sriov_pf *pf;
	struct sriov_vf *vf;
	const struct sriov_driver *driver;
	const struct sriov_vf_attrs *want;
	const char *why; /* of a refusal */
};

static int refuse(struct setting *s, int code, const char *why)
{
	s->why = why;
	return code;
}

static int vf_resets(struct setting *s)
{
	struct sim_event event = {.has = 1,
				  .at_ms = s->sim->clock_ms + VF_RESET_MS,
				  .event = SIM_EVENT_READY,
				  .vf = s->vf->index};

	if (!(s->driver->traits & SRIOV_ATTR_RESETS_VF))
		return 0;
	sim_cancel(s->sim, s->pf, SIM_EVENT_READY, s->vf->index);
	core_copy(event.pf, sizeof(event.pf), s->pf->address);
	return sim_schedule(s->sim, event);
}

static int set_mac(struct setting *s)
{
	if (s->want->mac[0] & 1)
		return refuse(s, -EINVAL, "it is a multicast address");
	memcpy(s->vf->attrs.mac, s->want->mac, sizeof(s->want->mac));
	return vf_resets(s);
}

static int set_vlan(struct setting *s)
{
	struct sriov_vf_attrs *now = &s->vf->attrs;

	if (s->want->vlan > 4095 || s->want->qos > 7)
		return refuse(s, -EINVAL, "the ID ends at 4095 and the priority at 7");
	if (s->want->vlan_proto != ETH_P_8021Q &&
	    !(s->want->vlan_proto == ETH_P_8021AD && s->driver->vlan_8021ad))
		return refuse(s, -EPROTONOSUPPORT, "the protocol must be 802.1Q");
	/* i40e_ndo_set_vf_port_vlan(): a duplicate request does nothing */
	if (now->vlan == s->want->vlan && now->qos == s->want->qos &&
	    now->vlan_proto == s->want->vlan_proto)
		return 0;
	now->vlan = s->want->vlan;
	now->qos = s->want->qos;
	now->vlan_proto = s->want->vlan_proto;
	return vf_resets(s);
}

static int set_rate(struct setting *s)
{
	const struct sriov_driver *driver = s->driver;
	uint32_t min = s->want->min_rate, max = s->want->max_rate;
	unsigned speed = s->pf->carrier ? s->pf->speed_mbps : 0;
	/* i40e takes a rate below rate_min_mbps and raises it in hardware; the dump shows what was asked */
	unsigned least = driver->rate_step_mbps ? 0 : driver->rate_min_mbps;
	unsigned most = driver->rate_max_mbps ? driver->rate_max_mbps : speed;

	if (max && max < min)
		return refuse(s, -EINVAL, "the maximum is smaller than the minimum");
	if (!sriov_driver_has_rate(driver, s->pf->device))
		return refuse(s, -EOPNOTSUPP, "this NIC has no VF rates");
	if (driver->traits & SRIOV_RATE_NEEDS_LINK && !speed)
		return refuse(s, -EINVAL, "the port has no link");
	if (driver->rate_link_mbps && speed != driver->rate_link_mbps)
		return refuse(s, -EINVAL, "the link is not at 10 Gb/s");
	if (min && !driver->min_rate)
		return refuse(s, -EINVAL, "the driver has no minimum rate");
	if (max && (max < least || (most && max > most)))
		return refuse(s, -EINVAL, "the maximum is out of the driver's range");
	s->vf->attrs.min_rate = min;
	s->vf->attrs.max_rate = max;
	return 0;
}

static int set_spoofchk(struct setting *s)
{
	s->vf->attrs.spoofchk = s->want->spoofchk;
	return 0;
}

static int set_link(struct setting *s)
{
	if (!s->driver->link_states)
		return refuse(s, -EOPNOTSUPP, "the driver has no VF link state");
	if (s->want->link > SRIOV_LINK_DISABLE)
		return refuse(s, -EINVAL, "there is no such link state");
	/* ixgbe logs that "enable" is not supported, and returns 0 */
	if (!(s->driver->link_states & 1u << s->want->link))
		return 0;
	s->vf->attrs.link = s->want->link;
	/* i40e: disable stops the queues, the others reset the VF */
	return s->want->link == SRIOV_LINK_DISABLE ? 0 : vf_resets(s);
}

static int set_trust(struct setting *s)
{
	/* i40e_ndo_set_vf_trust(): nothing to do when it is so already */
	if (s->vf->attrs.trust == s->want->trust)
		return 0;
	s->vf->attrs.trust = s->want->trust;
	return vf_resets(s);
}

/* The kernel's order. */
static const struct {
	unsigned bit;
	const char *name;
	int (*set)(struct setting *s);
	bool needs_ready; /* EAGAIN while the VF resets, with SRIOV_VF_EAGAIN */
} order[] = {
	{SRIOV_VF_MAC, "MAC", set_mac, true},
	{SRIOV_VF_VLAN, "VLAN", set_vlan, true},
	{SRIOV_VF_RATE, "rate", set_rate, true},
	{SRIOV_VF_SPOOFCHK, "spoofchk", set_spoofchk, true},
	{SRIOV_VF_LINK, "link state", set_link, false},
	{SRIOV_VF_TRUST, "trust", set_trust, false},
};

int sim_vf_set(struct sim *sim, struct sriov_pf *pf, const struct sim_call *call,
	       struct sriov_error *err)
{
	struct setting s = {
		.sim = sim, .pf = pf, .driver = sriov_driver_find(pf->driver), .want = call->attrs};
	char object[96];

	sim_object(object, pf->address, call->vf);
	if (call->vf >= pf->vfs)
		return core_errno(err, -EINVAL, object, "no such VF: the PF has %u", pf->vfs);
	s.vf = &pf->vf[call->vf];
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		int r;

		if (!(call->attrs->has & order[i].bit))
			continue;
		s.why = "";
		if (order[i].needs_ready && s.driver->traits & SRIOV_VF_EAGAIN &&
		    sim_pending(sim, pf, SIM_EVENT_READY, call->vf))
			r = refuse(&s, -EAGAIN, "the VF is in reset");
		else
			r = order[i].set(&s);
		if (r < 0)
			return core_errno(err, r, object, "%s refused: %s", order[i].name, s.why);
	}
	return 0;
}
