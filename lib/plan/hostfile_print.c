/* SPDX-License-Identifier: Apache-2.0 */
/* `adopt --print`: a host file for a host as it is. Applied to it, it finds nothing to do. */
#include "lib/guest/place.h"
#include "lib/plan/hostfile_plan.h"
#include "lib/plan/rule.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Text that grows; once memory is out it stays NULL. */
struct page {
	char *text;
	size_t used;
	bool failed;
};

static void put(struct page *page, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct page *page, const char *fmt, ...)
{
	char *more = NULL, *longer;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&more, fmt, ap);
	va_end(ap);
	longer = n < 0 || page->failed ? NULL : realloc(page->text, page->used + n + 1);
	if (longer) {
		memcpy(longer + page->used, more, n + 1);
		page->text = longer;
		page->used += n;
	} else {
		page->failed = true;
	}
	free(n < 0 ? NULL : more);
}

/* ---- VFs ---- */

/* A VF as the file has words for it, without what would tell apart those that are otherwise alike. */
struct said {
	struct sriov_vf_attrs attrs;
	bool mac_auto;
	char driver[32], pool[32];
};

static void say(const struct sriov_pf *pf, const struct vf_state *vf, const char *pool,
		struct said *out)
{
	uint8_t mac[6];

	*out = (struct said){.attrs = vf->attrs};
	if ((vf->attrs.has & SRIOV_VF_MAC) && sriov_mac_is_zero(vf->attrs.mac))
		out->attrs.has &= ~SRIOV_VF_MAC;
	sriov_mac_auto(pf->perm_mac, vf->index, 0, mac);
	if ((out->attrs.has & SRIOV_VF_MAC) && !memcmp(mac, vf->attrs.mac, 6)) {
		out->attrs.has &= ~SRIOV_VF_MAC;
		out->mac_auto = true;
	}
	core_copy(out->pool, sizeof(out->pool), pool);
	if (vf->has_driver)
		core_copy(out->driver, sizeof(out->driver),
			  !vf->driver[0]                    ? "none"
			  : !strcmp(vf->driver, "vfio-pci") ? "vfio-pci"
							    : "default");
}

static bool alike(const struct said *a, const struct said *b)
{
	return a->attrs.has == b->attrs.has && !sriov_vf_attrs_differ(&a->attrs, &b->attrs) &&
	       a->mac_auto == b->mac_auto && !strcmp(a->driver, b->driver) &&
	       !strcmp(a->pool, b->pool);
}

static void put_vlan(struct page *page, const struct sriov_vf_attrs *attrs)
{
	put(page, "vlan: %u", attrs->vlan);
	if (attrs->qos || attrs->vlan_proto == 0x88a8)
		put(page, ":%u", attrs->qos);
	if (attrs->vlan_proto == 0x88a8)
		put(page, ":802.1ad");
}

/* Each of its words, with ", " between; what every fresh VF has anyway is said too: it may not be so elsewhere. */
static void put_said(struct page *page, const struct said *said)
{
	static const char *const link[] = {"auto", "enable", "disable"};
	const struct sriov_vf_attrs *attrs = &said->attrs;
	const char *between = "";
	char mac[SRIOV_MAC_LEN];

#define NEXT() (put(page, "%s", between), between = ", ")
	if (said->pool[0])
		NEXT(), put(page, "pool: %s", said->pool);
	if (said->driver[0])
		NEXT(), put(page, "driver: %s", said->driver);
	if (said->mac_auto)
		NEXT(), put(page, "mac: auto");
	if (attrs->has & SRIOV_VF_MAC)
		NEXT(), put(page, "mac: '%s'", sriov_mac_format(attrs->mac, mac));
	if (attrs->has & SRIOV_VF_VLAN)
		NEXT(), put_vlan(page, attrs);
	if (attrs->has & SRIOV_VF_SPOOFCHK)
		NEXT(), put(page, "spoofchk: %s", attrs->spoofchk ? "on" : "off");
	if (attrs->has & SRIOV_VF_TRUST)
		NEXT(), put(page, "trust: %s", attrs->trust ? "on" : "off");
	if ((attrs->has & SRIOV_VF_RATE) && (attrs->max_rate || attrs->min_rate))
		NEXT(), put(page, "max-rate: %u", attrs->max_rate);
	if ((attrs->has & SRIOV_VF_RATE) && attrs->min_rate)
		NEXT(), put(page, "min-rate: %u", attrs->min_rate);
	if ((attrs->has & SRIOV_VF_LINK) && attrs->link < ARRAY_SIZE(link))
		NEXT(), put(page, "link-state: %s", link[attrs->link]);
#undef NEXT
}

static void put_vfs(struct page *page, const struct sriov_pf *pf, const struct pf_state *want,
		    const struct store_pools *pools)
{
	struct said said, next;

	put(page, "    vfs: %u\n    vf:\n", want->count);
	for (unsigned i = 0, last; i < want->nvf; i = last + 1) {
		unsigned index = want->vf[i].index;

		say(pf, &want->vf[i], pools->at[index], &said);
		for (last = i; last + 1 < want->nvf; last++) {
			say(pf, &want->vf[last + 1], pools->at[want->vf[last + 1].index], &next);
			if (want->vf[last + 1].index != want->vf[last].index + 1 ||
			    !alike(&said, &next))
				break;
		}
		if (last > i)
			put(page, "      %u-%u: {", index, want->vf[last].index);
		else
			put(page, "      %u: {", index);
		put_said(page, &said);
		put(page, "}\n");
	}
}

