/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as a domain. Beyond not crashing: what is merged is a domain again, and merging once more
 * changes nothing.
 * Corpus: tests/fuzz/corpus/domxml.
 */
#include "lib/guest/guest.h"

#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct guest_interface vf = {"0000:81:10.6", {0x52, 0x54, 0, 0x12, 0x34, 0x56}, 101};
static const struct sriov_node nodes[] = {{.id = 0, .cpus = "0-7"}, {.id = 1, .cpus = "8-15"}};

static void check(bool good)
{
	if (!good)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_free_ char *text = strndup((const char *)data, size);
	_free_ char *merged = NULL, *again = NULL;
	char name[SRIOV_NAME_LEN], uuid[40];
	struct sriov_error err = {0};
	int node = -2, r;

	check(text);
	r = guest_xml_identity(text, name, uuid, &err);
	check(!r || (err.code == r && err.message[0]));
	r = guest_xml_node(text, nodes, ARRAY_SIZE(nodes), &node, &err);
	check(r ? node == -2 : node >= -1);
	r = guest_xml_merge(text, &vf, &nodes[node > 0], &merged, &err);
	if (r < 0) {
		check(!merged && err.code == r && err.message[0]);
		return 0;
	}
	/* libxml2 may write a text that is near the size limit longer than it read it */
	r = guest_xml_merge(merged, &vf, &nodes[node > 0], &again, &err);
	check(r == -EFBIG || (!r && !strcmp(merged, again)));
	return 0;
}
