/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ixgbe's rules: the 82599, X540 and X550 families. From ixgbe_ethtool.c, ixgbe_82599.c and
 * ixgbe_lib.c of Linux 6.1 and 6.12. Functions named in comments are the driver's.
 */
#include "flows/nic/model.h"
#include "flows/words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#define QUEUES 128     /* of the device */
#define RINGS 64       /* MAX_TX_QUEUES, MAX_RX_QUEUES */
#define DROP_QUEUE 127 /* IXGBE_FDIR_DROP_QUEUE: an absolute queue of this number drops */
#define POOLS 64       /* IXGBE_MAX_VMDQ_INDICES */

/* ixgbe_atr_flow_type; the low two bits are the L4 type, of which "any" has none. */
enum { ANY4, UDP4, TCP4, SCTP4 };

/* What is compared: values or masks, in network byte order. */
struct fields {
	uint32_t src_ip, dst_ip;
	uint16_t src_port, dst_port;
	uint16_t vlan, flex;
	uint8_t pool;
	uint8_t type; /* of the mask: whether the L4 type is compared */
	uint16_t pad;
};

struct rule {
	uint32_t loc;
	struct fields value;
	uint64_t action; /* the cookie as it was given, or DROP_QUEUE */
	uint8_t queue;   /* absolute, as programmed */
	bool active;     /* it is in the hardware */
};

struct ixgbe {
	struct nic_model base;
	struct fields mask; /* one for the port, that of the first rule */
	/* the queues as ixgbe_set_num_queues() and ixgbe_cache_ring_register() lay them out */
	unsigned rings, per_pool, stride;
	uint8_t ring[QUEUES]; /* absolute queue of each ring of the PF */
};

