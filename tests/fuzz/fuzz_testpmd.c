/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the reader of testpmd's rules: no text may crash it, every refusal says something, and what is read
 * can be written, read and printed again.
 *
 *     clang -fsanitize=fuzzer,address,undefined …; fuzz_testpmd tests/fuzz/corpus/testpmd
 */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_import(SRIOV_RULES_TESTPMD, data, size);
	return 0;
}
