# SPDX-License-Identifier: Apache-2.0
"""The matrix of flow types, fields and actions, with packets. In the guest:

    flow-matrix.py rules DRIVER DIR      writes the rule lists, DIR/1.rules …, one a combination of fields
    flow-matrix.py run DRIVER pf=NETDEV vf0=NETDEV vf1=NETDEV
                                         for each number N that it is told on standard input, with list N in the NIC: for
                                         each rule 10 packets that match and 10 that miss by one bit, and where the
                                         drivers counted them. Prints 'ok …' or 'fail …' a rule, then 'done'.

The port must not answer, its own distribution must go to queue 0 alone, and VLANs must not be filtered. Packets that
miss take the default way: queue 0 of the PF, or any queue of the VF that they are addressed to.
"""
import array
import fcntl
import ipaddress
import os
import random
import socket
import struct
import sys
import time

sys.path.insert(0, "/lab")

EACH = 10
V4, V6 = ["tcp4", "udp4", "sctp4"], ["tcp6", "udp6", "sctp6"]
OTHER = ["ip4-other", "ip6-other"]
# What an ip4 rule catches; the others catch their own kind.
KINDS = {
    "ip4": [{"proto": "udp"}, {"proto": "tcp"}, {"proto": "sctp"}, {"proto": "47"}, {"proto": "udp", "frag": "64"}],
    "ip4-other": [{"proto": "47"}, {"proto": "89"}, {"proto": "udp", "more": "1"}, {"proto": "tcp", "frag": "64"}],
    "ip6-other": [{"proto": "47"}, {"proto": "89"}],
}


def is6(kind):
    return "6" in kind


class Field:
    """A field with the bits that a rule looks at. Values differ in at least two of these bits, so that a packet which
    misses one rule by one bit meets no other."""

    def __init__(self, name, word, width, care, text, frame):
        self.name, self.word, self.width, self.text, self.frame = name, word, width, text, frame
        self.care = [b for b in range(width) if care >> b & 1]

    def value(self, rng, seen):
        while True:
            value = sum(rng.getrandbits(1) << b for b in self.care[1:])
            value |= (value.bit_count() & 1) << self.care[0]  # even parity
            if value and value not in seen:
                seen.add(value)
                return value

    def packet(self, rng, value, flip=None):
        free = rng.getrandbits(self.width) & ~sum(1 << b for b in self.care)
        return self.frame(value ^ (0 if flip is None else 1 << self.care[flip % len(self.care)]) | free)


def address(word, six, prefix=None, dont_care=0):
    width = 128 if six else 32
    every = (1 << width) - 1
    care = every ^ every >> prefix if prefix else every & ~dont_care
    make = ipaddress.IPv6Address if six else ipaddress.IPv4Address
    tail = "/%d" % prefix if prefix else " m %s" % make(dont_care) if dont_care else ""
    return Field(word + tail, word, width, care, lambda v: "%s %s%s" % (word, make(v), tail),
                 lambda v: {word[:3]: str(make(v))})


def port(word, dont_care=0):
    tail = " m 0x%x" % dont_care if dont_care else ""
    return Field(word + tail, word, 16, 0xFFFF & ~dont_care, lambda v: "%s %d%s" % (word, v, tail),
                 lambda v: {word[0] + "port": str(v)})


def tag(word, care, text):
    return Field(word, "vlan", 16, care, text, lambda v: {"vlan": str(v)})


def flex(offset):
    return Field("user-def", "user-def", 16, 0xFFFF,
                 lambda v: "user-def 0x%x m 0xffffffff00000000" % (offset << 16 | v),
                 lambda v: {"payload": "00" * offset + "%04x" % v + "00" * 30})


def field(name, kind):
    six = is6(kind)
    fields = {
        "src-ip": lambda: address("src-ip", six), "dst-ip": lambda: address("dst-ip", six),
        "src-ip/20": lambda: address("src-ip", six, prefix=20), "dst-ip/20": lambda: address("dst-ip", six, prefix=20),
        "dst-ip m": lambda: address("dst-ip", six, dont_care=0x0000FF00),
        "src-port": lambda: port("src-port"), "dst-port": lambda: port("dst-port"),
        "dst-port m": lambda: port("dst-port", dont_care=0x00FF),
        "vid": lambda: tag("vid", 0x0FFF, lambda v: "vid %d" % v),
        "prio": lambda: tag("prio", 0xE000, lambda v: "prio %d" % (v >> 13)),
        "vid prio": lambda: tag("vid prio", 0xEFFF, lambda v: "vid %d prio %d" % (v & 0xFFF, v >> 13)),
        "vlan": lambda: tag("vlan", 0xFFFF, lambda v: "vlan %d" % v),
        "user-def": lambda: flex(4),
    }
    return fields[name]()


QUEUE, DROP = ("queue 2", "pf", 2), ("drop", None, None)
IN_PF, IN_VF_DROP = ("in pf queue 2", "pf", 2), ("in vf 0 drop", None, None)
VF, IN_VF = ("vf 1 queue 1", "vf1", 1), ("in vf 1 queue 1", "vf1", 1)

