/* SPDX-License-Identifier: Apache-2.0 */
/* The effects of virt.h by libvirt itself. */
#include "lib/core/cpuset.h"
#include "lib/guest/libvirt.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* A domain that is looked at: libvirt's handle, and what errors call it. */
struct handle {
	struct virt_live *live;
	virDomainPtr domain;
	char object[80];
};

static void release(struct handle *handle)
{
	if (handle->domain)
		handle->live->lib->virDomainFree(handle->domain);
}
#define _handle_ _cleanup_(release)

static void name_handle(struct handle *handle)
{
	const char *name = handle->live->lib->virDomainGetName(handle->domain);

	snprintf(handle->object, sizeof(handle->object), "domain %s", name ? name : "?");
}

/* 1: libvirt has no such domain. */
static int look_up(struct virt_live *live, const char *name, struct handle *out,
		   struct sriov_error *err)
{
	struct handle handle = {.live = live};
	char uuid[40];
	virErrorPtr last;

	if (!guest_uuid_parse(name, uuid))
		handle.domain = live->lib->virDomainLookupByUUIDString(live->conn, uuid);
	if (!handle.domain)
		handle.domain = live->lib->virDomainLookupByName(live->conn, name);
	if (!handle.domain) {
		last = live->lib->virGetLastError();
		return last && last->code == VIR_ERR_NO_DOMAIN
			       ? 1
			       : libvirt_failed(live, name, "looking for the domain", err);
	}
	name_handle(&handle);
	*out = handle;
	return 0;
}

static int get_state(const struct handle *handle, int *out, struct sriov_error *err)
{
	if (handle->live->lib->virDomainGetState(handle->domain, out, NULL, 0) < 0)
		return libvirt_failed(handle->live, handle->object, "asking for its state", err);
	return 0;
}

static bool is_running(int state)
{
	return state != VIR_DOMAIN_SHUTOFF && state != VIR_DOMAIN_CRASHED;
}

int libvirt_xml(struct virt_live *live, virDomainPtr domain, enum virt_where where, char **out,
		struct sriov_error *err)
{
	unsigned flags = where == VIRT_CONFIG ? VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE : 0;
	struct handle handle = {.live = live, .domain = domain};
	int state, r;

	name_handle(&handle);
	r = get_state(&handle, &state, err);
	if (r < 0)
		return r;
	/* without this libvirt gives the definition instead */
	if (where == VIRT_LIVE && !is_running(state))
		return virt_not_running(handle.object, err);
	*out = live->lib->virDomainGetXMLDesc(domain, flags);
	return *out ? 0 : libvirt_failed(live, handle.object, "reading its XML", err);
}

static int describe(const struct handle *handle, bool with_xml, struct virt_domain *out,
		    struct sriov_error *err)
{
	const struct libvirt *lib = handle->live->lib;
	_virt_domain_ struct virt_domain is = {0};
	int state = VIR_DOMAIN_NOSTATE, persistent, r;

	core_copy(is.name, sizeof(is.name), lib->virDomainGetName(handle->domain));
	if (lib->virDomainGetUUIDString(handle->domain, is.uuid) < 0)
		return libvirt_failed(handle->live, handle->object, "asking for its UUID", err);
	r = get_state(handle, &state, err);
	if (r < 0)
		return r;
	persistent = lib->virDomainIsPersistent(handle->domain);
	if (persistent < 0)
		return libvirt_failed(handle->live, handle->object, "asking whether it lasts", err);
	is.running = is_running(state);
	is.paused = state == VIR_DOMAIN_PAUSED;
	is.persistent = persistent;
	if (with_xml && is.persistent)
		r = libvirt_xml(handle->live, handle->domain, VIRT_CONFIG, &is.config, err);
	if (!r && with_xml && is.running)
		r = libvirt_xml(handle->live, handle->domain, VIRT_LIVE, &is.live, err);
	if (r < 0)
		return r;
	*out = is;
	is = (struct virt_domain){0};
	return 0;
}

static int live_list(struct sriov_host *host, bool with_xml, struct virt_domains *out,
		     struct sriov_error *err)
{
	_virt_domains_ struct virt_domains list = {0};
	struct virt_live *live;
	virDomainPtr *domains = NULL;
	int r = libvirt_connect(host, &live, err), n;

	if (r < 0)
		return r;
	n = live->lib->virConnectListAllDomains(live->conn, &domains, 0);
	if (n < 0)
		return libvirt_failed(live, "libvirt", "listing the domains", err);
	for (int i = 0; i < n; i++) {
		_handle_ struct handle handle = {.live = live, .domain = domains[i]};
		struct virt_domain *domain;

		if (r < 0)
			continue;
		name_handle(&handle);
		domain = core_grow(&list.at, &list.n, sizeof(*domain));
		r = domain ? describe(&handle, with_xml, domain, err) : core_oom(err);
		/* undefined or stopped since it was listed */
		if (domain && (r == -ENOENT || r == -ENOTCONN)) {
			list.n--;
			r = 0;
		}
	}
	free(domains);
	if (r < 0)
		return r;
	virt_domains_sort(&list);
	*out = list;
	list = (struct virt_domains){0};
	return 0;
}

