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

/* ---- candidates ---- */

/* How far a PF is from the guest. */
enum distance { SAME_NODE, SAME_SOCKET, ELSEWHERE, TOO_FAR };

/* A PF as a place. */
struct place {
	const struct sriov_pf *pf;
	int node;
	enum distance distance;
	unsigned near; /* see struct guest_wish */
	const struct sriov_vf *first_free;
	unsigned free;
	struct guest_switching switching;
	bool tap; /* a tap can be here */
};

static bool is_wished(const struct guest_wish *wish, const struct sriov_pf *pf)
{
	for (size_t i = 0; i < wish->nonly; i++)
		if (wish->only[i] == pf)
			return true;
	return !wish->nonly;
}

static int socket_of(const struct sriov_inventory *inv, int node)
{
	const struct sriov_node *found = guest_node_find(inv, node);

	return found ? found->socket : -1;
}

static enum distance distance_of(const struct sriov_inventory *inv, const struct guest_wish *wish,
				 const struct sriov_pf *pf, int node)
{
	/* a PF that was asked for by name may be on a node that the firmware does not say */
	bool unknown = node < 0 && wish->nonly == 1 && wish->only[0] == pf;
	int socket = socket_of(inv, node);

	if (wish->numa == SRIOV_NUMA_ANY || wish->node < 0 || node == wish->node || unknown)
		return SAME_NODE;
	if (wish->numa == SRIOV_NUMA_REQUIRED)
		return TOO_FAR;
	if (socket >= 0 && socket == socket_of(inv, wish->node))
		return SAME_SOCKET;
	return wish->numa == SRIOV_NUMA_SOCKET ? TOO_FAR : ELSEWHERE;
}

static void count_free(struct place *place, const char *pool)
{
	const struct sriov_pf *pf = place->pf;
	char why[256];

	for (unsigned v = 0; pf->vf && v < pf->vfs; v++) {
		if (guest_vf_taken(pf, &pf->vf[v], pool, why, sizeof(why)))
			continue;
		if (!place->free++)
			place->first_free = &pf->vf[v];
	}
}

static int by_taste(const void *a, const void *b, void *data)
{
	const struct guest_wish *wish = data;
	const struct place *x = a, *y = b;
	unsigned taken_x = x->pf->vfs - x->free, taken_y = y->pf->vfs - y->free;

	if (x->distance != y->distance)
		return x->distance < y->distance ? -1 : 1;
	if (wish->pick == SRIOV_PICK_NEAR && x->near != y->near)
		return x->near < y->near ? -1 : 1;
	if (wish->pick == SRIOV_PICK_PACK && taken_x != taken_y)
		return taken_x > taken_y ? -1 : 1;
	if (wish->pick == SRIOV_PICK_SPREAD && taken_x != taken_y)
		return taken_x < taken_y ? -1 : 1;
	if (x->node != y->node)
		return (unsigned)x->node < (unsigned)y->node ? -1 : 1; /* -1 is the largest */
	return strcmp(x->pf->address, y->pf->address);
}

/* All PFs of the host in the order in which they are tried, those that are no place at the end. */
static struct place *find_places(const struct sriov_inventory *inv, const struct guest_wish *wish)
{
	struct place *list = calloc(inv->npfs + 1, sizeof(*list));

	for (size_t i = 0; list && i < inv->npfs; i++) {
		struct place *place = &list[i];

		place->pf = &inv->pf[i];
		place->node = guest_pf_node(inv, place->pf);
		place->near = wish->distance ? wish->distance[i] : 0;
		if (wish->switching)
			place->switching = wish->switching[i];
		place->distance = is_wished(wish, place->pf)
					  ? distance_of(inv, wish, place->pf, place->node)
					  : TOO_FAR;
		place->tap = !wish->tap || wish->tap == place->pf;
		count_free(place, wish->pool);
	}
	if (list)
		qsort_r(list, inv->npfs, sizeof(*list), by_taste, (void *)wish);
	return list;
}

static bool is_ready(const struct sriov_pf *pf)
{
	return pf->up && pf->netdev[0];
}

/* ---- in words ---- */

static const char *const path_words[SRIOV_PATHS] = {
	[SRIOV_PATH_VF] = "vf",
	[SRIOV_PATH_VHOSTUSER] = "vhostuser",
	[SRIOV_PATH_MACVTAP] = "macvtap",
	[SRIOV_PATH_TAP] = "tap",
};

SRIOV_EXPORT const char *sriov_path_word(enum sriov_path path)
{
	return path < SRIOV_PATHS ? path_words[path] : "?";
}

static void say_reason(const struct guest_wish *wish, const struct place *place,
		       struct guest_choice *out)
{
	static const char *const far[] = {
		[SAME_NODE] = "",
		[SAME_SOCKET] = ", of the same socket",
		[ELSEWHERE] = "",
	};
	char label[40], node[64] = "node unknown (the firmware does not say it)", text[128];

