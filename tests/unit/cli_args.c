/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of sriovctl: what is read, what is refused, and in which words. */
#include "cmd/sriovctl/args.c"
#include "cmd/sriovctl/options.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

const struct verb verbs[] = {
	{"vf", "create", "PF --count N", "", OPT_CHANGE | OPT_CREATE | OPT_ATTRS | OPT_DRIVER, 1,
	 1},
	{"vf", "set", "PF VFS", "", OPT_CHANGE | OPT_ATTRS, 2, 2},
	{"vf", "list", "[PF]", "", 0, 0, 1},
	{"flow", "add", "PF RULE...", "", OPT_CHANGE | OPT_RULE, 2, -1},
	{"flow", "delete", "PF NAME|LOC|--all", "", OPT_CHANGE | OPT_ALL, 1, 2},
	{"flow", "probe", "PF", "", OPT_DRY_RUN | OPT_TIMES | OPT_PROBE, 0, 1},
	{"host", "snapshot", "[FILE]", "", OPT_FORCE, 0, 1},
	{"guest", "xml", "NAME", "", OPT_DRY_RUN | OPT_GUEST, 1, 1},
	{"history", NULL, "", "", 0, 0, 0},
	{"complete", NULL, "WORD...", "", 0, 0, -1, VERB_HIDDEN},
	{NULL},
};

#define WORDS 16

static int parse(const char *const *words, struct args *args, struct sriov_error *err)
{
	char *argv[WORDS + 2] = {(char *)"sriovctl"};
	int argc = 1;

	*err = (struct sriov_error){};
	for (; *words; words++)
		argv[argc++] = (char *)*words;
	return args_parse(argc, argv, args, err);
}

