"""Connections to a collector: only to addresses that were looked at, never through a proxy, never redirected.

The name is resolved once per connection and every answer is judged; the connection goes to an address that passed,
so a second answer cannot lead elsewhere.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any

import httpcore2
import httpx2

from lapwing.callbacks.interactsh import refused_address

KEEP_ALIVE_S = 5.0  # below what servers grant, so a poll does not go out on a connection that is being closed
MAX_CONNECTIONS = 4  # a poll, the stream, an acknowledgement and a registration


class RefusedAddressError(Exception):
    """A collector's name leads to an address that must not be contacted."""


class ScreenedBackend(httpcore2.AnyIOBackend):
    """Resolves, judges every answer, and connects to the first that lets us."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        """`allowed` names networks of one's own collectors, which are otherwise refused."""
        self._allowed = tuple(allowed)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Raises RefusedAddressError before anything is sent."""
        failure: Exception = httpcore2.ConnectError("the name has no address")
        for address in await self._addresses(host, port):
            try:
                return await super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as problem:
                failure = problem
        raise failure

    async def _addresses(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
        except OSError as problem:
            raise httpcore2.ConnectError(str(problem)) from problem
        addresses = list(dict.fromkeys(str(answer[4][0]) for answer in found))
        for address in addresses:
            if refused_address(address, self._allowed):
                raise RefusedAddressError(address)
        return addresses


class ScreenedTransport(httpx2.AsyncBaseTransport):
    """HTTP/1.1 over screened connections."""

    def __init__(self, tls: ssl.SSLContext, allowed: Iterable[str] = ()) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEEP_ALIVE_S,
            network_backend=ScreenedBackend(allowed),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request; errors are httpcore2's own."""
        url = request.url
        answer = await self._pool.handle_async_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        assert isinstance(answer.stream, AsyncIterable)
        return httpx2.Response(answer.status, headers=answer.headers, stream=_Body(answer.stream))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, stream: AsyncIterable[bytes]) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        close = getattr(self._stream, "aclose", None)
        if close is not None:
            await close()
