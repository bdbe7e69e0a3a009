/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one JSON form of an inventory: what `host snapshot` writes, `host show --json` prints and a simulated
 * host is kept in. One table a structure serves both directions (fields.h). A snapshot carries its format
 * and version; what was not read when it was taken (VFs, attributes) is absent from it.
 */
#include "lib/host/snapshot.h"

#include "flows/flows.h"

#include <limits.h>
#include <linux/if_ether.h>

static const char *const link_words[] = {"auto", "enable", "disable", NULL};
static const char *const ntuple_words[] = {"unknown", "off", "on", "off [fixed]", NULL};
static const char *const bridge_words[] = {"unknown", "veb", "vepa", NULL};

#define HAS_BRIDGE 1u /* it was read */
#define HAS_SOCKET 1u

const struct field snapshot_attr_fields[] = {
	FIELD(struct sriov_vf_attrs, mac, FIELD_MAC, .has = SRIOV_VF_MAC),
	FIELD(struct sriov_vf_attrs, vlan, FIELD_INT, .has = SRIOV_VF_VLAN, .max = 4095),
	FIELD(struct sriov_vf_attrs, qos, FIELD_INT, .has = SRIOV_VF_VLAN, .max = 7),
	{.key = "proto", .kind = FIELD_CHILD},
	FIELD(struct sriov_vf_attrs, spoofchk, FIELD_BOOL, .has = SRIOV_VF_SPOOFCHK),
	FIELD(struct sriov_vf_attrs, trust, FIELD_BOOL, .has = SRIOV_VF_TRUST),
	FIELD(struct sriov_vf_attrs, min_rate, FIELD_INT, .has = SRIOV_VF_RATE, .max = UINT32_MAX),
	FIELD(struct sriov_vf_attrs, max_rate, FIELD_INT, .has = SRIOV_VF_RATE, .max = UINT32_MAX),
	FIELD(struct sriov_vf_attrs, link, FIELD_WORD, .has = SRIOV_VF_LINK, .words = link_words),
	FIELD_END,
};

const struct field snapshot_use_fields[] = {
	FIELD(struct sriov_use, who, FIELD_TEXT, .required = true),
	FIELD(struct sriov_use, how, FIELD_TEXT),
	FIELD(struct sriov_use, running, FIELD_BOOL),
	FIELD(struct sriov_use, libvirt_net, FIELD_BOOL),
	FIELD(struct sriov_use, unreadable, FIELD_BOOL),
	FIELD_END,
};

const struct field snapshot_hugepage_fields[] = {
	FIELD(struct sriov_hugepages, size_kib, FIELD_INT, .required = true, .min = 1,
	      .max = INT_MAX),
	FIELD(struct sriov_hugepages, total, FIELD_INT, .max = INT_MAX),
	FIELD(struct sriov_hugepages, free, FIELD_INT, .max = INT_MAX),
	FIELD_END,
};

const struct field snapshot_node_fields[] = {
	FIELD(struct sriov_node, id, FIELD_INT, .required = true, .max = 1023),
	FIELD(struct sriov_node, socket, FIELD_INT, .has = HAS_SOCKET, .min = -1, .max = 1023),
	FIELD(struct sriov_node, cpus, FIELD_TEXT),
	FIELD(struct sriov_node, memory_mib, FIELD_INT, .max = INT64_MAX >> 20),
	{.key = "cores", .kind = FIELD_CHILD},
	{.key = "hugepages", .kind = FIELD_CHILD},
	FIELD_END,
};

const struct field snapshot_vf_fields[] = {
	FIELD(struct sriov_vf, index, FIELD_INT, .max = SRIOV_VF_MAX - 1),
	FIELD(struct sriov_vf, address, FIELD_PCI, .required = true),
	FIELD(struct sriov_vf, netdev, FIELD_NAME),
	FIELD_AS(struct sriov_vf, netdev_up, "up", FIELD_BOOL),
	FIELD(struct sriov_vf, master, FIELD_NAME),
	FIELD(struct sriov_vf, in_netns, FIELD_BOOL),
	FIELD(struct sriov_vf, driver, FIELD_NAME),
	FIELD(struct sriov_vf, driver_override, FIELD_NAME),
	FIELD(struct sriov_vf, iommu_group, FIELD_INT, .min = -1, .max = INT_MAX),
	FIELD(struct sriov_vf, pool, FIELD_TEXT),
	{.key = "attrs", .kind = FIELD_CHILD},
	{.key = "uses", .kind = FIELD_CHILD},
	FIELD_END,
};

