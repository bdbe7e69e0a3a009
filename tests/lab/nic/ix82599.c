/*
 * ix82599: behavioural model of an Intel 82599 (ixgbe) 10G controller with
 * SR-IOV virtual functions and Flow Director perfect filters, as an object that
 * is preloaded into an unmodified qemu-system-x86_64 (see README.md).
 * Written from what the Linux and DPDK drivers do, not from silicon; DMA lengths are trusted.
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

#define NVF 64
#define NQ 128
#define EEP_WORDS 1024

/* register offsets (82599) */
enum {
    CTRL = 0x0, STATUS = 0x8, CTRL_EXT = 0x18, ESDP = 0x20, I2CCTL = 0x28, FRTIMER = 0x48,
    EICR = 0x800, EICS = 0x808, EIAC = 0x810, EIMS = 0x880, EIMC = 0x888, EIAM = 0x890, GPIE = 0x898,
    EICS_EX = 0xA90, EIMS_EX = 0xAA0, EIMC_EX = 0xAB0, EIAM_EX = 0xAD0, IVAR = 0x900, IVAR_MISC = 0xA00,
    VFLRE0 = 0x600, VFLRE1 = 0x1C0, VFLREC = 0x700, MBVFICR = 0x710, PFMBIMR = 0x720,
    RDRXCTL = 0x2F00, QDE = 0x2F04, RXCTRL = 0x3000, HLREG0 = 0x4240, MSCA = 0x425C, MSRWD = 0x4260,
    AUTOC = 0x42A0, LINKS = 0x42A4, AUTOC2 = 0x42A8, ANLP1 = 0x42B0, DMATXCTL = 0x4A80, PFMAILBOX = 0x4B00,
    RXCSUM = 0x5000, FCTRL = 0x5080, VLNCTRL = 0x5088, MTA = 0x5200, MRQC = 0x5818, RETA = 0x5C00, RSSRK = 0x5C80,
    VT_CTL = 0x51B0, VFRE = 0x51E0, MCSTCTRL = 0x5090, PSRTYPE = 0xEA00,
    VMVIR = 0x8000, VFTE = 0x8110, PFVFSPOOF = 0x8200, PFDTXGSWC = 0x8220, SSVPC = 0x8780,
    SECTXCTRL = 0x8800, SECTXSTAT = 0x8804, SECRXCTRL = 0x8D00, SECRXSTAT = 0x8D04,
    VFTA = 0xA000, RAL = 0xA200, MPSAR = 0xA600, VMOLR = 0xF000, VLVF = 0xF100, VLVFB = 0xF200, UTA = 0xF400,
    FDIRCTRL = 0xEE00, FDIRSIPV6 = 0xEE0C, FDIRIPSA = 0xEE18, FDIRIPDA = 0xEE1C, FDIRPORT = 0xEE20, FDIRVLAN = 0xEE24,
    FDIRHASH = 0xEE28, FDIRCMD = 0xEE2C, FDIRFREE = 0xEE38, FDIRDIP4M = 0xEE3C, FDIRSIP4M = 0xEE40, FDIRTCPM = 0xEE44,
    FDIRUDPM = 0xEE48, FDIRLEN = 0xEE4C, FDIRUSTAT = 0xEE50, FDIRFSTAT = 0xEE54, FDIRMATCH = 0xEE58, FDIRMISS = 0xEE5C,
    FDIRM = 0xEE70,
    EEC = 0x10010, EERD = 0x10014, SWSM = 0x10140, FWSM = 0x10148, FACTPS = 0x10150, SW_FW_SYNC = 0x10160,
    GCR_EXT = 0x11050, MBMEM = 0x13000, HICR = 0x15F00,
    GPRC = 0x4074, BPRC = 0x4078, MPRC = 0x407C, GPTC = 0x4080, GORCL = 0x4088, GOTCL = 0x4090, TORL = 0x40C0,
    TPR = 0x40D0, TPT = 0x40D4, MPTC = 0x40F0, BPTC = 0x40F4, MPC0 = 0x3FA0,
};
#define CAUSE_FDIR (1u << 16)
#define CAUSE_MAILBOX (1u << 19)
#define CAUSE_LSC (1u << 20)

typedef struct { uint32_t ipsa, ipda, port, vlan, hash, cmd; bool used; } Fdir;
typedef struct { uint32_t eicr, eims, eiac, eiam, ivar[4], ivar_misc, mbx, psr; uint32_t gprc, gptc, mprc; uint64_t gorc, gotc; } Vf;
typedef struct { uint32_t vlan_macip, type, mss; } Ctx;

typedef struct Ix {
    PCIDevice pd;
    MemoryRegion mmio, io, msix;
    NICState *nic;
    NICConf conf;
    uint16_t numvfs_max;
    bool trace, fdir_local;
    uint32_t r[0x20000 / 4];
    uint16_t eep[EEP_WORDS];
    uint64_t eicr_q, eims_q, eiam_q;
    uint32_t eicr, eims;
    Vf vf[NVF];
    Ctx ctx[NQ][2];
    uint8_t qde[NQ];
    Fdir *fdir; unsigned nfdir, fdir_cap;
    uint8_t *txbuf; uint32_t txlen[NQ]; uint8_t *txb[NQ]; uint32_t tx_ol[NQ], tx_cmd[NQ];
    /* I2C (SFP module) */
    int i2c_state, i2c_cnt, i2c_scl, i2c_sda, i2c_out, i2c_nack, i2c_rd, i2c_first; uint8_t i2c_sh, i2c_dev, i2c_off;
    uint8_t sfp[256];
} Ix;
typedef struct IxVfDev { PCIDevice pd; MemoryRegion mmio, msix; } IxVfDev;

#define TYPE_IX "ix82599"
#define TYPE_IXVF "ix82599vf"
#define R(a) s->r[(a) >> 2]
#define TR(...) do { if (s->trace) fprintf(stderr, "ix82599: " __VA_ARGS__); } while (0)

static inline uint32_t rxb(int q) { return q < 64 ? 0x1000 + 0x40 * q : 0xD000 + 0x40 * (q - 64); }
static inline uint32_t txb(int q) { return 0x6000 + 0x40 * q; }
static inline int qpp(Ix *s) { switch (R(GCR_EXT) & 3) { case 1: return 8; case 2: return 4; case 3: return 2; } return 2; }
static inline bool vt_on(Ix *s) { return R(VT_CTL) & 1; }
static inline int nvf(Ix *s) { return pcie_sriov_num_vfs(&s->pd); }
static inline bool link_up(Ix *s) { return s->nic && !qemu_get_queue(s->nic)->link_down; }

static PCIDevice *q_dev(Ix *s, int q)
{
    if (vt_on(s) && q / qpp(s) < nvf(s)) {
        PCIDevice *v = pcie_sriov_get_vf_at_index(&s->pd, q / qpp(s));
        if (v) return v;
    }
    return &s->pd;
}

