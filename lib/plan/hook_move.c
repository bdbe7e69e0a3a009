/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest that comes from another host, or from a file: its domain names the VFs and sockets of then. It gets those
 * of this host, and nothing else of its XML changes.
 */
#include "lib/guest/choose.h"
#include "lib/plan/hook.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define READ_PLACES (SRIOV_READ_VFS | SRIOV_READ_ATTRS | SRIOV_READ_USERS | SRIOV_READ_NODES)

struct move {
	struct hook *hook;
	struct sriov_inventory *inv;
	struct store *store; /* NULL: there is no database */
	struct hook_rename *rename;
	size_t n;
	int node;
};

static int rename_device(struct move *move, const struct hook_device *device, const char *to,
			 struct sriov_error *err)
{
	struct hook_rename *rename = core_grow(&move->rename, &move->n, sizeof(*rename));

	if (!rename)
		return core_oom(err);
	rename->device = device;
	core_copy(rename->to, sizeof(rename->to), to);
	return 0;
}

/* ---- VFs ---- */

static bool find_vf(const struct move *move, const char *address, struct sriov_pf **pf,
		    struct sriov_vf **vf)
{
	for (size_t p = 0; p < move->inv->npfs; p++)
		for (unsigned v = 0; move->inv->pf[p].vf && v < move->inv->pf[p].vfs; v++) {
			*pf = &move->inv->pf[p];
			*vf = &move->inv->pf[p].vf[v];
			if (!strcmp((*vf)->address, address))
				return true;
		}
	return false;
}

/* 1: the guest has a lease of the VF. */
static int is_leased(const struct move *move, const struct sriov_pf *pf, const struct sriov_vf *vf,
		     struct sriov_error *err)
{
	_free_ struct sriov_lease *list = NULL;
	size_t n = 0;
	int r = store_lease_list(move->store, pf->address, &list, &n, err);

	for (size_t i = 0; r >= 0 && i < n; i++)
		if (list[i].vf == (int)vf->index && hook_is_mine(&move->hook->domain, &list[i]))
			r = 1;
	return r;
}

/* Uses by the guest itself: its definition here, as a restored one has, is no obstacle. */
static void drop_own_uses(const struct move *move, struct sriov_vf *vf)
{
	size_t kept = 0;

	for (size_t i = 0; i < vf->uses.n; i++)
		if (!guest_is_use(&vf->uses.at[i], move->hook->domain.name))
			vf->uses.at[kept++] = vf->uses.at[i];
	vf->uses.n = kept;
}

static int record(struct move *move, const struct sriov_pf *pf, struct sriov_vf *vf,
		  const struct hook_device *device, struct sriov_error *err)
{
	struct change named = {.host = move->hook->host, .pf = (struct sriov_pf *)pf};
	struct sriov_lease lease;
	int r = guest_check_no_change(move->store, pf, err);

	if (!r)
		r = store_pf_get(move->store, pf->address, &named.known, err);
	if (r < 0 && r != -ENOENT)
		return r;
	lease = guest_adopted(&named, vf, move->hook->domain.name);
	store_pf_clear(&named.known);
	core_copy(lease.uuid, sizeof(lease.uuid), move->hook->domain.uuid);
	core_copy(lease.kind, sizeof(lease.kind), device->interface ? "interface" : "raw");
	if (device->interface) {
		memcpy(lease.mac, device->mac, 6);
		lease.vlan = device->vlan;
	}
	if (!uses_add(&vf->uses, false, move->hook->domain.name, "chosen a moment ago"))
		return core_oom(err);
	return store_lease_insert(move->store, &lease, err);
}

/* The PFs of --net into @only, which has room for all. */
static int pfs_of_net(const struct move *move, const struct sriov_pf **only, size_t *n,
		      struct sriov_error *err)
{
	const char *name = move->hook->as->net;
	struct sriov_physnet *nets = NULL;
	size_t nnets = 0;
	bool known = false;
	int r = store_physnet_list(move->store, &nets, &nnets, err);

