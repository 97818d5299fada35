"""What vsftpd says of logins, in its own log or the system's."""

import re
from collections.abc import Iterable

from lapwing.events import AuthResolved, Outcome
from lapwing.logins.logs.context import LogContext, address
from lapwing.logins.logs.contract import LogFormat, Miss, Reading

_LOGIN = re.compile(r'\[(.*)\] (OK|FAIL) LOGIN: Client "([0-9A-Fa-f.:]+)"(, anon password ".*")?')
_LINE = re.compile(r"(\w{3} \w{3} +\d{1,2} [\d:]{8} \d{4}) \[pid (\d+)\] (.*)")
_ANONYMOUS = ', anon password "'
_MARK = ' LOGIN: Client "'


class VsftpdMessages:
    """Reads `[user] FAIL LOGIN: Client "192.0.2.1"`; see MessageReader."""

    __slots__ = ("_context",)

    def __init__(self, context: LogContext) -> None:
        self._context = context

    def read(self, ts_ns: int, _pid: str, message: str) -> Reading:
        """See MessageReader."""
        match = _LOGIN.fullmatch(message)
        if match is None:
            return Miss.OTHER
        if _ANONYMOUS in message and message.count(_MARK) > 1:  # name and password both are the client's words
            return Miss.AMBIGUOUS
        client_ip = address(match[3])
        if client_ip is None:
            return Miss.NO_ADDRESS
        outcome = Outcome.SUCCEEDED if match[2] == "OK" else Outcome.FAILED
        return self._context.login(
            ts_ns, "ftp", "plain", client_ip, outcome, f"vsftpd: {match[2]} LOGIN", username=match[1]
        )

    def close(self) -> Iterable[AuthResolved]:
        """See MessageReader."""
        return ()


class VsftpdLines:
    """Reads vsftpd.log; see LineReader."""

    __slots__ = ("_clock", "_messages")

    def __init__(self, context: LogContext) -> None:
        self._clock = context.clock
        self._messages = VsftpdMessages(context)

    def read(self, line: str) -> Reading:
        """See LineReader."""
        match = _LINE.fullmatch(line)
        if match is None:
            return Miss.FOREIGN
        ts_ns = self._clock.any(match[1])
        return Miss.NO_TIME if ts_ns is None else self._messages.read(ts_ns, match[2], match[3])

    def close(self) -> Iterable[AuthResolved]:
        """See LineReader."""
        return ()


def _recognises(line: str) -> bool:
    return _LINE.fullmatch(line) is not None


VSFTPD = LogFormat("vsftpd", "vsftpd.log", _recognises, VsftpdLines)
