/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VFs as shown: one table of facts, from which `vf list`, `host show` and `vf show` take what they want,
 * and the same inventory as JSON. "unknown" is what could not be read.
 */
#include "cmd/sriovctl/out.h"

#include <stdio.h>
#include <string.h>

const char *show_pf(const struct sriov_pf *pf, char buf[64])
{
	snprintf(buf, 64, "%s%s%s", pf->address, *pf->netdev ? " " : "", pf->netdev);
	return buf;
}

char *show_uses(const struct sriov_uses *uses, bool how)
{
	char *text = strdup("");

	for (size_t i = 0; i < uses->n && text; i++) {
		const struct sriov_use *use = &uses->at[i];
		bool tell = how && *use->how;
		char *longer = core_printf("%s%s%s%s%s%s%s", text, i ? "; " : "", use->who,
					   use->unreadable ? " (unreadable)" : "", tell ? " [" : "",
					   tell ? use->how : "", tell ? "]" : "");

		free(text);
		text = longer;
	}
	return text;
}

/* The facts: fresh text of a VF each, "" for none, NULL = out of memory. */

static char *text_index(const struct sriov_vf *vf)
{
	return core_printf("%u", vf->index);
}

static char *text_address(const struct sriov_vf *vf)
{
	return strdup(vf->address);
}

static char *text_netdev(const struct sriov_vf *vf)
{
	if (vf->in_netns)
		return strdup("in another netns");
	return core_printf("%s%s%s%s", vf->netdev, vf->netdev_up ? " up" : "",
			   *vf->master ? " in " : "", vf->master);
}

static char *text_driver(const struct sriov_vf *vf)
{
	return strdup(*vf->driver ? vf->driver : "unbound");
}

static char *text_side(const struct sriov_vf *vf)
{
	return *vf->netdev || vf->in_netns ? text_netdev(vf) : text_driver(vf);
}

static char *text_override(const struct sriov_vf *vf)
{
	return strdup(vf->driver_override);
}

static char *text_group(const struct sriov_vf *vf)
{
	return vf->iommu_group < 0 ? strdup("") : core_printf("%d", vf->iommu_group);
}

static char *text_mac(const struct sriov_vf *vf)
{
	char buf[SRIOV_MAC_LEN];

	if (!(vf->attrs.has & SRIOV_VF_MAC))
		return strdup("unknown");
	/* zeros: none was set from here, the guest's driver makes one up */
	return strdup(sriov_mac_is_zero(vf->attrs.mac) ? "" : sriov_mac_format(vf->attrs.mac, buf));
}

/* In the words that --vlan takes: ID[:QOS[:PROTO]]. */
static char *text_vlan(const struct sriov_vf *vf)
{
	const struct sriov_vf_attrs *attrs = &vf->attrs;

	if (!(attrs->has & SRIOV_VF_VLAN))
		return strdup("unknown");
	if (!attrs->vlan && !attrs->qos)
		return strdup("");
	if (attrs->vlan_proto == 0x88a8)
		return core_printf("%u:%u:802.1ad", attrs->vlan, attrs->qos);
	return core_printf(attrs->qos ? "%u:%u" : "%u", attrs->vlan, attrs->qos);
}

static char *text_switch(const struct sriov_vf *vf, enum sriov_vf_has has, bool on)
{
	return strdup(!(vf->attrs.has & has) ? "unknown" : on ? "on" : "off");
}

static char *text_spoofchk(const struct sriov_vf *vf)
{
	return text_switch(vf, SRIOV_VF_SPOOFCHK, vf->attrs.spoofchk);
}

static char *text_trust(const struct sriov_vf *vf)
{
	return text_switch(vf, SRIOV_VF_TRUST, vf->attrs.trust);
}

static char *text_rate(const struct sriov_vf *vf)
{
	const struct sriov_vf_attrs *attrs = &vf->attrs;

	if (!(attrs->has & SRIOV_VF_RATE))
		return strdup("unknown");
	if (!attrs->min_rate && !attrs->max_rate)
		return strdup("");
	if (!attrs->min_rate)
		return core_printf("%uM", attrs->max_rate);
	return attrs->max_rate ? core_printf("%u-%uM", attrs->min_rate, attrs->max_rate)
			       : core_printf(">=%uM", attrs->min_rate);
}

static char *text_link(const struct sriov_vf *vf)
{
	static const char *const states[] = {
		[SRIOV_LINK_AUTO] = "auto",
		[SRIOV_LINK_ENABLE] = "enable",
		[SRIOV_LINK_DISABLE] = "disable",
	};
	bool known = vf->attrs.has & SRIOV_VF_LINK && vf->attrs.link < ARRAY_SIZE(states);

	return strdup(known ? states[vf->attrs.link] : "unknown");
}

static char *text_pool(const struct sriov_vf *vf)
{
	return strdup(vf->pool);
}

