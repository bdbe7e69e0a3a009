/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An application that owns a port of DPDK and takes its rules from a file in sriovctl's words: it starts port 0, applies
 * them, and counts what comes to each queue until it is stopped.
 *
 *     cc $(pkg-config --cflags libsriov-rte libdpdk) steer.c -o steer $(pkg-config --libs libsriov-rte libdpdk)
 *     ./steer -a 0000:03:00.0 -- web.rules 4
 */
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <signal.h>
#include <sriov/rte.h>
#include <stdio.h>
#include <stdlib.h>

#define PORT 0
#define BURST 32
#define QUEUES_MAX 64

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

static int start_port(unsigned queues)
{
	struct rte_eth_conf conf = {
		.rxmode = {.mq_mode = queues > 1 ? RTE_ETH_MQ_RX_RSS : RTE_ETH_MQ_RX_NONE}};
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		"packets", 1024 * queues, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);

	if (!pool || rte_eth_dev_configure(PORT, queues, queues, &conf))
		return -1;
	for (unsigned q = 0; q < queues; q++)
		if (rte_eth_rx_queue_setup(PORT, q, 256, SOCKET_ID_ANY, NULL, pool) ||
		    rte_eth_tx_queue_setup(PORT, q, 256, SOCKET_ID_ANY, NULL))
			return -1;
	return rte_eth_dev_start(PORT);
}

static int apply_rules(const char *file, struct sriov_rte **port, struct sriov_error *err)
{
	struct sriov_rules rules = {0};
	struct sriov_rte_count count;
	int r = sriov_rte_open(PORT, port, err);

	if (!r)
		r = sriov_rules_read(file, &rules, err);
	if (!r)
		r = sriov_rte_apply(*port, &rules, NULL, &count, err);
	if (!r)
		printf("%u rte_flow rules for %zu rules\n", count.created, rules.n);
	sriov_rules_clear(&rules);
	return r;
}

static void count_packets(unsigned queues)
{
	unsigned long long taken[QUEUES_MAX] = {0};

	while (!stopped)
		for (unsigned q = 0; q < queues; q++) {
			struct rte_mbuf *packet[BURST];
			uint16_t n = rte_eth_rx_burst(PORT, q, packet, BURST);

			rte_pktmbuf_free_bulk(packet, n);
			taken[q] += n;
		}
	for (unsigned q = 0; q < queues; q++)
		printf("queue %u: %llu packets\n", q, taken[q]);
}

int main(int argc, char **argv)
{
	struct sriov_error err = {0};
	struct sriov_rte *port = NULL;
	int eal = rte_eal_init(argc, argv), queues;

	if (eal < 0 || argc - eal < 2) {
		fprintf(stderr, "usage: steer DPDK-ARGUMENTS -- RULES [QUEUES]\n");
		return 1;
	}
	queues = argc - eal > 2 ? atoi(argv[eal + 2]) : 1;
	if (queues < 1 || queues > QUEUES_MAX || start_port(queues)) {
		fprintf(stderr, "port %d cannot be started with %d queues\n", PORT, queues);
		return 1;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	if (apply_rules(argv[eal + 1], &port, &err)) {
		fprintf(stderr, "%s: %s\n", err.object, err.message);
		if (err.kernel[0])
			fprintf(stderr, "  %s\n", err.kernel);
		if (err.hint[0])
			fprintf(stderr, "  hint: %s\n", err.hint);
	} else {
		count_packets(queues);
	}
	sriov_rte_close(port);
	rte_eth_dev_stop(PORT);
	rte_eal_cleanup();
	return err.code ? 1 : 0;
}
