"""Which lines of the product an input reaches, and in which order of two: what tells a new input from an old one."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

import lapwing

ROOT = next(iter(lapwing.__path__))
Arc = tuple[str, int, int]


class Arcs:
    """Collects pairs of lines that followed each other within a function of the package."""

    def __init__(self) -> None:
        self.known: set[Arc] = set()
        self._now: set[Arc] = set()

    def of(self, work: Callable[[], object]) -> int:
        """Run `work`; how many arcs it reached that nothing before had."""
        self._now = set()
        with self._tracing():
            work()
        fresh = self._now - self.known
        self.known |= fresh
        return len(fresh)

    @contextmanager
    def _tracing(self) -> Iterator[None]:
        before = sys.gettrace()
        sys.settrace(self._call)
        try:
            yield
        finally:
            sys.settrace(before)

    def _call(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        code: CodeType = frame.f_code
        if not code.co_filename.startswith(ROOT):
            return None
        name, last, now = code.co_qualname, 0, self._now

        def line(frame: FrameType, event: str, _argument: Any) -> Any:
            nonlocal last
            if event == "line":
                now.add((name, last, frame.f_lineno))
                last = frame.f_lineno
            return line

        return line
