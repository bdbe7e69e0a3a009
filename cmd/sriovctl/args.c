/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the command line: the walk over argv, and what is wrong with it. */
#include "cmd/sriovctl/args.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

const struct verb *verb_find(const char *noun, const char *word)
{
	for (const struct verb *verb = verbs; verb->noun; verb++)
		if (!strcmp(verb->noun, noun) &&
		    (!verb->word || (word && !strcmp(verb->word, word))))
			return verb;
	return NULL;
}

const char *verb_name(const struct verb *verb, char buf[64])
{
	snprintf(buf, 64, "%s%s%s", verb->noun, verb->word ? " " : "",
		 verb->word ? verb->word : "");
	return buf;
}

static int usage_hint(const struct args *args, struct sriov_error *err)
{
	char name[64];

	if (args->verb)
		return sriov_error_hint(err, "usage: sriovctl %s%s%s (see --help)",
					verb_name(args->verb, name),
					*args->verb->synopsis ? " " : "", args->verb->synopsis);
	return sriov_error_hint(err, "`sriovctl %s%s--help` lists the commands",
				args->noun ? args->noun : "", args->noun ? " " : "");
}

static uint64_t groups_of(const struct args *args)
{
	return OPT_GLOBAL | (args->verb ? args->verb->options : 0);
}

/* @token is an option that getopt did not take: say why. */
static int unknown_option(const struct args *args, const char *token, struct sriov_error *err)
{
	const char *names[NOPTIONS + 1], *near;
	char object[64], verb[64];
	size_t n = 0;

	snprintf(object, sizeof(object), "%.*s", (int)strcspn(token, "="), token);
	if (!strncmp(object, "--", 2) && opt_find(object + 2, UINT64_MAX)) {
		if (!args->verb) {
			sriov_error_set(err, -EINVAL, object, "does not stand before the command");
			return sriov_error_hint(err, "options of a command stand after it");
		}
		sriov_error_set(err, -EINVAL, verb_name(args->verb, verb), "does not take %s",
				object);
		return usage_hint(args, err);
	}
	for (const struct opt *opt = options; opt->name; opt++)
		if (opt->groups & groups_of(args))
			names[n++] = opt->name;
	names[n] = NULL;
	near = core_nearest(object + strspn(object, "-"), names);
	sriov_error_set(err, -EINVAL, object, "no such option");
	return near ? sriov_error_hint(err, "did you mean --%s?", near) : usage_hint(args, err);
}

static int unknown_word(const struct args *args, const char *word, struct sriov_error *err)
{
	const char *names[128], *near;
	char object[96];
	size_t n = 0;

	for (const struct verb *verb = verbs; verb->noun && n + 1 < ARRAY_SIZE(names); verb++)
		if (!(verb->flags & VERB_HIDDEN) &&
		    (!args->noun || !strcmp(verb->noun, args->noun)))
			names[n++] = args->noun ? verb->word : verb->noun;
	names[n] = NULL;
	near = core_nearest(word, names);
	snprintf(object, sizeof(object), "%s%s%s", args->noun ? args->noun : "",
		 args->noun ? " " : "", word);
	sriov_error_set(err, -EINVAL, object, "no such command");
	if (!near)
		return usage_hint(args, err);
	return sriov_error_hint(err, "did you mean `sriovctl %s%s%s`?",
				args->noun ? args->noun : "", args->noun ? " " : "", near);
}

static int take_word(struct args *args, const char *word, struct sriov_error *err)
{
	if (args->verb) {
		args->pos[args->npos++] = word;
		return 0;
	}
	if (args->noun) {
		args->verb = verb_find(args->noun, word);
		return args->verb ? 0 : unknown_word(args, word, err);
	}
	if (!strcmp(word, "help")) {
		args->help = true;
		return 0;
	}
	for (const struct verb *verb = verbs; verb->noun; verb++)
		if (!strcmp(verb->noun, word))
			args->noun = verb->noun;
	if (!args->noun)
		return unknown_word(args, word, err);
	args->verb = verb_find(word, NULL);
	return 0;
}

/* "-" is a file and "-1" a number (of a rule's action), not options. */
static bool is_word(const char *token)
{
	return token[0] != '-' || !token[1] || isdigit((unsigned char)token[1]);
}

/* The one short option besides -h: everybody types it so. */
static int take_file(struct args *args, int argc, char **argv, struct sriov_error *err)
{
	if (++optind >= argc) {
		sriov_error_set(err, -EINVAL, "-f", "its value is missing: FILE");
		return usage_hint(args, err);
	}
	return opt_store(args, opt_find("file", groups_of(args)), argv[optind++], err);
}

