/* SPDX-License-Identifier: Apache-2.0 */
/* sriov-rte: its command line, and its life. */
#include "cmd/sriov-rte/owner.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

static const char usage[] =
	"usage: sriov-rte (--pci ADDRESS | --vdev DEVICE[,ARGUMENTS])... [options] [-- DPDK-ARGUMENTS]\n"
	"\n"
	"Owns ports for DPDK and carries out rules for them (rte_flow), which come over a unix socket:\n"
	"`sriovctl flow apply FILE --backend rte`. They live as long as this process; the last ones are\n"
	"brought back when it starts again.\n"
	"\n"
	"It makes sense where a PF is in DPDK as the host of its VFs, for drops and for filters that the\n"
	"kernel's driver has not. Packets that come to the PF's own queues end here.\n"
	"\n"
	"  --pci ADDRESS   a NIC that is bound to vfio-pci\n"
	"  --vdev DEVICE   a virtual device, as DPDK's --vdev takes it (net_tap0,iface=tap0)\n"
	"  --queues N      RX queues of each port, 1 to 64 (1)\n"
	"  --sink          take packets from the queues and count them; without it the queues fill up\n"
	"  --socket PATH   where requests are taken (" SRIOV_RTE_SOCKET ")\n"
	"  --host FILE     keep what is recorded with the simulated host in FILE (or SRIOVCTL_HOST)\n"
	"  --help          this help\n"
	"  --version       the version\n";

static struct owner owner = {.queues = 1, .socket = SRIOV_RTE_SOCKET};

static void on_signal(int number)
{
	owner.stopped = 1;
}

static int add_device(const char *args, bool virtual, struct sriov_error *err)
{
	struct device *device = &owner.device[owner.ndevices];
	size_t len = strcspn(args, ",");

	if (owner.ndevices == PORTS_MAX)
		return sriov_error_set(err, -E2BIG, args, "one owner has at most %d ports",
				       PORTS_MAX);
	if (!len || len >= sizeof(device->name))
		return sriov_error_set(err, -EINVAL, args, "this is no name of a device");
	*device = (struct device){.args = args, .virtual = virtual};
	memcpy(device->name, args, len);
	owner.ndevices++;
	return 0;
}

static int read_queues(const char *text, struct sriov_error *err)
{
	uint64_t number;

	if (core_number(text, 1, QUEUES_MAX, &number))
		return sriov_error_set(err, -EINVAL, "--queues",
				       "'%s' is not a number from 1 to %d", text, QUEUES_MAX);
	owner.queues = number;
	return 0;
}

enum { OPT_PCI = 256, OPT_VDEV, OPT_QUEUES, OPT_SINK, OPT_SOCKET, OPT_HOST, OPT_HELP, OPT_VERSION };

static const struct option options[] = {
	{"pci", required_argument, NULL, OPT_PCI},
	{"vdev", required_argument, NULL, OPT_VDEV},
	{"queues", required_argument, NULL, OPT_QUEUES},
	{"sink", no_argument, NULL, OPT_SINK},
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"host", required_argument, NULL, OPT_HOST},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL},
};

/* 1: it has been answered; 0; or an error. */
static int read_option(int option, const char *word, struct sriov_error *err)
{
	switch (option) {
	case OPT_PCI:
	case OPT_VDEV:
		return add_device(optarg, option == OPT_VDEV, err);
	case OPT_QUEUES:
		return read_queues(optarg, err);
	case OPT_SINK:
		owner.sink = true;
		return 0;
	case OPT_SOCKET:
		owner.socket = optarg;
		return 0;
	case OPT_HOST:
		owner.host_spec = optarg;
		return 0;
	case OPT_HELP:
		fputs(usage, stdout);
		return 1;
	case OPT_VERSION:
		puts("sriov-rte " SRIOVCTL_VERSION);
		return 1;
	default:
		sriov_error_set(err, -EINVAL, word,
				"no option of sriov-rte, or it lacks its value");
		return sriov_error_hint(err, "sriov-rte --help");
	}
}

