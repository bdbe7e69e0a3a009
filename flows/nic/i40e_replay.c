/* SPDX-License-Identifier: Apache-2.0 */
/*
 * i40e's rules: X710, XL710, XXV710, X722. From i40e_ethtool.c, i40e_txrx.c and i40e_main.c of Linux 6.1
 * and 6.12. Functions named in comments are the driver's.
 */
#include "flows/nic/i40e_model.h"
#include "flows/words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#define I40E_VSI_PF 390
#define I40E_VSI_VF 400 /* + index */
#define HEAD_ROOM 32    /* I40E_FDIR_BUFFER_HEAD_ROOM */
#define HEAD_ROOM_ATR (4 * HEAD_ROOM)

static struct i40e *i40e_of(struct nic_model *model)
{
	return (struct i40e *)model;
}

static void start(struct nic_model *model)
{
	i40e_input_sets_default(i40e_of(model));
}

static uint32_t table_size(const struct nic_model *model)
{
	return model->device.guaranteed + model->device.best_effort;
}

static bool is_v6(enum i40e_type type)
{
	return type >= I40E_TCP6 && type <= I40E_IP6;
}

/* The checks that INS and DEL share. */
static int check_busy(const struct i40e *nic, struct nic_outcome *out)
{
	if (nic->reset_pending || nic->reset_received)
		return nic_refused(out, -EBUSY, "reset_busy");
	if (nic->flush_requested)
		return nic_refused(out, -EBUSY, "flush_busy");
	return 0;
}

/* Queue and VSI of a cookie. A drop goes to VSI 0. */
static void set_target(uint64_t cookie, struct i40e_rule *rule)
{
	unsigned vf = COOKIE_VF(cookie);

	if (cookie == SRIOV_COOKIE_DROP) {
		rule->drop = true;
		return;
	}
	rule->queue = COOKIE_QUEUE(cookie);
	rule->vsi = vf ? I40E_VSI_VF + vf - 1 : I40E_VSI_PF;
}

static int check_target(const struct nic_device *d, uint64_t cookie, struct nic_outcome *out)
{
	uint32_t queue = COOKIE_QUEUE(cookie);
	unsigned vf = COOKIE_VF(cookie);

	if (cookie == SRIOV_COOKIE_DROP)
		return 0;
	if (!vf && queue >= d->pf_queues)
		return nic_refused(out, -EINVAL, "pf_queue_range");
	if (vf > d->num_vfs)
		return nic_refused(out, -EINVAL, "vf_range");
	if (vf && queue >= d->vf_queues[vf - 1])
		return nic_refused(out, -EINVAL, "vf_queue_range");
	return 0;
}

/* What i40e_add_fdir_ethtool() keeps of a rule: values as given, and no masks. */
static void fill(struct i40e_rule *rule, const struct ethtool_rx_flow_spec *spec)
{
	rule->loc = spec->location;
	rule->flow = spec->flow_type & ~FLOW_EXT;
	set_target(spec->ring_cookie, rule);
	/* also without FLOW_EXT */
	rule->vlan_etype = spec->h_ext.vlan_etype;
	if (!spec->m_ext.vlan_etype && spec->h_ext.vlan_tci)
		rule->vlan_etype = htons(ETH_P_8021Q);
	if (spec->m_ext.vlan_tci && rule->vlan_etype)
		rule->vlan = spec->h_ext.vlan_tci;
	if (is_v6(i40e_type_of(rule->flow))) {
		memcpy(rule->addr, &spec->h_u, sizeof(rule->addr));
		rule->proto = spec->h_u.usr_ip6_spec.l4_proto;
		rule->src_port = spec->h_u.tcp_ip6_spec.psrc;
		rule->dst_port = spec->h_u.tcp_ip6_spec.pdst;
	} else {
		rule->addr[0] = spec->h_u.tcp_ip4_spec.ip4src;
		rule->addr[1] = spec->h_u.tcp_ip4_spec.ip4dst;
		rule->proto = spec->h_u.usr_ip4_spec.proto;
		rule->src_port = spec->h_u.tcp_ip4_spec.psrc;
		rule->dst_port = spec->h_u.tcp_ip4_spec.pdst;
	}
}

/*
 * i40e_match_fdir_filter(): raw values, whatever their masks; flex word and target do not count. Of
 * IPv6 it compares the two words that overlay IPv4's addresses: the upper half of the source.
 */
static bool same_match(const struct i40e_rule *a, const struct i40e_rule *b)
{
	return a->addr[0] == b->addr[0] && a->addr[1] == b->addr[1] && a->src_port == b->src_port &&
	       a->dst_port == b->dst_port && a->flow == b->flow && a->proto == b->proto &&
	       a->vlan == b->vlan && a->vlan_etype == b->vlan_etype;
}

