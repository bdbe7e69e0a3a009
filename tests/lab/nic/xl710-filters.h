/*
 * What net_i40e of DPDK asks of an XL710 beyond Linux's i40e: control packet filters (EtherTypes), the words of Flow
 * Director's field vector that only its rules compare, with their masks, and the counters of VSIs. Names and places are
 * those of the driver's register and admin queue definitions. Part of xl710.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
enum {
    FD_MSK = 0x267200, /* 2 for each of 64 packet types: a word of the field vector, and its bits that are not compared */
    GLQF_PIT = 0x268C80, PFQF_CTL_1 = 0x245D80,
    GLV_RDPC = 0x310000, GLV_GORC = 0x358000, GLV_UPRC = 0x36C000, GLV_MPRC = 0x36CC00, GLV_BPRC = 0x36D800, /* each 8 bytes a VSI */
};
#define GLV_SPAN (NVSI * 8)
enum { CTL_IGNORE_MAC = 1, CTL_DROP = 2, CTL_TO_QUEUE = 4, CTL_TX = 8 };
#define NCTL 768 /* what net_i40e takes for their number */

/* ---- control packet filters: frames of a type, and perhaps for a MAC, whatever the switch would do with them ---- */
static Ctl *ctl_find(Xl *s, const Ctl *want)
{
    for (unsigned i = 0; i < s->nctl; i++) {
        Ctl *c = &s->ctl[i];
        if (c->etype == want->etype && !((c->flags ^ want->flags) & (CTL_TX | CTL_IGNORE_MAC)) && ((want->flags & CTL_IGNORE_MAC) || !memcmp(c->mac, want->mac, 6))) return c;
    }
    return NULL;
}
static uint16_t ctl_exec(Xl *s, bool add, uint8_t *p)
{
    Ctl want = { .etype = lduw_le_p(p + 6), .flags = lduw_le_p(p + 8), .seid = lduw_le_p(p + 10) & 0x3ff, .queue = lduw_le_p(p + 12) }, *c;
    unsigned with_mac = 0;
    memcpy(want.mac, p, 6);
    c = ctl_find(s, &want);
    if (!add && !c) return 2;                                /* ENOENT */
    if (add && !c && s->nctl == NCTL) return 16;             /* ENOSPC */
    if (!add) *c = s->ctl[--s->nctl];
    else { if (!c) { s->ctl = g_renew(Ctl, s->ctl, s->nctl + 1); c = &s->ctl[s->nctl++]; } *c = want; }
    TR("control filter %s type %04x flags %x queue %u\n", add ? "add" : "remove", want.etype, want.flags, want.queue);
    for (unsigned i = 0; i < s->nctl; i++) with_mac += !(s->ctl[i].flags & CTL_IGNORE_MAC);
    memset(p, 0, 16);
    stw_le_p(p, with_mac); stw_le_p(p + 2, s->nctl - with_mac); stw_le_p(p + 4, NCTL - s->nctl); stw_le_p(p + 6, NCTL - s->nctl);
    return 0;
}
/* The filter that decides about a frame of that direction: one with a MAC before one without. */
static const Ctl *ctl_match(Xl *s, const uint8_t *b, uint16_t etype, uint16_t direction)
{
    Ctl want = { .etype = etype, .flags = direction }; const Ctl *c;
    memcpy(want.mac, b, 6);
    c = ctl_find(s, &want);
    want.flags |= CTL_IGNORE_MAC;
    return c ? c : ctl_find(s, &want);
}

/* ---- Flow Director: words of the field vector; addresses, ports, tags and flexible words are compared in xl710.c ---- */
/* Where words of the headers of IPv4 and IPv6 are in the field vector, for i40e_get_inset_field_offset(): from, count, to. */
static void pit_reset(Xl *s)
{
    R(GLQF_PIT + 4 * 2) = 0 | 8 << 5 | 9 << 10; R(GLQF_PIT + 4 * 3) = 8 | 2 << 5 | 27 << 10;
    R(GLQF_PIT + 4 * 4) = 0 | 20 << 5 | 9 << 10;
}
static uint16_t fv_word(const uint8_t *b, size_t n, const Pk *p, int k)
{
    int o = -1;
    if (k < 6) o = 2 * k;                                    /* destination and source MAC */
    else if (k >= 9 && k < 14) o = p->ip4 || p->ip6 ? p->l3 + 2 * (k - 9) : -1; /* up to TTL and protocol */
    else if (k == 31 || k == 32) o = p->pct % 10 == 4 ? p->l4 + 4 + 2 * (k - 31) : -1; /* SCTP's tag */
    else if (k == 49) return p->et;
    return o >= 0 && o + 2 <= (int)n ? lduw_be_p(b + o) : 0;
}
static bool fv_eq(Xl *s, uint64_t inset, const uint8_t *a, size_t n, const Pk *p, const uint8_t *b, size_t m, const Pk *q)
{
    static const uint8_t words[] = { 0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 31, 32, 49 };
    for (unsigned i = 0; i < sizeof(words); i++) {
        int k = words[i]; uint16_t care = 0xffff;
        if (!(inset >> (63 - k) & 1) || (k == 13 && p->ip6)) continue; /* of IPv6 an address begins at 13 */
        for (int j = 0; j < 2; j++) {
            uint32_t mask = R(FD_MSK + 8 * p->pct + 4 * j);
            if ((mask >> 16 & 63) == (uint32_t)k) care &= ~mask;
        }
        if ((fv_word(a, n, p, k) ^ fv_word(b, m, q, k)) & care) return false;
    }
    return true;
}

/* ---- counters of a VSI: 48 bits, the low word first ---- */
static void glv_add(Xl *s, uint32_t base, const Vsi *v, unsigned by)
{
    uint32_t a = base + 8 * (uint32_t)(v - s->vsi); uint64_t n = R(a) | (uint64_t)R(a + 4) << 32;
    n += by; R(a) = n; R(a + 4) = n >> 32 & 0xffff;
}
static void glv_rx(Xl *s, const Vsi *v, const uint8_t *b, size_t n)
{
    bool bc = (b[0] & b[1] & b[2] & b[3] & b[4] & b[5]) == 0xff;
    glv_add(s, bc ? GLV_BPRC : b[0] & 1 ? GLV_MPRC : GLV_UPRC, v, 1);
    glv_add(s, GLV_GORC, v, n + 4);                          /* with the CRC, which drivers take off */
}
