/* SPDX-License-Identifier: Apache-2.0 */
/* N random rules that testpmd has a form for, one a line. */
#include "tests/unit/flow_random.h"

int main(int argc, char **argv)
{
	unsigned n = argc > 1 ? atoi(argv[1]) : 0;

	random_start();
	while (n) {
		char words[1024], *text = NULL;
		struct sriov_rule rule;
		struct sriov_rules rules = {.at = &rule, .n = 1};

		random_rule(&rule);
		rule.name[0] = '\0';
		rule.optional = false;
		rule.weight = 1;
		rule.loc = -1;
		rule.scope.kind = SRIOV_SCOPE_ALL;
		rule.mask.user_def = rule.value.user_def = 0;
		rule.mask.l4_bytes = rule.value.l4_bytes = 0;
		if (sriov_rules_export(&rules, SRIOV_RULES_TESTPMD, NULL, &text, NULL))
			continue;
		free(text);
		if (sriov_rule_format(&rule, words, sizeof(words)))
			return 1;
		puts(words);
		n--;
	}
	return 0;
}
