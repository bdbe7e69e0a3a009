/* SPDX-License-Identifier: Apache-2.0 */
/* Looking profiles up, running them, and the checks that several drivers share. */
#include "flows/nic/profile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct nic_profile *const profiles[] = {&nic_ixgbe, &nic_i40e, &nic_igb};

const struct nic_profile *nic_profile_find(const char *driver)
{
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++)
		if (!strcmp(profiles[i]->driver, driver))
			return profiles[i];
	return NULL;
}

int nic_refuse(struct nic_verdict *verdict, int err, const char *why, const char *fmt, ...)
{
	va_list ap;

	*verdict = (struct nic_verdict){.err = err, .why = why};
	va_start(ap, fmt);
	vsnprintf(verdict->detail, sizeof(verdict->detail), fmt, ap);
	va_end(ap);
	return err;
}

int nic_hint(struct nic_verdict *verdict, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(verdict->hint, sizeof(verdict->hint), fmt, ap);
	va_end(ap);
	return verdict->err;
}

uint32_t nic_table_size(const struct nic_profile *profile, const struct sriov_pf *port)
{
	return port->rules_max ? port->rules_max : profile->table_size;
}

const char *nic_port_name(const struct sriov_pf *port)
{
	return port->netdev[0] ? port->netdev : port->address;
}

int nic_run(nic_check *const *checks, const struct nic_profile *profile,
	    const struct sriov_pf *port, const struct sriov_entry *entry,
	    struct nic_verdict *verdict)
{
	int r = 0;

	while (!r && *checks)
		r = (*checks++)(profile, port, entry, verdict);
	return r;
}

int nic_profile_admit(const struct nic_profile *profile, const struct sriov_pf *port,
		      const struct sriov_entry *entry, const char **why)
{
	struct nic_verdict verdict;
	int r = nic_run(profile->checks, profile, port, entry, &verdict);

	if (r)
		*why = verdict.why;
	return r;
}

void nic_profile_readback(const struct nic_profile *profile, struct sriov_entry *entry)
{
	if (profile && profile->readback)
		profile->readback(entry);
	/* values that do not count would make equal entries differ */
	entry_canonical(entry);
}

int nic_check_ntuple_on(const struct nic_profile *profile, const struct sriov_pf *port,
			const struct sriov_entry *entry, struct nic_verdict *verdict)
{
	if (port->ntuple != SRIOV_NTUPLE_OFF && port->ntuple != SRIOV_NTUPLE_OFF_FIXED)
		return 0;
	nic_refuse(verdict, -EOPNOTSUPP, "ntuple is off",
		   "ntuple is off on %s, and %s takes no rules then", nic_port_name(port),
		   profile->driver);
	if (port->ntuple == SRIOV_NTUPLE_OFF_FIXED)
		return nic_hint(verdict,
				"it cannot be switched on there: another NIC function, or no NPAR "
				"partitioning, is needed");
	return nic_hint(verdict, "ethtool -K %s ntuple on", nic_port_name(port));
}

int nic_check_location(const struct nic_profile *profile, const struct sriov_pf *port,
		       const struct sriov_entry *entry, struct nic_verdict *verdict)
{
	uint32_t size = nic_table_size(profile, port);

	if (!size || entry->loc < size)
		return 0;
	return nic_refuse(
		verdict, -EINVAL, "the location is outside the table",
		"location %u is outside the table of %s: it has %u locations, the last is %u",
		entry->loc, nic_port_name(port), size, size - 1);
}

/* "udp4, tcp4": the flow types of a profile. */
static void list_types(const struct nic_profile *profile, struct text *text)
{
	for (unsigned type = SRIOV_FLOW_NONE + 1; type < SRIOV_FLOW_TYPES; type++)
		if (profile->types & FLOW_BIT(type))
			text_list(text, "%s", flow_type_word(type));
}

int nic_check_type(const struct nic_profile *profile, const struct sriov_pf *port,
		   const struct sriov_entry *entry, struct nic_verdict *verdict)
{
	char types[128];
	struct text text = {.at = types, .size = sizeof(types)};

	if (profile->types & FLOW_BIT(entry->type))
		return 0;
	list_types(profile, &text);
	return nic_refuse(verdict, profile->type_err, "the driver has no rules of this flow type",
			  "%s has no rules of flow type %s; it has %s", profile->driver,
			  flow_type_word(entry->type) ?: "unknown", types);
}

