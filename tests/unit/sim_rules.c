/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the simulated host: the drivers' replay models, kept in its file from one effect to the next. */
#include "tests/unit/sim_fixture.h"

#define EXPECT(call, code) assert_int_equal(call, code)

static int insert(struct fixture *f, const char *pf, struct sriov_entry entry)
{
	return f->host.ops->rule_insert(&f->host, look(f, pf), &entry, &f->err);
}

static int erase(struct fixture *f, const char *pf, uint32_t loc)
{
	return f->host.ops->rule_delete(&f->host, look(f, pf), loc, &f->err);
}

static void said(const struct fixture *f, const char *text)
{
	if (!strstr(f->err.message, text))
		fail_msg("'%s' is not in: %s", text, f->err.message);
}

/* A member of the PF in the file. */
static json_t *member(json_t *json, const char *pf, const char *key)
{
	json_t *pfs = json_object_get(json, "pfs"), *one;
	size_t i;

	json_array_foreach(pfs, i, one)
		if (!strcmp(json_string_value(json_object_get(one, "address")), pf))
			return json_object_get(one, key);
	return NULL;
}

static bool has_nic(const struct fixture *f, const char *pf)
{
	_json_ json_t *json = fixture_json(f);

	return member(json, pf, "nic");
}

static struct sriov_entry udp(uint32_t loc, uint16_t dst_port)
{
	return (struct sriov_entry){.loc = loc,
				    .type = SRIOV_FLOW_UDP4,
				    .value = {.dst_port = dst_port},
				    .mask = {.dst_port = 0xffff}};
}

static struct sriov_entry ether(uint32_t loc, uint16_t type)
{
	return (struct sriov_entry){.loc = loc,
				    .type = SRIOV_FLOW_ETHER,
				    .value = {.ethertype = type},
				    .mask = {.ethertype = 0xffff}};
}

/* A refused rule has changed the input set all the same, and nothing of it is in the table. */
static void i40e_input_set(void **state)
{
	struct sriov_entry refused = udp(9000, 0), by_source = udp(2, 0);
	struct fixture f;

	fixture_open(&f, "two-node.json");
	refused.value = by_source.value = (struct sriov_match){.src_ip = {10, 0, 0, 1}};
	refused.mask = by_source.mask = (struct sriov_match){.src_ip = {255, 255, 255, 255}};
	EXPECT(insert(&f, I40E, refused), -EINVAL);
	said(&f, "the location is outside the table");
	assert_int_equal(look(&f, I40E)->nrules, 0);
	assert_true(has_nic(&f, I40E));
	EXPECT(insert(&f, I40E, by_source), 0);
	/* now the table says it all */
	assert_false(has_nic(&f, I40E));
	EXPECT(insert(&f, I40E, udp(3, 53)), -EOPNOTSUPP);
	said(&f, "rules of this flow type that match other fields are there");
	EXPECT(insert(&f, I40E, by_source), 0);
	by_source.loc = 4;
	EXPECT(insert(&f, I40E, by_source), -EINVAL);
	said(&f, "takes for the same");
	assert_true(sriov_entry_same(&look(&f, I40E)->rules[0], &by_source));
	assert_string_equal(f.err.kernel, "Invalid argument");
	fixture_close(&f);
}

/* Both the rule that is replaced and the new one are gone if programming fails. */
static void i40e_both_gone(void **state)
{
	struct sriov_entry odd = {.loc = 5, .type = SRIOV_FLOW_IP4, .value = {.proto = 47}};
	struct fixture f;

	fixture_open(&f, "two-node.json");
	EXPECT(insert(&f, I40E, udp(4, 53)), 0);
	EXPECT(insert(&f, I40E, udp(5, 54)), 0);
	EXPECT(insert(&f, I40E, odd), -EINVAL);
	said(&f, "no rules of this L4 protocol");
	assert_int_equal(look(&f, I40E)->nrules, 1);
	assert_int_equal(look(&f, I40E)->rules[0].loc, 4);
	fixture_close(&f);
}

