"""Packets into capture files: one file, a series of them, or only what surrounds a reason to keep it."""

import os
import re
import struct
import sys
from collections import deque
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Self

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from lapwing.io.capture.unpack import STDIN
from lapwing.wire import MAX_RECORD_BYTES, pack_pcap

NS_PER_S = 1_000_000_000
MAGIC_NANOSECONDS = 0xA1B23C4D
MIB = 1024 * 1024
SUFFIX = ".pcap"  # of the files of a series whose name has none
OWNER_ONLY = 0o600
SLICES = 16  # pieces a waiting time is cut into; what is kept begins at most a sixteenth of it late


class RecordSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of recording."""

    rotate_bytes: Annotated[int, Meta(ge=4096)] | None = None
    """Begin a new file when this one would grow beyond; None never does."""

    rotate_s: Annotated[float, Meta(gt=0)] | None = None
    """Begin a new file after this much packet time; None never does."""

    keep_files: Annotated[int, Meta(ge=1)] | None = None
    """Delete the oldest file of the series beyond this many; None keeps them all."""

    before_s: Annotated[float, Meta(ge=0)] | None = None
    """Write only around findings, beginning this long before each; None writes everything."""

    after_s: Annotated[float, Meta(ge=0)] = 60.0
    """With `before_s`: how long to go on after a finding."""

    before_bytes: Annotated[int, Meta(ge=4096)] = 64 * MIB
    """Most bytes held in memory while waiting for a finding; the oldest go first, and are counted."""


class Recorder:
    """Writes batches to classic captures with nanoseconds. A context manager.

    A series is named `NAME-00001.pcap`, `NAME-00002.pcap` ... A failing disk ends the recording, not the reading:
    `failure` then says why. One file has one link type, that of its first packet; others are counted.
    """

    def __init__(self, path: str | Path, settings: RecordSettings | None = None) -> None:
        """Opens nothing yet: the header needs the link type of the first packet."""
        self.settings = settings or RecordSettings()
        self.failure: str | None = None
        self.paths: list[Path] = []
        self._target = str(path)
        self._stream: BinaryIO | None = None
        self._link_type: int | None = None
        self._file_bytes = 0
        self._file_started_ns = 0
        self._held: deque[tuple[int, int, bytes]] = deque()  # last time, packets, records
        self._held_bytes = 0
        self._until_ns: int | None = None
        self._counters = dict.fromkeys(("packets", "bytes", "files", "other_link_packets", "forgotten_packets"), 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def overwrites(self, path: str | Path) -> bool:
        """Whether `path` is a file that recording would write over."""
        target, other = Path(self._target), Path(path)
        if not self._in_series:
            return target.exists() and other.exists() and target.samefile(other)
        series = f"{re.escape(target.stem)}-\\d{{5,}}{re.escape(target.suffix or SUFFIX)}"
        return other.resolve().parent == target.resolve().parent and re.fullmatch(series, other.name) is not None

    def write(self, buffer: Any, packets: NDArray[np.void], count: int) -> None:
        """Take the first `count` packets of a batch, whose bytes lie in `buffer`."""
        if not count or self.failure is not None:
            return
        if self._link_type is None:
            self._link_type = int(packets[0]["link_type"])
        fitting = int(np.count_nonzero(packets["link_type"][:count] == self._link_type))
        self._counters["other_link_packets"] += count - fitting
        if not fitting:
            return
        if self.settings.before_s is None:
            newest_ns = int(packets["ts_ns"][:count].max())
            self._put(newest_ns, fitting, pack_pcap(buffer, packets, count, self._link_type))
            return
        # What this batch shows is told after it, and may reach back from the first packet of it.
        self._forget_before(int(packets["ts_ns"][0]))
        slices = packets["ts_ns"][:count] // max(round(self.settings.before_s * NS_PER_S / SLICES), 1)
        ends = [*(np.flatnonzero(np.diff(slices)) + 1).tolist(), count]
        for start, end in pairwise([0, *ends]):
            self._put_or_hold(buffer, packets[start:end], end - start)

    def _put_or_hold(self, buffer: Any, packets: NDArray[np.void], count: int) -> None:
        assert self._link_type is not None
        records = pack_pcap(buffer, packets, count, self._link_type)
        newest_ns = int(packets["ts_ns"].max())
        if self._until_ns is not None and newest_ns <= self._until_ns:
            self._put(newest_ns, count, records)
        else:
            self._hold(newest_ns, count, records)

    def trigger(self, now_ns: int) -> None:
        """There is a reason to keep what was seen just before `now_ns` and what follows. Nothing without `before_s`."""
        if self.settings.before_s is None or self.failure is not None:
            return
        self._until_ns = max(self._until_ns or 0, now_ns + round(self.settings.after_s * NS_PER_S))
        self._forget_before(now_ns)
        while self._held and self._held[0][0] <= self._until_ns:
            newest_ns, count, records = self._held.popleft()
            self._held_bytes -= len(records)
            self._put(newest_ns, count, records)

    def statistics(self) -> dict[str, int]:
        """Counters that only grow: what was written, left out and forgotten."""
        return dict(self._counters)

    def close(self) -> None:
        """Complete the file. What was held for a finding that never came is forgotten."""
        if self._stream is not None and self._target != STDIN:
            self._stream.close()
        self._stream = None

    def _hold(self, newest_ns: int, count: int, records: bytes) -> None:
        self._held.append((newest_ns, count, records))
        self._held_bytes += len(records)
        while self._held_bytes > self.settings.before_bytes:
            self._forget_oldest()

    def _forget_before(self, now_ns: int) -> None:
        assert self.settings.before_s is not None
        oldest_ns = now_ns - round(self.settings.before_s * NS_PER_S)
        while self._held and self._held[0][0] < oldest_ns:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        _, number, dropped = self._held.popleft()
        self._held_bytes -= len(dropped)
        self._counters["forgotten_packets"] += number

    def _put(self, newest_ns: int, count: int, records: bytes) -> None:
        try:
            if self._stream is None or self._is_full(newest_ns, len(records)):
                self._begin(newest_ns)
            assert self._stream is not None
            self._stream.write(records)
            self._stream.flush()
        except OSError as error:
            self.failure = f"{self._target}: recording stopped: {error.strerror or error}"
            self.close()
            return
        self._file_bytes += len(records)
        self._counters["packets"] += count
        self._counters["bytes"] += len(records)

    def _is_full(self, newest_ns: int, more_bytes: int) -> bool:
        settings = self.settings
        if settings.rotate_bytes is not None and self._file_bytes + more_bytes > settings.rotate_bytes:
            return True
        return settings.rotate_s is not None and newest_ns - self._file_started_ns >= settings.rotate_s * NS_PER_S

    def _begin(self, newest_ns: int) -> None:
        self.close()
        self._counters["files"] += 1
        if self._target == STDIN:
            self._stream = sys.stdout.buffer
        else:
            path = self._next_path()
            self._stream = self._open(path)
            self.paths.append(path)
            if self.settings.keep_files is not None and len(self.paths) > self.settings.keep_files:
                self.paths.pop(0).unlink(missing_ok=True)
        header = struct.pack("<IHHiIII", MAGIC_NANOSECONDS, 2, 4, 0, 0, MAX_RECORD_BYTES, self._link_type)
        self._stream.write(header)
        self._file_bytes = len(header)
        self._file_started_ns = newest_ns

    @property
    def _in_series(self) -> bool:
        return self.settings.rotate_bytes is not None or self.settings.rotate_s is not None

    def _next_path(self) -> Path:
        path = Path(self._target)
        if not self._in_series:
            return path
        return path.with_name(f"{path.stem}-{self._counters['files']:05}{path.suffix or SUFFIX}")

    def _open(self, path: Path) -> BinaryIO:
        """For its owner alone: packets hold passwords. Nobody named the files of a series, so no link leads astray."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | (os.O_NOFOLLOW if self._in_series else 0)
        return os.fdopen(os.open(path, flags, OWNER_ONLY), "wb")
