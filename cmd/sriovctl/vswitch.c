/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl vswitch: show, plan, check. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <sriov/vswitch.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void free_vswitch(struct sriov_vswitch **vswitch)
{
	sriov_vswitch_free(*vswitch);
}

/* ---- show ---- */

static json_t *encode_port(const struct sriov_vswitch_port *port)
{
	char mac[SRIOV_MAC_LEN];

	return json_pack("{so so so so si so so sb si si si si so so so ss sb}", "name",
			 out_text(port->name), "type", out_text(port->type), "socket",
			 out_text(port->socket), "device", out_text(port->devargs), "ofport",
			 port->ofport, "error", out_text(port->error), "status",
			 out_text(port->status), "link_up", port->link_up, "mtu", (int)port->mtu,
			 "mtu_request", (int)port->mtu_request, "queues", (int)port->queues, "node",
			 port->node, "affinity", out_text(port->affinity), "guest",
			 out_text(port->guest), "uuid", out_text(port->uuid), "mac",
			 sriov_mac_format(port->mac, mac), "ours", port->ours);
}

static json_t *encode_bridge(const struct sriov_vswitch_bridge *bridge)
{
	json_t *ports = json_array();

	for (size_t i = 0; i < bridge->nports; i++)
		json_array_append_new(ports, encode_port(&bridge->port[i]));
	return json_pack("{so so so sb so so}", "name", out_text(bridge->name), "datapath",
			 out_text(bridge->datapath), "fail_mode", out_text(bridge->fail_mode),
			 "ours", bridge->ours, "owner", out_text(bridge->owner), "ports", ports);
}

static json_t *encode(const struct sriov_vswitch *is)
{
	json_t *bridges = json_array(), *queues = json_array();

	for (size_t i = 0; i < is->nbridges; i++)
		json_array_append_new(bridges, encode_bridge(&is->bridge[i]));
	for (size_t i = 0; i < is->nrxqs; i++)
		json_array_append_new(
			queues, json_pack("{so si si si sb}", "port", out_text(is->rxq[i].port),
					  "queue", (int)is->rxq[i].queue, "core", is->rxq[i].core,
					  "node", is->rxq[i].node, "enabled", is->rxq[i].enabled));
	return json_pack("{so so sb sb sb so so sb so so so}", "version", out_text(is->version),
			 "dpdk_version", out_text(is->dpdk_version), "dpdk", is->dpdk, "dpdk_init",
			 is->dpdk_init, "dpdk_initialized", is->dpdk_initialized, "pmd_cpu_mask",
			 out_text(is->pmd_cpu_mask), "socket_mem", out_text(is->socket_mem),
			 "per_port_memory", is->per_port_memory, "bridges", bridges, "queues",
			 queues, "queues_unknown", out_text(is->rxq_why));
}

static const struct column port_columns[] = {
	{"PORT"},
	{"TYPE"},
	{"OFPORT", .right = true},
	{"STATUS"},
	{"LINK"},
	{"MTU", .right = true},
	{"NODE", .right = true},
	{"POLLED BY", .optional = true},
	{"GUEST", .optional = true},
	{"ERROR", .optional = true},
};

/* "0:1 1:17 (node 1)": queue and core; fresh memory. */
static char *polled_by(const struct sriov_vswitch *is, const struct sriov_vswitch_port *port)
{
	char *text = strdup("");

	for (size_t i = 0; text && i < is->nrxqs; i++) {
		const struct sriov_vswitch_rxq *rxq = &is->rxq[i];
		char *longer;

		if (strcmp(rxq->port, port->name) != 0)
			continue;
		longer = core_printf("%s%squeue %u: CPU %d, node %d", text, *text ? "; " : "",
				     rxq->queue, rxq->core, rxq->node);
		free(text);
		text = longer;
	}
	return text;
}

static int print_ports(const struct sriov_vswitch *is, const struct sriov_vswitch_bridge *bridge,
		       struct sriov_error *err)
{
	TABLE(table, port_columns);

	for (size_t i = 0; i < bridge->nports; i++) {
		const struct sriov_vswitch_port *port = &bridge->port[i];

		table_cell(&table, "%s", port->name);
		table_cell(&table, "%s", port->type);
		table_cell(&table, "%d", port->ofport);
		table_cell(&table, "%s", port->status);
		table_cell(&table, "%s", port->link_up ? "up" : "down");
		table_cell(&table, "%u", port->mtu);
		table_cell(&table, port->node < 0 ? "" : "%d", port->node);
		table_take(&table, polled_by(is, port));
		table_cell(&table, "%s", port->guest);
		table_cell(&table, "%s", port->error);
	}
	return table_print(&table, 2, err);
}

