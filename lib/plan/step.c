/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of steps: the effect of each on the host. step_words.c has what they say of themselves. */
#include "lib/plan/step.h"
#include "lib/guest/choose.h"
#include "lib/guest/virt.h"
#include "lib/plan/vlan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* For what has no event (a VF in reset answers EAGAIN) and how often the end of a wait is looked for. */
#define RETRY_MS 20

static struct sriov_pf *pf_of(struct step_context *ctx)
{
	return &(*ctx->inv)->pf[0];
}

/* Reads the PF again; what is left out of @what keeps its old value only in the caller's plan. */
static int read_again(struct step_context *ctx, unsigned what, struct sriov_inventory **out,
		      struct sriov_error *err)
{
	return host_read(ctx->host, pf_of(ctx)->address, what, out, err);
}

static bool stop_asked(const struct step_context *ctx)
{
	return ctx->interrupted && *ctx->interrupted;
}

static int interrupted(struct step_context *ctx, struct sriov_error *err)
{
	return sriov_error_set(err, -EINTR, pf_label(pf_of(ctx)), "stopped by a signal");
}

/* The steps after a change of the port need what is new of it: VFs' addresses, a netdev. */
static int look_again(struct step_context *ctx, struct sriov_error *err)
{
	struct sriov_inventory *inv;
	int r = read_again(ctx, SRIOV_READ_VFS, &inv, err);

	if (r < 0)
		return r;
	sriov_inventory_free(*ctx->inv);
	*ctx->inv = inv;
	return 0;
}

/* Unbound first: whoever dies in between leaves a port without a driver, which is seen, and no override unseen. */
static int run_pf_bind(struct step_context *ctx, struct step *step, struct sriov_error *err)
{
	const struct host_ops *ops = ctx->host->ops;
	const struct sriov_pf *pf = pf_of(ctx);
	int64_t deadline = ops->now_ms(ctx->host) + ctx->kernel_ms;
	bool by_default = !strcmp(step->driver, BIND_ANY_DEFAULT);
	int r = 0;

	if (pf->driver[0])
		r = ops->unbind(ctx->host, pf, pf->address, deadline, err);
	if (!r)
		r = ops->override(ctx->host, pf, pf->address, by_default ? "" : step->driver,
				  deadline, err);
	if (!r && step->driver[0])
		r = ops->probe(ctx->host, pf, pf->address, deadline, err);
	return r ? r : look_again(ctx, err);
}

static int run_numvfs(struct step_context *ctx, struct step *step, struct sriov_error *err)
{
	const struct host_ops *ops = ctx->host->ops;
	int r = ops->numvfs(ctx->host, pf_of(ctx), step->number,
			    ops->now_ms(ctx->host) + ctx->kernel_ms, err);

	if (r < 0)
		return r;
	r = look_again(ctx, err);
	if (r < 0 || pf_of(ctx)->vfs == step->number)
		return r;
	sriov_error_set(err, -EIO, pf_label(pf_of(ctx)),
			"the kernel took sriov_numvfs = %u, but there are %u VFs", step->number,
			pf_of(ctx)->vfs);
	return sriov_error_hint(err, "the kernel log says more: dmesg | tail");
}

/* What of @attrs the VF does not have yet; a VF in reset takes only the first of them in one message. */
static int attrs_left(struct step_context *ctx, unsigned vf, const struct sriov_vf_attrs *attrs,
		      unsigned *left, struct sriov_error *err)
{
	struct sriov_inventory *inv = NULL;
	const struct sriov_vf *now;
	int r = read_again(ctx, SRIOV_READ_VFS | SRIOV_READ_ATTRS, &inv, err);

	if (r < 0)
		return r;
	now = pf_vf(&inv->pf[0], vf);
	*left = now ? sriov_vf_attrs_differ(&now->attrs, attrs) : attrs->has;
	sriov_inventory_free(inv);
	return 0;
}

static int run_vf_set(struct step_context *ctx, struct step *step, struct sriov_error *err)
{
	const struct host_ops *ops = ctx->host->ops;
	int64_t deadline = ops->now_ms(ctx->host) + ctx->kernel_ms;
	struct sriov_vf_attrs attrs = step->attrs;

	for (;;) {
		int r = ops->vf_set(ctx->host, pf_of(ctx), step->number, &attrs, err);

		if (r != -EAGAIN)
			return r;
		if (stop_asked(ctx))
			return interrupted(ctx, err);
		if (ops->now_ms(ctx->host) >= deadline)
			return sriov_error_hint(err,
						"the VF did not come out of its reset in %d s; the "
						"kernel log may say why",
						(int)(ctx->kernel_ms / 1000));
		ops->pause(ctx->host, RETRY_MS);
		/* a MAC set twice resets the VF twice; what comes after it may be said again */
		if ((attrs.has & SRIOV_VF_MAC) && (attrs.has & ~SRIOV_VF_MAC))
			r = attrs_left(ctx, step->number, &attrs, &attrs.has, err);
		else
			r = 0;
		if (r < 0 || !attrs.has)
			return r;
	}
}