/* Any DEL makes the driver forget the offset that a rule uses. */
static void i40e_flex(void **state)
{
	struct sriov_entry flex = {.loc = 1,
				   .type = SRIOV_FLOW_UDP4,
				   .value = {.user_def = 0x40102},
				   .mask = {.user_def = 0xffffffff},
				   .ext = true};
	struct fixture f;

	fixture_open(&f, "two-node.json");
	EXPECT(insert(&f, I40E, flex), 0);
	assert_false(has_nic(&f, I40E));
	EXPECT(erase(&f, I40E, 77), -EINVAL);
	said(&f, "there is no rule at this location");
	assert_true(has_nic(&f, I40E));
	flex.loc = 2;
	flex.value.src_port = 7; /* the word itself does not make them different */
	EXPECT(insert(&f, I40E, flex), -EOPNOTSUPP);
	/* switching ntuple off forgets all of it */
	EXPECT(f.host.ops->ntuple(&f.host, look(&f, I40E), false, &f.err), 0);
	EXPECT(f.host.ops->ntuple(&f.host, look(&f, I40E), true, &f.err), 0);
	assert_false(has_nic(&f, I40E));
	assert_int_equal(look(&f, I40E)->nrules, 0);
	EXPECT(insert(&f, I40E, flex), 0);
	fixture_close(&f);
}

/* A VF target stays when the VFs go, and is not told as one then. */
static void i40e_vf_target(void **state)
{
	struct sriov_entry entry = udp(1, 53);
	struct fixture f;

	fixture_open(&f, "two-node.json");
	EXPECT(numvfs(&f, I40E, 2), 0);
	settle(&f);
	entry.cookie = UINT64_C(2) << 32 | 3;
	EXPECT(insert(&f, I40E, entry), 0);
	assert_true(look(&f, I40E)->rules[0].cookie == entry.cookie);
	EXPECT(numvfs(&f, I40E, 0), 0);
	assert_int_equal(look(&f, I40E)->rules[0].cookie, 3);
	entry.loc = 2;
	entry.value.dst_port = 54;
	EXPECT(insert(&f, I40E, entry), -EINVAL);
	said(&f, "there is no such VF");
	fixture_close(&f);
}

/* What a replaced rule has in the hardware stays there: three times, and the table is full. */
static void igb_slots(void **state)
{
	struct fixture f;

	fixture_open(&f, "two-node.json");
	EXPECT(insert(&f, IGB, ether(1, 0x0800)), 0);
	assert_false(has_nic(&f, IGB));
	EXPECT(insert(&f, IGB, ether(1, 0x0806)), 0);
	assert_true(has_nic(&f, IGB));
	EXPECT(insert(&f, IGB, ether(1, 0x86dd)), 0);
	EXPECT(insert(&f, IGB, ether(2, 0x8100)), -EINVAL);
	said(&f, "all EtherType filters are used");
	assert_int_equal(look(&f, IGB)->nrules, 1);
	EXPECT(erase(&f, IGB, 1), 0);
	EXPECT(insert(&f, IGB, ether(2, 0x8100)), 0);
	EXPECT(insert(&f, IGB, ether(3, 0x8101)), -EINVAL);
	EXPECT(f.host.ops->ntuple(&f.host, look(&f, IGB), true, &f.err), 0);
	EXPECT(f.host.ops->ntuple(&f.host, look(&f, IGB), false, &f.err), 0);
	/* off deletes the rules, and gives back what they had: not what was left behind before */
	assert_int_equal(look(&f, IGB)->nrules, 0);
	assert_true(has_nic(&f, IGB));
	fixture_close(&f);
}

/* One mask for the port, and the list of a port that is down survives a change of the VF count. */
static void ixgbe_mask(void **state)
{
	struct sriov_entry other = udp(2, 53), far = udp(3, 54);
	struct fixture f;

	fixture_open(&f, "two-node.json");
	EXPECT(f.host.ops->ntuple(&f.host, look(&f, IXGBE), true, &f.err), 0);
	EXPECT(f.host.ops->link_set(&f.host, look(&f, IXGBE), false, &f.err), 0);
	EXPECT(insert(&f, IXGBE, udp(1, 53)), 0);
	other.mask.src_port = 0xffff;
	EXPECT(insert(&f, IXGBE, other), -EINVAL);
	said(&f, "another mask");
	far.cookie = 8;
	EXPECT(insert(&f, IXGBE, far), 0);
	EXPECT(numvfs(&f, IXGBE, 2), 0);
	assert_int_equal(look(&f, IXGBE)->nrules, 2);
	/* four queues are left to the PF */
	EXPECT(insert(&f, IXGBE, far), -EINVAL);
	said(&f, "no such RX queue");
	assert_int_equal(look(&f, IXGBE)->nrules, 2);
	EXPECT(erase(&f, IXGBE, 65536 + 3), 0);
	assert_int_equal(look(&f, IXGBE)->nrules, 1);
	assert_false(has_nic(&f, IXGBE));
	fixture_close(&f);
}

