"""Ctrl-C or SIGTERM during a reading: the first ends the input and what was seen is told, the second ends all."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted:
    """Whether the reading was ended from outside."""

    def __init__(self) -> None:
        self.happened = False


@contextmanager
def stop_on_interrupt(stop: Callable[[], None]) -> Iterator[Interrupted]:
    """Call `stop` on the first Ctrl-C or SIGTERM; restore the usual handling afterwards and for the second."""
    state = Interrupted()
    usual = {number: signal.getsignal(number) for number in _SIGNALS}

    def handle(_number: int, _frame: FrameType | None) -> None:
        state.happened = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        stop()

    for number in _SIGNALS:
        signal.signal(number, handle)
    try:
        yield state
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
