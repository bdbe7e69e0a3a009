/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first match decides on ports that DPDK owns too: random lists on random NICs, whose entries are looked at as
 * the filters of the poll mode drivers do, written down here once more from what their code programs.
 *
 *     PACKETS=N             packets of each NIC (default 30,000)
 *     SRIOV_TEST_SEED=N     repeats a run
 */
#include "tests/unit/flow_first_list.h"
#include "tests/unit/flow_packets.h"

#include "flows/nic/rte.h"

#include <time.h>

static const struct nic {
	const char *kernel; /* the lists are those of its driver */
	const char *nic;
	unsigned fdir; /* room of Flow Director; 0 = as the profile has it */
} nics[] = {{"ixgbe", "82599"},
	    {"ixgbe", "X540"},
	    {"ixgbe", "X550"},
	    {"i40e", "X710", 200},
	    {"i40e", "X722,vfs=3", 2000},
	    {"igb", "82576"},
	    {"igb", "I350"},
	    {"ixgbe", "tap"},
	    {"i40e", "tap"}};

/* ---- what a filter does with a packet ---- */

static bool whole_or_none(const uint8_t *mask, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (mask[i] != mask[0])
			return false;
	return !mask[0] || mask[0] == 0xff;
}

static bool addresses_meet(const struct sriov_entry *e, const struct nic_packet *p)
{
	size_t n = is_v6(e->type) ? 16 : 4;

	return bytes_match(p->src_ip, e->value.src_ip, e->mask.src_ip, n) &&
	       bytes_match(p->dst_ip, e->value.dst_ip, e->mask.dst_ip, n);
}

static bool ports_meet(const struct sriov_entry *e, const struct nic_packet *p)
{
	return number_matches(p->src_port, e->value.src_port, e->mask.src_port) &&
	       number_matches(p->dst_port, e->value.dst_port, e->mask.dst_port);
}

static bool tag_meets(const struct sriov_entry *e, const struct nic_packet *p)
{
	return !e->mask.vlan_tci ||
	       (p->tagged && number_matches(p->tci, e->value.vlan_tci, e->mask.vlan_tci));
}

static bool has_port_mask(const struct sriov_entry *e)
{
	return e->mask.src_port || e->mask.dst_port;
}

/* FTQF, TTQF: a protocol by number, each field whole. */
static bool meets_tuple(const struct sriov_entry *e, const struct nic_packet *p)
{
	unsigned proto = proto_of(e->type) ?: e->value.proto & e->mask.proto;

	assert_true(whole_or_none(e->mask.src_ip, 4) && whole_or_none(e->mask.dst_ip, 4));
	return p->ethertype == ETHERTYPE_IP && addresses_meet(e, p) &&
	       (!proto || p->proto == proto) && (!has_port_mask(e) || ports_meet(e, p));
}

static bool meets_type(const struct sriov_entry *e, const struct nic_packet *p)
{
	assert_int_equal(e->mask.ethertype, 0xffff);
	return p->ethertype == e->value.ethertype &&
	       bytes_match(p->dst_mac, e->value.dst_mac, e->mask.dst_mac, 6);
}

/* FDIRM.L4P is set where no bit of a port is in the mask: then the protocol is not looked at. */
static bool meets_ixgbe(const struct sriov_entry *e, const struct nic_packet *p)
{
	if (p->ethertype != ETHERTYPE_IP || !addresses_meet(e, p))
		return false;
	return !has_port_mask(e) ||
	       (has_ports(p) && p->proto == proto_of(e->type) && ports_meet(e, p));
}

static bool meets_mac(const struct sriov_entry *e, const struct nic_packet *p)
{
	return bytes_match(p->dst_mac, e->value.dst_mac, e->mask.dst_mac, 6) && tag_meets(e, p);
}

/* The packet type first, then the fields of its input set, whole; masks of some bits are not looked at. */
static bool meets_i40e(const struct sriov_entry *e, const struct nic_packet *p)
{
	for (const struct flow_field *f = NULL; (f = flow_field_next(f, e->type));)
		assert_true(whole_or_none(flow_field_at(f, &e->mask), f->size));
	if (e->type == SRIOV_FLOW_ETHER)
		return p->ethertype == e->value.ethertype && tag_meets(e, p);
	if (!type_matches(e->type, p) || !addresses_meet(e, p) || !tag_meets(e, p) ||
	    !number_matches(0, e->value.tos, e->mask.tos))
		return false;
	return proto_of(e->type) ? ports_meet(e, p)
				 : number_matches(p->proto, e->value.proto, e->mask.proto);
}

