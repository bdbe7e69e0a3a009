/* SPDX-License-Identifier: Apache-2.0 */
/* Where a device's interrupts go. */
#include "lib/core/cpuset.h"
#include "lib/kernel/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct irqs {
	int proc;
	struct cpuset cpus;
};

/*
 * effective_affinity_list is where the interrupt really goes, one CPU on x86; smp_affinity_list is where it
 * may, and all that an interrupt controller without effective masks shows (Documentation/core-api/irq/
 * irq-affinity.rst). A vector that nobody requested has no folder in /proc/irq.
 */
static int add_irq(int dir, const char *name, void *data)
{
	static const char *const files[] = {"effective_affinity_list", "smp_affinity_list"};
	struct irqs *irqs = data;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[80], text[1024];
		struct cpuset cpus;

		snprintf(path, sizeof(path), "irq/%.20s/%s", name, files[i]);
		if (core_read_line(irqs->proc, path, text, sizeof(text)) < 0 ||
		    cpuset_parse(text, &cpus) < 0 || cpuset_is_empty(&cpus))
			continue;
		cpuset_join(&irqs->cpus, &cpus);
		break;
	}
	return 0;
}

int sysfs_irq_cpus(int sys, int proc, const char *address, char **out, struct sriov_error *err)
{
	struct irqs irqs = {.proc = proc};
	char path[80], *text;
	int r;

	snprintf(path, sizeof(path), "bus/pci/devices/%s/msi_irqs", address);
	r = sysfs_each(sys, path, add_irq, &irqs);
	/* the folder is there while the device has vectors: not while the port is down */
	if (r < 0 && r != -ENOENT)
		return core_errno(err, r, address, "cannot list its interrupts in %s", path);
	text = cpuset_text(&irqs.cpus);
	if (!text)
		return core_oom(err);
	*out = text;
	return 0;
}
