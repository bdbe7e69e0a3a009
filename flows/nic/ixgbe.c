/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ixgbe: 82599, X540, X550. Facts from ixgbe_ethtool.c, ixgbe_82599.c, ixgbe_lib.c and
 * ixgbe_sriov.c of Linux 6.1 and 6.12, which answer alike; none from silicon.
 */
#include "flows/nic/ixgbe.h"
#include "flows/nic/profile.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define VLAN_8021Q 0x8100
#define POOL_MASK 0x7f /* ixgbe_fdir_set_input_mask_82599(): all of these bits or none */

/* The one part of the flow type that is in the port's mask: has L4 or not. */
enum { CLASS_IP, CLASS_L4, CLASS_NONE };

/* IP_USER becomes a TCP, UDP or SCTP filter by the value of its protocol, whatever its mask. */
static unsigned flow_class(const struct sriov_entry *e)
{
	if (e->type != SRIOV_FLOW_IP4)
		return CLASS_L4;
	switch (e->value.proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		return CLASS_L4;
	case 0:
		return e->mask.proto ? CLASS_NONE : CLASS_IP;
	default:
		return CLASS_NONE;
	}
}

/*
 * What ixgbe_add_ethtool_fdir_entry() compares: one mask for all rules of a port, before
 * normalising.
 */
struct port_mask {
	uint32_t class, src_ip, dst_ip, ports, vlan, flex, pool;
};

static struct port_mask port_mask(const struct sriov_entry *e)
{
	struct port_mask mask = {.class = flow_class(e)};

	memcpy(&mask.src_ip, e->mask.src_ip, sizeof(mask.src_ip));
	memcpy(&mask.dst_ip, e->mask.dst_ip, sizeof(mask.dst_ip));
	/* l4_4_bytes lies where both ports are */
	mask.ports = e->type == SRIOV_FLOW_IP4
			     ? e->mask.l4_bytes
			     : (uint32_t)e->mask.src_port << 16 | e->mask.dst_port;
	if (e->ext) {
		mask.vlan = e->mask.vlan_tci;
		mask.flex = e->mask.vlan_etype;
		mask.pool = e->mask.user_def & 0xff;
	}
	return mask;
}

static bool check_target(const struct nic_case *c, struct nic_verdict *v)
{
	const struct sriov_pf *port = c->port;
	const struct sriov_entry *e = c->entry;
	unsigned vf = COOKIE_VF(e->cookie), queue = COOKIE_QUEUE(e->cookie);

	if (e->cookie == SRIOV_COOKIE_DROP)
		return true;
	if (!vf)
		return nic_check_queue(c, v);
	if (!port->vfs)
		return nic_refuse(v, -EINVAL, "no such VF", "VF %u does not exist: %s has no VFs",
				  vf - 1, nic_port_name(port));
	if (vf > port->vfs)
		return nic_refuse(v, -EINVAL, "no such VF",
				  "VF %u does not exist: %s has %u, the last is %u", vf - 1,
				  nic_port_name(port), port->vfs, port->vfs - 1);
	if (!port->queues || queue < port->queues)
		return true;
	nic_refuse(v, -EINVAL, "the VF has no such queue for a rule",
		   "queue %u of VF %u cannot be reached: ixgbe takes the PF's number of rings (%u) "
		   "for the queues of a VF (the hardware has %u for each)",
		   queue, vf - 1, port->queues, pool_stride(port));
	if (port->queues < pool_stride(port) && queue < pool_stride(port))
		return nic_hint(v,
				"ethtool -L %s combined %u (needs as many CPUs) makes them equal",
				nic_port_name(port), pool_stride(port));
	return false;
}

static bool check_class(const struct nic_case *c, struct nic_verdict *v)
{
	if (!nic_check_type(c, v))
		return false;
	if (flow_class(c->entry) != CLASS_NONE)
		return true;
	nic_refuse(v, -EINVAL, "the driver cannot match this IP protocol",
		   "ixgbe cannot match l4proto %u", c->entry->value.proto);
	return nic_hint(
		v, "it has flow types tcp4, udp4 and sctp4, and ip4 for every protocol at once");
}

