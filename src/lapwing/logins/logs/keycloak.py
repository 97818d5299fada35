"""Keycloak's events: in its server log as text, that log in JSON, or as exported events."""

import re
from collections.abc import Iterable
from typing import Any

from lapwing.events import AuthResolved, Outcome
from lapwing.logins.logs.context import LogContext, address
from lapwing.logins.logs.contract import LogFormat, Miss, Reading
from lapwing.logins.logs.documents import decoded, inside, text

_OUTCOMES = {
    "LOGIN": Outcome.SUCCEEDED,
    "LOGIN_ERROR": Outcome.FAILED,
    "CLIENT_LOGIN": Outcome.SUCCEEDED,
    "CLIENT_LOGIN_ERROR": Outcome.FAILED,
}
_LOCKED_ERRORS = frozenset({"user_disabled", "user_temporarily_disabled"})
_NO_LOGIN_ERRORS = frozenset({"expired_code", "cookie_not_found", "invalid_redirect_uri", "client_not_found"})

_LINE = re.compile(r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.,]\d{3}\S*) +[A-Z]+ +\[org\.keycloak\.events\] \([^)]*\) (.*)")
_FIELD = re.compile(r'(?:^|, )(type|ipAddress|error|username)=(?:"([^"]*)"|([^,"]*))(?=,|$)')


class KeycloakLines:
    """Reads one event a line; see LineReader."""

    __slots__ = ("_context",)

    def __init__(self, context: LogContext) -> None:
        self._context = context

    def read(self, line: str) -> Reading:
        """See LineReader."""
        match = _LINE.fullmatch(line)
        if match is not None:
            return self._text(match[1], match[2])
        document = decoded(line)
        if document is None:
            return Miss.FOREIGN
        if text(document, "loggerName") == "org.keycloak.events":
            return self._text(document.get("timestamp"), text(document, "message"))
        if "type" not in document or "ipAddress" not in document:
            return Miss.OTHER if "loggerName" in document else Miss.FOREIGN
        name = text(inside(document, "details"), "username")
        return self._login(
            document.get("time"), text(document, "type"), text(document, "ipAddress"), text(document, "error"), name
        )

    def close(self) -> Iterable[AuthResolved]:
        """See LineReader."""
        return ()

    def _text(self, time: Any, message: str) -> Reading:
        """Read `type=LOGIN_ERROR, ..., ipAddress=192.0.2.1, error=..., username=...`; names may hold commas."""
        if message.count("ipAddress=") > 1:
            return Miss.AMBIGUOUS
        fields: dict[str, str] = {}
        for found in _FIELD.finditer(message):
            fields.setdefault(found[1], found[2] if found[2] is not None else found[3])
        return self._login(
            time,
            fields.get("type", ""),
            fields.get("ipAddress", ""),
            fields.get("error", ""),
            fields.get("username", ""),
        )

    def _login(self, time: Any, kind: str, host: str, error: str, name: str) -> Reading:
        outcome = _OUTCOMES.get(kind)
        if outcome is None or error in _NO_LOGIN_ERRORS:
            return Miss.OTHER
        ts_ns = self._context.clock.any(time)
        if ts_ns is None:
            return Miss.NO_TIME
        client_ip = address(host)
        if client_ip is None:
            return Miss.NO_ADDRESS
        if error in _LOCKED_ERRORS:
            outcome = Outcome.LOCKED
        mechanism = "oauth-client" if kind.startswith("CLIENT_") else "form"
        detail = f"keycloak: {kind}"
        return self._context.login(ts_ns, "keycloak", mechanism, client_ip, outcome, detail, username=name)


def _recognises(line: str) -> bool:
    if _LINE.fullmatch(line) is not None:
        return True
    document = decoded(line)
    if document is None:
        return False
    events = text(document, "loggerName").startswith("org.keycloak")
    return events or {"type", "realmId", "ipAddress"} <= document.keys()


KEYCLOAK = LogFormat("keycloak", "Keycloak's events, text or JSON", _recognises, KeycloakLines)
