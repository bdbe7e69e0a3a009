/* SPDX-License-Identifier: Apache-2.0 */
/* Looking profiles up, running them, and the checks that several drivers share. */
#include "flows/nic/profile.h"

#include "flows/nic/rte.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct nic_profile *const profiles[] = {
	&nic_ixgbe, &nic_i40e, &nic_igb, &rte_net_ixgbe, &rte_net_i40e, &rte_net_igb, &rte_net_tap};

const struct nic_profile *nic_profile_find(const char *driver)
{
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++)
		if (!strcmp(profiles[i]->driver, driver))
			return profiles[i];
	return NULL;
}

bool nic_refuse(struct nic_verdict *v, int err, const char *why, const char *fmt, ...)
{
	va_list ap;

	*v = (struct nic_verdict){
		.result = SRIOV_REJECTED, .err = err, .why = why, .other = TABLE_NONE};
	va_start(ap, fmt);
	vsnprintf(v->detail, sizeof(v->detail), fmt, ap);
	va_end(ap);
	return false;
}

bool nic_hint(struct nic_verdict *v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(v->hint, sizeof(v->hint), fmt, ap);
	va_end(ap);
	return false;
}

void nic_deviate(struct nic_verdict *v, enum sriov_result result, const char *why, const char *fmt,
		 ...)
{
	bool both = v->result != SRIOV_EXACT && v->result != result;
	va_list ap;

	*v = (struct nic_verdict){
		.result = both ? SRIOV_REJECTED : result, .why = why, .other = TABLE_NONE};
	va_start(ap, fmt);
	vsnprintf(v->detail, sizeof(v->detail), fmt, ap);
	va_end(ap);
}

bool nic_known_device(const struct nic_profile *profile, const struct sriov_pf *port)
{
	const char *family = profile->filters ? profile->kernel : port->driver;

	return !family || nic_mac_of(family, port->device) != NIC_MACS;
}

uint32_t nic_table_size(const struct nic_profile *profile, const struct sriov_pf *port)
{
	uint32_t size = 0;

	for (size_t i = 0; i < profile->nfilters; i++)
		size += rte_room(profile, &profile->filters[i], port);
	if (profile->filters)
		return size;
	return port->rules_max ? port->rules_max : profile->table_size;
}

const char *nic_port_name(const struct sriov_pf *port)
{
	return port->netdev[0] ? port->netdev : port->address;
}

bool nic_run(nic_check *const *checks, const struct nic_case *c, struct nic_verdict *v)
{
	bool ok = true;

	while (ok && *checks)
		ok = (*checks++)(c, v);
	return ok;
}

void nic_profile_readback(const struct nic_profile *profile, struct sriov_entry *entry)
{
	if (profile && profile->readback)
		profile->readback(entry);
	/* values that do not count would make equal entries differ */
	entry_canonical(entry);
}

bool nic_check_ntuple_on(const struct nic_case *c, struct nic_verdict *v)
{
	const char *name = nic_port_name(c->port);

	if (c->port->ntuple != SRIOV_NTUPLE_OFF && c->port->ntuple != SRIOV_NTUPLE_OFF_FIXED)
		return true;
	nic_refuse(v, -EOPNOTSUPP, "ntuple is off",
		   "ntuple is off on %s, and %s takes no rules then", name, c->profile->driver);
	if (c->port->ntuple == SRIOV_NTUPLE_OFF_FIXED)
		return nic_hint(v,
				"it cannot be switched on there: another NIC function, or no NPAR "
				"partitioning, is needed");
	return nic_hint(v, "ethtool -K %s ntuple on", name);
}

bool nic_check_location(const struct nic_case *c, struct nic_verdict *v)
{
	uint32_t size = nic_table_size(c->profile, c->port);

	if (!size || c->entry->loc < size)
		return true;
	nic_refuse(v, -EINVAL, "the location is outside the table",
		   "location %u is outside the table of %s: it has %u locations, the last is %u",
		   c->entry->loc, nic_port_name(c->port), size, size - 1);
	return nic_hint(v, "leave 'loc' out to get a free one");
}

/* "udp4, tcp4": the flow types of a profile. */
static void list_types(const struct nic_profile *profile, struct text *text)
{
	for (unsigned type = SRIOV_FLOW_NONE + 1; type < SRIOV_FLOW_TYPES; type++)
		if (profile->types & FLOW_BIT(type))
			text_list(text, "%s", sriov_flow_type_word(type));
}

static bool check_places(const struct nic_case *c, struct nic_verdict *v)
{
	const struct sriov_entry *e = c->entry;

	for (const struct flow_field *f = NULL; (f = flow_field_next(f, e->type));) {
		if (!f->rte || c->profile->filters || !flow_field_any(f, &e->mask))
			continue;
		nic_refuse(v, 0, "the kernel has no form for it",
			   "the kernel's interface for rules cannot say '%s'", f->word);
		return nic_hint(v, "ports that DPDK owns can have filters for it: --backend rte");
	}
	return true;
}

