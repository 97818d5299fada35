"""JSON written over several lines, or an array on one: each of its objects as the one line that readers take."""

import re
from collections.abc import Sequence

MAX_OBJECT_CHARS = 1024 * 1024  # of one object; a longer one is given up, and looked for the next
_BEGINS = re.compile(r"\s*(?:\[\s*(?:\{|$)|\{\s*$|Record \d+\s*$)")  # the last is evtx_dump's, before each object
_MARKS = re.compile(r'[\\"{}]')


def is_spread(line: str) -> bool:
    """Whether a log that begins with `line` is an array, or objects spread over lines."""
    return _BEGINS.match(line) is not None


class Joiner:
    """Lines in, objects out, each as one line. What stands between the objects of an array is passed over."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._chars = 0
        self._depth = 0
        self._quoted = False

    def feed(self, lines: Sequence[str]) -> list[str]:
        """The objects that are complete with these lines."""
        out: list[str] = []
        for line in lines:
            self._take(line, out)
        return out

    def _take(self, line: str, out: list[str]) -> None:
        start, skip = 0, -1
        for mark in _MARKS.finditer(line):
            at, char = mark.start(), mark.group()
            if at == skip:
                continue
            if char == "\\":
                skip = at + 1
            elif char == '"':
                self._quoted = self._depth > 0 and not self._quoted
            elif not self._quoted:
                start = self._brace(line, at, start, out)
        if self._depth:
            self._keep(line[start:])

    def _brace(self, line: str, at: int, start: int, out: list[str]) -> int:
        """Where what is not kept yet begins."""
        if line[at] == "{":
            self._depth += 1
            return at if self._depth == 1 else start
        if self._depth == 0:
            return start
        self._depth -= 1
        if self._depth:
            return start
        out.append(" ".join([*self._parts, line[start : at + 1]]))
        self._forget()
        return at + 1

    def _keep(self, part: str) -> None:
        self._parts.append(part.strip())
        self._chars += len(part)
        self._quoted = False  # JSON has no line breaks inside of strings: a quote left open is damage
        if self._chars > MAX_OBJECT_CHARS:
            self._forget()

    def _forget(self) -> None:
        self._parts, self._chars, self._depth, self._quoted = [], 0, 0, False
