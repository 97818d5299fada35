"""Live capture by libpcap gives the packets the ring gives. Only where the extra `pcap` is installed."""

import importlib.util
import time
from collections.abc import Iterator
from typing import Literal

import pytest

from lapwing.app.flow_reading import flows
from lapwing.events import SettingsError, SourceError
from lapwing.io.capture import InterfaceSource, LiveSettings, open_live
from lapwing.testing import tcp_frame, udp_frame
from tests.io.wires import Wire, in_namespace, needs_wires, wire
from tests.patience import ENOUGH_S

__all__ = ["wire"]

pytestmark = [
    needs_wires,
    pytest.mark.skipif(importlib.util.find_spec("pcapy") is None, reason="the extra `pcap` is not installed"),
]

A, B = "192.0.2.1", "198.51.100.2"
FRAMES = [
    udp_frame(A, 4_000, B, 53, b"question"),
    tcp_frame(A, 4_001, B, 80, b"GET / HTTP/1.1\r\n\r\n"),
    udp_frame(A, 4_002, B, 9, bytes(1_000)),
]
SETTINGS = LiveSettings(capture="libpcap", poll_timeout_ms=10)


@pytest.fixture
def source(wire: Wire) -> Iterator[InterfaceSource]:
    opened: InterfaceSource = in_namespace(wire.namespace, lambda: open_live(Wire.right, settings=SETTINGS))
    with opened:
        yield opened


def frames_of(source: InterfaceSource, wanted: int) -> list[bytes]:
    found: list[bytes] = []
    give_up = time.monotonic() + ENOUGH_S
    while len(found) < wanted and time.monotonic() < give_up:
        batch = source.next_batch()
        assert batch is not None
        for row in batch.packets[: batch.count]:
            start, size = int(row["frame_off"]), int(row["captured"])
            found.append(bytes(batch.buffer[start : start + size]))
    return found


def test_frames_come_whole_in_order_and_with_the_time_of_the_wall_clock(wire: Wire, source: InterfaceSource) -> None:
    before = time.time_ns()
    wire.send(FRAMES)
    assert frames_of(source, len(FRAMES)) == FRAMES
    last = int(source._rows["ts_ns"][0])
    assert before - 1_000 <= last <= time.time_ns()
    counted = source.statistics()
    assert (counted["packets"], counted["kernel_drops"]) == (len(FRAMES), 0)


def test_a_quiet_wire_lets_time_pass(source: InterfaceSource) -> None:
    started_ns = time.time_ns()
    give_up = time.monotonic() + ENOUGH_S
    while (source.idle_until_ns or 0) < started_ns:
        assert time.monotonic() < give_up
        batch = source.next_batch()
        assert batch is not None
        assert batch.count == 0


def test_a_filter_holds_from_the_first_packet_and_can_be_changed(wire: Wire) -> None:
    def opened() -> InterfaceSource:
        return open_live(Wire.right, settings=SETTINGS, filter="udp port 53")

    with in_namespace(wire.namespace, opened) as source:
        wire.send(FRAMES)
        assert frames_of(source, 1) == FRAMES[:1]
        source.set_filter("tcp")
        wire.send(FRAMES)
        assert frames_of(source, 1) == FRAMES[1:2]
        source.set_filter(None)
        wire.send(FRAMES)
        assert frames_of(source, 3) == FRAMES


@pytest.mark.parametrize("capture", ["libpcap", "ring"])
def test_flows_are_the_same_whatever_captures_them(wire: Wire, capture: Literal["libpcap", "ring"]) -> None:
    live = LiveSettings(capture=capture, poll_timeout_ms=10)
    with in_namespace(wire.namespace, lambda: flows(interface=Wire.right, live=live, count=3)) as reading:
        wire.send(FRAMES)
        found = [(event.client_port, event.server_port, event.client_packet_count) for event in reading]
    assert sorted(found) == [(4_000, 53, 1), (4_001, 80, 1), (4_002, 9, 1)]


@pytest.mark.parametrize(
    "asked", [{"fanout_group": 1}, {"namespace": "lan"}, {"timestamps": "hardware"}, {"snaplen_bytes": 128}]
)
def test_what_libpcap_cannot_do_is_refused_by_name(asked: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=f"live.{next(iter(asked))}: capture by libpcap cannot do this"):
        open_live("lo", settings=LiveSettings(capture="libpcap", **asked))  # type: ignore[arg-type]


def test_a_missing_interface_is_named() -> None:
    with pytest.raises(SourceError, match="nowhere0: libpcap cannot open it"):
        open_live("nowhere0", settings=SETTINGS)
