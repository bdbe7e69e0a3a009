/* SPDX-License-Identifier: Apache-2.0 */
/* Which lease a request gets: the guest's own, the VF that its domain names, or a free place. See choose.h. */
#include "lib/guest/choose.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- the guest's own lease ---- */

/* The VFs' generation on that PF, and whether it is still the NIC that was leased from. */
static int read_epoch(struct store *store, const struct sriov_pf *pf, unsigned *epoch,
		      bool *same_nic, struct sriov_error *err)
{
	struct store_pf known = {0};
	int r = store ? store_pf_get(store, pf->address, &known, err) : -ENOENT;

	if (r < 0 && r != -ENOENT)
		return r;
	*epoch = r ? 0 : known.epoch;
	*same_nic = r || sriov_mac_is_zero(known.perm_mac) || sriov_mac_is_zero(pf->perm_mac) ||
		    !memcmp(known.perm_mac, pf->perm_mac, sizeof(known.perm_mac));
	if (!r)
		store_pf_clear(&known);
	return 0;
}

bool guest_lease_place(const struct sriov_inventory *inv, struct store *store,
		       const struct sriov_lease *lease, struct guest_choice *out, char *why,
		       size_t size)
{
	const struct sriov_pf *pf = inventory_find(inv, lease->pf);
	struct sriov_error err = {0};
	const char *wrong = NULL;
	bool same_nic = true;
	unsigned epoch = 0;

	if (!pf)
		wrong = "the host has no such PF now";
	else if (read_epoch(store, pf, &epoch, &same_nic, &err) < 0)
		wrong = err.message;
	else if (!same_nic)
		wrong = "another NIC is at that address now";
	else if (lease->vf >= 0 && !pf_vf(pf, lease->vf))
		wrong = "the PF has fewer VFs now";
	else if (lease->vf >= 0 && (epoch != lease->epoch || !strcmp(lease->state, "stale")))
		wrong = "the PF's VFs were deleted and made anew since";
	if (wrong) {
		snprintf(why, size, "%s", wrong);
		return false;
	}
	*out = (struct guest_choice){
		.pf = pf,
		.vf = lease->vf < 0 ? NULL : pf_vf(pf, lease->vf),
		.node = guest_pf_node(inv, pf),
	};
	while (out->path + 1 < SRIOV_PATHS && strcmp(sriov_path_word(out->path), lease->path) != 0)
		out->path++;
	return true;
}

/* "VF 3" or "its macvtap". */
static const char *held(const struct sriov_lease *lease, char buf[32])
{
	if (lease->vf < 0)
		snprintf(buf, 32, "its %s", lease->path);
	else
		snprintf(buf, 32, "VF %d", lease->vf);
	return buf;
}

static int stale(const struct sriov_lease *lease, struct sriov_error *err, const char *why)
{
	char what[32];

	sriov_error_set(err, -ESTALE, lease->guest, "its lease %ld of %s of %s is stale: %s",
			lease->id, held(lease, what), lease->pf, why);
	return sriov_error_hint(err, "end it with `sriovctl guest detach '%s'` and ask again",
				lease->guest);
}

bool guest_is_use(const struct sriov_use *use, const char *guest)
{
	size_t len = strlen(guest);

	return !strncmp(use->who, "guest ", 6) && !strncmp(use->who + 6, guest, len) &&
	       (!use->who[6 + len] || !strncmp(use->who + 6 + len, " (", 2));
}

static int check_shared(const struct sriov_lease *lease, const struct guest_choice *choice,
			struct sriov_error *err)
{
	char label[40];

	for (size_t i = 0; choice->vf && i < choice->vf->uses.n; i++) {
		const struct sriov_use *use = &choice->vf->uses.at[i];

		if (strncmp(use->who, "guest ", 6) || guest_is_use(use, lease->guest))
			continue;
		sriov_error_set(err, -EBUSY, lease->guest, "its VF %d of %s is also %s's: %s",
				lease->vf, guest_pf_label(choice->pf, label), use->who, use->how);
		return sriov_error_hint(err,
					"remove the VF from that guest, or end the lease: sriovctl "
					"guest detach '%s'",
					lease->guest);
	}
	return 0;
}

