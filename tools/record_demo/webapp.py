"""The web login that is recorded: a form login, a JSON login and Basic-protected reports, behind nginx.

Run as a program: `python webapp.py USERS.json TRUTH.ndjson`.
It keeps its own record of every login outcome, which is what the labels count; no password is written there.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

LISTEN = ("127.0.0.1", 8080)
MAX_BODY_BYTES = 4096  # a login form is far smaller; longer bodies are answered 413

_PAGE = "<!doctype html><title>{title}</title><link rel=stylesheet href=/style.css><h1>{title}</h1>{body}\n"
_FORM = (
    "<form method=post action=/login><label>E-mail <input name=username></label>"
    "<label>Password <input name=password type=password></label><button>Sign in</button></form>"
)
_REFUSED = "<p class=error>The e-mail address or password was not accepted.</p>"


class App(ThreadingHTTPServer):
    """The server with its users (name to password), its open sessions and tokens, and its record."""

    def __init__(self, users: dict[str, str], truth: Path) -> None:
        super().__init__(LISTEN, Handler)
        self.users = users
        self.sessions: set[str] = set()
        self.tokens: set[str] = set()
        self._truth = truth
        self._lock = threading.Lock()

    def decide(self, source: str, mechanism: str, account: str, password: str) -> bool:
        """Whether the pair is right; writes one line of the record."""
        good = self.users.get(account) == password
        self.note(source, mechanism, account, succeeded=good)
        return good

    def note(self, source: str, mechanism: str, account: str, *, succeeded: bool) -> None:
        """Append one outcome to the record."""
        line = {"source": source, "mechanism": mechanism, "account": account, "succeeded": succeeded}
        with self._lock, self._truth.open("a") as handle:
            handle.write(json.dumps(line) + "\n")


class Handler(BaseHTTPRequestHandler):
    """One request; nginx names the client's address in X-Real-IP."""

    protocol_version = "HTTP/1.1"
    server: App

    def log_message(self, *_line: object) -> None:
        """Keep standard error quiet; the record says what is needed."""

    def version_string(self) -> str:
        """Name no interpreter version on the wire."""
        return "app"

    @property
    def source(self) -> str:
        """The client's address."""
        return self.headers.get("X-Real-IP", "")

    def do_GET(self) -> None:
        """Pages behind and around the login."""
        if self.path == "/login":
            return self._page(200, "Sign in", _FORM)
        if self.path == "/account":
            return self._account()
        if self.path == "/api/me":
            return self._bearer()
        if self.path.startswith("/reports/"):
            return self._basic()
        return self._page(404, "Not found", "")

    def do_POST(self) -> None:
        """The two logins."""
        length = int(self.headers.get("Content-Length", "0"))
        if length > MAX_BODY_BYTES:
            self.close_connection = True
            return self._page(413, "Too large", "")
        body = self.rfile.read(length).decode(errors="replace")
        if self.path == "/login":
            return self._form(body)
        if self.path == "/api/login":
            return self._json(body)
        return self._page(404, "Not found", "")

    def _form(self, body: str) -> None:
        fields = {name: values[0] for name, values in parse_qs(body).items()}
        account = fields.get("username", "")
        if not self.server.decide(self.source, "form", account, fields.get("password", "")):
            return self._page(200, "Sign in", _REFUSED + _FORM)
        session = secrets.token_hex(16)
        self.server.sessions.add(session)
        cookie = f"session={session}; Path=/; HttpOnly; SameSite=Lax"
        return self._send(303, "text/plain", "", {"Location": "/account", "Set-Cookie": cookie})

    def _json(self, body: str) -> None:
        try:
            fields = json.loads(body)
            account, password = str(fields["username"]), str(fields["password"])
        except (ValueError, KeyError, TypeError):
            return self._send_json(400, {"error": "bad_request"})
        if not self.server.decide(self.source, "json", account, password):
            return self._send_json(401, {"error": "invalid_credentials"})
        token = secrets.token_urlsafe(24)
        self.server.tokens.add(token)
        return self._send_json(200, {"token": token})

    def _account(self) -> None:
        session = self.headers.get("Cookie", "").partition("session=")[2]
        if session not in self.server.sessions:
            return self._send(303, "text/plain", "", {"Location": "/login"})
        return self._page(200, "Your account", "<p>Two orders are on their way.</p>")

    def _bearer(self) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        good = token in self.server.tokens
        self.server.note(self.source, "bearer", "", succeeded=good)
        return self._send_json(200, {"orders": 2}) if good else self._send_json(401, {"error": "invalid_token"})

    def _basic(self) -> None:
        sent = self.headers.get("Authorization", "")
        challenge = {"WWW-Authenticate": 'Basic realm="reports"'}
        if not sent.startswith("Basic "):
            return self._send(401, "text/plain", "sign in\n", challenge)
        try:
            account, _, password = base64.b64decode(sent[6:]).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            account, password = "", ""
        if not self.server.decide(self.source, "basic", account, password):
            return self._send(401, "text/plain", "sign in\n", challenge)
        return self._send(200, "text/csv", "month,orders\n2025-11,412\n2025-12,530\n", {})

    def _page(self, status: int, title: str, body: str) -> None:
        self._send(status, "text/html; charset=utf-8", _PAGE.format(title=title, body=body), {})

    def _send_json(self, status: int, value: dict[str, object]) -> None:
        self._send(status, "application/json", json.dumps(value), {})

    def _send(self, status: int, kind: str, text: str, headers: dict[str, str]) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    App(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])).serve_forever()
