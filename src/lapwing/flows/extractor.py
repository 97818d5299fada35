"""What makes packets one flow: endpoints as the key, and more beside them, put together from settings.

Two addresses and ports need nothing: the decoder's rows are keyed by them as they are. Everything else rewrites the
rows of a batch in bulk before the table sees them. What is not an endpoint (a direction, a tunnel) becomes the row's
`tag`: a small number for each combination met, which costs the table nothing.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lapwing.wire import Status

KeyPart = Literal["source", "vlan", "mpls", "pppoe", "tunnel", "flow-label", "direction"]
KeyBase = Literal["five-tuple", "ip-pair", "mac-pair"]

PARTS: tuple[KeyPart, ...] = ("source", "vlan", "mpls", "pppoe", "tunnel", "flow-label", "direction")
PART_FIELDS: dict[KeyPart, tuple[str, ...]] = {
    "vlan": ("outer_vlan_id", "vlan_id"),
    "mpls": ("mpls_label",),
    "pppoe": ("pppoe_session",),
    "tunnel": ("tunnel_id",),
}  # columns of rows that make a part as they are
_VLAN_BITS = 12
MAX_TAGS = 65_535  # combinations that get a number of their own: it has 16 bits; what comes later shares the last one
MAC_BYTES = 12  # both addresses, at the front of an Ethernet frame
LINK_ETHERNET = 1

Rows = NDArray[np.void]
_HAS_ADDRESSES = np.isin(
    np.arange(256),
    (Status.OK, Status.FRAGMENT, Status.TRANSPORT_TRUNCATED, Status.TRANSPORT_MALFORMED, Status.BAD_CHECKSUM),
)
_TRANSPORT_FIELDS = ("protocol", "src_port", "dst_port", "tcp_flags", "tcp_seq", "tcp_ack", "icmp_type", "icmp_code")


class _Numbers:
    """Gives values numbers from 1 on; 0 stays 0."""

    def __init__(self) -> None:
        self._number_of = {0: 0}
        self.value_of = [0]
        self.shared_count = 0  # values that came when all numbers were given

    def number(self, values: NDArray[np.uint64]) -> NDArray[np.uint64]:
        found, places = np.unique(values, return_inverse=True)
        return np.array([self._one(value) for value in found.tolist()], np.uint64)[places]

    def _one(self, value: int) -> int:
        number = self._number_of.get(value)
        if number is None:
            number = len(self.value_of)
            if number > MAX_TAGS:
                self.shared_count += 1
                return MAX_TAGS
            self._number_of[value] = number
            self.value_of.append(value)
        return number


class Extractor:
    """Rewrites rows so that the table keys flows as asked. Made by `extractor_for`; one for each table."""

    def __init__(self, base: KeyBase, parts: tuple[KeyPart, ...]) -> None:
        """The order of `parts` says nothing."""
        self.base = base
        self.parts = tuple(part for part in PARTS if part in parts)
        self.source = 0  # number of where packets come from, for the part of that name; set it before `apply`
        self._numbers = {part: _Numbers() for part in self.parts}

    @property
    def whole_datagrams(self) -> bool:
        """Whether fragments must be put together first: ports are only in the first of them."""
        return self.base == "five-tuple"

    def apply(self, buffer: Any, packets: Rows, start: int, end: int) -> None:
        """Rewrite rows [start, end), whose frames lie in `buffer`."""
        rows = packets[start:end]
        data = np.frombuffer(buffer, np.uint8)
        tags = np.zeros(len(rows), np.uint64)
        for part in self.parts:
            tags = self._numbers[part].number(tags << np.uint64(32) | self._values(part, data, rows))
        if self.base == "ip-pair":
            self._pair_addresses(rows)
        elif self.base == "mac-pair":
            self._pair_stations(data, rows)
        rows["tag"] = tags

    def words(self, tag: int) -> str:
        """What a tag stands for: `vlan=100/7 tunnel=4711`; empty for 0."""
        said: list[str] = []
        for part in reversed(self.parts):
            tag, value = divmod(self._numbers[part].value_of[tag], 1 << 32)
            if value:
                said.append(f"{part}={_shown(part, value)}")
        return " ".join(reversed(said))

    def statistics(self) -> dict[str, int]:
        """How often a combination of parts had to share the last number."""
        return {"tags_shared": sum(numbers.shared_count for numbers in self._numbers.values())}

    def _values(self, part: KeyPart, data: NDArray[np.uint8], rows: Rows) -> NDArray[np.uint64]:
        """The part of the key, row by row, in 32 bits."""
        if part == "source":
            return np.full(len(rows), self.source, np.uint64)
        if part == "vlan":
            outer = rows["outer_vlan_id"].astype(np.uint64) << np.uint64(_VLAN_BITS)
            return outer | rows["vlan_id"].astype(np.uint64)
        if part in PART_FIELDS:
            return rows[PART_FIELDS[part][0]].astype(np.uint64)
        return _flow_labels(data, rows) if part == "flow-label" else self._directions(data, rows)

    def _directions(self, data: NDArray[np.uint8], rows: Rows) -> NDArray[np.uint64]:
        """1 where the source is the smaller endpoint, 2 where it is the larger."""
        if self.base == "mac-pair":
            stations = _stations(data, rows)
            return np.where(stations[:, 1] < stations[:, 0], 2, 1).astype(np.uint64)
        larger = np.zeros(len(rows), bool)
        same = np.ones(len(rows), bool)
        for name in ("hi", "lo", "port"):
            ours, theirs = rows[f"src_{name}"], rows[f"dst_{name}"]
            larger |= same & (ours > theirs)
            same &= ours == theirs
        return np.where(larger, 2, 1).astype(np.uint64)

    def _pair_addresses(self, rows: Rows) -> None:
        known = _HAS_ADDRESSES[rows["status"]]
        rows["status"][known] = Status.OK
        for name in _TRANSPORT_FIELDS:
            rows[name][known] = 0

    def _pair_stations(self, data: NDArray[np.uint8], rows: Rows) -> None:
        known = _is_ethernet(rows)
        rows["status"] = np.where(known, Status.OK, Status.UNKNOWN_LINK)
        for name in (*_TRANSPORT_FIELDS, "ip_version", "src_hi", "dst_hi"):
            rows[name][known] = 0
        stations = _stations(data, rows)
        rows["dst_lo"][known], rows["src_lo"][known] = stations[known, 0], stations[known, 1]


def _shown(part: KeyPart, value: int) -> str:
    if part == "direction":
        return ("forward", "reverse")[value - 1]
    outer, inner = divmod(value, 1 << _VLAN_BITS) if part == "vlan" else (0, value)
    return f"{outer}/{inner}" if outer else str(inner)


def extractor_for(base: KeyBase, parts: tuple[KeyPart, ...]) -> Extractor | None:
    """What rewrites rows for such a key; None for addresses and ports alone, which need nothing."""
    return Extractor(base, parts) if parts or base != "five-tuple" else None


def _is_ethernet(rows: Rows) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (rows["link_type"] == LINK_ETHERNET) & (rows["captured"] >= MAC_BYTES + 2)
    return found


def _stations(data: NDArray[np.uint8], rows: Rows) -> NDArray[np.uint64]:
    """Destination and source of each frame, 48 bits; 0 where there is no such header."""
    known = _is_ethernet(rows)
    places = rows["frame_off"][known].astype(np.int64)[:, None] + np.arange(MAC_BYTES)
    octets = np.zeros((len(rows), 2, 8), np.uint8)
    octets[known, :, 2:] = data[places].reshape(-1, 2, 6)
    numbers: NDArray[np.uint64] = octets.view(">u8")[:, :, 0].astype(np.uint64)
    return numbers


def _flow_labels(data: NDArray[np.uint8], rows: Rows) -> NDArray[np.uint64]:
    """Labels of IPv6 (RFC 6437), 20 bits; 0 elsewhere."""
    found = np.zeros(len(rows), np.uint64)
    known = np.flatnonzero(rows["ip_version"] == 6)
    places = rows["ip_off"][known].astype(np.int64)[:, None] + np.arange(1, 4)
    octets = data[places].astype(np.uint64)
    found[known] = (octets[:, 0] & 15) << 16 | octets[:, 1] << 8 | octets[:, 2]
    return found
