# SPDX-License-Identifier: Apache-2.0
"""Random ordered lists that overlap, and where their packets must land.

    flow-fit.py make DRIVER SEED LISTS DIR   on the host: DIR/N.rules (its first line "# --partial" or "#"), DIR/N.packets,
                                             and the same frames as DIR/N.INGRESS.pcap
    flow-fit.py run PF VF0 VF1 DIR TOLD      in the guest: for each line "N" on standard input (list N is in the NIC)
                                             sends the packets of list N, each ingress by itself, and counts. Prints
                                             'ok KNOWN …' or 'fail …' an ingress, after 'fail' what each packet did
                                             alone, and 'done ENTRIES', of the NIC's table; that alone after "table".
                                             TOLD/check and TOLD/INGRESS: what `flow check` and `flow trace` say of
                                             it, in JSON. KNOWN is of how many packets trace knows the queue,
                                             or that nobody gets them.

A line of packets: INGRESS TO RULE DEST FRAME WORDS…: who sends it (wire, pf, vf0) and to whose MAC, the first rule that
matches it, or '-', and what becomes of it then; the frame in hexadecimal; what it is in words.
The first match is computed here from the rules as Python values, without sriovctl. DEST is PORT:QUEUE, drop or default:
queue 0 of the PF, or any queue of the VF that it is addressed to.
"""
import ipaddress
import os
import random
import socket
import struct
import sys
import time

sys.path.insert(0, "/lab")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../guest"))

MACS = {"pf": "52:54:00:00:01:01", "vf0": "02:00:00:00:fe:00", "vf1": "02:00:00:00:fe:01"}
SENDERS = {"wire": "02:00:00:00:ee:01", "pf": MACS["pf"], "vf0": MACS["vf0"]}
PACKETS = 24  # a list; all of them fit the smallest ring
BASES = ["10.20.0.0", "10.20.64.0", "172.16.8.0"]
BASE6 = "2001:db8::"
PROTOCOLS = {"tcp": "tcp", "udp": "udp", "sctp": "sctp"}
V4, V6 = ("tcp4", "udp4", "sctp4"), ("tcp6", "udp6", "sctp6")


def is6(kind):
    return "6" in kind


class Rule:
    """kind, and of each field a range of values (first, last); absent fields match anything."""

    def __init__(self, kind):
        self.kind, self.fields, self.words, self.scope = kind, {}, [], None
        self.action, self.name, self.optional = None, None, False

    def match(self, packet, to):
        if self.scope not in (None, to):
            return False
        if self.kind == "ip4":
            if packet["six"]:
                return False
        elif self.kind in ("ip4-other", "ip6-other"):
            l4 = packet["proto"] in PROTOCOLS and not packet["frag"]
            if packet["six"] != (self.kind == "ip6-other") or l4:
                return False
        elif self.kind != packet["proto"] + "64"[not packet["six"]] or packet["frag"]:
            return False
        return all(packet[name] is not None and low <= packet[name] <= high for name, (low, high) in self.fields.items())

    def text(self):
        where = " in " + self.scope.replace("vf", "vf ") if self.scope else ""
        return "name %s flow-type %s %s%s %s%s" % (
            self.name, self.kind, " ".join(self.words), where, self.action, " optional" if self.optional else "")

    def dest(self, packet, to):
        words = self.action.split()
        if words == ["drop"]:
            return "drop"
        if words[0] == "queues":
            first, last = map(int, words[1].split("-"))
            return "pf:%d" % (first + (packet["sport"] & last - first))
        if words[0] == "vf":
            return "vf%s:%s" % (words[1], words[3])
        return "%s:%s" % (self.scope or "pf", words[1])


def add_address(rng, rule, name, lengths, near):
    """Near addresses: lists whose rules overlap; far ones: lists that need many bits of a mask."""
    six = is6(rule.kind)
    width = 128 if six else 32
    length = 128 if six else rng.choice(lengths)
    value = int(ipaddress.ip_address(BASE6 if six else BASES[0] if near else rng.choice(BASES)))
    # i40e tells IPv6 rules apart by the upper half of the source address alone
    value += rng.choice([0, 1, 2, 3] if near else [0, 3, 5, 7, 8, 200, 1025]) << (64 if six else 0)
    low = value >> width - length << width - length
    rule.fields[name] = (low, low + (1 << width - length) - 1)
    make = ipaddress.IPv6Address if six else ipaddress.IPv4Address
    rule.words.append("%s-ip %s%s" % (name, make(low), "" if length == width else "/%d" % length))


