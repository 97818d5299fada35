"""The program, run in this process or as one of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from lapwing.app.cli import app
from tests.app.traffic import calm_at, guessing_at


class Done(NamedTuple):
    code: int
    out: str
    err: str


Lapwing = Callable[..., Done]


@pytest.fixture
def lapwing(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Lapwing:
    """Runs a command line in this process, without the settings of whoever runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("LAPWING_CONFIG", raising=False)
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments: str | Path) -> Done:
        capfd.readouterr()
        try:
            app([str(one) for one in arguments])
        except SystemExit as left:
            code = left.code
        else:
            code = 0
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return Done(int(code or 0), out, heard(err))

    return run


def heard(err: str) -> str:
    """Standard error without the warning of a build that has no compiled loops."""
    return "".join(line for line in err.splitlines(keepends=True) if not line.startswith("lapwing: SLOW"))


def start(*arguments: str | Path, **options: int) -> "subprocess.Popen[bytes]":
    """The program as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "lapwing", *map(str, arguments)],
        stdin=options.get("stdin", subprocess.DEVNULL),
        stdout=options.get("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        env={**os.environ, "NO_COLOR": "1"},
    )


@pytest.fixture
def guessing(tmp_path: Path) -> Path:
    """Thirty failed logins of one source to one account."""
    return guessing_at(tmp_path / "guessing.pcap")


@pytest.fixture
def calm(tmp_path: Path) -> Path:
    """One login, accepted."""
    return calm_at(tmp_path / "calm.pcap")
