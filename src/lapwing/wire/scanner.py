"""Chooses the scanner by the first bytes of a capture."""

from collections import Counter
from typing import Any, Protocol

from lapwing.wire import pcap, pcapng
from lapwing.wire.damage import DamageLog


class Scanner(Protocol):
    """Turns the bytes of a capture, given in chunks of any size, into rows. Reads nothing itself."""

    format: str
    link_type: int  # the one to expect; pcapng may hold several
    offset: int  # file position of the next byte given to `scan`
    window_bytes: int  # a buffer must hold this much beside a chunk, or a record may never be whole
    damage: DamageLog
    counters: Counter[str]

    def scan(self, buffer: Any, start: int, end: int, packets: Any, *, at_end: bool) -> tuple[int, int]:
        """Fill rows from 0 on; returns (rows, position). Bytes from there on must be given again with what follows."""
        ...


def is_capture_head(head: bytes) -> bool:
    """Whether a file that begins with these four bytes or more is a capture we read."""
    return head[:4] in pcap.MAGICS or head[:4] == pcapng.MAGIC


def scanner_for(head: bytes) -> Scanner:
    """The scanner for a capture that begins with `head` (28 bytes unless the file is shorter).

    Its `offset` says how many of them it has used. Raises ValueError that says what is wrong.
    """
    magic = head[:4]
    if magic == pcapng.MAGIC:
        if len(head) < pcapng.SECTION_BYTES:
            raise ValueError(f"offset {len(head)}: the pcapng section header is cut")
        if head[8:12] not in pcapng.BYTE_ORDERS:
            raise ValueError(f"offset 8: no pcapng byte-order magic but {head[8:12].hex()}")
        return pcapng.PcapngScanner()
    if magic not in pcap.MAGICS:
        raise ValueError(f"offset 0: not a capture (it begins with {magic.hex()}); pcap and pcapng are known")
    if len(head) < pcap.HEADER_BYTES:
        raise ValueError(f"offset {len(head)}: the pcap header is cut; it has {pcap.HEADER_BYTES} bytes")
    return pcap.PcapScanner(head)
