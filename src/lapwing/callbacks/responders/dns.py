"""DNS as a listener: authoritative for its domains and nothing else, over UDP and TCP.

Every name below a domain exists; a type it has no records of gets an empty answer with the SOA (RFC 2308). Answers
keep the letters of the question, as resolvers check them. Over UDP no answer is longer than three times its query:
a forged source address gains nothing by us; the rest is asked for over TCP.
"""

from struct import Struct, error
from typing import NamedTuple

from lapwing.callbacks.interaction import MAX_RAW_BYTES, DnsInteraction, Peer
from lapwing.callbacks.responders.base import Limits, Output, Responder, Send
from lapwing.callbacks.responders.question import NO_EDNS, Plain, read_plain
from lapwing.callbacks.responders.zone import WELL_KNOWN, Rebindings, Zone, record_data, text_data
from lapwing.events import WireError
from lapwing.wire.dns import AA, HEADER_BYTES, QR, RD, TC
from lapwing.wire.dns_names import read_name, write_name
from lapwing.wire.dns_records import TYPE_NUMBERS, encode_data, type_name

MAX_UDP_BYTES = 1232  # fits every path unfragmented (DNS flag day 2020)
PLAIN_UDP_BYTES = 512  # without EDNS (RFC 1035 section 4.2.1)
MAX_TCP_BYTES = 65_535  # what two bytes of length can say
MAX_AMPLIFICATION = 3  # answer bytes per query byte over UDP
MAX_QUERIES = 100  # per TCP connection
MAX_ADDITIONAL = 8  # records looked at for EDNS
MAX_USUAL = 4_096  # answers kept ready: types times lengths of names; past that, made anew
NO_DATA_TTL_S = 1
CHALLENGE = "_acme-challenge"

_NOERROR, _FORMERR, _NOTIMP, _REFUSED, _BADVERS = 0, 1, 4, 5, 16
_IN, _ANY_CLASS = 1, 255
_A, _NS, _SOA, _MX, _TXT, _AAAA, _CAA, _ANY = (
    TYPE_NUMBERS[name] for name in ("A", "NS", "SOA", "MX", "TXT", "AAAA", "CAA", "ANY")
)
_CNAME, _OPT = TYPE_NUMBERS["CNAME"], TYPE_NUMBERS["OPT"]
_HEADER = Struct("!6H")
_PAIR = Struct("!HH")
_FIXED = Struct("!HHIH")
_SOA_TAIL = Struct("!5I")
_QUESTION_POINTER = b"\xc0\x0c"  # the name of the first question


class _Query(NamedTuple):
    transaction_id: int
    flags: int
    question: bytes  # as it came
    name: str  # in lower case
    shown: str  # in the letters of the query
    qtype: int
    qclass: int
    edns_bytes: int | None  # what the asker can take, None without EDNS
    edns_version: int


class _Answer(NamedTuple):
    code: int
    authoritative: bool = False
    records: tuple[bytes, ...] = ()
    authority: tuple[bytes, ...] = ()


Answered = tuple[DnsInteraction, bytes | None]  # and what to send
_Ready = tuple[bytes, bytes, bytes]