static void test_refused(void **state)
{
	static const struct {
		const char *words[WORDS];
		const char *object, *message, *hint; /* message and hint: a part of it */
	} cases[] = {
		{{NULL}, "sriovctl", "no command", "--help` lists"},
		{{"vf"}, "vf", "say what to do", "sriovctl vf --help"},
		{{"vg", "list"}, "vg", "no such command", "`sriovctl vf`"},
		{{"vf", "lst"}, "vf lst", "no such command", "`sriovctl vf list`"},
		{{"vf", "frobnicate"}, "vf frobnicate", "no such command", "--help` lists"},
		{{"vf", "create"}, "vf create", "PF is missing", "usage: sriovctl vf create PF"},
		{{"vf", "set", "eth0"}, "vf set", "VFS is missing", "usage"},
		{{"vf", "list", "a", "b"}, "vf list", "'b' is one argument too many", "usage"},
		{{"vf", "list", ""}, "vf list", "[PF] is empty", ""},
		{{"flow", "add", "", "drop"}, "flow add", "PF is empty", ""},
		{{"history", "x"}, "history", "'x' is one argument too many", "usage"},
		{{"vf", "list", "--count", "4"}, "vf list", "does not take --count", "usage"},
		{{"--count", "4", "vf", "create", "e"},
		 "--count",
		 "before the command",
		 "after it"},
		{{"vf", "create", "e", "--cuont", "4"}, "--cuont", "no such option", "--count?"},
		{{"vf", "create", "e", "--xyzzyx"}, "--xyzzyx", "no such option", "usage"},
		{{"vf", "create", "e", "--xyzzyx=4"}, "--xyzzyx", "no such option", "usage"},
		{{"vf", "list", "-x"}, "-x", "no such option", "usage"},
		{{"vf", "create", "e", "--count"}, "--count", "value is missing: N", "usage"},
		{{"vf", "create", "e", "--force=1"}, "--force=1", "takes no value", "usage"},
		{{"vf", "create", "e", "--count", "0"},
		 "--count 0",
		 "number of VFs (1 to 256)",
		 ""},
		{{"vf", "create", "e", "--count", "257"}, "--count 257", "(1 to 256)", ""},
		{{"vf", "create", "e", "--count=-1"}, "--count -1", "(1 to 256)", ""},
		{{"vf", "create", "e", "--max-rate", "5x"},
		 "--max-rate 5x",
		 "not a number of Mbit/s (0 = unlimited)",
		 ""},
		{{"vf", "create", "e", "--link-timeout", "0"}, "--link-timeout 0", "1 to 3600", ""},
		{{"vf", "set", "e", "0", "--trust", "yes"}, "--trust yes", "one of on|off", ""},
		{{"vf", "set", "e", "0", "--link-state", "up"},
		 "--link-state up",
		 "auto|enable",
		 ""},
		{{"vf", "create", "e", "--driver", "igb"},
		 "--driver igb",
		 "vfio-pci|default|none",
		 ""},
		{{"vf", "set", "e", "0", "--mac", "12:34"}, "--mac 12:34", "not a MAC address", ""},
		{{"vf", "set", "e", "0", "--vlan", "5000"}, "--vlan 5000", "0 to 4095", ""},
		{{"vf", "create", "e", "--pool", ""}, "--pool ''", "left empty", ""},
		{{"guest", "xml", "g", "--node", "-1"}, "--node -1", "NUMA node", ""},
		{{"flow", "probe", "e", "--vf", "256"}, "--vf 256", "VF (0 to 255)", ""},
		/* a port that is in use is never probed */
		{{"flow", "probe", "e", "--force"}, "flow probe", "does not take --force", ""},
		{{"flow", "probe", "e", "--disrupt-pf"}, "flow probe", "take --disrupt-pf", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sriov_error err;
		struct args args;

		assert_int_equal(parse(cases[i].words, &args, &err), -EINVAL);
		assert_int_equal(err.code, -EINVAL);
		assert_int_equal(err.status, SRIOV_FAILED);
		assert_string_equal(err.object, cases[i].object);
		if (!strstr(err.message, cases[i].message))
			fail_msg("'%s' is not in '%s'", cases[i].message, err.message);
		if (!strstr(err.hint, cases[i].hint))
			fail_msg("'%s' is not in '%s'", cases[i].hint, err.hint);
		args_free(&args);
	}
}

/* A value that is refused leaves what an earlier option said. */
static void test_untouched(void **state)
{
	static const char *const words[] = {"vf",     "set",  "e",       "0",  "--vlan", "100:3",
					    "--vlan", "5000", "--trust", "on", NULL};
	struct sriov_error err;
	struct args args;

	assert_int_equal(parse(words, &args, &err), -EINVAL);
	assert_int_equal(args.attrs.vlan, 100);
	assert_int_equal(args.attrs.qos, 3);
	assert_int_equal(args.attrs.has, SRIOV_VF_VLAN);
	args_free(&args);
}

static void test_attributes(void **state)
{
	static const char *const words[] = {
		"--host",     "h.json", "vf",           "create",  "eth0",       "--count=4",
		"--max-rate", "0x10",   "--trust",      "on",      "--spoofchk", "off",
		"--mac",      "auto",   "--link-state", "disable", NULL};
	struct sriov_error err;
	struct args args;

	assert_int_equal(parse(words, &args, &err), 0);
	assert_string_equal(args.host, "h.json");
	assert_ptr_equal(args.verb, &verbs[0]);
	assert_int_equal(args.npos, 1);
	assert_string_equal(args.pos[0], "eth0");
	assert_null(args.pos[1]);
	assert_int_equal(args.count, 4);
	assert_true(args.mac_auto);
	assert_true(args.attrs.trust);
	assert_false(args.attrs.spoofchk);
	assert_int_equal(args.attrs.max_rate, 16);
	assert_int_equal(args.attrs.link, SRIOV_LINK_DISABLE);
	assert_int_equal(args.attrs.has,
			 SRIOV_VF_RATE | SRIOV_VF_TRUST | SRIOV_VF_SPOOFCHK | SRIOV_VF_LINK);
	assert_int_equal(args.driver, SRIOV_BIND_KEEP);
	assert_int_equal(args.node, -1);
	assert_true(args_given(&args, "max-rate"));
	assert_false(args_given(&args, "min-rate"));
	args_free(&args);
}

static void test_last_wins(void **state)
{
	static const char *const words[] = {
		"vf",       "create", "e",        "--mac",    "auto", "--mac", "02:00:00:00:00:05",
		"--driver", "none",   "--driver", "vfio-pci", NULL};
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 5};
	struct sriov_error err;
	struct args args;

	assert_int_equal(parse(words, &args, &err), 0);
	assert_false(args.mac_auto);
	assert_int_equal(args.attrs.has, SRIOV_VF_MAC);
	assert_memory_equal(args.attrs.mac, mac, sizeof(mac));
	assert_int_equal(args.driver, SRIOV_BIND_VFIO);
	args_free(&args);
}

