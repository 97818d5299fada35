"""When parsers want to be woken: the earliest first, and of one time the flow that opened first."""

from heapq import heapify, heappop, heappush
from typing import Any

from lapwing.sessions.session import NEVER_NS, Session

SPARE_ENTRIES = 1024  # that may be out of date before anybody looks for them


class Wakeups:
    """The wake-ups to come of `sessions`, which has them by flow slot.

    A session has one time, `wakeup_ns`, and seldom more than one entry here: where its time moves back, the entry that
    is there stays, and is put where it belongs when it comes up. Entries of sessions that have ended are passed over,
    and swept out when they are too many, so what is held is bounded by the sessions.
    """

    def __init__(self, sessions: list[Any]) -> None:
        self.next_ns = NEVER_NS  # nothing is due before
        self.slot = 0  # of the session that `due` returned, and its time
        self.due_ns = 0
        self._sessions = sessions
        self._heap: list[tuple[int, int, int]] = []  # time, flow id, slot
        self._limit = SPARE_ENTRIES

    def __len__(self) -> int:
        """Entries held, those out of date among them."""
        return len(self._heap)

    def plan(self, session: Session, slot: int, due_ns: int) -> None:
        """Wake `session`, which reads the flow at `slot`, at `due_ns`, and no more at the time named before."""
        session.wakeup_ns = due_ns
        if due_ns >= session.alarm_ns:
            return
        session.alarm_ns = due_ns
        assert session.key is not None
        heappush(self._heap, (due_ns, session.key.flow_id, slot))
        if due_ns < self.next_ns:
            self.next_ns = due_ns
        if len(self._heap) > self._limit:
            self._sweep()

    def due(self, until_ns: int) -> Session | None:
        """Take the next session whose time is `until_ns` or before, None when there is none."""
        heap = self._heap
        found = None
        while found is None and heap and heap[0][0] <= until_ns:
            entry = heappop(heap)
            session = self._of(entry)
            if session is None:
                continue
            session.alarm_ns = NEVER_NS
            if session.wakeup_ns == entry[0]:
                session.wakeup_ns = NEVER_NS
                self.due_ns, _, self.slot = entry
                found = session
            elif session.wakeup_ns < NEVER_NS:
                self.plan(session, entry[2], session.wakeup_ns)
        self.next_ns = heap[0][0] if heap else NEVER_NS
        return found

    def clear(self) -> None:
        """Every session has ended."""
        self._heap.clear()
        self._limit = SPARE_ENTRIES
        self.next_ns = NEVER_NS

    def _of(self, entry: tuple[int, int, int]) -> Session | None:
        """The session an entry is about, None when that has ended, or has an earlier entry."""
        due_ns, flow_id, slot = entry
        session: Session | None = self._sessions[slot]
        if session is None or session.alarm_ns != due_ns or session.key is None or session.key.flow_id != flow_id:
            return None
        return session

    def _sweep(self) -> None:
        """Leave out what is out of date, and each of two entries that are the same."""
        self._heap[:] = {entry for entry in self._heap if self._of(entry) is not None}
        heapify(self._heap)
        self._limit = 2 * len(self._heap) + SPARE_ENTRIES