/* Up to "--"; what stands behind is DPDK's. */
static int read_options(int argc, char **argv, struct sriov_error *err)
{
	int option, r = 0;

	opterr = 0;
	while (!r && (option = getopt_long(argc, argv, "+", options, NULL)) >= 0)
		r = read_option(option, argv[optind - 1], err);
	if (!r && !owner.ndevices) {
		sriov_error_set(err, -EINVAL, "sriov-rte", "no port is named");
		return sriov_error_hint(err, "--pci ADDRESS or --vdev DEVICE");
	}
	return r;
}

static bool has_word(char **args, int n, const char *word)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(args[i], word))
			return true;
	return false;
}

static void print_error(const struct sriov_error *err)
{
	fprintf(stderr, "sriov-rte: %s: %s\n", err->object, err->message);
	if (err->kernel[0])
		fprintf(stderr, "  kernel: %s\n", err->kernel);
	if (err->hint[0])
		fprintf(stderr, "  hint: %s\n", err->hint);
}

/* What nobody looks at goes nowhere else: said once, where an operator reads it. */
static void tell_ready(void)
{
	size_t rules = 0, degraded = 0, unable = 0;

	for (size_t i = 0; i < owner.nports; i++) {
		const struct port *port = &owner.port[i];
		size_t n;

		sriov_rte_rows(port->rte, &n);
		rules += n;
		degraded += port->degraded[0] != '\0';
		if (port->degraded[0])
			fprintf(stderr, "sriov-rte: %s: %s\n", port->device->name, port->degraded);
		unable += port->unable.code != 0;
		if (port->unable.code)
			print_error(&port->unable);
	}
	fprintf(stderr,
		"sriov-rte: %zu port%s, ready in %lld ms at %s; packets that reach the queues %s\n",
		owner.nports, owner.nports == 1 ? "" : "s",
		(long long)(owner.ready_ms - owner.started_ms), owner.socket,
		owner.sink ? "are counted and dropped (--sink)"
			   : "end there: nobody takes them (--sink would count and drop them)");
	sd_notifyf(0, "READY=1\nSTATUS=%zu ports, %zu entries%s%s", owner.nports, rules,
		   degraded ? "; what is recorded is not all back" : "",
		   unable ? "; not every port takes rules" : "");
}

static int run(char **args, int nargs, struct sriov_error *err)
{
	struct server *server = NULL;
	int r = sriov_host_open(owner.host_spec ?: getenv("SRIOVCTL_HOST"), &owner.host, err);

	if (!r)
		r = dpdk_check(&owner, has_word(args, nargs, "--no-huge"), err);
	/* before the ports are touched: they may be another owner's */
	if (!r)
		r = server_open(&owner, &server, err);
	if (!r)
		r = dpdk_start(&owner, args, nargs, err);
	if (!r) {
		handle_recorded(&owner);
		owner.ready_ms = core_monotonic_ms();
		tell_ready();
		server_run(server);
		sd_notify(0, "STOPPING=1");
	}
	dpdk_stop(&owner);
	server_close(server);
	sriov_host_close(owner.host);
	return r;
}

int main(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = on_signal};
	struct sriov_error err = {0};
	sigset_t stops;
	int r;

	owner.started_ms = core_monotonic_ms();
	r = read_options(argc, argv, &err);
	if (!r && geteuid() != 0) {
		sriov_error_set(&err, -EPERM, "sriov-rte", "needs root on this host");
		r = -EPERM;
	}
	if (!r) {
		/* before DPDK makes threads, which take the mask over: see server_run() */
		sigemptyset(&stops);
		sigaddset(&stops, SIGTERM);
		sigaddset(&stops, SIGINT);
		sigprocmask(SIG_BLOCK, &stops, NULL);
		sigaction(SIGTERM, &action, NULL);
		sigaction(SIGINT, &action, NULL);
		signal(SIGPIPE, SIG_IGN);
		r = run(argv + optind, argc - optind, &err);
	}
	if (r < 0)
		print_error(&err);
	return r < 0 ? SRIOV_FAILED : SRIOV_DONE;
}
