/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What OVS needs for each guest's port to be local: on every node that has guests' memory a PMD thread and memory for
 * packets. OVS takes a port's packets from the guest's node and polls it there, if it can, as soon as the guest's driver
 * is up; before that nobody knows the node.
 */
#include "lib/vswitch/vswitch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SET "ovs-vsctl set Open_vSwitch . other_config:"

/* What one reading later may be otherwise. */
#define SECOND_READING_MS 2000

struct advising {
	const struct sriov_vswitch *is;
	const struct sriov_inventory *inv;
	struct cpuset mask;       /* cores of pmd-cpu-mask */
	struct cpuset interrupts; /* CPUs that take the PFs' interrupts */
	struct sriov_advice *at;
	size_t n;
	struct sriov_error *err;
};

static struct sriov_advice *add(struct advising *a, const char *id)
{
	struct sriov_advice *advice = core_grow(&a->at, &a->n, sizeof(*advice));

	if (advice)
		advice->id = id;
	return advice;
}

static bool node_cpus(const struct advising *a, int node, struct cpuset *out)
{
	for (size_t i = 0; i < a->inv->nnodes; i++) {
		if (a->inv->node[i].id == node)
			return !cpuset_parse(a->inv->node[i].cpus, out) && !cpuset_is_empty(out);
	}
	return false;
}

/* The next guest's port behind @port (NULL: the first), and its bridge. */
static const struct sriov_vswitch_port *next_guest(const struct advising *a, size_t *bridge,
						   size_t *port)
{
	for (; *bridge < a->is->nbridges; (*bridge)++, *port = 0) {
		const struct sriov_vswitch_bridge *its = &a->is->bridge[*bridge];

		while (*port < its->nports) {
			const struct sriov_vswitch_port *found = &its->port[(*port)++];

			if (vswitch_is_vhostuser(found))
				return found;
		}
	}
	return NULL;
}
#define FOR_EACH_GUEST(a, port) for (size_t b_ = 0, p_ = 0; ((port) = next_guest((a), &b_, &p_));)

/* The first guest's port on that node, or NULL. */
static const struct sriov_vswitch_port *guest_on(const struct advising *a, int node)
{
	const struct sriov_vswitch_port *port;

	FOR_EACH_GUEST(a, port)
	{
		if (port->node == node)
			return port;
	}
	return NULL;
}

/* ---- ports ---- */

static int advise_port(struct advising *a, const struct sriov_vswitch_port *port)
{
	/* a guest that is not there is no fault of its port */
	bool there = !strcmp(port->status, "connected");
	const char *why = vswitch_unready(port, there ? VSWITCH_CONNECTED : VSWITCH_MADE);
	struct sriov_advice *advice;

	if (!why)
		return 0;
	advice = add(a, vswitch_failed(port)  ? "port-failed"
			: there && !port->mtu ? "port-without-memory"
					      : "port-down");
	if (!advice)
		return core_oom(a->err);
	snprintf(advice->object, sizeof(advice->object), "port %s", port->name);
	snprintf(advice->finding, sizeof(advice->finding), "%s", why);
	snprintf(advice->evidence, sizeof(advice->evidence),
		 "Interface: ofport %d, status %s, link %s, mtu %u%s%.180s", port->ofport,
		 port->status[0] ? port->status : "none", port->link_up ? "up" : "down", port->mtu,
		 port->error[0] ? ", error: " : "", port->error);
	if (vswitch_failed(port))
		snprintf(
			advice->then, sizeof(advice->then),
			"ovs-vswitchd.log has the reasons; OVS tries again for ever until the port is "
			"deleted");
	else if (there && !port->mtu)
		snprintf(
			advice->then, sizeof(advice->then),
			"give OVS more memory (dpdk-socket-mem), or other_config:per-port-memory=true; "
			"both at its next start");
	else
		snprintf(advice->then, sizeof(advice->then),
			 "see the guest's own link, and ovs-vswitchd.log");
	return 0;
}

/* ---- cores ---- */

/* The core to poll with: the node's last that takes no interrupts of the NICs, or else its last. */
static int choose_core(const struct advising *a, const struct cpuset *cpus)
{
	int last = -1, quiet = -1;

	for (int cpu = cpuset_next(cpus, 0); cpu >= 0; cpu = cpuset_next(cpus, cpu + 1)) {
		last = cpu;
		if (!cpuset_has(&a->interrupts, cpu))
			quiet = cpu;
	}
	return quiet >= 0 ? quiet : last;
}

