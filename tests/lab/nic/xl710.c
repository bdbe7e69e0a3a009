/*
 * xl710: behavioural model of an Intel XL710 (i40e) controller, preloaded into an
 * unmodified qemu-system-x86_64: PF probe, AdminQ, HMC queue contexts, packets,
 * Flow Director sideband filters; VFs through virtchnl forwarding. See README.md.
 * Written from what the Linux drivers do, not from silicon; DMA lengths are trusted.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "qemu/timer.h"
#include "qapi/error.h"
#include "net/net.h"
#include "net/checksum.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_sriov.h"
#include "hw/pci/msix.h"
#include "hw/pci/pcie_aer.h"
#include "hw/qdev-properties.h"
#include <dlfcn.h>
/* pcie_sriov_vf_register_bar() is in 10.0.2 and gone by 10.0.13 (there pci_register_bar() handles a VF): ask the running binary. */
static void vf_bar_compat(PCIDevice *d, int n, MemoryRegion *m)
{
    void (*f)(PCIDevice *, int, MemoryRegion *) = dlsym(RTLD_DEFAULT, "pcie_sriov_vf_register_bar");
    if (f) f(d, n, m); else pci_register_bar(d, n, PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH, m);
}

#define NQ 1536
#define NVSI 384
#define NVF 32
#define NVEC 129
#define VFVEC 5
#define FD_GUARANTEED 1024
#define FD_BEST_EFFORT 7168
#define NVM_WORDS 2048
#define CSR 0x400000

enum { ATQBAL = 0x80000, ATQBAH = 0x80100, ATQLEN = 0x80200, ATQH = 0x80300, ATQT = 0x80400,
       ARQBAL = 0x80080, ARQBAH = 0x80180, ARQLEN = 0x80280, ARQH = 0x80380, ARQT = 0x80480,
       GLNVM_ULD = 0xB6008, GLNVM_GENS = 0xB6100, GLNVM_FLA = 0xB6108, GLNVM_SRCTL = 0xB6110, GLNVM_SRDATA = 0xB6114,
       PFGEN_CTRL = 0x92400, GLPCI_CNF2 = 0xBE494, PFLAN_QALLOC = 0x1C0400, PF_VT_PFALLOC = 0x1C0500,
       LANTXBASE = 0xC6200, LANRXBASE = 0xC6400, LANTXOBJSZ = 0xC2004, LANQMAX = 0xC2008, LANRXOBJSZ = 0xC200C,
       SDCMD = 0xC0000, SDLO = 0xC0100, SDHI = 0xC0200,
       QTX_ENA = 0x100000, QRX_ENA = 0x120000, QTX_TAIL = 0x108000, QRX_TAIL = 0x128000, QTX_CTL = 0x104000, QTX_HEAD = 0xE4000,
       QINT_RQCTL = 0x3A000, QINT_TQCTL = 0x3C000, DYN_CTL0 = 0x38480, DYN_CTLN = 0x34800, ICR0 = 0x38780, ICR0_ENA = 0x38800,
       HLUT = 0x240000, HKEY = 0x244800, HENA = 0x245900, FD_INSET = 0x250000, FLX_PIT = 0x255200, GLQF_PCNT = 0x266800, GLQF_ORT = 0x268900, GLQF_FDCNT = 0x269BAC, FDSTAT = 0x246380,
       VFRTRIG = 0x91800, VFRSTAT = 0x91C00, VFGEN_RSTAT1 = 0x74400, VPLAN_QTABLE = 0x70000, VPLAN_MAPENA = 0x74000, VFLRSTAT = 0x92600,
       VFINT_DYN_CTLN = 0x24800, VFINT_DYN_CTL0 = 0x2A400, VFINT_ICR0 = 0x2BC00, VFINT_ICR0_ENA = 0x2C000,
       CIAA = 0x9C080, CIAD = 0x9C100 };

typedef struct { bool on; uint64_t base, hwb; uint32_t qlen, dbuf, head; bool hwb_ena, d32; int vsi; } Q;
typedef struct { bool used; uint16_t seid; uint8_t type; int vf; uint8_t info[128]; uint16_t promisc; } Vsi;
typedef struct { int vsi; uint8_t mac[6]; uint16_t vlan, flags; } Filt;
typedef struct { uint32_t w0, w2, id; uint8_t pctype; uint8_t pkt[512]; int n; } Fd;
typedef struct { uint8_t mac[6]; uint16_t etype, flags, seid, queue; } Ctl;
typedef struct { uint32_t atq[5], arq[5]; uint32_t rstat; } VfAq;   /* bal bah len h t */

typedef struct Xl {
    PCIDevice pd; MemoryRegion mmio, msix; NICState *nic; NICConf conf; bool trace, fd_redirect; uint16_t vfs;
    uint32_t *r; uint16_t nvm[NVM_WORDS]; uint64_t sd[4096]; uint32_t sdt[4096];
    Q tx[NQ], rx[NQ]; Vsi vsi[NVSI]; Filt *filt; unsigned nfilt;
    Fd *fd; unsigned nfd; Ctl *ctl; unsigned nctl; bool pend[NVEC]; bool vpend[NVF][VFVEC];
    uint8_t *tb[NQ]; uint32_t tn[NQ]; uint64_t tcmd[NQ]; uint64_t tctx[NQ]; uint32_t fdp[NQ][4]; bool fdv[NQ];
    VfAq vf[NVF]; uint16_t next_seid; bool veb;
} Xl;
typedef struct { PCIDevice pd; MemoryRegion mmio, msix; } XlVf;
#define R(a) s->r[(a) >> 2]
#define TR(...) do { if (s->trace) fprintf(stderr, "xl710: " __VA_ARGS__); } while (0)
static bool up(Xl *s) { return s->nic && !qemu_get_queue(s->nic)->link_down; }
static int nvf(Xl *s) { return pcie_sriov_num_vfs(&s->pd); }

/* ---- interrupts ---- */
static void icr0(Xl *s, uint32_t c)
{
    R(ICR0) |= c;
    if ((R(ICR0) & (R(ICR0_ENA) | 1)) && (R(DYN_CTL0) & 1) && msix_enabled(&s->pd)) { R(DYN_CTL0) &= ~1u; R(ICR0) |= 1; msix_notify(&s->pd, 0); }
}
static void pf_vec(Xl *s, int v)
{
    if (v <= 0 || v >= NVEC) return;
    if ((R(DYN_CTLN + 4 * (v - 1)) & 1) && msix_enabled(&s->pd)) { R(DYN_CTLN + 4 * (v - 1)) &= ~1u; s->pend[v] = false; msix_notify(&s->pd, v); }
    else s->pend[v] = true;
}
static void vf_vec(Xl *s, int f, int v)
{
    PCIDevice *d = pcie_sriov_get_vf_at_index(&s->pd, f);
    uint32_t a = v ? VFINT_DYN_CTLN + 4 * ((VFVEC - 1) * f + v - 1) : VFINT_DYN_CTL0 + 4 * f;
    if (!d || v >= VFVEC) return;
    if ((R(a) & 1) && msix_enabled(d)) { R(a) &= ~1u; s->vpend[f][v] = false; msix_notify(d, v); } else s->vpend[f][v] = true;
}
static int q_vf(Xl *s, int q, int *rel)
{
    for (int f = 0; f < nvf(s); f++)
        if (R(VPLAN_MAPENA + 4 * f) & 1)
            for (int i = 0; i < 16; i++) if ((R(VPLAN_QTABLE + i * 1024 + 4 * f) & 0x7ff) == (uint32_t)q) { if (rel) *rel = i; return f; }
    return -1;
}
static void q_irq(Xl *s, int q, bool tx)
{
    uint32_t c = R((tx ? QINT_TQCTL : QINT_RQCTL) + 4 * q); int f;
    if (!(c & (1u << 30))) return;
    f = q_vf(s, q, NULL);
    if (f >= 0) vf_vec(s, f, c & 0xff); else pf_vec(s, c & 0xff);
}

