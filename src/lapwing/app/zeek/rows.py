"""From the messages of one flow to rows, protocol by protocol. A row is told as soon as nothing can be added to it."""

import re
from collections import deque
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, Protocol

from lapwing.events import Outcome, SessionMessaged, Side
from lapwing.events.messages import (
    DnsQuery,
    DnsQuestion,
    DnsResponse,
    FtpCommand,
    FtpReply,
    HttpRequest,
    HttpResponse,
    SmtpCommand,
    SmtpMail,
    SmtpReply,
    SshAuthInferred,
    SshBanner,
    SshKexInit,
)

NS_PER_S = 1_000_000_000
MAX_PENDING = 1_000  # rows of a flow that wait for their answers; the oldest is told without one

Row = dict[str, Any]  # values by column; None or a missing key is unset


class Rows(Protocol):
    """Makes the rows of one log for one flow."""

    def add(self, event: SessionMessaged) -> Iterator[Row]:
        """Take the next message; yields rows that are complete."""
        ...

    def end(self) -> Iterator[Row]:
        """The flow is over; yields what is left."""
        ...


class HttpRows:
    """Requests and responses joined by their index."""

    def __init__(self) -> None:
        self._waiting: dict[int, Row] = {}

    def add(self, event: SessionMessaged) -> Iterator[Row]:
        """A response completes the row of its request."""
        message = event.message
        if isinstance(message, HttpRequest):
            row = self._waiting.setdefault(message.index, {"ts": event.ts_ns, "response_body_len": 0, "tags": ()})
            row |= {
                "trans_depth": message.index + 1,
                "method": message.method,
                "host": message.host,
                "uri": message.target,
                "referrer": header(message.headers, "referer"),
                "user_agent": header(message.headers, "user-agent"),
                "origin": header(message.headers, "origin"),
                "request_body_len": message.body_bytes,
            }
            if len(self._waiting) > MAX_PENDING:
                yield self._waiting.pop(next(iter(self._waiting)))
        elif isinstance(message, HttpResponse):
            yield from self._answer(event.ts_ns, message)

    def _answer(self, ts_ns: int, message: HttpResponse) -> Iterator[Row]:
        if message.status < 200 and message.status != 101:
            if message.index in self._waiting:
                self._waiting[message.index] |= {"info_code": message.status, "info_msg": message.reason or None}
            return
        row = self._waiting.pop(message.index, {"ts": ts_ns, "request_body_len": 0, "tags": ()})
        yield row | {
            "trans_depth": message.index + 1,
            "version": message.version,
            "response_body_len": message.body_bytes,
            "status_code": message.status,
            "status_msg": message.reason or None,
        }

    def end(self) -> Iterator[Row]:
        """Requests nobody answered."""
        yield from self._waiting.values()


def header(headers: list[tuple[str, str]], name: str) -> str | None:
    """The value of the first field of that name, in lower case."""
    return next((value for key, value in headers if key.lower() == name), None)


_CLASSES = {"IN": (1, "C_INTERNET"), "CH": (3, "C_CHAOS"), "HS": (4, "C_HESIOD"), "ANY": (255, "C_ANY")}
_TYPES = {
    "A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "HINFO": 13, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33,
    "NAPTR": 35, "DS": 43, "RRSIG": 46, "NSEC": 47, "DNSKEY": 48, "TLSA": 52, "SVCB": 64, "HTTPS": 65, "ANY": 255,
}  # fmt: skip
_RCODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET")
_OPCODES = {0: "query", 1: "iquery", 2: "status", 4: "notify", 5: "update"}


