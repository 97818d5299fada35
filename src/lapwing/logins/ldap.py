"""Logins over LDAP: simple and SASL binds and their results (RFC 4511, 4.2; RFC 4513)."""

import re
from collections.abc import Iterable

from lapwing.events import AuthAttempted, AuthEvent, Message, Outcome, Side
from lapwing.events.messages.ldap import LdapBind, LdapResult
from lapwing.logins.contract import LoginAdapter, LoginContext, LoginProtocol
from lapwing.logins.sasl_exchange import SaslExchange
from lapwing.logins.tries import attempted, resolved, says_locked, unanswered

MAX_PENDING = 16  # binds sent without waiting for an answer; the oldest beyond are resolved as unknown

_SUCCESS, _NO_SUCH_OBJECT, _IN_PROGRESS, _INVALID_CREDENTIALS = 0, 32, 14, 49
_CONSTRAINT_VIOLATION = 19

# Active Directory says why in the text of invalidCredentials: `data 52e` and the like, Windows error codes in hex.
_REASON = re.compile(r"\bdata ([0-9a-f]{3})\b", re.IGNORECASE)
_LOCKED_REASONS = frozenset({"533", "701", "775"})  # disabled, account expired, locked out
_CHANGE_REASONS = frozenset({"532", "773"})  # right, but the password is expired or must be changed
_Try = AuthAttempted | SaslExchange


class LdapLogins:
    """Finds the logins of one connection; see LoginAdapter for the contract."""

    def __init__(self, context: LoginContext) -> None:
        self._context = context
        self._waiting: dict[int, _Try] = {}
        self._exchange: SaslExchange | None = None  # whose next step comes in another bind

    def message(self, side: Side, message: Message, ts_ns: int) -> Iterable[AuthEvent]:
        """See LoginAdapter."""
        if isinstance(message, LdapBind):
            return self._bind(message, ts_ns)
        if isinstance(message, LdapResult) and message.operation == "bind":
            return self._result(message, ts_ns)
        return ()

    def close(self, ts_ns: int) -> Iterable[AuthEvent]:
        """See LoginAdapter."""
        events: list[AuthEvent] = []
        for waiting in self._waiting.values():
            events += _give_up(waiting, ts_ns)
        self._waiting.clear()
        if self._exchange is not None:
            events += self._exchange.abandoned(ts_ns)
            self._exchange = None
        return events

    def _bind(self, bind: LdapBind, ts_ns: int) -> list[AuthEvent]:
        if bind.mechanism == "simple":
            attempt = self._simple(bind, ts_ns)
            return [attempt, *self._wait(bind.message_id, attempt, ts_ns)]
        exchange, self._exchange = self._exchange, None
        events: list[AuthEvent] = []
        if exchange is not None and exchange.mechanism != bind.mechanism:
            events += exchange.abandoned(ts_ns)
            exchange = None
        if exchange is None:
            exchange = SaslExchange(self._context, "ldap", bind.mechanism)
        events += exchange.data(bind.credentials, ts_ns) if bind.credentials else []
        return events + self._wait(bind.message_id, exchange, ts_ns)

    def _simple(self, bind: LdapBind, ts_ns: int) -> AuthAttempted:
        mechanism = "simple" if bind.credentials else "unauthenticated" if bind.name else "anonymous"  # RFC 4513, 5.1
        return attempted(
            self._context,
            ts_ns,
            protocol="ldap",
            mechanism=mechanism,
            username=bind.name or None,
            secret=bind.credentials or None,
        )

    def _wait(self, number: int, waiting: _Try, ts_ns: int) -> list[AuthEvent]:
        """Keep a try under its number; returns the ends of those it pushes out."""
        pushed = self._waiting.pop(number, None)
        self._waiting[number] = waiting
        if pushed is None and len(self._waiting) > MAX_PENDING:
            pushed = self._waiting.pop(next(iter(self._waiting)))
        return [] if pushed is None or pushed is waiting else _give_up(pushed, ts_ns)

    def _result(self, result: LdapResult, ts_ns: int) -> list[AuthEvent]:
        waiting = self._waiting.pop(result.message_id, None)
        if waiting is None:
            return []
        if isinstance(waiting, SaslExchange):
            if result.code == _IN_PROGRESS:
                pushed, self._exchange = self._exchange, waiting
                return [] if pushed is None else pushed.abandoned(ts_ns)
            return waiting.judged(*_judge(result), f"result {result.code}", ts_ns)
        outcome, confidence = _judge(result)
        return [resolved(waiting, ts_ns, outcome, f"result {result.code}", confidence=confidence)]


def _give_up(waiting: _Try, ts_ns: int) -> list[AuthEvent]:
    return waiting.abandoned(ts_ns) if isinstance(waiting, SaslExchange) else [unanswered(waiting, ts_ns)]


def _judge(result: LdapResult) -> tuple[Outcome, float]:
    if result.code == _SUCCESS:
        return Outcome.SUCCEEDED, 1.0
    found = _REASON.search(result.text)
    reason = found[1].lower() if found else ""
    if reason in _LOCKED_REASONS:
        return Outcome.LOCKED, 1.0
    if reason in _CHANGE_REASONS:
        return Outcome.CHALLENGED, 1.0
    if result.code in (_INVALID_CREDENTIALS, _CONSTRAINT_VIOLATION) and says_locked(result.text):
        return Outcome.LOCKED, 0.9
    if result.code == _INVALID_CREDENTIALS:
        return Outcome.FAILED, 1.0
    if result.code == _NO_SUCH_OBJECT:
        return Outcome.FAILED, 0.9
    return Outcome.UNKNOWN, 0.0  # trouble, policy or syntax: nobody judged the credentials


def _make(context: LoginContext) -> LoginAdapter:
    return LdapLogins(context)


LDAP_LOGINS = LoginProtocol("ldap", _make)
