"""The same session without an event loop of one's own: a thread runs one, and its answers are waited for."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import CancelledError
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from lapwing.callbacks import Accepts, Disabled, Outcome, Token
from lapwing.io.callbacks.client import Session
from lapwing.io.callbacks.following import Following, Hit
from lapwing.io.callbacks.planted import Planted

END_GRACE_S = 1.0  # for who was woken by the end to say so, before they are cancelled

Result = TypeVar("Result")


class _ClosedError(RuntimeError):
    """The session is closed."""


class BlockingSession:
    """A session with a collector, for code without `async`; use it with `with`. Threads may share it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lapwing-callbacks", daemon=True)
        self._closing = threading.Lock()  # held by the one who closes; others wait for the end of it
        self._handing_in = threading.Lock()
        self._over = False  # nothing more is handed in

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._run(self._session.__aenter__())
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the session: who waits, in whatever thread, is told at once. Doing it twice does nothing more."""
        with self._closing:
            if not self._over:
                try:
                    self._run(self._session.aclose())
                finally:
                    self._stop()

    def _stop(self) -> None:
        with self._handing_in:
            self._over = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(_end_all())
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        with self._handing_in:
            if self._over:
                work.close()
                raise _ClosedError("the callback session is closed")
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except CancelledError:
            raise _ClosedError("the callback session was closed meanwhile") from None
        except BaseException:
            future.cancel()  # Ctrl-C ends the wait over there too
            raise

    def _ask(self, question: Callable[[], Result]) -> Result:
        async def ask() -> Result:
            return question()

        return self._run(ask())

    def mint(self, purpose: str = "") -> Planted:
        """Return a new token to plant; nothing is sent. Raises ValueError when the purpose is too long."""
        return self._ask(lambda: self._session.mint(purpose))

    def find(self, text: str) -> Planted | None:
        """Return the token of this session that `text` (an id, a host name or an address of it) names, or None."""
        return self._ask(lambda: self._session.find(text))

    def wait_for(self, token: Planted | Token, accepts: Accepts = "any", timeout: float | None = None) -> Outcome:
        """Wait until somebody reaches `token` by a protocol that `accepts` names; earlier times count.

        `timeout` is seconds, by default and at most those of the settings. `NotObserved` is only returned with proof,
        which may take up to the verdict's grace past the timeout.
        """
        return self._run(self._session.wait_for(token, accepts, timeout))

    @contextmanager
    def following(self) -> Iterator["Hits"]:
        """Everything that comes, for `for`: own tokens, and what the collector shows to all its clients."""
        context = self._session.following()
        following = self._run(_entered(context))
        try:
            yield Hits(following, self._loop, self._run)
        finally:
            with suppress(_ClosedError):
                self._run(_left(context))

    @property
    def domain(self) -> str:
        """The name below which tokens are planted."""
        return self._session.domain

    @property
    def server(self) -> str:
        """The collector's address."""
        return self._session.server

    @property
    def disabled(self) -> Disabled | None:
        """Why nobody is listening; None while the session works."""
        return self._session.disabled

    @property
    def degraded(self) -> bool:
        """Whether the collector has not been reached several times in a row."""
        return self._session.degraded

    def statistics(self) -> dict[str, int]:
        """Everything that is held or was dropped."""
        return self._ask(self._session.statistics)


class Hits:
    """What comes to a blocking session; iterate it until the session ends or `stop` is called."""

    def __init__(
        self, following: Following, loop: asyncio.AbstractEventLoop, run: Callable[[Coroutine[Any, Any, Hit]], Hit]
    ) -> None:
        self._following = following
        self._loop = loop
        self._run = run

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Hit:
        try:
            return self._run(self._following.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None

    def stop(self) -> None:
        """No more after what is here already. Callable from any thread, and from a signal."""
        with suppress(RuntimeError):  # the loop is closed: there is no more
            self._loop.call_soon_threadsafe(self._following.end)

    @property
    def lost_count(self) -> int:
        """Hits dropped because they were taken too slowly."""
        return self._following.lost_count


async def _end_all() -> None:
    """Let those who wait be answered and cancel the rest, so that nobody waits for ever."""
    await asyncio.sleep(0)  # what was handed in last becomes a task
    late = asyncio.all_tasks() - {asyncio.current_task()}
    if late:
        _, late = await asyncio.wait(late, timeout=END_GRACE_S)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_default_executor()


async def _entered(context: AbstractAsyncContextManager[Following]) -> Following:
    return await context.__aenter__()


async def _left(context: AbstractAsyncContextManager[Following]) -> None:
    await context.__aexit__(None, None, None)