def add_port(rng, rule, name, ranges):
    low = rng.choice([53, 80, 1000, 1001, 1004])
    high = low + (rng.choice([1, 3, 6, 7, 15]) if rng.random() < ranges else 0)
    rule.fields[name + "port"] = (low, high)
    rule.words.append("%s-port %d%s" % ("src" if name == "s" else "dst", low, "-%d" % high if high > low else ""))


def add_tag(rng, rule):
    vid = rng.choice([7, 8])
    rule.fields["vid"] = (vid, vid)
    rule.words.append("vid %d" % vid)


def ixgbe_list(rng):
    """One mask for all: what differs between the rules of a list is expanded, so lists stay near each other."""
    kinds = rng.choice([["ip4"], ["udp4"], ["tcp4", "udp4"], ["udp4"], ["tcp4", "udp4", "sctp4"]])
    names = rng.choice([["dst"], ["src"], ["dst", "src"]])
    lengths = rng.choice([[32, 31, 30, 29], [24, 28, 32], [16, 20, 24], [32]])
    ports = kinds[0] != "ip4" and "sctp4" not in kinds and rng.random() < 0.7
    ranges = 0.5 if lengths in ([32], [16, 20, 24]) else 0
    tagged, near = rng.random() < 0.15, rng.random() < 0.7
    actions = ["queue 0", "queue 1", "queue 2", "queue 3", "drop", "vf 0 queue 1", "vf 1 queue 0", "vf 1 queue 1"]
    scopes = [None]
    if rng.random() < 0.2:  # each rule then carries the pool
        scopes, actions = ["pf", "vf0", "vf1"], ["queue 0", "queue 1", "drop"]
    elif ports and ranges == 0 and rng.random() < 0.5:
        actions.append("queues %s" % rng.choice(["0-1", "2-3", "0-3"]))
    rules = []
    for _ in range(rng.randint(2, 8)):
        rule = Rule(rng.choice(kinds))
        for name in names:
            if rng.random() < 0.97 or name == names[0]:
                add_address(rng, rule, name, lengths, near)
        if ports and rng.random() < 0.97:
            add_port(rng, rule, "d", ranges)
        if tagged:
            add_tag(rng, rule)
        rule.scope, rule.action = rng.choice(scopes), rng.choice(actions)
        rules.append(rule)
    return rules


def i40e_list(rng):
    """Whole fields, one set of them a flow type; prefixes and ranges are expanded, so they are small."""
    kinds = rng.choice([["udp4"], ["tcp4", "udp4", "sctp4"], ["ip4"], ["ip4", "udp4"], ["udp6", "udp4"], ["ip4-other", "tcp4"],
                        ["ip6-other"]])
    names = {kind: rng.choice([["dst"], ["src"], ["dst", "src"]]) for kind in kinds}
    ports = {kind: kind in V4 + V6 and "ip4" not in kinds and rng.random() < 0.6 for kind in kinds}
    if kinds == ["ip4", "udp4"]:
        names["udp4"] = names["ip4"]
    lengths, near = rng.choice([[32], [32, 31, 30], [32, 29, 28]]), rng.random() < 0.7
    rules = []
    for _ in range(rng.randint(2, 8)):
        rule = Rule(rng.choice(kinds))
        for name in names[rule.kind]:
            add_address(rng, rule, name, lengths, near)
        if ports[rule.kind]:
            add_port(rng, rule, "d", 0.3)
        rule.scope = rng.choice([None, None, "pf", "vf0", "vf1"])
        rule.action = "queue %d" % rng.randint(0, 1 if rule.scope else 3)
        if rng.random() < (0.02 if rule.scope else 0.5):  # a drop is for all traffic: with a scope it is refused
            rule.action = "drop"
        rules.append(rule)
    return rules


def make_list(driver, rng):
    rules = {"ixgbe": ixgbe_list, "i40e": i40e_list}[driver](rng)
    partial = rng.random() < 0.4
    for n, rule in enumerate(rules):
        rule.name = "r%d" % n
        rule.optional = partial and rng.random() < 0.5
    return rules, partial


def value_for(rng, span, free):
    """Of a field with that range: inside, at its ends, or right beside it."""
    if span is None:
        return free
    low, high = span
    return rng.choice([low, high, rng.randint(low, high), rng.randint(low, high), max(0, low - 1), high + 1])