/* ---- HMC ---- */
static uint64_t hmc(Xl *s, uint64_t fpm)
{
    uint32_t i = fpm >> 21; uint64_t p;
    if (i >= 4096 || !(s->sdt[i] & 1)) return 0;
    if (s->sdt[i] & 2) return s->sd[i] + (fpm & 0x1fffff);
    pci_dma_read(&s->pd, s->sd[i] + 8 * ((fpm >> 12) & 511), &p, 8);
    return (le64_to_cpu(p) & ~0xfffull) + (fpm & 0xfff);
}
static uint64_t bits(const uint8_t *b, int lsb, int w)
{
    uint64_t v = 0; for (int i = 0; i < w; i++) if (b[(lsb + i) / 8] >> ((lsb + i) & 7) & 1) v |= 1ull << i; return v;
}
static void q_enable(Xl *s, int q, bool tx, bool on)
{
    Q *k = tx ? &s->tx[q] : &s->rx[q]; uint8_t c[128] = { 0 };
    if (on && !k->on) {
        uint64_t a = hmc(s, (uint64_t)(R(tx ? LANTXBASE : LANRXBASE) & 0xffffff) * 512 + (uint64_t)q * (tx ? 128 : 32));
        if (!a) { TR("queue %d: no HMC backing\n", q); return; }
        pci_dma_read(&s->pd, a, c, tx ? 128 : 32);
        k->base = bits(c, 32, 57) * 128; k->head = bits(c, 0, 13);
        if (tx) { k->hwb_ena = bits(c, 160, 1); k->qlen = bits(c, 161, 13); k->hwb = bits(c, 192, 64); R(QTX_HEAD + 4 * q) = k->head; s->tn[q] = 0; s->fdv[q] = false; }
        else { k->qlen = bits(c, 89, 13); k->dbuf = bits(c, 102, 7) * 128; k->d32 = bits(c, 116, 1); }
        TR("%s queue %d on: base %" PRIx64 " len %u dbuf %u\n", tx ? "tx" : "rx", q, k->base, k->qlen, k->dbuf);
    }
    k->on = on;
    R((tx ? QTX_ENA : QRX_ENA) + 4 * q) = on ? 5 : 0;
}
static PCIDevice *q_dev(Xl *s, int q)
{
    int f = q_vf(s, q, NULL); PCIDevice *d = f >= 0 ? pcie_sriov_get_vf_at_index(&s->pd, f) : NULL;
    return d ? d : &s->pd;
}

