"""Access logs of nginx, Apache, Traefik and all that write the common or combined log format."""

import re
from collections.abc import Iterable

from lapwing.events import AuthResolved
from lapwing.logins.logs.context import LogContext, address
from lapwing.logins.logs.contract import LogFormat, Miss, Reading
from lapwing.logins.logs.web import Request, WebLogins

MAX_NAME_CHARS = 256  # of the name that a client gave; a longer one is nobody's, and its line no login

_QUOTED = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
# The client's words are the name and what stands in quotation marks, where servers escape marks and backslashes; the
# name holds none either, so the first `] "` is the server's own.
_LINE = re.compile(
    rf'(\S+) \S+ (.{{1,{MAX_NAME_CHARS}}}?) \[([^\]"]{{20,36}})\] {_QUOTED} (\d{{3}}) (?:\d+|-)'
    rf"(?: {_QUOTED} {_QUOTED})?(?: (.*))?"
)
_LAST_FIELD = re.compile(r'"([0-9A-Fa-f.:, \[\]]+)"')
_NO_NAME = " - - ["


class AccessLines:
    """Reads the combined log format; see LineReader."""

    __slots__ = ("__weakref__", "_clock", "_logins", "_marks")

    def __init__(self, context: LogContext) -> None:
        self._clock = context.clock
        self._logins = WebLogins(context)
        self.follow()
        context.followers.add(self)

    def follow(self) -> None:
        """See Follows."""
        self._logins.follow()
        self._marks = self._logins.marks

    def read(self, line: str) -> Reading:
        """See LineReader."""
        if _NO_NAME in line and '] "' in line:  # most lines are neither to a login surface nor with a name
            for mark in self._marks:
                if mark in line:
                    break
            else:
                return Miss.OTHER
        match = _match(line)
        if match is None:
            return Miss.OTHER if _is_long_named(line) else Miss.FOREIGN
        peer, user, stamp, asked, status, _, agent, rest = match.groups()
        ts_ns = self._clock.clf(stamp)
        if ts_ns is None:
            ts_ns = self._clock.iso(stamp)
        if ts_ns is None:
            return Miss.NO_TIME
        method, _, target = asked.partition(" ")
        forwarded = _LAST_FIELD.search(rest) if rest else None
        return self._logins.read(
            Request(
                ts_ns,
                peer,
                method,
                target.rpartition(" HTTP/")[0] or target,
                int(status),
                user,
                agent if agent and agent != "-" else None,
                forwarded[1] if forwarded else "",
            )
        )

    def close(self) -> Iterable[AuthResolved]:
        """See LineReader."""
        return ()


def _match(line: str) -> re.Match[str] | None:
    """Fit a line into the format, also one with the virtual host in front."""
    match = _LINE.fullmatch(line)
    if match is None or address(match[1]) is not None:
        return match
    behind = _LINE.fullmatch(line.partition(" ")[2])
    return match if behind is None or address(behind[1]) is None else behind


def _is_long_named(line: str) -> bool:
    """Whether a line is of the format but for its name: no client makes a log look like another one by long names."""
    begins = line.rfind(" [", 0, line.find('] "') + 1)
    words = line[: max(begins, 0)].split(" ", 2)
    if len(words) < 3 or len(words[2]) <= MAX_NAME_CHARS:
        return False
    return _recognises(f"{words[0]} {words[1]} -{line[begins:]}")


def _recognises(line: str) -> bool:
    match = _match(line)
    return match is not None and address(match[1]) is not None


ACCESS = LogFormat("combined", "nginx, Apache, Traefik: common and combined log format", _recognises, AccessLines)