/* ---------------- interrupts ---------------- */
static void pf_update(Ix *s)
{
    uint64_t p = s->eicr_q & s->eims_q;
    if (!msix_enabled(&s->pd)) return;
    while (p) {
        int v = ctz64(p); p &= p - 1;
        s->eicr_q &= ~(1ull << v);
        if (R(GPIE) & (1u << 30)) s->eims_q &= ~(s->eiam_q & (1ull << v));
        msix_notify(&s->pd, v);
    }
}
static void pf_cause(Ix *s, uint32_t c)
{
    s->eicr |= c;
    if ((s->eicr & s->eims) && msix_enabled(&s->pd)) {
        uint32_t e = (R(IVAR_MISC) >> 8) & 0xff;
        if (e & 0x80) msix_notify(&s->pd, e & 0x3f);
    }
}
static void vf_update(Ix *s, int n)
{
    Vf *v = &s->vf[n]; PCIDevice *d = pcie_sriov_get_vf_at_index(&s->pd, n);
    uint32_t p = v->eicr & v->eims & 7;
    if (!d || !msix_enabled(d)) return;
    while (p) {
        int b = ctz32(p); p &= p - 1;
        if (v->eiac & (1u << b)) v->eicr &= ~(1u << b);
        if (v->eiam & (1u << b)) v->eims &= ~(1u << b);
        msix_notify(d, b);
    }
}
static void vf_mbx_irq(Ix *s, int n)
{
    if (s->vf[n].ivar_misc & 0x80) { s->vf[n].eicr |= 1u << (s->vf[n].ivar_misc & 3); vf_update(s, n); }
}
static void q_irq(Ix *s, int q, int tx)
{
    int p = q / qpp(s);
    if (vt_on(s) && p < nvf(s)) {
        int lq = q - p * qpp(s);
        uint32_t e = s->vf[p].ivar[lq / 2] >> (16 * (lq & 1) + 8 * tx);
        if (e & 0x80) { s->vf[p].eicr |= 1u << (e & 3); vf_update(s, p); }
    } else {
        uint32_t e = R(IVAR + 4 * (q / 2)) >> (16 * (q & 1) + 8 * tx);
        if (e & 0x80) { s->eicr_q |= 1ull << (e & 0x3f); pf_update(s); }
    }
}

/* ---------------- EEPROM, SFP ---------------- */
static void eep_init(Ix *s)
{
    uint16_t *e = s->eep, sum = 0; int i;
    memset(e, 0xff, sizeof(s->eep));
    e[0x00] = 0x0900; e[0x0F] = 0x0200;                 /* FW pointer */
    e[0x15] = 0xE665; e[0x16] = 0x6001;                 /* PBA number */
    e[0x2B] = 0x0100; e[0x2C] = 0x0001;                 /* SFP init list, device caps: any SFP */
    e[0x2D] = 0x0001; e[0x2E] = 0x8000;
    e[0x100] = 0x0000;
    e[0x101] = 3; e[0x102] = 0x120; e[0x103] = 4; e[0x104] = 0x120; e[0x105] = 5; e[0x106] = 0x120; e[0x107] = 6; e[0x108] = 0x120;
    e[0x120] = 0; e[0x121] = 0xffff;
    e[0x204] = 0x0210; e[0x217] = 0x0006;               /* pass-through patch config, FW version 6 */
    for (i = 0; i < 0x3f; i++) sum += e[i];
    e[0x3f] = 0xBABA - sum;
    memset(s->sfp, 0, sizeof(s->sfp));
    s->sfp[0] = 3; s->sfp[2] = 7; s->sfp[3] = 0x10;     /* SFP, LC, 10GBASE-SR */
    memcpy(s->sfp + 20, "QEMU            ", 16);
    s->sfp[37] = 0x00; s->sfp[38] = 0x1B; s->sfp[39] = 0x21;
    memcpy(s->sfp + 40, "IX82599-SR      ", 16);
}
enum { I_IDLE, I_RX, I_ACKOUT, I_TX, I_ACKIN };
static uint8_t i2c_next(Ix *s) { return s->i2c_dev == 0xA0 ? s->sfp[s->i2c_off++] : 0; }
static void i2c_write(Ix *s, uint32_t v)
{
    int scl = !!(v & 2), sda = !!(v & 8);
    if (s->i2c_scl && scl) {
        if (s->i2c_sda && !sda) { s->i2c_state = I_RX; s->i2c_cnt = 0; s->i2c_sh = 0; s->i2c_first = 1; s->i2c_out = 1; }
        else if (!s->i2c_sda && sda) { s->i2c_state = I_IDLE; s->i2c_out = 1; }
    } else if (!s->i2c_scl && scl) {
        if (s->i2c_state == I_RX) { s->i2c_sh = s->i2c_sh << 1 | sda; s->i2c_cnt++; }
        else if (s->i2c_state == I_ACKIN) s->i2c_nack = sda;
    } else if (s->i2c_scl && !scl) {
        switch (s->i2c_state) {
        case I_RX:
            if (s->i2c_cnt < 8) break;
            if (s->i2c_first == 1) {
                s->i2c_dev = s->i2c_sh & 0xfe; s->i2c_rd = s->i2c_sh & 1;
                if (s->i2c_dev != 0xA0 && s->i2c_dev != 0xA2) { s->i2c_state = I_IDLE; s->i2c_out = 1; break; }
                s->i2c_first = 2;
            } else if (s->i2c_first == 2) { s->i2c_off = s->i2c_sh; s->i2c_first = 3; }
            s->i2c_out = 0; s->i2c_state = I_ACKOUT; break;
        case I_ACKOUT:
            if (s->i2c_rd) { s->i2c_sh = i2c_next(s); s->i2c_out = s->i2c_sh >> 7; s->i2c_cnt = 1; s->i2c_state = I_TX; }
            else { s->i2c_out = 1; s->i2c_cnt = 0; s->i2c_sh = 0; s->i2c_state = I_RX; }
            break;
        case I_TX:
            if (s->i2c_cnt < 8) { s->i2c_out = (s->i2c_sh >> (7 - s->i2c_cnt)) & 1; s->i2c_cnt++; }
            else { s->i2c_out = 1; s->i2c_state = I_ACKIN; }
            break;
        case I_ACKIN:
            if (s->i2c_nack) s->i2c_state = I_IDLE;
            else { s->i2c_sh = i2c_next(s); s->i2c_out = s->i2c_sh >> 7; s->i2c_cnt = 1; s->i2c_state = I_TX; }
            break;
        }
    }
    s->i2c_scl = scl; s->i2c_sda = sda; R(I2CCTL) = v;
}