# One list is in the NIC at a time: flow types, fields, actions. ixgbe has one mask for the whole port, and on 82599 no
# SCTP ports; i40e one set of fields a flow type, and takes rules for IPv6 that differ in dst-ip alone for the same one
# (so one action a list); a flexible word of an ip rule is refused, as its offset has two meanings.
STEER = [QUEUE, VF, DROP]
LISTS = {
    "ixgbe": [
        (V4, ["src-ip"], STEER), (V4, ["dst-ip"], STEER), (V4, ["src-ip/20"], STEER), (V4, ["dst-ip m"], STEER),
        (V4[:2], ["src-port"], STEER), (V4[:2], ["dst-port"], STEER), (V4[:2], ["dst-port m"], STEER),
        (V4, ["vid"], STEER), (V4, ["prio"], STEER), (V4, ["vid prio"], STEER),
        (V4[:2], ["src-ip", "dst-ip", "src-port", "dst-port"], STEER), (V4[:2], ["dst-ip", "dst-port", "vid"], STEER),
        (["ip4"], ["src-ip"], STEER), (["ip4"], ["dst-ip/20"], STEER), (["ip4"], ["src-ip", "dst-ip", "vid"], STEER),
        (V4, ["dst-ip"], [IN_PF, IN_VF, IN_VF_DROP]), (V4[:2], ["dst-port"], [IN_PF, IN_VF, IN_VF_DROP]),
    ],
    "i40e": [
        (V4 + V6 + OTHER, ["src-ip"], [QUEUE, IN_VF, DROP]), (V4 + OTHER[:1], ["dst-ip"], [QUEUE, IN_VF, DROP]),
        (V6 + OTHER[1:], ["dst-ip"], [QUEUE]), (V6 + OTHER[1:], ["dst-ip"], [IN_VF]), (V6 + OTHER[1:], ["dst-ip"], [DROP]),
        (V4 + V6, ["src-port"], [QUEUE, IN_VF, DROP]), (V4 + V6, ["dst-port"], [QUEUE, IN_VF, DROP]),
        (V4 + V6 + OTHER, ["src-ip", "vlan"], [QUEUE, DROP]),
        (V4 + V6, ["dst-port", "user-def"], [QUEUE, IN_VF, DROP]),
        (V4 + V6, ["src-ip", "dst-ip", "src-port", "dst-port"], [QUEUE, IN_VF, DROP]),
        (["ip4"], ["src-ip"], [QUEUE, IN_VF, DROP]), (["ip4"], ["src-ip", "dst-ip"], [QUEUE, IN_VF, DROP]),
    ],
}


