/* SPDX-License-Identifier: Apache-2.0 */
/* Traces: a port made ready, and the walk through its stages. */
#include "flows/trace.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- a port made ready ---- */

static void tracer_freep(struct sriov_tracer **tracer)
{
	sriov_tracer_free(*tracer);
}

SRIOV_EXPORT void sriov_tracer_free(struct sriov_tracer *t)
{
	if (!t)
		return;
	trace_table_clear(&t->table);
	free(t->vf);
	free(t->rss);
	free(t->hash);
	free(t->entry);
	free(t->target);
	free(t);
}

static int copy_vfs(struct sriov_tracer *t, const struct sriov_pf *port)
{
	if (!port->vf)
		return 0;
	t->vf = calloc(port->vfs + 1, sizeof(*t->vf));
	if (!t->vf)
		return -ENOMEM;
	for (unsigned i = 0; i < port->vfs; i++) {
		const struct sriov_vf_attrs *a = &port->vf[i].attrs;
		struct trace_vf *vf = &t->vf[i];

		memcpy(vf->mac, a->mac, sizeof(vf->mac));
		vf->has_mac = a->has & SRIOV_VF_MAC && !sriov_mac_is_zero(a->mac);
		vf->spoofchk = a->has & SRIOV_VF_SPOOFCHK && a->spoofchk;
		vf->disabled = a->has & SRIOV_VF_LINK && a->link == SRIOV_LINK_DISABLE;
		if (a->has & SRIOV_VF_VLAN)
			vf->vlan = a->vlan | a->qos << VLAN_PRIO_SHIFT;
	}
	return 0;
}

static int copy_rss(struct sriov_tracer *t, const struct sriov_pf *port)
{
	if (port->nrss) {
		t->rss = malloc(port->nrss * sizeof(*t->rss));
		if (!t->rss)
			return -ENOMEM;
		memcpy(t->rss, port->rss, port->nrss * sizeof(*t->rss));
		t->nrss = port->nrss;
	}
	if (port->nrss_key >= RSS_KEY_MIN) {
		t->hash = malloc(sizeof(*t->hash));
		if (!t->hash)
			return -ENOMEM;
		trace_rss_init(t->hash, port->rss_key);
	}
	return 0;
}

static int copy_entries(struct sriov_tracer *t, const struct sriov_trace_entry *entries, size_t n)
{
	t->entry = malloc((n + 1) * sizeof(*t->entry));
	t->target = calloc(n + 1, sizeof(*t->target));
	if (!t->entry || !t->target)
		return -ENOMEM;
	if (n)
		memcpy(t->entry, entries, n * sizeof(*t->entry));
	t->n = n;
	for (size_t i = 0; i < n; i++) {
		t->types |= FLOW_BIT(entries[i].entry.type);
		t->walk->target(&t->port, &entries[i].entry, &t->target[i]);
	}
	return trace_table_init(&t->table, &t->port, t->walk, entries, n);
}

SRIOV_EXPORT int sriov_tracer_new(const struct sriov_pf *port,
				  const struct sriov_trace_entry *entries, size_t n,
				  struct sriov_tracer **out, struct sriov_error *err)
{
	_cleanup_(tracer_freep)
	struct sriov_tracer *t = calloc(1, sizeof(*t));
	const struct nic_profile *profile = nic_profile_find(port->driver);

	if (!t)
		return core_oom(err);
	if (!profile || !profile->walk) {
		sriov_error_set(err, -EOPNOTSUPP, nic_port_name(port),
				"what its driver '%s' does with packets is not modelled",
				port->driver);
		return sriov_error_hint(err, "ixgbe, i40e and igb are");
	}
	t->profile = profile;
	t->walk = profile->walk;
	t->port = *port;
	t->port.vf = NULL;
	t->port.rules = NULL;
	t->port.rss = NULL;
	t->port.uses = (struct sriov_uses){0};
	t->port.nrules = t->port.nrss = 0;
	if (copy_vfs(t, port) || copy_rss(t, port) || copy_entries(t, entries, n))
		return core_oom(err);
	*out = core_steal(t);
	return 0;
}

/* ---- words ---- */

SRIOV_EXPORT const char *sriov_tracer_evidence(const struct sriov_tracer *t)
{
	return t->profile->source;
}

static const char *const stage_words[SRIOV_STAGES] = {
	[SRIOV_STAGE_SWITCH] = "switch",
	[SRIOV_STAGE_FILTERS] = "filters",
	[SRIOV_STAGE_RULES] = "rules",
	[SRIOV_STAGE_RSS] = "rss",
};

