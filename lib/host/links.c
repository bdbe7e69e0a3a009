/* SPDX-License-Identifier: Apache-2.0 */
/* Small helpers on the netdevs of a host: see host.h. */
#include "lib/host/host.h"

#include <linux/if_ether.h>
#include <string.h>

void links_clear(struct host_links *links)
{
	free(links->at);
	*links = (struct host_links){0};
}

const struct host_link *links_find(const struct host_links *links, const char *name)
{
	for (size_t i = 0; *name && i < links->n; i++)
		if (!strcmp(links->at[i].name, name))
			return &links->at[i];
	return NULL;
}

const struct host_link *links_vlan(const struct host_links *links, const char *lower, uint16_t vlan)
{
	for (size_t i = 0; *lower && i < links->n; i++) {
		const struct host_link *link = &links->at[i];

		if (!strcmp(link->kind, "vlan") && link->vlan == vlan &&
		    link->vlan_proto == ETH_P_8021Q && !strcmp(link->lower, lower))
			return link;
	}
	return NULL;
}
