"""The endpoint that proxies ask about each request: nginx `auth_request`, Caddy, Traefik, Envoy `ext_authz`.

They send a request without a body and with the headers the owner sets, so no login and no outcome is seen here: it
enforces what was decided from the access log, in memory, in microseconds. Where that is busy, nobody waits for longer
than the deadline.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qs

import msgspec

from lapwing.events import Action
from lapwing.logins.forwarded import TrustedProxies, plain_address
from lapwing.web.bouncers import Bouncers, Held
from lapwing.web.gate import ALLOW, Answer, Gate, at_least

DENIED = 403  # the only refusal but 401 that nginx passes on; anything else is an error of the server to it
LOOPBACK = ("127.0.0.0/8", "::1/128")
GAUGES = ("rows_", "open_", "decisions")  # beginnings of the names of numbers that also fall
DEADLINE_S = 0.05  # of an answer: a person notices no more than that, and a proxy asks for each of a page's files

Headers = Sequence[tuple[str, str]]
Found = TypeVar("Found")


class Response(NamedTuple):
    """What goes back to who asked."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""


class ForwardAuth:
    """Answers 200 or 403 with `X-Lapwing-Action`, and `Retry-After` where it refuses.

    `trusted_proxies` may say for whom they ask, in `X-Forwarded-For` or `X-Real-IP`; from anybody else the connection's
    own address counts. `deny_from` is the mildest answer that refuses: a proxy cannot delay, so that is one.
    Whoever cannot be told is let through, or with `fail_open=False` refused.
    Where logins keep the gate busy for longer than `deadline_s`, an answer is given without it, from what was decided
    before; whoever is not held back then is let through, or with `fail_open=False` refused.
    `api_keys` open the list of decisions, in the form that CrowdSec's bouncers pull.
    """

    def __init__(
        self,
        gate: Gate,
        *,
        trusted_proxies: Sequence[str] = LOOPBACK,
        deny_from: Action = Action.DELAY,
        fail_open: bool = True,
        api_keys: Sequence[str] = (),
        deadline_s: float = DEADLINE_S,
    ) -> None:
        """Raise ValueError for a wrong network."""
        self.gate = gate
        self._deadline_s = deadline_s
        self._patience_s = deadline_s
        self.late_count = 0
        """Answers for which the gate was busy too long."""
        self._proxies = TrustedProxies(trusted_proxies)
        self._deny_from = deny_from
        self._fail_open = fail_open
        self._bouncers = Bouncers(api_keys, deny_from)
        self.unknown_count = 0
        """Requests of which nobody could tell whose they are."""
        self.turned_away_count = 0
        """Connections closed unheard, as too many were open."""
        self._routes: dict[str, Callable[[str, Headers, str], Response]] = {
            "/auth": self._auth,
            "/livez": self._alive,
            "/metrics": self._measured,
            "/readyz": self._alive,
            "/v1/decisions": self._listed,
            "/v1/decisions/stream": self._streamed,
        }

    def handle(self, target: str, headers: Headers, peer: str) -> Response:
        """Answer one request; its method and body do not matter."""
        path, _, query = target.partition("?")
        route = self._auth if path.startswith("/auth/") else self._routes.get(path)  # Envoy puts the path asked behind
        try:
            return Response(404, []) if route is None else route(query, headers, peer)
        except TimeoutError:
            return Response(503, [("Retry-After", "1")])

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        """The same as an ASGI application, to be mounted into another."""
        if scope["type"] != "http":
            return
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        path = scope["path"].removeprefix(scope.get("root_path", ""))  # where it is mounted
        target = f"{path}?{scope.get('query_string', b'').decode('latin-1')}"
        response = self.handle(target, headers, (scope.get("client") or ("", 0))[0])
        found = [(name.lower().encode(), value.encode()) for name, value in response.headers]
        await send({"type": "http.response.start", "status": response.status, "headers": found})
        await send({"type": "http.response.body", "body": response.body})

    def client(self, headers: Headers, peer: str) -> str | None:
        """The address on whose behalf is asked; None when it cannot be told."""
        address = plain_address(peer)
        if peer and address is None:
            return None
        if address is not None and not self._proxies.trusts(address):
            return address
        forwarded = ",".join(value for name, value in headers if name.lower() == "x-forwarded-for")
        if forwarded:
            client = self._proxies.behind(forwarded)
            return None if client == address else client  # over a Unix socket only a neighbour can connect
        return plain_address(next((value for name, value in headers if name.lower() == "x-real-ip"), ""))

    def _auth(self, _query: str, headers: Headers, peer: str) -> Response:
        answer = self._answer(self.client(headers, peer))
        told = [("X-Lapwing-Action", answer.action.value)]
        if answer.action is Action.ALLOW or not at_least(answer.action, self._deny_from):
            return Response(200, told)
        return Response(DENIED, [*told, ("Retry-After", str(answer.retry_after_s)), ("Cache-Control", "no-store")])

    def _answer(self, client: str | None) -> Answer:
        by_policy = ALLOW if self._fail_open else Answer(Action.BLOCK, 1)
        if client is None:
            self.unknown_count += 1
            return by_policy
        try:
            return self._in_time(lambda wait_s: self.gate.answer(client, wait_s=wait_s))
        except TimeoutError:
            known = self.gate.known(client)
            return by_policy if known.action is Action.ALLOW else known

    def _in_time(self, ask: Callable[[float], Found]) -> Found:
        """What the gate says. Raises TimeoutError past the deadline.

        Only the first request waits for a busy gate: those behind it were waiting meanwhile, and are answered at once
        until the gate is free again.
        """
        try:
            found = ask(self._patience_s)
        except TimeoutError:
            self._patience_s = 0.0
            self.late_count += 1
            raise
        self._patience_s = self._deadline_s
        return found

    def _alive(self, _query: str, _headers: Headers, _peer: str) -> Response:
        return Response(200, [("Content-Type", "text/plain")], b"ok\n")

    def _measured(self, _query: str, _headers: Headers, _peer: str) -> Response:
        """Counters and gauges as Prometheus reads them; none is labelled by an address or an account."""
        numbers = self._in_time(lambda wait_s: self.gate.statistics(wait_s=wait_s))
        numbers |= {"guard.asked_for_nobody": self.unknown_count, "guard.answered_late": self.late_count}
        numbers["guard.turned_away"] = self.turned_away_count
        lines = []
        for name, value in sorted(numbers.items()):
            kind = "gauge" if name.rpartition(".")[2].startswith(GAUGES) else "counter"
            word = f"lapwing_{name.replace('.', '_')}{'_total' if kind == 'counter' else ''}"
            lines.append(f"# TYPE {word} {kind}\n{word} {value}\n")
        return Response(200, [("Content-Type", "text/plain; version=0.0.4")], "".join(lines).encode())

    def _listed(self, query: str, headers: Headers, peer: str) -> Response:
        if self._bouncers.who(headers, peer) is None:
            return Response(403, [])
        wanted = parse_qs(query).get("ip") or parse_qs(query).get("value")
        if not wanted:
            return _json([self._bouncers.row(source, answer) for source, answer in self._held()] or None)
        answer = self._in_time(lambda wait_s: self.gate.answer(wanted[0], wait_s=wait_s))
        value = plain_address(wanted[0]) or wanted[0]
        return _json(None if answer.action is Action.ALLOW else [self._bouncers.row(value, answer)])

    def _streamed(self, query: str, headers: Headers, peer: str) -> Response:
        who = self._bouncers.who(headers, peer)
        if who is None:
            return Response(403, [])
        afresh = parse_qs(query).get("startup") == ["true"]
        return _json(self._bouncers.pulled(who, self._held(), self.gate.now_ns(), afresh=afresh))

    def _held(self) -> Held:
        return self._in_time(lambda wait_s: self.gate.holding(wait_s=wait_s))


def _json(value: object) -> Response:
    return Response(200, [("Content-Type", "application/json")], msgspec.json.encode(value))
