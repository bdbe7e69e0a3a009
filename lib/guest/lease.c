/* SPDX-License-Identifier: Apache-2.0 */
/* Giving a VF to a guest, listing who has which, and taking it back. */
#include "lib/guest/place.h"
#include "lib/store/store.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static void free_inventory(struct sriov_inventory **inv)
{
	sriov_inventory_free(*inv);
}
#define _inventory_ _cleanup_(free_inventory)

/* 1..63 bytes of UTF-8 without control characters, '/', or blanks at the ends. */
static int check_name(const char *name, struct sriov_error *err)
{
	_json_ json_t *utf8 = name ? json_string(name) : NULL; /* NULL if it is not UTF-8 */
	size_t len = name ? strlen(name) : 0;
	bool printable = !len || utf8;
	const char *wrong = NULL;

	if (!len)
		wrong = "is empty";
	else if (len >= SRIOV_NAME_LEN)
		wrong = "is too long";
	else if (isspace((unsigned char)name[0]) || isspace((unsigned char)name[len - 1]))
		wrong = "begins or ends with a blank";
	for (size_t i = 0; i < len; i++) {
		unsigned char c = name[i], next = name[i + 1];

		/* C1 controls are two bytes in UTF-8, and terminals obey them */
		if (c < ' ' || c == 0x7f || (c == 0xc2 && next < 0xa0))
			printable = false;
		if (c == '/' && !wrong)
			wrong = "contains '/'";
	}
	if (!printable)
		wrong = "contains characters that cannot be printed";
	if (!wrong)
		return 0;
	sriov_error_set(err, -EINVAL, "guest name", "'%s' %s",
			printable && len && len < SRIOV_NAME_LEN ? name : "", wrong);
	return sriov_error_hint(err, "guest names have 1 to %d printable characters, no '/'",
				SRIOV_NAME_LEN - 1);
}

/* One call of sriov_guest_xml(). */
struct request {
	const struct sriov_guest_request *as;
	const struct sriov_inventory *inv;
	const struct sriov_pf *pf; /* asked for, or NULL */
	int node;                  /* asked for or the domain's, -1 = any */
	char uuid[40];             /* of the domain */
};

static int read_domain(struct request *req, struct sriov_error *err)
{
	const struct sriov_guest_request *as = req->as;
	char name[SRIOV_NAME_LEN];
	int node = -1, r;

	if (!as->domain_xml)
		return 0;
	r = guest_xml_identity(as->domain_xml, name, req->uuid, err);
	if (!r)
		r = guest_xml_node(as->domain_xml, req->inv->node, req->inv->nnodes, &node, err);
	if (r < 0)
		return r;
	if (name[0] && strcmp(name, as->guest)) {
		sriov_error_set(err, -EINVAL, as->guest, "the domain's name is '%s'", name);
		return sriov_error_hint(err, "a lease belongs to the domain of its name: use '%s'",
					name);
	}
	if (node >= 0 && as->node >= 0 && node != as->node) {
		sriov_error_set(err, -EINVAL, as->guest,
				"its domain is bound to node %d, but node %d is wanted", node,
				as->node);
		return sriov_error_hint(err,
					"leave out --node, or change the domain's numatune and "
					"vcpupin");
	}
	if (req->node < 0)
		req->node = node;
	return 0;
}

static int find_pf(struct request *req, struct sriov_error *err)
{
	const struct sriov_inventory *inv = req->inv;
	_free_ const char **names = NULL;
	const char *near;
	size_t n = 0;

	if (!req->as->pf)
		return 0;
	req->pf = inventory_find(inv, req->as->pf);
	if (req->pf)
		return 0;
	names = calloc(2 * inv->npfs + 1, sizeof(*names));
	if (!names)
		return core_oom(err);
	for (size_t i = 0; i < inv->npfs; i++) {
		names[n++] = inv->pf[i].address;
		if (inv->pf[i].netdev[0])
			names[n++] = inv->pf[i].netdev;
	}
	near = core_nearest(req->as->pf, names);
	sriov_error_set(err, -ENODEV, req->as->pf, "is not an SR-IOV PF of this host");
	if (near)
		return sriov_error_hint(err, "did you mean %s?", near);
	return sriov_error_hint(err, "`sriovctl host show` lists the PFs");
}

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

static int stale(const struct sriov_lease *lease, struct sriov_error *err, const char *why)
{
	sriov_error_set(err, -ESTALE, lease->guest, "its lease %ld of VF %u of %s is stale: %s",
			lease->id, lease->vf, lease->pf, why);
	return sriov_error_hint(err, "end it with `sriovctl guest release '%s'` and ask again",
				lease->guest);
}

