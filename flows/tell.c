/* SPDX-License-Identifier: Apache-2.0 */
/* What a user should know of a compiled list besides its entries: see sriov_compiled_tell(). */
#include "lib/core/core.h"

#include <errno.h>
#include <sriov/flow.h>
#include <stdio.h>
#include <string.h>

/* Conditions and rules left out are told one by one up to here. */
#define TOLD_MAX 16

/* Rules of which the same thing is to be said. */
struct said {
	const char *text;
	size_t rule; /* the first of them */
	size_t n;
};

struct sayings {
	struct said at[TOLD_MAX];
	size_t n, more;
};

static void say(struct sayings *sayings, const char *text, size_t rule)
{
	for (size_t i = 0; i < sayings->n; i++)
		if (!strcmp(sayings->at[i].text, text)) {
			sayings->at[i].n++;
			return;
		}
	if (sayings->n == TOLD_MAX)
		sayings->more++;
	else
		sayings->at[sayings->n++] = (struct said){text, rule, 1};
}

static int tell_one(const struct sriov_teller *teller, char *fresh)
{
	_free_ char *text = fresh;

	return text ? teller->tell(teller->data, text) : -ENOMEM;
}

static int tell(const struct sriov_rules *rules, const struct sayings *sayings, const char *what,
		const struct sriov_teller *teller)
{
	int r = 0;

	for (size_t i = 0; !r && i < sayings->n; i++) {
		const struct said *said = &sayings->at[i];
		char name[SRIOV_NAME_LEN], more[32] = "";

		/* rules of a port of DPDK may have no names */
		snprintf(name, sizeof(name), "%zu", said->rule + 1);
		if (said->n > 1)
			snprintf(more, sizeof(more), " and %zu more", said->n - 1);
		r = tell_one(teller,
			     core_printf("rule %s%s%s: %s",
					 rules->at[said->rule].name[0] ? rules->at[said->rule].name
								       : name,
					 more, what, said->text));
	}
	if (!r && sayings->more)
		r = tell_one(teller,
			     core_printf("and %zu more of that kind: see `sriovctl flow check`",
					 sayings->more));
	return r;
}

SRIOV_EXPORT int sriov_compiled_tell(const struct sriov_rules *rules,
				     const struct sriov_compiled *compiled,
				     const struct sriov_teller *teller)
{
	struct sayings conditions = {.n = 0}, out = {.n = 0};
	int r;

	for (size_t i = 0; i < compiled->nrules; i++) {
		const struct sriov_verdict *verdict = &compiled->verdict[i];

		if (verdict->left_out) {
			say(&out, verdict->why, i);
			continue;
		}
		if (!verdict->nconditions || teller->known(teller->data, i))
			continue;
		for (size_t k = 0; k < verdict->nconditions; k++)
			say(&conditions, verdict->condition[k], i);
	}
	r = tell(rules, &conditions, "", teller);
	return r ? r : tell(rules, &out, " is left out", teller);
}
