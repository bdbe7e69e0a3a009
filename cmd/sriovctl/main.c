/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl: the verb table, and the life of one command. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

const struct verb verbs[] = {
	{"host", "show", "[PF]", "nodes, PFs and VFs, and who uses them", 0, 0, 1, 0,
	 cmd_host_show},
	{"host", "snapshot", "[FILE]", "the inventory into FILE, which --host can simulate",
	 OPT_FORCE, 0, 1, 0, cmd_host_snapshot},

	{"vf", "create", "PF --count N", "make VFs and set them up",
	 OPT_CHANGE | OPT_CREATE | OPT_ATTRS | OPT_DRIVER, 1, 1, VERB_CHANGES, cmd_vf_create},
	{"vf", "list", "[PF]", "VFs with their attributes and users", 0, 0, 1, 0, cmd_vf_list},
	{"vf", "show", "PF VF", "everything about one VF", 0, 2, 2, 0, cmd_vf_show},
	{"vf", "set", "PF VFS", "change attributes of VFs (0-3,7 or all)", OPT_CHANGE | OPT_ATTRS,
	 2, 2, VERB_CHANGES, cmd_vf_set},
	{"vf", "bind", "PF VFS --driver DRIVER", "bind VFs to a driver", OPT_CHANGE | OPT_DRIVER, 2,
	 2, VERB_CHANGES, cmd_vf_bind},
	{"vf", "delete", "PF", "remove all VFs of a PF", OPT_CHANGE, 1, 1, VERB_CHANGES,
	 cmd_vf_delete},

	{"pf", "bind", "PF --driver DRIVER",
	 "give a port to vfio-pci (for DPDK), or back (default) with its VFs and rules",
	 OPT_CHANGE | OPT_DRIVER, 1, 1, VERB_CHANGES, cmd_pf_bind},

	{"flow", "add", "PF RULE...", "put a rule into the NIC (flow-type udp4 dst-port 4789 vf 3)",
	 OPT_CHANGE | OPT_RULE | OPT_OWNER | OPT_COMPILE | OPT_ADOPT, 2, -1, VERB_CHANGES,
	 cmd_flow_add},
	{"flow", "list", "[PF]", "the rules in the NIC, and whose they are",
	 OPT_BACKEND | OPT_SOCKET, 0, 1, 0, cmd_flow_list},
	{"flow", "apply", "FILE",
	 "make FILE (- = standard input) the list of our rules on a port, by the smallest change",
	 OPT_CHANGE | OPT_PF | OPT_OWNER | OPT_COMPILE | OPT_ADOPT | OPT_BACKEND | OPT_SOCKET, 1, 1,
	 VERB_CHANGES, cmd_flow_apply},
	{"flow", "diff", "PF [FILE]",
	 "what the NIC has otherwise than intended, or than FILE says; ends 2 if anything",
	 OPT_COMPILE | OPT_ADOPT, 1, 2, 0, cmd_flow_diff},
	{"flow", "check", "FILE",
	 "what a NIC would make of the rules in FILE (- = standard input); ends 2 if not just that",
	 OPT_PF | OPT_NIC | OPT_COMPILE | OPT_BACKEND, 1, 1, 0, cmd_flow_check},
	{"flow", "explain", "RULE [FILE]",
	 "one rule's story: its name or number in FILE or among our rules, or a rule in words",
	 OPT_PF | OPT_NIC | OPT_COMPILE | OPT_BACKEND, 1, 2, 0, cmd_flow_explain},
	{"flow", "trace", "PF|--nic NIC PACKET|--pcap FILE",
	 "the way of a packet through a port, and why (udp 198.51.100.7:1024 > 10.0.0.7:4789)",
	 OPT_TRACE | OPT_NIC | OPT_COMPILE, 0, -1, 0, cmd_flow_trace},
	{"flow", "import", "[FILE|PF] --from FORMAT",
	 "rules of ethtool, testpmd or a port in words of ours", OPT_IMPORT, 0, 1, 0,
	 cmd_flow_import},
	{"flow", "export", "[FILE|PF] --to FORMAT", "rules as lines for ethtool, testpmd or OVS",
	 OPT_EXPORT, 0, 1, 0, cmd_flow_export},
	{"flow", "delete", "PF NAME|LOC|--all", "remove rules of ours", OPT_CHANGE | OPT_ALL, 1, 2,
	 VERB_CHANGES, cmd_flow_delete},
	{"flow", "probe", "PF [--wire NETDEV]",
	 "ask the NIC itself, with test frames on an idle port, what only it can tell",
	 OPT_DRY_RUN | OPT_TIMES | OPT_PROBE, 0, 1, VERB_CHANGES, cmd_flow_probe},

	{"rss", "show", "PF", "how a port distributes over its RX queues what no rule catches", 0,
	 1, 1, 0, cmd_rss_show},
	{"rss", "set", "PF queues A-B", "spread that over some of its RX queues, in equal parts",
	 OPT_CHANGE, 3, 3, VERB_CHANGES, cmd_rss_set},

	{"nic", "wipes", "[DRIVER]", "what becomes of rules at ifdown, reload, … by driver", 0, 0,
	 1, 0, cmd_nic_wipes},
	{"nic", "replay", "[FILE]", "answer recorded rule operations as the NIC's driver would", 0,
	 0, 1, 0, cmd_nic_replay},

	{"guest", "attach", "NAME|UUID",
	 "give a guest a VF (or the next of --paths) on its NUMA node, and put it into its domain",
	 OPT_DRY_RUN | OPT_FORCE | OPT_TIMES | OPT_PF | OPT_NET | OPT_GUEST | OPT_ATTACH |
		 OPT_POOL | OPT_ATTRS | OPT_DOMAIN | OPT_URI,
	 1, 1, VERB_CHANGES, cmd_guest_attach},
	{"guest", "detach", "NAME|UUID", "take it back: out of the domain, and the lease ends",
	 OPT_CHANGE | OPT_PF | OPT_NET | OPT_DOMAIN | OPT_URI, 1, 1, VERB_CHANGES,
	 cmd_guest_detach},
	{"guest", "move", "NAME|UUID --to vf|vhostuser",
	 "move it to another path of its PF, with MAC, VLAN, limits and rules",
	 OPT_CHANGE | OPT_PF | OPT_NET | OPT_DOMAIN | OPT_URI | OPT_MOVE, 1, 1, VERB_CHANGES,
	 cmd_guest_move},
	{"guest", "rebalance", "", "move guests that got no VF to VFs that are free now",
	 OPT_CHANGE | OPT_DOMAIN | OPT_URI, 0, 0, VERB_CHANGES, cmd_guest_rebalance},
	{"guest", "list", "", "the leases", 0, 0, 0, 0, cmd_guest_list},
	{"guest", "show", "NAME|UUID", "what a guest holds, and what the host shows of it", 0, 1, 1,
	 0, cmd_guest_show},
	{"guest", "check", "[NAME]",
	 "what is wrong with where a guest runs, or which leases nobody holds; ends 2 if anything",
	 OPT_CHECK | OPT_URI, 0, 1, 0, cmd_guest_check},
	{"guest", "tune", "NAME --plan|--apply",
	 "threads and memory of a guest to the node of its NIC, off interrupts and excluded cores",
	 OPT_TUNE | OPT_CHECK | OPT_URI, 1, 1, VERB_CHANGES, cmd_guest_tune},
	{"guest", "gc", "", "end the leases that nobody holds any more", OPT_CHANGE, 0, 0,
	 VERB_CHANGES, cmd_guest_gc},
	{"guest", "xml", "NAME", "lease a VF to a guest and print the XML for libvirt",
	 OPT_DRY_RUN | OPT_PF | OPT_NET | OPT_GUEST | OPT_ATTACH | OPT_POOL, 1, 1, VERB_CHANGES,
	 cmd_guest_xml},

	{"pool", "set", "PF VFS NAME",
	 "put VFs (0-3,7 or all) into a pool: sriovctl, nova, libvirt-net, uplink, reserved, or yours",
	 OPT_DRY_RUN | OPT_FORCE, 3, 3, VERB_CHANGES, cmd_pool_set},
	{"pool", "show", "[PF]", "the pools and their VFs", 0, 0, 1, 0, cmd_pool_show},
	{"physnet", "add", "NAME PF...",
	 "say which PFs are on a network, and on what bridge guests are that get no VF there",
	 OPT_CHANGE | OPT_PHYSNET, 2, -1, VERB_CHANGES, cmd_physnet_add},
	{"physnet", "delete", "NAME", "forget a network; a bridge of ours goes", OPT_CHANGE, 1, 1,
	 VERB_CHANGES, cmd_physnet_delete},
	{"physnet", "check", "[NAME]", "what the bridges of networks lack; ends 2 if anything", 0,
	 0, 1, 0, cmd_physnet_check},
	{"physnet", "show", "[NAME]", "the networks, their PFs and how many VFs are free", 0, 0, 1,
	 0, cmd_physnet_show},

	{"vswitch", "show", "", "Open vSwitch: its bridges and ports, and who polls them", 0, 0, 0,
	 0, cmd_vswitch_show},
	{"vswitch", "plan", "",
	 "commands that make guests' ports local to their guests; ends 2 if any", 0, 0, 0, 0,
	 cmd_vswitch_plan},
	{"vswitch", "check", "", "what is wrong with guests' ports on OVS; ends 2 if anything", 0,
	 0, 0, 0, cmd_vswitch_check},

	{"hook", "libvirt", "GUEST OPERATION SUBOPERATION EXTRA",
	 "what libvirt's hook runs, with the domain on standard input (examples/libvirt)",
	 OPT_HOOK | OPT_NET, 4, 4, VERB_CHANGES | VERB_HOOK, cmd_hook_libvirt},

	{"nova", "conf", "", "the part of nova.conf that is about this host's VFs in pool nova",
	 OPT_NOVA, 0, 0, 0, cmd_nova_conf},
	{"nova", "plan", "--net PHYSNET",
	 "whether a port of that network would get a VF (direct) here, or should be on the switch (normal)",
	 OPT_PLACE | OPT_NET, 0, 0, 0, cmd_nova_plan},

	{"journal", "show", "", "changes that were left incomplete", 0, 0, 0, 0, cmd_journal_show},
	{"journal", "resume", "ID", "finish such a change", OPT_CHANGE, 1, 1, VERB_CHANGES,
	 cmd_journal_resume},
	{"journal", "undo", "ID", "bring back what was before it", OPT_CHANGE, 1, 1, VERB_CHANGES,
	 cmd_journal_undo},
	{"journal", "abandon", "ID", "forget it and leave the host as it is", 0, 1, 1, VERB_CHANGES,
	 cmd_journal_abandon},
	{"history", NULL, "", "changes that are over", 0, 0, 0, 0, cmd_history},

	{"restore", NULL, "[PF]", "bring the last intent back, after a reboot or driver reload",
	 OPT_CHANGE, 0, 1, VERB_CHANGES, cmd_restore},

	{"plan", NULL, "[-f FILE]",
	 "what a host file would change, by object; ends 2 if anything (" SRIOV_HOSTFILE ")",
	 OPT_FILE | OPT_FORCE | OPT_PLAN | OPT_ADOPT, 0, 0, 0, cmd_plan},
	{"apply", NULL, "[-f FILE]", "make the host as a file says: all of its PFs, or nothing",
	 OPT_FILE | OPT_CHANGE | OPT_CONFIRM | OPT_ADOPT, 0, 0, VERB_CHANGES, cmd_apply},
	{"status", NULL, "",
	 "what differs from the host file that was applied last; ends 2 if anything", 0, 0, 0, 0,
	 cmd_status},
	{"rollback", NULL, "[GENERATION]",
	 "the host as it was before a generation (the last one), which is a new one", OPT_CHANGE, 0,
	 1, VERB_CHANGES, cmd_rollback},
	{"confirm", NULL, "", "keep what `apply --confirm` made", 0, 0, 0, VERB_CHANGES,
	 cmd_confirm},
	{"generations", NULL, "", "when host files were applied or taken back", 0, 0, 0, 0,
	 cmd_generations},

	{"adopt", NULL, "[PF]",
	 "take over what is there (VFs, rules, guests) without touching it; also after a lost database",
	 OPT_DRY_RUN | OPT_TIMES | OPT_URI | OPT_PRINT, 0, 1, VERB_CHANGES, cmd_adopt},

	{"complete", NULL, "WORD...",
	 "completions of a command line; without words, the script for bash", 0, 0, -1, VERB_HIDDEN,
	 cmd_complete},
	{NULL},
};

