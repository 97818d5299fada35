"""The client against a real HTTP server on loopback."""

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

import lapwing
from lapwing.callbacks import ClientSettings, Disabled, Inconclusive, NotObserved, Observed, SessionSettings
from lapwing.callbacks.interactsh import Call, CallError, FetchFailure
from lapwing.events import SettingsError
from lapwing.io.callbacks import BlockingSession
from lapwing.io.callbacks.wire import HttpCollector, tls_context
from tests.io.callbacks.desk import Desk, http_hit
from tests.io.callbacks.server import LOOPBACK, certificate, serving
from tests.patience import ENOUGH_S
from tests.ports import free_port

OWN = ("127.0.0.0/8",)
PATIENT = ClientSettings(call_timeout_s=ENOUGH_S, waits=SessionSettings(verdict_grace_s=ENOUGH_S))
QUICK = replace(PATIENT, waits=replace(PATIENT.waits, default_timeout_s=0.2, poll_interval_s=0.05))


def test_a_callback_is_waited_for_with_an_event_loop() -> None:
    desk = Desk()

    async def main(server: str) -> None:
        async with lapwing.callbacks.session(server, private_networks=OWN, settings=PATIENT) as session:
            planted = session.mint(purpose="order webhook")
            http_hit(desk, planted)
            outcome = await session.wait_for(planted, accepts="http", timeout=ENOUGH_S)
            assert isinstance(outcome, Observed)

    with serving(desk) as server:
        asyncio.run(main(server))
    assert desk.calls == ["/register", "/poll", "/deregister"]


def test_a_callback_is_waited_for_without_an_event_loop() -> None:
    desk = Desk()
    with serving(desk) as server, lapwing.callbacks.session(server, private_networks=OWN, settings=PATIENT) as session:
        planted = session.mint(purpose="order webhook")
        http_hit(desk, planted)
        assert isinstance(session.wait_for(planted, accepts="http", timeout=ENOUGH_S), Observed)
        assert session.find(planted.url) == planted
        assert session.disabled is None
        assert session.statistics()["observations"] == 1
    assert desk.calls == ["/register", "/poll", "/deregister"]


def test_absence_is_proved_over_a_real_connection() -> None:
    with serving(Desk()) as server, lapwing.callbacks.session(server, private_networks=OWN, settings=QUICK) as session:
        assert isinstance(session.wait_for(session.mint()), NotObserved)


def test_the_blocking_twin_gives_everything_to_who_follows() -> None:
    desk = Desk()
    with serving(desk) as server, lapwing.callbacks.session(server, private_networks=OWN, settings=PATIENT) as session:
        planted = session.mint("x")
        http_hit(desk, planted)
        with session.following() as hits:
            assert next(hits).token == planted.token
        threading.Timer(0.05, session.close).start()
        with session.following() as hits:
            assert list(hits) == []


