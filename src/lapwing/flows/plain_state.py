"""What the plain flow table remembers: a flow, its two sides, and bytes that wait for a hole."""

from lapwing.flows.plain_features import FlowFeatures
from lapwing.flows.rules import HISTORY_LETTERS, INACTIVE, PAGE_BYTES, TRACKED_HOLES

Endpoint = tuple[int, int, int]  # upper and lower half of the address, port


class Waiting:
    """Out-of-order bytes of one side, from `delivered` on.

    `mask` holds 1 for each byte of `data` that is there. `wait_class` and `up_to` say which deadline applies to the
    hole at the front and how far it was known to reach when the deadline was set.
    """

    __slots__ = ("data", "delivered", "mask", "pages", "runs", "up_to", "wait_class")

    def __init__(self, delivered: int) -> None:
        self.delivered = delivered
        self.data = bytearray()
        self.mask = bytearray()
        self.pages: set[int] = set()
        self.runs = 0
        self.wait_class = 0
        self.up_to = 0

    def next_present(self) -> int | None:
        """Stream offset of the first byte that is there."""
        found = self.mask.find(1)
        return None if found < 0 else self.delivered + found

    def pages_needed(self, start: int, end: int) -> int:
        """Pages a copy of stream bytes [start, end) would add."""
        if start >= end:
            return 0
        return sum(page not in self.pages for page in range(start // PAGE_BYTES, (end - 1) // PAGE_BYTES + 1))

    def insert(self, start: int, piece: bytes, *, last_wins: bool) -> int:
        """Keep `piece` at stream offset `start` >= delivered; returns how many bytes contradict what was there."""
        if not piece:
            return 0
        at, end = start - self.delivered, start - self.delivered + len(piece)
        if end > len(self.mask):
            self.data.extend(bytes(end - len(self.mask)))
            self.mask.extend(bytes(end - len(self.mask)))
        self.runs += self._joined(at, end)
        conflicts = 0
        for k, byte in enumerate(piece, at):
            if self.mask[k]:
                conflicts += self.data[k] != byte
                if not last_wins:
                    continue
            self.data[k] = byte
        self.mask[at:end] = b"\1" * len(piece)
        self.pages.update(range(start // PAGE_BYTES, (start + len(piece) - 1) // PAGE_BYTES + 1))
        return conflicts

    def _joined(self, at: int, end: int) -> int:
        """Change in the number of runs when [at, end) fills up."""
        before = self.mask[at - 1 : at] if at else b"\0"
        return 1 - before[0] - (before + self.mask[at : end + 1]).count(b"\0\1")

    def take_front(self) -> bytes:
        """The bytes at `delivered` that are there, removed."""
        length = self.mask.find(0)
        length = len(self.mask) if length < 0 else length
        taken = bytes(self.data[:length])
        self.skip(length)
        self.runs -= bool(length)
        return taken

    def skip(self, length: int) -> None:
        """Move on; nothing there is lost by it."""
        del self.data[:length], self.mask[:length]
        self.delivered += length
        self.pages = {page for page in self.pages if (page + 1) * PAGE_BYTES > self.delivered}


class FlowSide:
    """One direction of a flow: counters of the record, and TCP sequence space as 64-bit offsets from the first byte."""

    __slots__ = (
        "ack", "base", "cut_offset", "fin", "fin_told", "gap_count", "gapped", "holes", "ip_bytes", "letters",
        "missed_bytes", "next_offset", "out_of_order_count", "packet_count", "payload_bytes", "retransmit_count",
        "state", "syn_base", "tcp_flags", "waiting", "wire_bytes", "zero_window_count",
    )  # fmt: skip

    def __init__(self) -> None:
        self.state = INACTIVE
        self.base: int | None = None  # sequence number of offset 0
        self.syn_base = False  # base comes from a SYN, not from joining in the middle
        self.ack: int | None = None  # last acknowledgement number sent
        self.next_offset = 0  # end of what was sent
        self.cut_offset = 0  # next_offset when the last record was cut
        self.fin = self.fin_told = False
        self.holes: list[tuple[int, int]] | None = None
        self.gapped = 0  # holes below are counted as gaps
        self.waiting: Waiting | None = None
        self.start_record()

    def start_record(self) -> None:
        """Begin counting anew."""
        self.packet_count = self.wire_bytes = self.ip_bytes = self.payload_bytes = 0
        self.missed_bytes = self.retransmit_count = self.out_of_order_count = 0
        self.tcp_flags = self.zero_window_count = self.gap_count = 0
        self.letters: set[str] = set()
        self.cut_offset = self.next_offset

    def offset_of(self, sequence: int) -> int:
        """Stream offset of a sequence number, the one nearest to what was sent last."""
        assert self.base is not None
        delta = (sequence - self.base - self.next_offset) & 0xFFFFFFFF
        return self.next_offset + (delta - (1 << 32) if delta & 0x80000000 else delta)

    def add_hole(self, start: int, end: int) -> None:
        """Remember bytes not seen; the oldest hole is forgotten when there are too many."""
        if self.holes is not None:
            if len(self.holes) == TRACKED_HOLES:
                del self.holes[0]
            self.holes.append((start, end))

    def fill_holes(self, start: int, end: int) -> int:
        """Take [start, end) out of the holes; returns how many bytes that filled."""
        filled, left = 0, []
        for low, high in self.holes or ():
            cut_low, cut_high = max(low, start), min(high, end)
            if cut_low >= cut_high:
                left.append((low, high))
                continue
            filled += cut_high - cut_low
            left += [piece for piece in ((low, cut_low), (cut_high, high)) if piece[0] < piece[1]]
        if filled:
            self.holes = left[-TRACKED_HOLES:]
        return filled


class Flow:
    """One live flow."""

    __slots__ = (
        "anomalies", "bucket", "carriers", "client", "established", "features", "first_ts_ns", "flow_id", "history",
        "ignored", "ip_version", "key", "last_ts_ns", "outer_vlan_id", "own_idle_ns", "protocol", "record_index",
        "role_evidence", "server", "sides", "slot", "tag", "vlan_id",
    )  # fmt: skip

    def __init__(self, slot: int, flow_id: int, key: bytes, now_ns: int) -> None:
        self.slot, self.flow_id, self.key = slot, flow_id, key
        self.first_ts_ns = self.last_ts_ns = now_ns
        self.client: Endpoint = (0, 0, 0)
        self.server: Endpoint = (0, 0, 0)
        self.ip_version = self.protocol = self.vlan_id = self.outer_vlan_id = self.tag = self.role_evidence = 0
        self.sides = (FlowSide(), FlowSide())
        self.carriers = [0, 0]  # numbers of what the packets of each side came in
        self.history = ""
        self.record_index = 0
        self.established = self.ignored = False
        self.anomalies: set[int] = set()
        self.bucket = 0
        self.features: FlowFeatures | None = None
        self.own_idle_ns = 0  # silence that ends this flow, 0 when the settings say

    def letter(self, side: int, letter: str) -> None:
        """Add to the history: upper case for the client, lower case for the server."""
        if len(self.history) < HISTORY_LETTERS:
            self.history += letter.lower() if side else letter

    def letter_once(self, side: int, letter: str) -> None:
        """Add to the history unless this side has the letter already."""
        if letter not in self.sides[side].letters:
            self.sides[side].letters.add(letter)
            self.letter(side, letter)

    def letter_scaled(self, side: int, letter: str, count: int) -> None:
        """Add to the history the 1st, 10th, 100th ... time."""
        if count in (1, 10, 100, 1000, 10_000, 100_000, 1_000_000):
            self.letter(side, letter)
