"""Ctrl-C during a reading: the first ends the input and lets what was seen so far be told, the second ends at once."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted:
    """Whether the reading was ended from the keyboard."""

    def __init__(self) -> None:
        self.happened = False


@contextmanager
def stop_on_interrupt(stop: Callable[[], None]) -> Iterator[Interrupted]:
    """Call `stop` on the first Ctrl-C; restore the usual handling afterwards and for the second."""
    state = Interrupted()
    usual = signal.getsignal(signal.SIGINT)

    def handle(_number: int, _frame: FrameType | None) -> None:
        state.happened = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop()

    signal.signal(signal.SIGINT, handle)
    try:
        yield state
    finally:
        signal.signal(signal.SIGINT, usual)
