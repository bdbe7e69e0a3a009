/* SPDX-License-Identifier: Apache-2.0 */
/* Whether two rules, as their words say it, share packets; where that is not known they do. */
#include "flows/compile.h"

#include <string.h>

/* What flow types stand for, as sets of packets that no two bits share. */
enum {
	TCP4 = 1 << 0,
	UDP4 = 1 << 1,
	SCTP4 = 1 << 2,
	OTHER4 = 1 << 3,
	TCP6 = 1 << 4,
	UDP6 = 1 << 5,
	SCTP6 = 1 << 6,
	OTHER6 = 1 << 7,
	NOT_IP = 1 << 8,
};

static const unsigned packets_of[SRIOV_FLOW_TYPES] = {
	[SRIOV_FLOW_TCP4] = TCP4,
	[SRIOV_FLOW_UDP4] = UDP4,
	[SRIOV_FLOW_SCTP4] = SCTP4,
	[SRIOV_FLOW_IP4] = TCP4 | UDP4 | SCTP4 | OTHER4,
	[SRIOV_FLOW_IP4_OTHER] = OTHER4,
	[SRIOV_FLOW_TCP6] = TCP6,
	[SRIOV_FLOW_UDP6] = UDP6,
	[SRIOV_FLOW_SCTP6] = SCTP6,
	[SRIOV_FLOW_IP6] = TCP6 | UDP6 | SCTP6 | OTHER6,
	[SRIOV_FLOW_IP6_OTHER] = OTHER6,
	[SRIOV_FLOW_ETHER] = ~0u,
};

static bool scopes_overlap(const struct sriov_scope *a, const struct sriov_scope *b)
{
	if (a->kind == SRIOV_SCOPE_ALL || b->kind == SRIOV_SCOPE_ALL)
		return true;
	/* guests that are not resolved may have any VF */
	if (a->kind == SRIOV_SCOPE_GUEST || b->kind == SRIOV_SCOPE_GUEST)
		return a->kind != SRIOV_SCOPE_PF && b->kind != SRIOV_SCOPE_PF;
	return a->kind == b->kind && (a->kind == SRIOV_SCOPE_PF || a->vf == b->vf);
}

/* Ports from @first to *@last: false if the mask is of another shape. */
static bool interval(const struct flow_field *f, const struct sriov_rule *rule, unsigned *first,
		     unsigned *last)
{
	uint16_t end = f->id == FIELD_SRC_PORT ? rule->src_port_last : rule->dst_port_last;

	*first = flow_field_number(f, &rule->value);
	*last = end ? end : *first;
	return end || flow_field_full(f, &rule->mask);
}

static bool ports_overlap(const struct flow_field *f, const struct sriov_rule *a,
			  const struct sriov_rule *b)
{
	unsigned first, last, other, other_last;

	return !interval(f, a, &first, &last) || !interval(f, b, &other, &other_last) ||
	       (first <= other_last && other <= last);
}

static bool bits_overlap(const struct flow_field *f, const struct sriov_rule *a,
			 const struct sriov_rule *b)
{
	const uint8_t *va = flow_field_at(f, &a->value), *vb = flow_field_at(f, &b->value);
	const uint8_t *ma = flow_field_at(f, &a->mask), *mb = flow_field_at(f, &b->mask);

	for (size_t i = 0; i < f->size; i++)
		if ((va[i] ^ vb[i]) & ma[i] & mb[i])
			return false;
	return true;
}

bool rules_overlap(const struct sriov_rule *a, const struct sriov_rule *b)
{
	if (!(packets_of[a->type] & packets_of[b->type]) || !scopes_overlap(&a->scope, &b->scope))
		return false;
	for (const struct flow_field *f = NULL; (f = flow_field_next(f, a->type));) {
		const struct flow_field *g = flow_field_of(b->type, f->id);
		bool ranges = f->id == FIELD_SRC_PORT   ? a->src_port_last || b->src_port_last
			      : f->id == FIELD_DST_PORT ? a->dst_port_last || b->dst_port_last
							: false;

		/* of user-def the drivers make different things */
		if (g != f && (!g || g->offset != f->offset || g->size != f->size))
			continue;
		if (f->id != FIELD_USER_DEF &&
		    !(ranges ? ports_overlap(f, a, b) : bits_overlap(f, a, b)))
			return false;
	}
	return true;
}