/* ---- packets ---- */
typedef struct { uint16_t et, tci, sp, dp; uint8_t proto; bool ip4, ip6, vlan, frag; int l3, l4; int pct; } Pk;
static void parse(const uint8_t *b, size_t n, Pk *p)
{
    int o = 14; memset(p, 0, sizeof(*p)); p->et = lduw_be_p(b + 12);
    if (p->et == 0x8100 && n >= 18) { p->vlan = true; p->tci = lduw_be_p(b + 14); p->et = lduw_be_p(b + 16); o = 18; }
    p->l3 = o; p->pct = 63;
    if (p->et == 0x800 && n >= o + 20) { p->ip4 = true; p->proto = b[o + 9]; p->frag = lduw_be_p(b + o + 6) & 0x3fff; p->l4 = o + (b[o] & 15) * 4; }
    else if (p->et == 0x86dd && n >= o + 40) { p->ip6 = true; p->proto = b[o + 6]; p->l4 = o + 40; }
    if (p->ip4 || p->ip6) {
        int k = p->ip4 ? 0 : 10;
        p->pct = k + (p->frag ? 36 : p->proto == 17 ? 31 : p->proto == 6 ? 33 : p->proto == 132 ? 34 : 35);
        if (!p->frag && (p->proto == 17 || p->proto == 6 || p->proto == 132) && n >= p->l4 + 4) { p->sp = lduw_be_p(b + p->l4); p->dp = lduw_be_p(b + p->l4 + 2); }
    }
}
static uint64_t inset(Xl *s, int pct) { return R(FD_INSET + pct * 64) | (uint64_t)R(FD_INSET + pct * 64 + 32) << 32; }
#include "xl710-filters.h"
/* Where the payload begins that flexible words are counted from: after the L4 header, or the L3 header of other packets. */
static int payload(const uint8_t *a, size_t n, const Pk *p, int pct)
{
    switch (pct % 10) {
    case 1: return p->l4 + 8;
    case 3: return p->l4 + 12 < n ? p->l4 + (a[p->l4 + 12] >> 4) * 4 : p->l4 + 20;
    case 4: return p->l4 + 12;
    }
    return p->l4;
}
/* Flexible word k of the input set (50 + k of the field vector): FLX_PIT says where in the payload it comes from. */
static bool flex_eq(Xl *s, const uint8_t *a, size_t n, const Pk *p, const Fd *f, const Pk *g, int k)
{
    bool l4 = p->pct % 10 == 1 || p->pct % 10 == 3 || p->pct % 10 == 4;
    for (int i = 0; i < 3; i++) {
        uint32_t pit = R(FLX_PIT + 32 * ((l4 ? 6 : 3) + i)), off = (pit & 31) * 2;
        int x = payload(a, n, p, p->pct) + off, y = payload(f->pkt, f->n, g, p->pct) + off;
        if ((pit >> 10 & 63) == 50 + k) return x + 2 <= n && y + 2 <= f->n && !memcmp(a + x, f->pkt + y, 2);
    }
    return false;
}
/* The sample packet of a filter is written from the Tx side: a received packet matches it with source and destination swapped. */
static bool fd_eq(Xl *s, const uint8_t *a, size_t n, const Pk *p, const Fd *f, bool rx)
{
    Pk g; uint64_t m = inset(s, p->pct); int al = p->ip4 ? 4 : 16, so = p->ip4 ? 12 : 8;
    if (f->pctype != p->pct) return false;
    parse(f->pkt, f->n, &g);
    if ((m >> 47 & 3) && memcmp(a + p->l3 + so, f->pkt + g.l3 + so + (rx ? al : 0), al)) return false;
    if ((m >> 35 & 3) && memcmp(a + p->l3 + so + al, f->pkt + g.l3 + so + (rx ? 0 : al), al)) return false;
    if ((m >> 34 & 1) && p->sp != (rx ? g.dp : g.sp)) return false;
    if ((m >> 33 & 1) && p->dp != (rx ? g.sp : g.dp)) return false;
    if ((m >> 55 & 1) && p->tci != g.tci) return false;
    if (!fv_eq(s, m, a, n, p, f->pkt, f->n, &g)) return false;
    for (int k = 0; k < 8; k++) if ((m >> (13 - k) & 1) && !flex_eq(s, a, n, p, f, &g, k)) return false;
    return true;
}
static void fd_prog(Xl *s, int q, const uint8_t *b, uint32_t n)
{
    uint32_t *w = s->fdp[q]; Pk p; unsigned i; int cmd = (w[2] >> 4) & 7;
    parse(b, n, &p);
    p.pct = (w[0] >> 17) & 63;   /* the descriptor's: a rule for fragments comes with a sample packet that is none */
    for (i = 0; i < s->nfd; i++) if (s->fd[i].id == w[3] && fd_eq(s, b, n, &p, &s->fd[i], false)) break;
    TR("FD %s id=%u pctype=%u qindex=%u vsi=%u dest=%u %s:%u->%u\n", cmd == 1 ? "add" : "remove", w[3], (w[0] >> 17) & 63, w[0] & 0x7ff, w[0] >> 23, (w[2] >> 7) & 3, p.proto == 17 ? "udp" : p.proto == 6 ? "tcp" : "?", p.sp, p.dp);
    if (cmd == 1) {
        if (i == s->nfd) { s->fd = g_renew(Fd, s->fd, s->nfd + 1); s->nfd++; }
        s->fd[i] = (Fd){ w[0], w[2], w[3], p.pct, { 0 }, MIN(n, 512) }; memcpy(s->fd[i].pkt, b, MIN(n, 512));
    } else if (cmd == 2 && i < s->nfd) s->fd[i] = s->fd[--s->nfd];
    i = MIN(s->nfd, FD_GUARANTEED);
    R(FDSTAT) = i | (s->nfd - i) << 16; R(GLQF_FDCNT) = i | (s->nfd - i) << 13;
}
static uint32_t toeplitz(Xl *s, const uint8_t *in, int n)
{
    uint8_t k[52]; uint32_t h = 0, key; for (int i = 0; i < 13; i++) stl_le_p(k + 4 * i, R(HKEY + i * 128));
    key = ldl_be_p(k);
    for (int i = 0; i < n; i++) for (int j = 7; j >= 0; j--) { if (in[i] >> j & 1) h ^= key; key = key << 1 | (k[i + 4] >> j & 1); }
    return h;
}
static int vsi_q(Xl *s, Vsi *v, int rel)
{
    uint16_t flags = lduw_le_p(v->info + 28);
    if (v->vf >= 0) return R(VPLAN_QTABLE + (rel & 15) * 1024 + 4 * v->vf) & 0x7ff;
    return (flags & 1) ? lduw_le_p(v->info + 30 + 2 * (rel & 15)) & 0x7ff : (lduw_le_p(v->info + 30) & 0x7ff) + rel;
}
static void rx_q(Xl *s, int q, const uint8_t *b, size_t n, Pk *p, bool fdm, uint32_t fdid, uint32_t hash, Vsi *v)
{
    Q *k = &s->rx[q]; uint32_t off = 0, dl = k->d32 ? 32 : 16, cnt = k->qlen, tail = R(QRX_TAIL + 4 * q); PCIDevice *d = q_dev(s, q); uint8_t tmp[16384]; uint32_t tag = 0;
    int ptype = p->ip4 ? (p->frag ? 23 : p->proto == 17 ? 24 : p->proto == 6 ? 26 : 22 + 0) : p->ip6 ? (p->proto == 17 ? 90 : p->proto == 6 ? 92 : 88) : 1;
    glv_rx(s, v, b, n);
    if (!k->on || !cnt || !k->dbuf || n > sizeof(tmp)) { TR("rx queue %d is off\n", q); glv_add(s, GLV_RDPC, v, 1); return; }
    if ((tail + cnt - k->head) % cnt < (n + k->dbuf - 1) / k->dbuf) { TR("rx queue %d full\n", q); glv_add(s, GLV_RDPC, v, 1); return; }
    if (p->vlan && ((v->info[12] >> 3) & 3) != 3) { memcpy(tmp, b, 12); memcpy(tmp + 12, b + 16, n - 16); b = tmp; n -= 4; tag = 0x10000 | p->tci; }
    while (off < n) {
        uint64_t da = k->base + (uint64_t)dl * k->head, st; uint8_t x[32] = { 0 }; uint32_t c = MIN(k->dbuf, n - off);
        pci_dma_read(d, da, x, 8);
        pci_dma_write(d, ldq_le_p(x), b + off, c); off += c;
        memset(x, 0, 32);
        st = 1 | (off >= n ? 2 : 0) | (tag ? 4 : 0) | 8 | (fdm ? (1ull << 11) | (1ull << 12) : hash ? 3ull << 12 : 0) | (uint64_t)ptype << 30 | (uint64_t)c << 38;
        stw_le_p(x + 2, tag); stl_le_p(x + 4, fdm ? fdid : hash); stq_le_p(x + 8, st);
        pci_dma_write(d, da, x, dl);
        k->head = (k->head + 1) % cnt;
    }
    q_irq(s, q, false);
}
static void rx_vsi(Xl *s, Vsi *v, const uint8_t *b, size_t n)
{
    Pk p; uint32_t hash = 0; int q, rel = 0, tcn; uint8_t in[36]; unsigned i; int num = (int)(v - s->vsi);
    parse(b, n, &p);
    for (i = 0; i < s->nfd; i++) if (fd_eq(s, b, n, &p, &s->fd[i], true)) {
        Fd *f = &s->fd[i]; int dv = f->w0 >> 23; bool drop = ((f->w2 >> 7) & 3) == 0;
        /* A VF target chooses among the queues of the VF that the switch has chosen; else it has no effect (the vendor: "routing to VF not supported") */
        if (!drop && dv != num && !s->fd_redirect) break;
        if (f->w2 >> 11 & 1) R(GLQF_PCNT + 4 * (f->w2 >> 20 & 511))++;
        if (drop) { TR("FD drop id=%u\n", f->id); return; }
        if (dv < NVSI && s->vsi[dv].used) { v = &s->vsi[dv]; rx_q(s, vsi_q(s, v, f->w0 & 0x7ff), b, n, &p, true, f->id, 0, v); return; }
    }
    if (p.ip4 || p.ip6) {
        int l = p.ip4 ? 8 : 32; memcpy(in, b + p.l3 + (p.ip4 ? 12 : 8), l);
        if (p.sp || p.dp) { memcpy(in + l, b + p.l4, 4); l += 4; }
        hash = toeplitz(s, in, l);
    }
    tcn = 1 << ((lduw_le_p(v->info + 62) >> 9) & 7);
    if (num == 0 && !(R(HENA + 128 * (p.pct / 32)) >> (p.pct % 32) & 1)) hash = rel = 0; /* a packet type without RSS */
    else if (num == 0) rel = (R(HLUT + ((hash & 511) / 4) * 128) >> (8 * (hash & 3))) & 0x3f;
    else rel = hash % tcn;
    if (v->vf >= 0) { int c = 0; while (c < 16 && (R(VPLAN_QTABLE + c * 1024 + 4 * v->vf) & 0x7ff) != 0x7ff) c++; rel = c ? (int)(hash % c) : 0; if (!(hash)) rel = 0; }
    q = vsi_q(s, v, rel);
    rx_q(s, q, b, n, &p, false, 0, hash, v);
}
static int seid_vsi(Xl *s, int seid) { for (int i = 0; i < NVSI; i++) if (s->vsi[i].used && s->vsi[i].seid == (seid & 0x3ff)) return i; return -1; }
static int deliver(Xl *s, const uint8_t *b, size_t n, int src)
{
    Pk p; bool mc = b[0] & 1, bc = (b[0] & b[1] & b[2] & b[3] & b[4] & b[5]) == 0xff; int hits = 0; uint8_t t[20000]; const Ctl *c;
    parse(b, n, &p);
    if (src < 0 && (c = ctl_match(s, b, p.et, 0))) {
        int i = seid_vsi(s, c->seid);
        if ((c->flags & CTL_DROP) || i < 0) { TR("control filter drop type %04x\n", p.et); return 1; }
        if (c->flags & CTL_TO_QUEUE) { rx_q(s, vsi_q(s, &s->vsi[i], c->queue), b, n, &p, false, 0, 0, &s->vsi[i]); return 1; }
    }
    for (int i = 0; i < NVSI; i++) {
        Vsi *v = &s->vsi[i]; bool ok = false; uint16_t pvid = lduw_le_p(v->info + 8) & 0xfff; bool pv = pvid && (v->info[12] & 4);
        if (!v->used || i == src || v->type == 0xff) continue;
        if (pv && (!p.vlan || (p.tci & 0xfff) != pvid)) continue;
        if (bc ? v->promisc & 4 : mc ? v->promisc & 2 : v->promisc & 1) ok = true;
        for (unsigned k = 0; !ok && k < s->nfilt; k++)
            if (s->filt[k].vsi == i && !memcmp(s->filt[k].mac, b, 6) && ((s->filt[k].flags & 4) || pv || s->filt[k].vlan == (p.vlan ? p.tci & 0xfff : 0))) ok = true;
        if (!ok) continue;
        hits++;
        if (pv) { memcpy(t, b, 12); memcpy(t + 12, b + 16, n - 16); rx_vsi(s, v, t, n - 4); } else rx_vsi(s, v, b, n);
    }
    return hits;
}
static ssize_t net_rx(NetClientState *nc, const uint8_t *b, size_t n)
{
    Xl *s = qemu_get_nic_opaque(nc); uint8_t pad[60];
    if (!(s->pd.config[PCI_COMMAND] & PCI_COMMAND_MASTER)) return n;
    if (n < 60) { memset(pad, 0, 60); memcpy(pad, b, n); deliver(s, pad, 60, -1); } else deliver(s, b, n, -1);
    return n;
}
static void tx_out(Xl *s, int q, const uint8_t *b, size_t n)
{
    int f = q_vf(s, q, NULL), src = 0, h; uint8_t t[20000]; const Ctl *c;
    for (int i = 0; i < NVSI; i++) if (s->vsi[i].used && f >= 0 && s->vsi[i].vf == f) src = i;
    if (n < 14 || n > 19000) return;
    if ((c = ctl_match(s, b, lduw_be_p(b + 12), CTL_TX)) && (c->flags & CTL_DROP)) return;
    if (f >= 0) { uint8_t *in = s->vsi[src].info; uint16_t pvid = lduw_le_p(in + 8); if ((pvid & 0xfff) && (in[12] & 4)) { memcpy(t, b, 12); stw_be_p(t + 12, 0x8100); stw_be_p(t + 14, pvid); memcpy(t + 16, b + 12, n - 12); b = t; n += 4; } }
    if (s->veb || nvf(s)) { h = deliver(s, b, n, src); if (h && !(b[0] & 1)) return; }
    qemu_send_packet(qemu_get_queue(s->nic), b, n);
}
static void l4sum(uint8_t *f, size_t n, int l4, int kind)
{
    int o = kind == 1 ? 16 : 6; uint16_t c; if (kind == 2 || n < l4 + 8) return;
    c = net_checksum_finish(net_checksum_add(n - l4, f + l4)); if (kind == 3 && !c) c = 0xffff; stw_be_p(f + l4 + o, c);
}
static void tx_frame(Xl *s, int q)
{
    uint64_t w = s->tcmd[q], cx = s->tctx[q]; uint32_t cmd = (w >> 4) & 0xfff, ofs = (w >> 16) & 0x3ffff, n = s->tn[q]; uint8_t *b = s->tb[q], g[20000];
    int macl = (ofs & 0x7f) * 2, ipl = ((ofs >> 7) & 0x7f) * 4, l4l = ((ofs >> 14) & 0xf) * 4, l4 = macl + ipl, kind = (cmd >> 8) & 3; bool v4 = ((cmd >> 5) & 3) >= 2, ins = cmd & 8;
    uint16_t tag = w >> 48;
    if ((cx & 0xf) == 1 && ((cx >> 4) & 1)) {
        int mss = (cx >> 50) & 0x3fff, hl = l4 + l4l; uint32_t off = hl, seq, id;
        if (!mss || hl > n) return;
        seq = kind == 1 ? ldl_be_p(b + l4 + 4) : 0; id = v4 ? lduw_be_p(b + macl + 4) : 0;
        while (off < n) {
            uint32_t pl = MIN(mss, n - off), fl = hl + pl, ps; bool last = off + pl == n;
            memcpy(g, b, hl); memcpy(g + hl, b + off, pl);
            if (v4) { stw_be_p(g + macl + 2, fl - macl); stw_be_p(g + macl + 4, id++); stw_be_p(g + macl + 10, 0); stw_be_p(g + macl + 10, net_checksum_finish(net_checksum_add(ipl, g + macl))); }
            else stw_be_p(g + macl + 4, fl - macl - 40);
            if (kind == 1) { stl_be_p(g + l4 + 4, seq + off - hl); if (!last) g[l4 + 13] &= ~9; stw_be_p(g + l4 + 16, 0); } else { stw_be_p(g + l4 + 4, fl - l4); stw_be_p(g + l4 + 6, 0); }
            ps = v4 ? net_checksum_add(8, g + macl + 12) : net_checksum_add(32, g + macl + 8);
            ps += (kind == 1 ? 6 : 17) + fl - l4 + net_checksum_add(fl - l4, g + l4);
            stw_be_p(g + l4 + (kind == 1 ? 16 : 6), net_checksum_finish(ps));
            if (ins) { memmove(g + 16, g + 12, fl - 12); stw_be_p(g + 12, 0x8100); stw_be_p(g + 14, tag); fl += 4; }
            tx_out(s, q, g, fl); off += pl;
        }
        return;
    }
    if (n > 16000) return;
    memcpy(g, b, n);
    if (((cmd >> 5) & 3) == 3 && n > l4) { stw_be_p(g + macl + 10, 0); stw_be_p(g + macl + 10, net_checksum_finish(net_checksum_add(ipl, g + macl))); }
    if (kind && n > l4) l4sum(g, n, l4, kind);
    if (ins) { memmove(g + 16, g + 12, n - 12); stw_be_p(g + 12, 0x8100); stw_be_p(g + 14, tag); n += 4; }
    tx_out(s, q, g, n);
}
static void tx_run(Xl *s, int q)
{
    Q *k = &s->tx[q]; uint32_t tail = R(QTX_TAIL + 4 * q); PCIDevice *d = q_dev(s, q); bool rs = false; unsigned guard = 0;
    if (!k->on || !k->qlen || tail >= k->qlen) return;
    while (k->head != tail && guard++ < 2 * k->qlen) {
        uint64_t da = k->base + 16ull * k->head, a, w; uint8_t x[16]; uint32_t len, cmd;
        pci_dma_read(d, da, x, 16); a = ldq_le_p(x); w = ldq_le_p(x + 8); cmd = (w >> 4) & 0xfff;
        switch (w & 0xf) {
        case 1: s->tctx[q] = w; break;
        case 8: for (int i = 0; i < 4; i++) s->fdp[q][i] = ldl_le_p(x + 4 * i); s->fdv[q] = true; break;
        case 0:
            len = (w >> 34) & 0x3fff;
            if (!s->tb[q]) s->tb[q] = g_malloc(0x50000);
            if (!s->tn[q]) s->tcmd[q] = w;
            if (s->tn[q] + len <= 0x50000) { pci_dma_read(d, a, s->tb[q] + s->tn[q], len); s->tn[q] += len; }
            if (cmd & 1) {
                if (s->fdv[q] && (cmd & 0x10)) fd_prog(s, q, s->tb[q], s->tn[q]); /* sideband: dummy packet */
                else tx_frame(s, q);                    /* ATR programming is ignored, the packet goes out */
                s->fdv[q] = false;
                s->tn[q] = 0; s->tctx[q] = 0;
            }
            if ((cmd & 1) && k->hwb_ena) rs = true;   /* head write-back is not tied to RS: complete at once */
            if (cmd & 2) { rs = true; if (!k->hwb_ena) { stq_le_p(x + 8, w | 0xf); pci_dma_write(d, da, x, 16); } }
            break;
        }
        k->head = (k->head + 1) % k->qlen;
    }
    R(QTX_HEAD + 4 * q) = k->head;
    if (k->hwb_ena) { uint32_t h = cpu_to_le32(k->head); pci_dma_write(d, k->hwb, &h, 4); }
    if (rs) q_irq(s, q, true);
}

