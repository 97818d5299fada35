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

from tests.patience import ENOUGH_S
from tests.ports import free_port, wait_for

ATTACKER, VISITOR = "127.0.0.5", "127.0.0.6"

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
            auth_request_set $retry_after $upstream_http_retry_after;
            add_header Retry-After $retry_after always;
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
    bind 127.0.0.1
    log {{
        output file {folder}/access.log
    }}
    forward_auth 127.0.0.1:{guard} {{
        uri /auth
    }}
    reverse_proxy 127.0.0.1:{app}
}}
"""

TRAEFIK = """
entryPoints: {{web: {{address: "127.0.0.1:{port}"}}}}
providers: {{file: {{filename: {folder}/routes.yaml}}}}
accessLog: {{filePath: {folder}/access.log, format: json}}
global: {{checkNewVersion: false, sendAnonymousUsage: false}}
"""
TRAEFIK_ROUTES = """
http:
  routers:
    app: {{rule: "PathPrefix(`/`)", service: app, middlewares: [lapwing]}}
  middlewares:
    lapwing: {{forwardAuth: {{address: "http://127.0.0.1:{guard}/auth"}}}}
  services:
    app: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{app}"}}]}}}}
"""
ENVOY = """
static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: web
          use_remote_address: true
          access_log:
          - name: envoy.access_loggers.file
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
              path: {folder}/access.log
              log_format:
                json_format:
                  start_time: "%START_TIME%"
                  downstream_remote_address: "%DOWNSTREAM_REMOTE_ADDRESS%"
                  method: "%REQ(:METHOD)%"
                  path: "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"
                  response_code: "%RESPONSE_CODE%"
                  user_agent: "%REQ(USER-AGENT)%"
          route_config:
            virtual_hosts:
            - {{name: all, domains: ["*"], routes: [{{match: {{prefix: "/"}}, route: {{cluster: app}}}}]}}
          http_filters:
          - name: envoy.filters.http.ext_authz
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
              failure_mode_allow: true
              allowed_headers: {{patterns: [{{exact: x-forwarded-for}}]}}
              http_service:
                path_prefix: /auth
                server_uri: {{uri: "http://127.0.0.1:{guard}", cluster: guard, timeout: 5s}}
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
  - name: app
    load_assignment: {{cluster_name: app, endpoints: [{{lb_endpoints: [
      {{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {app}}}}}}}}}]}}]}}
  - name: guard
    load_assignment: {{cluster_name: guard, endpoints: [{{lb_endpoints: [
      {{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {guard}}}}}}}}}]}}]}}
"""
FILES = {
    "nginx": {"nginx.conf": NGINX},
    "caddy": {"Caddyfile": CADDY},
    "traefik": {"traefik.yaml": TRAEFIK, "routes.yaml": TRAEFIK_ROUTES},
    "envoy": {"envoy.yaml": ENVOY},
}
COMMANDS = {
    "nginx": "-p {folder} -c {folder}/nginx.conf",
    "caddy": "run --adapter caddyfile --config {folder}/Caddyfile",
    "traefik": "--configFile={folder}/traefik.yaml",
    "envoy": "-c {folder}/envoy.yaml --concurrency 1 --use-dynamic-base-id --file-flush-interval-msec 100 -l error",
}
BUILT = Path(__file__).parents[2] / "build" / "interop"  # by `make interop`


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
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        try:
            wait_for(port, process)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


def program_of(name: str) -> str:
    """Where a proxy is: installed, or built by `make interop`."""
    found = shutil.which(name) or shutil.which(BUILT / name)
    if found is None:
        pytest.skip(f"{name} is neither installed nor built: `make interop`, for Traefik and Envoy")
    return found


def proxy_command(name: str, folder: Path, **ports: int) -> list[str | Path]:
    for file, text in FILES[name].items():
        (folder / file).write_text(text.format(folder=folder, **ports))
    return [program_of(name), *COMMANDS[name].format(folder=folder).split()]


def asked(port: int, client: str, method: str = "GET", path: str = "/") -> tuple[int, str]:
    """The status, and when to come again."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ENOUGH_S, source_address=(client, 0))
    connection.request(method, path, b"username=a&password=b" if method == "POST" else None)
    response = connection.getresponse()
    connection.close()
    return response.status, response.headers.get("Retry-After", "")


def status(port: int, client: str, method: str = "GET", path: str = "/") -> int:
    return asked(port, client, method, path)[0]


def wait_for_routes(port: int) -> None:
    """Traefik listens before it knows whom to pass what to."""
    begun = time.monotonic()
    while status(port, VISITOR) == 404:
        assert time.monotonic() - begun < ENOUGH_S, "nothing is passed on"


def seconds_until_refused(port: int) -> float:
    begun = time.monotonic()
    while status(port, ATTACKER) != 403:
        assert time.monotonic() - begun < ENOUGH_S, "the attacker is not refused"
        time.sleep(0.001)
    return time.monotonic() - begun


@pytest.mark.parametrize("name", FILES)
def test_a_proxy_enforces_what_was_decided_from_its_access_log(name: str, tmp_path: Path) -> None:
    program_of(name)
    port, guard = free_port(), free_port()
    log, deny = tmp_path / "access.log", tmp_path / "deny.txt"
    serve: list[str | Path] = [sys.executable, "-m", "lapwing", "guard", "serve", log, "--listen", f"127.0.0.1:{guard}"]
    with ExitStack() as stack:
        app = stack.enter_context(application())
        guarding = stack.enter_context(program([*serve, "--deny-file", deny, "--trust", "127.0.0.1"], guard))
        stack.enter_context(program(proxy_command(name, tmp_path, port=port, guard=guard, app=app), port))
        wait_for_routes(port)
        assert status(port, ATTACKER) == 200
        assert {status(port, ATTACKER, "POST", "/login") for _ in range(12)} <= {401, 403}
        print(f"{name}: refused {seconds_until_refused(port):.3f} s after the last try")
        assert status(port, ATTACKER, "POST", "/login") == 403
        assert asked(port, ATTACKER, path="/any/page?x=1")[1].isdigit()
        assert asked(port, VISITOR) == (200, "")
        assert status(port, VISITOR, "POST", "/login") == 401
        give_up = time.monotonic() + ENOUGH_S
        while not deny.read_text() and time.monotonic() < give_up:
            time.sleep(0.01)  # the file is written beside, not before the answers
        assert deny.read_text() == f"{ATTACKER}\n"
        guarding.send_signal(signal.SIGTERM)
        out, _ = guarding.communicate(timeout=ENOUGH_S)
    assert b'"event_type":"decision.made"' in out
