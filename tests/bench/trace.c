/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets a second of a trace over a capture: as many rules as the table of a port has entries, a capture of UDP
 * packets of which most meet one of them, both made here.
 *
 *     trace NIC RULES CAPTURE PACKETS    writes CAPTURE, and prints "entries N", "packets N", "hits N",
 *                                        "seconds S", "rate R" (packets a second of processor time, best of 5)
 */
#include "lib/core/core.h"

#include <arpa/inet.h>
#include <sriov/trace.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FRAME 60

static void die(const char *what)
{
	fprintf(stderr, "trace: %s\n", what);
	exit(1);
}

static uint32_t next(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* A UDP packet to 10.0.x.y, port 4789; the rules are for its first addresses. */
static void make_frame(uint32_t *state, unsigned rules, uint8_t out[FRAME])
{
	static const uint8_t start[] = {0x52, 0x54, 0, 0,  0, 1, 2,    0, 0,  0,  0, 2, 8,   0,
					0x45, 0,    0, 46, 0, 0, 0x40, 0, 64, 17, 0, 0, 198, 51};
	uint16_t host = htons(next(state) % (rules + rules / 8));
	uint16_t port = htons(1024 + next(state) % 60000), to = htons(4789), length = htons(26);

	memset(out, 0, FRAME);
	memcpy(out, start, sizeof(start));
	out[28] = 100;
	out[29] = next(state);
	out[30] = 10;
	memcpy(out + 32, &host, 2);
	memcpy(out + 34, &port, 2);
	memcpy(out + 36, &to, 2);
	memcpy(out + 38, &length, 2);
}

static void write_capture(const char *path, unsigned rules, unsigned packets)
{
	static const uint32_t header[] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};
	FILE *out = fopen(path, "wb");
	uint32_t state = 1;

	if (!out || fwrite(header, sizeof(header), 1, out) != 1)
		die("the capture cannot be written");
	for (unsigned i = 0; i < packets; i++) {
		const uint32_t record[] = {i / 1000, i % 1000, FRAME, FRAME};
		uint8_t frame[FRAME];

		make_frame(&state, rules, frame);
		if (fwrite(record, sizeof(record), 1, out) != 1 ||
		    fwrite(frame, sizeof(frame), 1, out) != 1)
			die("the capture cannot be written");
	}
	if (fclose(out))
		die("the capture cannot be written");
}

static struct sriov_tracer *make_tracer(const char *nic, const char *file, size_t *entries)
{
	struct sriov_compiled compiled = {0};
	struct sriov_tracer *tracer = NULL;
	struct sriov_trace_entry *table;
	struct sriov_rules rules = {0};
	struct sriov_error err = {0};
	struct sriov_pf port;

	if (sriov_nic_port(nic, &port, &err) || sriov_rules_read(file, &rules, &err) ||
	    sriov_rules_compile(&rules, &port, &(struct sriov_compile){0}, &compiled, &err))
		die(err.message);
	table = calloc(compiled.nentries + 1, sizeof(*table));
	for (size_t i = 0; table && i < compiled.nentries; i++)
		table[i].entry = compiled.entry[i];
	if (!table || sriov_tracer_new(&port, table, compiled.nentries, &tracer, &err))
		die(err.message);
	*entries = compiled.nentries;
	sriov_compiled_clear(&compiled);
	sriov_rules_clear(&rules);
	free(table);
	return tracer;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct sriov_trace_report report = {0};
	struct sriov_tracer *tracer;
	uint64_t hits = 0, packets = 0;
	double best = 0;
	size_t entries;

	if (argc != 5)
		die("NIC RULES CAPTURE PACKETS are needed");
	tracer = make_tracer(argv[1], argv[2], &entries);
	write_capture(argv[3], entries, strtoul(argv[4], NULL, 0));
	for (unsigned i = 0; i < 5; i++) {
		struct sriov_capture *capture = NULL;
		struct sriov_error err = {0};
		double began = seconds(), took;

		sriov_trace_report_clear(&report);
		if (sriov_capture_open(argv[3], &capture, &err) ||
		    sriov_trace_capture(capture, tracer, NULL, (struct sriov_ingress){0}, &report,
					&err))
			die(err.message);
		sriov_capture_close(capture);
		took = seconds() - began;
		best = !i || took < best ? took : best;
	}
	packets = report.packets;
	for (size_t i = 0; i < report.ncounts; i++)
		if (report.count[i].trace.entry != SRIOV_NO_ENTRY)
			hits += report.count[i].packets;
	printf("entries %zu\npackets %llu\nhits %llu\nseconds %.3f\nrate %.0f\n", entries,
	       (unsigned long long)packets, (unsigned long long)hits, best, packets / best);
	sriov_trace_report_clear(&report);
	sriov_tracer_free(tracer);
	return 0;
}
