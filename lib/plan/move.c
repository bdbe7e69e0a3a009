/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The intent of `guest move`: one lease, two sides. What is on the old side goes, what is on the new one comes, in one
 * change; until it is committed the lease says the old one.
 */
#include "lib/guest/choose.h"
#include "lib/guest/physnet.h"
#include "lib/plan/guest.h"
#include "lib/plan/rule.h"
#include "lib/plan/vf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct move {
	struct change change;
	struct sriov_lease from, to;
	enum sriov_path path;
	char reason[200];
};

/* ---- the new side ---- */

static const struct sriov_vf *free_vf(const struct sriov_pf *pf, const char *pool)
{
	char why[256];

	for (unsigned v = 0; pf->vf && v < pf->vfs; v++)
		if (!guest_vf_taken(pf, &pf->vf[v], pool, why, sizeof(why)))
			return &pf->vf[v];
	return NULL;
}

/* A free VF of another PF on the lease's network: its label in @buf, "" = there is none. */
static int free_elsewhere(const struct move *move, char *buf, size_t size, struct sriov_error *err)
{
	struct sriov_inventory *inv = NULL;
	struct sriov_physnet *nets = NULL;
	const struct sriov_physnet *net;
	size_t n = 0;
	int r = store_physnet_list(move->change.store, &nets, &n, err);

	*buf = '\0';
	net = r ? NULL : physnet_named(nets, n, move->from.net);
	if (net && net->npfs > 1)
		r = host_read(move->change.host, NULL, GUEST_CHANGE_READ, &inv, err);
	if (inv)
		r = store_join(move->change.store, inv, err);
	for (size_t i = 0; !r && inv && i < net->npfs && !*buf; i++) {
		const struct sriov_pf *pf = inventory_find(inv, net->pf[i]);

		if (pf && strcmp(pf->address, move->from.pf) != 0 && free_vf(pf, move->from.pool))
			snprintf(buf, size, "%s", pf_label(pf));
	}
	sriov_inventory_free(inv);
	sriov_physnets_free(nets, n);
	return r;
}

/* A move is a change of one PF, whose rules, limits and locks it knows. */
static int none_free(const struct move *move, struct sriov_error *err)
{
	const struct sriov_lease *lease = &move->from;
	const struct sriov_pf *pf = move->change.pf;
	char why[256] = "it has none", other[64];
	int r = free_elsewhere(move, other, sizeof(other), err);

	if (r < 0)
		return r;
	if (pf->vf && pf->vfs)
		guest_vf_taken(pf, &pf->vf[0], lease->pool, why, sizeof(why));
	sriov_error_set(err, -EUSERS, lease->guest, "no VF of %s is free (VF 0: %s)", pf_label(pf),
			why);
	if (*other)
		return sriov_error_hint(
			err,
			"%s of physnet %s has a free one, but a move stays on its PF: "
			"sriovctl guest detach '%s', then guest attach '%s' --net %s",
			other, lease->net, lease->guest, lease->guest, lease->net);
	return sriov_error_hint(err, "sriovctl guest list shows who has them; `guest rebalance` "
				     "moves it when one is free");
}

static int to_vf(struct move *move, struct sriov_error *err)
{
	const struct sriov_pf *pf = move->change.pf;
	const struct sriov_vf *vf = free_vf(pf, move->from.pool);
	bool pair = !strcmp(move->from.kind, "standby");
	struct sriov_lease *to = &move->to;

	if (!vf)
		return none_free(move, err);
	to->vf = vf->index;
	to->epoch = move->change.known.epoch;
	core_copy(to->address, sizeof(to->address), vf->address);
	to->found = (struct sriov_vf_attrs){0};
	to->reason[0] = '\0';
	if (!pair) {
		to->below[0] = to->socket[0] = '\0';
		to->queues = 0;
	}
	snprintf(move->reason, sizeof(move->reason), "VF %u of %s is free", vf->index,
		 pf_label(pf));
	return guest_pf_ready(pf, err);
}

static int no_bridge(const struct move *move, struct sriov_error *err)
{
	const char *pf = pf_label(move->change.pf);

	sriov_error_set(err, -EOPNOTSUPP, move->from.guest,
			"path vhostuser needs a bridge of OVS, and %s is on no physnet with one",
			pf);
	return sriov_error_hint(err,
				"sriovctl physnet add %s %s --bridge BRIDGE --uplink af_packet",
				move->from.net[0] ? move->from.net : "NAME", pf);
}

