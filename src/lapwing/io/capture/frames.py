"""Frames somebody else brings, as a series of batches: the simplest source there can be."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import NamedTuple, Self

import numpy as np

from lapwing.events import AnomalySeen, SourceError
from lapwing.io.capture.bpf import PacketFilter
from lapwing.io.capture.source import PacketBatch, Progress
from lapwing.wire import (
    BATCH_PACKETS,
    DECODE_COUNTERS,
    MAX_RECORD_BYTES,
    MAX_TUNNEL_DEPTH,
    PACKET_DTYPE,
    TUNNELS_TOO_DEEP,
    Status,
    decode,
)


class Frames(NamedTuple):
    """What a source plugin returns: times (int64 nanoseconds UTC) and frames, in order; `link_type` as in pcap."""

    packets: Iterable[tuple[int, bytes]]
    link_type: int = 1  # Ethernet


OpenFrames = Callable[[str], Frames]  # given what stands behind `NAME://`


class FrameSource:
    """Frames from an iterable, with the methods of a capture file's source. A context manager."""

    format = "frames"

    def __init__(self, name: str, frames: Frames, filter_text: str | None, verify_checksums: bool) -> None:
        """Raises SettingsError for a filter that cannot be compiled."""
        self.name = name
        self._frames: Iterator[tuple[int, bytes]] = iter(frames.packets)
        self._link_type = frames.link_type
        self._filter = PacketFilter(filter_text, frames.link_type) if filter_text and filter_text.strip() else None
        self._verify_checksums = verify_checksums
        self.tunnel_depth = MAX_TUNNEL_DEPTH  # tunnels looked into
        self._rows = np.zeros(BATCH_PACKETS, PACKET_DTYPE)
        self._counters = np.zeros(DECODE_COUNTERS, np.int64)
        self._wire_bytes = 0
        self._filtered = 0
        self._oversized = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def damage(self) -> list[AnomalySeen]:
        """Nothing: frames are whole."""
        return []

    def next_batch(self) -> PacketBatch | None:
        """The next packets, at least one; None at the end. Raises SourceError when the iterable raises."""
        while True:
            try:
                taken = list(islice(self._frames, BATCH_PACKETS))
            except Exception as error:
                raise SourceError(f"{self.name}: {type(error).__name__}: {error}") from error
            if not taken:
                return None
            batch = self._batch([packet for packet in taken if len(packet[1]) <= MAX_RECORD_BYTES])
            self._oversized += sum(len(frame) > MAX_RECORD_BYTES for _, frame in taken)
            if batch.count:
                return batch

    def _batch(self, packets: list[tuple[int, bytes]]) -> PacketBatch:
        rows, count = self._rows, len(packets)
        buffer = b"".join(frame for _, frame in packets)
        sizes = np.array([len(frame) for _, frame in packets], np.int64)
        rows["ts_ns"][:count] = [ts_ns for ts_ns, _ in packets]
        rows["frame_off"][:count] = np.cumsum(sizes) - sizes
        rows["captured"][:count] = rows["wire_bytes"][:count] = sizes
        rows["link_type"][:count] = self._link_type
        if self._filter is not None and count:
            kept = self._filter.apply(buffer, rows, count)
            self._filtered += count - kept
            count = kept
        self._wire_bytes += decode(buffer, rows, count, self._counters, self._verify_checksums, self.tunnel_depth)
        return PacketBatch(memoryview(buffer), rows, count)

    def statistics(self) -> dict[str, int]:
        """Counters that only grow: packets, bytes, packets by status."""
        counters = {status.name.lower(): int(self._counters[status]) for status in Status}
        counters["packets"] = sum(counters.values())
        counters["tunnels_too_deep"] = int(self._counters[TUNNELS_TOO_DEEP])
        counters["filtered_packets"] = self._filtered
        counters["wire_bytes"] = self._wire_bytes
        counters["oversized_frames"] = self._oversized
        return counters

    def progress(self) -> Progress:
        """Bytes so far; where the end is nobody knows."""
        return Progress(self._wire_bytes, None)

    def close(self) -> None:
        """Close the iterable if it is a generator."""
        close = getattr(self._frames, "close", None)
        if close is not None:
            close()
