/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entries of a table as filters, found by hashes: filters that compare the same bits are one group, so a
 * port with one mask costs one look-up, however many entries it has.
 */
#include "flows/trace.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

#define WORDS (sizeof(struct nic_key) / sizeof(uint64_t))

static void mask_key(const struct nic_key *key, const struct nic_key *mask, struct nic_key *out)
{
	uint64_t a[WORDS], b[WORDS];

	memcpy(a, key, sizeof(a));
	memcpy(b, mask, sizeof(b));
	for (size_t i = 0; i < WORDS; i++)
		a[i] &= b[i];
	memcpy(out, a, sizeof(a));
}

static uint64_t hash_key(const struct nic_key *key)
{
	uint64_t words[WORDS], hash = CORE_HASH_SEED;

	memcpy(words, key, sizeof(words));
	for (size_t i = 0; i < WORDS; i++) {
		hash = (hash ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
	}
	return hash;
}

/* ---- building ---- */

static struct trace_group *find_group(struct trace_table *table, const struct nic_filter *filter)
{
	for (size_t i = 0; i < table->ngroups; i++) {
		struct trace_group *group = &table->group[i];

		if (group->classes == filter->classes && group->word_at == filter->word_at &&
		    !memcmp(&group->mask, &filter->mask, sizeof(group->mask)))
			return group;
	}
	return NULL;
}

static int add_filter(struct trace_table *table, const struct nic_filter *filter, size_t entry)
{
	struct trace_group *group = find_group(table, filter);
	struct trace_filter *to;

	if (!group) {
		group = core_grow(&table->group, &table->ngroups, sizeof(*group));
		if (!group)
			return -ENOMEM;
		group->classes = filter->classes;
		group->mask = filter->mask;
		group->word_at = filter->word_at;
		table->by_pool |= filter->mask.pool != 0;
		table->by_word |= filter->mask.word != 0;
	}
	to = core_grow(&group->filter, &group->n, sizeof(*to));
	if (!to)
		return -ENOMEM;
	mask_key(&filter->value, &group->mask, &to->value);
	to->entry = entry;
	return 0;
}

static int index_group(struct trace_group *group)
{
	if (table_index_init(&group->index, group->n))
		return -ENOMEM;
	for (size_t i = 0; i < group->n; i++)
		table_index_add(&group->index, hash_key(&group->filter[i].value), i);
	return 0;
}

static int list_groups(struct trace_table *table)
{
	const struct trace_group **next;

	table->lists = calloc(SRIOV_FLOW_TYPES * (table->ngroups + 1), sizeof(*table->lists));
	next = table->lists;
	if (!next)
		return -ENOMEM;
	for (unsigned type = 0; type < SRIOV_FLOW_TYPES; type++) {
		table->of_class[type] = next;
		for (size_t i = 0; i < table->ngroups; i++)
			if (table->group[i].classes & FLOW_BIT(type))
				*next++ = &table->group[i];
		next++;
	}
	return 0;
}

int trace_table_init(struct trace_table *table, const struct sriov_pf *port,
		     const struct nic_walk *walk, const struct sriov_trace_entry *entries, size_t n)
{
	int r = 0;

	*table = (struct trace_table){0};
	for (size_t i = 0; !r && i < n; i++) {
		struct nic_filter filter[NIC_FILTERS_MAX];
		size_t count = walk->hardware(port, &entries[i].entry, filter);

		for (size_t k = 0; !r && k < count; k++)
			r = add_filter(table, &filter[k], i);
	}
	for (size_t i = 0; !r && i < table->ngroups; i++)
		r = index_group(&table->group[i]);
	if (!r)
		r = list_groups(table);
	if (r)
		trace_table_clear(table);
	return r;
}

void trace_table_clear(struct trace_table *table)
{
	for (size_t i = 0; i < table->ngroups; i++) {
		free(table->group[i].filter);
		table_index_clear(&table->group[i].index);
	}
	free(table->group);
	free(table->lists);
	*table = (struct trace_table){0};
}

/* ---- matching ---- */

static void key_of_packet(const struct sriov_packet *p, int pool, struct nic_key *out)
{
	*out = (struct nic_key){
		.src_port = p->src_port,
		.dst_port = p->dst_port,
		.tci = p->ntags ? p->tag[0].tci : 0,
		.outer = p->ntags ? p->tag[0].tpid : p->ethertype,
		.inner = p->ethertype,
		.tagged = p->ntags > 0,
		.pool = pool < 0 ? 0 : pool,
	};
	memcpy(out->src_ip, p->src_ip, sizeof(out->src_ip));
	memcpy(out->dst_ip, p->dst_ip, sizeof(out->dst_ip));
	memcpy(out->dst_mac, p->dst_mac, sizeof(out->dst_mac));
	memcpy(out->src_mac, p->src_mac, sizeof(out->src_mac));
}

static size_t earlier(const struct sriov_tracer *t, size_t a, size_t b)
{
	if (a == SRIOV_NO_ENTRY || b == SRIOV_NO_ENTRY)
		return a == SRIOV_NO_ENTRY ? b : a;
	return t->entry[a].entry.loc <= t->entry[b].entry.loc ? a : b;
}

static size_t look_up(const struct sriov_tracer *t, const struct trace_group *group,
		      const struct nic_key *key)
{
	struct nic_key masked;
	size_t found = SRIOV_NO_ENTRY, i;

	mask_key(key, &group->mask, &masked);
	i = table_index_first(&group->index, hash_key(&masked));
	for (; i != TABLE_NONE; i = group->index.next[i])
		if (!memcmp(&group->filter[i].value, &masked, sizeof(masked)))
			found = earlier(t, found, group->filter[i].entry);
	return found;
}

/* Some filter of the group would match if the word of the payload, which is not known, did. */
static bool may_match(const struct trace_group *group, const struct nic_key *key)
{
	struct nic_key mask = group->mask, wanted, masked;

	mask.word = 0;
	mask_key(key, &mask, &masked);
	for (size_t i = 0; i < group->n; i++) {
		mask_key(&group->filter[i].value, &mask, &wanted);
		if (!memcmp(&wanted, &masked, sizeof(masked)))
			return true;
	}
	return false;
}

/* Why the filters of a class say nothing of the packet; NULL: they do. */
static const char *unsure(const struct sriov_tracer *t, const struct sriov_packet *p,
			  enum sriov_flow_type class)
{
	if (class == SRIOV_FLOW_ETHER)
		return NULL;
	if (p->ntags > 1)
		return "it has two VLAN tags, and whether the NIC looks behind the second is not "
		       "known";
	if (p->ntags && p->tag[0].tpid != ETH_P_8021Q)
		return "its VLAN tag is not of type 0x8100, and whether the NIC looks behind it is "
		       "not known";
	if (class == SRIOV_FLOW_IP6_OTHER && p->fragment && t->walk->fragment6_unknown)
		return "it is a fragment of IPv6, and what the NIC compares of those the driver "
		       "never sets";
	return NULL;
}

size_t trace_match(const struct sriov_tracer *t, const struct sriov_packet *p, int pool,
		   const char **why)
{
	enum sriov_flow_type class = nic_class_of_packet(p);
	const struct trace_group *const *group = t->table.of_class[class];
	size_t found = SRIOV_NO_ENTRY;
	struct nic_key key;

	if (!*group)
		return found;
	*why = unsure(t, p, class);
	if (*why)
		return TRACE_UNSURE;
	key_of_packet(p, pool, &key);
	for (; *group; group++) {
		const struct trace_group *g = *group;

		if (g->mask.pool && pool < 0)
			continue;
		if (g->mask.word && g->word_at + 2 > p->payload_size) {
			if (!may_match(g, &key))
				continue;
			*why = "bytes of its payload decide, which are not known";
			return TRACE_UNSURE;
		}
		if (g->mask.word)
			key.word = p->payload[g->word_at] << 8 | p->payload[g->word_at + 1];
		found = earlier(t, found, look_up(t, g, &key));
	}
	return found;
}
