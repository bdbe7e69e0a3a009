/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists on a port of a pretended driver, which fails where it is told to: what is created, destroyed and kept, what
 * comes back after a failure, and in which words it is told. And on ports of real drivers without hardware.
 */
#include "tests/unit/dpdk_fake.h"

#include <rte_eal.h>
#include <rte_ethdev.h>

#define COUNTS(count, a, b, c)                                                                     \
	do {                                                                                       \
		assert_int_equal((count).created, a);                                              \
		assert_int_equal((count).destroyed, b);                                            \
		assert_int_equal((count).kept, c);                                                 \
	} while (0)

/* ---- lists ---- */

static void only_what_differs_changes(void **state)
{
	struct sriov_rte *port = open_fake("82599");
	struct sriov_rte_count count;
	const struct sriov_rte_row *row;
	size_t n;

	assert_int_equal(apply(port,
			       "name a flow-type udp4 dst-port 1 queue 1\n"
			       "name b flow-type udp4 dst-port 2 queue 1\n",
			       &count, NULL),
			 0);
	COUNTS(count, 2, 0, 0);
	row = sriov_rte_rows(port, &n);
	assert_int_equal(n, 2);
	assert_string_equal(row[1].rule, "b");
	assert_int_equal(row[1].filter, SRIOV_FILTER_FDIR_MARK);
	/* b keeps its number, and is another rule by name only */
	assert_int_equal(apply(port,
			       "name c flow-type udp4 dst-port 3 queue 1\n"
			       "name z flow-type udp4 dst-port 2 queue 1\n",
			       &count, NULL),
			 0);
	COUNTS(count, 1, 1, 1);
	row = sriov_rte_rows(port, &n);
	assert_string_equal(row[1].rule, "z");
	assert_int_equal(row[1].entry.loc, 2);
	assert_int_equal(fake.flow[1].mark, 2);
	/* once more is nothing */
	fake.calls = 0;
	assert_int_equal(apply(port,
			       "name c flow-type udp4 dst-port 3 queue 1\n"
			       "name z flow-type udp4 dst-port 2 queue 1\n",
			       &count, NULL),
			 0);
	COUNTS(count, 0, 0, 2);
	assert_int_equal(fake.calls, 0);
	assert_int_equal(apply(port, "", &count, NULL), 0);
	COUNTS(count, 0, 2, 0);
	assert_int_equal(present(), 0);
	sriov_rte_close(port);
}

/* "-a +c": the steps of the last change by their rules, and its notes behind. */
static const char *told_of(const struct sriov_rte *port, char buf[512])
{
	const struct sriov_rte_told *told = sriov_rte_told(port);
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < told->nsteps; i++)
		used += snprintf(buf + used, 512 - used, "%s%c%s", i ? " " : "",
				 told->step[i].created ? '+' : '-', told->step[i].row->rule);
	for (size_t i = 0; i < told->nnotes; i++)
		used += snprintf(buf + used, 512 - used, "; %s", told->note[i]);
	return buf;
}

/* What goes before what comes; conditions of what is new, once for all that share them. */
static void steps_are_told(void **state)
{
#define A "name a udp4 dst-ip 10.0.0.1 dst-port 1 queue 1\n"
#define B "name b udp4 dst-ip 10.0.0.2 dst-port 2 queue 1\n"
#define C "name c udp4 dst-ip 10.0.0.3 dst-port 3 queue 1\n"
	static const struct {
		const char *rules, *told;
	} applied[] = {
		{A B "udp4 dst-ip 10.0.0.9 dst-port 9 queue 1",
		 "+a +b +; rule a and 2 more: fdir: "},
		{A C "udp4 dst-ip 10.0.0.9 dst-port 9 queue 1", "-b +c; rule c: fdir: "},
		/* of what fails there is nothing to tell, and not what was told before it either */
		{"udp4 dst-port 9 vf 9", ""},
		{A C "udp4 dst-ip 10.0.0.9 dst-port 9 queue 1", ""},
		{"udp4 dst-ip 10.0.0.9 dst-port 9 queue 1", "-a -c"},
		{"udp4 dst-ip 10.0.0.8 dst-port 9 queue 1", "- +; rule 1: fdir: "},
	};
	struct sriov_rte *port = open_fake("82599");
	char told[512];

	assert_string_equal(told_of(port, told), "");
	for (size_t i = 0; i < ARRAY_SIZE(applied); i++) {
		apply(port, applied[i].rules, NULL, NULL);
		told_of(port, told);
		if (strncmp(told, applied[i].told, strlen(applied[i].told)) != 0 ||
		    !applied[i].told[0] != !told[0])
			fail_msg("case %zu: %s", i, told);
	}
	sriov_rte_close(port);
}

