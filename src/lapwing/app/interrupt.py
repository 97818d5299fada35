"""Ctrl-C, SIGTERM or a closed terminal during a reading: the first ends the input, the second ends all."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted:
    """Whether the reading was ended from outside."""

    def __init__(self) -> None:
        self.happened = False


@contextmanager
def stop_on_interrupt(stop: Callable[[], None]) -> Iterator[Interrupted]:
    """Call `stop` on the first Ctrl-C, SIGTERM or SIGHUP; restore the usual handling afterwards and for the second.

    Whoever was started with one of them ignored, as `nohup` does, goes on ignoring it.
    """
    state = Interrupted()
    usual = {number: signal.getsignal(number) for number in _SIGNALS}
    usual = {number: handler for number, handler in usual.items() if handler is not signal.SIG_IGN}

    def handle(_number: int, _frame: FrameType | None) -> None:
        state.happened = True
        for number in usual:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        stop()

    for number in usual:
        signal.signal(number, handle)
    try:
        yield state
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
