/* SPDX-License-Identifier: Apache-2.0 */
/* The live host for probes: VF netdevs up and down, frames sent and counted, what a NIC is made of. */
#include "lib/host/live.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define POLL_MS 20
/* Between frames, so that no ring or queue runs over. */
#define PACE_MS 2
/* After the last frame expected: a copy of it may follow elsewhere. */
#define LINGER_MS 40
#define CPUINFO_MAX (16u << 20)

int live_netdev(struct sriov_host *host, const char *name, struct netdev_facts *out,
		struct sriov_error *err)
{
	struct live *live = host->priv;
	struct netdev_facts facts = {.ifindex = if_nametoindex(name)};
	struct link_facts link;
	struct rtnetlink *rtnl;
	int64_t forwards = 0;
	char path[64];
	int r;

	if (!facts.ifindex) {
		sriov_error_set(err, -ENODEV, name, "no such network device");
		return sriov_error_hint(err, "`ip link` lists those of this network namespace");
	}
	r = live_rtnl(live, &rtnl, err);
	if (!r)
		r = rtnetlink_link(rtnl, name, facts.ifindex, &link, NULL, 0, err);
	if (r < 0)
		return r;
	facts.up = link.up;
	facts.carrier = link.carrier;
	memcpy(facts.mac, link.mac, sizeof(facts.mac));
	/* absent on a host without IPv4 */
	snprintf(path, sizeof(path), "sys/net/ipv4/conf/%s/forwarding", name);
	core_read_number(live->proc, path, &forwards);
	facts.forwards = forwards;
	*out = facts;
	return 0;
}

int live_vf_up(struct sriov_host *host, const struct sriov_pf *pf, unsigned vf, bool up,
	       struct sriov_error *err)
{
	const struct sriov_vf *now = pf_vf(pf, vf);
	struct netdev_facts facts;
	struct rtnetlink *rtnl;
	char object[64];
	int r;

	snprintf(object, sizeof(object), "vf %u of %s", vf, live_object(pf));
	if (!now || !now->netdev[0])
		return sriov_error_set(err, -ENODEV, object, "the VF has no network device");
	r = live_netdev(host, now->netdev, &facts, err);
	if (!r)
		r = live_rtnl(host->priv, &rtnl, err);
	return r < 0 ? r : rtnetlink_up(rtnl, object, facts.ifindex, up, err);
}

/* ---- what the NIC is ---- */

/* x86: a CPU flag that hypervisors set (CPUID 1, ECX bit 31). Others have none. */
static enum sriov_tristate virtual_machine(const struct live *live)
{
	_free_ char *text = NULL;
	const char *flags, *end, *found;
	size_t size;

	if (core_read_file(live->proc, "cpuinfo", CPUINFO_MAX, &text, &size) < 0)
		return SRIOV_UNKNOWN;
	flags = strstr(text, "\nflags\t");
	if (!flags)
		return SRIOV_UNKNOWN;
	end = strchrnul(flags + 1, '\n');
	found = strstr(flags, " hypervisor");
	return found && found < end ? SRIOV_YES : SRIOV_NO;
}

enum host_nature live_nature(struct sriov_host *host, const struct sriov_pf *pf, char *why,
			     size_t size)
{
	const struct live *live = host->priv;
	struct nature_facts facts = {.virtual_machine = virtual_machine(live)};
	char path[80];
	int64_t vendor;

	memcpy(facts.perm_mac, pf->perm_mac, sizeof(facts.perm_mac));
	snprintf(path, sizeof(path), "bus/pci/devices/%s/subsystem_vendor", pf->address);
	if (!core_read_number(live->sys, path, &vendor))
		facts.subsystem_vendor = vendor;
	return nature_judge(&facts, why, size);
}

/* ---- frames ---- */

/* An exchange while it runs: its netdevs and sockets. */
struct run {
	struct sriov_host *host;
	struct exchange *what;
	uint8_t frame[FRAME_SIZE];
	int from;                              /* ifindex */
	int sender, listener[EXCHANGE_PLACES]; /* sockets */
};

static void run_close(struct run *run)
{
	core_closep(&run->sender);
	for (size_t i = 0; i < EXCHANGE_PLACES; i++)
		core_closep(&run->listener[i]);
}

static int await_carrier(struct sriov_host *host, const char *name, struct netdev_facts *facts,
			 int64_t deadline_ms, struct sriov_error *err)
{
	for (;;) {
		int r = live_netdev(host, name, facts, err);

		if (r < 0 || facts->carrier)
			return r;
		if (core_monotonic_ms() >= deadline_ms) {
			sriov_error_set(err, -ENOLINK, name, facts->up ? "no link" : "it is down");
			return sriov_error_hint(err, "%s",
						facts->up ? "check cable and peer; --link-timeout "
							    "waits longer"
							  : "set it up first: ip link set … up");
		}
		host->ops->pause(host, POLL_MS);
	}
}