/* Fragments are a packet type of their own on i40e. */
static void one_entry_may_be_two_rules(void **state)
{
	struct sriov_rte *port = open_fake("X710");
	struct sriov_rte_count count;

	assert_int_equal(apply(port, "flow-type ip4 dst-ip 10.0.0.7 drop", &count, NULL), 0);
	COUNTS(count, 5, 0, 0);
	assert_int_equal(present(), 5);
	assert_int_equal(apply(port, "", &count, NULL), 0);
	COUNTS(count, 0, 5, 0);
	assert_int_equal(present(), 0);
	sriov_rte_close(port);
}

#define OLD "name a flow-type udp4 dst-port 1 queue 1\nname b flow-type udp4 dst-port 2 queue 1\n"
#define NEW                                                                                        \
	"name c flow-type tcp4 src-ip 10.0.0.1 dst-port 9 drop\n"                                  \
	"name d flow-type tcp4 src-ip 10.0.0.2 dst-port 9 drop\n"

/* Whichever call fails, the old list stands, and the next apply works. */
static void all_or_nothing(void **state)
{
	for (unsigned at = 1; at <= 5; at++) {
		struct sriov_rte *port = open_fake("X540");
		struct sriov_error err = {0};
		struct sriov_rte_count count;
		size_t n;
		int r;

		assert_int_equal(apply(port, OLD, &count, NULL), 0);
		fake.calls = 0;
		fake.fail_at[0] = at;
		fake.number = EBUSY;
		fake.text = "no";
		r = apply(port, NEW, &count, &err);
		if (!r) {
			assert_int_equal(at, 5); /* two destroyed, two created: no fifth call */
			sriov_rte_close(port);
			continue;
		}
		assert_int_equal(r, -EBUSY);
		assert_int_equal(err.status, SRIOV_ROLLED_BACK);
		assert_int_equal(present(), 2);
		sriov_rte_rows(port, &n);
		assert_int_equal(n, 2);
		fake.fail_at[0] = 0;
		assert_int_equal(apply(port, OLD, &count, NULL), 0);
		COUNTS(count, 0, 0, 2);
		assert_int_equal(apply(port, NEW, &count, NULL), 0);
		COUNTS(count, 2, 2, 0);
		sriov_rte_close(port);
	}
}

/* If undoing fails too, what is there is known, and the next apply brings the rest. */
static void what_is_lost_is_told(void **state)
{
	for (unsigned second = 4; second <= 6; second++) {
		struct sriov_rte *port = open_fake("X540");
		struct sriov_error err = {0};
		struct sriov_rte_count count;
		unsigned there;
		size_t n;

		assert_int_equal(apply(port, OLD, &count, NULL), 0);
		fake.calls = 0;
		fake.fail_at[0] = 4; /* the second of the new ones */
		fake.fail_at[1] = second + 1;
		fake.number = EIO;
		fake.text = "broken";
		assert_int_equal(apply(port, NEW, &count, &err), -EIO);
		assert_int_equal(err.status, SRIOV_INCOMPLETE);
		assert_non_null(strstr(err.message, "not all back"));
		assert_non_null(strstr(err.kernel, "broken"));
		there = present();
		sriov_rte_rows(port, &n);
		assert_int_equal(n, there);
		fake.fail_at[0] = fake.fail_at[1] = 0;
		assert_int_equal(apply(port, OLD, &count, NULL), 0);
		assert_int_equal(present(), 2);
		sriov_rte_close(port);
	}
}

/* ---- words ---- */

