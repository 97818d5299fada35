"""Whatever goes wrong is one line and an exit code."""

import errno

import pytest

from lapwing.app.exit_codes import ExitCode
from lapwing.app.guard import guarded
from lapwing.events import LapwingError, SettingsError, SourceError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError("flows.max_flows: wrong"), ExitCode.USAGE),
        (SourceError("a.pcap: no such file"), ExitCode.INPUT),
        (LapwingError("something else"), ExitCode.INPUT),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED),
    ],
)
def test_an_error_becomes_one_line(error: BaseException, code: ExitCode, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> ExitCode:
        raise error

    assert guarded(fail) is code
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), ExitCode.PIPE_CLOSED, ""),
        (OSError(errno.ENOSPC, "No space left on device"), ExitCode.INPUT, "No space left on device"),
        (PermissionError(errno.EACCES, "Permission denied", "a.pcap"), ExitCode.INPUT, "a.pcap: Permission denied"),
    ],
)
def test_an_error_of_the_system_names_its_file(
    error: OSError, code: ExitCode, said: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lapwing.app.guard._mute_stdout", lambda: None)

    def fail() -> ExitCode:
        raise error

    assert guarded(fail) is code
    heard = capfd.readouterr().err
    assert said in heard
    assert heard.count("\n") == bool(said)


def test_a_fault_of_ours_stays_visible_as_one() -> None:
    def fail() -> ExitCode:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        guarded(fail)
