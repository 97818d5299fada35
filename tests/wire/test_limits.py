"""What is named as limits of frames, names and files holds at the number and not beside it."""

import struct
from typing import Any

import pytest

from lapwing.events import WireError
from lapwing.testing import START_NS, PcapngWriter, TimedFrame, ethernet, pcap
from lapwing.testing.captures import BLOCK_SECRETS
from lapwing.wire import Status
from lapwing.wire.dns import MAX_QUESTIONS
from lapwing.wire.dns_names import MAX_LABEL_BYTES, MAX_NAME_BYTES, read_name, write_name
from lapwing.wire.layout import MAX_PACKET_BLOCK_BYTES, MAX_RECORD_BYTES, MAX_WIRE_BYTES
from lapwing.wire.pcapng import MAX_BLOCK_BYTES, MAX_HEADER_BLOCK_BYTES
from lapwing.wire.plain_dns import MAX_SECTION_RECORDS
from lapwing.wire.plain_tunnels import MAX_GTP_EXTENSIONS, MAX_MPLS_LABELS, MAX_VLAN_TAGS
from tests.wire.support import DNS_READERS, decoded, scanned
from tests.wire.test_decode import mpls
from tests.wire.tunnel_frames import INNER4, VXLAN, gre, over_udp

AT_AND_BESIDE = pytest.mark.parametrize("beyond", [0, 1])
BUILDS = pytest.mark.parametrize("reader", DNS_READERS.values(), ids=DNS_READERS.keys())


@AT_AND_BESIDE
def test_so_many_tags_stand_before_ip_inside_of_a_tunnel(beyond: int) -> None:
    bridged = ethernet(INNER4, vlans=(7,) * (MAX_VLAN_TAGS + beyond))
    assert decoded(ethernet(over_udp(4789, VXLAN + bridged)))["tunnel_depth"] == 1 - beyond


@AT_AND_BESIDE
def test_so_many_labels_stand_before_ip_inside_of_a_tunnel(beyond: int) -> None:
    labelled = mpls(*range(16, 16 + MAX_MPLS_LABELS + beyond)) + INNER4
    assert decoded(ethernet(gre(0x8847, labelled)))["tunnel_depth"] == 1 - beyond


@AT_AND_BESIDE
def test_a_header_of_gtp_has_so_many_extensions(beyond: int) -> None:
    chain = b"\1\0\0\x85" * (MAX_GTP_EXTENSIONS - 1 + beyond) + b"\1\0\0\0"
    packet = over_udp(2152, b"\x34\xff\0\0" + bytes(4) + b"\0\0\0\x85" + chain + INNER4)
    row = decoded(ethernet(packet))
    assert (row["status"], row["tunnel_depth"]) == (Status.OK, 1 - beyond)


def name_of(size: int) -> bytes:
    """A name of so many bytes, lengths and root with them."""
    labels, rest = divmod(size - 1, 1 + MAX_LABEL_BYTES)
    last = bytes((rest - 1,)) + b"b" * (rest - 1) if rest else b""
    return (bytes((MAX_LABEL_BYTES,)) + b"a" * MAX_LABEL_BYTES) * labels + last + b"\0"


def question(name: bytes) -> bytes:
    return b"\0\7\1\0\0\1" + bytes(6) + name + b"\0\1\0\1"


@BUILDS
@AT_AND_BESIDE
def test_a_name_has_so_many_bytes(reader: Any, beyond: int) -> None:
    name = name_of(MAX_NAME_BYTES + beyond)
    assert len(name) == MAX_NAME_BYTES + beyond
    if beyond:
        with pytest.raises(WireError, match="name longer than 255 bytes"):
            read_name(name, 0)
        with pytest.raises(WireError, match="name longer than 255 bytes"):
            reader.read_dns(question(name), 0xFFFF)
    else:
        text, end = read_name(name, 0)
        assert end == len(name)
        assert write_name(text) == name
        assert reader.read_dns(question(name), 0xFFFF)[2][0].name == text


