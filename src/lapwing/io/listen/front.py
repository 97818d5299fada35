"""Control requests of one listener: answered as they come, or turned into a stream of events."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import NamedTuple

from lapwing.callbacks.interactsh import RefusedError, Reply, error_reply, unauthorised_reply
from lapwing.callbacks.push import RESUME_HEADER, Hello, keep_alive, write_event
from lapwing.callbacks.responders import Control
from lapwing.io.listen.admission import source_of
from lapwing.io.listen.connection import Connection
from lapwing.io.listen.control import EVENTS_PATH, ControlApi, Request, sealed, write_reply
from lapwing.io.listen.hub import Hub, Subscription
from lapwing.io.listen.mailroom import OpenMailbox
from lapwing.io.store import Stored

KEEP_ALIVE_S = 15.0  # between signs of life on a stream with nothing to say
PIECE_BYTES = 64 * 1024  # of events sent at once
UNREAD_S = 60.0  # how long a stream waits for a client that does not read
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
    b"Access-Control-Allow-Origin: *\r\nX-Accel-Buffering: no\r\nConnection: close\r\n\r\n"
)


class ControlFront:
    """Between connections and the calls."""

    def __init__(self, api: ControlApi, hub: Hub, *, domain: str) -> None:
        self._api = api
        self._hub = hub
        self._domain = domain
        self._tasks: set[asyncio.Task[None]] = set()
        self._streams: dict[Connection, dict[int, Subscription]] = {}  # by the stream of HTTP/2, 0 over HTTP/1

    def asked(self, connection: Connection, control: Control) -> None:
        """Begin to answer."""
        request = Request.of(control, source_of(connection.peer.client_ip))
        if not control.whole:
            self._reply(connection, error_reply("send a Content-Length, and no more than 32 KiB", 413), control.stream)
        elif request.path != EVENTS_PATH or request.method == "OPTIONS":
            self._start(self._answer(connection, request, control.stream))
        else:
            self._start(self._serve_stream(connection, request, control.stream))

    def left(self, connection: Connection) -> None:
        """End a connection's streams; any other call runs to its end. Nothing is cancelled amid a query."""
        for subscription in self._streams.pop(connection, {}).values():
            subscription.end("the client is gone")

    async def close(self) -> None:
        """Wait for calls that are being answered; streams must have been ended."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _reply(self, connection: Connection, reply: Reply, stream: int = 0) -> None:
        connection.reply(write_reply(reply, self._domain), stream)

    async def _answer(self, connection: Connection, request: Request, stream: int) -> None:
        try:
            answer = await self._api.answer(request)
        except Exception:  # a fault of ours or of the store ends this call only
            self._reply(connection, error_reply("the collector failed", 500), stream)
            raise
        if connection.reply(write_reply(answer.reply, self._domain), stream):
            answer.sent()

    async def _serve_stream(self, connection: Connection, request: Request, stream: int) -> None:
        if not self._api.allowed(request):
            self._reply(connection, unauthorised_reply(), stream)
            return
        try:
            opened, consumer = await self._api.identified(request)
        except RefusedError as refused:
            self._reply(connection, refused.reply, stream)
            return
        mailbox_id = opened.keys.mailbox_id
        subscription = self._hub.subscribe(mailbox_id)
        if subscription is None:
            self._reply(connection, error_reply("as many streams as a mailbox may have", 429), stream)
            return
        self._streams.setdefault(connection, {})[stream] = subscription
        out = _Out(connection, stream)
        try:
            with suppress(ConnectionError, TimeoutError):
                connection.begin_stream(_STREAM_HEAD, stream)
                await self._stream(out, opened, _start_of(request, opened, consumer), subscription)
        finally:
            self._hub.unsubscribe(mailbox_id, subscription)
            own = self._streams.get(connection, {})
            own.pop(stream, None)
            if not own:
                self._streams.pop(connection, None)
            connection.end_stream(stream)

    async def _stream(self, out: "_Out", opened: OpenMailbox, cursor: int, subscription: Subscription) -> None:
        mailroom = self._api.mailroom
        told = await mailroom.lost_through(opened)
        await out.write(write_event("hello", Hello(opened.keys.wrapped_key, cursor, told)))
        while not subscription.ended:
            if subscription.behind:
                subscription.caught_up()
                more = True
                while more and not subscription.behind:
                    page = await mailroom.interactions.after(opened.keys.mailbox_id, cursor)
                    lost = await mailroom.lost_through(opened)
                    if lost > max(told, cursor):  # deleted before it was read: said by another hello
                        told = lost
                        await out.write(write_event("hello", Hello(opened.keys.wrapped_key, cursor, told)))
                    cursor = await self._send(out, opened, page.entries, cursor)
                    more = page.more
            fresh = list(subscription.fresh)
            subscription.fresh.clear()
            cursor = await self._send(out, opened, fresh, cursor)
            while subscription.notices:
                await out.write(write_event("refused", subscription.notices.popleft()))
            if not subscription.behind and not subscription.fresh and not await subscription.news(KEEP_ALIVE_S):
                mailroom.used(opened.keys.mailbox_id)
                await out.write(keep_alive())
        await out.write(write_event("expired", subscription.ended))

    async def _send(self, out: "_Out", opened: OpenMailbox, entries: list[Stored], cursor: int) -> int:
        """Send what is newer than the cursor, many in one piece; returns the new cursor."""
        piece = bytearray()
        for entry in entries:
            if entry.seq > cursor:
                piece += write_event("interaction", sealed(entry, opened), entry.seq)
                cursor = entry.seq
            if len(piece) >= PIECE_BYTES:
                await out.write(bytes(piece))
                piece.clear()
        if piece:
            await out.write(bytes(piece))
        return cursor


class _Out(NamedTuple):
    """Where an answer goes that goes on."""

    connection: Connection
    stream: int

    async def write(self, data: bytes) -> None:
        """Send when there is room. Raises ConnectionError for a client that is gone or does not read."""
        if not self.connection.stream(data, self.stream):
            async with asyncio.timeout(UNREAD_S):
                await self.connection.room(self.stream)
            if not self.connection.stream(data, self.stream):
                raise ConnectionResetError


def _start_of(request: Request, opened: OpenMailbox, consumer: str) -> int:
    """Where the client says it was, else after what it acknowledged."""
    last = request.field(RESUME_HEADER)
    return int(last) if last.isascii() and last.isdigit() and len(last) < 20 else opened.cursors.get(consumer, 0)
