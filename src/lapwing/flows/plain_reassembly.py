"""Ordered bytes from TCP segments, in plain Python.

In-order bytes are named where they lie. Bytes beyond a hole wait, bounded per side by a window and for all flows by
pages, until the hole is filled or given up:

- the window is full: the hole at the front becomes a gap as far as needed;
- the deadline passes: see `FlowSettings.ooo_deadline_s` and `ack_grace_s`;
- no page is free: the newest hole gives way;
- the flow ends.
"""

from lapwing.flows.layout import ActionKind, DataSource
from lapwing.flows.plain_output import Output
from lapwing.flows.plain_state import Flow, FlowSide, Waiting
from lapwing.flows.rules import INACTIVE, MAX_RUNS, OVERLAP_CONFLICT, PAGE_BYTES, REASSEMBLY_OVERFLOW
from lapwing.flows.settings import FlowSettings, to_ns

CONFIRMED, ONE_SIDED, UNCONFIRMED = range(3)  # the classes of deadline, shortest first
PATIENCE = 4  # deadlines a hole is waited for while the sender can still learn of it
EVERYTHING = 1 << 63


class Reassembly:
    """The waiting bytes of all flows, with their deadlines."""

    def __init__(self, settings: FlowSettings, output: Output) -> None:
        self.output = output
        self.window = settings.ooo_buffer_bytes
        self.max_pages = settings.reassembly_memcap_bytes // PAGE_BYTES
        self.last_wins = settings.overlap_policy == "last"
        deadline = to_ns(settings.ooo_deadline_s)
        self.delays = (to_ns(settings.ack_grace_s), deadline, PATIENCE * deadline)
        self.queues: tuple[dict[tuple[int, int], tuple[int, Flow]], ...] = ({}, {}, {})
        self.pages = self.waiting_sides = 0
        self.steps = 0

    def segment(self, flow: Flow, side: int, offset: int, piece: bytes, piece_at: int, end: int, now_ns: int) -> None:
        """Take stream bytes [offset, end), of which `piece` was captured, lying at `piece_at` in the batch.

        `flow.sides[side].next_offset` is the end of what was sent before.
        """
        this = flow.sides[side]
        sent_before, this.next_offset = this.next_offset, max(this.next_offset, end)
        if this.waiting is not None:
            self._make_room(flow, side, offset, offset + len(piece), now_ns)
        delivered = sent_before if this.waiting is None else this.waiting.delivered
        if offset > delivered and this.waiting is None:
            if offset + len(piece) > delivered + self.window or not self._has_room(None, offset, offset + len(piece)):
                self.output.anomaly(REASSEMBLY_OVERFLOW, flow, now_ns, side)
                self._gap(flow, side, offset - delivered, now_ns)
                delivered = offset
            else:
                self._start_waiting(flow, side, delivered, now_ns)
        if this.waiting is None or (offset <= this.waiting.delivered and not this.waiting.runs):
            self._in_order(flow, side, offset, len(piece), piece_at, end, delivered, now_ns)
        else:
            self._hold(flow, side, this.waiting, offset, piece, now_ns)

    def _in_order(
        self, flow: Flow, side: int, offset: int, captured: int, piece_at: int, end: int, delivered: int, now_ns: int
    ) -> None:
        this = flow.sides[side]
        known = offset + captured
        if known > delivered:
            skip = delivered - offset
            self.output.act(ActionKind.SEGMENT, flow, now_ns, side, offset=piece_at + skip, length=captured - skip)
            delivered = known
        if end > delivered:
            self._gap(flow, side, end - delivered, now_ns)
            delivered = end
        if this.waiting is not None:
            self._skip(this.waiting, delivered - this.waiting.delivered)
            if delivered < this.next_offset:
                return
        self._finish_side(flow, side, now_ns)

    def _hold(self, flow: Flow, side: int, waiting: Waiting, offset: int, piece: bytes, now_ns: int) -> None:
        start = max(offset, waiting.delivered)
        piece = piece[start - offset : max(0, waiting.delivered + self.window - offset)]
        if self._has_room(waiting, start, start + len(piece)):
            before = len(waiting.pages)
            self.steps += len(piece)
            conflicts = waiting.insert(start, piece, last_wins=self.last_wins)
            self.pages += len(waiting.pages) - before
            if conflicts:
                self.output.anomaly(OVERLAP_CONFLICT, flow, now_ns, side, conflicts)
        self._deliver_front(flow, side, waiting, now_ns)
        if waiting.runs > MAX_RUNS:
            self.output.anomaly(REASSEMBLY_OVERFLOW, flow, now_ns, side)
            first = waiting.next_present()
            assert first is not None
            self.flush_to(flow, side, first, now_ns)
        elif waiting.delivered >= flow.sides[side].next_offset:
            self._finish_side(flow, side, now_ns)

    def _make_room(self, flow: Flow, side: int, start: int, end: int, now_ns: int) -> None:
        """Give up holes until [start, end) may be held, or until nothing waits."""
        waiting = flow.sides[side].waiting
        assert waiting is not None
        if end > waiting.delivered + self.window:
            self.output.anomaly(REASSEMBLY_OVERFLOW, flow, now_ns, side)
            self._give_up(flow, side, waiting, min(end - self.window, start), now_ns)
        end = min(end, waiting.delivered + self.window)
        if not self._has_room(waiting, max(start, waiting.delivered), end):
            self.output.anomaly(REASSEMBLY_OVERFLOW, flow, now_ns, side)
            self._give_up(flow, side, waiting, start, now_ns)

    def _has_room(self, waiting: Waiting | None, start: int, end: int) -> bool:
        if waiting is None and self.waiting_sides >= self.max_pages:
            return False
        waiting = waiting or Waiting(0)
        return self.pages + waiting.pages_needed(start, end) <= self.max_pages

    def _start_waiting(self, flow: Flow, side: int, delivered: int, now_ns: int) -> None:
        flow.sides[side].waiting = Waiting(delivered)
        self.waiting_sides += 1
        self._set_deadline(flow, side, delivered, now_ns)

    def _set_deadline(self, flow: Flow, side: int, delivered: int, now_ns: int) -> None:
        this, other = flow.sides[side], flow.sides[1 - side]
        acked = delivered if other.ack is None else this.offset_of(other.ack)
        if acked > delivered:
            self._queue(flow, side, CONFIRMED, min(acked, this.next_offset), now_ns)
        else:
            self._queue(flow, side, ONE_SIDED if other.state == INACTIVE else UNCONFIRMED, this.next_offset, now_ns)

    def _queue(self, flow: Flow, side: int, wait_class: int, up_to: int, now_ns: int) -> None:
        waiting = flow.sides[side].waiting
        assert waiting is not None
        waiting.wait_class, waiting.up_to = wait_class, up_to
        self.queues[wait_class][flow.slot, side] = (now_ns + self.delays[wait_class], flow)

    def acknowledged(self, flow: Flow, side: int, acked: int, now_ns: int) -> None:
        """The other side has everything of `side` before stream offset `acked`."""
        this = flow.sides[side]
        waiting = this.waiting
        if waiting is None or waiting.wait_class == CONFIRMED or acked <= waiting.delivered:
            return
        del self.queues[waiting.wait_class][flow.slot, side]
        self._queue(flow, side, CONFIRMED, min(acked, this.next_offset), now_ns)

    def expire(self, now_ns: int) -> bool:
        """Give up holes whose deadline passed; True when the output is full first."""
        for queue in self.queues:
            while queue:
                (slot, side), (due_ns, flow) = next(iter(queue.items()))
                if due_ns > now_ns:
                    break
                if self.output.full:
                    return True
                del queue[slot, side]
                waiting = flow.sides[side].waiting
                assert waiting is not None
                self.flush_to(flow, side, waiting.up_to, now_ns)
                if flow.sides[side].waiting is not None:
                    self._set_deadline(flow, side, waiting.delivered, now_ns)
        return False

    def flush_to(self, flow: Flow, side: int, limit: int, now_ns: int) -> None:
        """Hand out what is there before stream offset `limit`, and gaps for what is not."""
        this = flow.sides[side]
        waiting = this.waiting
        if waiting is None:
            return
        self._give_up(flow, side, waiting, limit, now_ns)
        if waiting.delivered >= this.next_offset:
            self._finish_side(flow, side, now_ns)

    def _give_up(self, flow: Flow, side: int, waiting: Waiting, limit: int, now_ns: int) -> None:
        while waiting.delivered < limit:
            present = waiting.next_present()
            edge = flow.sides[side].next_offset if present is None else present
            hole = min(limit, edge) - waiting.delivered
            if hole > 0:
                self._gap(flow, side, hole, now_ns)
                self._skip(waiting, hole)
            if present is None or waiting.delivered < present:
                break
            self._deliver_front(flow, side, waiting, now_ns)
        self._deliver_front(flow, side, waiting, now_ns)

    def _deliver_front(self, flow: Flow, side: int, waiting: Waiting, now_ns: int) -> None:
        before = len(waiting.pages)
        taken = waiting.take_front()
        if not taken:
            return
        self.steps += len(taken)
        self.pages += len(waiting.pages) - before
        offset = len(self.output.arena)
        if self.output.payloads:
            self.output.arena += taken
        self.output.act(
            ActionKind.SEGMENT, flow, now_ns, side, offset=offset, length=len(taken), source=DataSource.ARENA
        )

    def _skip(self, waiting: Waiting, length: int) -> None:
        before = len(waiting.pages)
        waiting.skip(length)
        self.pages += len(waiting.pages) - before

    def _gap(self, flow: Flow, side: int, length: int, now_ns: int) -> None:
        self.output.act(ActionKind.GAP, flow, now_ns, side, length=length)

    def _finish_side(self, flow: Flow, side: int, now_ns: int) -> None:
        """Nothing waits any more: everything sent was handed out."""
        self.drop(flow, side)
        this: FlowSide = flow.sides[side]
        if this.fin and not this.fin_told:
            this.fin_told = True
            self.output.act(ActionKind.SIDE_CLOSED, flow, now_ns, side)

    def drop(self, flow: Flow, side: int) -> None:
        """Forget what waits."""
        waiting = flow.sides[side].waiting
        if waiting is not None:
            self.pages -= len(waiting.pages)
            self.waiting_sides -= 1
            self.queues[waiting.wait_class].pop((flow.slot, side), None)
            flow.sides[side].waiting = None
