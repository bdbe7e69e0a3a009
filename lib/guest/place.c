/* SPDX-License-Identifier: Apache-2.0 */
/* Which VF a guest gets, and why: see place.h. */
#include "lib/guest/place.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HOLDERS_SHOWN 3
#define SALTS 256

const char *guest_pf_label(const struct sriov_pf *pf, char buf[40])
{
	snprintf(buf, 40, pf->netdev[0] ? "%s (%s)" : "%s", pf->address, pf->netdev);
	return buf;
}

int guest_pf_node(const struct sriov_inventory *inv, const struct sriov_pf *pf)
{
	return pf->node < 0 && inv->nnodes == 1 ? inv->node[0].id : pf->node;
}

const struct sriov_node *guest_node_find(const struct sriov_inventory *inv, int node)
{
	for (size_t i = 0; i < inv->nnodes; i++)
		if (inv->node[i].id == node)
			return &inv->node[i];
	return NULL;
}

int guest_pf_ready(const struct sriov_pf *pf, struct sriov_error *err)
{
	char label[40];

	guest_pf_label(pf, label);
	if (!pf->netdev[0]) {
		sriov_error_set(err, -ENETDOWN, label,
				"has no network device, through which libvirt sets a VF's MAC and "
				"VLAN");
		return sriov_error_hint(err, "bind the PF to its kernel driver");
	}
	if (pf->up)
		return 0;
	sriov_error_set(
		err, -ENETDOWN, label,
		"is down; libvirt refuses to start a guest with one of its VFs (\"PF is not "
		"online\")");
	return sriov_error_hint(err, "bring it up: ip link set %s up", pf->netdev);
}

static const struct sriov_vf *first_free(const struct sriov_pf *pf, unsigned *count)
{
	const struct sriov_vf *first = NULL;
	char why[256];

	*count = 0;
	for (unsigned v = 0; pf->vf && v < pf->vfs; v++) {
		if (guest_vf_taken(pf, &pf->vf[v], NULL, why, sizeof(why)))
			continue;
		if (!first)
			first = &pf->vf[v];
		++*count;
	}
	return first;
}

/* The PFs in the order in which they are tried; unknown nodes last. */
struct ordered {
	const struct sriov_pf *pf;
	int node;
};

static int compare(const void *a, const void *b)
{
	const struct ordered *x = a, *y = b;

	if (x->node != y->node)
		return (unsigned)x->node < (unsigned)y->node ? -1 : 1; /* -1 is the largest */
	return strcmp(x->pf->address, y->pf->address);
}

/* "…: 2 VFs, all taken: VF 0 by guest web1 (running): /run/…; VF 1 …" */
static void say_holders(FILE *text, const struct sriov_pf *pf)
{
	unsigned shown = 0;
	char label[40], why[256];

	fprintf(text, "%s: ", guest_pf_label(pf, label));
	if (!pf->vfs) {
		fprintf(text, "no VFs (it can have %u)", pf->vfs_total);
		return;
	}
	fprintf(text, "none of %u free", pf->vfs);
	for (; pf->vf && shown < pf->vfs && shown < HOLDERS_SHOWN; shown++)
		if (guest_vf_taken(pf, &pf->vf[shown], NULL, why, sizeof(why)))
			fprintf(text, "%s VF %u: %s", shown ? ";" : ",", pf->vf[shown].index, why);
	if (shown < pf->vfs)
		fprintf(text, "; and %u more", pf->vfs - shown);
}

static int none_free(const struct ordered *list, size_t n, const struct sriov_pf *only, int node,
		     struct sriov_error *err)
{
	unsigned elsewhere = 0, count;
	const struct sriov_pf *other = NULL, *grow = NULL;
	_free_ char *text = NULL;
	char label[40], place[64] = "";
	size_t size, said = 0;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return core_oom(err);
	if (only)
		snprintf(place, sizeof(place), " on %s", guest_pf_label(only, label));
	else if (node >= 0)
		snprintf(place, sizeof(place), " on node %d", node);
	for (size_t i = 0; i < n; i++) {
		const struct sriov_pf *pf = list[i].pf;

		if ((only && pf != only) || (node >= 0 && !only && list[i].node != node)) {
			if (first_free(pf, &count) && pf->up && !elsewhere) {
				other = pf;
				elsewhere = count;
			}
			continue;
		}
		if (!pf->vfs && (!grow || pf->vfs_total > grow->vfs_total))
			grow = pf; /* the one with the most room */
		fprintf(stream, "%s", said++ ? "; " : "");
		say_holders(stream, pf);
	}
	if (!said)
		fprintf(stream, "%s", n ? "no PF is there" : "this host has no SR-IOV PF");
	if (fclose(stream))
		return core_oom(err);
	sriov_error_set(err, -EUSERS, "guest placement", "no free VF%s: %s", place, text);
	if (other)
		return sriov_error_hint(
			err,
			"release a lease (sriovctl guest list, guest release), or take "
			"one of %u free VFs elsewhere: --pf %s",
			elsewhere, other->netdev[0] ? other->netdev : other->address);
	if (grow)
		return sriov_error_hint(err, "create VFs: sriovctl vf create %s --count N",
					grow->netdev[0] ? grow->netdev : grow->address);
	return sriov_error_hint(
		err, "release a lease (sriovctl guest list, guest release) or add VFs to a PF "
		     "whose VFs nobody uses (sriovctl vf create)");
}

