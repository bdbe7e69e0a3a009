/* SPDX-License-Identifier: Apache-2.0 */
/* The options: their table, and the check of every value in one place. */
#include "cmd/sriovctl/args.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define AT(member) offsetof(struct args, member)

const struct opt options[NOPTIONS + 1] = {
	{"count", "N", "number of VFs to have", KIND_COUNT, AT(count), 0, OPT_CREATE},
	{"mac", "auto|ADDR",
	 "MAC address: stable automatic ones, or ADDR (of the first VF, counted up)", KIND_MAC, 0,
	 SRIOV_VF_MAC, OPT_ATTRS},
	{"vlan", "ID[:QOS[:PROTO]]", "port VLAN, 0 = none; PROTO is 802.1Q or 802.1ad", KIND_VLAN,
	 0, SRIOV_VF_VLAN, OPT_ATTRS},
	{"spoofchk", "on|off", "drop frames with a foreign source MAC or VLAN", KIND_ON_OFF,
	 AT(attrs.spoofchk), SRIOV_VF_SPOOFCHK, OPT_ATTRS},
	{"trust", "on|off", "let the VF set promiscuous mode and its own MAC", KIND_ON_OFF,
	 AT(attrs.trust), SRIOV_VF_TRUST, OPT_ATTRS},
	{"max-rate", "MBIT", "highest transmit rate in Mbit/s, 0 = unlimited", KIND_RATE,
	 AT(attrs.max_rate), SRIOV_VF_RATE, OPT_ATTRS},
	{"min-rate", "MBIT", "guaranteed transmit rate in Mbit/s, 0 = none", KIND_RATE,
	 AT(attrs.min_rate), SRIOV_VF_RATE, OPT_ATTRS},
	{"link-state", "auto|enable|disable", "link that the VF sees; auto = the port's", KIND_LINK,
	 AT(attrs.link), SRIOV_VF_LINK, OPT_ATTRS},
	{"driver", "vfio-pci|default|none", "what to bind to", KIND_DRIVER, AT(driver), 0,
	 OPT_DRIVER},
	{"pool", "NAME", "pool that the VFs belong to", KIND_TEXT, AT(pool), 0,
	 OPT_CREATE | OPT_POOL},
	{"name", "NAME", "name of the rule", KIND_TEXT, AT(name), 0, OPT_RULE},
	{"owner", "OWNER", "who asked for the rule", KIND_TEXT, AT(owner), 0, OPT_OWNER},
	{"allow", "RESULT,…", "take rules that are not exact: narrower, broader, none, unknown",
	 KIND_RESULTS, 0, 0, OPT_COMPILE},
	{"partial", NULL, "leave out `optional` rules that do not fit", KIND_FLAG, AT(run.partial),
	 0, OPT_COMPILE},
	{"adopt", NULL, "take over rules of others that are just what is wanted", KIND_FLAG,
	 AT(run.adopt), 0, OPT_ADOPT},
	{"all", NULL, "every rule of ours on the port", KIND_FLAG, AT(all), 0, OPT_ALL},
	{"pf", "PF", "on this PF", KIND_TEXT, AT(pf), 0, OPT_PF},
	{"from", "ethtool|testpmd|json", "what the text is", KIND_FORMAT, AT(from), 0, OPT_IMPORT},
	{"port-driver", "DRIVER",
	 "driver of the port that an ethtool text is of (ixgbe, i40e, igb)", KIND_TEXT,
	 AT(port_driver), 0, OPT_IMPORT},
	{"to", "ethtool|testpmd|openflow|json", "what to write", KIND_FORMAT, AT(to), 0,
	 OPT_EXPORT},
	{"dev", "DEV", "netdev in ethtool's lines, or port number in testpmd's", KIND_TEXT, AT(dev),
	 0, OPT_EXPORT},
	{"nic", "NIC[,vfs=N][,queues=N]",
	 "on a NIC of that name that need not be there (82599, X710)", KIND_TEXT, AT(nic), 0,
	 OPT_NIC},
	{"backend", "kernel|rte", "through what rules reach the port: its kernel driver, or DPDK's",
	 KIND_BACKEND, AT(run.rte), 0, OPT_BACKEND},
	{"socket", "PATH", "where sriov-rte takes requests (/run/sriovctl/rte.sock)", KIND_TEXT,
	 AT(socket), 0, OPT_SOCKET},
	{"in", "wire|pf|vf N", "where the packet comes from (wire)", KIND_TEXT, AT(in), 0,
	 OPT_TRACE},
	{"rules", "FILE", "trace what FILE would become, not what the port has", KIND_TEXT,
	 AT(rules), 0, OPT_TRACE},
	{"pcap", "FILE", "count where the packets of a capture end (- = standard input)", KIND_TEXT,
	 AT(pcap), 0, OPT_TRACE},
	{"against", "FILE", "and which end elsewhere with the rules in FILE; ends 2 if any",
	 KIND_TEXT, AT(against), 0, OPT_TRACE},
	{"node", "N", "this NUMA node: only VFs of it, or (tune, check) the guest's place",
	 KIND_NODE, AT(node), 0, OPT_GUEST | OPT_CHECK | OPT_PLACE},
	{"domain", "FILE", "domain XML to merge the interface into (- = standard input)", KIND_TEXT,
	 AT(domain), 0, OPT_GUEST},
	{"net", "PHYSNET", "on this physnet", KIND_TEXT, AT(guest.net), 0, OPT_NET},
	{"paths", "PATH,…", "ways to attach, in order of preference: vf, vhostuser, macvtap, tap",
	 KIND_PATHS, 0, 0, OPT_ATTACH | OPT_PHYSNET},
	{"numa-policy", "warn|enforce",
	 "a VF on another node than its guest: told, or refused (warn)", KIND_NUMA_POLICY,
	 AT(hook.numa_enforce), 0, OPT_HOOK},
	{"busy", "refuse|allow",
	 "a PF that another command holds: its guest does not start, or without what is ours (refuse)",
	 KIND_BUSY, AT(hook.busy_allow), 0, OPT_HOOK},
	{"nova-release", "RELEASE", "zed, 2025.1, 26, …: which words it knows (zed)", KIND_TEXT,
	 AT(nova_release), 0, OPT_NOVA},
	{"rules-dir", "DIR", "rules by guest, project, flavor and port (" SRIOV_HOOK_RULES ")",
	 KIND_TEXT, AT(hook.rules_dir), 0, OPT_HOOK},
	{"numa", "preferred|required|socket|any",
	 "how near the NIC must be to the guest's node (preferred)", KIND_NUMA,
	 AT(guest.policy.numa), 0, OPT_ATTACH | OPT_PLACE | OPT_PHYSNET},
	{"pick", "pack|spread|near=ADDR", "which PF where several would do (pack)", KIND_PICK, 0, 0,
	 OPT_ATTACH},
	{"raw-hostdev", NULL, "a plain <hostdev>: MAC and VLAN are ours, not libvirt's", KIND_FLAG,
	 AT(guest.raw), 0, OPT_ATTACH},
	{"standby", NULL,
	 "beside the VF a virtio NIC that stays when it goes, on --bridge or the physnet's bridge",
	 KIND_FLAG, AT(guest.standby), 0, OPT_ATTACH},
	{"hands-off", NULL, "only the lease, for whom libvirt does not run: no domain is touched",
	 KIND_FLAG, AT(guest.hands_off), 0, OPT_ATTACH},
	{"bridge", "BRIDGE",
	 "of a tap or standby pair: the bridge it is on, or (--vlan) of whose PF; of a physnet: "
	 "OVS's, made if it is not there",
	 KIND_TEXT, AT(guest.bridge), 0, OPT_ATTACH | OPT_PHYSNET},
	{"uplink", "af_packet|af_xdp|vf:N|PORT",
	 "how the bridge reaches the network: the first PF, a VF of it, or a port it has",
	 KIND_TEXT, AT(uplink), 0, OPT_PHYSNET},
	{"sockets", "DIR",
	 "where QEMU makes its vhost-user sockets (/var/lib/vhost_sockets; hook: as the physnet has it)",
	 KIND_TEXT, AT(sockets), 0, OPT_PHYSNET | OPT_HOOK},
	{"to", "vf|vhostuser", "the path to move to", KIND_PATHS, 0, 0, OPT_MOVE},
	{"mode", "bridge|vepa|private|passthrough", "of a macvtap (bridge)", KIND_MODE,
	 AT(guest.mode), 0, OPT_ATTACH},
	{"queues", "N", "queues of a vhost-user port, macvtap or tap (1)", KIND_QUEUES,
	 AT(guest.queues), 0, OPT_ATTACH},
	{"live", NULL, "in the running guest only", KIND_FLAG, AT(guest.live), 0,
	 OPT_DOMAIN | OPT_TUNE},
	{"config", NULL, "in the guest's definition only, from its next start on", KIND_FLAG,
	 AT(guest.config), 0, OPT_DOMAIN | OPT_TUNE},
	{"guest-timeout", "S", "seconds to wait for a guest to let go of a device (30)",
	 KIND_SECONDS, AT(run.guest_timeout), 0, OPT_DOMAIN},
	{"exclude-cpus", "LIST", "CPUs, and their hyper-threads, that no guest may have (4,20)",
	 KIND_TEXT, AT(exclude), 0, OPT_CHECK},
	{"numatune", "strict|preferred|interleave|restrictive", "how its memory is bound",
	 KIND_TEXT, AT(numatune), 0, OPT_TUNE},
	{"plan", NULL, "show what would be changed; ends 2 if anything", KIND_FLAG, AT(plan), 0,
	 OPT_TUNE},
	{"apply", NULL, "change it, all or nothing", KIND_FLAG, AT(apply), 0, OPT_TUNE},
	{"uri", "URI", "the libvirt to ask, as in virsh -c (qemu:///system)", KIND_TEXT, AT(uri), 0,
	 OPT_URI},
	{"wire", "NETDEV", "a netdev of this host at the other end of the port's cable", KIND_TEXT,
	 AT(wire), 0, OPT_PROBE},
	{"vf", "N", "the VF to probe with; without it the first free one", KIND_VF, AT(vf), 0,
	 OPT_PROBE},
	{"consent", NULL, "the port's owner agrees; without it only the plan is shown", KIND_FLAG,
	 AT(consent), 0, OPT_PROBE},
	{"show", NULL, "the answers recorded so far", KIND_FLAG, AT(show), 0, OPT_PROBE},
	{"file", "FILE", "the host file (-f; - = standard input; " SRIOV_HOSTFILE ")", KIND_TEXT,
	 AT(file), 0, OPT_FILE},
	{"confirm", "S", "take it back after S seconds unless `sriovctl confirm` came",
	 KIND_SECONDS, AT(confirm), 0, OPT_CONFIRM},
	{"print", NULL, "print a host file for what is there, and take over nothing", KIND_FLAG,
	 AT(print), 0, OPT_PRINT},
	{"dry-run", NULL, "show what would be done, change nothing", KIND_FLAG, AT(run.dry_run), 0,
	 OPT_DRY_RUN},
	{"force", NULL, "do it even if it hits what is in use or exists", KIND_FLAG, AT(run.force),
	 0, OPT_FORCE},
	{"disrupt-pf", NULL, "do it even if it hits the host's own traffic", KIND_FLAG,
	 AT(run.disrupt_pf), 0, OPT_PLAN},
	{"expect", "DIGEST", "do it only if the plan is the one with this digest", KIND_TEXT,
	 AT(run.expect), 0, OPT_TIMES},
	{"link-timeout", "S", "seconds to wait for a link (30)", KIND_SECONDS, AT(run.link_timeout),
	 0, OPT_TIMES},
	{"kernel-timeout", "S", "seconds for a system call, or Open vSwitch to make a port (30)",
	 KIND_SECONDS, AT(run.kernel_timeout), 0, OPT_TIMES},
	{"lock-timeout", "S", "seconds to wait for another command on the PF (30)", KIND_SECONDS,
	 AT(run.lock_timeout), 0, OPT_TIMES | OPT_TUNE},
	{"host", "FILE[,libvirt=live]",
	 "a simulated host kept in FILE (or SRIOVCTL_HOST), on request with real guests", KIND_TEXT,
	 AT(host), 0, OPT_GLOBAL},
	{"json", NULL, "one JSON document on standard output", KIND_FLAG, AT(json), 0, OPT_GLOBAL},
	{"debug", "SUBSYSTEM", "debug lines on standard error, of one subsystem or all", KIND_DEBUG,
	 0, 0, OPT_GLOBAL},
	{"help", NULL, "this help", KIND_FLAG, AT(help), 0, OPT_GLOBAL},
	{"version", NULL, "the version", KIND_FLAG, AT(version), 0, OPT_GLOBAL},
	{NULL},
};

