"""Logins over SSH: outcomes its parser inferred from packet sizes. No user name and no secret can be seen."""

from collections.abc import Iterable

from lapwing.events import AuthAttempted, AuthEvent, AuthEvidence, Message, Outcome, Side
from lapwing.events.messages import SshAuthInferred, SshAuthUnanswered, SshKexInit
from lapwing.logins.contract import LoginAdapter, LoginContext, LoginProtocol
from lapwing.logins.tries import attempted, overdue, resolved, unanswered


class SshLogins:
    """Turns inferred outcomes of one connection into logins; see LoginAdapter for the contract."""

    def __init__(self, context: LoginContext) -> None:
        self._context = context
        self._fingerprint: str | None = None
        self._waiting: AuthAttempted | None = None  # told to be unanswered

    def message(self, side: Side, message: Message, ts_ns: int) -> Iterable[AuthEvent]:
        """See LoginAdapter."""
        if type(message) is SshKexInit:
            if side is Side.CLIENT:
                self._fingerprint = f"hassh:{message.hassh}"
        elif type(message) is SshAuthInferred:
            return self._login(message, ts_ns)
        elif type(message) is SshAuthUnanswered:
            events = self.close(ts_ns)
            self._waiting = self._attempt(message.asked_ns, message.mechanism)
            return [*events, overdue(self._waiting, ts_ns)]
        return ()

    def close(self, ts_ns: int) -> Iterable[AuthEvent]:
        """Mostly nothing is pending: an outcome comes together with its try, but where it was waited for."""
        waiting, self._waiting = self._waiting, None
        return () if waiting is None else [unanswered(waiting, ts_ns)]

    def _login(self, message: SshAuthInferred, ts_ns: int) -> list[AuthEvent]:
        waiting, self._waiting = self._waiting, None
        if _is_refused_offer(message):
            return [] if waiting is None else [unanswered(waiting, ts_ns, "a key was refused, which is no guess")]
        return [
            resolved(
                waiting or self._attempt(ts_ns, message.mechanism),
                ts_ns,
                message.outcome,
                message.detail,
                evidence=AuthEvidence.PACKET_SIZE,
                confidence=message.confidence,
            )
        ]

    def _attempt(self, ts_ns: int, mechanism: str) -> AuthAttempted:
        return attempted(self._context, ts_ns, protocol="ssh", mechanism=mechanism, fingerprint=self._fingerprint)


def _is_refused_offer(message: SshAuthInferred) -> bool:
    # Clients offer every key they have before anything is proved: a key the server does not know is no guess.
    return message.mechanism == "publickey" and message.outcome is Outcome.FAILED


def _make(context: LoginContext) -> LoginAdapter:
    return SshLogins(context)


SSH_LOGINS = LoginProtocol("ssh", _make)
