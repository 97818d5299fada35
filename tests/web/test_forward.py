"""What a proxy that asks is answered, and whom it may ask for."""

import asyncio
import http.client
import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread, current_thread
from typing import Any

import pytest

from lapwing.events import Action, SourceError
from lapwing.web import Answer, ForwardAuth, ForwardServer, Gate
from tests.patience import ENOUGH_S

from .test_gate import ATTACKER, Clock, attacked, login

KEY = "0123456789abcdef"


@pytest.fixture
def forward() -> ForwardAuth:
    gate = Gate()
    attacked(gate)
    return ForwardAuth(gate, trusted_proxies=["10.0.0.0/8"], api_keys=[KEY])


def ask(forward: ForwardAuth, peer: str = "10.0.0.1", **headers: str) -> int:
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return forward.handle("/auth", named, peer).status


def test_whoever_is_held_back_is_refused_with_when_to_come_again(forward: ForwardAuth) -> None:
    response = forward.handle("/auth", [("X-Real-IP", ATTACKER)], "10.0.0.1")
    assert response.status == 403
    headers = dict(response.headers)
    assert headers["X-Lapwing-Action"] == "block"
    assert 0 < int(headers["Retry-After"]) <= 86_400


def test_others_pass(forward: ForwardAuth) -> None:
    assert ask(forward, X_Real_IP="192.0.2.1") == 200


def test_only_trusted_proxies_may_say_for_whom_they_ask(forward: ForwardAuth) -> None:
    assert ask(forward, "198.51.100.1", X_Forwarded_For=ATTACKER) == 200
    assert ask(forward, ATTACKER, X_Forwarded_For="192.0.2.1") == 403


def test_what_a_client_wrote_into_the_chain_does_not_count(forward: ForwardAuth) -> None:
    assert ask(forward, X_Forwarded_For=f"192.0.2.1, {ATTACKER}") == 403
    assert ask(forward, X_Forwarded_For=f"{ATTACKER}, 192.0.2.1, 10.0.0.2") == 200


def test_a_chain_may_come_in_several_headers(forward: ForwardAuth) -> None:
    lines = [("X-Forwarded-For", f"192.0.2.1, {ATTACKER}"), ("X-Forwarded-For", "10.0.0.2")]
    assert forward.handle("/auth", lines, "10.0.0.1").status == 403


def test_the_path_that_is_asked_for_may_stand_behind(forward: ForwardAuth) -> None:
    asked = [("X-Real-IP", ATTACKER)]
    assert forward.handle("/auth/login?next=/", asked, "10.0.0.1").status == 403
    assert forward.handle("/auth/", [("X-Real-IP", "192.0.2.1")], "10.0.0.1").status == 200
    assert forward.handle("/authors", asked, "10.0.0.1").status == 404


def test_whoever_cannot_be_told_passes_unless_it_is_closed(forward: ForwardAuth) -> None:
    assert ask(forward) == 200
    assert forward.unknown_count == 1
    closed = ForwardAuth(forward.gate, trusted_proxies=["10.0.0.0/8"], fail_open=False)
    assert ask(closed) == 403