bool nic_check_type(const struct nic_case *c, struct nic_verdict *v)
{
	const struct nic_profile *profile = c->profile;
	char types[128];
	struct text text = {.at = types, .size = sizeof(types)};

	if (profile->types & FLOW_BIT(c->entry->type))
		return check_places(c, v);
	list_types(profile, &text);
	return nic_refuse(v, profile->type_err, "the driver has no rules of this flow type",
			  "%s has no rules of flow type %s; it has %s", profile->driver,
			  sriov_flow_type_word(c->entry->type) ?: "unknown", types);
}

/* What a profile can match of a flow type, as the hint of a refusal. */
static bool hint_fields(const struct nic_profile *profile, enum sriov_flow_type type,
			struct nic_verdict *verdict)
{
	static const char *const how[] = {[NIC_MASK_FULL] = " (whole)",
					  [NIC_MASK_WHOLE] = " (whole)",
					  [NIC_MASK_ANY] = " (any bits)",
					  [NIC_MASK_OWN] = ""};
	char fields[256];
	struct text text = {.at = fields, .size = sizeof(fields)};

	for (const struct flow_field *f = NULL; (f = flow_field_next(f, type));) {
		enum nic_mask mask = profile->field[f->id].mask;

		if (mask != NIC_MASK_REFUSED && mask != NIC_MASK_IGNORED)
			text_list(&text, "%s%s", f->word, how[mask]);
	}
	return nic_hint(verdict, "%s can match of %s: %s", profile->driver,
			sriov_flow_type_word(type), fields);
}

bool nic_check_masks(const struct nic_case *c, struct nic_verdict *v)
{
	const struct nic_profile *profile = c->profile;
	const struct sriov_entry *e = c->entry;

	for (const struct flow_field *f = NULL; (f = flow_field_next(f, e->type));) {
		const struct nic_field *field = &profile->field[f->id];

		if (!flow_field_any(f, &e->mask) || (f->ext && !e->ext))
			continue;
		if (field->mask == NIC_MASK_REFUSED) {
			nic_refuse(v, field->err, "the driver cannot match this field",
				   "%s cannot match '%s'", profile->driver, f->word);
			return hint_fields(profile, e->type, v);
		}
		if (field->mask == NIC_MASK_FULL && !flow_field_full(f, &e->mask)) {
			nic_refuse(v, field->err,
				   "the driver matches this field whole or not at all",
				   "%s matches '%s' whole or not at all, without mask or prefix "
				   "length",
				   profile->driver, f->word);
			return hint_fields(profile, e->type, v);
		}
	}
	return true;
}

void nic_clear_ignored(const struct nic_profile *profile, struct sriov_entry *e,
		       struct nic_verdict *v)
{
	for (const struct flow_field *f = NULL; (f = flow_field_next(f, e->type));) {
		enum nic_mask mask = profile->field[f->id].mask;
		bool partial = mask == NIC_MASK_WHOLE && !flow_field_full(f, &e->mask);

		if (!flow_field_any(f, &e->mask) || (f->ext && !e->ext) ||
		    (mask != NIC_MASK_IGNORED && !partial))
			continue;
		nic_deviate(v, SRIOV_BROADER, "the driver ignores this match",
			    "%s accepts %s'%s' and then does not look at it: the rule would catch "
			    "more packets than it says",
			    profile->driver, partial ? "a masked " : "", f->word);
		hint_fields(profile, e->type, v);
		flow_field_fill(f, &e->mask, 0);
		flow_field_fill(f, &e->value, 0);
	}
}

bool nic_check_queue(const struct nic_case *c, struct nic_verdict *v)
{
	const struct sriov_pf *port = c->port;
	uint64_t cookie = c->entry->cookie;

	if (cookie == SRIOV_COOKIE_DROP || COOKIE_VF(cookie) || !port->queues ||
	    COOKIE_QUEUE(cookie) < port->queues)
		return true;
	nic_refuse(v, -EINVAL, "the PF has no such RX queue",
		   "%s has no RX queue %u: it has %u, the last is %u", nic_port_name(port),
		   COOKIE_QUEUE(cookie), port->queues, port->queues - 1);
	if (c->profile->filters)
		return nic_hint(v,
				"`sriov-rte --queues N` says how many it has, and of a NIC by its "
				"name --nic NIC,queues=N");
	if (!port->address[0])
		return nic_hint(v, "--nic %s,queues=N says how many it has", port->netdev);
	return nic_hint(v, "`ethtool -l %s` shows how many it could have", nic_port_name(port));
}

void nic_profile_rewrite(const struct nic_profile *profile, const struct sriov_entry *installed,
			 size_t n, bool *gone, const struct sriov_entry *inserts, size_t ninserts)
{
	if (profile && profile->rewrite)
		profile->rewrite(installed, n, gone, inserts, ninserts);
}

size_t nic_profile_notes(const struct nic_profile *profile, const struct sriov_pf *port,
			 const struct sriov_entry *entry, const char *out[NIC_NOTES_MAX])
{
	return profile && profile->notes ? profile->notes(port, entry, out) : 0;
}