/* The VF that a lease names, if it is still that VF. */
static int find_leased(const struct sriov_inventory *inv, struct store *store,
		       const struct sriov_lease *lease, struct guest_choice *out,
		       struct sriov_error *err)
{
	const struct sriov_pf *pf = inventory_find(inv, lease->pf);
	bool same_nic;
	unsigned epoch;
	int r;

	if (!pf)
		return stale(lease, err, "the host has no such PF now");
	r = read_epoch(store, pf, &epoch, &same_nic, err);
	if (r < 0)
		return r;
	if (!same_nic)
		return stale(lease, err, "another NIC is at that address now");
	if (!pf_vf(pf, lease->vf))
		return stale(lease, err, "the PF has fewer VFs now");
	if (epoch != lease->epoch || !strcmp(lease->state, "stale"))
		return stale(lease, err, "the PF's VFs were deleted and made anew since");
	*out = (struct guest_choice){
		.pf = pf, .vf = pf_vf(pf, lease->vf), .node = guest_pf_node(inv, pf)};
	return 0;
}

/* "guest NAME" or "guest NAME (…)". */
static bool is_guest(const struct sriov_use *use, const char *guest)
{
	size_t len = strlen(guest);

	return !strncmp(use->who, "guest ", 6) && !strncmp(use->who + 6, guest, len) &&
	       (!use->who[6 + len] || !strncmp(use->who + 6 + len, " (", 2));
}

/* The guest's own lease, checked against what is asked for now. */
static int reuse(const struct request *req, struct store *store, const struct sriov_lease *lease,
		 struct guest_choice *out, struct sriov_error *err)
{
	char label[40], node[32] = "";
	struct guest_choice choice;
	int r = find_leased(req->inv, store, lease, &choice, err);

	if (r < 0)
		return r;
	guest_pf_label(choice.pf, label);
	if (req->uuid[0] && lease->uuid[0] && strcmp(req->uuid, lease->uuid)) {
		sriov_error_set(err, -EEXIST, lease->guest,
				"lease %ld belongs to the domain with UUID %s, not to %s",
				lease->id, lease->uuid, req->uuid);
		return sriov_error_hint(err,
					"release it if that domain is gone: sriovctl guest "
					"release '%s'",
					lease->guest);
	}
	if ((req->pf && req->pf != choice.pf) ||
	    (req->node >= 0 && choice.node >= 0 && req->node != choice.node)) {
		sriov_error_set(err, -EEXIST, lease->guest,
				"holds VF %u of %s on node %d already (lease %ld), not where it is "
				"wanted now",
				lease->vf, label, choice.node, lease->id);
		return sriov_error_hint(err, "release it first: sriovctl guest release '%s'",
					lease->guest);
	}
	for (size_t i = 0; i < choice.vf->uses.n; i++) {
		const struct sriov_use *use = &choice.vf->uses.at[i];

		if (strncmp(use->who, "guest ", 6) || is_guest(use, lease->guest))
			continue;
		sriov_error_set(err, -EBUSY, lease->guest, "its VF %u of %s is also %s's: %s",
				lease->vf, label, use->who, use->how);
		return sriov_error_hint(err,
					"remove the VF from that guest, or release the lease: "
					"sriovctl guest release '%s'",
					lease->guest);
	}
	r = guest_pf_ready(choice.pf, err);
	if (r < 0)
		return r;
	if (choice.node >= 0)
		snprintf(node, sizeof(node), "node %d: ", choice.node);
	snprintf(choice.reason, sizeof(choice.reason), "%sVF %u of %s, held by lease %ld since %s",
		 node, lease->vf, label, lease->id, lease->created);
	*out = choice;
	return 0;
}

/* The VF that the guest's domain names already, by somebody else's choice; false if there is none. */
static bool find_named(const struct sriov_inventory *inv, const char *guest,
		       struct guest_choice *out)
{
	for (size_t p = 0; p < inv->npfs; p++) {
		const struct sriov_pf *pf = &inv->pf[p];

		for (unsigned v = 0; pf->vf && v < pf->vfs; v++) {
			const struct sriov_uses *uses = &pf->vf[v].uses;
			char label[40];

			for (size_t u = 0; u < uses->n; u++) {
				if (!is_guest(&uses->at[u], guest))
					continue;
				*out = (struct guest_choice){
					.pf = pf, .vf = &pf->vf[v], .node = guest_pf_node(inv, pf)};
				snprintf(out->reason, sizeof(out->reason),
					 "VF %u of %s, which the guest's domain names already (%s)",
					 v, guest_pf_label(pf, label), uses->at[u].how);
				return true;
			}
		}
	}
	return false;
}

