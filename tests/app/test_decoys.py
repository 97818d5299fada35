"""Decoys in whatever runs on: found as they are used, kept in the store, known as they are planted."""

import asyncio
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import lapwing
from lapwing import load_decoys
from lapwing.app.planted import Planting, create, planted, revoke
from lapwing.events import SettingsError, StoreError, TokenTripped
from lapwing.io.store import DecoyUses
from tests.app.conftest import Lapwing, start
from tests.patience import ENOUGH_S

NOTE = "left in the wiki of the finance team"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    asyncio.run(create(str(path), Planting("decoy-account", NOTE, username="svc-payroll")))
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "auth.log"
    path.write_text(line("alice", 1))
    return path


def line(user: str, second: int) -> str:
    return (
        f"2026-03-01T10:15:{second:02}.000000+00:00 web sshd[812]: Failed password for invalid user {user} "
        "from 203.0.113.9 port 4022 ssh2\n"
    )


def trips(process: "subprocess.Popen[bytes]") -> Iterator[dict[str, Any]]:
    """The uses of decoys among the events a process writes."""
    assert process.stdout is not None
    for text in process.stdout:
        event = json.loads(text)
        if event["event_type"] == "token.tripped":
            yield event


def until(right: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + ENOUGH_S
    while not right():
        assert time.monotonic() < end


def hits(store: Path) -> int:
    return sum(one.hit_count for one in asyncio.run(planted(str(store))))


@pytest.mark.parametrize("command", [("watch",), ("guard", "serve", "--listen", "127.0.0.1:0")])
def test_a_decoy_in_a_log_that_grows_is_told_and_kept(command: tuple[str, ...], store: Path, log: Path) -> None:
    options = ("--decoys", store, "--from-start", "--events", "all", "-o", "ndjson")
    with start(*command, log, *options) as process, log.open("a") as more:
        more.write(line("svc-payroll", 2))
        more.flush()
        (tripped,) = (next(trips(process)),)
        process.terminate()
        assert process.wait(ENOUGH_S) == 0
    assert (tripped["token_id"], tripped["purpose"], tripped["client_ip"]) == ("svc-payroll", NOTE, "203.0.113.9")
    assert hits(store) == 1


def test_what_is_planted_or_revoked_meanwhile_is_taken_up(store: Path) -> None:
    with load_decoys(str(store), follow=True) as decoys:
        assert len(decoys.known) == 1
        asyncio.run(create(str(store), Planting("decoy-account", username="svc-backup")))
        until(lambda: len(decoys.known) == 2)
        asyncio.run(revoke(str(store), "svc-payroll"))
        until(lambda: len(decoys.known) == 1)


def test_the_history_of_a_decoy_is_shown_and_a_log_read_again_adds_nothing(
    lapwing: Lapwing, store: Path, log: Path
) -> None:
    with log.open("a") as more:
        more.write("".join(line("svc-payroll", second) for second in (2, 2, 3)))
    for _ in range(2):
        assert lapwing("read", log, "--decoys", store, "-o", "ndjson").code == 0
    shown = lapwing("token", "show", "svc-payroll", "--store", store).out
    assert shown.count("Used in ssh by 203.0.113.9") == 3
    assert hits(store) == 3


def test_a_library_user_hands_the_decoys_over(store: Path, log: Path) -> None:
    with log.open("a") as more:
        more.write(line("svc-payroll", 2))
    with load_decoys(str(store)) as decoys:
        (tripped,) = [one for one in lapwing.read_logs(log, decoys=decoys) if isinstance(one, TokenTripped)]
    assert tripped.purpose == NOTE
    assert hits(store) == 1


def test_uses_that_cannot_be_written_are_told_all_the_same_and_counted(
    store: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    async def full(*_: object) -> int:
        raise OperationalError("insert", {}, Exception("disk I/O error"))

    monkeypatch.setattr(DecoyUses, "add", full)
    said: list[str] = []
    with log.open("a") as more:
        more.write(line("svc-payroll", 2) + line("svc-payroll", 3))
    with load_decoys(str(store), say=said.append) as decoys:
        tripped = [one for one in lapwing.read_logs(log, decoys=decoys) if isinstance(one, TokenTripped)]
    assert len(tripped) == decoys.lost_count == 2
    assert "cannot be written down" in said[0]
    assert "2 uses" in said[-1]


def test_more_than_the_bound_waits_for_nobody_and_is_counted(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lapwing.app.decoys.MAX_WAITING", 0)
    with load_decoys(str(store), say=lambda _: None) as decoys:
        decoys.keep([TokenTripped(ts_ns=1, token_kind="account", token_id="svc-payroll")])
        assert decoys.lost_count == 1
    assert hits(store) == 0


@pytest.mark.parametrize(
    ("url", "error"), [("/nowhere/store.db", StoreError), ("mysql://example.com/x", (StoreError, SettingsError))]
)
def test_a_store_that_cannot_be_opened_is_named(url: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        load_decoys(url)