static struct ixgbe *ixgbe_of(struct nic_model *model)
{
	return (struct ixgbe *)model;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned rss_limit(const struct nic_device *d)
{
	/* ixgbe_max_rss_indices() */
	return least(d->mac < NIC_X550 ? 16 : 63, d->channels);
}

/* Rings of the PF in pools: each pool starts at a multiple of the stride. */
static void lay_pools(struct ixgbe *x, unsigned first, unsigned pools)
{
	x->rings = 0;
	for (unsigned pool = first; pool < first + pools; pool++)
		for (unsigned i = 0; i < x->per_pool; i++)
			x->ring[x->rings++] = pool * x->stride + i;
}

/* With VFs or macvlan pools: ixgbe_set_dcb_sriov_queues() and ixgbe_set_sriov_queues(). */
static void lay_sriov(struct ixgbe *x)
{
	const struct nic_device *d = &x->base.device;
	bool dcb = d->tcs > 1;
	unsigned own = dcb ? least(d->pf_pools, RINGS / d->tcs) : d->pf_pools;
	unsigned rss = least(rss_limit(d), RINGS / d->pf_pools);
	unsigned pools = least(own + d->num_vfs, d->tcs > 4 ? 16 : dcb ? 32 : POOLS);

	if (dcb) {
		x->stride = d->tcs > 4 ? 8 : 4;
		x->per_pool = d->tcs;
	} else {
		/* 64 pools of 2 queues, or 32 of which the PF uses 4, 2 or 1 */
		x->stride = pools > 32 ? 2 : 4;
		x->per_pool = least(rss > 3 ? 4 : rss > 1 ? 2 : 1, x->stride);
	}
	lay_pools(x, d->num_vfs, pools > d->num_vfs ? pools - d->num_vfs : 0);
}

/* ixgbe_set_dcb_queues(): each class has 32 queues, or 16 of 8 classes, and RSS within them. */
static void lay_dcb(struct ixgbe *x)
{
	const struct nic_device *d = &x->base.device;
	unsigned rss = least(least(RINGS / d->tcs, d->tcs > 4 ? 8 : 16), rss_limit(d));

	for (unsigned tc = 0; tc < d->tcs; tc++)
		for (unsigned i = 0; i < rss; i++)
			x->ring[x->rings++] = tc * (d->tcs > 4 ? 16 : 32) + i;
}

/* ixgbe_set_rss_queues(): with more than one queue, as many as Flow Director may have. */
static void lay_rss(struct ixgbe *x)
{
	const struct nic_device *d = &x->base.device;
	unsigned rss = rss_limit(d);

	x->rings = rss > 1 ? least(63, d->channels) : rss;
	for (unsigned i = 0; i < x->rings; i++)
		x->ring[i] = i;
}

static void start(struct nic_model *model)
{
	const struct nic_device *d = &model->device;
	struct ixgbe *x = ixgbe_of(model);

	x->per_pool = 1;
	if (d->num_vfs || d->pf_pools > 1)
		lay_sriov(x);
	else if (d->tcs > 1)
		lay_dcb(x);
	else
		lay_rss(x);
}

static uint32_t table_size(const struct nic_model *model)
{
	return (1024u << model->device.pballoc) - 2;
}

/*
 * The absolute queue of a cookie, or its errno. For a VF the driver multiplies with the PF's RSS
 * width and not with the stride of the pools: where that is narrower, the queue is in another pool
 * (ixgbe_add_ethtool_fdir_entry(); ixgbe_configure_clsu32() does it right).
 */
static int target(const struct ixgbe *x, uint64_t cookie, uint8_t *queue, struct nic_outcome *out)
{
	uint32_t ring = COOKIE_QUEUE(cookie);
	unsigned vf = COOKIE_VF(cookie);

	if (cookie == SRIOV_COOKIE_DROP) {
		*queue = DROP_QUEUE;
	} else if (!vf) {
		if (ring >= x->rings)
			return nic_refused(out, -EINVAL, "pf_queue_range");
		*queue = x->ring[ring];
	} else {
		if (vf > x->base.device.num_vfs || ring >= x->per_pool)
			return nic_refused(out, -EINVAL, "vf_or_vf_queue_range");
		*queue = (vf - 1) * x->per_pool + ring;
	}
	return 0;
}

/* ixgbe_flowspec_to_flow_type(): the type, or -1. ip4's protocol is looked at, whatever its mask. */
static int flow_type(const struct ethtool_rx_flow_spec *spec)
{
	switch (spec->flow_type & ~FLOW_EXT) {
	case TCP_V4_FLOW:
		return TCP4;
	case UDP_V4_FLOW:
		return UDP4;
	case SCTP_V4_FLOW:
		return SCTP4;
	case IP_USER_FLOW:
		break;
	default:
		return -1;
	}
	switch (spec->h_u.usr_ip4_spec.proto) {
	case IPPROTO_TCP:
		return TCP4;
	case IPPROTO_UDP:
		return UDP4;
	case IPPROTO_SCTP:
		return SCTP4;
	case 0:
		return spec->m_u.usr_ip4_spec.proto ? -1 : ANY4;
	default:
		return -1;
	}
}

/* TOS, ip_ver and the rest of user-def are left out, without a word. */
static struct fields fields_of(const union ethtool_flow_union *u,
			       const struct ethtool_flow_ext *ext, bool has_ext)
{
	struct fields f = {
		.src_ip = u->tcp_ip4_spec.ip4src,
		.dst_ip = u->tcp_ip4_spec.ip4dst,
		.src_port = u->tcp_ip4_spec.psrc,
		.dst_port = u->tcp_ip4_spec.pdst,
	};

	if (has_ext) {
		f.vlan = ext->vlan_tci;
		f.flex = ext->vlan_etype;
		f.pool = ntohl(ext->data[1]);
	}
	return f;
}

static void apply_mask(struct fields *value, const struct fields *mask)
{
	value->src_ip &= mask->src_ip;
	value->dst_ip &= mask->dst_ip;
	value->src_port &= mask->src_port;
	value->dst_port &= mask->dst_port;
	value->vlan &= mask->vlan;
	value->flex &= mask->flex;
	value->pool &= mask->pool;
}

/* ixgbe_fdir_set_input_mask_82599(); asked only for the first rule of a table. */
static int check_mask(const struct fields *mask, struct nic_outcome *out)
{
	uint16_t vlan = ntohs(mask->vlan) & ~VLAN_DEI_MASK;

	if ((mask->pool & 0x7f) != 0 && (mask->pool & 0x7f) != 0x7f)
		return nic_refused(out, -EINVAL, "mask_vm_pool");
	if (!mask->type && (mask->src_port || mask->dst_port))
		return nic_refused(out, -EINVAL, "mask_ports_on_ip_any");
	if (vlan && vlan != VLAN_VID_MASK && vlan != VLAN_PRIO_MASK &&
	    vlan != (VLAN_VID_MASK | VLAN_PRIO_MASK))
		return nic_refused(out, -EINVAL, "mask_vlan_tci");
	if (mask->flex && mask->flex != 0xffff)
		return nic_refused(out, -EINVAL, "mask_flex_bytes");
	return 0;
}

/* What is kept of a rule, before its values are cut to the mask; false: it is of no flow type. */
static bool read_rule(const struct ethtool_rx_flow_spec *spec, struct rule *rule,
		      struct fields *mask)
{
	bool ext = spec->flow_type & FLOW_EXT;
	int type = flow_type(spec);

