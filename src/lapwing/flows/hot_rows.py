# cython: show_performance_hints=False
# mypy: ignore-errors
# ruff: noqa: F403, F405 -- types and numbers of hot_types.pxd
"""Rows of the compiled flow table: flows, and what a call hands out (Cython, pure-Python mode; types in `.pxd`).

A flow is one head, two sides and one tail, in arrays of their own, so that a packet in order touches two cache lines.
Arrays are reserved at full size and take memory as rows are first used, so growth copies nothing.
"""

import cython
import numpy as np
from cython.cimports.lapwing.flows.hot_types import *

from lapwing.flows.hot_features import PacketFeatures
from lapwing.flows.layout import ACTION_DTYPE, ANOMALY_KINDS, CLOSE_REASONS, KEY_DTYPE, RECORD_DTYPE

if not cython.compiled:
    raise ImportError("lapwing.flows.hot_rows runs only compiled; lapwing.flows.plain is its twin")


def _numbered(count, kind, name):
    return [(f"{name}_{number}", kind) for number in range(count)]


_HEAD = [*_numbered(4, "<u8", "address"), ("flow_id", "<i8"), ("last_ts_ns", "<i8"), *_numbered(2, "<u2", "port")]
_HEAD += [("flags", "<u2"), *_numbered(2, "<u2", "short"), *_numbered(6, "u1", "byte")]
_SIDE = [*_numbered(4, "<u8", "bytes"), ("next_offset", "<i8"), *_numbered(5, "<u4", "half"), *_numbered(4, "u1", "b")]
_TAIL = [*_numbered(3, "<i8", "time"), *_numbered(3, "<u8", "history"), *_numbered(9, "<u4", "half")]
_TAIL += [("record_index", "<u2"), *_numbered(2, "<u2", "vlan"), ("history_length", "u1"), ("role_evidence", "u1")]
_HEAD_DTYPE, _SIDE_DTYPE, _TAIL_DTYPE = (np.dtype(fields, align=True) for fields in (_HEAD, _SIDE, _TAIL))


def with_history_words(dtype):
    """RECORD_DTYPE with its 24 letters as three integers, which C code can shift letters into."""
    fields = []
    for name in dtype.names:
        kind, offset = dtype.fields[name][:2]
        if name == "history":
            fields += [(f"history_{number}", "<u8", offset + 8 * number) for number in range(3)]
        else:
            fields.append((name, kind, offset))
    names, formats, offsets = (list(column) for column in zip(*fields, strict=True))
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": dtype.itemsize}, align=True)


def _reserve(count, dtype):
    """Zeroed rows that begin at a cache line."""
    room = np.zeros(count * dtype.itemsize + 64, np.uint8)
    skip = -room.ctypes.data % 64
    return room[skip : skip + count * dtype.itemsize].view(dtype)


