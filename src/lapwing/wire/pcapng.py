"""pcapng as a state machine over chunks: sections, interfaces, packet blocks; other blocks are skipped and counted.

Layout: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html
"""

import re
import struct
from collections import Counter
from typing import Any, Final

import numpy as np

from lapwing.wire._select import scan_pcapng
from lapwing.wire.damage import DamageLog
from lapwing.wire.layout import INTERFACE_DTYPE, MAX_PACKET_BLOCK_BYTES

MAGIC = b"\x0a\x0d\x0d\x0a"
SECTION, INTERFACE, PACKET, SIMPLE, NAMES, STATISTICS, ENHANCED, SECRETS = 0x0A0D0D0A, 1, 2, 3, 4, 5, 6, 10
SECTION_BYTES = 28  # of a section header without options
PACKET_BLOCKS = frozenset({PACKET, SIMPLE, ENHANCED})
SKIPPED_BLOCKS = {NAMES: "name_blocks", STATISTICS: "statistics_blocks", SECRETS: "secrets_blocks"}

MAX_BLOCK_BYTES = 16 * 1024 * 1024  # of a block that is skipped (names, secrets); longer is damage
MAX_HEADER_BLOCK_BYTES = 64 * 1024  # of a section or interface header, which must be read whole
MAX_INTERFACES = 4_096  # per section; packets of further ones are damage

BYTE_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_OPTION_END, _OPTION_RESOLUTION, _OPTION_OFFSET = 0, 9, 14
_LIMIT_S = 2**62 // 1_000_000_000  # times stay below 2^62 ns and so do offsets, so their sum fits int64
_MORE: Final = -1  # the block is not whole yet


