/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of CPUs and of NUMA nodes, in the list syntax that libvirt and the kernel share. */
#ifndef SRIOV_CPUSET_H
#define SRIOV_CPUSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPUSET_MAX 8192 /* the largest NR_CPUS of x86 (arch/x86/Kconfig, MAXSMP) */

struct cpuset {
	uint64_t bits[CPUSET_MAX / 64];
};

/* Reads "0-3,^2,8"; "" is the empty set (a node without CPUs). -EINVAL, or -ERANGE from CPUSET_MAX on. */
int cpuset_parse(const char *text, struct cpuset *out);
void cpuset_add(struct cpuset *set, unsigned member);
bool cpuset_has(const struct cpuset *set, unsigned member);
bool cpuset_is_empty(const struct cpuset *set);
bool cpuset_within(const struct cpuset *inner, const struct cpuset *outer);
bool cpuset_meets(const struct cpuset *set, const struct cpuset *other);
unsigned cpuset_count(const struct cpuset *set);
/* Takes the members of @other in, or out. */
void cpuset_join(struct cpuset *set, const struct cpuset *other);
void cpuset_drop(struct cpuset *set, const struct cpuset *other);
/* The first member from @from on, or -1: for (int i = cpuset_next(s, 0); i >= 0; i = cpuset_next(s, i + 1)) */
int cpuset_next(const struct cpuset *set, unsigned from);
/* "0-3,8" ("" for the empty set) in fresh memory, or NULL. */
char *cpuset_text(const struct cpuset *set);
/* The only member, or -1 if there are none or several. */
int cpuset_only(const struct cpuset *set);

#endif