/* A VF's driver that is in reset, or has only just registered, refuses for a moment: iavf, with EBUSY. */
static int run_vf_up(struct step_context *ctx, struct step *step, struct sriov_error *err)
{
	const struct host_ops *ops = ctx->host->ops;
	int64_t deadline = ops->now_ms(ctx->host) + ctx->kernel_ms;

	for (;;) {
		int r = ops->vf_up(ctx->host, pf_of(ctx), step->number, step->on, err);

		if (r != -EBUSY)
			return r;
		if (stop_asked(ctx))
			return interrupted(ctx, err);
		if (ops->now_ms(ctx->host) >= deadline)
			return sriov_error_hint(err,
						"its driver refused that for %d s; the kernel log "
						"may say why: dmesg | tail",
						(int)(ctx->kernel_ms / 1000));
		ops->pause(ctx->host, RETRY_MS);
	}
}

static int run_bind(struct step_context *ctx, struct step *step, struct sriov_error *err)
{
	const struct host_ops *ops = ctx->host->ops;
	const struct sriov_pf *pf = pf_of(ctx);
	const struct sriov_driver *facts = sriov_driver_find(pf->driver);
	const struct sriov_vf *vf = pf_vf(pf, step->number);
	const char *driver = step->driver, *override = driver;
	bool by_default = !strcmp(driver, BIND_ANY_DEFAULT) ||
			  (facts && !strcmp(driver, facts->vf_driver));
	int64_t deadline = step->fresh ? HOST_AT_ONCE : ops->now_ms(ctx->host) + ctx->kernel_ms;
	int r = 0;

	if (!vf)
		return sriov_error_set(err, -ENODEV, pf_label(pf), "VF %u is gone", step->number);
	/* without autoprobe drivers_probe does nothing unless the device is told its driver */
	if (by_default)
		override = pf->autoprobe || !facts ? "" : facts->vf_driver;
	if (override[0] || !step->fresh)
		r = ops->override(ctx->host, pf, vf->address, override, deadline, err);
	if (!r && vf->driver[0] && !state_bound_as(vf->driver, driver))
		r = ops->unbind(ctx->host, pf, vf->address, deadline, err);
	if (!r && driver[0])
		r = ops->probe(ctx->host, pf, vf->address, deadline, err);
	if (!r && by_default && override[0])
		r = ops->override(ctx->host, pf, vf->address, "", deadline, err);
	return r;
}

static int run_link(struct step_context *ctx, struct step *step, struct sriov_error *err)
{
	const struct host_ops *ops = ctx->host->ops;
	int64_t deadline = ops->now_ms(ctx->host) + ctx->link_ms;

	for (;;) {
		struct sriov_inventory *inv = NULL;
		unsigned speed;
		bool carrier;
		int r = read_again(ctx, 0, &inv, err);

		if (r < 0)
			return r;
		carrier = inv->pf[0].carrier;
		speed = inv->pf[0].speed_mbps;
		sriov_inventory_free(inv);
		if (carrier && (!step->number || speed == step->number))
			return 0;
		if (stop_asked(ctx))
			return interrupted(ctx, err);
		r = ops->wait(ctx->host, deadline, err);
		if (r == -ETIMEDOUT) {
			sriov_error_set(err, r, pf_label(pf_of(ctx)), "no link%s within %d s",
					carrier ? " of the speed that the driver wants for a rate"
						: "",
					(int)(ctx->link_ms / 1000));
			return sriov_error_hint(
				err, "check cable, peer and `ip link`; --link-timeout waits "
				     "longer, or leave the rate out");
		}
		if (r < 0)
			return r;
	}
}

static bool stands(const struct sriov_pf *pf, const struct sriov_entry *entry)
{
	for (size_t i = 0; i < pf->nrules; i++)
		if (pf->rules[i].loc == entry->loc && sriov_entry_same(&pf->rules[i], entry))
			return true;
	return false;
}

/* A driver may accept a rule and lose it: what is counted then would say nothing of the rule. */
static int run_frames(struct step_context *ctx, struct step *step, struct sriov_error *err)
{
	const struct host_ops *ops = ctx->host->ops;
	struct sriov_inventory *inv = NULL;
	bool there;
	int r = ops->exchange(ctx->host, pf_of(ctx), step->exchange,
			      ops->now_ms(ctx->host) + ctx->link_ms, err);

	if (r < 0 || !step->has_entry)
		return r;
	r = read_again(ctx, SRIOV_READ_RULES, &inv, err);
	if (r < 0)
		return r;
	there = stands(&inv->pf[0], &step->entry);
	sriov_inventory_free(inv);
	if (there)
		return 0;
	sriov_error_set(err, -EIO, pf_label(pf_of(ctx)),
			"the driver accepted the rule at location %u, but it is not in the table",
			step->entry.loc);
	return sriov_error_hint(err,
				"something else may have deleted it: try again; the kernel log "
				"may say more: dmesg | tail");
}

