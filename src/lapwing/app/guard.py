"""Turns what can go wrong around a command into one line and an exit code."""

import errno
import os
import sys
from collections.abc import Callable

from lapwing.app.exit_codes import ExitCode
from lapwing.events import LapwingError, SettingsError


def complain(message: str) -> None:
    """One line on standard error, whatever the message holds."""
    print(f"lapwing: {' '.join(message.split())}", file=sys.stderr)


def guarded(command: Callable[..., ExitCode], *arguments: object) -> ExitCode:
    """Run `command`; its errors become a line and the exit code that belongs to them."""
    try:
        code = command(*arguments)
        sys.stdout.flush()
    except SettingsError as error:
        complain(str(error))
        return ExitCode.USAGE
    except LapwingError as error:
        complain(str(error))
        return ExitCode.INPUT
    except BrokenPipeError:
        _mute_stdout()
        return ExitCode.PIPE_CLOSED
    except KeyboardInterrupt:
        complain("interrupted")
        return ExitCode.INTERRUPTED
    except OSError as error:
        _mute_stdout()
        complain(_say(error))
        return ExitCode.INPUT
    return code


def _say(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    reason = error.strerror or str(error)
    if error.errno == errno.ENOSPC and not place:
        return f"output: {reason}; what was written before is complete up to its last whole line"
    return f"{place}{reason}"


def _mute_stdout() -> None:
    """What is still buffered has nowhere to go; without this the interpreter would try again on its way out."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        sys.stdout = None
