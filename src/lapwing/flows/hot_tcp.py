# cython: show_performance_hints=False
# mypy: ignore-errors
# ruff: noqa: F403, F405 -- types and numbers of hot_types.pxd
"""TCP on one flow, compiled (types in `.pxd`). `plain_tcp.py` defines what it does."""

import cython
import numpy as np
from cython.cimports.lapwing.flows.hot_types import *

from lapwing.flows.hot_waiting import WaitingBytes

if not cython.compiled:
    raise ImportError("lapwing.flows.hot_tcp runs only compiled; lapwing.flows.plain is its twin")


class TcpFlows(WaitingBytes):
    """States, history letters and sequence accounting; bytes go on to reassembly."""

    def __init__(self, settings, *, payloads):
        WaitingBytes.__init__(self, settings, payloads=payloads)
        self.max_ahead = settings.max_ahead_bytes
        self.holes = np.zeros((MAX_HOLE_LISTS + 1, 2 + 2 * TRACKED_HOLES), np.int64)
        self.free_holes = np.zeros(MAX_HOLE_LISTS + 1, np.uint32)

    def _track_tcp(self, head, slot, side, packet):
        """Take one packet of `side`."""
        flags: cython.int = packet.tcp_flags
        if flags & RST:
            return self._reset(head, slot, side, packet)
        this: cython.pointer[Side] = cython.address(self.sides[slot, side])
        is_syn: u32 = (flags & SYN) != 0
        state: cython.int = head.server_state if side else head.client_state
        if not this.flags & HAS_BASE or (is_syn and state == SYN_SENT and this.next_offset == 0):
            this.base = packet.tcp_seq + is_syn
            this.flags = (this.flags & ~SYN_BASE) | HAS_BASE | (SYN_BASE if is_syn else 0)
        if packet.tcp_window == 0 and this.zero_window_count < MAX_LETTER_COUNT:
            this.zero_window_count += 1
            self._letter_scaled(slot, side, ord("W"), this.zero_window_count)
        length: u32 = packet.payload_bytes
        start: i64 = self._offset_of(this, packet.tcp_seq + is_syn)
        carries: cython.bint = length != 0 or (flags & FIN) != 0
        if start > this.next_offset + 1 and not this.flags & HAS_FIN:
            carries = True  # even without bytes it shows that some passed us by; one beyond may be a FIN we missed
        # Most segments follow the last one on a flow that is established: they take the short way round every decision.
        end: i64 = start + length
        near: cython.bint = end <= this.next_offset + self.max_ahead and not this.flags & HAS_FIN
        if carries and not near and end > this.next_offset and not self._fits(slot, side, end):
            self._anomaly(OUT_OF_WINDOW, slot, side, 1)
            flags &= ~FIN
            carries = False
        letters: cython.int = head.server_letters if side else head.client_letters
        plain: cython.bint = flags & (SYN | FIN | ACK) == ACK
        if not plain or not letters & (LETTER_D if length else LETTER_A):
            self._note_flags(head, slot, side, flags, length != 0)
        if not plain or state == INACTIVE:
            self._next_states(head, side, flags)
        if flags & ACK:
            this.ack = packet.tcp_ack
            this.flags |= HAS_ACK
            if not head.flags & IS_ESTABLISHED or head.flags & (EXTRA << (1 - side)):
                self._acknowledge(head, slot, side, packet)
        if carries:
            self._account(head, slot, side, packet, start)
        return 0

    def _reset(self, head, slot, side, packet):
        this: cython.pointer[Side] = cython.address(self.sides[slot, side])
        other: cython.pointer[Side] = cython.address(self.sides[slot, 1 - side])
        ahead: i64 = 0
        if this.flags & HAS_BASE:
            ahead = self._offset_of(this, packet.tcp_seq) - this.next_offset
        elif packet.tcp_flags & ACK and other.flags & HAS_BASE:
            ahead = self._offset_of(other, packet.tcp_ack) - other.next_offset
        if ahead < -RST_BEHIND or ahead > self.max_ahead:
            return self._anomaly(OUT_OF_WINDOW, slot, side, 1)
        self._note_flags(head, slot, side, packet.tcp_flags, False)
        return self._next_states(head, side, packet.tcp_flags)

    def _fits(self, slot, side, end):
        """Whether bytes up to `end`, beyond what was sent, belong to the stream."""
        this: cython.pointer[Side] = cython.address(self.sides[slot, side])
        if this.flags & HAS_FIN:
            return False
        anchor: i64 = this.next_offset
        other: cython.pointer[Side] = cython.address(self.sides[slot, 1 - side])
        if end > anchor + self.max_ahead and other.flags & HAS_ACK:
            anchor = max(anchor, self._offset_of(this, other.ack))
        return end <= anchor + self.max_ahead

    def _note_flags(self, head, slot, side, flags, has_payload):
        if flags & (SYN | FIN | RST):
            if flags & SYN and flags & (FIN | RST):
                self._letter_once(head, slot, side, LETTER_Q, ord("Q"))
            elif flags & FIN and flags & RST:
                self._letter_once(head, slot, side, LETTER_I, ord("I"))
            elif flags & SYN and flags & ACK:
                self._letter_once(head, slot, side, LETTER_H, ord("H"))
            elif flags & SYN:
                self._letter_once(head, slot, side, LETTER_S, ord("S"))
        if has_payload:
            self._letter_once(head, slot, side, LETTER_D, ord("D"))
        elif flags & (SYN | FIN | RST | ACK) == ACK:
            self._letter_once(head, slot, side, LETTER_A, ord("A"))
        if flags & FIN and not flags & (SYN | RST):
            self._letter_once(head, slot, side, LETTER_F, ord("F"))
        elif flags & RST and not flags & (SYN | FIN):
            self._letter_once(head, slot, side, LETTER_R, ord("R"))
        return 0

    def _next_states(self, head, side, flags):
        """The decision of `rules.next_states`."""
        sender: cython.int = head.server_state if side else head.client_state
        other: cython.int = head.client_state if side else head.server_state
        if flags & RST:
            if not (sender == CLOSED and other == CLOSED):
                sender = RESET
        elif sender >= CLOSED:
            return 0
        elif flags & SYN:
            answers: cython.bint = other == SYN_ACK_SENT
            if flags & ACK:
                answers = other == SYN_SENT or other == ESTABLISHED
            if answers and sender != PARTIAL:
                sender = ESTABLISHED
                other = max(other, ESTABLISHED)
            elif sender == INACTIVE:
                sender = SYN_ACK_SENT if flags & ACK else SYN_SENT
        elif flags & FIN:
            sender = CLOSED
        elif sender == INACTIVE:
            if other == SYN_ACK_SENT:
                sender = other = ESTABLISHED
            else:
                sender = PARTIAL
        head.client_state = other if side else sender
        head.server_state = sender if side else other
        return 0

    def _acknowledge(self, head, slot, side, packet):
        """What an acknowledgement says beyond its number: the handshake ended, a hole of the other side arrived."""
        if side == 0 and not head.flags & IS_ESTABLISHED and head.server_letters & LETTER_H:
            if not packet.tcp_flags & SYN:
                head.flags |= IS_ESTABLISHED
                started: i64 = self.tails[slot].first_ts_ns
                round_trip: i64 = self.clock_ns - started if head.client_letters & LETTER_S else 0
                self._act(DO_ESTABLISHED, slot, 0, round_trip, 0, 0, CHUNK)
        if not head.flags & (EXTRA << (1 - side)):
            return 0
        acked: i64 = self._offset_of(cython.address(self.sides[slot, 1 - side]), packet.tcp_ack)
        list_: u32 = self.tails[slot].client_holes if side else self.tails[slot].server_holes
        if list_:
            self._count_gaps(slot, 1 - side, list_, acked)
        return self._acknowledged(slot, 1 - side, acked)

    def _count_gaps(self, slot, side, list_, acked):
        """Holes the receiver has passed are gaps of ours; each is counted once."""
        other: cython.pointer[Side] = cython.address(self.sides[slot, side])
        k: i64
        for k in range(self.holes[list_, 0]):
            low: i64 = self.holes[list_, 2 + 2 * k]
            high: i64 = self.holes[list_, 3 + 2 * k]
            if self.holes[list_, 1] <= low and high <= acked and other.gap_count < MAX_LETTER_COUNT:
                other.gap_count += 1
                self.holes[list_, 1] = high
                self._letter_scaled(slot, side, ord("G"), other.gap_count)
        return 0

    def _account(self, head, slot, side, packet, start):
        this: cython.pointer[Side] = cython.address(self.sides[slot, side])
        end: i64 = start + packet.payload_bytes
        sent: i64 = this.next_offset
        if start > sent:
            this.missed_bytes += start - sent
            self._add_hole(slot, side, sent, start)
        elif start < sent and packet.payload_bytes:
            list_: u32 = self.tails[slot].server_holes if side else self.tails[slot].client_holes
            filled: i64 = self._fill_holes(list_, start, min(end, sent)) if list_ else 0
            if filled:
                this.missed_bytes -= min(cython.cast(u64, filled), this.missed_bytes)
                this.out_of_order_count += 1
            elif end <= sent:
                this.retransmit_count += 1
            if filled or end <= sent:
                self._letter_scaled(slot, side, ord("T"), this.out_of_order_count + this.retransmit_count)
        if packet.tcp_flags & FIN:
            this.flags |= HAS_FIN
        this.next_offset = max(sent, end)
        if self.payloads and not head.flags & IGNORED:
            captured: u32 = min(packet.payload_captured, packet.payload_bytes)
            self._segment(slot, side, start, end, sent, captured, packet.payload_off)
        return 0

    def _add_hole(self, slot, side, start, end):
        """Remember bytes not seen; the oldest hole is forgotten when there are too many."""
        tail: cython.pointer[Tail] = cython.address(self.tails[slot])
        list_: u32 = tail.server_holes if side else tail.client_holes
        if not list_:
            if self.hole_count >= MAX_HOLE_LISTS:
                return 0
            self.hole_count += 1
            if self.free_hole_count:
                self.free_hole_count -= 1
                list_ = self.free_holes[self.free_hole_count]
            else:
                self.fresh_hole += 1
                list_ = self.fresh_hole
            self.holes[list_, 0] = self.holes[list_, 1] = 0
            if side:
                tail.server_holes = list_
            else:
                tail.client_holes = list_
            self.heads[slot].flags |= EXTRA << side
        count: i64 = self.holes[list_, 0]
        k: i64
        if count == TRACKED_HOLES:
            for k in range(2, 2 * TRACKED_HOLES):
                self.holes[list_, k] = self.holes[list_, k + 2]
            count -= 1
        self.holes[list_, 2 + 2 * count] = start
        self.holes[list_, 3 + 2 * count] = end
        self.holes[list_, 0] = count + 1
        return 0

    def _fill_holes(self, list_, start, end):
        """Take [start, end) out of the holes; returns how many bytes that filled."""
        left = cython.declare(i64[18])
        pieces: cython.int = 0
        filled: i64 = 0
        k: i64
        for k in range(self.holes[list_, 0]):
            low: i64 = self.holes[list_, 2 + 2 * k]
            high: i64 = self.holes[list_, 3 + 2 * k]
            cut_low: i64 = max(low, start)
            cut_high: i64 = min(high, end)
            if cut_low >= cut_high:
                cut_low = cut_high = high
            filled += cut_high - cut_low
            if low < cut_low:
                left[2 * pieces] = low
                left[2 * pieces + 1] = cut_low
                pieces += 1
            if cut_high < high:
                left[2 * pieces] = cut_high
                left[2 * pieces + 1] = high
                pieces += 1
        if not filled:
            return 0
        first: cython.int = 1 if pieces > TRACKED_HOLES else 0  # at most one hole was split in two
        for k in range(first, pieces):
            self.holes[list_, 2 + 2 * (k - first)] = left[2 * k]
            self.holes[list_, 3 + 2 * (k - first)] = left[2 * k + 1]
        self.holes[list_, 0] = pieces - first
        return filled

    def _drop_holes(self, slot):
        tail: cython.pointer[Tail] = cython.address(self.tails[slot])
        if tail.client_holes:
            self.free_holes[self.free_hole_count] = tail.client_holes
            self.free_hole_count += 1
            self.hole_count -= 1
        if tail.server_holes:
            self.free_holes[self.free_hole_count] = tail.server_holes
            self.free_hole_count += 1
            self.hole_count -= 1
        return 0

    def _is_new_connection(self, head, slot, side, packet, closed):
        """Whether a SYN begins another connection on the same endpoints; see `plain_tcp.is_new_connection`."""
        this: cython.pointer[Side] = cython.address(self.sides[slot, side])
        if closed:
            return True
        if this.flags & HAS_BASE and this.flags & SYN_BASE and this.base == cython.cast(u32, packet.tcp_seq + 1):
            return False
        if not this.flags & HAS_BASE:
            other: cython.int = head.client_state if side else head.server_state
            return other != SYN_SENT and other != SYN_ACK_SENT
        state: cython.int = head.server_state if side else head.client_state
        return not (state == SYN_SENT and this.next_offset == 0)
