"""A log file as it grows, through rotation by renaming and by truncating, and from where an earlier run stopped.

A file is known by its device and inode and by its first bytes: a name says nothing after a rotation, and an inode is
used again.
"""

import glob
import os
import re
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from hashlib import blake2b
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from lapwing.events import SourceError
from lapwing.io.capture.unpack import STDIN
from lapwing.io.logs.split import LineBatch, LineSplitter

READ_BYTES = 1024 * 1024  # at most per poll: the file itself is the queue of what waits, so nothing piles up in memory
HEAD_BYTES = 256  # by which a file is told from another that got its inode, or from itself before it was truncated
MAX_ROTATED = 1_000  # neighbours looked through for the file an earlier run was reading
MAX_BETWEEN = 64  # of them that are read after that file, before the one at the path
MIN_COPY_HEAD_BYTES = 64  # that tell a copy of a file by themselves: a line of a log with its time
LINGER_S = 60.0  # a renamed file is read on for so long: daemons write to it until they are told to open the new one
MAX_LINGERING = 4  # renamed files read on at once

_ROTATED = re.compile(r"[.-]\d[\d._:TZ-]*")  # behind the name: a number, a date; what is packed has letters there


class Position(NamedTuple):
    """How far a file has been read: up to the end of a line. `head` is the hash of its first `head_bytes`."""

    device: int
    inode: int
    offset: int
    head_bytes: int
    head: str


class _OpenFile:
    """One file, whatever its name is by now."""

    def __init__(self, descriptor: int, max_line_bytes: int, offset: int, *, inside: bool = False) -> None:
        status = os.fstat(descriptor)
        self.descriptor = descriptor
        self.identity = (status.st_dev, status.st_ino)
        self.offset = offset
        self.truncations = 0
        self.splitter = LineSplitter(max_line_bytes, inside=inside)
        self._max = max_line_bytes
        self._head = os.pread(descriptor, HEAD_BYTES, 0)

    def read(self) -> LineBatch | None:
        """Its next lines; None when there is nothing new."""
        head = os.pread(self.descriptor, HEAD_BYTES, 0)
        if not head.startswith(self._head) or os.fstat(self.descriptor).st_size < self.offset:
            self.truncations += 1
            self.splitter = LineSplitter(self._max)
            self.offset = 0
        self._head = head
        data = os.pread(self.descriptor, READ_BYTES, self.offset)
        if not data:
            return None
        self.offset += len(data)
        return self.splitter.feed(data)

    def limit(self, max_line_bytes: int) -> None:
        """From now on lines may be so long."""
        self._max = self.splitter.max_line_bytes = max_line_bytes

    def position(self) -> Position:
        """Where to go on another time."""
        return Position(*self.identity, self.offset - self.splitter.waiting_bytes, len(self._head), _digest(self._head))

    def close(self) -> None:
        """Close it."""
        os.close(self.descriptor)


class _Lingering(NamedTuple):
    """A renamed file and until when it is read on."""

    file: _OpenFile
    until: float


