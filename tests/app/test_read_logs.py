"""`read` on logs: the same events, outputs and exit codes as for captures."""

import gzip
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from select import select
from zoneinfo import ZoneInfo

import msgspec
import pytest

from lapwing import read_logs
from lapwing.app.exit_codes import ExitCode
from lapwing.events import (
    AnomalySeen,
    AuthResolved,
    Finding,
    SensorEnded,
    SensorFailed,
    SensorStarted,
    SettingsError,
    SourceError,
)
from lapwing.logins.logs import LogSettings
from lapwing.sessions import PipelineSettings
from tests.patience import ENOUGH_S

from .conftest import Lapwing, start
from .logs import ATTACKER, USERS, access_line, sshd_lines

WRITTEN = datetime(2026, 5, 2, tzinfo=UTC).timestamp()


@pytest.fixture
def auth_log(tmp_path: Path) -> Path:
    path = tmp_path / "auth.log"
    path.write_text("\n".join(sshd_lines()) + "\n")
    os.utime(path, (WRITTEN, WRITTEN))
    return path


def test_an_attack_in_a_log_is_found_and_nobody_else_is_accused(auth_log: Path) -> None:
    events = list(read_logs(auth_log))
    findings = [event for event in events if isinstance(event, Finding)]
    assert ATTACKER in {source for finding in findings for source in (finding.subject, *finding.sources)}
    assert not {source for finding in findings for source in (finding.subject, *finding.sources)} & set(USERS)


def test_events_are_numbered_without_holes(auth_log: Path) -> None:
    assert [event.seq for event in read_logs(auth_log)] == list(range(1, len(list(read_logs(auth_log))) + 1))


