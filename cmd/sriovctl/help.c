/* SPDX-License-Identifier: Apache-2.0 */
/* Help and completion, both read from the verb and option tables. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <stdio.h>
#include <string.h>

static const struct {
	uint64_t groups;
	const char *title;
} sections[] = {
	{~(uint64_t)(OPT_CHANGE | OPT_GLOBAL), "options"},
	{OPT_CHANGE, "options of changes"},
	{OPT_GLOBAL, "options of every command"},
};

static void print_options(uint64_t groups)
{
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		uint64_t shown = groups & sections[i].groups;
		bool titled = false;

		for (const struct opt *opt = options; opt->name; opt++) {
			char left[64];

			if (!(opt->groups & shown))
				continue;
			if (!titled)
				printf("\n%s:\n", sections[i].title);
			titled = true;
			snprintf(left, sizeof(left), "--%s%s%s%s", opt->name,
				 opt->kind == KIND_DEBUG ? "[="
				 : opt->metavar          ? " "
							 : "",
				 opt->metavar ? opt->metavar : "",
				 opt->kind == KIND_DEBUG ? "]" : "");
			printf("  %-34s  %s\n", left, opt->help);
		}
	}
}

static void print_verbs(const char *noun)
{
	const char *last = NULL;

	for (const struct verb *verb = verbs; verb->noun; verb++) {
		char name[64], left[96];

		if (verb->flags & VERB_HIDDEN || (noun && strcmp(noun, verb->noun)))
			continue;
		if (last && strcmp(last, verb->noun))
			putchar('\n');
		last = verb->noun;
		snprintf(left, sizeof(left), "%s %s", verb_name(verb, name), verb->synopsis);
		printf("  %-34s  %s\n", left, verb->help);
	}
}

void help_print(const struct args *args)
{
	char name[64];

	if (args->verb) {
		printf("usage: sriovctl %s%s%s%s\n\n%s\n", verb_name(args->verb, name),
		       *args->verb->synopsis ? " " : "", args->verb->synopsis,
		       args->verb->options ? " [options]" : "", args->verb->help);
		print_options(args->verb->options | OPT_GLOBAL);
		return;
	}
	if (!args->noun)
		puts("sriovctl: SR-IOV VFs and Flow Director rules of Intel NICs on KVM hosts\n");
	puts("usage: sriovctl [--host FILE] [--json] NOUN VERB [arguments] [options]\n");
	print_verbs(args->noun);
	print_options(OPT_GLOBAL);
	if (args->noun)
		return;
	puts("\nsriovctl NOUN VERB --help tells the options of a command. A PF is a netdev or a PCI address.\n"
	     "Exit status: 0 done or nothing to do, 1 error, 2 a difference, 3 refused for safety,\n"
	     "4 failed and rolled back, 5 left incomplete (see journal), 6 stuck in the kernel.");
}

/* One completion, if it goes on from what was typed. */
static void offer(const char *typed, const char *prefix, const char *word)
{
	_free_ char *whole = core_printf("%s%s", prefix, word);

	if (whole && !strncmp(whole, typed, strlen(typed)))
		puts(whole);
}

static void offer_pfs(const char *typed, struct sriov_host *host)
{
	struct sriov_inventory *inv = NULL;

	if (sriov_inventory_read(host, NULL, 0, &inv, NULL) < 0)
		return;
	for (size_t i = 0; i < inv->npfs; i++)
		offer(typed, "", *inv->pf[i].netdev ? inv->pf[i].netdev : inv->pf[i].address);
	sriov_inventory_free(inv);
}

/* Nouns, or the verbs of @noun; a noun with several verbs stands only once. */
static void offer_verbs(const char *typed, const char *noun)
{
	const char *last = "";

	for (const struct verb *verb = verbs; verb->noun; verb++) {
		if (verb->flags & VERB_HIDDEN || (noun && strcmp(noun, verb->noun)))
			continue;
		if (noun)
			offer(typed, "", verb->word);
		else if (strcmp(last, verb->noun))
			offer(typed, "", verb->noun);
		last = verb->noun;
	}
}

static const char bash[] =
	"_sriovctl() {\n"
	"\tmapfile -t COMPREPLY < <(sriovctl complete -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
	"}\n"
	"complete -o default -F _sriovctl sriovctl\n";

int cmd_complete(const struct args *args, struct sriov_host *host, struct out *out,
		 struct sriov_error *err)
{
	const char *typed = args->npos ? args->pos[args->npos - 1] : NULL, *noun = NULL;
	const struct opt *open = NULL; /* the option whose value comes next */
	const struct verb *verb = NULL;
	uint64_t groups = OPT_GLOBAL;
	int npos = 0;

	if (!typed) {
		fputs(bash, stdout);
		return 0;
	}
	for (int i = 0; i + 1 < args->npos; i++) {
		const char *word = args->pos[i];

		if (open) {
			open = NULL;
		} else if (!strncmp(word, "--", 2)) {
			open = opt_find(word + 2, groups);
			open = open && opt_takes_value(open) ? open : NULL;
		} else if (verb) {
			npos++;
		} else {
			verb = verb_find(noun ? noun : word, noun ? word : NULL);
			noun = noun ? noun : word;
			groups |= verb ? verb->options : 0;
		}
	}
	if (open) {
		const char *const *words = opt_words(open->kind);

		for (; words && *words; words++)
			offer(typed, "", *words);
		if (!strcmp(open->name, "pf"))
			offer_pfs(typed, host);
	} else if (*typed == '-') {
		for (const struct opt *opt = options; opt->name; opt++)
			if (opt->groups & groups)
				offer(typed, "--", opt->name);
	} else if (!verb) {
		offer_verbs(typed, noun);
	} else if (!npos &&
		   (!strncmp(verb->synopsis, "PF", 2) || !strncmp(verb->synopsis, "[PF", 3))) {
		offer_pfs(typed, host);
	}
	return 0;
}
