"""Leaves out packets that are seen twice: on loopback, on a bridge, on `any`, behind two mirror ports."""

from collections import OrderedDict
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray


class DedupSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What counts as the same packet again."""

    window_ms: Annotated[float, Meta(gt=0, le=10_000)] = 1.0
    """A copy comes at most this much later; a repetition by TCP comes much later than a copy by a bridge."""

    packets: Annotated[int, Meta(ge=1, le=1_000_000)] = 256
    """Packets remembered, about 150 bytes each; the oldest are forgotten first."""

    opposite_only: bool = False
    """Whether, where the link says which way a packet went (Linux cooked captures), only one that left and one that
    arrived are copies: two that went the same way are then a repetition."""

    skip_bytes: Annotated[int, Meta(ge=0, le=64)] = 0
    """Bytes at the front that may differ: 14 for copies on both sides of a router, whose addresses of the link do."""


PRESETS = {
    "loopback": DedupSettings(opposite_only=True),
    "bridge": DedupSettings(window_ms=5.0, packets=4_096),
    "mirror": DedupSettings(window_ms=20.0, packets=65_536, skip_bytes=14),
}


# Linux cooked captures: where the type of the packet stands, in which byte of the header, and how long the header is.
_COOKED = {113: (1, 16), 276: (10, 20)}
_OUTGOING = 4


class Dedup:
    """Remembers packets for a moment. A copy has the same bytes and length, and comes within the window.

    A copy of a copy counts too: the window begins anew with each.
    """

    def __init__(self, settings: DedupSettings | None = None) -> None:
        self._settings = settings or DedupSettings()
        self._window_ns = round(self._settings.window_ms * 1_000_000)
        self._seen: OrderedDict[tuple[int, int], tuple[int, bool]] = OrderedDict()
        self.dropped_count = 0

    def apply(self, buffer: Any, rows: NDArray[np.void], count: int) -> int:
        """Move the packets seen for the first time to the front of the first `count` rows; returns how many."""
        data = memoryview(buffer)
        skip, limit, seen = self._settings.skip_bytes, self._settings.packets, self._seen
        keep = np.ones(count, bool)
        names = ("ts_ns", "frame_off", "captured", "wire_bytes", "link_type")
        columns = (rows[name][:count].tolist() for name in names)
        for place, (ts_ns, offset, captured, wire_bytes, link_type) in enumerate(zip(*columns, strict=True)):
            outgoing, same_way_too, begin = False, True, offset + skip
            if link_type in _COOKED:
                type_at, header = _COOKED[link_type]
                outgoing = captured >= header and data[offset + type_at] == _OUTGOING
                same_way_too, begin = not self._settings.opposite_only, offset + header
            # All of the frame, under the interpreter's secret: otherwise somebody could make a packet pass for a copy.
            name = (hash(bytes(data[begin : offset + captured])), wire_bytes)
            before = seen.pop(name, None)
            seen[name] = ts_ns, outgoing
            again = before is not None and abs(ts_ns - before[0]) <= self._window_ns
            if before is not None and again and (same_way_too or outgoing != before[1]):
                keep[place] = False
                if not same_way_too:
                    del seen[name]  # both are known now; what comes next is a packet of its own
            elif len(seen) > limit:
                seen.popitem(last=False)
        kept = int(np.count_nonzero(keep))
        if kept < count:
            rows[:kept] = rows[:count][keep]
            self.dropped_count += count - kept
        return kept
