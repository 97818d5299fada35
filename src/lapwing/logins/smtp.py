"""Logins over SMTP: the AUTH exchange and its final reply (RFC 4954)."""

from collections.abc import Iterable

import msgspec

from lapwing.events import AuthAttempted, AuthEvent, Message, Outcome, Side
from lapwing.events.messages import AUTH_DATA_VERB, SmtpCommand, SmtpReply
from lapwing.logins import sasl
from lapwing.logins.contract import LoginAdapter, LoginContext, LoginProtocol
from lapwing.logins.tries import attempted, resolved, says_locked, unanswered
from lapwing.logins.usernames import normalise

MAX_MECHANISM_CHARS = 20  # RFC 4422, 3.1

_CONTINUE = 334
_FAILED = {535: 1.0, 534: 0.7, 550: 0.7, 553: 0.7, 554: 0.7}  # with confidence: only 535 is said of credentials alone
_CHALLENGED = 432  # a password transition is needed


class _Exchange:
    """One AUTH command and the lines that follow it."""

    def __init__(self, mechanism: str) -> None:
        self.mechanism = mechanism
        self.attempt: AuthAttempted | None = None
        self.username: str | None = None  # of LOGIN, between its two lines
        self.line_count = 0
        self.cancelled = False


class SmtpLogins:
    """Finds the logins of one connection; see LoginAdapter for the contract."""

    def __init__(self, context: LoginContext) -> None:
        self._context = context
        self._exchange: _Exchange | None = None

    def message(self, side: Side, message: Message, ts_ns: int) -> Iterable[AuthEvent]:
        """See LoginAdapter."""
        if isinstance(message, SmtpReply):
            return self._reply(message, ts_ns)
        if isinstance(message, SmtpCommand):
            if message.verb == "AUTH":
                return self._begin(message.argument, ts_ns)
            if message.verb == AUTH_DATA_VERB:
                return self._line(message.argument, ts_ns)
        return ()

    def close(self, ts_ns: int) -> Iterable[AuthEvent]:
        """See LoginAdapter."""
        exchange, self._exchange = self._exchange, None
        if exchange is None or exchange.attempt is None:
            return []
        return [unanswered(exchange.attempt, ts_ns)]

    def _begin(self, argument: str, ts_ns: int) -> list[AuthEvent]:
        events = list(self.close(ts_ns))
        mechanism, _, initial = argument.partition(" ")
        self._exchange = _Exchange(mechanism[:MAX_MECHANISM_CHARS].lower() or "unknown")
        if initial:
            events += self._line(initial, ts_ns)
        return events

    def _line(self, line: str, ts_ns: int) -> list[AuthEvent]:
        exchange = self._exchange
        if exchange is None:
            exchange = self._exchange = _Exchange("unknown")  # AUTH itself was not captured
        if line == "*":
            exchange.cancelled = True
            return []
        exchange.line_count += 1
        data = sasl.decode(line)
        if exchange.mechanism == "login":
            return self._login_line(exchange, data, ts_ns)
        said = sasl.read(exchange.mechanism, data) if data is not None else sasl.Said()
        if exchange.attempt is None:
            return [self._present(exchange, said, ts_ns)]
        if exchange.attempt.username is None and said.username is not None:
            username = normalise(said.username, self._context.settings)
            exchange.attempt = msgspec.structs.replace(exchange.attempt, username=username)
        return []

    def _login_line(self, exchange: _Exchange, data: bytes | None, ts_ns: int) -> list[AuthEvent]:
        if exchange.line_count == 1:
            exchange.username = None if data is None else sasl.text_of(data)
            return []
        if exchange.attempt is not None:
            return []
        return [self._present(exchange, sasl.Said(exchange.username, data or None), ts_ns)]

    def _present(self, exchange: _Exchange, said: sasl.Said, ts_ns: int) -> AuthAttempted:
        exchange.attempt = attempted(
            self._context,
            ts_ns,
            protocol="smtp",
            mechanism=exchange.mechanism,
            username=said.username,
            secret=said.secret,
        )
        return exchange.attempt

    def _reply(self, reply: SmtpReply, ts_ns: int) -> list[AuthEvent]:
        exchange = self._exchange
        if exchange is None or reply.code == _CONTINUE or (reply.code < 400 and reply.code != 235):
            return []
        self._exchange = None
        outcome, confidence = _judge(reply)
        events: list[AuthEvent] = []
        if exchange.attempt is None:
            if not exchange.username or outcome is Outcome.UNKNOWN or exchange.cancelled:
                return []  # no credentials were presented
            events.append(self._present(exchange, sasl.Said(exchange.username), ts_ns))
        attempt = exchange.attempt
        if attempt is None or exchange.cancelled:
            return [unanswered(attempt, ts_ns, "cancelled")] if attempt is not None else []
        events.append(resolved(attempt, ts_ns, outcome, f"reply {reply.code}", confidence=confidence))
        return events


def _judge(reply: SmtpReply) -> tuple[Outcome, float]:
    if reply.code == 235:
        return Outcome.SUCCEEDED, 1.0
    if reply.code == _CHALLENGED:
        return Outcome.CHALLENGED, 1.0
    if says_locked(reply.text):
        return Outcome.LOCKED, 0.9
    if reply.code == 534 and "application" in reply.text.lower():
        return Outcome.CHALLENGED, 0.7  # the password of the account is not taken here
    if reply.code in _FAILED:
        return Outcome.FAILED, _FAILED[reply.code]
    return Outcome.UNKNOWN, 0.0  # trouble, syntax or policy: nobody judged the credentials


def _make(context: LoginContext) -> LoginAdapter:
    return SmtpLogins(context)


SMTP_LOGINS = LoginProtocol("smtp", _make)