/* ---- rules, and a PF as a whole ---- */

static void put_rules(struct page *page, const struct pf_state *state)
{
	static const struct {
		enum sriov_result result;
	} allowed[] = {{SRIOV_NARROWER}, {SRIOV_BROADER}, {SRIOV_NONE}, {SRIOV_UNSURE}};
	const char *between = "";

	if (state->allow) {
		put(page, "    allow: [");
		for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
			if (!(state->allow & 1u << allowed[i].result))
				continue;
			put(page, "%s%s", between, sriov_result_word(allowed[i].result));
			between = ", ";
		}
		put(page, "]\n");
	}
	if (state->partial)
		put(page, "    partial: on\n");
	put(page, "    rules: |\n");
	for (size_t i = 0; i < state->list.n; i++) {
		char words[RULE_WORDS] = "";

		sriov_rule_format(&state->list.at[i], words, sizeof(words));
		put(page, "      %s\n", words);
	}
}

static int put_pf(struct page *page, struct sriov_host *host, const char *address,
		  struct sriov_error *err)
{
	const struct sriov_options opts = {
		.dry_run = true, .looks = true, .command = "adopt --print"};
	_free_ struct store_pools *pools = calloc(1, sizeof(*pools));
	struct change change;
	int r = change_open(&change, host, address, CHANGE_READ_ALL, &opts, err);

	if (!r && !pools)
		r = core_oom(err);
	if (!r && change.store)
		r = store_pool_read(change.store, change.pf->address, pools, err);
	if (!r)
		r = adopt_want(&change, err);
	if (!r) {
		put(page, "  # %s, %s\n  - match: '%s'\n", pf_label(change.pf), change.pf->name,
		    change.pf->address);
		if (change.want.nvf)
			put_vfs(page, change.pf, &change.want, pools);
		if (change.want.list.n)
			put_rules(page, &change.want);
		for (size_t i = 0; i < change.plan->nnotes; i++)
			put(page, "    # %s\n", change.plan->note[i]);
	}
	change_close(&change);
	return r;
}

/* As `physnet add --uplink` has it. */
static void put_uplink(struct page *page, const struct sriov_physnet *net)
{
	if (net->uplink == SRIOV_UPLINK_VF)
		put(page, "vf:%u", net->uplink_vf);
	else
		put(page, "%s",
		    net->uplink == SRIOV_UPLINK_PORT ? net->port : sriov_uplink_word(net->uplink));
}

/* The PF beside the uplink comes first. */
static void put_net(struct page *page, const struct sriov_physnet *net)
{
	char paths[POLICY_TEXT], numa[POLICY_TEXT];

	put(page, "  '%s':\n    pfs:\n", net->name);
	if (net->bridge[0])
		put(page, "      - '%s'\n", net->uplink_pf);
	for (size_t i = 0; i < net->npfs; i++)
		if (!net->bridge[0] || strcmp(net->pf[i], net->uplink_pf) != 0)
			put(page, "      - '%s'\n", net->pf[i]);
	policy_format(&net->policy, paths, numa);
	if (paths[0])
		put(page, "    paths: [%s]\n", paths);
	if (numa[0])
		put(page, "    numa: %s\n", numa);
	if (!net->bridge[0])
		return;
	put(page, "    vswitch:\n      bridge: '%s'\n      uplink: '", net->bridge);
	put_uplink(page, net);
	put(page, "'\n      sockets: '%s'\n", net->sockets);
}

static int put_nets(struct page *page, struct sriov_host *host, struct sriov_error *err)
{
	struct sriov_physnet *nets = NULL;
	size_t n = 0;
	int r = sriov_physnet_list(host, &nets, &n, err);

	if (n)
		put(page, "physnets:\n");
	for (size_t i = 0; i < n; i++)
		put_net(page, &nets[i]);
	sriov_physnets_free(nets, n);
	return r;
}

SRIOV_EXPORT int sriov_hostfile_print(struct sriov_host *host, const char *pf, char **text,
				      struct sriov_error *err)
{
	struct sriov_inventory *inv = NULL;
	struct page page = {0};
	bool any = false;
	int r = host_read(host, pf, SRIOV_READ_RULES, &inv, err);

	put(&page, "# sriovctl host file; `sriovctl apply` makes a host so\nversion: 1\n");
	for (size_t i = 0; !r && i < inv->npfs; i++) {
		if (!inv->pf[i].vfs && !inv->pf[i].nrules)
			continue;
		put(&page, "%s", any ? "" : "pfs:\n");
		any = true;
		r = put_pf(&page, host, inv->pf[i].address, err);
	}
	if (!r && !pf)
		r = put_nets(&page, host, err);
	sriov_inventory_free(inv);
	if (r < 0 || page.failed) {
		free(page.text);
		return r < 0 ? r : core_oom(err);
	}
	*text = page.text;
	return 0;
}
