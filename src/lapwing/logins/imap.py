"""Logins over IMAP: LOGIN and AUTHENTICATE, and the tagged response (RFC 9051, 6.2; codes of RFC 5530)."""

from collections.abc import Iterable

from lapwing.events import AuthAttempted, AuthEvent, Message, Outcome, Side
from lapwing.events.messages import AUTH_DATA_VERB
from lapwing.events.messages.imap import ImapCommand, ImapResponse
from lapwing.logins.contract import LoginAdapter, LoginContext, LoginProtocol
from lapwing.logins.sasl_exchange import SaslExchange
from lapwing.logins.tries import attempted, resolved, says_locked, unanswered

MAX_PENDING = 16  # tries sent without waiting for an answer; the oldest beyond are resolved as unknown

_UNJUDGED = ("[UNAVAILABLE]", "[CONTACTADMIN]", "[PRIVACYREQUIRED]", "[LIMIT]", "[SERVERBUG]", "[CLIENTBUG]")
_Try = AuthAttempted | SaslExchange


class ImapLogins:
    """Finds the logins of one connection; see LoginAdapter for the contract. Answers are matched by tag."""

    def __init__(self, context: LoginContext) -> None:
        self._context = context
        self._waiting: dict[str, _Try] = {}

    def message(self, side: Side, message: Message, ts_ns: int) -> Iterable[AuthEvent]:
        """See LoginAdapter."""
        if isinstance(message, ImapCommand):
            return self._command(message, ts_ns)
        if isinstance(message, ImapResponse):
            return self._response(message, ts_ns)
        return ()

    def close(self, ts_ns: int) -> Iterable[AuthEvent]:
        """See LoginAdapter."""
        events: list[AuthEvent] = []
        for waiting in self._waiting.values():
            events += _give_up(waiting, ts_ns)
        self._waiting.clear()
        return events

    def _command(self, command: ImapCommand, ts_ns: int) -> list[AuthEvent]:
        if command.verb == AUTH_DATA_VERB:
            exchange = self._waiting.get(command.tag)
            if not isinstance(exchange, SaslExchange) or not command.arguments:
                return []
            return exchange.line(command.arguments[0], ts_ns)
        if command.verb == "LOGIN" and len(command.arguments) >= 2:
            user, secret = command.arguments[:2]
            attempt = attempted(
                self._context, ts_ns, protocol="imap", mechanism="password", username=user, secret=secret or None
            )
            return [attempt, *self._wait(command.tag, attempt, ts_ns)]
        if command.verb == "AUTHENTICATE" and command.arguments:
            exchange = SaslExchange(self._context, "imap", command.arguments[0])
            events = self._wait(command.tag, exchange, ts_ns)
            if len(command.arguments) > 1:
                events += exchange.line(command.arguments[1], ts_ns)
            return events
        return []

    def _wait(self, tag: str, waiting: _Try, ts_ns: int) -> list[AuthEvent]:
        """Keep a try under its tag; returns the ends of those it pushes out."""
        events: list[AuthEvent] = []
        pushed = self._waiting.pop(tag, None)
        self._waiting[tag] = waiting
        if pushed is None and len(self._waiting) > MAX_PENDING:
            pushed = self._waiting.pop(next(iter(self._waiting)))
        if pushed is not None:
            events += _give_up(pushed, ts_ns)
        return events

    def _response(self, response: ImapResponse, ts_ns: int) -> list[AuthEvent]:
        if response.tag in ("*", "+"):
            return []
        waiting = self._waiting.pop(response.tag, None)
        if waiting is None:
            return []
        outcome, confidence = _judge(response)
        detail = f"response {response.status}"
        if isinstance(waiting, SaslExchange):
            return waiting.judged(outcome, confidence, detail, ts_ns)
        return [resolved(waiting, ts_ns, outcome, detail, confidence=confidence)]


def _give_up(waiting: _Try, ts_ns: int) -> list[AuthEvent]:
    return waiting.abandoned(ts_ns) if isinstance(waiting, SaslExchange) else [unanswered(waiting, ts_ns)]


def _judge(response: ImapResponse) -> tuple[Outcome, float]:
    if response.status == "OK":
        return Outcome.SUCCEEDED, 1.0
    text = response.text.upper()
    if response.status != "NO" or text.startswith(_UNJUDGED):
        return Outcome.UNKNOWN, 0.0  # not understood, not allowed here, or not judged now
    if text.startswith("[EXPIRED]"):
        return Outcome.CHALLENGED, 0.9  # right, but the secret must be changed first
    if says_locked(response.text):
        return Outcome.LOCKED, 0.9
    return Outcome.FAILED, 1.0


def _make(context: LoginContext) -> LoginAdapter:
    return ImapLogins(context)


IMAP_LOGINS = LoginProtocol("imap", _make)