/* ---------------- Flow Director ---------------- */
static uint32_t rev16x2(uint32_t m)
{
    m = ((m & 0x55555555) << 1) | ((m & 0xAAAAAAAA) >> 1);
    m = ((m & 0x33333333) << 2) | ((m & 0xCCCCCCCC) >> 2);
    m = ((m & 0x0F0F0F0F) << 4) | ((m & 0xF0F0F0F0) >> 4);
    return ((m & 0x00FF00FF) << 8) | ((m & 0xFF00FF00) >> 8);
}
static Fdir *fdir_find(Ix *s, uint32_t hash)
{
    for (unsigned i = 0; i < s->nfdir; i++)
        if (s->fdir[i].used && s->fdir[i].hash >> 16 == hash >> 16) return &s->fdir[i];
    return NULL;
}
static void fdir_cmd(Ix *s, uint32_t c)
{
    Fdir *f;
    if ((R(FDIRCMD) & 0x100) && !(c & 0x100)) s->nfdir = 0;            /* CLEARHT 1->0 */
    R(FDIRCMD) = c & ~3u;
    if (!(R(FDIRCTRL) & 0x10)) return;                                  /* signature mode: complete, keep nothing */
    switch (c & 3) {
    case 1:
        f = fdir_find(s, R(FDIRHASH));
        if (!f) {
            for (unsigned i = 0; i < s->nfdir && !f; i++) if (!s->fdir[i].used) f = &s->fdir[i];
            if (!f) {
                if (s->nfdir == s->fdir_cap) { s->fdir_cap = s->fdir_cap ? 2 * s->fdir_cap : 64; s->fdir = g_renew(Fdir, s->fdir, s->fdir_cap); }
                f = &s->fdir[s->nfdir++];
            }
        }
        *f = (Fdir){ R(FDIRIPSA), R(FDIRIPDA), R(FDIRPORT), R(FDIRVLAN), R(FDIRHASH), c, true };
        R(FDIRUSTAT) += 1;
        TR("FDIR add id=%u sa=%08x da=%08x port=%08x vlan=%08x cmd=%08x queue=%u pool=%u\n", f->hash >> 16, f->ipsa, f->ipda, f->port, f->vlan, c, (c >> 16) & 0x7f, (c >> 24) & 0x3f);
        break;
    case 2:
        f = fdir_find(s, R(FDIRHASH));
        if (f) { f->used = false; R(FDIRUSTAT) += 0x10000; TR("FDIR remove id=%u\n", R(FDIRHASH) >> 16); }
        else R(FDIRFSTAT) += 0x100;
        break;
    case 3:
        if (fdir_find(s, R(FDIRHASH))) R(FDIRCMD) |= 4; else R(FDIRCMD) &= ~4u;
        break;
    }
}
typedef struct { bool vlan, ip4, ip6; uint16_t tci, et, sport, dport; uint8_t proto; uint32_t sa, da; int l3, l4; bool frag; } Pkt;
static void parse(const uint8_t *b, size_t n, Pkt *p)
{
    int o = 12;
    memset(p, 0, sizeof(*p));
    p->et = lduw_be_p(b + o);
    if (p->et == 0x8100 && n >= 18) { p->vlan = true; p->tci = lduw_be_p(b + 14); p->et = lduw_be_p(b + 16); o = 16; }
    o += 2; p->l3 = o;
    if (p->et == 0x0800 && n >= o + 20) {
        int ihl = (b[o] & 15) * 4;
        p->ip4 = true; p->proto = b[o + 9]; p->sa = ldl_le_p(b + o + 12); p->da = ldl_le_p(b + o + 16);
        p->frag = lduw_be_p(b + o + 6) & 0x3fff; p->l4 = o + ihl;
    } else if (p->et == 0x86dd && n >= o + 40) {
        p->ip6 = true; p->proto = b[o + 6]; p->l4 = o + 40;
    }
    if (p->l4 && !p->frag && n >= p->l4 + 4 && (p->proto == 6 || p->proto == 17 || p->proto == 132)) {
        p->sport = lduw_be_p(b + p->l4); p->dport = lduw_be_p(b + p->l4 + 2);
    }
}
static Fdir *fdir_match(Ix *s, const uint8_t *b, size_t n, const Pkt *p, int pool)
{
    uint32_t m = R(FDIRM), flex_off = ((R(FDIRCTRL) >> 16) & 0x1f) * 2, flex;
    /* of a fragment, the first one too, no L4 header is parsed */
    int l4 = p->frag ? 0 : p->proto == 17 ? 1 : p->proto == 6 ? 2 : p->proto == 132 ? 3 : 0;
    if (!(R(FDIRCTRL) & 0x10) || !(R(FDIRCTRL) & 8) || !p->ip4) return NULL;
    flex = flex_off + 2 <= n ? lduw_le_p(b + flex_off) : 0;
    if (flex_off >= 12 && p->vlan && flex_off + 6 <= n) flex = lduw_le_p(b + flex_off + 4);
    for (unsigned i = 0; i < s->nfdir; i++) {
        Fdir *f = &s->fdir[i]; uint32_t pm, port = (uint32_t)p->dport << 16 | p->sport;
        if (!f->used || (f->cmd & 0x80)) continue;
        if (!(m & 8) && ((f->cmd >> 5) & 3) != l4) continue;
        if ((f->ipsa ^ p->sa) & ~R(FDIRSIP4M)) continue;
        if ((f->ipda ^ p->da) & ~R(FDIRDIP4M)) continue;
        pm = rev16x2(~(l4 == 1 ? R(FDIRUDPM) : R(FDIRTCPM)));
        if (l4 && ((f->port ^ port) & pm)) continue;
        if (!(m & 1) && ((f->vlan ^ p->tci) & 0x0fff)) continue;
        if (!(m & 2) && ((f->vlan ^ p->tci) & 0xe000)) continue;
        if (!(m & 16) && (f->vlan >> 16) != flex) continue;
        if (!(m & 4) && pool >= 0 && ((f->cmd >> 24) & 0x3f) != pool) continue;
        R(FDIRMATCH)++;
        return f;
    }
    R(FDIRMISS)++;
    return NULL;
}

#include "ix82599-filters.h"

