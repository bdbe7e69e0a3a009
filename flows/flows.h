/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside flows/: entries as JSON and as the kernel's ntuple structure, and what drivers admit.
 * flows/ knows only include/ and lib/core.
 */
#ifndef SRIOV_FLOWS_H
#define SRIOV_FLOWS_H

#include "lib/core/core.h"

#include <linux/ethtool.h>
#include <sriov/flow.h>
#include <sriov/host.h>

/* flows/json.c: {"loc":…,"flow":"udp4","value":{…},"mask":{…},"cookie":"0x…","ext":true}, zero members left
 * out; member names as in the recorded conformance lines (ip4src, ip4dst, psrc, pdst, vlan_tci, …). */
json_t *entry_encode(const struct sriov_entry *entry);
void entry_write(struct core_doc *doc, const char *key, const struct sriov_entry *entry);
int entry_decode(const json_t *json, struct sriov_entry *out, struct sriov_error *err);

/* The parts "value" and "mask" of an entry or a rule, called @name in errors; without bits, no member. */
int match_encode(json_t *json, const char *part, enum sriov_flow_type type,
		 const struct sriov_match *match);
int match_decode(const json_t *json, const char *part, enum sriov_flow_type type, const char *name,
		 struct sriov_match *out, struct sriov_error *err);

/* flows/to/ntuple.c: the structure of ETHTOOL_SRXCLSRLINS, pure, both ways. decode gives -EOPNOTSUPP for a
 * flow type that we have no word for (the entry's loc and cookie are filled all the same). */
int ntuple_encode(const struct sriov_entry *entry, struct ethtool_rx_flow_spec *out);
int ntuple_decode(const struct ethtool_rx_flow_spec *spec, struct sriov_entry *out);

/* flows/words.c: the reverse of sriov_flow_type_word(); NONE if unknown. */
enum sriov_flow_type flow_type_find(const char *word);

/* flows/nic/: what a driver is known to accept; used by the compiler before anything is tried. */
struct nic_profile;
const struct nic_profile *nic_profile_find(const char *driver); /* NULL: not modelled */
/*
 * An entry as ntuple_decode() gave it, as it was meant: repairs what the driver's GET is known to say wrong
 * (i40e: masks) and zeroes values under their masks. @profile may be NULL. Whoever reads a table from a
 * driver calls it; a second call changes nothing.
 */
void nic_profile_readback(const struct nic_profile *profile, struct sriov_entry *entry);
/*
 * Of @n installed entries some are planned to be deleted (@gone), and @inserts will come: marks further ones
 * that must be deleted, and those of them that are still wanted put in again, for the driver to take the
 * inserts. Pure.
 */
void nic_profile_rewrite(const struct nic_profile *profile, const struct sriov_entry *installed,
			 size_t n, bool *gone, const struct sriov_entry *inserts, size_t ninserts);
/*
 * What a user should know of an entry that the driver accepts (which packets it never sees, what is not
 * proved), in words; the number of notes. @profile may be NULL.
 */
#define NIC_NOTES_MAX 2
size_t nic_profile_notes(const struct nic_profile *profile, const struct sriov_pf *port,
			 const struct sriov_entry *entry, const char *out[NIC_NOTES_MAX]);

#endif