def make_packet(driver, rng, rules, inside):
    rule = rng.choice(rules)
    kind = rule.kind
    six = is6(kind)
    if kind in ("ip4", "ip4-other", "ip6-other"):
        proto = rng.choice(["47", "89"] if kind != "ip4" else ["tcp", "udp", "47"])
    else:
        proto = kind[:-1]
    if rng.random() < 0.1:
        proto = rng.choice(["tcp", "udp", "47"])
    base = int(ipaddress.ip_address(BASE6 if six else rng.choice(BASES)))
    spans = rule.fields
    packet = {
        "six": six, "proto": proto, "frag": not six and rng.random() < 0.08,
        "src": value_for(rng, spans.get("src"), base + rng.randint(0, 300)),
        "dst": value_for(rng, spans.get("dst"), base + rng.randint(0, 300)),
        "sport": value_for(rng, spans.get("sport"), rng.randint(1024, 65000)),
        "dport": value_for(rng, spans.get("dport"), rng.choice([53, 80, 443, 1003, 9])),
        "vid": spans["vid"][0] if "vid" in spans and rng.random() < 0.8 else None,
    }
    to = rule.scope if rule.scope and rng.random() < 0.7 else rng.choice(["pf", "pf", "vf0", "vf1"])
    ingress = "wire"
    if packet["vid"] is not None:
        to = "pf"  # the VFs are in no VLAN
    elif rng.random() < 0.25:
        ingress, to = inside, rng.choice(["pf" if inside == "vf0" else "vf0", "vf1"])
    return packet, ingress, to


def words_of(packet):
    make = ipaddress.IPv6Address if packet["six"] else ipaddress.IPv4Address
    words = ["proto=" + packet["proto"], "src=%s" % make(packet["src"]), "dst=%s" % make(packet["dst"]),
             "sport=%d" % packet["sport"], "dport=%d" % packet["dport"]]
    if packet["vid"] is not None:
        words.append("vlan=%d" % packet["vid"])
    if packet["frag"]:
        words.append("frag=64")
    return words


def first_match(driver, rules, packet, ingress, to):
    """The name of the first rule that matches, or '-', and what becomes of the packet."""
    for rule in rules:
        if not rule.match(packet, to):
            continue
        if driver == "ixgbe" and ingress != "wire":
            break  # 82599: what is switched inside is not classified
        dest = rule.dest(packet, to)
        if driver == "i40e" and rule.scope is None and dest != "drop" and to != "pf":
            break  # i40e: a queue of the PF means nothing to what the switch gives to a VF
        return rule.name, dest
    return "-", "default"


def write_pcap(path, ingress_frames):
    with open(path, "wb") as file:
        file.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for frame in ingress_frames:
            file.write(struct.pack("=IIII", 0, 0, len(frame), len(frame)) + frame)


def make(driver, seed, lists, folder):
    import frames  # of the guest

    os.makedirs(folder)
    for number in range(1, int(lists) + 1):
        rng = random.Random("%s %s %d" % (driver, seed, number))
        rules, partial = make_list(driver, rng)
        with open("%s/%d.rules" % (folder, number), "w", encoding="ascii") as file:
            file.write("# --partial\n" if partial else "#\n")
            file.writelines(rule.text() + "\n" for rule in rules)
        sent, inside = {}, rng.choice(["pf", "vf0"])
        with open("%s/%d.packets" % (folder, number), "w", encoding="ascii") as file:
            for _ in range(PACKETS):
                packet, ingress, to = make_packet(driver, rng, rules, inside)
                name, dest = first_match(driver, rules, packet, ingress, to)
                words = words_of(packet)
                line = "1 dmac=%s %s" % (MACS[to], " ".join(words))
                frame = frames.frame(frames.parse(line, SENDERS[ingress])[1])
                sent.setdefault(ingress, []).append(frame)
                file.write("%s %s %s %s %s %s\n" % (ingress, to, name, dest, frame.hex(), " ".join(words)))
        for ingress, its_frames in sent.items():
            write_pcap("%s/%d.%s.pcap" % (folder, number, ingress), its_frames)


# ---- in the guest


class Bench:
    GRXCLSRLCNT, RXNFC, RULE_CNT = 0x2E, "=II184x", 184

    def __init__(self, ports, senders):
        self.ports, self.senders = ports, senders

    def entries(self):
        return struct.unpack_from("=I", self.ports["pf"].ask(struct.pack(self.RXNFC, self.GRXCLSRLCNT, 0)), self.RULE_CNT)[0]

    def counts(self):
        return {(name, q): n for name, port in self.ports.items() for q, n in enumerate(port.read()[0])}

    def where(self, packets, arrive):
        """Sends them; where they arrived, once so many have, or nothing comes any more: {(port, queue): packets}."""
        before = self.counts()
        for packet in packets:
            self.senders[packet[0]].send(bytes.fromhex(packet[4]))
        end = time.monotonic() + (20 if arrive else 0.1)
        while True:
            after = self.counts()
            got = {at: after[at] - n for at, n in before.items() if after[at] != n}
            if sum(got.values()) >= arrive or time.monotonic() > end:
                break
            time.sleep(0.005)
        time.sleep(0.01)  # one too many would come now
        after = self.counts()
        return {at: after[at] - n for at, n in before.items() if after[at] != n}