def test_the_year_is_that_of_the_files_writing(auth_log: Path) -> None:
    logins = [event for event in read_logs(auth_log) if isinstance(event, AuthResolved)]
    assert datetime.fromtimestamp(logins[0].ts_ns // 10**9, UTC) == datetime(2026, 5, 1, 10, tzinfo=UTC)
    kinds = {event.kind for event in read_logs(auth_log) if isinstance(event, AnomalySeen)}
    assert kinds == {"logs.year_assumed", "logs.zone_assumed"}


def test_the_year_can_be_told(auth_log: Path) -> None:
    settings = PipelineSettings(logs=LogSettings(year=2019))
    first = next(event for event in read_logs(auth_log, settings=settings) if isinstance(event, AuthResolved))
    assert datetime.fromtimestamp(first.ts_ns // 10**9, UTC).year == 2019


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def test_the_first_and_the_last_day_of_the_year_told_are_in_it(tmp_path: Path, zone: str) -> None:
    days = ("Jan  1 00:30:00", "Jan  1 23:30:00", "Dec 31 00:30:00", "Dec 31 23:30:00")
    line = "host sshd[7]: Failed password for root from 192.0.2.7 port 22 ssh2"
    (tmp_path / "auth.log").write_text("".join(f"{day} {line}\n" for day in days))
    settings = PipelineSettings(logs=LogSettings(year=2019, time_zone=zone))
    logins = [event for event in read_logs(tmp_path / "auth.log", settings=settings) if isinstance(event, AuthResolved)]
    assert [datetime.fromtimestamp(login.ts_ns // 10**9, ZoneInfo(zone)).year for login in logins] == [2019] * 4


@pytest.fixture
def vienna(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Vienna")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("vienna")
def test_local_times_have_the_offset_of_their_day(tmp_path: Path) -> None:
    line = "host sshd[7]: Failed password for root from 192.0.2.7 port 22 ssh2"
    (tmp_path / "auth.log").write_text(f"Jan 10 12:00:00 {line}\nJul 10 12:00:00 {line}\n")
    settings = PipelineSettings(logs=LogSettings(year=2019, time_zone="local"))
    logins = [event for event in read_logs(tmp_path / "auth.log", settings=settings) if isinstance(event, AuthResolved)]
    assert [datetime.fromtimestamp(login.ts_ns // 10**9, UTC).hour for login in logins] == [11, 10]


def test_two_runs_differ_in_nothing_but_tags(auth_log: Path) -> None:
    first, second = ([msgspec.json.encode(event) for event in read_logs(auth_log)] for _ in range(2))
    assert first == second


def test_several_logs_are_merged_by_time(tmp_path: Path) -> None:
    for name, address, seconds in (("a.log", "192.0.2.1", range(0, 20, 2)), ("b.log", "192.0.2.2", range(1, 20, 2))):
        (tmp_path / name).write_text("".join(access_line(address, at, 401) + "\n" for at in seconds))
    packed = tmp_path / "c.log.gz"
    packed.write_bytes(gzip.compress((access_line("192.0.2.3", 5, 401) + "\n").encode()))
    times = [event.ts_ns for event in read_logs(str(tmp_path / "*.log*")) if isinstance(event, AuthResolved)]
    assert len(times) == 21
    assert times == sorted(times)


def test_every_log_starts_and_ends_with_its_counters(auth_log: Path) -> None:
    events = list(read_logs(auth_log))
    assert isinstance(events[0], SensorStarted)
    (ended,) = (event for event in events if isinstance(event, SensorEnded))
    assert ended.counters == {"lines": 136, "logins": 136}


def test_a_log_of_no_known_kind_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "x.log").write_text("lorem ipsum\n" * 3)
    with pytest.raises(SourceError, match="--patterns"):
        list(read_logs(tmp_path / "x.log"))


def test_a_log_of_too_long_lines_is_refused_with_what_to_do(tmp_path: Path, lapwing: Lapwing) -> None:
    (tmp_path / "x.log").write_text("x" * 100_000)
    for command in (["read"], ["logs", "test"]):
        done = lapwing(*command, tmp_path / "x.log")
        assert done.code == ExitCode.INPUT
        assert "logs.max_line_bytes" in done.err


def test_a_log_with_a_long_foreign_end_is_read_to_it(auth_log: Path) -> None:
    with auth_log.open("a") as file:
        file.write("a trace that fills what is read at once\n" * 20_000)
    assert sum(isinstance(event, AuthResolved) for event in read_logs(auth_log)) == 136


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_is_read_and_tested_object_by_object(tmp_path: Path, lapwing: Lapwing, indent: int | None) -> None:
    login = {"type": "fp", "date": "2026-05-01T10:00:00Z", "ip": "192.0.2.7", "log_id": "1", "user_name": "bob"}
    (tmp_path / "x.json").write_text("\ufeff" + json.dumps([login] * 1_000, indent=indent))
    assert lapwing("read", tmp_path / "x.json").out.count("auth.resolved") == 1_000
    done = lapwing("logs", "test", tmp_path / "x.json")
    assert done.code == ExitCode.CLEAN
    assert "1,000 login tries" in done.out


def test_one_bad_log_among_others_is_told_and_the_rest_is_read(tmp_path: Path, auth_log: Path) -> None:
    reading = read_logs(tmp_path / "absent.log", auth_log)
    events = list(reading)
    assert any(isinstance(event, SensorFailed) for event in events)
    assert len(reading.failed) == 1
    assert sum(isinstance(event, AuthResolved) for event in events) == 136


@pytest.mark.parametrize(
    ("settings", "words"), [(LogSettings(time_zone="Moon/Base"), "logs.time_zone"), (LogSettings(), "--format")]
)
def test_wrong_choices_are_refused(auth_log: Path, settings: LogSettings, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        read_logs(
            auth_log, settings=PipelineSettings(logs=settings), format=None if settings.time_zone != "UTC" else "x"
        )


def test_the_command_tells_logs_from_captures(auth_log: Path, lapwing: Lapwing) -> None:
    done = lapwing("read", auth_log, "--fail-on", "high")
    assert done.code == ExitCode.FINDINGS
    assert done.out.count("auth.resolved") == 136


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_the_command_reads_a_log_from_a_pipe(auth_log: Path, pack: Callable[[bytes], bytes]) -> None:
    with start("read", "-", stdin=subprocess.PIPE) as process:
        out, _ = process.communicate(pack(auth_log.read_bytes()), timeout=ENOUGH_S)
    assert process.returncode == ExitCode.CLEAN
    assert out.count(b"auth.resolved") == 136


def test_what_comes_through_a_pipe_is_told_when_it_comes(auth_log: Path) -> None:
    with start("read", "-", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(auth_log.read_bytes().partition(b"\n")[0] + b"\n")
        process.stdin.flush()
        assert select([process.stdout], [], [], ENOUGH_S)[0]
        assert b"auth.resolved" in process.stdout.readline()
        process.communicate(timeout=ENOUGH_S)
    assert process.returncode == ExitCode.CLEAN


def test_the_command_still_reads_a_capture_from_a_pipe(guessing: Path) -> None:
    with start("read", "-", stdin=subprocess.PIPE) as process:
        out, _ = process.communicate(guessing.read_bytes(), timeout=ENOUGH_S)
    assert process.returncode == ExitCode.CLEAN
    assert b'"event_type":"auth.' in out


def test_logs_test_shows_what_lines_are_taken_for(auth_log: Path, lapwing: Lapwing) -> None:
    with auth_log.open("a") as file:
        file.write("no line of a system log\n")
    done = lapwing("logs", "test", auth_log)
    assert done.code == ExitCode.CLEAN
    assert "136 login tries" in done.out
    assert "1 line not of this format" in done.out
    assert "no line of a system log" in done.out


def test_logs_formats_lists_them(lapwing: Lapwing) -> None:
    assert {"combined", "windows"} <= set(lapwing("logs", "formats").out.split())


def test_a_pattern_file_describes_another_log(tmp_path: Path, lapwing: Lapwing) -> None:
    (tmp_path / "shop.toml").write_text(
        "[[pattern]]\nname = 'shop'\noutcome = 'failed'\nline = '{time} bad login {user} from {address}'\n"
    )
    (tmp_path / "shop.log").write_text("2026-05-01 10:00:00 bad login bob from 192.0.2.7\n")
    done = lapwing("read", tmp_path / "shop.log", "--patterns", tmp_path / "shop.toml")
    assert done.code == ExitCode.CLEAN
    assert '"protocol":"shop"' in done.out


def test_options_about_packets_are_refused_for_logs(auth_log: Path, lapwing: Lapwing) -> None:
    done = lapwing("read", auth_log, "-c", "5")
    assert done.code == ExitCode.USAGE
    assert "packets" in done.err


def test_the_summary_counts_lines(auth_log: Path, lapwing: Lapwing) -> None:
    assert "136 lines" in lapwing("read", auth_log, "-o", "table").out
