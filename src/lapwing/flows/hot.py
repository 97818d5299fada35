# cython: show_performance_hints=False
# mypy: ignore-errors
# ruff: noqa: F403, F405 -- types and numbers of hot_types.pxd
"""The flow table, compiled (Cython, pure-Python mode; types in `.pxd`). `plain.py` defines what it does.

What runs for every packet is here, and what its callers ask for; how flows begin and end is in `hot_lives`.
How it keeps a packet cheap: keys of a block of packets are hashed first and the rows they will need are prefetched.
"""

import cython
import numpy as np
from cython.cimports.lapwing.flows.hot_types import *

from lapwing.flows.features import joined
from lapwing.flows.hot_lives import FlowLives
from lapwing.flows.hot_rows import with_history_words
from lapwing.flows.layout import ANOMALY_KINDS, CLOSE_REASONS, RECORD_DTYPE
from lapwing.wire.layout import Status

if not cython.compiled:
    raise ImportError("lapwing.flows.hot runs only compiled; lapwing.flows.plain is its twin")

MAX_VIEWS = cython.declare(cython.Py_ssize_t, 16)  # arrays of rows known by their layout; a source uses up to six
FRAGMENT = cython.declare(cython.int, int(Status.FRAGMENT))
BLOCK = cython.declare(cython.Py_ssize_t, 64)  # packets hashed ahead; more prefetches would push each other out
MAX_CLOCK_NS = cython.declare(cython.longlong, 1 << 62)