/* ---------------- receive ---------------- */
static uint32_t rss_hash(Ix *s, const uint8_t *b, const Pkt *p, uint32_t *type)
{
    uint8_t in[36]; int n = 0, i, j; uint32_t h = 0, mf = R(MRQC) >> 16; uint8_t *k = (uint8_t *)&R(RSSRK); uint32_t key;
    *type = 0;
    if (p->ip4) { memcpy(in, b + p->l3 + 12, 8); n = 8; } else if (p->ip6) { memcpy(in, b + p->l3 + 8, 32); n = 32; } else return 0;
    if (p->l4 && !p->frag && p->proto == 6 && (mf & (p->ip4 ? 0x1 : 0x20))) { memcpy(in + n, b + p->l4, 4); n += 4; *type = p->ip4 ? 1 : 3; }
    else if (p->l4 && !p->frag && p->proto == 17 && (mf & (p->ip4 ? 0x40 : 0x80))) { memcpy(in + n, b + p->l4, 4); n += 4; *type = p->ip4 ? 7 : 8; }
    else if (mf & (p->ip4 ? 0x2 : 0x10)) *type = p->ip4 ? 2 : 5;
    else return 0;
    key = ldl_be_p(k);
    for (i = 0; i < n; i++)
        for (j = 7; j >= 0; j--) {
            if (in[i] >> j & 1) h ^= key;
            key = key << 1 | ((k[i + 4] >> j) & 1);
        }
    return h;
}
static bool rx_queue(Ix *s, int q, const uint8_t *b, size_t n, const Pkt *p, Fdir *f, uint32_t hash, uint32_t htype, bool lb)
{
    uint32_t base = rxb(q), cnt = R(base + 8) / 16, sr = R(base + 0x14), bs = (sr & 0x1f) * 1024, off = 0, vlan = 0, st;
    uint64_t ring = R(base) | (uint64_t)R(base + 4) << 32; PCIDevice *d = q_dev(s, q); uint8_t tmp[16384];
    int pool = q / qpp(s);
    if (!(R(base + 0x28) & (1u << 25)) || !cnt || n > sizeof(tmp)) goto drop;
    if (vt_on(s) && !(R(VFRE + 4 * (pool / 32)) >> (pool % 32) & 1)) goto drop;
    if (!bs) bs = 2048;
    {   /* room? */
        uint32_t h = R(base + 0x10), t = R(base + 0x18), avail = (t + cnt - h) % cnt;
        if (avail < (n + bs - 1) / bs) goto drop;
    }
    st = 1 | (lb ? 0x40000 : 0);
    if (p->vlan && (R(base + 0x28) & (1u << 30))) {
        memcpy(tmp, b, 12); memcpy(tmp + 12, b + 16, n - 16); n -= 4; b = tmp;
        if (!(s->qde[q] & 2)) { vlan = p->tci; st |= 8; }
    }
    if (f && (R(FDIRCTRL) & 0x20)) { st |= 4; hash = (f->hash >> 16) << 16 | (f->hash & 0x1fff); }
    while (off < n) {
        uint32_t h = R(base + 0x10); uint64_t da = ring + 16ull * h; uint8_t dsc[16]; size_t c = MIN(bs, n - off);
        uint64_t buf;
        pci_dma_read(d, da, dsc, 16);
        buf = ldq_le_p(dsc);
        pci_dma_write(d, buf, b + off, c);
        off += c;
        stl_le_p(dsc, htype | (p->ip4 ? 0x10 : 0) | (p->ip6 ? 0x40 : 0) | (p->l4 && p->proto == 6 ? 0x100 : 0) | (p->l4 && p->proto == 17 ? 0x200 : 0));
        stl_le_p(dsc + 4, hash);
        stl_le_p(dsc + 8, st | (off == n ? 2 : 0));
        stw_le_p(dsc + 12, c); stw_le_p(dsc + 14, vlan);
        pci_dma_write(d, da, dsc, 16);
        R(base + 0x10) = (h + 1) % cnt;
    }
    R(base + 0x30)++; R(base + 0x34) += n;
    if (vt_on(s) && pool < nvf(s)) { s->vf[pool].gprc++; s->vf[pool].gorc += n + 4; if (b[0] & 1) s->vf[pool].mprc++; }
    q_irq(s, q, 0);
    return true;
drop:
    if (q < 16) R(0x1430 + 0x40 * q)++;
    R(MPC0)++;
    return false;
}
static bool mta_hit(Ix *s, const uint8_t *da)
{
    uint32_t v;
    switch (R(MCSTCTRL) & 3) {
    case 0: v = (da[4] >> 4) | ((uint16_t)da[5] << 4); break;
    case 1: v = (da[4] >> 3) | ((uint16_t)da[5] << 5); break;
    case 2: v = (da[4] >> 2) | ((uint16_t)da[5] << 6); break;
    default: v = da[4] | ((uint16_t)da[5] << 8); break;
    }
    v &= 0xfff;
    return R(MTA + 4 * (v >> 5)) >> (v & 31) & 1;
}
static uint64_t rar_pools(Ix *s, const uint8_t *da, bool *hit)
{
    uint64_t m = 0; *hit = false;
    for (int i = 0; i < 128; i++) {
        uint32_t l = R(RAL + 8 * i), h = R(RAL + 8 * i + 4);
        if ((h & 0x80000000u) && l == ldl_le_p(da) && (h & 0xffff) == lduw_le_p(da + 4)) {
            *hit = true; m |= R(MPSAR + 8 * i) | (uint64_t)R(MPSAR + 8 * i + 4) << 32;
        }
    }
    return m;
}
static bool is_bcast(const uint8_t *a) { return (a[0] & a[1] & a[2] & a[3] & a[4] & a[5]) == 0xff; }
static uint64_t vt_pools(Ix *s, const uint8_t *b, const Pkt *p, int src, bool *exact)
{
    uint64_t m = 0, vm = ~0ull; bool hit; int i, def = (R(VT_CTL) >> 7) & 0x3f; bool mc = b[0] & 1, bc = is_bcast(b);
    *exact = false;
    if (!mc) { m = rar_pools(s, b, &hit); *exact = hit && m; }
    for (i = 0; i < 64; i++) {
        uint32_t v = R(VMOLR + 4 * i);
        if (bc ? v & (1u << 27) : mc ? (v & (1u << 28)) || ((v & (1u << 25)) && mta_hit(s, b)) : 0) m |= 1ull << i;
    }
    if (!mc && !m && src < 0 && !(R(VT_CTL) & (1u << 29))) m = 1ull << def;
    if (mc && !bc) { uint64_t e = rar_pools(s, b, &hit); m |= e; }
    /* VLAN */
    if (p->vlan && (p->tci & 0xfff)) {
        bool listed = false;
        vm = 0;
        for (i = 0; i < 64; i++)
            if ((R(VLVF + 4 * i) & 0x80000000u) && (R(VLVF + 4 * i) & 0xfff) == (p->tci & 0xfff)) {
                listed = true;
                vm |= R(VLVFB + 8 * i) | (uint64_t)R(VLVFB + 8 * i + 4) << 32;
            }
        if (!(R(VLNCTRL) & (1u << 30))) vm |= 1ull << def;
        /* a VLAN in VFTA that no VLVF entry names is the default pool's (ixgbe_set_vfta_generic(): vlvf_bypass) */
        else if (!listed && (R(VFTA + 4 * ((p->tci & 0xfff) >> 5)) >> (p->tci & 31) & 1)) vm |= 1ull << def;
        m &= vm;
    } else {
        for (i = 0; i < 64; i++) if (!(R(VMOLR + 4 * i) & (1u << 24))) m &= ~(1ull << i);
    }
    if (src >= 0) m &= ~(1ull << src);
    m &= R(VFRE) | (uint64_t)R(VFRE + 4) << 32;
    return m;
}
static void rx_frame(Ix *s, const uint8_t *b, size_t n, int src, uint64_t pools)
{
    Pkt p; uint32_t hash, ht, ent; Fdir *f; bool mc = b[0] & 1, hit;
    parse(b, n, &p);
    hash = rss_hash(s, b, &p, &ht);
    ent = (R(RETA + 4 * ((hash & 127) / 4)) >> (8 * (hash & 3))) & 0xff;
    if (!vt_on(s)) {
        int q = 0;
        if (is_bcast(b)) { if (!(R(FCTRL) & 0x400) && !(R(FCTRL) & 0x100)) return; }
        else if (mc) { if (!(R(FCTRL) & 0x100) && !mta_hit(s, b)) return; }
        else { rar_pools(s, b, &hit); if (!hit && !(R(FCTRL) & 0x200)) return; }
        if (p.vlan && (R(VLNCTRL) & (1u << 30)) && !(R(VFTA + 4 * ((p.tci & 0xfff) >> 5)) >> (p.tci & 31) & 1)) return;
        int filtered = filter_queue(s, b, n, &p);
        f = filtered < 0 ? fdir_match(s, b, n, &p, -1) : NULL;
        if (filtered >= 0) q = filtered;
        else if (f) { if (f->cmd & 0x200) return; q = (f->cmd >> 16) & 0x7f; }
        else if ((R(MRQC) & 0xf) == 1 && ht) q = ent & 0xf;
        rx_queue(s, q, b, n, &p, f, hash, ht, src >= 0);
    } else {
        bool ex;
        if (!pools) pools = vt_pools(s, b, &p, src, &ex);
        if (!pools) return;
        /* frames switched inside the port are not classified by L3/L4 on 82599 and X540 */
        f = src >= 0 && !s->fdir_local ? NULL : fdir_match(s, b, n, &p, ctz64(pools));
        if (f) {
            if (f->cmd & 0x200) { TR("FDIR drop\n"); return; }
            rx_queue(s, (f->cmd >> 16) & 0x7f, b, n, &p, f, hash, ht, src >= 0);
            return;
        }
        while (pools) {
            int pl = ctz64(pools), k = qpp(s), rq; pools &= pools - 1;
            rq = (R(PSRTYPE + 4 * pl) >> 29) & 7;
            rx_queue(s, pl * k + (ht ? (ent & ((1u << rq) - 1) & (k - 1)) : 0), b, n, &p, NULL, hash, ht, src >= 0);
        }
    }
}
static ssize_t ix_net_receive(NetClientState *nc, const uint8_t *buf, size_t n)
{
    Ix *s = qemu_get_nic_opaque(nc); uint8_t pad[60];
    if (!(R(RXCTRL) & 1) || (R(SECRXCTRL) & 2) || !(s->pd.config[PCI_COMMAND] & PCI_COMMAND_MASTER)) return n;
    if (n < 60) { memset(pad, 0, 60); memcpy(pad, buf, n); rx_frame(s, pad, 60, -1, 0); }
    else rx_frame(s, buf, n, -1, 0);
    R(GPRC)++; R(TPR)++; R(GORCL) += n + 4; R(TORL) += n + 4;
    if (is_bcast(buf)) R(BPRC)++; else if (buf[0] & 1) R(MPRC)++;
    return n;
}
static bool ix_can_receive(NetClientState *nc) { return true; }