static bool meets_cloud(const struct sriov_entry *e, const struct nic_packet *p)
{
	return type_matches(e->type, p) && ports_meet(e, p);
}

/* What is 0 of a rule is no key of flower's, but for a source MAC; and fragments have ports of 0 there. */
static bool meets_flower(const struct sriov_entry *entry, const struct nic_packet *packet)
{
	unsigned proto = proto_of(entry->type) ?: entry->value.proto & entry->mask.proto;
	struct sriov_entry keys = *entry, *e = &keys;
	struct nic_packet seen = *packet, *p = &seen;

	for (const struct flow_field *f = NULL; (f = flow_field_next(f, e->type));)
		if (f->id != FIELD_SRC_MAC && !flow_field_any(f, &e->value))
			flow_field_fill(f, &e->mask, 0);
	if (p->fragment)
		p->src_port = p->dst_port = 0;
	if (e->type == SRIOV_FLOW_ETHER)
		return bytes_match(p->src_mac, e->value.src_mac, e->mask.src_mac, 6) &&
		       bytes_match(p->dst_mac, e->value.dst_mac, e->mask.dst_mac, 6) &&
		       number_matches(p->ethertype, e->value.ethertype, e->mask.ethertype);
	return p->ethertype == (is_v6(e->type) ? ETHERTYPE_IPV6 : ETHERTYPE_IP) &&
	       addresses_meet(e, p) && (!proto || p->proto == proto) &&
	       (!has_port_mask(e) || ports_meet(e, p));
}

static bool (*const meets[SRIOV_FILTERS])(const struct sriov_entry *e,
					  const struct nic_packet *p) = {
	[SRIOV_FILTER_TUPLE5] = meets_tuple,   [SRIOV_FILTER_TUPLE2] = meets_tuple,
	[SRIOV_FILTER_ETHERTYPE] = meets_type, [SRIOV_FILTER_FDIR_MARK] = meets_ixgbe,
	[SRIOV_FILTER_FDIR_MAC] = meets_mac,   [SRIOV_FILTER_FDIR] = meets_i40e,
	[SRIOV_FILTER_CLOUD] = meets_cloud,    [SRIOV_FILTER_FLOWER] = meets_flower,
};

/* Conditions say of these filters that fragments are not known. */
static bool is_unknown(const struct round *r, const struct nic_packet *p)
{
	for (size_t i = 0; p->fragment && i < r->out.nentries; i++)
		if (r->out.filter[i] == SRIOV_FILTER_TUPLE5 ||
		    r->out.filter[i] == SRIOV_FILTER_TUPLE2)
			return true;
	return false;
}

/* ---- what must be true ---- */

static uint64_t owed(const struct round *r, size_t i, const struct nic_packet *p)
{
	const struct sriov_action *a = &r->rule[i].action;
	uint64_t cookie = action_cookie(a);

	return a->kind == SRIOV_ACTION_QUEUES ? cookie + (p->src_port & (a->queue_last - a->queue))
					      : cookie;
}

static void fail_on(const struct round *r, const struct nic_packet *p, const char *what)
{
	char words[512], packet[400];
	struct text text = {.at = packet, .size = sizeof(packet)};

	for (size_t i = 0; i < r->rules.n; i++) {
		sriov_rule_format(&r->rule[i], words, sizeof(words));
		print_message("%zu: %s  [%s]\n", i + 1, words,
			      sriov_result_word(r->out.verdict[i].result));
	}
	for (size_t i = 0; i < r->out.nentries; i++) {
		sriov_entry_format(&r->out.entry[i], words, sizeof(words));
		print_message("  %s: %s\n", sriov_filter_word(r->out.filter[i]), words);
	}
	packet[0] = '\0';
	if (p)
		packet_ports(&text, p);
	fail_msg("%s (seed %llu): %s, packet %s, fragment %d, type 0x%x, tag %d 0x%x", r->nic,
		 (unsigned long long)r->seed, what, packet, p && p->fragment, p ? p->ethertype : 0,
		 p && p->tagged, p ? p->tci : 0);
}

static void check_packet(const struct round *r, const struct nic_packet *p)
{
	size_t i = first_match(r, p);
	bool in = i < r->rules.n && in_hardware(r, i), met = false;

	if (is_unknown(r, p))
		return;
	for (size_t k = 0; k < r->out.nentries; k++) {
		const struct sriov_entry *e = &r->out.entry[k];

		if (!meets[r->out.filter[k]](e, p))
			continue;
		if (!in)
			fail_on(r, p, "it is owed nothing and meets an entry");
		if (e->cookie != owed(r, i, p))
			fail_on(r, p, "it meets an entry of another rule");
		met = true;
	}
	if (in && !met)
		fail_on(r, p, "its rule is in hardware and it meets nothing");
}

