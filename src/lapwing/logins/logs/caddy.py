"""Caddy's access log."""

from typing import Any

from lapwing.logins.logs.context import LogContext, host_port, port
from lapwing.logins.logs.contract import LogFormat, Miss, Reading
from lapwing.logins.logs.documents import DocumentLines, decoded, inside, number, text
from lapwing.logins.logs.web import Request, WebLogins


class CaddyLines(DocumentLines):
    """Reads one request a line; see LineReader. `client_ip` is already what Caddy's trusted proxies say."""

    __slots__ = ("__weakref__", "_logins", "_marks")

    def __init__(self, context: LogContext) -> None:
        super().__init__(context)
        self._logins = WebLogins(context)
        self.follow()
        context.followers.add(self)

    def follow(self) -> None:
        """See Follows."""
        self._logins.follow()
        self._marks = tuple(mark.rstrip() + '"' for mark in self._logins.marks)

    def read(self, line: str) -> Reading:
        """See LineReader."""
        if line[:1] == "{" and line[-1:] == "}" and '"user_id":""' in line:
            for mark in self._marks:
                if mark in line:
                    break
            else:
                return Miss.OTHER
        return super().read(line)

    def take(self, document: dict[str, Any]) -> Reading:
        """See DocumentLines."""
        request = inside(document, "request")
        status = number(document, "status")
        if not request or status is None:
            return Miss.OTHER if "logger" in document or "msg" in document else Miss.FOREIGN
        peer, client_port = host_port(text(request, "client_ip", "remote_ip", "remote_addr"))
        if peer is None:
            return Miss.NO_ADDRESS
        ts_ns = self._clock.any(document.get("ts"))
        if ts_ns is None:
            return Miss.NO_TIME
        headers = inside(request, "headers")
        return self._logins.read(
            Request(
                ts_ns,
                peer,
                text(request, "method"),
                text(request, "uri"),
                status,
                text(document, "user_id"),
                _header(headers, "User-Agent") or None,
                _header(headers, "X-Forwarded-For"),
                client_port or port(text(request, "remote_port")),
            )
        )


def _header(headers: dict[str, Any], name: str) -> str:
    values = headers.get(name)
    return ", ".join(value for value in values if isinstance(value, str)) if isinstance(values, list) else ""


def _recognises(line: str) -> bool:
    document = decoded(line)
    return document is not None and "ts" in document and bool(inside(document, "request")) and "status" in document


CADDY = LogFormat("caddy", "Caddy's access log", _recognises, CaddyLines)