def test_threads_may_use_and_close_the_blocking_twin_at_once() -> None:
    with serving(Desk()) as server:
        for _ in range(5):
            session = lapwing.callbacks.session(server, private_networks=OWN, settings=PATIENT).__enter__()
            threads = [threading.Thread(target=session.close, daemon=True) for _ in range(4)]
            threads += [threading.Thread(target=_mint_until_closed, args=(session,), daemon=True) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(ENOUGH_S)
            assert not any(thread.is_alive() for thread in threads)


def _mint_until_closed(session: BlockingSession) -> None:
    with suppress(RuntimeError):
        while True:
            session.mint()


def test_closing_the_blocking_twin_wakes_a_wait_in_another_thread() -> None:
    outcomes: list[object] = []
    with (
        serving(Desk()) as server,
        lapwing.callbacks.session(server, private_networks=OWN, settings=PATIENT) as session,
    ):
        planted = session.mint()
        waiting = threading.Thread(target=lambda: outcomes.append(session.wait_for(planted, timeout=ENOUGH_S)))
        waiting.start()
        while session.statistics()["waiters"] == 0:
            pass
    waiting.join()
    assert outcomes == [Disabled("session shut down")]
    with pytest.raises(RuntimeError, match="closed"):
        session.mint()


def test_the_certificate_of_a_collector_is_verified(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tls, chain = certificate(tmp_path)
    with serving(Desk(), tls) as server:
        with lapwing.callbacks.session(server, private_networks=OWN, settings=PATIENT) as session:
            assert "CERTIFICATE_VERIFY_FAILED" in str(session.disabled)
        known = replace(PATIENT, ca_file=str(chain))
        with lapwing.callbacks.session(server, private_networks=OWN, settings=known) as session:
            assert session.disabled is None
    assert caplog.records[0].levelno == logging.WARNING


def test_a_private_collector_is_not_contacted_unless_its_network_is_allowed(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    with serving(desk) as server, lapwing.callbacks.session(server) as session:
        assert "not contacted" in str(session.disabled)
    assert desk.calls == []


@contextmanager
def answering(*answers: bytes, hang: bool = False) -> Iterator[str]:
    """Answer one connection after the other with given bytes, then hang up, or say nothing more."""
    ended = threading.Event()
    listener = socket.create_server((LOOPBACK, 0))
    listener.settimeout(ENOUGH_S)

    def serve() -> None:
        for answer in answers:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)
                if hang:
                    ended.wait(20)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
    finally:
        ended.set()
        thread.join()
        listener.close()


def failure_of(server: str, timeout_s: float = ENOUGH_S, max_bytes: int = 1000) -> CallError:
    async def main() -> None:
        collector = HttpCollector(server, timeout_s=timeout_s, allowed=OWN, tls=tls_context(None))
        try:
            await collector.send(Call("GET", "/poll?id=x&secret=hidden"), max_bytes=max_bytes)
        finally:
            await collector.aclose()

    with pytest.raises(CallError) as raised:
        asyncio.run(main())
    return raised.value


def test_failures_are_named_by_how_far_the_call_came() -> None:
    assert failure_of(f"http://{LOOPBACK}:{free_port()}").failure is FetchFailure.CONNECT
    with answering(b"") as server:
        assert failure_of(server).failure is FetchFailure.REQUEST
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf") as server:
        assert failure_of(server).failure is FetchFailure.BODY
    with answering(b"HTTP/1.1 200 OK\r\n", hang=True) as server:
        assert failure_of(server, timeout_s=0.1).failure is FetchFailure.TIMEOUT


def test_no_error_shows_the_address_of_a_poll() -> None:
    with answering(b"") as server:
        assert "hidden" not in str(failure_of(server))


def test_a_redirect_is_not_followed() -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with (
        answering(head) as server,
        lapwing.callbacks.session(server, private_networks=OWN, settings=PATIENT) as session,
    ):
        assert "status 302" in str(session.disabled)


def test_a_body_past_the_bound_is_cut() -> None:
    async def main(server: str) -> tuple[int, bool]:
        collector = HttpCollector(server, timeout_s=ENOUGH_S, allowed=OWN)
        try:
            answer = await collector.send(Call("GET", "/"), max_bytes=100)
        finally:
            await collector.aclose()
        return len(answer.body), answer.cut

    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n" + b"x" * 200) as server:
        assert asyncio.run(main(server)) == (100, True)


def test_a_server_that_goes_away_ends_a_wait_without_a_verdict() -> None:
    desk = Desk()
    settings = replace(PATIENT, waits=SessionSettings(default_timeout_s=0.5, poll_interval_s=0.1, verdict_grace_s=0.2))
    with (
        serving(desk) as server,
        lapwing.callbacks.session(server, private_networks=OWN, settings=settings) as session,
    ):
        desk.gone = True
        assert isinstance(session.wait_for(session.mint()), Inconclusive)


@pytest.mark.parametrize("token", ["a\r\nX: y", "", " x", "ä"])
def test_a_token_that_no_header_carries_is_refused_without_being_shown(token: str) -> None:
    with (
        pytest.raises(SettingsError, match=r"token: has characters"),
        lapwing.callbacks.session("oast.example.com", token=token),
    ):
        pass


@pytest.mark.parametrize("server", ["", "localhost", "a.example\r\nX: y"])
def test_a_server_that_is_none_is_refused_at_once(server: str) -> None:
    with pytest.raises(SettingsError, match=r"callbacks\.server"):
        lapwing.callbacks.session(server)
