"""Reading ahead in a second thread gives what reading gives."""

import os
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import lapwing
from lapwing.events import Event
from lapwing.io.capture import LANES, CaptureSource, ReadAhead, may_wait, open_capture, worth_reading_ahead
from lapwing.sessions import RunKeys
from lapwing.testing import START_NS, TimedFrame, pcap, udp_frame


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A capture of several chunks, its packets of very different sizes."""
    sizes = np.random.default_rng(1).integers(1, 1_400, 6_000).tolist()
    frames = [
        TimedFrame(
            START_NS + 1_000 * number, udp_frame("192.0.2.1", 4_000, "192.0.2.2", 53, bytes([number & 255]) * size)
        )
        for number, size in enumerate(sizes)
    ]
    capture = tmp_path / "in.pcap"
    capture.write_bytes(pcap(frames, nanoseconds=True))
    return capture


def packets_of(source: CaptureSource | ReadAhead) -> list[tuple[int, bytes]]:
    found = []
    while (batch := source.next_batch()) is not None:
        for row in batch.packets[: batch.count]:
            start = int(row["payload_off"])
            found.append((int(row["ts_ns"]), bytes(batch.buffer[start : start + int(row["payload_captured"])])))
    return found


def test_packets_and_their_bytes_are_those_of_plain_reading(path: Path) -> None:
    with open_capture(path) as source:
        plain = packets_of(source)
    with ReadAhead(open_capture(path, lanes=LANES)) as ahead:
        assert packets_of(ahead) == plain
        assert ahead.next_batch() is None
        assert ahead.source.statistics()["packets"] == len(plain) == 6_000


def test_a_batch_stays_valid_while_others_are_read_ahead(path: Path) -> None:
    with ReadAhead(open_capture(path, lanes=LANES)) as ahead:
        batch = ahead.next_batch()
        assert batch is not None
        before = (batch.packets.tobytes(), bytes(batch.buffer))
        for _ in range(50):  # the thread runs until every other lane is filled
            if ahead._full.qsize() == LANES - 1:
                break
            threading.Event().wait(0.02)
        assert ahead._full.qsize() == LANES - 1
        assert (batch.packets.tobytes(), bytes(batch.buffer)) == before


def test_closing_early_ends_the_thread_and_closes_the_file(path: Path) -> None:
    source = open_capture(path, lanes=LANES)
    with ReadAhead(source) as ahead:
        ahead.next_batch()
    assert not [thread for thread in threading.enumerate() if thread.name == "lapwing-read-ahead"]
    assert source._file._descriptor == -1


def test_what_reading_raises_is_raised_to_the_taker(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = open_capture(path, lanes=LANES)

    def broken() -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(source, "next_batch", broken)
    with ReadAhead(source) as ahead, pytest.raises(MemoryError, match="no room"):
        ahead.next_batch()


def test_closing_does_not_wait_for_an_idle_pipe() -> None:
    reading, writing = os.pipe()
    os.write(writing, pcap([TimedFrame(START_NS, udp_frame("192.0.2.1", 1, "192.0.2.2", 2, b"x"))]))
    with ReadAhead(open_capture(f"/dev/fd/{reading}", lanes=LANES)) as ahead:
        batch = ahead.next_batch()
        assert batch is not None
        assert batch.count == 1
    os.close(writing)
    os.close(reading)


def test_counters_and_damage_are_those_of_the_batch_that_was_taken(path: Path) -> None:
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 40_000] = b"\xff" * 40_000
    path.write_bytes(data)
    seen = []
    with open_capture(path) as source:
        while source.next_batch() is not None:
            seen.append((source.statistics(), source.damage, source.progress()))
        seen.append((source.statistics(), source.damage, source.progress()))
    assert seen[0][1] == []
    assert seen[-1][1] != []
    with ReadAhead(open_capture(path, lanes=LANES)) as ahead:
        for expected in seen:
            ahead.next_batch()
            assert (ahead.statistics(), ahead.damage, ahead.progress()) == expected


def test_only_large_files_are_read_ahead(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    assert not worth_reading_ahead(str(path))
    monkeypatch.setattr("lapwing.io.capture.ahead.WORTH_BYTES", path.stat().st_size)
    assert worth_reading_ahead(str(path))
    assert not worth_reading_ahead(str(path.parent))
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {1})
    assert not worth_reading_ahead(str(path))


def test_pipes_are_always_read_by_a_thread_so_that_waiting_for_them_can_end(tmp_path: Path, path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert may_wait(str(tmp_path / "pipe"))
    assert worth_reading_ahead(str(tmp_path / "pipe"))
    assert not may_wait(str(path))
    assert not may_wait(str(tmp_path / "nowhere"))


def test_who_waits_for_a_quiet_pipe_can_be_told_to_stop(path: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=_say_and_stay_open, args=(pipe, path.read_bytes(), stay := threading.Event()))
    writer.start()
    with ReadAhead(open_capture(pipe, lanes=LANES)) as ahead:
        threading.Timer(0.3, ahead.stop).start()
        found = packets_of(ahead)
        assert ahead.statistics()["packets"] == len(found)
    stay.set()
    writer.join()


def _say_and_stay_open(pipe: Path, data: bytes, stay: threading.Event) -> None:
    with suppress(BrokenPipeError), pipe.open("wb") as out:
        out.write(data)
        out.flush()
        stay.wait()


@pytest.mark.parametrize("count", [None, 1, 1_500])
def test_a_reading_tells_the_same_whether_or_not_it_reads_ahead(
    path: Path, monkeypatch: pytest.MonkeyPatch, count: int | None
) -> None:
    def told() -> tuple[list[Event], list[dict[str, int]]]:
        with lapwing.read(path, count=count, keys=RunKeys(bytes(16), bytes(32))) as reading:
            events, counters = [], []
            for some in reading.lists():
                events += some
                counters.append(reading.statistics())
            return events, counters

    plain = told()
    monkeypatch.setattr("lapwing.io.capture.ahead.WORTH_BYTES", 0)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    assert told() == plain


def test_a_reading_that_is_stopped_counts_what_it_took(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lapwing.io.capture.ahead.WORTH_BYTES", 0)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    with lapwing.read(path) as reading:
        for _ in reading.lists():
            if reading.statistics()["flows.packets"]:
                reading.stop()
        counters = reading.statistics()
    assert 0 < counters["capture.packets"] == counters["flows.packets"] < 6_000
