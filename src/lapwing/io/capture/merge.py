"""Several captures of the same time as one series of batches, in the order of packet times: the legs of a tap, say."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lapwing.events import AnomalySeen
from lapwing.io.capture.source import CaptureSource, PacketBatch, Progress
from lapwing.wire import PACKET_DTYPE

_OFFSETS = tuple(name for name in PACKET_DTYPE.names or () if name.endswith("_off"))


class _Leg:
    """One capture, and what was read of it and not yet handed on."""

    def __init__(self, source: CaptureSource) -> None:
        self._source = source
        self._batch: PacketBatch | None = None
        self._taken = 0
        self._ended = False

    def fill(self) -> bool:
        """Read on when nothing is left; False at the end."""
        while not self._ended and (self._batch is None or self._taken >= self._batch.count):
            self._batch, self._taken = self._source.next_batch(), 0
            self._ended = self._batch is None
        return not self._ended

    def times(self) -> NDArray[np.int64]:
        """Times of what is left."""
        assert self._batch is not None
        times: NDArray[np.int64] = self._batch.packets["ts_ns"][self._taken : self._batch.count]
        return times

    def take(self, until_ns: int, base: int) -> tuple[NDArray[np.void], memoryview]:
        """The packets before the first one later than `until_ns`, and their bytes, to lie at `base`."""
        assert self._batch is not None
        later = np.flatnonzero(self.times() > until_ns)
        count = int(later[0]) if len(later) else len(self.times())
        rows = self._batch.packets[self._taken : self._taken + count].copy()
        self._taken += count
        if not count:
            return rows, memoryview(b"")
        begin = int(rows["frame_off"].min())
        end = int((rows["frame_off"].astype(np.int64) + rows["captured"]).max())
        for name in _OFFSETS:
            used = rows[name] >= begin  # an offset that says nothing is 0
            rows[name][used] = rows[name][used].astype(np.int64) + (base - begin)
        return rows, self._batch.buffer[begin:end]


class MergedSource:
    """Captures merged, with the methods of one. Made of captures that are in order themselves; closes them."""

    format = "merged"

    def __init__(self, sources: Sequence[CaptureSource]) -> None:
        self.name = " + ".join(source.name for source in sources)
        self._sources = tuple(sources)
        self._legs = [_Leg(source) for source in sources]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def damage(self) -> list[AnomalySeen]:
        """Every damaged place of every capture so far."""
        return [damage for source in self._sources for damage in source.damage]

    def next_batch(self) -> PacketBatch | None:
        """The next packets of all, at least one; None at the end."""
        open_legs = [leg for leg in self._legs if leg.fill()]
        if not open_legs:
            return None
        until_ns = min(int(leg.times().max()) for leg in open_legs)  # later ones may be overtaken by what is not read
        found: list[NDArray[np.void]] = []
        pieces: list[memoryview] = []
        base = 0
        for leg in open_legs:
            rows, piece = leg.take(until_ns, base)
            found.append(rows)
            pieces.append(piece)
            base += len(piece)
        merged = np.concatenate(found)
        merged = merged[np.argsort(merged["ts_ns"], kind="stable")]
        return PacketBatch(memoryview(b"".join(pieces)), merged, len(merged))

    def statistics(self) -> dict[str, int]:
        """Counters of all captures, added up."""
        total: dict[str, int] = {}
        for source in self._sources:
            for name, value in source.statistics().items():
                total[name] = total.get(name, 0) + value
        return total

    def progress(self) -> Progress:
        """How far all captures are together."""
        each = [source.progress() for source in self._sources]
        sizes = [one.total_bytes for one in each]
        known = None if None in sizes else sum(size for size in sizes if size is not None)
        return Progress(sum(one.read_bytes for one in each), known)

    def close(self) -> None:
        """Close every capture."""
        with ExitStack() as stack:
            for source in self._sources:
                stack.callback(source.close)
