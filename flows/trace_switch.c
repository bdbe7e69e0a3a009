/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The switch of a port: which function a frame is for, by MAC address and VLAN. What guests ask of it beside
 * that (promiscuous mode, multicast groups, VLANs, further addresses) cannot be read from the PF.
 */
#include "flows/trace.h"

#include <linux/if_ether.h>
#include <string.h>

static uint16_t vid_of(const struct sriov_packet *p)
{
	return p->ntags ? p->tag[0].tci & VLAN_VID_MASK : 0;
}

static bool end(struct trace_walk *w, enum sriov_destination to)
{
	w->out->to = to;
	w->out->stage = SRIOV_STAGE_SWITCH;
	return false;
}

static bool to_pf(struct trace_walk *w, const char *why)
{
	unsigned vid = vid_of(&w->packet);

	w->out->to = SRIOV_TO_PF;
	TELL(w, SRIOV_STAGE_SWITCH, "to the PF: %s", why);
	if (vid)
		TELL(w, SRIOV_STAGE_SWITCH,
		     "taken that the host has VLAN %u on it: that was not read", vid);
	return true;
}

static bool vf_takes_vlan(const struct trace_vf *vf, const struct sriov_packet *p)
{
	unsigned port_vlan = vf->vlan & VLAN_VID_MASK;

	return !port_vlan || port_vlan == vid_of(p);
}

static bool to_vf(struct trace_walk *w, unsigned index)
{
	const struct trace_vf *vf = &w->tracer->vf[index];
	unsigned vid = vid_of(&w->packet), port_vlan = vf->vlan & VLAN_VID_MASK;

	if (vf->disabled) {
		TELL(w, SRIOV_STAGE_SWITCH, "it is for VF %u, whose link is disabled: dropped",
		     index);
		return end(w, SRIOV_TO_DROP);
	}
	w->out->to = SRIOV_TO_VF;
	w->out->vf = index;
	if (port_vlan)
		TELL(w, SRIOV_STAGE_SWITCH, "to VF %u: its MAC address and port VLAN %u", index,
		     port_vlan);
	else
		TELL(w, SRIOV_STAGE_SWITCH, "to VF %u: its MAC address", index);
	if (vid && !port_vlan)
		TELL(w, SRIOV_STAGE_SWITCH,
		     "taken that its guest asked for VLAN %u: that is not readable", vid);
	return true;
}

/* Multicast and broadcast: who asked for it is known to the guests only. */
static bool to_several(struct trace_walk *w)
{
	static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	bool all = !memcmp(w->packet.dst_mac, broadcast, sizeof(broadcast));

	w->out->to = SRIOV_TO_SEVERAL;
	TELL(w, SRIOV_STAGE_SWITCH, "%s: copies for the PF and VFs%s%s",
	     all ? "broadcast" : "multicast",
	     w->from.kind == SRIOV_FROM_WIRE ? "" : " but the sender, and for the wire",
	     all ? "" : ", as far as they asked for it (not readable)");
	return true;
}

/* Whether the function is the sender itself. */
static bool is_sender(const struct trace_walk *w, int vf)
{
	return vf < 0 ? w->from.kind == SRIOV_FROM_PF
		      : w->from.kind == SRIOV_FROM_VF && w->from.vf == (unsigned)vf;
}

static bool is_for_pf(const struct trace_walk *w)
{
	return !memcmp(w->tracer->port.mac, w->packet.dst_mac, ETH_ALEN);
}

/* The VF with that address that takes the VLAN; *@refusing has the address and does not; -1 = none. */
static int find_vf(const struct trace_walk *w, int *refusing)
{
	const struct sriov_tracer *t = w->tracer;

	*refusing = -1;
	for (unsigned i = 0; t->vf && i < t->port.vfs; i++) {
		if (!t->vf[i].has_mac || memcmp(t->vf[i].mac, w->packet.dst_mac, ETH_ALEN) != 0)
			continue;
		if (vf_takes_vlan(&t->vf[i], &w->packet))
			return i;
		*refusing = i;
	}
	return -1;
}

static bool refused_by(struct trace_walk *w, int vf)
{
	unsigned vid = vid_of(&w->packet);

	if (vid)
		TELL(w, SRIOV_STAGE_SWITCH,
		     "dropped: it is for VF %d, which takes VLAN %u only (its port VLAN), and not "
		     "VLAN %u",
		     vf, w->tracer->vf[vf].vlan & VLAN_VID_MASK, vid);
	else
		TELL(w, SRIOV_STAGE_SWITCH,
		     "dropped: it is for VF %d, which takes VLAN %u only (its port VLAN), and has no "
		     "tag",
		     vf, w->tracer->vf[vf].vlan & VLAN_VID_MASK);
	return end(w, SRIOV_TO_DROP);
}