/* ---- admin queue ---- */
static void arq_post(Xl *s, int f, uint16_t op, uint16_t ret, uint32_t ck_hi, uint32_t ck_lo, const uint8_t *buf, uint32_t n)
{
    uint32_t *q = s->vf[f < 0 ? 0 : f].arq, bal, bah, len, h, t; uint8_t d[32]; uint64_t da, ba; PCIDevice *dev = f < 0 ? &s->pd : pcie_sriov_get_vf_at_index(&s->pd, f);
    if (f < 0) { bal = R(ARQBAL); bah = R(ARQBAH); len = R(ARQLEN); h = R(ARQH); t = R(ARQT); } else { bal = q[0]; bah = q[1]; len = q[2]; h = q[3]; t = q[4]; }
    if (!dev || !(len & 0x80000000u) || h == t) { TR("ARQ %d not ready\n", f); return; }
    da = (bal | (uint64_t)bah << 32) + 32 * h;
    pci_dma_read(dev, da, d, 32); ba = (uint32_t)ldl_le_p(d + 28) | (uint64_t)(uint32_t)ldl_le_p(d + 24) << 32;
    n = MIN(n, lduw_le_p(d + 4));
    if (n) pci_dma_write(dev, ba, buf, n);
    stw_le_p(d, 1 | 2 | (n ? 0x1000 : 0)); stw_le_p(d + 2, op); stw_le_p(d + 4, n); stw_le_p(d + 6, ret); stl_le_p(d + 8, ck_hi); stl_le_p(d + 12, ck_lo);
    pci_dma_write(dev, da, d, 32);
    h = (h + 1) % (len & 0x3ff);
    if (f < 0) { R(ARQH) = h; icr0(s, 1u << 30); } else { q[3] = h; R(VFINT_ICR0 + 4 * f) |= 1u << 30; vf_vec(s, f, 0); }
}
static void vsi_fill(uint8_t *info, int num) { stw_le_p(info + 96, num + 1); stw_le_p(info + 112, num); stw_le_p(info + 114, num); }
static void cap(uint8_t **p, int id, int maj, uint32_t n, uint32_t l, uint32_t ph) { stw_le_p(*p, id); (*p)[2] = maj; stl_le_p(*p + 4, n); stl_le_p(*p + 8, l); stl_le_p(*p + 12, ph); *p += 32; }
static void csr_write(Xl *s, uint32_t a, uint32_t v);
static uint32_t csr_read(Xl *s, uint32_t a);
static uint16_t aq_exec(Xl *s, uint16_t op, uint8_t *d, uint8_t *b, uint16_t *blen)
{
    uint8_t *p = d + 16; int i, v; uint8_t *q = b; uint16_t bl = *blen;
    switch (op) {
    case 0x0001: stl_le_p(p, 0); stl_le_p(p + 4, 1); stw_le_p(p + 8, 6); stw_le_p(p + 10, 80); stw_le_p(p + 12, 1); stw_le_p(p + 14, 7); return 0;
    case 0x000A: case 0x000B:
        if (bl < 20 * 32) { *blen = 20 * 32; return 9; }
        memset(b, 0, bl);
        cap(&q, 0x01, 1, 0, 0, 0); cap(&q, 0x05, 1, 1, 0, 0); cap(&q, 0x12, 1, 1, 0, 0); cap(&q, 0x13, 1, s->vfs, 0, 0); cap(&q, 0x17, 1, NVSI, 0, 0); cap(&q, 0x18, 1, 1, 1, 8);
        cap(&q, 0x40, 1, 512, 6, 0); cap(&q, 0x41, 1, 384, 0, 0); cap(&q, 0x42, 1, 384, 0, 0); cap(&q, 0x43, 1, NVEC, 0, 0); cap(&q, 0x44, 1, VFVEC, 0, 0);
        cap(&q, 0x45, 1, FD_GUARANTEED, FD_BEST_EFFORT, 0);
        *blen = q - b; stl_le_p(p + 4, (q - b) / 32); return 0;
    case 0x0107: memset(b, 0, MIN(bl, 24)); memcpy(b, s->conf.macaddr.a, 6); memcpy(b + 12, s->conf.macaddr.a, 6); stw_le_p(p, 0x10 | 0x40); *blen = 24; return 0;
    case 0x0200: memset(b, 0, bl); stw_le_p(b, 1); stw_le_p(b + 2, 1); b[16] = 19; b[17] = 1; stw_le_p(b + 18, s->vsi[0].seid); stw_le_p(b + 20, 2); stw_le_p(b + 22, 16); b[27] = 1; stw_le_p(p, 0); *blen = 32; return 0;
    case 0x0206: stl_le_p(p + 12, csr_read(s, ldl_le_p(p + 4))); return 0;
    case 0x0207: csr_write(s, ldl_le_p(p + 4), ldl_le_p(p + 12)); return 0;
    case 0xFF03: stl_le_p(p + 12, csr_read(s, ldl_le_p(p + 4) & (CSR - 1))); stl_le_p(p + 8, 0); return 0;
    case 0xFF04: csr_write(s, ldl_le_p(p + 4) & (CSR - 1), ldl_le_p(p + 12)); return 0;
    case 0x0210:
        for (v = 1; v < NVSI && s->vsi[v].used; v++) { }
        if (v == NVSI) return 16;
        s->vsi[v] = (Vsi){ .used = true, .seid = 512 + v, .vf = -1 }; memcpy(s->vsi[v].info, b, MIN(bl, 128)); vsi_fill(s->vsi[v].info, v);
        if ((lduw_le_p(p + 6) & 3) == 0) s->vsi[v].vf = p[4];                        /* VSI type VF */
        if (bl >= 128) memcpy(b, s->vsi[v].info, 128);
        TR("add VSI %d seid %d flags %x vf %d\n", v, 512 + v, lduw_le_p(p + 6), s->vsi[v].vf);
        stw_le_p(p, 512 + v); stw_le_p(p + 2, v); stw_le_p(p + 4, 1); stw_le_p(p + 6, 300); return 0;
    case 0x0211:
        if ((v = seid_vsi(s, lduw_le_p(p))) < 0) return 2;
        {   /* copy the valid sections */
            uint16_t m = lduw_le_p(b); uint8_t *t = s->vsi[v].info;
            if (m & 1) memcpy(t + 2, b + 2, 4);
            if (m & 2) memcpy(t + 6, b + 6, 2);
            if (m & 4) memcpy(t + 8, b + 8, 8);
            if (m & 0x40) memcpy(t + 28, b + 28, 2 + 32 + 16);
            vsi_fill(t, v); memcpy(b, t, 128);
        }
        stw_le_p(p, s->vsi[v].seid); stw_le_p(p + 2, v); return 0;
    case 0x0212:
        if ((v = seid_vsi(s, lduw_le_p(p))) < 0) return 2;
        memcpy(b, s->vsi[v].info, 128); *blen = 128; stw_le_p(p, s->vsi[v].seid); stw_le_p(p + 2, v); stw_le_p(p + 4, 1); stw_le_p(p + 6, 300); return 0;
    case 0x0230: s->veb = true; memset(p, 0, 16); stw_le_p(p + 6, 1); stw_le_p(p + 8, 288); stw_le_p(p + 10, 0); return 0;
    case 0x0232: memset(p, 0, 16); stw_le_p(p, 288); stw_le_p(p + 2, 1); return 0;
    case 0x0243: if ((v = seid_vsi(s, lduw_le_p(p))) > 0) { s->vsi[v].used = false; unsigned k = 0, j; for (j = 0; j < s->nfilt; j++) if (s->filt[j].vsi != v) s->filt[k++] = s->filt[j]; s->nfilt = k; } else if (lduw_le_p(p) == 288) s->veb = false; return 0;
    case 0x0250: case 0x0251:
        v = seid_vsi(s, lduw_le_p(p + 2));
        for (i = 0; i < lduw_le_p(p) && v >= 0; i++) {
            uint8_t *e = b + 16 * i; unsigned k; uint16_t fl = op == 0x250 ? lduw_le_p(e + 8) : (e[8] & 8 ? 4 : 0), vl = lduw_le_p(e + 6);
            for (k = 0; k < s->nfilt; k++) if (s->filt[k].vsi == v && !memcmp(s->filt[k].mac, e, 6) && ((s->filt[k].flags ^ fl) & 4) == 0 && s->filt[k].vlan == vl) break;
            if (op == 0x250) {
                if (k == s->nfilt) { s->filt = g_renew(Filt, s->filt, s->nfilt + 1); s->nfilt++; }
                s->filt[k].vsi = v; memcpy(s->filt[k].mac, e, 6); s->filt[k].vlan = vl; s->filt[k].flags = fl; e[12] = 1;
                TR("add MAC %02x:%02x:%02x:%02x:%02x:%02x vlan %u flags %x vsi %d\n", e[0], e[1], e[2], e[3], e[4], e[5], vl, fl, v);
            } else { if (k < s->nfilt) s->filt[k] = s->filt[--s->nfilt]; e[12] = 0; }
        }
        return 0;
    case 0x025A: case 0x025B: return ctl_exec(s, op == 0x025A, p);
    case 0x0254: if ((v = seid_vsi(s, lduw_le_p(p + 4))) >= 0) { uint16_t m = lduw_le_p(p + 2) & 0x3f; s->vsi[v].promisc = (s->vsi[v].promisc & ~m) | (lduw_le_p(p) & m); } return 0;
    case 0x0408: case 0x040A: case 0x0418: case 0x041A: case 0x0419: memset(b, 0, bl); b[0] = 1; return 0;
    case 0x0407: memset(b, 0, bl); for (i = 0; i < 8 && bl >= 32; i++) stw_le_p(b + 16 + 2 * i, 1 + i); return 0;
    case 0x0600: memset(b, 0, bl); stl_le_p(b, 1u << 0x14); b[4] = 8; b[5] = 0x08; b[14] = 0x07; return 0;
    case 0x0607: { uint16_t lse = lduw_le_p(p); memset(p, 0, 16); stw_le_p(p, lse ? 3 : 0); p[2] = 0x14; if (up(s)) { p[3] = 8; p[4] = 0x61; } else p[4] = 0x40; p[5] = 0x81; stw_le_p(p + 8, 9728); p[10] = 4; return 0; }
    case 0x0701: { uint32_t off = ldl_le_p(p + 4) & 0xffffff, len = lduw_le_p(p + 2); if (p[1] != 0) return 14; for (i = 0; i < len && i < bl; i++) b[i] = (off + i) / 2 < NVM_WORDS ? s->nvm[(off + i) / 2] >> (8 * ((off + i) & 1)) : 0; return 0; }
    case 0x0802: arq_post(s, ldl_le_p(p), 0x0802, 0, ldl_le_p(d + 8), ldl_le_p(d + 12), b, bl); return 0;
    case 0x0A00: return 1;
    case 0x0A07: return 14;
    case 0x0902: stl_le_p(p + 4, 0); stl_le_p(p + 12, 0); return 0;
    case 0x0002: case 0x0003: case 0x0004: case 0x0008: case 0x0009: case 0x0108: case 0x0110: case 0x0205: case 0x0231: case 0x0252: case 0x0253: case 0x0203: case 0x0255: case 0x0303: case 0x0400:
    case 0x0406: case 0x0410: case 0x0413: case 0x0414: case 0x0417: case 0x0601: case 0x0603: case 0x0605: case 0x0613: case 0x0618: case 0x0A05: case 0x0A06: case 0x0A08: case 0x041B: case 0x041C: case 0x0416: case 0x0A09: case 0x0B00: case 0x0B01:
        if (op == 0x0008) stl_le_p(p + 4, 180000);
        if (op == 0x0417 && bl >= 16) memset(b, 0, bl);
        return 0;
    }
    TR("AQ opcode %04x not implemented\n", op);
    return 14;                                                                         /* ESRCH/ENOSYS-like: driver treats as unsupported */
}
static void atq_run(Xl *s, int f)
{
    uint32_t *q = f < 0 ? NULL : s->vf[f].atq; uint32_t len = q ? q[2] : R(ATQLEN), cnt = len & 0x3ff; uint32_t *hp = q ? &q[3] : &R(ATQH), t = q ? q[4] : R(ATQT);
    uint64_t base = q ? q[0] | (uint64_t)q[1] << 32 : R(ATQBAL) | (uint64_t)R(ATQBAH) << 32; PCIDevice *dev = f < 0 ? &s->pd : pcie_sriov_get_vf_at_index(&s->pd, f);
    static uint8_t buf[65536];
    if (!dev || !(len & 0x80000000u) || !cnt) return;
    while (*hp != t) {
        uint8_t d[32]; uint16_t fl, op, bl, ret; uint64_t da = base + 32 * *hp, ba;
        pci_dma_read(dev, da, d, 32); fl = lduw_le_p(d); op = lduw_le_p(d + 2); bl = lduw_le_p(d + 4); ba = (uint32_t)ldl_le_p(d + 28) | (uint64_t)(uint32_t)ldl_le_p(d + 24) << 32;
        if (fl & 0x1000) { if (fl & 0x400) pci_dma_read(dev, ba, buf, bl); else memset(buf, 0, bl); } else bl = 0;
        if (f >= 0) {                                   /* VF: only "send message to PF" */
            ret = 0;
            TR("VF%d virtchnl op %u len %u\n", f, ldl_le_p(d + 8), bl);
            if (op == 0x0801) arq_post(s, -1, 0x0801, f, ldl_le_p(d + 8), ldl_le_p(d + 12), buf, bl);
        } else {
            uint16_t n = bl; ret = aq_exec(s, op, d, buf, &n);
            if (fl & 0x1000) { pci_dma_write(dev, ba, buf, MIN(bl, 4096)); stw_le_p(d + 4, n); }
            if (ret) TR("AQ %04x -> %d\n", op, ret);
        }
        stw_le_p(d, fl | 1 | 2 | (ret ? 4 : 0)); stw_le_p(d + 6, ret);
        pci_dma_write(dev, da, d, 32);
        *hp = (*hp + 1) % cnt;
    }
}