def wanted(packets, left_out):
    """{(port, queue): packets} as the first match says; queue None: any."""
    want = {}
    for _, to, name, dest, *_ in packets:
        if name in left_out or dest == "default":
            at = (to, 0 if to == "pf" else None)
        elif dest == "drop":
            continue
        else:
            port, _, queue = dest.partition(":")
            at = (port, int(queue))
        want[at] = want.get(at, 0) + 1
    return want


def told(path):
    with open(path, encoding="ascii") as file:  # there is no module for JSON in the guest
        return eval(file.read(), {"null": None, "true": True, "false": False})


def traced(counts):
    """The same of what `flow trace` counted; port None: it does not know even that. And of how many packets it knows the
    queue, or that nobody gets them."""
    want, known = {}, 0
    for count in counts:
        kind, vf, queue = (count["end"][word] for word in ("kind", "vf", "queue"))
        known += count["packets"] if kind in ("drop", "wire") or queue is not None else 0
        if kind not in ("drop", "wire"):
            at = ({"pf": "pf", "vf": "vf%s" % vf}.get(kind), queue)
            want[at] = want.get(at, 0) + count["packets"]
    return want, known


def agrees(want, got):
    """What is wanted at a queue is there; what is wanted anywhere at a port, beside that; of what is wanted anywhere at
    all, what is left over."""
    left_over = 0
    for port in MACS:
        expected = {q: n for (p, q), n in want.items() if p == port}
        found = {q: n for (p, q), n in got.items() if p == port}
        if any(found.get(q, 0) < n for q, n in expected.items() if q is not None):
            return False
        more = sum(found.values()) - sum(expected.values())
        if more < 0:
            return False
        left_over += more
    return left_over <= want.get((None, None), 0)


def show(counts):
    return " ".join("%s:%s=%d" % (port or "unknown", "any" if q is None else q, n)
                    for (port, q), n in sorted(counts.items(), key=str)) or "nothing"


def judge(bench, ingress, packets, left_out, trace):
    """Of all packets of an ingress at once, and if they are not where they must be, of each alone."""
    want, (trace, known) = wanted(packets, left_out), traced(trace)
    got = bench.where(packets, sum(want.values()))
    if agrees(want, got) and agrees(trace, got):
        print("ok %d" % known, flush=True)
        return
    print("fail %d packets from %s: first match %s, flow trace %s, got %s" % (
        len(packets), ingress, show(want), show(trace), show(got)), flush=True)
    for packet in packets:
        want = wanted([packet], left_out)
        got = bench.where([packet], sum(want.values()))
        print("fail %sto %s, first rule %s: %s: first match %s, got %s" % (
            "" if agrees(want, got) else "HERE: ", packet[1], packet[2], " ".join(packet[5:]), show(want), show(got)), flush=True)


def raw_socket(netdev):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((netdev, 0))
    return sock


def run(pf, vf0, vf1, folder, said):
    names = {"pf": pf, "vf0": vf0, "vf1": vf1}
    if os.environ.get("ROOT_SOCKETS") is None:
        # all of this network namespace: to ask for counters, and to send; the wire is in the peer's
        ours = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM), raw_socket(pf), raw_socket(vf0)]
        for sock in ours:
            sock.set_inheritable(True)
        os.environ["ROOT_SOCKETS"] = " ".join(str(sock.fileno()) for sock in ours)
        os.execvp("ip", ["ip", "netns", "exec", "peer", sys.executable, "-SE", *sys.argv])
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    flow_matrix = __import__("flow-matrix")
    ask, from_pf, from_vf0 = (socket.socket(fileno=int(n)) for n in os.environ["ROOT_SOCKETS"].split())
    bench = Bench({name: flow_matrix.Port(ask, netdev) for name, netdev in names.items()},
                  {"wire": raw_socket("wire"), "pf": from_pf, "vf0": from_vf0})
    for line in sys.stdin:
        number = line.strip()
        if number != "table":
            with open("%s/%s.packets" % (folder, number), encoding="ascii") as file:
                packets = [packet.split() for packet in file]
            left_out = {rule["name"] for rule in told(said + "/check")["rules"] if rule["left_out"]}
            for ingress in sorted({packet[0] for packet in packets}):
                judge(bench, ingress, [packet for packet in packets if packet[0] == ingress], left_out,
                      told(said + "/" + ingress)["counts"])
        print("done", bench.entries(), flush=True)


if __name__ == "__main__":
    {"make": make, "run": run}[sys.argv[1]](*sys.argv[2:])