static const struct {
	const char *nic, *rule;
	int number;
	const char *text;
	int code;
	const char *message, *kernel, *hint;
} failures[] = {
	{"82599", "name a flow-type udp4 dst-port 1 queue 1", EINVAL, "Not supported action.",
	 -EINVAL, "net_ixgbe refused to create it (as fdir)", "net_ixgbe: Not supported action.",
	 "words are those of the last filter"},
	/* what memcmp() said of two masks */
	{"82599", "name a flow-type udp4 dst-port 1 queue 1", -255, "Failed to create flow.", -EIO,
	 "have given Flow Director another mask", "and no error number", "destroy those first"},
	{"82599", "name a flow-type udp4 dst-port 1 queue 1", ENOTSUP, "Failed to create flow.",
	 -ENOTSUP, "in another mode", "Failed", "pinned the mode"},
	{"82599", "name a flow-type sctp4 dst-port 1 queue 1", ENOSYS, "Failed to create flow.",
	 -ENOSYS, "all 5-tuple filters of the port are taken", "Failed", "destroy those first"},
	{"82599", "name a flow-type sctp4 dst-port 1 queue 1", EEXIST, NULL, -EEXIST,
	 "has the same rule already", "no reason", "destroy that first"},
	{"82599", "name a flow-type ether proto 1 queue 1", ENOSPC, "x", -ENOSPC,
	 "all EtherType filters", "x", "destroy"},
	{"X710", "name a flow-type udp4 dst-port 1 queue 1", ENOBUFS, "Fdir space full", -ENOBUFS,
	 "Flow Director of the port is full", "Fdir space full", "other functions"},
	{"X710", "name a flow-type udp4 dst-port 1 queue 1", EINVAL, "Failed to create flow.",
	 -EINVAL, "match other fields of these packets", "Failed", "destroy those first"},
	{"I350", "name a flow-type udp4 dst-port 1 queue 1", ENOSYS, "x", -ENOSYS,
	 "all filters of that kind are taken", "x", "destroy"},
	{"tap", "name a flow-type udp4 dst-port 1 queue 1", EEXIST,
	 "overlapping rules or Kernel too old for flower support", -EEXIST, "no cls_flower for it",
	 "overlapping rules", "modprobe"},
};

static void drivers_are_translated(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		struct sriov_rte *port = open_fake(failures[i].nic);
		struct sriov_error err = {0};

		fake.fail_at[0] = 1;
		fake.number = failures[i].number;
		fake.text = failures[i].text;
		if (apply(port, failures[i].rule, NULL, &err) != failures[i].code ||
		    strcmp(err.object, "rule a") || !strstr(err.message, failures[i].message) ||
		    !strstr(err.kernel, failures[i].kernel) || !strstr(err.hint, failures[i].hint))
			fail_msg("case %zu: %d %s: %s (%s) %s", i, err.code, err.object,
				 err.message, err.kernel, err.hint);
		sriov_rte_close(port);
	}
}

static void validate_asks_for_all(void **state)
{
	struct sriov_rte *port = open_fake("X710");
	struct sriov_rte_count count;
	struct sriov_error err = {0};
	struct sriov_rules rules;
	char told[512];

	assert_int_equal(sriov_rules_parse("flow-type ip4 dst-ip 1.2.3.4 drop", NULL, &rules, NULL),
			 0);
	assert_int_equal(sriov_rte_validate(port, &rules, NULL, &count, NULL), 0);
	COUNTS(count, 5, 0, 0);
	/* what would come is told, though it is nowhere */
	assert_memory_equal(told_of(port, told), "+ + + +", 7);
	assert_int_equal(fake.validated, 5);
	assert_int_equal(present(), 0);
	fake.validated = 0;
	fake.fail_at[0] = 4;
	fake.number = EINVAL;
	fake.text = "Invalid IPv4 mask.";
	assert_int_equal(sriov_rte_validate(port, &rules, NULL, &count, &err), -EINVAL);
	assert_non_null(strstr(err.message, "refused to validate it"));
	assert_string_equal(err.object, "ip4-other dst-ip 1.2.3.4 -> drop");
	sriov_rules_clear(&rules);
	sriov_rte_close(port);
}

/* What the compiler refuses does not come to the driver. */
static void refused_rules_touch_nothing(void **state)
{
	struct sriov_rte *port = open_fake("82599");
	struct sriov_error err = {0};
	struct sriov_rte_count count = {7, 7, 7};

	assert_int_equal(apply(port, OLD, NULL, NULL), 0);
	fake.calls = 0;
	assert_int_equal(apply(port, OLD "name w flow-type tcp4 dst-port 1 drop", &count, &err),
			 -ENOTSUP);
	assert_non_null(strstr(err.object, "rule w"));
	assert_non_null(strstr(err.message, "82599 cannot drop by ports"));
	assert_int_equal(fake.calls, 0);
	COUNTS(count, 7, 7, 7);
	sriov_rte_close(port);
}

static void isolation_is_told_apart(void **state)
{
	struct sriov_rte *port = open_fake("82599");
	struct sriov_error err = {0};

	assert_int_equal(sriov_rte_isolate(port, true, &err), 0);
	fake.isolated = -ENOSYS;
	assert_int_equal(sriov_rte_isolate(port, true, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.message, "net_ixgbe cannot isolate a port"));
	fake.isolated = -EIO;
	fake.text = "broken";
	assert_int_equal(sriov_rte_isolate(port, false, &err), -EIO);
	assert_non_null(strstr(err.message, "refused to open up it"));
	sriov_rte_close(port);
}