	guest_pf_label(place->pf, label);
	if (place->node >= 0)
		snprintf(node, sizeof(node), "node %d", place->node);
	if (out->vf)
		snprintf(text, sizeof(text), "free VF %u of %u on %s", out->vf->index,
			 place->pf->vfs, label);
	else
		snprintf(text, sizeof(text), "%s on %s%s%s", sriov_path_word(out->path),
			 out->net ? out->net->bridge : label,
			 out->net && place->node >= 0 && !place->switching.local
				 ? ", which is polled on another node"
				 : "",
			 out->fallback ? ", as no VF that would do is free" : "");
	if (place->distance == SAME_NODE)
		snprintf(out->reason, sizeof(out->reason), "%s: %s", node, text);
	else
		snprintf(out->reason, sizeof(out->reason),
			 "%s%s, as nothing is free on the guest's node %d: %s", node,
			 far[place->distance], wish->node, text);
}

/* "…: 2 VFs, all taken: VF 0 by guest web1 (running): /run/…; VF 1 …" */
static void say_holders(FILE *text, const struct guest_wish *wish, const struct sriov_pf *pf)
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
		if (guest_vf_taken(pf, &pf->vf[shown], wish->pool, why, sizeof(why)))
			fprintf(text, "%s VF %u: %s", shown ? ";" : ",", pf->vf[shown].index, why);
	if (shown < pf->vfs)
		fprintf(text, "; and %u more", pf->vfs - shown);
}

static void say_where(const struct guest_wish *wish, char *buf, size_t size)
{
	char label[40];
	size_t used = 0;

	buf[0] = '\0';
	if (wish->net)
		used = snprintf(buf, size, " on physnet %s", wish->net);
	else if (wish->nonly)
		used = snprintf(buf, size, " on %s", guest_pf_label(wish->only[0], label));
	if (wish->node < 0 || wish->numa == SRIOV_NUMA_ANY || wish->numa == SRIOV_NUMA_PREFERRED ||
	    (wish->nonly && !wish->net))
		return;
	snprintf(buf + used, size - used, " on %snode %d",
		 wish->numa == SRIOV_NUMA_SOCKET ? "the socket of " : "", wish->node);
}

/* What would help: VFs elsewhere, VFs that could be made, or an end to a lease. */
static int hint_none(const struct guest_wish *wish, const struct place *list, size_t n,
		     struct sriov_error *err)
{
	const struct place *other = NULL;
	const struct sriov_pf *grow = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct sriov_pf *pf = list[i].pf;

		if (list[i].distance == TOO_FAR && list[i].free && pf->up && !other)
			other = &list[i];
		/* the one with the most room */
		if (list[i].distance != TOO_FAR && !pf->vfs &&
		    (!grow || pf->vfs_total > grow->vfs_total))
			grow = pf;
	}
	for (size_t i = 0; i < n; i++)
		if (list[i].switching.net && list[i].distance != TOO_FAR)
			return sriov_error_hint(
				err,
				"bridge %s would do, but OVS polls it on another node (`sriovctl "
				"vswitch plan` says how to change that): or take --numa preferred",
				list[i].switching.net->bridge);
	if (other)
		return sriov_error_hint(
			err,
			"end a lease (sriovctl guest list, guest detach), or take one of %u free "
			"VFs elsewhere: --pf %s",
			other->free, pf_label(other->pf));
	if (grow)
		return sriov_error_hint(err, "create VFs: sriovctl vf create %s --count N",
					pf_label(grow));
	return sriov_error_hint(
		err, "end a lease (sriovctl guest list, guest detach) or add VFs to a PF whose "
		     "VFs nobody uses (sriovctl vf create)");
}

static int none_free(const struct guest_wish *wish, const struct place *list, size_t n,
		     struct sriov_error *err)
{
	_free_ char *text = NULL;
	char where[128];
	size_t size, said = 0;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return core_oom(err);
	say_where(wish, where, sizeof(where));
	for (size_t i = 0; i < n; i++) {
		if (list[i].distance == TOO_FAR)
			continue;
		fprintf(stream, "%s", said++ ? "; " : "");
		say_holders(stream, wish, list[i].pf);
	}
	if (!said)
		fprintf(stream, "%s", n ? "no PF is there" : "this host has no SR-IOV PF");
	if (fclose(stream))
		return core_oom(err);
	sriov_error_set(err, -EUSERS, "guest placement", "no free VF%s: %s", where, text);
	return hint_none(wish, list, n, err);
}

/* ---- the choice ---- */

/* A bridge that is polled on another node is near to nobody: it is taken when nothing else is left (@last). */
static bool has_room(const struct place *place, enum sriov_path path, bool last)
{
	if (path == SRIOV_PATH_VF)
		return place->free;
	if (path == SRIOV_PATH_TAP)
		return place->tap;
	return path != SRIOV_PATH_VHOSTUSER ||
	       (place->switching.net && (place->switching.local || place->node < 0 || last));
}

