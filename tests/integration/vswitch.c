/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The effects on OVS one by one, for the tests of them with a real OVS and with the simulated one:
 *     vswitch HOST OPERATION ARGUMENTS…     HOST: "live", or the file of a simulated host
 * Results are JSON or lines on standard output; an error goes to standard error, and ends it with 1. With TIMES=1 the
 * milliseconds of the call, and of CPU in it, go to standard error, after what the library has to tell of it.
 */
#include "lib/vswitch/vswitch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static struct sriov_error err;

static void print_log(void *data, const char *subsystem, const char *text)
{
	fprintf(stderr, "%s: %s\n", subsystem, text);
}

static void print_port(const struct sriov_vswitch_port *port)
{
	char mac[SRIOV_MAC_LEN];

	printf("{\"name\":\"%s\",\"type\":\"%s\",\"ofport\":%d,\"error\":\"%s\",\"status\":\"%s\","
	       "\"link\":%s,\"mtu\":%u,\"node\":%d,\"queues\":%u,\"affinity\":\"%s\",\"guest\":\"%s\","
	       "\"mac\":\"%s\"}\n",
	       port->name, port->type, port->ofport, port->error, port->status,
	       port->link_up ? "true" : "false", port->mtu, port->node, port->queues,
	       port->affinity, port->guest, sriov_mac_format(port->mac, mac));
}

static unsigned number(const char *text)
{
	return text ? strtoul(text, NULL, 0) : 0;
}

/* "GUEST,OFPORT,MAC[,vlan=N][,qos=N][,spoofchk=0][,rate=MBIT][,down]" */
static void read_port(char *text, struct openflow_port *out)
{
	char *save = NULL;

	core_copy(out->guest, sizeof(out->guest), strtok_r(text, ",", &save));
	out->ofport = number(strtok_r(NULL, ",", &save));
	if (sriov_mac_parse(strtok_r(NULL, ",", &save), out->attrs.mac) < 0)
		exit(2);
	out->attrs.has = SRIOV_VF_ALL;
	out->attrs.vlan_proto = 0x8100;
	out->attrs.spoofchk = true;
	for (char *word; (word = strtok_r(NULL, ",", &save));) {
		sscanf(word, "vlan=%hu", &out->attrs.vlan);
		sscanf(word, "qos=%hhu", &out->attrs.qos);
		sscanf(word, "rate=%u", &out->attrs.max_rate);
		if (!strcmp(word, "spoofchk=0"))
			out->attrs.spoofchk = false;
		if (!strcmp(word, "down"))
			out->attrs.link = SRIOV_LINK_DISABLE;
	}
}

/* BRIDGE RULES UPLINK [mac=MAC]… PORT… */
static int policy(struct sriov_host *host, char **arg, bool change)
{
	_vswitch_policy_ struct vswitch_policy now = {0};
	_vswitch_diff_ struct vswitch_diff diff = {0};
	struct openflow_port port[16] = {0};
	struct sriov_rules rules = {0};
	_openflow_ struct openflow flows = {0};
	uint8_t mac[16][6];
	struct openflow_want want = {
		.rules = &rules, .uplink = number(arg[2]), .port = port, .mac = mac};
	int r = host->vswitch->policy(host, arg[0], &now, &err);

	if (!r)
		r = sriov_rules_read(arg[1], &rules, &err);
	for (char **at = arg + 3; !r && *at; at++) {
		if (!strncmp(*at, "mac=", 4) && want.nmacs < 16)
			r = sriov_mac_parse(*at + 4, mac[want.nmacs++]);
		else if (want.nports < 16)
			read_port(*at, &port[want.nports++]);
	}
	want.meter = now.meter;
	want.nmeters = now.nmeters;
	if (!r)
		r = openflow_compile(&want, &flows, &err);
	sriov_rules_clear(&rules);
	if (r < 0)
		return r;
	if (vswitch_diff(&now, &flows, &diff) < 0)
		exit(2);
	printf("lines %zu meters %zu before %zu flows %d after %zu\n", flows.nlines, flows.nmeters,
	       diff.nbefore, diff.flows, diff.nafter);
	for (size_t i = 0; i < flows.notes.n; i++)
		printf("note: %s\n", flows.notes.at[i].text);
	for (size_t i = 0; change && !r && i < diff.nbefore; i++)
		r = host->vswitch->meter_set(host, arg[0], &diff.before[i], &err);
	if (change && !r && diff.flows)
		r = host->vswitch->flows(host, arg[0], &flows, &err);
	for (size_t i = 0; change && !r && i < diff.nafter; i++)
		r = host->vswitch->meter_del(host, arg[0], diff.after[i].id, &err);
	return r;
}