class PcapngScanner:
    """Reads the packets of one pcapng capture, from its first byte on.

    `offset` is the file position of the next byte given to `scan`.
    """

    format = "pcapng"
    link_type = 1  # Ethernet, until an interface says otherwise
    window_bytes = MAX_PACKET_BLOCK_BYTES

    def __init__(self) -> None:
        self.offset = 0
        self.damage = DamageLog()
        self.counters: Counter[str] = Counter()
        self._order = "<"
        self._readable = False  # whether packets of this section can be read
        self._interfaces = np.zeros(8, INTERFACE_DTYPE)
        self._interface_count = 0
        self._known = self._interfaces[:0]
        self._clock = np.zeros(2, np.int64)
        self._skip = 0  # bytes of a block that is not looked into and not here yet
        self._lost_at: int | None = None  # file offset where the block chain broke; None while it holds
        self._lost_why = ""
        self._skipped = 0

    def scan(self, buffer: Any, start: int, end: int, packets: Any, *, at_end: bool) -> tuple[int, int]:
        """Fill rows from 0 on; returns (rows, position). Bytes from there on must be given again with what follows.

        `at_end` says that nothing follows; then every byte is used unless the rows are full.
        """
        view = memoryview(buffer)[:end]
        position, row = start, 0
        while row < len(packets):
            if self._readable and not self._skip and self._lost_at is None:
                row, position = self._packets(buffer, position, end, packets, row)
                if row == len(packets):
                    break
            size = self._step(view, position, self.offset + position - start, at_end)
            if size == _MORE:
                break
            position += size
            if position >= end and not self._skip:
                break
        if at_end and row < len(packets):
            self._report_tail(self.offset + position - start, end - position)
            position = end
        self.counters["untimed_packets"] = int(self._clock[1])
        self.offset += position - start
        return row, position

    def _packets(self, buffer: Any, position: int, end: int, packets: Any, row: int) -> tuple[int, int]:
        result: tuple[int, int] = scan_pcapng(
            buffer,
            position,
            end,
            packets,
            row,
            big_endian=self._order == ">",
            interfaces=self._known,
            clock=self._clock,
        )
        return result

    def _step(self, view: memoryview, position: int, offset: int, at_end: bool) -> int:
        """Get over what is no sound packet block; returns the bytes used, or _MORE."""
        if self._skip:
            size = min(self._skip, len(view) - position)
            self._skip -= size
            return size or _MORE
        if self._lost_at is not None:
            return self._search(view, position, at_end)
        if position + 12 > len(view):
            return _MORE
        return self._block(view, position, offset)

    def _report_tail(self, offset: int, left: int) -> None:
        if self._lost_at is not None:
            self._skipped += left
            self._report_lost()
        elif left or self._skip:
            self._skip = 0
            self.damage.report("capture.tail_truncated", offset, f"the last block is cut; {left} bytes are left over")

    def _block(self, view: memoryview, position: int, offset: int) -> int:
        kind, length = struct.unpack_from(f"{self._order}II", view, position)
        if kind == SECTION:
            return self._section(view, position, offset)
        limit = MAX_PACKET_BLOCK_BYTES if kind in PACKET_BLOCKS else MAX_BLOCK_BYTES
        if kind == INTERFACE:
            limit = MAX_HEADER_BLOCK_BYTES
        if length < 12 or length % 4 or length > limit:
            return self._lose(offset, f"block type {kind:#x} has length {length}")
        if not self._readable or not (kind == INTERFACE or kind in PACKET_BLOCKS):
            self.counters[SKIPPED_BLOCKS.get(kind, "other_blocks")] += 1
            self._skip = int(length)
            return 0
        if position + length > len(view):
            return _MORE
        if not _repeats(view, position, length, self._order):
            return self._lose(offset, f"block type {kind:#x} does not repeat its length {length}")
        if kind == INTERFACE:
            self._interface(view[position + 8 : position + length - 4], offset)
        else:
            self.damage.report("capture.packet_block", offset, f"block type {kind:#x}: lengths or interface do not fit")
        return int(length)

    def _section(self, view: memoryview, position: int, offset: int) -> int:
        if position + 16 > len(view):
            return _MORE
        order = BYTE_ORDERS.get(bytes(view[position + 8 : position + 12]))
        if order is None:
            return self._lose(offset, "section header without byte-order magic")
        (length,) = struct.unpack_from(f"{order}I", view, position + 4)
        if length < SECTION_BYTES or length % 4 or length > MAX_HEADER_BLOCK_BYTES:
            return self._lose(offset, f"section header has length {length}")
        if position + length > len(view):
            return _MORE
        if not _repeats(view, position, length, order):
            return self._lose(offset, f"section header does not repeat its length {length}")
        major, minor = struct.unpack_from(f"{order}HH", view, position + 12)
        self._order, self._readable = order, major == 1
        self._interface_count = 0
        self._known = self._interfaces[:0]
        self.counters["sections"] += 1
        if not self._readable:
            self.damage.report("capture.section_version", offset, f"version {major}.{minor}; only 1.x is known")
        return int(length)

    def _interface(self, body: memoryview, offset: int) -> None:
        if len(body) < 8 or self._interface_count == MAX_INTERFACES:
            self.damage.report("capture.interface_block", offset, "too short, or too many in one section")
            return
        if self._interface_count == len(self._interfaces):
            self._interfaces = np.concatenate([self._interfaces, np.zeros_like(self._interfaces)])
        link_type, _, snaplen = struct.unpack_from(f"{self._order}HHI", body)
        options, whole = _options(body[8:], self._order)
        resolution = options.get(_OPTION_RESOLUTION, b"\x06")
        shift_s = options.get(_OPTION_OFFSET, bytes(8))
        if not whole or len(resolution) != 1 or len(shift_s) != 8:
            self.damage.report("capture.interface_block", offset, "options do not fit; times are as if it had none")
            resolution, shift_s = b"\x06", bytes(8)
        clock = clock_of(resolution[0], struct.unpack(f"{self._order}q", shift_s)[0])
        self._interfaces[self._interface_count] = (*clock[:4], snaplen, link_type, *clock[4:])
        self._interface_count += 1
        self._known = self._interfaces[: self._interface_count]
        self.counters["interfaces"] += 1

    def _lose(self, offset: int, why: str) -> int:
        """The chain of blocks is broken: the search begins here."""
        self._lost_at, self._lost_why, self._skipped = offset, why, 1  # one byte on, or the search would end here
        return 1

    def _search(self, view: memoryview, position: int, at_end: bool) -> int:
        """Bytes up to the next believable block; all bytes that can be ruled out when there is none yet."""
        start = position
        pattern = _CANDIDATES[self._order]
        verdict: bool | None = False
        while verdict is False and (match := pattern.search(view, position)):
            position = match.start()
            verdict = _sound_block(view, position, self._order)
            if verdict is None and at_end:
                verdict = False
            position += verdict is False
        if verdict is False:
            position = len(view) if at_end else max(start, len(view) - 11)
        self._skipped += position - start
        if verdict:
            self._report_lost()
        return (position - start) or (0 if verdict else _MORE)

    def _report_lost(self) -> None:
        """One report for the whole hole, when it is known how large it is."""
        assert self._lost_at is not None
        self.counters["skipped_bytes"] += self._skipped
        detail = f"{self._lost_why}; {self._skipped} bytes skipped"
        self.damage.report("capture.block_length", self._lost_at, detail)
        self._lost_at, self._skipped = None, 0