/* ixgbe_fdir_set_input_mask_82599(), called for the first rule of a port. */
static bool check_first_mask(const struct sriov_entry *e, struct nic_verdict *v)
{
	struct port_mask mask = port_mask(e);
	uint16_t tci = mask.vlan & ~VLAN_DEI_MASK;

	if (mask.pool & POOL_MASK && (mask.pool & POOL_MASK) != POOL_MASK)
		return nic_refuse(
			v, -EINVAL, "the pool number can only be matched whole",
			"ixgbe matches the pool number in user-def whole (m 0x…ff80) or not at "
			"all");
	if (mask.class == CLASS_IP && mask.ports)
		return nic_refuse(v, -EINVAL, "ip4 rules cannot match l4data",
				  "ixgbe cannot match 'l4data' of flow type ip4");
	if (tci && tci != VLAN_VID_MASK && tci != VLAN_PRIO_MASK &&
	    tci != (VLAN_VID_MASK | VLAN_PRIO_MASK)) {
		nic_refuse(v, -EINVAL, "the VLAN can only be matched by ID, priority or both",
			   "ixgbe matches the VLAN ID, the priority, or both, but no other bits");
		return nic_hint(v, "`vid N`, `prio P`, or both");
	}
	if (mask.flex && mask.flex != 0xffff)
		return nic_refuse(v, -EINVAL, "vlan-etype can only be matched whole",
				  "ixgbe matches 'vlan-etype' whole or not at all");
	return true;
}

static bool check_mask(const struct nic_case *c, struct nic_verdict *v)
{
	const struct sriov_entry *e = c->entry, *first = c->table->at;
	struct port_mask mask = port_mask(e), other;
	char theirs[160], ours[160];
	struct text text = {.at = theirs, .size = sizeof(theirs)};

	if (!c->table->n)
		return check_first_mask(e, v);
	other = port_mask(first);
	if (!memcmp(&mask, &other, sizeof(mask)))
		return true;
	mask_print(&text, first->type, &first->mask, first->ext);
	text = (struct text){.at = ours, .size = sizeof(ours)};
	mask_print(&text, e->type, &e->mask, e->ext);
	nic_refuse(
		v, -EINVAL, "only one mask per port",
		"an 82599-family port has one mask for all its rules: its rules match %s%s, this "
		"one %s%s",
		other.class == CLASS_IP ? "ip4 by " : "", theirs,
		mask.class == CLASS_IP ? "ip4 by " : "", ours);
	v->other = 0;
	return nic_hint(v, "match the same fields with the same masks%s, or delete %s first",
			other.class == mask.class ? ""
			: other.class == CLASS_IP ? " with flow type ip4"
						  : " with flow type tcp4, udp4 or sctp4",
			c->table->owner[0] < 0 ? "the port's rules" : "the rules before it");
}

/* A filter of ip4 with the number of a known protocol is one for unfragmented packets. */
static void lower_protocol(struct sriov_entry *e, struct nic_verdict *v)
{
	static const enum sriov_flow_type types[] = {[IPPROTO_TCP] = SRIOV_FLOW_TCP4,
						     [IPPROTO_UDP] = SRIOV_FLOW_UDP4,
						     [IPPROTO_SCTP] = SRIOV_FLOW_SCTP4};
	uint8_t proto = e->value.proto;

	if (e->type != SRIOV_FLOW_IP4 || flow_class(e) != CLASS_L4)
		return;
	nic_deviate(v, SRIOV_NARROWER, "fragments would be left out",
		    "ixgbe makes 'ip4 l4proto %u' a filter for unfragmented packets only, whatever "
		    "the mask",
		    proto);
	nic_hint(v, "flow-type %s says exactly that", sriov_flow_type_word(types[proto]));
	e->type = types[proto];
	e->value.src_port = e->value.l4_bytes >> 16;
	e->value.dst_port = e->value.l4_bytes;
	e->mask.src_port = e->mask.l4_bytes >> 16;
	e->mask.dst_port = e->mask.l4_bytes;
}