class DnsRows:
    """Queries joined with their answers by transaction id; multicast has no such pairs."""

    def __init__(self) -> None:
        self._waiting: dict[int, deque[tuple[int, Row]]] = {}
        self._count = 0

    def add(self, event: SessionMessaged) -> Iterator[Row]:
        """A response completes the row of the oldest query with its id."""
        message = event.message
        if isinstance(message, DnsQuery):
            row = self._asked(event, message)
            if ip_address(event.server_ip).is_multicast:
                yield row
                return
            self._waiting.setdefault(message.transaction_id, deque()).append((event.ts_ns, row))
            self._count += 1
            if self._count > MAX_PENDING:
                yield self._take(next(iter(self._waiting)))[1]
        elif isinstance(message, DnsResponse):
            yield self._answered(event, message)

    def end(self) -> Iterator[Row]:
        """Queries nobody answered."""
        yield from (row for rows in self._waiting.values() for _, row in rows)

    def _take(self, transaction_id: int) -> tuple[int, Row]:
        rows = self._waiting[transaction_id]
        self._count -= 1
        taken = rows.popleft()
        if not rows:
            del self._waiting[transaction_id]
        return taken

    def _asked(self, event: SessionMessaged, message: DnsQuery) -> Row:
        row = {"ts": event.ts_ns, "proto": event.transport, "trans_id": message.transaction_id, "rejected": False}
        row |= {"AA": False, "TC": False, "RD": message.recursion_desired, "RA": False, "Z": 0}
        row |= {"opcode": message.opcode, "opcode_name": _OPCODES.get(message.opcode, f"unknown-{message.opcode}")}
        return row | _question(message.questions[0] if message.questions else None)

    def _answered(self, event: SessionMessaged, message: DnsResponse) -> Row:
        if message.transaction_id in self._waiting:
            asked_ns, row = self._take(message.transaction_id)
            row["rtt"] = (event.ts_ns - asked_ns) / NS_PER_S
        else:
            name = (
                message.questions[0].name if message.questions else message.answers[0].name if message.answers else None
            )
            row = {"ts": event.ts_ns, "proto": event.transport, "trans_id": message.transaction_id, "query": name}
            row |= {"RD": False, "Z": 0, "opcode": message.opcode}
            row["opcode_name"] = _OPCODES.get(message.opcode, f"unknown-{message.opcode}")
        known = message.rcode < len(_RCODES)
        row |= {
            "rcode": message.rcode,
            "rcode_name": _RCODES[message.rcode] if known else f"unknown-{message.rcode}",
            "AA": message.authoritative,
            "TC": message.truncated,
            "RA": message.recursion_available,
            "rejected": message.rcode != 0 and not message.answers,
        }
        if message.answers:
            row["answers"] = tuple(answer.data.rstrip(".") for answer in message.answers)
            row["TTLs"] = tuple(f"{answer.ttl_s}.000000" for answer in message.answers)
        return row


def _question(question: DnsQuestion | None) -> Row:
    if question is None:
        return {}
    number, name = _CLASSES.get(question.qclass, (None, question.qclass))
    kind = "*" if question.qtype == "ANY" else question.qtype
    found = {"query": question.name or None, "qclass": number, "qclass_name": name}
    return found | {"qtype": _TYPES.get(question.qtype), "qtype_name": kind}


class FtpRows:
    """Commands joined with the replies they got, in order; the greeting answers `<init>`."""

    def __init__(self) -> None:
        self._user = "<unknown>"
        self._waiting: deque[Row] = deque([{"user": self._user, "command": "<init>"}])
        self._last: Row = {}

    def add(self, event: SessionMessaged) -> Iterator[Row]:
        """Each reply is a row."""
        message = event.message
        if isinstance(message, FtpCommand):
            if message.verb == "USER":
                self._user = message.argument
            row = {"ts": event.ts_ns, "user": self._user, "command": message.verb, "arg": message.argument or None}
            self._waiting.append(row)
            if len(self._waiting) > MAX_PENDING:
                yield self._waiting.popleft()
        elif isinstance(message, FtpReply):
            current = self._waiting[0] if self._waiting else self._last
            text = message.text.split("\n")[-1] or None
            self._last = {"ts": event.ts_ns, **current, "reply_code": message.code, "reply_msg": text}
            if message.code >= 200 and self._waiting:
                self._waiting.popleft()
            yield self._last

    def end(self) -> Iterator[Row]:
        """Commands nobody answered."""
        yield from self._waiting


_PATH = re.compile(r":\s*<?([^>\s]*)")
_MAIL_HEADERS = {
    "date": "date", "from": "from", "message-id": "msg_id", "subject": "subject", "reply-to": "reply_to",
    "in-reply-to": "in_reply_to", "user-agent": "user_agent", "x-mailer": "user_agent",
}  # fmt: skip


