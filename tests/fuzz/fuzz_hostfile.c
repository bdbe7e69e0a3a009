/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes host files: no text may crash the reader or make it grow, every refusal has its place and says something, and
 * what is read is within its bounds.
 *
 *     clang -fsanitize=fuzzer,address,undefined …; fuzz_hostfile tests/fuzz/corpus/hostfile
 */
#include "lib/plan/hostfile.h"
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>

static void look(const struct hostfile *file)
{
	for (size_t i = 0; i < file->npfs; i++) {
		const struct hostfile_pf *pf = &file->pf[i];

		MUST(pf->line && pf->count <= SRIOV_VF_MAX);
		MUST(pf->any[0] || pf->address[0] || pf->netdev[0] || pf->driver[0]);
		MUST(!pf->rules.n || pf->has_rules);
		fuzz_stable(&pf->rules);
		for (size_t k = 0; k < pf->nranges; k++)
			MUST(pf->range[k].line);
	}
	for (size_t i = 0; i < file->nnets; i++)
		MUST(file->net[i].name[0] && file->net[i].npfs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct sriov_error err = {0};
	struct hostfile file;
	int r;

	/* of a file beside the reader is the one of rules, which has a fuzzer of its own */
	if (strstr(text, "rules-file")) {
		free(text);
		return 0;
	}
	r = hostfile_parse(text, "f", -1, &file, &err);

	free(text);
	if (r) {
		fuzz_refused(r, &err);
		return 0;
	}
	look(&file);
	hostfile_clear(&file);
	return 0;
}
