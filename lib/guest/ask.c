/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked for: checked, and completed by what the domain, the networks and the host say. See choose.h. */
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

int guest_ask_store(struct guest_ask *ask, struct store *store, struct sriov_error *err)
{
	int r = store ? store_physnet_list(store, &ask->nets, &ask->nnets, err) : 0;

	ask->store = store;
	if (!r && ask->as->net)
		r = find_net(ask, err);
	if (!r && !ask->no_ports && takes(ask->as, SRIOV_PATH_VHOSTUSER))
		r = find_switching(ask, err);
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

/* ---- MAC and VLAN ---- */

static int refuse_mac(const struct guest_ask *ask, const uint8_t mac[6], const char *who,
		      struct sriov_error *err)
{
	char text[SRIOV_MAC_LEN];

	sriov_error_set(err, -EADDRINUSE, ask->name, "MAC %s is taken by %s",
			sriov_mac_format(mac, text), who);
	return sriov_error_hint(err,
				"give another one, or leave --mac out: the VF has a stable one");
}

/* By a port, another VF, another lease, or another netdev of the host, macvlans for one. */
static int check_mac_free(const struct guest_ask *ask, const struct guest_choice *choice,
			  const struct sriov_lease *lease, const uint8_t mac[6],
			  struct sriov_error *err)
{
	const struct sriov_inventory *inv = ask->inv;
	struct sriov_lease other;
	char who[96], name[16];
	int r;

	for (size_t i = 0; i < inv->npfs; i++) {
		const struct sriov_pf *pf = &inv->pf[i];

		if (!memcmp(pf->mac, mac, 6) || !memcmp(pf->perm_mac, mac, 6))
			return refuse_mac(ask, mac, pf_label(pf), err);
		for (unsigned v = 0; pf->vf && v < pf->vfs; v++) {
			if (&pf->vf[v] == choice->vf || memcmp(pf->vf[v].attrs.mac, mac, 6) != 0)
				continue;
			snprintf(who, sizeof(who), "VF %u of %s", pf->vf[v].index, pf_label(pf));
			return refuse_mac(ask, mac, who, err);
		}
	}
	r = ask->store ? store_lease_mac(ask->store, mac, &other, err) : -ENOENT;
	if (!r && other.id != lease->id) {
		snprintf(who, sizeof(who), "guest %s (lease %ld)", other.guest, other.id);
		return refuse_mac(ask, mac, who, err);
	}
	if (r < 0 && r != -ENOENT)
		return r;
	/* once the guest runs, its own VF or macvtap has it */
	if (!r)
		return 0;
	r = ask->host->ops->mac_user(ask->host, mac, name, sizeof(name), err);
	if (r <= 0 || (choice->vf && !strcmp(choice->vf->netdev, name)))
		return r < 0 ? r : 0;
	return refuse_mac(ask, mac, name, err);
}

static int check_mac(const struct guest_ask *ask, const uint8_t mac[6], struct sriov_error *err)
{
	char text[SRIOV_MAC_LEN];

	if (!(mac[0] & 1) && !sriov_mac_is_zero(mac))
		return 0;
	return sriov_error_set(err, -EINVAL, ask->name, "MAC %s is no address of a NIC: %s",
			       sriov_mac_format(mac, text),
			       sriov_mac_is_zero(mac) ? "it is zero" : "it is a multicast address");
}

/* A NIC that is no VF: derived from the PF's address and the guest's name, behind all VFs. */
static int port_mac(const struct guest_ask *ask, const struct guest_choice *choice, uint8_t out[6],
		    struct sriov_error *err)
{
	uint64_t hash = core_hash(CORE_HASH_SEED, ask->name, strlen(ask->name));

	return guest_auto_mac(ask->inv, choice->pf, SRIOV_VF_MAX + (hash & 0xffff), out, err);
}

/* What the VF or the port has without being asked for. */
static int present_mac(const struct guest_ask *ask, const struct guest_choice *choice,
		       const struct sriov_lease *lease, struct guest_interface *out,
		       struct sriov_error *err)
{
	/* while the guest is stopped only the lease knows: libvirt has put the VF back as it was */
	if (!sriov_mac_is_zero(lease->mac)) {
		memcpy(out->mac, lease->mac, 6);
		return 0;
	}
	if (!choice->vf)
		return port_mac(ask, choice, out->mac, err);
	if (ask->as->raw || ask->as->hands_off)
		return guest_mac_of(ask->inv, choice->pf, choice->vf, out->mac, err);
	return guest_interface_of(ask->inv, choice->pf, choice->vf, out, err);
}

int guest_check_port_vlan(const char *guest, const struct sriov_vf_attrs *attrs,
			  struct sriov_error *err)
{
	if (!attrs->qos && attrs->vlan_proto != 0x88a8)
		return 0;
	sriov_error_set(err, -EOPNOTSUPP, guest, "a port of OVS has no words for VLAN %u with %s",
			attrs->vlan, attrs->qos ? "a priority (qos)" : "protocol 802.1ad");
	return sriov_error_hint(err, "give it a plain VLAN, or keep it on a VF: --paths vf");
}

/* A VF has its VLAN in the NIC, a port of OVS in its flows. */
static int check_vlan(const struct guest_ask *ask, const struct guest_choice *choice,
		      struct sriov_error *err)
{
	const struct sriov_vf_attrs *attrs = &ask->as->attrs;

	if (choice->vf || !(attrs->has & SRIOV_VF_VLAN) || !attrs->vlan)
		return 0;
	if (choice->path == SRIOV_PATH_VHOSTUSER)
		return guest_check_port_vlan(ask->name, attrs, err);
	sriov_error_set(err, -EOPNOTSUPP, ask->name,
			"libvirt has no words for VLAN %u of a %s: it would be lost", attrs->vlan,
			sriov_path_word(choice->path));
	return sriov_error_hint(err, "give --paths vf,vhostuser, or a tap on a bridge of that VLAN "
				     "without --vlan");
}

int guest_settle_mac(const struct guest_ask *ask, const struct guest_choice *choice,
		     struct sriov_lease *lease, struct sriov_error *err)
{
	const struct sriov_vf_attrs *attrs = &ask->as->attrs;
	struct guest_interface itf = {.vlan = lease->vlan};
	char directory[SRIOV_SOCKET_LEN];
	int r = present_mac(ask, choice, lease, &itf, err);

	if (!r && choice->vf && ask->as->mac_auto)
		r = guest_auto_mac(ask->inv, choice->pf, choice->vf->index, itf.mac, err);
	if (attrs->has & SRIOV_VF_MAC)
		memcpy(itf.mac, attrs->mac, 6);
	if (attrs->has & SRIOV_VF_VLAN)
		itf.vlan = attrs->vlan;
	if (!r)
		r = check_vlan(ask, choice, err);
	if (!r)
		r = check_mac(ask, itf.mac, err);
	if (!r)
		r = check_mac_free(ask, choice, lease, itf.mac, err);
	if (r < 0)
		return r;
	memcpy(lease->mac, itf.mac, 6);
	lease->vlan = itf.vlan;
	if (lease->socket[0] && !lease->id) {
		core_copy(directory, sizeof(directory), lease->socket);
		guest_lease_socket(lease, directory);
	}
	return 0;
}
