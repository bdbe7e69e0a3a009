/* SPDX-License-Identifier: Apache-2.0 */
/* The networks of a host file: what `physnet add` would make of each, on what is recorded of it. */
#include "lib/guest/physnet.h"
#include "lib/plan/hostfile_plan.h"

#include <errno.h>
#include <string.h>

/* The PFs of a network in the order of its patterns, without twins; they point into the inventory. */
struct matched {
	const char **pf;
	size_t n;
};

static void matched_clear(struct matched *matched)
{
	free(matched->pf);
}

static int add_pf(struct matched *matched, const char *address, struct sriov_error *err)
{
	const char **pf;

	for (size_t i = 0; i < matched->n; i++)
		if (!strcmp(matched->pf[i], address))
			return 0;
	pf = core_grow(&matched->pf, &matched->n, sizeof(*pf));
	if (!pf)
		return core_oom(err);
	*pf = address;
	return 0;
}

static int match_pfs(const struct hostfile *file, const struct hostfile_net *net,
		     const struct sriov_inventory *inv, struct matched *out,
		     struct sriov_error *err)
{
	int r = 0;

	for (size_t k = 0; !r && k < net->npfs; k++) {
		bool found = false;

		for (size_t p = 0; !r && p < inv->npfs; p++) {
			if (!hostfile_names(net->pf[k], &inv->pf[p]))
				continue;
			found = true;
			r = add_pf(out, inv->pf[p].address, err);
		}
		if (!r && !found)
			r = hostfile_none_matches(file, net->line, net->pf[k], inv, err);
	}
	return r;
}

/* A bridge that the file says nothing of stays where it is, whatever the order of the PFs. */
static void keep_first(struct matched *matched, const struct sriov_physnet *was)
{
	for (size_t i = 0; was && was->bridge[0] && i < matched->n; i++) {
		const char *first = matched->pf[i];

		if (strcmp(first, was->uplink_pf) != 0)
			continue;
		matched->pf[i] = matched->pf[0];
		matched->pf[0] = first;
	}
}

static int make_net(const struct hostfile *file, const struct hostfile_net *net,
		    const struct sriov_physnet *was, const struct sriov_inventory *inv,
		    struct sriov_physnet *out, struct sriov_error *err)
{
	_cleanup_(matched_clear)
	struct matched matched = {0};
	struct sriov_physnet_request req = {
		.name = net->name,
		.bridge = net->vswitch ? net->bridge : NULL,
		.uplink = net->vswitch ? net->uplink : NULL,
		.sockets = net->sockets[0] ? net->sockets : NULL,
		.policy = net->policy,
	};
	int r = match_pfs(file, net, inv, &matched, err);

	if (r < 0)
		return r;
	if (!net->vswitch)
		keep_first(&matched, was);
	req.pf = matched.pf;
	req.npfs = matched.n;
	r = physnet_make(&req, was, inv, out, err);
	if (r < 0)
		hostfile_place(file, net->vswitch ?: net->line, err);
	return r;
}

static int refuse_shared(const struct hostfile *file, const struct hostfile_net *net,
			 const char *what, const char *other, const char *why,
			 struct sriov_error *err)
{
	core_yaml_error(err, -EEXIST, file->name, net->line, hostfile_column(file, net->line),
			"%s is on physnet %s already", what, other);
	return sriov_error_hint(err, "%s", why);
}

static int check_unshared(const struct hostfile *file, const struct hostfile_net *entry,
			  const struct sriov_physnet *net, const struct sriov_physnet *other,
			  struct sriov_error *err)
{
	for (size_t p = 0; p < net->npfs; p++)
		for (size_t q = 0; q < other->npfs; q++)
			if (!strcmp(net->pf[p], other->pf[q]))
				return refuse_shared(file, entry, net->pf[p], other->name,
						     "a PF is on one network, as one cable is",
						     err);
	if (net->bridge[0] && !strcmp(net->bridge, other->bridge))
		return refuse_shared(file, entry, net->bridge, other->name,
				     "each network has a bridge of its own", err);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct sriov_physnet *)a)->name,
		      ((const struct sriov_physnet *)b)->name);
}

int hostfile_nets(const struct hostfile *file, const struct sriov_physnet *now, size_t nnow,
		  const struct sriov_inventory *inv, struct sriov_physnet **out, size_t *n,
		  struct sriov_error *err)
{
	struct sriov_physnet *nets = NULL;
	size_t count = 0;
	int r = 0;

	for (size_t i = 0; !r && i < file->nnets; i++) {
		const struct hostfile_net *entry = &file->net[i];
		struct sriov_physnet *net = core_grow(&nets, &count, sizeof(*net));

		r = net ? make_net(file, entry, physnet_named(now, nnow, entry->name), inv, net,
				   err)
			: core_oom(err);
		for (size_t k = 0; !r && k < i; k++)
			r = check_unshared(file, entry, net, &nets[k], err);
	}
	if (r < 0) {
		sriov_physnets_free(nets, count);
		return r;
	}
	if (count)
		qsort(nets, count, sizeof(*nets), by_name);
	*out = nets;
	*n = count;
	return 0;
}
