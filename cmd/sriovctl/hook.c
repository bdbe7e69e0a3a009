/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl hook libvirt: what libvirt's hook for QEMU runs. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <sriov/hook.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#define XML_MAX (1 << 20)
#define LOCK_SECONDS 2
#define KERNEL_SECONDS 3
#define LINK_SECONDS 1
/* libvirt, and whoever waits for it, waits for the hook: at first what runs is undone, then it is over. */
#define UNDO_SECONDS 4
#define DEADLINE_SECONDS 5

static int late_status; /* what the hook ends as if time is over */

static void on_alarm(int number)
{
	static const char text[] = "sriovctl: libvirt's hook: not done within 5 seconds; the next "
				   "command on the PF recovers what it left\n";
	static volatile sig_atomic_t alarms;

	if (!alarms++) {
		raise(SIGTERM);
		return;
	}
	/* only for people to read */
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(late_status);
	_exit(late_status);
}

static void set_deadline(const char *op)
{
	const struct sigaction action = {.sa_handler = on_alarm};
	const struct itimerval at = {.it_value.tv_sec = UNDO_SECONDS,
				     .it_interval.tv_sec = DEADLINE_SECONDS - UNDO_SECONDS};

	late_status = sriov_hook_refuses(op) ? SRIOV_FAILED : SRIOV_DONE;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &at, NULL);
}

/* The words that are no options of ours: behind `--`, or (some of them may be values) behind the verb. */
static int words_of(int argc, char **argv)
{
	int words = 0;

	for (int i = 3; i < argc; i++) {
		if (!strcmp(argv[i], "--"))
			return argc - i - 1;
		words += strncmp(argv[i], "--", 2) != 0;
	}
	return words;
}

int hook_status(int argc, char **argv, int status)
{
	/* libvirt always gives four arguments, whatever stands before them; fewer are a person's */
	if (words_of(argc, argv) < 4)
		return status;
	return sriov_hook_refuses(argv[argc - 3]) ? status : SRIOV_DONE;
}

/* libvirt shows these where it shows any: with the error of a start that was refused. */
static void tell_notes(const struct sriov_plan *plans)
{
	for (const struct sriov_plan *plan = plans; plan; plan = plan->next)
		for (size_t i = 0; i < plan->nnotes; i++)
			fprintf(stderr, "sriovctl: %s: %s\n", plan->pf, plan->note[i]);
}

int cmd_hook_libvirt(const struct args *args, struct sriov_host *host, struct out *out,
		     struct sriov_error *err)
{
	struct sriov_hook hook = args->hook;
	struct sriov_options opts = args->run;
	struct sriov_plan *plans = NULL;
	_free_ char *domain = NULL, *xml = NULL;
	int r;

	hook.guest = args->pos[0];
	hook.op = args->pos[1];
	hook.net = args->guest.net;
	hook.sockets = args->sockets;
	set_deadline(hook.op);
	opts.lock_timeout = LOCK_SECONDS;
	opts.kernel_timeout = KERNEL_SECONDS;
	opts.link_timeout = LINK_SECONDS;
	r = core_read_fd(STDIN_FILENO, XML_MAX, &domain, &hook.size);
	if (r < 0)
		return core_errno(err, r, "standard input", "the domain XML cannot be read");
	hook.xml = domain;
	r = sriov_hook_libvirt(host, &hook, &opts, &xml, &plans, err);
	tell_notes(plans);
	sriov_plan_free(plans);
	/* the rates wait for a link: told, and no reason to keep a guest from starting */
	if (r == -ENOLINK) {
		fprintf(stderr, "sriovctl: %s: %s\n", err->object, err->message);
		r = 0;
	}
	if (!r && xml)
		fputs(xml, stdout);
	return r;
}
