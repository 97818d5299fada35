"""The guards around applications: what they see, what they pass on untouched, what they hold back."""

import asyncio
import io
import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

import pytest

from lapwing.asgi import GuardMiddleware as AsgiGuard
from lapwing.events import AuthAttempted, AuthEvidence, AuthResolved, Event, Outcome
from lapwing.web import Gate, WebLoginWatch
from lapwing.web.watching import Peer
from lapwing.wsgi import GuardMiddleware as WsgiGuard

from .test_gate import ATTACKER, attacked

FORM = "application/x-www-form-urlencoded"
Reply = tuple[int, dict[str, str], bytes]
Send = Callable[..., Reply]


def answer_to(body: bytes, path: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """What both applications answer: they echo the body, and know one password."""
    status = 200 if b"correct" in body or path == "/" else 401
    return status, [("X-Echo", str(len(body)))], body


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] == "/broken":
        raise RuntimeError("the application broke down")
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    status, headers, page = answer_to(body, scope["path"])
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": page[:3], "more_body": True})
    await send({"type": "http.response.body", "body": page[3:]})


def wsgi_app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/broken":
        raise RuntimeError("the application broke down")
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    status, headers, page = answer_to(body, environ["PATH_INFO"])
    start_response(f"{status} X", headers)
    return [page[:3], page[3:]]


def over_asgi(gate: Gate, **options: Any) -> Send:
    guard = AsgiGuard(asgi_app, gate, delay_s=0.0, **options)

    def send(path: str, body: bytes = b"", kind: str = FORM, client: str = "192.0.2.1", **headers: str) -> Reply:
        named = {"content-type": kind, "content-length": str(len(body))} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        scope = {
            "type": "http",
            "method": "POST" if body else "GET",
            "path": path,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
            "client": (client, 5000) if client else None,
        }
        messages = [
            {"type": "http.request", "body": body[:5], "more_body": True},
            {"type": "http.request", "body": body[5:]},
        ]
        sent: list[Any] = []

        async def receive() -> Any:
            return messages.pop(0)

        async def sending(message: Any) -> None:
            sent.append(message)

        asyncio.run(guard(scope, receive, sending))
        got = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], got, b"".join(message.get("body", b"") for message in sent)

    return send


def over_wsgi(gate: Gate, **options: Any) -> Send:
    guard = WsgiGuard(wsgi_app, gate, delay_s=0.0, **options)

    def send(path: str, body: bytes = b"", kind: str = FORM, client: str = "192.0.2.1", **headers: str) -> Reply:
        environ = {
            "REQUEST_METHOD": "POST" if body else "GET",
            "PATH_INFO": path,
            "CONTENT_TYPE": kind,
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": client,
            "wsgi.input": io.BytesIO(body),
            **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
        }
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]]) -> Callable[[bytes], object]:
            started.append((status, headers))
            return lambda _piece: None

        page = b"".join(guard(environ, start_response))
        return int(started[0][0][:3]), {name.lower(): value for name, value in started[0][1]}, page

    return send


@pytest.fixture(params=[over_asgi, over_wsgi], ids=["asgi", "wsgi"])
def make(request: pytest.FixtureRequest) -> Callable[..., tuple[Send, list[Event]]]:
    def made(**options: Any) -> tuple[Send, list[Event]]:
        told: list[Event] = []
        return request.param(options.pop("gate", None) or Gate(listener=told.extend), **options), told

    return made


Make = Callable[..., tuple[Send, list[Event]]]


def form(name: str, password: str) -> bytes:
    return urlencode({"username": name, "password": password}).encode()


def logins(told: list[Event]) -> list[AuthResolved]:
    return [event for event in told if isinstance(event, AuthResolved)]


def test_a_form_is_seen_with_its_outcome(make: Make) -> None:
    send, told = make()
    send("/login", form("Bob", "wrong"))
    send("/login", form("bob", "correct"))
    assert [(login.username, login.outcome, login.endpoint) for login in logins(told)] == [
        ("bob", Outcome.FAILED, "POST /login"),
        ("bob", Outcome.UNKNOWN, "POST /login"),  # 200 and a page without a sign of anything proves nothing
    ]
    assert all(login.evidence is AuthEvidence.APPLICATION for login in logins(told))
    assert sum(isinstance(event, AuthAttempted) for event in told) == 2


