"""FTP's second connection: opened for one client, used once, closed again."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

TRANSFER_S = 30.0  # from the command to the end of the transfer
READ_BYTES = 64 * 1024


class DataConnection:
    """Listens for `client_ip` alone and serves the first connection."""

    def __init__(self, address: str, client_ip: str, context: ssl.SSLContext | None) -> None:
        """`context` None: in clear text."""
        self._address = address
        self._client_ip = client_ip
        self._context = context
        self._socket: socket.socket | None = None
        self._task: asyncio.Task[None] | None = None

    def listen(self) -> int | None:
        """Open a port and return it; None where there is none to be had."""
        family = socket.AF_INET6 if ":" in self._address else socket.AF_INET
        try:
            self._socket = socket.create_server((self._address, 0), family=family, backlog=4)
        except OSError:
            return None
        self._socket.setblocking(False)
        port: int = self._socket.getsockname()[1]
        return port

    def run(self, content: bytes | None, limit_bytes: int, done: Callable[[bool], None]) -> None:
        """Send `content`, or read up to a limit where it is None; then tell whether it came to its end."""
        self._task = asyncio.get_running_loop().create_task(self._serve(content, limit_bytes, done))

    def close(self) -> None:
        """Give everything up."""
        if self._task is not None:
            self._task.cancel()
        if self._socket is not None:
            self._socket.close()

    async def _serve(self, content: bytes | None, limit_bytes: int, done: Callable[[bool], None]) -> None:
        complete = False
        with suppress(OSError, TimeoutError, ssl.SSLError):
            async with asyncio.timeout(TRANSFER_S):
                complete = await self._transfer(content, limit_bytes)
        if self._socket is not None:
            self._socket.close()
        done(complete)

    async def _transfer(self, content: bytes | None, limit_bytes: int) -> bool:
        loop = asyncio.get_running_loop()
        if self._socket is None:
            return False
        connection = None
        while connection is None:
            connection, peer = await loop.sock_accept(self._socket)
            if peer[0] != self._client_ip:  # somebody else guessed the port
                connection.close()
                connection = None
        reader, writer = await _streams(connection, self._context)
        try:
            if content is not None:
                writer.write(content)
                await writer.drain()
                return True
            while limit_bytes > 0 and (piece := await reader.read(min(READ_BYTES, limit_bytes))):
                limit_bytes -= len(piece)
            return limit_bytes > 0
        finally:
            writer.close()
            with suppress(OSError, ssl.SSLError):
                await writer.wait_closed()


async def _streams(
    connection: socket.socket, context: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=READ_BYTES)
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection, ssl=context)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)
