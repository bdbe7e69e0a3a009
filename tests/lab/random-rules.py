# SPDX-License-Identifier: Apache-2.0
"""random-rules.py DRIVER SEED [RULES]: random sequences of rule operations, as conformance lines.

For the devices of the lab's guest (4 CPUs): each line's "device" is what the guest must set up before it. About RULES
(500) adds in all, with deletes between them. The same seed gives the same lines.

What the kernel's ethtool core answers before the driver is asked is left out (FLOW_RSS with a ring, since 6.12).
"""
import json
import random
import sys

V4, V6 = ["tcp4", "udp4", "sctp4"], ["tcp6", "udp6", "sctp6"]
ALL32 = "255.255.255.255"
ALL128 = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
ALL48 = "ff:ff:ff:ff:ff:ff"
DISC, WAKE = 2**64 - 1, 2**64 - 2


def ixgbe_devices():
    for vfs in 0, 3, 31, 40:  # without pools, 32 pools of 4 queues (half full and full), 64 pools of 2
        yield {"mac": "82599", "ntuple": True, "num_vfs": vfs, "channels": 4, "tcs": 0, "pballoc": 1, "pf_pools": 1}


def i40e_devices():
    for vfs in 0, 3:
        yield {"ntuple": True, "mfp": False, "guaranteed": 1024, "best_effort": 7168, "pf_queues": 4, "num_vfs": vfs,
               "vf_queues": [4] * vfs}


def igb_devices():
    yield {"mac": "82576", "num_rx_queues": 4, "num_vfs": 0, "capable": True}
    yield {"mac": "82576", "num_rx_queues": 2, "num_vfs": 2, "capable": True}


class Line:
    """One sequence of operations on one device."""

    length, to_vfs = 20, 14  # adds: enough for tables, masks and slots to fill and to be freed

    def __init__(self, rng, device):
        self.rng, self.device, self.used = rng, device, []
        self.base, self.l4 = self.masks(), rng.random() < 0.7

    def one(self, *weighted):
        """One of (weight, value) pairs; a value that is callable is called."""
        value = self.rng.choices([v for _, v in weighted], [w for w, _ in weighted])[0]
        return value() if callable(value) else value

    def some(self, *values):
        return self.rng.choice(values)

    def ip4(self):
        return self.some("10.0.0.%d" % self.rng.randrange(8), ".".join(str(self.rng.randrange(256)) for _ in range(4)))

    def ip6(self):
        return "2001:db8:0:%x::%x" % (self.rng.randrange(3), self.rng.randrange(1, 6))

    def mac(self):
        return self.one((8, "02:00:00:00:00:%02x" % self.rng.randrange(16)), (1, "00:00:00:00:00:00"))

    def port(self):
        return self.some(22, 53, 80, 4789, self.rng.randrange(65536))

    def location(self):
        high = self.size - 1
        return self.one(
            (12, lambda: self.rng.randrange(12)), (5, lambda: self.rng.randrange(high)), (1, high), (1, high + 1),
            (1, 2**32 - 1), (1, lambda: 65536 + self.rng.randrange(12)))

    def cookie(self):
        queue = lambda: self.rng.randrange(self.queues)
        vfs = self.device["num_vfs"]
        vf = lambda: (self.rng.randrange(vfs) + 1 if vfs else 0) << 32
        return self.one(
            (20, queue), (1, self.queues), (1, lambda: self.rng.randrange(256)), (6, DISC), (1, WAKE),
            (self.to_vfs, lambda: vf() | queue()), (1, lambda: vf() | 4), (1, (vfs + 1) << 32),
            (1, lambda: queue() | self.rng.randrange(1, 2**24) << 40))

    def flags(self):
        return self.one((12, []), (30, ["ext"]), (1, ["mac_ext"]), (1, ["rss"]), (1, ["ext", "mac_ext"]))

    def add(self):
        loc, flags = self.location(), self.flags()
        cookie = self.cookie() if "rss" not in flags else self.some(0, 1 << 32)
        flow, value, mask = self.rule(self.masks() if self.rng.random() < self.vary else self.base)
        self.used.append(loc)
        return {"op": "add", "loc": loc, "flow": flow, "flags": flags, "value": value, "mask": mask,
                "cookie": "0x%x" % cookie}

    def delete(self):
        loc = self.rng.choice(self.used) if self.used and self.rng.random() < 0.8 else self.location()
        return {"op": "del", "loc": loc}

    def operations(self):
        adds, rate = 0, self.some(0.1, 0.3, 0.5)
        while adds < self.length:
            if self.rng.random() < rate:
                yield self.delete()
            else:
                adds += 1
                yield self.add()


