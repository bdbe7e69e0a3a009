/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded lines of rule operations (tests/conformance/README.md) as JSON, read and answered. */
#ifndef SRIOV_FLOWS_NIC_REPLAY_JSON_H
#define SRIOV_FLOWS_NIC_REPLAY_JSON_H

#include "flows/nic/replay.h"
#include "flows/words.h"

/*
 * Replays one line {"id":…,"driver":…,"device":{…},"ops":[…]} on a fresh device; other members are
 * ignored. *@out: {"id":…,"results":[…],"final":{…}}, which the caller frees.
 */
int nic_replay_line(const json_t *line, json_t **out, struct sriov_error *err);

/* The parts of a line: a device, an operation. -EINVAL says what is wrong. */
int nic_device_read(const json_t *line, struct nic_device *out, struct sriov_error *err);
int nic_op_read(const json_t *op, struct nic_op *out, struct sriov_error *err);

/* spec_json.c: members loc, flow, flags, value, mask, cookie. */
int spec_read(const json_t *op, struct ethtool_rx_flow_spec *out, struct sriov_error *err);
int spec_read_loc(const json_t *op, uint32_t *loc, struct sriov_error *err);
/* NULL = out of memory. Zero fields are left out. */
json_t *spec_write(const struct ethtool_rx_flow_spec *spec);

#endif