/* ---- drivers without hardware ---- */

static unsigned eal_port(const char *device)
{
	uint16_t id;

	if (rte_eth_dev_get_port_by_name(device, &id))
		fail_msg("%s is not there", device);
	return id;
}

static void configure(unsigned id, unsigned queues)
{
	const struct rte_eth_conf conf = {0};

	assert_int_equal(rte_eth_dev_configure(id, queues, queues, &conf), 0);
}

static void real_ports_are_opened(void **state)
{
	struct sriov_error err = {0};
	struct sriov_rte *port;
	unsigned null = eal_port("net_null0"), tap;

	assert_int_equal(sriov_rte_open(40, &port, &err), -ENODEV);
	assert_string_equal(err.object, "port 40");
	configure(null, 1);
	assert_int_equal(sriov_rte_open(null, &port, &err), -EOPNOTSUPP);
	assert_string_equal(err.object, "net_null0");
	assert_non_null(strstr(err.message, "net_null has no rte_flow"));
	if (access("/dev/net/tun", R_OK | W_OK)) {
		print_message("no /dev/net/tun: net_tap is left out\n");
		return;
	}
	tap = eal_port("net_tap0");
	assert_int_equal(sriov_rte_open(tap, &port, &err), -EINVAL);
	assert_non_null(strstr(err.message, "no RX queues yet"));
	configure(tap, 2);
	assert_int_equal(sriov_rte_open(tap, &port, &err), 0);
	assert_string_equal(sriov_rte_port(port)->driver, "net_tap");
	assert_int_equal(sriov_rte_port(port)->queues, 2);
	sriov_rte_close(port);
}

/* Every form that is encoded for it, net_tap validates. */
static void tap_validates(void **state)
{
	static const char *const rules[] = {
		"ip4 dst-ip 10.0.0.0/9 l4proto 47 queue 1",
		"tcp4 src-ip 10.0.0.1 dst-ip 10.0.0.0/8 src-port 1 dst-port 2 drop",
		"udp4 dst-port 1-7 drop",
		"tcp6 src-ip 2001:db8::/32 dst-port 80 queue 0",
		"udp6 drop",
		"ip6 dst-ip 2001:db8::1 l4proto 58 drop",
		"ether src 02:00:00:00:00:01 m 00:00:00:ff:ff:ff proto 0x88f7 queue 1",
		"ether dst 02:00:00:00:00:01 drop",
	};
	struct sriov_rte *port;
	struct sriov_error err = {0};

	if (access("/dev/net/tun", R_OK | W_OK))
		return;
	assert_int_equal(sriov_rte_open(eal_port("net_tap0"), &port, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		struct sriov_rule rule;
		struct sriov_rules list = {.at = &rule, .n = 1};
		const struct sriov_compile opts = {.allow = 1u << SRIOV_BROADER};
		struct sriov_rte_count count;

		rule_of(rules[i], &rule);
		if (sriov_rte_validate(port, &list, &opts, &count, &err) || !count.created)
			fail_msg("%s: %s: %s (%s)", rules[i], err.object, err.message, err.kernel);
	}
	sriov_rte_close(port);
}

static int start_dpdk(void **state)
{
	static char words[] = "dpdk_port --no-huge -m 64 --no-pci --no-telemetry --no-shconf "
			      "--log-level lib.eal:error --vdev net_null0 --vdev net_tap0";
	char *args[16], *next = words;
	int n = 0;

	while (next)
		args[n++] = strsep(&next, " ");
	if (access("/dev/net/tun", R_OK | W_OK))
		n -= 2;
	return rte_eal_init(n, args) < 0 ? -1 : 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_differs_changes),
		cmocka_unit_test(steps_are_told),
		cmocka_unit_test(one_entry_may_be_two_rules),
		cmocka_unit_test(all_or_nothing),
		cmocka_unit_test(what_is_lost_is_told),
		cmocka_unit_test(drivers_are_translated),
		cmocka_unit_test(validate_asks_for_all),
		cmocka_unit_test(refused_rules_touch_nothing),
		cmocka_unit_test(isolation_is_told_apart),
		cmocka_unit_test_setup(real_ports_are_opened, start_dpdk),
		cmocka_unit_test(tap_validates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
