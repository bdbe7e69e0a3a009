/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of CPUs and of NUMA nodes, in the list syntax that libvirt and the kernel share. */
#ifndef SRIOV_GUEST_CPUSET_H
#define SRIOV_GUEST_CPUSET_H

#include <stdbool.h>
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
/* The only member, or -1 if there are none or several. */
int cpuset_only(const struct cpuset *set);

#endif
