/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Toeplitz hash on Microsoft's verification suite ("Verifying the RSS Hash Calculation", Windows driver
 * documentation), through packets in words; and what a port's RSS makes of it.
 */
#include "flows/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t key[RSS_KEY_MIN] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

static void vectors(void **state)
{
	static const struct {
		const char *packet;
		uint32_t plain, ports;
	} rows[] = {
		{"tcp 66.9.149.187:2794 > 161.142.100.80:1766", 0x323e8fc2, 0x51ccc178},
		{"tcp 199.92.111.2:14230 > 65.69.140.83:4739", 0xd718262a, 0xc626b0ea},
		{"tcp 24.19.198.95:12898 > 12.22.207.184:38024", 0xd2d0a5de, 0x5c2b394a},
		{"tcp 38.27.205.30:48228 > 209.142.163.6:2217", 0x82989176, 0xafc7327f},
		{"tcp 153.39.163.191:44251 > 202.188.127.2:1303", 0x5d1809c5, 0x10e828a2},
		{"tcp [3ffe:2501:200:1fff::7]:2794 > [3ffe:2501:200:3::1]:1766", 0x2cc18cd5,
		 0x40207d3d},
		{"tcp [3ffe:501:8::260:97ff:fe40:efab]:14230 > [ff02::1]:4739", 0x0f0c461c,
		 0xdde51bbf},
		{"tcp [3ffe:1900:4545:3:200:f8ff:fe21:67cf]:44251 > "
		 "[fe80::200:f8ff:fe21:67cf]:38024",
		 0x4b61e985, 0x02d1feef},
	};
	static struct trace_rss rss;

	trace_rss_init(&rss, key);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t input[RSS_INPUT_MAX];
		struct sriov_packet packet;
		size_t n;

		assert_int_equal(sriov_packet_parse(rows[i].packet, &packet, NULL), 0);
		n = trace_rss_input(&packet, false, input);
		assert_int_equal(trace_rss_hash(&rss, input, n), rows[i].plain);
		n = trace_rss_input(&packet, true, input);
		assert_int_equal(trace_rss_hash(&rss, input, n), rows[i].ports);
	}
}

/* A port of that NIC with the suite's key and a table that tells the hash: entry i is queue i. */
static struct sriov_tracer *port_of(const char *nic, size_t nrss,
				    void (*change)(struct sriov_pf *port))
{
	struct sriov_tracer *tracer = NULL;
	static uint32_t table[512];
	struct sriov_pf port;

	assert_int_equal(sriov_nic_port(nic, &port, NULL), 0);
	for (size_t i = 0; i < nrss; i++)
		table[i] = i;
	port.rss = table;
	port.nrss = nrss;
	memcpy(port.rss_key, key, sizeof(key));
	port.nrss_key = sizeof(key);
	if (change)
		change(&port);
	assert_int_equal(sriov_tracer_new(&port, NULL, 0, &tracer, NULL), 0);
	return tracer;
}

static int queue_of(const struct sriov_tracer *tracer, const char *words)
{
	struct sriov_packet packet;
	struct sriov_trace trace;

	assert_int_equal(sriov_packet_parse(words, &packet, NULL), 0);
	sriov_trace(tracer, &packet, (struct sriov_ingress){0}, &trace);
	assert_int_equal(trace.to, SRIOV_TO_PF);
	assert_int_equal(trace.stage, SRIOV_STAGE_RSS);
	return trace.queue;
}

#define TCP "tcp 66.9.149.187:2794 > 161.142.100.80:1766"
#define UDP "udp 66.9.149.187:2794 > 161.142.100.80:1766"
#define SCTP "sctp 66.9.149.187:2794 > 161.142.100.80:1766"
#define PLAIN (0x323e8fc2 & 127)
#define PORTS (0x51ccc178 & 127)

static void no_key(struct sriov_pf *port)
{
	port->nrss_key = 0;
}

static void no_table(struct sriov_pf *port)
{
	port->nrss = 0;
}