/* A mask with a core of every node that has guests; one advice for each node, all with the same mask. */
static int advise_mask(struct advising *a)
{
	struct cpuset wanted = a->mask;
	_free_ char *mask = NULL, *now = cpuset_text(&a->mask);
	size_t first = a->n;

	if (!now)
		return core_oom(a->err);
	/* without a mask OVS starts a thread on every node by itself */
	if (!a->is->pmd_cpu_mask[0])
		return 0;
	for (size_t i = 0; i < a->inv->nnodes; i++) {
		int node = a->inv->node[i].id, core;
		const struct sriov_vswitch_port *port = guest_on(a, node);
		struct sriov_advice *advice;
		struct cpuset cpus;

		if (!port || !node_cpus(a, node, &cpus) || cpuset_meets(&cpus, &a->mask))
			continue;
		core = choose_core(a, &cpus);
		cpuset_add(&wanted, core);
		advice = add(a, "no-local-pmd");
		if (!advice)
			return core_oom(a->err);
		snprintf(advice->object, sizeof(advice->object), "node %d", node);
		snprintf(
			advice->finding, sizeof(advice->finding),
			"no PMD thread runs there, so its guests' ports are polled from another node");
		snprintf(
			advice->evidence, sizeof(advice->evidence),
			"pmd-cpu-mask %.60s is CPUs %.60s; node %d has CPUs %.60s, and the guest of port "
			"%.60s",
			a->is->pmd_cpu_mask, now, node, a->inv->node[i].cpus, port->name);
		snprintf(
			advice->then, sizeof(advice->then),
			"with CPU %d of node %d; OVS stops forwarding for a moment while it makes its "
			"threads anew",
			core, node);
	}
	mask = vswitch_mask_text(&wanted);
	if (!mask)
		return core_oom(a->err);
	for (size_t i = first; i < a->n; i++)
		snprintf(a->at[i].command, sizeof(a->at[i].command), SET "pmd-cpu-mask=%s", mask);
	return 0;
}

static unsigned load_of(const struct sriov_vswitch *is, int core)
{
	unsigned n = 0;

	for (size_t i = 0; i < is->nrxqs; i++)
		n += is->rxq[i].core == core;
	return n;
}

/* The core of the mask on @node that polls the fewest queues, or -1. */
static int least_loaded(const struct advising *a, int node)
{
	struct cpuset cpus;
	int best = -1;

	if (!node_cpus(a, node, &cpus))
		return -1;
	for (int cpu = cpuset_next(&cpus, 0); cpu >= 0; cpu = cpuset_next(&cpus, cpu + 1)) {
		if (cpuset_has(&a->mask, cpu) &&
		    (best < 0 || load_of(a->is, cpu) < load_of(a->is, best)))
			best = cpu;
	}
	return best;
}

/* Queues of one port that are polled from elsewhere, though there is a PMD thread on the node. */
static int advise_queues(struct advising *a, const struct sriov_vswitch_port *port)
{
	int core = port->node < 0 ? -1 : least_loaded(a, port->node), elsewhere = -1;
	char affinity[128] = "";
	struct sriov_advice *advice;
	const char *queues = "";
	unsigned n = 0;

	for (size_t i = 0; core >= 0 && i < a->is->nrxqs; i++) {
		const struct sriov_vswitch_rxq *rxq = &a->is->rxq[i];
		size_t used = strlen(affinity);
		bool local = rxq->node == port->node;

		if (strcmp(rxq->port, port->name) != 0)
			continue;
		n += !local;
		elsewhere = local ? elsewhere : rxq->core;
		snprintf(affinity + used, sizeof(affinity) - used, "%s%u:%d", used ? "," : "",
			 rxq->queue, local ? rxq->core : core);
	}
	if (!n)
		return 0;
	queues = n == 1 ? "" : "s";
	advice = add(a, "remote-queue");
	if (!advice)
		return core_oom(a->err);
	snprintf(advice->object, sizeof(advice->object), "port %s", port->name);
	snprintf(advice->finding, sizeof(advice->finding),
		 "%u queue%s of it polled from another node than its guest's", n,
		 n == 1 ? " is" : "s are");
	snprintf(
		advice->evidence, sizeof(advice->evidence),
		"its guest's memory is on node %d (Interface status), and CPU %d polls its queue%s "
		"(pmd-rxq-show)%s%.80s",
		port->node, elsewhere, queues, port->affinity[0] ? "; pmd-rxq-affinity is " : "",
		port->affinity);
	snprintf(advice->command, sizeof(advice->command),
		 "ovs-vsctl set Interface %s 'other_config:pmd-rxq-affinity=\"%s\"'", port->name,
		 affinity);
	snprintf(advice->then, sizeof(advice->then),
		 "a core that some queue is bound to polls no other queues: OVS 3.1's default");
	return 0;
}

