/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the reader of ethtool's rules: no text may crash it, every refusal says something, and what is read
 * can be written, read and printed again.
 *
 *     clang -fsanitize=fuzzer,address,undefined …; fuzz_ethtool tests/fuzz/corpus/ethtool
 */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_import(SRIOV_RULES_ETHTOOL, data, size);
	return 0;
}
