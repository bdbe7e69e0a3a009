/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of a capture file, one after the other. */
#ifndef SRIOV_FLOWS_CAPTURE_H
#define SRIOV_FLOWS_CAPTURE_H

#include "flows/flows.h"

#include <sriov/trace.h>

struct frame_view {
	const uint8_t *bytes; /* until the next one is read */
	size_t size;          /* captured */
	size_t whole;         /* on the wire */
};
/* 1 and the next frame, 0 at the end, or a negative errno with the error set. */
int capture_next(struct sriov_capture *capture, struct frame_view *out, struct sriov_error *err);

#endif
