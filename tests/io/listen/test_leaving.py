"""Clients that leave while they are being answered, on the loop the program runs on."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from lapwing.io.listen.mailroom import OpenMailbox
from tests.io.listen.lab import LOOPBACK, Client, serving, settings
from tests.patience import ENOUGH_S

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"use_uvloop": True}


@pytest.mark.parametrize("path", ["/v1/events", "/v1/interactions"])
async def test_a_client_that_left_before_its_mailbox_was_found_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    problems: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: problems.append(context))
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        found, left = asyncio.Event(), asyncio.Event()
        usual = collector.mailroom.open

        async def slow(*asked: Any) -> OpenMailbox:
            opened = await usual(*asked)
            found.set()
            await left.wait()
            return opened

        monkeypatch.setattr(collector.mailroom, "open", slow)
        _, writer = await asyncio.open_connection(LOOPBACK, collector.ports["control"][0])
        fields = "".join(f"{name}: {value}\r\n" for name, value in client.headers())
        writer.write(f"GET {path} HTTP/1.1\r\nHost: control\r\n{fields}\r\n".encode())
        async with asyncio.timeout(ENOUGH_S):
            await found.wait()
            writer.transport.abort()
            while collector._control_admission.open_count:
                await asyncio.sleep(0.01)
            left.set()
            while any(front._tasks for front in collector._fronts):
                await asyncio.sleep(0.01)
        assert collector.hub.count == 0
    assert problems == []
