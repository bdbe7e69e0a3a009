/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nova's configuration as its own parser reads it (nova/conf/pci.py, nova/pci/devspec.py, nova/pci/request.py), and
 * the choice of a port's kind.
 */
#include "lib/guest/place.h"
#include "lib/store/store.h"

#include <sriov/nova.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define POOL "nova"
#define READ_NOVA (SRIOV_READ_VFS | SRIOV_READ_ATTRS | SRIOV_READ_USERS | SRIOV_READ_NODES)

static void free_inventory(struct sriov_inventory **inv)
{
	sriov_inventory_free(*inv);
}
#define _inventory_ _cleanup_(free_inventory)

/* ---- releases ---- */

static const struct {
	const char *name;
	unsigned number;
} releases[] = {
	{"rocky", 18},    {"stein", 19},     {"train", 20},    {"ussuri", 21}, {"victoria", 22},
	{"wallaby", 23},  {"xena", 24},      {"yoga", 25},     {"zed", 26},    {"2023.1", 27},
	{"antelope", 27}, {"2023.2", 28},    {"bobcat", 28},   {"2024.1", 29}, {"caracal", 29},
	{"2024.2", 30},   {"dalmatian", 30}, {"2025.1", 31},   {"epoxy", 31},  {"2025.2", 32},
	{"flamingo", 32}, {"2026.1", 33},    {"gazpacho", 33},
};
#define FIRST_RELEASE 18
#define LAST_RELEASE 33

SRIOV_EXPORT int sriov_nova_release(const char *text, unsigned *out, struct sriov_error *err)
{
	unsigned long number;
	char *end;

	for (size_t i = 0; i < ARRAY_SIZE(releases); i++) {
		if (strcasecmp(releases[i].name, text) != 0)
			continue;
		*out = releases[i].number;
		return 0;
	}
	number = strtoul(text, &end, 10);
	while (end[0] == '.' && isdigit((unsigned char)end[1]))
		end += 1 + strspn(end + 1, "0123456789");
	if (number >= FIRST_RELEASE && number <= LAST_RELEASE && isdigit((unsigned char)text[0]) &&
	    !*end) {
		*out = number;
		return 0;
	}
	sriov_error_set(err, -EINVAL, text, "is no release of Nova that is known here");
	return sriov_error_hint(err, "a name from rocky to zed, 2023.1 to 2026.1, or a number from "
				     "18 to 33");
}

/* ---- what there is ---- */

/* VFs that Nova is told the same of: of one slot, so that one pattern names them. */
struct group {
	const struct sriov_pf *pf;
	const char *net;   /* NULL: the PF is on none */
	char slot[16];     /* "0000:81:10" */
	bool functions[8]; /* of that slot */
	bool trusted;      /* Nova may set trust for ports that ask for it */
	bool unmanaged;    /* on vfio-pci already: Nova shall not bind it */
};

struct groups {
	struct group *at;
	size_t n;
};

static const char *net_of(const struct sriov_physnet *nets, size_t n, const struct sriov_pf *pf)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < nets[i].npfs; k++)
			if (!strcmp(nets[i].pf[k], pf->address))
				return nets[i].name;
	return NULL;
}

static bool is_same(const struct group *a, const struct group *b)
{
	return a->pf == b->pf && !strcmp(a->slot, b->slot) && a->trusted == b->trusted &&
	       a->unmanaged == b->unmanaged;
}

static int add_vf(struct groups *groups, const struct sriov_pf *pf, const struct sriov_vf *vf,
		  const char *net)
{
	const char *dot = strchr(vf->address, '.');
	struct group is = {
		.pf = pf,
		.net = net,
		.trusted = (vf->attrs.has & SRIOV_VF_TRUST) && vf->attrs.trust,
		.unmanaged = !strcmp(vf->driver, "vfio-pci"),
	};
	struct group *group = NULL;

	snprintf(is.slot, sizeof(is.slot), "%.*s", (int)(dot - vf->address), vf->address);
	for (size_t i = 0; i < groups->n; i++)
		if (is_same(&groups->at[i], &is))
			group = &groups->at[i];
	if (!group) {
		group = core_grow(&groups->at, &groups->n, sizeof(*group));
		if (!group)
			return -ENOMEM;
		*group = is;
	}
	group->functions[(dot[1] - '0') & 7] = true;
	return 0;
}