# Where a block may begin: the types that matter, in the byte order of the section, or a section header in any.
_CANDIDATES = {
    "<": re.compile(rb"(?s)(?=[\1\2\3\4\5\6\n]\0\0\0...\0....|\n\r\r\n........)"),
    ">": re.compile(rb"(?s)(?=\0\0\0[\1\2\3\4\5\6\n]\0.......|\n\r\r\n........)"),
}


def _sound_block(view: memoryview, position: int, order: str) -> bool | None:
    """Whether a block with a believable length that it repeats stands here; None when more bytes are needed."""
    if bytes(view[position : position + 4]) == MAGIC:
        found = BYTE_ORDERS.get(bytes(view[position + 8 : position + 12]))
        if found is None:
            return False
        order = found
    (length,) = struct.unpack_from(f"{order}I", view, position + 4)
    if length < 12 or length % 4 or length > MAX_PACKET_BLOCK_BYTES:
        return False
    if position + length > len(view):
        return None
    return _repeats(view, position, length, order)


def _repeats(view: memoryview, position: int, length: int, order: str) -> bool:
    """Whether the block ends with its length, as each must."""
    return bool(struct.unpack_from(f"{order}I", view, position + length - 4)[0] == length)


def _options(body: memoryview, order: str) -> tuple[dict[int, bytes], bool]:
    """The options by code, and whether the list was well formed. Without an end mark it ends with the block."""
    options: dict[int, bytes] = {}
    position = 0
    while position + 4 <= len(body):
        code, length = struct.unpack_from(f"{order}HH", body, position)
        if code == _OPTION_END:
            return options, True
        position += 4
        if position + length > len(body):
            return options, False
        options.setdefault(code, bytes(body[position : position + length]))
        position += length + -length % 4
    return options, position >= len(body)


def clock_of(resolution: int, offset_s: int) -> tuple[int, int, int, int, int, int]:
    """How an interface counts time: multiplier, divisor, max_ticks, offset_ns, shift, untimed (see INTERFACE_DTYPE).

    `resolution` is the raw if_tsresol byte: 10^-n, or 2^-n with the top bit set.
    """
    exponent = resolution & 0x7F
    binary = bool(resolution & 0x80)
    if abs(offset_s) >= _LIMIT_S or exponent > (63 if binary else 19):
        return 1, 0, 0, 0, 0, 1
    offset_ns = offset_s * 1_000_000_000
    max_ticks = min(_LIMIT_S * (2**exponent if binary else 10**exponent), 2**64 - 1)
    if binary and exponent:
        return 0, 0, max_ticks, offset_ns, exponent, 0
    if binary or exponent <= 9:
        return 10 ** (9 - exponent), 0, max_ticks, offset_ns, 0, 0
    return 0, 10 ** (exponent - 9), max_ticks, offset_ns, 0, 0
