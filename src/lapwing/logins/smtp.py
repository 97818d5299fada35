"""Logins over SMTP: the AUTH exchange and its final reply (RFC 4954)."""

from collections.abc import Iterable

from lapwing.events import AuthEvent, Message, Outcome, Side
from lapwing.events.messages import AUTH_DATA_VERB, SmtpCommand, SmtpReply
from lapwing.logins.contract import LoginAdapter, LoginContext, LoginProtocol
from lapwing.logins.sasl_exchange import SaslExchange
from lapwing.logins.tries import says_locked

_CONTINUE = 334
_FAILED = {535: 1.0, 534: 0.7, 550: 0.7, 553: 0.7, 554: 0.7}  # with confidence: only 535 is said of credentials alone
_CHALLENGED = 432  # a password transition is needed


class SmtpLogins:
    """Finds the logins of one connection; see LoginAdapter for the contract."""

    def __init__(self, context: LoginContext) -> None:
        self._context = context
        self._exchange: SaslExchange | None = None

    def message(self, side: Side, message: Message, ts_ns: int) -> Iterable[AuthEvent]:
        """See LoginAdapter."""
        if type(message) is SmtpReply:
            return self._reply(message, ts_ns)
        if type(message) is SmtpCommand:
            if message.verb == "AUTH":
                return self._begin(message.argument, ts_ns)
            if message.verb == AUTH_DATA_VERB:
                return self._line(message.argument, ts_ns)
        return ()

    def close(self, ts_ns: int) -> Iterable[AuthEvent]:
        """See LoginAdapter."""
        exchange, self._exchange = self._exchange, None
        return () if exchange is None else exchange.abandoned(ts_ns)

    def _begin(self, argument: str, ts_ns: int) -> list[AuthEvent]:
        events = [*self.close(ts_ns)]
        mechanism, _, initial = argument.partition(" ")
        exchange = self._exchange = SaslExchange(self._context, "smtp", mechanism)
        if initial:
            events += exchange.line(initial, ts_ns)
        return events

    def _line(self, line: str, ts_ns: int) -> list[AuthEvent]:
        if self._exchange is None:
            self._exchange = SaslExchange(self._context, "smtp", "unknown")  # AUTH itself was not captured
        return self._exchange.line(line, ts_ns)

    def _reply(self, reply: SmtpReply, ts_ns: int) -> Iterable[AuthEvent]:
        exchange = self._exchange
        if exchange is None or reply.code == _CONTINUE or (reply.code < 400 and reply.code != 235):
            return ()
        self._exchange = None
        outcome, confidence = _judge(reply)
        return exchange.judged(outcome, confidence, f"reply {reply.code}", ts_ns)


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
