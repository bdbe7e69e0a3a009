/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for what a guest answers. libvirt's event loop runs in a thread as long as there is a connection: without
 * it the daemon's pings find no answer between two calls of ours, ours to a frozen daemon are not sent during one
 * (seen with 9.0), and a driver inside this process (qemu:///embed) does nothing.
 */
#include "lib/guest/device.h"
#include "lib/guest/libvirt.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define NEVER -1

/* The timer only ends the last turn of the loop. */
static void on_timer(int timer, void *data)
{
	struct virt_live *live = data;

	live->lib->virEventUpdateTimeout(timer, NEVER);
}

static void *run_loop(void *data)
{
	struct virt_live *live = data;
	bool stops = false;

	while (!stops && live->lib->virEventRunDefaultImpl() == 0) {
		pthread_mutex_lock(&live->mutex);
		stops = live->stops;
		pthread_mutex_unlock(&live->mutex);
	}
	return NULL;
}

int libvirt_loop_start(struct virt_live *live, struct sriov_error *err)
{
	int timer = live->lib->virEventAddTimeout(NEVER, on_timer, live, NULL), r;

	if (timer < 0)
		return libvirt_failed(live, "libvirt", "setting a timer", err);
	r = -pthread_create(&live->thread, NULL, run_loop, live);
	if (r < 0) {
		live->lib->virEventRemoveTimeout(timer);
		return core_errno(err, r, "libvirt", "no thread for its event loop");
	}
	live->timer = timer;
	return 0;
}

void libvirt_loop_stop(struct virt_live *live)
{
	if (live->timer < 0)
		return;
	pthread_mutex_lock(&live->mutex);
	live->stops = true;
	pthread_mutex_unlock(&live->mutex);
	live->lib->virEventUpdateTimeout(live->timer, 0);
	pthread_join(live->thread, NULL);
	live->lib->virEventRemoveTimeout(live->timer);
}

static void tell(struct virt_live *live, bool rejected)
{
	pthread_mutex_lock(&live->mutex);
	live->news++;
	live->rejected |= rejected;
	pthread_cond_signal(&live->told);
	pthread_mutex_unlock(&live->mutex);
}

static void on_removed(virConnectPtr conn, virDomainPtr domain, const char *alias, void *data)
{
	tell(data, false);
}

static void on_rejected(virConnectPtr conn, virDomainPtr domain, const char *alias, void *data)
{
	tell(data, true);
}

/* A guest that stops has answered too. */
static int on_lifecycle(virConnectPtr conn, virDomainPtr domain, int event, int detail, void *data)
{
	tell(data, false);
	return 0;
}

static const struct {
	int id;
	virConnectDomainEventGenericCallback call;
} listened[] = {
	{VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_removed)},
	{VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, VIR_DOMAIN_EVENT_CALLBACK(on_rejected)},
	{VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle)},
};

struct listening {
	int id[ARRAY_SIZE(listened)];
};

static void ignore(struct virt_live *live, const struct listening *what)
{
	for (size_t i = 0; i < ARRAY_SIZE(listened); i++)
		if (what->id[i] >= 0)
			live->lib->virConnectDomainEventDeregisterAny(live->conn, what->id[i]);
}

static int listen(struct virt_live *live, virDomainPtr domain, const char *object,
		  struct listening *out, struct sriov_error *err)
{
	int r = 0;

	memset(out->id, -1, sizeof(out->id));
	pthread_mutex_lock(&live->mutex);
	live->rejected = false;
	pthread_mutex_unlock(&live->mutex);
	for (size_t i = 0; i < ARRAY_SIZE(listened) && !r; i++) {
		out->id[i] = live->lib->virConnectDomainEventRegisterAny(
			live->conn, domain, listened[i].id, listened[i].call, live, NULL);
		if (out->id[i] < 0)
			r = libvirt_failed(live, object, "listening for its answer", err);
	}
	if (r < 0)
		ignore(live, out);
	return r;
}

struct glance {
	unsigned news;
	bool rejected, lost;
};

static struct glance glance(struct virt_live *live)
{
	struct glance now;

	pthread_mutex_lock(&live->mutex);
	now = (struct glance){live->news, live->rejected, live->lost};
	pthread_mutex_unlock(&live->mutex);
	return now;
}

/* Until something was told since @seen, or the deadline. */
static void wait_for_news(struct virt_live *live, unsigned seen, int64_t deadline_ms)
{
	struct timespec until = {deadline_ms / 1000, deadline_ms % 1000 * 1000000};

	pthread_mutex_lock(&live->mutex);
	while (live->news == seen && !live->lost &&
	       !pthread_cond_timedwait(&live->told, &live->mutex, &until))
		;
	pthread_mutex_unlock(&live->mutex);
}

/* Whether the running domain still has the device; one that does not run any more has none. */
static int still_there(struct virt_live *live, virDomainPtr domain,
		       const struct guest_device *device, bool *out, struct sriov_error *err)
{
	_free_ char *xml = NULL;
	struct sriov_error why = {0};
	int r = libvirt_xml(live, domain, VIRT_LIVE, &xml, &why);

	if (!r)
		r = guest_device_find(xml, device, out, NULL, &why);
	if (r == -ENOTCONN || r == -ENOENT) {
		*out = false;
		return 0;
	}
	if (r < 0 && err)
		*err = why;
	return r;
}

static int lost(const char *object, struct sriov_error *err)
{
	return libvirt_error(err, object, "waiting for the guest's answer", VIR_ERR_RPC,
			     VIR_FROM_RPC, "the connection was closed");
}

/* Looks before each wait, as an event says only that it is worth it. */
static int await_removal(struct virt_live *live, virDomainPtr domain, const char *object,
			 const struct guest_device *device, int64_t deadline_ms,
			 struct sriov_error *err)
{
	for (;;) {
		struct glance before = glance(live);
		bool there = true;
		int r = still_there(live, domain, device, &there, err);

		if (r < 0 || !there)
			return r;
		if (before.rejected || core_monotonic_ms() >= deadline_ms)
			return virt_not_detached(object, device, before.rejected, err);
		wait_for_news(live, before.news, deadline_ms);
		if (glance(live).lost)
			return lost(object, err);
	}
}

int libvirt_detach_live(struct virt_live *live, virDomainPtr domain, const char *object,
			const struct guest_device *device, const char *xml, int64_t deadline_ms,
			struct sriov_error *err)
{
	struct listening listening;
	int r = listen(live, domain, object, &listening, err);

	if (r < 0)
		return r;
	if (live->lib->virDomainDetachDeviceFlags(domain, xml, VIR_DOMAIN_AFFECT_LIVE) < 0) {
		virErrorPtr last = live->lib->virGetLastError();

		/* an earlier request is still open: what matters is the guest's answer */
		if (!last || !last->message || !strstr(last->message, "in the process of unplug"))
			r = libvirt_failed(live, object, "detaching the device", err);
	}
	if (!r)
		r = await_removal(live, domain, object, device, deadline_ms, err);
	ignore(live, &listening);
	return r;
}
