/* SPDX-License-Identifier: Apache-2.0 */
/* Packets: words and frames, whole, cut off and contradicting themselves. */
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <sriov/trace.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* ---- words ---- */

/* Read and printed: NULL = as it stands. */
static void words(void **state)
{
	static const struct {
		const char *text, *printed;
	} rows[] = {
		{"udp 198.51.100.7:1024 > 10.0.0.7:4789", NULL},
		{"tcp 1.2.3.4:0 > 5.6.7.8:65535", NULL},
		{"sctp [2001:db8::1]:1 > [2001:db8::2]:2", NULL},
		{"udp   1.2.3.4:5 > 6.7.8.9:10   # note", "udp 1.2.3.4:5 > 6.7.8.9:10"},
		{"udp 1.2.3.4:0x10 > 6.7.8.9:10", "udp 1.2.3.4:16 > 6.7.8.9:10"},
		{"udp 1.2.3.4:5 > 6.7.8.9:10 vid 100 prio 3", NULL},
		{"udp 1.2.3.4:5 > 6.7.8.9:10 prio 3 vid 100",
		 "udp 1.2.3.4:5 > 6.7.8.9:10 vid 100 prio 3"},
		{"udp 1.2.3.4:5 > 6.7.8.9:10 vid 100 prio 0", "udp 1.2.3.4:5 > 6.7.8.9:10 vid 100"},
		{"udp 1.2.3.4:5 > 6.7.8.9:10 prio 0", "udp 1.2.3.4:5 > 6.7.8.9:10 vid 0"},
		{"udp 1.2.3.4:5 > 6.7.8.9:10 vid 4095 prio 7 dei tpid 0x88a8 inner-vid 1 "
		 "inner-prio 1 inner-dei",
		 NULL},
		{"udp 1.2.3.4:5 > 6.7.8.9:10 tpid 0x8100", "udp 1.2.3.4:5 > 6.7.8.9:10 vid 0"},
		{"udp 1.2.3.4:5 > 6.7.8.9:10 dmac 52:54:00:00:00:01 smac 02:00:00:00:00:FE",
		 "udp 1.2.3.4:5 > 6.7.8.9:10 dmac 52:54:00:00:00:01 smac 02:00:00:00:00:fe"},
		{"udp 1.2.3.4:5 > 6.7.8.9:10 frag", NULL},
		{"udp 1.2.3.4 > 6.7.8.9 frag", NULL},
		{"ip 1.2.3.4 > 6.7.8.9 proto 17 frag", "udp 1.2.3.4 > 6.7.8.9 frag"},
		{"tcp 2001:db8::1 > 2001:db8::2 frag", NULL},
		{"icmp 1.2.3.4 > 6.7.8.9", NULL},
		{"icmp 2001:db8::1 > 2001:db8::2", NULL},
		{"icmp [2001:db8::1] > 2001:db8::2", "icmp 2001:db8::1 > 2001:db8::2"},
		{"ip 2001:db8::1 > 2001:db8::2 proto 58", "icmp 2001:db8::1 > 2001:db8::2"},
		{"ip 1.2.3.4 > 6.7.8.9 proto 58", NULL},
		{"ip 1.2.3.4 > 6.7.8.9 proto 0", NULL},
		{"ip 2001:db8::1 > 2001:db8::2 proto 50 ext-headers", NULL},
		{"ether 0x88f7", NULL},
		{"ether 2054 dmac ff:ff:ff:ff:ff:ff", "ether 0x0806 dmac ff:ff:ff:ff:ff:ff"},
		{"ether 0x8100 vid 1 inner-vid 2", NULL},
		{"udp 1.2.3.4:5 > 6.7.8.9:10 payload 0012fF", "udp 1.2.3.4:5 > 6.7.8.9:10 payload "
							      "0012ff"},
		{"udp 1.2.3.4:5 > 6.7.8.9:10 payload 00 payload 12",
		 "udp 1.2.3.4:5 > 6.7.8.9:10 payload 0012"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *printed = rows[i].printed ? rows[i].printed : rows[i].text;
		char text[SRIOV_PACKET_TEXT], again[SRIOV_PACKET_TEXT];
		struct sriov_error err = {0};
		struct sriov_packet packet;

		if (sriov_packet_parse(rows[i].text, &packet, &err))
			fail_msg("%s: %s", rows[i].text, err.message);
		assert_int_equal(sriov_packet_format(&packet, text, sizeof(text)), 0);
		assert_string_equal(text, printed);
		assert_int_equal(sriov_packet_parse(text, &packet, NULL), 0);
		assert_int_equal(sriov_packet_format(&packet, again, sizeof(again)), 0);
		assert_string_equal(text, again);
		assert_int_equal(sriov_packet_format(&packet, again, strlen(text)), -ENOSPC);
	}
}

#define UDP "udp 1.2.3.4:5 > 6.7.8.9:10 "

static void malformed(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{"", "expected tcp, udp, sctp, icmp, ip or ether"},
		{"upd 1.2.3.4:5 > 6.7.8.9:10", "expected tcp, udp, sctp, icmp, ip or ether"},
		{"udp", "expected an address such as"},
		{"udp 1.2.3.4:5", "expected '>' between the addresses"},
		{"udp 1.2.3.4:5 6.7.8.9:10", "expected '>' between the addresses"},
		{"udp 1.2.3.4:5 >", "expected an address such as"},
		{"udp 1.2.3.4:5 > 6.7.8.9", "expected a port too"},
		{"udp 1.2.3.4 > 6.7.8.9:10", "expected an address without port"},
		{"udp 1.2.3.4 > 6.7.8.9", "expected ports of an unfragmented packet"},
		{"udp 1.2.3.4:5 > [2001:db8::1]:10", "expected an IPv4 address"},
		{"udp [2001:db8::1]:10 > 1.2.3.4:5", "expected an IPv6 address"},
		{"udp [2001:db8::1:10 > 1.2.3.4:5", "expected an address such as"},
		{"udp [2001:db8::1]x > 1.2.3.4:5", "expected an address such as"},
		{"udp 1.2.3.4:65536 > 6.7.8.9:10", "expected an address such as"},
		{"udp 1.2.3.4: > 6.7.8.9:10", "expected an address such as"},
		{"udp 1.2.3.400:5 > 6.7.8.9:10", "expected an address such as"},
		{"icmp 1.2.3.4:5 > 6.7.8.9:10", "expected addresses without ports"},
		{"ip 1.2.3.4 > 6.7.8.9", "expected 'proto' with the number"},
		{"ip 1.2.3.4 > 6.7.8.9 proto 256", "a number from 0 to 255 behind 'proto'"},
		{"ip 1.2.3.4 > 6.7.8.9 proto 6", "expected ports of an unfragmented packet"},
		{"ip 1.2.3.4 > 6.7.8.9 proto 1 proto 2", "'proto' is said twice"},
		{UDP "proto 17", "expected no 'proto' here"},
		{UDP "vid 4096", "a number from 0 to 4095 behind 'vid'"},
		{UDP "vid", "a number from 0 to 4095 behind 'vid'"},
		{UDP "vid x", "a number from 0 to 4095 behind 'vid'"},
		{UDP "prio 8", "a number from 0 to 7 behind 'prio'"},
		{UDP "tpid 0x9100", "expected 0x8100 or 0x88a8"},
		{UDP "inner-vid 5", "expected an outer tag too"},
		{UDP "vid 100 vid 200", "'vid' is said twice"},
		{UDP "vid 1 inner-prio 2 dei inner-prio 2", "'inner-prio' is said twice"},
		{UDP "dmac 02:00:00:00:00:01 smac 02:00:00:00:00:01 dmac 02:00:00:00:00:01",
		 "'dmac' is said twice"},
		{UDP "frag frag", "'frag' is said twice"},
		{UDP "dmac 52:54:00", "expected a MAC address"},
		{UDP "smac", "expected a MAC address"},
		{UDP "payload 123", "bytes in hexadecimal"},
		{UDP "payload zz", "bytes in hexadecimal"},
		{UDP "payload", "bytes in hexadecimal"},
		{UDP "fragg", "'fragg' is no word of an IPv4 packet"},
		{UDP "ext-headers", "'ext-headers' is no word of an IPv4 packet"},
		{"ether", "a number from 0 to 65535 behind 'ether'"},
		{"ether 0x10000", "a number from 0 to 65535 behind 'ether'"},
		{"ether 0x0800", "expected a type that is not IP"},
		{"ether 0x8100", "expected the type behind the tags"},
		{"ether 0x8100 vid 1", "expected the type behind the tags"},
		{"ether 0x88f7 frag", "'frag' is no word of a packet that is not IP"},
		{UDP "vid \001", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_packet packet, before;
		struct sriov_error err = {0};

		memset(&packet, 0x5a, sizeof(packet));
		before = packet;
		assert_int_equal(sriov_packet_parse(rows[i].text, &packet, &err), -EINVAL);
		if (!strstr(err.message, rows[i].message))
			fail_msg("%s: %s", rows[i].text, err.message);
		assert_memory_equal(&packet, &before, sizeof(packet));
	}
}

static void payload_has_an_end(void **state)
{
	char text[512] = UDP;
	struct sriov_packet packet;

	for (unsigned i = 0; i < 4; i++)
		strcat(text, " payload 00000000000000000000000000000000");
	assert_int_equal(sriov_packet_parse(text, &packet, NULL), 0);
	assert_int_equal(packet.payload_size, 64);
	strcat(text, " payload 00");
	assert_int_equal(sriov_packet_parse(text, &packet, NULL), -EINVAL);
}

static void ingress(void **state)
{
	static const struct {
		const char *text;
		int r;
		struct sriov_ingress from;
	} rows[] = {
		{"wire", 0, {SRIOV_FROM_WIRE, 0}},
		{"pf", 0, {SRIOV_FROM_PF, 0}},
		{"vf 3", 0, {SRIOV_FROM_VF, 3}},
		{"vf3", 0, {SRIOV_FROM_VF, 3}},
		{"vf 255", 0, {SRIOV_FROM_VF, 255}},
		{"vf 256", -EINVAL, {0}},
		{"vf", -EINVAL, {0}},
		{"vf  3", -EINVAL, {0}},
		{"VF 3", -EINVAL, {0}},
		{"", -EINVAL, {0}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_ingress from = {0};
		struct sriov_error err;

		assert_int_equal(sriov_ingress_parse(rows[i].text, &from, &err), rows[i].r);
		assert_int_equal(from.kind, rows[i].from.kind);
		assert_int_equal(from.vf, rows[i].from.vf);
	}
}

/* ---- frames ---- */

#define MACS                                                                                       \
	"525400000001"                                                                             \
	"020000000002"
#define IP4(total, fragment, proto)                                                                \
	"4500" total "0000" fragment "40" proto "0000"                                             \
	"01020304"                                                                                 \
	"06070809"
#define IP6(payload, next)                                                                         \
	"60000000" payload next "40"                                                               \
	"20010db8000000000000000000000001"                                                         \
	"20010db8000000000000000000000002"
#define PORTS "0005000a"
#define MAC_WORDS " dmac 52:54:00:00:00:01 smac 02:00:00:00:00:02"

static size_t bytes_of(const char *hex, uint8_t *out)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		unsigned value;

		assert_int_equal(sscanf(hex + 2 * i, "%2x", &value), 1);
		out[i] = value;
	}
	return n;
}

