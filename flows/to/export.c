/* SPDX-License-Identifier: Apache-2.0 */
/* Rules in other tongues: which writer writes what, and what no other tongue has words for. */
#include "flows/convert.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

int export_refuse(const struct export *e, const char *fmt, ...)
{
	char why[320];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return sriov_error_set(e->err, -ENOTSUP, e->object, "%s", why);
}

const char *export_lacks(const struct sriov_rule *rule)
{
	if (rule->action.kind == SRIOV_ACTION_GUEST)
		return "`guest` is no place that this format knows: say the VF";
	if (rule->action.kind == SRIOV_ACTION_QUEUES)
		return "a spread over queues has no form there";
	return NULL;
}

void export_value(FILE *out, const struct flow_field *f, const struct sriov_match *match)
{
	const uint8_t *bytes = flow_field_at(f, match);
	char buf[INET6_ADDRSTRLEN];

	if (f->kind == KIND_NUMBER)
		fprintf(out, f->hex ? "0x%" PRIx64 : "%" PRIu64, flow_field_number(f, match));
	else if (f->kind == KIND_MAC)
		fputs(sriov_mac_format(bytes, buf), out);
	else
		fputs(inet_ntop(f->kind == KIND_IP4 ? AF_INET : AF_INET6, bytes, buf, sizeof(buf)),
		      out);
}

void rule_label(const struct sriov_rule *rule, size_t i, char *buf, size_t size)
{
	if (rule->name[0])
		snprintf(buf, size, "rule %s", rule->name);
	else if (rule->line)
		snprintf(buf, size, "the rule of line %u", rule->line);
	else
		snprintf(buf, size, "rule %zu", i + 1);
}

/* @exporter NULL: the rules are only checked. */
static int write_rules(struct export *e, const struct exporter *exporter)
{
	char words[1024];
	int r = exporter && exporter->begin ? exporter->begin(e) : 0;

	for (size_t i = 0; !r && i < e->rules->n; i++) {
		rule_label(&e->rules->at[i], i, e->object, sizeof(e->object));
		if (sriov_rule_format(&e->rules->at[i], words, sizeof(words)))
			r = sriov_error_set(e->err, -EINVAL, e->object,
					    "this is not a rule that could be written");
		else if (exporter)
			r = exporter->rule(e, &e->rules->at[i], i);
	}
	return r;
}

SRIOV_EXPORT int sriov_rules_export(const struct sriov_rules *rules, enum sriov_rules_format format,
				    const char *dev, char **text, struct sriov_error *err)
{
	static const struct exporter *const exporters[] = {
		[SRIOV_RULES_ETHTOOL] = &export_ethtool,
		[SRIOV_RULES_TESTPMD] = &export_testpmd,
		[SRIOV_RULES_OPENFLOW] = &export_openflow,
	};
	struct export e = {.rules = rules, .dev = dev, .err = err};
	_free_ char *written = NULL;
	size_t size;
	int r;

	if (format == SRIOV_RULES_JSON) {
		r = write_rules(&e, NULL);
		if (r)
			return r;
		written = export_json(rules);
		if (!written)
			return core_oom(err);
		*text = core_steal(written);
		return 0;
	}
	if ((unsigned)format >= ARRAY_SIZE(exporters))
		return sriov_error_set(err, -EINVAL, "export", "this is no format of rules");
	e.out = open_memstream(&written, &size);
	if (!e.out)
		return core_oom(err);
	r = write_rules(&e, exporters[format]);
	if (fclose(e.out) && !r)
		r = core_oom(err);
	if (!r)
		*text = core_steal(written);
	return r;
}
