import struct

import numpy as np
import pytest

from lapwing.testing import ethernet, fragment_body, icmp, ip, ipv4, ipv6, sctp, tcp, tcp_frame, udp, udp_frame
from lapwing.testing.packets import LINK_LOOP, LINK_NULL, LINK_RAW, LINK_SLL, LINK_SLL2, TCP, UDP
from lapwing.wire import DECODE_COUNTERS, PACKET_DTYPE, Status
from tests.wire.support import DECODERS, decoded, row_of

A4, B4 = "192.0.2.1", "198.51.100.2"
A6, B6 = "2001:db8::1", "2001:db8:ffff::2"
IP4_A, IP4_B = 0xC0000201, 0xC6336402
DATAGRAM4 = ip(A4, B4, UDP, udp(1000, 53, b"abc"))
DATAGRAM6 = ip(A6, B6, UDP, udp(1000, 53, b"abc"))


def test_a_tcp_segment_over_ipv4_fills_the_row() -> None:
    frame = tcp_frame(A4, 40000, B4, 443, b"hello", seq=0xFFFFFFFE, ack=7, flags=0x18, window=512)
    row = decoded(frame)
    assert row == dict.fromkeys(PACKET_DTYPE.names or (), 0) | {
        "ts_ns": 7,
        "src_lo": IP4_A,
        "dst_lo": IP4_B,
        "captured": 59,
        "wire_bytes": 59,
        "ip_off": 14,
        "ip_bytes": 45,
        "payload_off": 54,
        "payload_captured": 5,
        "payload_bytes": 5,
        "tcp_seq": 0xFFFFFFFE,
        "tcp_ack": 7,
        "src_port": 40000,
        "dst_port": 443,
        "tcp_window": 512,
        "link_type": 1,
        "ip_version": 4,
        "protocol": 6,
        "tcp_flags": 0x18,
        "hop_limit": 64,
    }


def test_ipv6_addresses_come_in_two_halves() -> None:
    row = decoded(udp_frame(A6, 1, B6, 2, b"x"))
    assert (row["src_hi"], row["src_lo"]) == (0x20010DB800000000, 1)
    assert (row["dst_hi"], row["dst_lo"]) == (0x20010DB8FFFF0000, 2)
    assert (row["ip_version"], row["ip_bytes"], row["payload_bytes"]) == (6, 49, 1)


@pytest.mark.parametrize("vlans", [(5,), (7, 5), (9, 7, 5)])
def test_the_innermost_vlan_id_is_kept(vlans: tuple[int, ...]) -> None:
    row = decoded(udp_frame(A4, 1, B4, 2, b"x", vlans=vlans))
    assert (row["status"], row["vlan_id"], row["src_port"]) == (Status.OK, 5, 1)


def test_the_old_outer_tag_type_is_known_and_priority_bits_are_not_part_of_the_id() -> None:
    tagged = bytes(12) + struct.pack("!HHHHH", 0x9100, 0xE007, 0x8100, 0x2005, 0x0800) + DATAGRAM4
    assert decoded(tagged)["vlan_id"] == 5


def test_more_tags_than_any_network_has_are_not_walked() -> None:
    assert decoded(udp_frame(A4, 1, B4, 2, vlans=(1,) * 8))["status"] == Status.OK
    assert decoded(udp_frame(A4, 1, B4, 2, vlans=(1,) * 9))["status"] == Status.NOT_IP


SLL = struct.pack("!HHH8sH", 0, 1, 6, bytes(8), 0x0800)
SLL2 = struct.pack("!HHIHBB8s", 0x86DD, 0, 3, 1, 0, 6, bytes(8))


@pytest.mark.parametrize(
    ("link", "frame"),
    [
        (LINK_RAW, DATAGRAM4),
        (LINK_RAW, DATAGRAM6),
        (228, DATAGRAM4),
        (229, DATAGRAM6),
        (LINK_NULL, struct.pack("<I", 2) + DATAGRAM4),
        (LINK_NULL, struct.pack(">I", 2) + DATAGRAM4),
        (LINK_LOOP, struct.pack(">I", 24) + DATAGRAM6),
        *[(LINK_NULL, struct.pack("<I", family) + DATAGRAM6) for family in (10, 24, 28, 30)],
        (LINK_SLL, SLL + DATAGRAM4),
        (LINK_SLL2, SLL2 + DATAGRAM6),
        (9, b"\xff\x03\x00\x21" + DATAGRAM4),
        (9, b"\x00\x57" + DATAGRAM6),
        (1, bytes(12) + struct.pack("!H", len(DATAGRAM4) + 8) + b"\xaa\xaa\x03\0\0\0\x08\0" + DATAGRAM4),
    ],
)
def test_every_link_type_leads_to_the_same_datagram(link: int, frame: bytes) -> None:
    row = decoded(frame, link)
    assert (row["status"], row["src_port"], row["dst_port"]) == (Status.OK, 1000, 53)
    assert frame[row["payload_off"] :][: row["payload_captured"]] == b"abc"