/* i40e_disallow_matching_filters(); what stands at the same location is replaced anyway. */
static bool is_duplicate(const struct i40e *nic, const struct i40e_rule *rule)
{
	for (size_t i = 0; i < nic->base.n; i++) {
		const struct i40e_rule *other = nic_rules_at(&nic->base, i);

		if (other->loc != rule->loc && same_match(other, rule))
			return true;
	}
	return false;
}

/*
 * i40e_add_del_fdir(): the type that a rule is programmed and counted as. An ip4 rule with a
 * protocol is one of tcp4, udp4 or sctp4, though ip4's input set was checked.
 */
enum i40e_type i40e_programmed_type(const struct i40e_rule *rule)
{
	enum i40e_type type = i40e_type_of(rule->flow), tcp = is_v6(type) ? I40E_TCP6 : I40E_TCP4;

	if (type != I40E_IP4 && type != I40E_IP6)
		return type;
	switch (rule->proto) {
	case IPPROTO_IP:
		return type;
	case IPPROTO_TCP:
		return tcp;
	case IPPROTO_UDP:
		return tcp + I40E_UDP4 - I40E_TCP4;
	case IPPROTO_SCTP:
		return tcp + I40E_SCTP4 - I40E_TCP4;
	default:
		return I40E_TYPES;
	}
}

/* Takes a rule out of the list; one that the hardware does not let go of stays in the count. */
static void forget(struct i40e *nic, size_t i)
{
	const struct i40e_rule *rule = nic_rules_at(&nic->base, i);

	if (!nic->base.hw_fail)
		nic->count[rule->type]--;
	nic_rules_remove(&nic->base, i);
}

static size_t position(const struct i40e *nic, uint32_t loc)
{
	return nic_rules_get(&nic->base, loc) ? nic_rules_find(&nic->base, loc) : SIZE_MAX;
}

static void program(struct i40e *nic, const struct i40e_rule *rule)
{
	nic->count[rule->type]++;
	if (rule->type == I40E_TCP4 || rule->type == I40E_TCP6)
		nic->atr_disabled = true;
}

static int add(struct nic_model *model, const struct ethtool_rx_flow_spec *spec,
	       struct nic_outcome *out)
{
	struct i40e *nic = i40e_of(model);
	struct i40e_rule rule = {0};
	size_t old;
	int r;

	if (!model->device.ntuple)
		return nic_refused(out, -EOPNOTSUPP, "ntuple_off");
	if (nic->sb_disabled)
		return nic_refused(out, -ENOSPC, "table_full");
	r = check_busy(nic, out);
	if (!r)
		r = i40e_parse_flex(spec, &rule.flex, out);
	if (!r && spec->flow_type & FLOW_MAC_EXT)
		r = nic_refused(out, -EINVAL, "mac_ext");
	/* from here on input sets and flex offsets have changed, also if the rule is refused */
	if (!r)
		r = i40e_input_set(nic, spec, &rule.flex, out);
	if (!r && spec->location >= table_size(model))
		r = nic_refused(out, -EINVAL, "location_range");
	if (!r)
		r = check_target(&model->device, spec->ring_cookie, out);
	if (r)
		return r;
	fill(&rule, spec);
	if (is_duplicate(nic, &rule))
		return nic_refused(out, -EINVAL, "duplicate");
	/* the old rule goes before the new one is tried, and stays away if that fails */
	old = position(nic, rule.loc);
	if (old != SIZE_MAX)
		forget(nic, old);
	rule.type = i40e_programmed_type(&rule);
	if (rule.type == I40E_TYPES)
		return nic_refused(out, -EINVAL,
				   rule.flow == IP_USER_FLOW ? "ip4_proto_value"
							     : "ip6_proto_value");
	if (model->hw_fail)
		return nic_refused(out, -EOPNOTSUPP, "send_failed");
	program(nic, &rule);
	nic_rules_put(model, &rule);
	*out = (struct nic_outcome){
		.has_hw = true, .queue = rule.queue, .drop = rule.drop, .vsi = rule.vsi};
	return 0;
}

/* A VF target keeps the VSI that it had, also if the VF is gone. */
static void adopt(struct nic_model *model, const struct ethtool_rx_flow_spec *spec)
{
	struct i40e *nic = i40e_of(model);
	struct i40e_rule rule = {0};
	struct nic_outcome ignored;

	i40e_parse_flex(spec, &rule.flex, &ignored);
	i40e_input_set(nic, spec, &rule.flex, &ignored);
	fill(&rule, spec);
	rule.type = i40e_programmed_type(&rule);
	if (rule.type == I40E_TYPES)
		return;
	program(nic, &rule);
	nic_rules_put(model, &rule);
}

