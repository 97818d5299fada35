"""Packets inside of packets, one for each kind of tunnel, all carrying the same UDP datagram."""

from lapwing.testing import ethernet, ip, udp

OUTER_A, OUTER_B = "192.0.2.1", "192.0.2.2"
INNER_A, INNER_B = "198.51.100.7", "203.0.113.9"
INNER_A6, INNER_B6 = "2001:db8::7", "2001:db8::9"
DATA = b"inner data"
INNER4 = ip(INNER_A, INNER_B, 17, udp(40_000, 9_999, DATA))
INNER6 = ip(INNER_A6, INNER_B6, 17, udp(40_000, 9_999, DATA))
BRIDGED = ethernet(INNER4, vlans=(7,))
OUTER6 = ("2001:db8::1", "2001:db8::2")


def gre(kind: int, payload: bytes, flags: int = 0, optional: bytes = b"") -> bytes:
    return ip(OUTER_A, OUTER_B, 47, flags.to_bytes(2, "big") + kind.to_bytes(2, "big") + optional + payload)


def over_udp(port: int, payload: bytes) -> bytes:
    return ip(OUTER_A, OUTER_B, 17, udp(50_000, port, payload))


VXLAN = b"\x08\0\0\0\0\0\x2a\0"

TUNNELS: dict[str, bytes] = {
    "gre": gre(0x0800, INNER4),
    "gre with checksum, key and number": gre(0x86DD, INNER6, 0xB000, bytes(12)),
    "gre bridging": gre(0x6558, BRIDGED),
    "gre mpls": gre(0x8847, bytes.fromhex("0001004000011140") + INNER4),
    "erspan 1": gre(0x88BE, BRIDGED),
    "erspan 2": gre(0x88BE, bytes(8) + BRIDGED, 0x1000, bytes(4)),
    "erspan 3": gre(0x22EB, bytes(12) + BRIDGED, 0x1000, bytes(4)),
    "erspan 3 with a subheader": gre(0x22EB, bytes(11) + b"\1" + bytes(8) + BRIDGED, 0x1000, bytes(4)),
    "pptp": gre(0x880B, b"\xff\x03\x00\x21" + INNER4, 0x3081, bytes(12)),
    "pptp with one byte of protocol": gre(0x880B, b"\x57" + INNER6, 0x3001, bytes(8)),
    "ip in ip": ip(OUTER_A, OUTER_B, 4, INNER4),
    "6in4": ip(OUTER_A, OUTER_B, 41, INNER6),
    "4in6": ip(*OUTER6, 4, INNER4),
    "vxlan": over_udp(4789, VXLAN + BRIDGED),
    "vxlan on the port Linux began with": over_udp(8472, VXLAN + BRIDGED),
    "geneve": over_udp(6081, bytes.fromhex("0240655800002a00") + bytes(8) + BRIDGED),
    "geneve without ethernet": over_udp(6081, bytes.fromhex("000086dd00002a00") + INNER6),
    "gtp": over_udp(2152, b"\x30\xff" + len(INNER4).to_bytes(2, "big") + bytes(4) + INNER4),
    "gtp with extensions": over_udp(
        2152, b"\x34\xff\0\0" + bytes(4) + b"\0\0\0\x85" + b"\1\0\0\x85" + b"\2" + bytes(6) + b"\0" + INNER6
    ),
    "gtp with a number": over_udp(2152, b"\x32\xff\0\0" + bytes(4) + b"\0\1\0\0" + INNER4),
    "teredo": over_udp(3544, INNER6),
    "teredo with indications": over_udp(3544, b"\0\1\0\0" + bytes(9) + b"\0\0" + bytes(6) + INNER6),
    "l2tp": over_udp(1701, bytes.fromhex("000200010002") + b"\xff\x03\x00\x21" + INNER4),
    "l2tp with everything": over_udp(
        1701, bytes.fromhex("4a020000 0001 0002 0000 0000 0002 0000".replace(" ", "")) + b"\0\x57" + INNER6
    ),
}


def nested(depth: int) -> bytes:
    packet = INNER4
    for _ in range(depth):
        packet = ip(OUTER_A, OUTER_B, 4, packet)
    return packet