class FollowedLog:
    """Follows one path. `poll` never waits; a rotation loses nothing as long as the renamed file exists.

    With a `position` reading goes on there, in the renamed file if it was rotated meanwhile. Without one it begins at
    the end of the file, or at its beginning with `from_start`.
    """

    def __init__(
        self, path: str, max_line_bytes: int, *, position: Position | None = None, from_start: bool = False
    ) -> None:
        """Raise SourceError when the path is a directory or may not be read; a file that is absent may come."""
        there = Path(path)
        if there.is_dir():
            raise SourceError(f"{path}: is a directory; name the log files in it")
        if path == STDIN or (there.exists() and not there.is_file()):
            raise SourceError(f"{path}: is no file that can be followed; `lapwing read` reads pipes and standard input")
        self.path = path
        self.is_place_lost = False
        """Whether the file of `position` is gone or packed: what was written to it since is not read."""
        self.rotations = 0
        self._max = max_line_bytes
        self._past_truncations = 0
        self._lingering: list[_Lingering] = []
        self._between: list[_OpenFile] = []  # rotated after the file that is read, the oldest first
        self._file = self._resume(position) if position is not None else self._begin(from_start)

    @property
    def truncations(self) -> int:
        """Times the file shrank: what was written between the last poll and then is lost, nobody knows how much."""
        return self._past_truncations + (self._file.truncations if self._file is not None else 0)

    @property
    def position(self) -> Position | None:
        """Where to go on another time; None while there is no file."""
        return None if self._file is None else self._file.position()

    @property
    def behind_bytes(self) -> int:
        """Bytes that were written and not yet read."""
        files = self._between if self._file is None else [self._file, *self._between]
        return sum(max(0, os.fstat(file.descriptor).st_size - file.offset) for file in files)

    def poll(self) -> LineBatch | None:
        """The lines written since, at most `READ_BYTES`; None when nothing is new for now.

        Raises SourceError; it may be asked again, and goes on when the reason is gone.
        """
        try:
            return self._next_lines()
        except OSError as error:
            raise SourceError(f"{self.path}: cannot be read: {error.strerror or error}") from error

    def _next_lines(self) -> LineBatch | None:
        if self._lingering and (batch := self._read_lingering()) is not None:
            return batch
        if self._file is None:
            self._file = self._opened(self.path, 0)
        if self._file is None:
            return None
        batch = self._file.read()
        return batch if batch is not None else self._next_file(self._file)

    def limit(self, max_line_bytes: int) -> None:
        """From now on lines may be so long."""
        self._max = max_line_bytes
        for file in (self._file, *(one.file for one in self._lingering), *self._between):
            if file is not None:
                file.limit(max_line_bytes)

    def close(self) -> None:
        """Close what is open."""
        for file, _ in self._lingering:
            file.close()
        for file in self._between:
            file.close()
        self._lingering.clear()
        self._between.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _next_file(self, file: _OpenFile) -> LineBatch | None:
        """`file` is read to its end: is there a later one, or another at the path by now?"""
        if self._between:
            return self._go_on(file, self._between.pop(0))
        try:
            there = os.stat(self.path)  # noqa: PTH116 - asked many times a second
        except FileNotFoundError:
            return None  # renamed, and the new one not yet made
        except OSError as error:
            raise SourceError(f"{self.path}: cannot be followed: {error.strerror or error}") from error
        if (there.st_dev, there.st_ino) == file.identity:
            return None
        new = self._opened(self.path, 0)
        return None if new is None else self._go_on(file, new)

    def _go_on(self, file: _OpenFile, new: _OpenFile) -> LineBatch | None:
        self.rotations += 1
        self._past_truncations += file.truncations
        self._file = new
        self._lingering.append(_Lingering(file, time.monotonic() + LINGER_S))
        return self._read_lingering() or new.read()

    def _read_lingering(self) -> LineBatch | None:
        """What is still written to renamed files; a file silent for long enough is closed."""
        now = time.monotonic()
        for number, (file, until) in enumerate(self._lingering):
            batch = file.read()
            if batch is not None:
                self._lingering[number] = _Lingering(file, now + LINGER_S)
                return batch
            if now > until or number < len(self._lingering) - MAX_LINGERING:
                del self._lingering[number]
                file.close()
                return file.splitter.finish()
        return None

    def _begin(self, from_start: bool) -> _OpenFile | None:
        file = self._opened(self.path, 0)
        if file is None or from_start:
            return file
        size = os.fstat(file.descriptor).st_size
        inside = size > 0 and os.pread(file.descriptor, 1, size - 1) != b"\n"
        return _OpenFile(file.descriptor, self._max, size, inside=inside)

    def _resume(self, position: Position) -> _OpenFile | None:
        """Find the file that `position` speaks of, at the path or among its rotated neighbours."""
        neighbours = sorted(glob.glob(glob.escape(self.path) + "[.-]*"))[:MAX_ROTATED]  # noqa: PTH207
        rotated = [name for name in neighbours if _ROTATED.fullmatch(name.removeprefix(self.path))]
        found = self._found((self.path, *neighbours), position, _is_same)
        found = found or self._found(rotated, position, _is_copy)
        if found is None:  # rotated out of sight: all there is now was written since
            self.is_place_lost = True
            return self._opened(self.path, 0)
        name, file = found
        self._between = [] if name == self.path else self._later(file, rotated)
        return file

    def _found(
        self, names: Iterable[str], position: Position, fits: Callable[[_OpenFile, Position], bool]
    ) -> tuple[str, _OpenFile] | None:
        """The first of the files that is the one of `position`, open there."""
        for name in names:
            with suppress(SourceError):
                file = self._opened(name, position.offset)
                if file is not None and fits(file, position):
                    return name, file
                if file is not None:
                    file.close()
        return None

    def _later(self, file: _OpenFile, rotated: list[str]) -> list[_OpenFile]:
        """The rotated files that were written after `file`, by when they were written last."""
        after: list[tuple[int, _OpenFile]] = []
        written_ns = os.fstat(file.descriptor).st_mtime_ns
        for name in rotated:
            with suppress(SourceError):
                later = self._opened(name, 0)
                if later is None:
                    continue
                later_ns = os.fstat(later.descriptor).st_mtime_ns
                if later.identity != file.identity and later_ns >= written_ns:
                    after.append((later_ns, later))
                else:
                    later.close()
        after.sort(key=itemgetter(0))
        for _, passed in after[:-MAX_BETWEEN]:
            passed.close()
        return [one for _, one in after[-MAX_BETWEEN:]]

    def _opened(self, path: str, offset: int) -> _OpenFile | None:
        try:
            return _OpenFile(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), self._max, offset)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SourceError(f"{path}: cannot be opened: {error.strerror or error}") from error


def _is_same(file: _OpenFile, position: Position) -> bool:
    if file.identity != (position.device, position.inode) or os.fstat(file.descriptor).st_size < position.offset:
        return False
    return _digest(os.pread(file.descriptor, position.head_bytes, 0)) == position.head


def _is_copy(file: _OpenFile, position: Position) -> bool:
    """Whether it begins as the file did: rotation by copying and truncating gives what was written another inode."""
    if position.head_bytes < MIN_COPY_HEAD_BYTES or os.fstat(file.descriptor).st_size < position.offset:
        return False
    return _digest(os.pread(file.descriptor, position.head_bytes, 0)) == position.head


def _digest(head: bytes) -> str:
    return blake2b(head, digest_size=8).hexdigest()
