/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a snapshot. It may come from a stranger (a bug report), so nothing in it is believed: types and
 * ranges by the tables of snapshot.c, then what only a whole shows: counts, order, duplicates.
 */
#include "flows/flows.h"
#include "lib/core/cpuset.h"
#include "lib/host/snapshot.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <string.h>

#define PFS_MAX 64
#define NODES_MAX 64
#define CORES_MAX 4096
#define USES_MAX 256
#define RSS_MAX 8192
#define RULES_MAX 65536 /* drivers keep locations in 16 bits */

static void inventory_freep(struct sriov_inventory **inv)
{
	sriov_inventory_free(*inv);
}

static int attrs_decode(struct reader *r, const json_t *json, const char *path,
			struct sriov_vf_attrs *out)
{
	struct sriov_vf_attrs attrs = {.vlan_proto = ETH_P_8021Q};
	const json_t *proto;
	const char *word;

	if (fields_decode(r, json, path, snapshot_attr_fields, &attrs, &attrs.has) < 0)
		return r->code;
	proto = json_object_get(json, "proto");
	word = proto ? json_string_value(proto) : "802.1Q";
	if (!word || (strcmp(word, "802.1Q") != 0 && strcmp(word, "802.1ad") != 0))
		return reader_fail(r, -EINVAL, path, "proto", "must be \"802.1Q\" or \"802.1ad\"");
	if (!strcmp(word, "802.1ad"))
		attrs.vlan_proto = ETH_P_8021AD;
	if ((proto || json_object_get(json, "qos")) && !json_object_get(json, "vlan"))
		return reader_fail(r, -EINVAL, path, proto ? "proto" : "qos",
				   "has no vlan beside it");
	if (attrs.max_rate && attrs.max_rate < attrs.min_rate)
		return reader_fail(r, -EINVAL, path, "max_rate", "is smaller than min_rate");
	*out = attrs;
	return 0;
}

int vf_attrs_decode(const json_t *json, struct sriov_vf_attrs *out, struct sriov_error *err)
{
	struct reader r = {.subject = "attributes", .err = err};

	return attrs_decode(&r, json, "", out);
}

static int uses_decode(struct reader *r, const json_t *json, const char *parent,
		       struct sriov_uses *uses)
{
	const json_t *array = reader_array(r, json, parent, "uses", USES_MAX), *element;
	char path[READER_PATH];
	size_t i;

	json_array_foreach(array, i, element) {
		struct sriov_use *use = core_grow(&uses->at, &uses->n, sizeof(*use));

		if (!use)
			return r->code = core_oom(r->err);
		fields_decode(r, element, reader_path(path, parent, "uses", i), snapshot_use_fields,
			      use, NULL);
	}
	return r->code;
}

/* Hyper-threads that share a core: of the node's own CPUs, each in one core only. */
static int cores_decode(struct reader *r, const json_t *json, const char *parent,
			struct sriov_node *node)
{
	const json_t *array = reader_array(r, json, parent, "cores", CORES_MAX), *element;
	struct cpuset left, cpus;
	char path[READER_PATH];
	size_t i;

	if (array && cpuset_parse(node->cpus, &left) < 0)
		return reader_fail(r, -EINVAL, parent, "cpus", "'%s' is not a list of CPUs",
				   node->cpus);
	json_array_foreach(array, i, element) {
		struct sriov_core *core = core_grow(&node->core, &node->ncores, sizeof(*core));
		const char *text = json_string_value(element);

		if (!core)
			return r->code = core_oom(r->err);
		reader_path(path, parent, "cores", i);
		if (!text || strlen(text) >= sizeof(core->cpus) || cpuset_parse(text, &cpus) < 0 ||
		    cpuset_is_empty(&cpus))
			return reader_fail(r, -EINVAL, path, NULL,
					   "is not a list of a core's CPUs (0,16)");
		if (!cpuset_within(&cpus, &left))
			return reader_fail(r, -EINVAL, path, NULL,
					   "'%s' has CPUs that are in another core, or not in the "
					   "node's '%s'",
					   text, node->cpus);
		cpuset_drop(&left, &cpus);
		core_copy(core->cpus, sizeof(core->cpus), text);
	}
	return r->code;
}

static int node_decode(struct reader *r, const json_t *json, const char *parent,
		       struct sriov_node *node)
{
	const json_t *array, *element;
	char path[READER_PATH];
	size_t i;