static const struct sriov_physnet *net_of(const struct sriov_physnet *nets, size_t n,
					  const char *pf)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; nets[i].bridge[0] && k < nets[i].npfs; k++)
			if (!strcmp(nets[i].pf[k], pf))
				return &nets[i];
	return NULL;
}

/* MAC and VLAN of these are ours, and not libvirt's. */
static bool is_ours(const struct sriov_lease *lease)
{
	return !strcmp(lease->kind, "raw") || !strcmp(lease->kind, "hands-off");
}

/* Only a VF whose VLAN is ours can have more than a number. */
static int check_vlan(const struct move *move, struct sriov_error *err)
{
	const struct sriov_vf *vf = move->from.vf < 0 ? NULL
						      : pf_vf(move->change.pf, move->from.vf);

	if (!vf || !is_ours(&move->from) || !vf->attrs.vlan)
		return 0;
	return guest_check_port_vlan(move->from.guest, &vf->attrs, err);
}

static int to_bridge(struct move *move, struct sriov_error *err)
{
	bool pair = !strcmp(move->from.kind, "standby");
	const struct sriov_vf *vf = move->from.vf < 0 ? NULL
						      : pf_vf(move->change.pf, move->from.vf);
	struct sriov_lease *to = &move->to;
	struct sriov_physnet *nets = NULL;
	const struct sriov_physnet *net;
	size_t n = 0;
	int r = check_vlan(move, err);

	if (!r)
		r = store_physnet_list(move->change.store, &nets, &n, err);

	if (r < 0)
		return r;
	net = net_of(nets, n, to->pf);
	if (!net || (pair && !to->socket[0])) {
		r = no_bridge(move, err);
	} else {
		to->vf = -1;
		to->address[0] = '\0';
		to->epoch = 0;
		to->found = (struct sriov_vf_attrs){0};
		core_copy(to->net, sizeof(to->net), net->name);
		core_copy(to->below, sizeof(to->below), net->bridge);
		/* home are the VFs that the one it leaves is of, whoever gave it that */
		if (vf)
			core_copy(to->pool, sizeof(to->pool), vf->pool);
		if (!to->socket[0])
			guest_lease_socket(to, net->sockets);
		snprintf(move->reason, sizeof(move->reason), "port %s on bridge %s",
			 guest_lease_port(to), net->bridge);
	}
	sriov_physnets_free(nets, n);
	return r;
}

/* ---- the parts of the change ---- */

/* Attributes go with the guest: the VF that it leaves is as it was found, the one that it gets as asked for. */
static int want_attrs(struct move *move, struct sriov_error *err)
{
	struct change *change = &move->change;
	struct sriov_vf_attrs found, wanted = move->to.attrs;
	const struct sriov_vf *now;
	struct vf_state *vf;

	if (is_ours(&move->to)) {
		wanted.has |= SRIOV_VF_MAC | SRIOV_VF_VLAN;
		memcpy(wanted.mac, move->to.mac, sizeof(wanted.mac));
		wanted.vlan = move->to.vlan;
	}
	if (move->from.vf >= 0 && move->from.found.has && pf_vf(change->pf, move->from.vf)) {
		vf = state_vf(&change->want, move->from.vf);
		if (!vf)
			return core_oom(err);
		vf->attrs = move->from.found;
	}
	now = move->to.vf < 0 ? NULL : pf_vf(change->pf, move->to.vf);
	if (!now || !wanted.has)
		return 0;
	vf = state_vf(&change->want, move->to.vf);
	if (!vf)
		return core_oom(err);
	vf->attrs = wanted;
	found = now->attrs;
	found.has &= wanted.has;
	move->to.found = found;
	return 0;
}

/*
 * The guest's MAC is where the guest is, and a VF that kept it would have its frames: it gets one of its own, unless
 * it has one to come back to once the guest has left it.
 */
static int want_own_mac(struct move *move, struct sriov_error *err)
{
	struct change *change = &move->change;
	const struct sriov_vf *now = move->from.vf < 0 ? NULL : pf_vf(change->pf, move->from.vf);
	const struct vf_state *states[] = {state_find_vf(&change->want, move->from.vf),
					   state_find_vf(&change->intent, move->from.vf)};
	const uint8_t *mac = now ? now->attrs.mac : NULL;
	struct sriov_vfset left = {0};

	for (size_t i = ARRAY_SIZE(states); now && i-- > 0;)
		if (states[i] && (states[i]->attrs.has & SRIOV_VF_MAC))
			mac = states[i]->attrs.mac;
	if (move->to.vf >= 0 || !now || memcmp(mac, move->to.mac, 6) != 0)
		return 0;
	if (!state_vf(&change->want, now->index))
		return core_oom(err);
	sriov_vfset_add(&left, now->index);
	return vf_want_macs(change, &left, true, NULL, err);
}