class DnsResponder:
    """Answers single messages. One serves all clients; it remembers only whose turn rebinding names have."""

    def __init__(self, zone: Zone) -> None:
        self.rebindings = Rebindings()
        self.use(zone)

    def use(self, zone: Zone) -> None:
        """Answer for `zone` from now on: new challenges, other records."""
        self.zone = zone
        # Nearly every query asks for these: made once.
        self._addresses = {
            _A: [self._own(_A, address) for address in zone.ipv4],
            _AAAA: [self._own(_AAAA, address) for address in zone.ipv6],
        }
        self._addresses[_ANY] = self._addresses[_A] + self._addresses[_AAAA]
        self._domain_bytes = {domain: len(write_name(domain)) for domain in zone.domains}
        # And what stands behind the question depends on the type and the place of the domain alone, unless one of the
        # labels was given answers of its own.
        self._dotted = [
            ("." + domain, self._domain_bytes[domain]) for domain in sorted(zone.domains, key=len, reverse=True)
        ]
        self._special = frozenset((*zone.records, *WELL_KNOWN, CHALLENGE))
        self._ready: dict[tuple[int, int, bool], _Ready] = {}

    def answer(self, message: bytes, peer: Peer, now_ns: int, *, transport: str = "udp") -> list[Output]:
        """Return the answer, if one is due, after the interaction it answers."""
        answered = self.respond(message, peer, now_ns, transport)
        if answered is None:
            return []
        interaction, reply = answered
        return [interaction] if reply is None else [interaction, Send(reply)]

    def respond(self, message: bytes, peer: Peer, now_ns: int, transport: str = "udp") -> Answered | None:
        """Return the interaction and its answer, None where none is due; None for an answer: that would be a loop."""
        plain = read_plain(message)
        if plain is not None:
            reply = self._usual(message, plain, udp=transport == "udp")
            if reply is not None:
                return DnsInteraction(
                    ts_ns=now_ns,
                    peer=peer,
                    raw_request=message[:MAX_RAW_BYTES],
                    raw_response=reply[:MAX_RAW_BYTES],
                    request_bytes=len(message),
                    name=plain[1],
                    query_type=type_name(plain[2]),
                    transport=transport,
                ), reply
        if len(message) > 2 and message[2] & 0x80:
            return None
        return self._careful(message, peer, now_ns, transport)

    def _usual(self, message: bytes, plain: Plain, *, udp: bool) -> bytes | None:
        """The answer to a plain question about a name without answers of its own; None for every other."""
        name, _, qtype, end, edns_bytes = plain
        ours = [one for one in self._dotted if name.endswith(one[0])]
        if not ours:
            return None
        dotted, domain_bytes = ours[0]
        below = name[: -len(dotted)]
        if below in self._special or not self._special.isdisjoint(below.split(".")):
            return None
        key = qtype, end - domain_bytes, edns_bytes != NO_EDNS
        ready = self._ready.get(key)
        if ready is None:
            ready = self._make_ready(key, message, plain)
        head, head_recursive, tail = ready
        reply = b"".join((message[:2], head_recursive if message[2] else head, message[HEADER_BYTES:end], tail))
        if udp and len(reply) > min(max(edns_bytes, PLAIN_UDP_BYTES), MAX_UDP_BYTES, len(message) * MAX_AMPLIFICATION):
            return None
        return reply

    def _make_ready(self, key: tuple[int, int, bool], message: bytes, plain: Plain) -> _Ready:
        """Take a carefully made answer apart: header without and with the wish for recursion, and what ends it."""
        name, shown, qtype, end, edns_bytes = plain
        heads = []
        for flags in (0, RD):
            edns = None if edns_bytes == NO_EDNS else edns_bytes
            query = _Query(0, flags, message[HEADER_BYTES:end], name, shown, qtype, _IN, edns, 0)
            whole = _write(query, self._answer(query))
            heads.append(whole[2:HEADER_BYTES])
        if len(self._ready) >= MAX_USUAL:
            self._ready.clear()
        ready = self._ready[key] = heads[0], heads[1], whole[end:]
        return ready

    def _careful(self, message: bytes, peer: Peer, now_ns: int, transport: str) -> Answered:
        query = None
        malformed = ""
        reply: bytes | None
        try:
            query = _read(message)
        except (WireError, IndexError) as problem:
            malformed = str(problem) or "message ends early"
            reply = _format_error(message)
        else:
            reply = self._reply(query, len(message), udp=transport == "udp")
        interaction = DnsInteraction(
            ts_ns=now_ns,
            peer=peer,
            raw_request=message[:MAX_RAW_BYTES],
            raw_response=(reply or b"")[:MAX_RAW_BYTES],
            request_bytes=len(message),
            malformed=malformed,
            name="" if query is None else query.shown,
            query_type="" if query is None else type_name(query.qtype),
            transport=transport,
        )
        return interaction, reply

    def _reply(self, query: _Query, size: int, *, udp: bool) -> bytes:
        answer = self._answer(query)
        reply = _write(query, answer)
        limit = MAX_TCP_BYTES
        if udp:
            limit = min(max(query.edns_bytes or 0, PLAIN_UDP_BYTES), MAX_UDP_BYTES, size * MAX_AMPLIFICATION)
        if len(reply) > limit:
            reply = _write(query, answer._replace(records=(), authority=()), truncated=bool(answer.records))
        return reply

    def _answer(self, query: _Query) -> _Answer:
        if query.flags >> 11 & 15:
            return _Answer(_NOTIMP)
        if query.edns_version:
            return _Answer(_BADVERS)
        domain = self.zone.domain_of(query.name)
        if domain is None or query.qclass not in (_IN, _ANY_CLASS):
            return _Answer(_REFUSED)
        records = tuple(self._records(query, domain))
        if records:
            return _Answer(_NOERROR, authoritative=True, records=records)
        apex = _apex(query, self._domain_bytes[domain])
        soa = _record(apex, _SOA, NO_DATA_TTL_S, self._soa(apex))
        return _Answer(_NOERROR, authoritative=True, authority=(soa,))

    def _records(self, query: _Query, domain: str) -> list[bytes]:
        below = query.name[: -len(domain) - 1] if query.name != domain else ""
        if below == CHALLENGE or below.startswith(CHALLENGE + "."):
            texts = self.zone.challenges.get(query.name, ()) if query.qtype in (_TXT, _ANY) else ()
            return [self._own(_TXT, text_data(value), 0) for value in texts]
        key, custom = self.zone.custom(below)
        if custom:
            return [
                self._own(*record_data(record, value), record.ttl_s)
                for record in custom
                if self._wanted(query.qtype, TYPE_NUMBERS[record.type])
                for value in self.rebindings.next(key, record)
            ]
        return self._standard(query.qtype, _apex(query, self._domain_bytes[domain]), at_apex=not below)

    @staticmethod
    def _wanted(qtype: int, rtype: int) -> bool:
        """Whether a record answers: an alias answers whatever is asked."""
        return qtype in (rtype, _ANY) or rtype == _CNAME

    def _standard(self, qtype: int, apex: bytes, *, at_apex: bool) -> list[bytes]:
        zone = self.zone
        ttl_s = zone.ttl_s
        if qtype in self._addresses:
            return self._addresses[qtype]
        found: list[bytes] = []
        if qtype == _MX:
            found.append(_record(_QUESTION_POINTER, _MX, ttl_s, b"\0\1" + _below(apex, "mail")))
        if qtype == _CAA:
            found += [_record(_QUESTION_POINTER, _CAA, ttl_s, _caa(issuer)) for issuer in zone.issuers]
        if at_apex and qtype == _NS:
            found += [_record(_QUESTION_POINTER, _NS, ttl_s, _below(apex, label)) for label in zone.name_servers]
        if at_apex and qtype == _SOA:
            found.append(_record(_QUESTION_POINTER, _SOA, ttl_s, self._soa(apex)))
        return found

    def _own(self, rtype: int, text: str, ttl_s: int | None = None) -> bytes:
        return _record(_QUESTION_POINTER, rtype, self.zone.ttl_s if ttl_s is None else ttl_s, encode_data(rtype, text))

    def _soa(self, apex: bytes) -> bytes:
        zone = self.zone
        primary = _below(apex, zone.name_servers[0]) if zone.name_servers else apex
        return primary + _below(apex, zone.mailbox) + _SOA_TAIL.pack(zone.serial, 3600, 600, 86_400, NO_DATA_TTL_S)


