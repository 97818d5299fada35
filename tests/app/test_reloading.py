"""SIGHUP: the configuration is read again, nothing known is lost, and a wrong one changes nothing."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from lapwing.app.configuration import leaves, load
from lapwing.app.exit_codes import ExitCode
from lapwing.app.interrupt import stop_on_interrupt
from lapwing.app.reloading import Reloading, fixed_by
from lapwing.detect import DetectSettings
from lapwing.events import SettingsError
from lapwing.logins.logs import LogSettings
from lapwing.sessions import PipelineSettings

from .logs import ATTACKER, access_line

WAIT_S = 60.0
OTHER = "203.0.113.77"
SCANNER = "203.0.113.88"


class Told:
    """A Reloading whose words and effects are kept."""

    def __init__(self, path: Path) -> None:
        self.words: list[str] = []
        self.taken: list[PipelineSettings] = []
        self.refuses = ""
        self.subject = Reloading(PipelineSettings(), lambda: load(path, {}).settings, self._take, self.words.append)

    def _take(self, settings: PipelineSettings) -> None:
        if self.refuses:
            raise SettingsError(self.refuses)
        self.taken.append(settings)

    def ask(self) -> list[str]:
        self.words.clear()
        self.subject.ask()
        self.subject.turn()
        return list(self.words)


def test_what_changed_is_taken_over_and_named(tmp_path: Path) -> None:
    path = tmp_path / "lapwing.toml"
    path.write_text("[detect.answer]\nblock_s = 60\n")
    told = Told(path)
    told.subject.turn()
    assert not told.words  # nobody asked
    assert told.ask() == ["configuration read again: detect.answer.block_s changed"]
    assert [one.detect.answer.block_s for one in told.taken] == [60]
    assert told.ask() == ["configuration read again: nothing changed"]
    path.write_text("")
    assert told.ask() == ["configuration read again: detect.answer.block_s changed"]
    assert told.taken[1:] == [PipelineSettings()]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[detect.answer]\nblock_s = 0\n", "detect.answer.block_s = 0 is outside 1 to 86400"),
        ("[detect]\nexclude = {sources = ['nonsense']}\n", "detect.exclude.sources"),
        ("[detect.answer]\nblok_s = 5\n", "detect.answer.blok_s: no such setting"),
        ("[detect\n", "not valid TOML"),
    ],
)
def test_a_wrong_one_is_refused_with_key_and_reason(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "lapwing.toml"
    path.write_text(text)
    told = Told(path)
    (line,) = told.ask()
    assert line.startswith("configuration refused, going on with the one before: ")
    assert words in line
    assert not told.taken


def test_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    told = Told(tmp_path / "gone.toml")
    assert "gone.toml: cannot be read" in told.ask()[0]
    assert not told.taken


def test_what_cannot_change_while_running_is_named_each_time(tmp_path: Path) -> None:
    path = tmp_path / "lapwing.toml"
    path.write_text(
        "[flows]\nmax_flows = 5000\n[sessions]\nunanswered_after_s = 9\n[logs]\ntime_zone = 'Europe/Vienna'\n"
        "[detect]\nmax_sources = 5000\nprior = -5.0\n"
    )
    told = Told(path)
    fixed = (
        "cannot change while running, restart for it: flows.max_flows (the table of flows is laid out by it), "
        "sessions.unanswered_after_s (sessions that are open count on it), "
        "detect.max_sources (memory is laid out for it)"
    )
    assert told.ask() == ["configuration read again: logs.time_zone, detect.prior changed", fixed]
    assert told.taken == [PipelineSettings(logs=LogSettings("Europe/Vienna"), detect=DetectSettings(prior=-5.0))]
    assert told.ask() == ["configuration read again: nothing changed", fixed]


def test_what_is_found_wrong_when_it_is_taken_over_is_refused_and_asked_for_again(tmp_path: Path) -> None:
    path = tmp_path / "lapwing.toml"
    path.write_text("[logins]\nplaces = ['gone.mmdb']\n")
    told = Told(path)
    told.refuses = "gone.mmdb: cannot be read"
    assert told.ask() == ["configuration refused, going on with the one before: gone.mmdb: cannot be read"]
    told.refuses = ""
    assert told.ask() == ["configuration read again: logins.places changed"]


def test_every_setting_of_logins_logs_and_detection_changes_while_running_but_for_one() -> None:
    paths = [path for path, _, _ in leaves(PipelineSettings())]
    assert [path for path in paths if fixed_by(path) and path.startswith(("logins.", "logs.", "detect."))] == [
        "detect.max_sources"
    ]
    assert all(fixed_by(path) for path in paths if path.startswith(("flows.", "sessions.")))


PROGRAM = """
import fcntl, runpy, signal, sys, termios
signal.signal(signal.SIGHUP, signal.SIG_DFL)
if sys.stdin.isatty():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
runpy.run_module("lapwing", run_name="__main__")
"""


@contextmanager
def running(
    *arguments: str | Path, terminal: int = subprocess.DEVNULL, events_to: int | BinaryIO | None = None
) -> Iterator[tuple["subprocess.Popen[str]", Callable[[str], str]]]:
    """The program in a session of its own, with `terminal` where it is given, and what waits for a line with words.

    Standard output is among the lines unless its events go elsewhere.
    """
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        stdin=terminal, stdout=subprocess.PIPE if events_to is None else events_to,
        stderr=subprocess.STDOUT if events_to is None else subprocess.PIPE, text=True,
        env={**os.environ, "NO_COLOR": "1"}, start_new_session=True,
    ) as process:  # fmt: skip
        lines = process.stdout or process.stderr
        assert lines is not None

        def line_with(words: str) -> str:
            return next(line for line in lines if words in line)

        try:
            yield process, line_with
        finally:
            process.terminate()
            process.communicate(timeout=WAIT_S)


def attack(log: Path, address: str) -> None:
    with log.open("a") as lines:
        lines.write("".join(access_line(address, second, 401) + "\n" for second in range(60)))


def refused(address: str, client: str) -> int:
    """Seconds for which a guard refuses a client; 0 where it lets it through."""
    asked = urllib.request.Request(f"http://{address}/auth", headers={"X-Real-IP": client})
    try:
        urllib.request.urlopen(asked, timeout=WAIT_S).close()
    except urllib.error.HTTPError as answer:
        with answer:
            return int(answer.headers["Retry-After"])
    return 0


def test_a_served_guard_goes_on_with_the_new_one_and_with_all_it_knew(tmp_path: Path) -> None:
    log, config = tmp_path / "access.log", tmp_path / "lapwing.toml"
    log.touch()
    config.write_text("")
    options = ("--config", config, "--listen", "127.0.0.1:0", "--events", "decision", "-o", "ndjson")
    with running("guard", "serve", log, *options) as (process, line_with):
        found = re.search(r"listening on (\S+)", line_with("listening on"))
        assert found is not None
        address = found[1]
        attack(log, ATTACKER)
        assert ATTACKER in line_with("decision.made")
        while not (before := refused(address, ATTACKER)):
            pass
        config.write_text("[detect.answer]\nblock_s = 5\nshiny = 1\n")
        process.send_signal(signal.SIGHUP)
        assert "detect.answer.shiny: no such setting" in line_with("configuration refused")
        config.write_text(
            "[detect.answer]\nchallenge_s = 50\ndelay_s = 50\nblock_s = 50\nlongest_s = 50\n"
            f"[detect.exclude]\nsources = ['{SCANNER}']\n[flows]\nmax_flows = 5000\n"
        )
        process.send_signal(signal.SIGHUP)
        assert "detect.answer.block_s" in line_with("configuration read again")
        assert "flows.max_flows (the table of flows is laid out by it)" in line_with("cannot change while running")
        assert refused(address, ATTACKER) > 51
        attack(log, SCANNER)
        attack(log, OTHER)
        assert OTHER in line_with("decision.made")
        while not (after := refused(address, OTHER)):
            pass
        assert after <= 51 < before  # ends are rounded up
        assert refused(address, SCANNER) == 0
        assert process.poll() is None


def test_a_watched_log_goes_on_with_the_new_one(tmp_path: Path) -> None:
    log, config = tmp_path / "access.log", tmp_path / "lapwing.toml"
    log.touch()
    config.write_text(f"[detect.exclude]\nsources = ['{ATTACKER}']\n")
    with running("watch", log, "--config", config, "--events", "all", "-o", "ndjson") as (process, line_with):
        line_with("sensor.started")
        attack(log, ATTACKER)
        for _ in range(60):
            line_with("auth.resolved")
        config.write_text("")
        process.send_signal(signal.SIGHUP)
        assert "detect.exclude.sources changed" in line_with("configuration read again")
        attack(log, ATTACKER)
        assert ATTACKER in line_with("finding.raised")
        process.send_signal(signal.SIGTERM)
        line_with("finding.closed")
        assert process.wait(WAIT_S) == ExitCode.CLEAN


def request(log: Path, second: int, target: str, status: int, client: str = "127.0.0.1") -> None:
    """A request that a proxy on this machine passed on for `client`."""
    line = access_line("127.0.0.1", second, status).replace("POST /login", f"POST {target}")
    with log.open("a") as lines:
        lines.write(f'{line} "{client}"\n')


def test_how_a_watched_log_is_read_changes_and_what_was_learnt_of_it_stays(tmp_path: Path) -> None:
    log, config = tmp_path / "access.log", tmp_path / "lapwing.toml"
    log.touch()
    config.write_text("")
    with running("watch", log, "--config", config, "--events", "all", "-o", "ndjson") as (process, line_with):
        line_with("sensor.started")
        request(log, 1, "/enter", 200, OTHER)  # no login, as far as anybody said
        request(log, 2, "/login", 401, OTHER)
        told = line_with("auth.resolved")
        assert "127.0.0.1" in told
        assert '"POST /login"' in told
        config.write_text("[logins]\nplaces = ['gone.mmdb']\n")
        process.send_signal(signal.SIGHUP)
        assert "gone.mmdb" in line_with("configuration refused, going on with the one before")
        config.write_text(
            "[logins]\nendpoints = ['POST /login', 'POST /enter']\n"
            "[logs]\ntrusted_proxies = ['127.0.0.1/32']\noutcomes = ['POST /enter 200 failed']\n"
        )
        process.send_signal(signal.SIGHUP)
        line_with("configuration read again: logins.endpoints, logs.trusted_proxies, logs.outcomes changed")
        request(log, 3, "/enter", 200, OTHER)
        told = line_with("auth.resolved")
        assert f'"client_ip":"{OTHER}"' in told
        assert '"outcome":"failed"' in told
        request(log, 4, "/login", 200, OTHER)  # a page after refusals: somebody is in
        assert '"outcome":"succeeded"' in line_with("auth.resolved")
        process.send_signal(signal.SIGTERM)
        line_with("sensor.ended")
        assert process.wait(WAIT_S) == ExitCode.CLEAN


def test_a_closed_terminal_ends_it_all_the_same(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.touch()
    ours, theirs = os.openpty()
    with running("watch", log, "--events", "sensor", "-o", "ndjson", terminal=theirs) as (process, line_with):
        os.close(theirs)
        line_with("sensor.started")
        process.send_signal(signal.SIGHUP)
        line_with("configuration read again")
        os.close(ours)
        line_with("sensor.ended")
        assert process.wait(WAIT_S) == ExitCode.CLEAN


def test_a_signal_asks_and_ends_nothing() -> None:
    asked: list[str] = []
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        with stop_on_interrupt(lambda: asked.append("stop"), lambda: asked.append("reload")) as interrupted:
            for _ in range(2):
                signal.raise_signal(signal.SIGHUP)
        assert not interrupted.happened
    finally:
        signal.signal(signal.SIGHUP, before)
    assert asked == ["reload", "reload"]
