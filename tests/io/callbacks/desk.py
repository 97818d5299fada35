"""A collector for tests: interactsh's answers by the collector's half of the wire, without a listener."""

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple, TypeVar

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from lapwing.callbacks import Attribution, DnsInteraction, HttpInteraction, Interaction, Peer, Placement
from lapwing.callbacks.interactsh import (
    ALREADY_REGISTERED,
    RSA_KEY_BITS,
    V1_3_1,
    Call,
    CallError,
    Dialect,
    FetchFailure,
    RefusedError,
    Reply,
    deregistered_reply,
    encrypt_entries,
    error_reply,
    evicted_reply,
    poll_reply,
    read_deregistration,
    read_poll,
    read_registration,
    registered_reply,
    same_secret,
    same_token,
    to_object,
    unauthorised_reply,
    wrap_key,
    wrong_secret_reply,
)
from lapwing.io.callbacks import Planted
from lapwing.io.callbacks.wire import Answer

KEY = generate_private_key(public_exponent=65537, key_size=RSA_KEY_BITS)
SERVER = "https://oast.example.com"
PEER = Peer("203.0.113.9")
Result = TypeVar("Result")


class Box(NamedTuple):
    secret: str
    aes_key: bytes
    wrapped: str
    mail: list[str]


class Desk:
    """What a collector does at its control interface."""

    def __init__(self, dialect: Dialect = V1_3_1, token: str | None = None) -> None:
        self.dialect = dialect
        self.token = token
        self.boxes: dict[str, Box] = {}
        self.extra: list[str] = []
        self.gone = False  # behind a server: hangs up without an answer
        self.calls: list[str] = []  # paths without queries

    def reply(self, method: str, target: str, body: bytes, authorization: str | None) -> Reply:
        path, _, query = target.partition("?")
        self.calls.append(path)
        if self.token is not None and not same_token(authorization, self.token):
            return unauthorised_reply()
        try:
            return {"/register": self.register, "/poll": self.poll, "/deregister": self.deregister}[path](body, query)
        except RefusedError as refused:
            return refused.reply

    def register(self, body: bytes, _: str) -> Reply:
        wanted = read_registration(body)
        if wanted.correlation_id in self.boxes:
            return error_reply(ALREADY_REGISTERED)
        aes_key = os.urandom(32)
        self.boxes[wanted.correlation_id] = Box(wanted.secret, aes_key, wrap_key(aes_key, wanted.public_key), [])
        return registered_reply()

    def poll(self, _: bytes, query: str) -> Reply:
        asked = read_poll(query)
        box = self.boxes.get(asked.correlation_id)
        if box is None:
            return evicted_reply(self.dialect)
        if not same_secret(asked.secret, box.secret):
            return wrong_secret_reply()
        mail, box.mail[:] = box.mail[:], []
        extra, self.extra = self.extra, []
        return poll_reply(mail, aes_key_field=box.wrapped, extra=extra)

    def deregister(self, body: bytes, _: str) -> Reply:
        asked = read_deregistration(body)
        if self.boxes.pop(asked.correlation_id, None) is None:
            return evicted_reply(self.dialect, deregistering=True)
        return deregistered_reply()

    def hit(self, planted: Planted, make: type[Interaction] = DnsInteraction, **more: Any) -> None:
        """Somebody reaches a token."""
        token = planted.token
        found = Attribution(token.correlation_id, token.nonce, token.unique_id, Placement.DNS_NAME)
        interaction = make(ts_ns=more.pop("ts_ns", 1), peer=more.pop("peer", PEER), attribution=found, **more)
        self.deliver(interaction)

    def deliver(self, interaction: Interaction) -> None:
        """Into the mailbox of whoever it belongs to."""
        assert interaction.attribution is not None
        self.put(interaction.attribution.correlation_id, to_object(interaction, self.dialect))

    def put(self, correlation_id: str, text: bytes) -> None:
        box = self.boxes[correlation_id]
        entries = encrypt_entries([text], aes_key=box.aes_key, entropy=os.urandom(16), dialect=self.dialect)
        box.mail.extend(entries)


class DeskCollector:
    """A desk without a network; calls take a moment, fail when told to, or wait."""

    def __init__(self, desk: Desk, delay_s: float = 0.01) -> None:
        self.desk = desk
        self.delay_s = delay_s
        self.failures: deque[FetchFailure] = deque()  # of the next polls
        self.outage = False
        self.closed = False
        self.after_poll: Callable[[], None] = lambda: None
        self.times: list[float] = []  # of polls

    async def send(self, call: Call, *, max_bytes: int) -> Answer:
        polling = call.path.startswith("/poll")
        if polling:
            self.times.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.delay_s)
        if self.outage:
            raise CallError(FetchFailure.CONNECT)
        if polling and self.failures:
            raise CallError(self.failures.popleft())
        reply = self.desk.reply(call.method, call.path, call.body, dict(call.headers).get("Authorization"))
        if polling:
            self.after_poll()
        return Answer(reply.status, reply.body[:max_bytes], len(reply.body) > max_bytes)

    def stream(self, call: Call) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        raise AssertionError("interactsh's servers offer no stream")

    async def aclose(self) -> None:
        self.closed = True

    @property
    def poll_count(self) -> int:
        return len(self.times)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time passes when everybody waits: minutes take no time, and the order of things is always the same."""

    def __init__(self) -> None:
        super().__init__()
        self._virtual_s = 1000.0
        select = self._selector.select  # type: ignore[attr-defined]

        def jump(timeout: float | None = None) -> Any:
            events = select(0)
            if not events:
                assert timeout is not None, "everybody waits and nothing will ever happen"
                self._virtual_s += timeout
            return events

        self._selector.select = jump  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._virtual_s


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Run on virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def http_hit(desk: Desk, planted: Planted, *, tls: bool = True) -> None:
    desk.hit(planted, HttpInteraction, peer=Peer("203.0.113.9", tls=tls), raw_request=b"GET / HTTP/1.1\r\n\r\n")