def secured(control: int, kind: int, payload: bytes, *, channel: bytes = b"") -> bytes:
    """A frame under MACsec with its check value; `control` as in the tag."""
    tag = bytes([control, 0]) + (7).to_bytes(4, "big") + channel + kind.to_bytes(2, "big")
    return ethernet(tag + payload + bytes(16), 0x88E5)


@pytest.mark.parametrize(("control", "channel"), [(0, b""), (0x20, bytes(8))])
def test_macsec_that_hides_nothing_is_stepped_over(control: int, channel: bytes) -> None:
    frame = secured(control, 0x0800, DATAGRAM4, channel=channel)
    row = decoded(frame)
    assert (row["status"], row["src_port"], row["payload_bytes"], row["vlan_id"]) == (Status.OK, 1000, 3, 0)
    assert frame[row["payload_off"] :][:3] == b"abc"
    tagged = secured(control, 0x8100, struct.pack("!HH", 5, 0x86DD) + DATAGRAM6, channel=channel)
    assert (decoded(tagged)["vlan_id"], decoded(tagged)["ip_version"]) == (5, 6)


@pytest.mark.parametrize("control", [0x0C, 0x08, 0x04, 0x2C])
def test_macsec_that_encrypts_is_not_guessed_at(control: int) -> None:
    assert decoded(secured(control, 0x0800, DATAGRAM4, channel=bytes(8)))["status"] == Status.NOT_IP


def test_macsec_within_macsec_without_end_is_not_walked() -> None:
    frame = ethernet((b"\0\0\0\0\0\7" + b"\x88\xe5") * 9 + DATAGRAM4, 0x88E5)
    assert decoded(frame)["status"] == Status.NOT_IP
    for size in range(14, 40):
        assert decoded(frame[:size])["status"] == Status.LINK_TRUNCATED


def mpls(*labels: int) -> bytes:
    entries = [label << 12 | (number == len(labels) - 1) << 8 | 64 for number, label in enumerate(labels)]
    return b"".join(entry.to_bytes(4, "big") for entry in entries)


@pytest.mark.parametrize(
    ("ethertype", "between"),
    [
        (0x8847, mpls(16)),
        (0x8848, mpls(*range(16, 32))),
        (0x8864, b"\x11\0" + bytes(4) + b"\0\x21"),
    ],
)
def test_what_providers_put_between_ethernet_and_ip_is_stepped_over(ethertype: int, between: bytes) -> None:
    row = decoded(ethernet(between + DATAGRAM4, ethertype, vlans=(5,)))
    assert (row["status"], row["src_port"], row["vlan_id"]) == (Status.OK, 1000, 5)
    assert decoded(ethernet(between, ethertype))["status"] in {Status.LINK_TRUNCATED, Status.IP_TRUNCATED}


def test_labels_without_end_and_what_they_carry_beside_ip_are_not_guessed() -> None:
    assert decoded(ethernet(mpls(*range(17)) + DATAGRAM4, 0x8847))["status"] == Status.NOT_IP
    assert decoded(ethernet(mpls(16) + bytes(40), 0x8847))["status"] == Status.NOT_IP
    assert decoded(ethernet(b"\x11\0" + bytes(4) + b"\xc0\x21" + bytes(40), 0x8864))["status"] == Status.NOT_IP


def test_what_is_not_ip_is_counted_as_that() -> None:
    assert decoded(ethernet(bytes(28), 0x0806))["status"] == Status.NOT_IP
    assert decoded(struct.pack("<I", 7) + bytes(20), LINK_NULL)["status"] == Status.NOT_IP
    assert decoded(b"\x00" * 40, LINK_RAW)["status"] == Status.NOT_IP


def test_an_unknown_link_type_is_never_guessed() -> None:
    assert decoded(udp_frame(A4, 1, B4, 2), 105)["status"] == Status.UNKNOWN_LINK


def test_padding_of_short_frames_is_no_payload() -> None:
    frame = ethernet(ip(A4, B4, TCP, tcp(1, 2)), pad=True)
    row = decoded(frame)
    assert (len(frame), row["ip_bytes"], row["payload_bytes"], row["payload_captured"]) == (60, 40, 0, 0)


