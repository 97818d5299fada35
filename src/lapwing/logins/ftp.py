"""Logins over FTP: USER and PASS, and what the server replies to them (RFC 959, 5.4; RFC 2577)."""

from collections import deque
from collections.abc import Iterable

from lapwing.events import AuthAttempted, AuthEvent, Message, Outcome, Side
from lapwing.events.messages import FtpCommand, FtpReply
from lapwing.logins.contract import LoginAdapter, LoginContext, LoginProtocol
from lapwing.logins.tries import attempted, resolved, says_locked, unanswered

MAX_PENDING = 16  # tries sent without waiting for an answer; the oldest beyond are resolved as unknown

ANONYMOUS_USERS = frozenset({"anonymous", "ftp"})  # RFC 1635

_SUCCEEDED = frozenset({230, 232})  # logged in; authorised by the security exchange
_FAILED = frozenset({430, 431, 530, 531, 532, 534, 535})
_CLOSING = 421
_UNKNOWN, _WRONG = Outcome.UNKNOWN, Outcome.FAILED  # before Python 3.12 a look at a member costs as much as a call
_NEED_ACCOUNT = 332


class FtpLogins:
    """Finds the logins of one control connection; see LoginAdapter for the contract.

    Replies are matched by what they say and not by counting, so a reply that was lost spoils one login only.
    """

    def __init__(self, context: LoginContext) -> None:
        self._context = context
        self._user: str | None = None
        self._user_asked_ns: int | None = None  # USER was sent, and neither answered nor followed by PASS
        self._pending: deque[AuthAttempted] = deque()

    def message(self, side: Side, message: Message, ts_ns: int) -> Iterable[AuthEvent]:
        """See LoginAdapter."""
        if type(message) is FtpCommand:
            return self._command(message, ts_ns)
        if type(message) is FtpReply:
            return self._reply(message, ts_ns)
        return ()

    def close(self, ts_ns: int) -> Iterable[AuthEvent]:
        """See LoginAdapter."""
        events = [unanswered(attempt, ts_ns) for attempt in self._pending]
        self._pending.clear()
        return events

    def _command(self, command: FtpCommand, ts_ns: int) -> list[AuthEvent]:
        if command.verb in {"USER", "REIN"}:
            self._user = command.argument if command.verb == "USER" else None
            self._user_asked_ns = ts_ns if command.verb == "USER" else None
        elif command.verb in {"PASS", "ACCT"}:
            self._user_asked_ns = None
            return self._presented(command, ts_ns)
        return []

    def _presented(self, command: FtpCommand, ts_ns: int) -> list[AuthEvent]:
        mechanism = "account" if command.verb == "ACCT" else self._mechanism()
        attempt = self._attempt(ts_ns, mechanism, command.argument)
        events: list[AuthEvent] = [attempt]
        if len(self._pending) == MAX_PENDING:
            events.append(unanswered(self._pending.popleft(), ts_ns))
        self._pending.append(attempt)
        return events

    def _reply(self, reply: FtpReply, ts_ns: int) -> list[AuthEvent]:
        judged = _judge(reply)
        if judged is None:
            return []
        if self._pending:
            attempt = self._pending.popleft()
        elif self._user_asked_ns is not None and judged[0] is not _UNKNOWN:
            # Let in or turned away on the name alone.
            attempt = self._attempt(self._user_asked_ns, self._mechanism(), None)
            self._user_asked_ns = None
        else:
            return []
        outcome, confidence = judged
        return [resolved(attempt, ts_ns, outcome, f"reply {reply.code}", confidence=confidence)]

    def _mechanism(self) -> str:
        anonymous = self._user is not None and self._user.strip().lower() in ANONYMOUS_USERS
        return "anonymous" if anonymous else "password"

    def _attempt(self, ts_ns: int, mechanism: str, secret: str | None) -> AuthAttempted:
        return attempted(self._context, ts_ns, protocol="ftp", mechanism=mechanism, username=self._user, secret=secret)


def _judge(reply: FtpReply) -> tuple[Outcome, float] | None:
    """What a reply says of a login: outcome and confidence; None when it speaks of something else."""
    if reply.code in _SUCCEEDED:
        return Outcome.SUCCEEDED, 1.0
    if reply.code == _NEED_ACCOUNT:
        return Outcome.CHALLENGED, 1.0
    if reply.code in _FAILED or reply.code == _CLOSING:
        if says_locked(reply.text):
            return Outcome.LOCKED, 0.9
        return (_UNKNOWN, 0.0) if reply.code == _CLOSING else (_WRONG, 1.0)
    if reply.code in {202, 500, 501, 502, 503, 504}:
        return Outcome.UNKNOWN, 0.0  # PASS was not wanted or not understood, so nobody judged it
    return None


def _make(context: LoginContext) -> LoginAdapter:
    return FtpLogins(context)


FTP_LOGINS = LoginProtocol("ftp", _make)
