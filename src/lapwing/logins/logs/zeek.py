"""Zeek's logs in JSON: those in which it says how a login ended."""

from typing import Any, NamedTuple

from lapwing.events import Outcome
from lapwing.logins.logs.context import LogContext, address, port
from lapwing.logins.logs.contract import LogFormat, Miss, Reading
from lapwing.logins.logs.documents import DocumentLines, decoded, text
from lapwing.logins.logs.web import Request, WebLogins


class _Said(NamedTuple):
    """What one log says of a login."""

    service: str
    mechanism: str
    name: str
    outcome: Outcome
    tries: int = 1


class ZeekLines(DocumentLines):
    """Reads ssh, ntlm, kerberos, radius, mysql and http; see LineReader."""

    __slots__ = ("_logins",)

    def __init__(self, context: LogContext) -> None:
        super().__init__(context)
        self._logins = WebLogins(context)

    def take(self, document: dict[str, Any]) -> Reading:
        """See DocumentLines."""
        if "ts" not in document or "id.orig_h" not in document:
            return Miss.FOREIGN
        ts_ns = self._clock.any(document["ts"])
        if ts_ns is None:
            return Miss.NO_TIME
        client_ip = address(text(document, "id.orig_h"))
        if client_ip is None:
            return Miss.NO_ADDRESS
        if "status_code" in document and "method" in document:
            return self._logins.read(_request(document, ts_ns, client_ip))
        said = _said(document)
        if said is None:
            return Miss.OTHER
        return self._context.login(
            ts_ns,
            said.service,
            said.mechanism,
            client_ip,
            said.outcome,
            "zeek",
            username=said.name or None,
            client_port=port(text(document, "id.orig_p")),
            server_ip=address(text(document, "id.resp_h")),
            attempt_count=said.tries,
        )


def _request(document: dict[str, Any], ts_ns: int, client_ip: str) -> Request:
    status = document["status_code"]
    return Request(
        ts_ns,
        client_ip,
        text(document, "method"),
        text(document, "uri"),
        status if isinstance(status, int) else 0,
        text(document, "username"),
        text(document, "user_agent") or None,
        port=port(text(document, "id.orig_p")),
    )


def _said(document: dict[str, Any]) -> _Said | None:
    if "auth_success" in document:
        tries = document.get("auth_attempts")
        count = tries if isinstance(tries, int) and 0 < tries <= 1000 else 1
        return _Said("ssh", "unknown", "", _by(document["auth_success"]), count if not document["auth_success"] else 1)
    success = document.get("success")
    if "request_type" in document and "client" in document:
        if text(document, "request_type") != "AS" or not isinstance(success, bool):
            return None
        wrong = success or text(document, "error_msg") == "KDC_ERR_PREAUTH_FAILED"
        return (
            _Said("kerberos", "kerberos", text(document, "client").partition("/")[0], _by(success)) if wrong else None
        )
    if "result" in document and "username" in document:
        good = text(document, "result") == "success"
        return _Said("radius", "radius", text(document, "username"), _by(good))
    if "username" in document and isinstance(success, bool):
        return _Said("ntlm", "ntlm", text(document, "username"), _by(success))
    if text(document, "cmd") == "login" and isinstance(success, bool):
        return _Said("mysql", "mysql", text(document, "arg"), _by(success))
    return None


def _by(success: object) -> Outcome:
    return Outcome.SUCCEEDED if success is True else Outcome.FAILED


def _recognises(line: str) -> bool:
    document = decoded(line)
    return document is not None and {"ts", "uid", "id.orig_h"} <= document.keys()


ZEEK = LogFormat("zeek", "Zeek's logs in JSON", _recognises, ZeekLines)