/* ---- registers ---- */
static void vf_reset(Xl *s, int f) { memset(&s->vf[f], 0, sizeof(VfAq)); R(VFGEN_RSTAT1 + 4 * f) = 0; memset(s->vpend[f], 0, VFVEC); R(VFINT_DYN_CTL0 + 4 * f) = 0; for (int i = 0; i < 16; i++) { uint32_t q = R(VPLAN_QTABLE + i * 1024 + 4 * f) & 0x7ff; if (q != 0x7ff && q < NQ && (R(VPLAN_MAPENA + 4 * f) & 1)) { s->tx[q].on = s->rx[q].on = false; R(QTX_ENA + 4 * q) = R(QRX_ENA + 4 * q) = 0; } } TR("VF%d reset\n", f); }
static void pf_reset(Xl *s, bool full)
{
    static const uint32_t core[][2] = { { FD_INSET, 0x2000 }, { FLX_PIT, 9 * 32 }, { GLQF_PCNT, 512 * 4 }, { GLQF_ORT, 64 * 4 }, { FD_MSK, 64 * 8 },
        { GLV_RDPC, GLV_SPAN }, { GLV_GORC, GLV_SPAN }, { GLV_UPRC, 3 * GLV_SPAN } };
    void *keep[ARRAY_SIZE(core)]; /* CORER scope: survives a PF reset */
    for (unsigned i = 0; i < ARRAY_SIZE(core); i++) keep[i] = full ? NULL : g_memdup2(&R(core[i][0]), core[i][1]);
    memset(s->r, 0, CSR);
    memset(s->tx, 0, sizeof(s->tx)); memset(s->rx, 0, sizeof(s->rx)); memset(s->vsi, 0, sizeof(s->vsi)); memset(s->sdt, 0, sizeof(s->sdt)); memset(s->pend, 0, sizeof(s->pend)); memset(s->vf, 0, sizeof(s->vf));
    s->nfilt = s->nfd = s->nctl = 0; s->veb = false;
    s->vsi[0] = (Vsi){ .used = true, .seid = 512, .vf = -1 };
    stw_le_p(s->vsi[0].info, 0x1ff); stw_le_p(s->vsi[0].info + 62, 0); vsi_fill(s->vsi[0].info, 0); s->vsi[0].info[12] = 3 | (3 << 3);
    s->filt = g_renew(Filt, s->filt, 1); s->filt[0] = (Filt){ .vsi = 0, .flags = 4 }; memcpy(s->filt[0].mac, s->conf.macaddr.a, 6); s->nfilt = 1;
    R(GLNVM_ULD) = 0xffffffff; R(GLNVM_GENS) = 2u << 5; R(GLNVM_FLA) = 0x40; R(GLNVM_SRCTL) = 0x80000000u; R(0xC20D0) = 0x1000; R(0x1C0AB4) = 1;
    R(GLPCI_CNF2) = NVEC << 2 | VFVEC << 13; R(PFLAN_QALLOC) = 0x80000000u | 383u << 16; R(PF_VT_PFALLOC) = 0x80000000u | (s->vfs - 1) << 8;
    R(LANTXOBJSZ) = 7; R(LANRXOBJSZ) = 5; R(LANQMAX) = 1536;
    for (int i = 0; i < 16; i++) for (int f = 0; f < 128; f++) R(VPLAN_QTABLE + i * 1024 + 4 * f) = 0x7ff;
    /* The sets of an unwritten NVM: addresses and ports; of other packets (35) and fragments (36) addresses, as DPDK's i40e_get_default_input_set() */
    for (int k = 0; k < 2; k++) for (int pc = 31; pc <= 36; pc++) {
        uint64_t m = 3ull << 47 | 3ull << 35 | (pc >= 35 ? 0 : 1ull << 34 | 1ull << 33); if (pc == 34) m |= 3ull << 31;
        R(FD_INSET + (pc + 10 * k) * 64) = m; R(FD_INSET + (pc + 10 * k) * 64 + 32) = m >> 32;
    }
    pit_reset(s);
    for (unsigned i = 0; i < ARRAY_SIZE(core); i++) if (keep[i]) { memcpy(&R(core[i][0]), keep[i], core[i][1]); g_free(keep[i]); }
    TR("PF reset\n");
}
static uint32_t csr_read(Xl *s, uint32_t a)
{
    uint32_t v;
    if (a >= CSR) return 0;
    if (a == ICR0) { v = R(a); R(a) = 0; return v; }
    if (a >= VFRSTAT && a < VFRSTAT + 512) return 1;
    if (a == 0x9C000) return s->pd.devfn;                 /* PF_FUNC_RID */
    if (a == CIAD) return 0;                              /* no transactions pending */
    return R(a);
}
static void csr_write(Xl *s, uint32_t a, uint32_t v)
{
    uint32_t i;
    if (a >= CSR) return;
    if (a >= QTX_TAIL && a < QTX_TAIL + 4 * NQ) { R(a) = v; tx_run(s, (a - QTX_TAIL) / 4); return; }
    if (a >= QTX_ENA && a < QTX_ENA + 4 * NQ) { q_enable(s, (a - QTX_ENA) / 4, true, v & 1); return; }
    if (a >= QRX_ENA && a < QRX_ENA + 4 * NQ) { q_enable(s, (a - QRX_ENA) / 4, false, v & 1); return; }
    if (a >= DYN_CTLN && a < DYN_CTLN + 4 * 512) {
        int n = (a - DYN_CTLN) / 4 + 1;
        R(a) = (v & 0x80000000u) ? (R(a) & 1) | (v & ~0x80000001u) : v & ~4u;
        if ((v & 4) || (n < NVEC && s->pend[n] && (R(a) & 1))) pf_vec(s, n);
        return;
    }
    if (a >= VFINT_DYN_CTLN && a < VFINT_DYN_CTLN + 4 * 512) {
        int k = (a - VFINT_DYN_CTLN) / 4, f = k / (VFVEC - 1), n = k % (VFVEC - 1) + 1;
        R(a) = (v & 0x80000000u) ? (R(a) & 1) | (v & ~0x80000001u) : v & ~4u;
        if (f < NVF && ((v & 4) || (s->vpend[f][n] && (R(a) & 1)))) vf_vec(s, f, n);
        return;
    }
    if (a >= VFRTRIG && a < VFRTRIG + 512) { i = (a - VFRTRIG) / 4; if ((v & 1) && !(R(a) & 1) && i < NVF) { R(a) = v; vf_reset(s, i); } R(a) = v; return; }
    if (a >= VFLRSTAT && a < VFLRSTAT + 16) { R(a) &= ~v; return; }
    if (a >= GLQF_PCNT && a < GLQF_PCNT + 512 * 4) { R(a) = 0; return; }   /* any write clears (i40e_stat_update_and_clear32()) */
    switch (a) {
    case PFGEN_CTRL: if (v & 1) pf_reset(s, false); return;
    case GLNVM_SRCTL: if (v & (1u << 30)) { uint32_t w = (v >> 14) & 0x7fff; R(GLNVM_SRDATA) = (uint32_t)(w < NVM_WORDS ? s->nvm[w] : 0) << 16; R(a) = v | 0x80000000u; } return;
    case SDCMD: if (v & 0x80000000u) { i = v & 0xfff; s->sdt[i] = R(SDLO) & 3; s->sd[i] = ((uint64_t)R(SDHI) << 32 | R(SDLO)) & ~0xfffull; TR("SD %u = %" PRIx64 " type %u\n", i, s->sd[i], s->sdt[i]); } return;
    case PFQF_CTL_1: if (v & 1) { s->nfd = 0; R(FDSTAT) = R(GLQF_FDCNT) = 0; } return; /* CLEARFDTABLE, at once */
    case ATQT: R(a) = v; atq_run(s, -1); return;
    case DYN_CTL0: R(a) = (v & 0x80000000u) ? (R(a) & 1) | (v & ~0x80000001u) : v & ~4u; if (v & 4) R(ICR0) |= 1; icr0(s, 0); return;
    case ICR0_ENA: R(a) = v; icr0(s, 0); return;
    case ICR0: return;
    }
    R(a) = v;
}
static uint64_t mr(void *o, hwaddr a, unsigned z) { return csr_read(o, a); }
static void mw(void *o, hwaddr a, uint64_t v, unsigned z) { csr_write(o, a, v); }
static const MemoryRegionOps ops = { .read = mr, .write = mw, .endianness = DEVICE_LITTLE_ENDIAN, .valid = { .min_access_size = 4, .max_access_size = 8 }, .impl = { .min_access_size = 4, .max_access_size = 4 } };