static const struct {
	uint64_t min, max;
	const char *expects;
} numbers[KINDS] = {
	[KIND_COUNT] = {1, SRIOV_VF_MAX, "a number of VFs (1 to 256)"},
	[KIND_RATE] = {0, 1000000, "a number of Mbit/s (0 = unlimited)"},
	[KIND_SECONDS] = {1, 3600, "a number of seconds (1 to 3600)"},
	[KIND_VF] = {0, SRIOV_VF_MAX - 1, "the index of a VF (0 to 255)"},
	[KIND_NODE] = {0, 1023, "a NUMA node (0 to 1023)"},
	[KIND_QUEUES] = {1, 256, "a number of queues (1 to 256)"},
};

/* The index of a word is its value, but for drivers. */
static const char *const value_words[KINDS][5] = {
	[KIND_ON_OFF] = {"off", "on"},
	[KIND_LINK] = {[SRIOV_LINK_AUTO] = "auto",
		       [SRIOV_LINK_ENABLE] = "enable",
		       [SRIOV_LINK_DISABLE] = "disable"},
	/* from SRIOV_BIND_NONE on: "keep" is what leaving the option out means */
	[KIND_DRIVER] = {"none", "default", "vfio-pci"},
	[KIND_FORMAT] = {[SRIOV_RULES_ETHTOOL] = "ethtool",
			 [SRIOV_RULES_TESTPMD] = "testpmd",
			 [SRIOV_RULES_OPENFLOW] = "openflow",
			 [SRIOV_RULES_JSON] = "json"},
	[KIND_NUMA] = {[SRIOV_NUMA_PREFERRED] = "preferred",
		       [SRIOV_NUMA_REQUIRED] = "required",
		       [SRIOV_NUMA_SOCKET] = "socket",
		       [SRIOV_NUMA_ANY] = "any"},
	[KIND_MODE] = {"bridge", "vepa", "private", "passthrough"},
	[KIND_BACKEND] = {"kernel", "rte"},
	[KIND_NUMA_POLICY] = {"warn", "enforce"},
	[KIND_BUSY] = {"refuse", "allow"},
};

