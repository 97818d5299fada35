"""Writes capture files for tests: classic pcap in its four magics, and pcapng with everything a file may hold."""

import struct
from collections.abc import Iterable, Sequence
from typing import Self

from lapwing.testing.conversation import TimedFrame
from lapwing.testing.packets import LINK_ETHERNET

SNAPLEN_BYTES = 262_144  # what tcpdump writes by default

MAGIC_MICROSECONDS = 0xA1B2C3D4
MAGIC_NANOSECONDS = 0xA1B23C4D
MAGIC_MODIFIED = 0xA1B2CD34  # records carry eight more bytes (interface, protocol, packet type)

BLOCK_SECTION = 0x0A0D0D0A
BLOCK_INTERFACE = 1
BLOCK_PACKET = 2  # obsolete
BLOCK_SIMPLE = 3
BLOCK_NAMES = 4
BLOCK_STATISTICS = 5
BLOCK_ENHANCED = 6
BLOCK_SECRETS = 10

_BYTE_ORDER_MAGIC = 0x1A2B3C4D


def pcap_header(
    *,
    magic: int = MAGIC_MICROSECONDS,
    big_endian: bool = False,
    link_type: int = LINK_ETHERNET,
    snaplen: int = SNAPLEN_BYTES,
    version: tuple[int, int] = (2, 4),
) -> bytes:
    """The 24 bytes at the start of a classic capture."""
    order = ">" if big_endian else "<"
    return struct.pack(f"{order}IHHiIII", magic, *version, 0, 0, snaplen, link_type)


def pcap_record(timed: TimedFrame, *, magic: int = MAGIC_MICROSECONDS, big_endian: bool = False) -> bytes:
    """One packet record of a classic capture."""
    order = ">" if big_endian else "<"
    unit_ns = 1 if magic == MAGIC_NANOSECONDS else 1_000
    seconds, rest_ns = divmod(timed.ts_ns, 1_000_000_000)
    wire_bytes = len(timed.frame) if timed.wire_bytes is None else timed.wire_bytes
    header = struct.pack(f"{order}IIII", seconds, rest_ns // unit_ns, len(timed.frame), wire_bytes)
    if magic == MAGIC_MODIFIED:
        header += bytes(8)
    return header + timed.frame


def pcap(
    frames: Iterable[TimedFrame],
    *,
    nanoseconds: bool = False,
    big_endian: bool = False,
    link_type: int = LINK_ETHERNET,
    snaplen: int = SNAPLEN_BYTES,
) -> bytes:
    """A classic capture. Microseconds are the format's default; finer times are cut."""
    magic = MAGIC_NANOSECONDS if nanoseconds else MAGIC_MICROSECONDS
    parts = [pcap_header(magic=magic, big_endian=big_endian, link_type=link_type, snaplen=snaplen)]
    parts += [pcap_record(timed, magic=magic, big_endian=big_endian) for timed in frames]
    return b"".join(parts)


class PcapngWriter:
    """Builds a pcapng capture block by block; `getvalue` gives the bytes.

    Every method returns the writer, so a file reads as a chain. A section must be opened first; interfaces are
    numbered from 0 in each section.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._order = "<"
        self._interfaces: list[tuple[int, int]] = []  # ticks per second, offset in seconds

    def section(self, *, big_endian: bool = False, length: int = -1, version: tuple[int, int] = (1, 0)) -> Self:
        """Open a section; interfaces start again from 0. `length` -1 says unknown."""
        self._order = ">" if big_endian else "<"
        self._interfaces = []
        body = struct.pack(f"{self._order}IHHq", _BYTE_ORDER_MAGIC, *version, length)
        return self.block(BLOCK_SECTION, body)

    def interface(
        self,
        *,
        link_type: int = LINK_ETHERNET,
        snaplen: int = 0,
        tsresol: int | None = None,
        tsoffset_s: int | None = None,
        options: Sequence[tuple[int, bytes]] = (),
    ) -> Self:
        """Describe the next interface. `tsresol` is the raw option byte: 9 is 10^-9, 0x94 is 2^-20; None leaves it out.

        `tsoffset_s` is added to every time of this interface, and taken off by the packet methods.
        """
        ticks = 1_000_000
        every_option = list(options)
        if tsresol is not None:
            ticks = 2 ** (tsresol & 0x7F) if tsresol & 0x80 else 10**tsresol
            every_option.append((9, bytes([tsresol])))
        if tsoffset_s is not None:
            every_option.append((14, struct.pack(f"{self._order}q", tsoffset_s)))
        self._interfaces.append((ticks, tsoffset_s or 0))
        body = struct.pack(f"{self._order}HHI", link_type, 0, snaplen) + self._options(every_option)
        return self.block(BLOCK_INTERFACE, body)

    def enhanced(self, timed: TimedFrame, *, interface: int = 0, options: Sequence[tuple[int, bytes]] = ()) -> Self:
        """An Enhanced Packet Block."""
        body = struct.pack(f"{self._order}I", interface) + self._stamped(timed, interface)
        return self.block(BLOCK_ENHANCED, body + self._options(options))

    def obsolete(self, timed: TimedFrame, *, interface: int = 0, drops: int = 0xFFFF) -> Self:
        """A Packet Block, the predecessor of the enhanced one."""
        body = struct.pack(f"{self._order}HH", interface, drops) + self._stamped(timed, interface)
        return self.block(BLOCK_PACKET, body)

    def simple(self, frame: bytes, *, wire_bytes: int | None = None) -> Self:
        """A Simple Packet Block: no time, always interface 0."""
        length = len(frame) if wire_bytes is None else wire_bytes
        return self.block(BLOCK_SIMPLE, struct.pack(f"{self._order}I", length) + _padded(frame))

    def block(self, block_type: int, body: bytes = b"") -> Self:
        """Any block: type, length, body padded to whole words, length."""
        body = _padded(body)
        length = struct.pack(f"{self._order}I", len(body) + 12)
        return self.raw(struct.pack(f"{self._order}I", block_type) + length + body + length)

    def raw(self, data: bytes) -> Self:
        """Bytes as they are, for damage."""
        self._parts.append(data)
        return self

    def getvalue(self) -> bytes:
        """The file so far."""
        return b"".join(self._parts)

    def _stamped(self, timed: TimedFrame, interface: int) -> bytes:
        ticks_per_s, offset_s = self._interfaces[interface]
        ticks = (timed.ts_ns - offset_s * 1_000_000_000) * ticks_per_s // 1_000_000_000
        wire_bytes = len(timed.frame) if timed.wire_bytes is None else timed.wire_bytes
        head = struct.pack(
            f"{self._order}IIII", ticks >> 32 & 0xFFFFFFFF, ticks & 0xFFFFFFFF, len(timed.frame), wire_bytes
        )
        return head + _padded(timed.frame)

    def _options(self, options: Sequence[tuple[int, bytes]]) -> bytes:
        if not options:
            return b""
        coded = [struct.pack(f"{self._order}HH", code, len(value)) + _padded(value) for code, value in options]
        return b"".join(coded) + bytes(4)


def pcapng(frames: Iterable[TimedFrame], *, big_endian: bool = False, link_type: int = LINK_ETHERNET) -> bytes:
    """A pcapng capture with one section, one interface in nanoseconds and enhanced packets."""
    writer = PcapngWriter().section(big_endian=big_endian).interface(link_type=link_type, tsresol=9)
    for timed in frames:
        writer.enhanced(timed)
    return writer.getvalue()


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