/* The same on a VF and on a port of OVS, between which guests are moved. */
static const char *kind_of(const struct sriov_guest_request *as, enum sriov_path path)
{
	if (path == SRIOV_PATH_MACVTAP)
		return as->mode ?: guest_macvtap_words[MACVTAP_BRIDGE];
	if (path == SRIOV_PATH_TAP)
		return "";
	return as->hands_off ? "hands-off"
	       : as->raw     ? "raw"
	       : as->standby ? "standby"
			     : "interface";
}

/* What was asked for in so many words must be what it holds: nothing of it would be done now. */
static int check_kind(const struct sriov_guest_request *as, const struct sriov_lease *lease,
		      struct sriov_error *err)
{
	bool macvtap = !strcmp(lease->path, sriov_path_word(SRIOV_PATH_MACVTAP));
	bool said = macvtap ? as->mode != NULL : as->hands_off || as->raw || as->standby;
	const char *wanted = !said ? lease->kind : macvtap ? as->mode : kind_of(as, SRIOV_PATH_VF);
	char what[32];

	if (!strcmp(wanted, lease->kind))
		return 0;
	sriov_error_set(err, -EEXIST, lease->guest,
			"holds %s of %s as %s already (lease %ld), not as %s", held(lease, what),
			lease->pf, lease->kind, lease->id, wanted);
	return sriov_error_hint(err, "end it first: sriovctl guest detach '%s'", lease->guest);
}

/* What a lease has is not exchanged under its guest. */
static int check_asked(const struct sriov_guest_request *as, const struct sriov_lease *lease,
		       const struct guest_choice *choice, struct sriov_error *err)
{
	const char *pool = choice->vf ? choice->vf->pool : lease->pool;
	bool virtio = !choice->vf || !strcmp(lease->kind, "standby");
	char what[32], has[64] = "", wants[64] = "";

	if (as->queues && virtio && as->queues != (lease->queues ?: 1)) {
		snprintf(has, sizeof(has), "%u queue%s", lease->queues ?: 1,
			 lease->queues > 1 ? "s" : "");
		snprintf(wants, sizeof(wants), "%u", as->queues);
	} else if (as->pool && strcmp(as->pool, *pool ? pool : GUEST_POOL) != 0) {
		snprintf(has, sizeof(has), "pool %s", *pool ? pool : GUEST_POOL);
		snprintf(wants, sizeof(wants), "%s", as->pool);
	}
	if (!*has)
		return 0;
	sriov_error_set(err, -EEXIST, lease->guest, "holds %s with %s already (lease %ld), not %s",
			held(lease, what), has, lease->id, wants);
	return sriov_error_hint(err, "sriovctl guest detach '%s' first, then attach it anew",
				lease->guest);
}

/* The lease, checked against what is asked for now. */
static int reuse(const struct guest_ask *ask, const struct sriov_lease *lease,
		 struct guest_choice *out, struct sriov_error *err)
{
	const char *guest = lease->guest;
	char label[40], node[32] = "", what[32], why[160];
	struct guest_choice choice;
	bool elsewhere;
	int r;

	if (!guest_lease_place(ask->inv, ask->store, lease, &choice, why, sizeof(why)))
		return stale(lease, err, why);
	guest_pf_label(choice.pf, label);
	if (ask->uuid[0] && lease->uuid[0] && strcasecmp(ask->uuid, lease->uuid) != 0) {
		sriov_error_set(err, -EEXIST, guest,
				"lease %ld belongs to the domain with UUID %s, not to %s",
				lease->id, lease->uuid, ask->uuid);
		return sriov_error_hint(err,
					"end it if that domain is gone: sriovctl guest detach '%s'",
					lease->uuid);
	}
	elsewhere = ask->strict && ask->node >= 0 && choice.node >= 0 && ask->node != choice.node;
	if (elsewhere) {
		sriov_error_set(err, -EEXIST, guest,
				"holds %s of %s on node %d already (lease %ld), not where it is "
				"wanted now",
				held(lease, what), label, choice.node, lease->id);
		return sriov_error_hint(err, "end it first: sriovctl guest detach '%s'", guest);
	}
	r = check_kind(ask->as, lease, err);
	if (!r)
		r = check_asked(ask->as, lease, &choice, err);
	if (!r)
		r = check_shared(lease, &choice, err);
	if (!r)
		r = guest_pf_ready(choice.pf, err);
	if (r < 0)
		return r;
	if (choice.node >= 0)
		snprintf(node, sizeof(node), "node %d: ", choice.node);
	snprintf(choice.reason, sizeof(choice.reason), "%s%s of %s, held by lease %ld since %s",
		 node, held(lease, what), label, lease->id, lease->created);
	*out = choice;
	return 0;
}

