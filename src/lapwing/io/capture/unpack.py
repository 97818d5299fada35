"""Byte streams from files: plain, gzip and zstandard, told apart by content, all with one bounded `readinto`."""

import os
import stat
import sys
import zlib
from pathlib import Path
from select import select
from typing import IO, Protocol, cast

import zstandard

from lapwing.events import SourceError

STDIN = "-"
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
PACKED_HEAD_BYTES = 4096  # of a packed pipe: more than enough to unpack the first bytes of what is in it
INPUT_BYTES = 256 * 1024  # compressed bytes read at once; larger gains nothing measurable
ZSTD_MAX_WINDOW_BYTES = 128 * 1024 * 1024  # what `zstd --long` writes; a file asking for more memory is refused


class DamagedStream(Exception):  # noqa: N818 - ends a stream, handled by the source, never seen by users
    """The compressed stream is cut or broken; all bytes before it have been handed out."""


class Stream(Protocol):
    """What a source reads from."""

    def readinto(self, view: memoryview, /) -> int:
        """Fill `view` from its start; 0 at the end. Raises DamagedStream, OSError."""
        ...


class FileStream:
    """A file or pipe read without a buffer of its own; counts what was read."""

    def __init__(self, name: str, descriptor: int, *, owned: bool, begin: bytes = b"") -> None:
        """`begin` are bytes already taken from it; they come first. Below 0, `descriptor` means that they are all."""
        self.name = name
        self.read_bytes = 0
        self.total_bytes: int | None = None
        self._descriptor = descriptor
        self._owned = owned
        self._pushed_back = begin
        if descriptor >= 0 and stat.S_ISREG((status := os.fstat(descriptor)).st_mode):
            self.total_bytes = status.st_size

    def status(self) -> os.stat_result:
        """What the system says of the open file."""
        return os.fstat(self._descriptor)

    def peek(self, size: int) -> bytes:
        """The next `size` bytes without using them; fewer at the end of the file."""
        while (missing := size - len(self._pushed_back)) > 0 and self._descriptor >= 0:
            more = os.read(self._descriptor, missing)
            if not more:
                break
            self._pushed_back += more
        return self._pushed_back[:size]

    def readinto(self, view: memoryview, /) -> int:
        """Fill `view` from its start; 0 at the end."""
        if self._pushed_back:
            count = min(len(view), len(self._pushed_back))
            view[:count] = self._pushed_back[:count]
            self._pushed_back = self._pushed_back[count:]
        else:
            count = os.readv(self._descriptor, [view]) if self._descriptor >= 0 else 0
        self.read_bytes += count
        return count

    def readable_within(self, seconds: float) -> bool:
        """Whether there are bytes to read, or the end is reached, before so long has passed."""
        return bool(self._pushed_back or self._descriptor < 0 or select([self._descriptor], [], [], seconds)[0])

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if self._owned and self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1


class GzipStream:
    """Inflates gzip, one member after another, never more than asked for."""

    def __init__(self, inner: Stream) -> None:
        self._inner = inner
        self._input = memoryview(bytearray(INPUT_BYTES))
        self._waiting: bytes | memoryview = b""
        self._inflate = zlib.decompressobj(wbits=31)
        self._fresh = True  # between members

    def readinto(self, view: memoryview, /) -> int:
        """Fill `view` from its start; 0 at the end. Zeros after the last member are padding and end the stream."""
        while True:
            if not self._waiting and not self._more_input():
                return 0
            if self._fresh and bytes(self._waiting[:1]) == b"\0":
                return 0
            data = self._unpack(len(view))
            self._fresh = False
            self._waiting = self._inflate.unconsumed_tail
            if self._inflate.eof:
                self._waiting = self._inflate.unused_data
                self._inflate = zlib.decompressobj(wbits=31)
                self._fresh = True
            if data:
                view[: len(data)] = data
                return len(data)

    def _unpack(self, size: int) -> bytes:
        """Up to `size` bytes. A damaged place is approached in ever smaller steps, up to the last byte or two."""
        while True:
            before = self._inflate.copy()  # a failing step takes what it had unpacked with it
            try:
                return self._inflate.decompress(self._waiting, size)
            except zlib.error as error:
                self._inflate = before
                if size == 1:
                    raise DamagedStream(str(error)) from error
                size = max(1, size // 8)

    def _more_input(self) -> bool:
        count = self._inner.readinto(self._input)
        self._waiting = self._input[:count]
        if not count and not self._fresh:
            raise DamagedStream("the gzip stream is cut")
        return count > 0


class ZstdStream:
    """Unpacks zstandard, one frame after another, never more than asked for."""

    def __init__(self, inner: Stream) -> None:
        self._inner = inner
        unpacker = zstandard.ZstdDecompressor(max_window_size=ZSTD_MAX_WINDOW_BYTES)
        self._reader = unpacker.stream_reader(cast("IO[bytes]", self), INPUT_BYTES, read_across_frames=True)

    def read(self, size: int) -> bytes:
        """Compressed input, for the unpacker."""
        data = bytearray(size)
        return bytes(data[: self._inner.readinto(memoryview(data))])

    def readinto(self, view: memoryview, /) -> int:
        """Fill `view` from its start; 0 at the end."""
        try:
            return int(self._reader.readinto(view))
        except zstandard.ZstdError as error:
            raise DamagedStream(str(error)) from error


def open_file(path: str) -> FileStream:
    """Open a file, or standard input for `-`. Raises SourceError with what to do."""
    if path == STDIN:
        return _opened_stdin()
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise SourceError(f"{path}: cannot be opened: {error.strerror or error}") from error
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SourceError(f"{path}: is a directory; name the files in it")
    return FileStream(path, descriptor, owned=True)


_looked_at: dict[int, bytes] = {}  # what `stdin_head` took from a pipe, for whoever reads it


def _opened_stdin() -> FileStream:
    if sys.stdin is None:
        raise SourceError("-: standard input is closed")
    descriptor = sys.stdin.fileno()
    return FileStream("-", descriptor, owned=False, begin=_looked_at.pop(descriptor, b""))


def stdin_head(size: int) -> bytes:
    """The first `size` unpacked bytes of standard input, which are still there for the next `open_file`.

    Raises SourceError where it is closed.
    """
    file = _opened_stdin()
    head = file.peek(size)
    if head.startswith((GZIP_MAGIC, ZSTD_MAGIC)):
        head = file.peek(PACKED_HEAD_BYTES)
    _looked_at[sys.stdin.fileno()] = head
    return _head(unpacked(FileStream("-", -1, owned=False, begin=head)), size)


def unpacked(file: FileStream) -> Stream:
    """The stream of capture bytes inside `file`, by its first bytes."""
    head = file.peek(4)
    if head.startswith(GZIP_MAGIC):
        return GzipStream(file)
    if head == ZSTD_MAGIC:
        return ZstdStream(file)
    return file


def head_of(path: Path, size: int) -> bytes:
    """The first `size` unpacked bytes of a regular file; what there is when it is shorter, unreadable or broken."""
    try:
        file = open_file(str(path))
    except SourceError:
        return b""
    try:
        return _head(unpacked(file), size)
    finally:
        file.close()


def _head(stream: Stream, size: int) -> bytes:
    view, have = memoryview(bytearray(size)), 0
    try:
        while have < size and (count := stream.readinto(view[have:])):
            have += count
    except (OSError, DamagedStream):
        return b""
    return bytes(view[:have])