/* What a profile can match of a flow type, as the hint of a refusal. */
static int hint_fields(const struct nic_profile *profile, enum sriov_flow_type type,
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
	return nic_hint(verdict, "%s can match of %s: %s", profile->driver, flow_type_word(type),
			fields);
}

int nic_check_masks(const struct nic_profile *profile, const struct sriov_pf *port,
		    const struct sriov_entry *entry, struct nic_verdict *verdict)
{
	for (const struct flow_field *f = NULL; (f = flow_field_next(f, entry->type));) {
		const struct nic_field *field = &profile->field[f->id];

		if (!flow_field_any(f, &entry->mask) || (f->ext && !entry->ext))
			continue;
		if (field->mask == NIC_MASK_REFUSED) {
			nic_refuse(verdict, field->err, "the driver cannot match this field",
				   "%s cannot match '%s'", profile->driver, f->word);
			return hint_fields(profile, entry->type, verdict);
		}
		if (field->mask == NIC_MASK_FULL && !flow_field_full(f, &entry->mask)) {
			nic_refuse(verdict, field->err,
				   "the driver matches this field whole or not at all",
				   "%s matches '%s' whole or not at all, without mask or prefix "
				   "length",
				   profile->driver, f->word);
			return hint_fields(profile, entry->type, verdict);
		}
	}
	return 0;
}

int nic_hazard_masks(const struct nic_profile *profile, const struct sriov_pf *port,
		     const struct sriov_entry *entry, struct nic_verdict *verdict)
{
	for (const struct flow_field *f = NULL; (f = flow_field_next(f, entry->type));) {
		enum nic_mask mask = profile->field[f->id].mask;
		bool partial = mask == NIC_MASK_WHOLE && !flow_field_full(f, &entry->mask);

		if (!flow_field_any(f, &entry->mask) || (f->ext && !entry->ext) ||
		    (mask != NIC_MASK_IGNORED && !partial))
			continue;
		nic_refuse(
			verdict, -EOPNOTSUPP, "the driver ignores this match",
			"%s accepts %s'%s' and then does not look at it: the rule would catch more "
			"packets than it says",
			profile->driver, partial ? "a masked " : "", f->word);
		return hint_fields(profile, entry->type, verdict);
	}
	return 0;
}

int nic_check_queue(const struct nic_profile *profile, const struct sriov_pf *port,
		    const struct sriov_entry *entry, struct nic_verdict *verdict)
{
	if (entry->cookie == SRIOV_COOKIE_DROP || COOKIE_VF(entry->cookie) || !port->queues ||
	    COOKIE_QUEUE(entry->cookie) < port->queues)
		return 0;
	nic_refuse(verdict, -EINVAL, "the PF has no such RX queue",
		   "%s has no RX queue %u: it has %u, the last is %u", nic_port_name(port),
		   COOKIE_QUEUE(entry->cookie), port->queues, port->queues - 1);
	return nic_hint(verdict, "`ethtool -l %s` shows how many it could have",
			nic_port_name(port));
}

int nic_hazard_vf_target(const struct nic_profile *profile, const struct sriov_pf *port,
			 const struct sriov_entry *entry, struct nic_verdict *verdict)
{
	if (profile->vf_target || entry->cookie == SRIOV_COOKIE_DROP || !COOKIE_VF(entry->cookie))
		return 0;
	nic_refuse(
		verdict, -EOPNOTSUPP, "a rule cannot send packets to a VF here",
		"a rule of %s does not send packets to a VF: the switch in the NIC has chosen the "
		"VF by MAC and VLAN before, and a rule with a VF as target only picks the queue "
		"inside a VF that was chosen anyway (vendor's user guide: routing to VF not "
		"supported)",
		profile->driver);
	return nic_hint(
		verdict,
		"give the VF the MAC and VLAN of the traffic; drop and queue rules of the PF "
		"work");
}

size_t nic_profile_notes(const struct nic_profile *profile, const struct sriov_pf *port,
			 const struct sriov_entry *entry, const char *out[NIC_NOTES_MAX])
{
	return profile && profile->notes ? profile->notes(port, entry, out) : 0;
}
