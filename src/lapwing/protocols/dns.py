"""DNS over UDP (RFC 1035), multicast DNS and LLMNR included: queries and answers, paired.

Recognised by content: a sane header and a question that parses; the usual ports are only a hint.
"""

from collections import OrderedDict
from collections.abc import Sequence
from struct import Struct

from lapwing.events import FlowKey, Message, Side, WireError
from lapwing.events.messages import DnsQuery, DnsQuestion, DnsRecord, DnsResponse
from lapwing.protocols.contract import DatagramParser, DatagramProtocol, Match
from lapwing.wire import dns
from lapwing.wire.dns_names import read_name
from lapwing.wire.dns_records import CLASS_NAMES, TYPE_NAMES, class_name, type_name

MAX_PENDING = 256  # unanswered queries per flow; beyond, the oldest is forgotten and its answer has no rtt
MAX_BAD_DATAGRAMS = 8  # in a row, before the flow is taken to speak something else

_HEADER = Struct("!6H")
_PAIR = Struct("!HH")
_RESERVED = 0x0040  # the Z bit: zero in everything that is sent
_OPCODES = frozenset({0, 1, 2, 4, 5, 6})
_MAX_RECORDS = 512  # stated per section; more fits no datagram
_MULTICAST_BIT = 0x8000  # RFC 6762: unicast answer wanted, or cache flush
_MULTICAST_PORT = 5353


def _probe(side: Side, datagram: bytes) -> Match:
    """Side tells nothing: in multicast both peers answer."""
    if len(datagram) < dns.HEADER_BYTES + 5:
        return Match.NO
    _, flags, questions, answers, authority, additional = _HEADER.unpack_from(datagram)
    if flags & _RESERVED or (flags >> 11) & 0xF not in _OPCODES or max(answers, authority, additional) > _MAX_RECORDS:
        return Match.NO
    is_response = flags & dns.QR
    if not is_response and flags & 0xF:
        return Match.NO  # a query has no response code
    if questions > dns.MAX_QUESTIONS or (questions == 0 and not (is_response and answers)):
        return Match.NO
    return Match.YES if _entry_fits(datagram) else Match.NO


def _entry_fits(datagram: bytes) -> bool:
    """Tell whether a name, a type and a known class follow the header: the start of a question and of a record."""
    try:
        _, pos = read_name(datagram, dns.HEADER_BYTES)
    except (WireError, IndexError):
        return False
    if pos + _PAIR.size > len(datagram):
        return False
    rtype, rclass = _PAIR.unpack_from(datagram, pos)
    return rtype != 0 and rclass & ~_MULTICAST_BIT in CLASS_NAMES


class DnsParser:
    """Queries and responses of one flow; see DatagramParser for the contract.

    A datagram that does not parse is skipped; MAX_BAD_DATAGRAMS of them in a row poison the parser.
    """

    def __init__(self, key: FlowKey) -> None:
        self.poisoned: str | None = None
        self.done = False
        self._class_mask = 0xFFFF ^ (_MULTICAST_BIT if _MULTICAST_PORT in {key.server_port, key.client_port} else 0)
        self._pending: OrderedDict[tuple[int, str, int], int] = OrderedDict()  # to when it was asked
        self._bad = 0

    def parse(self, side: Side, datagram: bytes, now_ns: int) -> Sequence[Message]:
        """See DatagramParser."""
        try:
            message = dns.decode(datagram)
        except WireError as problem:
            self._bad += 1
            if self._bad >= MAX_BAD_DATAGRAMS:
                self.poisoned = f"no DNS message: {problem}"
            return ()
        self._bad = 0
        if message.flags & dns.QR:
            return (self._response(message, now_ns),)
        return (self._query(message, now_ns),)

    def close(self, now_ns: int) -> Sequence[Message]:
        """See DatagramParser."""
        return ()

    def _query(self, message: dns.DnsMessage, now_ns: int) -> DnsQuery:
        transaction_id, flags, questions, _, _, additional_count = message
        if questions:
            name, qtype, _ = questions[0]
            self._pending.setdefault((transaction_id, name, qtype), now_ns)
            if len(self._pending) > MAX_PENDING:
                self._pending.popitem(last=False)
        return DnsQuery(
            transaction_id,
            flags >> 11 & 0xF,
            self._questions(questions),
            flags & dns.RD != 0,
            flags & dns.CD != 0,
            additional_count,
        )

    def _response(self, message: dns.DnsMessage, now_ns: int) -> DnsResponse:
        transaction_id, flags, questions, answers, authority_count, additional_count = message
        asked_ns = None
        if questions and self._pending:
            name, qtype, _ = questions[0]
            asked_ns = self._pending.pop((transaction_id, name, qtype), None)
        return DnsResponse(
            transaction_id,
            flags >> 11 & 0xF,
            flags & 0xF,
            self._questions(questions),
            self._records(answers),
            authority_count,
            additional_count,
            flags & dns.AA != 0,
            flags & dns.TC != 0,
            flags & dns.RD != 0,
            flags & dns.RA != 0,
            None if asked_ns is None else max(now_ns - asked_ns, 0),
        )

    def _questions(self, questions: list[dns.Question]) -> list[DnsQuestion]:
        mask = self._class_mask
        return [
            DnsQuestion(name, TYPE_NAMES.get(qtype) or type_name(qtype), class_name(qclass & mask))
            for name, qtype, qclass in questions
        ]

    def _records(self, records: list[dns.Record]) -> list[DnsRecord]:
        mask = self._class_mask
        return [
            DnsRecord(name, TYPE_NAMES.get(rtype) or type_name(rtype), ttl_s, data, class_name(rclass & mask))
            for name, rtype, rclass, ttl_s, data in records
        ]


def _make(key: FlowKey) -> DatagramParser:
    return DnsParser(key)


DNS = DatagramProtocol("dns", frozenset({53, 5353, 5355}), _probe, _make)
