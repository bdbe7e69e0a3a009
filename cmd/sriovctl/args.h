/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: what a verb is, which options exist, and what the user gave.
 *
 * Help, usage errors, "did you mean" and completion all read the same two tables: the verbs (main.c)
 * and the options (options.c).
 */
#ifndef SRIOVCTL_ARGS_H
#define SRIOVCTL_ARGS_H

#include "lib/core/core.h"

#include <sriov/hook.h>
#include <sriov/hostfile.h>
#include <sriov/plan.h>

struct out;

/* Which verbs an option belongs to: a verb's row holds a set of these. */
enum opt_group {
	OPT_GLOBAL = 1 << 0,  /* every verb, and before the noun */
	OPT_DRY_RUN = 1 << 1, /* --dry-run */
	OPT_FORCE = 1 << 2,   /* --force */
	OPT_PLAN = 1 << 3,    /* what only verbs with a plan take */
	OPT_CREATE = 1 << 4,
	OPT_ATTRS = 1 << 5,
	OPT_DRIVER = 1 << 6,
	OPT_RULE = 1 << 7,
	OPT_ALL = 1 << 8,
	OPT_GUEST = 1 << 9,
	OPT_PF = 1 << 10,
	OPT_OWNER = 1 << 11,
	OPT_COMPILE = 1 << 12, /* what the verdicts on rules may be */
	OPT_IMPORT = 1 << 13,
	OPT_EXPORT = 1 << 14,
	OPT_PROBE = 1 << 15,
	OPT_TIMES = 1 << 16, /* the timeouts and --expect, for what takes no --disrupt-pf */
	OPT_ADOPT = 1 << 17,
	OPT_NIC = 1 << 18,
	OPT_TRACE = 1 << 19,
	OPT_ATTACH = 1 << 20, /* where a guest's NIC shall be and what it is */
	OPT_NET = 1 << 21,    /* --net */
	OPT_DOMAIN = 1 << 22, /* which libvirt, and which of a domain's definitions */
	OPT_POOL = 1 << 23,
	OPT_URI = 1 << 24,   /* which libvirt: of verbs that ask it */
	OPT_CHECK = 1 << 25, /* what a guest is placed by */
	OPT_TUNE = 1 << 26,
	OPT_BACKEND = 1 << 27,
	OPT_SOCKET = 1 << 28,
	OPT_PHYSNET = 1 << 29,
	OPT_MOVE = 1 << 30,
	OPT_HOOK = 1ull << 31,
	OPT_NOVA = 1ull << 32,
	OPT_FILE = 1ull << 33,
	OPT_CONFIRM = 1ull << 34,
	OPT_PRINT = 1ull << 35,
	OPT_PLACE = 1ull << 36, /* on which node, and how near */
	OPT_CHANGE = OPT_DRY_RUN | OPT_FORCE | OPT_PLAN | OPT_TIMES,
};

/* How an option's value is read; the tables in options.c have one row for each. */
enum opt_kind {
	KIND_FLAG,
	KIND_TEXT,
	KIND_DEBUG, /* "[=SUBSYSTEM]" */
	KIND_COUNT,
	KIND_RATE,
	KIND_SECONDS,
	KIND_NODE,
	KIND_VF,
	KIND_ON_OFF,
	KIND_LINK,
	KIND_DRIVER,
	KIND_MAC,
	KIND_VLAN,
	KIND_RESULTS,
	KIND_FORMAT,
	KIND_PATHS,
	KIND_NUMA,
	KIND_PICK,
	KIND_MODE,
	KIND_QUEUES,
	KIND_BACKEND,
	KIND_NUMA_POLICY,
	KIND_BUSY,
	KINDS,
};

struct opt {
	const char *name, *metavar, *help;
	enum opt_kind kind;
	size_t offset;   /* of the value in struct args */
	unsigned has;    /* enum sriov_vf_has bit that the option sets */
	uint64_t groups; /* enum opt_group */
};

/* The option table, ended by a row without name (options.c). */
#define NOPTIONS 74
extern const struct opt options[NOPTIONS + 1];

struct args {
	const struct verb *verb; /* NULL only with help or version */
	const char *noun;        /* what was given of the verb, for help */
	const char **pos;        /* positional arguments after the verb, NULL-terminated; owned */
	int npos;

	const char *host;     /* NULL = the live host */
	bool given[NOPTIONS]; /* by row of the option table */
	bool json, help, version, debug;
	const char *debug_only; /* one subsystem, or NULL for all */

	struct sriov_options run;
	unsigned count; /* 0 = not given */
	struct sriov_vf_attrs attrs;
	bool mac_auto;
	enum sriov_bind driver;
	const char *pool;
	const char *name, *owner;
	bool all;
	const char *pf, *nic, *domain, *uri;
	int node; /* -1 = not given */
	enum sriov_rules_format from, to;
	const char *dev, *port_driver;
	const char *wire;
	unsigned vf;
	bool consent, show;
	const char *in, *rules, *pcap, *against, *socket;
	const char *uplink, *sockets; /* of a physnet; its bridge is guest.bridge */
	bool plan, apply;
	const char *exclude, *numatune, *nova_release;
	struct sriov_hook hook; /* its policies */
	const char *file;       /* of a host; NULL = SRIOV_HOSTFILE */
	unsigned confirm;       /* seconds, 0 = not given */
	bool print;
	struct sriov_guest_request
		guest; /* of attach, xml and detach; pf, node and attrs stand above */
};