/* The domain, or which one may have been meant. */
static int find_handle(struct sriov_host *host, const char *name, struct handle *out,
		       struct sriov_error *err)
{
	_virt_domains_ struct virt_domains all = {0};
	struct virt_live *live;
	int r = libvirt_connect(host, &live, err);

	if (!r)
		r = look_up(live, name, out, err);
	if (r != 1)
		return r;
	r = live_list(host, false, &all, err);
	return r < 0 ? r : virt_unknown(&all, name, err);
}

static int live_find(struct sriov_host *host, const char *name, struct virt_domain *out,
		     struct sriov_error *err)
{
	_handle_ struct handle handle = {0};
	int r = find_handle(host, name, &handle, err);

	return r < 0 ? r : describe(&handle, true, out, err);
}

/* libvirt has no call for this, but gives each QEMU its domain's UUID as an argument. */
static bool is_qemu_of(int proc, const char *pid, const char *uuid)
{
	_free_ char *words = NULL;
	char path[32];
	size_t size = 0;

	snprintf(path, sizeof(path), "%s/cmdline", pid);
	if (core_read_file(proc, path, 1 << 20, &words, &size) < 0)
		return false;
	for (const char *word = words; word < words + size; word += strlen(word) + 1)
		if (!strcmp(word, "-uuid"))
			return word + sizeof("-uuid") < words + size &&
			       !strcasecmp(word + sizeof("-uuid"), uuid);
	return false;
}

static int live_pid(struct sriov_host *host, const char *uuid, long *out, struct sriov_error *err)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	long found = 0;

	if (!proc)
		return core_errno(err, -errno, "/proc", "cannot be read");
	while (!found && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    is_qemu_of(dirfd(proc), entry->d_name, uuid))
			found = strtol(entry->d_name, NULL, 10);
	closedir(proc);
	if (!found)
		return sriov_error_set(err, -ESRCH, uuid,
				       "no process of this host is the QEMU of this domain");
	*out = found;
	return 0;
}

static int live_process(struct sriov_host *host, const char *uuid, struct process *out,
			struct sriov_error *err)
{
	_close_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	long pid = 0;
	int r = proc < 0 ? core_errno(err, -errno, "/proc", "cannot be opened")
			 : live_pid(host, uuid, &pid, err);

	return r < 0 ? r : process_read(proc, pid, out, err);
}

static unsigned flag_of(enum virt_where where)
{
	return where == VIRT_LIVE ? VIR_DOMAIN_AFFECT_LIVE : VIR_DOMAIN_AFFECT_CONFIG;
}

/* The device of an attach or detach, and the XML of the domain that it is about. */
static int prepare(struct sriov_host *host, const char *uuid, const char *text,
		   enum virt_where where, struct handle *handle, struct guest_device *device,
		   char **xml, struct sriov_error *err)
{
	int r = guest_device_parse(text, device, err);

	if (!r)
		r = find_handle(host, uuid, handle, err);
	return r < 0 ? r : libvirt_xml(handle->live, handle->domain, where, xml, err);
}

static int live_attach(struct sriov_host *host, const char *uuid, const char *text,
		       enum virt_where where, struct sriov_error *err)
{
	_handle_ struct handle handle = {0};
	_free_ char *xml = NULL;
	struct guest_device device;
	bool found = false;
	int r = prepare(host, uuid, text, where, &handle, &device, &xml, err);

	if (!r)
		r = guest_device_find(xml, &device, &found, NULL, err);
	if (r < 0)
		return r;
	/* libvirt would add it a second time, and then not start the domain (seen with 9.0) */
	if (found)
		return virt_has_already(handle.object, &device, err);
	if (handle.live->lib->virDomainAttachDeviceFlags(handle.domain, text, flag_of(where)) < 0)
		return libvirt_failed(handle.live, handle.object, "attaching the device", err);
	return 0;
}

static int live_detach(struct sriov_host *host, const char *uuid, const char *text,
		       enum virt_where where, int64_t deadline_ms, struct sriov_error *err)
{
	_handle_ struct handle handle = {0};
	_free_ char *xml = NULL, *own = NULL;
	struct guest_device device;
	int r = prepare(host, uuid, text, where, &handle, &device, &xml, err);

