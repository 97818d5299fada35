"""`lapwing sessions`: what every parser read."""

import json
from pathlib import Path

from lapwing.app.exit_codes import ExitCode
from tests.app.conftest import Lapwing


def test_every_message_is_a_line(lapwing: Lapwing, guessing: Path) -> None:
    lines = [json.loads(line) for line in lapwing("sessions", guessing).out.splitlines()]
    kinds = [line["message"]["kind"] for line in lines if line["event_type"] == "session.messaged"]
    assert kinds.count("http.request") == kinds.count("http.response") == 30
    assert {line["event_type"] for line in lines} == {"session.identified", "session.messaged", "session.ended"}


def test_protocols_can_be_chosen(lapwing: Lapwing, guessing: Path) -> None:
    assert lapwing("sessions", guessing, "--protocol", "dns,ssh").out == ""
    assert lapwing("sessions", guessing, "--protocol", "HTTP").out


def test_the_table_has_a_line_per_message_and_no_secret(lapwing: Lapwing, guessing: Path) -> None:
    done = lapwing("sessions", guessing, "-o", "table")
    assert done.out.count("http.request") == 30
    assert "192.0.2.7:40000 > 198.51.100.21:80" in done.out
    assert "198.51.100.21:80 > 192.0.2.7:40000" in done.out
    assert "swordfish" not in done.out


def test_a_protocol_that_is_none_is_refused_with_those_there_are(lapwing: Lapwing, guessing: Path) -> None:
    done = lapwing("sessions", guessing, "--protocol", "htpp")
    assert (done.code, done.out) == (ExitCode.USAGE, "")
    assert "no protocol 'htpp'" in done.err
    assert "http" in done.err


def test_damage_is_told(lapwing: Lapwing, guessing: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(guessing.read_bytes()[:-10])
    done = lapwing("sessions", cut)
    assert done.code == ExitCode.PARTIAL
    assert done.err.startswith(f"lapwing: {cut} at byte ")
