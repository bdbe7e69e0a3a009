/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host itself does with a PF, found from the netdev upwards: VLANs, bonds and bridges stand on
 * it (their upper_* links in sysfs), and the default route or remote storage may lead out of any of them.
 * Routes are looked up one by one, as for a packet of the host; the table is never dumped.
 */
#include "lib/host/live.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

/* A netdev of the stack that stands on a PF; the PF's own is the first. */
struct floor {
	char name[16];
	int ifindex;
};
struct stack {
	struct floor *at;
	size_t n;
};

/* Where traffic of the host goes out. */
struct outlet {
	char who[64], how[160];
	int ifindex;
};
struct outlets {
	struct outlet *at;
	size_t n;
	live_route route;
	void *route_data;
};

static bool flag_up(int sys, const char *netdev)
{
	char path[64];
	int64_t flags;

	snprintf(path, sizeof(path), "class/net/%s/flags", netdev);
	/* one that cannot be read counts as up: in doubt there is traffic */
	return core_read_number(sys, path, &flags) < 0 || (flags & IFF_UP);
}

static int add_floor(struct stack *stack, int sys, const char *name)
{
	struct floor *floor;
	char path[64];
	int64_t ifindex = 0;

	for (size_t i = 0; i < stack->n; i++)
		if (!strcmp(stack->at[i].name, name))
			return 0;
	floor = core_grow(&stack->at, &stack->n, sizeof(*floor));
	if (!floor)
		return -ENOMEM;
	core_copy(floor->name, sizeof(floor->name), name);
	snprintf(path, sizeof(path), "class/net/%s/ifindex", floor->name);
	core_read_number(sys, path, &ifindex);
	floor->ifindex = ifindex;
	return 0;
}

struct climb {
	struct stack *stack;
	int sys;
};

static int look_up(int dir, const char *name, void *data)
{
	struct climb *climb = data;

	if (strncmp(name, "upper_", 6))
		return 0;
	return add_floor(climb->stack, climb->sys, name + 6);
}

static int climb(struct stack *stack, int sys, const char *netdev)
{
	struct climb what = {stack, sys};
	int r = add_floor(stack, sys, netdev);

	for (size_t i = 0; i < stack->n && !r; i++) {
		char path[64];

		snprintf(path, sizeof(path), "class/net/%s", stack->at[i].name);
		r = sysfs_each(sys, path, look_up, &what);
		if (r == -ENOENT)
			r = 0; /* gone meanwhile */
	}
	return r;
}

/* What a master is, by the folder that only its kind has. */
static const struct {
	const char *folder, *kind, *role;
} masters[] = {
	{"bonding", "bond", "is a member"},
	{"bridge", "bridge", "is a port"},
};

static int add_master(struct sriov_uses *uses, int sys, const struct floor *member)
{
	const char *kind = "device", *role = "is a member";
	char path[96], master[16];

	snprintf(path, sizeof(path), "class/net/%s/master", member->name);
	if (core_read_link_base(sys, path, master, sizeof(master)) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(masters); i++) {
		snprintf(path, sizeof(path), "class/net/%s/%s", master, masters[i].folder);
		if (faccessat(sys, path, F_OK, 0) < 0)
			continue;
		kind = masters[i].kind;
		role = masters[i].role;
	}
	/* the kernel's OVS data path has one netdev of this name for all its bridges */
	if (!strcmp(master, "ovs-system")) {
		kind = "OVS";
		role = "is a port";
	}
	snprintf(path, sizeof(path), "%s %s", kind, master);
	return uses_add(uses, flag_up(sys, member->name), path, "%s %s", member->name, role)
		       ? 0
		       : -ENOMEM;
}

static int add_outlet(struct outlets *outlets, const char *who, const char *how, int ifindex)
{
	struct outlet *outlet = core_grow(&outlets->at, &outlets->n, sizeof(*outlet));

	if (!outlet)
		return -ENOMEM;
	core_copy(outlet->who, sizeof(outlet->who), who);
	core_copy(outlet->how, sizeof(outlet->how), how);
	outlet->ifindex = ifindex;
	return 0;
}

