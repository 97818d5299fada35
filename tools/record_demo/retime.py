"""Moves whole recorded visits to their place in the day. The recorded bytes stay; only packet times change.

Deterministic: the same raw capture and the same record of visits give the same file, byte for byte.
A connection belongs to the visit of its client address during which its first packet was seen,
and all of its packets move by one amount,
so every gap inside a connection, and between the connections of one visit, is the recorded one.
"""

from __future__ import annotations

import ipaddress
import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MAGIC_NS = 0xA1B23C4D
_FILE_HEADER = struct.Struct("<IHHiIII")
_RECORD = struct.Struct("<IIII")
_ETHERTYPE_V4, _ETHERTYPE_V6, _TCP = 0x0800, 0x86DD, 6
_SECOND_NS = 1_000_000_000

Endpoint = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Packet:
    """One recorded frame."""

    ts_ns: int
    frame: bytes


@dataclass(frozen=True, slots=True)
class Window:
    """When a visit really ran, and where in the day it belongs."""

    source: str
    started_ns: int
    target_ns: int


def read(path: Path) -> Iterator[Packet]:
    """The packets of a little-endian nanosecond pcap, as tcpdump writes it; ValueError on another file."""
    data = path.read_bytes()
    if _FILE_HEADER.unpack_from(data)[0] != MAGIC_NS:
        raise ValueError(f"{path}: not a nanosecond capture")
    at = _FILE_HEADER.size
    while at < len(data):
        seconds, fraction, captured, _length = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        yield Packet(seconds * _SECOND_NS + fraction, data[at : at + captured])
        at += captured


def write(path: Path, packets: Iterable[Packet]) -> None:
    """Write a little-endian nanosecond pcap of Ethernet frames."""
    with path.open("wb") as handle:
        handle.write(_FILE_HEADER.pack(MAGIC_NS, 2, 4, 0, 0, 262_144, 1))
        for packet in packets:
            seconds, fraction = divmod(packet.ts_ns, _SECOND_NS)
            handle.write(_RECORD.pack(seconds, fraction, len(packet.frame), len(packet.frame)) + packet.frame)


def endpoints(frame: bytes) -> tuple[Endpoint, Endpoint]:
    """Source and destination of a TCP frame (Ethernet, IPv4 or IPv6 without extension headers)."""
    kind = int.from_bytes(frame[12:14], "big")
    if kind == _ETHERTYPE_V4 and frame[23] == _TCP:
        first, second, ports = frame[26:30], frame[30:34], 14 + (frame[14] & 15) * 4
    elif kind == _ETHERTYPE_V6 and frame[20] == _TCP:
        first, second, ports = frame[22:38], frame[38:54], 54
    else:
        raise ValueError(f"a frame of type {kind:#06x} that is not TCP")
    source, destination = struct.unpack_from(">HH", frame, ports)
    return (str(ipaddress.ip_address(first)), source), (str(ipaddress.ip_address(second)), destination)


def moved(packets: Iterable[Packet], windows: Iterable[Window], servers: frozenset[str]) -> list[Packet]:
    """Every packet at its new time, in order; raises ValueError for a connection no visit accounts for."""
    by_source: dict[str, list[Window]] = {}
    for window in sorted(windows, key=lambda window: window.started_ns):
        by_source.setdefault(window.source, []).append(window)
    shifts: dict[frozenset[Endpoint], int] = {}
    placed: list[Packet] = []
    for packet in packets:
        ends = endpoints(packet.frame)
        connection = frozenset(ends)
        if connection not in shifts:
            client = next(address for address, _port in ends if address not in servers)
            shifts[connection] = _shift(by_source.get(client, []), client, packet.ts_ns)
        placed.append(Packet(packet.ts_ns + shifts[connection], packet.frame))
    return sorted(placed, key=lambda packet: packet.ts_ns)


def _shift(windows: list[Window], client: str, ts_ns: int) -> int:
    number = bisect_right(windows, ts_ns, key=lambda window: window.started_ns) - 1
    if number < 0:
        raise ValueError(f"{client} sent a packet before its first visit")
    return windows[number].target_ns - windows[number].started_ns


def spans(packets: Iterable[Packet], servers: frozenset[str]) -> dict[str, tuple[int, int]]:
    """First and last packet time of every client address, in nanoseconds."""
    found: dict[str, tuple[int, int]] = {}
    for packet in packets:
        for address, _port in endpoints(packet.frame):
            if address not in servers:
                first, last = found.get(address, (packet.ts_ns, packet.ts_ns))
                found[address] = (min(first, packet.ts_ns), max(last, packet.ts_ns))
    return found