class Stuck(Clock):
    """A clock at which one thread waits, inside of the gate, until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.victim: Thread | None = None
        self.inside, self.over = Event(), Event()

    def __call__(self) -> int:
        if current_thread() is self.victim:
            self.inside.set()
            self.over.wait()
        return super().__call__()

    @contextmanager
    def holding(self, gate: Gate) -> Iterator[None]:
        """Logins are being taken all the while, and never done with."""
        self.victim = Thread(target=gate.take, args=([login("192.0.2.77", 1)],))
        self.victim.start()
        self.inside.wait()
        try:
            yield
        finally:
            self.over.set()
            self.victim.join()


@pytest.mark.parametrize(("fail_open", "others"), [(True, 200), (False, 403)])
def test_past_the_deadline_who_is_held_stays_held_and_for_others_the_policy_counts(
    fail_open: bool, others: int
) -> None:
    clock = Stuck()
    gate = Gate(clock=clock)
    attacked(gate)
    forward = ForwardAuth(gate, fail_open=fail_open)
    with clock.holding(gate):
        assert ask(forward, "127.0.0.1", X_Real_IP=ATTACKER) == 403
        assert ask(forward, "127.0.0.1", X_Real_IP="192.0.2.1") == others
        assert forward.handle("/metrics", [], "127.0.0.1").status == 503
    assert forward.late_count == 3
    assert ask(forward, "127.0.0.1", X_Real_IP="192.0.2.1") == 200
    assert b"lapwing_guard_answered_late_total 3\n" in forward.handle("/metrics", [], "127.0.0.1").body


def test_the_list_of_decisions_keeps_the_deadline_too() -> None:
    clock = Stuck()
    forward = ForwardAuth(Gate(clock=clock), api_keys=[KEY])
    with clock.holding(forward.gate):
        for target in ("/v1/decisions", "/v1/decisions?ip=192.0.2.1", "/v1/decisions/stream?startup=true"):
            response = forward.handle(target, [("X-Api-Key", KEY)], "192.0.2.1")
            assert (response.status, dict(response.headers)) == (503, {"Retry-After": "1"})
        assert forward.handle("/livez", [], "192.0.2.1").status == 200


def test_only_the_first_who_asks_waits_for_a_busy_gate() -> None:
    waits: list[float] = []

    class Busy(Gate):
        is_busy = True

        def answer(self, client_ip: str, *, wait_s: float = -1.0) -> Answer:
            waits.append(wait_s)
            if self.is_busy:
                raise TimeoutError
            return super().answer(client_ip, wait_s=wait_s)

    gate = Busy()
    forward = ForwardAuth(gate, deadline_s=0.05)
    for _ in range(3):
        ask(forward, "192.0.2.1")
    gate.is_busy = False
    for _ in range(2):
        ask(forward, "192.0.2.1")
    assert waits == [0.05, 0.0, 0.0, 0.0, 0.05]


def test_the_server_answers_all_its_connections_while_the_gate_is_stuck() -> None:
    clock = Stuck()
    gate = Gate(clock=clock)
    attacked(gate)
    with ForwardServer(ForwardAuth(gate), "127.0.0.1:0") as server, clock.holding(gate):
        connections = [http.client.HTTPConnection(server.address, timeout=ENOUGH_S) for _ in range(8)]
        for number, connection in enumerate(connections):
            connection.request("GET", "/auth", headers={"X-Real-IP": ATTACKER if number % 2 else "192.0.2.1"})
        statuses = [connection.getresponse().status for connection in connections]
        for connection in connections:
            connection.close()
    assert statuses == [200, 403] * 4


def test_the_mildest_answer_that_refuses_can_be_chosen(forward: ForwardAuth) -> None:
    assert ask(ForwardAuth(forward.gate, deny_from=Action.BLOCK), "127.0.0.1", X_Real_IP=ATTACKER) == 403


def test_one_address_can_be_asked_for(forward: ForwardAuth) -> None:
    held = forward.handle(f"/v1/decisions?ip={ATTACKER}", [("X-Api-Key", KEY)], "192.0.2.1")
    assert json.loads(held.body)[0]["value"] == ATTACKER
    assert forward.handle("/v1/decisions?ip=192.0.2.1", [("X-Api-Key", KEY)], "192.0.2.1").body == b"null"


@pytest.mark.parametrize("headers", [[], [("X-Api-Key", "wrong")], [("X-Api-Key", "")]])
def test_the_list_is_closed_without_a_key(forward: ForwardAuth, headers: list[tuple[str, str]]) -> None:
    assert forward.handle("/v1/decisions/stream", headers, "10.0.0.1").status == 403
    assert ForwardAuth(forward.gate).handle("/v1/decisions", headers, "10.0.0.1").status == 403


@pytest.fixture
def served(forward: ForwardAuth) -> Iterator[str]:
    local = ForwardAuth(forward.gate)
    with ForwardServer(local, "127.0.0.1:0") as server:
        yield server.address


def test_the_server_answers_many_requests_on_one_connection(served: str) -> None:
    connection = http.client.HTTPConnection(served, timeout=ENOUGH_S)
    for address, status in ((ATTACKER, 403), ("192.0.2.1", 200)) * 3:
        connection.request("GET", "/auth", headers={"X-Forwarded-For": address})
        response = connection.getresponse()
        assert response.status == status
        response.read()
    connection.request("POST", "/auth", b"a body that nobody reads", {"X-Forwarded-For": ATTACKER})
    assert connection.getresponse().status == 403
    connection.close()


def test_a_long_body_is_passed_over_and_the_answer_to_head_has_none(served: str) -> None:
    connection = http.client.HTTPConnection(served, timeout=ENOUGH_S)
    for _ in range(2):
        connection.request("POST", "/auth", b"x" * 200_000, {"X-Forwarded-For": "192.0.2.1"})
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b"")
        connection.request("HEAD", "/livez")
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b"")
    connection.close()


def test_what_is_no_request_is_refused_and_the_server_lives(served: str) -> None:
    host, _, port = served.rpartition(":")
    for rubbish in (b"\x16\x03\x01\x02\x00\x01\x00", b"GET /auth HTTP/1.1\r\nA: " + b"x" * 70_000):
        with socket.create_connection((host, int(port)), 30) as one:
            one.sendall(rubbish)
            assert one.recv(100).startswith(b"HTTP/1.1 400")
    connection = http.client.HTTPConnection(served, timeout=ENOUGH_S)
    connection.request("GET", "/livez")
    assert connection.getresponse().read() == b"ok\n"
    connection.close()


def test_a_unix_socket_is_served_also_where_an_old_one_lies(forward: ForwardAuth, tmp_path: Path) -> None:
    path = tmp_path / "guard.sock"
    for _ in range(2):
        with ForwardServer(ForwardAuth(forward.gate), f"unix:{path}"), socket.socket(socket.AF_UNIX) as one:
            one.connect(str(path))
            one.sendall(b"GET /auth HTTP/1.1\r\nX-Real-IP: " + ATTACKER.encode() + b"\r\n\r\n")
            assert one.recv(1000).startswith(b"HTTP/1.1 403")


def test_over_a_unix_socket_who_asks_is_believed_whomever_else_is_trusted(forward: ForwardAuth) -> None:
    assert ask(forward, "", X_Forwarded_For=f"192.0.2.1, {ATTACKER}, 10.0.0.2") == 403
    assert ask(forward, "", X_Forwarded_For=f"{ATTACKER}, 192.0.2.1") == 200
    assert ask(forward, "", X_Real_IP=ATTACKER) == 403
    assert (ask(forward, "", X_Forwarded_For="unknown"), forward.unknown_count) == (200, 1)


@pytest.mark.parametrize("root", ["", "/guard"])
def test_it_answers_where_it_is_mounted_in_an_application(forward: ForwardAuth, root: str) -> None:
    def status(path: str, client: str) -> int:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"x-real-ip", client.encode())]
        scope = {"type": "http", "root_path": root, "path": root + path, "headers": headers, "client": ("10.0.0.1", 1)}
        asyncio.run(forward(scope, None, send))
        assert sent[1]["type"] == "http.response.body"
        return int(sent[0]["status"])

    assert [status("/auth", ATTACKER), status("/auth", "192.0.2.1"), status("/auth/x", ATTACKER)] == [403, 200, 403]
    assert [status("/livez", ATTACKER), status("/elsewhere", ATTACKER)] == [200, 404]


def test_a_unix_socket_that_is_served_is_taken_from_nobody(forward: ForwardAuth, tmp_path: Path) -> None:
    listen = f"unix:{tmp_path / 'guard.sock'}"
    with ForwardServer(forward, listen):
        with pytest.raises(SourceError, match="Address already in use"):
            ForwardServer(forward, listen).__enter__()
        with socket.socket(socket.AF_UNIX) as one:
            one.connect(str(tmp_path / "guard.sock"))
            one.sendall(b"GET /livez HTTP/1.1\r\n\r\n")
            assert one.recv(1000).startswith(b"HTTP/1.1 200")


def test_a_wish_for_another_protocol_is_answered_in_this_one_and_the_connection_goes_on(served: str) -> None:
    host, _, port = served.rpartition(":")
    wish = f"GET /auth HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Real-IP: {ATTACKER}\r\n\r\n".encode()
    with socket.create_connection((host, int(port)), ENOUGH_S) as one, one.makefile("rb") as answers:
        one.sendall(wish + wish)
        one.sendall(wish + b"GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert re.findall(rb"HTTP/1.1 (\d+)", answers.read()) == [b"403"] * 3 + [b"200"]


@pytest.mark.parametrize("listen", ["nonsense", "127.0.0.1:99999", "unix:/nowhere/at/all.sock", "192.0.2.1:80"])
def test_where_nobody_can_listen_is_said(forward: ForwardAuth, listen: str) -> None:
    with pytest.raises(SourceError, match="cannot be listened on"):
        ForwardServer(forward, listen).__enter__()
