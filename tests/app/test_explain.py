"""`lapwing explain`: a finding in plain words, from a capture or from what an earlier run wrote."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from lapwing.app.commands.explain import explanation, findings_in, select
from lapwing.app.exit_codes import ExitCode
from lapwing.app.lines import bounded_lines
from lapwing.app.shapes import ndjson
from lapwing.events import Evidence, SettingsError, SourceError
from tests.app.conftest import Lapwing, start
from tests.app.samples import finding, login
from tests.patience import ENOUGH_S


def test_an_explanation_has_the_evidence_with_its_numbers() -> None:
    text = io.StringIO()
    evidence = [Evidence("weak", 1.0, 1.0, 0.5, "A weak sign."), Evidence("strong", 40.0, 10.0, 3.25, "A strong sign.")]
    Console(file=text, width=120, markup=False).print(explanation(finding(evidence=evidence, source_count=20), 120))
    shown = text.getvalue()
    assert "40 attempts: 40 failed, 0 succeeded" in shown
    assert "20 sources: 192.0.2.7 and 19 more" in shown
    assert "+3.25  A strong sign. (strong 40, from 10)" in shown
    assert shown.index("A strong sign.") < shown.index("A weak sign.")
    assert "T1110.001" in shown


@pytest.mark.parametrize(("seqs", "shown"), [([3, 9], ["Examples: events with seq 3, 9"]), ([0, 0], []), ([], [])])
def test_examples_are_those_that_have_a_number(seqs: list[int], shown: list[str]) -> None:
    text = io.StringIO()
    Console(file=text, width=120, markup=False).print(explanation(finding(sample_seqs=seqs), 120))
    assert [line.strip() for line in text.getvalue().splitlines() if "Examples" in line] == shown


def test_the_start_of_an_id_is_enough_when_it_fits_one() -> None:
    first, second = finding(finding_id="abc111"), finding(finding_id="abd222")
    assert select([first, second], "abc") == [first]
    assert select([first, second], "abd222") == [second]
    assert select([first, second], "password-guessing") == [first, second]
    assert select([first, second], "a") == []
    with pytest.raises(SettingsError, match="abd222, abd333"):
        select([first, second, finding(finding_id="abd333")], "abd")


def test_an_earlier_run_can_be_explained_from_its_ndjson(lapwing: Lapwing, guessing: Path, tmp_path: Path) -> None:
    written = tmp_path / "events.ndjson"
    written.write_text(lapwing("read", guessing).out)
    identity = next(one["finding_id"] for one in map(json.loads, written.read_text().splitlines()) if "sentence" in one)
    from_file = lapwing("explain", identity[:8], "--from", written)
    assert from_file.code == ExitCode.CLEAN
    assert identity in from_file.out
    assert "Why" in from_file.out
    with written.open("rb") as lines:
        process = start("explain", identity, stdin=lines.fileno())
        out, _ = process.communicate(timeout=ENOUGH_S)
    assert out.decode() == from_file.out


def test_a_capture_can_be_read_again(lapwing: Lapwing, guessing: Path) -> None:
    done = lapwing("explain", "password-guessing", guessing)
    assert done.code == ExitCode.CLEAN
    assert "192.0.2.7" in done.out


def test_an_unknown_finding_names_those_there_are(lapwing: Lapwing, guessing: Path) -> None:
    done = lapwing("explain", "nosuchfinding", guessing)
    assert done.code == ExitCode.USAGE
    assert "there are: " in done.err


def test_other_events_are_passed_over_and_other_files_refused() -> None:
    lines = ndjson([login(username="finding.raised"), finding()]).splitlines()
    assert list(findings_in(lines, "x")) == [finding()]
    with pytest.raises(SourceError, match="x, line 1"):
        list(findings_in([b"\xd4\xc3\xb2\xa1\x02\x00"], "x"))


def test_logs_can_be_read_again(lapwing: Lapwing, tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    line = "Jan 12 08:00:{:02} host sshd[1]: Failed password for root from 203.0.113.5 port 4000 ssh2\n"
    log.write_text("".join(map(line.format, range(60))))
    done = lapwing("explain", "password-guessing", log)
    assert done.code == ExitCode.CLEAN, done.err
    assert "203.0.113.5" in done.out


def test_damage_is_told_beside_the_finding(lapwing: Lapwing, guessing: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(guessing.read_bytes()[:-10])
    done = lapwing("explain", "password-guessing", cut)
    assert done.code == ExitCode.PARTIAL
    assert "192.0.2.7" in done.out
    assert done.err.startswith(f"lapwing: {cut} at byte ")


def test_a_file_without_lines_is_read_in_pieces() -> None:
    endless = io.BytesIO(b"{" * 10_000)
    assert [len(line) for line in bounded_lines(endless, 4096)] == [4096, 4096, 1808]
