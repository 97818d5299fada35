"""IP fragments put together to whole datagrams (RFC 791, 3.2; RFC 8200, 4.5), within bounds.

Fragments are rare, so this is plain Python: a batch without any costs one look at its status column. A datagram that is
whole is decoded and handed out behind its last fragment, as a frame of its own that begins with IP.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lapwing.flows.extractor import PART_FIELDS, KeyPart
from lapwing.wire import DECODE_COUNTERS, MAX_TUNNEL_DEPTH, PACKET_DTYPE, Status, decode

MAX_DATAGRAMS = 4_096  # incomplete at a time; of more, the oldest is given up
MAX_HELD_BYTES = 16 * 1024**2  # of all of them, with what keeping a piece costs; beyond, the oldest are given up
PIECE_COST_BYTES = 128  # of keeping one, so that tiny ones cannot take more memory than they say
MAX_PIECES = 1_024  # of one datagram; the largest has 45 on Ethernet
MAX_DATAGRAM_BYTES = 65_535  # above the IP header (RFC 791, 3.1); more is an attack
TIMEOUT_NS = 30_000_000_000  # from the first piece on, as Linux has it; RFC 8200 allows 60 s

_LINK_IPV4, _LINK_IPV6 = 228, 229
_MORE_V4, _OFFSET_V4 = 0x2000, 0x1FFF
_IPV6_HEADER_BYTES, _FRAGMENT_HEADER_BYTES = 40, 8

Rows = NDArray[np.void]
Span = tuple[Any, Rows, int, int]  # buffer, rows, first row, row after the last
_Key = tuple[int, ...]
_ADDRESSES = ("src_hi", "src_lo", "dst_hi", "dst_lo")
_NUMBERS = ("outer_vlan_id", "vlan_id", "pppoe_session", "mpls_label", "tunnel_id")  # what is inside tells most


class _Piece(NamedTuple):
    """One fragment: where its payload belongs, and the IP header before it."""

    start: int
    data: bytes
    is_last: bool
    head: bytes


class _Datagram:
    """The pieces of one datagram that came so far, by their places."""

    __slots__ = ("data", "end", "first_ns", "head", "held", "spoiled", "starts", "wire_bytes")

    def __init__(self, first_ns: int) -> None:
        self.first_ns = first_ns
        self.starts: list[int] = []
        self.data: list[bytes] = []
        self.end: int | None = None  # known when the last piece came
        self.head = b""
        self.held = 0
        self.wire_bytes = 0
        self.spoiled = False

    def add(self, piece: _Piece) -> bool:
        """Keep a piece; False when it contradicts those before: then nobody can say which bytes count."""
        end = piece.start + len(piece.data)
        at = bisect_left(self.starts, piece.start)
        if at < len(self.starts) and self.starts[at] == piece.start and self.data[at] == piece.data:
            return True
        before = self.starts[at - 1] + len(self.data[at - 1]) if at else 0
        after = self.starts[at] if at < len(self.starts) else MAX_DATAGRAM_BYTES
        if before > piece.start or end > after or len(self.starts) == MAX_PIECES:
            return False
        if self.end is not None and (piece.is_last or end > self.end):
            return False
        if piece.is_last:
            if at < len(self.starts):
                return False
            self.end = end
        self.starts.insert(at, piece.start)
        self.data.insert(at, piece.data)
        self.held += len(piece.data)
        self.head = piece.head if piece.start == 0 else self.head
        return True

    @property
    def cost(self) -> int:
        """Bytes it takes."""
        return self.held + PIECE_COST_BYTES * len(self.starts)

    @property
    def whole(self) -> bool:
        """Whether no piece is missing: they do not overlap, so their sizes tell."""
        return self.end is not None and self.held == self.end


class Fragments:
    """Puts fragments of a stream of batches together. Time is that of the packets."""

    def __init__(self, tunnel_depth: int = MAX_TUNNEL_DEPTH, parts: Iterable[KeyPart] = ()) -> None:
        """With `parts` of a key, networks that these tell apart may use the same addresses."""
        self._tunnel_depth = tunnel_depth
        self._apart = (*_ADDRESSES, *(name for part in parts for name in PART_FIELDS.get(part, ())))
        self._open: dict[_Key, _Datagram] = {}
        self._held = 0
        self._counts: Counter[str] = Counter()

    def spans(self, buffer: Any, packets: Rows, count: int) -> Iterator[Span]:
        """Yield the batch in parts, with the datagrams that became whole between them."""
        places = np.flatnonzero(packets["status"][:count] == Status.FRAGMENT).tolist()
        start = 0
        for place in places:
            whole = self._take(memoryview(buffer), packets[place])
            if whole is not None:
                yield buffer, packets, start, place + 1
                start = place + 1
                yield whole
        if start < count:
            yield buffer, packets, start, count

    def finish(self) -> None:
        """Give up what is not whole: the input ended."""
        for key in list(self._open):
            self._give_up(key)

    def statistics(self) -> dict[str, int]:
        """Counters that only grow, and how much is held now."""
        names = ("fragments", "reassembled", "incomplete", "overlaps", "refused")
        held = {"open": len(self._open), "held_bytes": self._held}
        return {name: self._counts[name] for name in names} | held

    def _take(self, data: memoryview, row: Any) -> Span | None:
        """Keep the fragment of `row`; returns the datagram it completes, which may carry a fragment itself."""
        while True:
            frame, link_type, wire_bytes = self._add(data, row)
            if not frame:
                return None
            rows = np.zeros(1, PACKET_DTYPE)
            rows["ts_ns"], rows["captured"], rows["wire_bytes"] = row["ts_ns"], len(frame), wire_bytes
            rows["link_type"] = link_type
            depth = int(row["tunnel_depth"])
            counters = np.zeros(DECODE_COUNTERS, np.int64)
            decode(frame, rows, 1, counters, tunnel_depth=max(0, self._tunnel_depth - depth))
            for name in _NUMBERS:
                rows[name] = rows[name] or row[name]
            rows["tunnel_depth"] += depth
            if rows[0]["status"] != Status.FRAGMENT:
                return frame, rows, 0, 1
            data, row = memoryview(frame), rows[0]  # a tunnel: the inner datagram is shorter than the outer

    def _add(self, data: memoryview, row: Any) -> tuple[bytes, int, int]:
        self._counts["fragments"] += 1
        now_ns = int(row["ts_ns"])
        self._expire(now_ns)
        ident, piece = _piece_of(data, row)
        key = (*(int(row[name]) for name in self._apart), ident, _kind(row))
        if piece is None:
            self._counts["refused"] += 1
            return b"", 0, 0
        datagram = self._open.get(key)
        if datagram is None:
            datagram = self._open[key] = _Datagram(now_ns)
        self._held -= datagram.cost
        if not datagram.spoiled and not datagram.add(piece):
            self._counts["overlaps"] += 1
            datagram.spoiled = True  # what still comes of it is dropped too (RFC 5722; Linux does so for IPv4)
            datagram.starts, datagram.data, datagram.held = [], [], 0
        self._held += datagram.cost
        datagram.wire_bytes += int(row["wire_bytes"])
        if not datagram.spoiled and datagram.whole:
            del self._open[key]
            self._held -= datagram.cost
            self._counts["reassembled"] += 1
            return _frame_of(datagram, row), _link_of(row), datagram.wire_bytes
        self._bound()
        return b"", 0, 0

    def _expire(self, now_ns: int) -> None:
        while self._open:
            key = next(iter(self._open))
            if now_ns - self._open[key].first_ns < TIMEOUT_NS:
                return
            self._give_up(key)

    def _bound(self) -> None:
        while len(self._open) > MAX_DATAGRAMS or self._held > MAX_HELD_BYTES:
            self._give_up(next(iter(self._open)))

    def _give_up(self, key: _Key) -> None:
        datagram = self._open.pop(key)
        self._held -= datagram.cost
        self._counts["incomplete"] += not datagram.spoiled


def _kind(row: Any) -> int:
    """Version, and for IPv4 the protocol: there the same number may serve each of them (RFC 791, 3.2)."""
    return int(row["protocol"]) if row["ip_version"] == 4 else 0x100


def _piece_of(data: memoryview, row: Any) -> tuple[int, _Piece | None]:
    """Number of the datagram and the piece; None for one that is cut, empty, or of a size no fragment has."""
    ip_at, at, size = int(row["ip_off"]), int(row["payload_off"]), int(row["payload_bytes"])
    if row["ip_version"] == 4:
        ident, word = _be(data, ip_at + 4, 2), _be(data, ip_at + 6, 2)
        offset, more = (word & _OFFSET_V4) * 8, bool(word & _MORE_V4)
    else:
        word, ident = _be(data, at - 6, 2), _be(data, at - 4, 4)
        offset, more = word & 0xFFF8, bool(word & 1)
    whole = size and int(row["payload_captured"]) == size
    if not whole or (more and size % 8) or offset + size > MAX_DATAGRAM_BYTES:
        return ident, None
    return ident, _Piece(offset, bytes(data[at : at + size]), not more, bytes(data[ip_at:at]))


def _frame_of(datagram: _Datagram, row: Any) -> bytes:
    """The datagram with one IP header before it, without marks of fragments."""
    payload = b"".join(datagram.data)
    if row["ip_version"] == 4:
        head = bytearray(datagram.head)
        head[2:4] = min(len(head) + len(payload), MAX_DATAGRAM_BYTES).to_bytes(2, "big")
        head[6:8] = b"\0\0"
        return bytes(head) + payload
    head = bytearray(datagram.head[:_IPV6_HEADER_BYTES])
    head[4:6] = len(payload).to_bytes(2, "big")
    # Headers before the fragment header are for the way (RFC 8200, 4.5); the one after it follows directly.
    head[6] = datagram.head[-_FRAGMENT_HEADER_BYTES]
    return bytes(head) + payload


def _link_of(row: Any) -> int:
    return _LINK_IPV4 if row["ip_version"] == 4 else _LINK_IPV6


def _be(data: memoryview, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "big")
