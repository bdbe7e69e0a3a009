"""frames.py INTERFACE: sends the frames that stdin describes, one line each: COUNT KEY=VALUE...

proto   udp (default), tcp, sctp, or an IP protocol number
src dst IPv4 or IPv6 addresses, both of one kind (default 192.0.2.2 or 2001:db8::2, to which the receiver has no route:
        its stack answers nothing, so no ARP disturbs exact counts; and 10.1.0.1)
sport dport (40000, 5000), sport+=1 counts up with each frame, dport+=1 likewise
smac dmac (default: the interface's own; ff:ff:ff:ff:ff:ff)
vlan [prio]  an 802.1Q tag
len     payload bytes (26)        tos, ttl (0, 64)
payload HEX, instead of so many bytes: what follows the L4 header (of SCTP then without a chunk), or an ethertype
frag    fragment offset in bytes  more=1: more fragments follow     (IPv4)
flags   TCP flags (0x02, SYN)
ethertype  a frame that is not IP
hex     the whole frame
"""
import socket
import struct
import sys
import time

PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}
# A burst must fit the receiver's ring (512): under single-threaded TCG the receiving CPU does not run meanwhile.
BURST = 64


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def layer4(number, key, pseudo, payload):
    """The L4 segment, with a checksum that a real stack accepts."""
    ports = struct.pack("!HH", int(key["sport"]), int(key["dport"]))
    if number == 17:
        length = 8 + len(payload)
        body = ports + struct.pack("!HH", length, 0) + payload
        total = checksum(pseudo(length) + body) or 0xFFFF
        return body[:6] + struct.pack("!H", total) + body[8:]
    if number == 6:
        body = ports + struct.pack("!IIBBHHH", 1, 0, 5 << 4, int(key["flags"], 0), 8192, 0, 0) + payload
        return body[:16] + struct.pack("!H", checksum(pseudo(len(body)) + body)) + body[18:]
    if number == 132:
        chunk = payload + bytes(-len(payload) % 4)
        if "payload" not in key:  # one DATA chunk
            chunk = struct.pack("!BBHIHHI", 0, 3, 16 + len(payload), 1, 0, 0, 0) + chunk
        head = ports + struct.pack("!I", 1)
        return head + struct.pack("<I", crc32c(head + bytes(4) + chunk)) + chunk
    return payload


def packet(key):
    """The IP packet, and its ethertype."""
    number = PROTOCOLS.get(key["proto"]) or int(key["proto"])
    payload = bytes.fromhex(key["payload"]) if "payload" in key else (bytes(range(256)) * 6)[: int(key["len"])]
    if ":" in key["dst"]:
        src, dst = (socket.inet_pton(socket.AF_INET6, key[k]) for k in ("src", "dst"))
        body = layer4(number, key, lambda n: src + dst + struct.pack("!II", n, number), payload)
        tos = int(key["tos"], 0)
        return struct.pack("!IHBB", 6 << 28 | tos << 20, len(body), number, int(key["ttl"])) + src + dst + body, 0x86DD
    src, dst = (socket.inet_pton(socket.AF_INET, key[k]) for k in ("src", "dst"))
    offset = int(key["frag"])
    if offset:  # a later fragment carries no L4 header
        body = payload
    else:
        body = layer4(number, key, lambda n: src + dst + struct.pack("!HH", number, n), payload)
    fragment = offset // 8 | (0x2000 if key["more"] == "1" else 0)
    head = struct.pack("!BBHHHBBH", 0x45, int(key["tos"], 0), 20 + len(body), 1, fragment, int(key["ttl"]), number, 0)
    head += src + dst
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body, 0x0800


def frame(key):
    if "hex" in key:
        return bytes.fromhex(key["hex"].replace(":", ""))
    if "ethertype" in key:
        body, ethertype = bytes.fromhex(key.get("payload", "00")), int(key["ethertype"], 0)
    else:
        body, ethertype = packet(key)
    tag = b""
    if "vlan" in key:
        tag = struct.pack("!HH", 0x8100, int(key["prio"]) << 13 | int(key["vlan"]))
    data = mac(key["dmac"]) + mac(key["smac"]) + tag + struct.pack("!H", ethertype) + body
    return data.ljust(60, b"\0")  # what a real sender's MAC would pad to


def parse(line, own):
    key = {
        "proto": "udp", "dst": "10.1.0.1", "sport": "40000", "dport": "5000", "len": "26", "tos": "0",
        "ttl": "64", "frag": "0", "more": "0", "flags": "0x02", "prio": "0", "smac": own, "dmac": "ff:ff:ff:ff:ff:ff",
    }
    count, *words = line.split()
    step = {}
    for word in words:
        name, _, value = word.partition("=")
        if name.endswith("+"):
            step[name[:-1]] = int(value)
        else:
            key[name] = value
    unknown = set(key) - set(KNOWN) | set(step) - {"sport", "dport"}
    if unknown or not count.isdigit():
        sys.exit("frames.py: cannot make out '%s' (%s)" % (line.strip(), " ".join(sorted(unknown)) or "count"))
    key.setdefault("src", "2001:db8::2" if ":" in key["dst"] else "192.0.2.2")
    return int(count), key, step


KNOWN = """proto src dst sport dport smac dmac vlan prio len tos ttl frag more flags ethertype payload hex""".split()


def main(interface):
    with open("/sys/class/net/%s/address" % interface, encoding="ascii") as file:
        own = file.read().strip()
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((interface, 0))
    sent = 0
    for line in sys.stdin:
        if not line.strip():
            continue
        count, key, step = parse(line, own)
        data = None if step else frame(key)
        for _ in range(count):
            sock.send(data or frame(key))
            for name, by in step.items():
                key[name] = str(int(key[name]) + by)
            sent += 1
            if sent % BURST == 0:
                time.sleep(0.01)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
