"""Logins over SSH: outcomes its parser inferred from packet sizes. No user name and no secret can be seen."""

from collections.abc import Iterable

from lapwing.events import AuthEvent, AuthEvidence, Message, Outcome, Side
from lapwing.events.messages import SshAuthInferred, SshKexInit
from lapwing.logins.contract import LoginAdapter, LoginContext, LoginProtocol
from lapwing.logins.tries import attempted, resolved


class SshLogins:
    """Turns inferred outcomes of one connection into logins; see LoginAdapter for the contract."""

    def __init__(self, context: LoginContext) -> None:
        self._context = context
        self._fingerprint: str | None = None

    def message(self, side: Side, message: Message, ts_ns: int) -> Iterable[AuthEvent]:
        """See LoginAdapter."""
        if type(message) is SshKexInit:
            if side is Side.CLIENT:
                self._fingerprint = f"hassh:{message.hassh}"
        elif type(message) is SshAuthInferred and not _is_refused_offer(message):
            return [self._login(message, ts_ns)]
        return ()

    def close(self, ts_ns: int) -> Iterable[AuthEvent]:
        """Nothing is ever pending: an outcome comes together with its try."""
        return ()

    def _login(self, message: SshAuthInferred, ts_ns: int) -> AuthEvent:
        attempt = attempted(
            self._context, ts_ns, protocol="ssh", mechanism=message.mechanism, fingerprint=self._fingerprint
        )
        return resolved(
            attempt,
            ts_ns,
            message.outcome,
            message.detail,
            evidence=AuthEvidence.PACKET_SIZE,
            confidence=message.confidence,
        )


def _is_refused_offer(message: SshAuthInferred) -> bool:
    # Clients offer every key they have before anything is proved: a key the server does not know is no guess.
    return message.mechanism == "publickey" and message.outcome is Outcome.FAILED


def _make(context: LoginContext) -> LoginAdapter:
    return SshLogins(context)


SSH_LOGINS = LoginProtocol("ssh", _make)
