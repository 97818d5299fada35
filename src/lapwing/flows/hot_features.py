# cython: show_performance_hints=False
# mypy: ignore-errors
# ruff: noqa: F403, F405 -- types and numbers of hot_types.pxd
"""Running figures of a flow's packets, compiled (types in `.pxd`). `plain_features.py` defines what they are.

Nothing of it is reserved or done unless the settings ask for it.
"""

import cython
import numpy as np
from cython.cimports.lapwing.flows.hot_types import *

from lapwing.flows.features import FLAGS, MEASURE_DTYPE, MOMENTS, OPENING_BYTES, SCOPES, feature_rows

if not cython.compiled:
    raise ImportError("lapwing.flows.hot_features runs only compiled; lapwing.flows.plain_features is its twin")


def _room(count, early):
    """Figures of `count` flows."""
    return (
        np.zeros((count, len(SCOPES)), MEASURE_DTYPE),
        np.zeros((count, 2, len(FLAGS)), np.uint32),
        np.zeros((count, len(MOMENTS)), np.int64),
        np.zeros((count, 2, OPENING_BYTES), np.uint8),
        np.zeros((count, 2), np.uint8),
        np.zeros((count, early), np.uint32),
        np.zeros((count, early), np.int64),
        np.zeros((count, early), np.uint8),
    )


