"""Settings are one value: whichever way a reading is asked for, each of them has its effect."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

import lapwing
from lapwing.app.sharding import shard_flows
from lapwing.events import Event, FlowClosed
from lapwing.flows import FlowSettings
from lapwing.io.capture import DedupSettings
from lapwing.sessions import PipelineSettings
from lapwing.testing import START_NS, TimedFrame, ethernet, ip, pcap, udp, udp_frame
from tests.app.conftest import Lapwing

A, B = "192.0.2.1", "198.51.100.2"
SECOND_NS = 10**9
CHANGED: dict[str, Any] = {
    "idle_timeout_udp_s": 5.0,
    "max_flows": 3,
    "key_also": ("vlan",),
    "features": True,
    "early_packets": 2,
    "tunnel_depth": 0,
}


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """A flow that pauses ten seconds, on two networks, beside a tunnel, and four others that crowd the table."""
    inside = ethernet(ip(A, B, 4, ip("203.0.113.1", "203.0.113.2", 17, udp(7, 8, b"inner"))))
    frames = [udp_frame(A, 1_000, B, 2_000, b"x", vlans=(vlan,)) for vlan in (5, 6)]
    frames += [inside, *(udp_frame(A, 1_000 + port, B, 2_000, b"x") for port in range(1, 5))]
    timed = [TimedFrame(START_NS + at * SECOND_NS, frame) for at in (0, 10) for frame in frames]
    path = tmp_path / "in.pcap"
    path.write_bytes(pcap(timed, nanoseconds=True))
    return path


Fact = tuple[str, str, str, int]


def fact(event: FlowClosed) -> Fact:
    early = len(event.features.early_bytes) if event.features is not None else -1
    return event.client_ip, event.tag, event.reason.value, early


def facts(events: list[Event]) -> list[Fact]:
    return sorted(fact(event) for event in events if isinstance(event, FlowClosed))


def by_read(path: Path, settings: FlowSettings) -> list[Fact]:
    return facts(list(lapwing.read(path, settings=PipelineSettings(flows=settings))))


def by_stream(path: Path, settings: FlowSettings) -> list[Fact]:
    async def collect() -> list[Event]:
        return [event async for event in lapwing.stream(path, settings=PipelineSettings(flows=settings))]

    return facts(asyncio.run(collect()))


def by_flows(path: Path, settings: FlowSettings) -> list[Fact]:
    return sorted(map(fact, lapwing.flows(path, settings=settings)))


def by_columns(path: Path, settings: FlowSettings) -> list[Fact]:
    rows = lapwing.flows(path, settings=settings).to_arrow().to_pylist()
    kept = [len(row.get("early_bytes", ())) if "client_syn_count" in row else -1 for row in rows]
    return sorted((row["client_ip"], row["tag"], row["reason"], early) for row, early in zip(rows, kept, strict=True))


FRONTS: list[Callable[[Path, FlowSettings], list[Fact]]] = [by_read, by_stream, by_flows, by_columns]


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("left_out", [None, *CHANGED])
def test_every_front_gives_the_records_of_the_same_settings(
    capture: Path, front: Callable[[Path, FlowSettings], list[Fact]], left_out: str | None
) -> None:
    chosen = {name: value for name, value in CHANGED.items() if name != left_out}
    if left_out == "features":
        del chosen["early_packets"]
    settings = FlowSettings(**chosen)
    told = front(capture, settings)
    assert told == by_flows(capture, settings)
    if left_out is not None:
        assert told != front(capture, FlowSettings(**CHANGED)), f"{left_out} changes nothing here"
    assert told == front(capture, FlowSettings(**dict(reversed(chosen.items()))))


def test_workers_have_the_settings_too(capture: Path) -> None:
    settings = FlowSettings(
        **{name: value for name, value in CHANGED.items() if name not in ("features", "early_packets")}
    )
    alone = sum(len(part) for part in lapwing.flows(capture, settings=settings).records())
    with shard_flows(capture, settings=settings, workers=1) as sharded:
        assert sum(len(part) for _, part in sharded.records()) == alone
    assert alone > sum(len(part) for part in lapwing.flows(capture).records())


def test_a_file_and_the_environment_set_what_code_sets(
    lapwing: Lapwing, capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> list[Fact]:
        lines = lapwing("read", capture, "--events", "flow", "-o", "ndjson").out.splitlines()
        return facts([msgspec.json.decode(line, type=FlowClosed) for line in lines if "flow.closed" in line])

    wanted = by_flows(capture, FlowSettings(**CHANGED))
    config = tmp_path / "lapwing.toml"
    config.write_text("[flows]\n" + "\n".join(f"{name} = {json.dumps(value)}" for name, value in CHANGED.items()))
    assert told() != wanted
    monkeypatch.setenv("LAPWING_CONFIG", str(config))
    assert told() == wanted
    monkeypatch.delenv("LAPWING_CONFIG")
    for name, value in CHANGED.items():
        monkeypatch.setenv(f"LAPWING_FLOWS__{name.upper()}", json.dumps(value))
    assert told() == wanted


def test_no_argument_beside_the_settings_loses_them(capture: Path) -> None:
    settings = FlowSettings(**CHANGED)
    plain = by_flows(capture, settings)
    more: dict[str, Any] = {"filter": "greater 1", "count": 1_000, "idle": lambda key: None, "dedup": DedupSettings()}
    assert sorted(map(fact, lapwing.flows(capture, settings=settings, **more))) == plain
    assert facts(list(lapwing.read(capture, settings=PipelineSettings(flows=settings), **more))) == plain