static bool is_about(const struct sriov_rules *list, const struct sriov_lease *lease)
{
	for (size_t i = 0; i < list->n; i++)
		if (guest_rule_names(&list->at[i], lease))
			return true;
	return false;
}

/* Rules that name the guest are of its VF, or of the bridge: the table is compiled anew. */
static int want_rules(struct move *move, struct sriov_error *err)
{
	struct change *change = &move->change;
	const struct rule_how how = {.allow = change->intent.allow,
				     .partial = change->intent.partial,
				     .moved = &move->to};
	struct sriov_compiled compiled = {0};
	struct pf_state copy = {0};
	int r = 0;

	if (!(change->intent.has & STATE_LIST) || !is_about(&change->intent.list, &move->from))
		return 0;
	if (state_set_list(&copy, &change->intent.list) < 0)
		return core_oom(err);
	r = rule_compile(&copy.list, change->pf, &change->intent, change->store, &how, &compiled,
			 err);
	if (!r)
		r = rule_want(change, &copy.list, &compiled, &how, err);
	sriov_compiled_clear(&compiled);
	state_clear(&copy);
	return r;
}

static int refuse_running(const struct sriov_lease *lease, struct sriov_error *err)
{
	sriov_error_set(err, -EBUSY, lease->guest, "it runs, and would lose its NIC for a moment");
	sriov_error_hint(err, "--live moves it now%s; or stop it first",
			 strcmp(lease->kind, "standby") != 0
				 ? " (with attach --standby no frame would be lost)"
				 : "");
	return sriov_error_status(err, SRIOV_REFUSED);
}

static int want_guest(struct move *move, bool live, struct sriov_error *err)
{
	struct change *change = &move->change;
	struct guest_state *guest = state_guest(&change->want), *other = state_other(&change->want);
	struct guest_device device[GUEST_DEVICES];
	unsigned all = (1u << guest_lease_devices(&move->to, device)) - 1;
	int r;

	if (!guest || !other)
		return core_oom(err);
	guest->lease = move->to;
	other->lease = move->from;
	guest->leased = true;
	/* nobody's domain: only the use of the VF by its own lease is no obstacle */
	if (!strcmp(move->to.kind, "hands-off"))
		return change_read_guest(change, guest, err);
	guest->speaks[VIRT_CONFIG] = guest->speaks[VIRT_LIVE] = true;
	r = change_read_guest(change, guest, err);
	if (r < 0)
		return r;
	if (change->domain.live && !live)
		return refuse_running(&move->from, err);
	for (unsigned where = 0; where < ARRAY_SIZE(guest->speaks); where++) {
		const char *xml = where == VIRT_LIVE ? change->domain.live : change->domain.config;

		guest->speaks[where] = other->speaks[where] = xml;
		guest->there[where] = xml ? all : 0;
	}
	return guest_check_devices(&change->domain, guest, err);
}

static int plan_move(struct move *move, bool live, struct sriov_error *err)
{
	struct change *change = &move->change;
	int r;

	move->to = move->from;
	core_copy(move->to.path, sizeof(move->to.path), sriov_path_word(move->path));
	core_copy(change->want.address, sizeof(change->want.address), change->pf->address);
	r = move->path == SRIOV_PATH_VF ? to_vf(move, err) : to_bridge(move, err);
	if (!r)
		r = guest_check_carried(change, &move->to, err);
	if (!r)
		r = want_attrs(move, err);
	if (!r)
		r = want_rules(move, err);
	if (!r)
		r = want_guest(move, live, err);
	if (!r)
		r = want_own_mac(move, err);
	if (!r)
		r = change_note(change, err, "%s", move->reason);
	return r;
}

/* The lease as it is under the lock, of the libvirt that was named. */
static int find_again(struct move *move, struct sriov_error *err)
{
	_free_ struct sriov_lease *list = NULL;
	size_t n = 0;
	long id = move->from.id;
	int r = store_lease_list(move->change.store, move->from.pf, &list, &n, err);

	for (size_t i = 0; !r && i < n; i++) {
		if (list[i].id != id)
			continue;
		core_copy(list[i].uri, sizeof(list[i].uri), move->from.uri);
		move->from = list[i];
		return 0;
	}
	return r ? r
		 : sriov_error_set(err, -ENOENT, move->from.guest,
				   "its lease %ld was ended by another command meanwhile", id);
}

