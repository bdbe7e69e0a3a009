/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sriov-rte: the owner of ports that DPDK has and no application wants. It starts them, carries out requests for rules
 * that come over a unix socket, one at a time, and brings the last ones back when it starts again.
 */
#ifndef SRIOV_RTE_OWNER_H
#define SRIOV_RTE_OWNER_H

#include "lib/core/core.h"

#include <signal.h>
#include <sriov/rte.h>

#define PORTS_MAX 8
#define QUEUES_MAX 64

/* A port that is asked for: a PCI address, or a virtual device as DPDK's --vdev takes it. */
struct device {
	char name[64]; /* as DPDK calls it */
	const char *args;
	bool virtual;
};

struct port {
	unsigned id;
	const struct device *device;
	struct sriov_rte *rte;
	unsigned queues;
	uint64_t sunk[QUEUES_MAX]; /* packets taken from each queue, with --sink */
	bool isolated;
	char *list, *isolation;    /* the requests that stand, as lines; NULL: none */
	char degraded[512];        /* why what was recorded is not there; "" if it is */
	struct sriov_error unable; /* why it takes no rules; code 0: it does, as far as is known */
};

struct owner {
	struct device device[PORTS_MAX];
	size_t ndevices;
	struct port port[PORTS_MAX];
	size_t nports;
	unsigned queues;
	bool sink;
	const char *socket, *host_spec;
	struct sriov_host *host;
	bool started;                 /* DPDK is */
	int64_t started_ms, ready_ms; /* core_monotonic_ms() */
	volatile sig_atomic_t stopped;
};

/* ---- dpdk.c ---- */

/* Everything that can be told before DPDK is started: the devices are there and bound for it, there is memory. */
int dpdk_check(const struct owner *owner, bool no_huge, struct sriov_error *err);
/* Starts DPDK with @args of its own besides, then the ports with their queues. */
int dpdk_start(struct owner *owner, char **args, int nargs, struct sriov_error *err);
void dpdk_stop(struct owner *owner);
/* Takes what has come to the ports and drops it, counted by queue; true if there was any. */
bool dpdk_sink(struct owner *owner);
/* What DPDK counted of a port: packets received, and missed for want of buffers. */
void dpdk_counters(const struct port *port, uint64_t *received, uint64_t *missed);

/* ---- handle.c ---- */

/* The answer to a request as a line without its end, in fresh memory; NULL without it. */
char *handle_request(struct owner *owner, const char *line, size_t size);
/*
 * Finds out which ports take rules, as far as they can be asked (port->unable), and brings back what is recorded of
 * every port; what cannot be is kept in port->degraded.
 */
void handle_recorded(struct owner *owner);

/* ---- server.c ---- */

struct server;
/* -EADDRINUSE: another owner has the socket. */
int server_open(struct owner *owner, struct server **out, struct sriov_error *err);
/* Serves until owner->stopped. */
void server_run(struct server *server);
void server_close(struct server *server);

#endif
