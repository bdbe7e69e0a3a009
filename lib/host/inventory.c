/* SPDX-License-Identifier: Apache-2.0 */
/* Small helpers on inventories: building, finding, freeing, and the JSON text. */
#include "lib/host/host.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct sriov_pf *inventory_add_pf(struct sriov_inventory *inv)
{
	struct sriov_pf *pf = core_grow(&inv->pf, &inv->npfs, sizeof(*pf));

	if (pf)
		pf->node = pf->iommu_group = -1;
	return pf;
}

struct sriov_use *uses_add(struct sriov_uses *uses, bool running, const char *who, const char *how,
			   ...)
{
	struct sriov_use *use = core_grow(&uses->at, &uses->n, sizeof(*use));
	va_list ap;

	if (!use)
		return NULL;
	core_copy(use->who, sizeof(use->who), who);
	use->running = running;
	va_start(ap, how);
	vsnprintf(use->how, sizeof(use->how), how, ap);
	va_end(ap);
	return use;
}

struct sriov_pf *inventory_find(const struct sriov_inventory *inv, const char *name)
{
	char address[SRIOV_PCI_LEN];
	bool is_address = sriov_pci_parse(name, address) == 0;

	for (size_t i = 0; i < inv->npfs; i++) {
		struct sriov_pf *pf = &inv->pf[i];

		if (is_address ? !strcmp(pf->address, address) : *name && !strcmp(pf->netdev, name))
			return pf;
	}
	return NULL;
}

const struct sriov_entry *pf_rule(const struct sriov_pf *pf, uint32_t loc)
{
	size_t low = 0, high = pf->nrules;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (pf->rules[middle].loc == loc)
			return &pf->rules[middle];
		if (pf->rules[middle].loc < loc)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

SRIOV_EXPORT void sriov_inventory_free(struct sriov_inventory *inv)
{
	if (!inv)
		return;
	for (size_t i = 0; i < inv->npfs; i++) {
		struct sriov_pf *pf = &inv->pf[i];

		for (unsigned v = 0; pf->vf && v < pf->vfs; v++)
			free(pf->vf[v].uses.at);
		free(pf->vf);
		free(pf->uses.at);
		free(pf->rules);
		free(pf->rss);
		free(pf->irq_cpus);
	}
	for (size_t i = 0; i < inv->nnodes; i++)
		free(inv->node[i].core);
	free(inv->pf);
	free(inv->node);
	free(inv);
}

SRIOV_EXPORT int sriov_inventory_json(const struct sriov_inventory *inv, char **out,
				      struct sriov_error *err)
{
	_json_ json_t *json = inventory_encode(inv);
	char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;

	if (!text)
		return core_oom(err);
	*out = text;
	return 0;
}
