"""What Postfix's SMTP server says of SASL logins."""

import re
from collections.abc import Iterable

from lapwing.events import AuthResolved, Outcome
from lapwing.logins.logs.context import LogContext, address
from lapwing.logins.logs.contract import Miss, Reading

# The client's name in front of its address is from the DNS, which allows no bracket or blank in it.
_FAILED = re.compile(
    r"(?:warning: )?[^\s\[\]]+\[([0-9A-Fa-f.:]+)\](?::\d+)?: SASL ([\w-]+) authentication failed(?:: (.*))?"
)
_CLIENT = re.compile(
    r"[0-9A-Za-z]+: client=[^\s\[\],]+\[([0-9A-Fa-f.:]+)\](?::\d+)?, sasl_method=([\w-]+), sasl_username=(.*)"
)
_NAME = "sasl_username="
_BROKEN = ("Connection lost to authentication server", "Temporary authentication failure", "generic failure")


class PostfixMessages:
    """Reads messages of `postfix/smtpd`; see MessageReader."""

    __slots__ = ("_context",)

    def __init__(self, context: LogContext) -> None:
        self._context = context

    def read(self, ts_ns: int, _pid: str, message: str) -> Reading:
        """See MessageReader."""
        if " authentication failed" in message:
            return self._failed(ts_ns, message)
        match = _CLIENT.fullmatch(message) if ", sasl_method=" in message else None
        if match is None:
            return Miss.OTHER
        name = match[3].partition(", sasl_sender=")[0]
        return self._login(ts_ns, match[2], match[1], Outcome.SUCCEEDED, name)

    def close(self) -> Iterable[AuthResolved]:
        """See MessageReader."""
        return ()

    def _failed(self, ts_ns: int, message: str) -> Reading:
        match = _FAILED.fullmatch(message)
        if match is None:
            return Miss.OTHER
        reason = match[3] or ""
        outcome = Outcome.UNKNOWN if reason.startswith(_BROKEN) else Outcome.FAILED
        name = reason.rpartition(_NAME)[2] if _NAME in reason else None
        return self._login(ts_ns, match[2], match[1], outcome, name)

    def _login(self, ts_ns: int, method: str, host: str, outcome: Outcome, name: str | None) -> Reading:
        client_ip = address(host)
        if client_ip is None:
            return Miss.NO_ADDRESS
        return self._context.login(
            ts_ns, "smtp", method.lower(), client_ip, outcome, f"postfix: SASL {outcome}", username=name
        )
