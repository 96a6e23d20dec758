"""Captures made by scapy, of every layer that flows tell of: scapy-captures.py FOLDER SEED COUNT

Writes one capture file for each link type (1.pcap Ethernet, 101.pcap raw IP, 113.pcap Linux cooked) with all captures of it one after the other,
and index.json: for each capture its link type, what it is made of, and how many packets it has. The same seed gives the same packets. No two captures
have an address in common.
"""
import json
import logging
import random
import struct
import sys

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.config import conf  # noqa: E402

conf.ipv6_enabled = True
from scapy.contrib.erspan import ERSPAN_II  # noqa: E402
from scapy.contrib.geneve import GENEVE, GeneveOptions  # noqa: E402
from scapy.contrib.lldp import (  # noqa: E402
    LLDPDUChassisID,
    LLDPDUEndOfLLDPDU,
    LLDPDUPortID,
    LLDPDUSystemName,
    LLDPDUTimeToLive,
)
from scapy.contrib.mpls import MPLS  # noqa: E402
from scapy.layers.dhcp import BOOTP, DHCP  # noqa: E402
from scapy.layers.dns import DNS, DNSQR, DNSRR  # noqa: E402
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP, IPOption_RR  # noqa: E402
from scapy.layers.inet6 import (  # noqa: E402
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    PadN,
)
from scapy.layers.l2 import ARP, GRE, CookedLinux, Dot1AD, Dot1Q, Ether  # noqa: E402
from scapy.layers.sctp import (  # noqa: E402
    SCTP,
    SCTPChunkCookieAck,
    SCTPChunkData,
    SCTPChunkHeartbeatReq,
    SCTPChunkInit,
    SCTPChunkSACK,
    SCTPChunkShutdown,
)
from scapy.layers.vrrp import VRRP  # noqa: E402
from scapy.layers.vxlan import VXLAN  # noqa: E402
from scapy.packet import Raw  # noqa: E402

FOLDER, SEED, COUNT = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(SEED)
# Fields that are left to scapy.
random.seed(SEED)

ETHERNET, RAW, COOKED = 1, 101, 113


class Ends:
    """Both ends of capture number `number` as packet `i` has them: swapped for a reply."""

    def __init__(self, number, i, is_reply, ports):
        self.number, self.i, self.is_reply, self.ports = number, i, is_reply, ports

    def pair(self, a, b):
        return (b, a) if self.is_reply else (a, b)

    def mac(self, depth):
        stem = "02:%02x:00:%02x:%02x:" % (depth, self.number >> 8, self.number & 255)
        src, dst = self.pair(stem + "01", stem + "02")
        return {"src": src, "dst": dst}

    def v4(self, depth):
        stem = "10.%d.%d." % (self.number >> 8, self.number & 255)
        src, dst = self.pair(stem + str(1 + 2 * depth), stem + str(2 + 2 * depth))
        return {"src": src, "dst": dst}

    def v6(self, depth):
        stem = "fd00:%x::" % (self.number + 1)
        src, dst = self.pair(stem + str(1 + 2 * depth), stem + str(2 + 2 * depth))
        return {"src": src, "dst": dst}

    def transport(self):
        sport, dport = self.pair(*self.ports)
        return {"sport": sport, "dport": dport}


def data(ends):
    return Raw(b"\xee" * ((ends.i * 37) % 200))


def tcp(ends):
    options = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (ends.i + 1, 0)), ("NOP", None), ("WScale", 7)]
    if ends.i == 0:
        return TCP(flags="S", seq=1000, options=options, **ends.transport())
    return TCP(flags="A", seq=2000 * ends.i, options=options[2:4], **ends.transport()) / data(ends)


def udp(ends):
    return UDP(**ends.transport()) / data(ends)


def sctp(ends):
    chunks = [
        lambda: SCTPChunkInit(init_tag=ends.number + 1),
        lambda: SCTPChunkCookieAck(),
        lambda: SCTPChunkData(tsn=ends.i, stream_id=1, data=b"abcdefgh"),
        lambda: SCTPChunkSACK(cumul_tsn_ack=ends.i),
        lambda: SCTPChunkHeartbeatReq(),
        lambda: SCTPChunkShutdown(),
    ]
    packet = SCTP(**ends.transport()) / chunks[ends.i % len(chunks)]()
    # Two chunks in one packet.
    return packet / SCTPChunkData(tsn=99, stream_id=2, data=b"ijkl") if ends.i % len(chunks) == 3 else packet


def dns(ends):
    name = "host%d.example.org" % ends.number
    question = DNSQR(qname=name, qtype="A")
    if not ends.is_reply:
        return UDP(sport=ends.ports[0], dport=53) / DNS(id=ends.number + 1, qr=0, rd=1, qd=question)
    answer = DNSRR(rrname=name, type="A", ttl=300, rdata="192.0.2.%d" % (ends.i + 1))
    rcode = 3 if ends.i % 4 == 3 else 0
    body = DNS(id=ends.number + 1, qr=1, rd=1, ra=1, rcode=rcode, qd=question, an=None if rcode else answer)
    return UDP(sport=53, dport=ends.ports[0]) / body


