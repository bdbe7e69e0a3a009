/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor: what creating VFs costs in bare system calls, with nothing planned, recorded or explained.
 *
 *     bare PF-ADDRESS NETDEV COUNT
 *
 * autoprobe off, one write of sriov_numvfs, one RTM_SETLINK a VF (MAC, VLAN, spoofchk, trust), one dump as
 * readback, then driver_override and drivers_probe for each VF (vfio-pci). Prints milliseconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

struct message {
	struct nlmsghdr header;
	struct ifinfomsg link;
	char attributes[512];
};

static struct nlattr *attribute(struct message *m, int type, const void *data, size_t size)
{
	struct nlattr *a = (struct nlattr *)((char *)m + NLMSG_ALIGN(m->header.nlmsg_len));

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + size;
	memcpy((char *)a + NLA_HDRLEN, data, size);
	m->header.nlmsg_len = NLMSG_ALIGN(m->header.nlmsg_len) + NLA_ALIGN(a->nla_len);
	return a;
}

static void end_nest(struct message *m, struct nlattr *nest)
{
	nest->nla_len = (char *)m + m->header.nlmsg_len - (char *)nest;
}

static void set_vf(int fd, unsigned ifindex, unsigned vf)
{
	struct message m = {.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
				       .nlmsg_type = RTM_SETLINK,
				       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
			    .link = {.ifi_index = ifindex}};
	struct ifla_vf_mac mac = {.vf = vf, .mac = {2, 0, 0, 0, 9, vf}};
	struct ifla_vf_vlan vlan = {.vf = vf, .vlan = 7};
	struct ifla_vf_spoofchk spoofchk = {.vf = vf, .setting = 1};
	struct ifla_vf_trust trust = {.vf = vf, .setting = 1};
	struct nlattr *list = attribute(&m, IFLA_VFINFO_LIST | NLA_F_NESTED, "", 0);
	struct nlattr *info = attribute(&m, IFLA_VF_INFO | NLA_F_NESTED, "", 0);
	char answer[1024];

	attribute(&m, IFLA_VF_MAC, &mac, sizeof(mac));
	attribute(&m, IFLA_VF_VLAN, &vlan, sizeof(vlan));
	attribute(&m, IFLA_VF_SPOOFCHK, &spoofchk, sizeof(spoofchk));
	attribute(&m, IFLA_VF_TRUST, &trust, sizeof(trust));
	end_nest(&m, info);
	end_nest(&m, list);
	if (send(fd, &m, m.header.nlmsg_len, 0) < 0 || recv(fd, answer, sizeof(answer), 0) < 0)
		die("netlink");
	errno = -((struct nlmsgerr *)NLMSG_DATA(answer))->error;
	if (errno)
		die("RTM_SETLINK");
}

static void read_back(int fd, unsigned ifindex)
{
	static char answer[65536];
	struct message m = {.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
				       .nlmsg_type = RTM_GETLINK,
				       .nlmsg_flags = NLM_F_REQUEST},
			    .link = {.ifi_index = ifindex}};
	unsigned mask = RTEXT_FILTER_VF;

	attribute(&m, IFLA_EXT_MASK, &mask, sizeof(mask));
	if (send(fd, &m, m.header.nlmsg_len, 0) < 0 || recv(fd, answer, sizeof(answer), 0) < 0)
		die("readback");
}

static void bind_vfio(const char *pf, unsigned vf)
{
	char path[256], target[256];
	ssize_t len;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/virtfn%u", pf, vf);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		die(path);
	target[len] = '\0';
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/virtfn%u/driver_override", pf, vf);
	put(path, "vfio-pci");
	put("/sys/bus/pci/drivers_probe", strrchr(target, '/') + 1);
}

int main(int argc, char **argv)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	unsigned count, ifindex;
	char path[256];
	double start;

	if (argc != 4 || fd < 0)
		return 2;
	count = strtoul(argv[3], NULL, 10);
	ifindex = if_nametoindex(argv[2]);
	start = now();
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/sriov_drivers_autoprobe", argv[1]);
	put(path, "0");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/sriov_numvfs", argv[1]);
	put(path, argv[3]);
	for (unsigned i = 0; i < count; i++)
		set_vf(fd, ifindex, i);
	read_back(fd, ifindex);
	for (unsigned i = 0; i < count; i++)
		bind_vfio(argv[1], i);
	printf("%.0f\n", now() - start);
	return 0;
}