def test_a_length_of_zero_from_offload_means_the_rest_of_the_frame() -> None:
    row = decoded(ethernet(ipv4(A4, B4, TCP, tcp(1, 2, b"x" * 3000), total_bytes=0)))
    assert (row["ip_bytes"], row["payload_bytes"]) == (3040, 3000)
    row = decoded(ethernet(ipv6(A6, B6, TCP, tcp(1, 2, b"x" * 3000), payload_bytes=0)))
    assert (row["ip_bytes"], row["payload_bytes"]) == (3060, 3000)


def test_ip_and_tcp_options_are_stepped_over() -> None:
    packet = ipv4(A4, B4, TCP, tcp(1, 2, b"data", options=b"\x02\x04\x05\xb4\x01"), options=b"\x94\x04\0\0")
    row = decoded(ethernet(packet))
    assert (row["status"], row["payload_bytes"]) == (Status.OK, 4)


EXTENSIONS = [
    (0, b"\x01\x04\0\0\0\0"),
    (43, bytes(14)),
    (60, bytes(6)),
    (51, bytes(22)),
    (44, fragment_body(0, more=False)),
]


def test_ipv6_extension_headers_lead_to_the_transport() -> None:
    row = decoded(ethernet(ipv6(A6, B6, UDP, udp(1, 2, b"abc"), extensions=EXTENSIONS)))
    assert (row["status"], row["protocol"], row["src_port"], row["payload_bytes"]) == (Status.OK, 17, 1, 3)


def test_an_endless_chain_of_extension_headers_is_malformed() -> None:
    chain = [(60, bytes(6))] * 13
    assert decoded(ethernet(ipv6(A6, B6, UDP, udp(1, 2), extensions=chain[:12])))["status"] == Status.OK
    assert decoded(ethernet(ipv6(A6, B6, UDP, udp(1, 2), extensions=chain)))["status"] == Status.IP_MALFORMED


@pytest.mark.parametrize(
    "packet",
    [
        ipv4(A4, B4, UDP, udp(1, 2, b"x"), flags_and_offset=0x2000),
        ipv4(A4, B4, UDP, udp(1, 2, b"x"), flags_and_offset=3),
        ipv6(A6, B6, UDP, udp(1, 2, b"x"), extensions=[(44, fragment_body(8, more=False))]),
        ipv6(A6, B6, UDP, udp(1, 2, b"x"), extensions=[(44, fragment_body(0, more=True))]),
    ],
)
def test_a_fragment_has_addresses_but_no_ports(packet: bytes) -> None:
    row = decoded(ethernet(packet))
    assert (row["status"], row["protocol"], row["src_port"], row["src_lo"] > 0) == (Status.FRAGMENT, 17, 0, True)


def test_icmp_and_sctp() -> None:
    row = decoded(ethernet(ip(A4, B4, 1, icmp(3, 1, payload=b"quoted"))))
    assert (row["icmp_type"], row["icmp_code"], row["payload_bytes"], row["src_port"]) == (3, 1, 6, 0)
    row = decoded(ethernet(ip(A6, B6, 58, icmp(128, 0))))
    assert (row["icmp_type"], row["protocol"]) == (128, 58)
    row = decoded(ethernet(ip(A4, B4, 132, sctp(3868, 3869, b"chunk"))))
    assert (row["src_port"], row["dst_port"], row["payload_bytes"]) == (3868, 3869, 5)


def test_other_protocols_are_ok_with_the_whole_datagram_as_payload() -> None:
    row = decoded(ethernet(ipv4(A4, B4, 47, b"gre")))
    assert (row["status"], row["protocol"], row["payload_bytes"], row["src_port"]) == (Status.OK, 47, 3, 0)


def test_a_frame_cut_by_the_capture_says_how_much_is_missing() -> None:
    frame = tcp_frame(A4, 1, B4, 2, b"x" * 1000)
    row = decoded(frame[:100], wire_bytes=len(frame))
    assert (row["status"], row["payload_captured"], row["payload_bytes"]) == (Status.OK, 46, 1000)
    options = ethernet(ip(A4, B4, TCP, tcp(1, 2, b"x" * 9, options=bytes(12))))
    row = decoded(options[:54])
    assert (row["status"], row["payload_captured"], row["payload_bytes"], row["src_port"]) == (Status.OK, 0, 9, 1)