class Ixgbe(Line):
    vary, size = 0.15, 2046

    @property
    def queues(self):
        return 2 if self.device["num_vfs"] > 31 else 4

    def masks(self):
        address = lambda: self.one((5, None), (4, ALL32), (2, "255.255.255.0"), (1, lambda: self.ip4()))
        port = lambda: self.one((5, None), (4, 0xFFFF), (1, 0xFF00), (1, 0x0101))
        return {
            "ip4src": address(), "ip4dst": address(), "psrc": port(), "pdst": port(),
            "tos": self.one((12, None), (1, 0xFF)),
            "vlan_tci": self.one((12, None), (2, 0xFFFF), (2, 0x0FFF), (1, 0xE000), (1, 0xEFFF), (1, 0x1000), (1, 0xFF)),
            "vlan_etype": self.one((15, None), (1, 0xFFFF), (1, 0x00FF)),
            "user_def": self.one((15, None), (1, 0x7F), (1, 0xFF), (1, 0x3F), (1, 0xFFFFFFFF), (1, 0xABCD00000000)),
        }

    def rule(self, masks):
        mine, other = (lambda: self.some(*V4), "ip4") if self.l4 else ("ip4", lambda: self.some(*V4))
        flow = self.one((40, mine), (4, other), (1, lambda: self.some(*V6)), (1, "ip6"), (1, "ether"),
                        (1, lambda: self.some("ah4", "esp6", 19, 0)))
        values = {
            "ip4src": self.ip4(), "ip4dst": self.ip4(), "psrc": self.port(), "pdst": self.port(), "tos": 4,
            "vlan_tci": self.some(0, 5, 100, 4095, 0x3005), "vlan_etype": self.some(0, 0x8100, 0x0800),
            "user_def": self.some("0x0", "0x1", "0x3", "0x7f", "0xff"),
        }
        if flow == "ip4":
            ports = {k: masks[k] or 0 for k in ("psrc", "pdst")}
            masks = {k: v for k, v in masks.items() if k not in ports}
            values = {k: v for k, v in values.items() if k not in ports}
            masks["l4_4_bytes"] = self.one((4, 0), (1, ports["psrc"] << 16 | ports["pdst"])) or None
            masks["proto"], masks["ip_ver"] = self.one((4, None), (1, 0xFF)), self.one((8, None), (1, 0xFF))
            values |= {"l4_4_bytes": self.rng.randrange(2**32), "proto": self.some(0, 0, 1, 6, 17, 132), "ip_ver": 1}
            if self.rng.random() < 0.6:
                masks["proto"], values["proto"] = None, 0
        elif flow not in V4:
            values, masks = others(self, flow, values, masks)
        return (flow, *written(self, values, masks))


class I40e(Line):
    vary, size, queues = 0.4, 8192, 4

    def masks(self):
        """Which fields: one input set a flow type."""
        return {k: self.rng.random() < p for k, p in
                (("src", 0.5), ("dst", 0.5), ("psrc", 0.5), ("pdst", 0.5), ("vlan", 0.15), ("flex", 0.2))}

    def rule(self, fields):
        flow = self.one((12, lambda: self.some(*V4)), (8, lambda: self.some(*V6)), (3, "ip4"), (2, "ip6"), (1, "ether"),
                        (1, lambda: self.some("ah4", "esp6", 19)))
        if flow in ("ether", "ah4", "esp6", 19):
            return (flow, *written(self, *others(self, flow, {}, {})))
        v6 = flow.endswith("6")
        ip, full, address = ("ip6", ALL128, self.ip6) if v6 else ("ip4", ALL32, self.ip4)
        names = {"src": ip + "src", "dst": ip + "dst", "psrc": "psrc", "pdst": "pdst"}
        values = {names["src"]: address(), names["dst"]: address(), "psrc": self.port(), "pdst": self.port(),
                  "vlan_tci": self.some(0, 5, 100, 0x3005), "vlan_etype": self.one((8, 0), (2, 0x8100), (1, 0x88A8)),
                  "user_def": "0x%x" % (self.one((4, 0), (4, 2), (2, 10), (2, 20), (1, 62), (1, 64), (1, 3)) << 16
                                        | self.some(0xBEEF, 0x1234))}
        masks = {name: (0xFFFF if key[0] == "p" else full) for key, name in names.items() if fields[key]}
        masks["vlan_tci"] = self.one((6, 0xFFFF), (1, 0x0FFF)) if fields["vlan"] else None
        masks["user_def"] = self.one((12, 0xFFFFFFFF), (1, 0xFFFF), (1, 0xABCD00000000)) if fields["flex"] else None
        if self.rng.random() < 0.06:
            partial = self.some(*names.values())
            masks[partial] = 0xFF00 if partial[0] == "p" else "ffff:ffff::" if v6 else "255.255.255.0"
        if flow in ("ip4", "ip6"):
            for ports in "psrc", "pdst":
                values.pop(ports), masks.pop(ports, None)
            proto = "l4_proto" if v6 else "proto"
            values[proto] = self.one((12, 0), (1, 6), (1, 17), (1, 1))
            masks[proto] = self.one((12, None), (1, 0xFF))
            masks["l4_4_bytes"] = self.one((12, None), (1, 0xFFFF))
            if not v6:
                values["ip_ver"] = 1
        masks["tclass" if v6 else "tos"] = self.one((20, None), (1, 0xFF))
        return (flow, *written(self, values, masks))