int guest_place(const struct sriov_inventory *inv, const struct sriov_pf *only, int node,
		struct guest_choice *out, struct sriov_error *err)
{
	_free_ struct ordered *list = calloc(inv->npfs + 1, sizeof(*list));
	const struct sriov_pf *down = NULL;
	char label[40];
	unsigned count;

	if (!list)
		return core_oom(err);
	if (only && node >= 0 && guest_pf_node(inv, only) >= 0 &&
	    guest_pf_node(inv, only) != node) {
		sriov_error_set(err, -EINVAL, guest_pf_label(only, label),
				"is on node %d, but node %d is wanted", guest_pf_node(inv, only),
				node);
		return sriov_error_hint(err, "leave out the PF, and one of node %d is chosen",
					node);
	}
	for (size_t i = 0; i < inv->npfs; i++)
		list[i] = (struct ordered){&inv->pf[i], guest_pf_node(inv, &inv->pf[i])};
	qsort(list, inv->npfs, sizeof(*list), compare);
	for (size_t i = 0; i < inv->npfs; i++) {
		const struct sriov_pf *pf = list[i].pf;
		const struct sriov_vf *vf;

		if (only ? pf != only : node >= 0 && list[i].node != node)
			continue;
		vf = first_free(pf, &count);
		if (!vf)
			continue;
		if (!pf->up || !pf->netdev[0]) {
			down = down ? down : pf;
			continue;
		}
		*out = (struct guest_choice){.pf = pf, .vf = vf, .node = list[i].node};
		guest_pf_label(pf, label);
		if (out->node >= 0)
			snprintf(out->reason, sizeof(out->reason),
				 "node %d: free VF %u of %u on %s", out->node, vf->index, pf->vfs,
				 label);
		else
			snprintf(
				out->reason, sizeof(out->reason),
				"node unknown (the firmware does not say it): free VF %u of %u on %s",
				vf->index, pf->vfs, label);
		return 0;
	}
	return down ? guest_pf_ready(down, err) : none_free(list, inv->npfs, only, node, err);
}

/* True if a port or a VF of the host has that address. */
static bool mac_in_use(const struct sriov_inventory *inv, const uint8_t mac[6])
{
	for (size_t i = 0; i < inv->npfs; i++) {
		const struct sriov_pf *pf = &inv->pf[i];

		if (!memcmp(pf->mac, mac, 6) || !memcmp(pf->perm_mac, mac, 6))
			return true;
		for (unsigned v = 0; pf->vf && v < pf->vfs; v++)
			if (pf->vf[v].attrs.has & SRIOV_VF_MAC &&
			    !memcmp(pf->vf[v].attrs.mac, mac, 6))
				return true;
	}
	return false;
}

static int choose_mac(const struct sriov_inventory *inv, const struct sriov_pf *pf,
		      const struct sriov_vf *vf, uint8_t out[6], struct sriov_error *err)
{
	uint8_t mac[6];
	char label[40];

	if (!sriov_mac_is_zero(vf->attrs.mac)) {
		memcpy(out, vf->attrs.mac, 6);
		return 0;
	}
	if (sriov_mac_is_zero(pf->perm_mac))
		return sriov_error_set(
			err, -ENODATA, guest_pf_label(pf, label),
			"its permanent MAC is unknown, so VF %u has no automatic MAC", vf->index);
	for (unsigned salt = 0; salt < SALTS; salt++) {
		sriov_mac_auto(pf->perm_mac, vf->index, salt, mac);
		if (!mac_in_use(inv, mac)) {
			memcpy(out, mac, 6);
			return 0;
		}
	}
	return sriov_error_set(err, -EADDRINUSE, guest_pf_label(pf, label),
			       "every automatic MAC of VF %u is in use on this host", vf->index);
}

int guest_interface_of(const struct sriov_inventory *inv, const struct sriov_pf *pf,
		       const struct sriov_vf *vf, struct guest_interface *out,
		       struct sriov_error *err)
{
	const unsigned needed = SRIOV_VF_MAC | SRIOV_VF_VLAN;
	const struct sriov_vf_attrs *attrs = &vf->attrs;
	struct guest_interface itf = {.vlan = attrs->vlan};
	char object[64], label[40];
	int r;

	snprintf(object, sizeof(object), "vf %u of %s", vf->index, guest_pf_label(pf, label));
	if ((attrs->has & needed) != needed) {
		sriov_error_set(
			err, -ENODATA, object,
			"its MAC and VLAN could not be read, and libvirt would overwrite them");
		return sriov_error_hint(err,
					"look at `ip link show %s`: the PF's driver reports "
					"them there",
					pf->netdev);
	}
	if (attrs->vlan && (attrs->qos || attrs->vlan_proto == 0x88a8)) {
		sriov_error_set(
			err, -EOPNOTSUPP, object,
			"has VLAN %u with %s; libvirt's <interface> has no words for it and "
			"would clear it",
			attrs->vlan, attrs->qos ? "a priority (qos)" : "protocol 802.1ad");
		return sriov_error_hint(err,
					"give the VF a plain VLAN: sriovctl vf set %s %u "
					"--vlan %u",
					pf->netdev, vf->index, attrs->vlan);
	}
	core_copy(itf.address, sizeof(itf.address), vf->address);
	r = choose_mac(inv, pf, vf, itf.mac, err);
	if (r < 0)
		return r;
	*out = itf;
	return 0;
}
