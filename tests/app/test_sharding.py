"""Several processes find what one finds."""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import lapwing
from lapwing.app.shard_worker import SLOT_ROWS, SLOTS, Share, memory_bytes, work
from lapwing.app.sharding import shard_flows
from lapwing.events import AuthUnanswered, SettingsError, SourceError
from lapwing.flows import CLOSE_REASONS, RECORD_DTYPE, FlowSettings
from lapwing.io.capture import LiveSettings
from lapwing.sessions import PipelineSettings, SessionSettings
from lapwing.testing import START_NS, TcpConversation, TimedFrame, pcap, udp_frame
from tests.io.wires import Wire, needs_wires, wire
from tests.patience import ENOUGH_S

__all__ = ["wire"]

SECOND = 1_000_000_000
SAME = [name for name in RECORD_DTYPE.names or () if name != "flow_id"]


@pytest.fixture
def captures(tmp_path: Path) -> list[Path]:
    """Three captures with flows of their own."""
    found = []
    for file in range(3):
        frames = [
            TimedFrame(
                START_NS + number, udp_frame("192.0.2.1", 10_000 + 100 * file + number % 50, "192.0.2.2", 53, b"x")
            )
            for number in range(5_000)
        ]
        found.append(tmp_path / f"{file}.pcap")
        found[-1].write_bytes(pcap(frames, nanoseconds=True))
    return found


def single_packets(folder: Path, count: int) -> Path:
    """A capture of `count` packets, each a flow of its own."""
    frames = [
        TimedFrame(START_NS + number, udp_frame(f"192.0.2.{number >> 13}", 1_024 + (number & 8_191), "192.0.2.99", 53))
        for number in range(count)
    ]
    path = folder / "many.pcap"
    path.write_bytes(pcap(frames, nanoseconds=True))
    return path


def counted(rows: list[np.ndarray]) -> Counter[tuple[object, ...]]:
    return Counter(row for part in rows for row in part[SAME].tolist())


def test_the_records_are_those_of_one_process(captures: list[Path]) -> None:
    alone = counted([part.copy() for path in captures for part in lapwing.flows(path).records()])
    with shard_flows(*captures, workers=2) as sharded:
        together = [(worker, part.copy()) for worker, part in sharded.records()]
    assert counted([part for _, part in together]) == alone
    assert {worker for worker, _ in together} == {0, 1}
    assert sharded.statistics()["flows.packets"] == 15_000
    assert sharded.failed == []


def test_a_worker_that_cannot_read_is_named_and_the_others_go_on(captures: list[Path], tmp_path: Path) -> None:
    bad = tmp_path / "bad.pcap"
    bad.write_bytes(b"no capture at all")
    with shard_flows(captures[0], bad, workers=2) as sharded:
        assert sum(len(part) for _, part in sharded.records()) == 50
    assert len(sharded.failed) == 1
    assert "bad.pcap" in sharded.failed[0]
    with shard_flows(bad, workers=2) as sharded, pytest.raises(SourceError, match=r"bad\.pcap"):
        list(sharded.records())


def test_closing_early_ends_the_workers(captures: list[Path]) -> None:
    sharded = shard_flows(*captures, workers=2)
    sharded.close()
    assert not any(worker.is_alive() for worker in sharded._workers)


def test_records_are_handed_over_whole_however_many_there_are(tmp_path: Path) -> None:
    count = 3 * SLOTS * SLOT_ROWS + 5
    path = single_packets(tmp_path, count)
    settings = FlowSettings(features=True)
    alone = np.concatenate([part.copy() for part in lapwing.flows(path, settings=settings).records()])
    with shard_flows(path, workers=1, settings=settings) as sharded:
        found = [part.copy() for _, part in sharded.records()]
    assert max(len(part) for part in found) == SLOT_ROWS
    together = np.concatenate(found)
    assert len(together) == count
    for name in together.dtype.names or ():
        assert np.array_equal(together[name], alone[name]), name


def test_closing_ends_a_worker_that_waits_for_its_reader(tmp_path: Path) -> None:
    path = single_packets(tmp_path, (SLOTS + 1) * SLOT_ROWS)
    with shard_flows(path, workers=1) as sharded:
        next(iter(sharded.records()))
        (worker,) = sharded._workers
    assert worker.exitcode == 0


def test_ctrl_c_is_the_parents_matter(captures: list[Path]) -> None:
    with shard_flows(*captures, workers=2) as sharded:
        for worker in sharded._workers:
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGINT)
        assert sum(len(part) for _, part in sharded.records()) == 150
    assert [worker.exitcode for worker in sharded._workers] == [0, 0]


def test_no_worker_outlives_its_parent(captures: list[Path]) -> None:
    ours, theirs = multiprocessing.Pipe()
    share = Share((str(captures[0]),))
    memory = multiprocessing.get_context("spawn").RawArray("b", memory_bytes(share))
    worker = multiprocessing.get_context("spawn").Process(target=work, args=(theirs, share, memory))
    worker.start()
    theirs.close()
    assert ours.recv() == ("ready", None)
    ours.close()
    worker.join(ENOUGH_S)
    assert worker.exitcode == 0


