"""Live capture by libpcap, for systems without the packet sockets of Linux (extra `pcap`)."""

import importlib
import select
import time
from typing import Any

import numpy as np

from lapwing.events import SettingsError, SourceError
from lapwing.io.capture.interface import InterfaceSource
from lapwing.io.capture.live_settings import LiveSettings
from lapwing.wire import BATCH_PACKETS

NS_PER_S, NS_PER_US, NS_PER_MS = 1_000_000_000, 1_000, 1_000_000
BUFFER_BYTES = 2 * 1024 * 1024  # what libpcap asks for itself; its interface for Python does not let one choose
LINK_HEADERS = {0: 0, 1: 1, 9: 9, 12: 101, 14: 101, 101: 101, 108: 108, 113: 113, 276: 276}  # DLT_ to LINKTYPE_
WORDS = 4  # of a packet's entry: seconds, microseconds, offset, captured bytes


class LibpcapSource(InterfaceSource):
    """Reads one interface through libpcap: whole packets, times in microseconds, no groups, no namespaces."""

    def __init__(self, interface: str, settings: LiveSettings, verify_checksums: bool) -> None:
        """Raises SourceError when it cannot be opened, SettingsError when the settings ask for what it has not."""
        super().__init__(interface, settings, verify_checksums)
        _refuse_what_is_missing(settings)
        library = _library()
        self._error: type[Exception] = library.PcapError
        try:
            self._reader: Any = library.open_live(
                interface, settings.snaplen_bytes, settings.promiscuous, settings.poll_timeout_ms
            )
        except self._error as error:
            raise SourceError(f"{interface}: libpcap cannot open it: {error}; it needs the right to capture") from error
        self._reader.setnonblock(1)
        kind = self._reader.datalink()
        if kind not in LINK_HEADERS:
            self._reader.close()
            raise SourceError(f"{interface}: frames of its kind (DLT {kind}) are not understood")
        self.link_type = LINK_HEADERS[kind]
        self._poll = select.poll()
        self._poll.register(self._reader.getfd(), select.POLLIN)
        self._seen = (0, 0)
        # A packet not handed over yet is at most this old: libpcap waits that long for more of them.
        self._lag_ns = (2 * settings.poll_timeout_ms + 20) * NS_PER_MS

    @property
    def ring_bytes(self) -> int:
        """Size of libpcap's buffer."""
        return BUFFER_BYTES

    def fileno(self) -> int:
        """The descriptor that becomes readable with the next packets, for selectors."""
        return int(self._reader.getfd())

    def _spare(self, text: str | None) -> None:
        self._reader.setfilter(text or "")

    def _take(self) -> tuple[memoryview, int]:
        """Packets that are there; else wait once, as asking libpcap to wait may take for ever on a quiet wire."""
        taken, table = self._ask()
        if not table:
            self._poll.poll(self.settings.poll_timeout_ms)
            taken, table = self._ask()
        if not table:
            self.idle_until_ns = time.time_ns() - self._lag_ns
            return self._empty.buffer, 0
        entries = np.frombuffer(table, np.uint32).reshape(-1, WORDS).astype(np.int64)
        rows, count = self._rows, len(entries)
        rows["ts_ns"][:count] = entries[:, 0] * NS_PER_S + entries[:, 1] * NS_PER_US
        rows["frame_off"][:count] = entries[:, 2]
        rows["captured"][:count] = rows["wire_bytes"][:count] = entries[:, 3]
        rows["link_type"][:count] = self.link_type
        return memoryview(taken), count

    def _ask(self) -> tuple[bytes, bytes]:
        try:
            taken, table = self._reader.next_batch(BATCH_PACKETS)
        except self._error as error:
            raise SourceError(f"{self.name}: {error}") from error
        return taken, table

    def _counts(self) -> tuple[int, int, int]:
        received, dropped, dropped_by_interface = self._reader.stats()
        before, self._seen = self._seen, (received, dropped + dropped_by_interface)
        return self._seen[0] - before[0], self._seen[1] - before[1], 0

    def _end(self) -> None:
        self._reader.close()


def _library() -> Any:
    try:
        return importlib.import_module("pcapy")
    except ImportError as error:
        raise SourceError("live capture by libpcap needs the extra `pcap`: pip install 'lapwing[pcap]'") from error


def _refuse_what_is_missing(settings: LiveSettings) -> None:
    plain = LiveSettings()
    for name in ("snaplen_bytes", "timestamps", "fanout_group", "namespace"):
        if getattr(settings, name) != getattr(plain, name):
            raise SettingsError(f"live.{name}: capture by libpcap cannot do this; leave it out, or use `ring` on Linux")