const struct field snapshot_count_fields[] = {
	FIELD_AS(struct sriov_pf, vfs, "now", FIELD_INT, .max = SRIOV_VF_MAX),
	FIELD_AS(struct sriov_pf, vfs_total, "total", FIELD_INT, .max = UINT16_MAX),
	FIELD_END,
};

const struct field snapshot_pf_fields[] = {
	FIELD(struct sriov_pf, address, FIELD_PCI, .required = true),
	FIELD(struct sriov_pf, netdev, FIELD_NAME),
	FIELD(struct sriov_pf, ifindex, FIELD_INT, .max = INT_MAX),
	FIELD(struct sriov_pf, mac, FIELD_MAC),
	FIELD(struct sriov_pf, perm_mac, FIELD_MAC),
	FIELD(struct sriov_pf, vendor, FIELD_HEX16),
	FIELD(struct sriov_pf, device, FIELD_HEX16),
	FIELD(struct sriov_pf, name, FIELD_TEXT),
	FIELD(struct sriov_pf, driver, FIELD_NAME),
	FIELD(struct sriov_pf, driver_override, FIELD_NAME),
	FIELD(struct sriov_pf, driver_version, FIELD_TEXT),
	FIELD(struct sriov_pf, firmware, FIELD_TEXT),
	FIELD(struct sriov_pf, in_tree, FIELD_TRI),
	FIELD(struct sriov_pf, node, FIELD_INT, .min = -1, .max = 1023),
	FIELD(struct sriov_pf, iommu_group, FIELD_INT, .min = -1, .max = INT_MAX),
	FIELD(struct sriov_pf, up, FIELD_BOOL),
	FIELD(struct sriov_pf, carrier, FIELD_BOOL),
	FIELD(struct sriov_pf, speed_mbps, FIELD_INT, .max = 1000000),
	FIELD(struct sriov_pf, mtu, FIELD_INT, .max = 65536),
	FIELD(struct sriov_pf, autoprobe, FIELD_BOOL),
	FIELD(struct sriov_pf, queues, FIELD_INT, .max = 65536),
	FIELD(struct sriov_pf, ntuple, FIELD_WORD, .words = ntuple_words),
	FIELD(struct sriov_pf, rules_max, FIELD_INT, .max = 65536),
	FIELD(struct sriov_pf, watched, FIELD_BOOL),
	{.key = "vfs", .kind = FIELD_CHILD},
	{.key = "uses", .kind = FIELD_CHILD},
	{.key = "vf", .kind = FIELD_CHILD},
	{.key = "rules", .kind = FIELD_CHILD},
	{.key = "rss", .kind = FIELD_CHILD},
	{.key = "rss_key", .kind = FIELD_CHILD},
	{.key = "rss_fields", .kind = FIELD_CHILD},
	{.key = "irq_cpus", .kind = FIELD_CHILD},
	FIELD(struct sriov_pf, bridge, FIELD_WORD, .has = HAS_BRIDGE, .words = bridge_words),
	{.key = "nic", .kind = FIELD_CHILD}, /* of a simulated host: sim_rules.c */
	FIELD_END,
};

const struct field snapshot_fields[] = {
	{.key = "format", .kind = FIELD_CHILD},
	{.key = "version", .kind = FIELD_CHILD},
	FIELD(struct sriov_inventory, kernel, FIELD_TEXT),
	FIELD(struct sriov_inventory, hostname, FIELD_TEXT),
	FIELD(struct sriov_inventory, boot_id, FIELD_TEXT),
	FIELD(struct sriov_inventory, iommu, FIELD_BOOL),
	FIELD(struct sriov_inventory, vfio, FIELD_TRI),
	{.key = "nodes", .kind = FIELD_CHILD},
	{.key = "pfs", .kind = FIELD_CHILD},
	{.key = "domains", .kind = FIELD_CHILD}, /* of a simulated host: sim_state.c */
	{.key = "sim", .kind = FIELD_CHILD},
	{.key = "ovs", .kind = FIELD_CHILD}, /* likewise: lib/vswitch/sim_state.c */
	FIELD_END,
};