/* ---------------- transmit ---------------- */
static void tx_out(Ix *s, int q, const uint8_t *b, size_t n)
{
    int pool = q / qpp(s); bool ex = false, vt = vt_on(s); uint8_t t[20000]; uint64_t m = 0; Pkt p;
    if (n < 14 || n > sizeof(t) - 4) return;
    if (vt && pool < NVF) {
        uint32_t vir = R(VMVIR + 4 * pool), sp = R(PFVFSPOOF + 4 * (pool >> 3)); bool hit;
        if (!(R(VFTE + 4 * (pool / 32)) >> (pool % 32) & 1)) return;
        if (sp >> (pool & 7) & 1) {
            uint64_t ok = rar_pools(s, b + 6, &hit);
            if (!(ok >> pool & 1)) { R(SSVPC)++; TR("spoofed MAC from pool %d dropped\n", pool); return; }
        }
        if ((vir & 0xC0000000u) == 0x40000000u) {
            memcpy(t, b, 12); t[12] = 0x81; t[13] = 0; stw_be_p(t + 14, vir); memcpy(t + 16, b + 12, n - 12); n += 4; b = t;
        }
        if (pool < nvf(s)) { s->vf[pool].gptc++; s->vf[pool].gotc += n + 4; }
    }
    R(GPTC)++; R(TPT)++; R(GOTCL) += n + 4;
    if (is_bcast(b)) R(BPTC)++; else if (b[0] & 1) R(MPTC)++;
    if (R(HLREG0) & (1u << 15)) { rx_frame(s, b, n, vt ? pool : -1, 0); return; }
    if (vt && (R(PFDTXGSWC) & 1)) {
        parse(b, n, &p);
        m = vt_pools(s, b, &p, pool, &ex);
        if (m) rx_frame(s, b, n, pool, m);
        if (ex && !(b[0] & 1) && m) return;
    }
    qemu_send_packet(qemu_get_queue(s->nic), b, n);
}
static void put_l4(uint8_t *f, size_t n, int l4, int kind)
{
    int o = kind == 1 ? 16 : 6; uint16_t c;
    if (kind == 2 || n < l4 + o + 2) return;            /* SCTP CRC not done in the spike */
    c = net_checksum_finish(net_checksum_add(n - l4, f + l4));
    if (kind == 0 && c == 0) c = 0xffff;
    stw_be_p(f + l4 + o, c);
}
static void tx_frame(Ix *s, int q)
{
    uint8_t *b = s->txb[q]; uint32_t n = s->txlen[q], ol = s->tx_ol[q], cmd = s->tx_cmd[q];
    Ctx *c = &s->ctx[q][(ol >> 4) & 1]; int ipl = c->vlan_macip & 0x1ff, macl = (c->vlan_macip >> 9) & 0x7f;
    int kind = (c->type >> 11) & 3, l4 = macl + ipl; bool v4 = c->type & 0x400; uint8_t seg[20000];
    if (!(cmd & 0x80000000u)) {
        if (n > 16000) return;
        memcpy(seg, b, n);
        if ((ol & 0x100) && v4 && n >= l4) { stw_be_p(seg + macl + 10, 0); stw_be_p(seg + macl + 10, net_checksum_finish(net_checksum_add(ipl, seg + macl))); }
        if ((ol & 0x200) && n > l4) put_l4(seg, n, l4, kind);
        b = seg;
        if (cmd & (1u << 30)) { memmove(seg + 16, seg + 12, n - 12); stw_be_p(seg + 12, 0x8100); stw_be_p(seg + 14, c->vlan_macip >> 16); n += 4; }
        tx_out(s, q, b, n);
    } else {
        int l4l = (c->mss >> 8) & 0xff, mss = c->mss >> 16, hl = l4 + l4l; uint32_t off = hl, id = 0, seq = 0;
        if (!mss || hl > n || hl > 256) return;
        if (v4) id = lduw_be_p(b + macl + 4);
        if (kind == 1) seq = ldl_be_p(b + l4 + 4);
        while (off < n) {
            uint32_t pl = MIN(mss, n - off), fl = hl + pl; bool last = off + pl == n; uint32_t ps;
            memcpy(seg, b, hl); memcpy(seg + hl, b + off, pl);
            if (v4) {
                stw_be_p(seg + macl + 2, fl - macl); stw_be_p(seg + macl + 4, id++);
                stw_be_p(seg + macl + 10, 0); stw_be_p(seg + macl + 10, net_checksum_finish(net_checksum_add(ipl, seg + macl)));
            } else stw_be_p(seg + macl + 4, fl - macl - 40);
            if (kind == 1) {
                stl_be_p(seg + l4 + 4, seq + off - hl);
                if (!last) seg[l4 + 13] &= ~0x09;
                if (off != hl) seg[l4 + 13] &= ~0x80;
                stw_be_p(seg + l4 + 16, 0);
            } else { stw_be_p(seg + l4 + 4, fl - l4); stw_be_p(seg + l4 + 6, 0); }
            ps = v4 ? net_checksum_add(8, seg + macl + 12) : net_checksum_add(32, seg + macl + 8);
            ps += (kind == 1 ? 6 : 17) + (fl - l4);
            ps += net_checksum_add(fl - l4, seg + l4);
            stw_be_p(seg + l4 + (kind == 1 ? 16 : 6), net_checksum_finish(ps));
            if (cmd & (1u << 30)) { memmove(seg + 16, seg + 12, fl - 12); stw_be_p(seg + 12, 0x8100); stw_be_p(seg + 14, c->vlan_macip >> 16); fl += 4; }
            tx_out(s, q, seg, fl);
            off += pl;
        }
    }
}
static void tx_run(Ix *s, int q)
{
    uint32_t base = txb(q), cnt = R(base + 8) / 16; uint64_t ring = R(base) | (uint64_t)R(base + 4) << 32;
    PCIDevice *d = q_dev(s, q); bool rs = false; unsigned guard = 0;
    if (!(R(base + 0x28) & (1u << 25)) || !(R(DMATXCTL) & 1) || !cnt) return;
    while (R(base + 0x10) != R(base + 0x18) && guard++ < 2 * cnt) {
        uint64_t da = ring + 16ull * R(base + 0x10); uint8_t x[16]; uint32_t c, ol;
        pci_dma_read(d, da, x, 16);
        c = ldl_le_p(x + 8); ol = ldl_le_p(x + 12);
        if ((c & (1u << 29)) && ((c >> 20) & 0xf) == 2) {
            Ctx *k = &s->ctx[q][(ol >> 4) & 1];
            k->vlan_macip = ldl_le_p(x); k->type = c; k->mss = ol;
        } else {
            uint32_t len = c & 0xffff;
            if (!s->txb[q]) s->txb[q] = g_malloc(0x50000);
            if (!s->txlen[q]) { s->tx_ol[q] = ol; s->tx_cmd[q] = c; }
            if (s->txlen[q] + len <= 0x50000) { pci_dma_read(d, ldq_le_p(x), s->txb[q] + s->txlen[q], len); s->txlen[q] += len; }
            if (c & (1u << 24)) {
                if (q < 16) { R(txb(q) + 0x30)++; R(txb(q) + 0x34) += s->txlen[q]; }
                tx_frame(s, q); s->txlen[q] = 0;
            }
        }
        if (c & (1u << 27)) { stl_le_p(x + 12, ol | 1); pci_dma_write(d, da, x, 16); rs = true; }
        R(base + 0x10) = (R(base + 0x10) + 1) % cnt;
    }
    if (rs) q_irq(s, q, 1);
}

