"""Whom the client contacts: only addresses that were judged, by no proxy, and with no surprise on the wire."""

import asyncio
import socket
from typing import Any

import pytest

from lapwing.callbacks.interactsh import Call, CallError, FetchFailure
from lapwing.io.callbacks.wire import HttpCollector
from tests.io.callbacks.desk import Desk
from tests.io.callbacks.server import LOOPBACK, serving

OWN = ("127.0.0.0/8",)


class Resolver:
    """Answers instead of the system, and remembers what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
        self.asked: list[str] = []
        self.connected: list[str] = []
        resolver = self

        async def getaddrinfo(_: Any, host: str, port: int, **__: Any) -> list[Any]:
            if all(part.isdigit() for part in host.split(".")):  # an address that was judged is connected to
                resolver.connected.append(host)
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
            resolver.asked.append(host)
            if not addresses:
                raise socket.gaierror(socket.EAI_NONAME, "no such name")
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)


def sent(server: str, *, allowed: tuple[str, ...] = OWN) -> int:
    """The status of one call."""

    async def main() -> int:
        collector = HttpCollector(server, timeout_s=20.0, allowed=allowed)
        try:
            call = Call("POST", "/register", b"{}", (("Content-Type", "application/json"),))
            return (await collector.send(call, max_bytes=10_000)).status
        finally:
            await collector.aclose()

    return asyncio.run(main())


def test_one_private_address_among_the_answers_refuses_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = Resolver(monkeypatch, "9.9.9.9", "10.0.0.1")
    with pytest.raises(CallError, match="not contacted") as raised:
        sent("https://oast.example.com", allowed=())
    assert raised.value.failure is FetchFailure.CONNECT
    assert resolver.connected == []


def test_a_name_without_an_address_is_not_contacted(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = Resolver(monkeypatch)
    with pytest.raises(CallError) as raised:
        sent("https://oast.example.com")
    assert raised.value.failure is FetchFailure.CONNECT
    assert (resolver.asked, resolver.connected) == (["oast.example.com"], [])


def test_the_name_is_asked_for_once_and_the_judged_address_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    with serving(desk) as server:
        resolver = Resolver(monkeypatch, LOOPBACK)
        assert sent(server.replace(LOOPBACK, "oast.example.com")) == 400
    assert resolver.asked == ["oast.example.com"]
    assert set(resolver.connected) <= {LOOPBACK}
    assert desk.calls == ["/register"]


def test_a_proxy_in_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    with socket.create_server((LOOPBACK, 0)) as proxy, serving(desk) as server:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://{LOOPBACK}:{proxy.getsockname()[1]}")
        monkeypatch.delenv("no_proxy", raising=False)
        assert sent(server) == 400
        proxy.setblocking(False)
        with pytest.raises(BlockingIOError):
            proxy.accept()
    assert desk.calls == ["/register"]


def test_nothing_compressed_is_asked_for() -> None:
    with socket.create_server((LOOPBACK, 0)) as listener:

        async def main() -> bytes:
            collector = HttpCollector(f"http://{LOOPBACK}:{listener.getsockname()[1]}", timeout_s=20.0, allowed=OWN)
            call = asyncio.ensure_future(collector.send(Call("GET", "/poll"), max_bytes=100))
            connection, _ = await asyncio.to_thread(listener.accept)
            heard = await asyncio.to_thread(connection.recv, 65_536)
            connection.close()
            with pytest.raises(CallError):
                await call
            await collector.aclose()
            return heard

        assert b"accept-encoding: identity\r\n" in asyncio.run(main()).lower()
