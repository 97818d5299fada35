"""The control interface: interactsh's calls, and beside them acknowledged reading and a stream of events.

interactsh's own poll has no acknowledgement: what it was given counts as taken once the answer is on its way. The calls
below `/v1` lose nothing: what was not acknowledged is given again.
"""

import secrets
from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import parse_qs

import msgspec

from lapwing._version import __version__
from lapwing.callbacks import AnyInteraction
from lapwing.callbacks.interactsh import (
    IV_BYTES,
    Dialect,
    Mailbox,
    RefusedError,
    Reply,
    cors_headers,
    deregistered_reply,
    encrypt_entries,
    error_reply,
    poll_reply,
    preflight_reply,
    read_deregistration,
    read_poll,
    read_registration,
    registered_reply,
    same_token,
    to_object,
    unauthorised_reply,
)
from lapwing.callbacks.push import CONSUMER_HEADER, MAILBOX_HEADER, SECRET_HEADER, Marked, seal
from lapwing.callbacks.responders import Control
from lapwing.io.listen.admission import Rate
from lapwing.io.listen.clock import Clock
from lapwing.io.listen.mailroom import EXTRA, POLLER, TLD, GoneError, Mailroom, OpenMailbox, WrongSecretError
from lapwing.io.listen.settings import CollectorSettings
from lapwing.io.store import GroupWriter, Stored, decode_payload

EVENTS_PATH, ACK_PATH, PAGE_PATH = "/v1/events", "/v1/ack", "/v1/interactions"
CONTROL_PATHS = frozenset(
    {"/register", "/poll", "/deregister", "/metrics", "/health", EVENTS_PATH, ACK_PATH, PAGE_PATH}
)
MAX_CONSUMER_CHARS = 64
_REASONS = {200: "OK", 204: "No Content", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found",
            413: "Content Too Large", 429: "Too Many Requests", 500: "Internal Server Error",
            503: "Service Unavailable"}  # fmt: skip


class Request(NamedTuple):
    """A control request, its names and secrets at hand."""

    method: str
    path: str
    query: str
    fields: dict[str, str]
    body: bytes
    source: str

    @classmethod
    def of(cls, control: Control, source: str) -> "Request":
        """Take a listener's request apart."""
        path, _, query = control.target.partition("?")
        return cls(control.method, path, query, dict(control.fields), control.body, source)

    def field(self, name: str) -> str:
        """A header field, empty where it is missing."""
        return self.fields.get(name.lower(), "")


class Answer(NamedTuple):
    """What to send, and what to do once it was."""

    reply: Reply
    sent: Callable[[], None] = lambda: None


class _Acknowledgement(msgspec.Struct, frozen=True):
    cursor: int = 0


class _Page(msgspec.Struct, frozen=True):
    """Interactions sealed like events, all that come after the number `after`.

    `cursor` acknowledges them, `head` proves that there was nothing more.
    """

    aes_key: str
    entries: list[tuple[int, str]]
    cursor: int
    head: int
    lost_through: int
    after: int