static void put_nic(const struct fixture *f, const char *pf, const char *text)
{
	json_t *json = fixture_json(f), *pfs = json_object_get(json, "pfs"), *one;
	_free_ char *copy = strdup(text);
	json_t *nic;
	size_t i;

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	nic = json_loads(copy, JSON_DECODE_ANY, NULL);
	assert_non_null(nic);
	json_array_foreach(pfs, i, one)
		if (!strcmp(json_string_value(json_object_get(one, "address")), pf))
			json_object_set(one, "nic", nic);
	json_decref(nic);
	fixture_write(f, json);
}

#define INSET "'inset':[0,0,0,0,0,0,0,0,0,0]"
#define COUNT "'count':[0,0,0,0,0,0,0,0]"
#define ETYPE "'etype':[0,0,0,0,0,0,0,0,0]"

static void refused_states(void **state)
{
	static const struct {
		const char *pf, *nic, *message;
	} rows[] = {
		{IXGBE, "{}", "pfs[2].nic: this driver keeps nothing but its rules"},
		{I40E, "[]", "pfs[1].nic: is not an object"},
		{I40E, "{'insets':1}", "pfs[1].nic: unknown member 'insets'"},
		{I40E, "{}", "pfs[1].nic: 'inset' is not an array of 10 numbers"},
		{I40E, "{'inset':[1]}", "pfs[1].nic: 'inset' is not an array of 10 numbers"},
		{I40E, "{'inset':[0,0,0,0,0,0,0,0,0,-1]}", "pfs[1].nic: 'inset[9]' is not a num"},
		{I40E, "{'inset':[0,0,0,0,0,0,0,0,0,72057594037927936]}",
		 "pfs[1].nic: 'inset[9]' is not a num"},
		{I40E, "{" INSET "}", "pfs[1].nic: 'count' is not an array of 8"},
		{I40E, "{" INSET ",'count':[0,0,0,0,0,0,0,65536]}",
		 "pfs[1].nic: 'count[7]' is not a number up to 65535"},
		{I40E, "{" INSET "," COUNT ",'l3':[1]}", "pfs[1].nic: 'l3' is not pairs"},
		{I40E, "{" INSET "," COUNT ",'l3':[1,0,2,1,3,2,4,3]}",
		 "pfs[1].nic: 'l3' is not pairs of offset and index, at most 3"},
		{I40E, "{" INSET "," COUNT ",'l3':{}}", "pfs[1].nic: 'l3' is not an array"},
		{I40E, "{" INSET "," COUNT ",'l4':[1,8]}", "pfs[1].nic: 'l4' has an index above"},
		{I40E, "{" INSET "," COUNT ",'hw_l4':[2,1,2,0]}", "pfs[1].nic: 'hw_l4' has an in"},
		{I40E, "{" INSET "," COUNT ",'hw_l3':[32,1]}", "pfs[1].nic: 'hw_l3[0]' is not a n"},
		{I40E, "{" INSET "," COUNT ",'sb_disabled':1}",
		 "pfs[1].nic: 'sb_disabled' is of the wrong type"},
		{I40E, "{" INSET "," COUNT ",'fd_inv':'x'}",
		 "pfs[1].nic: 'fd_inv' is of the wrong type"},
		{I40E, "{" INSET "," COUNT ",'fd_inv':4294967296}",
		 "pfs[1].nic: 'fd_add_err' and 'fd_inv' are numbers of 32 bits"},
		{I40E, "{" INSET "," COUNT ",'fd_add_err':-1}",
		 "pfs[1].nic: 'fd_add_err' and 'fd_inv' are numbers of 32 bits"},
		{IGB, "{'vlapqf':1}", "pfs[0].nic: 'etype' is not an array of 9"},
		{IGB, "{'mac_table':1}", "pfs[0].nic: unknown member 'mac_table'"},
		{IGB, "{" ETYPE "}", "pfs[0].nic: 'mac' is not an array of 0 numbers"},
		{IGB, "{" ETYPE ",'mac':[1,0,0]}", "pfs[0].nic: 'mac' is not slots of 4 numbers"},
		{IGB, "{" ETYPE ",'mac':[0,0,0,5]}",
		 "pfs[0].nic: 'mac[0]' begins a slot that is taken or out of range"},
		{IGB, "{" ETYPE ",'mac':[1,0,0,5,1,0,0,6]}",
		 "pfs[0].nic: 'mac[4]' begins a slot that is taken or out of range"},
		{IGB, "{" ETYPE ",'mac':[16,0,0,5]}", "pfs[0].nic: 'mac[0]' begins a slot"},
		{IGB, "{" ETYPE ",'mac':[1,2,0,5]}", "pfs[0].nic: 'mac[0]' begins a slot"},
		{IGB, "{" ETYPE ",'mac':[1,0,256,5]}", "pfs[0].nic: 'mac[0]' begins a slot"},
		{IGB, "{" ETYPE ",'mac':[]}", "pfs[0].nic: 'slot' is not an array of 0"},
		{IGB, "{" ETYPE ",'mac':[],'slot':[]}",
		 "pfs[0].nic: 'vlapqf' is not a number of 32 bits"},
		{IGB, "{" ETYPE ",'mac':[],'slot':[],'vlapqf':4294967296}",
		 "pfs[0].nic: 'vlapqf' is not a number of 32 bits"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_inventory inv;
		struct fixture f;

		fixture_open(&f, "two-node.json");
		put_nic(&f, rows[i].pf, rows[i].nic);
		assert_true(f.host.ops->read(&f.host, NULL, 0, &inv, &f.err) < 0);
		if (strncmp(f.err.message, rows[i].message, strlen(rows[i].message)) != 0)
			fail_msg("%s: %s", rows[i].nic, f.err.message);
		fixture_close(&f);
	}
}

/* What can be read is read, and MACs in slots are used. */
static void read_states(void **state)
{
	struct fixture f;

	fixture_open(&f, "two-node.json");
	put_nic(&f, IGB, "{" ETYPE ",'mac':[1,0,2,21990232555525],'vlapqf':8,'slot':[]}");
	put_nic(&f, I40E,
		"{" INSET "," COUNT ",'l3':[0,1],'l4':[0,1,3,0],'hw_l3':[0,1],'atr_disabled':true,"
		"'sb_disabled':true,'fd_add_err':3,'fd_inv':4}");
	EXPECT(insert(&f, I40E, udp(1, 53)), -ENOSPC);
	said(&f, "reported its table as full");
	/* there is room, as the hardware says */
	EXPECT(erase(&f, I40E, 1), -EINVAL);
	EXPECT(insert(&f, I40E, udp(1, 53)), 0);
	EXPECT(insert(&f, IGB, ether(1, 0x0806)), 0);
	assert_true(has_nic(&f, IGB));
	assert_true(has_nic(&f, I40E));
	fixture_close(&f);
}

/* Rules that the model cannot have are shown as they are, and gone when they are deleted. */
static void foreign_rules(void **state)
{
	json_t *json, *rules;
	struct fixture f;

	fixture_open(&f, "two-node.json");
	json = fixture_json(&f);
	rules = member(json, IXGBE, "rules");
	json_array_append_new(
		rules, json_pack("{s:i,s:s,s:s}", "loc", 3, "flow", "unknown", "cookie", "0x1"));
	json_array_append_new(
		rules, json_pack("{s:i,s:s,s:s}", "loc", 4, "flow", "tcp6", "cookie", "0x1"));
	fixture_write(&f, json);
	assert_int_equal(look(&f, IXGBE)->nrules, 2);
	assert_int_equal(look(&f, IXGBE)->rules[1].type, SRIOV_FLOW_TCP6);
	EXPECT(f.host.ops->ntuple(&f.host, look(&f, IXGBE), true, &f.err), 0);
	EXPECT(insert(&f, IXGBE, (struct sriov_entry){.loc = 9}), -EINVAL);
	said(&f, "has no flow type");
	EXPECT(insert(&f, IXGBE, udp(5, 53)), 0);
	assert_int_equal(look(&f, IXGBE)->nrules, 3);
	EXPECT(f.host.ops->link_set(&f.host, look(&f, IXGBE), false, &f.err), 0);
	assert_int_equal(look(&f, IXGBE)->nrules, 0);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(i40e_input_set), cmocka_unit_test(i40e_both_gone),
		cmocka_unit_test(i40e_flex),      cmocka_unit_test(i40e_vf_target),
		cmocka_unit_test(igb_slots),      cmocka_unit_test(ixgbe_mask),
		cmocka_unit_test(refused_states), cmocka_unit_test(read_states),
		cmocka_unit_test(foreign_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