def test_json_is_seen(make: Make) -> None:
    send, told = make()
    send("/api/login", json.dumps({"email": "bob@example.com", "password": "wrong"}).encode(), "application/json")
    assert logins(told)[0].username == "bob@example.com"


def test_equal_passwords_have_equal_tags_and_are_told_nowhere(make: Make) -> None:
    send, told = make()
    for password in ("hunter2", "hunter2", "hunter3"):
        send("/login", form("bob", password))
    first, second, third = (login.secret_tag for login in logins(told))
    assert first == second != third
    assert "hunter" not in repr(told)


def test_the_application_gets_every_byte_and_so_does_the_client(make: Make) -> None:
    send, _ = make()
    body = form("bob", "correct" * 50)
    assert send("/login", body)[2] == body


def test_a_body_too_large_for_a_login_passes_unread_where_nobody_logs_in(make: Make) -> None:
    send, told = make()
    body = form("bob", "x" * 100_000)
    assert send("/upload", body)[2] == body
    assert told == []


MULTIPART = "multipart/form-data; boundary=x"
HIDDEN = [
    (b"padding=" + b"x" * 100_000 + b"&username=bob&password=wrong", FORM),
    (b"x=1&" * 2_000 + b"username=bob&password=wrong", FORM),
    (b"username=bob&password=wrong&password2=", FORM),
    (b"grant_type=x&username=bob&password=wrong", FORM),
    (b"username=bob&%70%00=wrong", f"{FORM}; charset=utf-16"),
    (b'{"padding": NaN, "username": "bob", "password": "wrong"}', "application/json"),
    ('{"username": "bob", "password": "wrong"}'.encode("utf-16"), "application/json"),
    (b'\n{"username": "bob", "password": "wrong"}', "text/plain"),
    (b'--x\r\nContent-Disposition: form-data; name=password; x="filename"\r\n\r\nwrong\r\n--x--', MULTIPART),
]


@pytest.mark.parametrize(("body", "kind"), HIDDEN)
def test_credentials_that_only_the_application_can_read_are_a_login_of_nobody_at_a_login_surface(
    make: Make, body: bytes, kind: str
) -> None:
    send, told = make()
    assert send("/login", body, kind)[2] == body
    assert [(login.outcome, login.endpoint, login.username, login.secret_tag) for login in logins(told)] == [
        (Outcome.FAILED, "POST /login", None, None)
    ]


@pytest.mark.parametrize(("body", "kind"), HIDDEN)
def test_nobody_who_is_held_back_gets_in_by_hiding_credentials(make: Make, body: bytes, kind: str) -> None:
    gate = Gate()
    attacked(gate)
    send, _ = make(gate=gate)
    assert send("/login", body, kind, client=ATTACKER)[0] == 429


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"username=bob&next=/", FORM),
        (b'{"username": "bob"}', "application/json"),
        (b"<saml/>", "text/xml"),
        (b"", FORM),
    ],
)
def test_at_a_login_surface_what_shows_that_it_has_no_secret_is_no_login(make: Make, body: bytes, kind: str) -> None:
    send, told = make()
    send("/login", body, kind)
    assert told == []


def test_a_body_in_chunks_is_seen_and_reaches_the_application() -> None:
    told: list[Event] = []
    read: list[bytes] = []

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        read.append(environ["wsgi.input"].readline() + environ["wsgi.input"].read())
        start_response("401 X", [])
        return [b"no"]

    guard = WsgiGuard(app, Gate(listener=told.extend))
    bodies = [form("bob", "wrong"), form("bob", "wrong") + b"&x=" + b"x" * 200_000 + b"\n" + b"y" * 200_000]
    for body in bodies:
        environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/login", "CONTENT_TYPE": FORM, "REMOTE_ADDR": "192.0.2.1"}
        environ |= {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}  # type: ignore[dict-item]
        assert b"".join(guard(environ, lambda *_: None)) == b"no"  # type: ignore[arg-type]
    assert read == bodies
    assert [(login.username, login.outcome) for login in logins(told)] == [
        ("bob", Outcome.FAILED),
        (None, Outcome.FAILED),
    ]


