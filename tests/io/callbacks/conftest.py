"""Sessions on virtual time, with one RSA key for all tests."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lapwing.callbacks import ClientSettings, SessionSettings
from lapwing.io.callbacks import Session, identity
from tests.io.callbacks.desk import KEY, SERVER, Desk, DeskCollector

MakeSession = Callable[..., Session]


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> DeskCollector:
    async def inline(work: Callable[..., Any], *arguments: Any) -> Any:
        return work(*arguments)

    monkeypatch.setattr(asyncio, "to_thread", inline)
    monkeypatch.setattr(identity, "generate_private_key", lambda **_: KEY)
    return DeskCollector(Desk())


@pytest.fixture
def make(collector: DeskCollector) -> MakeSession:
    def build(*, session_file: Path | None = None, token: str | None = None, **waits: Any) -> Session:
        settings = ClientSettings(waits=SessionSettings(**waits))
        return Session(
            SERVER, token=token, session_file=session_file, settings=settings, collector=lambda *_: collector
        )

    return build
