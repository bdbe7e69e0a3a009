/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes what OVS says: the first byte chooses whether it is the database's answers to a reading, what ovs-ofctl or
 * ovs-vswitchd prints, or a stream of messages.
 */
#include "lib/vswitch/live.h"
#include "tests/fuzz/fuzz.h"

#include <sys/socket.h>

/* The stream as a daemon would send it, all of it read. */
static void fuzz_stream(const char *text)
{
	struct jsonrpc rpc = {.who = "OVSDB", .notes = json_array()};
	struct sriov_error err = {0};
	int pair[2];

	MUST(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
	MUST(send(pair[1], text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
	MUST(!shutdown(pair[1], SHUT_WR));
	rpc.fd = pair[0];
	for (;;) {
		json_t *message = NULL;
		int r = jsonrpc_notification(&rpc, 0, &message, &err);

		MUST(!r == !!message);
		json_decref(message);
		if (r)
			break;
	}
	jsonrpc_close(&rpc);
	close(pair[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sriov_vswitch *vswitch;
	struct vswitch_policy policy = {0};
	struct sriov_error err = {0};
	json_t *json;
	char *text;

	if (!size)
		return 0;
	text = fuzz_text(data + 1, size - 1);
	vswitch = calloc(1, sizeof(*vswitch));
	MUST(vswitch);
	switch (data[0] % 4) {
	case 0:
		json = json_loads(text, 0, NULL);
		if (json && !ovsdb_judge(json, 0, &err))
			MUST(!ovs_answers(json, vswitch, &err));
		json_decref(json);
		break;
	case 1:
		MUST(!ovs_parse_flows(text, &policy));
		MUST(!ovs_parse_meters(text, &policy));
		ovs_error_line(text);
		break;
	case 2:
		MUST(!pmd_parse_rxqs(text, vswitch));
		break;
	case 3:
		fuzz_stream(text);
		break;
	}
	vswitch_policy_clear(&policy);
	sriov_vswitch_free(vswitch);
	free(text);
	return 0;
}
