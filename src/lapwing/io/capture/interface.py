"""What all ways of watching an interface have in common."""

import time
from abc import ABC, abstractmethod
from typing import Self

import numpy as np

from lapwing.events import AnomalySeen
from lapwing.io.capture.bpf import PacketFilter
from lapwing.io.capture.dedup import PRESETS, Dedup
from lapwing.io.capture.live_settings import LiveSettings
from lapwing.io.capture.source import PacketBatch, Progress
from lapwing.wire import (
    BATCH_PACKETS,
    DECODE_COUNTERS,
    MAX_TUNNEL_DEPTH,
    PACKET_DTYPE,
    TUNNELS_TOO_DEEP,
    Status,
    decode,
)

COUNT_EVERY_NS = 1_000_000_000  # how often the kernel's drop counter is asked; it is 32 bits wide and may start anew


class InterfaceSource(ABC):
    """One interface as a series of batches of decoded packets, with the methods of a capture file's source.

    A context manager; made by `open_live`. A batch without packets means that time has passed: `idle_until_ns` then
    says until when nothing more can come.
    """

    format = "live"
    link_type: int

    def __init__(self, interface: str, settings: LiveSettings, verify_checksums: bool) -> None:
        """See `open_live`."""
        self.name = interface
        self.settings = settings
        self.idle_until_ns: int | None = None
        self._verify_checksums = verify_checksums
        self.tunnel_depth = MAX_TUNNEL_DEPTH  # tunnels looked into
        self._filter: PacketFilter | None = None
        self._rows = np.zeros(BATCH_PACKETS, PACKET_DTYPE)
        self._rows_view = self._rows.data
        self._empty = PacketBatch(memoryview(b""), self._rows, 0)
        self._counters = np.zeros(DECODE_COUNTERS, np.int64)
        self._totals = {"kernel_packets": 0, "kernel_drops": 0, "kernel_freezes": 0}
        self._dedup = Dedup(PRESETS[settings.dedup]) if settings.dedup != "off" else None
        self._told_drops = 0
        self._begin_ns = 0
        self._counted_ns = time.monotonic_ns()
        self._wire_bytes = 0
        self._filtered = 0
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def damage(self) -> list[AnomalySeen]:
        """Nothing on the wire is damage of the source."""
        return []

    @property
    @abstractmethod
    def ring_bytes(self) -> int:
        """Size of the buffer between kernel and reader."""

    @abstractmethod
    def fileno(self) -> int:
        """The descriptor that becomes readable with the next packets, for selectors."""

    def set_filter(self, text: str | None) -> None:
        """Change what is read, without losing a packet that both the old and the new filter want.

        The kernel's copy only spares work: packets that reach us are looked at again, with their VLAN tags put back.
        Raises SettingsError for an expression that cannot be compiled.
        """
        if not text or not text.strip():
            self._filter = None
            self._spare(None)
            return
        self._filter = PacketFilter(text, self.link_type)
        # The kernel matches frames whose tags it has taken out, so it cannot judge what the text says about them.
        self._spare(None if "vlan" in text else text)

    def next_batch(self) -> PacketBatch | None:
        """The next packets, perhaps none; None after `close`. The batch is valid until the next call.

        Raises SourceError when the interface has gone.
        """
        if self._closed:
            return None
        self.idle_until_ns = None
        if time.monotonic_ns() - self._counted_ns >= COUNT_EVERY_NS:
            self._count()
        buffer, count = self._take()
        if self._filter is not None and count:
            kept = self._filter.apply(buffer, self._rows, count)
            self._filtered += count - kept
            count = kept
        if count and self._dedup is not None:
            count = self._dedup.apply(buffer, self._rows, count)
        if count and self._begin_ns:
            count = self._since(count)
        if not count:
            return self._empty
        self._wire_bytes += decode(
            buffer, self._rows_view, count, self._counters, self._verify_checksums, self.tunnel_depth
        )
        return PacketBatch(buffer, self._rows, count)

    def begin_at(self, ts_ns: int) -> None:
        """Pass over packets before this time, int64 nanoseconds UTC."""
        self._begin_ns = ts_ns

    def take_drops(self) -> int:
        """Packets the kernel had no room for since the last call."""
        drops = self._totals["kernel_drops"] - self._told_drops
        self._told_drops += drops
        return drops

    def statistics(self) -> dict[str, int]:
        """Counters that only grow: packets by status, bytes, and what the kernel gave and dropped."""
        if not self._closed:
            self._count()
        counters = {status.name.lower(): int(self._counters[status]) for status in Status}
        counters["packets"] = sum(counters.values())
        counters["tunnels_too_deep"] = int(self._counters[TUNNELS_TOO_DEEP])
        counters["filtered_packets"] = self._filtered
        counters["duplicate_packets"] = self._dedup.dropped_count if self._dedup is not None else 0
        counters["wire_bytes"] = self._wire_bytes
        return counters | self._totals

    def progress(self) -> Progress:
        """Bytes seen on the wire so far; there is no end to measure against."""
        return Progress(self._wire_bytes, None)

    def close(self) -> None:
        """Give the interface up. What was counted can still be asked for."""
        if not self._closed:
            self._count()
            self._closed = True
            self._empty = PacketBatch(memoryview(b""), self._rows, 0)
            self._end()

    @abstractmethod
    def _take(self) -> tuple[memoryview, int]:
        """Bytes, and how many rows now describe packets in them; none when none came in time."""

    @abstractmethod
    def _spare(self, text: str | None) -> None:
        """Hand the kernel an expression; None lets everything pass."""

    @abstractmethod
    def _counts(self) -> tuple[int, int, int]:
        """What the kernel counted since the last call: packets given, dropped, times its buffer stood full."""

    @abstractmethod
    def _end(self) -> None:
        """Close what was opened."""

    def _since(self, count: int) -> int:
        late = self._rows["ts_ns"][:count] >= self._begin_ns
        if late.all():
            self._begin_ns = 0  # the rest is later still
            return count
        kept = int(np.count_nonzero(late))
        self._rows[:kept] = self._rows[:count][late]
        self._filtered += count - kept
        return kept

    def _count(self) -> None:
        self._counted_ns = time.monotonic_ns()
        for name, number in zip(self._totals, self._counts(), strict=True):
            self._totals[name] += number
