/* SPDX-License-Identifier: Apache-2.0 */
/* OVS's masks of cores. */
#include "lib/vswitch/vswitch.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

int vswitch_mask_parse(const char *text, struct cpuset *out)
{
	struct cpuset set = {0};
	size_t n;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	n = strlen(text);
	for (size_t i = 0; i < n; i++) {
		char c = text[n - 1 - i];
		unsigned digit;

		if (!isxdigit((unsigned char)c))
			return -EINVAL;
		digit = isdigit((unsigned char)c) ? c - '0' : tolower(c) - 'a' + 10;
		for (unsigned bit = 0; bit < 4; bit++) {
			if (!(digit & 1u << bit))
				continue;
			if (i * 4 + bit >= CPUSET_MAX)
				return -ERANGE;
			cpuset_add(&set, i * 4 + bit);
		}
	}
	*out = set;
	return 0;
}

bool vswitch_polls_on(const struct sriov_vswitch *vswitch, const struct sriov_inventory *inv,
		      int node)
{
	struct cpuset mask, cpus;

	if (!vswitch->pmd_cpu_mask[0])
		return true;
	if (vswitch_mask_parse(vswitch->pmd_cpu_mask, &mask) < 0)
		return false;
	for (size_t i = 0; i < inv->nnodes; i++)
		if (inv->node[i].id == node)
			return !cpuset_parse(inv->node[i].cpus, &cpus) &&
			       cpuset_meets(&cpus, &mask);
	return false;
}

char *vswitch_mask_text(const struct cpuset *cpus)
{
	unsigned last = 0, digits;
	char *text;

	for (int cpu = cpuset_next(cpus, 0); cpu >= 0; cpu = cpuset_next(cpus, cpu + 1))
		last = cpu;
	digits = last / 4 + 1;
	text = malloc(digits + 3);
	if (!text)
		return NULL;
	memcpy(text, "0x", 2);
	for (unsigned i = 0; i < digits; i++) {
		unsigned first = (digits - 1 - i) * 4;

		text[2 + i] = "0123456789abcdef"[cpus->bits[first / 64] >> first % 64 & 0xf];
	}
	text[2 + digits] = '\0';
	return text;
}