class FlowRows(PacketFeatures):
    """Storage of flows, and the output of a call."""

    def __init__(self, settings, *, payloads):
        PacketFeatures.__init__(self, settings, CALL_ROWS + 4)
        self.payloads = payloads
        self._heads = _reserve(settings.max_flows, _HEAD_DTYPE)
        self.heads = self._heads
        self.sides = _reserve(2 * settings.max_flows, _SIDE_DTYPE).reshape(-1, 2)
        self.tails = _reserve(settings.max_flows, _TAIL_DTYPE)
        self.counts = np.zeros(ENDED + len(CLOSE_REASONS), np.uint64)
        self.anomaly_counts = np.zeros(len(ANOMALY_KINDS), np.uint64)
        self._actions = np.zeros(CALL_ROWS + UNIT_ACTIONS, ACTION_DTYPE)
        self._keys = np.zeros(CALL_ROWS + 2, KEY_DTYPE)
        self._records = np.zeros(CALL_ROWS + 4, RECORD_DTYPE)
        self._arena = np.zeros(CALL_ARENA + 6 * settings.ooo_buffer_bytes, np.uint8)
        self.actions_out = self._actions
        self.keys_out = self._keys
        self.records_out = self._records.view(with_history_words(RECORD_DTYPE))
        self.arena_out = self._arena

    @property
    def actions(self):
        """What happened in the last call, in packet order; empty without payloads."""
        return self._actions[: self.action_count]

    @property
    def keys(self):
        """Keys of the flows that opened in the last call."""
        return self._keys[: self.key_count]

    @property
    def records(self):
        """Records of the flows that ended, or were cut by the active timeout, in the last call."""
        return self._records[: self.record_count]

    @property
    def features(self):
        """Features of `records`, row by row; None unless the settings ask for them."""
        return self._feature_rows(self.record_count) if self.measures_packets else None

    @property
    def arena(self):
        """Bytes of segments whose source is ARENA."""
        return memoryview(self._arena)[: self.arena_used]

    def _clear(self):
        self.action_count = self.key_count = self.record_count = self.arena_used = 0
        return 0

    def _full(self):
        if self.action_count >= CALL_ROWS or self.record_count >= CALL_ROWS:
            return True
        return self.key_count >= CALL_ROWS or self.arena_used >= CALL_ARENA

    def _act(self, kind, slot, side, aux, offset, length, source):
        """Add an action row."""
        if not self.payloads:
            return 0
        row: cython.pointer[Action] = cython.address(self.actions_out[self.action_count])
        row.ts_ns = self.clock_ns
        row.aux = aux
        row.slot = slot
        row.offset = offset
        row.length = length
        row.kind = kind
        row.side = side
        row.source = source
        row.flags = kind == DO_SEGMENT and not self.sides[slot, side].flags & SYN_BASE
        self.action_count += 1
        return 0

    def _anomaly(self, kind, slot, side, count):
        """Count an anomaly; report the first of its kind on this flow."""
        self.anomaly_counts[kind] += 1
        bit: cython.int = FIRST_ANOMALY << kind
        if not self.heads[slot].flags & bit:
            self.heads[slot].flags |= bit
            self._act(DO_ANOMALY, slot, side, kind, 0, count, CHUNK)
        return 0

    def _letter(self, slot, side, letter):
        """Add to the history: upper case for the client, lower case for the server."""
        tail: cython.pointer[Tail] = cython.address(self.tails[slot])
        if tail.history_length >= HISTORY_LETTERS:
            return 0
        bits: u64 = letter + (32 if side else 0)
        shift: cython.int = 8 * (tail.history_length & 7)
        if tail.history_length < 8:
            tail.history_0 |= bits << shift
        elif tail.history_length < 16:
            tail.history_1 |= bits << shift
        else:
            tail.history_2 |= bits << shift
        tail.history_length += 1
        return 0

    def _letter_once(self, head, slot, side, bit, letter):
        """Add to the history unless this side has the letter already."""
        if side:
            if not head.server_letters & bit:
                head.server_letters |= bit
                self._letter(slot, side, letter)
        elif not head.client_letters & bit:
            head.client_letters |= bit
            self._letter(slot, side, letter)
        return 0

    def _letter_scaled(self, slot, side, letter, count):
        """Add to the history the 1st, 10th, 100th ... time."""
        if count == 1 or count == 10 or count == 100 or count == 1000 or count == 10_000:
            self._letter(slot, side, letter)
        elif count == 100_000 or count == 1_000_000:
            self._letter(slot, side, letter)
        return 0

    def _write_key(self, slot):
        head: cython.pointer[Head] = cython.address(self.heads[slot])
        row: cython.pointer[Key] = cython.address(self.keys_out[self.key_count])
        row.flow_id = head.flow_id
        row.first_ts_ns = self.tails[slot].first_ts_ns
        row.client_hi = head.client_hi
        row.client_lo = head.client_lo
        row.server_hi = head.server_hi
        row.server_lo = head.server_lo
        row.client_port = head.client_port
        row.server_port = head.server_port
        row.vlan_id = self.tails[slot].vlan_id
        row.tag = head.tag
        row.ip_version = head.ip_version
        row.ip_protocol = head.protocol
        row.role_evidence = self.tails[slot].role_evidence
        row.outer_vlan_id = self.tails[slot].outer_vlan_id
        row.client_carrier = self.tails[slot].client_carrier
        row.server_carrier = self.tails[slot].server_carrier
        self._act(DO_OPENED, slot, 0, self.key_count, 0, 0, CHUNK)
        self.key_count += 1
        return 0

    def _write_record(self, slot, reason):
        head: cython.pointer[Head] = cython.address(self.heads[slot])
        tail: cython.pointer[Tail] = cython.address(self.tails[slot])
        client: cython.pointer[Side] = cython.address(self.sides[slot, 0])
        server: cython.pointer[Side] = cython.address(self.sides[slot, 1])
        row: cython.pointer[Record] = cython.address(self.records_out[self.record_count])
        row.flow_id = head.flow_id
        row.first_ts_ns = tail.first_ts_ns
        row.client_hi = head.client_hi
        row.client_lo = head.client_lo
        row.server_hi = head.server_hi
        row.server_lo = head.server_lo
        row.client_port = head.client_port
        row.server_port = head.server_port
        row.vlan_id = tail.vlan_id
        row.tag = head.tag
        row.ip_version = head.ip_version
        row.ip_protocol = head.protocol
        row.role_evidence = tail.role_evidence
        row.outer_vlan_id = tail.outer_vlan_id
        row.client_carrier = tail.client_carrier
        row.server_carrier = tail.server_carrier
        row.close_reason = reason
        row.conn_state = _conn_state(head, client.next_offset == 0 and server.next_offset == 0)
        row.record_index = tail.record_index
        row.last_ts_ns = max(head.last_ts_ns, tail.first_ts_ns)
        row.history_0 = tail.history_0
        row.history_1 = tail.history_1
        row.history_2 = tail.history_2
        row.client_packet_count = client.packet_count
        row.server_packet_count = server.packet_count
        row.client_wire_bytes = client.wire_bytes
        row.server_wire_bytes = server.wire_bytes
        row.client_ip_bytes = client.ip_bytes
        row.server_ip_bytes = server.ip_bytes
        row.client_payload_bytes = client.payload_bytes
        row.server_payload_bytes = server.payload_bytes
        is_tcp: cython.bint = head.protocol == TCP
        row.client_stream_bytes = client.next_offset - tail.client_cut if is_tcp else client.payload_bytes
        row.server_stream_bytes = server.next_offset - tail.server_cut if is_tcp else server.payload_bytes
        row.client_missed_bytes = client.missed_bytes
        row.server_missed_bytes = server.missed_bytes
        row.client_retransmit_count = client.retransmit_count
        row.server_retransmit_count = server.retransmit_count
        row.client_out_of_order_count = client.out_of_order_count
        row.server_out_of_order_count = server.out_of_order_count
        row.client_tcp_flags = client.tcp_flags
        row.server_tcp_flags = server.tcp_flags
        if self.measures_packets:
            self._write_features(slot, self.record_count)
        self._act(DO_CLOSED, slot, 0, self.record_count, 0, cython.cast(u32, reason), CHUNK)
        self.record_count += 1
        return 0

    def _clear_rows(self, slot):
        """A slot used before is as good as new."""
        tail: cython.pointer[Tail] = cython.address(self.tails[slot])
        tail.client_wait = tail.server_wait = tail.client_holes = tail.server_holes = 0
        k: cython.int
        for k in range(2):
            side: cython.pointer[Side] = cython.address(self.sides[slot, k])
            side.next_offset = 0
            side.base = side.ack = 0
            side.flags = 0
        self._start_record(slot)
        tail.record_index = 0
        return 0

    def _start_record(self, slot):
        """Begin counting anew after the active timeout."""
        head: cython.pointer[Head] = cython.address(self.heads[slot])
        tail: cython.pointer[Tail] = cython.address(self.tails[slot])
        head.client_letters = head.server_letters = 0
        tail.record_index += 1
        tail.first_ts_ns = self.clock_ns
        tail.history_0 = tail.history_1 = tail.history_2 = 0
        tail.history_length = 0
        tail.client_cut = self.sides[slot, 0].next_offset
        tail.server_cut = self.sides[slot, 1].next_offset
        k: cython.int
        for k in range(2):
            side: cython.pointer[Side] = cython.address(self.sides[slot, k])
            side.wire_bytes = side.ip_bytes = side.payload_bytes = side.missed_bytes = 0
            side.packet_count = side.retransmit_count = side.out_of_order_count = 0
            side.tcp_flags = side.zero_window_count = side.gap_count = 0
        if self.measures_packets:
            self._forget_features(slot)
        return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _conn_state(head: cython.pointer[Head], silent: cython.bint) -> cython.int:
    """The decision of `rules.conn_state`."""
    client: cython.int = head.client_state
    server: cython.int = head.server_state
    if head.protocol == UDP:
        if client:
            return SF if server else S0
        return SHR if server else OTH
    if head.protocol != TCP:
        return OTH
    if server == RESET:
        if client == SYN_SENT or client == SYN_ACK_SENT or (client == RESET and silent):
            return REJ
        return RSTRH if client <= PARTIAL else RSTR
    if client == RESET:
        return RSTOS0 if server <= PARTIAL else RSTO
    if client == CLOSED:
        if server == CLOSED:
            return SF
        return SH if server <= PARTIAL else S2
    if server == CLOSED:
        return SHR if client <= PARTIAL else S3
    if client == SYN_SENT and server == INACTIVE:
        return S0
    return S1 if client == ESTABLISHED and server == ESTABLISHED else OTH