/* Rule words with "-1", options before and after them, and "--" that ends options. */
static void test_words(void **state)
{
	static const struct {
		const char *words[WORDS];
		const char *pos[WORDS];
		bool dry_run, json;
	} cases[] = {
		{{"flow", "add", "e", "flow-type", "udp4", "action", "-1", "--dry-run", "--json"},
		 {"e", "flow-type", "udp4", "action", "-1"},
		 true,
		 true},
		{{"--json", "flow", "add", "--dry-run", "e", "action", "-18446744073709551615"},
		 {"e", "action", "-18446744073709551615"},
		 true,
		 true},
		{{"host", "snapshot", "-"}, {"-"}, false, false},
		{{"complete", "--", "vf", "create", "--json", "--he"},
		 {"vf", "create", "--json", "--he"},
		 false,
		 false},
		{{"complete", "--", "--"}, {"--"}, false, false},
		{{"history", "--json"}, {NULL}, false, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sriov_error err;
		struct args args;
		int n = 0;

		assert_int_equal(parse(cases[i].words, &args, &err), 0);
		for (; cases[i].pos[n]; n++)
			assert_string_equal(args.pos[n], cases[i].pos[n]);
		assert_int_equal(args.npos, n);
		assert_int_equal(args.run.dry_run, cases[i].dry_run);
		assert_int_equal(args.json, cases[i].json);
		args_free(&args);
	}
}

static void test_globals(void **state)
{
	static const struct {
		const char *words[WORDS];
		const char *debug_only;
		bool help, version, debug;
	} cases[] = {
		{{"--help"}, NULL, true, false, false},
		{{"-h"}, NULL, true, false, false},
		{{"help", "vf", "create"}, NULL, true, false, false},
		{{"vf", "--help"}, NULL, true, false, false},
		{{"vf", "create", "--help"}, NULL, true, false, false}, /* no PF is no error now */
		{{"--version"}, NULL, false, true, false},
		{{"--debug", "vf", "list"}, NULL, false, false, true},
		{{"vf", "list", "--debug=netlink"}, "netlink", false, false, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sriov_error err;
		struct args args;

		assert_int_equal(parse(cases[i].words, &args, &err), 0);
		assert_int_equal(args.help, cases[i].help);
		assert_int_equal(args.version, cases[i].version);
		assert_int_equal(args.debug, cases[i].debug);
		if (cases[i].debug_only)
			assert_string_equal(args.debug_only, cases[i].debug_only);
		else
			assert_null(args.debug_only);
		args_free(&args);
	}
}

/* Every option belongs to a verb, is documented, and says what its value is. */
static void test_option_table(void **state)
{
	for (const struct opt *opt = options; opt->name; opt++) {
		assert_true(opt->groups);
		assert_true(opt->help && *opt->help);
		assert_int_equal(opt->metavar != NULL, opt->kind != KIND_FLAG);
		assert_ptr_equal(opt_find(opt->name, opt->groups), opt);
		/* one name means one thing to a verb */
		for (const struct opt *other = opt + 1; other->name; other++)
			assert_true(strcmp(other->name, opt->name) ||
				    !(other->groups & opt->groups));
	}
	assert_null(options[NOPTIONS].name);
	assert_non_null(options[NOPTIONS - 1].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),      cmocka_unit_test(test_untouched),
		cmocka_unit_test(test_attributes),   cmocka_unit_test(test_last_wins),
		cmocka_unit_test(test_words),        cmocka_unit_test(test_globals),
		cmocka_unit_test(test_option_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
