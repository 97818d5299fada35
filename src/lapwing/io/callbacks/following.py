"""Everything that comes, to whoever reads along: bounded per reader, and what a slow one lost is counted."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, Self

from lapwing.callbacks import Interaction, Token

MAX_BEHIND = 100_000  # interactions a reader may be behind, some hundred megabytes at worst; the oldest go first


class Hit(NamedTuple):
    """One interaction; `token` is None where it belongs to all clients of the collector's token."""

    token: Token | None
    interaction: Interaction


class Following:
    """One reader; iterate it with `async for` until the session ends."""

    def __init__(self) -> None:
        self.lost_count = 0  # hits dropped because the reader was too far behind
        self._waiting: deque[Hit] = deque()
        self._news = asyncio.Event()
        self._ended = False

    def hand(self, hit: Hit) -> None:
        """Queue a hit."""
        self._waiting.append(hit)
        if len(self._waiting) > MAX_BEHIND:
            self._waiting.popleft()
            self.lost_count += 1
        self._news.set()

    def end(self) -> None:
        """No more come."""
        self._ended = True
        self._news.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Hit:
        while not self._waiting:
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._waiting.popleft()


class Followers:
    """The readers of one session."""

    def __init__(self) -> None:
        self._all: list[Following] = []

    @contextmanager
    def one(self) -> Iterator[Following]:
        """Add a reader for as long as the context lasts."""
        following = Following()
        self._all.append(following)
        try:
            yield following
        finally:
            self._all.remove(following)

    def hand(self, token: Token | None, interaction: Interaction) -> None:
        """To everybody."""
        for following in self._all:
            following.hand(Hit(token, interaction))

    def end(self) -> None:
        """No more come."""
        for following in self._all:
            following.end()
