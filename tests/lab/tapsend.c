/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tapsend PID DEVICE [big]: writes broadcast frames of 1514 bytes to the tap or macvtap DEVICE of the QEMU PID, by that QEMU's
 * own descriptor, as fast as it goes: what a guest would send. Until it is killed. "big": TCP of 64,000 bytes a frame, which
 * the kernel cuts, as a guest with TSO sends; a shaper that wakes up for each frame is then less at the mercy of slow timers.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int find(long pid, const char *device, int *header)
{
	int process = syscall(SYS_pidfd_open, pid, 0);
	struct dirent *entry;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%ld/fd", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		int fd = syscall(SYS_pidfd_getfd, process, atoi(entry->d_name), 0);
		struct ifreq ifr = {0};

		if (fd < 0 || ioctl(fd, TUNGETIFF, &ifr) < 0 || strcmp(ifr.ifr_name, device) != 0) {
			close(fd);
			continue;
		}
		if (!(ifr.ifr_flags & IFF_VNET_HDR) || ioctl(fd, TUNGETVNETHDRSZ, header) < 0)
			*header = 0;
		return fd;
	}
	fprintf(stderr, "tapsend: process %ld has no %s\n", pid, device);
	exit(1);
}

/* An Ethernet and IPv4 and TCP header; the checksums are the kernel's work when it cuts the frame. */
static size_t fill_big(struct virtio_net_hdr *header, unsigned char *frame)
{
	const size_t length = 54 + 64000;

	*header = (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					  .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
					  .hdr_len = 54,
					  .gso_size = 1448,
					  .csum_start = 34,
					  .csum_offset = 16};
	memcpy(frame + 12, "\x08\x00\x45\0", 4);
	frame[16] = (length - 14) >> 8;
	frame[17] = (length - 14) & 0xff;
	memcpy(frame + 22, "\x40\x06\0\0\x0a\x01\0\x63\x0a\x01\0\xff", 12);
	memcpy(frame + 34, "\x04\0\0\x09", 4);
	frame[46] = 5 << 4;
	frame[47] = 0x10;
	return length;
}

int main(int argc, char **argv)
{
	static union {
		struct virtio_net_hdr header;
		unsigned char bytes[64 + 54 + 64000];
	} buf;
	int header = 0, fd = argc >= 3 ? find(atol(argv[1]), argv[2], &header) : -1;
	unsigned char *frame = buf.bytes + header;
	struct ifreq ifr = {0};
	size_t length = 1514;

	if (fd < 0)
		return 2;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", argv[2]);
	if (ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCGIFHWADDR, &ifr) < 0)
		return 1;
	memcpy(frame + 12, "\x88\xb5", 2);
	if (argc > 3 && header)
		length = fill_big(&buf.header, frame);
	memset(frame, 0xff, 6);
	memcpy(frame + 6, ifr.ifr_hwaddr.sa_data, 6);
	for (;;)
		if (write(fd, &buf, header + length) < 0)
			usleep(1000);
}