/* mask & 0xEFFF in ixgbe_fdir_set_input_mask_82599() */
static void lower_vlan(struct sriov_entry *e, struct nic_verdict *v)
{
	uint16_t tci = e->value.vlan_tci;

	if (!(e->mask.vlan_tci & VLAN_DEI_MASK))
		return;
	nic_deviate(v, SRIOV_BROADER, "the DEI bit is not looked at",
		    "'vlan' is all 16 bits of the tag, and ixgbe does not look at bit 12 (DEI): "
		    "the rule would catch more packets than it says");
	nic_hint(v,
		 "`vid %u` for that VLAN at any priority, `vid %u prio %u` for that priority only",
		 tci & VLAN_VID_MASK, tci & VLAN_VID_MASK, tci >> VLAN_PRIO_SHIFT);
	e->mask.vlan_tci &= ~VLAN_DEI_MASK;
	e->value.vlan_tci &= ~VLAN_DEI_MASK;
}

/* A packet without a tag has tag 0 for the filter; the type of the tag tells them apart. */
static void lower_untagged(const struct sriov_entry *e, struct nic_verdict *v)
{
	if (!e->mask.vlan_tci || e->value.vlan_tci || e->mask.vlan_etype)
		return;
	nic_deviate(
		v, SRIOV_BROADER, "packets without a tag count as tag 0",
		"ixgbe compares a packet without a VLAN tag as if its tag were 0: the rule would "
		"catch those too");
	nic_hint(v, "`vlan-etype 0x8100` besides matches packets with a tag only");
}

static void lower_pool(const struct nic_case *c, struct sriov_entry *e, struct nic_verdict *v)
{
	if (!(e->mask.user_def & ~UINT64_C(0xff)))
		return;
	nic_deviate(v, SRIOV_BROADER, "user-def bits above 7 are ignored",
		    "ixgbe looks only at the low 7 bits of 'user-def' (the pool: VF index, or %u "
		    "for the PF) and ignores the rest",
		    c->port->vfs);
	nic_hint(v, "user-def %u m 0xffffffffffffff80", (unsigned)e->value.user_def & POOL_MASK);
	e->mask.user_def &= POOL_MASK;
	e->value.user_def &= POOL_MASK;
}

static size_t lower(const struct nic_case *c, struct sriov_entry *out, struct nic_verdict *v)
{
	*out = *c->entry;
	nic_clear_ignored(c->profile, out, v);
	lower_protocol(out, v);
	lower_vlan(out, v);
	lower_untagged(out, v);
	lower_pool(c, out, v);
	return 1;
}

/* ixgbe_fdir_set_input_mask_82599(): any bits of addresses and ports, the rest in parts. */
static bool widen(enum sriov_flow_type type, struct sriov_match *mask)
{
	static const uint16_t parts[] = {VLAN_VID_MASK, VLAN_PRIO_MASK};

	if (mask->tos || mask->proto || mask->l4_bytes || mask->vlan_tci & VLAN_DEI_MASK ||
	    mask->user_def > 0xff)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (mask->vlan_tci & parts[i])
			mask->vlan_tci |= parts[i];
	if (mask->vlan_etype)
		mask->vlan_etype = 0xffff;
	if (mask->user_def)
		mask->user_def |= POOL_MASK;
	return true;
}

static bool hazard_vlan_etype(const struct nic_case *c, struct nic_verdict *v)
{
	const struct sriov_entry *e = c->entry;

	if (e->mask.vlan_etype != 0xffff || e->value.vlan_etype == VLAN_8021Q)
		return true;
	/* flexible bytes at offset 12 of the packet */
	return nic_refuse(
		v, 0, "vlan-etype other than 0x8100",
		"ixgbe compares 'vlan-etype' with the two bytes behind the MAC addresses, which "
		"for VLANs of the port are 0x8100 and never 0x%x",
		e->value.vlan_etype);
}

/*
 * user-def is a match on the pool that the switch has chosen: a VF's index, or the number of VFs
 * for the PF.
 */