/* ---------------- mailbox ---------------- */
#define MB_REQ 1
#define MB_ACK 2
#define MB_VFU 4
#define MB_PFU 8
#define MB_PFSTS 0x10
#define MB_PFACK 0x20
#define MB_RSTI 0x40
#define MB_RSTD 0x80
static void pf_mbx_write(Ix *s, int n, uint32_t v)
{
    Vf *f = &s->vf[n];
    if (v & MB_PFU) { if (!(f->mbx & MB_VFU)) f->mbx |= MB_PFU; } else f->mbx &= ~MB_PFU;
    if (v & 0x10) f->mbx &= ~MB_VFU;
    if (v & 1) f->mbx |= MB_PFSTS;
    if (v & 2) f->mbx |= MB_PFACK;
    if (v & 3) vf_mbx_irq(s, n);
}
static void vf_mbx_write(Ix *s, int n, uint32_t v)
{
    Vf *f = &s->vf[n];
    if (v & MB_VFU) { if (!(f->mbx & MB_PFU)) f->mbx |= MB_VFU; } else f->mbx &= ~MB_VFU;
    if (v & 1) R(MBVFICR + 4 * (n / 16)) |= 1u << (n % 16);
    if (v & 2) R(MBVFICR + 4 * (n / 16)) |= 0x10000u << (n % 16);
    if (v & 3) { TR("VF%d mailbox %s msg %08x\n", n, v & 1 ? "REQ" : "ACK", R(MBMEM + 64 * n)); pf_cause(s, CAUSE_MAILBOX); }
}
static void vf_reset(Ix *s, int n)
{
    Vf *f = &s->vf[n]; int k = qpp(s); bool pf_ok = R(CTRL_EXT) & 0x4000;
    memset(f, 0, sizeof(*f));
    f->mbx = pf_ok ? 0 : MB_RSTI;
    if (vt_on(s))
        for (int q = n * k; q < (n + 1) * k && q < NQ; q++) { R(rxb(q) + 0x28) = 0; R(txb(q) + 0x28) = 0; s->txlen[q] = 0; }
    R(n < 32 ? VFLRE0 : VFLRE1) |= 1u << (n % 32);
    pf_cause(s, CAUSE_MAILBOX);
    TR("VF%d reset\n", n);
}

/* ---------------- registers ---------------- */
static uint32_t canon(uint32_t a)
{
    if (a >= 0x2100 && a < 0x2140) return 0x1014 + 0x10 * (a - 0x2100);
    if (a >= 0x2200 && a < 0x2240) return 0x100C + 0x10 * (a - 0x2200);
    if (a >= 0x5400 && a < 0x5480) return RAL + (a - 0x5400);
    if (a >= 0x5480 && a < 0x54C0) return PSRTYPE + (a - 0x5480);
    return a;
}
static void ix_reset(Ix *s)
{
    uint8_t *m = s->conf.macaddr.a; int i;
    memset(s->r, 0, sizeof(s->r));
    memset(s->qde, 0, sizeof(s->qde)); memset(s->txlen, 0, sizeof(s->txlen)); memset(s->ctx, 0, sizeof(s->ctx));
    s->eicr_q = s->eims_q = s->eiam_q = 0; s->eicr = s->eims = 0; s->nfdir = 0;
    R(RAL) = ldl_le_p(m); R(RAL + 4) = lduw_le_p(m + 4) | 0x80000000u;
    R(MPSAR) = ~0u; R(MPSAR + 4) = ~0u;
    R(AUTOC) = 3u << 13; R(AUTOC2) = 2u << 16;
    R(EEC) = 0x100 | 0x200 | (4u << 11);
    R(VT_CTL) = 0; R(FDIRFREE) = 0x8000;
    s->i2c_scl = s->i2c_sda = s->i2c_out = 1; s->i2c_state = I_IDLE; R(I2CCTL) = 0xA;
    for (i = 0; i < NVF; i++) { s->vf[i].mbx = MB_RSTI; vf_mbx_irq(s, i); }
}
static uint32_t ix_read(Ix *s, uint32_t a)
{
    uint32_t v;
    a = canon(a);
    switch (a) {
    case CTRL: return R(CTRL) & ~0x04000008u;
    case STATUS: return (R(CTRL) & 4) ? 0 : 0x80000;
    case I2CCTL: return (R(a) & 0xA) | (s->i2c_scl ? 1 : 0) | ((s->i2c_sda && s->i2c_out) ? 4 : 0);
    case FRTIMER: return qemu_clock_get_us(QEMU_CLOCK_VIRTUAL);
    case EICR: v = s->eicr | (s->eicr_q & 0xffff); if (!(R(GPIE) & 0x20)) s->eicr = 0; s->eicr_q &= ~0xffffull; return v;
    case EICS: return s->eicr | (s->eicr_q & 0xffff);
    case EIMS: case EIMC: return s->eims | (s->eims_q & 0xffff);
    case EIMS_EX: return s->eims_q;
    case EIMS_EX + 4: return s->eims_q >> 32;
    case MSCA: return R(a) & ~0xC0000000u;
    case MSRWD: return 0xffff0000u;
    case RDRXCTL: return R(a) | 8;
    case LINKS: return link_up(s) ? 0xC0000000u | 0x30000000u : 0;
    case ANLP1: return 0x00010000;
    case FWSM: return 0x8000;
    case ESDP: return R(a) | 4;          /* SDP2: SFP cage is full */
    case SECTXSTAT: return 3;
    case SECRXSTAT: return 2 | 1;
    case EEC: return R(a) | 0x380;
    case SWSM: v = R(a); R(a) |= 1; return v;
    case VFLREC: return R(VFLRE0);
    case VFLREC + 4: return R(VFLRE1);
    }
    if (a >= PFMAILBOX && a < PFMAILBOX + 4 * NVF) { v = s->vf[(a - PFMAILBOX) / 4].mbx; return v & (MB_VFU | MB_PFU); }
    /* QPRC, QBRC, QPTC, QBTC of the first 16 queues */
    if (((a >= 0x1000 && a < 0x1400) || (a >= 0x6000 && a < 0x6400)) && ((a & 0x3f) == 0x30 || (a & 0x3f) == 0x34)) { v = R(a); R(a) = 0; return v; }
    if ((a >= 0x4000 && a < 0x4200) || (a >= MPC0 && a < MPC0 + 32) || a == SSVPC || (a >= FDIRUSTAT && a <= FDIRMISS)) { v = R(a); R(a) = 0; return v; }
    return R(a);
}
static void ix_write(Ix *s, uint32_t a, uint32_t v)
{
    int q;
    a = canon(a);
    if ((a >= 0x1000 && a < 0x2000) || (a >= 0xD000 && a < 0xE000)) {
        q = a < 0x2000 ? (a - 0x1000) / 0x40 : 64 + (a - 0xD000) / 0x40;
        if ((a & 0x3f) == 0x30 || (a & 0x3f) == 0x34) return;
        R(a) = v;
        if ((a & 0x3f) == 0x28) { R(a) &= ~(1u << 26); if (!(v & (1u << 25))) R(rxb(q) + 0x10) = 0; }
        if ((a & 0x3f) == 0x18 && s->nic) qemu_flush_queued_packets(qemu_get_queue(s->nic));
        return;
    }
    if (a >= 0x6000 && a < 0x8000) {
        q = (a - 0x6000) / 0x40;
        R(a) = v;
        if ((a & 0x3f) == 0x28) { R(a) &= ~(1u << 26); if (!(v & (1u << 25))) s->txlen[q] = 0; }
        if ((a & 0x3f) == 0x18) tx_run(s, q);
        return;
    }
    if (a >= PFMAILBOX && a < PFMAILBOX + 4 * NVF) { pf_mbx_write(s, (a - PFMAILBOX) / 4, v); return; }
    switch (a) {
    case CTRL:
        if (v & 0x04000008u) { TR("reset\n"); ix_reset(s); R(CTRL) = v & ~0x04000008u; return; }
        break;
    case CTRL_EXT:
        if ((v & 0x4000) && !(R(a) & 0x4000))
            for (int i = 0; i < NVF; i++) { s->vf[i].mbx &= ~MB_RSTI; s->vf[i].mbx |= MB_RSTD; vf_mbx_irq(s, i); }
        break;
    case I2CCTL: i2c_write(s, v); return;
    case EICR: s->eicr &= ~v; s->eicr_q &= ~(uint64_t)(v & 0xffff); return;
    case EICS: s->eicr_q |= v & 0xffff; pf_update(s); if (v & 0x7fff0000) pf_cause(s, v & 0x7fff0000); return;
    case EIMS: s->eims |= v & 0x7fff0000; s->eims_q |= v & 0xffff; pf_update(s); pf_cause(s, 0); return;
    case EIMC: s->eims &= ~v; s->eims_q &= ~(uint64_t)(v & 0xffff); return;
    case EICS_EX: s->eicr_q |= v; pf_update(s); return;
    case EICS_EX + 4: s->eicr_q |= (uint64_t)v << 32; pf_update(s); return;
    case EIMS_EX: s->eims_q |= v; pf_update(s); return;
    case EIMS_EX + 4: s->eims_q |= (uint64_t)v << 32; pf_update(s); return;
    case EIMC_EX: s->eims_q &= ~(uint64_t)v; return;
    case EIMC_EX + 4: s->eims_q &= ~((uint64_t)v << 32); return;
    case EIAM_EX: s->eiam_q = (s->eiam_q & ~0xffffffffull) | v; break;
    case EIAM_EX + 4: s->eiam_q = (s->eiam_q & 0xffffffffull) | (uint64_t)v << 32; break;
    case EERD: if (v & 1) { uint32_t w = (v >> 2) & 0x3fff; R(a) = (v & 0xfffc) | 2 | ((uint32_t)(w < EEP_WORDS ? s->eep[w] : 0xffff) << 16); } return;
    case VFLREC: R(VFLRE0) &= ~v; return;
    case VFLREC + 4: R(VFLRE1) &= ~v; return;
    case MBVFICR: case MBVFICR + 4: case MBVFICR + 8: case MBVFICR + 12: R(a) &= ~v; return;
    case QDE: if (v & 0x10000) s->qde[(v >> 8) & 0x7f] = v & 3; break;
    case FDIRCTRL: R(a) = v | 8; return;
    case FDIRCMD: fdir_cmd(s, v); return;
    case FDIRFREE: return;
    case HICR: R(a) = 0; return;
    }
    R(a) = v;
}
static uint64_t mm_read(void *o, hwaddr a, unsigned sz) { return ix_read(o, a); }
static void mm_write(void *o, hwaddr a, uint64_t v, unsigned sz) { ix_write(o, a, v); }
static const MemoryRegionOps mm_ops = { .read = mm_read, .write = mm_write, .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 8 }, .impl = { .min_access_size = 4, .max_access_size = 4 } };

