"""Rows of `dns.log`."""

import re
from collections import deque
from collections.abc import Callable, Iterator
from ipaddress import ip_address

from lapwing.app.zeek.rows import MAX_PENDING, NS_PER_S, Row
from lapwing.events import SessionMessaged
from lapwing.events.messages import DnsQuery, DnsQuestion, DnsRecord, DnsResponse
from lapwing.wire.dns_records import TYPE_NUMBERS

_CLASSES = {"IN": (1, "C_INTERNET"), "CH": (3, "C_CHAOS"), "HS": (4, "C_HESIOD"), "ANY": (255, "C_ANY")}
_RCODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET")
_OPCODES = {0: "query", 1: "iquery", 2: "status", 4: "notify", 5: "update"}
_AUTHENTIC, _UNCHECKED = 2, 1  # of the three bits of `Z`

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(\d{3}|.)", re.DOTALL)
_FIRST, _LAST = 0, -1
_NAMED_BY = {"MX": _LAST, "SRV": _LAST, "SOA": _FIRST, "CNAME": _FIRST, "NS": _FIRST, "PTR": _FIRST}
_UNTOLD = frozenset({"TKEY", "TSIG", "OPT"})  # that program makes no answer of these


class DnsRows:
    """Queries joined with their answers by transaction id; multicast has no such pairs.

    As in that program, `AA`, `RA` and `rtt` are those of an answer with records.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[int, int, Row]] = {}  # id, time and row, by number: the oldest first
        self._numbers: dict[int, deque[int]] = {}  # by id
        self._count = 0

    def add(self, event: SessionMessaged) -> Iterator[Row]:
        """A response completes the row of the oldest query with its id."""
        message = event.message
        if isinstance(message, DnsQuery):
            row = self._asked(event, message)
            if ip_address(event.server_ip).is_multicast:
                yield row
                return
            self._count += 1
            self._waiting[self._count] = message.transaction_id, event.ts_ns, row
            self._numbers.setdefault(message.transaction_id, deque()).append(self._count)
            if len(self._waiting) > MAX_PENDING:
                yield self._take(next(iter(self._waiting.values()))[0])[1]
        elif isinstance(message, DnsResponse):
            yield self._answered(event, message)

    def end(self) -> Iterator[Row]:
        """Queries nobody answered."""
        yield from (row for _, _, row in self._waiting.values())

    def _take(self, transaction_id: int) -> tuple[int, Row]:
        """The oldest query with an id: when it came, and its row."""
        numbers = self._numbers[transaction_id]
        _, asked_ns, row = self._waiting.pop(numbers.popleft())
        if not numbers:
            del self._numbers[transaction_id]
        return asked_ns, row

    def _asked(self, event: SessionMessaged, message: DnsQuery) -> Row:
        bits = _AUTHENTIC * message.authentic_data + _UNCHECKED * message.checking_disabled
        row = _begun(event, message) | {"RD": message.recursion_desired, "Z": bits}
        return row | _question(message.questions[0] if message.questions else None)

    def _answered(self, event: SessionMessaged, message: DnsResponse) -> Row:
        asked_ns = None
        if message.transaction_id in self._numbers:
            asked_ns, row = self._take(message.transaction_id)
        else:
            names = [question.name for question in message.questions] + [record.name for record in message.answers]
            row = _begun(event, message) | {"query": next(iter(names), None), "RD": False, "Z": 0}
        known = message.rcode < len(_RCODES)
        row |= {
            "rcode": message.rcode,
            "rcode_name": _RCODES[message.rcode] if known else f"unknown-{message.rcode}",
            "TC": message.truncated,
            "rejected": _is_rejected(message),
        }
        told = [record for record in message.answers if record.rtype not in _UNTOLD]
        if told:
            row |= {"AA": message.authoritative, "RA": message.recursion_available}
            row["answers"] = tuple(_answer(record) for record in told)
            row["TTLs"] = tuple(f"{record.ttl_s}.000000" for record in told)
            if asked_ns is not None and event.ts_ns > asked_ns:
                row["rtt"] = (event.ts_ns - asked_ns) / NS_PER_S
        return row


def _begun(event: SessionMessaged, message: DnsQuery | DnsResponse) -> Row:
    opcode = _OPCODES.get(message.opcode, f"unknown-{message.opcode}")
    row = {"ts": event.ts_ns, "proto": event.transport, "trans_id": message.transaction_id, "rejected": False}
    return row | {"AA": False, "TC": False, "RA": False, "opcode": message.opcode, "opcode_name": opcode}


def _question(question: DnsQuestion | None) -> Row:
    if question is None:
        return {}
    number, name = _CLASSES.get(question.qclass, (None, question.qclass))
    kind = "*" if question.qtype == "ANY" else question.qtype
    found = {"query": question.name or None, "qclass": number, "qclass_name": name}
    return found | {"qtype": TYPE_NUMBERS.get(question.qtype), "qtype_name": kind}


def _is_rejected(message: DnsResponse) -> bool:
    """Whether an answer says nothing but no."""
    if not message.questions:
        return message.rcode != 0
    return not (message.answers or message.authority_count or message.additional_count)


def _answer(record: DnsRecord) -> str:
    """A record as that program writes it: mostly the name it leads to."""
    kind, data = record.rtype, record.data
    if kind in _NAMED_BY:
        return data.split(" ")[_NAMED_BY[kind]].rstrip(".") if not data.startswith("\\#") else data
    if kind in ("TXT", "SPF"):
        strings = [_plain(text) for text in _STRING.findall(data)]
        return " ".join(f"{kind} {len(text)} {text}" for text in strings)
    make = _OWN_WORDS.get(kind)
    raw = _bytes(data)
    return make(record, raw) if make is not None else data


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1])) if found[1].isdigit() else found[1], text)


def _bytes(data: str) -> bytes:
    """The bytes of a record written as `\\# length hex` (RFC 3597); none of others."""
    return bytes.fromhex(data.split(" ")[2]) if data.startswith("\\# ") and data.count(" ") == 2 else b""


def _name(raw: bytes) -> str:
    labels, pos = [], 0
    while pos < len(raw) and raw[pos]:
        labels.append(raw[pos + 1 : pos + 1 + raw[pos]].decode("latin-1"))
        pos += 1 + raw[pos]
    return ".".join(labels)


def _rrsig(_record: DnsRecord, raw: bytes) -> str:
    return f"RRSIG {int.from_bytes(raw[:2], 'big')} {_name(raw[18:]) or '<Root>'}"


def _loc(_record: DnsRecord, raw: bytes) -> str:
    return f"LOC:  {raw[1]} {raw[2]} {raw[3]}" if len(raw) > 3 else "LOC:"


def _words(record: DnsRecord, *places: int) -> str:
    """Some words of a record's text behind its type."""
    words = record.data.split(" ")
    return " ".join((record.rtype, *(words[place] for place in places if place < len(words))))


def _naptr(record: DnsRecord, _raw: bytes) -> str:
    return " ".join(("NAPTR", *(word.strip('"') for word in record.data.split(" ") if word != '""')))


_OWN_WORDS: dict[str, Callable[[DnsRecord, bytes], str]] = {
    "RRSIG": _rrsig,
    "LOC": _loc,
    "NAPTR": _naptr,
    "DNSKEY": lambda record, _raw: _words(record, 2),
    "DS": lambda record, _raw: _words(record, 1, 2),
    "NSEC3": lambda _record, _raw: "NSEC3",
    "NSEC3PARAM": lambda _record, _raw: "NSEC3PARAM",
    "NSEC": lambda record, raw: f"NSEC {record.name} {_name(raw)}",
    "SSHFP": lambda record, _raw: f"SSHFP: {record.data.split(' ')[-1]}",
}