class DnsStreamResponder(Responder):
    """DNS over one TCP connection: messages behind two bytes of length (RFC 7766)."""

    def __init__(self, peer: Peer, now_ns: int, *, dns: DnsResponder, limits: Limits | None = None) -> None:
        super().__init__(peer, now_ns, limits)
        self._dns = dns
        self._data = bytearray()
        self._query_count = 0

    @property
    def held_bytes(self) -> int:
        """Bytes of the message that has begun."""
        return len(self._data)

    def _received(self, data: bytes) -> list[Output]:
        self._data += data
        outputs: list[Output] = []
        pos = 0
        while not self.ended and len(self._data) - pos >= 2:
            size = 2 + int.from_bytes(self._data[pos : pos + 2], "big")
            if len(self._data) - pos < size:
                break
            outputs += self._message(bytes(self._data[pos + 2 : pos + size]))
            pos += size
        del self._data[:pos]
        if self.ended:
            self._data.clear()
        self._message_done()
        return outputs

    def _message(self, message: bytes) -> list[Output]:
        outputs: list[Output] = [
            Send(len(one.data).to_bytes(2, "big") + one.data) if isinstance(one, Send) else one
            for one in self._dns.answer(message, self.peer, self._now_ns, transport="tcp")
        ]
        self._query_count += 1
        if self._query_count >= MAX_QUERIES or not any(isinstance(one, Send) for one in outputs):
            outputs += self._finish("enough queries for one connection")
        return outputs

    def _take_unread(self) -> bytes:
        rest = bytes(self._data)
        self._data.clear()
        return rest

    def _last_words(self, reason: str, rest: bytes) -> list[Output]:
        if not rest:
            return []
        return [
            DnsInteraction(
                ts_ns=self._now_ns,
                peer=self.peer,
                raw_request=rest,
                request_bytes=len(rest),
                malformed=reason,
                transport="tcp",
            )
        ]


