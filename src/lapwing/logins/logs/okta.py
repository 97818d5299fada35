"""Okta's System Log."""

from typing import Any

from lapwing.events import Outcome
from lapwing.logins.logs.context import address
from lapwing.logins.logs.contract import LogFormat, Miss, Reading
from lapwing.logins.logs.documents import DocumentLines, decoded, inside, text

_LOGINS = frozenset({"user.session.start", "user.authentication.auth", "user.authentication.auth_via_social"})
_SECOND = frozenset({"user.authentication.auth_via_mfa"})
_LOCKED_REASONS = ("LOCKED_OUT", "USER_LOCKED", "DEACTIVATED", "SUSPENDED")
_RESULTS = {"SUCCESS": Outcome.SUCCEEDED, "ALLOW": Outcome.SUCCEEDED, "FAILURE": Outcome.FAILED, "DENY": Outcome.FAILED}


class OktaLines(DocumentLines):
    """Reads one event a line; see LineReader."""

    __slots__ = ()

    def take(self, document: dict[str, Any]) -> Reading:
        """See DocumentLines."""
        kind = text(document, "eventType")
        if not kind:
            return Miss.FOREIGN
        outcome = self._outcome(kind, document)
        if outcome is None:
            return Miss.OTHER
        ts_ns = self._clock.any(document.get("published"))
        if ts_ns is None:
            return Miss.NO_TIME
        client = inside(document, "client")
        client_ip = address(text(client, "ipAddress"))
        if client_ip is None:
            return Miss.NO_ADDRESS
        return self._context.login(
            ts_ns,
            "okta",
            "mfa" if kind in _SECOND else "password",
            client_ip,
            outcome,
            f"okta: {outcome}",
            username=text(inside(document, "actor"), "alternateId"),
            user_agent=text(inside(client, "userAgent"), "rawUserAgent") or None,
        )

    def _outcome(self, kind: str, document: dict[str, Any]) -> Outcome | None:
        if kind == "user.account.lock":
            return Outcome.LOCKED
        result = inside(document, "outcome")
        word = text(result, "result").upper()
        if kind in _SECOND:  # a success is told by the session that follows
            return Outcome.CHALLENGED if word in ("FAILURE", "DENY") else None
        if kind not in _LOGINS:
            return None
        if text(result, "reason").upper().startswith(_LOCKED_REASONS):
            return Outcome.LOCKED
        return Outcome.CHALLENGED if word == "CHALLENGE" else _RESULTS.get(word, Outcome.UNKNOWN)


def _recognises(line: str) -> bool:
    document = decoded(line)
    return document is not None and {"eventType", "published", "actor"} <= document.keys()


OKTA = LogFormat("okta", "Okta System Log", _recognises, OktaLines)