/* "physnet red on ens2f0, ens1f0": what tells a guest's leases apart. */
static int several(const struct sriov_lease *lease, size_t n, struct sriov_error *err)
{
	char text[200] = "";
	size_t used = 0;

	for (size_t i = 0; i < n && used < sizeof(text); i++)
		used += snprintf(text + used, sizeof(text) - used, "%s%s%s%s", i ? ", " : "",
				 lease[i].pf, lease[i].net[0] ? " on physnet " : "", lease[i].net);
	sriov_error_set(err, -ENOTUNIQ, lease->guest, "holds %zu leases: %s", n, text);
	return sriov_error_hint(err, "say which: --pf PF or --net PHYSNET");
}

int guest_lease_find(struct store *store, const struct sriov_inventory *inv, const char *guest,
		     const char *net, const char *pf, struct sriov_lease *out,
		     struct sriov_error *err)
{
	const struct sriov_pf *port = pf && inv ? inventory_find(inv, pf) : NULL;
	const char *address = port ? port->address : pf;
	_free_ struct sriov_lease *list = NULL;
	size_t n = 0, kept = 0;
	int r = store ? store_lease_of(store, guest, &list, &n, err) : 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if ((!net || !strcmp(list[i].net, net)) &&
		    (!address || !strcmp(list[i].pf, address)))
			list[kept++] = list[i];
	if (kept > 1)
		return several(list, kept, err);
	if (!kept)
		return -ENOENT;
	*out = list[0];
	return 0;
}

/* ---- the VF that the domain names ---- */

bool guest_ask_wants(const struct guest_ask *ask, const struct sriov_pf *pf)
{
	for (size_t i = 0; i < ask->nonly; i++)
		if (ask->only[i] == pf)
			return true;
	return !ask->nonly;
}

/* By somebody else's choice, and not leased; false if there is none. */
static bool find_named(const struct guest_ask *ask, struct guest_choice *out)
{
	const struct sriov_inventory *inv = ask->inv;

	for (size_t p = 0; p < inv->npfs; p++) {
		const struct sriov_pf *pf = &inv->pf[p];

		for (unsigned v = 0; guest_ask_wants(ask, pf) && pf->vf && v < pf->vfs; v++) {
			const struct sriov_uses *uses = &pf->vf[v].uses;
			char label[40];

			for (size_t u = 0; u < uses->n; u++) {
				if (!guest_is_use(&uses->at[u], ask->name))
					continue;
				*out = (struct guest_choice){
					.pf = pf, .vf = &pf->vf[v], .node = guest_pf_node(inv, pf)};
				snprintf(out->reason, sizeof(out->reason),
					 "VF %u of %s, which the guest's domain names already (%s)",
					 pf->vf[v].index, guest_pf_label(pf, label),
					 uses->at[u].how);
				return true;
			}
		}
	}
	return false;
}

/* Takes over the VF that the domain names, unless it is where it must not be. */
static int check_named(const struct guest_ask *ask, const struct guest_choice *choice,
		       struct sriov_error *err)
{
	if (!ask->strict || ask->node < 0 || ask->node == choice->node)
		return guest_pf_ready(choice->pf, err);
	sriov_error_set(err, -EEXIST, ask->name, "its domain has %s, not where it is wanted now",
			choice->reason);
	return sriov_error_hint(
		err, "take the VF out of the domain first (virsh detach-interface, virsh "
		     "edit)");
}

