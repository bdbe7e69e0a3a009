/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guests near their NIC: where the threads and the memory of a guest should be, where they are, and what is wrong
 * with that.
 */
#ifndef SRIOV_TUNE_H
#define SRIOV_TUNE_H

#include <sriov/host.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sriov_tune_request {
	/* Name or UUID of a libvirt domain. */
	const char *guest;
	/* -1 = the node of its VF, else of the PF below its macvtap, else as the domain says. */
	int node;
	/* List of CPUs that no thread of the guest may have, nor their hyper-threads; NULL = none. */
	const char *exclude;
	/* strict, preferred, interleave, restrictive; NULL = as the domain says, else strict. */
	const char *numatune;
	/* The definition, the running guest; neither: whatever there is of both. */
	bool config, live;
	/* Seconds to wait for another tuning, 0 = 30; and what the user typed, for whoever waits. */
	unsigned lock_timeout;
	const char *command;
};

/* One thing that is tuned. Texts are lists of CPUs, "strict 1", "shared"; "" where nothing is said. */
struct sriov_tune_item {
	char what
		[24]; /* "vcpupin 3", "emulatorpin", "iothreadpin 1", "memory", "memnode 0", "access" */
	char *now;    /* of the running guest, or of the definition of one that does not run */
	char *config; /* of the definition; NULL if that is not tuned */
	char *then, *why;
	bool differs;    /* it would be changed */
	bool next_start; /* the running guest has it only after its next start */
};

struct sriov_tune {
	char guest[SRIOV_NAME_LEN], uuid[40];
	bool running;
	int node;
	char *reason; /* why that node */
	struct sriov_tune_item *item;
	size_t nitems;
	char **note; /* what does not fit, what is shared, what counts when */
	size_t nnotes;
	bool differs; /* any item does */
	bool applied;
};

/*
 * Where the guest's vCPUs, emulator (with it the workers of vhost-net), IOThreads and memory should be. With
 * @apply it is done, all or nothing: pins of the running guest first, then one new definition, then everything is
 * read back. The caller frees *@out. -ENOENT: no such domain; -ENODEV: no NIC says a node, and none was given;
 * -ENOSPC: no CPU is left to place it on.
 */
int sriov_guest_tune(struct sriov_host *host, const struct sriov_tune_request *request, bool apply,
		     struct sriov_tune **out, struct sriov_error *err);
void sriov_tune_free(struct sriov_tune *tune);

enum sriov_severity { SRIOV_NOTE, SRIOV_WARNING, SRIOV_PROBLEM };
const char *sriov_severity_word(enum sriov_severity severity); /* "note", "warning", "problem" */

/* Something wrong with a guest. */
struct sriov_finding {
	enum sriov_severity severity;
	const char *id; /* a stable word: "memory-elsewhere" */
	char *object;   /* "vCPU 3", "VF 0000:81:10.0", "memory" */
	char *evidence; /* what was seen, and where */
	char *fix;      /* the command or the change that mends it */
};

struct sriov_findings {
	char guest[SRIOV_NAME_LEN], uuid[40];
	bool running; /* else only the definition was looked at */
	struct sriov_finding *at;
	size_t n;
};

/*
 * Looks at the guest's definition, its QEMU process and its VFs. Of @request, guest, node and exclude count. The
 * caller frees *@out.
 */
int sriov_guest_check(struct sriov_host *host, const struct sriov_tune_request *request,
		      struct sriov_findings **out, struct sriov_error *err);
void sriov_findings_free(struct sriov_findings *findings);

#ifdef __cplusplus
}
#endif
#endif
