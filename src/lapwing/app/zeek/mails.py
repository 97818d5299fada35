"""Rows of `smtp.log`."""

import re
from collections import deque
from collections.abc import Iterator
from ipaddress import ip_address

from lapwing.app.zeek.names import fuid
from lapwing.app.zeek.rows import MAX_PENDING, Row
from lapwing.events import SessionMessaged
from lapwing.events.messages import SmtpCommand, SmtpMail, SmtpReply

MAX_SERVERS = 1_000  # named in one `path`

_PATH = re.compile(r":\s*<?([^>\s]*)")
_HEADERS = {
    "date": "date", "from": "from", "message-id": "msg_id", "subject": "subject", "reply-to": "reply_to",
    "in-reply-to": "in_reply_to", "user-agent": "user_agent", "x-mailer": "user_agent",
}  # fmt: skip
_LISTS = {"to": "to", "cc": "cc"}
_ADDRESS = re.compile(r"(?<![\w.:])(\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w.:])")


class SmtpRows:
    """Mail transactions, or what was said without one. Replies answer commands in order, also of an eager client."""

    def __init__(self) -> None:
        self._row: Row = {"trans_depth": 1, "tls": False}
        self._unanswered: deque[Row] = deque([self._row])  # the greeting
        self._done: list[Row] = []
        self._sent = ""

    def add(self, event: SessionMessaged) -> Iterator[Row]:
        """A new MAIL completes the transaction before it, once that was answered."""
        message, row = event.message, self._row
        row.setdefault("ts", event.ts_ns)
        row.setdefault("path", (event.server_ip, event.client_ip))
        row.setdefault("fuids", ())
        if isinstance(message, SmtpCommand):
            if message.verb == "MAIL" and "mailfrom" in row:
                row = self._next(event)
            self._sent = message.verb
            _say(row, message)
            self._expect({} if message.verb == "QUIT" else row)
        elif isinstance(message, SmtpMail):
            _fill(row, message)
            if message.files:
                row["fuids"] = tuple(fuid(event, number) for number in range(len(message.files)))
            if self._sent == "DATA":  # answered twice
                self._expect(row)
        elif isinstance(message, SmtpReply) and self._unanswered:
            last_line = message.text.splitlines()[-1] if message.text else ""
            answered = self._unanswered.popleft()
            answered["last_reply"] = f"{message.code} {last_line}".strip()
            if self._sent == "STARTTLS" and message.code == 220 and not self._unanswered:
                answered["tls"] = True
        yield from self._complete()

    def end(self) -> Iterator[Row]:
        """The last transaction, and those whose replies never came."""
        yield from self._done
        if "ts" in self._row:
            yield self._row

    def _next(self, event: SessionMessaged) -> Row:
        row = self._row
        self._done.append(row)
        self._row = {
            "ts": event.ts_ns,
            "trans_depth": row["trans_depth"] + 1,
            "helo": row.get("helo"),
            "tls": row["tls"],
            "path": (event.server_ip, event.client_ip),
            "fuids": (),
        }
        return self._row

    def _expect(self, row: Row) -> None:
        self._unanswered.append(row)
        if len(self._unanswered) > MAX_PENDING:
            self._unanswered.popleft()

    def _complete(self) -> Iterator[Row]:
        while self._done and all(row is not self._done[0] for row in self._unanswered):
            yield self._done.pop(0)


def _say(row: Row, command: SmtpCommand) -> None:
    address = _PATH.search(command.argument)
    if command.verb in ("HELO", "EHLO"):
        row["helo"] = command.argument
    elif command.verb == "MAIL" and address:
        row["mailfrom"] = address[1]
    elif command.verb == "RCPT" and address and address[1] not in row.get("rcptto", ()):
        row["rcptto"] = (*row.get("rcptto", ()), address[1])[:MAX_PENDING]


def _fill(row: Row, mail: SmtpMail) -> None:
    """Take the header fields of a mail. Of `Received`, the lowest is the first server."""
    for key, value in mail.headers:
        name = key.lower()
        if name in _HEADERS:
            row[_HEADERS[name]] = value
        elif name in _LISTS:
            row[_LISTS[name]] = (*row.get(_LISTS[name], ()), *_split(value))[:MAX_PENDING]
        elif name == "received":
            if "first_received" in row:
                row["second_received"] = row["first_received"]
            row["first_received"] = value
            _follow(row, value)
        elif name == "x-originating-ip" and (found := _addresses(value)):
            row["x_originating_ip"] = found[0]


def _split(value: str) -> Iterator[str]:
    """What stands between commas, those within quotes apart."""
    parts = [""]
    for number, piece in enumerate(value.split('"')):
        if number % 2:
            parts[-1] += f'"{piece}"'
            continue
        first, *others = piece.split(",")
        parts[-1] += first
        parts += others
    return (part.strip() for part in parts if part.strip())


def _follow(row: Row, received: str) -> None:
    """One more server on the way; where two addresses are named, the second is the one that was seen."""
    found = _addresses(received)
    if not found:
        return
    address = found[1] if len(found) > 1 else found[0]
    if row["path"][-1] != address and len(row["path"]) < MAX_SERVERS:
        row["path"] = (*row["path"], address)


def _addresses(text: str) -> list[str]:
    found = []
    for word in _ADDRESS.findall(text):
        try:
            found.append(str(ip_address(word)))
        except ValueError:
            continue
    return found