def test_a_worker_brings_no_parsers_and_no_detection_with_it() -> None:
    found = (
        "[name for name in sys.modules if name.startswith(('lapwing.sessions', 'lapwing.protocols', 'lapwing.detect'))]"
    )
    program = f"import sys, lapwing.app.shard_worker; print({found})"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout == b"[]\n"


def test_what_a_worker_prints_is_not_lost_when_it_ends(captures: list[Path], tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import sys\n"
        "from lapwing.app.sharding import shard_flows\n"
        "print('imported')\n"
        "if __name__ == '__main__':\n"
        "    with shard_flows(sys.argv[1], workers=1) as sharded:\n"
        "        assert sum(len(part) for _, part in sharded.records()) == 50\n"
    )
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = [sys.executable, str(program), str(captures[0])]
    said = subprocess.run(command, capture_output=True, check=True, env=buffered).stdout
    assert said.split() == [b"imported", b"imported"]


def test_a_flow_that_falls_silent_is_told_in_time_by_every_worker(tmp_path: Path) -> None:
    paths = []
    for file in range(2):
        frames = [TimedFrame(START_NS, udp_frame("192.0.2.1", 10_000 + file, "192.0.2.2", 53, b"x"))]
        other = udp_frame("192.0.2.3", 20_000 + file, "192.0.2.2", 53, b"x")
        frames += [TimedFrame(START_NS + 1 + second * SECOND, other) for second in range(600)]
        paths.append(tmp_path / f"{file}.pcap")
        paths[-1].write_bytes(pcap(frames, nanoseconds=True))
    with shard_flows(*paths, workers=2) as sharded:
        found: dict[int, list[tuple[int, str]]] = {0: [], 1: []}
        for worker, part in sharded.records():
            found[worker] += [(int(row["client_port"]), CLOSE_REASONS[row["close_reason"]]) for row in part]
    assert found == {file: [(10_000 + file, "idle"), (20_000 + file, "flush")] for file in range(2)}


@needs_wires
def test_on_an_interface_every_worker_tells_of_silence_by_its_clock(wire: Wire) -> None:
    live = LiveSettings(namespace=wire.namespace, profile="low-latency", poll_timeout_ms=10)
    quick = FlowSettings(idle_timeout_udp_s=1)
    told: dict[int, set[int]] = {0: set(), 1: set()}
    with shard_flows(interface=Wire.right, live=live, settings=quick, workers=2) as sharded:
        frames = [udp_frame("192.0.2.1", 10_000 + port, "192.0.2.2", 53, b"x") for port in range(64)]
        for turn, (worker, part) in enumerate(sharded.records()):
            if not turn:
                wire.send(frames)  # and never again: nothing but the clock ends them
            told[worker] |= {int(row["client_port"]) for row in part if CLOSE_REASONS[row["close_reason"]] == "idle"}
            if len(told[0] | told[1]) == len(frames):
                sharded.stop()
    assert told[0]
    assert told[1]
    assert told[0] | told[1] == set(range(10_000, 10_064))


@needs_wires
def test_each_reading_of_a_fanout_group_tells_in_time_what_stands_silent(wire: Wire) -> None:
    live = LiveSettings(namespace=wire.namespace, profile="low-latency", poll_timeout_ms=10, fanout_group=78)
    quick = PipelineSettings(sessions=SessionSettings(unanswered_after_s=1))
    talks = [TcpConversation(client_port=40_000 + number, server_port=110).handshake() for number in range(16)]
    for talk in talks:
        talk.server(b"+OK POP3\r\n").client(b"USER ana\r\n").server(b"+OK\r\n").client(b"PASS hunter22\r\n")
    told: list[set[int | None]] = [set(), set()]
    with (
        lapwing.read(interface=Wire.right, live=live, settings=quick, events=("auth",)) as first,
        lapwing.read(interface=Wire.right, live=live, settings=quick, events=("auth",)) as second,
    ):
        wire.send([frame.frame for talk in talks for frame in talk.frames])
        for lists in zip(first.lists(), second.lists(), strict=False):
            for ports, events in zip(told, lists, strict=True):
                ports |= {event.client_port for event in events if isinstance(event, AuthUnanswered)}
            if len(told[0] | told[1]) == len(talks):
                break
    assert told[0]
    assert told[1]
    assert not told[0] & told[1]


def test_a_number_of_workers_out_of_range_is_refused(captures: list[Path]) -> None:
    with pytest.raises(SettingsError, match="workers: 0"):
        shard_flows(*captures, workers=0)


@needs_wires
def test_an_interface_is_divided_by_flow(wire: Wire) -> None:
    live = LiveSettings(namespace=wire.namespace, profile="low-latency", poll_timeout_ms=10)
    with shard_flows(interface=Wire.right, live=live, workers=2) as sharded:
        parts: dict[int, list[np.ndarray]] = {0: [], 1: []}
        frames = [udp_frame("192.0.2.1", 10_000 + port, "192.0.2.2", 53, b"x") for port in range(64)]
        for turn, (worker, part) in enumerate(sharded.records()):
            if turn < 400:
                wire.send(frames)
            if turn == 400:
                sharded.stop()
            parts[worker].append(part.copy())
    ports = [{int(port) for part in found for port in part["client_port"]} for found in parts.values()]
    assert ports[0] | ports[1] == set(range(10_000, 10_064))
    assert not ports[0] & ports[1]
