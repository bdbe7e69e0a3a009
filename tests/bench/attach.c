/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What giving a guest its VF costs of our own.
 *
 *     attach place           one choice among 1,008 VFs of 16 PFs, most of them leased to some of 10,000 guests:
 *                            prints "place US" (processor time, median)
 *     attach live HOST N     N attaches to, and detaches from, the running guest "bench" of a simulated host, without
 *                            the time in the host's and libvirt's effects: prints "attach MS", "detach MS" (median),
 *                            and what the whole took
 */
#include "lib/guest/place.h"
#include "lib/guest/virt.h"

#include <sriov/plan.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PFS 16
#define VFS 63
#define GUESTS 10000
#define ROUNDS 301

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *list, size_t n)
{
	qsort(list, n, sizeof(*list), by_size);
	return list[n / 2];
}

/* ---- the choice ---- */

static void add_pf(struct sriov_inventory *inv, unsigned number)
{
	struct sriov_pf *pf = inventory_add_pf(inv);

	snprintf(pf->address, sizeof(pf->address), "0000:%02x:00.0", 16 + number);
	snprintf(pf->netdev, sizeof(pf->netdev), "ens%u", number);
	pf->up = true;
	pf->node = number % 2;
	pf->vfs = VFS;
	pf->vf = calloc(VFS, sizeof(*pf->vf));
	for (unsigned v = 0; v < VFS; v++) {
		pf->vf[v].index = v;
		snprintf(pf->vf[v].address, sizeof(pf->vf[v].address), "0000:%02x:%02x.%x",
			 16 + number, 16 + v / 8, v % 8);
	}
}

/* All but the last VF of each PF are held, by guests from all over the 10,000. */
static void lease_most(struct sriov_inventory *inv)
{
	char who[80];

	for (unsigned p = 0; p < PFS; p++)
		for (unsigned v = 0; v + 1 < VFS; v++) {
			snprintf(who, sizeof(who), "guest web%u", (p * VFS + v) * 7919 % GUESTS);
			uses_add(&inv->pf[p].vf[v].uses, false, who, "lease %u (active)",
				 p * VFS + v);
		}
}

static int bench_place(void)
{
	struct sriov_inventory inv = {.nnodes = 2};
	struct sriov_node nodes[2] = {{.id = 0}, {.id = 1, .socket = 1}};
	const struct guest_wish wish = {.node = 1};
	struct guest_choice choice;
	double took[ROUNDS];

	inv.node = nodes;
	for (unsigned p = 0; p < PFS; p++)
		add_pf(&inv, p);
	lease_most(&inv);
	for (unsigned i = 0; i < ROUNDS; i++) {
		double start = cpu_us();

		if (guest_place(&inv, &wish, &choice, NULL) < 0 || choice.node != 1)
			return 1;
		took[i] = cpu_us() - start;
	}
	printf("place %.1f\n", median(took, ROUNDS));
	return 0;
}

/* ---- an attach, without the effects ---- */

static double outside; /* in effects and readings of the host, of a libvirt, since it was zeroed */
static struct host_ops timed_host;
static struct virt_ops timed_virt;
static const struct host_ops *host_ops;
static const struct virt_ops *virt_ops;

#define OUTSIDE(call)                                                                              \
	({                                                                                         \
		double start_ = cpu_us();                                                          \
		__typeof__(call) r_ = (call);                                                      \
		outside += cpu_us() - start_;                                                      \
		r_;                                                                                \
	})

static int timed_read(struct sriov_host *host, const char *pf, unsigned what,
		      struct sriov_inventory *inv, struct sriov_error *err)
{
	return OUTSIDE(host_ops->read(host, pf, what, inv, err));
}

static int timed_vf_set(struct sriov_host *host, const struct sriov_pf *pf, unsigned vf,
			const struct sriov_vf_attrs *attrs, struct sriov_error *err)
{
	return OUTSIDE(host_ops->vf_set(host, pf, vf, attrs, err));
}

static int64_t timed_now(struct sriov_host *host)
{
	return OUTSIDE(host_ops->now_ms(host));
}

static int timed_mac_user(struct sriov_host *host, const uint8_t mac[6], char *name, size_t size,
			  struct sriov_error *err)
{
	return OUTSIDE(host_ops->mac_user(host, mac, name, size, err));
}

static bool timed_hangs(struct sriov_host *host, const struct sriov_pf *pf)
{
	return OUTSIDE(host_ops->hangs(host, pf));
}

static int timed_find(struct sriov_host *host, const char *name, struct virt_domain *out,
		      struct sriov_error *err)
{
	return OUTSIDE(virt_ops->find(host, name, out, err));
}

static int timed_attach(struct sriov_host *host, const char *uuid, const char *device,
			enum virt_where where, struct sriov_error *err)
{
	return OUTSIDE(virt_ops->attach(host, uuid, device, where, err));
}

static int timed_detach(struct sriov_host *host, const char *uuid, const char *device,
			enum virt_where where, int64_t deadline_ms, struct sriov_error *err)
{
	return OUTSIDE(virt_ops->detach(host, uuid, device, where, deadline_ms, err));
}

static void wrap(struct sriov_host *host)
{
	host_ops = host->ops;
	virt_ops = host->virt;
	timed_host = *host_ops;
	timed_host.read = timed_read;
	timed_host.vf_set = timed_vf_set;
	timed_host.now_ms = timed_now;
	timed_host.mac_user = timed_mac_user;
	timed_host.hangs = timed_hangs;
	timed_virt = *virt_ops;
	timed_virt.find = timed_find;
	timed_virt.attach = timed_attach;
	timed_virt.detach = timed_detach;
	host->ops = &timed_host;
	host->virt = &timed_virt;
}

static int die(const struct sriov_error *err)
{
	fprintf(stderr, "attach: %s: %s\n", err->object, err->message);
	return 1;
}

static int bench_live(const char *spec, size_t n)
{
	const struct sriov_guest_request req = {
		.guest = "bench", .node = -1, .attrs = {.has = SRIOV_VF_TRUST, .trust = true}};
	const struct sriov_options opts = {.command = "bench"};
	double *attach = calloc(n, sizeof(*attach)), *detach = calloc(n, sizeof(*detach));
	double whole = cpu_us();

	for (size_t i = 0; i < n; i++) {
		struct sriov_attached done = {0};
		struct sriov_plan *plan = NULL;
		struct sriov_error err = {0};
		struct sriov_host *host;
		struct sriov_lease lease;
		double start;

		if (sriov_host_open(spec, &host, &err) < 0)
			return die(&err);
		wrap(host);
		outside = 0;
		start = cpu_us();
		if (sriov_guest_attach(host, &req, &opts, &plan, &done, &err) < 0)
			return die(&err);
		attach[i] = cpu_us() - start - outside;
		sriov_plan_free(plan);
		free(done.reason);
		outside = 0;
		start = cpu_us();
		if (sriov_guest_detach(host, &req, &opts, &plan, &lease, &err) < 0)
			return die(&err);
		detach[i] = cpu_us() - start - outside;
		sriov_plan_free(plan);
		sriov_host_close(host);
	}
	printf("attach %.2f\ndetach %.2f\nwhole %.2f\n", median(attach, n) / 1e3,
	       median(detach, n) / 1e3, (cpu_us() - whole) / 2e3 / n);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "place"))
		return bench_place();
	if (argc == 4 && !strcmp(argv[1], "live"))
		return bench_live(argv[2], strtoul(argv[3], NULL, 10));
	fprintf(stderr, "usage: attach place | attach live HOST N\n");
	return 2;
}
