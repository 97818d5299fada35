"""DNS over UDP (RFC 1035; over TCP: `dns_tcp`), multicast DNS and LLMNR included: queries and answers, paired.

Recognised by content: a sane header and a question that parses; the usual ports are only a hint.
"""

from collections.abc import Sequence

from lapwing.events import FlowKey, Message, Side, WireError
from lapwing.events.messages import DnsQuery, DnsResponse, DnsUnanswered
from lapwing.protocols.contract import NO, YES, DatagramParser, DatagramProtocol, Match
from lapwing.wire import looks_like_dns, read_asked, read_dns

MAX_PENDING = 256  # unanswered queries per flow; beyond, the oldest is given up and its answer has no rtt
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
    """Queries and responses of one flow; see DatagramParser for the contract.

    A datagram that does not parse is skipped; MAX_BAD_DATAGRAMS of them in a row poison the parser.
    """

    __slots__ = ("_bad", "_class_mask", "_everybody_answers", "_pending", "done", "poisoned")

    def __init__(self, key: FlowKey) -> None:
        self.poisoned: str | None = None
        self.done = False
        is_multicast = key.server_port == _MULTICAST_PORT or key.client_port == _MULTICAST_PORT
        # What is asked of a group is answered from other addresses, in other flows.
        self._everybody_answers = is_multicast or key.server_port == _LLMNR_PORT
        self._class_mask = _MULTICAST_CLASS if is_multicast else _ANY_CLASS
        self._pending: dict[tuple[int, str, str], int] = {}  # to when it was asked
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
        asked = (number, questions[0].name, questions[0].qtype) if questions else None
        if not flags & _QR:
            recursion, unchecked = flags & _RD != 0, flags & _CD != 0
            authentic = flags & _AD != 0
            query = DnsQuery(number, flags >> 11 & 0xF, questions, recursion, unchecked, additional_count, authentic)
            given_up = () if asked is None else self._note(asked, now_ns)
            return (query, *given_up) if given_up else (query,)
        asked_ns = self._pending.pop(asked, None) if asked is not None else None
        return (
            DnsResponse(
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
            ),
        )

    def close(self, now_ns: int) -> Sequence[Message]:
        """See DatagramParser."""
        pending, self._pending = self._pending, {}
        if self._everybody_answers:
            return ()
        return [DnsUnanswered(*asked, asked_ns) for asked, asked_ns in pending.items()]

    def _note(self, asked: tuple[int, str, str], now_ns: int) -> Sequence[Message]:
        """Keep when it was asked first; returns what had to be given up for it."""
        pending = self._pending
        pending.setdefault(asked, now_ns)
        if len(pending) <= MAX_PENDING:
            return ()
        oldest = next(iter(pending))
        asked_ns = pending.pop(oldest)
        return () if self._everybody_answers else (DnsUnanswered(*oldest, asked_ns),)


class DnsTally:
    """Counts what a DnsParser of the flow would make of it; see DatagramTally."""

    __slots__ = ("_bad", "_everybody_answers", "_pending", "poisoned")

    def __init__(self, client_port: int, server_port: int) -> None:
        self.poisoned = False
        self._everybody_answers = server_port in _GROUP_PORTS or client_port == _MULTICAST_PORT
        self._pending: dict[str, None] = {}  # in the order of asking
        self._bad = 0

    def parse(self, datagram: bytes) -> int:
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
            pending.pop(asked, None)
            return 1
        if asked:
            pending[asked] = None
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
