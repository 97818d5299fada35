"""The kernel's packet ring as a source, on Linux, and the choice between the ways of watching an interface."""

import socket
import time

import numpy as np

from lapwing.events import SettingsError
from lapwing.io.capture.bpf import compile_expression
from lapwing.io.capture.interface import InterfaceSource
from lapwing.io.capture.libpcap import LibpcapSource
from lapwing.io.capture.live_settings import PROFILES, LiveSettings
from lapwing.io.capture.ring import ANY, Block, PacketRing
from lapwing.wire import MAX_TUNNEL_DEPTH, walk_ring

NS_PER_MS = 1_000_000


class RingSource(InterfaceSource):
    """Reads one interface through a ring of its own."""

    def __init__(self, interface: str, settings: LiveSettings, verify_checksums: bool) -> None:
        """See `open_live`."""
        super().__init__(interface, settings, verify_checksums)
        self._ring = PacketRing(interface, settings, None)
        self.link_type = self._ring.link_type
        self._block: Block | None = None
        self._cursor = np.zeros(3, np.int64)  # position in the block, frames left in it, frames passed over
        self._echo_index = self._ring.loopback_index if interface == ANY else 0
        # A packet not handed over yet is at most this old: the kernel closes a block by its own clock, late by a tick.
        self._lag_ns = (2 * PROFILES[settings.profile].block_timeout_ms + 20) * NS_PER_MS

    @property
    def ring_bytes(self) -> int:
        """Size of the ring the kernel really gave."""
        return self._ring.ring_bytes

    def fileno(self) -> int:
        """The descriptor that becomes readable with the next packets, for selectors."""
        return self._ring.fileno()

    def statistics(self) -> dict[str, int]:
        """Counters that only grow: packets by status, bytes, what the kernel gave and dropped, what the ring lost."""
        lost = {"passed_over_frames": int(self._cursor[2]), "skipped_blocks": self._ring.skipped_blocks}
        return super().statistics() | lost

    def _spare(self, text: str | None) -> None:
        self._ring.attach(None if text is None else compile_expression(text, self.link_type))

    def _take(self) -> tuple[memoryview, int]:
        if self._block is not None and self._cursor[1] <= 0:
            self._block = None
            self._ring.give_back()
        if self._block is None:
            self._block = self._next_block()
        if self._block is None:
            return self._empty.buffer, 0
        data = self._block.data
        return data, walk_ring(data, self._rows_view, self._cursor, self.link_type, self._echo_index)

    def _next_block(self) -> Block | None:
        """The next block, waiting for it; None when none came in time."""
        block = self._ring.take()
        if block is None:
            self._ring.wait(self.settings.poll_timeout_ms)
            block = self._ring.take()
        if block is None:
            self.idle_until_ns = time.time_ns() - self._lag_ns
        else:
            self._cursor[:2] = block.first_at, block.frame_count
        return block

    def _counts(self) -> tuple[int, int, int]:
        return self._ring.counts()

    def _end(self) -> None:
        self._block = None
        self._ring.close()


def open_live(
    interface: str,
    *,
    settings: LiveSettings | None = None,
    filter: str | None = None,  # noqa: A002 - the word every capture tool uses
    verify_checksums: bool = False,
    tunnel_depth: int = MAX_TUNNEL_DEPTH,
) -> InterfaceSource:
    """Open a network interface, or `any` for all of them (without link headers).

    On Linux through the kernel's own ring, elsewhere, or where the settings say so, through libpcap (extra `pcap`).
    `filter` is a pcap-filter expression; it runs in the kernel and is set before the first packet is taken.
    Raises SourceError that says what is missing (the interface, the right to capture, memory for the ring, the extra)
    and SettingsError for a filter that cannot be compiled and for settings that libpcap cannot follow.
    """
    settings = settings or LiveSettings()
    by_ring = settings.capture == "ring" or (settings.capture == "auto" and hasattr(socket, "AF_PACKET"))
    kind = RingSource if by_ring else LibpcapSource
    source: InterfaceSource = kind(interface, settings, verify_checksums)
    source.tunnel_depth = tunnel_depth
    try:
        source.set_filter(filter)
    except SettingsError:
        source.close()
        raise
    return source