static bool hazard_pool(const struct nic_case *c, struct nic_verdict *v)
{
	const struct sriov_pf *port = c->port;
	uint64_t pool = c->entry->value.user_def;

	if (!c->entry->mask.user_def)
		return true;
	if (!port->vfs)
		return nic_refuse(
			v, 0, "there are no pools without VFs",
			"ixgbe matches 'user-def' with the pool of the packet, and without VFs "
			"%s has no pools",
			nic_port_name(port));
	if (pool > port->vfs)
		return nic_refuse(
			v, 0, "no such pool",
			"pool %u in 'user-def' does not exist: %s has VFs 0 to %u, and %u is the "
			"PF",
			(unsigned)pool, nic_port_name(port), port->vfs - 1, port->vfs);
	return true;
}

static bool hazard_sctp_ports(const struct nic_case *c, struct nic_verdict *v)
{
	const struct sriov_entry *e = c->entry;

	if (e->type != SRIOV_FLOW_SCTP4 || (!e->mask.src_port && !e->mask.dst_port) ||
	    is_x550(c->port->device))
		return true;
	nic_refuse(
		v, 0, "SCTP ports are not looked at",
		"82599 and X540 cannot match SCTP ports (the mask register FDIRSCTPM begins with "
		"X550); the driver accepts the rule all the same");
	return nic_hint(v, "match sctp4 by address only");
}

static bool hazard_drop_queue(const struct nic_case *c, struct nic_verdict *v)
{
	const struct sriov_pf *port = c->port;
	uint64_t cookie = c->entry->cookie;
	unsigned queue = COOKIE_QUEUE(cookie);

	if (cookie == SRIOV_COOKIE_DROP || COOKIE_VF(cookie) || !port->vfs ||
	    port->vfs * pool_stride(port) + queue != DROP_QUEUE)
		return true;
	nic_refuse(v, 0, "this queue is the one that drops",
		   "with %u VFs queue %u of the PF is queue %u of the hardware, and ixgbe takes "
		   "that number for \"drop\": the packets would be lost",
		   port->vfs, queue, DROP_QUEUE);
	return nic_hint(v, "another queue of the PF; or `drop`, if that is meant");
}

/*
 * ixgbe_add_ethtool_fdir_entry() sends a rule for a VF to queue (vf - 1) * num_rx_queues_per_pool +
 * ring, vf counted from 1; the VF's queues begin at VF index * hardware stride (ixgbe_sriov.c).
 * Where the PF has fewer rings in its pool than the hardware reserves, that is a queue of another
 * VF. Measured in a lab of emulated NICs with 4 VFs and 2 CPUs: packets for VF 2 came to VF 1.
 */
static bool hazard_wrong_pool(const struct nic_case *c, struct nic_verdict *v)
{
	const struct sriov_pf *port = c->port;
	uint64_t cookie = c->entry->cookie;
	unsigned rings = port->queues, stride = pool_stride(port), vf, queue, absolute;

	/* VF 0 begins at queue 0 either way; targets out of range are check_target()'s */
	if (cookie == SRIOV_COOKIE_DROP || COOKIE_VF(cookie) < 2 || rings == stride ||
	    COOKIE_VF(cookie) > port->vfs || COOKIE_QUEUE(cookie) >= rings)
		return true;
	vf = COOKIE_VF(cookie) - 1;
	queue = COOKIE_QUEUE(cookie);
	if (rings > stride) {
		nic_refuse(
			v, 0, "the queues of a VF cannot be computed",
			"%s has %u RX rings with %u VFs on, more than the %u of one pool: DCB or "
			"macvlan offload divides them, and where a rule for VF %u would land is "
			"unknown",
			nic_port_name(port), rings, port->vfs, stride, vf);
		return nic_hint(v, "switch DCB and l2-fwd-offload off; VF 0 is right as it stands");
	}
	absolute = vf * rings + queue;
	nic_refuse(v, 0, "the rule would reach another VF",
		   "the rule would send packets to queue %u of VF %u instead of queue %u of VF %u: "
		   "the PF has %u RX ring%s, a VF has %u queues in the hardware with %u VFs, and "
		   "ixgbe computes the queue as VF * %u + queue = %u (ixgbe_ethtool.c: "
		   "(vf-1)*num_rx_queues_per_pool+ring) where the VF's queues begin at %u",
		   absolute % stride, absolute / stride, queue, vf, rings, rings == 1 ? "" : "s",
		   stride, port->vfs, rings, absolute, vf * stride);
	return nic_hint(
		v,
		"ethtool -L %s combined %u (needs at least %u CPUs; it empties the port's rule "
		"table), then add the rule again; VF 0 is right as it stands",
		nic_port_name(port), stride, stride);
}