/* Budgets, one mask where there is one, and what a driver would refuse. */
static void check_entries(const struct round *r)
{
	const struct sriov_compiled *out = &r->out;
	const struct sriov_entry *first[SRIOV_FLOW_TYPES] = {NULL};
	unsigned used[SRIOV_FILTERS] = {0};
	bool taken[16384] = {false};

	for (size_t i = 0; i < out->nentries; i++) {
		const struct sriov_entry *e = &out->entry[i];
		unsigned shared = out->filter[i] == SRIOV_FILTER_FDIR_MARK ? 0 : e->type;

		used[out->filter[i]] += sriov_filter_rules(out->filter[i], e->type);
		if (e->loc >= ARRAY_SIZE(taken) || taken[e->loc])
			fail_on(r, NULL, "two entries have one number");
		taken[e->loc] = true;
		if (out->filter[i] != SRIOV_FILTER_FDIR && out->filter[i] != SRIOV_FILTER_FDIR_MARK)
			continue;
		if (!first[shared])
			first[shared] = e;
		if (memcmp(&first[shared]->mask, &e->mask, sizeof(e->mask)))
			fail_on(r, NULL, "two entries that share a mask have different ones");
		if (!strcmp(r->nic, "82599") && e->cookie == SRIOV_COOKIE_DROP && has_port_mask(e))
			fail_on(r, NULL, "82599 drops by ports");
	}
	for (size_t i = 0; i < out->nuses; i++)
		if (out->use[i].used != used[out->use[i].filter] ||
		    out->use[i].used > out->use[i].room)
			fail_on(r, NULL, "a filter has more than there is room for");
}

static void compile_round(struct round *r, const struct nic *nic)
{
	struct sriov_compile opts = {0};

	first_list(r);
	assert_int_equal(sriov_nic_port(nic->nic, &r->port, NULL), 0);
	if (nic->fdir)
		r->port.rules_max = nic->fdir;
	assert_int_equal(sriov_nic_rte(&r->port, NULL), 0);
	r->nic = nic->nic;
	opts.partial = r->partial;
	sriov_rules_compile(&r->rules, &r->port, &opts, &r->out, NULL);
	assert_int_equal(r->out.nrules, r->rules.n);
}

/* The same list again, its entries in hardware: each keeps its number. */
static void check_again(struct round *r)
{
	const struct sriov_compile opts = {
		.partial = r->partial, .ours = r->out.entry, .nours = r->out.nentries};
	struct sriov_compiled again = {0};

	sriov_rules_compile(&r->rules, &r->port, &opts, &again, NULL);
	assert_int_equal(again.nentries, r->out.nentries);
	for (size_t i = 0; i < again.nentries; i++)
		if (again.entry[i].loc != r->out.entry[i].loc ||
		    again.filter[i] != r->out.filter[i])
			fail_on(r, NULL, "compiled again it is another table");
	sriov_compiled_clear(&again);
}

static void first_match_decides(void **state)
{
	const char *packets = getenv("PACKETS"), *given = getenv("SRIOV_TEST_SEED");
	uint64_t each = packets ? strtoull(packets, NULL, 10) : 30000;
	uint64_t start = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) << 20;
	struct round *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	print_message("seed %llu\n", (unsigned long long)start);
	for (size_t n = 0; n < ARRAY_SIZE(nics); n++) {
		size_t lists = 0, in = 0, rules = 0;

		for (uint64_t done = 0; done < each; lists++) {
			*r = (struct round){.matches = rule_matches, .nic = nics[n].nic};
			round_seed(r, start + lists);
			first_port(r, nics[n].kernel);
			compile_round(r, &nics[n]);
			check_entries(r);
			check_again(r);
			for (unsigned k = 0; k < 150; k++, done++) {
				struct nic_packet p;

				list_packet(r, &p);
				check_packet(r, &p);
			}
			for (size_t i = 0; i < r->rules.n; i++)
				in += in_hardware(r, i);
			rules += r->rules.n;
			sriov_compiled_clear(&r->out);
		}
		print_message("%s: %zu lists, %zu of %zu rules in hardware\n", nics[n].nic, lists,
			      in, rules);
		assert_true(in * 20 > rules);
	}
	free(r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(first_match_decides)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
