"""Flows by other keys than two endpoints."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lapwing
from lapwing.events import FlowClosed, FlowOpened
from lapwing.flows import FlowSettings, FlowTable, extractor, extractor_for
from lapwing.sessions import PipelineSettings
from lapwing.testing import START_NS, TimedFrame, ethernet, ip, pcap, tcp, udp, udp_frame
from lapwing.testing.packets import CLIENT_MAC, SERVER_MAC
from lapwing.wire import DECODE_COUNTERS, PACKET_DTYPE, decode
from tests.flows.rows import Result, Trace

A, B = "192.0.2.1", "198.51.100.2"
TCP_AB = ethernet(ip(A, B, 6, tcp(4_000, 80, seq=1, flags=0x10)))
TCP_BA = ethernet(ip(B, A, 6, tcp(80, 4_000, seq=1, flags=0x10)), src=SERVER_MAC, dst=CLIENT_MAC)
UDP_AB = udp_frame(A, 5_000, B, 53, b"?")
ICMP_AB = ethernet(ip(A, B, 1, b"\10\0\0\0\0\1\0\1"))
ARP = ethernet(b"\0\1" * 14, 0x0806)


def told(tmp_path: Path, frames: list[bytes], **settings: Any) -> list[FlowClosed]:
    """The records of frames, a millisecond apart."""
    path = tmp_path / "in.pcap"
    timed = [TimedFrame(START_NS + number * 1_000_000, frame) for number, frame in enumerate(frames)]
    path.write_bytes(pcap(timed, nanoseconds=True))
    fast = list(lapwing.flows(path, settings=FlowSettings(**settings)))
    full = lapwing.read(path, settings=PipelineSettings(flows=FlowSettings(**settings)), events=("flow",))
    slow = [event for event in full if isinstance(event, FlowClosed)]
    assert [(one.flow_id, one.tag, one.client_packet_count) for one in slow] == [
        (one.flow_id, one.tag, one.client_packet_count) for one in fast
    ]
    return fast


def counts(records: list[FlowClosed]) -> list[tuple[int, int]]:
    return [(one.client_packet_count, one.server_packet_count) for one in records]


def test_two_addresses_are_one_flow_whatever_they_speak(tmp_path: Path) -> None:
    (flow,) = told(tmp_path, [TCP_AB, TCP_BA, UDP_AB, ICMP_AB, ARP], key="ip-pair")
    assert (flow.client_ip, flow.server_ip, flow.client_port, flow.server_port) == (A, B, 0, 0)
    assert (flow.client_packet_count, flow.server_packet_count) == (3, 1)
    assert (flow.transport, flow.conn_state) == ("other", "OTH")


def test_fragments_count_for_two_addresses_as_they_come(tmp_path: Path) -> None:
    piece = bytearray(ip(A, B, 17, bytes(16)))
    piece[6:8] = b"\x20\0"  # more to come
    assert counts(told(tmp_path, [ethernet(bytes(piece)), UDP_AB], key="ip-pair")) == [(2, 0)]


def test_two_stations_are_one_flow_even_without_ip(tmp_path: Path) -> None:
    (flow,) = told(tmp_path, [TCP_AB, TCP_BA, ARP], key="mac-pair")
    assert flow.client_packet_count + flow.server_packet_count == 3
    assert flow.client_ip.count(":") == 5
    assert flow.community_id == ""


def test_frames_that_are_not_ethernet_have_no_stations(tmp_path: Path) -> None:
    path = tmp_path / "raw.pcap"
    path.write_bytes(pcap([TimedFrame(START_NS, ip(A, B, 17, udp(1, 2, b"x")))], link_type=101, nanoseconds=True))
    with lapwing.flows(path, settings=FlowSettings(key="mac-pair")) as reading:
        assert list(reading) == []
        assert reading.statistics()["flows.packets_unmatched_unknown_link"] == 1


def test_each_direction_can_be_a_flow_of_its_own(tmp_path: Path) -> None:
    records = told(tmp_path, [TCP_AB, TCP_BA, TCP_AB], key_also=("direction",))
    assert sorted((one.tag, sum(pair)) for one, pair in zip(records, counts(records), strict=True)) == [
        ("direction=forward", 2),
        ("direction=reverse", 1),
    ]


def test_networks_between_the_same_ends_are_told_apart_by_tag(tmp_path: Path) -> None:
    tagged = [TCP_AB[:12] + b"\x81\0\0" + bytes([vlan]) + TCP_AB[12:] for vlan in (5, 6, 5)]
    assert len(told(tmp_path, tagged)) == 1
    assert [(one.tag, one.client_packet_count) for one in told(tmp_path, tagged, key_also=("vlan",))] == [
        ("vlan=5", 2),
        ("vlan=6", 1),
    ]


def test_tunnels_are_told_apart_and_parts_of_a_key_are_combined_in_any_order(tmp_path: Path) -> None:
    def inside(number: int) -> bytes:
        return ethernet(ip(A, B, 17, udp(9_000, 4_789, b"\x08\0\0\0" + number.to_bytes(3, "big") + b"\0" + TCP_AB)))

    frames = [inside(number) for number in (0x0A0B0C, 7, 0x0A0B0C)]
    assert len(told(tmp_path, frames)) == 1
    for parts in (("tunnel", "vlan", "source"), ("source", "vlan", "tunnel")):
        records = told(tmp_path, frames, key_also=parts)
        assert [one.tag for one in records] == [f"source=1 tunnel={0x0A0B0C}", "source=1 tunnel=7"]
    (carrier,) = told(tmp_path, frames, tunnel_depth=0)
    assert (carrier.server_port, carrier.client_packet_count) == (4_789, 3)


def test_flow_labels_can_be_part_of_the_key(tmp_path: Path) -> None:
    plain = ip("2001:db8::1", "2001:db8::2", 17, udp(1_000, 53, b"x"))
    frames = [ethernet(bytes([0x60, 0x0F, 1, label]) + plain[4:], 0x86DD) for label in (2, 3, 2)]
    assert len(told(tmp_path, frames)) == 1
    records = told(tmp_path, frames, key_also=("flow-label",))
    assert [(one.tag, one.client_packet_count) for one in records] == [
        (f"flow-label={0xF0102}", 2),
        (f"flow-label={0xF0103}", 1),
    ]


def test_inputs_can_be_part_of_the_key(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.pcap" for name in "ab"]
    for number, path in enumerate(paths):
        path.write_bytes(pcap([TimedFrame(START_NS + number, UDP_AB)], nanoseconds=True))
    assert len(list(lapwing.flows(*paths))) == 1
    records = list(lapwing.flows(*paths, settings=FlowSettings(key_also=("source",))))
    assert [one.tag for one in records] == ["source=1", "source=2"]
    opened = [event.tag for event in lapwing.read(
        *paths, settings=PipelineSettings(flows=FlowSettings(key_also=("source",))), events=("flow",)
    ) if isinstance(event, FlowOpened)]  # fmt: skip
    assert opened == ["source=1", "source=2"]


def test_columns_say_the_tag(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "in.pcap"
    path.write_bytes(pcap([TimedFrame(START_NS, TCP_AB)], nanoseconds=True))
    table = lapwing.flows(path, settings=FlowSettings(key_also=("source",), key="mac-pair")).to_arrow()
    assert table["tag"].to_pylist() == ["source=1"]
    assert table["community_id"].to_pylist() == [""]


def test_more_combinations_than_there_are_numbers_share_the_last_and_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(extractor, "MAX_TAGS", 3)
    found = extractor_for("five-tuple", ("vlan",))
    assert found is not None
    rows = np.zeros(6, PACKET_DTYPE)
    rows["vlan_id"] = [0, 1, 2, 3, 4, 5]
    found.apply(b"", rows, 0, 6)
    assert rows["tag"].tolist() == [0, 1, 2, 3, 3, 3]
    assert found.statistics() == {"tags_shared": 2}


def test_addresses_and_ports_need_no_rewriting() -> None:
    assert extractor_for("five-tuple", ()) is None


@given(
    st.binary(max_size=2_000),
    st.sampled_from(("five-tuple", "ip-pair", "mac-pair")),
    st.sets(st.sampled_from(extractor.PARTS)),
    st.sampled_from((1, 12, 101, 113, 276)),
)
def test_any_bytes_pass_through_every_extractor(data: bytes, base: Any, parts: set[Any], link_type: int) -> None:
    rows = np.zeros(1, PACKET_DTYPE)
    rows["captured"] = rows["wire_bytes"] = len(data)
    rows["link_type"] = link_type
    decode(data, rows, 1, np.zeros(DECODE_COUNTERS, np.int64))
    found = extractor_for(base, tuple(parts))
    if found is not None:
        found.apply(data, rows, 0, 1)
        found.words(int(rows["tag"][0]))
    table = FlowTable(FlowSettings(), bytes(16), payloads=False)
    assert table.process(data, rows, 0, 1) == 1
    assert table.statistics()["flows_created"] <= 1


def test_packets_with_other_tags_are_other_flows(track: Callable[..., Result]) -> None:
    trace = Trace()
    for tag in (0, 1, 0, 65_535, 1):
        trace.udp(0, tag=tag)
        trace.udp(1, tag=tag)
        trace.udp(0, tag=tag, ip_version=6, src_hi=1, dst_hi=1)
        trace.udp(1, tag=tag, ip_version=6, src_hi=1, dst_hi=1)
    result = track(trace)
    assert sorted((key[9], key[10]) for key in result.keys) == [(tag, v) for tag in (0, 1, 65_535) for v in (4, 6)]
    assert result.statistics["packets"] == 20