/* A new token for each exchange, so that no late frame of an earlier one is taken for its own. */
static uint64_t fresh_token(void)
{
	static uint64_t serial;
	int64_t key[] = {getpid(), core_monotonic_ms(), ++serial};

	return core_hash(CORE_HASH_SEED, key, sizeof(key));
}

static int run_open(struct run *run, int64_t deadline_ms, struct sriov_error *err)
{
	struct exchange *what = run->what;
	struct frame frame = {
		.src_port = what->src_port, .dst_port = what->dst_port, .token = fresh_token()};
	struct netdev_facts facts;
	int r;

	for (size_t i = 0; i < EXCHANGE_PLACES; i++) {
		if (!what->place[i][0])
			continue;
		r = await_carrier(run->host, what->place[i], &facts, deadline_ms, err);
		if (r < 0)
			return r;
		run->listener[i] = frames_open(facts.ifindex, true);
		if (run->listener[i] < 0)
			return core_errno(err, run->listener[i], what->place[i],
					  "cannot listen for test frames");
	}
	r = live_netdev(run->host, what->to, &facts, err);
	if (r < 0)
		return r;
	memcpy(frame.dst_mac, sriov_mac_is_zero(what->dst_mac) ? facts.mac : what->dst_mac, 6);
	r = await_carrier(run->host, what->from, &facts, deadline_ms, err);
	if (r < 0)
		return r;
	run->from = facts.ifindex;
	memcpy(frame.src_mac, sriov_mac_is_zero(what->src_mac) ? facts.mac : what->src_mac, 6);
	memcpy(frame.src_ip, what->src_ip, sizeof(frame.src_ip));
	memcpy(frame.dst_ip, what->dst_ip, sizeof(frame.dst_ip));
	frame_build(&frame, run->frame);
	run->sender = frames_open(run->from, false);
	return run->sender < 0 ? core_errno(err, run->sender, what->from, "cannot send test frames")
			       : 0;
}

/* Collects what has come in; waits until @wanted have arrived in all, or @ms are over. */
static int collect(struct run *run, unsigned wanted, int64_t ms, struct sriov_error *err)
{
	int64_t deadline = core_monotonic_ms() + ms;
	bool lingers = false;

	for (;;) {
		unsigned all = 0;

		for (size_t i = 0; i < EXCHANGE_PLACES; i++) {
			int n = run->listener[i] < 0 ? 0
						     : frames_count(run->listener[i], run->frame);

			if (n < 0)
				return core_errno(err, n, run->what->place[i],
						  "cannot count test frames");
			run->what->arrived[i] += n;
			all += run->what->arrived[i];
		}
		if (all >= wanted && !lingers) {
			lingers = true;
			deadline = core_monotonic_ms() + LINGER_MS;
		}
		if (core_monotonic_ms() >= deadline)
			return 0;
		run->host->ops->pause(run->host, POLL_MS);
	}
}

static int send_one(struct run *run, struct sriov_error *err)
{
	int r = frames_send(run->sender, run->from, run->frame);

	/* a queue that is full for a moment; a frame that is not sent is not counted as sent */
	for (int i = 0; i < 50 && r == -ENOBUFS; i++) {
		run->host->ops->pause(run->host, POLL_MS);
		r = frames_send(run->sender, run->from, run->frame);
	}
	if (r < 0)
		return core_errno(err, r, run->what->from, "cannot send test frames");
	run->what->sent++;
	return 0;
}

static int run_frames(struct run *run, struct sriov_error *err)
{
	struct exchange *what = run->what;
	int r = 0;

	while (!r && what->sent < what->count) {
		r = send_one(run, err);
		if (r < 0)
			break;
		if (!what->until_one) {
			run->host->ops->pause(run->host, PACE_MS);
			continue;
		}
		r = collect(run, 1, EXCHANGE_ONE_MS, err);
		if (what->arrived[0] + what->arrived[1])
			return r;
	}
	return r || what->until_one ? r : collect(run, what->sent, EXCHANGE_MS, err);
}

/* The counter's value, or -1. Counters are only further evidence, so nothing fails for them. */
static int64_t read_hits(struct sriov_host *host, const struct sriov_pf *pf, const char *name)
{
	struct sriov_error ignored;
	uint64_t value;

	if (!name || host->ops->counters(host, pf, &name, &value, 1, &ignored) < 0)
		return -1;
	return value;
}

int live_exchange(struct sriov_host *host, const struct sriov_pf *pf, struct exchange *what,
		  int64_t deadline_ms, struct sriov_error *err)
{
	struct run run = {.host = host, .what = what, .sender = -1, .listener = {-1, -1}};
	int64_t before;
	int r;

	what->sent = what->arrived[0] = what->arrived[1] = 0;
	what->hit = -1;
	r = run_open(&run, deadline_ms, err);
	before = read_hits(host, pf, what->hits);
	if (!r)
		r = run_frames(&run, err);
	if (!r && before >= 0) {
		int64_t after = read_hits(host, pf, what->hits);

		what->hit = after >= before ? after - before : -1;
	}
	run_close(&run);
	return r;
}
