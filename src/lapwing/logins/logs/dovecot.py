"""What Dovecot's login processes say."""

import re
from collections.abc import Iterable

from lapwing.events import AuthResolved, Outcome
from lapwing.logins.logs.context import LogContext, address
from lapwing.logins.logs.contract import Miss, Reading

MAX_TRIES = 1_000  # that one line may stand for

_SERVICES = {"imap": "imap", "pop3": "pop3", "submission": "smtp", "managesieve": "sieve", "sieve": "sieve"}
# The name is the client's; what follows its last `rip=` is Dovecot's own.
_PEER = re.compile(r"(.*)>, (?:method=([\w-]{1,32}), )?rip=([0-9A-Fa-f.:]+)(?:, lip=([0-9A-Fa-f.:]+))?(?:,.*)?")
_TRIES = re.compile(r"\(auth failed, (\d{1,6}) attempts?(?: in \d+ secs)?\)")


class DovecotMessages:
    """Reads `imap-login: ...` and its like; see MessageReader."""

    __slots__ = ("_context",)

    def __init__(self, context: LogContext) -> None:
        self._context = context

    def read(self, ts_ns: int, _pid: str, message: str) -> Reading:
        """See MessageReader."""
        process, _, rest = message.partition("-login: ")
        service = _SERVICES.get(process)
        if service is None:
            return Miss.OTHER
        head, found, fields = rest.removeprefix("Info: ").partition(": user=<")
        if not found:
            head, found, fields = rest.removeprefix("Info: ").partition(" user=<")
        outcome, count = _outcome(head)
        if not found or outcome is None:
            return Miss.OTHER
        match = _PEER.fullmatch(fields)
        client_ip = address(match[3]) if match else None
        if match is None or client_ip is None:
            return Miss.NO_ADDRESS
        return self._context.login(
            ts_ns,
            service,
            (match[2] or "unknown").lower(),
            client_ip,
            outcome,
            "dovecot: Login" if outcome is Outcome.SUCCEEDED else "dovecot: auth failed",
            username=match[1],
            server_ip=address(match[4] or ""),
            attempt_count=count,
        )

    def close(self) -> Iterable[AuthResolved]:
        """See MessageReader."""
        return ()


def _outcome(head: str) -> tuple[Outcome | None, int]:
    if head == "Login":
        return Outcome.SUCCEEDED, 1
    tries = _TRIES.search(head)
    return (None, 0) if tries is None else (Outcome.FAILED, min(max(int(tries[1]), 1), MAX_TRIES))
