"""DNS over UDP (RFC 1035; over TCP: `dns_tcp`), multicast DNS and LLMNR included: queries and answers, paired.

Recognised by content: a sane header and a question that parses; the usual ports are only a hint.
"""

from collections.abc import Sequence

from lapwing.events import FlowKey, Message, Side, WireError
from lapwing.events.messages import DnsQuery, DnsResponse, DnsUnanswered
from lapwing.protocols.contract import NO, YES, DatagramParser, DatagramProtocol, Match
from lapwing.protocols.tally import DatagramTally
from lapwing.wire import looks_like_dns, read_asked, read_dns

MAX_PENDING = 256  # unanswered queries per flow; beyond, the oldest is given up and its answer has no rtt
UNANSWERED_AFTER_NS = 10_000_000_000  # who asked has given up: stub resolvers wait 5 s (resolv.conf(5)), servers 10 s
_UNANSWERED_AFTER_NS = UNANSWERED_AFTER_NS
MAX_BAD_DATAGRAMS = 8  # in a row, before the flow is taken to speak something else

_ANY_CLASS = 0xFFFF
_MULTICAST_CLASS = 0x7FFF  # RFC 6762: the top bit asks for a unicast answer or for a cache flush
_MULTICAST_PORT = 5353
_LLMNR_PORT = 5355
_GROUP_PORTS = (_MULTICAST_PORT, _LLMNR_PORT)

# Of the flags.
_QR = 0x8000
_AA = 0x0400
_TC = 0x0200
_RD = 0x0100
_RA = 0x0080
_AD = 0x0020
_CD = 0x0010


def _probe(side: Side, datagram: bytes) -> Match:
    """Side tells nothing: in multicast both peers answer."""
    return YES if looks_like_dns(datagram) else NO