/* ---- VF BAR0: admin queue, reset state, tails, interrupts ---- */
static uint32_t *vf_aqreg(Xl *s, int f, uint32_t a)
{
    VfAq *v = &s->vf[f];
    switch (a) { case 0x7C00: return &v->atq[0]; case 0x7800: return &v->atq[1]; case 0x6800: return &v->atq[2]; case 0x6400: return &v->atq[3]; case 0x8400: return &v->atq[4];
    case 0x6C00: return &v->arq[0]; case 0x6000: return &v->arq[1]; case 0x8000: return &v->arq[2]; case 0x7400: return &v->arq[3]; case 0x7000: return &v->arq[4]; }
    return NULL;
}
static uint32_t vf_map(int f, uint32_t a)
{
    if (a >= 0x3800 && a < 0x3840) return VFINT_DYN_CTLN + 4 * ((VFVEC - 1) * f) + (a - 0x3800);
    switch (a) { case 0x5C00: return VFINT_DYN_CTL0 + 4 * f; case 0x4800: return VFINT_ICR0 + 4 * f; case 0x5000: return VFINT_ICR0_ENA + 4 * f; case 0x8800: return VFGEN_RSTAT1 + 4 * f; }
    return 0;
}
static uint64_t vmr(void *o, hwaddr a, unsigned z)
{
    Xl *s = (Xl *)pcie_sriov_get_pf(o); int f = pcie_sriov_vf_number(o); uint32_t *p = vf_aqreg(s, f, a), m = vf_map(f, a), v;
    if (p) return *p;
    if (a == 0x4800) { v = R(m); R(m) = 0; return v; }
    return m ? R(m) : 0;
}
static void vmw(void *o, hwaddr a, uint64_t v, unsigned z)
{
    Xl *s = (Xl *)pcie_sriov_get_pf(o); int f = pcie_sriov_vf_number(o); uint32_t *p = vf_aqreg(s, f, a), m = vf_map(f, a);
    if (p) { *p = v; if (a == 0x8400) atq_run(s, f); return; }
    if (a < 0x40 || (a >= 0x2000 && a < 0x2040)) {                      /* QTX_TAIL1 0x0, QRX_TAIL1 0x2000 */
        uint32_t q = R(VPLAN_QTABLE + ((a & 0x3f) / 4) * 1024 + 4 * f) & 0x7ff;
        if (q < NQ) csr_write(s, (a < 0x40 ? QTX_TAIL : QRX_TAIL) + 4 * q, v);
        return;
    }
    if (a == 0x5C00) { R(m) = (v & 0x80000000u) ? (R(m) & 1) | (v & ~0x80000001ull) : v & ~4u; if (s->vpend[f][0] && (R(m) & 1)) vf_vec(s, f, 0); return; }
    if (a == 0x8800) return;
    if (m) csr_write(s, m, v);
}
static const MemoryRegionOps vops = { .read = vmr, .write = vmw, .endianness = DEVICE_LITTLE_ENDIAN, .valid = { .min_access_size = 4, .max_access_size = 8 }, .impl = { .min_access_size = 4, .max_access_size = 4 } };