static nic_check *const checks[] = {nic_check_ntuple_on, check_target, nic_check_location,
				    check_class,         check_mask,   NULL};
static nic_check *const hazards[] = {hazard_vlan_etype, hazard_pool,       hazard_sctp_ports,
				     hazard_drop_queue, hazard_wrong_pool, NULL};

/* The mask of the port changes only while its table is empty. */
static void rewrite(const struct sriov_entry *installed, size_t n, bool *gone,
		    const struct sriov_entry *inserts, size_t ninserts)
{
	struct port_mask old, new;

	if (!n || !ninserts)
		return;
	old = port_mask(&installed[0]);
	new = port_mask(&inserts[0]);
	if (memcmp(&old, &new, sizeof(old)))
		memset(gone, true, n * sizeof(*gone));
}

static size_t notes(const struct sriov_pf *port, const struct sriov_entry *entry,
		    const char *out[NIC_NOTES_MAX])
{
	bool drop = entry->cookie == SRIOV_COOKIE_DROP;
	bool ports = entry->mask.src_port || entry->mask.dst_port;
	size_t n = 0;

	/* IXGBE_MRQC_L3L4TXSWEN is of X550 and later (ixgbe_setup_mrqc()) */
	if ((drop || COOKIE_VF(entry->cookie)) && !is_x550(port->device))
		out[n++] =
			"not between VFs: 82599 and X540 do not look at packets that they switch "
			"inside the port";
	/* ixgbe_flow.c of DPDK against ixgbe_ethtool.c of the kernel */
	if (drop && ports && nic_mac_of("ixgbe", port->device) == NIC_82599)
		out[n++] =
			"a drop by port numbers on an 82599: the kernel's driver accepts it, DPDK's "
			"refuses it as not supported by this chip; whether the silicon drops is "
			"not proved here, so look at its counters";
	return n;
}

const struct nic_profile nic_ixgbe = {
	.driver = "ixgbe",
	.source = "ixgbe of Linux 6.1 to 6.12 (its code, executed), the vendor's user guide on VF "
		  "targets, emulated NICs; not silicon",
	.types = FLOW_L4_V4 | FLOW_BIT(SRIOV_FLOW_IP4),
	.type_err = -EINVAL,
	.field =
		{
			[FIELD_SRC_IP] = {NIC_MASK_ANY},
			[FIELD_DST_IP] = {NIC_MASK_ANY},
			[FIELD_SRC_PORT] = {NIC_MASK_ANY},
			[FIELD_DST_PORT] = {NIC_MASK_ANY},
			[FIELD_TOS] = {NIC_MASK_IGNORED},
			[FIELD_L4_PROTO] = {NIC_MASK_REFUSED, -EINVAL},
			[FIELD_L4_DATA] = {NIC_MASK_REFUSED, -EINVAL},
			[FIELD_VLAN] = {NIC_MASK_OWN},
			[FIELD_VLAN_ETYPE] = {NIC_MASK_OWN},
			[FIELD_USER_DEF] = {NIC_MASK_OWN},
		},
	.masks = NIC_MASKS_PORT,
	.widen = widen,
	.splittable = {.src_ip = {0xff, 0xff, 0xff, 0xff},
		       .dst_ip = {0xff, 0xff, 0xff, 0xff},
		       .src_port = 0xffff,
		       .dst_port = 0xffff,
		       .vlan_tci = VLAN_VID_MASK | VLAN_PRIO_MASK,
		       .vlan_etype = 0xffff,
		       .user_def = POOL_MASK},
	.scope = NIC_SCOPE_POOL,
	.vf_target = true,
	.table_size = 2046, /* (1024 << pballoc) - 2, pballoc is 1 in the kernel's driver */
	.checks = checks,
	.hazards = hazards,
	.lower = lower,
	.rewrite = rewrite,
	.notes = notes,
	.walk = &nic_walk_ixgbe,
};
