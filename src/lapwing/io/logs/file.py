"""A log file from its beginning to its end: plain, gzip or zstandard, or standard input."""

import re
import stat
import time
from codecs import getincrementaldecoder
from collections.abc import Callable
from types import TracebackType
from typing import Self

from lapwing.events import SourceError
from lapwing.io.capture.unpack import DamagedStream, FileStream, open_file, unpacked
from lapwing.io.logs.split import LineBatch, LineSplitter

CHUNK_BYTES = 256 * 1024  # read at once: some thousand lines, so that memory stays flat whatever the file's size
MAX_ARRAY_BYTES = 16 * 1024 * 1024  # of a JSON array on one line, as services export it: a whole log is one such line
SILENT_S = 0.1  # a pipe without a byte for so long gives no more for now

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")  # with which Windows PowerShell begins what it writes
_ARRAY = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[\s*\{")

__all__ = ["LineBatch", "LogFile", "open_log"]


class LogFile:
    """Batches of lines. Use it as a context manager."""

    def __init__(self, file: FileStream, max_line_bytes: int) -> None:
        self.name = file.name
        self.damage: str | None = None
        """What ended the reading early, None when nothing did."""
        self._file = file
        self._stream = unpacked(file)
        self._splitter = LineSplitter(max_line_bytes)
        self._view = memoryview(bytearray(CHUNK_BYTES))
        self._decode: Callable[[bytes], str] | None = None
        self._begun = self._ended = False
        self.written_ns = _written_ns(file)
        """When the file was last written, nanoseconds UTC; now for a pipe."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def read_bytes(self) -> int:
        """Bytes of the file read so far, packed ones as they are."""
        return self._file.read_bytes

    @property
    def total_bytes(self) -> int | None:
        """Its size; None for a pipe."""
        return self._file.total_bytes

    def next_batch(self) -> LineBatch | None:
        """Some more lines, possibly none of the chunk being complete; None at the end. Raises SourceError."""
        if self._ended:
            return None
        try:
            count = self._stream.readinto(self._view) if self._begun else self._first()
        except DamagedStream as error:
            self.damage, count = str(error), 0
        except OSError as error:
            raise SourceError(f"{self.name}: cannot be read: {error.strerror or error}") from error
        if count:
            data = bytes(self._view[:count])
            return self._splitter.feed(data if self._decode is None else self._decode(data).encode())
        self._ended = True
        return self._splitter.finish()

    def is_silent(self) -> bool:
        """Whether this is a pipe into which nobody writes for now; its end is no silence."""
        return self.total_bytes is None and not self._file.readable_within(SILENT_S)

    def _first(self) -> int:
        """Fill the view from the beginning, with more than the few bytes that told whether the file is packed."""
        self._begun = True
        count = self._stream.readinto(self._view)
        if count and self._stream is self._file:
            count += self._stream.readinto(self._view[count:])
        begin = bytes(self._view[:count])
        if begin.startswith(_UTF16_MARKS):
            begin = begin.decode("utf-16", "replace").encode()
            self._decode = getincrementaldecoder("utf-16")("replace").decode
        if _ARRAY.match(begin) is not None:
            self._splitter.max_line_bytes = max(self._splitter.max_line_bytes, MAX_ARRAY_BYTES)
        return count


def open_log(path: str, max_line_bytes: int) -> LogFile:
    """Open a log file, or standard input for `-`. Raises SourceError."""
    return LogFile(open_file(path), max_line_bytes)


def _written_ns(file: FileStream) -> int:
    status = file.status()
    return status.st_mtime_ns if stat.S_ISREG(status.st_mode) else time.time_ns()