static int run(struct sriov_host *host, const char *op, char **arg)
{
	const struct vswitch_ops *ops = host->vswitch;
	struct sriov_vswitch_port port = {0};
	unsigned timeout = getenv("TIMEOUT_MS") ? number(getenv("TIMEOUT_MS")) : VSWITCH_TIMEOUT_MS;
	int r = -EINVAL;

	if (!strcmp(op, "port-add") || !strcmp(op, "uplink-add")) {
		bool guest = op[0] == 'p';
		struct vswitch_port_request want = {
			.bridge = arg[0],
			.name = arg[1],
			.type = guest ? VSWITCH_VHOSTUSER : VSWITCH_DPDK,
			.socket = arg[2],
			.devargs = arg[2],
			.queues = arg[3] ? number(arg[3]) : 0,
			.mtu = guest && arg[3] ? number(arg[3]) : 0,
			.guest = guest ? "web1" : NULL,
			.uuid = "c0ffee00-0000-4000-8000-000000000001",
			.iface_id = "net/web1",
			.mac = {0x52, 0x54, 0, 0, 0, 1},
		};

		r = ops->port_add(host, &want, timeout, &port, &err);
		if (!r)
			print_port(&port);
	} else if (!strcmp(op, "port-del")) {
		r = ops->port_del(host, arg[0], arg[1], timeout, &err);
	} else if (!strcmp(op, "port-set")) {
		r = ops->port_set(host, arg[0],
				  &(struct vswitch_port_change){.has_mtu = arg[1][0],
								.mtu = number(arg[1]),
								.has_affinity = arg[2],
								.affinity = arg[2]},
				  timeout, &err);
	} else if (!strcmp(op, "port-wait")) {
		r = ops->port_wait(host, arg[0],
				   strcmp(arg[1], "made") ? VSWITCH_CONNECTED : VSWITCH_MADE,
				   timeout, &port, &err);
		if (port.name[0])
			print_port(&port);
	} else if (!strcmp(op, "bridge-add")) {
		r = ops->bridge_add(host, arg[0], timeout, &err);
	} else if (!strcmp(op, "bridge-del")) {
		r = ops->bridge_del(host, arg[0], timeout, &err);
	} else if (!strcmp(op, "check")) {
		struct sriov_vswitch *vswitch;

		r = ops->read(host, false, &vswitch, &err);
		if (!r) {
			r = vswitch_check(vswitch, arg[0], &err);
			sriov_vswitch_free(vswitch);
		}
	} else if (!strcmp(op, "check-socket")) {
		r = vswitch_check_socket(arg[0], arg[1], &err);
	} else if (!strcmp(op, "policy") || !strcmp(op, "policy-diff")) {
		r = policy(host, arg, !strcmp(op, "policy"));
	} else if (!strcmp(op, "policy-none")) {
		_openflow_ struct openflow none = {0};

		r = openflow_none(&none, &err);
		if (!r)
			r = ops->flows(host, arg[0], &none, &err);
	} else if (!strcmp(op, "flows-bad")) {
		r = ops->flows(host, arg[0],
			       &(struct openflow){
				       .text = (char *)"delete cookie=0x1/-1\n"
						       "add cookie=0x1,table=0,actions=drop\n"
						       "add cookie=0x1,table=300,actions=drop\n"},
			       &err);
	} else if (!strcmp(op, "flows")) {
		_vswitch_policy_ struct vswitch_policy now = {0};

		r = ops->policy(host, arg[0], &now, &err);
		for (size_t i = 0; !r && i < now.nflows; i++)
			printf("%u %" PRIx64 " %" PRIu64 "\n", now.flow[i].table,
			       now.flow[i].cookie, now.flow[i].packets);
		for (size_t i = 0; !r && i < now.nmeters; i++)
			printf("meter %u %u %u\n", now.meter[i].id, now.meter[i].kbps,
			       now.meter[i].burst);
	}
	return r;
}

static double ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	struct sriov_host *host;
	double began, used;
	int r;

	if (argc < 3)
		return 2;
	r = sriov_host_open(strcmp(argv[1], "live") ? argv[1] : NULL, &host, &err);
	began = ms(CLOCK_MONOTONIC);
	used = ms(CLOCK_PROCESS_CPUTIME_ID);
	if (getenv("TIMES"))
		sriov_set_log(print_log, NULL);
	if (!r) {
		r = run(host, argv[2], argv + 3);
		sriov_host_close(host);
	}
	if (getenv("TIMES"))
		fprintf(stderr, "wall %.3f cpu %.3f\n", ms(CLOCK_MONOTONIC) - began,
			ms(CLOCK_PROCESS_CPUTIME_ID) - used);
	if (!r)
		return 0;
	fprintf(stderr, "%s: %s\n", err.object, err.message);
	if (err.kernel[0])
		fprintf(stderr, "  kernel: %s\n", err.kernel);
	if (err.hint[0])
		fprintf(stderr, "  hint: %s\n", err.hint);
	fprintf(stderr, "  code: %s\n", strerrorname_np(-r));
	return 1;
}
