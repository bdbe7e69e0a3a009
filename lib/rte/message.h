/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/rte/: answers of the owner. */
#ifndef SRIOV_RTE_MESSAGE_H
#define SRIOV_RTE_MESSAGE_H

#include "lib/core/core.h"

#include <sriov/rte.h>

/* The result of an answer as JSON text, which the caller frees; or the error that it carries. */
int message_answer(const char *line, size_t size, char **result, struct sriov_error *err);

/* -EOPNOTSUPP: a rule about @guest, for a port that DPDK owns. */
int rte_refuse_guest(const char *guest, struct sriov_error *err);

#endif