/* The table has as many entries as the driver says now: on an X550 VFs change that. */
static int run_rss(struct step_context *ctx, struct step *step, struct sriov_error *err)
{
	const struct host_ops *ops = ctx->host->ops;
	struct sriov_inventory *inv = NULL;
	_free_ uint32_t *table = NULL;
	int r = read_again(ctx, SRIOV_READ_RSS, &inv, err);
	size_t n = r < 0 ? 0 : inv->pf[0].nrss;

	sriov_inventory_free(inv);
	if (r < 0)
		return r;
	if (!n)
		return sriov_error_set(err, -EOPNOTSUPP, pf_label(pf_of(ctx)),
				       "the driver has no RSS indirection table");
	table = malloc(n * sizeof(*table));
	if (!table)
		return core_oom(err);
	for (size_t i = 0; i < n; i++)
		table[i] = step->rss[i % step->nrss];
	return ops->rss_set(ctx->host, pf_of(ctx), table, n, err);
}

/* A guest without a driver for the VF, or one that is paused, would be left with nothing. */
static int await_guest(struct step_context *ctx, const struct guest_device *device,
		       const struct sriov_lease *lease, struct sriov_error *err)
{
	const struct host_ops *ops = ctx->host->ops;
	int64_t deadline = ops->now_ms(ctx->host) + ctx->guest_ms;
	bool driven = false;
	int r = ops->vf_driven(ctx->host, device->address, &driven, err);

	while (!r && !driven && ops->now_ms(ctx->host) < deadline) {
		if (stop_asked(ctx))
			return interrupted(ctx, err);
		ops->pause(ctx->host, RETRY_MS);
		r = ops->vf_driven(ctx->host, device->address, &driven, err);
	}
	if (r || driven)
		return r;
	sriov_error_set(err, -ETIMEDOUT, lease->guest,
			"does not use VF %d: no driver in it has asked for the interrupts of %s",
			lease->vf, device->address);
	return sriov_error_hint(err, "does it run, and has it a driver for the VF (ixgbevf, iavf)? "
				     "A slow guest needs a longer --guest-timeout");
}

static int run_device(struct step_context *ctx, struct step *step, struct sriov_error *err)
{
	enum virt_where where = step->live ? VIRT_LIVE : VIRT_CONFIG;
	const struct sriov_lease *lease = step->lease;
	struct guest_device device[GUEST_DEVICES];
	struct sriov_host *host = ctx->host;
	_free_ char *xml = NULL;
	int r;

	guest_lease_devices(lease, device);
	device[step->number].has_rate = step->limited;
	device[step->number].rate = step->limit;
	r = guest_device_xml(&device[step->number], &xml, err);
	if (r < 0)
		return r;
	if (step->kind == STEP_LIMIT)
		return host->virt->limit(host, lease->uuid, xml, where, err);
	if (step->on) {
		r = host->virt->attach(host, lease->uuid, xml, where, err);
		return r || !step->awaited ? r
					   : await_guest(ctx, &device[step->number], lease, err);
	}
	return host->virt->detach(host, lease->uuid, xml, where,
				  host->ops->now_ms(host) + ctx->guest_ms, err);
}

int step_run(struct step_context *ctx, struct step *step, struct sriov_error *err)
{
	const struct host_ops *ops = ctx->host->ops;
	const struct sriov_pf *pf = pf_of(ctx);

	if (stop_asked(ctx))
		return interrupted(ctx, err);
	switch (step->kind) {
	case STEP_PF_BIND:
		return run_pf_bind(ctx, step, err);
	case STEP_PF_UP:
		return ops->link_set(ctx->host, pf, step->on, err);
	case STEP_NTUPLE:
		return ops->ntuple(ctx->host, pf, step->on, err);
	case STEP_AUTOPROBE: {
		int r = ops->autoprobe(ctx->host, pf, step->on, err);

		if (!r)
			pf_of(ctx)->autoprobe = step->on;
		return r;
	}
	case STEP_NUMVFS:
		return run_numvfs(ctx, step, err);
	case STEP_VF_SET:
	case STEP_RATE:
		return run_vf_set(ctx, step, err);
	case STEP_BIND:
		return run_bind(ctx, step, err);
	case STEP_RSS:
		return run_rss(ctx, step, err);
	case STEP_RULE_DELETE:
		return ops->rule_delete(ctx->host, pf, step->entry.loc, err);
	case STEP_VF_UP:
		return run_vf_up(ctx, step, err);
	case STEP_FRAMES:
		return run_frames(ctx, step, err);
	case STEP_RULE_INSERT:
		return ops->rule_insert(ctx->host, pf, &step->entry, err);
	case STEP_LINK:
		return run_link(ctx, step, err);
	case STEP_DEVICE:
	case STEP_LIMIT:
		return run_device(ctx, step, err);
	case STEP_BRIDGE:
	case STEP_PORT:
	case STEP_POLICY:
	case STEP_FDB:
	case STEP_MTU:
		return bridge_run(ctx, step, err);
	case STEP_NETDEV:
		return vlan_run(ctx, step, err);
	}
	return sriov_error_set(err, -EINVAL, pf_label(pf), "unknown step");
}
