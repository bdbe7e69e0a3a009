/* SPDX-License-Identifier: Apache-2.0 */
/* `guest xml`: a lease and the XML that gives its VF to libvirt; and the list of leases, with their states. */
#include "lib/guest/choose.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define READ_GUESTS (SRIOV_READ_VFS | SRIOV_READ_ATTRS | SRIOV_READ_USERS | SRIOV_READ_NODES)

static void free_inventory(struct sriov_inventory **inv)
{
	sriov_inventory_free(*inv);
}
#define _inventory_ _cleanup_(free_inventory)
#define _ask_ _cleanup_(guest_ask_clear)

/* ---- guest xml ---- */

int guest_check_no_change(struct store *store, const struct sriov_pf *pf, struct sriov_error *err)
{
	struct store_journal journal = {0};
	char label[40];
	int r = store ? store_journal_open_of(store, pf->address, &journal, err) : -ENOENT;

	if (r == -ENOENT)
		return 0;
	if (!r) {
		sriov_error_set(err, -EBUSY, guest_pf_label(pf, label),
				"its VFs are being changed: journal %ld (`%s`) is open",
				journal.row.id, journal.row.command);
		sriov_error_hint(err, "ask again when that is done; `sriovctl journal show` tells");
		r = sriov_error_status(err, SRIOV_REFUSED);
	}
	store_journal_clear(&journal);
	return r;
}

static int make_xml(const struct guest_ask *ask, const struct guest_choice *choice,
		    const struct sriov_lease *lease, char **out, struct sriov_error *err)
{
	struct guest_interface itf = {.vlan = lease->vlan};
	struct guest_device device[GUEST_DEVICES];
	_free_ char *first = NULL;
	size_t n = guest_lease_devices(lease, device);
	int r;

	if (lease->vf >= 0 && !strcmp(lease->kind, "interface")) {
		core_copy(itf.address, sizeof(itf.address), lease->address);
		memcpy(itf.mac, lease->mac, 6);
		if (ask->domain)
			return guest_xml_merge(ask->domain, &itf,
					       guest_node_find(ask->inv, choice->node), out, err);
		return guest_xml_interface(&itf, out, err);
	}
	if (ask->domain) {
		r = guest_device_add(ask->domain, &device[0], n > 1 ? &first : out, err);
		return r || n < 2 ? r : guest_device_add(first, &device[1], out, err);
	}
	if (n == 1)
		return guest_device_xml(&device[0], out, err);
	sriov_error_set(err, -EINVAL, lease->guest,
			n ? "a standby pair is two devices" : "a hands-off lease has no device");
	return sriov_error_hint(err, "give the domain that they belong into: --domain FILE");
}

/* Records a new lease, or the domain's UUID in one that was made by name only. */
static int record(const struct guest_ask *ask, struct sriov_lease *lease, struct sriov_error *err)
{
	if (!lease->id)
		return store_lease_insert(ask->store, lease, err);
	if (!ask->uuid[0] || lease->uuid[0])
		return 0;
	core_copy(lease->uuid, sizeof(lease->uuid), ask->uuid);
	return store_lease_bind(ask->store, lease->id, ask->uuid, err);
}

SRIOV_EXPORT int sriov_guest_xml(struct sriov_host *host, const struct sriov_guest_request *as,
				 bool dry_run, char **xml, struct sriov_lease *lease, char **reason,
				 struct sriov_error *err)
{
	_inventory_ struct sriov_inventory *inv = NULL;
	_free_ char *xml_text = NULL, *reason_text = NULL;
	_ask_ struct guest_ask ask = {.no_ports = true};
	struct sriov_lease made;
	struct guest_choice choice;
	struct store *store = NULL;
	int r = guest_check_name(as->guest, err);

	if (!r)
		r = host_read(host, NULL, READ_GUESTS, &inv, err);
	if (!r)
		r = guest_ask_open(&ask, host, as, inv, as->domain_xml, err);
	if (!r)
		r = store_get(host, !dry_run, &store, err);
	if (r < 0)
		return r;

