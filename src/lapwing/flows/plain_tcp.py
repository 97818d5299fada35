"""TCP on one flow, in plain Python: states, history letters, sequence accounting; bytes go on to reassembly."""

from lapwing.flows.layout import ActionKind
from lapwing.flows.plain_output import Output
from lapwing.flows.plain_reassembly import Reassembly
from lapwing.flows.plain_state import Flow, FlowSide
from lapwing.flows.rules import (
    ACK,
    FIN,
    MAX_HOLE_LISTS,
    OUT_OF_WINDOW,
    RST,
    RST_BEHIND_BYTES,
    SYN,
    SYN_ACK_SENT,
    SYN_SENT,
    next_states,
)
from lapwing.flows.settings import FlowSettings

MAX_LETTER_COUNT = 255  # zero windows and gaps are counted this far, for the history only


class Segment:
    """The fields of one packet that TCP looks at."""

    __slots__ = ("ack", "captured", "flags", "length", "payload_at", "sequence", "window")

    def __init__(
        self, flags: int, sequence: int, ack: int, window: int, length: int, captured: int, payload_at: int
    ) -> None:
        self.flags, self.sequence, self.ack, self.window = flags, sequence, ack, window
        self.length, self.captured, self.payload_at = length, min(captured, length), payload_at


class TcpTracker:
    """Advances the TCP part of flows."""

    def __init__(self, settings: FlowSettings, output: Output, reassembly: Reassembly) -> None:
        self.max_ahead = settings.max_ahead_bytes
        self.output = output
        self.reassembly = reassembly
        self.hole_lists = 0

    def track(self, flow: Flow, side: int, segment: Segment, buffer: memoryview, now_ns: int) -> None:
        """Take one packet of `side`."""
        this, other = flow.sides[side], flow.sides[1 - side]
        if segment.flags & RST:
            self._reset(flow, side, segment, now_ns)
            return
        self._anchor(this, segment)
        if segment.window == 0 and this.zero_window_count < MAX_LETTER_COUNT:
            this.zero_window_count += 1
            flow.letter_scaled(side, "W", this.zero_window_count)
        start = this.offset_of(segment.sequence + bool(segment.flags & SYN))
        carries = bool(segment.length or segment.flags & FIN) or shows_hole(this, start)
        fits = self._fits(this, other, start + segment.length, carries=carries)
        if not fits:
            self.output.anomaly(OUT_OF_WINDOW, flow, now_ns, side)
        flags = segment.flags if fits else segment.flags & ~FIN
        _note_flags(flow, side, flags, has_payload=bool(segment.length))
        this.state, other.state = next_states(this.state, other.state, flags)
        if flags & ACK:
            self._acknowledge(flow, side, segment, now_ns)
        if fits and carries:
            self._account(flow, side, segment, start, buffer, now_ns)

    def _reset(self, flow: Flow, side: int, segment: Segment, now_ns: int) -> None:
        this, other = flow.sides[side], flow.sides[1 - side]
        if not self._reset_fits(this, other, segment):
            self.output.anomaly(OUT_OF_WINDOW, flow, now_ns, side)
            return
        _note_flags(flow, side, segment.flags, has_payload=False)
        this.state, other.state = next_states(this.state, other.state, segment.flags)

    def _reset_fits(self, this: FlowSide, other: FlowSide, segment: Segment) -> bool:
        """Whether a RST can be the endpoint's own (RFC 9293, section 3.5.3); near is enough: we miss bytes."""
        if this.base is not None:
            ahead = this.offset_of(segment.sequence) - this.next_offset
        elif segment.flags & ACK and other.base is not None:
            ahead = other.offset_of(segment.ack) - other.next_offset
        else:
            return True
        return -RST_BEHIND_BYTES <= ahead <= self.max_ahead

    def _anchor(self, this: FlowSide, segment: Segment) -> None:
        """Learn where this side's sequence space begins; a SYN that is sent anew with another number moves it."""
        is_syn = bool(segment.flags & SYN)
        if this.base is not None and not (is_syn and this.state == SYN_SENT and this.next_offset == 0):
            return
        this.base = (segment.sequence + is_syn) & 0xFFFFFFFF
        this.syn_base = is_syn

    def _fits(self, this: FlowSide, other: FlowSide, end: int, *, carries: bool) -> bool:
        if not carries or end <= this.next_offset:
            return True
        if this.fin:
            return False  # nothing follows a FIN
        anchor = this.next_offset
        if end > anchor + self.max_ahead and other.ack is not None:
            anchor = max(anchor, this.offset_of(other.ack))  # acknowledged: it was sent, we missed it
        return end <= anchor + self.max_ahead

    def _acknowledge(self, flow: Flow, side: int, segment: Segment, now_ns: int) -> None:
        """Note the acknowledgement; it may show that a hole on the other side arrived there."""
        this, other = flow.sides[side], flow.sides[1 - side]
        this.ack = segment.ack
        if not flow.established and "H" in flow.sides[1].letters and side == 0 and not segment.flags & SYN:
            flow.established = True
            round_trip = now_ns - flow.first_ts_ns if "S" in this.letters else 0
            self.output.act(ActionKind.ESTABLISHED, flow, now_ns, aux=round_trip)
        if other.base is None or not (other.holes or other.waiting):
            return
        acked = other.offset_of(segment.ack)
        for low, high in other.holes or ():
            if other.gapped <= low and high <= acked and other.gap_count < MAX_LETTER_COUNT:
                other.gap_count += 1
                other.gapped = high
                flow.letter_scaled(1 - side, "G", other.gap_count)
        self.reassembly.acknowledged(flow, 1 - side, acked, now_ns)

    def _account(self, flow: Flow, side: int, segment: Segment, start: int, buffer: memoryview, now_ns: int) -> None:
        this = flow.sides[side]
        end, sent = start + segment.length, this.next_offset
        if start > sent:
            this.missed_bytes += start - sent
            if this.holes is None and self.hole_lists < MAX_HOLE_LISTS:
                this.holes = []
                self.hole_lists += 1
            this.add_hole(sent, start)
        elif segment.length:
            filled = this.fill_holes(start, min(end, sent)) if this.holes else 0
            this.missed_bytes -= min(filled, this.missed_bytes)
            this.out_of_order_count += filled > 0
            this.retransmit_count += not filled and end <= sent
            if filled or end <= sent:  # the letter stands for both: without knowledge of holes they look the same
                flow.letter_scaled(side, "T", this.out_of_order_count + this.retransmit_count)
        if segment.flags & FIN:
            this.fin = True
        if self.output.payloads and not flow.ignored:
            at = segment.payload_at
            piece = bytes(buffer[at : at + segment.captured])
            self.reassembly.segment(flow, side, start, piece, at, end, now_ns)
        this.next_offset = max(sent, end)


