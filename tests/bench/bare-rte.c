/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What creating rules costs DPDK alone: N rules for addresses in a bare loop of rte_flow_create() on a port.
 *
 *     bare-rte PCI-ADDRESS N
 *
 * Prints the milliseconds of the loop.
 */
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_flow.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static void start(char *address)
{
	char *words[] = {"bare-rte", "--in-memory", "--no-telemetry", "--log-level",
			 "*:error",  "-a",          address};
	const struct rte_eth_conf conf = {.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS};
	struct rte_mempool *pool;

	if (rte_eal_init(7, words) < 0)
		exit(1);
	pool = rte_pktmbuf_pool_create("bare", 4095, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
				       SOCKET_ID_ANY);
	if (!pool || rte_eth_dev_configure(0, 4, 4, &conf))
		exit(1);
	for (int q = 0; q < 4; q++)
		if (rte_eth_rx_queue_setup(0, q, 512, SOCKET_ID_ANY, NULL, pool) ||
		    rte_eth_tx_queue_setup(0, q, 512, SOCKET_ID_ANY, NULL))
			exit(1);
	if (rte_eth_dev_start(0))
		exit(1);
}

/* As sriov-rte has them: a number of its own in each rule, by which the driver tells filters apart. */
static void create(unsigned i)
{
	const struct rte_flow_attr attr = {.ingress = 1};
	const struct rte_flow_item_ipv4 spec = {.hdr.dst_addr = rte_cpu_to_be_32(10 << 24 | i)},
					mask = {.hdr.dst_addr = ~0u};
	const struct rte_flow_item items[] = {
		{.type = RTE_FLOW_ITEM_TYPE_ETH},
		{.type = RTE_FLOW_ITEM_TYPE_IPV4, .spec = &spec, .mask = &mask},
		{.type = RTE_FLOW_ITEM_TYPE_END},
	};
	const struct rte_flow_action_queue queue = {i % 4};
	const struct rte_flow_action_mark mark = {i + 1};
	const struct rte_flow_action actions[] = {
		{RTE_FLOW_ACTION_TYPE_QUEUE, &queue},
		{RTE_FLOW_ACTION_TYPE_MARK, &mark},
		{RTE_FLOW_ACTION_TYPE_END, NULL},
	};
	struct rte_flow_error error = {0};

	if (rte_flow_create(0, &attr, items, actions, &error))
		return;
	fprintf(stderr, "rule %u: %s\n", i, error.message ? error.message : "refused");
	exit(1);
}

int main(int argc, char **argv)
{
	unsigned n = argc == 3 ? atoi(argv[2]) : 0;
	double begun;

	if (!n)
		return 2;
	start(argv[1]);
	begun = now_ms();
	for (unsigned i = 0; i < n; i++)
		create(i);
	printf("%.1f\n", now_ms() - begun);
	rte_eth_dev_stop(0);
	rte_eth_dev_close(0);
	rte_eal_cleanup();
	return 0;
}