	if (type < 0)
		return false;
	rule->loc = spec->location;
	rule->action = spec->ring_cookie == SRIOV_COOKIE_DROP ? DROP_QUEUE : spec->ring_cookie;
	rule->value = fields_of(&spec->h_u, &spec->h_ext, ext);
	rule->value.type = type;
	*mask = fields_of(&spec->m_u, &spec->m_ext, ext);
	mask->type = type != ANY4;
	return true;
}

static int add(struct nic_model *model, const struct ethtool_rx_flow_spec *spec,
	       struct nic_outcome *out)
{
	struct ixgbe *x = ixgbe_of(model);
	struct rule rule = {.active = true};
	struct fields mask;
	int r;

	/* IXGBE_FLAG_FDIR_PERFECT_CAPABLE; DEL and GET do not ask */
	if (!model->device.ntuple)
		return nic_refused(out, -EOPNOTSUPP, "ntuple_off");
	r = target(x, spec->ring_cookie, &rule.queue, out);
	if (r)
		return r;
	if (spec->location >= table_size(model))
		return nic_refused(out, -EINVAL, "location_range");
	if (!read_rule(spec, &rule, &mask))
		return nic_refused(out, -EINVAL, "flow_type");
	if (model->n) {
		/* raw masks: 0xefff and 0xffff of a VLAN select the same and differ */
		if (memcmp(&mask, &x->mask, sizeof(mask)))
			return nic_refused(out, -EINVAL, "mask_conflict");
	} else {
		x->mask = mask;
		r = check_mask(&mask, out);
		if (r)
			return r;
	}
	apply_mask(&rule.value, &mask);
	if (model->hw_fail)
		return nic_refused(out, -EINVAL, "hw_timeout");
	nic_rules_put(model, &rule);
	*out = (struct nic_outcome){
		.has_hw = true, .queue = rule.queue, .drop = rule.queue == DROP_QUEUE};
	return 0;
}

/*
 * As ixgbe_fdir_filter_restore() puts a list into the hardware: rules whose target is no longer there
 * stay in the list only.
 */
static void adopt(struct nic_model *model, const struct ethtool_rx_flow_spec *spec)
{
	struct ixgbe *x = ixgbe_of(model);
	struct rule rule = {0};
	struct nic_outcome ignored;
	struct fields mask;

	if (!read_rule(spec, &rule, &mask))
		return;
	if (!model->n)
		x->mask = mask;
	apply_mask(&rule.value, &x->mask);
	rule.active = !target(x, spec->ring_cookie, &rule.queue, &ignored);
	nic_rules_put(model, &rule);
}

/* ixgbe_close() empties the list, and a change of the VF count closes a port that runs. */
static void event(struct nic_model *model, enum nic_event what, bool running)
{
	switch (what) {
	case NIC_EVENT_DOWN:
		model->n = 0;
		break;
	case NIC_EVENT_VFS:
		if (running)
			model->n = 0;
		break;
	case NIC_EVENT_NTUPLE_OFF:
	case NIC_EVENT_NTUPLE_ON:
		model->device.ntuple = what == NIC_EVENT_NTUPLE_ON;
		break;
	}
}

static int del(struct nic_model *model, uint16_t loc, struct nic_outcome *out)
{
	size_t i = nic_rules_find(model, loc);

	if (i == model->n || ((struct rule *)nic_rules_at(model, i))->loc != loc)
		return nic_refused(out, -EINVAL, "no_such_rule");
	/* ixgbe_update_ethtool_fdir_entry() forgets the rule also if the hardware does not answer */
	nic_rules_remove(model, i);
	return model->hw_fail ? nic_refused(out, -EIO, "hw_timeout") : 0;
}

static void env(struct nic_model *model, enum nic_env what, uint64_t v)
{
	model->device.ntuple = v;
}

/* ixgbe_get_ethtool_fdir_entry(): the port's mask, and a rule's own words are lost. */
static void get(const struct nic_model *model, const struct nic_rule *head,
		struct ethtool_rx_flow_spec *out)
{
	static const uint32_t types[] = {[ANY4] = IP_USER_FLOW,
					 [UDP4] = UDP_V4_FLOW,
					 [TCP4] = TCP_V4_FLOW,
					 [SCTP4] = SCTP_V4_FLOW};
	const struct rule *rule = (const struct rule *)head;
	const struct fields *mask = &((const struct ixgbe *)model)->mask;

