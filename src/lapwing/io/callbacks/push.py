"""Push from Lapwing's own collector: a stream of what was committed, pages where it broke, acknowledgement of both.

Nothing is gone before it was acknowledged, and nothing is acknowledged before it was taken, so a call that fails
loses nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple, TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from lapwing.callbacks import Interaction
from lapwing.callbacks.interactsh import (
    MAX_POLL_BYTES,
    MAX_REPLY_BYTES,
    Call,
    CallError,
    FetchFailure,
    Identity,
    check_status,
    unwrap_key,
)
from lapwing.callbacks.push import (
    MAILBOX_HEADER,
    RESUME_HEADER,
    SECRET_HEADER,
    EventReader,
    Hello,
    Marked,
    Refused,
    ServerEvent,
    unseal,
)
from lapwing.events import WireError
from lapwing.io.callbacks.wire import Answer, Collector

Shape = TypeVar("Shape", bound=msgspec.Struct)

RETENTION = "the collector no longer keeps interactions as old as some that were not fetched yet"


class Offers(NamedTuple):
    """Paths of what a collector offers beyond interactsh."""

    events: str
    acknowledge: str
    interactions: str

    @classmethod
    def of(cls, offers: dict[str, str]) -> "Offers | None":
        """Read the answer to a registration; None for a collector that only polls."""
        paths = [offers.get(name, "") for name in cls._fields]
        return cls(*paths) if all(path.startswith("/") for path in paths) else None


class _Page(msgspec.Struct, frozen=True):
    aes_key: str
    entries: list[tuple[int, str]]
    cursor: int
    head: int
    lost_through: int = 0
    after: int | None = None  # where it begins; not said by older collectors

    @property
    def begins(self) -> int:
        if self.after is not None:
            return self.after
        return self.entries[0][0] - 1 if self.entries else self.cursor


class Push:
    """Reading by cursor. `taken` is handed each new interaction, `lost` each reason to think that some are missing."""

    def __init__(
        self,
        collector: Collector,
        identity: Identity,
        key: RSAPrivateKey,
        offers: Offers,
        *,
        taken: Callable[[list[Interaction]], None],
        lost: Callable[[str], None],
    ) -> None:
        self.cursor: int | None = None  # None: where the collector says that the last acknowledgement was
        self.acknowledged = 0
        self._collector = collector
        self._identity = identity
        self._key = key
        self._offers = offers
        self._taken = taken
        self._lost = lost
        self._wrapped = ""
        self._aes_key = b""
        self._moved = asyncio.Event()

    async def stream(self, began: Callable[[], None]) -> None:
        """Take what is pushed until the stream ends. Raises CallError; EVICTED when the mailbox has ended."""
        reader = EventReader()
        headers = () if self.cursor is None else ((RESUME_HEADER, str(self.cursor)),)
        async with self._collector.stream(self._call("GET", self._offers.events, more=headers)) as pieces:
            async for event in _events(pieces, reader):
                if event.kind == "hello":
                    self._hello(_decoded(event.data, Hello))
                    began()
                elif event.kind == "interaction" and event.seq is not None:
                    self._take([(event.seq, event.data)])
                elif event.kind == "refused":
                    self._lost(f"the collector could not take interactions: {_decoded(event.data, Refused).reason}")
                elif event.kind == "expired":
                    raise CallError(FetchFailure.BODY, "the collector ended the stream")

    async def prove(self) -> None:
        """Return once all that had arrived when this was called is taken from the stream. Raises CallError."""
        head = _decoded((await self._acknowledge()).body, Marked).head
        while (self.cursor or 0) < head:
            self._moved.clear()
            await self._moved.wait()

    async def fetch(self) -> None:
        """Take page after page until there is no more; then acknowledge. Raises CallError."""
        while True:
            page = await self._page()
            self._hello(Hello(page.aes_key, page.begins, page.lost_through))
            self._take(page.entries)
            if not page.entries or (self.cursor or 0) >= page.head:
                await self.acknowledge()
                return

    async def acknowledge(self) -> None:
        """Tell the collector what was taken, if that is news. Raises CallError."""
        if self.cursor is not None and self.cursor > self.acknowledged:
            await self._acknowledge()

    async def _acknowledge(self) -> Answer:
        cursor = self.cursor or 0
        call = self._call("POST", self._offers.acknowledge, msgspec.json.encode({"cursor": cursor}))
        answer = await self._collector.send(call, max_bytes=MAX_REPLY_BYTES)
        check_status(answer.status, answer.body)
        self.acknowledged = max(self.acknowledged, cursor)
        return answer

    async def _page(self) -> _Page:
        after = "" if self.cursor is None else f"?after={self.cursor}"
        answer = await self._collector.send(
            self._call("GET", self._offers.interactions + after), max_bytes=MAX_POLL_BYTES
        )
        check_status(answer.status, answer.body)
        if answer.cut:
            raise CallError(FetchFailure.OVERFLOW)
        return _decoded(answer.body, _Page)

    def _hello(self, hello: Hello) -> None:
        if hello.aes_key != self._wrapped:
            try:
                self._aes_key = unwrap_key(hello.aes_key, self._key)
            except WireError:
                raise CallError(FetchFailure.DECODE, "the session key is for another registration") from None
            self._wrapped = hello.aes_key
        if self.cursor is None:
            self.cursor = self.acknowledged = hello.cursor
        if hello.lost_through > self.cursor:
            self._lost(RETENTION)
            self.cursor = hello.lost_through

    def _take(self, entries: list[tuple[int, str]]) -> None:
        """Hand over what is new."""
        found: list[Interaction] = []
        unread = 0
        for seq, data in entries:
            if seq <= (self.cursor or 0):
                continue  # a page and the stream may both have it
            try:
                found.append(unseal(data, aes_key=self._aes_key))
            except WireError:
                unread += 1
            self.cursor = seq
        if found:
            self._taken(found)
        if unread:
            self._lost(f"{unread} entries of the collector could not be read")
        self._moved.set()

    def _call(self, method: str, path: str, body: bytes = b"", more: tuple[tuple[str, str], ...] = ()) -> Call:
        token = self._identity.token
        headers = ((MAILBOX_HEADER, self._identity.correlation_id), (SECRET_HEADER, self._identity.secret), *more)
        return Call(method, path, body, headers if token is None else (*headers, ("Authorization", token)))


async def _events(pieces: AsyncIterator[bytes], reader: EventReader) -> AsyncIterator[ServerEvent]:
    async for piece in pieces:
        try:
            events = reader.feed(piece)
        except WireError as problem:
            raise CallError(FetchFailure.OVERFLOW, str(problem)) from None
        for event in events:
            yield event


def _decoded(data: str | bytes, shape: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(data, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise CallError(FetchFailure.DECODE, "the collector's answer has another shape") from None
