/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the messages of sriov-rte: no line may crash its reader, every refusal says something, and a request that is
 * read can be written, read and written again as it was. The same bytes as the owner's answer: read or refused.
 *
 *     clang -fsanitize=fuzzer,address,undefined …; fuzz_rte tests/fuzz/corpus/rte
 */
#include "tests/fuzz/fuzz.h"

#include "lib/rte/message.h"

static void request(const uint8_t *data, size_t size)
{
	struct sriov_rte_request read = {0}, again = {0};
	struct sriov_error err = {0};
	char *first = NULL, *second = NULL;
	int r = sriov_rte_request_parse((const char *)data, size, &read, &err);

	if (r) {
		fuzz_refused(r, &err);
		return;
	}
	fuzz_stable(&read.rules);
	MUST(!sriov_rte_request_format(&read, &first, &err));
	MUST(!sriov_rte_request_parse(first, strlen(first), &again, &err));
	MUST(!sriov_rte_request_format(&again, &second, &err));
	MUST(!strcmp(first, second));
	MUST(!strchr(first, '\n'));
	free(first);
	free(second);
	sriov_rte_request_clear(&read);
	sriov_rte_request_clear(&again);
}

static void answer(const uint8_t *data, size_t size)
{
	struct sriov_error err = {0};
	char *result = NULL;
	int r = message_answer((const char *)data, size, &result, &err);

	if (r)
		MUST(r < 0 && err.code == r);
	else
		MUST(result[0] == '{');
	free(result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	request(data, size);
	answer(data, size);
	return 0;
}
