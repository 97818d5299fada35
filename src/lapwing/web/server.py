"""A small HTTP/1.1 server for the forward-auth endpoint: requests without bodies, answers from memory."""

import asyncio
import contextlib
import errno
import os
import resource
import socket
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Self

import httptools

from lapwing.events import SourceError
from lapwing.web.forward import ForwardAuth, Response

MAX_HEAD_BYTES = 32 * 1024  # of a request; proxies send what the client sent, and these are their own limits
MAX_CONNECTIONS = 1_024  # proxies keep a few open; more are turned away, and counted
SPARE_DESCRIPTORS = 512  # of the process, for logs, lists and what else it opens
IDLE_S = 75.0  # an idle connection is closed: longer than proxies keep theirs
REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 503: "Service Unavailable"}


class _Connection(asyncio.Protocol):
    """One connection of a proxy; answers in the order asked."""

    def __init__(
        self, forward: ForwardAuth, open_connections: set["_Connection"], places: int = MAX_CONNECTIONS
    ) -> None:
        self._forward = forward
        self._open = open_connections
        self._places = places
        self._parser = httptools.HttpRequestParser(self)
        self._headers: list[tuple[str, str]] = []
        self._target = b""
        self._head_bytes = 0
        self._in_head = True
        self._peer = ""
        self._transport: asyncio.Transport | None = None
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self._open) >= self._places:
            self._forward.turned_away_count += 1
            transport.abort()
            return
        self._open.add(self)
        peer = transport.get_extra_info("peername")
        self._peer = peer[0] if isinstance(peer, tuple) else ""
        self._wait()

    def connection_lost(self, _error: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._open.discard(self)
        if self._idle is not None:
            self._idle.cancel()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._wait()
        self._head_bytes += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self._refuse()
            return
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES:
            self._refuse()

    def pause_writing(self) -> None:
        """See asyncio.Protocol. Whoever takes no answers is not heard any further, or answers would pile up."""
        assert self._transport is not None
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        assert self._transport is not None
        self._transport.resume_reading()

    def on_url(self, url: bytes) -> None:
        """See httptools."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """See httptools."""
        self._headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """See httptools. What follows is a body that nobody reads, of any length."""
        self._in_head = False

    def on_message_complete(self) -> None:
        """See httptools."""
        response = self._forward.handle(self._target.decode("latin-1"), self._headers, self._peer)
        keep = self._parser.should_keep_alive()
        self._headers, self._target, self._head_bytes, self._in_head = [], b"", 0, True
        self._write(response, keep=keep, bodiless=self._parser.get_method() == b"HEAD")

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.abort()

    def _parse(self, data: bytes) -> None:
        """Hand on what came. A proxy passes on its client's wish for another protocol; the answer is of this one."""
        while data:
            try:
                self._parser.feed_data(data)
                data = b""
            except httptools.HttpParserUpgrade as wish:
                self._parser = httptools.HttpRequestParser(self)
                data = data[wish.args[0] :]

    def _refuse(self) -> None:
        self._write(Response(400, []), keep=False)

    def _write(self, response: Response, *, keep: bool, bodiless: bool = False) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        lines = [f"HTTP/1.1 {response.status} {REASONS[response.status]}"]
        lines += [f"{name}: {value}" for name, value in response.headers]
        lines += [f"Content-Length: {len(response.body)}", f"Connection: {'keep-alive' if keep else 'close'}"]
        body = b"" if bodiless else response.body
        self._transport.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
        if not keep:
            self._transport.close()

    def _wait(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE_S, self.close)


def _reason(error: OSError | ValueError) -> str:
    """What the system says; asyncio would say it in many more words."""
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number is not None and number > 0 else str(error)


def _is_served(path: Path) -> bool:
    """Whether somebody listens on a socket: it would be taken from them, and they would not notice."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.setblocking(False)
        try:
            asking.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True
    return True


def _places(descriptors: int) -> int:
    """Connections that fit among so many descriptors: who cannot be accepted is not even turned away, and waits."""
    if descriptors == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return min(MAX_CONNECTIONS, max(descriptors - SPARE_DESCRIPTORS, descriptors // 2))


def want_descriptors() -> None:
    """Raise the limit of this process to what all connections and files take, or as far as it may."""
    least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + SPARE_DESCRIPTORS
    if resource.RLIM_INFINITY != least < wanted:
        wanted = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


class ForwardServer:
    """Serves a ForwardAuth on `host:port` or `unix:PATH` from a thread of its own; a context manager."""

    def __init__(self, forward: ForwardAuth, listen: str) -> None:
        self._forward = forward
        self._listen = listen
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = Event()
        self._error: OSError | ValueError | None = None
        self._thread = Thread(target=self._run, name="lapwing-guard", daemon=True)
        self.address = listen
        """Where it listens; the port is the one given by the system where 0 was asked for."""

    def __enter__(self) -> Self:
        """Begin to listen. Raises SourceError when that is not possible."""
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            raise SourceError(f"{self._listen}: cannot be listened on: {_reason(self._error)}") from self._error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._stop is not None:
            with contextlib.suppress(RuntimeError):  # it ended by itself
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:  # not even a loop: there are no descriptors left
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        connections: set[_Connection] = set()

        places = _places(resource.getrlimit(resource.RLIMIT_NOFILE)[0])

        def connect() -> _Connection:
            return _Connection(self._forward, connections, places)

        try:
            server = await self._bind(connect)
        except (OSError, ValueError) as error:
            self._error = error
            return
        self._ready.set()
        await self._stop.wait()
        server.close()
        for connection in list(connections):
            connection.close()

    async def _bind(self, connect: Callable[[], asyncio.Protocol]) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        if self._listen.startswith("unix:"):
            path = Path(self._listen.removeprefix("unix:"))
            if path.is_socket():
                if _is_served(path):
                    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
                path.unlink()  # left by a run that ended
            return await loop.create_unix_server(connect, path)
        host, colon, port = self._listen.rpartition(":")
        if not colon or not port.isdigit() or int(port) > 65_535:
            raise ValueError("write host:port or unix:PATH")
        server = await loop.create_server(connect, host.strip("[]"), int(port))
        bound = server.sockets[0].getsockname()
        self.address = f"{host}:{bound[1]}"
        return server
