/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file for a host: PFs, VFs, pools, rules and networks as they shall be. Applied as a whole over all its PFs,
 * or not at all; each time is a generation, which can be taken back.
 */
#ifndef SRIOV_HOSTFILE_H
#define SRIOV_HOSTFILE_H

#include <sriov/plan.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SRIOV_HOSTFILE "/etc/sriovctl/host.yaml" /* where commands look for it */

/* What a host file, or going back, would change or has changed. */
struct sriov_host_change {
	struct sriov_plan *plan; /* one a PF, by address, also those without steps */
	char **record;           /* what changes in our records alone: "physnet red: …" */
	size_t nrecords;
	char digest[20]; /* of all of it */
	long generation; /* that was made, 0 = none */
	bool differs;    /* there is something to do */
};
void sriov_host_change_clear(struct sriov_host_change *change);

/*
 * Makes the host as the file at @path says ("-" = standard input): what it does not speak of stays. All PFs or
 * none: a failure on one takes back what was done on the others, and so does the next change of any of them after
 * a kill. Nothing is written if nothing differs. With @confirm (seconds from when it stands, 0 = not) the new
 * generation is taken back by sriov_generation_expire() unless sriov_generation_confirm() came. -EINPROGRESS,
 * refused: one waits for that already. @out is filled also after a failure; the caller clears it.
 */
int sriov_hostfile_apply(struct sriov_host *host, const char *path, unsigned confirm,
			 const struct sriov_options *opts, struct sriov_host_change *out,
			 struct sriov_error *err);

/* A time that a host file was applied, or taken back. */
struct sriov_generation {
	long id;
	char status[16];     /* open, unconfirmed, committed, undone, abandoned, boot */
	char made[32];       /* UTC, ISO 8601 */
	char confirm_by[32]; /* of an unconfirmed one: UTC, else "" */
	char command[256];
	char file[256]; /* "" = it was no host file */
	char why[256];  /* of one that did not stay */
};
/* Newest first; the caller frees the array. */
int sriov_generation_list(struct sriov_host *host, struct sriov_generation **out, size_t *n,
			  struct sriov_error *err);
/* The host as it was before generation @id (0: the last one): a new generation, by steps as any other. */
int sriov_generation_rollback(struct sriov_host *host, long id, const struct sriov_options *opts,
			      struct sriov_host_change *out, struct sriov_error *err);
/* The unconfirmed generation stays; its id. -ENOENT: there is none. */
int sriov_generation_confirm(struct sriov_host *host, long *id, struct sriov_error *err);
/*
 * Seconds until the unconfirmed generation has to be taken back (0 = now), or -ENOENT: there is none (any more). Of
 * one that was made before the last boot they are over.
 */
int sriov_generation_due(struct sriov_host *host, long *id, unsigned *seconds,
			 struct sriov_error *err);
/* Takes the unconfirmed generation @id back; 0 also if it is none any more. */
int sriov_generation_expire(struct sriov_host *host, long id, const struct sriov_options *opts,
			    struct sriov_error *err);

/*
 * What differs from the last generation: steps that would bring the host back to it, and records that others changed
 * since. @generation is 0 if there is none. Nothing is changed. The caller clears @out.
 */
int sriov_generation_status(struct sriov_host *host, struct sriov_generation *generation,
			    struct sriov_host_change *out, struct sriov_error *err);

/* A host file for the host as it is, or for @pf alone. The caller frees *@text. */
int sriov_hostfile_print(struct sriov_host *host, const char *pf, char **text,
			 struct sriov_error *err);

#ifdef __cplusplus
}
#endif
#endif