def dhcp(ends):
    kind = "offer" if ends.is_reply else "discover"
    body = BOOTP(
        op=2 if ends.is_reply else 1,
        xid=ends.number + 1,
        secs=ends.number % 50,
        flags=0x8000,
        hops=ends.number % 3,
        sname=b"server%d" % ends.number,
        file=b"pxelinux.%d" % ends.number,
        chaddr=b"\x02\x00\x00\x00\x00\x01",
    )
    sport, dport = ends.pair(68, 67)
    return UDP(sport=sport, dport=dport) / body / DHCP(options=[("message-type", kind), "end"])


def icmp(ends):
    return ICMP(type=0 if ends.is_reply else 8, id=ends.number + 1, seq=ends.i) / data(ends)


def icmp_timestamp(ends):
    return ICMP(type=14 if ends.is_reply else 13, id=ends.number + 1, seq=ends.i)


def icmp_unreachable(ends):
    inner = IP(src="192.0.2.1", dst="192.0.2.2") / UDP(sport=1, dport=2)
    return ICMP(type=3, code=1) / inner


def vrrp(ends):
    return VRRP(vrid=ends.number % 255 + 1, priority=100 + ends.number % 100, adv=1 + ends.number % 3, addrlist=["192.0.2.1"])


def icmp6(ends):
    kind = ICMPv6EchoReply if ends.is_reply else ICMPv6EchoRequest
    return kind(id=ends.number + 1, seq=ends.i, data=b"ping")


def neighbour(ends):
    kind = ICMPv6ND_NA if ends.is_reply else ICMPv6ND_NS
    return kind(tgt="fd00::1")


def icmp6_unreachable(ends):
    return ICMPv6DestUnreach(code=4) / IPv6(src="fd00::1", dst="fd00::2") / UDP(sport=1, dport=2)


V4 = {
    "tcp": tcp,
    "udp": udp,
    "sctp": sctp,
    "dns": dns,
    "dhcp": dhcp,
    "icmp": icmp,
    "icmp timestamp": icmp_timestamp,
    "icmp unreachable": icmp_unreachable,
    "vrrp": vrrp,
}
V6 = {
    "tcp": tcp,
    "udp": udp,
    "sctp": sctp,
    "dns": dns,
    "icmpv6": icmp6,
    "neighbour": neighbour,
    "icmpv6 unreachable": icmp6_unreachable,
}
OPTIONS = {
    "no options": lambda: [],
    "options": lambda: [IPOption_NOP(), IPOption_NOP(), IPOption_NOP(), IPOption_NOP()],
    "record route": lambda: [IPOption_RR(length=7, pointer=8, routers=["192.0.2.9"]), IPOption_NOP()],
}
EXTENSIONS = {
    "hop-by-hop": lambda: IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)]),
    "routing": lambda: IPv6ExtHdrRouting(addresses=["fd00::99"], segleft=0),
    "destination": lambda: IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 4)]),
}


def inner_frame(inner, ends, depth):
    return Ether(**ends.mac(depth)) / inner


TUNNELS = {
    "gre": lambda inner, ends, depth: IP(**ends.v4(depth)) / GRE() / inner,
    "gre key": lambda inner, ends, depth: IP(**ends.v4(depth)) / GRE(key_present=1, key=ends.number + 7) / inner,
    "gre checksum": lambda inner, ends, depth: IP(**ends.v4(depth)) / GRE(chksum_present=1, seqnum_present=1, seqence_number=1) / inner,
    "gre in ipv6": lambda inner, ends, depth: IPv6(**ends.v6(depth)) / GRE() / inner,
    "erspan": lambda inner, ends, depth: IP(**ends.v4(depth))
    / GRE(seqnum_present=1, seqence_number=ends.i, proto=0x88BE)
    / ERSPAN_II(ver=1, en=3, session_id=3)
    / inner_frame(inner, ends, depth),
    "vxlan": lambda inner, ends, depth: IP(**ends.v4(depth))
    / UDP(sport=ends.ports[0], dport=4789)
    / VXLAN(vni=ends.number + 1, flags=8)
    / inner_frame(inner, ends, depth),
    "geneve": lambda inner, ends, depth: IP(**ends.v4(depth))
    / UDP(sport=ends.ports[0], dport=6081)
    / GENEVE(vni=ends.number + 1, proto=0x6558, options=[GeneveOptions(classid=1, type=1, data=b"\1\2\3\4")])
    / inner_frame(inner, ends, depth),
    "ip in ip": lambda inner, ends, depth: IP(**ends.v4(depth)) / inner,
    "mpls in gre": lambda inner, ends, depth: IP(**ends.v4(depth)) / GRE(proto=0x8847) / MPLS(label=20, s=1, ttl=64) / inner,
}


