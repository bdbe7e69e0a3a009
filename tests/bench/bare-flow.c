/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor: what N rules cost in bare ioctls, with nothing planned, recorded or explained.
 *
 *     bare-flow rules N             those rules in sriovctl's words
 *     bare-flow ethtool N           in ethtool(8)'s words, one a line
 *     bare-flow NETDEV N LOC        inserts them from location LOC on, then reads back: all locations, each rule
 *     bare-flow NETDEV clear        deletes what is there
 *
 * Rule i is udp4 dst-ip 10.64.x.y dst-port 4789 queue i % 4.
 */
#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define ROOM 16384
#define PORT 4789
#define QUEUES 4
static const char *netdev;
static int fd;

static int ask(struct ethtool_rxnfc *nfc)
{
	struct ifreq ifr = {.ifr_data = (void *)nfc};

	strncpy(ifr.ifr_name, netdev, IFNAMSIZ - 1);
	return ioctl(fd, SIOCETHTOOL, &ifr);
}

static void must(struct ethtool_rxnfc *nfc)
{
	if (ask(nfc) < 0) {
		perror(netdev);
		exit(1);
	}
}

static struct in_addr address(unsigned i)
{
	return (struct in_addr){htonl(0x0a400001 + i)};
}

static void insert(unsigned i, unsigned loc)
{
	struct ethtool_rxnfc nfc = {
		.cmd = ETHTOOL_SRXCLSRLINS,
		.fs = {.flow_type = UDP_V4_FLOW,
		       .location = loc,
		       .ring_cookie = i % QUEUES,
		       .h_u.udp_ip4_spec = {.ip4dst = address(i).s_addr, .pdst = htons(PORT)},
		       .m_u.udp_ip4_spec = {.ip4dst = ~0u, .pdst = 0xffff}},
	};

	must(&nfc);
}

static struct ethtool_rxnfc *locations(void)
{
	struct ethtool_rxnfc *all = calloc(1, sizeof(*all) + ROOM * sizeof(all->rule_locs[0]));

	if (!all)
		exit(1);
	all->cmd = ETHTOOL_GRXCLSRLALL;
	all->rule_cnt = ROOM;
	must(all);
	return all;
}

static void each(uint32_t command)
{
	struct ethtool_rxnfc *all = locations();

	for (unsigned i = 0; i < all->rule_cnt; i++)
		must(&(struct ethtool_rxnfc){.cmd = command, .fs.location = all->rule_locs[i]});
	free(all);
}

int main(int argc, char **argv)
{
	unsigned n;

	if (argc < 3)
		return 2;
	netdev = argv[1];
	n = strtoul(argv[2], NULL, 10);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (argc == 3 && !strcmp(argv[2], "clear")) {
		each(ETHTOOL_SRXCLSRLDEL);
	} else if (argc == 3) {
		for (unsigned i = 0; i < n; i++)
			printf("flow-type udp4 dst-ip %s dst-port %d %s %u\n",
			       inet_ntoa(address(i)), PORT,
			       strcmp(netdev, "rules") ? "action" : "queue", i % QUEUES);
	} else {
		for (unsigned i = 0; i < n; i++)
			insert(i, strtoul(argv[3], NULL, 10) + i);
		each(ETHTOOL_GRXCLSRULE);
	}
	return 0;
}