/* The first place within @list, all at one distance, that has @path; PFs that are down only in *@down. */
static const struct place *place_with(const struct place *list, size_t n, enum sriov_path path,
				      bool last, const struct sriov_pf **down)
{
	for (size_t i = 0; i < n; i++) {
		if (!has_room(&list[i], path, last))
			continue;
		/* a bridge has an uplink of its own, and says itself when that is down */
		if (is_ready(list[i].pf) || path == SRIOV_PATH_VHOSTUSER)
			return &list[i];
		*down = *down ? *down : list[i].pf;
	}
	return NULL;
}

static bool choose(const struct guest_wish *wish, const struct place *list, size_t n, bool last,
		   const struct sriov_pf **down, struct guest_choice *out)
{
	static const enum sriov_path vf_only[] = {SRIOV_PATH_VF};
	const enum sriov_path *path = wish->npaths ? wish->path : vf_only;
	size_t npaths = wish->npaths ?: 1;

	for (size_t i = 0, end; i < n && list[i].distance != TOO_FAR; i = end) {
		for (end = i; end < n && list[end].distance == list[i].distance;)
			end++;
		for (size_t p = 0; p < npaths; p++) {
			const struct place *found = NULL;

			/* a VF that is there, on a PF that is down, is an error and no lack of VFs */
			if (!*down || path[0] != SRIOV_PATH_VF || path[p] == SRIOV_PATH_VF)
				found = place_with(list + i, end - i, path[p], last, down);

			if (!found)
				continue;
			*out = (struct guest_choice){
				.pf = found->pf,
				.vf = path[p] == SRIOV_PATH_VF ? found->first_free : NULL,
				.net = path[p] == SRIOV_PATH_VHOSTUSER ? found->switching.net
								       : NULL,
				.path = path[p],
				.fallback = path[0] == SRIOV_PATH_VF && path[p] != SRIOV_PATH_VF,
				.node = found->node,
			};
			say_reason(wish, found, out);
			return true;
		}
	}
	return false;
}

/* One PF was asked for, and it cannot be where the guest must be. */
static int check_only(const struct sriov_inventory *inv, const struct guest_wish *wish,
		      struct sriov_error *err)
{
	const struct sriov_pf *pf = wish->nonly == 1 && !wish->net ? wish->only[0] : NULL;
	char label[40];
	int node;

	if (!pf || wish->node < 0 || wish->numa != SRIOV_NUMA_REQUIRED)
		return 0;
	node = guest_pf_node(inv, pf);
	if (node < 0 || node == wish->node)
		return 0;
	sriov_error_set(err, -EINVAL, guest_pf_label(pf, label),
			"is on node %d, but node %d is wanted", node, wish->node);
	return sriov_error_hint(err, "leave out the PF, and one of node %d is chosen", wish->node);
}

int guest_place(const struct sriov_inventory *inv, const struct guest_wish *wish,
		struct guest_choice *out, struct sriov_error *err)
{
	const struct sriov_pf *down = NULL;
	_free_ struct place *list = NULL;
	int r = check_only(inv, wish, err);

	if (r < 0)
		return r;
	list = find_places(inv, wish);
	if (!list)
		return core_oom(err);
	if (choose(wish, list, inv->npfs, false, &down, out) ||
	    (wish->numa != SRIOV_NUMA_REQUIRED && wish->numa != SRIOV_NUMA_SOCKET &&
	     choose(wish, list, inv->npfs, true, &down, out)))
		return 0;
	return down ? guest_pf_ready(down, err) : none_free(wish, list, inv->npfs, err);
}

/* ---- what the VF is called ---- */

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

int guest_auto_mac(const struct sriov_inventory *inv, const struct sriov_pf *pf, unsigned vf,
		   unsigned *salt, uint8_t out[6], struct sriov_error *err)
{
	uint8_t mac[6];
	char label[40];

	if (sriov_mac_is_zero(pf->perm_mac))
		return sriov_error_set(
			err, -ENODATA, guest_pf_label(pf, label),
			"its permanent MAC is unknown, so VF %u has no automatic MAC", vf);
	while (*salt < SALTS) {
		sriov_mac_auto(pf->perm_mac, vf, (*salt)++, mac);
		if (!mac_in_use(inv, mac)) {
			memcpy(out, mac, 6);
			return 0;
		}
	}
	return sriov_error_set(err, -EADDRINUSE, guest_pf_label(pf, label),
			       "every automatic MAC of VF %u is in use on this host", vf);
}

int guest_mac_of(const struct sriov_inventory *inv, const struct sriov_pf *pf,
		 const struct sriov_vf *vf, uint8_t out[6], struct sriov_error *err)
{
	unsigned salt = 0;

	if (sriov_mac_is_zero(vf->attrs.mac))
		return guest_auto_mac(inv, pf, vf->index, &salt, out, err);
	memcpy(out, vf->attrs.mac, 6);
	return 0;
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
	r = guest_mac_of(inv, pf, vf, itf.mac, err);
	if (r < 0)
		return r;
	*out = itf;
	return 0;
}
