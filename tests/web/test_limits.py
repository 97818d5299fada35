"""What a flood can hold of an application's server and of the door beside it ends at the number; the rest goes on."""

import asyncio
import io
from collections.abc import Callable, Iterable
from threading import Event as Signal
from threading import Semaphore, Thread
from types import SimpleNamespace
from typing import Any

import pytest

from lapwing.events import Action, AuthAttempted, AuthResolved, Event, Outcome
from lapwing.web import Answer, AsgiGuard, ForwardAuth, Gate, WsgiGuard, asgi, wsgi
from lapwing.web.asgi import MAX_DELAYED as MAX_TASKS
from lapwing.web.server import MAX_CONNECTIONS, _Connection, _places
from lapwing.web.wsgi import MAX_DELAYED as MAX_THREADS
from tests.patience import ENOUGH_S

BODY = b"username=bob&password=wrong"
FORM = "application/x-www-form-urlencoded"
REFUSED, ANSWERED = 429, 401
ASKING = b"GET /auth HTTP/1.1\r\nHost: guard.example.com\r\nX-Real-IP: 192.0.2.7\r\n\r\n"


class Hesitant(Gate):
    """Delays every login."""

    def __init__(self, told: list[Event]) -> None:
        super().__init__(listener=told.extend)

    def attempt(self, event: AuthAttempted, *, refuses: bool = True) -> Answer:
        super().attempt(event, refuses=refuses)
        return Answer(Action.DELAY, 2)


def outcomes(told: Iterable[Event]) -> list[Outcome]:
    return [event.outcome for event in told if isinstance(event, AuthResolved)]


