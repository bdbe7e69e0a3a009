/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing a host, live or simulated. */
#include "lib/guest/virt.h"
#include "lib/store/store.h"
#include "lib/vswitch/vswitch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* "libvirt=live": which of a simulated host's groups of effects are the real ones. */
static int set_group(struct sriov_host *host, const char *spec, const char *word,
		     struct sriov_error *err)
{
	static const struct {
		const char *word;
		const struct virt_ops *virt;
		const struct vswitch_ops *vswitch;
	} groups[] = {
		{"libvirt=simulated", .virt = &virt_sim_ops},
		{"libvirt=live", .virt = &virt_live_ops},
		{"ovs=simulated", .vswitch = &vswitch_sim_ops},
		{"ovs=live", .vswitch = &vswitch_live_ops},
	};

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		if (strcmp(groups[i].word, word) != 0)
			continue;
		if (groups[i].virt ? !!host->virt : !!host->vswitch)
			return sriov_error_set(err, -EINVAL, spec, "'%s': that was said before",
					       word);
		if (groups[i].virt)
			host->virt = groups[i].virt;
		else
			host->vswitch = groups[i].vswitch;
		return 0;
	}
	sriov_error_set(err, -EINVAL, spec, "'%s' is not part of a simulated host", word);
	return sriov_error_hint(err, "after FILE can stand ,libvirt=live and ,ovs=live, or "
				     "=simulated (without: simulated)");
}

/* FILE[,GROUP=live|simulated…]; a comma that no '=' follows belongs to the file's name. */
static int open_simulated(struct sriov_host *host, const char *spec, struct sriov_error *err)
{
	_free_ char *file = strdup(spec);
	char *comma;
	int r = file ? 0 : core_oom(err);

	while (!r && (comma = strrchr(file, ',')) && strchr(comma, '=') && !strchr(comma, '/')) {
		r = set_group(host, spec, comma + 1, err);
		*comma = '\0';
	}
	if (!r)
		r = host_sim_open(host, file, err);
	if (!r && !host->virt)
		host->virt = &virt_sim_ops;
	if (!r && !host->vswitch)
		host->vswitch = &vswitch_sim_ops;
	return r;
}

SRIOV_EXPORT int sriov_host_open(const char *spec, struct sriov_host **out, struct sriov_error *err)
{
	struct sriov_host *host = calloc(1, sizeof(*host));
	int r;

	if (!host)
		return core_oom(err);
	if (spec && *spec) {
		r = open_simulated(host, spec, err);
	} else {
		host->virt = &virt_live_ops;
		host->vswitch = &vswitch_live_ops;
		r = host_live_open(host, err);
	}
	if (r < 0) {
		sriov_host_close(host);
		return r;
	}
	*out = host;
	return 0;
}

SRIOV_EXPORT void sriov_host_close(struct sriov_host *host)
{
	if (!host)
		return;
	store_close(host->store);
	if (host->virt)
		host->virt->close(host);
	if (host->ops)
		host->ops->close(host);
	free(host->uri);
	for (size_t i = 0; i < host->nlocks; i++)
		close(host->lock_fd[i]);
	free(host);
}

SRIOV_EXPORT int sriov_host_uri(struct sriov_host *host, const char *uri, struct sriov_error *err)
{
	char *copy;

	if (host->virt == &virt_sim_ops) {
		sriov_error_set(err, -EINVAL, uri, "the simulated host has a libvirt of its own");
		return sriov_error_hint(err, "with --host FILE,libvirt=live it has a real one");
	}
	copy = strdup(uri);
	if (!copy)
		return core_oom(err);
	host->virt->close(host);
	free(host->uri);
	host->uri = copy;
	return 0;
}

/* "auto" from a driver that always says "auto" is not known; ixgbe reports VF link states since 6.12. */
static void hide_unreported(struct sriov_inventory *inv)
{
	unsigned major = 0, minor = 0;

	if (sscanf(inv->kernel, "%u.%u", &major, &minor) == 2 &&
	    (major > 6 || (major == 6 && minor >= 12)))
		return;
	for (size_t p = 0; p < inv->npfs; p++) {
		const struct sriov_driver *driver = sriov_driver_find(inv->pf[p].driver);

		if (!driver || !(driver->traits & SRIOV_VF_REPORTS_NO_LINK_STATE) || !inv->pf[p].vf)
			continue;
		for (unsigned v = 0; v < inv->pf[p].vfs; v++)
			inv->pf[p].vf[v].attrs.has &= ~SRIOV_VF_LINK;
	}
}

int host_read(struct sriov_host *host, const char *pf, unsigned what, struct sriov_inventory **out,
	      struct sriov_error *err)
{
	struct sriov_inventory *inv = calloc(1, sizeof(*inv));
	int r;

	if (!inv)
		return core_oom(err);
	r = host->ops->read(host, pf, what, inv, err);
	if (r < 0) {
		sriov_inventory_free(inv);
		return r;
	}
	hide_unreported(inv);
	*out = inv;
	return 0;
}