/* ---- a free place ---- */

static int place(const struct guest_ask *ask, struct guest_choice *out, struct sriov_error *err)
{
	const struct sriov_guest_request *as = ask->as;
	struct guest_wish wish = {
		.only = ask->only,
		.nonly = ask->nonly,
		.net = as->net,
		.node = ask->node,
		.numa = ask->strict ? SRIOV_NUMA_REQUIRED : as->policy.numa,
		.pick = as->pick,
		.distance = ask->distance,
		.pool = as->pool,
		.switching = ask->switching,
		.tap = ask->tap_pf,
		.path = {SRIOV_PATH_VF, SRIOV_PATH_VHOSTUSER},
		.npaths = as->policy.npaths ?: 2,
	};

	if (as->policy.npaths)
		memcpy(wish.path, as->policy.path, sizeof(wish.path));
	return guest_place(ask->inv, &wish, out, err);
}

/* The network whose bridge has the guest's port: of path vhostuser, and of a pair whose other half is on none. */
static const struct sriov_physnet *net_of_port(const struct guest_ask *ask,
					       const struct guest_choice *choice,
					       const struct sriov_lease *lease)
{
	bool pair = !strcmp(lease->kind, "standby") && !ask->as->bridge;

	if (choice->path == SRIOV_PATH_VHOSTUSER)
		return choice->net;
	return pair && ask->switching ? ask->switching[choice->pf - ask->inv->pf].net : NULL;
}

/* What a virtio NIC is on without a VLAN: the PF of a macvtap, the bridge of a tap or of a vhost-user port. */
static int find_below(const struct guest_ask *ask, const struct guest_choice *choice,
		      struct sriov_lease *lease, struct sriov_error *err)
{
	bool tap = choice->path == SRIOV_PATH_TAP || !strcmp(lease->kind, "standby");
	const struct sriov_physnet *net = net_of_port(ask, choice, lease);

	if (net) {
		core_copy(lease->net, sizeof(lease->net), net->name);
		core_copy(lease->below, sizeof(lease->below), net->bridge);
		/* its name needs the MAC: guest_settle_mac() completes it */
		core_copy(lease->socket, sizeof(lease->socket), net->sockets);
		return 0;
	}
	if (choice->path == SRIOV_PATH_MACVTAP)
		core_copy(lease->below, sizeof(lease->below), choice->pf->netdev);
	else if (tap)
		core_copy(lease->below, sizeof(lease->below), ask->as->bridge);
	if (!tap || lease->below[0])
		return 0;
	sriov_error_set(err, -EINVAL, ask->name, "its virtio NIC needs a bridge to be on");
	return sriov_error_hint(err, "name it: --bridge BRIDGE");
}

static int new_lease(const struct guest_ask *ask, const struct guest_choice *choice, bool named,
		     struct sriov_lease *lease, struct sriov_error *err)
{
	const struct sriov_guest_request *as = ask->as;
	bool same_nic;

	*lease = (struct sriov_lease){
		.generation = 1,
		.vf = choice->vf ? (int)choice->vf->index : -1,
		.node = choice->node,
		.queues = choice->vf && !as->standby ? 0 : as->queues,
	};
	core_copy(lease->guest, sizeof(lease->guest), ask->name);
	core_copy(lease->uuid, sizeof(lease->uuid), ask->uuid);
	core_copy(lease->state, sizeof(lease->state), named ? "adopted" : "reserved");
	core_copy(lease->path, sizeof(lease->path), sriov_path_word(choice->path));
	core_copy(lease->kind, sizeof(lease->kind), kind_of(as, choice->path));
	core_copy(lease->net, sizeof(lease->net), as->net ?: "");
	core_copy(lease->pf, sizeof(lease->pf), choice->pf->address);
	core_copy(lease->address, sizeof(lease->address), choice->vf ? choice->vf->address : "");
	core_copy(lease->pool, sizeof(lease->pool), choice->vf ? choice->vf->pool : as->pool ?: "");
	core_copy(lease->uri, sizeof(lease->uri), ask->host->uri ?: "");
	core_now(lease->created);
	if (choice->fallback)
		core_copy(lease->reason, sizeof(lease->reason), choice->reason);
	if (find_below(ask, choice, lease, err) < 0)
		return -EINVAL;
	return read_epoch(ask->store, choice->pf, &lease->epoch, &same_nic, err);
}

