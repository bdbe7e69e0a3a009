/* SPDX-License-Identifier: Apache-2.0 */
/* Test frames on netdevs by packet sockets: see kernel.h. */
#include "lib/kernel/kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define IP_AT 14
#define UDP_AT (IP_AT + 20)
#define PAYLOAD_AT (UDP_AT + 8)
/* IPv4 total length: the padding counts as payload, so that the whole frame is ours */
#define IP_LENGTH (FRAME_SIZE - IP_AT)
#define UDP_LENGTH (FRAME_SIZE - UDP_AT)

static void put16(uint8_t *at, unsigned value)
{
	at[0] = value >> 8;
	at[1] = value;
}

/* RFC 1071, over an even number of bytes. */
static uint32_t add_up(uint32_t sum, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	return sum;
}

static unsigned fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

void frame_build(const struct frame *frame, uint8_t out[FRAME_SIZE])
{
	uint8_t *ip = out + IP_AT, *udp = out + UDP_AT;
	unsigned check;

	memset(out, 0, FRAME_SIZE);
	memcpy(out, frame->dst_mac, 6);
	memcpy(out + 6, frame->src_mac, 6);
	put16(out + 12, ETHERTYPE_IP);
	ip[0] = 0x45;
	put16(ip + 2, IP_LENGTH);
	ip[8] = 1; /* TTL */
	ip[9] = IPPROTO_UDP;
	memcpy(ip + 12, frame->src_ip, 4);
	memcpy(ip + 16, frame->dst_ip, 4);
	put16(ip + 10, fold(add_up(0, ip, 20)));
	put16(udp, frame->src_port);
	put16(udp + 2, frame->dst_port);
	put16(udp + 4, UDP_LENGTH);
	for (unsigned i = 0; i < 8; i++)
		out[PAYLOAD_AT + i] = frame->token >> (56 - 8 * i);
	/* with the pseudo header: both addresses, protocol, length */
	check = fold(add_up(add_up(IPPROTO_UDP + UDP_LENGTH, ip + 12, 8), udp, UDP_LENGTH));
	put16(udp + 6, check ? check : 0xffff);
}

static void forget(int fd)
{
	uint8_t byte;

	while (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_TRUNC) >= 0 || errno == EINTR)
		;
}

int frames_open(int ifindex, bool listens)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETHERTYPE_IP),
				 .sll_ifindex = ifindex};
	const int yes = 1;
	/* protocol 0 hears nothing, which a sender needs */
	_close_ int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (!listens)
		return core_steal_fd(&fd);
	/* else a netdev that sends would count its own frames; since Linux 4.20 */
	if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof(yes)) < 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return -errno;
	forget(fd);
	return core_steal_fd(&fd);
}

int frames_send(int fd, int ifindex, const uint8_t frame[FRAME_SIZE])
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = ifindex, .sll_halen = 6};

	memcpy(to.sll_addr, frame, 6);
	if (sendto(fd, frame, FRAME_SIZE, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) < 0)
		return errno == EAGAIN ? -ENOBUFS : -errno;
	return 0;
}

int frames_count(int fd, const uint8_t frame[FRAME_SIZE])
{
	uint8_t data[FRAME_SIZE];
	int n = 0;

	for (;;) {
		ssize_t size = recv(fd, data, sizeof(data), MSG_DONTWAIT);

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return errno == EAGAIN ? n : -errno;
		n += size == sizeof(data) && !memcmp(data, frame, sizeof(data));
	}
}
