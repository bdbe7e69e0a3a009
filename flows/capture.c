/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capture files by libpcap, which is loaded when the first one is opened: linking it would cost every command
 * its start-up.
 */
#include "flows/capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>

/* What is used of libpcap. Each becomes a member that points at the symbol of that name. */
#define SYMBOLS(X)                                                                                 \
	X(pcap_fopen_offline)                                                                      \
	X(pcap_close)                                                                              \
	X(pcap_datalink)                                                                           \
	X(pcap_datalink_val_to_name)                                                               \
	X(pcap_geterr)                                                                             \
	X(pcap_next_ex)

struct library {
#define X(symbol) __typeof__(symbol) *symbol;
	SYMBOLS(X)
#undef X
};

struct sriov_capture {
	const struct library *lib;
	pcap_t *pcap;
	char name[96]; /* for errors */
};

static int load(const struct library **out, struct sriov_error *err)
{
	static struct library lib;
	static const struct core_symbol symbols[] = {
#define X(symbol) {#symbol, offsetof(struct library, symbol)},
		SYMBOLS(X)
#undef X
	};
	static struct core_library libpcap = {
		"libpcap", "libpcap.so.0.8", "captures cannot be read", "libpcap0.8",
		"1.10",    symbols,          ARRAY_SIZE(symbols),       &lib};
	int r = core_library_load(&libpcap, err);

	if (!r)
		*out = &lib;
	return r;
}

static void capture_freep(struct sriov_capture **capture)
{
	sriov_capture_close(*capture);
}

SRIOV_EXPORT void sriov_capture_close(struct sriov_capture *capture)
{
	if (!capture)
		return;
	if (capture->pcap)
		capture->lib->pcap_close(capture->pcap);
	free(capture);
}

/* Only frames have what the switch in a NIC looks at. */
static int check_link(const struct sriov_capture *capture, struct sriov_error *err)
{
	int link = capture->lib->pcap_datalink(capture->pcap);
	const char *name = capture->lib->pcap_datalink_val_to_name(link);

	if (link == DLT_EN10MB)
		return 0;
	sriov_error_set(err, -EINVAL, capture->name,
			"it is a capture of %s (link type %d), not of Ethernet frames",
			name ? name : "something unknown", link);
	return sriov_error_hint(err, "capture on the netdev itself: tcpdump -i NETDEV -w FILE");
}

SRIOV_EXPORT int sriov_capture_open(const char *path, struct sriov_capture **out,
				    struct sriov_error *err)
{
	_cleanup_(capture_freep)
	struct sriov_capture *capture = calloc(1, sizeof(*capture));
	char message[PCAP_ERRBUF_SIZE] = "";
	bool standard = !strcmp(path, "-");
	FILE *file;
	int r;

	if (!capture)
		return core_oom(err);
	core_copy(capture->name, sizeof(capture->name), standard ? "standard input" : path);
	r = load(&capture->lib, err);
	if (r)
		return r;
	file = standard ? fdopen(dup(STDIN_FILENO), "rb") : fopen(path, "rbe");
	if (!file)
		return core_errno(err, -errno, capture->name, "cannot be read");
	capture->pcap = capture->lib->pcap_fopen_offline(file, message);
	if (!capture->pcap) {
		fclose(file);
		sriov_error_set(err, -EINVAL, capture->name, "not a capture: %s", message);
		return sriov_error_hint(err, "a file as `tcpdump -w` or Wireshark writes it");
	}
	r = check_link(capture, err);
	if (r)
		return r;
	*out = core_steal(capture);
	return 0;
}

int capture_next(struct sriov_capture *capture, struct frame_view *out, struct sriov_error *err)
{
	struct pcap_pkthdr *header;
	const u_char *bytes;
	int r = capture->lib->pcap_next_ex(capture->pcap, &header, &bytes);

	if (r == PCAP_ERROR_BREAK)
		return 0;
	if (r != 1)
		return sriov_error_set(err, -EINVAL, capture->name, "it breaks off: %s",
				       capture->lib->pcap_geterr(capture->pcap));
	*out = (struct frame_view){bytes, header->caplen, header->len};
	return 1;
}