/* i40e_delete_invalid_filter(); of a sctp6 rule it decrements udp6's count. */
static void forget_invalid(struct i40e *nic, size_t i)
{
	const struct i40e_rule *rule = nic_rules_at(&nic->base, i);

	nic->fd_inv = 0;
	nic->count[rule->flow == SCTP_V6_FLOW ? I40E_UDP6 : rule->type]--;
	nic_rules_remove(&nic->base, i);
}

/* i40e_get_global_fd_count(): GLQF_FDCNT_0 has two counts of 13 bits. */
static uint32_t hw_count(const struct i40e *nic)
{
	uint32_t reg = nic->base.device.hw_fd_count;

	return (reg & 0x1fff) + (reg >> 13 & 0x1fff);
}

/* i40e_fdir_check_and_reenable(), by the service task and at every DEL. */
static void check_and_reenable(struct i40e *nic)
{
	/* unsigned as in the driver: without a guaranteed part there is always room */
	uint32_t guaranteed = nic->base.device.guaranteed, count = hw_count(nic);
	size_t i;

	if (nic->flush_requested)
		return;
	if (count < guaranteed - HEAD_ROOM || !nic->fd_add_err)
		nic->sb_disabled = false;
	if (count < guaranteed - HEAD_ROOM_ATR && !nic->count[I40E_TCP4] &&
	    !nic->count[I40E_TCP6] && nic->atr_disabled) {
		/* i40e_reenable_fdir_atr(): ATR needs tcp4's default input set */
		nic->atr_disabled = false;
		nic->inset[I40E_TCP4] = I40E_IP4_SRC | I40E_IP4_DST | I40E_L4_SRC | I40E_L4_DST;
	}
	if (!nic->fd_inv)
		return;
	i = position(nic, nic->fd_inv);
	if (i != SIZE_MAX)
		forget_invalid(nic, i);
}

static int del(struct nic_model *model, uint16_t loc, struct nic_outcome *out)
{
	struct i40e *nic = i40e_of(model);
	size_t i;
	int r = check_busy(nic, out);

	if (r)
		return r;
	i = position(nic, loc);
	if (i == SIZE_MAX)
		r = nic_refused(out, -EINVAL, "no_such_rule");
	else
		forget(nic, i);
	if (i != SIZE_MAX && model->hw_fail)
		r = nic_refused(out, -EOPNOTSUPP, "send_failed");
	/* also if nothing was deleted */
	i40e_prune_flex(nic);
	check_and_reenable(nic);
	return r;
}

/* i40e_set_ntuple(): i40e_fdir_filter_exit() runs only if it was on. */
static void ntuple_off(struct i40e *nic)
{
	if (nic->base.device.ntuple) {
		nic->base.n = 0;
		memset(nic->count, 0, sizeof(nic->count));
		i40e_input_sets_default(nic);
	}
	nic->sb_disabled = nic->atr_disabled = false;
	nic->fd_add_err = 0;
	nic->base.device.ntuple = false;
}

/*
 * The FDIR VSI comes up after a reset of the PF: i40e_up_complete() counts anew and
 * i40e_fdir_filter_restore() programs the list; input sets stay, and targets are not looked at.
 */
static void replay_list(struct i40e *nic)
{
	nic->fd_add_err = 0;
	if (!nic->base.device.ntuple)
		return;
	memset(nic->count, 0, sizeof(nic->count));
	for (size_t i = 0; i < nic->base.n; i++)
		program(nic, nic_rules_at(&nic->base, i));
}

/* Down leaves list and hardware alone. */
static void event(struct nic_model *model, enum nic_event what, bool running)
{
	struct i40e *nic = i40e_of(model);

	if (what == NIC_EVENT_DOWN)
		return;
	if (what == NIC_EVENT_NTUPLE_OFF)
		ntuple_off(nic);
	else if (what == NIC_EVENT_NTUPLE_ON)
		model->device.ntuple = true;
	replay_list(nic);
}

