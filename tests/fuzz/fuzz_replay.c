/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the replay models through recorded lines: no text may crash the reader or a model, every refusal
 * says something, tables stay in order and within their size, a model that is kept is the same again, and packets
 * meet only entries that are there. A line's member "nic" is tried as a model's hidden state.
 */
#include "flows/nic/replay_json.h"
#include "tests/fuzz/fuzz.h"

static void check_table(const struct nic_model *model)
{
	size_t n = nic_model_count(model);
	struct ethtool_rx_flow_spec spec;

	MUST(n <= nic_model_table_size(model));
	for (size_t i = 0; i < n; i++) {
		uint32_t loc = nic_model_loc(model, i);
		json_t *json;

		MUST(loc < nic_model_table_size(model));
		MUST(!i || loc > nic_model_loc(model, i - 1));
		MUST(!nic_model_get(model, loc, &spec) && spec.location == loc);
		json = spec_write(&spec);
		MUST(json);
		json_decref(json);
	}
}

/* Packets made of the input's own bytes, so that they have a chance to match. */
static void check_packets(const struct nic_model *model, const uint8_t *data, size_t size)
{
	static const uint8_t protocols[] = {1, 6, 17, 132};
	struct ethtool_rx_flow_spec spec;

	for (size_t at = 0; at + 40 < size && at < 400; at += 40) {
		struct nic_packet packet = {.ethertype = data[at] & 1 ? 0x0800 : 0x86dd,
					    .proto = protocols[data[at + 1] % 4],
					    .tagged = data[at] & 2,
					    .fragment = data[at] & 4,
					    .tci = data[at + 2],
					    .vf = data[at] & 8 ? data[at + 3] % 8 : -1};
		struct nic_hit hit;

		memcpy(packet.src_ip, data + at + 4, 16);
		memcpy(packet.dst_ip, data + at + 20, 16);
		if (nic_model_match(model, &packet, &hit))
			MUST(hit.loc == NIC_NO_RULE || !nic_model_get(model, hit.loc, &spec));
	}
}

static void check_hidden(const struct nic_device *device, const json_t *hidden)
{
	struct sriov_error err = {0};
	struct nic_model *model = NULL, *again = NULL;
	json_t *kept = NULL, *twice = NULL;

	if (nic_model_load(device, NULL, 0, hidden, &model, &err)) {
		MUST(err.code < 0 && err.message[0] && !model);
		return;
	}
	MUST(!nic_model_save(model, NULL, 0, &kept));
	MUST(!nic_model_load(device, NULL, 0, kept, &again, &err));
	MUST(!nic_model_save(again, NULL, 0, &twice));
	MUST(kept ? json_equal(kept, twice) : !twice);
	json_decref(kept);
	json_decref(twice);
	nic_model_free(again);
	nic_model_free(model);
}

static void check_model(const json_t *line, const uint8_t *data, size_t size)
{
	struct nic_device device;
	struct nic_model *model;
	const json_t *element;
	size_t i;

	if (nic_device_read(line, &device, NULL))
		return;
	if (json_object_get(line, "nic"))
		check_hidden(&device, json_object_get(line, "nic"));
	MUST(!nic_model_new(&device, &model, NULL));
	json_array_foreach(json_object_get(line, "ops"), i, element) {
		struct nic_outcome out;
		struct nic_op op;

		if (nic_op_read(element, &op, NULL))
			break;
		MUST(!nic_model_run(model, &op, &out));
		MUST(out.err <= 0 && !out.err == !out.why);
		check_table(model);
		check_packets(model, data, size);
	}
	nic_model_event(model, NIC_EVENT_VFS, data[0] & 1);
	nic_model_event(model, data[0] & 2 ? NIC_EVENT_NTUPLE_OFF : NIC_EVENT_DOWN, true);
	check_table(model);
	nic_model_free(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *answer = NULL, *again = NULL;
	struct sriov_error err = {0};
	json_t *line;
	int r;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	r = sriov_nic_replay(text, &answer, &err);
	MUST(r ? err.code == r && err.message[0] && err.object[0] && !answer : !!answer);
	if (!r) {
		MUST(!sriov_nic_replay(text, &again, &err));
		MUST(!strcmp(answer, again));
	}
	line = json_loads(text, 0, NULL);
	if (line)
		check_model(line, data, size);
	json_decref(line);
	free(again);
	free(answer);
	free(text);
	return 0;
}
