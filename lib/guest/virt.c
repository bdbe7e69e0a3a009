/* SPDX-License-Identifier: Apache-2.0 */
/* What the live and the simulated libvirt share: see virt.h. */
#include "lib/guest/virt.h"
#include "lib/core/cpuset.h"
#include "lib/guest/device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* In the order of libvirt's virDomainNumatuneMemMode. */
static const char *const virt_numa_words[] = {"strict", "preferred", "interleave", "restrictive",
					      NULL};

const char *const virt_pinning[] = {[VIRT_VCPU] = "pinning a vCPU",
				    [VIRT_EMULATOR] = "pinning the emulator",
				    [VIRT_IOTHREAD] = "pinning an IOThread"};

void virt_domain_clear(struct virt_domain *domain)
{
	free(domain->config);
	free(domain->live);
	*domain = (struct virt_domain){0};
}

void virt_domains_clear(struct virt_domains *domains)
{
	for (size_t i = 0; i < domains->n; i++)
		virt_domain_clear(&domains->at[i]);
	free(domains->at);
	*domains = (struct virt_domains){0};
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct virt_domain *)a)->name, ((const struct virt_domain *)b)->name);
}

void virt_domains_sort(struct virt_domains *domains)
{
	if (domains->n)
		qsort(domains->at, domains->n, sizeof(*domains->at), by_name);
}

int virt_unknown(const struct virt_domains *domains, const char *name, struct sriov_error *err)
{
	_free_ const char **names = calloc(domains->n + 1, sizeof(*names));
	const char *near;

	if (!names)
		return core_oom(err);
	for (size_t i = 0; i < domains->n; i++)
		names[i] = domains->at[i].name;
	near = core_nearest(name, names);
	sriov_error_set(err, -ENOENT, name, "no such domain");
	if (near)
		return sriov_error_hint(err, "did you mean '%s'?", near);
	if (!domains->n)
		return sriov_error_hint(err, "libvirt has no domains; --uri asks another one");
	return sriov_error_hint(err, "`virsh list --all` shows the %zu domains", domains->n);
}

int virt_not_running(const char *object, struct sriov_error *err)
{
	sriov_error_set(err, -ENOTCONN, object, "is not running");
	return sriov_error_hint(err, "start it, or change only its definition (--config)");
}

int virt_has_already(const char *object, const struct guest_device *device, struct sriov_error *err)
{
	char label[GUEST_LABEL];

	return sriov_error_set(err, -EEXIST, object, "has %s already",
			       guest_device_label(device, label));
}

int virt_not_detached(const char *object, const struct guest_device *device, bool rejected,
		      struct sriov_error *err)
{
	char label[GUEST_LABEL];

	guest_device_label(device, label);
	if (rejected) {
		sriov_error_set(err, -EPERM, object, "the guest refuses to let go of %s", label);
		return sriov_error_hint(err, "unload what uses the device inside the guest");
	}
	sriov_error_set(err, -ETIMEDOUT, object, "the guest does not let go of %s", label);
	return sriov_error_hint(err, "it still has the device and may let go of it later: is it "
				     "paused, still booting, or without PCI hotplug? Stopping it "
				     "takes the device away for certain");
}

int virt_numa_mode(const char *mode, struct sriov_error *err)
{
	for (int i = 0; mode && virt_numa_words[i]; i++)
		if (!strcmp(virt_numa_words[i], mode))
			return i;
	return sriov_error_set(err, -EINVAL, mode ? mode : "",
			       "is not a mode of NUMA memory: strict, preferred, interleave, "
			       "restrictive");
}

int virt_cpus(const char *text, struct cpuset *out, struct sriov_error *err)
{
	if (cpuset_parse(text, out) < 0 || cpuset_is_empty(out))
		return sriov_error_set(err, -EINVAL, text, "is not a list of CPUs (0-3,8)");
	return 0;
}

int virt_use(struct sriov_host *host, const char *uri, struct sriov_error *err)
{
	char *copy;

	if (!strcmp(host->uri ?: "", uri))
		return 0;
	copy = *uri ? strdup(uri) : NULL;
	if (*uri && !copy)
		return core_oom(err);
	host->virt->close(host);
	free(host->uri);
	host->uri = copy;
	return 0;
}