const char *const *opt_words(enum opt_kind kind)
{
	return value_words[kind][0] ? value_words[kind] : NULL;
}

const struct opt *opt_find(const char *name, uint64_t groups)
{
	for (const struct opt *opt = options; opt->name; opt++)
		if ((opt->groups & groups) && !strcmp(opt->name, name))
			return opt;
	return NULL;
}

bool args_given(const struct args *args, const char *name)
{
	const struct opt *opt = opt_find(name, UINT64_MAX);

	return opt && args->given[opt - options];
}

static int bad_value(const struct opt *opt, const char *value, struct sriov_error *err,
		     const char *expects)
{
	char object[96];

	snprintf(object, sizeof(object), "--%s %s", opt->name, value);
	return sriov_error_set(err, -EINVAL, object, "not %s", expects);
}

static int store_number(const struct opt *opt, const char *value, void *at, struct sriov_error *err)
{
	uint64_t number;

	if (core_number(value, numbers[opt->kind].min, numbers[opt->kind].max, &number) < 0)
		return bad_value(opt, value, err, numbers[opt->kind].expects);
	*(unsigned *)at = number;
	return 0;
}

static int store_word(const struct opt *opt, const char *value, void *at, struct sriov_error *err)
{
	unsigned i = 0;

	while (value_words[opt->kind][i] && strcmp(value_words[opt->kind][i], value))
		i++;
	if (!value_words[opt->kind][i]) {
		char expects[64];

		snprintf(expects, sizeof(expects), "one of %s", opt->metavar);
		return bad_value(opt, value, err, expects);
	}
	if (opt->kind == KIND_ON_OFF || opt->kind == KIND_BACKEND ||
	    opt->kind == KIND_NUMA_POLICY || opt->kind == KIND_BUSY)
		*(bool *)at = i;
	else if (opt->kind == KIND_LINK)
		*(uint8_t *)at = i;
	else if (opt->kind == KIND_FORMAT)
		*(enum sriov_rules_format *)at = i;
	else if (opt->kind == KIND_NUMA)
		*(enum sriov_numa *)at = i;
	else if (opt->kind == KIND_MODE)
		*(const char **)at = value_words[opt->kind][i];
	else
		*(enum sriov_bind *)at = SRIOV_BIND_NONE + i;
	return 0;
}