class ControlApi:
    """Answers the calls of one generation of clients."""

    def __init__(
        self,
        mailroom: Mailroom,
        writer: GroupWriter,
        settings: CollectorSettings,
        clock: Clock,
        *,
        dialect: Dialect,
        health: Callable[[], dict[str, object]],
    ) -> None:
        self.mailroom = mailroom
        self.dialect = dialect
        self._writer = writer
        self._settings = settings
        self._clock = clock
        self._health = health
        self._registrations = Rate(settings.allow.registrations_per_source_s)

    async def answer(self, request: Request) -> Answer:
        """Answer any call but the one for events."""
        if request.method == "OPTIONS":
            return Answer(preflight_reply())
        if not self.allowed(request):
            return Answer(unauthorised_reply())
        handler = _HANDLERS.get(request.path)
        if handler is None:
            return Answer(error_reply("no such call", 404))
        try:
            return await handler(self, request)
        except RefusedError as refused:
            return Answer(refused.reply)

    def allowed(self, request: Request) -> bool:
        """Whether the client has the server's token, where there is one."""
        token = self._settings.token
        return token is None or request.path == "/health" or same_token(request.field("authorization"), token)

    # interactsh's calls.

    async def _register(self, request: Request) -> Answer:
        if not self._registrations.allows(request.source, self._clock.now_ns()):
            raise RefusedError("could not set id and public key: too many registrations, wait a second", 429)
        made = await self.mailroom.register(read_registration(request.body))
        offers = {"events": EVENTS_PATH, "acknowledge": ACK_PATH, "interactions": PAGE_PATH}
        offers["mailbox"] = "kept" if made.kept else "new"
        if made.keys.expires_ns is not None:
            offers["expires_s"] = str(max(0, made.keys.expires_ns - self._clock.now_ns()) // 1_000_000_000)
        return Answer(registered_reply(offers))

    async def _deregister(self, request: Request) -> Answer:
        await self.mailroom.deregister(read_deregistration(request.body), self.dialect)
        return Answer(deregistered_reply())

    async def _poll(self, request: Request) -> Answer:
        opened = await self.mailroom.open(read_poll(request.query), self.dialect)
        own = await self.mailroom.unread(opened, POLLER)
        objects = [self._object(entry) for entry in own.entries]
        entropy = secrets.token_bytes(IV_BYTES * len(objects))
        data = encrypt_entries(objects, aes_key=opened.keys.aes_key, entropy=entropy, dialect=self.dialect)
        taken = [(POLLER, own.entries)]
        shared: dict[str, list[str]] = {EXTRA: [], TLD: []}
        for consumer in self._shared():
            page = await self.mailroom.unread(opened, consumer)
            shared[consumer] = [self._object(entry).decode() for entry in page.entries]
            taken.append((consumer, page.entries))
        reply = poll_reply(data, aes_key_field=opened.keys.wrapped_key, extra=shared[EXTRA], tlddata=shared[TLD])
        return Answer(reply, lambda: self._took(opened, taken))

    def _shared(self) -> Sequence[str]:
        """What belongs to nobody goes to whoever has the token, as only those are known to be friends."""
        if self._settings.token is None:
            return ()
        return (EXTRA, TLD) if self._settings.wildcard else (EXTRA,)

    def _object(self, entry: Stored) -> bytes:
        return to_object(decode_payload(entry.payload), self.dialect)

    def _took(self, opened: OpenMailbox, taken: list[tuple[str, list[Stored]]]) -> None:
        for consumer, entries in taken:
            if entries:
                self.mailroom.acknowledge(opened, consumer, entries[-1].seq)

    # Calls that lose nothing.

    async def identified(self, request: Request) -> tuple[OpenMailbox, str]:
        """Return the mailbox whose secret the header shows, and who reads. Raises RefusedError."""
        mailbox = Mailbox(request.field(MAILBOX_HEADER).lower(), request.field(SECRET_HEADER))
        consumer = request.field(CONSUMER_HEADER)
        if len(consumer) > MAX_CONSUMER_CHARS or consumer.startswith("@"):
            raise RefusedError(f"a consumer's name has at most {MAX_CONSUMER_CHARS} characters and begins with no @")
        try:
            return await self.mailroom.open(mailbox, self.dialect), consumer
        except GoneError:
            raise RefusedError("no such mailbox: register again", 404) from None
        except WrongSecretError:
            raise RefusedError("another secret", 401) from None

    async def _acknowledge(self, request: Request) -> Answer:
        opened, consumer = await self.identified(request)
        try:
            cursor = msgspec.json.decode(request.body or b"{}", type=_Acknowledgement).cursor
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            raise RefusedError(f"could not decode json body: {problem}") from None
        if cursor > 0:
            self.mailroom.acknowledge(opened, consumer, min(cursor, self._writer.last_seq))
        return self._json(Marked(await self._head(opened)))

    async def _page(self, request: Request) -> Answer:
        """One page after `?after=`, or after what was acknowledged."""
        opened, consumer = await self.identified(request)
        head = await self._head(opened)
        after = parse_qs(request.query).get("after", [""])[0]
        if after.isascii() and after.isdigit() and len(after) < 20:
            page = await self.mailroom.interactions.after(opened.keys.mailbox_id, int(after))
            cursor = int(after)
        else:
            page = await self.mailroom.unread(opened, consumer)
            cursor = opened.cursors.get(consumer, 0)
        entries = [(entry.seq, sealed(entry, opened)) for entry in page.entries]
        last = entries[-1][0] if entries else cursor
        lost_through = await self.mailroom.lost_through(opened)
        return self._json(_Page(opened.keys.wrapped_key, entries, last, head, lost_through, cursor))

    async def _head(self, opened: OpenMailbox) -> int:
        """The newest number, once all that had arrived is written. Raises RefusedError when writing fails."""
        if not await self._writer.barrier():
            raise RefusedError(f"the store cannot be written: {self._writer.failure}", 503)
        return await self.mailroom.head(opened.keys.mailbox_id)

    async def _healthy(self, _request: Request) -> Answer:
        health = self._health()
        return self._json(health, 200 if health["status"] == "ok" else 503)

    async def _metrics(self, _request: Request) -> Answer:
        return self._json(self._health())

    @staticmethod
    def _json(fields: object, status: int = 200) -> Answer:
        headers = (("Content-Type", "application/json; charset=utf-8"), ("X-Content-Type-Options", "nosniff"))
        return Answer(Reply(status, msgspec.json.encode(fields) + b"\n", headers))


def sealed(entry: Stored, opened: OpenMailbox) -> str:
    """An interaction for the eyes of its mailbox's owner."""
    interaction: AnyInteraction = decode_payload(entry.payload)  # type: ignore[assignment]
    return seal(interaction, aes_key=opened.keys.aes_key, iv=secrets.token_bytes(IV_BYTES))


def write_reply(reply: Reply, domain: str) -> bytes:
    """Return an answer's bytes."""
    lines = [f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Status')}", f"Server: {domain}"]
    lines.append(f"X-Interactsh-Version: {__version__}")
    lines += [f"{name}: {value}" for name, value in (*cors_headers(), *reply.headers)]
    if reply.status != 204:
        lines.append(f"Content-Length: {len(reply.body)}")
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + reply.body


_HANDLERS = {
    "/register": ControlApi._register,
    "/poll": ControlApi._poll,
    "/deregister": ControlApi._deregister,
    "/metrics": ControlApi._metrics,
    "/health": ControlApi._healthy,
    ACK_PATH: ControlApi._acknowledge,
    PAGE_PATH: ControlApi._page,
}