	node->socket = -1;
	if (fields_decode(r, json, parent, snapshot_node_fields, node, NULL) < 0)
		return r->code;
	if (node->cpus[strspn(node->cpus, "0123456789,-")])
		return reader_fail(r, -EINVAL, parent, "cpus",
				   "'%s' is not a list of CPUs (0-7,16-23)", node->cpus);
	if (cores_decode(r, json, parent, node) < 0)
		return r->code;
	array = reader_array(r, json, parent, "hugepages", ARRAY_SIZE(node->huge));
	json_array_foreach(array, i, element) {
		struct sriov_hugepages *huge = &node->huge[node->nhuge++];

		reader_path(path, parent, "hugepages", i);
		fields_decode(r, element, path, snapshot_hugepage_fields, huge, NULL);
		if (huge->free > huge->total)
			reader_fail(r, -EINVAL, path, "free", "is more than the total of %lu",
				    huge->total);
	}
	return r->code;
}

static int nodes_decode(struct reader *r, const json_t *json, struct sriov_inventory *inv)
{
	const json_t *array = reader_array(r, json, "", "nodes", NODES_MAX), *element;
	char path[READER_PATH];
	size_t i;

	json_array_foreach(array, i, element) {
		struct sriov_node *node = core_grow(&inv->node, &inv->nnodes, sizeof(*node));

		if (!node)
			return r->code = core_oom(r->err);
		if (node_decode(r, element, reader_path(path, "", "nodes", i), node) < 0)
			return r->code;
		for (size_t k = 0; k < i; k++) {
			if (inv->node[k].id == node->id)
				return reader_fail(r, -EEXIST, path, "id",
						   "%d is also the id of nodes[%zu]", node->id, k);
		}
	}
	return r->code;
}

static int vf_decode(struct reader *r, const json_t *json, const char *path, size_t position,
		     struct sriov_vf *vf)
{
	const json_t *attrs = json_object_get(json, "attrs");
	char below[READER_PATH];

	vf->index = position;
	vf->iommu_group = -1;
	if (fields_decode(r, json, path, snapshot_vf_fields, vf, NULL) < 0)
		return r->code;
	if (vf->index != position)
		return reader_fail(r, -EINVAL, path, "index",
				   "is %u, but VFs are listed in order from 0", vf->index);
	if (vf->netdev_up && !*vf->netdev)
		return reader_fail(r, -EINVAL, path, "up", "is true without a netdev");
	snprintf(below, sizeof(below), "%s.attrs", path);
	if (attrs && attrs_decode(r, attrs, below, &vf->attrs) < 0)
		return r->code;
	return uses_decode(r, json, path, &vf->uses);
}

static int vfs_decode(struct reader *r, const json_t *json, const char *parent, struct sriov_pf *pf)
{
	const json_t *count = json_object_get(json, "vfs");
	const json_t *array = reader_array(r, json, parent, "vf", SRIOV_VF_MAX), *element;
	char path[READER_PATH];
	unsigned vfs;
	size_t i;

	snprintf(path, sizeof(path), "%s.vfs", parent);
	if (r->code < 0 ||
	    (count && fields_decode(r, count, path, snapshot_count_fields, pf, NULL) < 0)) {
		pf->vfs = 0;
		return r->code;
	}
	vfs = pf->vfs;
	if (vfs > pf->vfs_total || (array && json_array_size(array) != vfs)) {
		pf->vfs = 0; /* nothing stands in pf->vf yet */
		return vfs > pf->vfs_total
			       ? reader_fail(r, -EINVAL, path, "now",
					     "is %u, more than the total of %u", vfs, pf->vfs_total)
			       : reader_fail(r, -EINVAL, parent, "vf",
					     "lists %zu VFs, but vfs.now is %u",
					     json_array_size(array), vfs);
	}
	if (!array)
		return 0;
	pf->vf = calloc(vfs + 1, sizeof(*pf->vf));
	if (!pf->vf)
		return r->code = core_oom(r->err);
	json_array_foreach(array, i, element) {
		if (vf_decode(r, element, reader_path(path, parent, "vf", i), i, &pf->vf[i]) < 0)
			return r->code;
	}
	return r->code;
}