/* getopt_long() sees one token at a time, with the options that are legal at that place. */
static int take_option(struct args *args, int argc, char **argv, struct sriov_error *err)
{
	struct option longs[NOPTIONS + 1] = {};
	const char *token = argv[optind];
	char object[64];
	size_t n = 0;
	int c;

	if (!strcmp(token, "-h")) {
		args->help = true;
		optind++;
		return 0;
	}
	if (!strcmp(token, "-f") && opt_find("file", groups_of(args)))
		return take_file(args, argc, argv, err);
	if (token[1] != '-')
		return unknown_option(args, token, err);
	for (const struct opt *opt = options; opt->name; opt++) {
		if (!(opt->groups & groups_of(args)))
			continue;
		longs[n++] = (struct option){
			.name = opt->name,
			.has_arg = opt->kind == KIND_DEBUG ? optional_argument
							   : opt_takes_value(opt),
			.val = UINT8_MAX + 1 + (opt - options),
		};
	}
	c = getopt_long(argc, argv, "+:", longs, NULL);
	if (c == ':' && optopt > UINT8_MAX) {
		const struct opt *opt = &options[optopt - UINT8_MAX - 1];

		snprintf(object, sizeof(object), "--%s", opt->name);
		sriov_error_set(err, -EINVAL, object, "its value is missing: %s", opt->metavar);
		return usage_hint(args, err);
	}
	if (c == '?' && optopt > UINT8_MAX) {
		sriov_error_set(err, -EINVAL, token, "this option takes no value");
		return usage_hint(args, err);
	}
	if (c <= UINT8_MAX)
		return unknown_option(args, token, err);
	return opt_store(args, &options[c - UINT8_MAX - 1], optarg, err);
}

/* The @n'th word of a synopsis. */
static const char *argument_name(const struct verb *verb, int n, char buf[32])
{
	const char *at = verb->synopsis;

	while (n-- > 0)
		at += strcspn(at, " ") + 1;
	snprintf(buf, 32, "%.*s", (int)strcspn(at, " "), at);
	return buf;
}

/* A script's unset variable: "" must not come to mean "all". */
static int check_empty(const struct args *args, struct sriov_error *err)
{
	char name[64], argument[32];
	int named = args->verb->max < 0 ? args->verb->min : args->npos;

	for (int i = 0; i < named; i++)
		if (!*args->pos[i])
			return sriov_error_set(err, -EINVAL, verb_name(args->verb, name),
					       "%s is empty",
					       argument_name(args->verb, i, argument));
	return 0;
}

static int check_words(const struct args *args, struct sriov_error *err)
{
	char name[64], argument[32];

	if (!args->noun) {
		sriov_error_set(err, -EINVAL, "sriovctl", "no command was given");
		return usage_hint(args, err);
	}
	if (!args->verb) {
		sriov_error_set(err, -EINVAL, args->noun, "say what to do with it");
		return usage_hint(args, err);
	}
	verb_name(args->verb, name);
	if (args->npos < args->verb->min)
		sriov_error_set(err, -EINVAL, name, "%s is missing",
				argument_name(args->verb, args->npos, argument));
	else if (args->verb->max >= 0 && args->npos > args->verb->max)
		sriov_error_set(err, -EINVAL, name, "'%s' is one argument too many",
				args->pos[args->verb->max]);
	else
		return check_empty(args, err);
	return usage_hint(args, err);
}

int args_parse(int argc, char **argv, struct args *out, struct sriov_error *err)
{
	bool only_words = false;

	*out = (struct args){.node = -1, .pos = calloc(argc + 1, sizeof(*out->pos))};
	if (!out->pos)
		return core_oom(err);
	opterr = 0;
	optind = 1;
	while (optind < argc) {
		int r = 0;

		if (!only_words && !strcmp(argv[optind], "--")) {
			only_words = true;
			optind++;
		} else if (only_words || is_word(argv[optind])) {
			r = take_word(out, argv[optind++], err);
		} else {
			r = take_option(out, argc, argv, err);
		}
		if (r < 0)
			return r;
	}
	return out->help || out->version ? 0 : check_words(out, err);
}

void args_free(struct args *args)
{
	free(args->pos);
	args->pos = NULL;
}

char *args_join(const struct args *args, int first)
{
	char *text = strdup("");

	for (int i = first; i < args->npos && text; i++) {
		char *longer = core_printf("%s%s%s", text, i > first ? " " : "", args->pos[i]);

		free(text);
		text = longer;
	}
	return text;
}