	/* as the domain has it: of two interfaces with one MAC libvirt needs to be told which */
	if (!r)
		r = guest_device_text(xml, &device, &own, err);
	if (r < 0)
		return r;
	if (where == VIRT_LIVE)
		return libvirt_detach_live(handle.live, handle.domain, handle.object, &device, own,
					   deadline_ms, err);
	if (handle.live->lib->virDomainDetachDeviceFlags(handle.domain, own, flag_of(where)) < 0)
		return libvirt_failed(handle.live, handle.object, "detaching the device", err);
	return 0;
}

static int live_limit(struct sriov_host *host, const char *uuid, const char *text,
		      enum virt_where where, struct sriov_error *err)
{
	_handle_ struct handle handle = {0};
	_free_ char *xml = NULL, *limited = NULL, *own = NULL;
	struct guest_device device;
	int r = prepare(host, uuid, text, where, &handle, &device, &xml, err);

	if (!r)
		r = guest_device_limit(xml, &device, &limited, err);
	if (!r)
		r = guest_device_text(limited, &device, &own, err);
	if (r < 0)
		return r;
	if (handle.live->lib->virDomainUpdateDeviceFlags(handle.domain, own, flag_of(where)) < 0)
		return libvirt_failed(handle.live, handle.object, "limiting the device", err);
	return 0;
}

static int live_define(struct sriov_host *host, const char *xml, struct sriov_error *err)
{
	_handle_ struct handle handle = {0};
	char name[SRIOV_NAME_LEN], uuid[40], object[80];
	int r = guest_xml_identity(xml, name, uuid, err);

	if (!r)
		r = libvirt_connect(host, &handle.live, err);
	if (r < 0)
		return r;
	snprintf(object, sizeof(object), "domain %s", name);
	handle.domain = handle.live->lib->virDomainDefineXMLFlags(handle.live->conn, xml, 0);
	return handle.domain ? 0 : libvirt_failed(handle.live, object, "defining it", err);
}

static int live_pin(struct sriov_host *host, const char *uuid, enum virt_thread thread,
		    unsigned number, const char *cpus, enum virt_where where,
		    struct sriov_error *err)
{
	_handle_ struct handle handle = {0};
	const struct libvirt *lib;
	unsigned char map[CPUSET_MAX / 8];
	struct cpuset set;
	int size = 0, r = virt_cpus(cpus, &set, err);

	if (!r)
		r = find_handle(host, uuid, &handle, err);
	if (r < 0)
		return r;
	memset(map, 0, sizeof(map));
	for (unsigned cpu = 0; cpu < CPUSET_MAX; cpu++) {
		if (!cpuset_has(&set, cpu))
			continue;
		map[cpu / 8] |= 1 << cpu % 8;
		size = cpu / 8 + 1;
	}
	lib = handle.live->lib;
	if (thread == VIRT_VCPU)
		r = lib->virDomainPinVcpuFlags(handle.domain, number, map, size, flag_of(where));
	else if (thread == VIRT_EMULATOR)
		r = lib->virDomainPinEmulator(handle.domain, map, size, flag_of(where));
	else
		r = lib->virDomainPinIOThread(handle.domain, number, map, size, flag_of(where));
	return r < 0 ? libvirt_failed(handle.live, handle.object, virt_pinning[thread], err) : 0;
}

static int live_memory(struct sriov_host *host, const char *uuid, const char *mode,
		       const char *nodeset, enum virt_where where, struct sriov_error *err)
{
	virTypedParameter params[] = {
		{.field = VIR_DOMAIN_NUMA_NODESET, .type = VIR_TYPED_PARAM_STRING},
		{.field = VIR_DOMAIN_NUMA_MODE, .type = VIR_TYPED_PARAM_INT},
	};
	_handle_ struct handle handle = {0};
	int word = mode ? virt_numa_mode(mode, err) : 0;
	int r = word < 0 ? word : find_handle(host, uuid, &handle, err);

	if (r < 0)
		return r;
	params[0].value.s = (char *)nodeset;
	params[1].value.i = word;
	if (handle.live->lib->virDomainSetNumaParameters(handle.domain, params, mode ? 2 : 1,
							 flag_of(where)) < 0)
		return libvirt_failed(handle.live, handle.object, "binding its memory", err);
	return 0;
}

static void live_close(struct sriov_host *host)
{
	if (host->virt_priv)
		libvirt_close(host->virt_priv);
	host->virt_priv = NULL;
}

const struct virt_ops virt_live_ops = {
	.name = "live",
	.close = live_close,
	.find = live_find,
	.list = live_list,
	.pid = live_pid,
	.process = live_process,
	.attach = live_attach,
	.detach = live_detach,
	.limit = live_limit,
	.define = live_define,
	.pin = live_pin,
	.memory = live_memory,
};
