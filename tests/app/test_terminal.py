"""What is shown while work goes on, to a terminal and to nothing else."""

import io
import sys

import pytest

from lapwing.app.terminal import Stages


class FakeTerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def worked() -> list[int]:
    with Stages() as stages:
        done = list(stages.over("counting sheep", range(3)))
        with stages.during("falling asleep"):
            pass
    return done


def test_stages_are_silent_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert worked() == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


def test_stages_are_named_on_a_terminal_with_how_many_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = FakeTerminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    with Stages() as stages:
        for number in stages.over("counting sheep", range(3)):
            stages._progress.refresh()
            assert f"{number}/3" in terminal.getvalue()
    assert "counting sheep" in terminal.getvalue()
