"""What lies inside of tunnels is what is decoded."""

from ipaddress import ip_address

import pytest

from lapwing.testing import ethernet, ip, tcp
from lapwing.wire import Status
from lapwing.wire.layout import MAX_TUNNEL_DEPTH
from tests.wire.support import decoded
from tests.wire.tunnel_frames import (
    DATA,
    INNER4,
    INNER_A,
    INNER_A6,
    INNER_B,
    INNER_B6,
    OUTER_A,
    OUTER_B,
    TUNNELS,
    VXLAN,
    gre,
    nested,
    over_udp,
)


def addresses(row: dict[str, int]) -> tuple[str, str]:
    values = (row["src_hi"] << 64 | row["src_lo"], row["dst_hi"] << 64 | row["dst_lo"])
    source, destination = (
        ip_address(one) if row["ip_version"] == 4 else ip_address(one.to_bytes(16, "big")) for one in values
    )
    return str(source), str(destination)


@pytest.mark.parametrize("kind", TUNNELS)
def test_the_inner_packet_is_the_one_that_is_decoded(kind: str) -> None:
    frame = ethernet(TUNNELS[kind]) + b"padding of the link"
    row = decoded(frame)
    inner = (INNER_A, INNER_B) if row["ip_version"] == 4 else (INNER_A6, INNER_B6)
    assert addresses(row) == inner
    assert (row["status"], row["tunnel_depth"], row["src_port"], row["dst_port"]) == (Status.OK, 1, 40_000, 9_999)
    assert frame[row["payload_off"] : row["payload_off"] + row["payload_captured"]] == DATA
    assert row["payload_bytes"] == len(DATA)


@pytest.mark.parametrize("kind", TUNNELS)
def test_any_cut_of_a_tunnelled_packet_is_decoded_without_a_fault(kind: str) -> None:
    frame = ethernet(TUNNELS[kind])
    for size in range(len(frame)):
        row = decoded(frame[:size], wire_bytes=len(frame))
        assert row["status"] != Status.FAULT
        assert row["payload_off"] + row["payload_captured"] <= size


@pytest.mark.parametrize(
    "packet",
    [
        over_udp(4789, VXLAN + ethernet(b"\0\1" * 20, 0x0806)),  # an ARP inside
        over_udp(4789, b"\0" * 8 + ethernet(INNER4)),  # not marked as valid
        over_udp(6081, b"\x40" + bytes(7) + INNER4),  # a version to come
        over_udp(2152, b"\x30\x01" + bytes(10)),  # an echo request of GTP
        over_udp(3544, INNER4),  # Teredo carries IPv6 only
        over_udp(1701, bytes.fromhex("c802001400010000")),  # control of L2TP
        over_udp(4789, VXLAN + ethernet(INNER4)[:-4]),  # a length that does not fit
        gre(0x0800, INNER4, 0x4000),  # source routes
        gre(0x0800, INNER4, 2),  # a version to come
        ip(OUTER_A, OUTER_B, 41, INNER4),
    ],
)
def test_what_holds_no_ip_packet_is_what_its_outer_headers_say(packet: bytes) -> None:
    row = decoded(ethernet(packet))
    assert addresses(row) == (OUTER_A, OUTER_B)
    assert (row["status"], row["tunnel_depth"]) == (Status.OK, 0)


def test_a_bubble_of_teredo_stays_a_datagram() -> None:
    bubble = ip(INNER_A6, INNER_B6, 59, b"")
    assert decoded(ethernet(over_udp(3544, bubble)))["tunnel_depth"] == 0


def test_tunnels_in_tunnels_are_followed_to_a_limit() -> None:
    row = decoded(ethernet(nested(MAX_TUNNEL_DEPTH)))
    assert (addresses(row), row["tunnel_depth"]) == ((INNER_A, INNER_B), MAX_TUNNEL_DEPTH)
    row = decoded(ethernet(nested(MAX_TUNNEL_DEPTH + 1)))
    assert (addresses(row), row["tunnel_depth"], row["protocol"]) == ((OUTER_A, OUTER_B), MAX_TUNNEL_DEPTH, 4)


def test_fewer_tunnels_are_looked_into_when_asked() -> None:
    frame = ethernet(nested(2))
    for depth, source in ((0, OUTER_A), (1, OUTER_A), (2, INNER_A)):
        row = decoded(frame, tunnel_depth=depth)
        assert (addresses(row)[0], row["tunnel_depth"]) == (source, depth)


@pytest.mark.parametrize(
    ("packet", "number"),
    [
        (over_udp(4789, b"\x08\0\0\0\x01\x02\x03\0" + ethernet(INNER4)), 0x010203),
        (over_udp(6081, b"\0\0\x65\x58\x01\x02\x03\0" + ethernet(INNER4)), 0x010203),
        (over_udp(2152, b"\x30\xff" + len(INNER4).to_bytes(2, "big") + b"\xde\xad\xbe\xef" + INNER4), 0xDEADBEEF),
        (over_udp(1701, b"\0\x02\0\x07\0\x09\xff\x03\0\x21" + INNER4), 0x00070009),
        (ip(OUTER_A, OUTER_B, 47, b"\x20\0\x08\0\0\0\0\x2a" + INNER4), 42),
        (ip(OUTER_A, OUTER_B, 47, b"\xa0\0\x08\0\0\0\0\0\0\0\0\x2b" + INNER4), 43),
        (ip(OUTER_A, OUTER_B, 4, INNER4), 0),
        (INNER4, 0),
    ],
)
def test_the_number_of_a_tunnel_is_kept(packet: bytes, number: int) -> None:
    row = decoded(ethernet(packet))
    assert (addresses(row)[0], row["tunnel_id"]) == (INNER_A, number)


def test_nothing_of_the_carrier_is_left_in_the_row() -> None:
    inner = ip("198.51.100.7", "203.0.113.9", 6, tcp(1, 2, b"data"))
    row = decoded(ethernet(ip("2001:db8::1", "2001:db8::2", 4, inner)))
    assert (row["src_hi"], row["dst_hi"]) == (0, 0)
    other = decoded(ethernet(over_udp(2152, b"\x30\xff\0\0\0\0\0\0" + ip("198.51.100.7", "203.0.113.9", 1, bytes(8)))))
    assert (other["src_port"], other["dst_port"], other["protocol"]) == (0, 0, 1)


def test_checksums_are_those_of_every_layer() -> None:
    good = ethernet(over_udp(4789, VXLAN + ethernet(INNER4)))
    assert decoded(good, verify=True)["status"] == Status.OK
    damaged = bytearray(good)
    damaged[-1] ^= 1
    assert decoded(bytes(damaged), verify=True)["status"] == Status.BAD_CHECKSUM