json_t *vf_attrs_encode(const struct sriov_vf_attrs *attrs)
{
	_json_ json_t *json = fields_encode(snapshot_attr_fields, attrs, attrs->has);

	if (json && attrs->has & SRIOV_VF_VLAN &&
	    !json_put(json, "proto",
		      json_string(attrs->vlan_proto == ETH_P_8021AD ? "802.1ad" : "802.1Q")))
		return NULL;
	return core_steal(json);
}

static json_t *list_encode(const void *list, size_t n, size_t size, json_t *(*one)(const void *))
{
	_json_ json_t *array = json_array();

	for (size_t i = 0; i < n; i++) {
		if (!json_add(array, one((const char *)list + i * size)))
			return NULL;
	}
	return core_steal(array);
}

static json_t *use_encode(const void *use)
{
	return fields_encode(snapshot_use_fields, use, 0);
}

static json_t *uses_encode(const struct sriov_uses *uses)
{
	return list_encode(uses->at, uses->n, sizeof(*uses->at), use_encode);
}

static json_t *hugepages_encode(const void *huge)
{
	return fields_encode(snapshot_hugepage_fields, huge, 0);
}

static json_t *core_encode(const void *core)
{
	return json_string(((const struct sriov_core *)core)->cpus);
}

static json_t *node_encode(const void *at)
{
	const struct sriov_node *node = at;
	_json_ json_t *json = fields_encode(snapshot_node_fields, node,
					    node->socket >= 0 ? HAS_SOCKET : 0);

	if (node->ncores &&
	    !json_put(json, "cores",
		      list_encode(node->core, node->ncores, sizeof(*node->core), core_encode)))
		return NULL;
	if (!json_put(json, "hugepages",
		      list_encode(node->huge, node->nhuge, sizeof(*node->huge), hugepages_encode)))
		return NULL;
	return core_steal(json);
}

static json_t *vf_encode(const void *at)
{
	const struct sriov_vf *vf = at;
	_json_ json_t *json = fields_encode(snapshot_vf_fields, vf, 0);

	if ((vf->attrs.has && !json_put(json, "attrs", vf_attrs_encode(&vf->attrs))) ||
	    !json_put(json, "uses", uses_encode(&vf->uses)))
		return NULL;
	return core_steal(json);
}

static json_t *rule_encode(const void *entry)
{
	return entry_encode(entry);
}

static json_t *rss_encode(const void *queue)
{
	return json_integer(*(const uint32_t *)queue);
}

static json_t *pf_encode(const void *at)
{
	const struct sriov_pf *pf = at;
	_json_ json_t *json = fields_encode(snapshot_pf_fields, pf, pf->bridge ? HAS_BRIDGE : 0);

	if (!json_put(json, "vfs", fields_encode(snapshot_count_fields, pf, 0)) ||
	    !json_put(json, "uses", uses_encode(&pf->uses)) ||
	    (pf->vf &&
	     !json_put(json, "vf", list_encode(pf->vf, pf->vfs, sizeof(*pf->vf), vf_encode))) ||
	    !json_put(json, "rules",
		      list_encode(pf->rules, pf->nrules, sizeof(*pf->rules), rule_encode)) ||
	    (pf->nrss && !json_put(json, "rss",
				   list_encode(pf->rss, pf->nrss, sizeof(*pf->rss), rss_encode))) ||
	    (pf->irq_cpus && !json_put(json, "irq_cpus", json_string(pf->irq_cpus))) ||
	    !hash_encode(pf, json))
		return NULL;
	return core_steal(json);
}

json_t *inventory_encode(const struct sriov_inventory *inv)
{
	_json_ json_t *json = json_pack("{ss si}", "format", SNAPSHOT_FORMAT, "version",
					SNAPSHOT_VERSION);
	_json_ json_t *fields = fields_encode(snapshot_fields, inv, 0);

	if (!fields || json_object_update(json, fields) < 0 ||
	    !json_put(json, "nodes",
		      list_encode(inv->node, inv->nnodes, sizeof(*inv->node), node_encode)) ||
	    !json_put(json, "pfs", list_encode(inv->pf, inv->npfs, sizeof(*inv->pf), pf_encode)))
		return NULL;
	return core_steal(json);
}