	/*
	 * From here to the commit nobody else can lease: the leases joined now are all there are, so the
	 * choice cannot lose a race. The XML is made before, for nothing is recorded if it cannot be.
	 */
	if (!dry_run)
		r = store_begin(store, STORE_DURABLE, err);
	if (!r && store)
		r = store_join(store, inv, err);
	if (!r)
		r = guest_ask_store(&ask, store, err);
	/* the XML binds the domain to the VF's node, so that a domain which is bound must be there already */
	ask.strict = ask.node >= 0;
	if (!r)
		r = guest_choose(&ask, &choice, &made, err);
	if (!r && !made.id)
		r = guest_check_no_change(store, choice.pf, err);
	if (!r)
		r = guest_settle_mac(&ask, &choice, &made, err);
	if (!r)
		r = make_xml(&ask, &choice, &made, &xml_text, err);
	if (!r && !(reason_text = strdup(choice.reason)))
		r = core_oom(err);
	if (!r && !dry_run)
		r = record(&ask, &made, err);
	if (!r && !dry_run)
		r = store_commit(store, err);
	if (r < 0) {
		if (!dry_run)
			store_rollback(store);
		return r;
	}
	*xml = core_steal(xml_text);
	*reason = core_steal(reason_text);
	*lease = made;
	return 0;
}

/* ---- leases as they are ---- */

SRIOV_EXPORT int sriov_guest_list(struct sriov_host *host, struct sriov_lease **out, size_t *n,
				  struct sriov_error *err)
{
	struct store *store = NULL;
	int r = store_get(host, false, &store, err);

	if (r < 0)
		return r;
	if (store)
		return store_lease_list(store, NULL, out, n, err);
	*out = NULL;
	*n = 0;
	return 0;
}

/* The guest's own domain that names the VF, as libvirt's files show it; NULL if none does. The lease itself is none. */
static const struct sriov_use *use_by(const struct sriov_vf *vf, const char *guest)
{
	const struct sriov_use *found = NULL;

	for (size_t i = 0; i < vf->uses.n; i++) {
		const struct sriov_use *use = &vf->uses.at[i];

		if (!use->lease && guest_is_use(use, guest) && (!found || use->running))
			found = use;
	}
	return found;
}

static const struct sriov_use *unreadable(const struct sriov_vf *vf)
{
	for (size_t i = 0; i < vf->uses.n; i++)
		if (vf->uses.at[i].unreadable)
			return &vf->uses.at[i];
	return NULL;
}

bool guest_lease_waits(const struct sriov_lease *lease)
{
	return !strcmp(lease->state, "ending") ||
	       (!strcmp(lease->state, "reserved") && lease->generation > 1);
}

/*
 * Only of VFs there is evidence without asking libvirt. A lease that was bound to no domain yet may wait for one
 * that is not defined yet.
 */
void guest_lease_judge(const struct sriov_inventory *inv, struct store *store,
		       struct sriov_lease_state *state)
{
	struct sriov_lease *lease = &state->lease;
	const struct sriov_use *use, *hidden;
	struct guest_choice place;

	if (!guest_lease_place(inv, store, lease, &place, state->why, sizeof(state->why))) {
		state->stale = true;
		core_copy(lease->state, sizeof(lease->state), "stale");
		return;
	}
	if (!place.vf || !strcmp(lease->kind, "hands-off")) {
		snprintf(state->why, sizeof(state->why), "kept until it is detached");
		return;
	}
	use = use_by(place.vf, lease->guest);
	hidden = unreadable(place.vf);
	if (use) {
		snprintf(state->why, sizeof(state->why), "%s: %s", use->who, use->how);
		if (strcmp(lease->state, "adopted") != 0 && strcmp(lease->state, "ending") != 0)
			core_copy(lease->state, sizeof(lease->state),
				  use->running ? "active" : "reserved");
	} else if (hidden) {
		snprintf(state->why, sizeof(state->why), "not known: %s", hidden->how);
	} else if (!lease->uuid[0]) {
		snprintf(state->why, sizeof(state->why), "no domain names its VF yet");
	} else {
		snprintf(state->why, sizeof(state->why),
			 "no domain of this guest names VF %d of %s", lease->vf, lease->pf);
		state->stale = true;
		core_copy(lease->state, sizeof(lease->state), "stale");
	}
}

SRIOV_EXPORT int sriov_lease_judge(struct sriov_host *host, struct sriov_lease_state **out,
				   size_t *n, struct sriov_error *err)
{
	_inventory_ struct sriov_inventory *inv = NULL;
	_free_ struct sriov_lease_state *list = NULL;
	_free_ struct sriov_lease *lease = NULL;
	struct store *store = NULL;
	size_t count = 0;
	int r = host_read(host, NULL, SRIOV_READ_VFS | SRIOV_READ_USERS, &inv, err);

	if (!r)
		r = store_get(host, false, &store, err);
	if (!r && store)
		r = store_lease_list(store, NULL, &lease, &count, err);
	if (r < 0)
		return r;
	list = calloc(count + 1, sizeof(*list));
	if (!list)
		return core_oom(err);
	for (size_t i = 0; i < count; i++) {
		list[i].lease = lease[i];
		guest_lease_judge(inv, store, &list[i]);
	}
	*out = core_steal(list);
	*n = count;
	return 0;
}
