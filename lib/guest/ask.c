/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked for: checked, and completed by what the domain, the networks and the host say. See choose.h. */
#include "lib/guest/below.h"
#include "lib/guest/choose.h"
#include "lib/vswitch/vswitch.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int guest_check_name(const char *name, struct sriov_error *err)
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

/* ---- what cannot be asked for at once ---- */

static bool takes(const struct sriov_guest_request *as, enum sriov_path path)
{
	const struct sriov_policy *policy = &as->policy;

	for (size_t i = 0; i < policy->npaths; i++)
		if (policy->path[i] == path)
			return true;
	return !policy->npaths && (path == SRIOV_PATH_VF || path == SRIOV_PATH_VHOSTUSER);
}

static bool is_pool_of_others(const struct sriov_guest_request *as)
{
	static const char *const others[] = {"nova", "libvirt-net", "uplink", "reserved"};

	for (size_t i = 0; as->pool && i < ARRAY_SIZE(others); i++)
		if (!strcmp(as->pool, others[i]))
			return true;
	return false;
}

static int check_request(const struct sriov_guest_request *as, struct sriov_error *err)
{
	const struct sriov_vf_attrs *attrs = &as->attrs;
	bool qos = (attrs->has & SRIOV_VF_VLAN) && attrs->vlan &&
		   (attrs->qos || attrs->vlan_proto == 0x88a8);

	if (as->pf && as->net)
		return sriov_error_set(err, -EINVAL, as->guest,
				       "a PF and a physnet are both asked for: give one of them");
	if (is_pool_of_others(as)) {
		sriov_error_set(err, -EINVAL, as->guest,
				"the VFs of pool %s are for others to give", as->pool);
		return sriov_error_hint(err,
					"move some to a pool of ours first: sriovctl pool set");
	}
	if (as->raw + as->standby + as->hands_off > 1)
		return sriov_error_set(
			err, -EINVAL, as->guest,
			"a raw hostdev, a standby pair and a hands-off lease exclude each other");
	if ((as->raw || as->standby || as->hands_off) && !takes(as, SRIOV_PATH_VF))
		return sriov_error_set(
			err, -EINVAL, as->guest,
			"a raw hostdev, a standby pair or a hands-off lease is of a VF, "
			"but the paths leave VFs out");
	if (!qos || as->raw || as->hands_off)
		return 0;
	sriov_error_set(err, -EOPNOTSUPP, as->guest,
			"libvirt's <interface> has no words for a VLAN with %s and would clear it",
			attrs->qos ? "a priority (qos)" : "protocol 802.1ad");
	return sriov_error_hint(err,
				"--raw-hostdev leaves MAC and VLAN to us; or give a plain VLAN");
}

/* ---- who asks ---- */

