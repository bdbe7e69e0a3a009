/*
 * The queue filters of an 82599 that net_ixgbe of DPDK uses and Linux's ixgbe does not: EtherTypes, TCP with SYN set,
 * and 5-tuples. They go before Flow Director, EtherTypes first; SYN before or behind the 5-tuples, as it says (the order
 * of the 82599's datasheet, as DPDK's code has the registers).
 * Part of ix82599.c. Frames of a port with VFs do not come here: pools are not modelled for these filters.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
enum {
    SAQF = 0xE000, DAQF = 0xE200, SDPQF = 0xE400, FTQF = 0xE600, L34T_IMIR = 0xE800, /* 128 each */
    ETQF = 0x5128, ETQS = 0xEC00, /* 8 each */
    SYNQF = 0xEC30, /* bit 0 on, queue from bit 1, bit 31 before the 5-tuples */
};
#define FILTER_ON (1u << 31) /* of FTQF, ETQF and ETQS alike */

/* FTQF names what is not compared, from bit 25 on: source and destination address, both ports, the protocol. */
static bool tuple_match(Ix *s, int i, const Pkt *p)
{
    uint32_t off = R(FTQF + 4 * i) >> 25, ports = R(SDPQF + 4 * i);
    /* in the registers ports are in the wire's order */
    uint16_t sport = bswap16(p->sport), dport = bswap16(p->dport);
    int l4 = p->frag ? 3 : p->proto == 6 ? 0 : p->proto == 17 ? 1 : p->proto == 132 ? 2 : 3;
    if (!(R(FTQF + 4 * i) & FILTER_ON) || !p->ip4) return false;
    if (!(off & 1) && R(SAQF + 4 * i) != p->sa) return false;
    if (!(off & 2) && R(DAQF + 4 * i) != p->da) return false;
    if (!(off & 4) && (l4 == 3 || (ports & 0xffff) != sport)) return false;
    if (!(off & 8) && (l4 == 3 || ports >> 16 != dport)) return false;
    return (off & 16) || (R(FTQF + 4 * i) & 3) == l4;
}
/* The queue of the SYN filter if the packet has it, of IPv4 or IPv6; or -1. */
static int syn_queue(Ix *s, const uint8_t *b, size_t n, const Pkt *p)
{
    if (!(R(SYNQF) & 1) || !(p->ip4 || p->ip6) || p->proto != 6 || p->frag || !p->l4 || n < p->l4 + 14u) return -1;
    return b[p->l4 + 13] & 2 ? (int)(R(SYNQF) >> 1 & 0x7f) : -1;
}
/* The queue that a filter gives the packet, or -1. Of 5-tuples that match the one of highest priority, then the first. */
static int filter_queue(Ix *s, const uint8_t *b, size_t n, const Pkt *p)
{
    int i, best = -1, syn = syn_queue(s, b, n, p);
    for (i = 0; i < 8; i++)
        if ((R(ETQF + 4 * i) & FILTER_ON) && (R(ETQF + 4 * i) & 0xffff) == p->et && (R(ETQS + 4 * i) & FILTER_ON))
            return (R(ETQS + 4 * i) >> 16) & 0x7f;
    if (syn >= 0 && R(SYNQF) & (1u << 31)) return syn;
    for (i = 0; i < 128; i++)
        if (tuple_match(s, i, p) && (best < 0 || (R(FTQF + 4 * i) >> 2 & 7) > (R(FTQF + 4 * best) >> 2 & 7))) best = i;
    return best < 0 ? syn : (R(L34T_IMIR + 4 * best) >> 21) & 0x7f;
}