async def asgi_app(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": ANSWERED, "headers": []})
    await send({"type": "http.response.body", "body": b"no"})


async def status_of(guard: AsgiGuard) -> int:
    """What a login is answered with."""
    headers = [(b"content-type", FORM.encode()), (b"content-length", str(len(BODY)).encode())]
    scope = {"type": "http", "method": "POST", "path": "/login", "headers": headers, "client": ("192.0.2.1", 5_000)}
    statuses: list[int] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": BODY}

    async def send(message: Any) -> None:
        if "status" in message:
            statuses.append(message["status"])

    await guard(scope, receive, send)
    (status,) = statuses
    return status


def test_so_many_requests_are_delayed_at_once_one_more_is_refused_and_told_and_all_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[Event] = []

    async def flood() -> None:
        over = asyncio.Event()
        monkeypatch.setattr(
            asgi, "asyncio", SimpleNamespace(sleep=lambda _s: over.wait(), CancelledError=asyncio.CancelledError)
        )
        guard = AsgiGuard(asgi_app, Hesitant(told))
        held = [asyncio.ensure_future(status_of(guard)) for _ in range(MAX_TASKS)]
        await asyncio.sleep(0)  # each of them has had its turn
        refused = await asyncio.wait_for(status_of(guard), ENOUGH_S)
        assert (refused, outcomes(told)) == (REFUSED, [Outcome.UNKNOWN])
        assert not any(task.done() for task in held)
        held[0].cancel()
        await asyncio.wait(held[:1])
        held[0] = asyncio.ensure_future(status_of(guard))  # into the place that was left
        await asyncio.sleep(0)
        assert await asyncio.wait_for(status_of(guard), ENOUGH_S) == REFUSED
        over.set()
        assert await asyncio.gather(*held) == [ANSWERED] * MAX_TASKS
        assert await status_of(guard) == ANSWERED

    asyncio.run(flood())
    assert outcomes(told).count(Outcome.FAILED) == MAX_TASKS + 1
    assert len(outcomes(told)) == sum(isinstance(event, AuthAttempted) for event in told)


def wsgi_app(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response(f"{ANSWERED} X", [])
    return [b"no"]


def wsgi_status_of(guard: WsgiGuard) -> int:
    """What a login is answered with."""
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/login", "CONTENT_TYPE": FORM, "CONTENT_LENGTH": str(len(BODY)),
        "REMOTE_ADDR": "192.0.2.1", "wsgi.input": io.BytesIO(BODY),
    }  # fmt: skip
    statuses: list[int] = []

    def start_response(status: str, _headers: Any) -> Callable[[bytes], object]:
        statuses.append(int(status[:3]))
        return lambda _piece: None

    for _ in guard(environ, start_response):
        pass
    (status,) = statuses
    return status


def test_so_many_threads_are_held_at_once_one_more_request_is_refused_and_told_and_all_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[Event] = []
    waiting, over = Semaphore(0), Signal()

    def sleep(_s: float) -> None:
        waiting.release()
        assert over.wait(ENOUGH_S)

    monkeypatch.setattr(wsgi, "time", SimpleNamespace(sleep=sleep))
    guard = WsgiGuard(wsgi_app, Hesitant(told))
    statuses: list[int] = []
    threads = [Thread(target=lambda: statuses.append(wsgi_status_of(guard))) for _ in range(MAX_THREADS)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert waiting.acquire(timeout=ENOUGH_S)
    assert wsgi_status_of(guard) == REFUSED
    assert (outcomes(told), statuses) == ([Outcome.UNKNOWN], [])
    over.set()
    for thread in threads:
        thread.join(ENOUGH_S)
    assert statuses == [ANSWERED] * MAX_THREADS
    assert wsgi_status_of(guard) == ANSWERED
    assert outcomes(told) == [Outcome.UNKNOWN, *[Outcome.FAILED] * (MAX_THREADS + 1)]


class Wire(asyncio.Transport):
    """What a connection writes to, and whether it was ended."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 4_000)})
        self.said = b""
        self.ended = False

    def write(self, data: Any) -> None:
        self.said += bytes(data)

    def abort(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.ended


def test_so_many_connections_are_open_at_once_one_more_is_turned_away_until_a_place_is_free() -> None:
    async def flood() -> None:
        forward, open_now = ForwardAuth(Gate(), trusted_proxies=["192.0.2.1"]), set[_Connection]()

        def come() -> tuple[_Connection, Wire]:
            connection, wire = _Connection(forward, open_now), Wire()
            connection.connection_made(wire)
            return connection, wire

        def leave(connection: _Connection) -> None:
            connection.connection_lost(None)

        inside = [come() for _ in range(MAX_CONNECTIONS)]
        late, turned_away = come()
        assert (turned_away.ended, len(open_now)) == (True, MAX_CONNECTIONS)
        leave(late)  # which takes nobody's place
        again, turned_away_too = come()
        assert turned_away_too.ended
        leave(again)
        assert forward.turned_away_count == 2
        assert b"lapwing_guard_turned_away_total 2\n" in forward.handle("/metrics", [], "192.0.2.1").body
        for connection, wire in inside:
            connection.data_received(ASKING)
            assert wire.said.startswith(b"HTTP/1.1 200")
            assert not wire.ended
        leave(inside[0][0])
        guest, welcome = come()
        guest.data_received(ASKING)
        assert welcome.said.startswith(b"HTTP/1.1 200")
        for connection in list(open_now):
            leave(connection)
        assert not turned_away.said

    asyncio.run(flood())


def test_whoever_takes_no_answers_is_not_heard_until_they_do() -> None:
    class Full(Wire):
        reading = True

        def pause_reading(self) -> None:
            self.reading = False

        def resume_reading(self) -> None:
            self.reading = True

    async def flood() -> None:
        connection, wire = _Connection(ForwardAuth(Gate()), set()), Full()
        connection.connection_made(wire)
        connection.pause_writing()
        assert not wire.reading
        connection.resume_writing()
        assert wire.reading
        connection.connection_lost(None)

    asyncio.run(flood())


@pytest.mark.parametrize(
    ("descriptors", "places"), [(64, 32), (1_024, 512), (1_536, MAX_CONNECTIONS), (-1, MAX_CONNECTIONS)]
)
def test_no_more_connections_are_open_than_leave_descriptors_for_files(descriptors: int, places: int) -> None:
    assert _places(descriptors) == places
