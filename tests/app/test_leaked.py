"""A leaked password is told as one wherever a password is seen, and none is kept or told in the clear."""

import subprocess
from collections.abc import Iterable
from hashlib import sha1
from pathlib import Path

import pytest

from lapwing import LogWatching, read, read_logs, watch_logs
from lapwing.app.units import NS_PER_S
from lapwing.events import AuthResolved, Event, SensorEnded, SettingsError, decode
from lapwing.logins import LeakFilter, LoginSettings, SecretTagger
from lapwing.logins import secrets as tagging
from lapwing.logins.leaked import shape_for
from lapwing.sessions import PipelineSettings
from lapwing.web import Gate, WebLoginWatch
from lapwing.web.watching import Peer

from .conftest import start
from .traffic import guessing_at

LEAKED, TRIES = "swordfish3", 5
TOLD = [False, False, False, True, False]
LINE = (
    '{{"timestamp":"2026-01-05T08:00:0{n}.000000+0000","event_type":"ftp","flow_id":{n},"src_ip":"192.0.2.7",'
    '"ftp":{{"command":"PASS","command_data":"swordfish{n}","completion_code":["530"]}}}}\n'
)


def known() -> LeakFilter:
    leaks = LeakFilter(shape_for(10, 0.000001))
    leaks.add_hash(sha1(LEAKED.encode(), usedforsecurity=False).digest())
    return leaks


@pytest.fixture
def leaks(tmp_path: Path) -> Path:
    (tmp_path / "leaks").write_bytes(known().dump())
    return tmp_path / "leaks"


@pytest.fixture
def settings(leaks: Path) -> PipelineSettings:
    return PipelineSettings(logins=LoginSettings(leaks=str(leaks)))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "eve.json").write_text("".join(LINE.format(n=n) for n in range(TRIES)))
    return tmp_path / "eve.json"


def told(events: Iterable[Event]) -> list[bool | None]:
    found = [event for event in events if isinstance(event, AuthResolved)]
    assert "swordfish" not in repr(found)
    return [event.circumstances.secret_leaked if event.circumstances is not None else None for event in found]


def test_on_the_wire(settings: PipelineSettings, tmp_path: Path) -> None:
    with read(guessing_at(tmp_path / "c.pcap", TRIES), settings=settings, events=["auth"]) as events:
        assert told(events) == TOLD


def test_in_a_log(settings: PipelineSettings, log: Path) -> None:
    with read_logs(log, settings=settings, events=["auth"]) as events:
        assert told(events) == TOLD


def test_in_a_guarded_application(settings: PipelineSettings) -> None:
    events: list[Event] = []
    gate = Gate(settings, listener=events.extend, clock=lambda: 1_777_629_600 * NS_PER_S)
    watch = WebLoginWatch(gate)
    for n in range(TRIES):
        body = f"username=archive&password=swordfish{n}".encode()
        headers = [("Content-Type", "application/x-www-form-urlencoded")]
        watched = watch.look("POST", "/login", headers, body, Peer("192.0.2.7"))
        assert watched is not None
        watched.ended(401, [], 0)
    assert told(events) == TOLD


def test_by_the_served_guard(leaks: Path, log: Path, tmp_path: Path) -> None:
    config = tmp_path / "lapwing.toml"
    config.write_text(f'[logins]\nleaks = "{leaks}"\n')
    command = ("guard", "serve", log, "--from-start", "--listen", "127.0.0.1:0", "--config", config, "-o", "ndjson")
    with start(*command, "--events", "auth", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(TRIES)]
        process.terminate()
    assert told(map(decode, lines)) == TOLD


def test_a_filter_that_cannot_be_read_is_refused_when_the_gate_is_made(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="absent"):
        Gate(PipelineSettings(logins=LoginSettings(leaks=str(tmp_path / "absent"))))


def test_a_flood_of_leaked_secrets_makes_those_just_seen_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tagging, "MAX_LEAKED", 4)
    leaks = LeakFilter(shape_for(100, 0.000001))
    for n in range(20):
        leaks.add_hash(sha1(f"pw{n}".encode(), usedforsecurity=False).digest())
    tagger = SecretTagger(bytes(32))
    tagger.watch_for(leaks)
    for n in range(20):
        tags = [tagger.tag(f"pw{m}") for m in range(max(0, n - 3), n + 1)]
        assert all(tagger.is_leaked(tag) for tag in tags)
    assert tagger.is_leaked(SecretTagger(bytes(32)).tag("pw0")) is False


def test_a_list_that_is_named_while_a_log_is_watched(settings: PipelineSettings, log: Path) -> None:
    lines = log.read_text()

    def next_tries(watching: LogWatching) -> list[bool | None]:
        found: list[Event] = []
        while len(found) < TRIES:
            event = next(watching)
            found += [event] if isinstance(event, AuthResolved) else []
        return told(found)

    with watch_logs(log, from_start=True, events=["auth"]) as watching:
        assert next_tries(watching) == [None] * TRIES
        for changed, expected in ((settings, TOLD), (PipelineSettings(), [None] * TRIES), (settings, TOLD)):
            watching.change(changed)
            with log.open("a") as more:
                more.write(lines)
            assert next_tries(watching) == expected
        absent = PipelineSettings(logins=LoginSettings(leaks=str(log.parent / "absent"), endpoints=()))
        with pytest.raises(SettingsError, match="absent"):
            watching.change(absent)
        with log.open("a") as more:
            more.write(lines)
        assert next_tries(watching) == TOLD


def test_a_list_that_is_named_between_two_captures(settings: PipelineSettings, tmp_path: Path) -> None:
    first, second = guessing_at(tmp_path / "a.pcap", TRIES), guessing_at(tmp_path / "b.pcap", TRIES)
    events: list[Event] = []
    with read(first, second, events=["auth", "sensor"]) as reading:
        for event in reading:
            events.append(event)
            if isinstance(event, SensorEnded):
                reading.change(settings)
    assert told(events) == [None] * TRIES + TOLD


def test_surfaces_that_are_named_between_two_captures(tmp_path: Path) -> None:
    first, second = guessing_at(tmp_path / "a.pcap", TRIES), guessing_at(tmp_path / "b.pcap", TRIES)
    elsewhere = PipelineSettings(logins=LoginSettings(endpoints=("POST /enter",), any_path=False))
    kinds: list[type[Event]] = []
    with read(first, second, events=["auth", "sensor"]) as reading:
        for event in reading:
            kinds.append(type(event))
            if isinstance(event, SensorEnded):
                reading.change(elsewhere)
    assert kinds.count(SensorEnded) == 2
    assert kinds.count(AuthResolved) == TRIES