/* ---- memory ---- */

/*
 * MiB of mbufs. OVS 3.1: a pool of 262144 for each MTU and node, or with per-port-memory one of 20512 for each port of
 * one queue; of 3008 bytes each at MTU 1500. Both were seen in `netdev-dpdk/get-mempool-info`; the size at other MTUs
 * follows dpdk_buf_size() of lib/netdev-dpdk.c.
 */
static unsigned pool_mib(const struct sriov_vswitch *is, unsigned mtu)
{
	unsigned long size = (mtu + 26 + 128 + 1023) / 1024 * 1024 + 960;

	return ((is->per_port_memory ? 20512ul : 262144ul) * size + (1 << 20) - 1) >> 20;
}

static unsigned needed_mib(const struct advising *a, int node, unsigned *ports)
{
	const struct sriov_vswitch_port *port;
	unsigned mib = 0, mtus[8], n = 0;

	*ports = 0;
	FOR_EACH_GUEST(a, port)
	{
		unsigned mtu = port->mtu ? port->mtu : 1500, i = 0;

		if (port->node != node)
			continue;
		++*ports;
		while (i < n && mtus[i] != mtu)
			i++;
		if (!a->is->per_port_memory && i < n)
			continue;
		if (i == n && n < ARRAY_SIZE(mtus))
			mtus[n++] = mtu;
		mib += pool_mib(a->is, mtu);
	}
	return mib;
}

/* What dpdk-socket-mem gives the node, place by place. */
static unsigned given_mib(const char *list, int node)
{
	for (; node > 0; node--) {
		list = strchr(list, ',');
		if (!list)
			return 0;
		list++;
	}
	return strtoul(list, NULL, 10);
}

static int advise_memory(struct advising *a)
{
	char list[128] = "";
	size_t first = a->n;

	/* without it DPDK takes what it needs where it needs it */
	if (!a->is->socket_mem[0])
		return 0;
	for (size_t i = 0; i < a->inv->nnodes; i++) {
		int node = a->inv->node[i].id;
		unsigned ports, need = needed_mib(a, node, &ports);
		unsigned has = given_mib(a->is->socket_mem, node);
		size_t used = strlen(list);
		struct sriov_advice *advice;

		/* in whole GiB, as people write it */
		snprintf(list + used, sizeof(list) - used, "%s%u", used ? "," : "",
			 need > has ? (need + 1023) / 1024 * 1024 : has);
		if (need <= has)
			continue;
		advice = add(a, "no-local-memory");
		if (!advice)
			return core_oom(a->err);
		snprintf(advice->object, sizeof(advice->object), "node %d", node);
		snprintf(advice->finding, sizeof(advice->finding),
			 "OVS has %u MiB there, and the packets of its %u guest%s need %u MiB", has,
			 ports, ports == 1 ? "'s port" : "s' ports", need);
		snprintf(advice->evidence, sizeof(advice->evidence), "dpdk-socket-mem is %.60s; %s",
			 a->is->socket_mem,
			 a->is->per_port_memory
				 ? "a pool of 20512 mbufs for each port (per-port-memory)"
				 : "a pool of 262144 mbufs for each MTU (per-port-memory is off)");
		snprintf(
			advice->then, sizeof(advice->then),
			"takes hugepages of node %d, at the next start of ovs-vswitchd, which interrupts "
			"every port",
			node);
	}
	for (size_t i = first; i < a->n; i++)
		snprintf(a->at[i].command, sizeof(a->at[i].command), SET "dpdk-socket-mem=%s",
			 list);
	return 0;
}

/* ---- DPDK ---- */

/* What there is of OVS that only DPDK forwards for; NULL: nothing. */
static const char *needs_dpdk(const struct sriov_vswitch *is)
{
	for (size_t b = 0; b < is->nbridges; b++) {
		const struct sriov_vswitch_bridge *bridge = &is->bridge[b];

		if (bridge->ours)
			return bridge->name;
		for (size_t i = 0; i < bridge->nports; i++)
			if (vswitch_is_vhostuser(&bridge->port[i]))
				return bridge->name;
	}
	return NULL;
}

