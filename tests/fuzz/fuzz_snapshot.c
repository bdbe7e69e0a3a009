/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the reader of snapshots: no text may crash it, every refusal names what is wrong, and whatever is
 * read is written and read again as the same.
 */
#include "lib/host/host.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_json_ json_t *json = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	struct sriov_inventory *inv = NULL, *again = NULL;
	struct sriov_error err = {0};
	_free_ char *first = NULL, *second = NULL;

	if (!json)
		return 0;
	if (inventory_decode(json, &inv, &err) < 0) {
		if (inv || !err.message[0] || !err.object[0])
			abort();
		return 0;
	}
	if (sriov_inventory_json(inv, &first, &err) < 0)
		abort();
	json_decref(json);
	json = json_loads(first, 0, NULL);
	if (!json || inventory_decode(json, &again, &err) < 0) {
		fprintf(stderr, "%s: %s\n%s\n", err.object, err.message, first);
		abort();
	}
	if (sriov_inventory_json(again, &second, &err) < 0 || strcmp(first, second) != 0)
		abort();
	sriov_inventory_free(inv);
	sriov_inventory_free(again);
	return 0;
}