static int rules_decode(struct reader *r, const json_t *json, const char *parent,
			struct sriov_pf *pf)
{
	const json_t *array = reader_array(r, json, parent, "rules", RULES_MAX), *element;
	struct sriov_error nested;
	char path[READER_PATH];
	size_t i;

	json_array_foreach(array, i, element) {
		struct sriov_entry *entry = core_grow(&pf->rules, &pf->nrules, sizeof(*entry));
		int code;

		if (!entry)
			return r->code = core_oom(r->err);
		reader_path(path, parent, "rules", i);
		code = entry_decode(element, entry, &nested);
		if (code < 0)
			return reader_fail(r, code, path, NULL, "%s", nested.message);
		/* as the drivers keep and report them */
		if (i && entry->loc <= entry[-1].loc)
			return reader_fail(r, entry->loc == entry[-1].loc ? -EEXIST : -EINVAL, path,
					   "loc", "is %u after %u: rules are listed by location",
					   entry->loc, entry[-1].loc);
	}
	return r->code;
}

static int rss_decode(struct reader *r, const json_t *json, const char *parent, struct sriov_pf *pf)
{
	const json_t *array = reader_array(r, json, parent, "rss", RSS_MAX), *element;
	char path[READER_PATH];
	size_t i;

	json_array_foreach(array, i, element) {
		uint32_t *queue = core_grow(&pf->rss, &pf->nrss, sizeof(*queue));

		if (!queue)
			return r->code = core_oom(r->err);
		if (!json_is_integer(element) || json_integer_value(element) < 0 ||
		    json_integer_value(element) > UINT16_MAX)
			return reader_fail(r, -EINVAL, reader_path(path, parent, "rss", i), NULL,
					   "is not an RX queue (0 to %u)", UINT16_MAX);
		*queue = json_integer_value(element);
	}
	return r->code;
}

static int irqs_decode(struct reader *r, const json_t *json, const char *path, struct sriov_pf *pf)
{
	const json_t *cpus = json_object_get(json, "irq_cpus");
	const char *text = json_string_value(cpus);
	struct cpuset set;

	if (!cpus)
		return 0;
	if (!text || cpuset_parse(text, &set) < 0)
		return reader_fail(r, -EINVAL, path, "irq_cpus",
				   "is not a list of CPUs (0-7,16-23)");
	pf->irq_cpus = strdup(text);
	return pf->irq_cpus ? 0 : (r->code = core_oom(r->err));
}

static int pf_decode(struct reader *r, const json_t *json, const char *path, struct sriov_pf *pf)
{
	const char *name;

	pf->mtu = 1500;
	pf->autoprobe = true;
	pf->watched = true;
	if (fields_decode(r, json, path, snapshot_pf_fields, pf, NULL) < 0)
		return r->code;
	if (!json_object_get(json, "perm_mac"))
		memcpy(pf->perm_mac, pf->mac, sizeof(pf->mac));
	if (!json_object_get(json, "mac"))
		memcpy(pf->mac, pf->perm_mac, sizeof(pf->mac));
	name = sriov_device_name(pf->vendor, pf->device);
	if (!*pf->name && name)
		core_copy(pf->name, sizeof(pf->name), name);
	else if (!*pf->name)
		snprintf(pf->name, sizeof(pf->name), "%04x:%04x", pf->vendor, pf->device);
	if (pf->carrier && !pf->up)
		return reader_fail(r, -EINVAL, path, "carrier", "is true on a port that is down");
	if (vfs_decode(r, json, path, pf) < 0 || uses_decode(r, json, path, &pf->uses) < 0)
		return r->code;
	if (rules_decode(r, json, path, pf) < 0 || rss_decode(r, json, path, pf) < 0 ||
	    irqs_decode(r, json, path, pf) < 0)
		return r->code;
	return hash_decode(r, json, path, pf);
}

/* What no two devices may share, with the path that says it. */
struct claim {
	const char *value;
	size_t pf, vf; /* vf: index + 1, 0 = the PF itself */
};

static int by_value(const void *a, const void *b)
{
	return strcmp(((const struct claim *)a)->value, ((const struct claim *)b)->value);
}

static void claim_path(const struct claim *claim, char buf[READER_PATH])
{
	char pf[READER_PATH / 2];

	snprintf(pf, sizeof(pf), "pfs[%zu]", claim->pf);
	if (claim->vf)
		snprintf(buf, READER_PATH, "%s.vf[%zu]", pf, claim->vf - 1);
	else
		snprintf(buf, READER_PATH, "%s", pf);
}