static const char *dpdk_words(const struct sriov_vswitch *is)
{
	if (!is->dpdk)
		return "built without DPDK";
	if (!is->dpdk_init)
		return "DPDK is not enabled (dpdk-init)";
	return is->dpdk_initialized ? is->dpdk_version : "DPDK could not be started";
}

int cmd_vswitch_show(const struct args *args, struct sriov_host *host, struct out *out,
		     struct sriov_error *err)
{
	_cleanup_(free_vswitch)
	struct sriov_vswitch *is = NULL;
	int r = sriov_vswitch_read(host, &is, err);

	if (r < 0)
		return r;
	if (out->doc)
		return out_add(out, "vswitch", encode(is), err);
	printf("Open vSwitch %s, %s, in %s\n", is->version, dpdk_words(is), is->rundir);
	printf("pmd-cpu-mask %s, dpdk-socket-mem %s, per-port-memory %s\n",
	       is->pmd_cpu_mask[0] ? is->pmd_cpu_mask : "of its own choice",
	       is->socket_mem[0] ? is->socket_mem : "as needed",
	       is->per_port_memory ? "on" : "off");
	if (is->rxq_why[0])
		printf("who polls which queue is not known: %s\n", is->rxq_why);
	for (size_t i = 0; !r && i < is->nbridges; i++) {
		const struct sriov_vswitch_bridge *bridge = &is->bridge[i];

		printf("%s: datapath %s%s%s%s\n", bridge->name,
		       bridge->datapath[0] ? bridge->datapath : "system",
		       bridge->ours ? ", ours" : "", bridge->owner[0] ? ", of another: " : "",
		       bridge->owner);
		r = print_ports(is, bridge, err);
	}
	if (!is->nbridges)
		puts("no bridges");
	return r;
}

/* ---- plan and check ---- */

static int encode_advice(const struct sriov_advice *advice, size_t n, struct out *out,
			 struct sriov_error *err)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, json_pack("{ss so so so so so}", "id", advice[i].id,
						       "object", out_text(advice[i].object),
						       "finding", out_text(advice[i].finding),
						       "evidence", out_text(advice[i].evidence),
						       "command", out_text(advice[i].command),
						       "then", out_text(advice[i].then)));
	return out_add(out, "findings", array, err);
}

int cmd_vswitch_check(const struct args *args, struct sriov_host *host, struct out *out,
		      struct sriov_error *err)
{
	_cleanup_(free_vswitch)
	struct sriov_vswitch *is = NULL;
	_free_ struct sriov_advice *advice = NULL;
	size_t n = 0;
	int r = sriov_vswitch_check(host, &is, &advice, &n, err);

	if (r < 0)
		return r;
	if (out->doc)
		r = encode_advice(advice, n, out, err);
	else if (!n)
		puts("nothing found");
	for (size_t i = 0; !out->doc && i < n; i++) {
		printf("[%s] %s: %s\n  evidence: %s\n", advice[i].id, advice[i].object,
		       advice[i].finding, advice[i].evidence);
		if (advice[i].command[0])
			printf("  fix: %s\n", advice[i].command);
		printf("  %s: %s\n", advice[i].command[0] ? "note" : "fix", advice[i].then);
	}
	if (!out->doc && is->rxq_why[0])
		printf("not looked at: who polls which queue: %s\n", is->rxq_why);
	return r ? r : n ? SRIOV_DIFFERENCE : 0;
}

/* The commands, each once; what they are for and what they disrupt stands before them. */
int cmd_vswitch_plan(const struct args *args, struct sriov_host *host, struct out *out,
		     struct sriov_error *err)
{
	_cleanup_(free_vswitch)
	struct sriov_vswitch *is = NULL;
	_free_ struct sriov_advice *advice = NULL;
	size_t n = 0, commands = 0;
	int r = sriov_vswitch_check(host, &is, &advice, &n, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		commands += advice[i].command[0] != '\0';
	if (out->doc) {
		r = encode_advice(advice, n, out, err);
		return r ? r : commands ? SRIOV_DIFFERENCE : 0;
	}
	for (size_t i = 0; i < n; i++) {
		if (!advice[i].command[0])
			continue;
		printf("# %s: %s\n# %s\n", advice[i].object, advice[i].finding, advice[i].then);
		if (i + 1 == n || strcmp(advice[i].command, advice[i + 1].command) != 0)
			puts(advice[i].command);
	}
	if (!commands)
		puts("nothing to do");
	return commands ? SRIOV_DIFFERENCE : 0;
}