int guest_choose(const struct guest_ask *ask, struct guest_choice *choice,
		 struct sriov_lease *lease, struct sriov_error *err)
{
	const struct sriov_guest_request *as = ask->as;
	bool named;
	int r = guest_lease_find(ask->store, ask->inv, ask->name, as->net, as->pf, lease, err);

	if (!r)
		return reuse(ask, lease, choice, err);
	if (r != -ENOENT)
		return r;
	named = find_named(ask, choice);
	r = named ? check_named(ask, choice, err) : place(ask, choice, err);
	return r < 0 ? r : new_lease(ask, choice, named, lease, err);
}

/* ---- what it is in the domain ---- */

/* A port of OVS has its limit there, by a meter. */
static void limit_device(const struct sriov_lease *lease, struct guest_device *out)
{
	out->has_rate = lease->attrs.has & SRIOV_VF_RATE;
	out->rate = out->has_rate ? lease->attrs.max_rate * 125ULL : 0;
}

/* The virtio device of the lease: the whole of it, or the half of a pair that stays. */
static void virtio_device(const struct sriov_lease *lease, struct guest_device *out)
{
	out->queues = lease->queues;
	if (lease->socket[0]) {
		out->path = GUEST_VHOSTUSER;
		core_copy(out->socket, sizeof(out->socket), lease->socket);
		return;
	}
	limit_device(lease, out);
	out->path = !strcmp(lease->path, "macvtap") ? GUEST_MACVTAP : GUEST_TAP;
	core_copy(out->netdev, sizeof(out->netdev), lease->below);
	while (out->path == GUEST_MACVTAP && out->mode < MACVTAP_PASSTHROUGH &&
	       strcmp(guest_macvtap_words[out->mode], lease->kind) != 0)
		out->mode++;
}

static void vf_device(const struct sriov_lease *lease, struct guest_device *out)
{
	out->path = GUEST_VF;
	core_copy(out->address, sizeof(out->address), lease->address);
	out->raw = !strcmp(lease->kind, "raw");
	out->vlan = out->raw ? 0 : lease->vlan;
}

size_t guest_lease_devices(const struct sriov_lease *lease,
			   struct guest_device device[GUEST_DEVICES])
{
	bool pair = !strcmp(lease->kind, "standby");
	size_t n = 0;

	device[0] = device[1] = (struct guest_device){0};
	if (!strcmp(lease->kind, "hands-off"))
		return 0;
	/* the half that stays comes first: the VF names its alias */
	if (pair || lease->vf < 0)
		virtio_device(lease, &device[n++]);
	if (lease->vf >= 0)
		vf_device(lease, &device[n++]);
	for (size_t i = 0; i < n; i++) {
		memcpy(device[i].mac, lease->mac, 6);
		if (!pair)
			continue;
		device[i].team = i ? TEAM_TRANSIENT : TEAM_PERSISTENT;
		snprintf(device[i].alias, sizeof(device[i].alias), "ua-sriovctl-%02x%02x%02x",
			 lease->mac[3], lease->mac[4], lease->mac[5]);
	}
	return n;
}

const char *guest_lease_port(const struct sriov_lease *lease)
{
	const char *slash = strrchr(lease->socket, '/');

	return slash ? slash + 1 : lease->socket;
}

void guest_lease_socket(struct sriov_lease *lease, const char *directory)
{
	const uint8_t *mac = lease->mac;

	/* 15 characters, as a netdev's name has at most; the MAC is the guest's alone on this host */
	snprintf(lease->socket, sizeof(lease->socket), "%.90s/vhu%02x%02x%02x%02x%02x%02x",
		 directory, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}