	out->flow_type = types[rule->value.type] | FLOW_EXT;
	if (rule->value.type == ANY4)
		out->h_u.usr_ip4_spec.ip_ver = ETH_RX_NFC_IP4;
	out->h_u.tcp_ip4_spec.ip4src = rule->value.src_ip;
	out->m_u.tcp_ip4_spec.ip4src = mask->src_ip;
	out->h_u.tcp_ip4_spec.ip4dst = rule->value.dst_ip;
	out->m_u.tcp_ip4_spec.ip4dst = mask->dst_ip;
	out->h_u.tcp_ip4_spec.psrc = rule->value.src_port;
	out->m_u.tcp_ip4_spec.psrc = mask->src_port;
	out->h_u.tcp_ip4_spec.pdst = rule->value.dst_port;
	out->m_u.tcp_ip4_spec.pdst = mask->dst_port;
	out->h_ext.vlan_tci = rule->value.vlan;
	out->m_ext.vlan_tci = mask->vlan;
	out->h_ext.vlan_etype = rule->value.flex;
	out->m_ext.vlan_etype = mask->flex;
	out->h_ext.data[1] = htonl(rule->value.pool);
	out->m_ext.data[1] = htonl(mask->pool);
	/* so does a cookie of just 127 read back as a drop */
	out->ring_cookie = rule->action == DROP_QUEUE ? SRIOV_COOKIE_DROP : rule->action;
}

/* Which function of the port an absolute queue belongs to. */
static void locate(const struct ixgbe *x, unsigned queue, struct nic_hit *hit)
{
	unsigned vfs = x->base.device.num_vfs;
	unsigned ring = 0;

	hit->vf = -1;
	if (x->stride && queue / x->stride < vfs) {
		hit->vf = queue / x->stride;
		hit->queue = queue % x->stride;
		return;
	}
	while (ring < x->rings && x->ring[ring] != queue)
		ring++;
	/* a queue of the PF's pools without a ring of its own is counted from the first */
	hit->queue = ring < x->rings ? ring : queue - vfs * x->stride;
}

static struct fields fields_of_packet(const struct ixgbe *x, const struct nic_packet *p)
{
	bool l4 = p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP || p->proto == IPPROTO_SCTP;
	struct fields f = {
		.vlan = htons(p->tagged ? p->tci : 0),
		/* flexible bytes: the two at offset 12 of the frame (FDIRCTRL.FLEX, 6 words) */
		.flex = htons(p->tagged ? ETH_P_8021Q : p->ethertype),
		.pool = p->vf < 0 ? x->base.device.num_vfs : (unsigned)p->vf,
		.type = ANY4,
	};

	memcpy(&f.src_ip, p->src_ip, sizeof(f.src_ip));
	memcpy(&f.dst_ip, p->dst_ip, sizeof(f.dst_ip));
	if (!l4 || p->fragment)
		return f;
	f.type = p->proto == IPPROTO_TCP ? TCP4 : p->proto == IPPROTO_UDP ? UDP4 : SCTP4;
	f.src_port = htons(p->src_port);
	f.dst_port = htons(p->dst_port);
	return f;
}

/*
 * What the mask selects in hardware: the tag without its DEI bit, the pool only where there are pools, and
 * the ports of SCTP only on the X550 family, which alone has a mask register for them.
 */
static struct fields hardware_mask(const struct ixgbe *x, unsigned type)
{
	struct fields mask = x->mask;

	mask.vlan &= ~htons(VLAN_DEI_MASK);
	mask.pool = x->stride ? mask.pool & 0x3f : 0;
	if (type == SCTP4 && x->base.device.mac < NIC_X550)
		mask.src_port = mask.dst_port = 0;
	return mask;
}

static bool match(const struct nic_model *model, const struct nic_packet *packet,
		  struct nic_hit *out)
{
	const struct ixgbe *x = (const struct ixgbe *)model;
	struct fields fields = fields_of_packet(x, packet);
	struct fields mask = hardware_mask(x, fields.type);
	unsigned type = fields.type;

	/* MRQC.L3L4TXSWEN, which has packets between functions classified, begins with the X550 */
	if (!model->device.ntuple || packet->ethertype != ETH_P_IP ||
	    (packet->switched && model->device.mac < NIC_X550))
		return false;
	apply_mask(&fields, &mask);
	for (size_t i = 0; i < model->n; i++) {
		const struct rule *rule = nic_rules_at(model, i);
		struct fields value = rule->value;

		apply_mask(&value, &mask);
		value.type = fields.type = 0;
		if (!rule->active || (mask.type && rule->value.type != type) ||
		    memcmp(&value, &fields, sizeof(value)))
			continue;
		*out = (struct nic_hit){
			.loc = rule->loc, .drop = rule->queue == DROP_QUEUE, .vf = -1};
		if (!out->drop)
			locate(x, rule->queue, out);
		return true;
	}
	return false;
}

const struct nic_driver nic_replay_ixgbe = {
	.model_size = sizeof(struct ixgbe),
	.rule_size = sizeof(struct rule),
	.envs = 1u << NIC_ENV_NTUPLE,
	.start = start,
	.table_size = table_size,
	.add = add,
	.del = del,
	.env = env,
	.get = get,
	.event = event,
	.adopt = adopt,
	.match = match,
};