	for (size_t i = 0; !r && i < nnets; i++) {
		if (strcmp(nets[i].name, name) != 0)
			continue;
		known = true;
		for (size_t k = 0; k < nets[i].npfs; k++) {
			only[*n] = inventory_find(move->inv, nets[i].pf[k]);
			*n += only[*n] && *n < move->inv->npfs;
		}
	}
	sriov_physnets_free(nets, nnets);
	if (r < 0 || *n)
		return r;
	if (known)
		return sriov_error_set(err, -ENODEV, name, "none of its PFs is on this host now");
	sriov_error_set(err, -ENOENT, name, "there is no physnet of that name");
	return sriov_error_hint(err, "`sriovctl physnet show` lists them");
}

/*
 * Which PFs are on the network that the guest comes from is not in its domain: the PF of the VF that is called so
 * here, the physnet that the host's policy says, or the only PF with VFs.
 */
static int possible_pfs(const struct move *move, const struct sriov_pf *same,
			const struct sriov_pf **only, size_t *n, struct sriov_error *err)
{
	*n = 0;
	if (move->hook->as->net)
		return pfs_of_net(move, only, n, err);
	if (same)
		only[(*n)++] = same;
	for (size_t i = 0; !same && i < move->inv->npfs; i++)
		if (move->inv->pf[i].vfs)
			only[(*n)++] = &move->inv->pf[i];
	if (*n < 2)
		return 0;
	sriov_error_set(
		err, -ENOTUNIQ, move->hook->domain.name,
		"it needs a VF of this host, and %zu PFs have some: which of them is on its "
		"network is not known",
		*n);
	return sriov_error_hint(err, "say it in the hook's script: --net PHYSNET");
}

/* The VFs that the guest may get. */
struct places {
	const struct sriov_pf **pf;
	size_t n;
};

static bool is_place(const struct places *places, const struct sriov_pf *pf)
{
	for (size_t i = 0; i < places->n; i++)
		if (places->pf[i] == pf)
			return true;
	return false;
}

/* Whether the guest may have just the VF that is called here as its own was there. */
static bool fits(const struct move *move, const struct places *places, const struct sriov_pf *pf,
		 const struct sriov_vf *vf)
{
	char why[256];

	if (!is_place(places, pf) || guest_vf_taken(pf, vf, vf->pool, why, sizeof(why)))
		return false;
	return !move->hook->as->numa_enforce || move->node < 0 ||
	       guest_pf_node(move->inv, pf) == move->node;
}

static int choose_vf(struct move *move, const struct hook_device *device,
		     const struct places *places, const struct sriov_vf *then,
		     struct sriov_error *err)
{
	const struct guest_wish wish = {.node = move->node,
					.net = move->hook->as->net,
					.numa = move->hook->as->numa_enforce ? SRIOV_NUMA_REQUIRED
									     : SRIOV_NUMA_PREFERRED,
					.pool = then && then->pool[0] ? then->pool : NULL,
					.only = places->pf,
					.nonly = places->n};
	struct guest_choice choice;
	int r = guest_place(move->inv, &wish, &choice, err);

	if (!r)
		r = record(move, choice.pf, (struct sriov_vf *)choice.vf, device, err);
	return r ? r : rename_device(move, device, choice.vf->address, err);
}

static int move_vf(struct move *move, const struct hook_device *device, struct sriov_error *err)
{
	_free_ const struct sriov_pf **only = calloc(move->inv->npfs + 1, sizeof(*only));
	struct places places = {.pf = only};
	struct sriov_pf *pf = NULL;
	struct sriov_vf *vf = NULL;
	bool here = find_vf(move, device->address, &pf, &vf);
	int r;

	if (!only)
		return core_oom(err);
	/* another device than a VF (or a VF of the other host, given whole): nobody could choose for it */
	if (!here && !device->interface)
		return 0;
	r = here ? is_leased(move, pf, vf, err) : 0;
	if (r)
		return r < 0 ? r : 0;
	r = possible_pfs(move, here ? pf : NULL, only, &places.n, err);
	if (r < 0)
		return r;
	if (here)
		drop_own_uses(move, vf);
	if (here && fits(move, &places, pf, vf))
		return record(move, pf, vf, device, err);
	/* a pool is of the PF: on another network its name would say nothing */
	return choose_vf(move, device, &places, here && is_place(&places, pf) ? vf : NULL, err);
}

/* ---- vhost-user ---- */