@pytest.mark.parametrize(
    ("length", "status"),
    [
        (13, Status.LINK_TRUNCATED),
        (14, Status.IP_TRUNCATED),
        (33, Status.IP_TRUNCATED),
        (34, Status.TRANSPORT_TRUNCATED),
        (53, Status.TRANSPORT_TRUNCATED),
        (54, Status.OK),
    ],
)
def test_a_cut_frame_is_counted_by_the_layer_it_was_cut_in(length: int, status: Status) -> None:
    assert decoded(tcp_frame(A4, 1, B4, 2, b"x")[:length])["status"] == status


@pytest.mark.parametrize(
    ("packet", "status"),
    [
        (b"\x44" + DATAGRAM4[1:], Status.IP_MALFORMED),
        (ipv4(A4, B4, UDP, udp(1, 2), total_bytes=19), Status.IP_MALFORMED),
        (ipv4(A4, B4, UDP, udp(1, 2), total_bytes=24), Status.TRANSPORT_MALFORMED),
        (ipv4(A4, B4, UDP, udp(1, 2, b"x", length=7)), Status.TRANSPORT_MALFORMED),
        (ipv4(A4, B4, UDP, udp(1, 2, b"x", length=10)), Status.TRANSPORT_MALFORMED),
        (ipv4(A4, B4, TCP, tcp(1, 2)[:12] + b"\x40" + tcp(1, 2)[13:]), Status.TRANSPORT_MALFORMED),
        (ipv4(A4, B4, TCP, tcp(1, 2)[:12] + b"\x60" + tcp(1, 2)[13:]), Status.TRANSPORT_MALFORMED),
        (ipv4(A4, B4, 1, b"\x08\0\0\0"), Status.TRANSPORT_MALFORMED),
        (ipv4(A4, B4, 132, bytes(11)), Status.TRANSPORT_MALFORMED),
    ],
)
def test_lengths_that_contradict_each_other_are_malformed(packet: bytes, status: Status) -> None:
    assert decoded(packet, LINK_RAW)["status"] == status


@pytest.mark.parametrize(("link", "packet"), [(228, b"\x55" + DATAGRAM4[1:]), (229, b"\x70" + DATAGRAM6[1:])])
def test_a_version_other_than_announced_is_malformed(link: int, packet: bytes) -> None:
    assert decoded(packet, link)["status"] == Status.IP_MALFORMED


def test_bytes_behind_the_udp_length_are_no_payload() -> None:
    row = decoded(ethernet(ipv4(A4, B4, UDP, udp(1, 2, b"abcdef", length=11))))
    assert (row["payload_bytes"], row["payload_captured"]) == (3, 3)


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("protocol", [1, 6, 17, 58])
def test_a_flipped_bit_is_found_when_checksums_are_verified(version: int, protocol: int) -> None:
    segment = {1: icmp(8), 6: tcp(1, 2, b"abc"), 17: udp(1, 2, b"abc"), 58: icmp(128)}[protocol]
    a, b = (A4, B4) if version == 4 else (A6, B6)
    good = ethernet(ip(a, b, protocol, segment))
    bad = good[:-1] + bytes([good[-1] ^ 4])
    assert decoded(good, verify=True)["status"] == Status.OK
    assert decoded(bad, verify=True)["status"] == Status.BAD_CHECKSUM
    assert decoded(bad)["status"] == Status.OK


def test_a_wrong_ip_header_checksum_is_found_and_addresses_are_set() -> None:
    frame = tcp_frame(A4, 1, B4, 2)
    row = decoded(frame[:22] + b"\x3f" + frame[23:], verify=True)
    assert (row["status"], row["src_lo"]) == (Status.BAD_CHECKSUM, IP4_A)


def test_checksums_that_cannot_be_judged_pass() -> None:
    assert decoded(ethernet(ipv4(A4, B4, UDP, udp(1, 2, b"x"))), verify=True)["status"] == Status.OK  # none computed
    frame = tcp_frame(A4, 1, B4, 2, b"x" * 100)
    assert decoded(frame[:80], verify=True)["status"] == Status.OK  # cut by the capture


@pytest.mark.parametrize("build", DECODERS)
def test_a_row_outside_its_buffer_is_a_fault_and_the_next_rows_go_on(build: str) -> None:
    frame = tcp_frame(A4, 1, B4, 2)
    rows = np.concatenate([row_of(frame), row_of(frame, at=1), row_of(frame)])
    counters = np.zeros(DECODE_COUNTERS, np.int64)
    DECODERS[build](frame, rows, 3, counters)
    assert rows["status"].tolist() == [Status.OK, Status.FAULT, Status.OK]
    assert (counters[Status.OK], counters[Status.FAULT]) == (2, 1)