class Igb(Line):
    vary, size, length, to_vfs = 0.5, 16, 50, 1  # a fresh igb takes seconds, so few lines

    @property
    def queues(self):
        return self.device["num_rx_queues"]

    def add(self):
        op = super().add()
        # QEMU's igb does not keep VLAPQF, where the driver would find that a priority has another queue already
        if op["mask"].get("vlan_tci") == 0xE000 and int(op["cookie"], 0) < self.queues:
            op["cookie"] = "0x%x" % ((op["value"].get("vlan_tci", 0) >> 13) % self.queues)
        return op

    def masks(self):
        return {
            "h_proto": self.one((8, 0xFFFF), (2, None), (1, 0x00FF)),
            "h_dest": self.one((9, None), (1, ALL48), (1, "00:00:00:00:00:ff")),
            "h_source": self.one((12, None), (1, ALL48)),
            "vlan_tci": self.one((5, None), (2, 0xE000), (1, 0xFFFF)),
        }

    def rule(self, masks):
        flow = self.one((20, "ether"), (1, "udp4"), (1, lambda: self.some(19, "ip4")))
        values = {"h_proto": self.some(0x0800, 0x0806, 0x88F7, 0x1234), "h_dest": self.mac(), "h_source": self.mac(),
                  "vlan_tci": self.some(0, 0x2000, 0x4000, 0x2005)}
        if flow != "ether":
            values, masks = others(self, flow, values, masks)
        return (flow, *written(self, values, masks))


def others(line, flow, values, masks):
    """Flow types that the driver does not have: what of the fields there are."""
    if flow == "ether":
        return {"h_proto": 0x0800, "h_dest": line.mac()}, {"h_proto": 0xFFFF}
    if flow == "ip6" or flow in V6 or flow == "esp6":
        return {"ip6src": line.ip6()}, {"ip6src": ALL128}
    if flow in ("ah4", "udp4", "ip4"):
        return {"ip4src": line.ip4()}, {"ip4src": ALL32}
    return {}, {}


def written(line, values, masks):
    """Values and masks without what is zero; now and then a value stays where nothing is matched."""
    masks = {k: v if isinstance(v, str) or k != "user_def" else "0x%x" % v for k, v in masks.items() if v}
    values = {k: v for k, v in values.items() if k in masks or k in ("proto", "ip_ver", "l4_proto")
              or line.rng.random() < 0.1}
    return {k: v for k, v in values.items() if v}, masks


KINDS = {"ixgbe": (Ixgbe, ixgbe_devices), "i40e": (I40e, i40e_devices), "igb": (Igb, igb_devices)}


def main(driver, seed, rules=500):
    kind, devices = KINDS[driver]
    devices = list(devices())
    lines = -(-int(rules) // kind.length)
    for n in range(lines):
        device = devices[n * len(devices) // lines]  # those of one device stand together
        ops = list(kind(random.Random("%s-%s-%d" % (driver, seed, n)), device).operations())
        print(json.dumps({"id": "%s-%s-%03d" % (driver, seed, n), "driver": driver, "device": device, "ops": ops}))


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 4 or sys.argv[1] not in KINDS:
        sys.exit(__doc__)
    main(*sys.argv[1:])