static int advise_dpdk(struct advising *a)
{
	const char *bridge = needs_dpdk(a->is);
	struct sriov_advice *advice;
	struct sriov_error why = {0};

	if (!bridge || !vswitch_check_dpdk(a->is, &why))
		return 0;
	advice = add(a, "no-dpdk");
	if (!advice)
		return core_oom(a->err);
	snprintf(advice->object, sizeof(advice->object), "bridge %s", bridge);
	snprintf(advice->finding, sizeof(advice->finding), "guests on it pass no frames: %.220s",
		 why.message);
	snprintf(advice->evidence, sizeof(advice->evidence),
		 "Open_vSwitch: dpdk-init %s, dpdk_initialized %s",
		 a->is->dpdk_init ? "true" : "false", a->is->dpdk_initialized ? "true" : "false");
	snprintf(advice->then, sizeof(advice->then), "%.191s", why.hint);
	return 0;
}

/* ---- the whole ---- */

static int advise(struct advising *a)
{
	const struct sriov_vswitch_port *port;
	int r;

	if (vswitch_mask_parse(a->is->pmd_cpu_mask, &a->mask) < 0)
		return sriov_error_set(a->err, -EINVAL, "pmd-cpu-mask",
				       "OVS has no mask of cores there: %s", a->is->pmd_cpu_mask);
	for (size_t i = 0; i < a->inv->npfs; i++) {
		const char *text = a->inv->pf[i].irq_cpus;
		struct cpuset cpus;

		if (text && !cpuset_parse(text, &cpus))
			cpuset_join(&a->interrupts, &cpus);
	}
	/* the threads of OVS's own choice are known by the queues they poll */
	for (size_t i = 0; !a->is->pmd_cpu_mask[0] && i < a->is->nrxqs; i++) {
		if (a->is->rxq[i].core >= 0 && a->is->rxq[i].core < CPUSET_MAX)
			cpuset_add(&a->mask, a->is->rxq[i].core);
	}
	r = advise_dpdk(a);
	FOR_EACH_GUEST(a, port)
	{
		r = r ?: advise_port(a, port);
	}
	r = r ?: advise_mask(a);
	FOR_EACH_GUEST(a, port)
	{
		r = r ?: advise_queues(a, port);
	}
	return r ?: advise_memory(a);
}

SRIOV_EXPORT int sriov_vswitch_advise(const struct sriov_vswitch *vswitch,
				      const struct sriov_inventory *inv, struct sriov_advice **out,
				      size_t *n, struct sriov_error *err)
{
	struct advising a = {.is = vswitch, .inv = inv, .err = err};
	int r = advise(&a);

	if (r < 0) {
		free(a.at);
		return r;
	}
	*out = a.at;
	*n = a.n;
	return 0;
}

SRIOV_EXPORT int sriov_vswitch_read(struct sriov_host *host, struct sriov_vswitch **out,
				    struct sriov_error *err)
{
	return host->vswitch->read(host, true, out, err);
}

static void free_vswitch(struct sriov_vswitch **vswitch)
{
	sriov_vswitch_free(*vswitch);
}

static void free_inventory(struct sriov_inventory **inv)
{
	sriov_inventory_free(*inv);
}

/* Gives ports that seem unhealthy some time. True: there were some, so that it is worth to read again. */
static bool give_time(struct sriov_host *host, const struct sriov_advice *advice, size_t n,
		      const struct sriov_vswitch *is)
{
	bool some = false;

	for (size_t i = 0; i < n; i++) {
		const char *name = strncmp(advice[i].id, "port-", 5) ? NULL : advice[i].object + 5;
		const struct sriov_vswitch_port *port = name ? vswitch_port(is, NULL, name) : NULL;

		if (!port || vswitch_failed(port))
			continue;
		host->vswitch->port_wait(host, name, VSWITCH_CONNECTED, SECOND_READING_MS, NULL,
					 NULL);
		some = true;
	}
	return some;
}

SRIOV_EXPORT int sriov_vswitch_check(struct sriov_host *host, struct sriov_vswitch **out,
				     struct sriov_advice **advice, size_t *n,
				     struct sriov_error *err)
{
	_cleanup_(free_inventory)
	struct sriov_inventory *inv = NULL;
	_cleanup_(free_vswitch)
	struct sriov_vswitch *is = NULL;
	_free_ struct sriov_advice *found = NULL;
	size_t nfound = 0;
	int r = host_read(host, NULL, SRIOV_READ_NODES | SRIOV_READ_CPUS, &inv, err);

	for (int reading = 0; !r && reading < 2; reading++) {
		sriov_vswitch_free(core_steal(is));
		free(core_steal(found));
		r = sriov_vswitch_read(host, &is, err);
		if (!r)
			r = sriov_vswitch_advise(is, inv, &found, &nfound, err);
		if (r || reading || !give_time(host, found, nfound, is))
			break;
	}
	if (r < 0)
		return r;
	*out = core_steal(is);
	*advice = core_steal(found);
	*n = nfound;
	return 0;
}
