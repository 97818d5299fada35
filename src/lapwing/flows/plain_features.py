"""Running figures of a flow's packets, in plain Python: the definition of `hot_features`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lapwing.flows.features import FLAGS, MEASURE_DTYPE, MOMENTS, OPENING_BYTES, feature_rows
from lapwing.flows.rules import ACK, RST, SYN, TCP

SYN_AT, SYN_ACK_AT, ACK_AT, REQUEST_AT, RESPONSE_AT = range(len(MOMENTS))


class Measure:
    """Sizes of packets and gaps between them, of a side or of both."""

    __slots__ = tuple(MEASURE_DTYPE.names or ())

    size_mean: float
    size_m2: float
    gap_mean: float
    gap_m2: float
    last_ns: int
    gap_min: int
    gap_max: int
    count: int
    size_min: int
    size_max: int

    def __init__(self) -> None:
        self.size_mean = self.size_m2 = self.gap_mean = self.gap_m2 = 0.0
        self.last_ns = self.gap_min = self.gap_max = self.count = self.size_min = self.size_max = 0

    def add(self, size: int, now_ns: int) -> None:
        """One more packet. Mean and squares by Welford's method: no large sums, so nothing overflows or cancels."""
        if self.count == 0:
            self.size_min = self.size_max = size
        else:
            gap = now_ns - self.last_ns
            self.gap_min = gap if self.count == 1 else min(self.gap_min, gap)
            self.gap_max = max(self.gap_max, gap)
            delta = gap - self.gap_mean
            self.gap_mean += delta / self.count
            self.gap_m2 += delta * (gap - self.gap_mean)
        self.size_min, self.size_max = min(self.size_min, size), max(self.size_max, size)
        self.count += 1
        delta = size - self.size_mean
        self.size_mean += delta / self.count
        self.size_m2 += delta * (size - self.size_mean)
        self.last_ns = now_ns

    def row(self) -> tuple[Any, ...]:
        """The fields of MEASURE_DTYPE."""
        return tuple(getattr(self, name) for name in Measure.__slots__)


class FlowFeatures:
    """All figures of one flow."""

    __slots__ = ("early", "flag_counts", "measures", "moments", "openings")

    def __init__(self) -> None:
        self.measures = (Measure(), Measure(), Measure())
        self.flag_counts = ([0] * len(FLAGS), [0] * len(FLAGS))
        self.moments = [0] * len(MOMENTS)
        self.openings = (bytearray(), bytearray())
        self.early: list[tuple[int, int, int]] = []  # bytes, gap, side

    def add(self, side: int, packet: dict[str, int], data: memoryview, now_ns: int, early_packets: int) -> None:
        """Add one packet of `side`."""
        size, both = packet["wire_bytes"], self.measures[2]
        if len(self.early) < early_packets:
            self.early.append((size, now_ns - both.last_ns if both.count else 0, side))
        self.measures[side].add(size, now_ns)
        both.add(size, now_ns)
        flags = packet["tcp_flags"] if packet["protocol"] == TCP else 0
        for number in range(len(FLAGS)):
            self.flag_counts[side][number] += flags >> number & 1
        self._note_moments(side, flags, packet["payload_bytes"], now_ns + 1)
        opening = self.openings[side]
        count = min(packet["payload_captured"], packet["payload_bytes"], OPENING_BYTES - len(opening))
        opening += data[packet["payload_off"] : packet["payload_off"] + count]

    def _note_moments(self, side: int, flags: int, payload_bytes: int, now: int) -> None:
        """The handshake, and the first answer to what the client said last."""
        at = self.moments
        if side == 0:
            if flags & (SYN | ACK) == SYN and not at[SYN_ACK_AT]:
                at[SYN_AT] = now
            elif flags & (SYN | ACK | RST) == ACK and at[SYN_ACK_AT] and not at[ACK_AT]:
                at[ACK_AT] = now
            if payload_bytes and not at[RESPONSE_AT]:
                at[REQUEST_AT] = now
        else:
            if flags & (SYN | ACK) == SYN | ACK and not at[SYN_ACK_AT]:
                at[SYN_ACK_AT] = now
            if payload_bytes and at[REQUEST_AT] and not at[RESPONSE_AT]:
                at[RESPONSE_AT] = now


def rows_of(flows: list[FlowFeatures], early_packets: int) -> NDArray[np.void]:
    """The figures as columns."""
    count = len(flows)
    measures = np.zeros((count, 3), MEASURE_DTYPE)
    flags = np.zeros((count, 2, len(FLAGS)), np.uint32)
    moments = np.zeros((count, len(MOMENTS)), np.int64)
    openings, sizes = np.zeros((count, 2, OPENING_BYTES), np.uint8), np.zeros((count, 2), np.uint8)
    kinds: tuple[Any, ...] = (np.uint32, np.int64, np.uint8)
    early = tuple(np.zeros((count, early_packets), kind) for kind in kinds)
    for row, flow in enumerate(flows):
        measures[row] = [measure.row() for measure in flow.measures]
        flags[row], moments[row] = flow.flag_counts, flow.moments
        for side, opening in enumerate(flow.openings):
            openings[row, side, : len(opening)] = list(opening)
            sizes[row, side] = len(opening)
        for place, fields in enumerate(flow.early):
            for column, value in zip(early, fields, strict=True):
                column[row, place] = value
    return feature_rows(measures, flags, moments, openings, sizes, (early[0], early[1], early[2]))
