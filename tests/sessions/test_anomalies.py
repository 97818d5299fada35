"""What broke the rules of a flow: by kind, with its severity, the flow it happened to, and once for each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lapwing
from lapwing.events import AnomalySeen, FlowClosed, Severity
from lapwing.flows import ANOMALY_KINDS, FlowSettings
from lapwing.sessions import PipelineSettings
from lapwing.testing import START_NS, TcpConversation, TimedFrame, pcap, tcp_frame, udp_frame

A, B = "192.0.2.1", "198.51.100.2"
SECOND_NS = 10**9
ACK, RST = 0x10, 0x04


def said(sequence: int, data: bytes, *, flags: int = ACK) -> bytes:
    """A segment of the client of the usual conversation."""
    return tcp_frame(A, 40_000, B, 80, data, seq=sequence, ack=0, flags=flags)


def timed(*frames: bytes) -> list[TimedFrame]:
    return [TimedFrame(START_NS + number * 1_000, frame) for number, frame in enumerate(frames)]


def lies() -> list[TimedFrame]:
    return timed(said(1, b"."), *(said(10, bytes([number]) * 5) for number in range(4)))


def too_far() -> list[TimedFrame]:
    return timed(said(1, b"."), said(300_000, b"x"), said(700_000, b"x"))


def forged() -> list[TimedFrame]:
    return timed(said(1, b"."), *[said(900_000_000, b"", flags=RST)] * 3)


def crowded() -> list[TimedFrame]:
    return timed(*(udp_frame(A, port, B, 9_999, b"x") for port in (1_001, 1_002)))


def backwards() -> list[TimedFrame]:
    frame = udp_frame(A, 5_000, B, 9_999, b"x")
    return [TimedFrame(START_NS + at * SECOND_NS, frame) for at in (10, 2, 3)]


CASES: dict[str, tuple[Callable[[], list[TimedFrame]], Severity]] = {
    "tcp.overlap_conflict": (lies, Severity.HIGH),
    "tcp.reassembly_overflow": (too_far, Severity.MEDIUM),
    "tcp.out_of_window": (forged, Severity.LOW),
    "flow.evicted": (crowded, Severity.MEDIUM),
    "flow.clock_regression": (backwards, Severity.LOW),
}


def read(path: Path, frames: list[TimedFrame], **settings: Any) -> tuple[list[Any], dict[str, int]]:
    path.write_bytes(pcap(frames, nanoseconds=True))
    chosen = PipelineSettings(flows=FlowSettings(**settings))
    with lapwing.read(path, events=("anomaly", "flow"), settings=chosen) as reading:
        return list(reading), reading.statistics()


@pytest.mark.parametrize("kind", CASES)
def test_an_anomaly_of_a_flow_is_told_once_with_its_severity_and_the_flow_is_named(kind: str, tmp_path: Path) -> None:
    frames, severity = CASES[kind]
    seen, counters = read(tmp_path / "in.pcap", frames(), max_flows=1 if kind == "flow.evicted" else 100)
    (told,) = [event for event in seen if isinstance(event, AnomalySeen)]
    closed = [event for event in seen if isinstance(event, FlowClosed)]
    assert (told.kind, told.severity) == (kind, severity)
    assert (told.flow_id, told.client_ip, told.client_port) == (1, closed[0].client_ip, closed[0].client_port)
    assert counters[f"flows.anomalies_{kind}"] == {"tcp.overlap_conflict": 3, "tcp.out_of_window": 3}.get(
        kind, 2 if kind in ("tcp.reassembly_overflow", "flow.clock_regression") else 1
    )


def test_every_kind_of_anomaly_of_a_flow_is_among_these() -> None:
    assert set(CASES) == set(ANOMALY_KINDS)


def test_a_clean_conversation_has_none(tmp_path: Path) -> None:
    talk = TcpConversation(A, B).handshake().client(b"x" * 2_000).server(b"y" * 5_000).close()
    seen, _ = read(tmp_path / "in.pcap", list(talk.frames))
    assert [event for event in seen if isinstance(event, AnomalySeen)] == []


def test_an_eviction_is_told_before_the_newcomer_opens(tmp_path: Path) -> None:
    seen, counters = read(tmp_path / "in.pcap", crowded(), max_flows=1)
    told = [(type(event).__name__, event.flow_id) for event in seen]
    assert told == [("FlowOpened", 1), ("AnomalySeen", 1), ("FlowClosed", 1), ("FlowOpened", 2), ("FlowClosed", 2)]
    assert counters["flows.created"] == counters["flows.ended"] + counters["flows.active"] == 2
