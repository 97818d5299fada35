"""A guard goes on where it was after a restart, tells its numbers, and keeps no name and no secret in the open."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from lapwing import Guard
from lapwing.app import gate_state
from lapwing.app.gate_state import GateState
from lapwing.events import Action, SettingsError
from lapwing.web import ForwardAuth, Gate
from tests.patience import ENOUGH_S
from tests.web.test_gate import ATTACKER, Clock, attacked

LINE = (
    '{ip} - - [05/Jan/2026:08:00:{n:02} +0000] "POST /login?user=confidential{n}&password=hunter{n} HTTP/1.1" 401 12 '
    '"-" "tool"\n'
)


def test_what_was_decided_holds_after_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    state = GateState(tmp_path / "state")
    before = Gate(clock=clock, key=state.key)
    assert not state.restore(before)
    attacked(before)
    state.save(before)
    again = GateState(tmp_path / "state")
    after = Gate(clock=clock, key=again.key)
    assert again.restore(after)
    assert after.answer(ATTACKER) == before.answer(ATTACKER)
    assert after.answer(ATTACKER).action is not Action.ALLOW
    assert after.snapshot() == before.snapshot()


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    state = GateState(tmp_path / "state")
    state.save(Gate(key=state.key))
    for name in ("key", "state"):
        assert (tmp_path / "state" / name).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", [b"", b"damaged", b"\x93\x02\xc0\xc0"])
def test_a_damaged_state_is_refused_with_what_to_do(tmp_path: Path, damage: bytes) -> None:
    state = GateState(tmp_path)
    (tmp_path / "state").write_bytes(damage)
    with pytest.raises(SettingsError, match="to start anew"):
        state.restore(Gate(key=state.key))


def test_a_state_in_which_a_byte_changed_is_refused_and_nothing_of_it_is_taken(tmp_path: Path) -> None:
    clock = Clock()
    before, after = Gate(clock=clock, key=bytes(32)), Gate(clock=clock, key=bytes(32))
    attacked(before)
    data, empty = before.snapshot(), after.snapshot()
    for at in (*range(0, len(data), 997), *range(len(data) - 200, len(data))):  # decisions are at the end
        damaged = bytearray(data)
        damaged[at] ^= 1
        with pytest.raises(ValueError, match="snapshot"):
            after.restore(bytes(damaged))
    with pytest.raises(ValueError, match="not a snapshot of a gate"):
        after.restore(Guard(key=bytes(32)).snapshot())
    assert after.snapshot() == empty


def test_a_cut_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(SettingsError, match="no key"):
        GateState(tmp_path)


def test_numbers_are_told_as_prometheus_reads_them_and_name_nobody() -> None:
    gate = Gate()
    attacked(gate)
    gate.answer(ATTACKER)
    told = ForwardAuth(gate).handle("/metrics", [], "127.0.0.1")
    text = told.body.decode()
    assert told.status == 200
    assert re.search(r"^lapwing_detect_logins_failed_total [1-9]", text, re.MULTILINE)
    assert "# TYPE lapwing_detect_rows_source gauge" in text
    assert "# TYPE lapwing_guard_decisions gauge" in text
    assert ATTACKER not in text
    assert all(re.fullmatch(r"# TYPE \w+ (gauge|counter)|\w+ \d+", line) for line in text.splitlines())


def test_neither_state_nor_log_of_a_served_guard_shows_a_name_or_a_secret(tmp_path: Path) -> None:
    log, state = tmp_path / "access.log", tmp_path / "state"
    log.write_text("".join(LINE.format(ip="198.51.100.7", n=n) for n in range(40)))
    command = [sys.executable, "-m", "lapwing", "guard", "serve", str(log), "--listen", "127.0.0.1:0", "--from-start"]
    with subprocess.Popen(
        [*command, "--state", str(state), "--events", "decision", "-o", "ndjson"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "NO_COLOR": "1"},
    ) as served:  # fmt: skip
        assert served.stderr is not None
        assert served.stdout is not None
        try:
            address = re.search(r"listening on (\S+)", served.stderr.readline())
            assert address is not None
            decided = served.stdout.readline()
            served.send_signal(signal.SIGHUP)  # the configuration is read again, which says some words, too
            with urllib.request.urlopen(f"http://{address[1]}/metrics", timeout=ENOUGH_S) as answer:
                numbers = answer.read().decode()
        finally:
            served.send_signal(signal.SIGTERM)
        out, err = served.communicate(timeout=ENOUGH_S)
    assert "198.51.100.7" in decided
    kept = b"".join(path.read_bytes() for path in state.iterdir())
    assert bytes([198, 51, 100, 7]) in kept
    for text in (kept, numbers.encode(), decided.encode(), out.encode(), err.encode()):
        assert b"onfidential" not in text
        assert b"hunter" not in text


def test_a_state_is_written_again_only_when_it_is_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state, gate = GateState(tmp_path), Gate()
    state.turn(gate)
    assert not (tmp_path / "state").exists()
    monkeypatch.setattr(gate_state, "SAVE_S", 0.0)
    state.turn(gate)
    assert (tmp_path / "state").exists()
