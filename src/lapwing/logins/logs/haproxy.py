"""HAProxy's HTTP log, in the system log or by itself."""

import re
from collections.abc import Iterable

from lapwing.events import AuthResolved
from lapwing.logins.logs.context import LogContext, address, port
from lapwing.logins.logs.contract import LogFormat, Miss, Reading
from lapwing.logins.logs.web import Request, WebLogins

# Captured headers stand in braces before the request, which is last; HAProxy escapes quotation marks in both.
_MESSAGE = re.compile(
    r"([0-9A-Fa-f.:]+):(\d{1,5}) \[(\d\d/\w{3}/\d{4}:[\d:]{8}\.\d{3})\] \S+ \S+ [\d/+-]+ (\d{3}|-1) \+?\d+"
    r' .{1,16384}? "([A-Z]+) ([^\s"]++)[^"]*+"'
    r'(?: \d+/[^"]*)?'  # what `option httpslog` adds
)
_LINE = re.compile(r"(?:haproxy\[\d+\]: )?([0-9A-Fa-f.:]+:\d{1,5} \[\d\d/\w{3}/\d{4}:.*)")


class HaproxyMessages:
    """Reads `192.0.2.1:5000 [time] frontend backend/server ... "POST /login HTTP/1.1"`; see MessageReader."""

    __slots__ = ("_clock", "_logins")

    def __init__(self, context: LogContext) -> None:
        self._clock = context.clock
        self._logins = WebLogins(context)

    def read(self, _ts_ns: int, _pid: str, message: str) -> Reading:
        """See MessageReader."""
        match = _MESSAGE.fullmatch(message)
        if match is None or match[4] == "-1":
            return Miss.OTHER
        ts_ns = self._clock.clf(match[3])
        if ts_ns is None:
            return Miss.NO_TIME
        peer = address(match[1])
        if peer is None:
            return Miss.NO_ADDRESS
        return self._logins.read(Request(ts_ns, peer, match[5], match[6], int(match[4]), port=port(match[2])))

    def close(self) -> Iterable[AuthResolved]:
        """See MessageReader."""
        return ()


class HaproxyLines:
    """Reads HAProxy's log without a system log's head; see LineReader."""

    __slots__ = ("_messages",)

    def __init__(self, context: LogContext) -> None:
        self._messages = HaproxyMessages(context)

    def read(self, line: str) -> Reading:
        """See LineReader."""
        match = _LINE.fullmatch(line)
        return Miss.FOREIGN if match is None else self._messages.read(0, "", match[1])

    def close(self) -> Iterable[AuthResolved]:
        """See LineReader."""
        return ()


def _recognises(line: str) -> bool:
    return _LINE.fullmatch(line) is not None


HAPROXY = LogFormat("haproxy", "HAProxy's HTTP log", _recognises, HaproxyLines)
