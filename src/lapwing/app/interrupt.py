"""Signals during a reading. Ctrl-C, SIGTERM or a closed terminal: the first ends the input, the second ends all.

What runs on and on takes SIGHUP as the wish to read its configuration again, unless its terminal was closed.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TERMINAL = "/dev/tty"  # the one that a process belongs to; it cannot be opened where there is none, or no more


class Interrupted:
    """Whether the reading was ended from outside."""

    def __init__(self) -> None:
        self.happened = False


@contextmanager
def stop_on_interrupt(stop: Callable[[], None], reload: Callable[[], None] | None = None) -> Iterator[Interrupted]:
    """Call `stop` on the first Ctrl-C, SIGTERM or SIGHUP; restore the usual handling afterwards and for the second.

    With `reload`, SIGHUP calls that instead, but for the one that tells of a closed terminal.

    Whoever was started with one of them ignored, as `nohup` does, goes on ignoring it.
    """
    state = Interrupted()
    usual = {number: signal.getsignal(number) for number in _SIGNALS}
    usual = {number: handler for number, handler in usual.items() if handler is not signal.SIG_IGN}

    at_terminal = reload is not None and _has_terminal()

    def handle(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP and reload is not None and (not at_terminal or _has_terminal()):
            reload()
            return
        state.happened = True
        for one in usual:
            signal.signal(one, signal.default_int_handler if one == signal.SIGINT else signal.SIG_DFL)
        stop()

    for number in usual:
        signal.signal(number, handle)
    try:
        yield state
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


def _has_terminal() -> bool:
    try:
        os.close(os.open(TERMINAL, os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