static int check_sides(const struct move *move, struct sriov_error *err)
{
	if (move->from.vf >= 0 || move->from.socket[0])
		return 0;
	sriov_error_set(err, -EOPNOTSUPP, move->from.guest, "holds a %s, which has no other side",
			move->from.path);
	return sriov_error_hint(err, "detach it, and attach it anew with --paths %s",
				sriov_path_word(move->path));
}

/* One lease; 0 with an empty plan if it is there already. */
static int move_lease(struct sriov_host *host, const struct sriov_lease *lease,
		      enum sriov_path path, bool live, const struct sriov_options *opts,
		      struct sriov_plan **plan, struct sriov_attached *out, struct sriov_error *err)
{
	struct move move = {.from = *lease, .path = path};
	unsigned what = GUEST_CHANGE_READ | SRIOV_READ_PORT | SRIOV_READ_RULES;
	bool there;
	int r = change_open(&move.change, host, lease->pf, what, opts, err);

	if (!r)
		r = find_again(&move, err);
	there = !r && !strcmp(move.from.path, sriov_path_word(path));
	move.to = move.from;
	if (!r && !there)
		r = check_sides(&move, err);
	if (!r && !there)
		r = plan_move(&move, live, err);
	if (!r && !there)
		r = change_run(&move.change, err);
	if (!r && out) {
		out->lease = there ? move.from : move.change.want.guest->lease;
		out->node = out->lease.node;
		out->reason = strdup(there ? "it is there already" : move.reason);
		r = out->reason ? 0 : core_oom(err);
	}
	if (move.change.host)
		change_give_plan(&move.change, plan);
	change_close(&move.change);
	return r;
}

SRIOV_EXPORT int sriov_guest_move(struct sriov_host *host, const struct sriov_guest_request *req,
				  enum sriov_path to, const struct sriov_options *opts,
				  struct sriov_plan **plan, struct sriov_attached *out,
				  struct sriov_error *err)
{
	struct sriov_lease lease;
	int r = guest_find(host, req, &lease, err);

	*plan = NULL;
	return r ? r : move_lease(host, &lease, to, req->live, opts, plan, out, err);
}

/* ---- rebalance ---- */

/* A move that only waits for a VF, or for the guest's consent, is no failure. */
static int note_waiting(struct sriov_plan **plan, const struct sriov_lease *lease,
			const struct sriov_error *why, struct sriov_error *err)
{
	char **slot;

	if (!*plan)
		*plan = calloc(1, sizeof(**plan));
	if (!*plan)
		return core_oom(err);
	(*plan)->nsteps = 0;
	(*plan)->status = 0;
	core_copy((*plan)->pf, sizeof((*plan)->pf), lease->pf);
	slot = core_grow(&(*plan)->note, &(*plan)->nnotes, sizeof(*slot));
	if (slot)
		*slot = core_printf("%s stays on %s: %s%s%s", lease->guest, lease->path,
				    why->message, why->hint[0] ? "; " : "", why->hint);
	return slot && *slot ? 0 : core_oom(err);
}

SRIOV_EXPORT int sriov_guest_rebalance(struct sriov_host *host, bool live,
				       const struct sriov_options *opts, struct sriov_plan **plan,
				       struct sriov_error *err)
{
	_free_ struct sriov_lease *lease = NULL;
	struct change_chain chain = {.tail = plan};
	size_t n = 0;
	int r = sriov_guest_list(host, &lease, &n, err);

	*plan = NULL;
	for (size_t i = 0; !r && i < n; i++) {
		struct sriov_error mine = {0};
		int moved;

		if (strcmp(lease[i].path, sriov_path_word(SRIOV_PATH_VHOSTUSER)) != 0 ||
		    !lease[i].reason[0])
			continue;
		moved = move_lease(host, &lease[i], SRIOV_PATH_VF, live, opts, chain.tail, NULL,
				   &mine);
		if (moved == -EUSERS || (moved == -EBUSY && mine.status == SRIOV_REFUSED)) {
			r = note_waiting(chain.tail, &lease[i], &mine, err);
			moved = 0;
		}
		change_chain_add(&chain, moved, &mine);
	}
	return r ? r : change_chain_end(&chain, err);
}
