/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes packets: no frame and no text may crash a reader, every refusal of a text says something, what is read
 * has words that read as the same packet, and takes some way through each modelled NIC, the same with its
 * reasons and without.
 *
 * The first byte says what the rest is: even, a frame; odd, a text.
 */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <sriov/trace.h>

static const char *const rules_of[][2] = {
	{"82599,vfs=4", "udp4 src-ip 10.0.0.0/8 dst-ip 10.0.0.7 vf 3\n"
			"sctp4 src-ip 10.0.0.0/8 dst-ip 10.0.0.8 drop\n"},
	{"X550", "ip4 dst-ip 10.0.0.0/8 vid 5 queue 1\n"},
	{"X710,vfs=4",
	 "udp4 dst-port 4789 user-def 0x00040102 m 0xffffffff00000000 queue 1\n"
	 "tcp6 dst-port 80 vlan 5 in vf 2 queue 1\nip6-other src-ip 2001:db8::1 drop\n"},
	{"I210", "ether proto 0x88f7 queue 1\n"},
};
#define NICS (sizeof(rules_of) / sizeof(*rules_of))

static struct sriov_tracer *tracer_of(size_t i)
{
	struct sriov_trace_entry entries[16] = {0};
	struct sriov_compiled compiled = {0};
	struct sriov_rules rules = {0};
	static uint32_t table[128];
	struct sriov_tracer *tracer;
	struct sriov_pf port;

	MUST(!sriov_nic_port(rules_of[i][0], &port, NULL));
	MUST(!sriov_rules_parse(rules_of[i][1], NULL, &rules, NULL));
	MUST(!sriov_rules_compile(&rules, &port, &(struct sriov_compile){.allow = ~0u}, &compiled,
				  NULL));
	MUST(compiled.nentries <= 16);
	for (size_t k = 0; k < compiled.nentries; k++)
		entries[k].entry = compiled.entry[k];
	for (size_t k = 0; k < 128; k++)
		table[k] = k % 4;
	port.rss = table;
	port.nrss = 128;
	port.nrss_key = sizeof(port.rss_key);
	memset(port.rss_key, 0x6d, sizeof(port.rss_key));
	MUST(!sriov_tracer_new(&port, entries, compiled.nentries, &tracer, NULL));
	sriov_compiled_clear(&compiled);
	sriov_rules_clear(&rules);
	return tracer;
}

static void walk(const struct sriov_packet *packet)
{
	static struct sriov_tracer *tracer[NICS];

	for (size_t i = 0; i < NICS; i++) {
		for (unsigned from = 0; from < 4; from++) {
			struct sriov_ingress in = {from > 2 ? SRIOV_FROM_VF : from,
						   from > 2 ? 99 : 1};
			struct sriov_trace fast, told;
			struct sriov_story story;
			char text[64];

			tracer[i] = tracer[i] ? tracer[i] : tracer_of(i);
			sriov_trace(tracer[i], packet, in, &fast);
			sriov_trace_explain(tracer[i], packet, in, &told, &story);
			MUST(!memcmp(&fast, &told, sizeof(fast)));
			MUST(story.n && story.n < SRIOV_STORY_LINES);
			sriov_trace_format(&told, text, sizeof(text));
			MUST(text[0]);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char words[SRIOV_PACKET_TEXT], again[SRIOV_PACKET_TEXT];
	struct sriov_packet packet;
	struct sriov_error err = {0};
	int r;

	if (!size)
		return 0;
	if (*data % 2) {
		char *text = fuzz_text(data + 1, size - 1);

		r = sriov_packet_parse(text, &packet, &err);
		free(text);
		if (r) {
			fuzz_refused(r, &err);
			return 0;
		}
	} else {
		r = sriov_packet_decode(data + 1, size - 1, &packet);
		MUST(!r || r == -ENODATA || r == -EBADMSG);
		if (r)
			return 0;
	}
	MUST(!sriov_packet_format(&packet, words, sizeof(words)));
	MUST(!sriov_packet_parse(words, &packet, NULL));
	MUST(!sriov_packet_format(&packet, again, sizeof(again)));
	MUST(!strcmp(words, again));
	walk(&packet);
	return 0;
}
