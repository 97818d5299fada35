"""Packets remembered for a moment, in plain Python: what `hot_dedup` does, written to be read."""

from collections import OrderedDict
from typing import Any

from numpy.typing import NDArray

from lapwing.io.capture.cooked import COOKED, OUTGOING


class Seen:
    """The last packets by what they are: a keyed hash of their bytes, and their length on the wire."""

    def __init__(self, limit: int, window_ns: int, skip_bytes: int, opposite_only: bool, key: bytes) -> None:
        """See DedupSettings; `key` is 16 bytes that nobody outside knows."""
        self._limit = limit
        self._window_ns = window_ns
        self._skip_bytes = skip_bytes
        self._opposite_only = opposite_only
        self._key = key
        self._seen: OrderedDict[tuple[int, int], tuple[int, bool]] = OrderedDict()

    def sift(self, buffer: Any, columns: list[NDArray[Any]], keep: NDArray[Any]) -> int:
        """Clear `keep` (uint8) where a packet is a copy; returns how many are.

        Columns: ts_ns (int64), frame_off, captured, wire_bytes (uint32), link_type (uint16).
        """
        data, seen, copies = memoryview(buffer), self._seen, 0
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for place, (ts_ns, offset, captured, wire_bytes, link_type) in enumerate(rows):
            outgoing, same_way_too, begin = False, True, offset + self._skip_bytes
            if link_type in COOKED:
                type_at, header = COOKED[link_type]
                outgoing = captured >= header and data[offset + type_at] == OUTGOING
                same_way_too, begin = not self._opposite_only, offset + header
            # All of the frame, under a secret: otherwise somebody could make a packet pass for a copy.
            name = (hash(self._key + bytes(data[begin : offset + captured])), wire_bytes)
            before = seen.pop(name, None)
            seen[name] = ts_ns, outgoing
            again = before is not None and abs(ts_ns - before[0]) <= self._window_ns
            if before is not None and again and (same_way_too or outgoing != before[1]):
                keep[place] = 0
                copies += 1
                if not same_way_too:
                    del seen[name]  # both are known now; what comes next is a packet of its own
            elif len(seen) > self._limit:
                seen.popitem(last=False)
        return copies
