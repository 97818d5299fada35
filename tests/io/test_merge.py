"""Captures read together are as if they had been one."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lapwing
from lapwing.events import FlowClosed, SourceError
from lapwing.io.capture import CaptureSource, MergedSource, open_capture
from lapwing.sessions import RunKeys
from lapwing.testing import START_NS, TimedFrame, interleave, pcap, udp_frame
from tests.app.traffic import web_login

KEYS = RunKeys(bytes(16), bytes(32))


def packets_of(source: CaptureSource | MergedSource) -> list[tuple[int, int, bytes, bytes]]:
    found = []
    while (batch := source.next_batch()) is not None:
        for row in batch.packets[: batch.count]:
            frame, payload = int(row["frame_off"]), int(row["payload_off"])
            found.append(
                (
                    int(row["ts_ns"]),
                    int(row["src_port"]),
                    bytes(batch.buffer[frame : frame + int(row["captured"])]),
                    bytes(batch.buffer[payload : payload + int(row["payload_captured"])]),
                )
            )
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.lists(st.integers(0, 60), max_size=40), min_size=1, max_size=4))
def test_packets_come_in_order_of_time_with_their_own_bytes(tmp_path: Path, legs: list[list[int]]) -> None:
    everything: list[TimedFrame] = []
    sources = []
    for number, times in enumerate(legs):
        frames = [
            TimedFrame(
                START_NS + at, udp_frame("192.0.2.1", 1_000 * (number + 1) + place, "192.0.2.2", 9, bytes([at]) * at)
            )
            for place, at in enumerate(sorted(times))
        ]
        everything += frames
        path = tmp_path / f"{number}.pcap"
        path.write_bytes(pcap(frames, nanoseconds=True))
        sources.append(open_capture(path))
    whole = tmp_path / "whole.pcap"
    whole.write_bytes(pcap(sorted(everything, key=lambda timed: timed.ts_ns), nanoseconds=True))
    with MergedSource(sources) as merged, open_capture(whole) as one:
        assert packets_of(merged) == packets_of(one)
        assert merged.statistics()["packets"] == len(everything)


def test_more_than_a_batch_of_each_is_merged(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    sources = []
    for leg in range(3):
        times = np.sort(rng.integers(0, 10**9, 4_000)).tolist()
        frames = [TimedFrame(START_NS + at, udp_frame("192.0.2.1", leg + 1, "192.0.2.2", 9, b"x" * 50)) for at in times]
        (tmp_path / f"{leg}.pcap").write_bytes(pcap(frames, nanoseconds=True))
        sources.append(open_capture(tmp_path / f"{leg}.pcap"))
    with MergedSource(sources) as merged:
        times = [ts for ts, *_ in packets_of(merged)]
    assert len(times) == 12_000
    assert times == sorted(times)


@pytest.fixture
def legs(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A conversation by direction, and whole."""
    frames = interleave(*[web_login(number, accepted=False) for number in range(5)])
    client = [one for one in frames if one.frame[26:30] == bytes((192, 0, 2, 7))]
    paths = (tmp_path / "client.pcap", tmp_path / "server.pcap", tmp_path / "whole.pcap")
    for path, part in zip(paths, (client, [one for one in frames if one not in client], frames), strict=True):
        path.write_bytes(pcap(part, nanoseconds=True))
    return paths


def test_the_legs_of_a_tap_give_the_events_of_the_whole(legs: tuple[Path, Path, Path]) -> None:
    client, server, whole = legs
    families = ("flow", "session", "auth", "finding")
    merged = list(lapwing.read(client, server, events=families, merge=True, keys=KEYS))
    assert merged == list(lapwing.read(whole, events=families, keys=KEYS))
    assert len([event for event in merged if isinstance(event, FlowClosed)]) == 5


def test_a_leg_that_cannot_be_read_is_named(legs: tuple[Path, Path, Path], tmp_path: Path) -> None:
    bad = tmp_path / "bad.pcap"
    bad.write_bytes(b"none")
    with pytest.raises(SourceError, match=r"bad\.pcap"):
        list(lapwing.read(legs[0], bad, merge=True))
