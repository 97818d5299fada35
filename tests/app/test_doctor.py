"""`lapwing doctor`, `demo`, `schema`: what the installation can do, and does."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from lapwing._version import __version__
from lapwing.app import installation
from lapwing.app.cli_parts import Level
from lapwing.app.commands import doctor
from lapwing.app.exit_codes import ExitCode
from lapwing.app.warning import warn_if_plain
from lapwing.events import Severity, schema
from tests.app.conftest import Lapwing

ROOT = Path(__file__).resolve().parents[2]


def test_doctor_says_what_there_is(lapwing: Lapwing) -> None:
    done = lapwing("doctor")
    assert done.code == ExitCode.CLEAN
    for name in ("lapwing", "python", "loops", "libpcap", "capturing", "settings", "terminal"):
        assert name in done.out


def test_missing_compiled_loops_are_said_loudly(
    lapwing: Lapwing, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lapwing.app.warning.hot_modules", lambda: {"lapwing.flows.hot": False})
    monkeypatch.setattr(doctor, "hot_modules", lambda: {"lapwing.flows.hot": False})
    assert "slow" in lapwing("doctor").out
    warn_if_plain()
    assert "SLOW: lapwing.flows.hot not compiled" in capfd.readouterr().err


def test_extras_are_those_of_the_package(lapwing: Lapwing) -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = {
        extra: tuple(re.split(r"[\[>; ]", requirement)[0] for requirement in requirements if ";" not in requirement)
        for extra, requirements in declared.items()
        if extra not in {"dev", "bench"}
    }
    assert named == doctor.EXTRAS
    assert "callbacks" in lapwing("doctor").out


def test_a_missing_extra_is_named_with_how_to_get_it(lapwing: Lapwing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(doctor.EXTRAS, "columns", ("no-such-distribution",))
    assert "not installed: columns (pip install 'lapwing[NAME]')" in lapwing("doctor").out


def test_wrong_settings_are_found_by_the_doctor(lapwing: Lapwing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAPWING_FLOWS__MAX_FLOWS", "wrong")
    done = lapwing("doctor")
    assert done.code == ExitCode.USAGE
    assert "flows.max_flows" in done.out


def test_every_hot_file_is_known_to_the_doctor() -> None:
    assert {"lapwing.wire.hot"} <= set(installation.hot_modules())


def test_the_demo_finds_every_labelled_attack_and_accuses_nobody_else(lapwing: Lapwing) -> None:
    done = lapwing("demo")
    assert done.code == ExitCode.CLEAN, done.out
    assert "11 of 11 labelled attacks found" in done.out
    assert "0 accusations" in done.out
    assert "MISSED" not in done.out
    assert "NOT RIGHT" not in done.out
    closing = done.out[done.out.index("  11 of 11") :].splitlines()
    assert all(line.startswith("  ") for line in closing)  # also where a line is broken


def test_the_schema_is_that_of_the_events(lapwing: Lapwing) -> None:
    assert json.loads(lapwing("schema").out) == json.loads(json.dumps(schema()))


def test_the_version_is_shown(lapwing: Lapwing) -> None:
    assert lapwing("--version").out == f"lapwing {__version__}\n"


def test_the_severities_of_the_command_line_are_those_of_the_events() -> None:
    assert [level.value for level in Level] == [severity.value for severity in Severity]