static void cfg_write(PCIDevice *d, uint32_t a, uint32_t v, int l) { pci_default_write_config(d, a, v, l); pcie_cap_flr_write_config(d, a, v, l); }
static bool caps(PCIDevice *d, MemoryRegion *m, int nvec, uint32_t pba, Error **errp)
{
    d->config_write = cfg_write;
    if (msix_init(d, nvec, m, 3, 0, m, 3, pba, 0x70, errp)) return false;
    for (int i = 0; i < nvec; i++) msix_vector_use(d, i);
    if (pcie_endpoint_cap_init(d, 0xa0) < 0) { error_setg(errp, "pcie"); return false; }
    pcie_cap_flr_init(d);
    if (pcie_aer_init(d, PCI_ERR_VER, 0x100, 0x40, errp) < 0) return false;
    pcie_ari_init(d, 0x150);
    return true;
}
static void link_changed(NetClientState *nc)
{
    Xl *s = qemu_get_nic_opaque(nc); uint8_t d[16] = { 0 }; (void)d; arq_post(s, -1, 0x0607, 0, 0, 0, NULL, 0);
}
static NetClientInfo ninfo = { .type = NET_CLIENT_DRIVER_NIC, .size = sizeof(NICState), .receive = net_rx, .link_status_changed = link_changed };
static void realize(PCIDevice *d, Error **errp)
{
    Xl *s = (Xl *)d; uint16_t sum = 0;
    d->config[PCI_INTERRUPT_PIN] = 1; s->r = g_malloc0(CSR);
    memory_region_init_io(&s->mmio, OBJECT(d), &ops, s, "xl710-mmio", 0x800000);
    pci_register_bar(d, 0, PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH, &s->mmio);
    memory_region_init(&s->msix, OBJECT(d), "xl710-msix", 0x8000);
    pci_register_bar(d, 3, PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH, &s->msix);
    qemu_macaddr_default_if_unset(&s->conf.macaddr);
    s->nvm[0] = 0x40; s->nvm[0x2F] = 0xffff; s->nvm[0x3E] = 0xffff; s->nvm[0x18] = 0x6080; s->nvm[0x2D] = 1; s->nvm[0x2E] = 0x8000; s->nvm[0x17] = 0x100;
    for (int i = 0; i < NVM_WORDS; i++) if (i != 0x3f) sum += s->nvm[i];
    s->nvm[0x3f] = 0xBABA - sum;
    pf_reset(s, true);
    if (!caps(d, &s->msix, NVEC, 0x1000, errp)) return;
    pci_pm_init(d, 0x40, NULL);
    if (!pcie_sriov_pf_init(d, 0x160, "xl710vf", 0x154c, s->vfs, s->vfs, 0x10, 1, errp)) return;
    pcie_sriov_pf_init_vf_bar(d, 0, PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH, 0x10000);
    pcie_sriov_pf_init_vf_bar(d, 3, PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH, 0x4000);
    s->nic = qemu_new_nic(&ninfo, &s->conf, object_get_typename(OBJECT(d)), DEVICE(d)->id, &DEVICE(d)->mem_reentrancy_guard, s);
    qemu_format_nic_info_str(qemu_get_queue(s->nic), s->conf.macaddr.a);
}
static void pexit(PCIDevice *d) { Xl *s = (Xl *)d; pcie_sriov_pf_exit(d); pcie_aer_exit(d); pcie_cap_exit(d); qemu_del_nic(s->nic); msix_unuse_all_vectors(d); msix_uninit(d, &s->msix, &s->msix); }
static void vrealize(PCIDevice *d, Error **errp)
{
    XlVf *v = (XlVf *)d;
    memory_region_init_io(&v->mmio, OBJECT(d), &vops, v, "xl710vf-mmio", 0x10000); vf_bar_compat(d, 0, &v->mmio);
    memory_region_init(&v->msix, OBJECT(d), "xl710vf-msix", 0x4000); vf_bar_compat(d, 3, &v->msix);
    caps(d, &v->msix, VFVEC, 0x2000, errp);
}
static void vexit(PCIDevice *d) { XlVf *v = (XlVf *)d; pcie_aer_exit(d); pcie_cap_exit(d); msix_unuse_all_vectors(d); msix_uninit(d, &v->msix, &v->msix); }
static void prst(Object *o, ResetType t) { pf_reset((Xl *)PCI_DEVICE(o), true); }
static void vrst(Object *o, ResetType t)
{
    PCIDevice *d = PCI_DEVICE(o); Xl *s = (Xl *)pcie_sriov_get_pf(d); int f = pcie_sriov_vf_number(d);
    if (f >= NVF) return;
    vf_reset(s, f); R(VFLRSTAT + 4 * (f / 32)) |= 1u << (f % 32); icr0(s, 1u << 29);
}
static const Property props[] = { DEFINE_NIC_PROPERTIES(Xl, conf), DEFINE_PROP_UINT16("vfs", Xl, vfs, 32), DEFINE_PROP_BOOL("trace", Xl, trace, false), DEFINE_PROP_BOOL("fd-redirect", Xl, fd_redirect, false) };
static void pclass(ObjectClass *c, void *x)
{
    PCIDeviceClass *k = PCI_DEVICE_CLASS(c); DeviceClass *dc = DEVICE_CLASS(c);
    k->realize = realize; k->exit = pexit; k->vendor_id = 0x8086; k->device_id = 0x1572; k->revision = 2; k->subsystem_vendor_id = 0x8086; k->subsystem_id = 1; k->class_id = PCI_CLASS_NETWORK_ETHERNET;
    dc->desc = "Intel XL710 (behavioural model)"; set_bit(DEVICE_CATEGORY_NETWORK, dc->categories); RESETTABLE_CLASS(c)->phases.hold = prst; device_class_set_props(dc, props);
}
static void vclass(ObjectClass *c, void *x)
{
    PCIDeviceClass *k = PCI_DEVICE_CLASS(c); DeviceClass *dc = DEVICE_CLASS(c);
    k->realize = vrealize; k->exit = vexit; k->vendor_id = 0x8086; k->device_id = 0x154c; k->revision = 2; k->class_id = PCI_CLASS_NETWORK_ETHERNET; dc->user_creatable = false; set_bit(DEVICE_CATEGORY_NETWORK, dc->categories); RESETTABLE_CLASS(c)->phases.hold = vrst;
}
static const TypeInfo types[] = {
    { .name = "xl710", .parent = TYPE_PCI_DEVICE, .instance_size = sizeof(Xl), .class_init = pclass, .interfaces = (InterfaceInfo[]) { { INTERFACE_PCIE_DEVICE }, { } } },
    { .name = "xl710vf", .parent = TYPE_PCI_DEVICE, .instance_size = sizeof(XlVf), .class_init = vclass, .interfaces = (InterfaceInfo[]) { { INTERFACE_PCIE_DEVICE }, { } } },
};
static void reg(void) { type_register_static_array(types, ARRAY_SIZE(types)); }
static void __attribute__((constructor)) preload(void) { unsetenv("LD_PRELOAD"); register_module_init(reg, MODULE_INIT_QOM); }
