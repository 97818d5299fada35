"""Calls to a collector over HTTP, within bounds. What goes wrong is a `CallError` whose text names no address."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

import httpcore2
import httpx2

from lapwing.callbacks.interactsh import Call, CallError, FetchFailure, check_status
from lapwing.events import SettingsError
from lapwing.io.callbacks.screened import RefusedAddressError, ScreenedTransport

USER_AGENT = "lapwing"
SILENCE_S = 45.0  # three signs of life missed: the stream is dead, whatever the connection says

_BROKEN = (httpcore2.NetworkError, httpcore2.ProtocolError, httpx2.HTTPError, OSError)


class Answer(NamedTuple):
    """What came back. `cut`: the body was longer than the bound."""

    status: int
    body: bytes
    cut: bool = False


class Collector(Protocol):
    """Where calls go; tests put their own in its place."""

    async def send(self, call: Call, *, max_bytes: int) -> Answer:
        """Make one call. Raises CallError."""

    def stream(self, call: Call) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Make a call whose answer goes on and on. Raises CallError, also while it is read."""

    async def aclose(self) -> None:
        """Close what is open."""


class HttpCollector:
    """A collector behind an address that `normalise_server` returned."""

    def __init__(
        self, server: str, *, timeout_s: float, allowed: Iterable[str] = (), tls: ssl.SSLContext | None = None
    ) -> None:
        """`timeout_s` bounds one call, slow drips included. `tls` verifies by the system's authorities by default."""
        self._timeout_s = timeout_s
        self._client = httpx2.AsyncClient(
            base_url=server,
            transport=ScreenedTransport(tls or ssl.create_default_context(), allowed),
            trust_env=False,
            follow_redirects=False,
            timeout=timeout_s,
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        )

    async def send(self, call: Call, *, max_bytes: int) -> Answer:
        """Make one call. Raises CallError."""
        progress = _Progress()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._exchange(call, max_bytes, progress)
        except RefusedAddressError:
            raise CallError(FetchFailure.CONNECT, REFUSED) from None
        except (httpcore2.TimeoutException, TimeoutError):
            raise CallError(progress.failure(FetchFailure.TIMEOUT)) from None
        except _BROKEN as problem:
            # The text of a connection that failed is the system's; others may quote what was sent.
            detail = "" if progress.sent else str(problem)
            raise CallError(progress.failure(FetchFailure.REQUEST), detail) from None

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[AsyncIterator[bytes]]:
        """Make a call whose answer goes on and on; silence for longer than `SILENCE_S` ends it. Raises CallError."""
        headers = dict(call.headers)
        timeout = httpx2.Timeout(self._timeout_s, read=SILENCE_S)
        try:
            async with self._client.stream(call.method, call.path, headers=headers, timeout=timeout) as answer:
                if answer.status_code != 200:
                    check_status(answer.status_code, await answer.aread())
                    raise CallError(FetchFailure.STATUS, f"status {answer.status_code}")
                yield answer.aiter_raw()
        except RefusedAddressError:
            raise CallError(FetchFailure.CONNECT, REFUSED) from None
        except (*_BROKEN, httpcore2.TimeoutException, TimeoutError):
            raise CallError(FetchFailure.BODY) from None

    async def _exchange(self, call: Call, max_bytes: int, progress: "_Progress") -> Answer:
        body = bytearray()
        async with self._client.stream(
            call.method,
            call.path,
            content=call.body or None,
            headers=dict(call.headers),
            extensions={"trace": progress.trace},
        ) as answer:
            progress.answered = True
            async for part in answer.aiter_raw():
                body += part
                if len(body) > max_bytes:
                    return Answer(answer.status_code, bytes(body[:max_bytes]), cut=True)
            return Answer(answer.status_code, bytes(body))

    async def aclose(self) -> None:
        """Close what is open."""
        await self._client.aclose()


REFUSED = (
    "the name leads to a private address, so the collector was not contacted; "
    "if it is yours, allow its network (private_networks, --private-network)"
)


class _Progress:
    """How far one call came, for the name of the error that ends it."""

    def __init__(self) -> None:
        self.sent = False
        self.answered = False

    async def trace(self, step: str, _: object) -> None:
        """The connection tells its steps."""
        if step == "http11.send_request_headers.started":
            self.sent = True

    def failure(self, otherwise: FetchFailure) -> FetchFailure:
        """What was not sent has emptied no mailbox."""
        if not self.sent:
            return FetchFailure.CONNECT
        return FetchFailure.BODY if self.answered and otherwise is FetchFailure.REQUEST else otherwise


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Verify by the system's authorities, or by those of `ca_file` alone. Raises SettingsError."""
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError) as problem:
        raise SettingsError(f"callbacks.ca_file: {ca_file}: {problem}; give a file of PEM certificates") from None