static int read_domain(struct guest_ask *ask, struct sriov_error *err)
{
	const struct sriov_guest_request *as = ask->as;
	char name[SRIOV_NAME_LEN];
	int node = -1, r;

	ask->name = as->guest;
	ask->node = as->node < 0 ? -1 : as->node;
	ask->strict = as->node >= 0;
	if (!ask->domain)
		return 0;
	r = guest_xml_identity(ask->domain, name, ask->uuid, err);
	if (!r)
		r = guest_xml_node(ask->domain, ask->inv->node, ask->inv->nnodes, &node, err);
	if (r < 0)
		return r;
	if (name[0] && strcmp(name, as->guest) != 0 && strcasecmp(ask->uuid, as->guest) != 0) {
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
	if (ask->node < 0)
		ask->node = node;
	return 0;
}

/* ---- where ---- */

static int unknown_pf(const struct sriov_inventory *inv, const char *name, struct sriov_error *err)
{
	_free_ const char **names = calloc(2 * inv->npfs + 1, sizeof(*names));
	const char *near;
	size_t n = 0;

	if (!names)
		return core_oom(err);
	for (size_t i = 0; i < inv->npfs; i++) {
		names[n++] = inv->pf[i].address;
		if (inv->pf[i].netdev[0])
			names[n++] = inv->pf[i].netdev;
	}
	near = core_nearest(name, names);
	sriov_error_set(err, -ENODEV, name, "is not an SR-IOV PF of this host");
	if (near)
		return sriov_error_hint(err, "did you mean %s?", near);
	return sriov_error_hint(err, "`sriovctl host show` lists the PFs");
}

static int unknown_net(const struct guest_ask *ask, struct sriov_error *err)
{
	_free_ const char **names = calloc(ask->nnets + 1, sizeof(*names));
	const char *near;

	if (!names)
		return core_oom(err);
	for (size_t i = 0; i < ask->nnets; i++)
		names[i] = ask->nets[i].name;
	near = core_nearest(ask->as->net, names);
	sriov_error_set(err, -ENOENT, ask->as->net, "there is no physnet of that name");
	if (near)
		return sriov_error_hint(err, "did you mean %s?", near);
	return sriov_error_hint(err,
				"`sriovctl physnet show` lists them; make one: sriovctl physnet "
				"add %s PF…",
				ask->as->net);
}

static int add_only(struct guest_ask *ask, const struct sriov_pf *pf)
{
	const struct sriov_pf **slot = core_grow(&ask->only, &ask->nonly, sizeof(*slot));

	if (slot)
		*slot = pf;
	return slot ? 0 : -ENOMEM;
}

/*
 * What the request does not say is as the network has it. Where nobody would make a port, and what is of a VF only,
 * the network's paths are not for.
 */
static void fill_policy(struct guest_ask *ask, const struct sriov_physnet *net)
{
	const struct sriov_guest_request *as = ask->as;
	struct sriov_policy policy = net->policy;

	if (ask->no_ports || as->raw || as->standby || as->hands_off)
		policy.npaths = 0;
	policy_merge(&policy, &as->policy);
	ask->filled = *as;
	ask->filled.policy = policy;
	ask->as = &ask->filled;
}

/* PFs of the network that are not there now are passed over. */
static int find_net(struct guest_ask *ask, struct sriov_error *err)
{
	const struct sriov_physnet *net = NULL;

	for (size_t i = 0; i < ask->nnets; i++)
		if (!strcmp(ask->nets[i].name, ask->as->net))
			net = &ask->nets[i];
	if (!net)
		return unknown_net(ask, err);
	fill_policy(ask, net);
	for (size_t i = 0; i < net->npfs; i++) {
		const struct sriov_pf *pf = inventory_find(ask->inv, net->pf[i]);

		if (pf && add_only(ask, pf) < 0)
			return core_oom(err);
	}
	if (ask->nonly)
		return 0;
	sriov_error_set(err, -ENODEV, ask->as->net, "none of its %zu PFs is on this host now",
			net->npfs);
	return sriov_error_hint(err, "`sriovctl physnet show %s` names them", ask->as->net);
}

static int find_pf(struct guest_ask *ask, struct sriov_error *err)
{
	const struct sriov_pf *pf = ask->as->pf ? inventory_find(ask->inv, ask->as->pf) : NULL;

	if (!ask->as->pf)
		return 0;
	if (!pf)
		return unknown_pf(ask->inv, ask->as->pf, err);
	return add_only(ask, pf) < 0 ? core_oom(err) : 0;
}

/* ---- bridges ---- */

/* The network with a bridge that the PF is on, or NULL. */
static const struct sriov_physnet *switched_net(const struct guest_ask *ask,
						const struct sriov_pf *pf)
{
	for (size_t i = 0; i < ask->nnets; i++)
		for (size_t k = 0; ask->nets[i].bridge[0] && k < ask->nets[i].npfs; k++)
			if (!strcmp(ask->nets[i].pf[k], pf->address))
				return &ask->nets[i];
	return NULL;
}

/* An OVS that cannot be asked is near to nobody; once a port is to be made there it says what is wrong. */
static int find_switching(struct guest_ask *ask, struct sriov_error *err)
{
	const struct sriov_inventory *inv = ask->inv;
	struct sriov_vswitch *vswitch = NULL;
	struct sriov_error ignored;
	bool any = false;

	ask->switching = calloc(inv->npfs + 1, sizeof(*ask->switching));
	if (!ask->switching)
		return core_oom(err);
	for (size_t i = 0; i < inv->npfs; i++) {
		ask->switching[i].net = guest_ask_wants(ask, &inv->pf[i])
						? switched_net(ask, &inv->pf[i])
						: NULL;
		any |= ask->switching[i].net != NULL;
	}
	if (!any || ask->host->vswitch->read(ask->host, false, &vswitch, &ignored) < 0)
		return 0;
	for (size_t i = 0; i < inv->npfs; i++)
		ask->switching[i].local = vswitch_polls_on(vswitch, inv,
							   guest_pf_node(inv, &inv->pf[i]));
	sriov_vswitch_free(vswitch);
	return 0;
}

/* What was asked for by name must be there. */
static int check_switching(const struct guest_ask *ask, struct sriov_error *err)
{
	const struct sriov_guest_request *as = ask->as;
	const struct sriov_policy *policy = &as->policy;
	bool first = policy->npaths && policy->path[0] == SRIOV_PATH_VHOSTUSER;
	bool any = false, only = first && policy->npaths == 1;

	for (size_t i = 0; ask->switching && i < ask->inv->npfs; i++)
		any |= ask->switching[i].net != NULL;
	if (any || !first)
		return 0;
	if (ask->no_ports) {
		sriov_error_set(err, -EOPNOTSUPP, as->guest,
				"a vhost-user device without its port of OVS would stop the guest");
		return sriov_error_hint(err, "`sriovctl guest attach` makes both");
	}
	sriov_error_set(err, -EOPNOTSUPP, as->guest,
			"path vhostuser needs a bridge of OVS, and %s%s has none",
			as->net ? "physnet " : "no physnet of this host", as->net ?: "");
	return sriov_error_hint(err, "give it one: sriovctl physnet add %s PF… --bridge BRIDGE%s",
				as->net ?: "NAME", only ? "" : ", or put vf first in --paths");
}

/* ---- the bridge of a tap ---- */

/* The PF that the named bridge of a tap with a VLAN is over decides where the guest can be. */
static int find_tap(struct guest_ask *ask, struct sriov_error *err)
{
	const struct sriov_guest_request *as = ask->as;
	_links_ struct host_links links = {0};
	char below[16];
	int r;

	if (!as->bridge || !(as->attrs.has & SRIOV_VF_VLAN) || !as->attrs.vlan ||
	    !(as->standby || takes(as, SRIOV_PATH_TAP)))
		return 0;
	r = ask->host->ops->links(ask->host, &links, err);
	if (!r)
		r = guest_vlan_tap(&links, ask->inv, as->bridge, as->attrs.vlan, ask->name,
				   &ask->tap_pf, below, err);
	if (r < 0 || !ask->tap_pf)
		return r;
	if (!guest_ask_wants(ask, ask->tap_pf)) {
		sriov_error_set(err, -EINVAL, ask->name,
				"bridge %s is over %s, which is not where the guest is wanted",
				as->bridge, pf_label(ask->tap_pf));
		return sriov_error_hint(err, "name a bridge over that PF or physnet, or leave "
					     "--pf and --net out");
	}
	if (!as->standby)
		return 0;
	/* both halves are of one PF */
	ask->nonly = 0;
	return add_only(ask, ask->tap_pf) < 0 ? core_oom(err) : 0;
}

int guest_ask_store(struct guest_ask *ask, struct store *store, struct sriov_error *err)
{
	int r = store ? store_physnet_list(store, &ask->nets, &ask->nnets, err) : 0;

	ask->store = store;
	if (!r && ask->as->net)
		r = find_net(ask, err);
	if (!r && !ask->no_ports && takes(ask->as, SRIOV_PATH_VHOSTUSER))
		r = find_switching(ask, err);
	if (!r)
		r = find_tap(ask, err);
	return r ? r : check_switching(ask, err);
}

/* Steps on the PCI tree from where two paths part; another node is farther than any of them. */
static unsigned tree_distance(const struct pci_place *from, const struct pci_place *to)
{
	size_t common = 0, i = 0;
	unsigned steps = 0;

	for (; from->path[i] && from->path[i] == to->path[i]; i++)
		if (from->path[i] == '/')
			common = i;
	for (const char *p = to->path + common; *p; p++)
		steps += *p == '/';
	return steps + (from->node != to->node ? 1000 : 0);
}

static int find_distances(struct guest_ask *ask, struct sriov_error *err)
{
	const struct host_ops *ops = ask->host->ops;
	struct pci_place from, to;
	int r;

	if (ask->as->pick != SRIOV_PICK_NEAR)
		return 0;
	ask->distance = calloc(ask->inv->npfs + 1, sizeof(*ask->distance));
	if (!ask->distance)
		return core_oom(err);
	r = ops->pci_place(ask->host, ask->as->near, &from, err);
	for (size_t i = 0; !r && i < ask->inv->npfs; i++) {
		r = ops->pci_place(ask->host, ask->inv->pf[i].address, &to, err);
		if (!r)
			ask->distance[i] = tree_distance(&from, &to);
	}
	return r;
}

int guest_ask_open(struct guest_ask *ask, struct sriov_host *host,
		   const struct sriov_guest_request *as, const struct sriov_inventory *inv,
		   const char *domain, struct sriov_error *err)
{
	int r;

	*ask = (struct guest_ask){
		.as = as, .host = host, .inv = inv, .domain = domain, .no_ports = ask->no_ports};
	r = guest_check_name(as->guest, err);
	if (!r)
		r = check_request(as, err);
	if (!r)
		r = read_domain(ask, err);
	if (!r)
		r = find_pf(ask, err);
	return r ? r : find_distances(ask, err);
}

void guest_ask_clear(struct guest_ask *ask)
{
	sriov_physnets_free(ask->nets, ask->nnets);
	free(ask->only);
	free(ask->distance);
	free(ask->switching);
	*ask = (struct guest_ask){0};
}