/* What the driver or the compiler cannot have, or the table no room for, cannot be allowed. */
static const enum sriov_result allowed[] = {SRIOV_NARROWER, SRIOV_BROADER, SRIOV_NONE,
					    SRIOV_UNSURE};

static int store_results(const struct opt *opt, const char *value, unsigned *allow,
			 struct sriov_error *err)
{
	unsigned bits = 0;

	for (const char *word = value; *word;) {
		size_t len = strcspn(word, ","), i = 0;

		while (i < ARRAY_SIZE(allowed) &&
		       (strlen(sriov_result_word(allowed[i])) != len ||
			strncmp(word, sriov_result_word(allowed[i]), len) != 0))
			i++;
		if (i == ARRAY_SIZE(allowed))
			return bad_value(opt, value, err,
					 "a list of narrower, broader, none, unknown");
		bits |= 1u << allowed[i];
		word += len + !!word[len];
	}
	*allow = bits;
	return bits ? 0 : bad_value(opt, "''", err, "to be left empty");
}

/* Each path once. */
static int store_paths(const struct opt *opt, const char *value, struct sriov_policy *guest,
		       struct sriov_error *err)
{
	guest->npaths = 0;
	for (const char *word = value; *word;) {
		size_t len = strcspn(word, ",");
		enum sriov_path path = 0;

		while (path < SRIOV_PATHS && (strlen(sriov_path_word(path)) != len ||
					      strncmp(word, sriov_path_word(path), len) != 0))
			path++;
		for (size_t i = 0; i < guest->npaths; i++)
			if (guest->path[i] == path)
				path = SRIOV_PATHS;
		if (path == SRIOV_PATHS)
			return bad_value(opt, value, err,
					 "a list of vf, vhostuser, macvtap, tap, each once");
		guest->path[guest->npaths++] = path;
		word += len + !!word[len];
	}
	return guest->npaths ? 0 : bad_value(opt, "''", err, "to be left empty");
}

