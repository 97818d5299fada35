"""A callback session on an event loop: one registration, one poller, as many waits as wanted.

The state machine says what to do and when; here are the clock, one timer, and one call at a time.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lapwing.callbacks import (
    Accepts,
    CallbackSession,
    ClientSettings,
    Disabled,
    Fetch,
    Interaction,
    Outcome,
    Output,
    Received,
    Register,
    Resolve,
    State,
    Token,
)
from lapwing.callbacks.interactsh import (
    ALREADY_REGISTERED,
    MAX_POLL_BYTES,
    MAX_REPLY_BYTES,
    Batch,
    CallError,
    FetchFailure,
    PollReader,
    deregister_call,
    normalise_server,
    poll_call,
    read_register_reply,
    register_call,
)
from lapwing.events import SettingsError
from lapwing.io.callbacks.following import Followers, Following
from lapwing.io.callbacks.identity import Persona, fresh, restored
from lapwing.io.callbacks.planted import Planted
from lapwing.io.callbacks.push import Offers, Push
from lapwing.io.callbacks.session_file import SessionFile
from lapwing.io.callbacks.wire import Answer, Collector, HttpCollector, tls_context

SECOND_NS = 1_000_000_000
TIMER_SLACK_S = 0.000_01  # a timer that rings a rounding error early would ring twice
FAREWELL_S = 2.0  # for the deregistration; a collector that does not answer keeps nobody
ACKNOWLEDGE_AFTER_S = 0.2  # what is pushed within this time is acknowledged together
MAX_RECONNECT_S = 30.0  # between attempts at a stream that breaks
LARGE_ANSWER_BYTES = 256 * 1024  # decrypting more than this would hold up the event loop

logger = logging.getLogger("lapwing.callbacks")

MakeCollector = Callable[[str, ClientSettings], Collector]


def http_collector(server: str, settings: ClientSettings) -> Collector:
    """The collector at `server`. Raises SettingsError for certificates that cannot be read."""
    tls = tls_context(Path(settings.ca_file) if settings.ca_file else None)
    return HttpCollector(server, timeout_s=settings.call_timeout_s, allowed=settings.private_networks, tls=tls)


class Session:
    """A session with a collector. Made by `session()`; use it with `async with`."""

    def __init__(
        self,
        server: str = "",
        *,
        token: str | None = None,
        session_file: Path | None = None,
        settings: ClientSettings | None = None,
        collector: MakeCollector = http_collector,
    ) -> None:
        """See `session`."""
        self.settings = settings or ClientSettings()
        if not server and session_file is None:
            raise SettingsError("callbacks.server: name a collector, such as oast.example.com")
        if server:
            normalise_server(server)  # a wrong one is said before anything is opened
        self._server = server
        self._token = token
        self._path = session_file
        self._make_collector = collector
        self._file: SessionFile | None = None
        self._followers = Followers()
        self._futures: dict[int, asyncio.Future[Outcome]] = {}
        self._call: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._fetch_at_ns: int | None = None
        self._register_at_ns: int | None = None
        self._closing = False
        self._push: Push | None = None
        self._streaming: asyncio.Task[None] | None = None
        self._acknowledging: asyncio.TimerHandle | None = None
        self._acknowledgement: asyncio.Task[None] | None = None

    # From the start to the end.

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._anchor_ns = time.time_ns() - int(self._loop.time() * SECOND_NS)
        self._persona = await asyncio.to_thread(self._open)
        self._core = CallbackSession(self._persona.book, self.settings.waits)
        self._reader = PollReader(self._persona.key, id_length=len(self._persona.identity.correlation_id))
        try:
            self._recall()
            self._collector = self._make_collector(self._persona.server, self.settings)
        except BaseException:
            self._close_file()
            raise
        try:
            await self._register()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _open(self) -> Persona:
        if self._path is None:
            return fresh(self._server, self._token, self.settings)
        self._file = SessionFile(self._path)
        if self._file.saved is None:
            if not self._server:
                self._close_file()
                raise SettingsError(f"session file {self._path}: is new, so name the collector")
            return fresh(self._server, self._token, self.settings)
        persona = restored(self._file.saved)
        if self._server and normalise_server(self._server) != persona.server:
            self._close_file()
            raise SettingsError(f"session file {self._path}: belongs to {persona.server}")
        return persona

    def _recall(self) -> None:
        """Go on where an earlier run ended."""
        if self._file is None or self._file.saved is None:
            return  # a new file is written once the collector took the registration
        # A clock that was set back must not put this run before the last one.
        self._anchor_ns += max(0, self._file.saved.last_ns + 1 - self._now_ns())
        self._file.begin(self._persona.opened(), self._now_ns())
        self._core.recall(self._file.saved.seen, self._file.saved.gaps, self._now_ns())

    def _close_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close(self._core.gaps if hasattr(self, "_core") else [], self._now_ns())

    async def aclose(self) -> None:
        """End the session: who waits is told at once; the collector is told where no file keeps the session."""
        if self._closing:
            return
        self._closing = True
        registered = self._core.state in {State.LISTENING, State.EVICTED}
        if self._timer is not None:
            self._timer.cancel()
        self._followers.end()
        if self._acknowledging is not None:
            self._acknowledging.cancel()
        ending = [one for one in (self._streaming, self._acknowledgement) if one is not None]
        for task in ending:
            task.cancel()
        call = self._call
        self._act(self._core.shutdown(self._now_ns()))
        try:
            if call is not None:
                await self._end_call(call)
            if ending:
                await asyncio.wait(ending)
            if registered:
                await self._farewell()
        finally:
            self._close_file()
            await self._collector.aclose()

    async def _end_call(self, call: asyncio.Task[None]) -> None:
        """A poll on its way has emptied the mailbox: with a file its answer is still taken."""
        if self._file is None:
            call.cancel()
        await asyncio.wait([call])

    async def _farewell(self) -> None:
        """End the registration, or where a file keeps it, acknowledge what was taken."""
        try:
            async with asyncio.timeout(FAREWELL_S):
                if self._file is None:
                    await self._collector.send(deregister_call(self._persona.identity), max_bytes=MAX_REPLY_BYTES)
                elif self._push is not None:
                    await self._push.acknowledge()
        except (CallError, TimeoutError) as problem:
            logger.debug("farewell: %s", problem or "no answer")

    # What it is for.

    @property
    def domain(self) -> str:
        """The name below which tokens are planted."""
        return self._persona.domain

    @property
    def server(self) -> str:
        """The collector's address."""
        return self._persona.server

    def mint(self, purpose: str = "") -> Planted:
        """Return a new token to plant; nothing is sent. Raises ValueError when the purpose is too long."""
        now_ns = self._now_ns()
        token = self._persona.book.mint(purpose, now_ns)
        if self._file is not None:
            self._file.minted(token.number, purpose, now_ns)
        return Planted(token, self._persona.domain)

    def find(self, text: str) -> Planted | None:
        """Return the token of this session that `text` (an id, a host name or an address of it) names, or None."""
        for word in text.lower().replace("/", ".").replace("@", ".").replace(":", ".").split("."):
            token = self._persona.book.read(word)
            if token is not None:
                return Planted(token, self._persona.domain)
        return None

    async def wait_for(self, token: Planted | Token, accepts: Accepts = "any", timeout: float | None = None) -> Outcome:
        """Wait until somebody reaches `token` by a protocol that `accepts` names; earlier times count.

        `timeout` is seconds, by default and at most those of the settings. `NotObserved` is only returned with proof,
        which may take up to the verdict's grace past the timeout.
        """
        bare = token.token if isinstance(token, Planted) else token
        timeout_ns = None if timeout is None else int(timeout * SECOND_NS)
        waiter_id, outputs = self._core.wait(bare, accepts, self._now_ns(), timeout_ns)
        future: asyncio.Future[Outcome] = self._loop.create_future()
        self._futures[waiter_id] = future
        self._act(outputs)
        try:
            return await future
        finally:
            if self._futures.pop(waiter_id, None) is not None:  # cancelled: nobody answered it
                self._act(self._core.cancel(waiter_id, self._now_ns()))

    @asynccontextmanager
    async def following(self) -> AsyncIterator[Following]:
        """Everything that comes, for `async for`: own tokens, and what the collector shows to all its clients."""
        with self._followers.one() as following:
            if self._closing or self._core.state is State.DISABLED:
                following.end()
            self._act(self._core.follow(self._now_ns()))
            try:
                yield following
            finally:
                self._act(self._core.unfollow(self._now_ns()))

    @property
    def disabled(self) -> Disabled | None:
        """Why nobody is listening; None while the session works."""
        return Disabled(self._core.disabled_reason) if self._core.state is State.DISABLED else None

    @property
    def degraded(self) -> bool:
        """Whether the collector has not been reached several times in a row."""
        return self._core.degraded

    def statistics(self) -> dict[str, int]:
        """Everything that is held or was dropped."""
        return self._core.statistics()

    # The contract with the state machine: outputs are acted on, calls and time go in.

    def _now_ns(self) -> int:
        """Nanoseconds UTC by the wall clock at the start, and by the loop's steady one since."""
        return self._anchor_ns + int(self._loop.time() * SECOND_NS)

    def _act(self, outputs: list[Output]) -> None:
        for output in outputs:
            if isinstance(output, Resolve):
                future = self._futures.pop(output.waiter_id, None)
                if future is not None and not future.done():
                    future.set_result(output.outcome)
            elif isinstance(output, Fetch):
                self._fetch_at_ns = output.at_ns
            elif isinstance(output, Register):
                self._register_at_ns = output.at_ns
            else:
                self._received(output)
        self._arm()

    def _received(self, output: Received) -> None:
        if self._file is not None:
            self._file.seen(output.interaction)
        self._followers.hand(output.token, output.interaction)

    def _arm(self) -> None:
        """Begin what is due, and set the one timer to what is due next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._closing:
            return
        now_ns = self._now_ns()
        if self._call is None:
            self._begin_due(now_ns)
        waiting = () if self._call is not None else (self._register_at_ns, self._fetch_at_ns)
        times = [at_ns for at_ns in (self._core.next_wakeup_ns, *waiting) if at_ns is not None]
        if times:
            delay_s = max(0, min(times) - now_ns) / SECOND_NS
            self._timer = self._loop.call_later(delay_s + TIMER_SLACK_S, self._ring)

    def _begin_due(self, now_ns: int) -> None:
        if self._register_at_ns is not None and self._register_at_ns <= now_ns:
            self._register_at_ns = None
            self._begin(self._register())
        elif self._fetch_at_ns is not None and self._fetch_at_ns <= now_ns:
            self._fetch_at_ns = None
            self._core.fetch_started(now_ns)
            self._begin(self._fetch())

    def _ring(self) -> None:
        self._timer = None
        self._act(self._core.tick(self._now_ns()))

    def _begin(self, call: Coroutine[Any, Any, None]) -> None:
        self._call = self._loop.create_task(call)
        self._call.add_done_callback(self._ended)

    def _ended(self, call: asyncio.Task[None]) -> None:
        self._call = None
        if call.cancelled():
            return
        error = call.exception()
        if error is not None:  # a fault of ours: nothing is known of what the call brought
            self._loop.call_exception_handler({"message": "a call to a callback collector", "exception": error})
            self._act(self._core.fetch_failed(FetchFailure.DECODE, self._now_ns()))
        self._arm()

    # Calls.

    async def _register(self) -> None:
        call = register_call(self._persona.identity, self._persona.key)
        try:
            kept = self._accepted(await self._collector.send(call, max_bytes=MAX_REPLY_BYTES))
        except CallError as problem:
            self._act(self._core.registration_failed(problem.failure, self._now_ns(), str(problem)))
            self._warn_if_disabled()
        else:
            if self._file is not None:
                self._file.begin(self._persona.opened(), self._now_ns())
            self._act(self._core.registered(self._now_ns(), kept=kept))

    def _accepted(self, answer: Answer) -> bool:
        """Whether the collector still held our mailbox. Raises CallError when it did not take the registration."""
        resumed = self._file is not None and self._file.saved is not None and self._core.state is State.NEW
        if resumed and ALREADY_REGISTERED.encode() in answer.body:
            return True
        offers = read_register_reply(answer.status, answer.body)
        paths = Offers.of(offers)
        if paths is not None:
            self._begin_push(paths)
        return resumed and offers.get("kept") == "yes"

    def _begin_push(self, offers: Offers) -> None:
        persona = self._persona
        self._push = Push(
            self._collector, persona.identity, persona.key, offers, taken=self._pushed, lost=self._some_lost
        )
        if self._streaming is None:
            self._streaming = self._loop.create_task(self._stream())

    def _pushed(self, interactions: list[Interaction]) -> None:
        self._act(self._core.delivered(interactions, self._now_ns()))
        if self._acknowledging is None:
            self._acknowledging = self._loop.call_later(ACKNOWLEDGE_AFTER_S, self._acknowledge)

    def _acknowledge(self) -> None:
        self._acknowledging = None
        if self._push is not None and not self._closing and self._acknowledgement is None:
            self._acknowledgement = self._loop.create_task(self._say_taken(self._push))

    async def _say_taken(self, push: Push) -> None:
        try:
            await push.acknowledge()
        except CallError as problem:
            logger.debug("acknowledgement: %s", problem)  # what it was about comes again, and is known again
        finally:
            self._acknowledgement = None

    def _some_lost(self, reason: str) -> None:
        logger.warning("%s", reason)
        self._act(self._core.lost(self._now_ns(), reason))

    async def _stream(self) -> None:
        """Listen to the stream, and again whenever it breaks; meanwhile the machine has pages fetched."""
        failures = 0
        while self._push is not None and self._core.state is not State.DISABLED:
            push = self._push

            def began() -> None:
                nonlocal failures
                failures = 0
                self._act(self._core.pushed([], self._now_ns()))

            try:
                await push.stream(began)
            except CallError as problem:
                logger.debug("stream: %s", problem)
            if self._core.streaming:
                self._act(self._core.stream_ended(self._now_ns()))
            failures += 1
            await asyncio.sleep(min(2.0**failures / 10, MAX_RECONNECT_S))

    async def _fetch(self) -> None:
        was_degraded = self._core.degraded
        pushing = self._push is not None
        try:
            batch = await self._fetched()
        except CallError as problem:
            outputs = self._core.fetch_failed(problem.failure, self._now_ns(), acknowledged=pushing)
            if self._core.degraded and not was_degraded:
                logger.warning("the callback collector does not answer: %s", problem)
            self._warn_if_disabled()
        else:
            outputs = self._core.fetched(batch, self._now_ns())
            self._warn_of_losses(batch)
        for interaction in self._core.take_shared():
            self._followers.hand(None, interaction)
        self._act(outputs)

    async def _fetched(self) -> Batch:
        """What there is to fetch by the best way the collector offers. Raises CallError."""
        if self._push is None:
            call = poll_call(self._persona.identity)
            return await self._read(await self._collector.send(call, max_bytes=MAX_POLL_BYTES))
        try:
            if not self._core.streaming:
                await self._push.fetch()
            else:
                async with asyncio.timeout(self.settings.call_timeout_s):
                    await self._push.prove()
        except TimeoutError:
            raise CallError(FetchFailure.TIMEOUT) from None
        return Batch([], [])

    async def _read(self, answer: Answer) -> Batch:
        now_ns = self._now_ns()

        def read() -> Batch:
            return self._reader.read(answer.status, answer.body, now_ns=now_ns, cut=answer.cut)

        return read() if len(answer.body) < LARGE_ANSWER_BYTES else await asyncio.to_thread(read)

    def _warn_if_disabled(self) -> None:
        if self._core.state is State.DISABLED:
            logger.warning("callbacks from %s are disabled: %s", self._persona.server, self._core.disabled_reason)

    def _warn_of_losses(self, batch: Batch) -> None:
        if batch.undecryptable_count or batch.dropped_count:
            unread = "%d entries of the collector could not be decrypted, %d were no interactions"
            logger.warning(unread, batch.undecryptable_count, batch.dropped_count)
        if batch.cut:
            logger.warning("the collector's answer was longer than the bound; of our own, what fitted was read")