/* Addresses for documentation (RFC 5737, RFC 3849): nothing but a default route leads there. */
static const struct {
	int family;
	const char *addr, *how;
} nowhere[] = {
	{AF_INET, "192.0.2.1", "IPv4"},
	{AF_INET6, "2001:db8::1", "IPv6"},
};

static int find_default_routes(struct outlets *outlets)
{
	for (size_t i = 0; i < ARRAY_SIZE(nowhere); i++) {
		struct route_facts facts = {0};
		uint8_t addr[16];

		inet_pton(nowhere[i].family, nowhere[i].addr, addr);
		if (outlets->route(outlets->route_data, nowhere[i].family, addr, true, &facts) < 0)
			continue;
		/* a longer match is a route that somebody made for these very addresses */
		if (facts.local || facts.dst_len)
			continue;
		for (size_t k = 0; k < facts.n; k++)
			if (add_outlet(outlets, "default route", nowhere[i].how, facts.ifindex[k]) <
			    0)
				return -ENOMEM;
	}
	return 0;
}

static int find_storage(const struct storage *storage, void *data)
{
	struct outlets *outlets = data;
	struct route_facts facts = {0};

	if (outlets->route(outlets->route_data, storage->family, storage->addr, false, &facts) <
		    0 ||
	    facts.local)
		return 0;
	for (size_t k = 0; k < facts.n; k++)
		if (add_outlet(outlets, storage->who, storage->how, facts.ifindex[k]) < 0)
			return -ENOMEM;
	return 0;
}

static int add_pf_uses(struct sriov_pf *pf, int sys, const struct outlets *outlets)
{
	struct stack stack = {0};
	int r = climb(&stack, sys, pf->netdev);

	for (size_t i = 0; i < stack.n && !r; i++) {
		const struct floor *floor = &stack.at[i];

		r = add_master(&pf->uses, sys, floor);
		for (size_t k = 0; k < outlets->n && !r; k++)
			if (outlets->at[k].ifindex == floor->ifindex &&
			    !uses_add(&pf->uses, true, outlets->at[k].who, "%s, through %s",
				      outlets->at[k].how, floor->name))
				r = -ENOMEM;
	}
	free(stack.at);
	return r;
}

int uses_of_host(int sys, int proc, live_route route, void *data, struct sriov_inventory *inv,
		 struct sriov_error *err)
{
	struct outlets outlets = {.route = route, .route_data = data};
	int r = find_default_routes(&outlets), storage = 0;

	if (!r)
		storage = storage_each(sys, proc, find_storage, &outlets);
	if (storage == -ENOMEM)
		r = storage;
	for (size_t i = 0; i < inv->npfs && !r; i++) {
		struct sriov_pf *pf = &inv->pf[i];

		if (!pf->netdev[0])
			continue;
		r = add_pf_uses(pf, sys, &outlets);
		if (!r && storage < 0) {
			struct sriov_use *use = uses_add(&pf->uses, false, "storage",
							 "the host's mounts cannot be read: %s",
							 strerror(-storage));

			if (use)
				use->unreadable = true;
			else
				r = -ENOMEM;
		}
	}
	free(outlets.at);
	return r == -ENOMEM ? core_oom(err)
	       : r < 0      ? core_errno(err, r, "host", "cannot read what uses the PFs")
			    : 0;
}

static struct sriov_use *add_netdev_use(struct sriov_vf *vf)
{
	if (vf->in_netns)
		return uses_add(&vf->uses, true, "netns",
				"bound to %s, and its netdev is in another network namespace",
				vf->driver);
	if (vf->master[0])
		return uses_add(&vf->uses, vf->netdev_up, "host", "netdev %s is %sin %s",
				vf->netdev, vf->netdev_up ? "up and " : "", vf->master);
	return uses_add(&vf->uses, true, "host", "netdev %s is up", vf->netdev);
}

int uses_of_netdevs(struct sriov_inventory *inv, struct sriov_error *err)
{
	for (size_t i = 0; i < inv->npfs; i++) {
		for (size_t k = 0; k < (inv->pf[i].vf ? inv->pf[i].vfs : 0); k++) {
			struct sriov_vf *vf = &inv->pf[i].vf[k];

			if ((vf->in_netns || vf->master[0] || vf->netdev_up) && !add_netdev_use(vf))
				return core_oom(err);
		}
	}
	return 0;
}
