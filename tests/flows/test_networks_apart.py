"""Customers with the same addresses, in networks that only a tag, a session or a label tells apart."""

from pathlib import Path
from typing import Any

import pytest

from lapwing.testing import ethernet, ip, tcp, udp
from tests.flows.test_extractor import A, B, counts, told
from tests.wire.support import decoded

HELLO = ip(A, B, 6, tcp(4_000, 80, b"hello", seq=1, flags=0x18))


def vlans(*ids: int) -> bytes:
    return ethernet(HELLO, vlans=ids)


def mpls(*labels: int) -> bytes:
    words = [(label << 12 | (place == len(labels) - 1) << 8 | 64) for place, label in enumerate(labels)]
    return ethernet(b"".join(word.to_bytes(4, "big") for word in words) + HELLO, 0x8847)


def pppoe(session: int) -> bytes:
    return b"\x11\0" + session.to_bytes(2, "big") + (len(HELLO) + 2).to_bytes(2, "big") + b"\0\x21" + HELLO


def vxlan(frame: bytes) -> bytes:
    return ethernet(ip("192.0.2.8", "192.0.2.9", 17, udp(9_000, 4_789, b"\x08\0\0\0\0\0\x2a\0" + frame)))


NETWORKS: dict[str, tuple[str, bytes, str, bytes, str]] = {
    "VLANs": ("vlan", vlans(5), "vlan=5", vlans(6), "vlan=6"),
    "outer tags of QinQ": ("vlan", vlans(100, 7), "vlan=100/7", vlans(200, 7), "vlan=200/7"),
    "inner tags of QinQ": ("vlan", vlans(100, 7), "vlan=100/7", vlans(100, 8), "vlan=100/8"),
    "PPPoE sessions": ("pppoe", ethernet(pppoe(1), 0x8864), "pppoe=1", ethernet(pppoe(2), 0x8864), "pppoe=2"),
    "labels": ("mpls", mpls(16_001), "mpls=16001", mpls(16_002), "mpls=16002"),
    "labels below that of the path": ("mpls", mpls(30, 16_001), "mpls=16001", mpls(30, 16_002), "mpls=16002"),
    "VLANs in a tunnel": ("vlan", vxlan(vlans(5)), "vlan=5", vxlan(vlans(6)), "vlan=6"),
    "labels in a tunnel": ("mpls", vxlan(mpls(17)), "mpls=17", vxlan(mpls(18)), "mpls=18"),
    "PPPoE sessions in a tunnel": (
        "pppoe", vxlan(ethernet(pppoe(1), 0x8864)), "pppoe=1", vxlan(ethernet(pppoe(2), 0x8864)), "pppoe=2"
    ),
}  # fmt: skip


@pytest.mark.parametrize("network", NETWORKS)
def test_equal_addresses_in_two_networks_are_two_flows_when_asked_for(tmp_path: Path, network: str) -> None:
    part, first, first_tag, second, second_tag = NETWORKS[network]
    assert counts(told(tmp_path, [first, second, first])) == [(3, 0)]
    records = told(tmp_path, [first, second, first], key_also=(part,))
    assert [(one.tag, one.client_packet_count) for one in records] == [(first_tag, 2), (second_tag, 1)]


def test_all_parts_together_name_the_whole_way(tmp_path: Path) -> None:
    frame = vxlan(ethernet(pppoe(3), 0x8864)[:12] + b"\x81\0\0\x07" + b"\x88\x64" + pppoe(3))
    parts: Any = ("tunnel", "pppoe", "mpls", "vlan")
    assert [one.tag for one in told(tmp_path, [frame], key_also=parts)] == ["vlan=7 pppoe=3 tunnel=42"]


def test_a_tag_that_only_says_how_urgent_a_frame_is_names_no_network() -> None:
    row = decoded(vlans(100, 0))
    assert (row["vlan_id"], row["outer_vlan_id"]) == (100, 0)
    row = decoded(vlans(0))
    assert (row["vlan_id"], row["outer_vlan_id"]) == (0, 0)


def test_of_three_tags_the_two_nearest_to_ip_are_kept() -> None:
    row = decoded(vlans(1, 2, 3))
    assert (row["vlan_id"], row["outer_vlan_id"]) == (3, 2)


def test_what_a_deeper_tunnel_holds_leaves_no_mark() -> None:
    row = decoded(vxlan(vxlan(vlans(5))), tunnel_depth=1)
    assert (row["tunnel_depth"], row["vlan_id"], row["dst_port"]) == (1, 0, 4_789)


def pieces(vlan: int, payload: bytes) -> list[bytes]:
    """A datagram in two fragments, with the same number whatever the network."""
    whole = udp(4_000, 9_999, payload)
    found = []
    for offset, more, part in ((0, 0x20, whole[:16]), (2, 0, whole[16:])):
        packet = bytearray(ip(A, B, 17, part))
        packet[4:6], packet[6:8] = b"\0\1", bytes([more, offset])
        found.append(ethernet(bytes(packet), vlans=(vlan,)))
    return found


def test_fragments_of_two_networks_are_put_together_apart(tmp_path: Path) -> None:
    five, six = pieces(5, b"a" * 24), pieces(6, b"b" * 40)
    frames = [five[0], six[0], six[1], five[1]]
    records = told(tmp_path, frames, key_also=("vlan",))
    assert sorted((one.tag, one.client_payload_bytes) for one in records) == [("vlan=5", 24), ("vlan=6", 40)]