static bool from_wire(struct trace_walk *w)
{
	const struct sriov_tracer *t = w->tracer;
	int vf, refusing;

	if (!(w->packet.has & SRIOV_PACKET_DST_MAC))
		return to_pf(w, "no dmac is given, so it is taken as addressed to the PF");
	if (w->packet.dst_mac[0] & 1)
		return to_several(w);
	if (sriov_mac_is_zero(t->port.mac))
		return to_pf(w, "of a NIC by its name no MAC address is known, so it is taken as "
				"addressed to the PF");
	if (is_for_pf(w))
		return to_pf(w, "its MAC address");
	vf = find_vf(w, &refusing);
	if (vf >= 0)
		return to_vf(w, vf);
	if (refusing >= 0)
		return refused_by(w, refusing);
	TELL(w, SRIOV_STAGE_SWITCH,
	     "unknown: no function of the port is known to have this MAC address; one that has it "
	     "all the same, or is promiscuous, gets the frame, else nobody: that is not readable");
	return end(w, SRIOV_TO_UNKNOWN);
}

static bool to_wire(struct trace_walk *w, const char *why)
{
	TELL(w, SRIOV_STAGE_SWITCH, "to the wire: %s", why);
	return end(w, SRIOV_TO_WIRE);
}

/* What a VF sends: anti-spoofing, and its port VLAN. False if the way ends here. */
static bool leave_vf(struct trace_walk *w)
{
	const struct trace_vf *vf = w->tracer->vf ? &w->tracer->vf[w->from.vf] : NULL;
	struct sriov_packet *p = &w->packet;

	if (!vf)
		return true;
	if (vf->disabled) {
		TELL(w, SRIOV_STAGE_SWITCH, "dropped: the link of VF %u is disabled", w->from.vf);
		return end(w, SRIOV_TO_DROP);
	}
	if (vf->spoofchk && vf->has_mac && p->has & SRIOV_PACKET_SRC_MAC &&
	    memcmp(vf->mac, p->src_mac, ETH_ALEN) != 0) {
		TELL(w, SRIOV_STAGE_SWITCH,
		     "dropped: VF %u sends with a MAC address that is not its own (spoofchk)",
		     w->from.vf);
		return end(w, SRIOV_TO_DROP);
	}
	if (!(vf->vlan & VLAN_VID_MASK))
		return true;
	if (p->ntags) {
		TELL(w, SRIOV_STAGE_SWITCH,
		     "VF %u has a port VLAN and tags the frame itself: what the NIC makes of that "
		     "is not known",
		     w->from.vf);
		return end(w, SRIOV_TO_UNKNOWN);
	}
	p->ntags = 1;
	p->tag[0] = (struct sriov_vlan_tag){ETH_P_8021Q, vf->vlan};
	TELL(w, SRIOV_STAGE_SWITCH, "VF %u has port VLAN %u: the frame gets that tag", w->from.vf,
	     vf->vlan & VLAN_VID_MASK);
	return true;
}

/* Between functions of the port. */
static bool from_inside(struct trace_walk *w)
{
	const struct sriov_tracer *t = w->tracer;
	int vf, refusing;

	if (w->from.kind == SRIOV_FROM_VF && !leave_vf(w))
		return false;
	if (!(w->packet.has & SRIOV_PACKET_DST_MAC))
		return to_wire(w, "no dmac is given, so it is taken as addressed to the outside");
	if (t->port.bridge == SRIOV_BRIDGE_VEPA)
		return to_wire(w, "the port is in VEPA mode and switches nothing itself");
	if (t->port.bridge == SRIOV_BRIDGE_UNKNOWN && t->port.vfs)
		TELL(w, SRIOV_STAGE_SWITCH,
		     "VEB or VEPA was not read: taken as VEB, which drivers choose with VFs");
	if (w->packet.dst_mac[0] & 1) {
		to_several(w);
		w->switched = true;
		return true;
	}
	vf = find_vf(w, &refusing);
	if ((is_for_pf(w) && is_sender(w, -1)) || (vf >= 0 && is_sender(w, vf))) {
		TELL(w, SRIOV_STAGE_SWITCH,
		     "it is addressed to its sender, and what the NIC makes of that is not known");
		return end(w, SRIOV_TO_UNKNOWN);
	}
	w->switched = true;
	if (is_for_pf(w))
		return to_pf(w, "its MAC address, switched inside the port (VEB)");
	if (vf >= 0)
		return to_vf(w, vf);
	if (refusing >= 0)
		return refused_by(w, refusing);
	return to_wire(w, "no function of the port is known to have this MAC address (further ones "
			  "are not readable)");
}

bool trace_switch(struct trace_walk *w)
{
	if (w->from.kind == SRIOV_FROM_WIRE)
		return from_wire(w);
	if (w->from.kind == SRIOV_FROM_VF && w->from.vf >= w->tracer->port.vfs) {
		TELL(w, SRIOV_STAGE_SWITCH, "there is no VF %u: the port has %u", w->from.vf,
		     w->tracer->port.vfs);
		return end(w, SRIOV_TO_UNKNOWN);
	}
	return from_inside(w);
}