static int find_groups(const struct sriov_inventory *inv, const struct sriov_physnet *nets,
		       size_t nnets, struct groups *out, struct sriov_error *err)
{
	for (size_t p = 0; p < inv->npfs; p++) {
		const struct sriov_pf *pf = &inv->pf[p];

		for (unsigned v = 0; pf->vf && v < pf->vfs; v++)
			if (!strcmp(pf->vf[v].pool, POOL) &&
			    add_vf(out, pf, &pf->vf[v], net_of(nets, nnets, pf)) < 0)
				return core_oom(err);
	}
	if (out->n)
		return 0;
	sriov_error_set(err, -ENOENT, "nova", "no VF of this host is in pool " POOL);
	return sriov_error_hint(err, "say which are for Nova: sriovctl pool set PF VFS " POOL);
}

/* ---- [pci] ---- */

/* A glob or the PF's own address would also match what is not Nova's: an object of regular expressions does not. */
static void print_spec(FILE *out, const struct group *group, unsigned release)
{
	unsigned domain = 0, bus = 0, slot = 0;

	sscanf(group->slot, "%x:%x:%x", &domain, &bus, &slot);
	fprintf(out,
		"%s = {\"address\": {\"domain\": \"%04x\", \"bus\": \"%02x\", \"slot\": \"%02x\", "
		"\"function\": \"[",
		release >= 26 ? "device_spec" : "passthrough_whitelist", domain, bus, slot);
	for (unsigned i = 0; i < ARRAY_SIZE(group->functions); i++)
		if (group->functions[i])
			fprintf(out, "%u", i);
	fputs("]\"}", out);
	if (group->net)
		fprintf(out, ", \"physical_network\": \"%s\"", group->net);
	if (group->trusted)
		fputs(", \"trusted\": \"true\"", out);
	if (group->unmanaged && release >= 31)
		fputs(", \"managed\": \"no\"", out);
	fputs("}\n", out);
}

/* Devices for flavors: those that are on no physnet, of which Neutron knows nothing. */
static void print_aliases(FILE *out, const struct groups *groups)
{
	for (size_t i = 0; i < groups->n; i++) {
		const struct sriov_pf *pf = groups->at[i].pf;
		uint16_t device = sriov_vf_device(pf->vendor, pf->device);
		bool told = groups->at[i].net || !device;

		for (size_t k = 0; k < i; k++)
			told |= !groups->at[k].net && groups->at[k].pf->device == pf->device;
		if (!told)
			fprintf(out,
				"alias = {\"name\": \"vf-%04x\", \"vendor_id\": \"%04x\", "
				"\"product_id\": \"%04x\", \"device_type\": \"type-VF\", "
				"\"numa_policy\": \"preferred\"}\n",
				device, pf->vendor, device);
	}
}

/* Of the groups of a PF the first one, or the first that is on vfio-pci: what is said of a PF is said once. */
static bool is_first(const struct groups *groups, size_t i, bool unmanaged)
{
	for (size_t k = 0; k < i; k++)
		if (groups->at[k].pf == groups->at[i].pf && (!unmanaged || groups->at[k].unmanaged))
			return false;
	return !unmanaged || groups->at[i].unmanaged;
}

/* What an operator would wonder about later. */
static void print_remarks(FILE *out, const struct groups *groups, unsigned release)
{
	for (size_t i = 0; i < groups->n; i++) {
		const struct group *group = &groups->at[i];
		const char *pf = group->pf->address;
		bool first = is_first(groups, i, false);

		if (first && group->pf->node < 0)
			fprintf(out,
				"# %s says no NUMA node: no VF of it satisfies numa policy "
				"required\n",
				pf);
		if (release < 31 && is_first(groups, i, true))
			fprintf(out,
				"# VFs of %s are on vfio-pci; before 31 (2025.1) Nova binds them "
				"itself\n",
				pf);
		if (first && !group->net && !sriov_vf_device(group->pf->vendor, group->pf->device))
			fprintf(out,
				"# %s is on no physnet, and the device id of its VFs is not known: "
				"no alias\n",
				pf);
	}
}

/* ---- [neutron] ---- */

/* Nodes of the PFs of a network: where ports on a vswitch are at home too. Nothing if a PF does not say its own. */
static bool print_nodes(FILE *out, const struct sriov_inventory *inv,
			const struct sriov_physnet *net)
{
	bool has[1024] = {false}, any = false;

	for (size_t i = 0; i < net->npfs; i++) {
		const struct sriov_pf *pf = inventory_find(inv, net->pf[i]);
		int node = pf ? guest_pf_node(inv, pf) : -1;

		if (node < 0 || node >= (int)ARRAY_SIZE(has))
			return false;
		has[node] = true;
	}
	fprintf(out, "\n[neutron_physnet_%s]\nnuma_nodes = ", net->name);
	for (unsigned i = 0; i < ARRAY_SIZE(has); i++) {
		if (has[i])
			fprintf(out, "%s%u", any ? "," : "", i);
		any |= has[i];
	}
	fputc('\n', out);
	return true;
}

