"""One interface as a series of batches of decoded packets, with the methods of a capture file's source."""

import time
from typing import Self

import numpy as np

from lapwing.events import AnomalySeen
from lapwing.io.capture.bpf import PacketFilter, compile_expression
from lapwing.io.capture.dedup import PRESETS, Dedup
from lapwing.io.capture.live_settings import PROFILES, LiveSettings
from lapwing.io.capture.ring import ANY, Block, PacketRing
from lapwing.io.capture.source import PacketBatch, Progress
from lapwing.wire import BATCH_PACKETS, PACKET_DTYPE, Status, decode, walk_ring

COUNT_EVERY_NS = 1_000_000_000  # how often the kernel's drop counter is asked; it is 32 bits wide and resets on reading
NS_PER_MS = 1_000_000


class LiveSource:
    """Reads one interface. A context manager; made by `open_live`.

    A batch without packets means that time has passed: `idle_until_ns` then says until when nothing more can come.
    """

    format = "live"

    def __init__(self, interface: str, settings: LiveSettings, filter_text: str | None, verify_checksums: bool) -> None:
        """See `open_live`."""
        self.name = interface
        self.settings = settings
        self.idle_until_ns: int | None = None
        self._verify_checksums = verify_checksums
        self._ring = PacketRing(interface, settings, None)
        self.link_type = self._ring.link_type
        self._filter: PacketFilter | None = None
        if filter_text and filter_text.strip():
            try:
                self.set_filter(filter_text)
            except BaseException:
                self._ring.close()
                raise
        self._block: Block | None = None
        self._cursor = np.zeros(3, np.int64)  # position in the block, frames left in it, frames passed over
        self._rows = np.zeros(BATCH_PACKETS, PACKET_DTYPE)
        self._rows_view = self._rows.data
        self._empty = PacketBatch(memoryview(b""), self._rows, 0)
        self._echo_index = self._ring.loopback_index if interface == ANY else 0
        # A packet not handed over yet is at most this old: the kernel closes a block by its own clock, late by a tick.
        self._lag_ns = (2 * PROFILES[settings.profile].block_timeout_ms + 20) * NS_PER_MS
        self._counters = np.zeros(len(Status), np.int64)
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
    def ring_bytes(self) -> int:
        """Size of the ring the kernel really gave."""
        return self._ring.ring_bytes

    def fileno(self) -> int:
        """The descriptor that becomes readable with the next packets, for selectors."""
        return self._ring.fileno()

    def set_filter(self, text: str | None) -> None:
        """Change what is read, without losing a packet that both the old and the new filter want.

        The kernel's copy only spares work: packets that reach us are looked at again, with their VLAN tags put back.
        Raises SettingsError for an expression that cannot be compiled.
        """
        if not text or not text.strip():
            self._filter = None
            self._ring.attach(None)
            return
        self._filter = PacketFilter(text, self.link_type)
        # The kernel matches frames whose tags it has taken out, so it cannot judge what the text says about them.
        self._ring.attach(None if "vlan" in text else compile_expression(text, self.link_type))

    def next_batch(self) -> PacketBatch | None:
        """The next packets, perhaps none; None after `close`. The batch is valid until the next call.

        Raises SourceError when the interface has gone.
        """
        if self._closed:
            return None
        self.idle_until_ns = None
        if time.monotonic_ns() - self._counted_ns >= COUNT_EVERY_NS:
            self._count()
        if self._block is not None and self._cursor[1] <= 0:
            self._block = None
            self._ring.give_back()
        if self._block is None and not self._begin_block():
            return self._empty
        assert self._block is not None
        count = walk_ring(self._block.data, self._rows_view, self._cursor, self.link_type, self._echo_index)
        if self._filter is not None and count:
            kept = self._filter.apply(self._block.data, self._rows, count)
            self._filtered += count - kept
            count = kept
        if count and self._dedup is not None:
            count = self._dedup.apply(self._block.data, self._rows, count)
        if count and self._begin_ns:
            count = self._since(count)
        if not count:
            return self._empty
        decode(self._block.data, self._rows_view, count, self._counters, self._verify_checksums)
        self._wire_bytes += int(self._rows["wire_bytes"][:count].sum(dtype=np.int64))
        return PacketBatch(self._block.data, self._rows, count)

    def begin_at(self, ts_ns: int) -> None:
        """Pass over packets before this time, int64 nanoseconds UTC."""
        self._begin_ns = ts_ns

    def _since(self, count: int) -> int:
        late = self._rows["ts_ns"][:count] >= self._begin_ns
        if late.all():
            self._begin_ns = 0  # the rest is later still
            return count
        kept = int(np.count_nonzero(late))
        self._rows[:kept] = self._rows[:count][late]
        self._filtered += count - kept
        return kept

    def _begin_block(self) -> bool:
        """Get the next block, waiting for it; False when none came in time."""
        block = self._ring.take()
        if block is None:
            self._ring.wait(self.settings.poll_timeout_ms)
            block = self._ring.take()
        if block is None:
            self.idle_until_ns = time.time_ns() - self._lag_ns
            return False
        self._block = block
        self._cursor[:2] = block.first_at, block.frame_count
        return True

    def _count(self) -> None:
        self._counted_ns = time.monotonic_ns()
        for name, number in zip(self._totals, self._ring.counts(), strict=True):
            self._totals[name] += number

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
        counters["packets"] = int(self._counters.sum())
        counters["filtered_packets"] = self._filtered
        counters["duplicate_packets"] = self._dedup.dropped_count if self._dedup is not None else 0
        counters["wire_bytes"] = self._wire_bytes
        counters["passed_over_frames"] = int(self._cursor[2])
        counters["skipped_blocks"] = self._ring.skipped_blocks
        return counters | self._totals

    def progress(self) -> Progress:
        """Bytes seen on the wire so far; there is no end to measure against."""
        return Progress(self._wire_bytes, None)

    def close(self) -> None:
        """Close the socket and the ring."""
        if not self._closed:
            self._count()
            self._closed = True
            self._block = None
            self._empty = PacketBatch(memoryview(b""), self._rows, 0)
            self._ring.close()


def open_live(
    interface: str,
    *,
    settings: LiveSettings | None = None,
    filter: str | None = None,  # noqa: A002 - the word every capture tool uses
    verify_checksums: bool = False,
) -> LiveSource:
    """Open a network interface, or `any` for all of them (without link headers), on Linux.

    `filter` is a pcap-filter expression; it runs in the kernel and is set before the first packet is taken.
    Raises SourceError that says what is missing (the interface, CAP_NET_RAW, memory for the ring) and SettingsError
    for a filter that cannot be compiled.
    """
    return LiveSource(interface, settings or LiveSettings(), filter, verify_checksums)
