"""The part that ASGI and WSGI share: a request is looked at, answered or let through, and its response is read."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import chain, count
from typing import NamedTuple, TypeVar

import msgspec

from lapwing.events import AuthAttempted, AuthEvidence, AuthResolved, FlowKey, Outcome, Side, Transport
from lapwing.events.messages import HttpRequest, HttpResponse
from lapwing.logins import LoginAdapter, LoginContext, adapter_for
from lapwing.logins.endpoints import compiled, path_segments
from lapwing.logins.forwarded import TrustedProxies, plain_address
from lapwing.logins.usernames import normalise
from lapwing.web.gate import Answer, Gate
from lapwing.web.unread import blanks

MAX_BODY_BYTES = 64 * 1024  # of a request looked at: no login form comes near it; of a longer one nothing is seen
MAX_PAGE_BYTES = 64 * 1024  # of a response looked at
MAX_ACCEPTED = 16_384  # Basic and Digest credentials that are sent with every request, remembered as accepted
REPEATED = frozenset({"basic", "digest"})
BODY_TYPES = ("application/x-www-form-urlencoded", "application/json", "multipart/form-data")
TELLING = frozenset({"authorization", "content-type"})

Login = TypeVar("Login", AuthAttempted, AuthResolved)
Headers = Sequence[tuple[str, str]]


class Peer(NamedTuple):
    """Who connected to the application: perhaps a proxy."""

    address: str
    port: int = 0


class Watched:
    """One login on its way through the application."""

    __slots__ = ("_adapter", "_watch", "answer", "page")

    def __init__(self, watch: "WebLoginWatch", adapter: LoginAdapter, answer: Answer) -> None:
        self._watch = watch
        self._adapter = adapter
        self.answer = answer
        """What to do; ALLOW lets it through."""
        self.page = bytearray()

    def saw(self, piece: bytes) -> None:
        """Take a piece of the response's body, of which the beginning is kept."""
        room = MAX_PAGE_BYTES - len(self.page)
        if room > 0:
            self.page += piece[:room]

    def ended(self, status: int, headers: Headers, body_bytes: int) -> None:
        """The response was sent: read from it how the login ended."""
        response = HttpResponse(
            status=status,
            reason="",
            version="1.1",
            headers=list(headers),
            body=bytes(self.page),
            body_bytes=body_bytes,
        )
        now_ns = self._watch.gate.now_ns()
        self._watch.resolve(self._adapter.message(Side.SERVER, response, now_ns))

    def failed(self) -> None:
        """It was not answered, or never reached the application: nobody knows how the login would have ended."""
        self._watch.resolve(self._adapter.close(self._watch.gate.now_ns()))


class WebLoginWatch:
    """Finds the logins among requests. `trusted_proxies` are networks whose `X-Forwarded-For` is believed.

    `enforce` says whether whoever asks holds back logins that are to be blocked.
    """

    def __init__(self, gate: Gate, *, trusted_proxies: Sequence[str] = (), enforce: bool = True) -> None:
        """Raise ValueError for a wrong network."""
        self.gate = gate
        self._proxies = TrustedProxies(trusted_proxies)
        self._settings = gate.settings.logins
        self._endpoints = compiled(self._settings.endpoints)
        self._enforce = enforce
        self._next_flow = count(1).__next__
        self._accepted: OrderedDict[tuple[str, str | None, str | None, str], None] = OrderedDict()

    def wants_body(self, method: str, target: str, content_type: str) -> bool:
        """Whether the body of a request must be seen to tell if it is a login."""
        if method in ("GET", "HEAD", "OPTIONS"):
            return False
        if self._endpoints.find_any_body(method, path_segments(target)) is not None:
            return True
        kind = content_type.partition(";")[0].strip().casefold()
        return self._settings.any_path and (kind in BODY_TYPES or kind.endswith("+json"))

    def client(self, peer: Peer, headers: Headers) -> str:
        """The address a request comes from."""
        address = plain_address(peer.address) or peer.address
        if not (self._proxies.trusts(address) if address else bool(self._proxies)):  # a Unix socket has none
            return address
        forwarded = ",".join(value for name, value in headers if name.lower() == "x-forwarded-for")
        return self._proxies.behind(forwarded) or address

    def look(self, method: str, target: str, headers: Headers, body: bytes | None, peer: Peer) -> Watched | None:
        """Return the login that a request is, with the answer to it; None for any other request.

        `body` is None where it is too long; at a login surface that is a login, of which nobody can tell whose.
        """
        client_ip = self.client(peer, headers)
        key = FlowKey(self._next_flow(), "", Transport.TCP, client_ip, peer.port, "", 0)
        adapter = adapter_for("http", LoginContext(key, self._settings, self.gate.tagger, self.gate.next_auth_id))
        assert adapter is not None
        request = HttpRequest(
            method=method,
            target=target,
            version="1.1",
            headers=_once(headers),
            body=body or b"",
            body_bytes=len(body or b""),
        )
        now_ns = self.gate.now_ns()
        requests = chain((request,), blanks(request, self._settings, too_long=body is None))
        told = (event for one in requests for event in adapter.message(Side.CLIENT, one, now_ns))
        found = next((event for event in told if isinstance(event, AuthAttempted)), None)
        if found is None:
            return None
        attempt = _own(found)
        if attempt.mechanism in REPEATED and _identity(attempt) in self._accepted:
            return None
        return Watched(self, adapter, self.gate.attempt(attempt, refuses=self._enforce))

    def answer(self, peer: Peer, headers: Headers) -> Answer:
        """What holds for the sender of a request that is no login."""
        return self.gate.answer(self.client(peer, headers))

    def resolve(self, events: Iterable[object]) -> None:
        """Hand outcomes to the gate."""
        for event in events:
            if isinstance(event, AuthResolved):
                login = _own(event)
                if login.mechanism in REPEATED and login.outcome is Outcome.SUCCEEDED:
                    self._accept(login)
                self.gate.take([login])

    def told(self, client_ip: str, username: str, outcome: Outcome, endpoint: str = "application") -> None:
        """An application says itself how a login ended, one that no request shows."""
        login = AuthResolved(
            ts_ns=self.gate.now_ns(),
            protocol="http",
            mechanism="application",
            endpoint=endpoint,
            client_ip=client_ip,
            username=normalise(username, self._settings),
            auth_id=self.gate.next_auth_id(),
            outcome=outcome,
            evidence=AuthEvidence.APPLICATION,
            confidence=1.0,
            detail="told by the application",
        )
        self.gate.take([login])

    def _accept(self, login: AuthResolved) -> None:
        self._accepted[_identity(login)] = None
        if len(self._accepted) > MAX_ACCEPTED:
            self._accepted.popitem(last=False)


def _once(headers: Headers) -> list[tuple[str, str]]:
    """Of several headers that say how to read a login the first counts, as applications take it."""
    kept: list[tuple[str, str]] = []
    seen: set[str] = set()
    for header in headers:
        name = header[0].lower()
        if name not in TELLING or name not in seen:
            seen.add(name)
            kept.append(header)
    return kept


def _identity(login: AuthAttempted | AuthResolved) -> tuple[str, str | None, str | None, str]:
    return (login.client_ip, login.username, login.secret_tag, login.endpoint)


def _own(event: Login) -> Login:
    """The event as the application's own sight of it: there was no flow on a wire."""
    changes: dict[str, object] = {"flow_id": None, "community_id": None, "server_ip": None, "server_port": None}
    if isinstance(event, AuthResolved):
        changes["evidence"] = AuthEvidence.APPLICATION
    return msgspec.structs.replace(event, **changes)
