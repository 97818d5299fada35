"""Auth0's tenant logs, as exported or streamed."""

from typing import Any

from lapwing.events import Outcome
from lapwing.logins.logs.context import address
from lapwing.logins.logs.contract import LogFormat, Miss, Reading
from lapwing.logins.logs.documents import DocumentLines, decoded, inside, text

# https://auth0.com/docs/deploy-monitor/logs/log-event-type-codes
_TYPES = {
    "s": Outcome.SUCCEEDED,
    "seacft": Outcome.UNKNOWN,
    "sepft": Outcome.SUCCEEDED,  # password exchanged for a token
    "f": Outcome.FAILED,
    "fp": Outcome.FAILED,  # wrong password
    "fu": Outcome.FAILED,  # no such user
    "fepft": Outcome.FAILED,
    "fcoa": Outcome.FAILED,
    "limit_wc": Outcome.LOCKED,  # account blocked after failures
    "limit_mu": Outcome.LOCKED,  # address blocked after failures
    "limit_sul": Outcome.LOCKED,
    "pwd_leak": Outcome.LOCKED,  # a leaked password was used
    "mfar": Outcome.CHALLENGED,
    "gd_auth_rejected": Outcome.CHALLENGED,
    "gd_auth_failed": Outcome.CHALLENGED,
}


class Auth0Lines(DocumentLines):
    """Reads one event a line; see LineReader."""

    __slots__ = ()

    def take(self, document: dict[str, Any]) -> Reading:
        """See DocumentLines."""
        event = inside(document, "data") or document
        kind = text(event, "type")
        if not kind:
            return Miss.FOREIGN
        outcome = _TYPES.get(kind)
        if outcome is None or outcome is Outcome.UNKNOWN:
            return Miss.OTHER
        ts_ns = self._clock.any(event.get("date"))
        if ts_ns is None:
            return Miss.NO_TIME
        client_ip = address(text(event, "ip"))
        if client_ip is None:
            return Miss.NO_ADDRESS
        return self._context.login(
            ts_ns,
            "auth0",
            "password",
            client_ip,
            outcome,
            f"auth0: {kind}",
            username=text(event, "user_name") or text(inside(event, "details"), "username"),
            user_agent=text(event, "user_agent") or None,
        )


def _recognises(line: str) -> bool:
    document = decoded(line)
    if document is None:
        return False
    event = inside(document, "data") or document
    return {"type", "date", "ip"} <= event.keys() and ("log_id" in event or "log_id" in document or "_id" in event)


AUTH0 = LogFormat("auth0", "Auth0 tenant logs", _recognises, Auth0Lines)