/* The path becomes part of XML as it is. */
static int check_folder(const char *folder, struct sriov_error *err)
{
	if (!folder[0] ||
	    (folder[0] == '/' && folder[strlen(folder) - 1] != '/' && !strpbrk(folder, "<>&'\"\n")))
		return 0;
	sriov_error_set(err, -EINVAL, folder, "not the path of a folder for sockets");
	return sriov_error_hint(err,
				"an absolute one, without a slash at its end and without <>&'\"");
}

static bool stands_in(const char *socket, const char *folder)
{
	size_t len = strlen(folder);

	return !strncmp(socket, folder, len) && socket[len] == '/' &&
	       !strchr(socket + len + 1, '/');
}

/*
 * Where the sockets of the guest's network are here: as the host's policy says, else as its physnet does, or the only
 * bridge. "": there is none, and the path stays. A path that is one of this host's already stays as well.
 */
static int find_folder(struct move *move, const struct hook_device *device, char *folder,
		       size_t size, struct sriov_error *err)
{
	const struct sriov_hook *as = move->hook->as;
	struct sriov_physnet *nets = NULL;
	size_t n = 0, folders = 0;
	bool here = false;
	int r;

	core_copy(folder, size, as->sockets);
	if (as->sockets)
		return 0;
	r = sriov_physnet_list(move->hook->host, &nets, &n, err);
	for (size_t i = 0; !r && i < n; i++) {
		if (!nets[i].sockets[0] || (as->net && strcmp(nets[i].name, as->net) != 0))
			continue;
		here |= stands_in(device->socket, nets[i].sockets);
		folders += strcmp(folder, nets[i].sockets) != 0;
		core_copy(folder, size, nets[i].sockets);
	}
	sriov_physnets_free(nets, n);
	if (here)
		folder[0] = '\0';
	if (r < 0 || here || folders < 2)
		return r;
	sriov_error_set(err, -ENOTUNIQ, device->socket,
			"the networks of this host have their sockets in several folders");
	return sriov_error_hint(err,
				"say it in the hook's script: --net PHYSNET, or --sockets DIR");
}

static int move_socket(struct move *move, const struct hook_device *device, struct sriov_error *err)
{
	const char *name = strrchr(device->socket, '/');
	char folder[sizeof(device->socket)], to[sizeof(device->socket)];
	int len, r;

	if (!name || !name[1])
		return 0;
	r = find_folder(move, device, folder, sizeof(folder), err);
	if (!r)
		r = check_folder(folder, err);
	if (r < 0 || !folder[0])
		return r;
	len = snprintf(to, sizeof(to), "%s%s", folder, name);
	if (len >= (int)sizeof(to))
		return sriov_error_set(err, -ENAMETOOLONG, device->socket,
				       "in %s its name is longer than a socket's can be", folder);
	return strcmp(to, device->socket) ? rename_device(move, device, to, err) : 0;
}

/* ---- the whole ---- */

static int move_all(struct move *move, struct sriov_error *err)
{
	const struct hook_domain *domain = &move->hook->domain;
	bool vfs = false;
	int r = check_folder(move->hook->as->sockets ?: "", err);

	for (size_t i = 0; i < domain->ndevices; i++)
		vfs |= !domain->device[i].vhostuser;
	if (!r && vfs)
		r = host_read(move->hook->host, NULL, READ_PLACES, &move->inv, err);
	if (!r && vfs)
		r = store_get(move->hook->host, true, &move->store, err);
	/* until the commit nobody else can lease: the choice cannot lose a race */
	if (!r && vfs)
		r = store_begin(move->store, STORE_MARK, err);
	if (!r && vfs)
		r = store_join(move->store, move->inv, err);
	if (!r && vfs)
		move->node = hook_node(domain, move->inv);
	for (size_t i = 0; !r && i < domain->ndevices; i++)
		r = (domain->device[i].vhostuser ? move_socket : move_vf)(move, &domain->device[i],
									  err);
	if (!r && vfs)
		r = store_commit(move->store, err);
	if (vfs && move->store)
		store_rollback(move->store);
	return r;
}

int hook_move(struct hook *hook, char **xml, struct sriov_error *err)
{
	struct move move = {.hook = hook};
	int r = move_all(&move, err);

	if (!r && move.n)
		r = hook_rewrite(hook->as->xml, hook->as->size, move.rename, move.n, xml, err);
	sriov_inventory_free(move.inv);
	free(move.rename);
	return r;
}
