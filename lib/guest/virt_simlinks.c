/* SPDX-License-Identifier: Apache-2.0 */
/* What the simulated libvirt makes for running guests beside their VFs: macvtaps and taps. See sim.h. */
#include "lib/guest/domxml.h"
#include "lib/host/sim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int add_device(const struct guest_device *device, struct host_links *links,
		      struct sriov_error *err)
{
	bool macvtap = device->path == GUEST_MACVTAP;
	struct host_link *link;
	char name[24];

	snprintf(name, sizeof(name), "%.7s%zu", macvtap ? "macvtap" : "vnet", links->n);
	link = sim_link_add(links, name, macvtap ? "macvtap" : "tun");
	if (!link)
		return core_oom(err);
	link->up = true;
	memcpy(link->mac, device->mac, sizeof(link->mac));
	if (macvtap) {
		core_copy(link->lower, sizeof(link->lower), device->netdev);
		return 0;
	}
	/* virNetDevTapCreateInBridgePort(): so that the bridge does not take the guest's address for its own */
	link->mac[0] = 0xfe;
	core_copy(link->master, sizeof(link->master), device->netdev);
	return 0;
}

static int add_domain(const char *live, struct host_links *links, struct sriov_error *err)
{
	_domain_ struct domain domain = {0};
	struct guest_device device;
	int r = domain_parse(live, &domain, err);
	xmlNodePtr devices = r < 0 ? NULL : xml_child(domain.xml.root, "devices");

	for (xmlNodePtr node = xml_child(devices, NULL); !r && node; node = xml_next(node, NULL))
		if (device_read(&domain.xml, node, &device, NULL) &&
		    (device.path == GUEST_MACVTAP || device.path == GUEST_TAP))
			r = add_device(&device, links, err);
	return r;
}

int sim_virt_links(const struct sim *sim, struct host_links *links, struct sriov_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < sim->ndomains; i++)
		if (sim->domain[i].state && sim->domain[i].live)
			r = add_domain(sim->domain[i].live, links, err);
	return r;
}

int sim_virt_has_link(const struct sim *sim, const char *name, bool *out, struct sriov_error *err)
{
	_links_ struct host_links links = {0};
	int r = sim_links(sim, &links, err);

	if (!r)
		*out = links_find(&links, name);
	return r;
}