/* Refuses a text at @pf_offset of a PF and @vf_offset of a VF that two devices have; "" does not count. */
static int refuse_duplicates(struct reader *r, const struct sriov_inventory *inv, const char *key,
			     size_t pf_offset, size_t vf_offset)
{
	_free_ struct claim *claims = NULL;
	char first[READER_PATH], second[READER_PATH];
	size_t n = 0, max = 1;

	for (size_t i = 0; i < inv->npfs; i++)
		max += 1 + inv->pf[i].vfs;
	claims = calloc(max, sizeof(*claims));
	if (!claims)
		return r->code = core_oom(r->err);
	for (size_t i = 0; i < inv->npfs; i++) {
		const struct sriov_pf *pf = &inv->pf[i];

		claims[n++] = (struct claim){(const char *)pf + pf_offset, i, 0};
		for (unsigned v = 0; pf->vf && v < pf->vfs; v++)
			claims[n++] = (struct claim){(const char *)&pf->vf[v] + vf_offset, i,
						     v + 1};
	}
	qsort(claims, n, sizeof(*claims), by_value);
	for (size_t i = 1; i < n; i++) {
		if (!*claims[i].value || by_value(&claims[i - 1], &claims[i]) != 0)
			continue;
		claim_path(&claims[i - 1], first);
		claim_path(&claims[i], second);
		return reader_fail(r, -EEXIST, second, key, "%s is also that of %s",
				   claims[i].value, first);
	}
	return 0;
}

static int pfs_decode(struct reader *r, const json_t *json, struct sriov_inventory *inv)
{
	const json_t *array = reader_array(r, json, "", "pfs", PFS_MAX), *element;
	char path[READER_PATH];
	size_t i;

	json_array_foreach(array, i, element) {
		struct sriov_pf *pf = inventory_add_pf(inv);

		if (!pf)
			return r->code = core_oom(r->err);
		if (pf_decode(r, element, reader_path(path, "", "pfs", i), pf) < 0)
			return r->code;
		if (*pf->netdev && !pf->ifindex)
			pf->ifindex = i + 2; /* 1 is lo */
	}
	if (r->code < 0 || refuse_duplicates(r, inv, "address", offsetof(struct sriov_pf, address),
					     offsetof(struct sriov_vf, address)) < 0)
		return r->code;
	return refuse_duplicates(r, inv, "netdev", offsetof(struct sriov_pf, netdev),
				 offsetof(struct sriov_vf, netdev));
}

static int check_format(struct reader *r, const json_t *json)
{
	const json_t *format = json_object_get(json, "format");
	const json_t *version = json_object_get(json, "version");

	if (!json_is_object(json) || !json_is_string(format) ||
	    strcmp(json_string_value(format), SNAPSHOT_FORMAT) != 0) {
		reader_fail(r, -EINVAL, "", NULL,
			    "not a snapshot of a host: it has no \"format\": \"%s\"",
			    SNAPSHOT_FORMAT);
		sriov_error_hint(r->err, "`sriovctl host snapshot` writes one");
		return r->code;
	}
	if (!json_is_integer(version) || json_integer_value(version) < 1)
		return reader_fail(r, -EINVAL, "", "version", "must be a whole number from 1");
	if (json_integer_value(version) <= SNAPSHOT_VERSION)
		return 0;
	reader_fail(r, -EPROTONOSUPPORT, "", "version",
		    "%lld is newer than this sriovctl, which reads up to %d",
		    (long long)json_integer_value(version), SNAPSHOT_VERSION);
	sriov_error_hint(r->err, "use the sriovctl that wrote it, or a newer one");
	return r->code;
}

int inventory_decode(const json_t *json, struct sriov_inventory **out, struct sriov_error *err)
{
	_cleanup_(inventory_freep)
	struct sriov_inventory *inv = calloc(1, sizeof(*inv));
	struct reader r = {.subject = "snapshot", .err = err};

	if (!inv)
		return core_oom(err);
	if (check_format(&r, json) < 0 ||
	    fields_decode(&r, json, "", snapshot_fields, inv, NULL) < 0 ||
	    nodes_decode(&r, json, inv) < 0 || pfs_decode(&r, json, inv) < 0)
		return r.code;
	*out = core_steal(inv);
	return 0;
}
