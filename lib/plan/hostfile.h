/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host file as plain data: what it says of which PFs, and where it says so. Reading it knows no host; what of it
 * a PF gets is hostfile_want()'s.
 */
#ifndef SRIOV_PLAN_HOSTFILE_H
#define SRIOV_PLAN_HOSTFILE_H

#include "lib/core/yaml.h"

#include <sriov/guest.h>
#include <sriov/hostfile.h>

/* The keys of what is said of VFs, as the reader's table has them. */
enum hostfile_vfs_key {
	HOSTFILE_POOL,
	HOSTFILE_DRIVER,
	HOSTFILE_MAC,
	HOSTFILE_VLAN,
	HOSTFILE_SPOOFCHK,
	HOSTFILE_TRUST,
	HOSTFILE_MAX_RATE,
	HOSTFILE_MIN_RATE,
	HOSTFILE_LINK_STATE,
	HOSTFILE_VFS_KEYS
};

/* What is said of some VFs. */
struct hostfile_vfs {
	unsigned line, column; /* where it begins */
	struct hostfile_at {
		unsigned line, column;
	} at[HOSTFILE_VFS_KEYS]; /* where each value stands; line 0 = it is not said */
	struct sriov_vfset vfs;  /* "all" for what the PF's entry says itself */
	struct sriov_vf_attrs attrs;
	bool mac_auto;        /* without it attrs.mac is of the first of them, counted up */
	enum sriov_bind bind; /* KEEP: not said */
	char pool[32];        /* "" = not said */
};

/* An entry of `pfs`: every glob that is not "" must match. */
struct hostfile_pf {
	unsigned line;
	char any[64]; /* address or netdev */
	char address[64], netdev[64], driver[64];
	bool has_count;
	unsigned count, count_line;
	struct hostfile_vfs all;
	struct hostfile_vfs *range;
	size_t nranges;
	bool has_rules, from_file;
	struct sriov_rules rules;
	char owner[SRIOV_NAME_LEN];
	unsigned allow;
	bool partial;
};

struct hostfile_net {
	unsigned line;
	char name[SRIOV_NET_LEN];
	char (*pf)[64]; /* globs on address or netdev */
	size_t npfs;
	struct sriov_policy policy;
	unsigned vswitch; /* where its bridge stands, 0 = nowhere: it stays as it is */
	char bridge[sizeof(((struct sriov_physnet *)0)->bridge)];
	char uplink[SRIOV_NAME_LEN]; /* as `physnet add --uplink` has it */
	char sockets[sizeof(((struct sriov_physnet *)0)->sockets)]; /* "" = not said */
};

struct hostfile {
	char name[256]; /* for errors */
	char *text;
	struct hostfile_pf *pf;
	size_t npfs;
	bool has_nets;
	struct hostfile_net *net;
	size_t nnets;
	unsigned link_timeout; /* seconds, 0 = not said */
};

void hostfile_clear(struct hostfile *file);
/* Reads @text; @dir is the folder that rules-file is relative to (AT_FDCWD: the present one). */
int hostfile_parse(const char *text, const char *name, int dir, struct hostfile *out,
		   struct sriov_error *err);
/* hostfile_parse() of the file at @path; "-" = standard input. */
int hostfile_read(const char *path, struct hostfile *out, struct sriov_error *err);

/* The words of the language, for the schema: the keys of each kind of mapping, NULL-terminated. */
enum hostfile_map {
	HOSTFILE_TOP,
	HOSTFILE_PF,
	HOSTFILE_MATCH,
	HOSTFILE_VFS,
	HOSTFILE_NET,
	HOSTFILE_VSWITCH,
	HOSTFILE_POLICIES,
	HOSTFILE_MAPS
};
const char *const *hostfile_keys(enum hostfile_map map);

#endif