static void env(struct nic_model *model, enum nic_env what, uint64_t v)
{
	struct i40e *nic = i40e_of(model);

	switch (what) {
	case NIC_ENV_NTUPLE:
		model->device.ntuple = v;
		break;
	case NIC_ENV_NTUPLE_CYCLE:
		/* the rules go, also those that NIC_ENV_NTUPLE, which is the flag alone, has left */
		model->device.ntuple = true;
		ntuple_off(nic);
		model->device.ntuple = true;
		break;
	case NIC_ENV_RESET_RECOVERY_PENDING:
		nic->reset_pending = v;
		break;
	case NIC_ENV_RESET_INTR_RECEIVED:
		nic->reset_received = v;
		break;
	case NIC_ENV_FD_FLUSH_REQUESTED:
		nic->flush_requested = v;
		break;
	case NIC_ENV_FD_SB_AUTO_DISABLED:
		nic->sb_disabled = v;
		break;
	case NIC_ENV_HW_FD_COUNT:
		model->device.hw_fd_count = v;
		break;
	case NIC_ENV_FD_ADD_ERR:
		nic->fd_add_err = v;
		break;
	case NIC_ENV_FD_INV:
		nic->fd_inv = v;
		break;
	case NIC_ENV_SERVICE_TASK:
		/* a requested flush waits until 10 s after the last one: time is not modelled */
		check_and_reenable(nic);
		break;
	case NIC_ENV_MFP:
		model->device.mfp = v;
		break;
	default:
		break;
	}
}

static void get_masks(struct ethtool_rx_flow_spec *out, uint64_t set)
{
	if (set & I40E_IP6_SRC)
		memset(&out->m_u.tcp_ip6_spec.ip6src, 0xff, 16);
	if (set & I40E_IP6_DST)
		memset(&out->m_u.tcp_ip6_spec.ip6dst, 0xff, 16);
	if (set & I40E_IP4_SRC)
		out->m_u.tcp_ip4_spec.ip4src = ~0u;
	if (set & I40E_IP4_DST)
		out->m_u.tcp_ip4_spec.ip4dst = ~0u;
	if (set & I40E_L4_SRC)
		out->m_u.tcp_ip4_spec.psrc = 0xffff;
	if (set & I40E_L4_DST)
		out->m_u.tcp_ip4_spec.pdst = 0xffff;
}

/*
 * i40e_get_ethtool_fdir_entry(). Masks come from the input set as it is now, and IPv4's are tested by bits
 * that IPv6 has too, and IPv6's ports are written where IPv4's are: masks are wrong for both.
 */
static void get(const struct nic_model *model, const struct nic_rule *head,
		struct ethtool_rx_flow_spec *out)
{
	const struct i40e_rule *rule = (const struct i40e_rule *)head;
	const struct i40e *nic = (const struct i40e *)model;
	enum i40e_type type = i40e_type_of(rule->flow);

	out->flow_type = rule->flow;
	if (is_v6(type)) {
		memcpy(&out->h_u, rule->addr, sizeof(rule->addr));
		out->h_u.tcp_ip6_spec.psrc = rule->src_port;
		out->h_u.tcp_ip6_spec.pdst = rule->dst_port;
	} else {
		out->h_u.tcp_ip4_spec.ip4src = rule->addr[0];
		out->h_u.tcp_ip4_spec.ip4dst = rule->addr[1];
		out->h_u.tcp_ip4_spec.psrc = rule->src_port;
		out->h_u.tcp_ip4_spec.pdst = rule->dst_port;
	}
	if (type == I40E_IP4)
		out->h_u.usr_ip4_spec.ip_ver = ETH_RX_NFC_IP4;
	get_masks(out, nic->inset[type]);
	out->ring_cookie = rule->drop ? SRIOV_COOKIE_DROP : rule->queue;
	if (rule->vlan) {
		out->flow_type |= FLOW_EXT;
		out->h_ext.vlan_etype = rule->vlan_etype;
		out->h_ext.vlan_tci = rule->vlan;
		out->m_ext.vlan_etype = out->m_ext.vlan_tci = 0xffff;
	}
	if (rule->vsi >= I40E_VSI_VF && (unsigned)rule->vsi - I40E_VSI_VF < model->device.num_vfs)
		out->ring_cookie |= (uint64_t)(rule->vsi - I40E_VSI_VF + 1) << COOKIE_VF_SHIFT;
	if (rule->flex.on) {
		out->flow_type |= FLOW_EXT;
		out->h_ext.data[1] = htonl((uint32_t)rule->flex.offset << 16 | rule->flex.word);
		out->m_ext.data[1] = ~0u;
	}
}

const struct nic_driver nic_replay_i40e = {
	.model_size = sizeof(struct i40e),
	.rule_size = sizeof(struct i40e_rule),
	.envs = (1u << NIC_ENVS) - 1,
	.start = start,
	.table_size = table_size,
	.add = add,
	.del = del,
	.env = env,
	.get = get,
	.event = event,
	.adopt = adopt,
	.save = i40e_save,
	.restore = i40e_restore,
	.match = i40e_match,
};
