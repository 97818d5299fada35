"""Real proxies in front of an application enforce what was decided from their own access log."""

import http.client
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.examples.test_guarded_apps import free_port, wait_for

ATTACKER, VISITOR = "127.0.0.5", "127.0.0.6"
WAIT_S = 30.0  # for what takes a fraction of a second on an idle machine

NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log {folder}/access.log combined;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            auth_request /lapwing;
            proxy_pass http://127.0.0.1:{app};
        }}
        location = /lapwing {{
            internal;
            proxy_pass http://127.0.0.1:{guard}/auth;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For "";
        }}
    }}
}}
"""
CADDY = """
{{
    admin off
    auto_https off
}}
http://127.0.0.1:{port} {{
    log {{
        output file {folder}/access.log
    }}
    forward_auth 127.0.0.1:{guard} {{
        uri /auth
    }}
    reverse_proxy 127.0.0.1:{app}
}}
"""


class App(BaseHTTPRequestHandler):
    """Refuses every login and shows a page to everybody."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._send(401)

    def do_GET(self) -> None:
        self._send(200)

    def _send(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *_arguments: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def application() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), App) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def program(command: list[str | Path], port: int) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as process:
        try:
            wait_for(port, process)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


def proxy_command(name: str, folder: Path, **ports: int) -> list[str | Path]:
    if name == "nginx":
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, **ports))
        return ["nginx", "-p", folder, "-c", folder / "nginx.conf"]
    (folder / "Caddyfile").write_text(CADDY.format(folder=folder, **ports))
    return ["caddy", "run", "--adapter", "caddyfile", "--config", folder / "Caddyfile"]


def status(port: int, client: str, method: str = "GET", path: str = "/") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S, source_address=(client, 0))
    connection.request(method, path, b"username=a&password=b" if method == "POST" else None)
    found = connection.getresponse().status
    connection.close()
    return found


def seconds_until_refused(port: int) -> float:
    begun = time.monotonic()
    while status(port, ATTACKER) != 403:
        assert time.monotonic() - begun < WAIT_S, "the attacker is not refused"
    return time.monotonic() - begun


@pytest.mark.parametrize("name", ["nginx", "caddy"])
def test_a_proxy_enforces_what_was_decided_from_its_access_log(name: str, tmp_path: Path) -> None:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    port, guard = free_port(), free_port()
    log, deny = tmp_path / "access.log", tmp_path / "deny.txt"
    serve: list[str | Path] = [sys.executable, "-m", "lapwing", "guard", "serve", log, "--listen", f"127.0.0.1:{guard}"]
    with ExitStack() as stack:
        app = stack.enter_context(application())
        guarding = stack.enter_context(program([*serve, "--deny-file", deny, "--trust", "127.0.0.1"], guard))
        stack.enter_context(program(proxy_command(name, tmp_path, port=port, guard=guard, app=app), port))
        assert status(port, ATTACKER) == 200
        assert {status(port, ATTACKER, "POST", "/login") for _ in range(12)} <= {401, 403}
        print(f"{name}: refused {seconds_until_refused(port):.3f} s after the last try")
        assert status(port, ATTACKER, "POST", "/login") == 403
        assert status(port, VISITOR) == 200
        assert status(port, VISITOR, "POST", "/login") == 401
        give_up = time.monotonic() + WAIT_S
        while not deny.read_text() and time.monotonic() < give_up:
            time.sleep(0.01)  # the file is written beside, not before the answers
        assert deny.read_text() == f"{ATTACKER}\n"
        guarding.send_signal(signal.SIGTERM)
        out, _ = guarding.communicate(timeout=WAIT_S)
    assert b'"event_type":"decision.made"' in out