def _read(message: bytes) -> _Query:
    """Read a query: one question, and EDNS where there is some. Raises WireError and IndexError."""
    if len(message) < HEADER_BYTES:
        raise WireError("shorter than a header")
    transaction_id, flags, questions, answers, authorities, additionals = _HEADER.unpack_from(message)
    if questions != 1:
        raise WireError("a query has one question")
    name, end = read_name(message, HEADER_BYTES)
    if len(message) < end + 4:
        raise WireError("question ends early")
    qtype, qclass = _PAIR.unpack_from(message, end)
    question = message[HEADER_BYTES : end + 4]
    edns_bytes, version = _edns(message, end + 4, answers + authorities + additionals)
    shown = _shown(message, end)
    return _Query(transaction_id, flags, question, name, shown, qtype, qclass, edns_bytes, version)


def _shown(message: bytes, end: int) -> str:
    """The name of the first question in the letters it was asked in. Raises WireError for a compressed one."""
    labels = []
    pos = HEADER_BYTES
    while (length := message[pos]) and length < 0x40:
        labels.append(message[pos + 1 : pos + 1 + length].decode("latin-1"))
        pos += 1 + length
    if pos + 1 != end:
        raise WireError("a question has nothing before it to point to")
    return ".".join(labels)


def _edns(message: bytes, pos: int, count: int) -> tuple[int | None, int]:
    """Return payload size and version of the OPT record (RFC 6891), None and 0 where there is none."""
    try:
        for _ in range(min(count, MAX_ADDITIONAL)):
            _, pos = read_name(message, pos)
            rtype, rclass, ttl, length = _FIXED.unpack_from(message, pos)
            if rtype == _OPT:
                return rclass, ttl >> 16 & 255
            pos += _FIXED.size + length
    except (WireError, IndexError, error):
        pass  # a damaged tail behind a whole question: the question is answered
    return None, 0


def _write(query: _Query, answer: _Answer, *, truncated: bool = False) -> bytes:
    flags = QR | query.flags & (RD | 0x7800) | answer.code & 15
    flags |= AA * answer.authoritative | TC * truncated
    opt = b""
    if query.edns_bytes is not None:
        opt = b"\0" + _FIXED.pack(_OPT, MAX_UDP_BYTES, answer.code >> 4 << 24, 0)
    counts = (1, len(answer.records), len(answer.authority), 1 if opt else 0)
    parts = (*answer.records, *answer.authority, opt)
    return _HEADER.pack(query.transaction_id, flags, *counts) + query.question + b"".join(parts)


def _format_error(message: bytes) -> bytes | None:
    """Say FORMERR where there is an id to say it to."""
    if len(message) < HEADER_BYTES:
        return None
    transaction_id, flags = _PAIR.unpack_from(message)
    return _HEADER.pack(transaction_id, QR | flags & (RD | 0x7800) | _FORMERR, 0, 0, 0, 0)


def _record(name: bytes, rtype: int, ttl_s: int, data: bytes) -> bytes:
    return name + _FIXED.pack(rtype, _IN, ttl_s, len(data)) + data


def _apex(query: _Query, domain_bytes: int) -> bytes:
    """A pointer to where our domain begins within the question."""
    offset = HEADER_BYTES + len(query.question) - 4 - domain_bytes
    return (0xC000 | offset).to_bytes(2, "big")


def _below(apex: bytes, label: str) -> bytes:
    return write_name(label)[:-1] + apex


def _caa(issuer: str) -> bytes:
    return b"\0\x05issue" + issuer.encode("ascii")