def link_type_of(inner):
    return 0x0800 if inner.name == "IP" else 0x86DD


LINKS = {
    "ethernet": lambda ip, ends: Ether(**ends.mac(9)) / ip,
    "tag": lambda ip, ends: Ether(**ends.mac(9)) / Dot1Q(vlan=8, prio=3) / ip,
    "two tags": lambda ip, ends: Ether(**ends.mac(9)) / Dot1AD(vlan=8) / Dot1Q(vlan=10) / ip,
    "three tags": lambda ip, ends: Ether(**ends.mac(9)) / Dot1Q(vlan=8) / Dot1Q(vlan=10) / Dot1Q(vlan=4) / ip,
    "mpls": lambda ip, ends: Ether(**ends.mac(9), type=0x8847) / MPLS(label=16, s=0, ttl=64) / MPLS(label=17, s=1, ttl=64) / ip,
}


def arp(ends):
    sides = ends.v4(0)
    mac = ends.mac(9)
    body = ARP(op=2 if ends.is_reply else 1, psrc=sides["src"], pdst=sides["dst"], hwsrc=mac["src"])
    return Ether(**mac) / body


def lldp(ends):
    unit = (
        LLDPDUChassisID(subtype=4, id="02:00:00:00:00:01")
        / LLDPDUPortID(subtype=5, id="eth%d" % ends.number)
        / LLDPDUTimeToLive(ttl=120)
        / LLDPDUSystemName(system_name="switch%d" % ends.number)
        / LLDPDUEndOfLLDPDU()
    )
    return Ether(src=ends.mac(9)["src"], dst="01:80:c2:00:00:0e", type=0x88CC) / unit


def recipe_of(number):
    """What capture `number` is made of; every layer comes in turn, the rest is drawn."""
    if number % 20 == 0:
        return ETHERNET, ["arp"], lambda ends: arp(ends)
    if number % 20 == 1:
        return ETHERNET, ["lldp"], lambda ends: lldp(ends)
    is_v6 = rng.random() < 0.4
    names = sorted(V6 if is_v6 else V4)
    payload = names[number % len(names)]
    link_type = rng.choice([ETHERNET] * 3 + [RAW, COOKED])
    link = rng.choice(sorted(LINKS))
    depth_of = rng.choice([0, 0, 0, 1, 1, 2])
    tunnels = [rng.choice(sorted(TUNNELS)) for _ in range(depth_of)]
    extensions = [name for name in EXTENSIONS if is_v6 and rng.random() < 0.3]
    options = rng.choice(sorted(OPTIONS)) if not is_v6 else ""
    is_fragment = payload == "udp" and not tunnels and rng.random() < 0.4
    build_payload = (V6 if is_v6 else V4)[payload]

    def build(ends):
        body = build_payload(ends)
        if is_v6:
            ip = IPv6(**ends.v6(0))
            for name in extensions:
                ip = ip / EXTENSIONS[name]()
            ip = (ip / IPv6ExtHdrFragment(m=1, id=5) if is_fragment else ip) / body
        else:
            ip = IP(**ends.v4(0), id=ends.i + 1, flags="MF" if is_fragment else 0, options=OPTIONS[options]()) / body
        for depth, name in enumerate(reversed(tunnels)):
            ip = TUNNELS[name](ip, ends, depth + 1)
        if link_type == RAW:
            return ip
        if link_type == COOKED:
            return CookedLinux(pkttype=0, lladdrtype=1, lladdrlen=6, src=b"\2\0\0\0\0\1\0\0", proto=link_type_of(ip)) / ip
        return LINKS[link](ip, ends)

    carrier = {ETHERNET: link, RAW: "raw", COOKED: "cooked"}[link_type]
    parts = [carrier, *tunnels, "v6" if is_v6 else "v4", *extensions, options, "fragment" if is_fragment else "", payload]
    return link_type, [part for part in parts if part], build


def main():
    files = {link_type: open("%s/%d.pcap" % (FOLDER, link_type), "wb") for link_type in (ETHERNET, RAW, COOKED)}
    for link_type, file in files.items():
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type))
    index = []
    for number in range(COUNT):
        link_type, recipe, build = recipe_of(number)
        ports = (20000 + rng.randrange(20000), 40000 + rng.randrange(20000))
        count = 2 + rng.randrange(6)
        for i in range(count):
            # Nobody answers an announcement, or an error.
            can_reply = recipe[-1] not in ("lldp", "vrrp", "icmp unreachable", "icmpv6 unreachable")
            ends = Ends(number, i, can_reply and i > 0 and rng.random() < 0.5, ports)
            packet = bytes(build(ends))
            files[link_type].write(struct.pack("<IIII", 1700000000 + number, i * 1000, len(packet), len(packet)) + packet)
        index.append({"linkType": link_type, "recipe": recipe, "packets": count})
    for file in files.values():
        file.close()
    with open(FOLDER + "/index.json", "w") as file:
        json.dump(index, file)


main()
