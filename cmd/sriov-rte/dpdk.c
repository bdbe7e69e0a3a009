/* SPDX-License-Identifier: Apache-2.0 */
/* DPDK and its ports: started, drained, stopped. */
#include "cmd/sriov-rte/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#define RX_DESCRIPTORS 512
#define TX_DESCRIPTORS 512 /* nothing is sent, but drivers want queues, and net_tap as many */
#define BURST 64

/* ---- before DPDK ---- */

static const char *const uio_drivers[] = {"vfio-pci", "igb_uio", "uio_pci_generic"};

static int check_pci(const struct device *device, struct sriov_error *err)
{
	_close_ int devices = open("/sys/bus/pci/devices", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_close_ int dir = devices < 0
				  ? -1
				  : openat(devices, device->name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char driver[64];
	int r;

	if (dir < 0) {
		sriov_error_set(err, -ENODEV, device->name, "there is no such PCI device");
		return sriov_error_hint(err, "PCI addresses are like 0000:03:00.0");
	}
	r = core_read_link_base(dir, "driver", driver, sizeof(driver));
	if (r == -ENOENT) {
		sriov_error_set(err, -ENODEV, device->name, "no driver has it");
	} else if (r < 0) {
		return core_errno(err, r, device->name, "its driver cannot be read");
	} else {
		for (size_t i = 0; i < ARRAY_SIZE(uio_drivers); i++)
			if (!strcmp(driver, uio_drivers[i]))
				return 0;
		sriov_error_set(err, -EBUSY, device->name, "driver %s of the kernel has it",
				driver);
	}
	return sriov_error_hint(err,
				"DPDK takes devices of vfio-pci: `sriovctl pf bind %s --driver "
				"vfio-pci`",
				device->name);
}

/* Free pages of every size and node. */
static bool has_huge_pages(void)
{
	_free_ char *text = NULL;
	size_t size;
	const char *free_pages;

	if (core_read_file(AT_FDCWD, "/proc/meminfo", 65536, &text, &size) < 0)
		return true;
	free_pages = strstr(text, "HugePages_Free:");
	return !free_pages || strtoul(free_pages + strlen("HugePages_Free:"), NULL, 10);
}

int dpdk_check(const struct owner *owner, bool no_huge, struct sriov_error *err)
{
	for (size_t i = 0; i < owner->ndevices; i++) {
		int r = owner->device[i].virtual ? 0 : check_pci(&owner->device[i], err);

		if (r < 0)
			return r;
	}
	if (no_huge || has_huge_pages())
		return 0;
	sriov_error_set(err, -ENOMEM, "hugepages", "none is free, and DPDK takes its memory there");
	return sriov_error_hint(err,
				"echo 256 > /proc/sys/vm/nr_hugepages; or for virtual devices: "
				"-- --no-huge -m 256");
}

/* ---- DPDK ---- */

/* "0@(0-1)": one thread, on any of the processors that this process may use. */
static void thread_words(char *buf, size_t size)
{
	cpu_set_t set;
	size_t used = snprintf(buf, size, "0@(");

	sched_getaffinity(0, sizeof(set), &set);
	for (unsigned cpu = 0, n = 0; cpu < CPU_SETSIZE && used + 8 < size; cpu++)
		if (CPU_ISSET(cpu, &set))
			used += snprintf(buf + used, size - used, n++ ? ",%u" : "%u", cpu);
	snprintf(buf + used, size - used, ")");
}

static bool has_arg(char *const *args, int n, const char *word)
{
	for (int i = 0; i < n; i++)
		if (!strncmp(args[i], word, strlen(word)))
			return true;
	return false;
}

#define ARGS_MAX 64 /* of DPDK's own that the user gives */
struct words {
	char *at[ARGS_MAX + 2 * PORTS_MAX + 16];
	int n;
	bool failed; /* no memory */
};

/* There is room: see start_dpdk(). */
static void words_add(struct words *words, const char *text)
{
	char *copy = strdup(text);

	words->failed |= !copy;
	if (copy)
		words->at[words->n++] = copy;
}

static void words_clear(struct words *words)
{
	while (words->n)
		free(words->at[--words->n]);
}

static void words_of(const struct owner *owner, char *const *args, int nargs, struct words *words)
{
	char text[1024];
	bool pci = false;

	words_add(words, "sriov-rte");
	/* nothing is left behind in hugetlbfs or /run; DPDK has that for memory without huge pages under another name */
	words_add(words, has_arg(args, nargs, "--no-huge") ? "--no-shconf" : "--in-memory");
	words_add(words, "--no-telemetry");
	if (!has_arg(args, nargs, "--log-level")) {
		words_add(words, "--log-level");
		words_add(words, "*:error");
	}
	if (!has_arg(args, nargs, "-l") && !has_arg(args, nargs, "--lcores")) {
		thread_words(text, sizeof(text));
		words_add(words, "--lcores");
		words_add(words, text);
	}
	for (size_t i = 0; i < owner->ndevices; i++) {
		pci |= !owner->device[i].virtual;
		words_add(words, owner->device[i].virtual ? "--vdev" : "-a");
		words_add(words, owner->device[i].args);
	}
	/* without any -a it would take every device that is bound for it */
	if (!pci)
		words_add(words, "--no-pci");
	for (int i = 0; i < nargs; i++)
		words_add(words, args[i]);
}

static int start_dpdk(const struct owner *owner, char *const *args, int nargs,
		      struct sriov_error *err)
{
	_cleanup_(words_clear)
	struct words words = {0};
	/* DPDK orders and keeps its arguments: the copy is what is freed */
	char *given[ARRAY_SIZE(words.at)];

	if (nargs > ARGS_MAX)
		return sriov_error_set(err, -E2BIG, "DPDK",
				       "at most %d arguments can be given to it", ARGS_MAX);
	words_of(owner, args, nargs, &words);
	if (words.failed)
		return core_oom(err);
	memcpy(given, words.at, sizeof(given));
	if (rte_eal_init(words.n, given) >= 0)
		return 0;
	sriov_error_set(err, rte_errno > 0 ? -rte_errno : -EIO, "DPDK", "it does not start");
	sriov_error_kernel(err, "%s", rte_strerror(rte_errno));
	return sriov_error_hint(err,
				"its own words stand above; -- --log-level '*:info' makes it say "
				"more");
}

/* ---- ports ---- */

static int fail(const struct port *port, const char *what, int r, struct sriov_error *err)
{
	return core_errno(err, r, port->device->name, "%s", what);
}

static int set_up_queues(struct port *port, unsigned queues, struct rte_mempool *pool,
			 struct sriov_error *err)
{
	const struct rte_eth_conf conf = {
		.rxmode = {.mq_mode = queues > 1 ? RTE_ETH_MQ_RX_RSS : RTE_ETH_MQ_RX_NONE}};
	int socket = rte_eth_dev_socket_id(port->id);
	int r = rte_eth_dev_configure(port->id, queues, queues, &conf);

	if (r < 0)
		return fail(port, "it cannot be configured with that many queues", r, err);
	for (unsigned q = 0; !r && q < queues; q++)
		r = rte_eth_rx_queue_setup(port->id, q, RX_DESCRIPTORS, socket, NULL, pool)
			    ?: rte_eth_tx_queue_setup(port->id, q, TX_DESCRIPTORS, socket, NULL);
	port->queues = queues;
	return r < 0 ? fail(port, "its queues cannot be set up", r, err) : 0;
}

static int start_port(struct owner *owner, const struct device *device, struct sriov_error *err)
{
	struct port *port = &owner->port[owner->nports];
	struct rte_mempool *pool;
	char name[32];
	uint16_t id;
	int r;

	*port = (struct port){.device = device};
	if (rte_eth_dev_get_port_by_name(device->name, &id)) {
		sriov_error_set(err, -ENODEV, device->name,
				"DPDK has no driver that takes it, or it "
				"is in use");
		return sriov_error_hint(err, "drivers for rules are net_ixgbe, net_i40e, "
					     "net_e1000_igb, net_tap; one process owns a port");
	}
	port->id = id;
	snprintf(name, sizeof(name), "sriov-rte-%u", id);
	pool = rte_pktmbuf_pool_create(name, 2 * RX_DESCRIPTORS * owner->queues + BURST - 1, 0, 0,
				       RTE_MBUF_DEFAULT_BUF_SIZE, rte_eth_dev_socket_id(id));
	if (!pool)
		return fail(port, "no memory for its packets", -rte_errno, err);
	r = set_up_queues(port, owner->queues, pool, err);
	if (!r)
		r = sriov_rte_open(id, &port->rte, err);
	if (r < 0)
		return r;
	owner->nports++;
	r = rte_eth_dev_start(id);
	return r < 0 ? fail(port, "it cannot be started", r, err) : 0;
}

int dpdk_start(struct owner *owner, char **args, int nargs, struct sriov_error *err)
{
	int r = start_dpdk(owner, args, nargs, err);

	owner->started = !r;
	for (size_t i = 0; !r && i < owner->ndevices; i++)
		r = start_port(owner, &owner->device[i], err);
	return r;
}

void dpdk_stop(struct owner *owner)
{
	for (size_t i = 0; i < owner->nports; i++) {
		struct port *port = &owner->port[i];

		sriov_rte_close(port->rte);
		rte_eth_dev_stop(port->id);
		rte_eth_dev_close(port->id);
		free(port->list);
		free(port->isolation);
	}
	owner->nports = 0;
	if (owner->started)
		rte_eal_cleanup();
}

bool dpdk_sink(struct owner *owner)
{
	bool any = false;

	for (size_t i = 0; i < owner->nports; i++)
		for (unsigned q = 0; q < owner->port[i].queues; q++) {
			struct rte_mbuf *packet[BURST];
			uint16_t n = rte_eth_rx_burst(owner->port[i].id, q, packet, BURST);

			rte_pktmbuf_free_bulk(packet, n);
			owner->port[i].sunk[q] += n;
			any |= n;
		}
	return any;
}

void dpdk_counters(const struct port *port, uint64_t *received, uint64_t *missed)
{
	struct rte_eth_stats stats = {0};

	rte_eth_stats_get(port->id, &stats);
	*received = stats.ipackets;
	*missed = stats.imissed + stats.rx_nombuf;
}
