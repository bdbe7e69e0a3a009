/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the reader of host files: its state, what a key is, and how values are read. */
#ifndef SRIOV_PLAN_HOSTFILE_READ_H
#define SRIOV_PLAN_HOSTFILE_READ_H

#include "lib/plan/hostfile.h"

struct hostfile_reader {
	const char *name;
	const char *text;
	int dir;
	unsigned allow; /* of policies: what entries have that do not say it */
	bool partial;
	struct hostfile *out;
	struct sriov_error *err;
};

/* A key of a mapping: how its value is read, into what. */
struct hostfile_key {
	const char *name;
	int (*read)(struct hostfile_reader *reader, const struct core_yaml *value,
		    const struct hostfile_key *key, void *into);
	size_t offset;
	unsigned has; /* enum sriov_vf_has bit that it sets */
};

/* An error at @at: it is not @what; and what it should be. */
int hostfile_wrong(struct hostfile_reader *reader, const struct core_yaml *at, const char *what,
		   const char *expects);
/* That the value is a text, a list or a mapping: @what, in words. */
int hostfile_kind(struct hostfile_reader *reader, const struct core_yaml *value,
		  enum core_yaml_kind kind, const char *what);
/* A name that can stand in options, files and XML. */
int hostfile_name(struct hostfile_reader *reader, const struct core_yaml *value, char *out,
		  size_t size);

/* Values, each into what the key's row says. */
int hostfile_on_off(struct hostfile_reader *reader, const struct core_yaml *value,
		    const struct hostfile_key *key, void *into);
int hostfile_rate(struct hostfile_reader *reader, const struct core_yaml *value,
		  const struct hostfile_key *key, void *into);
int hostfile_count(struct hostfile_reader *reader, const struct core_yaml *value,
		   const struct hostfile_key *key, void *into);
int hostfile_timeout(struct hostfile_reader *reader, const struct core_yaml *value,
		     const struct hostfile_key *key, void *into);
int hostfile_version(struct hostfile_reader *reader, const struct core_yaml *value,
		     const struct hostfile_key *key, void *into);
int hostfile_link(struct hostfile_reader *reader, const struct core_yaml *value,
		  const struct hostfile_key *key, void *into);
int hostfile_driver(struct hostfile_reader *reader, const struct core_yaml *value,
		    const struct hostfile_key *key, void *into);
int hostfile_mac(struct hostfile_reader *reader, const struct core_yaml *value,
		 const struct hostfile_key *key, void *into);
int hostfile_vlan(struct hostfile_reader *reader, const struct core_yaml *value,
		  const struct hostfile_key *key, void *into);
int hostfile_pool(struct hostfile_reader *reader, const struct core_yaml *value,
		  const struct hostfile_key *key, void *into);
int hostfile_bridge(struct hostfile_reader *reader, const struct core_yaml *value,
		    const struct hostfile_key *key, void *into);
int hostfile_uplink(struct hostfile_reader *reader, const struct core_yaml *value,
		    const struct hostfile_key *key, void *into);
int hostfile_sockets(struct hostfile_reader *reader, const struct core_yaml *value,
		     const struct hostfile_key *key, void *into);
int hostfile_paths(struct hostfile_reader *reader, const struct core_yaml *value,
		   const struct hostfile_key *key, void *into);
int hostfile_numa(struct hostfile_reader *reader, const struct core_yaml *value,
		  const struct hostfile_key *key, void *into);
int hostfile_owner(struct hostfile_reader *reader, const struct core_yaml *value,
		   const struct hostfile_key *key, void *into);
int hostfile_glob(struct hostfile_reader *reader, const struct core_yaml *value,
		  const struct hostfile_key *key, void *into);
int hostfile_allow(struct hostfile_reader *reader, const struct core_yaml *value,
		   const struct hostfile_key *key, void *into);
/* hostfile_rules.c */
int hostfile_rules(struct hostfile_reader *reader, const struct core_yaml *value,
		   const struct hostfile_key *key, void *into);
int hostfile_rules_file(struct hostfile_reader *reader, const struct core_yaml *value,
			const struct hostfile_key *key, void *into);

#endif
