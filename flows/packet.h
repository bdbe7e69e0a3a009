/* SPDX-License-Identifier: Apache-2.0 */
/* What packet.c knows of packets and others need. */
#ifndef SRIOV_FLOWS_PACKET_H
#define SRIOV_FLOWS_PACKET_H

#include "flows/flows.h"

#include <sriov/trace.h>

/* Its protocol is TCP, UDP or SCTP. */
bool packet_has_l4(const struct sriov_packet *packet);

#endif