class SmtpRows:
    """Mail transactions, or what was said without one. Replies answer commands in order, also of an eager client."""

    def __init__(self) -> None:
        self._row: Row = {"trans_depth": 1, "tls": False, "path": ()}
        self._unanswered: deque[Row] = deque([self._row])  # the greeting
        self._done: list[Row] = []
        self._sent = ""

    def add(self, event: SessionMessaged) -> Iterator[Row]:
        """A new MAIL completes the transaction before it, once that was answered."""
        message, row = event.message, self._row
        row.setdefault("ts", event.ts_ns)
        if isinstance(message, SmtpCommand):
            if message.verb == "MAIL" and "mailfrom" in row:
                self._done.append(row)
                depth = row["trans_depth"] + 1
                row = self._row = {"trans_depth": depth, "helo": row.get("helo"), "tls": row["tls"], "path": ()}
                row["ts"] = event.ts_ns
            self._sent = message.verb
            self._say(row, message)
            self._expect({} if message.verb == "QUIT" else row)
        elif isinstance(message, SmtpMail):
            row |= {_MAIL_HEADERS[key.lower()]: value for key, value in message.headers if key.lower() in _MAIL_HEADERS}
            if self._sent == "DATA":  # answered twice
                self._expect(row)
        elif isinstance(message, SmtpReply) and self._unanswered:
            last_line = message.text.splitlines()[-1] if message.text else ""
            self._unanswered.popleft()["last_reply"] = f"{message.code} {last_line}".strip()
        yield from self._complete()

    def end(self) -> Iterator[Row]:
        """The last transaction, and those whose replies never came."""
        yield from self._done
        if "ts" in self._row:
            yield self._row

    def _expect(self, row: Row) -> None:
        self._unanswered.append(row)
        if len(self._unanswered) > MAX_PENDING:
            self._unanswered.popleft()

    def _complete(self) -> Iterator[Row]:
        while self._done and all(row is not self._done[0] for row in self._unanswered):
            yield self._done.pop(0)

    def _say(self, row: Row, command: SmtpCommand) -> None:
        address = _PATH.search(command.argument)
        if command.verb in ("HELO", "EHLO"):
            row["helo"] = command.argument
        elif command.verb == "MAIL" and address:
            row["mailfrom"] = address[1]
        elif command.verb == "RCPT" and address and address[1] not in row.get("rcptto", ()):
            row["rcptto"] = (*row.get("rcptto", ()), address[1])[:MAX_PENDING]


_NEGOTIATED = {
    "cipher_alg": "ciphers_client_to_server",
    "mac_alg": "macs_client_to_server",
    "compression_alg": "compression_client_to_server",
    "kex_alg": "kex_algorithms",
    "host_key_alg": "host_key_algorithms",
}


class SshRows:
    """One row a connection. Algorithms are the client's first that the server has too (RFC 4253 section 7.1)."""

    def __init__(self) -> None:
        self._row: Row = {"auth_attempts": 0}
        self._offers: dict[Side, SshKexInit] = {}

    def add(self, event: SessionMessaged) -> Iterator[Row]:
        """Nothing is complete before the end."""
        message, row = event.message, self._row
        row.setdefault("ts", event.ts_ns)
        if isinstance(message, SshBanner):
            row["client" if event.side is Side.CLIENT else "server"] = message.banner
            if event.side is Side.SERVER:
                row["version"] = 2 if message.banner.startswith(("SSH-2.", "SSH-1.99")) else 1
        elif isinstance(message, SshKexInit):
            self._offers.setdefault(event.side, message)
        elif isinstance(message, SshAuthInferred):
            row["auth_attempts"] = message.attempt_count
            if message.outcome in (Outcome.SUCCEEDED, Outcome.FAILED):
                row["auth_success"] = message.outcome is Outcome.SUCCEEDED
        yield from ()

    def end(self) -> Iterator[Row]:
        """The connection."""
        if len(self._offers) == 2:
            for column, field in _NEGOTIATED.items():
                theirs = getattr(self._offers[Side.SERVER], field)
                ours = getattr(self._offers[Side.CLIENT], field)
                self._row[column] = next((name for name in ours if name in theirs), None)
        yield self._row