/* ---------------- virtual function ---------------- */
static uint32_t vf_read(Ix *s, int n, uint32_t a)
{
    Vf *f = &s->vf[n]; int k = qpp(s), lq; uint32_t v;
    if (a >= 0x1000 && a < 0x3000) {
        bool tx = a >= 0x2000; lq = (a & 0xfff) / 0x40;
        if (lq == 0) switch (a) {
        case 0x101C: return f->gprc; case 0x1020: return f->gorc; case 0x1024: return (f->gorc >> 32) & 0xf; case 0x1034: return f->mprc;
        case 0x201C: return f->gptc; case 0x2020: return f->gotc; case 0x2024: return (f->gotc >> 32) & 0xf;
        }
        if (lq >= k) return 0;
        return ix_read(s, (tx ? txb(n * k + lq) : rxb(n * k + lq)) + (a & 0x3f));
    }
    switch (a) {
    case 0x10: return ix_read(s, LINKS);
    case 0x48: return qemu_clock_get_us(QEMU_CLOCK_VIRTUAL);
    case 0x100: v = f->eicr; f->eicr = 0; return v;
    case 0x104: return f->eicr;
    case 0x108: case 0x10C: return f->eims;
    case 0x110: return f->eiac;
    case 0x114: return f->eiam;
    case 0x120: case 0x124: case 0x128: case 0x12C: return f->ivar[(a - 0x120) / 4];
    case 0x140: return f->ivar_misc;
    case 0x300: return R(PSRTYPE + 4 * n);
    case 0x2FC: v = f->mbx; f->mbx &= ~(MB_PFSTS | MB_PFACK | MB_RSTD); return v;
    }
    if (a >= 0x200 && a < 0x240) return R(MBMEM + 64 * n + (a - 0x200));
    return 0;
}
static void vf_write(Ix *s, int n, uint32_t a, uint32_t v)
{
    Vf *f = &s->vf[n]; int k = qpp(s), lq;
    if (a >= 0x1000 && a < 0x3000) {
        lq = (a & 0xfff) / 0x40;
        if (lq < k) ix_write(s, (a >= 0x2000 ? txb(n * k + lq) : rxb(n * k + lq)) + (a & 0x3f), v);
        return;
    }
    switch (a) {
    case 0x0: if (v & 0x04000000u) vf_reset(s, n); return;
    case 0x100: f->eicr &= ~v; return;
    case 0x104: f->eicr |= v & 7; vf_update(s, n); return;
    case 0x108: f->eims |= v & 7; vf_update(s, n); return;
    case 0x10C: f->eims &= ~v; return;
    case 0x110: f->eiac = v & 7; return;
    case 0x114: f->eiam = v & 7; return;
    case 0x120: case 0x124: case 0x128: case 0x12C: f->ivar[(a - 0x120) / 4] = v; return;
    case 0x140: f->ivar_misc = v; return;
    case 0x300: R(PSRTYPE + 4 * n) = v; return;
    case 0x2FC: vf_mbx_write(s, n, v); return;
    }
    if (a >= 0x200 && a < 0x240) R(MBMEM + 64 * n + (a - 0x200)) = v;
}
static uint64_t vmm_read(void *o, hwaddr a, unsigned sz)
{ return vf_read((Ix *)pcie_sriov_get_pf(o), pcie_sriov_vf_number(o), a); }
static void vmm_write(void *o, hwaddr a, uint64_t v, unsigned sz)
{ vf_write((Ix *)pcie_sriov_get_pf(o), pcie_sriov_vf_number(o), a, v); }
static const MemoryRegionOps vmm_ops = { .read = vmm_read, .write = vmm_write, .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 8 }, .impl = { .min_access_size = 4, .max_access_size = 4 } };