class PacketFeatures:
    """The figures of all flows, and those of the records of a call."""

    def __init__(self, settings, room):
        """`room` is how many records a call may have."""
        self.measures_packets = settings.features
        self.early_packets = settings.early_packets if settings.features else 0
        if not self.measures_packets:
            return
        (
            self.measures, self.flag_counts, self.moments, self.openings, self.opening_sizes,
            self.early_bytes, self.early_gaps, self.early_sides,
        ) = _room(settings.max_flows, self.early_packets)  # fmt: skip
        self._write_to(_room(room, self.early_packets))

    def _write_to(self, out):
        """Figures of records go to `out` from now on."""
        self._out = out
        (
            self.measures_out, self.flag_counts_out, self.moments_out, self.openings_out, self.opening_sizes_out,
            self.early_bytes_out, self.early_gaps_out, self.early_sides_out,
        ) = out  # fmt: skip

    def _exchange(self, held):
        """Write to fresh room, or again to what this gave back when that was made."""
        before = self._out
        if self.measures_packets:
            self._write_to(held if held is not None else _room(len(before[0]), self.early_packets))
        return before

    def _measure(self, slot, side, packet):
        """Add one packet of `side`."""
        now: i64 = self.clock_ns
        size: u32 = packet.wire_bytes
        order: u32 = self.measures[slot, 2].count
        if order < self.early_packets:
            self.early_bytes[slot, order] = size
            self.early_gaps[slot, order] = now - self.measures[slot, 2].last_ns if order else 0
            self.early_sides[slot, order] = cython.cast(u8, side)
        add_packet(cython.address(self.measures[slot, side]), size, now)
        add_packet(cython.address(self.measures[slot, 2]), size, now)
        if packet.protocol == TCP:
            flag: cython.int
            for flag in range(8):
                self.flag_counts[slot, side, flag] += (packet.tcp_flags >> flag) & 1
        self._note_moments(slot, side, packet)
        if packet.payload_bytes and self.opening_sizes[slot, side] < OPENING:
            self._keep_opening(slot, side, packet)
        return 0

    def _keep_opening(self, slot, side, packet):
        """Keep the first bytes of payload as they came."""
        captured: u32 = min(packet.payload_captured, packet.payload_bytes)
        have: u32 = self.opening_sizes[slot, side]
        count: u32 = min(captured, OPENING - have)
        k: u32
        for k in range(count):
            self.openings[slot, side, have + k] = self.data[packet.payload_off + k]
        self.opening_sizes[slot, side] = cython.cast(u8, have + count)
        return 0

    def _note_moments(self, slot, side, packet):
        """The handshake, and the first answer to what the client said last."""
        now: i64 = self.clock_ns + 1
        flags: cython.int = packet.tcp_flags if packet.protocol == TCP else 0
        if side == 0:
            if flags & (SYN | ACK) == SYN and not self.moments[slot, 1]:
                self.moments[slot, 0] = now
            elif flags & (SYN | ACK | RST) == ACK and self.moments[slot, 1] and not self.moments[slot, 2]:
                self.moments[slot, 2] = now
            if packet.payload_bytes and not self.moments[slot, 4]:
                self.moments[slot, 3] = now
        else:
            if flags & (SYN | ACK) == SYN | ACK and not self.moments[slot, 1]:
                self.moments[slot, 1] = now
            if packet.payload_bytes and self.moments[slot, 3] and not self.moments[slot, 4]:
                self.moments[slot, 4] = now
        return 0

    def _write_features(self, slot, row):
        """The figures of the flow at `slot` go with record `row`."""
        k: cython.Py_ssize_t
        side: cython.Py_ssize_t
        for k in range(3):
            self.measures_out[row, k] = self.measures[slot, k]
        for side in range(2):
            for k in range(8):
                self.flag_counts_out[row, side, k] = self.flag_counts[slot, side, k]
            for k in range(OPENING):
                self.openings_out[row, side, k] = self.openings[slot, side, k]
            self.opening_sizes_out[row, side] = self.opening_sizes[slot, side]
        for k in range(5):
            self.moments_out[row, k] = self.moments[slot, k]
        for k in range(self.early_packets):
            self.early_bytes_out[row, k] = self.early_bytes[slot, k]
            self.early_gaps_out[row, k] = self.early_gaps[slot, k]
            self.early_sides_out[row, k] = self.early_sides[slot, k]
        return 0

    def _forget_features(self, slot):
        """Begin anew."""
        k: cython.Py_ssize_t
        side: cython.Py_ssize_t
        for k in range(3):
            measure: cython.pointer[Measure] = cython.address(self.measures[slot, k])
            measure.size_mean = measure.size_m2 = measure.gap_mean = measure.gap_m2 = 0
            measure.last_ns = measure.gap_min = measure.gap_max = 0
            measure.count = measure.size_min = measure.size_max = 0
        for side in range(2):
            for k in range(8):
                self.flag_counts[slot, side, k] = 0
            for k in range(OPENING):
                self.openings[slot, side, k] = 0
            self.opening_sizes[slot, side] = 0
        for k in range(5):
            self.moments[slot, k] = 0
        for k in range(self.early_packets):
            self.early_bytes[slot, k] = 0
            self.early_gaps[slot, k] = 0
            self.early_sides[slot, k] = 0
        return 0

    def _feature_rows(self, count: cython.Py_ssize_t):
        """Features of the first `count` records of the call."""
        measures, flags, moments, openings, sizes, *early = (column[:count] for column in self._out)
        return feature_rows(measures, flags, moments, openings, sizes, tuple(early))


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(-1)
def add_packet(measure: cython.pointer[Measure], size: u32, now: i64) -> cython.int:
    """One more packet of `size`, Welford's way; see `plain_features.Measure.add`."""
    delta: cython.double
    gap: i64 = now - measure.last_ns
    if measure.count == 0:
        measure.size_min = measure.size_max = size
    else:
        if measure.count == 1:
            measure.gap_min = measure.gap_max = gap
        measure.gap_min = min(measure.gap_min, gap)
        measure.gap_max = max(measure.gap_max, gap)
        delta = gap - measure.gap_mean
        measure.gap_mean += delta / measure.count
        measure.gap_m2 += delta * (gap - measure.gap_mean)
    measure.size_min = min(measure.size_min, size)
    measure.size_max = max(measure.size_max, size)
    measure.count += 1
    delta = size - measure.size_mean
    measure.size_mean += delta / measure.count
    measure.size_m2 += delta * (size - measure.size_mean)
    measure.last_ns = now
    return 0