static void one_queue(struct sriov_pf *port)
{
	static uint32_t fives[] = {5, 5, 5, 5};

	port->rss = fives;
	port->nrss = ARRAY_SIZE(fives);
	port->nrss_key = 0;
}

static void one_ring(struct sriov_pf *port)
{
	port->queues = 1;
	port->nrss = 0;
}

static void udp_ports(struct sriov_pf *port)
{
	port->rss_fields[SRIOV_FLOW_UDP4] = SRIOV_HASH_IP | SRIOV_HASH_PORTS;
	port->rss_fields[SRIOV_FLOW_TCP4] = SRIOV_HASH_IP;
}

static void some_fields(struct sriov_pf *port)
{
	port->rss_fields[SRIOV_FLOW_UDP4] = SRIOV_HASH_IP | SRIOV_HASH_SRC_PORT;
	port->rss_fields[SRIOV_FLOW_TCP4] = SRIOV_HASH_SRC_IP | SRIOV_HASH_PORTS;
}

static void ntuple_off(struct sriov_pf *port)
{
	port->ntuple = SRIOV_NTUPLE_OFF;
}

/* -1 = unknown. */
static void queues(void **state)
{
	static const struct {
		const char *nic;
		size_t nrss;
		void (*change)(struct sriov_pf *port);
		const char *packet;
		int queue;
	} rows[] = {
		{"82599", 128, NULL, TCP, PORTS},
		{"82599", 128, NULL, TCP " vid 100 prio 3", PORTS},
		{"82599", 128, NULL, TCP " vid 100 inner-vid 5", -1},
		{"82599", 128, NULL, TCP " vid 100 tpid 0x88a8", -1},
		{"82599", 128, NULL, TCP " frag", PLAIN},
		{"82599", 128, NULL, UDP, PLAIN},
		{"82599", 128, NULL, SCTP, PLAIN},
		{"82599", 128, NULL, "icmp 66.9.149.187 > 161.142.100.80", PLAIN},
		{"82599", 128, NULL, "ip 66.9.149.187 > 161.142.100.80 proto 47", PLAIN},
		{"82599", 128, NULL, "ether 0x88f7", -1},
		{"82599", 128, NULL, "tcp [3ffe:2501:200:1fff::7]:2794 > [3ffe:2501:200:3::1]:1766",
		 0x40207d3d & 127},
		{"82599", 128, NULL,
		 "tcp [3ffe:2501:200:1fff::7]:2794 > [3ffe:2501:200:3::1]:1766 ext-headers", -1},
		{"82599", 128, udp_ports, UDP, PORTS},
		{"82599", 128, udp_ports, TCP, PLAIN},
		{"82599", 128, some_fields, UDP, -1},
		{"82599", 128, some_fields, TCP, -1},
		{"82599", 128, no_key, TCP, -1},
		{"82599", 128, no_table, TCP, -1},
		{"82599", 128, one_queue, "ether 0x88f7", 5},
		{"82599", 128, one_ring, TCP, 0},
		/* ATR without perfect filters, of TCP alone */
		{"82599", 128, ntuple_off, TCP, -1},
		{"82599", 128, ntuple_off, UDP, PLAIN},
		{"82599,vfs=4", 128, ntuple_off, TCP, PORTS},
		{"X550", 512, NULL, TCP, 0x51ccc178 & 511},
		{"X710", 512, NULL, UDP, 0x51ccc178 & 511},
		{"X710", 512, NULL, TCP, -1}, /* ATR, as no rule is of TCP */
		{"X710", 512, NULL, TCP " frag", 0x323e8fc2 & 511},
		{"X710", 512, NULL, SCTP, -1},
		{"X710", 512, NULL, "ip 66.9.149.187 > 161.142.100.80 proto 47", -1},
		{"I350", 128, NULL, TCP, PORTS},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_tracer *tracer = port_of(rows[i].nic, rows[i].nrss, rows[i].change);
		int queue = queue_of(tracer, rows[i].packet);

		if (queue != rows[i].queue)
			fail_msg("row %zu: %s: %d, not %d", i, rows[i].packet, queue,
				 rows[i].queue);
		sriov_tracer_free(tracer);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(queues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