static int store_pick(const struct opt *opt, const char *value, struct sriov_guest_request *guest,
		      struct sriov_error *err)
{
	if (!strncmp(value, "near=", 5) && value[5]) {
		guest->pick = SRIOV_PICK_NEAR;
		guest->near = value + 5;
	} else if (!strcmp(value, "pack")) {
		guest->pick = SRIOV_PICK_PACK;
	} else if (!strcmp(value, "spread")) {
		guest->pick = SRIOV_PICK_SPREAD;
	} else {
		return bad_value(opt, value, err, "pack, spread, nor near= and a PCI address");
	}
	return 0;
}

static int store_vlan(const char *value, struct sriov_vf_attrs *attrs, struct sriov_error *err)
{
	int r = sriov_vlan_parse(value, attrs, err);

	if (r < 0)
		snprintf(err->object, sizeof(err->object), "--vlan %s", value);
	return r;
}

int opt_store(struct args *args, const struct opt *opt, const char *value, struct sriov_error *err)
{
	void *at = (char *)args + opt->offset;
	int r = 0;

	switch (opt->kind) {
	case KIND_FLAG:
		*(bool *)at = true;
		break;
	case KIND_TEXT:
		if (!*value)
			return bad_value(opt, "''", err, "to be left empty");
		*(const char **)at = value;
		break;
	case KIND_DEBUG:
		args->debug = true;
		args->debug_only = value;
		break;
	case KIND_COUNT:
	case KIND_RATE:
	case KIND_SECONDS:
	case KIND_NODE:
	case KIND_VF:
	case KIND_QUEUES:
		r = store_number(opt, value, at, err);
		break;
	case KIND_NUMA:
		args->guest.policy.has_numa = true;
		r = store_word(opt, value, at, err);
		break;
	case KIND_ON_OFF:
	case KIND_LINK:
	case KIND_DRIVER:
	case KIND_FORMAT:
	case KIND_MODE:
	case KIND_BACKEND:
	case KIND_NUMA_POLICY:
	case KIND_BUSY:
		r = store_word(opt, value, at, err);
		break;
	case KIND_MAC:
		args->mac_auto = !strcmp(value, "auto");
		if (!args->mac_auto && sriov_mac_parse(value, args->attrs.mac) < 0)
			return bad_value(opt, value, err,
					 "a MAC address like 02:00:5e:10:00:01, nor auto");
		break;
	case KIND_RESULTS:
		r = store_results(opt, value, &args->run.allow, err);
		break;
	case KIND_PATHS:
		r = store_paths(opt, value, &args->guest.policy, err);
		break;
	case KIND_PICK:
		r = store_pick(opt, value, &args->guest, err);
		break;
	case KIND_VLAN:
		r = store_vlan(value, &args->attrs, err);
		break;
	case KINDS:
		break;
	}
	if (r < 0)
		return r;
	if (opt->kind == KIND_MAC && args->mac_auto)
		args->attrs.has &= ~opt->has;
	else
		args->attrs.has |= opt->has;
	args->given[opt - options] = true;
	return 0;
}