class Rule:
    def __init__(self, rng, kind, names, action, seen):
        self.kind, self.fields = kind, [field(n, kind) for n in names]
        self.action, self.to, self.queue = action
        self.values = [f.value(rng, seen.setdefault((kind, f.name), set())) for f in self.fields]
        self.words = "flow-type %s %s %s" % (
            kind, " ".join(f.text(v) for f, v in zip(self.fields, self.values)), self.action)
        self.title = "%s %s -> %s" % (kind, " ".join(f.name for f in self.fields), self.action)
        words = self.action.split()
        self.addressed = "vf" + words[2] if words[:2] == ["in", "vf"] else "pf"

    def packet(self, rng, n, off=None):
        """Packet n that matches, or misses in field `off`."""
        key = {"proto": self.kind[:-1]} if self.kind[:-1] in ("tcp", "udp", "sctp") else dict(
            KINDS[self.kind][n % len(KINDS[self.kind])])
        if is6(self.kind):
            key["dst"] = "2001:db8::99"
        for i, (f, v) in enumerate(zip(self.fields, self.values)):
            key |= f.packet(rng, v, n // len(self.fields) * 7 if i == off else None)
        return key

    def matching(self, rng):
        return [self.packet(rng, n) for n in range(EACH)]

    def missing(self, rng):
        return [self.packet(rng, n, n % len(self.fields)) for n in range(EACH)]


def rules_of(driver, number):
    kinds, names, actions = LISTS[driver][number - 1]
    rng, seen = random.Random("%s %d" % (driver, number)), {}
    return [Rule(rng, kind, names, action, seen) for kind in kinds for action in actions]


def write_rules(driver, folder):
    os.makedirs(folder, exist_ok=True)
    for number in range(1, len(LISTS[driver]) + 1):
        with open("%s/%d.rules" % (folder, number), "w", encoding="ascii") as file:
            for n, rule in enumerate(rules_of(driver, number)):
                file.write("name m%d %s\n" % (n, rule.words))


class Port:
    """A netdev's counters, as its driver gives them."""

    SIOCETHTOOL, GSSET_INFO, GSTRINGS, GSTATS = 0x8946, 0x37, 0x1B, 0x1D

    def __init__(self, sock, netdev):
        self.sock, self.netdev = sock, netdev
        answer = self.ask(struct.pack("=IIQI", self.GSSET_INFO, 0, 1 << 1, 0))
        self.count = struct.unpack_from("=I", answer, 16)[0]
        names = self.ask(struct.pack("=III", self.GSTRINGS, 1, self.count) + bytes(32 * self.count))[12:]
        names = [names[32 * i:32 * i + 32].split(b"\0")[0].decode() for i in range(self.count)]
        self.queues = [i for q in range(16) for i, n in enumerate(names)
                       if n in ("rx_queue_%d_packets" % q, "rx-%d.packets" % q)]
        self.hits = [i for i, n in enumerate(names) if n in ("fdir_match", "port.fdir_sb_match")]

    def ask(self, command):
        buf = array.array("B", command)
        fcntl.ioctl(self.sock, self.SIOCETHTOOL, struct.pack("16sQ16x", self.netdev.encode(), buf.buffer_info()[0]))
        return buf.tobytes()

    def read(self):
        """Packets a queue, and hits of the NIC's filters."""
        answer = self.ask(struct.pack("=II", self.GSTATS, self.count) + bytes(8 * self.count))
        stats = struct.unpack_from("=%dQ" % self.count, answer, 8)
        return [stats[i] for i in self.queues], sum(stats[i] for i in self.hits)


class Bench:
    def __init__(self, sock, netdevs):
        import frames  # of the guest

        self.frames = frames
        self.ports = {name: Port(sock, dev) for name, dev in netdevs.items()}
        self.macs = {name: os.environ["MAC_" + name] for name in netdevs}
        self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.wire.bind(("wire", 0))
        with open("/sys/class/net/wire/address", encoding="ascii") as file:
            self.own = file.read().strip()

    def send(self, key, to):
        words = " ".join("%s=%s" % item for item in key.items())
        _, key, _ = self.frames.parse("1 dmac=%s %s" % (self.macs[to], words), self.own)
        self.wire.send(self.frames.frame(key))

    def counts(self):
        return {name: port.read() for name, port in self.ports.items()}

    def try_rule(self, rule, rng):
        """What arrived where: {(port, queue): packets}, and the hits, once all is there or nothing comes any more."""
        before = self.counts()
        for key in rule.matching(rng):
            self.send(key, rule.addressed)
        misses = [(key, rule.addressed) for key in rule.missing(rng)]
        if rule.action.startswith("in "):  # and what another one gets
            other = "vf0" if rule.addressed == "pf" else "pf"
            misses += [(key, other) for key in rule.matching(rng)[:4]]
        for key, to in misses:
            self.send(key, to)
        wanted = len(misses) + (EACH if rule.to else 0)
        end = time.monotonic() + 20
        while True:
            after = self.counts()
            got = {(name, q): after[name][0][q] - n for name in after for q, n in enumerate(before[name][0])}
            hits = after["pf"][1] - before["pf"][1]
            # the ports are read one after the other: hits may be of a moment before the packets
            if sum(got.values()) >= wanted and hits >= EACH or time.monotonic() > end:
                break
            time.sleep(0.005)
        return got, hits, [to for _, to in misses]

    def judge(self, rule, rng):
        got, hits, misses = self.try_rule(rule, rng)
        seen = " ".join("%s:%d=%d" % (name, q, n) for (name, q), n in got.items() if n)
        for name in self.ports:
            queues = [n for (port, _), n in got.items() if port == name]
            wanted = misses.count(name)
            if name == rule.to:
                # a VF's own distribution may choose the rule's queue too
                if queues[rule.queue] < EACH or name == "pf" and queues[rule.queue] != EACH:
                    return False, seen
                wanted += EACH
            if sum(queues) != wanted or name == "pf" and queues[0] != misses.count("pf"):
                return False, seen
        return hits == EACH, seen + " hits=%d" % hits


def run(driver, *words):
    if os.environ.get("ROOT_SOCKET") is None:
        # the counters are asked for through a socket of this network namespace, the packets leave from the peer's
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.set_inheritable(True)
        os.environ["ROOT_SOCKET"] = str(sock.fileno())
        for word in words:
            name, _, netdev = word.partition("=")
            with open("/sys/class/net/%s/address" % netdev, encoding="ascii") as file:
                os.environ["MAC_" + name] = file.read().strip()
        os.execvp("ip", ["ip", "netns", "exec", "peer", sys.executable, "-SE", *sys.argv])
    sock = socket.socket(fileno=int(os.environ["ROOT_SOCKET"]))
    bench = Bench(sock, dict(word.split("=") for word in words))
    rng = random.Random("packets")
    for number in sys.stdin:
        for rule in rules_of(driver, int(number)):
            good, seen = bench.judge(rule, rng)
            print("%s %s (%s)" % ("ok" if good else "fail", rule.title, seen), flush=True)
        print("done", flush=True)


if __name__ == "__main__":
    {"rules": write_rules, "run": run}[sys.argv[1]](*sys.argv[2:])