/* Takes over the VF that the domain names, unless something else was asked for. */
static int adopt(const struct request *req, const struct guest_choice *choice,
		 struct sriov_error *err)
{
	if ((!req->pf || req->pf == choice->pf) && (req->node < 0 || req->node == choice->node))
		return guest_pf_ready(choice->pf, err);
	sriov_error_set(err, -EEXIST, req->as->guest,
			"its domain has %s, not where it is wanted now", choice->reason);
	return sriov_error_hint(
		err, "take the VF out of the domain first (virsh detach-interface, virsh "
		     "edit)");
}

/* While a change of the PF runs, or was left open, nobody knows which VFs there will be. */
static int check_no_change(struct store *store, const struct sriov_pf *pf, struct sriov_error *err)
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

/* Finds or makes the lease; *@lease is the one to record if its id is 0 afterwards. */
static int choose(const struct request *req, struct store *store, struct guest_choice *choice,
		  struct sriov_lease *lease, struct sriov_error *err)
{
	const char *guest = req->as->guest;
	bool same_nic, named;
	int r = store ? store_lease_find(store, guest, lease, err) : -ENOENT;

	if (!r)
		return reuse(req, store, lease, choice, err);
	if (r != -ENOENT)
		return r;
	named = find_named(req->inv, guest, choice);
	r = named ? adopt(req, choice, err)
		  : guest_place(req->inv, req->pf, req->node, choice, err);
	if (!r)
		r = check_no_change(store, choice->pf, err);
	if (r < 0)
		return r;
	*lease = (struct sriov_lease){
		.generation = 1, .vf = choice->vf->index, .node = choice->node};
	core_copy(lease->guest, sizeof(lease->guest), guest);
	core_copy(lease->uuid, sizeof(lease->uuid), req->uuid);
	core_copy(lease->state, sizeof(lease->state), named ? "adopted" : "reserved");
	core_copy(lease->pf, sizeof(lease->pf), choice->pf->address);
	core_copy(lease->address, sizeof(lease->address), choice->vf->address);
	core_now(lease->created);
	return read_epoch(store, choice->pf, &lease->epoch, &same_nic, err);
}

static int make_xml(const struct request *req, const struct guest_choice *choice, char **out,
		    struct sriov_error *err)
{
	struct guest_interface itf;
	int r = guest_interface_of(req->inv, choice->pf, choice->vf, &itf, err);

	if (r < 0)
		return r;
	if (!req->as->domain_xml)
		return guest_xml_interface(&itf, out, err);
	return guest_xml_merge(req->as->domain_xml, &itf, guest_node_find(req->inv, choice->node),
			       out, err);
}

/* Records a new lease, or the domain's UUID in one that was made by name only. */
static int record(const struct request *req, struct store *store, struct sriov_lease *lease,
		  struct sriov_error *err)
{
	if (!lease->id)
		return store_lease_insert(store, lease, err);
	if (!req->uuid[0] || lease->uuid[0])
		return 0;
	core_copy(lease->uuid, sizeof(lease->uuid), req->uuid);
	return store_lease_bind(store, lease->id, req->uuid, err);
}

SRIOV_EXPORT int sriov_guest_xml(struct sriov_host *host, const struct sriov_guest_request *as,
				 bool dry_run, char **xml, struct sriov_lease *lease, char **reason,
				 struct sriov_error *err)
{
	_inventory_ struct sriov_inventory *inv = NULL;
	_free_ char *xml_text = NULL, *reason_text = NULL;
	struct request req = {.as = as, .node = as->node < 0 ? -1 : as->node};
	struct sriov_lease made;
	struct guest_choice choice;
	struct store *store = NULL;
	int r = check_name(as->guest, err);

	if (!r)
		r = host_read(host, NULL,
			      SRIOV_READ_VFS | SRIOV_READ_ATTRS | SRIOV_READ_USERS |
				      SRIOV_READ_NODES,
			      &inv, err);
	if (r < 0)
		return r;
	req.inv = inv;
	r = find_pf(&req, err);
	if (!r)
		r = read_domain(&req, err);
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
		r = choose(&req, store, &choice, &made, err);
	if (!r)
		r = make_xml(&req, &choice, &xml_text, err);
	if (!r && !(reason_text = strdup(choice.reason)))
		r = core_oom(err);
	if (!r && !dry_run)
		r = record(&req, store, &made, err);
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