static void frames(void **state)
{
	static const struct {
		const char *frame;
		int r;
		const char *words; /* before the MAC addresses and behind them */
		const char *more;
	} rows[] = {
		{MACS "0800" IP4("001f", "0000", "11") PORTS "000b0000"
							     "aabbcc",
		 0, "udp 1.2.3.4:5 > 6.7.8.9:10", " payload aabbcc"},
		/* Ethernet's padding is no payload */
		{MACS "0800" IP4("001c", "0000", "11") PORTS "00080000"
							     "000000000000",
		 0, "udp 1.2.3.4:5 > 6.7.8.9:10", ""},
		{MACS "8100"
		      "6064"
		      "0800" IP4("001c", "0000", "11") PORTS "00080000",
		 0, "udp 1.2.3.4:5 > 6.7.8.9:10 vid 100 prio 3", ""},
		{MACS "88a8"
		      "0001"
		      "8100"
		      "1002"
		      "0800" IP4("001c", "0000", "11") PORTS "00080000",
		 0, "udp 1.2.3.4:5 > 6.7.8.9:10 vid 1 tpid 0x88a8 inner-vid 2 inner-dei", ""},
		{MACS "8100"
		      "0001"
		      "8100"
		      "0002"
		      "8100"
		      "0003"
		      "0800",
		 0, "ether 0x8100 vid 1 inner-vid 2", ""},
		/* a TCP header of 24 bytes */
		{MACS "0800" IP4("002e", "0000", "06") PORTS "0000000000000000"
							     "6000"
							     "000000000000"
							     "01020304"
							     "beef",
		 0, "tcp 1.2.3.4:5 > 6.7.8.9:10", " payload beef"},
		{MACS "0800" IP4("0022", "0000", "84") PORTS "0000000000000000"
							     "beef",
		 0, "sctp 1.2.3.4:5 > 6.7.8.9:10", " payload beef"},
		/* total length 0: a frame of a NIC that cuts it up itself */
		{MACS "0800" IP4("0000", "0000", "11") PORTS "00000000"
							     "aa",
		 0, "udp 1.2.3.4:5 > 6.7.8.9:10", " payload aa"},
		/* options of IPv4 */
		{MACS "0800"
		      "460000200000000040110000"
		      "01020304"
		      "06070809"
		      "94040000" PORTS "00080000",
		 0, "udp 1.2.3.4:5 > 6.7.8.9:10", ""},
		/* first, later and last fragments; a first one without ports */
		{MACS "0800" IP4("001c", "2000", "11") PORTS "00080000", 0,
		 "udp 1.2.3.4:5 > 6.7.8.9:10", " frag payload 0005000a00080000"},
		{MACS "0800" IP4("001c", "2001", "11") PORTS "00080000", 0, "udp 1.2.3.4 > 6.7.8.9",
		 " frag payload 0005000a00080000"},
		{MACS "0800" IP4("001c", "0001", "11") PORTS "00080000", 0, "udp 1.2.3.4 > 6.7.8.9",
		 " frag payload 0005000a00080000"},
		{MACS "0800" IP4("0016", "2000", "11") "0005", 0, "udp 1.2.3.4 > 6.7.8.9",
		 " frag payload 0005"},
		/* DF is no fragment */
		{MACS "0800" IP4("001c", "4000", "11") PORTS "00080000", 0,
		 "udp 1.2.3.4:5 > 6.7.8.9:10", ""},
		{MACS "0800" IP4("0016", "0000", "01") "0800", 0, "icmp 1.2.3.4 > 6.7.8.9",
		 " payload 0800"},
		{MACS "0800" IP4("0014", "0000", "2f"), 0, "ip 1.2.3.4 > 6.7.8.9 proto 47", ""},
		{MACS "86dd" IP6("0008", "11") PORTS "00080000", 0,
		 "udp [2001:db8::1]:5 > [2001:db8::2]:10", ""},
		/* hop by hop, then destination options of 16 bytes */
		{MACS "86dd" IP6("0020", "00") "3c00000000000000"
					       "1101000000000000"
					       "0000000000000000" PORTS "00080000",
		 0, "udp [2001:db8::1]:5 > [2001:db8::2]:10", " ext-headers"},
		{MACS "86dd" IP6("0010", "2c") "1100000100000001" PORTS "00080000", 0,
		 "udp [2001:db8::1]:5 > [2001:db8::2]:10", " frag payload 0005000a00080000"},
		{MACS "86dd" IP6("0010", "2c") "1100000800000001" PORTS "00080000", 0,
		 "udp 2001:db8::1 > 2001:db8::2", " frag payload 0005000a00080000"},
		{MACS "86dd" IP6("0000", "3b"), 0, "ip 2001:db8::1 > 2001:db8::2 proto 59", ""},
		{MACS "0806"
		      "0001",
		 0, "ether 0x0806", ""},
		{MACS "0026"
		      "4242",
		 0, "ether 0x0026", ""},
		/* cut off */
		{MACS, -ENODATA, NULL, NULL},
		{MACS "08", -ENODATA, NULL, NULL},
		{MACS "8100"
		      "00",
		 -ENODATA, NULL, NULL},
		{MACS "0800"
		      "4500",
		 -ENODATA, NULL, NULL},
		{MACS "0800"
		      "460000200000000040110000"
		      "01020304"
		      "06070809"
		      "94",
		 -ENODATA, NULL, NULL},
		{MACS "0800" IP4("001c", "0000", "11") "0005", -ENODATA, NULL, NULL},
		{MACS "86dd"
		      "6000",
		 -ENODATA, NULL, NULL},
		{MACS "86dd" IP6("0020", "00") "3c0000", -ENODATA, NULL, NULL},
		{MACS "86dd" IP6("0020", "00") "3c01000000000000", -ENODATA, NULL, NULL},
		/* cut off behind all that decides */
		{MACS "0800" IP4("0500", "0000", "06") PORTS, 0, "tcp 1.2.3.4:5 > 6.7.8.9:10", ""},
		/* contradictions */
		{MACS "0800"
		      "60"
		      "00001c0000000040110000"
		      "01020304"
		      "06070809",
		 -EBADMSG, NULL, NULL},
		{MACS "0800"
		      "44"
		      "00001c0000000040110000"
		      "01020304"
		      "06070809",
		 -EBADMSG, NULL, NULL},
		{MACS "0800" IP4("0013", "0000", "11") PORTS, -EBADMSG, NULL, NULL},
		{MACS "0800" IP4("0016", "0000", "11") PORTS, -EBADMSG, NULL, NULL},
		{MACS "86dd"
		      "40"
		      "000000000811"
		      "40"
		      "20010db8000000000000000000000001"
		      "20010db8000000000000000000000002" PORTS,
		 -EBADMSG, NULL, NULL},
		{MACS "86dd" IP6("0002", "11") "00050000", -EBADMSG, NULL, NULL},
		{MACS "86dd" IP6("0004", "00") "11000000"
					       "00000000",
		 -EBADMSG, NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[SRIOV_PACKET_TEXT], wanted[SRIOV_PACKET_TEXT];
		struct sriov_packet packet, before;
		uint8_t frame[256];
		size_t n = bytes_of(rows[i].frame, frame);

		memset(&packet, 0x5a, sizeof(packet));
		before = packet;
		if (sriov_packet_decode(frame, n, &packet) != rows[i].r)
			fail_msg("row %zu: %s: %d", i, rows[i].frame,
				 sriov_packet_decode(frame, n, &packet));
		if (rows[i].r) {
			assert_memory_equal(&packet, &before, sizeof(packet));
			continue;
		}
		assert_int_equal(sriov_packet_format(&packet, text, sizeof(text)), 0);
		snprintf(wanted, sizeof(wanted), "%s" MAC_WORDS "%s", rows[i].words, rows[i].more);
		assert_string_equal(text, wanted);
		/* the words are the packet */
		assert_int_equal(sriov_packet_parse(text, &before, NULL), 0);
		assert_int_equal(before.has, packet.has);
		assert_int_equal(before.extension, packet.extension);
		assert_memory_equal(before.tag, packet.tag, sizeof(packet.tag));
	}
}

/* Nine extension headers: more than anything sends. */
static void endless_extensions(void **state)
{
	uint8_t frame[256];
	struct sriov_packet packet;
	size_t n = bytes_of(MACS "86dd" IP6("0060", "00"), frame);

	memset(frame + n, 0, 96);
	assert_int_equal(sriov_packet_decode(frame, n + 96, &packet), -EBADMSG);
}

/* No byte beyond the frame is read (under the sanitizers), and what is decoded has words. */
static void random_frames(void **state)
{
	const char *given = getenv("SRIOV_TEST_SEED");
	unsigned seed = given ? strtoul(given, NULL, 0) : (unsigned)time(NULL);
	size_t decoded = 0;

	print_message("SRIOV_TEST_SEED=%u\n", seed);
	srand(seed);
	for (unsigned i = 0; i < 200000; i++) {
		static const char *const starts[] = {MACS "0800"
							  "4500",
						     MACS "8100"
							  "0005"
							  "0800"
							  "45",
						     MACS "86dd"
							  "60",
						     MACS "86dd" IP6("0040", "00"), ""};
		uint8_t start[128];
		size_t known = bytes_of(starts[rand() % ARRAY_SIZE(starts)], start);
		size_t n = rand() % 150;
		uint8_t *frame = malloc(n + 1);
		struct sriov_packet packet;
		char text[SRIOV_PACKET_TEXT];

		assert_non_null(frame);
		for (size_t k = 0; k < n; k++)
			frame[k] = k < known ? start[k] : rand() % 5 ? rand() % 64 : rand();
		if (!sriov_packet_decode(frame, n, &packet)) {
			decoded++;
			assert_int_equal(sriov_packet_format(&packet, text, sizeof(text)), 0);
			assert_int_equal(sriov_packet_parse(text, &packet, NULL), 0);
		}
		free(frame);
	}
	assert_true(decoded > 10000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(malformed),
		cmocka_unit_test(payload_has_an_end),
		cmocka_unit_test(ingress),
		cmocka_unit_test(frames),
		cmocka_unit_test(endless_extensions),
		cmocka_unit_test(random_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
