"""Bytes to lines. A line ends at a line feed and nowhere else: what Python also calls a line end, a client may send."""

from typing import NamedTuple

_BYTE_ORDER_MARK = "\ufeff"  # written by some programs before the first line


class LineBatch(NamedTuple):
    """Some lines, and how many were left out for their length."""

    lines: list[str]
    too_long_count: int


class LineSplitter:
    """Cuts pieces of a log into lines, holding at most one unfinished line of `max_line_bytes`.

    `inside` says that the first piece begins within a line: its rest is passed over, for the middle of a line may read
    like a line of its own.
    """

    __slots__ = ("_passed_bytes", "_passing", "_rest", "max_line_bytes")

    def __init__(self, max_line_bytes: int, *, inside: bool = False) -> None:
        self.max_line_bytes = max_line_bytes
        self._rest = b""
        self._passing = inside
        self._passed_bytes = 0

    @property
    def waiting_bytes(self) -> int:
        """Bytes taken that belong to a line whose end was not seen."""
        return len(self._rest) + self._passed_bytes

    def feed(self, data: bytes) -> LineBatch:
        """Take some bytes; return the lines they complete. Bytes that are no UTF-8 come as U+FFFD."""
        if self._passing:
            passed, end, data = data.partition(b"\n")
            self._passed_bytes += len(passed)
            if not end:
                return LineBatch([], 0)
            self._passing = False
            self._passed_bytes = 0
        elif self._rest:
            data = self._rest + data
        whole, end, self._rest = data.rpartition(b"\n")
        lines, too_long = self._lines(whole) if end else ([], 0)
        if len(self._rest) > self.max_line_bytes:
            self._passed_bytes, self._rest, self._passing = len(self._rest), b"", True
            too_long += 1
        return LineBatch(lines, too_long)

    def finish(self) -> LineBatch:
        """The log ended: its last line, when it has no end."""
        rest, self._rest = self._rest, b""
        self._passing, self._passed_bytes = False, 0
        if not rest:
            return LineBatch([], 0)
        line = rest.decode("utf-8", "replace").removesuffix("\r")
        return LineBatch([line.removeprefix(_BYTE_ORDER_MARK)], 0)

    def _lines(self, whole: bytes) -> tuple[list[str], int]:
        text = whole.decode("utf-8", "replace")
        lines = text.split("\n")
        if "\r" in text:
            lines = [line.removesuffix("\r") for line in lines]
        if _BYTE_ORDER_MARK in text:
            lines = [line.removeprefix(_BYTE_ORDER_MARK) for line in lines]
        if len(whole) <= self.max_line_bytes:
            return lines, 0
        kept = [
            line for line in lines if len(line) * 4 <= self.max_line_bytes or len(line.encode()) <= self.max_line_bytes
        ]
        return kept, len(lines) - len(kept)