def test_other_requests_pass(make: Make) -> None:
    send, told = make()
    assert send("/")[0] == 200
    assert told == []


def test_an_attacker_is_held_back_and_the_application_not_asked(make: Make) -> None:
    send, _ = make()
    statuses = [send("/login", form(f"user{number}", f"p{number}"), client=ATTACKER)[0] for number in range(40)]
    assert statuses[0] == 401
    assert statuses[-10:] == [429] * 10
    _, headers, page = send("/login", form("a", "b"), client=ATTACKER)
    assert int(headers["retry-after"]) > 0
    assert b"try again" in page
    assert send("/login", form("a", "b"))[0] == 401


def test_requests_that_are_no_logins_are_never_held_back(make: Make) -> None:
    gate = Gate()
    attacked(gate)
    send, _ = make(gate=gate)
    assert send("/", client=ATTACKER)[0] == 200


def test_watching_without_enforcing_lets_everything_through(make: Make) -> None:
    gate = Gate()
    attacked(gate)
    send, _ = make(gate=gate, enforce=False)
    assert send("/login", form("a", "b"), client=ATTACKER)[0] == 401


def test_only_a_trusted_proxy_speaks_for_others(make: Make) -> None:
    send, told = make(trusted_proxies=["10.0.0.1"])
    send("/login", form("a", "b"), client="10.0.0.1", x_forwarded_for="192.0.2.66, 192.0.2.7")
    send("/login", form("a", "b"), client="192.0.2.8", x_forwarded_for="192.0.2.66")
    assert [login.client_ip for login in logins(told)] == ["192.0.2.7", "192.0.2.8"]


def test_a_proxy_at_a_unix_socket_speaks_for_others_where_any_is_trusted(make: Make) -> None:
    send, told = make(trusted_proxies=["10.0.0.1"])
    send("/login", form("a", "b"), client="", x_forwarded_for="192.0.2.66, 192.0.2.7, 10.0.0.1")
    send("/login", form("a", "b"), client="", x_forwarded_for="unknown")
    trusting_nobody, told_there = make()
    trusting_nobody("/login", form("a", "b"), client="", x_forwarded_for="192.0.2.7")
    assert [login.client_ip for login in logins(told + told_there)] == ["192.0.2.7", "", ""]


def test_basic_credentials_are_one_login_while_they_are_accepted(make: Make) -> None:
    send, told = make()
    for _ in range(3):
        send("/", authorization="Basic Ym9iOmNvcnJlY3Q=")
    assert [login.outcome for login in logins(told)] == [Outcome.SUCCEEDED]


def test_an_application_that_breaks_down_leaves_an_unknown_outcome(make: Make) -> None:
    send, told = make()
    with pytest.raises(RuntimeError):
        send("/broken", form("bob", "x"))
    assert [login.outcome for login in logins(told)] == [Outcome.UNKNOWN]


@pytest.mark.parametrize("body", [b"\xff\xfe=&&==%%%", b"{", b"[" * 2000, b"username=" + b"%" * 5000, b"\0" * 100])
@pytest.mark.parametrize("kind", [FORM, "application/json", "multipart/form-data; boundary=x", ""])
def test_hostile_bodies_reach_the_application_as_they_are(make: Make, body: bytes, kind: str) -> None:
    send, _ = make()
    assert send("/login", body, kind)[2] == body


def test_of_several_headers_that_say_how_to_read_a_login_the_first_counts() -> None:
    told: list[Event] = []
    watch = WebLoginWatch(Gate(listener=told.extend))
    headers = [("Content-Type", FORM), ("Content-Type", "text/css")]
    assert watch.look("POST", "/login", headers, form("bob", "wrong"), Peer("192.0.2.1"))
    headers = [("Authorization", "Basic YW5uYTpjb3JyZWN0"), ("Authorization", "Bearer x")]
    assert watch.look("GET", "/", headers, b"", Peer("192.0.2.1"))
    assert [event.username for event in told if isinstance(event, AuthAttempted)] == ["bob", "anna"]


def test_a_websocket_passes_untouched() -> None:
    seen: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["type"])

    asyncio.run(AsgiGuard(app)({"type": "websocket"}, None, None))  # type: ignore[arg-type]
    assert seen == ["websocket"]