class FlowTable(FlowLives):
    """Packets in, rows out. See `lapwing.flows` for the contract."""

    def __init__(self, settings, hash_key, *, payloads=True, idle=None):
        settings.validate()
        if len(hash_key) != 16:
            raise ValueError("hash_key must have 16 bytes")
        FlowLives.__init__(self, settings, payloads=payloads, idle=idle)
        self.hash_0 = int.from_bytes(hash_key[:8], "little")
        self.hash_1 = int.from_bytes(hash_key[8:], "little")
        self.hashes = np.zeros(BLOCK, np.uint32)
        self._views = {}

    def process(self, buffer, packets, start: cython.Py_ssize_t, count: cython.Py_ssize_t):
        """Take packet rows [start, count); returns the row to go on with, `count` when all were taken."""
        self._clear()
        self.finishing = False
        self.data = buffer
        self._take_rows(packets)
        row: cython.Py_ssize_t = start
        try:
            while row < count:
                try:
                    with cython.nogil:
                        row = self._run(row, count)
                    break
                except IndexError:  # a bound this file should have checked: a bug of ours, not an outage
                    self.counts[FAULTS] += 1
                    row = self.cursor + 1
        finally:
            self.data = self.no_data
        return row

    def _take_rows(self, packets):
        """Rows come in the same few arrays again and again; checking the layout of one costs as much as many rows."""
        if packets is self._packets:
            return 0
        known = self._views.get(id(packets))
        if known is None:
            self.packets = packets
            if len(self._views) == MAX_VIEWS:
                self._views.clear()
            self._views[id(packets)] = (packets, self.packets)
        else:
            self.packets = known[1]
        self._packets = packets
        return 0

    def survey(self, packets, count: cython.Py_ssize_t):
        """The latest time in the first `count` packet rows, at least one, and whether any is a fragment."""
        self._take_rows(packets)
        latest: i64 = self.packets[0].ts_ns
        fragments: cython.bint = False
        row: cython.Py_ssize_t
        for row in range(count):
            packet: cython.pointer[cython.const[Packet]] = cython.address(self.packets[row])
            if packet.ts_ns > latest:
                latest = packet.ts_ns
            fragments |= packet.status == FRAGMENT
        return latest, fragments

    def ignore(self, slot: cython.Py_ssize_t, flow_id: i64):
        """Nobody parses this flow any more: from the next call on it has no payload actions."""
        if slot < 0 or slot >= self.max_flows:
            return
        if self.heads[slot].flags & LIVE and self.heads[slot].flow_id == flow_id:
            self.heads[slot].flags |= IGNORED
            self._drop_wait(slot, 0)
            self._drop_wait(slot, 1)

    def advance(self, now_ns: i64):
        """Let time pass without packets; True while more output waits."""
        self._clear()
        self._set_clock(now_ns)
        return bool(self._expire())

    def end_flow(self, flow_id: i64):
        """End this flow now, for the reason `forced`; False when there is none. Its rows are those of this call.

        A packet that still comes opens another one.
        """
        self._clear()
        self.finishing = False
        heads = self._heads[: self.fresh_slot]
        found = np.flatnonzero((heads["flow_id"] == flow_id) & (heads["flags"] & LIVE != 0))
        if len(found):
            self._close(found[0], BY_FORCE)
        return len(found) > 0

    def snapshot(self, start: cython.Py_ssize_t = 0):
        """See `plain.FlowTable.snapshot`."""
        held_rows = self.records_out
        held_count: cython.Py_ssize_t = self.record_count
        payloads: cython.bint = self.payloads
        held_features = self._exchange(None)
        rows = np.zeros(CALL_ROWS + 4, RECORD_DTYPE)
        slot: cython.Py_ssize_t = start
        reason: cython.int
        self.records_out = rows.view(with_history_words(RECORD_DTYPE))
        self.record_count = 0
        self.payloads = False
        try:
            while slot < self.fresh_slot and self.record_count < CALL_ROWS:
                if self.heads[slot].flags & LIVE:
                    reason = close_reason(cython.address(self.heads[slot]))
                    self._write_record(slot, BY_ACTIVE if reason == BY_IDLE else reason)
                slot += 1
            found = rows[: self.record_count]
            if self.measures_packets:
                found = joined(found, self._feature_rows(self.record_count))
            return found, slot if slot < self.fresh_slot else -1
        finally:
            self.records_out = held_rows
            self.record_count = held_count
            self.payloads = payloads
            self._exchange(held_features)

    def finish(self):
        """End every flow, oldest first; True while more output waits. Afterwards packets of any time may follow."""
        self._clear()
        if not self.finishing:
            self._line_up_all()
            self.finishing = True
        while self.last_at < len(self.last_slots):
            if self._full():
                return True
            slot: u32 = self.last_slots[self.last_at]
            self.last_at += 1
            reason: cython.int = close_reason(cython.address(self.heads[slot]))
            self._close(slot, BY_FLUSH if reason == BY_IDLE else reason)
        self.finishing = False
        self.last_slots = np.zeros(0, np.uint32)
        self.clock_ns = 0
        self.tick = -1
        return False

    def statistics(self):
        """Counters since the start, and how much is held now. created = ended + active."""
        counts = np.asarray(self.counts).tolist()
        ended = dict(zip(CLOSE_REASONS, counts[ENDED:], strict=True))
        ended.pop("active")
        named = {"packets": self.packet_count, "clock_regressions": self.regression_count}
        named |= {"flows_created": counts[CREATED], "flows_ended": sum(ended.values())}
        named |= {"carriers": len(self.carriers), "carriers_shared": self.carriers.shared_count}
        named |= {"flows_active_cuts": counts[CUTS], "faults": counts[FAULTS], "idle_faults": self.idle_faults}
        named |= {f"packets_unmatched_{kind.name.lower()}": counts[kind] for kind in Status if kind is not Status.OK}
        named |= {f"flows_ended_{reason}": count for reason, count in ended.items()}
        seen = zip(ANOMALY_KINDS, np.asarray(self.anomaly_counts).tolist(), strict=True)
        named |= {f"anomalies_{kind}": count for kind, count in sorted(seen) if count}
        held = {"flows_active": self.active, "reassembly_pages": self.page_count}
        return named | held | {"reassembly_sides": self.wait_count}

    def _run(self, start, count):
        """Packets [start, count) in blocks: hash, look ahead, then take them. Returns where it stopped."""
        at: cython.Py_ssize_t = start
        while at < count:
            ahead: cython.Py_ssize_t = min(count - at, BLOCK)
            k: cython.Py_ssize_t
            for k in range(ahead):
                packet: cython.pointer[cython.const[Packet]] = cython.address(self.packets[at + k])
                if packet.status == 0:
                    self.hashes[k] = self._hash(packet)
                    lapwing_prefetch(cython.address(self.index[self.hashes[k] & self.index_mask]))
            for k in range(ahead):
                self._prefetch(self.hashes[k])
            for k in range(ahead):
                self.cursor = at + k
                if not self._step(cython.address(self.packets[at + k]), self.hashes[k]):
                    return at + k
            at += ahead
        return count

    def _prefetch(self, hashed):
        """Ask for the rows of the flow that has this hash, if there is one."""
        at: u64 = hashed & self.index_mask
        entry: u64 = self.index[at]
        while entry:
            if entry >> 32 == hashed:
                slot: u32 = cython.cast(u32, entry) - 1
                lapwing_prefetch(cython.address(self.heads[slot]))
                lapwing_prefetch(cython.address(self.sides[slot, 0]))
                lapwing_prefetch(cython.address(self.sides[slot, 1]))
                return 0
            at = (at + 1) & self.index_mask
            entry = self.index[at]
        return 0

    def _set_clock(self, now_ns):
        """Move the clock on; notes how far `now_ns` lies before it."""
        self.behind_ns = 0
        if now_ns > self.clock_ns:
            self.clock_ns = min(now_ns, MAX_CLOCK_NS)
        elif now_ns < self.clock_ns:
            # The floor keeps the difference of a hostile timestamp from overflowing.
            self.behind_ns = self.clock_ns - max(now_ns, 1 - MAX_CLOCK_NS)
        if self.tick < 0:
            self.tick = self.clock_ns // self.sweep_ns
            self.next_sweep_ns = (self.tick + 1) * self.sweep_ns
        return 0

    def _step(self, packet, hashed):
        """Take one packet; 0 when the output is full and it must be offered again."""
        self._set_clock(packet.ts_ns)
        if self.wait_count or self.clock_ns >= self.next_sweep_ns:
            if self._expire():
                return 0
        if self.action_count >= CALL_ROWS or self.record_count >= CALL_ROWS or self.key_count >= CALL_ROWS:
            return 0
        if self.arena_used >= CALL_ARENA:
            return 0
        if packet.status != 0:
            self.packet_count += 1
            self.regression_count += self.behind_ns > 0
            self.counts[packet.status & 15] += 1
            return 1
        source_port: u16 = packet.src_port
        target_port: u16 = packet.dst_port
        two_way: cython.bint = True
        if packet.protocol == ICMP or packet.protocol == ICMP6:
            answer: cython.short = self.pairs[packet.protocol == ICMP6, packet.icmp_type]
            two_way = answer >= 0
            source_port = packet.icmp_type
            target_port = answer if two_way else packet.icmp_code
        found: cython.Py_ssize_t = self._find(packet, hashed, source_port, target_port, two_way)
        slot: u32 = 0
        side: cython.int = 0
        head: cython.pointer[Head]
        if found >= 0:
            slot = cython.cast(u32, found)
            head = cython.address(self.heads[slot])
            side = not (
                packet.src_lo == head.client_lo and packet.src_hi == head.client_hi and source_port == head.client_port
            )
            reason: cython.int = self._why_over(head, slot, side, packet)
            if reason >= 0:
                self._close(slot, reason)
                found = -1
        if found < 0:
            slot = cython.cast(u32, self._open(packet, hashed, source_port, target_port))
            head = cython.address(self.heads[slot])
            side = not (
                packet.src_lo == head.client_lo and packet.src_hi == head.client_hi and source_port == head.client_port
            )
        head = cython.address(self.heads[slot])
        self.packet_count += 1
        self.regression_count += self.behind_ns > 0
        if self.behind_ns > CLOCK_TOLERANCE_NS:
            self._anomaly(CLOCK_REGRESSION, slot, side, 1)
        this: cython.pointer[Side] = cython.address(self.sides[slot, side])
        this.packet_count += 1
        this.wire_bytes += packet.wire_bytes
        this.ip_bytes += packet.ip_bytes
        this.payload_bytes += packet.payload_bytes
        head.last_ts_ns = self.clock_ns
        if packet.tunnel_depth:
            self._note_carrier(slot, side, packet, False)
        if self.measures_packets:
            self._measure(slot, side, packet)
        if packet.protocol == TCP:
            this.tcp_flags |= packet.tcp_flags
            was_open: cython.bint = close_reason(head) == BY_IDLE
            self._track_tcp(head, slot, side, packet)
            if was_open and close_reason(head) != BY_IDLE:
                self._leave_wheel(slot)
                self._enter_wheel(slot)
            return 1
        if side:
            head.server_state = PARTIAL
        else:
            head.client_state = PARTIAL
        if packet.protocol == UDP and packet.payload_bytes:
            self._letter_once(head, slot, side, LETTER_D, ord("D"))
            captured: u32 = min(packet.payload_captured, packet.payload_bytes)
            if captured and not head.flags & IGNORED:
                self._act(DO_DATAGRAM, slot, side, 0, packet.payload_off, captured, CHUNK)
        elif self.payloads and (packet.protocol == ICMP or packet.protocol == ICMP6) and not head.flags & IGNORED:
            self._icmp_error(slot, side, packet)
        return 1

    def _icmp_error(self, slot, side, packet):
        """Hand out a message that quotes another packet, from its own header on, with the flow it is about."""
        kind: u8 = packet.icmp_type
        is_error: cython.bint = 1 <= kind <= 4
        if packet.protocol == ICMP:
            is_error = kind == 3 or kind == 4 or kind == 5 or kind == 11 or kind == 12
        if is_error and packet.payload_off >= 8:
            self._look_up_quoted(packet)
            self._act(
                DO_ICMP_ERROR,
                slot,
                side,
                self.quoted_flow_id,
                packet.payload_off - 8,
                packet.payload_captured + 8,
                CHUNK,
            )
        return 0

    def _look_up_quoted(self, packet):
        """Set `quoted_flow_id`: of the flow whose packet is quoted, or 0; see `plain.quoted_packet`."""
        self.quoted_flow_id = 0
        if not self._read_quoted(packet):
            return 0
        quoted: cython.pointer[Packet] = cython.address(self.quote[0])
        hashed: u32 = self._hash(quoted)
        found: cython.Py_ssize_t = self._find(quoted, hashed, quoted.src_port, quoted.dst_port, self.quoted_two_way)
        if found >= 0:
            self.quoted_flow_id = self.heads[found].flow_id
        return 0

    def _why_over(self, head, slot, side, packet):
        """Reason to end the flow before this packet opens another one, -1 when the packet belongs to it."""
        reason: cython.int = close_reason(head)
        silence_ns: i64 = self.clock_ns - head.last_ts_ns
        if silence_ns >= self.shortest_ns and silence_ns >= self._timeout_of(head, slot):
            return reason
        if packet.protocol != TCP or packet.tcp_flags & (SYN | ACK | RST | FIN) != SYN:
            return -1
        if not self._is_new_connection(head, slot, side, packet, reason != BY_IDLE):
            return -1
        return reason if reason != BY_IDLE else BY_SUPERSEDE

    def _hash(self, packet):
        """SipHash-1-3 of the canonical key, 32 bits of it. The smaller endpoint comes first, without a branch."""
        source_port: u64 = packet.src_port
        target_port: u64 = packet.dst_port
        two_way: cython.bint = True
        if packet.protocol == ICMP or packet.protocol == ICMP6:
            answer: cython.short = self.pairs[packet.protocol == ICMP6, packet.icmp_type]
            two_way = answer >= 0
            source_port = packet.icmp_type
            target_port = answer if two_way else packet.icmp_code
        transport: u64 = cython.cast(u64, packet.protocol) << 48
        tag: u64 = packet.tag
        if packet.ip_version == 4:
            source: u64 = packet.src_lo << 16 | source_port
            target: u64 = packet.dst_lo << 16 | target_port
            first: u64 = min(source, target) if two_way else source
            second: u64 = max(source, target) if two_way else target
            return _sip(self.hash_0, self.hash_1, first ^ transport, second ^ tag << 48, 0, 0, 0, 2)
        transport |= tag << 32
        swap: cython.bint = packet.dst_lo < packet.src_lo
        if packet.src_hi != packet.dst_hi:
            swap = packet.dst_hi < packet.src_hi
        elif packet.src_lo == packet.dst_lo:
            swap = target_port < source_port
        if swap and two_way:
            transport |= target_port << 16 | source_port
            return _sip(
                self.hash_0, self.hash_1, transport, packet.dst_hi, packet.dst_lo, packet.src_hi, packet.src_lo, 5
            )
        transport |= source_port << 16 | target_port
        return _sip(self.hash_0, self.hash_1, transport, packet.src_hi, packet.src_lo, packet.dst_hi, packet.dst_lo, 5)

    def _find(self, packet, hashed, source_port, target_port, two_way):
        """Slot of the flow this packet belongs to, -1 when there is none."""
        at: u64 = hashed & self.index_mask
        entry: u64 = self.index[at]
        while entry:
            if entry >> 32 == hashed:
                slot: u32 = cython.cast(u32, entry) - 1
                head: cython.pointer[Head] = cython.address(self.heads[slot])
                if head.protocol == packet.protocol and head.ip_version == packet.ip_version and head.tag == packet.tag:
                    if (
                        packet.src_lo == head.client_lo and packet.dst_lo == head.server_lo
                        and source_port == head.client_port and target_port == head.server_port
                        and packet.src_hi == head.client_hi and packet.dst_hi == head.server_hi
                    ):  # fmt: skip
                        return slot
                    if (
                        two_way and packet.src_lo == head.server_lo and packet.dst_lo == head.client_lo
                        and source_port == head.server_port and target_port == head.client_port
                        and packet.src_hi == head.server_hi and packet.dst_hi == head.client_hi
                    ):  # fmt: skip
                        return slot
            self.step_count += 1
            at = (at + 1) & self.index_mask
            entry = self.index[at]
        return -1


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(0xFFFFFFFF)
def _sip(
    key_0: u64, key_1: u64, word_0: u64, word_1: u64, word_2: u64, word_3: u64, word_4: u64, count: cython.int
) -> u32:
    """SipHash-1-3 of the first `count` words; a constant count lets the compiler unroll everything."""
    v0: u64 = key_0 ^ cython.cast(u64, 0x736F6D6570736575)
    v1: u64 = key_1 ^ cython.cast(u64, 0x646F72616E646F6D)
    v2: u64 = key_0 ^ cython.cast(u64, 0x6C7967656E657261)
    v3: u64 = key_1 ^ cython.cast(u64, 0x7465646279746573)
    word: u64 = 0
    k: cython.int
    for k in range(count + 4):
        if k < count:
            word = word_0 if k == 0 else word_1 if k == 1 else word_2 if k == 2 else word_3 if k == 3 else word_4
        elif k == count:
            word = cython.cast(u64, count * 8) << 56
        if k <= count:
            v3 ^= word
        elif k == count + 1:
            v2 ^= 0xFF
        v0 += v1
        v1 = (v1 << 13 | v1 >> 51) ^ v0
        v0 = v0 << 32 | v0 >> 32
        v2 += v3
        v3 = (v3 << 16 | v3 >> 48) ^ v2
        v0 += v3
        v3 = (v3 << 21 | v3 >> 43) ^ v0
        v2 += v1
        v1 = (v1 << 17 | v1 >> 47) ^ v2
        v2 = v2 << 32 | v2 >> 32
        if k <= count:
            v0 ^= word
    word = v0 ^ v1 ^ v2 ^ v3
    return cython.cast(u32, word ^ word >> 32)
