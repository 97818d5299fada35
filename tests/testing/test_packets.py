import struct
from ipaddress import ip_address

import pytest

from lapwing.testing import (
    PcapngWriter,
    TcpConversation,
    TcpFlag,
    TimedFrame,
    checksum,
    ethernet,
    fragment_body,
    icmp_frame,
    interleave,
    ipv4,
    ipv6,
    pcap,
    pcap_record,
    tcp_frame,
    udp_frame,
)
from lapwing.testing.captures import MAGIC_MODIFIED

IPV4_EXAMPLE = bytes.fromhex("45000073000040004011b861c0a80001c0a800c7")  # widely published worked example


def test_the_checksum_of_a_header_with_its_checksum_is_zero() -> None:
    assert checksum(IPV4_EXAMPLE) == 0
    assert checksum(IPV4_EXAMPLE[:10] + b"\0\0" + IPV4_EXAMPLE[12:]) == 0xB861


def test_an_ipv4_header_is_built_as_published() -> None:
    built = ipv4("192.168.0.1", "192.168.0.199", 17, bytes(0x73 - 20))
    assert built[:20] == IPV4_EXAMPLE


@pytest.mark.parametrize(
    ("frame", "version", "protocol"),
    [
        (tcp_frame("192.0.2.1", 1, "192.0.2.2", 2, b"odd"), 4, 6),
        (tcp_frame("2001:db8::1", 1, "2001:db8::2", 2, b"odd"), 6, 6),
        (udp_frame("192.0.2.1", 1, "192.0.2.2", 2, b"odd"), 4, 17),
        (udp_frame("2001:db8::1", 1, "2001:db8::2", 2, b"even"), 6, 17),
        (icmp_frame("2001:db8::1", "2001:db8::2", 128, 0, b"ping"), 6, 58),
    ],
)
def test_transport_checksums_sum_to_zero_with_the_pseudo_header(frame: bytes, version: int, protocol: int) -> None:
    packet = frame[14:]
    header_bytes, addresses = (20, packet[12:20]) if version == 4 else (40, packet[8:40])
    segment = packet[header_bytes:]
    assert packet[9 if version == 4 else 6] == protocol
    assert checksum(addresses + struct.pack("!II", len(segment), protocol) + segment) == 0


def test_vlan_tags_nest_with_the_service_tag_outside() -> None:
    frame = udp_frame("192.0.2.1", 1, "192.0.2.2", 2, vlans=(7, 9))
    assert frame[12:22] == bytes.fromhex("88a80007810000090800")


def test_a_short_frame_is_padded_as_on_the_wire() -> None:
    assert len(ethernet(ipv4("192.0.2.1", "192.0.2.2", 17, b""), pad=True)) == 60


def test_ipv6_extension_headers_chain_to_the_protocol() -> None:
    packet = ipv6(
        "2001:db8::1", "2001:db8::2", 17, b"x", extensions=[(0, b""), (44, fragment_body(8, more=True)), (60, bytes(9))]
    )
    chain = packet[40:]
    assert packet[6] == 0
    assert (chain[0], chain[1]) == (44, 0)
    assert (chain[8], chain[11]) == (60, 9)
    assert (chain[16], chain[17]) == (17, 1)
    assert struct.unpack("!H", packet[4:6])[0] == 8 + 8 + 16 + 1


def test_a_conversation_numbers_its_bytes() -> None:
    talk = (
        TcpConversation(client_isn=0xFFFFFFFF, server_isn=10).handshake().client(b"abc").server(b"hello", mss=2).close()
    )
    fields = [struct.unpack("!IIBB", timed.frame[38:48]) for timed in talk.frames]
    assert [seq for seq, *_ in fields] == [0xFFFFFFFF, 10, 0, 0, 11, 13, 15, 3, 16, 4]
    assert fields[1][1] == 0
    assert fields[-1][1] == 17
    assert fields[0][3] == TcpFlag.SYN
    assert [b - a for (a, *_), (b, *_) in zip(talk.frames, talk.frames[1:], strict=False)] == [1_000_000] * 9


def test_interleaved_conversations_come_in_time_order() -> None:
    first = TcpConversation(start_ns=0, step_ns=10).handshake()
    second = TcpConversation("192.0.2.11", start_ns=5, step_ns=10).handshake()
    assert [timed.ts_ns for timed in interleave(first, second)] == [0, 5, 10, 15, 20, 25]


def test_a_classic_capture_has_the_published_layout() -> None:
    timed = TimedFrame(1_700_000_000_123_456_789, b"abcd", 60)
    assert pcap([timed]).hex() == "d4c3b2a10200040000000000000000000000040001000000" + (
        "00f1536540e20100040000003c00000061626364"
    )
    assert pcap([timed], nanoseconds=True, big_endian=True)[24:32].hex() == "6553f100075bcd15"
    assert len(pcap_record(timed, magic=MAGIC_MODIFIED)) == 16 + 8 + 4


def test_pcapng_blocks_repeat_their_length_and_fill_whole_words() -> None:
    data = (
        PcapngWriter()
        .section()
        .interface(tsresol=9, tsoffset_s=5)
        .enhanced(TimedFrame(6_000_000_000, b"abcde"))
        .getvalue()
    )
    offset, types = 0, []
    while offset < len(data):
        kind, length = struct.unpack_from("<II", data, offset)
        types.append(kind)
        assert length % 4 == 0
        assert struct.unpack_from("<I", data, offset + length - 4)[0] == length
        offset += length
    assert types == [0x0A0D0D0A, 1, 6]
    assert struct.pack("<II", 0, 1_000_000_000) in data


def test_addresses_may_be_objects() -> None:
    assert tcp_frame(ip_address("192.0.2.1"), 1, ip_address("192.0.2.2"), 2) == tcp_frame(
        "192.0.2.1", 1, "192.0.2.2", 2
    )
