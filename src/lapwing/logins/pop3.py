"""Logins over POP3: USER and PASS, APOP, AUTH, and what the server replies (RFC 1939, RFC 5034, RFC 3206)."""

from collections import deque
from collections.abc import Iterable

from lapwing.events import AuthAttempted, AuthEvent, Message, Outcome, Side
from lapwing.events.messages import AUTH_DATA_VERB
from lapwing.events.messages.pop3 import Pop3Command, Pop3Reply
from lapwing.logins.contract import LoginAdapter, LoginContext, LoginProtocol
from lapwing.logins.sasl_exchange import SaslExchange
from lapwing.logins.tries import attempted, resolved, says_locked, unanswered

MAX_PENDING = 64  # commands sent without waiting for their replies; of more, the oldest are given up

_Try = AuthAttempted | SaslExchange


class Pop3Logins:
    """Finds the logins of one connection; see LoginAdapter for the contract.

    Replies are matched with commands by counting: POP3 answers each in turn.
    """

    def __init__(self, context: LoginContext) -> None:
        self._context = context
        self._user: str | None = None
        self._waiting: deque[_Try | None] = deque()  # one for each command not answered; None for no login
        self._exchange: SaslExchange | None = None
        self._greeted = False

    def message(self, side: Side, message: Message, ts_ns: int) -> Iterable[AuthEvent]:
        """See LoginAdapter."""
        if isinstance(message, Pop3Command):
            return self._command(message, ts_ns)
        if isinstance(message, Pop3Reply):
            return self._reply(message, ts_ns)
        return ()

    def close(self, ts_ns: int) -> Iterable[AuthEvent]:
        """See LoginAdapter."""
        events: list[AuthEvent] = []
        while self._waiting:
            events += _give_up(self._waiting.popleft(), ts_ns)
        self._exchange = None
        return events

    def _command(self, command: Pop3Command, ts_ns: int) -> list[AuthEvent]:
        if command.verb == AUTH_DATA_VERB:
            return [] if self._exchange is None else self._exchange.line(command.argument, ts_ns)
        self._exchange = None
        events: list[AuthEvent] = []
        waiting: _Try | None = None
        if command.verb == "USER":
            self._user = command.argument
        elif command.verb in ("PASS", "APOP"):
            waiting = self._presented(command, ts_ns)
            events.append(waiting)
        elif command.verb == "AUTH" and command.argument:
            mechanism, _, initial = command.argument.partition(" ")
            waiting = self._exchange = SaslExchange(self._context, "pop3", mechanism)
            events += self._exchange.line(initial, ts_ns) if initial else []
        self._waiting.append(waiting)
        if len(self._waiting) > MAX_PENDING:
            events += _give_up(self._waiting.popleft(), ts_ns)
        return events

    def _presented(self, command: Pop3Command, ts_ns: int) -> AuthAttempted:
        user, secret, mechanism = self._user, command.argument, "password"
        if command.verb == "APOP":
            user, _, _ = command.argument.partition(" ")
            secret, mechanism = "", "apop"  # the digest differs each time, so it says nothing of the secret
        return attempted(
            self._context, ts_ns, protocol="pop3", mechanism=mechanism, username=user, secret=secret or None
        )

    def _reply(self, reply: Pop3Reply, ts_ns: int) -> list[AuthEvent]:
        if reply.status == "continue":
            return []
        if not self._greeted:
            self._greeted = True
            if not self._waiting or reply.status == "ok":
                return []  # the greeting
        waiting = self._waiting.popleft() if self._waiting else None
        if waiting is None:
            return []
        outcome, confidence = _judge(reply)
        detail = "reply +OK" if reply.status == "ok" else "reply -ERR"
        if isinstance(waiting, SaslExchange):
            self._exchange = None
            return waiting.judged(outcome, confidence, detail, ts_ns)
        return [resolved(waiting, ts_ns, outcome, detail, confidence=confidence)]


def _give_up(waiting: _Try | None, ts_ns: int) -> list[AuthEvent]:
    if waiting is None:
        return []
    return waiting.abandoned(ts_ns) if isinstance(waiting, SaslExchange) else [unanswered(waiting, ts_ns)]


def _judge(reply: Pop3Reply) -> tuple[Outcome, float]:
    """What a reply says of a login; extended codes are those of RFC 2449 and RFC 3206."""
    if reply.status == "ok":
        return Outcome.SUCCEEDED, 1.0
    code = reply.text.upper()
    if code.startswith("[IN-USE]"):
        return Outcome.SUCCEEDED, 0.9  # let in, but the mailbox is taken
    if code.startswith(("[SYS/", "[LOGIN-DELAY]")):
        return Outcome.UNKNOWN, 0.0
    if says_locked(reply.text):
        return Outcome.LOCKED, 0.9
    return Outcome.FAILED, 1.0


def _make(context: LoginContext) -> LoginAdapter:
    return Pop3Logins(context)


POP3_LOGINS = LoginProtocol("pop3", _make)
