/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as the domain that libvirt gives to its hook. Beyond not crashing: a refusal says why and gives nothing;
 * rewritten to what it says already, a domain says the same, and rewritten to something else, just that.
 */
#include "lib/guest/hookxml.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

static void rewrite(const char *text, size_t size, const struct hook_domain *domain)
{
	_hook_domain_ struct hook_domain again = {0};
	struct hook_rename *renames = calloc(domain->ndevices + 1, sizeof(*renames));
	_free_ char *out = NULL, *same = NULL;
	struct sriov_error err = {0};
	int r;

	MUST(renames);
	for (size_t i = 0; i < domain->ndevices; i++) {
		renames[i].device = &domain->device[i];
		strcpy(renames[i].to, domain->device[i].vhostuser ? "/run/x" : "0000:81:10.6");
	}
	MUST(!hook_rewrite(text, size, NULL, 0, &same, &err));
	MUST(strlen(same) == size && !memcmp(same, text, size));
	MUST(!hook_rewrite(text, size, renames, domain->ndevices, &out, &err));
	r = hook_domain_read(out, strlen(out), &again, &err);
	/* it may have grown beyond the bound */
	MUST(!r || r == -EFBIG);
	MUST(r || again.ndevices == domain->ndevices);
	for (size_t i = 0; !r && i < again.ndevices; i++)
		MUST(!strcmp(again.device[i].vhostuser ? again.device[i].socket
						       : again.device[i].address,
			     renames[i].to));
	free(renames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_hook_domain_ struct hook_domain domain = {0};
	struct sriov_error err = {0};
	/* just as long, so that a byte too far is noticed */
	_free_ char *text = malloc(size);
	int r;

	MUST(text || !size);
	if (size)
		memcpy(text, data, size);
	r = hook_domain_read(text ?: "", size, &domain, &err);
	MUST(!r ? domain.uuid[0] && domain.name[0] : err.code == r && err.message[0]);
	MUST(!r || (!domain.ndevices && !domain.flows));
	if (!r)
		rewrite(text, size, &domain);
	return 0;
}