static void print_waiting(void *data, const char *subsystem, const char *text)
{
	if (!strcmp(subsystem, "lock"))
		fprintf(stderr, "sriovctl: %s\n", text);
}

static void print_log(void *data, const char *subsystem, const char *text)
{
	const char *only = data;

	if (!only || !strcmp(only, subsystem))
		fprintf(stderr, "debug: %s: %s\n", subsystem, text);
}

/* What the user typed, for the journal. */
static char *command_line(int argc, char **argv)
{
	char *text = strdup("sriovctl");

	for (int i = 1; i < argc && text; i++) {
		char *longer = core_printf("%s %s", text, argv[i]);

		free(text);
		text = longer;
	}
	return text;
}

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = 1;
}

/* A change that is stopped is undone, and one whose reader went away goes on to its end. */
static void catch_signals(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	const struct sigaction action = {.sa_handler = on_signal};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaction(numbers[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int check_root(const struct args *args, struct sriov_error *err)
{
	char name[64];

	if (!(args->verb->flags & VERB_CHANGES) || args->host || geteuid() == 0)
		return 0;
	sriov_error_set(err, -EPERM, verb_name(args->verb, name), "needs root on this host");
	return sriov_error_hint(err,
				"run it with sudo, or try it on a simulated host: --host FILE");
}

static int run(const struct args *args, struct out *out, struct sriov_error *err)
{
	struct sriov_host *host = NULL;
	int r = check_root(args, err);

	if (r < 0)
		return r;
	if (args->verb->flags & VERB_CHANGES)
		catch_signals();
	/* who waits for another command is told for which, also without --debug */
	sriov_set_log(args->debug ? print_log : print_waiting, (void *)args->debug_only);
	r = sriov_host_open(args->host, &host, err);
	if (r < 0)
		return r;
	if (args->uri)
		r = sriov_host_uri(host, args->uri, err);
	if (!r)
		r = args->verb->fn(args, host, out, err);
	sriov_host_close(host);
	return r;
}

static bool mentions(char **argv, const char *word)
{
	while (*argv && strcmp(*argv, word))
		argv++;
	return *argv;
}

int main(int argc, char **argv)
{
	_free_ char *command = command_line(argc, argv);
	const char *host = getenv("SRIOVCTL_HOST");
	struct sriov_error err = {};
	struct out out = {};
	struct args args;
	int status = 0, r = args_parse(argc, argv, &args, &err);

	if (!r && (args.help || args.version)) {
		if (args.version)
			printf("sriovctl %s\n", SRIOVCTL_VERSION);
		else
			help_print(&args);
		args_free(&args);
		return out_finish(&out) < 0;
	}
	/* a usage error may come before --json was reached */
	if (args.json || (r < 0 && mentions(argv, "--json"))) {
		out.doc = json_object();
		if (!out.doc && !r)
			r = core_oom(&err);
	}
	if (!args.host && host && *host)
		args.host = host;
	args.run.command = command;
	args.run.interrupted = &interrupted;
	if (!r)
		r = run(&args, &out, &err);
	if (r < 0) {
		out_error(&out, &err);
		status = err.status ? err.status : SRIOV_FAILED;
	} else if (r > 0) {
		status = r; /* a finding, told */
	}
	r = out_finish(&out);
	if (r < 0) {
		fprintf(stderr, "sriovctl: standard output: cannot be written\n  kernel: %s\n",
			strerror(-r));
		/* what a change ended as is worth more than what became of its text */
		if (!status && !(args.verb && args.verb->flags & VERB_CHANGES))
			status = SRIOV_FAILED;
	}
	if (args.verb && args.verb->flags & VERB_HOOK)
		status = hook_status(argc, argv, status);
	args_free(&args);
	return status;
}
