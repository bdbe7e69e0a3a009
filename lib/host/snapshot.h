/* SPDX-License-Identifier: Apache-2.0 */
/* What the writer and the reader of snapshots share: the tables of members, defined in snapshot.c. */
#ifndef SRIOV_SNAPSHOT_H
#define SRIOV_SNAPSHOT_H

#include "lib/host/fields.h"
#include "lib/host/host.h"

#define SNAPSHOT_FORMAT "sriovctl-host"
#define SNAPSHOT_VERSION 1

extern const struct field snapshot_attr_fields[], snapshot_use_fields[], snapshot_hugepage_fields[],
	snapshot_node_fields[], snapshot_vf_fields[], snapshot_count_fields[], snapshot_pf_fields[],
	snapshot_fields[];

/*
 * snapshot_hash.c: what decides on the queue of a packet besides the RSS table, as the members "rss_key" (bytes
 * in hexadecimal) and "rss_fields" ({"udp4": "sdfn"}, ethtool(8)'s letters). False: no memory.
 */
bool hash_encode(const struct sriov_pf *pf, json_t *json);
int hash_decode(struct reader *r, const json_t *json, const char *path, struct sriov_pf *pf);

#endif
