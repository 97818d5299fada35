"""Ports that tests give to other programs."""

import socket
from collections.abc import Callable

import pytest

from tests import ports


@pytest.fixture
def from_two(monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[int, int]]:
    def prepare() -> tuple[int, int]:
        one, other = ports.free_port(), ports.free_port()
        monkeypatch.setattr(ports, "_untried", iter((one, other)))
        return one, other

    return prepare


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.5"])
def test_what_somebody_has_at_any_address_is_not_given(
    from_two: Callable[[], tuple[int, int]], kind: socket.SocketKind, address: str
) -> None:
    taken, free = from_two()
    with socket.socket(type=kind) as one:
        one.bind((address, taken))
        assert ports.free_port() == free


def test_what_a_connection_leaves_behind_is_not_given(from_two: Callable[[], tuple[int, int]]) -> None:
    taken, free = from_two()
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname(), source_address=("127.0.0.5", taken))
        with server.accept()[0] as accepted:
            client.close()  # who ends first keeps the port for a minute
            assert accepted.recv(1) == b""
    assert ports.free_port() == free