static void cfg_write(PCIDevice *d, uint32_t a, uint32_t v, int l)
{ pci_default_write_config(d, a, v, l); pcie_cap_flr_write_config(d, a, v, l); }

static bool common_caps(PCIDevice *d, MemoryRegion *msix, int bar, int nvec, Error **errp)
{
    d->config_write = cfg_write;
    if (msix_init(d, nvec, msix, bar, 0, msix, bar, 0x2000, 0x70, errp)) return false;
    for (int i = 0; i < nvec; i++) msix_vector_use(d, i);
    if (pcie_endpoint_cap_init(d, 0xa0) < 0) { error_setg(errp, "pcie cap"); return false; }
    pcie_cap_flr_init(d);
    if (pcie_aer_init(d, PCI_ERR_VER, 0x100, 0x40, errp) < 0) return false;
    pcie_ari_init(d, 0x150);
    return true;
}
static void vfdev_realize(PCIDevice *d, Error **errp)
{
    IxVfDev *v = (IxVfDev *)d;
    memory_region_init_io(&v->mmio, OBJECT(d), &vmm_ops, v, "ix82599vf-mmio", 0x4000);
    vf_bar_compat(d, 0, &v->mmio);
    memory_region_init(&v->msix, OBJECT(d), "ix82599vf-msix", 0x4000);
    vf_bar_compat(d, 3, &v->msix);
    common_caps(d, &v->msix, 3, 3, errp);
}
static void vfdev_exit(PCIDevice *d)
{
    IxVfDev *v = (IxVfDev *)d;
    pcie_aer_exit(d); pcie_cap_exit(d); msix_unuse_all_vectors(d); msix_uninit(d, &v->msix, &v->msix);
}
static void vfdev_reset(Object *o, ResetType t) { vf_reset((Ix *)pcie_sriov_get_pf(PCI_DEVICE(o)), pcie_sriov_vf_number(PCI_DEVICE(o))); }

static void link_changed(NetClientState *nc) { Ix *s = qemu_get_nic_opaque(nc); pf_cause(s, CAUSE_LSC); }
static NetClientInfo net_info = { .type = NET_CLIENT_DRIVER_NIC, .size = sizeof(NICState), .can_receive = ix_can_receive,
    .receive = ix_net_receive, .link_status_changed = link_changed };

static uint64_t ior(void *o, hwaddr a, unsigned z) { return 0; }
static void iow(void *o, hwaddr a, uint64_t v, unsigned z) { }
static const MemoryRegionOps io_ops = { .read = ior, .write = iow, .endianness = DEVICE_LITTLE_ENDIAN };

static void ix_realize(PCIDevice *d, Error **errp)
{
    Ix *s = (Ix *)d;
    d->config[PCI_INTERRUPT_PIN] = 1;
    memory_region_init_io(&s->mmio, OBJECT(d), &mm_ops, s, "ix82599-mmio", 0x20000);
    pci_register_bar(d, 0, PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH, &s->mmio);
    memory_region_init_io(&s->io, OBJECT(d), &io_ops, s, "ix82599-io", 0x20);
    pci_register_bar(d, 2, PCI_BASE_ADDRESS_SPACE_IO, &s->io);
    memory_region_init(&s->msix, OBJECT(d), "ix82599-msix", 0x4000);
    pci_register_bar(d, 4, PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH, &s->msix);
    qemu_macaddr_default_if_unset(&s->conf.macaddr);
    if (!common_caps(d, &s->msix, 4, 64, errp)) return;
    pci_pm_init(d, 0x40, NULL);
    eep_init(s); ix_reset(s);
    if (!pcie_sriov_pf_init(d, 0x160, TYPE_IXVF, 0x10ed, s->numvfs_max, s->numvfs_max, 0x80, 2, errp)) return;
    pcie_sriov_pf_init_vf_bar(d, 0, PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH, 0x4000);
    pcie_sriov_pf_init_vf_bar(d, 3, PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH, 0x4000);
    s->nic = qemu_new_nic(&net_info, &s->conf, object_get_typename(OBJECT(d)), DEVICE(d)->id, &DEVICE(d)->mem_reentrancy_guard, s);
    qemu_format_nic_info_str(qemu_get_queue(s->nic), s->conf.macaddr.a);
}
static void ix_exit(PCIDevice *d)
{
    Ix *s = (Ix *)d;
    pcie_sriov_pf_exit(d); pcie_aer_exit(d); pcie_cap_exit(d); qemu_del_nic(s->nic);
    msix_unuse_all_vectors(d); msix_uninit(d, &s->msix, &s->msix);
}
static void ix_reset_hold(Object *o, ResetType t) { ix_reset((Ix *)PCI_DEVICE(o)); }

static const Property props[] = {
    DEFINE_NIC_PROPERTIES(Ix, conf),
    DEFINE_PROP_UINT16("vfs", Ix, numvfs_max, 64),
    DEFINE_PROP_BOOL("trace", Ix, trace, false),
    DEFINE_PROP_BOOL("fdir-local", Ix, fdir_local, false),
};
static void pf_class(ObjectClass *c, void *data)
{
    PCIDeviceClass *k = PCI_DEVICE_CLASS(c); DeviceClass *dc = DEVICE_CLASS(c);
    k->realize = ix_realize; k->exit = ix_exit; k->vendor_id = 0x8086; k->device_id = 0x10fb; k->revision = 1;
    k->subsystem_vendor_id = 0x8086; k->subsystem_id = 0x0003;
    k->class_id = PCI_CLASS_NETWORK_ETHERNET; dc->desc = "Intel 82599ES (behavioural model)";
    set_bit(DEVICE_CATEGORY_NETWORK, dc->categories);
    RESETTABLE_CLASS(c)->phases.hold = ix_reset_hold;
    device_class_set_props(dc, props);
}
static void vf_class(ObjectClass *c, void *data)
{
    PCIDeviceClass *k = PCI_DEVICE_CLASS(c); DeviceClass *dc = DEVICE_CLASS(c);
    k->realize = vfdev_realize; k->exit = vfdev_exit; k->vendor_id = 0x8086; k->device_id = 0x10ed; k->revision = 1;
    k->class_id = PCI_CLASS_NETWORK_ETHERNET; dc->desc = "Intel 82599 Virtual Function (behavioural model)"; dc->user_creatable = false;
    set_bit(DEVICE_CATEGORY_NETWORK, dc->categories);
    RESETTABLE_CLASS(c)->phases.hold = vfdev_reset;
}
static const TypeInfo types[] = {
    { .name = TYPE_IX, .parent = TYPE_PCI_DEVICE, .instance_size = sizeof(Ix), .class_init = pf_class, .interfaces = (InterfaceInfo[]) { { INTERFACE_PCIE_DEVICE }, { } } },
    { .name = TYPE_IXVF, .parent = TYPE_PCI_DEVICE, .instance_size = sizeof(IxVfDev), .class_init = vf_class, .interfaces = (InterfaceInfo[]) { { INTERFACE_PCIE_DEVICE }, { } } },
};
static void ix_register(void) { type_register_static_array(types, ARRAY_SIZE(types)); }
static void __attribute__((constructor)) ix_preload(void)
{ unsetenv("LD_PRELOAD"); register_module_init(ix_register, MODULE_INIT_QOM); }