def shows_hole(this: FlowSide, start: int) -> bool:
    """Whether a segment without bytes begins beyond what was sent, so that bytes before it passed us by.

    One byte beyond may be a FIN we missed.
    """
    return not this.fin and start > this.next_offset + 1


def is_new_connection(flow: Flow, side: int, flags: int, sequence: int, *, closed: bool) -> bool:
    """Whether a packet of `side` begins another connection on the same endpoints.

    Only a plain SYN can, and any does on a closed flow. On a live one the same sequence number is a repetition,
    another one before any answer a new try, and a first SYN against a SYN a simultaneous open (RFC 9293, section 3.5).
    """
    if flags & (SYN | ACK | RST | FIN) != SYN:
        return False
    this, other = flow.sides[side], flow.sides[1 - side]
    if closed:
        return True
    if this.base is not None and this.syn_base and this.base == (sequence + 1) & 0xFFFFFFFF:
        return False
    if this.base is None:
        return other.state not in (SYN_SENT, SYN_ACK_SENT)
    return not (this.state == SYN_SENT and this.next_offset == 0)


def _note_flags(flow: Flow, side: int, flags: int, *, has_payload: bool) -> None:
    if flags & SYN and flags & (FIN | RST):
        flow.letter_once(side, "Q")
    elif flags & FIN and flags & RST:
        flow.letter_once(side, "I")
    elif flags & SYN:
        flow.letter_once(side, "H" if flags & ACK else "S")
    if has_payload:
        flow.letter_once(side, "D")
    elif flags & (SYN | FIN | RST | ACK) == ACK:
        flow.letter_once(side, "A")
    if flags & FIN and not flags & (SYN | RST):
        flow.letter_once(side, "F")
    elif flags & RST and not flags & (SYN | FIN):
        flow.letter_once(side, "R")
