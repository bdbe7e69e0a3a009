/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls of lib/guest/virt.h, one for each line of standard input, on one host (argv[1], "" = live) and one
 * libvirt (argv[2], if any). Answers "ok …", or "error CODE object: message; kernel; hint", one line each.
 */
#include "lib/guest/virt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define WORDS 8

struct call {
	struct sriov_host *host;
	char *word[WORDS]; /* NULL where the line ended */
};

static char *read_text(const char *file)
{
	char *text = NULL;

	if (core_read_file(AT_FDCWD, file, 128 << 20, &text, NULL) < 0)
		abort();
	return text;
}

static enum virt_where where_of(const char *word)
{
	return word && !strcmp(word, "live") ? VIRT_LIVE : VIRT_CONFIG;
}

/* Where the XML goes: the third word, "-" for none. */
static void keep(const char *file, const char *text)
{
	FILE *out = fopen(file, "w");

	fputs(text ? text : "", out);
	fclose(out);
}

static void show(const struct virt_domain *domain)
{
	printf("%s %s %s %s", domain->name, domain->uuid,
	       domain->paused    ? "paused"
	       : domain->running ? "running"
				 : "off",
	       domain->persistent ? "persistent" : "transient");
}

static int find(struct call *call, struct sriov_error *err)
{
	_virt_domain_ struct virt_domain domain = {0};
	int r = call->host->virt->find(call->host, call->word[1], &domain, err);

	if (r < 0)
		return r;
	if (call->word[2])
		keep(call->word[2], domain.config);
	if (call->word[3])
		keep(call->word[3], domain.live);
	printf("ok ");
	show(&domain);
	puts("");
	return 0;
}

static int list(struct call *call, struct sriov_error *err)
{
	_virt_domains_ struct virt_domains all = {0};
	int r = call->host->virt->list(call->host, true, &all, err);

	if (r < 0)
		return r;
	printf("ok %zu", all.n);
	for (size_t i = 0; i < all.n; i++) {
		printf(", ");
		show(&all.at[i]);
		printf(" %d%d", !!all.at[i].config, !!all.at[i].live);
	}
	puts("");
	return 0;
}

static int pid(struct call *call, struct sriov_error *err)
{
	long number;
	int r = call->host->virt->pid(call->host, call->word[1], &number, err);

	if (!r)
		printf("ok %ld\n", number);
	return r;
}

static int done(int r)
{
	if (!r)
		puts("ok");
	return r;
}

static int attach(struct call *call, struct sriov_error *err)
{
	_free_ char *text = read_text(call->word[2]);

	return done(call->host->virt->attach(call->host, call->word[1], text,
					     where_of(call->word[3]), err));
}

static int limit(struct call *call, struct sriov_error *err)
{
	_free_ char *text = read_text(call->word[2]);

	return done(call->host->virt->limit(call->host, call->word[1], text,
					    where_of(call->word[3]), err));
}

static int detach(struct call *call, struct sriov_error *err)
{
	_free_ char *text = read_text(call->word[2]);
	int64_t deadline = call->host->ops->now_ms(call->host) +
			   (call->word[4] ? atoi(call->word[4]) : 0);

	return done(call->host->virt->detach(call->host, call->word[1], text,
					     where_of(call->word[3]), deadline, err));
}

static int define(struct call *call, struct sriov_error *err)
{
	_free_ char *text = read_text(call->word[1]);

	return done(call->host->virt->define(call->host, text, err));
}

static int pin(struct call *call, struct sriov_error *err)
{
	enum virt_thread thread = !strcmp(call->word[2], "vcpu")       ? VIRT_VCPU
				  : !strcmp(call->word[2], "emulator") ? VIRT_EMULATOR
								       : VIRT_IOTHREAD;

	return done(call->host->virt->pin(call->host, call->word[1], thread, atoi(call->word[3]),
					  call->word[4], where_of(call->word[5]), err));
}

static int memory(struct call *call, struct sriov_error *err)
{
	const char *mode = strcmp(call->word[2], "-") ? call->word[2] : NULL;

	return done(call->host->virt->memory(call->host, call->word[1], mode, call->word[3],
					     where_of(call->word[4]), err));
}

static const struct {
	const char *word;
	int (*call)(struct call *call, struct sriov_error *err);
} calls[] = {
	{"find", find},     {"list", list},     {"pid", pid},
	{"attach", attach}, {"detach", detach}, {"define", define},
	{"pin", pin},       {"memory", memory}, {"limit", limit},
};

int main(int argc, char **argv)
{
	struct call call = {0};
	struct sriov_error err = {0};
	char line[4096];
	int r = sriov_host_open(argv[1], &call.host, &err);

	if (!r && argc > 2)
		r = sriov_host_uri(call.host, argv[2], &err);
	if (r < 0) {
		printf("error %s %s: %s; %s\n", strerrorname_np(-r), err.object, err.message,
		       err.hint);
		sriov_host_close(call.host);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin)) {
		char *rest = NULL;
		size_t i;

		call.word[0] = strtok_r(line, " \n", &rest);
		for (i = 1; i < WORDS; i++)
			call.word[i] = strtok_r(NULL, " \n", &rest);
		for (i = 0; i < ARRAY_SIZE(calls); i++)
			if (call.word[0] && !strcmp(calls[i].word, call.word[0]))
				break;
		if (i == ARRAY_SIZE(calls))
			return 2;
		err = (struct sriov_error){0};
		r = calls[i].call(&call, &err);
		if (r < 0)
			printf("error %s %s: %s; %s; %s\n", strerrorname_np(-r), err.object,
			       err.message, err.kernel, err.hint);
		if (r != err.code)
			printf("error: the call gave %d, the error %d\n", r, err.code);
		fflush(stdout);
	}
	sriov_host_close(call.host);
	return 0;
}
