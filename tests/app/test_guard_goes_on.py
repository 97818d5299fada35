"""A served guard answers whatever it cannot write meanwhile: a guard that ends shuts everybody out."""

import os
import re
import resource
import shutil
from pathlib import Path

import msgspec
import pytest

from lapwing.app.exit_codes import ExitCode

from .logs import ATTACKER
from .test_reloading import WAIT_S, attack, refused, running

OTHER = "203.0.113.77"
SERVE = ("--listen", "127.0.0.1:0", "--events", "decision", "-o", "ndjson")


def address_in(line: str) -> str:
    found = re.search(r"listening on (\S+)", line)
    assert found is not None
    return found[1]


def test_lists_and_positions_that_cannot_be_written_end_no_guard(tmp_path: Path) -> None:
    log, lists = tmp_path / "access.log", tmp_path / "lists"
    log.touch()
    lists.mkdir()
    places = ("--deny-file", lists / "deny", "--positions", lists / "positions")
    with running("guard", "serve", log, *places, *SERVE) as (process, line_with):
        address = address_in(line_with("listening on"))
        shutil.rmtree(lists)
        assert "No such file or directory" in line_with(f"lapwing: {lists / 'positions'}: cannot be written")
        attack(log, ATTACKER)
        assert "No such file or directory" in line_with(f"lapwing: decisions: {lists / 'deny'}: cannot be written")
        while not refused(address, ATTACKER):
            pass
        lists.mkdir()
        attack(log, OTHER)
        while not (lists / "deny").exists() or OTHER not in (lists / "deny").read_text():
            assert process.poll() is None
        process.terminate()
        assert process.wait(WAIT_S) == ExitCode.PARTIAL
    assert (lists / "positions").exists()


def test_another_that_cannot_listen_leaves_the_lists_as_they_are(tmp_path: Path) -> None:
    log, deny = tmp_path / "access.log", tmp_path / "deny"
    log.touch()
    with running("guard", "serve", log, "--deny-file", deny, *SERVE) as (_, line_with):
        address = address_in(line_with("listening on"))
        attack(log, ATTACKER)
        while ATTACKER not in deny.read_text():
            pass
        with running("guard", "serve", log, "--deny-file", deny, "--listen", address) as (other, other_line_with):
            assert "Address already in use" in other_line_with("cannot be listened on")
            assert other.wait(WAIT_S) == ExitCode.INPUT
        assert ATTACKER in deny.read_text()


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits a program that runs")
def test_events_wait_until_the_output_can_be_written_again(tmp_path: Path) -> None:
    log, told = tmp_path / "access.log", tmp_path / "told"
    log.touch()
    with (
        told.open("wb") as events_to,
        running("guard", "serve", log, *SERVE, events_to=events_to) as (
            process,
            line_with,
        ),
    ):
        address = address_in(line_with("listening on"))
        most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (100, most))
        attack(log, ATTACKER)
        assert "File too large" in line_with("lapwing: standard output: cannot be written")
        while not refused(address, ATTACKER):
            pass
        assert told.stat().st_size == 100  # the beginning of a line
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, most))
        attack(log, OTHER)
        while OTHER not in told.read_text():
            assert process.poll() is None
        process.terminate()
        assert process.wait(WAIT_S) == ExitCode.PARTIAL
    lines = [msgspec.json.decode(line) for line in told.read_bytes().splitlines()]
    decided = {line["value"] for line in lines if line["event_type"] == "decision.made"}
    assert decided == {ATTACKER, OTHER}
    assert [line["event_type"] for line in lines].count("sensor.failed") == 1


def test_a_reader_that_is_gone_ends_no_guard(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.touch()
    reader, events_to = os.pipe()
    with running("guard", "serve", log, *SERVE, events_to=events_to) as (process, line_with):
        os.close(events_to)
        os.close(reader)
        address = address_in(line_with("listening on"))
        attack(log, ATTACKER)
        assert "Broken pipe" in line_with("lapwing: standard output: cannot be written")
        while not refused(address, ATTACKER):
            assert process.poll() is None
        process.terminate()
        assert re.search(r"\d+ lost at the end", line_with("lapwing: output: "))
        assert process.wait(WAIT_S) == ExitCode.INPUT
