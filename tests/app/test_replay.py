"""A changed configuration is tried on one's own history: what appears, what vanishes, and nothing else is said."""

from importlib.resources import as_file, files
from pathlib import Path

import msgspec
import pytest

from lapwing.app.commands.replay import ReplayOptions, lines, run
from lapwing.app.exit_codes import ExitCode
from lapwing.app.log_reading import read_logs
from lapwing.app.replaying import compare_runs
from lapwing.detect import DetectSettings
from lapwing.events import DecisionMade, SettingsError
from lapwing.sessions import PipelineSettings
from lapwing.testing.logins import stuffing
from tests.app.traffic import guessing_at

EVENTS = stuffing(3).events
DEFAULTS = PipelineSettings()
DEAF = PipelineSettings(detect=msgspec.convert({"finding": {"raise_at": 20}, "block_at": 1.0}, DetectSettings))


@pytest.fixture
def history(tmp_path: Path) -> str:
    path = tmp_path / "history.ndjson"
    path.write_bytes(msgspec.json.Encoder().encode_lines(EVENTS))
    return str(path)


def config(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "new.toml"
    path.write_text(text)
    return path


def test_the_same_settings_change_nothing() -> None:
    found = compare_runs(EVENTS, DEFAULTS, DEFAULTS)
    assert found.logins == len(EVENTS)
    assert found.after.findings
    assert found.after.answers
    assert [*found.appeared, *found.vanished, *found.answered, *found.spared] == []


def test_what_is_too_much_to_keep_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lapwing.app.replaying.MAX_TOLD", 1)
    found = compare_runs(EVENTS, DEFAULTS, DEFAULTS)
    assert (len(found.after.findings), len(found.after.answers)) == (1, 1)
    assert found.left_out > 0
    assert f"{found.left_out} further findings and answers are not compared: too many to keep" in list(lines(found))


def test_what_stricter_settings_would_add_looser_ones_would_drop() -> None:
    looser, stricter = compare_runs(EVENTS, DEFAULTS, DEAF), compare_runs(EVENTS, DEAF, DEFAULTS)
    assert {f.finding for f in looser.vanished} >= {"credential-stuffing"}
    assert [f.finding_id for f in looser.vanished] == [f.finding_id for f in stricter.appeared]
    assert [d.value for d in looser.spared] == [d.value for d in stricter.answered] != []
    assert looser.appeared == []


def test_excluding_the_source_makes_its_finding_and_its_block_vanish(
    history: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = config(tmp_path, '[detect.exclude]\nsources = ["203.0.113.7"]\n')
    assert run(ReplayOptions([history], new)) is ExitCode.FINDINGS
    told = capsys.readouterr().out.splitlines()
    assert any(line.startswith("- ") and "credential-stuffing 203.0.113.7" in line for line in told)
    assert any(line.startswith("- ") and "block 203.0.113.7" in line for line in told)
    assert not any(line.startswith("+ ") for line in told)
    assert told[-1].startswith(f"{len(EVENTS)} logins: 0 findings as before, 0 would appear")


def test_settings_beside_detection_change_what_is_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history = tmp_path / "tagged.ndjson"
    tagged = [msgspec.structs.replace(login, username=f"jane+{n}@example.com") for n, login in enumerate(EVENTS)]
    history.write_bytes(msgspec.json.Encoder().encode_lines(tagged))
    new = config(tmp_path, "[logins]\ndrop_username_tag = true\n")
    assert run(ReplayOptions([str(history)], new)) is ExitCode.FINDINGS
    told = capsys.readouterr().out.splitlines()
    assert any(line.startswith("+ ") and "tried the account jane@example.com" in line for line in told)
    assert any(line.startswith("- ") and "credential-stuffing" in line for line in told)
    with pytest.raises(SettingsError, match=r"^-: is read once for each settings, .* name a file"):
        run(ReplayOptions(["-"], new))


def test_how_many_logins_either_finds_is_told_where_that_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with as_file(files("lapwing.demo") / "demo.pcap") as capture:
        run(ReplayOptions([str(capture)], config(tmp_path, '[logins]\nany_path = false\nendpoints = ["POST /no"]\n')))
    told = capsys.readouterr().out.splitlines()
    assert any(line.startswith("- ") and "credential-stuffing 203.0.113.10" in line for line in told)
    assert told[-2].startswith("the settings in use find 708 logins in it, the new ones ")


def test_no_difference_is_told_in_one_line(history: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ReplayOptions([history], config(tmp_path, ""))) is ExitCode.CLEAN
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_every_line_of_a_difference_has_its_sign() -> None:
    told = list(lines(compare_runs(EVENTS, DEAF, DEFAULTS)))
    assert all(line.startswith("+ ") for line in told[:-1])
    assert "would appear" in told[-1]


def test_reading_logs_gives_decisions_where_they_are_asked_for(history: str) -> None:
    made = [e for e in read_logs(history, events=["decision"]) if isinstance(e, DecisionMade)]
    assert {d.value for d in made} == {"203.0.113.7"}
    assert "block" in {d.action for d in made}
    assert not any(isinstance(e, DecisionMade) for e in read_logs(history, events=["finding"]))


def test_two_readings_decide_the_same(history: str) -> None:
    first, second = (list(read_logs(history, events=["decision", "finding"])) for _ in range(2))
    assert first == second


def test_what_of_the_history_could_not_be_read_is_told(
    history: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "missing.pcap")
    capture = guessing_at(tmp_path / "guessing.pcap")
    assert run(ReplayOptions([missing, str(capture)], config(tmp_path, ""))) is ExitCode.INPUT
    assert missing in capsys.readouterr().err