enum verb_flag {
	VERB_CHANGES =
		1 << 0, /* changes the host or what we know of it: needs root on a live one */
	VERB_HIDDEN = 1 << 1,
	VERB_HOOK = 1 << 2, /* its status is libvirt's to act upon: see hook_status() */
};

struct verb {
	const char *noun;
	const char *word;     /* NULL: the noun is the whole command */
	const char *synopsis; /* positional arguments and options that must be there */
	const char *help;     /* one line */
	uint64_t options;     /* enum opt_group besides OPT_GLOBAL */
	int min, max;         /* positional arguments; max -1 = any number */
	unsigned flags;       /* enum verb_flag */
	int (*fn)(const struct args *args, struct sriov_host *host, struct out *out,
		  struct sriov_error *err);
};

/* The verb table, ended by a row without noun (main.c). */
extern const struct verb verbs[];

/*
 * Reads the command line. @out is filled as far as it was understood, also on failure (so that an error
 * can be shown as asked for); the caller frees it with args_free().
 */
int args_parse(int argc, char **argv, struct args *out, struct sriov_error *err);
void args_free(struct args *args);
/* The positional arguments from @first on as one text: they may have been given as one or as many. */
char *args_join(const struct args *args, int first);
/* Whether the option of that name was given. */
bool args_given(const struct args *args, const char *name);

const struct verb *verb_find(const char *noun, const char *word);
/* "vf create"; for messages. */
const char *verb_name(const struct verb *verb, char buf[64]);
/* Checks the value of @opt (NULL for a flag) and puts it where the option's row says. */
int opt_store(struct args *args, const struct opt *opt, const char *value, struct sriov_error *err);
/* The option called @name (without dashes) among @groups, or NULL. */
const struct opt *opt_find(const char *name, uint64_t groups);
/* The words that a value of @kind can be, NULL-terminated, or NULL if it is not one of some words. */
const char *const *opt_words(enum opt_kind kind);
static inline bool opt_takes_value(const struct opt *opt)
{
	return opt->kind != KIND_FLAG && opt->kind != KIND_DEBUG;
}

/* help.c: help of everything, of a noun, or of one verb, on stdout. */
void help_print(const struct args *args);

/* flow_rte.c: flow apply and list on ports that DPDK owns. */
int flow_apply_rte(const struct args *args, struct out *out, struct sriov_error *err);
int flow_list_rte(const struct args *args, struct out *out, struct sriov_error *err);

/* hook.c: the status that libvirt is told, which stops or kills guests for some: never where that is not meant. */
int hook_status(int argc, char **argv, int status);

/* The verbs' functions, one file a noun. */
#define COMMAND(name)                                                                              \
	int cmd_##name(const struct args *args, struct sriov_host *host, struct out *out,          \
		       struct sriov_error *err)
COMMAND(host_show);
COMMAND(host_snapshot);
COMMAND(vf_create);
COMMAND(vf_list);
COMMAND(vf_show);
COMMAND(vf_set);
COMMAND(vf_bind);
COMMAND(pf_bind);
COMMAND(vf_delete);
COMMAND(flow_add);
COMMAND(flow_apply);
COMMAND(flow_check);
COMMAND(flow_list);
COMMAND(flow_diff);
COMMAND(flow_delete);
COMMAND(flow_probe);
COMMAND(flow_trace);
COMMAND(flow_explain);
COMMAND(rss_show);
COMMAND(rss_set);
COMMAND(nic_wipes);
COMMAND(nic_replay);
COMMAND(flow_import);
COMMAND(flow_export);
COMMAND(guest_xml);
COMMAND(guest_list);
COMMAND(guest_attach);
COMMAND(guest_detach);
COMMAND(guest_show);
COMMAND(guest_check);
COMMAND(guest_check_leases);
COMMAND(guest_tune);
COMMAND(guest_gc);
COMMAND(guest_move);
COMMAND(guest_rebalance);
COMMAND(pool_set);
COMMAND(pool_show);
COMMAND(physnet_add);
COMMAND(physnet_delete);
COMMAND(physnet_show);
COMMAND(physnet_check);
COMMAND(adopt);
COMMAND(vswitch_show);
COMMAND(vswitch_plan);
COMMAND(vswitch_check);
COMMAND(hook_libvirt);
COMMAND(nova_conf);
COMMAND(nova_plan);
COMMAND(journal_show);
COMMAND(journal_resume);
COMMAND(journal_undo);
COMMAND(journal_abandon);
COMMAND(history);
COMMAND(restore);
COMMAND(plan);
COMMAND(apply);
COMMAND(status);
COMMAND(rollback);
COMMAND(confirm);
COMMAND(generations);
COMMAND(complete);

#endif
