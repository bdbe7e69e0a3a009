# SPDX-License-Identifier: Apache-2.0
"""Sends frames into network devices and tells where they come out.

    vswitch-frames.py fates DEVICE…                 lines on standard input: NAME DEVICE PACKET
    vswitch-frames.py rate FROM TO MBIT SECONDS DMAC SMAC

PACKET is in the words of `sriovctl flow trace`: udp|tcp A:P > A:P dmac M smac M [vid N]. For each line of input comes
one of output: NAME, and what the devices got of its three frames, as DEVICE=COUNT[/VID].
"""
import select
import socket
import struct
import sys
import time

ETH_P_ALL, SOL_PACKET, PACKET_AUXDATA, PACKET_OUTGOING = 3, 263, 8, 4
MARK = b"vswitch-frames:"
COPIES = 3


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def mac(text):
    return bytes(int(byte, 16) for byte in text.split(":"))


def frame(words, payload):
    proto, src, _, dst = words[:4]
    options = dict(zip(words[4::2], words[5::2]))
    (sip, sport), (dip, dport) = (end.split(":") for end in (src, dst))
    if proto == "udp":
        l4 = struct.pack("!HHHH", int(sport), int(dport), 8 + len(payload), 0) + payload
    else:
        l4 = struct.pack("!HHIIBBHHH", int(sport), int(dport), 1, 0, 0x50, 2, 8192, 0, 0) + payload
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(l4), 1, 0x4000, 64, 17 if proto == "udp" else 6, 0,
                         socket.inet_aton(sip), socket.inet_aton(dip))
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    tag = struct.pack("!HH", 0x8100, int(options["vid"])) if "vid" in options else b""
    return mac(options["dmac"]) + mac(options["smac"]) + tag + struct.pack("!H", 0x0800) + header + l4


def listen(device):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    sock.bind((device, ETH_P_ALL))
    sock.setblocking(False)
    return sock


def receive(sock):
    """A frame that came in: its bytes and VID, or None."""
    data, ancillary, _, address = sock.recvmsg(2048, 256)
    if address[2] == PACKET_OUTGOING:
        return None
    vid = 0
    for level, kind, value in ancillary:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, _ = struct.unpack("IIIHHHH", value[:20])
            vid = tci & 0xFFF if status & 0x10 else 0
    if not vid and data[12:14] == b"\x81\x00":
        vid = struct.unpack("!H", data[14:16])[0] & 0xFFF
    return data, vid


def fates(devices):
    sockets = {listen(device): device for device in devices}
    by_name = {device: sock for sock, device in sockets.items()}
    names, counts = [], {}

    def drain(seconds, quiet=False):
        """For so long; or until nothing has come for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for sock in select.select(list(sockets), [], [], left)[0]:
                got = receive(sock)
                at = got[0].find(MARK) if got else -1
                if at < 0:
                    continue
                name = got[0][at + len(MARK):].split(b" ")[0].decode()
                key = (name, sockets[sock], got[1])
                counts[key] = counts.get(key, 0) + 1
                if quiet:
                    end = time.monotonic() + seconds

    for line in sys.stdin:
        name, device, *words = line.split()
        names.append(name)
        for _ in range(COPIES):
            by_name[device].send(frame(words, MARK + name.encode() + b" " * 20))
        drain(0.02)
    drain(5, quiet=True)
    for name in names:
        got = [f"{device}={n}" + (f"/{vid}" if vid else "")
               for (its, device, vid), n in sorted(counts.items()) if its == name]
        print(name, *(got or ["-"]))


def rate(source, target, mbit, seconds, dmac, smac):
    out, into = listen(source), listen(target)
    words = f"udp 198.51.100.7:1024 > 10.0.0.7:7 dmac {dmac} smac {smac}".split()
    data = frame(words, MARK + b"rate " + bytes(1400))
    gap = len(data) * 8 / (float(mbit) * 1e6)
    began = time.monotonic()
    # the bucket is full at first: what it lets through is not the rate
    measured_from, sent, got = began + 0.5, 0, 0
    while (now := time.monotonic()) < began + float(seconds):
        while sent * gap < now - began:
            try:
                out.send(data)
            except BlockingIOError:
                pass
            sent += 1
        while select.select([into], [], [], 0)[0]:
            frame_got = receive(into)
            if frame_got and MARK in frame_got[0] and now >= measured_from:
                got += len(frame_got[0])
        time.sleep(0.0005)
    print(f"{got * 8 / (now - measured_from) / 1e6:.2f} {sent * len(data) * 8 / (now - began) / 1e6:.2f}")


if sys.argv[1] == "fates":
    fates(sys.argv[2:])
else:
    rate(*sys.argv[2:])
