"""Classic pcap as a state machine over chunks: header, records, damage, resynchronisation.

Layout: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html
"""

import re
import struct
from collections import Counter
from typing import Any

from lapwing.wire._select import scan_pcap
from lapwing.wire.damage import DamageLog
from lapwing.wire.layout import MAX_RECORD_BYTES, MAX_WIRE_BYTES

NS_PER_S = 1_000_000_000
HEADER_BYTES = 24
RECORD_HEADER_BYTES = 16
MODIFIED_RECORD_HEADER_BYTES = 24

# magic as a little-endian reader sees it: byte order, nanoseconds per fraction, record header
_VARIANTS = {
    0xA1B2C3D4: (False, 1_000, RECORD_HEADER_BYTES),
    0xD4C3B2A1: (True, 1_000, RECORD_HEADER_BYTES),
    0xA1B23C4D: (False, 1, RECORD_HEADER_BYTES),
    0x4D3CB2A1: (True, 1, RECORD_HEADER_BYTES),
    0xA1B2CD34: (False, 1_000, MODIFIED_RECORD_HEADER_BYTES),  # with interface, protocol and packet type per record
    0x34CDB2A1: (True, 1_000, MODIFIED_RECORD_HEADER_BYTES),
}
MAGICS = frozenset(struct.pack("<I", magic) for magic in _VARIANTS)

RESYNC_RECORDS = 3  # so many sound records in a row make a place believable
RESYNC_SECONDS = 86_400  # and their times lie this close together
RESYNC_WINDOW_BYTES = RESYNC_RECORDS * (MAX_RECORD_BYTES + MODIFIED_RECORD_HEADER_BYTES)  # must fit into the buffer

# Two lengths below 2^24 and below 2^19, the first not zero: what a record header looks like to a quick search.
_CANDIDATE = {
    False: re.compile(rb"(?s)(?=.{8}(?!\0\0\0\0)..[\0-\x04]\0...\0)"),
    True: re.compile(rb"(?s)(?=.{8}(?!\0\0\0\0)\0[\0-\x04]..\0...)"),
}


class PcapScanner:
    """Reads the records of one classic capture. Made from its first 24 bytes; ValueError when they do not fit.

    `offset` is the file position of the next byte given to `scan`.
    """

    format = "pcap"
    window_bytes = RESYNC_WINDOW_BYTES

    def __init__(self, header: bytes) -> None:
        magic = int.from_bytes(header[:4], "little")
        if magic not in _VARIANTS or len(header) < HEADER_BYTES:
            raise ValueError("not a classic pcap header")
        self._big_endian, self._unit_ns, self._header_bytes = _VARIANTS[magic]
        order = ">" if self._big_endian else "<"
        major, minor, _, _, _, link = struct.unpack(f"{order}HHiIII", header[4:HEADER_BYTES])
        if major != 2:
            raise ValueError(f"pcap version {major}.{minor}; only 2.x is known")
        number = link & 0x03FFFFFF  # the upper bits tell about the frame check sequence
        self.link_type = min(number, 0xFFFF)  # nothing is assigned beyond: counted as an unknown link
        self.offset = HEADER_BYTES
        self.damage = DamageLog()
        self.counters: Counter[str] = Counter()
        self._record = struct.Struct(f"{order}IIII")
        self._last_ts_ns = -1  # -1: no record yet
        self._lost_at: int | None = None  # file offset where the record chain broke; None while it holds
        self._lost_why = ""
        self._skipped = 0

    def scan(self, buffer: Any, start: int, end: int, packets: Any, *, at_end: bool) -> tuple[int, int]:
        """Fill rows from 0 on; returns (rows, position). Bytes from there on must be given again with what follows.

        `at_end` says that nothing follows; then every byte is used unless the rows are full.
        """
        position, row = start, 0
        while row < len(packets):
            if self._lost_at is not None:
                position, found = self._search(buffer, position, end, at_end)
                if not found:
                    break
            row, position = self._records(buffer, position, end, packets, row)
            if row == len(packets) or not self._damaged_at(buffer, position, end, self.offset + position - start):
                break
        if at_end and row < len(packets) and position < end:
            detail = f"the last record is cut; {end - position} bytes are left over"
            self.damage.report("capture.tail_truncated", self.offset + position - start, detail)
            position = end
        self.offset += position - start
        return row, position

    def _records(self, buffer: Any, position: int, end: int, packets: Any, row: int) -> tuple[int, int]:
        last_ts_ns: int
        row, position, last_ts_ns = scan_pcap(
            buffer,
            position,
            end,
            packets,
            row,
            big_endian=self._big_endian,
            unit_ns=self._unit_ns,
            header_bytes=self._header_bytes,
            link_type=self.link_type,
        )
        if last_ts_ns >= 0:
            self._last_ts_ns = last_ts_ns
        return row, position

    def _damaged_at(self, buffer: Any, position: int, end: int, offset: int) -> bool:
        """Whether the header at `position` is absurd, not just incomplete; then the search begins behind it."""
        if position + self._header_bytes > end:
            return False
        seconds, fraction, captured, wire = self._record.unpack_from(buffer, position)
        if captured > MAX_RECORD_BYTES:
            why = f"captured length {captured} is above {MAX_RECORD_BYTES}"
        elif wire > MAX_WIRE_BYTES:
            why = f"original length {wire} is above {MAX_WIRE_BYTES}"
        elif not (seconds or fraction or captured or wire):
            why = "zeros instead of a record header"
        else:
            return False
        self._lost_at, self._lost_why = offset, why
        return True

    def _search(self, buffer: Any, position: int, end: int, at_end: bool) -> tuple[int, bool]:
        """The next believable record; (position, False) when more bytes are needed or none is left.

        The format has no marks, so a place is believed only when sound records follow one another from there.
        """
        start = position
        view = memoryview(buffer)[:end]
        verdict: bool | None = False
        while verdict is False and (match := _CANDIDATE[self._big_endian].search(view, position)):
            position = match.start()
            verdict = self._chain_at(view, position, at_end)
            position += verdict is False
        if verdict is False:  # no candidate is left: keep what may be the start of a header
            position = end if at_end else max(start, end - self._header_bytes + 1)
        self._skipped += position - start
        if verdict or at_end:
            self._report_lost()
        return position, verdict is True

    def _chain_at(self, view: memoryview, position: int, at_end: bool) -> bool | None:
        """Whether sound records follow one another from `position`; None when more bytes are needed to tell.

        Fewer than wanted will do when they end exactly with the file.
        """
        near = self._last_ts_ns // NS_PER_S if self._last_ts_ns >= 0 else None
        for count in range(RESYNC_RECORDS):
            if at_end and count and position == len(view):
                return True
            if position + self._header_bytes > len(view):
                return False if at_end else None
            seconds, fraction, captured, wire = self._record.unpack_from(view, position)
            if not 0 < captured <= min(wire, MAX_RECORD_BYTES) or wire > MAX_WIRE_BYTES:
                return False
            if fraction * self._unit_ns >= NS_PER_S or (near is not None and abs(seconds - near) > RESYNC_SECONDS):
                return False
            near = seconds
            position += self._header_bytes + captured
        if position <= len(view):
            return True
        return False if at_end else None

    def _report_lost(self) -> None:
        """One report for the whole hole, when it is known how large it is."""
        assert self._lost_at is not None
        self.counters["skipped_bytes"] += self._skipped
        detail = f"{self._lost_why}; {self._skipped} bytes skipped"
        self.damage.report("capture.record_length", self._lost_at, detail)
        self._lost_at, self._skipped = None, 0
