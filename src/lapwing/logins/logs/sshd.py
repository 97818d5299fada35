"""What OpenSSH's server says of logins.

A user name may hold anything, also ` from 192.0.2.1 port 22 ssh2`. The daemon writes address and port behind the name,
so the last place that reads so is its own; where text of the client can follow it too, nothing is believed.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from lapwing.events import AuthResolved, Outcome
from lapwing.logins.logs.context import LogContext, address, port
from lapwing.logins.logs.contract import Miss, Reading
from lapwing.logins.usernames import MAX_USERNAME_CHARS

MAX_WAITING = 4_096  # connections that named an unknown user and have not ended; the oldest beyond are told at once

_RESULT = re.compile(
    r"(Failed|Accepted|Partial) (\S+) for (invalid user )?(.*) from (\S+) port (\d{1,5})(?: ssh2)?(: .*)?"
)
_INVALID = re.compile(r"Invalid user (.*) from (\S+?)(?: port (\d{1,5}))?")
_ENDS = ("Connection closed by ", "Disconnected from ", "Connection reset by ", "Received disconnect from ")
_OUTCOMES = {"Failed": Outcome.FAILED, "Accepted": Outcome.SUCCEEDED, "Partial": Outcome.CHALLENGED}
_NAMED = ("invalid user ", "authenticating user ")


class _Waiting(NamedTuple):
    """A connection that named a user whom the host does not have."""

    ts_ns: int
    name: str
    client_ip: str
    client_port: int | None


class SshdMessages:
    """Reads one host's messages; see MessageReader."""

    __slots__ = ("_context", "_waiting")

    def __init__(self, context: LogContext) -> None:
        self._context = context
        self._waiting: dict[str, _Waiting] = {}  # by process

    def read(self, ts_ns: int, pid: str, message: str) -> Reading:
        """See MessageReader."""
        first = message[:1]
        if first in "FAP":
            return self._result(ts_ns, pid, message)
        if first == "I" and message.startswith("Invalid user "):
            return self._invalid(ts_ns, pid, message)
        if first in "CDR" and self._waiting and message.startswith(_ENDS):
            waiting = self._waiting.pop(pid, None)
            return Miss.OTHER if waiting is None else self._left(waiting)
        return Miss.OTHER

    def close(self) -> Iterable[AuthResolved]:
        """See MessageReader."""
        events = [self._left(waiting) for waiting in self._waiting.values()]
        self._waiting.clear()
        return events

    def _result(self, ts_ns: int, pid: str, message: str) -> Reading:
        match = _RESULT.fullmatch(message)
        if match is None:
            return Miss.OTHER
        word, mechanism, absent, name, host, number, rest = match.groups()
        if rest and message.count(" from ") > 1:
            return Miss.AMBIGUOUS
        client_ip = address(host)
        if client_ip is None:
            return Miss.NO_ADDRESS
        if self._waiting:
            self._waiting.pop(pid, None)
        return self._context.login(
            ts_ns,
            "ssh",
            mechanism,
            client_ip,
            _OUTCOMES[word],
            f"sshd: {word}",
            username=name,
            client_port=port(number),
            account_exists=False if absent else None,
        )

    def _invalid(self, ts_ns: int, pid: str, message: str) -> Reading:
        """An unknown user: told when the connection ends, unless refusals of it are logged."""
        match = _INVALID.fullmatch(message)
        if match is None:
            return Miss.OTHER
        client_ip = address(match[2])
        if client_ip is None:
            return Miss.NO_ADDRESS
        if not pid:  # nothing would tell which connection's end it is
            return Miss.OTHER
        before = self._waiting.pop(pid, None)
        if before is None and len(self._waiting) >= MAX_WAITING:
            before = self._waiting.pop(next(iter(self._waiting)))
        self._waiting[pid] = _Waiting(ts_ns, match[1][:MAX_USERNAME_CHARS], client_ip, port(match[3] or ""))
        return Miss.OTHER if before is None else self._left(before)

    def _left(self, waiting: _Waiting) -> AuthResolved:
        return self._context.login(
            waiting.ts_ns,
            "ssh",
            "unknown",
            waiting.client_ip,
            Outcome.UNKNOWN,
            "sshd: unknown user, left without a refusal",
            username=waiting.name,
            client_port=waiting.client_port,
            confidence=0.0,
            account_exists=False,
        )