class DnsParser:
    """Queries and responses of one flow; see DatagramParser and WakingParser for the contract.

    A datagram that does not parse is skipped; MAX_BAD_DATAGRAMS of them in a row poison the parser. A query without an
    answer is told once, after UNANSWERED_AFTER_NS; an answer that comes later still than that has its rtt.
    """

    __slots__ = (
        "_bad",
        "_class_mask",
        "_everybody_answers",
        "_late",
        "_pending",
        "done",
        "next_wakeup_ns",
        "poisoned",
    )

    def __init__(self, key: FlowKey) -> None:
        self.poisoned: str | None = None
        self.done = False
        is_multicast = key.server_port == _MULTICAST_PORT or key.client_port == _MULTICAST_PORT
        # What is asked of a group is answered from other addresses, in other flows.
        self._everybody_answers = is_multicast or key.server_port == _LLMNR_PORT
        self._class_mask = _MULTICAST_CLASS if is_multicast else _ANY_CLASS
        self.next_wakeup_ns: int | None = None
        self._pending: dict[tuple[int, str, str], int] = {}  # to when it was asked, in that order
        self._late: dict[tuple[int, str, str], int] = {}  # likewise, told to have no answer; all asked before those
        self._bad = 0

    def parse(self, side: Side, datagram: bytes, now_ns: int) -> Sequence[Message]:
        """See DatagramParser."""
        try:
            number, flags, questions, answers, authority_count, additional_count = read_dns(datagram, self._class_mask)
        except WireError as problem:
            self._bad += 1
            if self._bad >= MAX_BAD_DATAGRAMS:
                self.poisoned = f"no DNS message: {problem}"
            return ()
        self._bad = 0
        overdue = () if self.next_wakeup_ns is None or now_ns < self.next_wakeup_ns else self.tick(now_ns)
        asked = (number, questions[0].name, questions[0].qtype) if questions else None
        if not flags & _QR:
            recursion, unchecked = flags & _RD != 0, flags & _CD != 0
            authentic = flags & _AD != 0
            query = DnsQuery(number, flags >> 11 & 0xF, questions, recursion, unchecked, additional_count, authentic)
            given_up = () if asked is None else self._note(asked, now_ns)
            return (*overdue, query, *given_up) if given_up or overdue else (query,)
        asked_ns = None if asked is None else self._answered(asked)
        response = DnsResponse(
            number,
            flags >> 11 & 0xF,
            flags & 0xF,
            questions,
            answers,
            authority_count,
            additional_count,
            flags & _AA != 0,
            flags & _TC != 0,
            flags & _RD != 0,
            flags & _RA != 0,
            None if asked_ns is None else max(now_ns - asked_ns, 0),
        )
        return (*overdue, response) if overdue else (response,)

    def tick(self, now_ns: int) -> Sequence[Message]:
        """Tell of the queries that should have had an answer by now."""
        pending = self._pending
        told = []
        for asked, asked_ns in pending.items():
            if asked_ns + UNANSWERED_AFTER_NS > now_ns:
                break
            told.append(DnsUnanswered(*asked, asked_ns))
            self._late[asked] = asked_ns
        for message in told:
            del pending[message.transaction_id, message.name, message.qtype]
        self._plan()
        return told

    def close(self, now_ns: int) -> Sequence[Message]:
        """See DatagramParser."""
        pending, self._pending, self._late = self._pending, {}, {}
        self.next_wakeup_ns = None
        if self._everybody_answers:
            return ()
        return [DnsUnanswered(*asked, asked_ns) for asked, asked_ns in pending.items()]

    def _note(self, asked: tuple[int, str, str], now_ns: int) -> Sequence[Message]:
        """Keep when it was asked first; returns what had to be given up for it."""
        pending, late = self._pending, self._late
        if asked not in late:
            pending.setdefault(asked, now_ns)
            if len(pending) == 1:
                self._plan()
        if len(pending) + len(late) <= MAX_PENDING:
            return ()
        if late:
            late.pop(next(iter(late)))
            return ()
        oldest = next(iter(pending))
        asked_ns = pending.pop(oldest)
        self._plan()
        return () if self._everybody_answers else (DnsUnanswered(*oldest, asked_ns),)

    def _answered(self, asked: tuple[int, str, str]) -> int | None:
        """Take out a query; returns when it was asked, None when that was not seen or is forgotten."""
        asked_ns = self._pending.pop(asked, None)
        if asked_ns is None:
            return self._late.pop(asked, None)
        self._plan()
        return asked_ns

    def _plan(self) -> None:
        """The oldest query is the first to be overdue."""
        oldest_ns = next(iter(self._pending.values()), None)
        if oldest_ns is None or self._everybody_answers:
            self.next_wakeup_ns = None
        else:
            self.next_wakeup_ns = oldest_ns + UNANSWERED_AFTER_NS


class DnsTally(DatagramTally):
    """Counts what a DnsParser of the flow would make of it; see DatagramTally.

    What is overdue it counts when that is answered, given up or at the end: the sum is the same, and nobody wakes it.
    """

    def __init__(self, client_port: int, server_port: int) -> None:
        DatagramTally.__init__(self)
        self._everybody_answers = server_port in _GROUP_PORTS or client_port == _MULTICAST_PORT
        self._pending: dict[str, int] = {}  # to when it was asked, in that order
        self._bad = 0

    def parse(self, datagram: bytes, now_ns: int) -> int:
        """See DatagramTally."""
        try:
            flags, asked = read_asked(datagram)
        except WireError:
            self._bad += 1
            self.poisoned = self.poisoned or self._bad >= MAX_BAD_DATAGRAMS
            return 0
        self._bad = 0
        pending = self._pending
        if flags & _QR:
            asked_ns = pending.pop(asked, None)
            if asked_ns is None or now_ns - asked_ns < _UNANSWERED_AFTER_NS or self._everybody_answers:
                return 1
            return 2
        if asked:
            pending.setdefault(asked, now_ns)
            if len(pending) > MAX_PENDING:
                del pending[next(iter(pending))]
                return 1 if self._everybody_answers else 2
        return 1

    def close(self) -> int:
        """See DatagramTally."""
        unanswered = 0 if self._everybody_answers else len(self._pending)
        self._pending = {}
        return unanswered


def _make(key: FlowKey) -> DatagramParser:
    return DnsParser(key)


DNS = DatagramProtocol("dns", frozenset({53, 5353, 5355}), _probe, _make, tally=DnsTally)
