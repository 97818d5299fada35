"""The example applications under attack: stuffing is blocked, ordinary users are not, the stolen account is named."""

import asyncio
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from examples.traffic import ATTACKER, OFFICE, STOLEN, TRIES, Client, Report, home, play
from lapwing.app.planted import Planting, create, planted, uses
from lapwing.events import AuthResolved, DecisionMade, Event, Finding, Outcome, TokenTripped, decode
from tests.patience import ENOUGH_S
from tests.ports import free_port, wait_for

EXAMPLES = Path(__file__).parents[2] / "examples"
PEOPLE = {home(number) for number in range(40)}


@contextmanager
def running(command: list[str], folder: Path, port: int) -> Iterator[list[bytes]]:
    """The application, once it listens; yields the list its output lines come to."""
    lines: list[bytes] = []
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        reader = Thread(target=lambda: lines.extend(process.stdout or ()))
        reader.start()
        try:
            wait_for(port, process)
            yield lines
        finally:
            process.terminate()
            reader.join()


@contextmanager
def application(name: str) -> Iterator[tuple[Client, list[bytes]]]:
    """An example application that runs; a client of it, and its output."""
    port = free_port()
    if name == "fastapi":
        pytest.importorskip("fastapi", reason="FastAPI is not installed")
        pytest.importorskip("uvicorn", reason="uvicorn is not installed")
        options = [
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--no-access-log",
            "--no-proxy-headers",
            "--log-level",
            "error",
        ]
        command = [sys.executable, "-m", "uvicorn", "app:guarded", *options]
    else:
        pytest.importorskip("django", reason="Django is not installed")
        command = [sys.executable, "app.py", str(port)]
    with running(command, EXAMPLES / name, port) as lines:
        yield Client(f"http://127.0.0.1:{port}", "json" if name == "fastapi" else "form"), lines


def attack(name: str) -> tuple[Report, list[Event]]:
    with application(name) as (client, lines):
        report = play(client)
    return report, [decode(line) for line in lines]


@pytest.fixture(scope="module", params=["fastapi", "django"])
def attacked(request: pytest.FixtureRequest) -> tuple[Report, list[Event]]:
    return attack(request.param)


def test_stuffing_is_blocked_for_good(attacked: tuple[Report, list[Event]]) -> None:
    report, _ = attacked
    assert report.attacker[429] > TRIES * 0.8
    assert report.passed_after_first_block == 0


def test_ordinary_users_are_never_held_back(attacked: tuple[Report, list[Event]]) -> None:
    report, events = attacked
    assert report.ordinary[429] == 0
    assert not {event.value for event in events if isinstance(event, DecisionMade)} & PEOPLE


def test_ordinary_users_are_accused_of_nothing(attacked: tuple[Report, list[Event]]) -> None:
    _, events = attacked
    last = {event.finding_id: event for event in events if isinstance(event, Finding)}.values()
    assert not {source for one in last for source in (one.subject, *one.sources)} & {*PEOPLE, OFFICE}


def test_the_stolen_account_is_named_with_who_took_it(attacked: tuple[Report, list[Event]]) -> None:
    _, events = attacked
    taken = [event for event in events if isinstance(event, Finding) and event.finding == "account-takeover"]
    assert {event.subject for event in taken} == {STOLEN}
    assert {source for event in taken for source in event.sources} == {ATTACKER}


def test_outcomes_are_those_that_the_application_gave(attacked: tuple[Report, list[Event]]) -> None:
    _, events = attacked
    logins = [event for event in events if isinstance(event, AuthResolved) and event.client_ip != ATTACKER]
    failed = sum(event.outcome is Outcome.FAILED for event in logins)
    assert failed == sum(event.username in {f"user{n}" for n in range(0, 40, 5)} for event in logins) // 2
    assert all(event.outcome in (Outcome.FAILED, Outcome.SUCCEEDED) for event in logins)


def test_no_password_is_told(attacked: tuple[Report, list[Event]]) -> None:
    _, events = attacked
    told = repr(events)
    assert "secret of" not in told.casefold()
    assert "password1" not in told


@pytest.mark.parametrize("name", ["fastapi", "django"])
def test_a_decoy_that_is_typed_in_is_found_with_its_note_and_kept(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, password = str(tmp_path / "store.db"), secrets.token_urlsafe(12)
    for wanted in (
        Planting("decoy-account", "in the wiki", username="svc-payroll"),
        Planting("decoy-password", "in a script on the file server", password=password),
    ):
        asyncio.run(create(store, wanted))
    monkeypatch.setenv("LAPWING_DECOYS", store)
    with application(name) as (client, lines):
        for user, typed in (("svc-payroll", "guessed"), ("user3", password), ("user4", "mistyped")):
            client.log_in("198.51.100.9", user, typed)
        until_kept(store, 2)
    events = [decode(line) for line in lines]
    tripped = [event for event in events if isinstance(event, TokenTripped)]
    assert [(one.token_kind, one.purpose) for one in tripped] == [
        ("account", "in the wiki"),
        ("password", "in a script on the file server"),
    ]
    found = [event for event in events if isinstance(event, Finding) and event.finding == "decoy-used"]
    assert all(one.purpose in finding.sentence for one, finding in zip(tripped, found, strict=True))
    assert {finding.subject for finding in found} == {"198.51.100.9"}
    assert password not in repr(events)
    kept = asyncio.run(planted(store))
    assert [(one.note, one.hit_count) for one in kept] == [(one.purpose, 1) for one in tripped]
    (use,) = asyncio.run(uses(store, kept[1]))
    assert (use.client_ip, use.protocol, use.endpoint) == ("198.51.100.9", "http", tripped[1].endpoint)


def until_kept(store: str, count: int) -> None:
    """Wait until the application has written so many hits."""
    until = time.monotonic() + ENOUGH_S
    while sum(one.hit_count for one in asyncio.run(planted(store))) < count:
        assert time.monotonic() < until, "the hits were not written down"
