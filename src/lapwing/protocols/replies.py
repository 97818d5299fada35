"""Numbered server replies of one or several lines, as FTP (RFC 959, 4.2) and SMTP (RFC 5321, 4.2) have them."""

import re

import msgspec

from lapwing.events.messages import REDACTED
from lapwing.protocols.lines import Line, text_of

MAX_REPLY_TEXT_BYTES = (
    8 * 1024
)  # per reply; of a longer one, from the first line that does not fit, only the end is looked for
MIN_ECHO_CHARS = 4  # shorter secrets would hide ordinary words

_REPLY = re.compile(rb"([1-6]\d\d)([ -]|$)(.*)", re.DOTALL)
_REPLY_START = re.compile(rb"[1-6](?:\d(?:\d(?:[ -].*)?)?)?\Z", re.DOTALL)
REPLY_STARTS = b"123456\n"  # first bytes that `is_reply_start` takes; nothing but a line end is no reply yet
_ECHOING = range(500, 505)  # syntax error, not implemented, bad sequence: servers like to quote the command


class Reply(msgspec.Struct, frozen=True, gc=False):
    """One complete reply; the lines of `text` are joined by newlines."""

    code: int
    text: str


def is_reply_start(line: bytes) -> bool:
    """Whether `line`, or the part of it that came so far, can be a reply; True for nothing."""
    return not line or _REPLY_START.match(line) is not None


def hide_echo(reply: Reply, secret: str) -> Reply:
    """Return `reply` without `secret` where the server quotes the command it did not understand."""
    if len(secret) < MIN_ECHO_CHARS or reply.code not in _ECHOING or secret not in reply.text:
        return reply
    return Reply(reply.code, reply.text.replace(secret, REDACTED))


class ReplyBuilder:
    """Puts reply lines together. `strange_count` counts lines in a row that were no reply."""

    __slots__ = ("_any_code_ends", "_code", "_held", "_lines", "strange_count")

    def __init__(self, *, any_code_ends: bool) -> None:
        """With `any_code_ends` a final line of another code ends a multi-line reply too (SMTP, not FTP)."""
        self._any_code_ends = any_code_ends
        self._code = b""
        self._lines: list[str] = []
        self._held = 0
        self.strange_count = 0

    def add(self, line: Line) -> Reply | None:
        """Take one line; return the reply it completes."""
        found = _REPLY.match(line.data)
        if self._code:
            return self._continue(line, found)
        if found is None:
            self.strange_count += not line.doubtful
            return None
        self.strange_count = 0
        code, mark, rest = found.groups()
        text = text_of(rest)
        if mark != b"-":
            return Reply(int(code), text)
        self._code = code
        self._keep(text)
        return None

    def gap(self) -> None:
        """Lines are missing: forget the reply they belonged to."""
        self._code = b""
        self._lines = []
        self._held = 0

    def _continue(self, line: Line, found: re.Match[bytes] | None) -> Reply | None:
        if found is None or (found[1] != self._code and not self._any_code_ends):
            self._keep(line.text)
            return None
        self._keep(text_of(found[3]))
        if found[2] == b"-":
            return None
        reply = Reply(int(self._code), "\n".join(self._lines))
        self.gap()
        return reply

    def _keep(self, text: str) -> None:
        """Keep a line if it and all before it fit: what is told of a reply is its beginning, never one with a hole."""
        self._held += len(text)
        if self._held <= MAX_REPLY_TEXT_BYTES:
            self._lines.append(text)
            self._held += 1