SRIOV_EXPORT const char *sriov_stage_word(enum sriov_stage stage)
{
	return stage < SRIOV_STAGES ? stage_words[stage] : NULL;
}

void trace_tell(struct trace_walk *w, enum sriov_stage stage, const char *fmt, ...)
{
	struct sriov_story *story = w->story;
	va_list ap;

	if (story->n == SRIOV_STORY_LINES)
		return;
	story->line[story->n].stage = stage;
	va_start(ap, fmt);
	vsnprintf(story->line[story->n].text, sizeof(story->line[0].text), fmt, ap);
	va_end(ap);
	story->n++;
}

SRIOV_EXPORT void sriov_trace_format(const struct sriov_trace *trace, char *buf, size_t size)
{
	static const char *const words[SRIOV_DESTINATIONS] = {
		[SRIOV_TO_UNKNOWN] = "unknown", [SRIOV_TO_PF] = "pf",
		[SRIOV_TO_VF] = "vf",           [SRIOV_TO_DROP] = "drop",
		[SRIOV_TO_SEVERAL] = "several", [SRIOV_TO_WIRE] = "wire",
	};
	bool queues = trace->to == SRIOV_TO_PF || trace->to == SRIOV_TO_VF;
	struct text text = {.at = buf, .size = size};

	text_add(&text, "%s", words[trace->to]);
	if (trace->to == SRIOV_TO_VF)
		text_add(&text, " %u", trace->vf);
	if (queues && trace->queue < 0)
		text_add(&text, " queue unknown");
	else if (queues)
		text_add(&text, " queue %d", trace->queue);
}

SRIOV_EXPORT void sriov_trace_rule(const struct sriov_tracer *t, const struct sriov_trace *trace,
				   char *buf, size_t size)
{
	const struct sriov_trace_entry *e;

	buf[0] = '\0';
	if (trace->entry >= t->n)
		return;
	e = &t->entry[trace->entry];
	if (e->rule[0])
		core_copy(buf, size, e->rule);
	else
		snprintf(buf, size, "location %u", e->entry.loc);
}

/* ---- the stage of the rules ---- */

static int pool_of(const struct trace_walk *w)
{
	return w->out->to == SRIOV_TO_VF ? (int)w->out->vf : (int)w->tracer->port.vfs;
}

/* Why the entries are not looked at; NULL: they are. */
static const char *passed_by(const struct trace_walk *w)
{
	const struct sriov_tracer *t = w->tracer;
	enum sriov_flow_type class = nic_class_of_packet(&w->packet);

	if (!t->n)
		return "the table is empty";
	if (!(t->walk->classes & FLOW_BIT(class)))
		return class == SRIOV_FLOW_ETHER ? "not looked at: it is not IP"
						 : "not looked at: it is IPv6";
	if (t->walk->ntuple_off && t->port.ntuple == SRIOV_NTUPLE_OFF)
		return "not looked at: ntuple is off, and the entries do nothing";
	if (w->switched && t->walk->switched && !t->walk->switched(&t->port))
		return "not looked at: 82599 and X540 do not classify what they switch inside the "
		       "port";
	return NULL;
}

static void tell_hit(struct trace_walk *w, size_t entry)
{
	const struct sriov_tracer *t = w->tracer;
	const struct sriov_trace_entry *e = &t->entry[entry];
	char rule[SRIOV_NAME_LEN + 16] = "an entry that is no rule of ours", words[256] = "";

	if (e->rule[0])
		snprintf(rule, sizeof(rule), "rule %s", e->rule);
	sriov_entry_format(&e->entry, words, sizeof(words));
	TELL(w, SRIOV_STAGE_RULES, "%s (location %u): %s", rule, e->entry.loc, words);
	if (t->target[entry].why)
		TELL(w, SRIOV_STAGE_RULES, "but %s", t->target[entry].why);
	if (t->walk->tunnels && w->packet.proto == IPPROTO_UDP)
		TELL(w, SRIOV_STAGE_RULES,
		     "if the host has a tunnel on that UDP port, the packet inside is compared: that "
		     "was not read");
}

static void hit(struct trace_walk *w, size_t entry)
{
	const struct nic_target *target = &w->tracer->target[entry];
	struct sriov_trace *out = w->out;

	out->entry = entry;
	out->stage = SRIOV_STAGE_RULES;
	if (w->story)
		tell_hit(w, entry);
	if (out->to == SRIOV_TO_SEVERAL && target->to != SRIOV_TO_DROP)
		TELL(w, SRIOV_STAGE_RULES,
		     "that it replaces all the copies was seen on an emulated NIC, not on silicon");
	out->to = target->to;
	out->vf = target->vf;
	out->queue = target->queue;
}