static int print_neutron(FILE *out, const struct sriov_inventory *inv,
			 const struct sriov_physnet *nets, size_t n, struct sriov_error *err)
{
	_free_ char *sections = NULL;
	size_t size = 0;
	FILE *text = open_memstream(&sections, &size);
	bool any = false;

	if (!text)
		return core_oom(err);
	for (size_t i = 0; i < n; i++) {
		if (!print_nodes(text, inv, &nets[i]))
			continue;
		fprintf(out, "%s%s", any ? "," : "\n[neutron]\nphysnets = ", nets[i].name);
		any = true;
	}
	if (fclose(text) < 0)
		return core_oom(err);
	if (any)
		fprintf(out, "\n%s", sections);
	return 0;
}

static int print_conf(const struct sriov_inventory *inv, const struct sriov_physnet *nets,
		      size_t nnets, unsigned release, char **text, struct sriov_error *err)
{
	struct groups groups = {0};
	_free_ char *result = NULL;
	size_t size = 0;
	FILE *out;
	int r = find_groups(inv, nets, nnets, &groups, err);

	if (r < 0)
		return r;
	out = open_memstream(&result, &size);
	if (!out)
		r = core_oom(err);
	if (!r) {
		print_remarks(out, &groups, release);
		fputs("[pci]\n", out);
		for (size_t i = 0; i < groups.n; i++)
			print_spec(out, &groups.at[i], release);
		print_aliases(out, &groups);
		r = print_neutron(out, inv, nets, nnets, err);
		if (fclose(out) < 0 && !r)
			r = core_oom(err);
	}
	free(groups.at);
	if (!r)
		*text = core_steal(result);
	return r;
}

/* ---- the whole ---- */

static int read_host(struct sriov_host *host, struct sriov_inventory **inv, struct sriov_error *err)
{
	struct store *store = NULL;
	int r = host_read(host, NULL, READ_NOVA, inv, err);

	if (!r)
		r = store_get(host, false, &store, err);
	return r || !store ? r : store_join(store, *inv, err);
}

SRIOV_EXPORT int sriov_nova_conf(struct sriov_host *host, unsigned release, char **text,
				 struct sriov_error *err)
{
	_inventory_ struct sriov_inventory *inv = NULL;
	struct sriov_physnet *nets = NULL;
	size_t n = 0;
	int r = read_host(host, &inv, err);

	if (!r)
		r = sriov_physnet_list(host, &nets, &n, err);
	if (!r)
		r = print_conf(inv, nets, n, release, text, err);
	sriov_physnets_free(nets, n);
	return r;
}

/* The PFs of the network, into @only, which has room for all. */
static int find_net(const struct sriov_inventory *inv, const struct sriov_physnet *nets, size_t n,
		    const char *name, const struct sriov_pf **only, size_t *nonly,
		    struct sriov_error *err)
{
	for (size_t p = 0; p < inv->npfs; p++) {
		const char *net = net_of(nets, n, &inv->pf[p]);

		if (net && !strcmp(net, name))
			only[(*nonly)++] = &inv->pf[p];
	}
	if (*nonly)
		return 0;
	sriov_error_set(err, -ENOENT, name, "no PF of this host is on a physnet of that name");
	return sriov_error_hint(err, "`sriovctl physnet show` lists them");
}

SRIOV_EXPORT int sriov_nova_plan(struct sriov_host *host, const char *net, int node,
				 enum sriov_numa numa, struct sriov_nova_answer *out,
				 struct sriov_error *err)
{
	_inventory_ struct sriov_inventory *inv = NULL;
	_free_ const struct sriov_pf **only = NULL;
	struct sriov_physnet *nets = NULL;
	struct guest_wish wish = {.net = net, .node = node, .numa = numa, .pool = POOL};
	struct guest_choice choice;
	struct sriov_error why = {0};
	size_t n = 0;
	int r = read_host(host, &inv, err);

	if (!r)
		r = sriov_physnet_list(host, &nets, &n, err);
	only = r ? NULL : calloc(inv->npfs + 1, sizeof(*only));
	if (!r && !only)
		r = core_oom(err);
	if (!r)
		r = find_net(inv, nets, n, net, only, &wish.nonly, err);
	sriov_physnets_free(nets, n);
	if (r < 0)
		return r;
	wish.only = only;
	r = guest_place(inv, &wish, &choice, &why);
	if (r == -EUSERS || r == -ENETDOWN) {
		out->direct = false;
		core_copy(out->reason, sizeof(out->reason), why.message);
		return 0;
	}
	if (r < 0) {
		if (err)
			*err = why;
		return r;
	}
	out->direct = true;
	core_copy(out->reason, sizeof(out->reason), choice.reason);
	return 0;
}