@AT_AND_BESIDE
def test_a_name_that_is_written_has_so_many_bytes(beyond: int) -> None:
    text = ".".join("a" * (size - 1) for size in (64, 64, 64, MAX_NAME_BYTES - 1 - 3 * 64 + beyond))
    if beyond:
        with pytest.raises(WireError, match="name longer than 255 bytes"):
            write_name(text)
    else:
        assert len(write_name(text)) == MAX_NAME_BYTES


@BUILDS
@AT_AND_BESIDE
def test_a_label_has_so_many_bytes(reader: Any, beyond: int) -> None:
    label = "a" * (MAX_LABEL_BYTES + beyond)
    wire = bytes((len(label),)) + label.encode() + b"\0"
    if beyond:
        with pytest.raises(WireError, match="labels have 1 to 63 bytes"):
            write_name(label)
        with pytest.raises(WireError, match="label type is not defined"):
            reader.read_dns(question(wire), 0xFFFF)
    else:
        assert write_name(label) == wire
        assert reader.read_dns(question(wire), 0xFFFF)[2][0].name == label


@BUILDS
@AT_AND_BESIDE
@pytest.mark.parametrize("section", range(4))
def test_a_message_states_so_many_records_of_a_section(reader: Any, section: int, beyond: int) -> None:
    counts = [1, 1, 0, 0]
    counts[section] = (MAX_QUESTIONS if section == 0 else MAX_SECTION_RECORDS) + beyond
    head = b"\0\7\x81\x80" + b"".join(count.to_bytes(2, "big") for count in counts)
    assert reader.looks_like_dns(head + b"\1a\0\0\1\0\1") is (not beyond)


FIRST, LAST = TimedFrame(START_NS, b"first"), TimedFrame(START_NS + 1_000_000_000, b"last")


@AT_AND_BESIDE
def test_a_packet_had_so_many_bytes_on_the_wire(beyond: int) -> None:
    long = TimedFrame(START_NS, b"cut", MAX_WIRE_BYTES + beyond)
    sizes = [5, MAX_WIRE_BYTES, 4] if not beyond else [5, 4]
    for data in (pcap([FIRST, long, LAST]), start().enhanced(long).enhanced(LAST).getvalue()):
        records, scanner = scanned(data)
        assert [record[2] for record in records] == sizes
        assert sum(scanner.damage.counts.values()) == beyond


def start() -> PcapngWriter:
    return PcapngWriter().section().interface(tsresol=9).enhanced(FIRST)


def packet_block(size: int, captured: int = 4) -> bytes:
    """An enhanced packet block of so many bytes, nearly all of them options."""
    body = struct.pack("<IIIII", 0, 0, 0, captured, captured)
    return struct.pack("<II", 6, size) + body.ljust(size - 12, b"\0") + struct.pack("<I", size)


@AT_AND_BESIDE
def test_a_block_with_a_packet_has_so_many_bytes(beyond: int) -> None:
    data = start().raw(packet_block(MAX_PACKET_BLOCK_BYTES + 4 * beyond)).enhanced(LAST).getvalue()
    records, scanner = scanned(data)
    assert len(records) == 3 - beyond
    assert scanner.damage.counts == {"capture.block_length": 1} if beyond else not scanner.damage.counts


@AT_AND_BESIDE
def test_a_packet_in_a_block_has_so_many_bytes(beyond: int) -> None:
    block = packet_block(MAX_RECORD_BYTES + 64, MAX_RECORD_BYTES + beyond)
    records, scanner = scanned(start().raw(block).enhanced(LAST).getvalue())
    assert len(records) == 3 - beyond
    assert scanner.damage.counts == {"capture.packet_block": 1} if beyond else not scanner.damage.counts


@AT_AND_BESIDE
@pytest.mark.parametrize(
    ("kind", "most"),
    [(BLOCK_SECRETS, MAX_BLOCK_BYTES), (1, MAX_HEADER_BLOCK_BYTES), (0x0A0D0D0A, MAX_HEADER_BLOCK_BYTES)],
)
def test_another_block_has_so_many_bytes(kind: int, most: int, beyond: int) -> None:
    head = struct.pack("<III", kind, most + 4 * beyond, 0x1A2B3C4D)
    _, scanner = scanned(start().raw(head + bytes(16)).getvalue())
    assert scanner.damage.counts == {"capture.block_length" if beyond else "capture.tail_truncated": 1}
