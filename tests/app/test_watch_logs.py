"""`watch` on logs: events as lines come, through rotation, until it is told to stop."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import Any

import pytest

from lapwing import LogWatching, watch_logs
from lapwing.app import log_watching
from lapwing.app.exit_codes import ExitCode
from lapwing.events import (
    AnomalySeen,
    AuthResolved,
    Event,
    FindingClosed,
    SensorEnded,
    SensorFailed,
    SensorStarted,
    SourceError,
)
from lapwing.testing import pcap
from tests.patience import ENOUGH_S

from .conftest import start
from .logs import ATTACKER, access_line


def lines_of(count: int, begin: int = 0) -> str:
    return "".join(access_line(ATTACKER, begin + number, 401) + "\n" for number in range(count))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "access.log").write_text(lines_of(5))
    return tmp_path / "access.log"


def take(events: Iterator[Event], count: int) -> list[AuthResolved]:
    """The next logins; reading them waits until they were written."""
    found: list[AuthResolved] = []
    while len(found) < count:
        event = next(events)
        if isinstance(event, AuthResolved):
            found.append(event)
    return found


def rest(watching: LogWatching) -> list[Event]:
    watching.stop()
    return list(watching)


def test_logins_are_told_as_they_are_written(path: Path) -> None:
    with watch_logs(path) as watching:
        assert isinstance(next(watching), SensorStarted)
        with path.open("a") as log:
            log.write(lines_of(3, 10))
        assert len(take(watching, 3)) == 3
        assert not any(isinstance(event, AuthResolved) for event in rest(watching))


def test_what_was_there_is_read_when_asked(path: Path) -> None:
    with watch_logs(path, from_start=True) as watching:
        assert len(take(watching, 5)) == 5


def test_rotation_is_followed(path: Path) -> None:
    with watch_logs(path, from_start=True) as watching:
        take(watching, 5)
        path.rename(path.with_suffix(".log.1"))
        path.write_text(lines_of(2, 20))
        assert len(take(watching, 2)) == 2
        assert watching.statistics()["logs.rotations"] == 1


def test_a_cut_log_is_told_as_a_loss(path: Path) -> None:
    with watch_logs(path, from_start=True) as watching:
        take(watching, 5)
        path.write_text(lines_of(2, 20))
        take(watching, 2)
        told = rest(watching)
        assert watching.damaged
    assert "logs.truncated" in {event.kind for event in told if isinstance(event, AnomalySeen)}


def test_the_next_run_goes_on_where_the_last_one_stopped(path: Path, tmp_path: Path) -> None:
    positions = tmp_path / "positions"
    with watch_logs(path, from_start=True, positions=positions) as watching:
        take(watching, 5)
        rest(watching)
    with path.open("a") as log:
        log.write(lines_of(3, 30))
    with watch_logs(path, positions=positions) as watching:
        times = [event.ts_ns for event in take(watching, 3)]
        assert not any(isinstance(event, AuthResolved) for event in rest(watching))
    assert len(set(times)) == 3


def test_a_file_that_was_packed_since_the_last_run_is_told_as_a_loss(path: Path, tmp_path: Path) -> None:
    positions = tmp_path / "positions"
    for lost in (False, True):
        with watch_logs(path, from_start=True, positions=positions) as watching:
            told = rest(watching)
        assert ("logs.place_lost" in {event.kind for event in told if isinstance(event, AnomalySeen)}) == lost
        path.rename(tmp_path / "access.log.1.gz")
        (tmp_path / "access.log.1.gz").write_bytes(b"\x1f\x8b")
        path.write_text(lines_of(2, 30))


def test_stopping_reads_what_is_there_and_closes_findings(path: Path) -> None:
    with watch_logs(path, from_start=True) as watching:
        with path.open("a") as log:
            log.write(lines_of(200, 10))
        told = rest(watching)
    assert sum(isinstance(event, AuthResolved) for event in told) == 205
    assert any(isinstance(event, FindingClosed) for event in told)
    assert isinstance(told[-1], SensorEnded)


def test_stopping_from_another_thread_ends_the_wait(path: Path) -> None:
    with watch_logs(path) as watching:
        next(watching)
        stopper = Thread(target=watching.stop)
        stopper.start()
        assert isinstance(list(watching)[-1], SensorEnded)
        stopper.join()


def watch_and_stop_at(path: Path, moment: int) -> list[Event]:
    """Watch, and stop in the middle of whatever line is run at that moment, as a handler of a signal does."""
    told: list[Event] = []
    passed = 0

    def run() -> None:
        with watch_logs(path) as watching:

            def look(frame: FrameType, event: str, _argument: Any) -> Any:
                nonlocal passed
                passed += event == "line" and frame.f_code.co_filename in (threading.__file__, log_watching.__file__)
                if passed == moment:
                    sys.settrace(None)
                    watching.stop()
                return look

            sys.settrace(look)
            told.extend(watching)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(ENOUGH_S)
    assert not thread.is_alive(), f"a stop at moment {moment} is waited for without end"
    return told


def test_a_signal_may_come_at_any_moment(path: Path) -> None:
    for moment in range(1, 61):
        assert isinstance(watch_and_stop_at(path, moment)[-1], SensorEnded)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_however_it_is_ended_what_is_open_is_told(path: Path, number: signal.Signals) -> None:
    with start("watch", path, "--events", "sensor", "-o", "ndjson", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert b"sensor.started" in process.stdout.readline()
        process.send_signal(number)
        assert b"sensor.ended" in process.stdout.read()
        assert process.wait(ENOUGH_S) == ExitCode.CLEAN


def until(events: Iterator[Event], kind: type[Event]) -> list[Event]:
    """The next events, the last of them of that kind."""
    told = [next(events)]
    while not isinstance(told[-1], kind):
        told.append(next(events))
    return told


def failures(told: list[Event]) -> list[tuple[str, str]]:
    return [(event.source, event.detail) for event in told if isinstance(event, SensorFailed)]


def test_positions_that_cannot_be_written_are_told_once_and_written_when_they_can(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_watching, "SAVE_S", 0.0)
    positions = tmp_path / "later" / "positions"
    with watch_logs(path, positions=positions) as watching:
        told = until(watching, SensorFailed)
        with path.open("a") as log:
            log.write(lines_of(3, 10))
        assert len(take(watching, 3)) == 3
        positions.parent.mkdir()
        told += rest(watching)
    assert failures(told) == [(str(positions), "cannot be written: No such file or directory")]
    assert isinstance(told[-1], SensorEnded)
    assert positions.exists()


def test_positions_that_cannot_be_written_at_the_end_cost_no_event(path: Path, tmp_path: Path) -> None:
    positions = tmp_path / "never" / "positions"
    with watch_logs(path, positions=positions) as watching:
        told = until(watching, SensorStarted) + rest(watching)
    assert failures(told) == [(str(positions), "cannot be written: No such file or directory")]
    assert isinstance(told[-1], SensorEnded)


def test_a_log_that_cannot_be_followed_for_a_while_is_told_and_then_followed(path: Path, tmp_path: Path) -> None:
    with watch_logs(path) as watching:
        until(watching, SensorStarted)
        for round_ in range(2):
            path.rename(tmp_path / f"access.log.{round_}")
            path.symlink_to(path)  # a loop: it cannot even be looked at
            assert failures(until(watching, SensorFailed)) == [
                (str(path), "cannot be followed: Too many levels of symbolic links")
            ]
            path.unlink()
            path.write_text(lines_of(3, 20))
            assert len(take(watching, 3)) == 3


def test_a_log_whose_name_is_no_utf8_is_followed_and_its_place_remembered(path: Path, tmp_path: Path) -> None:
    log, positions = tmp_path / os.fsdecode(b"caf\xe9.log"), tmp_path / "positions"
    path.rename(log)
    with watch_logs(log, positions=positions, from_start=True) as watching:
        told = rest(watching)
    assert {event.source for event in told if isinstance(event, SensorEnded)} == {str(tmp_path / r"caf\xe9.log")}
    assert not failures(told)
    with log.open("a") as more:
        more.write(lines_of(2, 10))
    with watch_logs(log, positions=positions) as watching:
        assert len([event for event in rest(watching) if isinstance(event, AuthResolved)]) == 2


def test_a_capture_is_no_log_to_follow(tmp_path: Path) -> None:
    capture = tmp_path / "in.pcap"
    capture.write_bytes(pcap([]))
    with pytest.raises(SourceError, match=r"in\.pcap: is a capture; `lapwing read` reads it"):
        watch_logs(capture)


def test_more_logs_than_can_be_followed_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_watching, "MAX_LOGS", 2)
    with pytest.raises(SourceError, match="3 logs at once; 2 can be followed"):
        watch_logs(*(tmp_path / name for name in "abc"))


def test_a_log_that_is_not_there_is_named(tmp_path: Path) -> None:
    with start("watch", tmp_path / "acces.log", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert b"acces.log: is not there yet" in process.stderr.readline()
        process.terminate()
        process.communicate(timeout=ENOUGH_S)


def test_the_command_tells_a_finding_while_the_log_grows_and_ends_by_interrupt(path: Path) -> None:
    with start("watch", path, "--events", "all", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, b"")
        assert b"sensor.started" in next(lines)
        with path.open("a") as log:
            log.write(lines_of(60, 10))
        found = next(line for line in lines if b"finding.raised" in line)
        assert ATTACKER.encode() in found
        process.send_signal(signal.SIGINT)
        left = list(lines)
        assert process.wait(60) == ExitCode.CLEAN
    assert any(b"finding.closed" in line for line in left)