static char *text_users(const struct sriov_vf *vf)
{
	return show_uses(&vf->uses, false);
}

static char *text_evidence(const struct sriov_vf *vf)
{
	return show_uses(&vf->uses, true);
}

#define ALL_VIEWS (SHOW_LIST | SHOW_HOST | SHOW_ONE)

static const struct {
	struct column column;
	const char *label; /* where a VF is shown alone */
	unsigned views;
	char *(*text)(const struct sriov_vf *vf);
} facts[] = {
	{{"VF", .right = true}, "VF", SHOW_LIST | SHOW_HOST, text_index},
	{{"ADDRESS"}, "address", ALL_VIEWS, text_address},
	{{"NETDEV/DRIVER"}, NULL, SHOW_LIST, text_side},
	{{"NETDEV"}, "netdev", SHOW_HOST | SHOW_ONE, text_netdev},
	{{"DRIVER"}, "driver", SHOW_HOST | SHOW_ONE, text_driver},
	{{"OVERRIDE", .optional = true}, "driver override", SHOW_ONE, text_override},
	{{"GROUP", .right = true}, "IOMMU group", SHOW_HOST | SHOW_ONE, text_group},
	{{"MAC"}, "MAC", ALL_VIEWS, text_mac},
	{{"VLAN"}, "VLAN", ALL_VIEWS, text_vlan},
	{{"SPOOF"}, "spoofchk", ALL_VIEWS, text_spoofchk},
	{{"TRUST"}, "trust", ALL_VIEWS, text_trust},
	{{"RATE", .right = true}, "rate", ALL_VIEWS, text_rate},
	{{"LINK"}, "link state", ALL_VIEWS, text_link},
	{{"POOL", .optional = true}, "pool", ALL_VIEWS, text_pool},
	{{"USED BY"}, NULL, SHOW_LIST, text_users},
	{{"USED BY"}, "used by", SHOW_HOST | SHOW_ONE, text_evidence},
};

int show_vfs(const struct sriov_pf *pf, enum show_view view, int indent, struct sriov_error *err)
{
	struct column columns[ARRAY_SIZE(facts)];
	struct table table = {.columns = columns};

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		if (facts[i].views & view)
			columns[table.ncolumns++] = facts[i].column;
	for (unsigned v = 0; pf->vf && v < pf->vfs; v++)
		for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
			if (facts[i].views & view)
				table_take(&table, facts[i].text(&pf->vf[v]));
	return table_print(&table, indent, err);
}

int show_vf(const struct sriov_vf *vf, struct sriov_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		_free_ char *text = facts[i].views & SHOW_ONE ? facts[i].text(vf) : NULL;

		if (!(facts[i].views & SHOW_ONE))
			continue;
		if (!text)
			return core_oom(err);
		if (*text || !facts[i].column.optional)
			printf("  %-15s  %s\n", facts[i].label, *text ? text : "-");
	}
	return 0;
}

static json_t *inventory(const struct sriov_inventory *inv, struct sriov_error *err)
{
	_free_ char *text = NULL;
	json_t *json;

	if (sriov_inventory_json(inv, &text, err) < 0)
		return NULL;
	json = json_loads(text, 0, NULL);
	if (!json)
		core_oom(err);
	return json;
}

int out_inventory(struct out *out, const struct sriov_inventory *inv, struct sriov_error *err)
{
	_json_ json_t *json = inventory(inv, err);

	if (!json)
		return err->code;
	return json_object_update(out->doc, json) < 0 ? core_oom(err) : 0;
}

/* Of a PF, only what was read for its VFs: the rest would look like facts. */
static json_t *pf_of_vfs(const json_t *pf)
{
	static const char *const keys[] = {"address", "netdev", "driver", "node", "vfs", "vf"};
	json_t *json = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		json_object_set(json, keys[i], json_object_get(pf, keys[i]));
	return json;
}

int out_vfs(struct out *out, const struct sriov_inventory *inv, struct sriov_error *err)
{
	_json_ json_t *json = inventory(inv, err), *pfs = json_array();
	const json_t *pf;
	size_t i;

	if (!json)
		return err->code;
	json_array_foreach(json_object_get(json, "pfs"), i, pf)
		json_array_append_new(pfs, pf_of_vfs(pf));
	return out_add(out, "pfs", core_steal(pfs), err);
}

int out_vf(struct out *out, const struct sriov_inventory *inv, unsigned index,
	   struct sriov_error *err)
{
	_json_ json_t *json = inventory(inv, err);
	json_t *pf;
	int r;

	if (!json)
		return err->code;
	pf = json_array_get(json_object_get(json, "pfs"), 0);
	r = out_add(out, "pf", json_incref(json_object_get(pf, "address")), err);
	if (r < 0)
		return r;
	return out_add(out, "vf", json_incref(json_array_get(json_object_get(pf, "vf"), index)),
		       err);
}