static void unsure(struct trace_walk *w, const char *why)
{
	w->out->stage = SRIOV_STAGE_RULES;
	w->out->to = SRIOV_TO_UNKNOWN;
	w->out->vf = 0;
	TELL(w, SRIOV_STAGE_RULES, "unknown: %s", why);
}

/* Of copies for several functions, an entry that looks at the function means some of them. */
static bool several_by_pool(struct trace_walk *w)
{
	const struct sriov_tracer *t = w->tracer;
	const char *why = NULL;
	size_t entry = SRIOV_NO_ENTRY;

	for (unsigned pool = 0; entry == SRIOV_NO_ENTRY && pool <= t->port.vfs; pool++)
		entry = trace_match(t, &w->packet, pool, &why);
	if (entry == SRIOV_NO_ENTRY)
		return false;
	if (entry == TRACE_UNSURE) {
		unsure(w, why);
		return true;
	}
	if (!t->walk->copies) {
		unsure(w, "an entry looks at the function that the switch chose, and there are "
			  "several");
		return true;
	}
	TELL(w, SRIOV_STAGE_RULES,
	     "location %u acts on the copy of its function only, the others take their own way",
	     t->entry[entry].entry.loc);
	w->out->stage = SRIOV_STAGE_RULES;
	return true;
}

bool trace_rules(struct trace_walk *w)
{
	const struct sriov_tracer *t = w->tracer;
	bool several = w->out->to == SRIOV_TO_SEVERAL;
	const char *why = passed_by(w);
	size_t entry;

	if (why) {
		TELL(w, SRIOV_STAGE_RULES, "%s", why);
		return false;
	}
	entry = trace_match(t, &w->packet, several ? TRACE_NO_POOL : pool_of(w), &why);
	if (entry == TRACE_UNSURE) {
		unsure(w, why);
		return true;
	}
	if (entry != SRIOV_NO_ENTRY) {
		hit(w, entry);
		return true;
	}
	if (several && t->table.by_pool && several_by_pool(w))
		return true;
	TELL(w, SRIOV_STAGE_RULES, "%s: none of its %zu entries acts on it", t->walk->rules, t->n);
	return false;
}

static void walk_all(struct trace_walk *w)
{
	struct sriov_trace *out = w->out;

	*out = (struct sriov_trace){.queue = -1, .entry = SRIOV_NO_ENTRY};
	if (!trace_switch(w))
		return;
	if (w->tracer->walk->filters)
		TELL(w, SRIOV_STAGE_FILTERS, "%s", w->tracer->walk->filters);
	if (trace_rules(w))
		return;
	out->stage = SRIOV_STAGE_RSS;
	if (out->to == SRIOV_TO_SEVERAL)
		TELL(w, SRIOV_STAGE_RSS, "each copy takes the queue that its function's RSS says");
	else
		trace_rss_queue(w);
}

SRIOV_EXPORT void sriov_trace(const struct sriov_tracer *tracer, const struct sriov_packet *packet,
			      struct sriov_ingress from, struct sriov_trace *out)
{
	struct trace_walk w = {.tracer = tracer, .packet = *packet, .from = from, .out = out};

	walk_all(&w);
}

SRIOV_EXPORT void sriov_trace_explain(const struct sriov_tracer *tracer,
				      const struct sriov_packet *packet, struct sriov_ingress from,
				      struct sriov_trace *out, struct sriov_story *story)
{
	struct trace_walk w = {
		.tracer = tracer, .packet = *packet, .from = from, .out = out, .story = story};

	story->n = 0;
	if (!tracer->port.up)
		TELL(&w, SRIOV_STAGE_SWITCH,
		     "the port is down: this is the way that it would go if it were up");
	walk_all(&w);
}

SRIOV_EXPORT int sriov_ingress_parse(const char *text, struct sriov_ingress *out,
				     struct sriov_error *err)
{
	uint64_t vf;

	if (!strcmp(text, "wire")) {
		*out = (struct sriov_ingress){SRIOV_FROM_WIRE, 0};
		return 0;
	}
	if (!strcmp(text, "pf")) {
		*out = (struct sriov_ingress){SRIOV_FROM_PF, 0};
		return 0;
	}
	if (!strncmp(text, "vf", 2) &&
	    !core_number(text + 2 + (text[2] == ' '), 0, SRIOV_VF_MAX - 1, &vf)) {
		*out = (struct sriov_ingress){SRIOV_FROM_VF, vf};
		return 0;
	}
	sriov_error_set(err, -EINVAL, text, "not a place where packets come into the NIC");
	return sriov_error_hint(err, "wire, pf, or 'vf N' with the index of a VF");
}
