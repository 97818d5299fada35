"""Group commit: whatever arrived while the last commit ran goes into the next one.

Nobody waits for a timer: a lone interaction is committed at once, and under load groups grow by themselves. What cannot
be written is refused, counted, and reported as a loss once writing works again.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from lapwing.io.store.consumers import Consumers
from lapwing.io.store.database import ROW_BYTES, Store
from lapwing.io.store.interactions import Interactions, Row
from lapwing.io.store.letters import Letter, Letters
from lapwing.io.store.losses import Loss, Losses
from lapwing.io.store.retention import STEP_COUNT, Retention
from lapwing.io.store.tokens import PlantedTokens

DELETED_PER_WRITTEN = 2  # the store shrinks while more comes, and what comes waits for no more than this
MAX_STEP_COUNT = 4 * STEP_COUNT  # interactions deleted between two commits

Done = Callable[[int | None], None]  # gets the number of the first row, None when it was refused
Committed = Callable[[int, Sequence[Row]], None]


class Hit:
    """Tells the writer that a planted token was tripped, in the commit of the interaction that did."""

    __slots__ = ("alerted", "letters", "token_id", "ts_ns")

    def __init__(self, token_id: int, ts_ns: int, *, alerted: bool, letters: Sequence[Letter] = ()) -> None:
        """`letters` are written with it."""
        self.token_id = token_id
        self.ts_ns = ts_ns
        self.alerted = alerted
        self.letters = letters


class GroupWriter:
    """The one that writes interactions and cursors. `now_ns` is the wall clock, for what is told of losses."""

    def __init__(self, store: Store, *, now_ns: Callable[[], int] = time.time_ns) -> None:
        self.last_seq = 0  # committed
        self.written_count = 0
        self.refused_count = 0
        self.commit_count = 0
        self.failure = ""  # why the last commit failed; empty while all is well
        self.on_committed: Committed = lambda _seq, _rows: None
        self._store = store
        self._now_ns = now_ns
        self._interactions = Interactions(store)
        self._consumers = Consumers(store)
        self._losses = Losses(store)
        self.retention = Retention(store)
        self._earned_count = 0  # interactions that may be deleted between commits
        self._tokens = PlantedTokens(store)
        self._letters = Letters(store)
        self._rows: list[Row] = []
        self._waiting: list[tuple[int, Done]] = []  # how many rows, and whom to tell
        self._hits: list[Hit] = []
        self._cursors: dict[tuple[int, str], int] = {}
        self._loss: Loss | None = None
        self._wake = asyncio.Event()
        self._closing = False
        self._ended = False

    async def start(self) -> None:
        """Read where the numbers stand, and how much there is."""
        await self._store.size_bytes()
        self.last_seq = await self._interactions.last_seq()

    def submit(self, rows: Sequence[Row], done: Done, hits: Sequence[Hit] = ()) -> None:
        """Write rows, then call `done` on the event loop; at once where there is no room to wait."""
        if len(self._rows) + len(rows) > self._store.settings.max_waiting_count or self._closing:
            self._refuse(len(rows), "more arrived than could be written")
            done(None)
            return
        self._rows += rows
        self._waiting.append((len(rows), done))
        self._hits += hits
        self._wake.set()

    def acknowledge(self, mailbox_id: int, name: str, seq: int) -> None:
        """A reader took everything up to `seq`. Written with the next commit: a lost one only repeats."""
        key = mailbox_id, name
        self._cursors[key] = max(seq, self._cursors.get(key, 0))
        self._wake.set()

    async def barrier(self) -> bool:
        """Wait until all that was submitted before is committed or refused; whether it was committed."""
        if self._ended:
            return False
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        self._waiting.append((0, lambda seq: None if future.done() else future.set_result(seq is not None)))
        self._wake.set()
        return await future

    async def run(self) -> None:
        """Commit group after group until `close`; between them, and while nothing comes, delete what has to go."""
        while self._has_work or not self._closing:
            if self._has_work:
                await self._commit()
                if self.retention.due and self._earned_count >= STEP_COUNT:
                    await self._delete(self._earned_count)
            elif self.retention.due:
                await self._delete(STEP_COUNT)
            else:
                await self._wake.wait()
                self._wake.clear()
        self._ended = True

    @property
    def _has_work(self) -> bool:
        return bool(self._rows or self._waiting or self._cursors)

    async def keep_bounds(self, now_ns: int) -> None:
        """See what is too old or too much; it is deleted from now on, at the pace of what comes."""
        await self.retention.look(now_ns, self.last_seq)
        self._wake.set()

    async def _delete(self, limit: int) -> None:
        try:
            deleted = await self.retention.step(limit)
        except (SQLAlchemyError, OSError) as problem:
            self.retention.put_off(_reason(problem))
            return
        self._earned_count = max(0, self._earned_count - deleted)

    def close(self) -> None:
        """Take nothing more; `run` ends when all is written."""
        self._closing = True
        self._wake.set()

    @property
    def waiting_count(self) -> int:
        """Interactions not committed yet."""
        return len(self._rows)

    async def _commit(self) -> None:
        rows, waiting = self._take_group()
        hits, self._hits = self._hits, []
        cursors, self._cursors = self._cursors, {}
        loss, self._loss = self._loss, None
        first = self.last_seq + 1
        try:
            async with self._store.writer.begin() as connection:
                if rows:
                    await self._interactions.append(connection, first, rows)
                await self._note_hits(connection, hits)
                if cursors:
                    await self._consumers.save(connection, cursors, self._now_ns())
                if loss is not None:
                    await self._losses.add(connection, loss)
        except (SQLAlchemyError, OSError) as problem:
            self._failed(problem, rows, waiting, loss, cursors)
            return
        self._committed(first, rows)
        for count, done in waiting:
            done(first)
            first += count

    async def _note_hits(self, connection: AsyncConnection, hits: list[Hit]) -> None:
        for hit in hits:
            await self._tokens.hit(connection, hit.token_id, hit.ts_ns, alerted=hit.alerted)
            if hit.letters:
                await self._letters.add(connection, hit.letters)

    def _committed(self, first: int, rows: list[Row]) -> None:
        """Keep the books of what is durable now, and tell of it."""
        self.failure = ""
        self.commit_count += 1
        self.last_seq += len(rows)
        self.written_count += len(rows)
        self._earned_count = min(MAX_STEP_COUNT, self._earned_count + DELETED_PER_WRITTEN * len(rows))
        if self._store.counts_bytes:
            self._store.count_bytes(sum(len(row.payload) + ROW_BYTES for row in rows))
        if rows:
            self.on_committed(first, rows)

    def _take_group(self) -> tuple[list[Row], list[tuple[int, Done]]]:
        """Whole submissions up to the bound of a group; one larger than that goes alone."""
        limit = self._store.settings.max_group_count
        if len(self._rows) <= limit:
            rows, waiting = self._rows, self._waiting
            self._rows, self._waiting = [], []
            return rows, waiting
        count = taken = 0
        for size, _ in self._waiting:
            if taken and count + size > limit:
                break
            count += size
            taken += 1
        rows, waiting = self._rows[:count], self._waiting[:taken]
        del self._rows[:count], self._waiting[:taken]
        return rows, waiting

    def _failed(
        self,
        problem: BaseException,
        rows: list[Row],
        waiting: list[tuple[int, Done]],
        loss: Loss | None,
        cursors: dict[tuple[int, str], int],
    ) -> None:
        self.failure = _reason(problem)
        self._cursors = {**cursors, **self._cursors} if rows else self._cursors  # else nobody would be waiting for it
        if loss is not None:
            self._loss = loss if self._loss is None else _joined(loss, self._loss)
        self._refuse(len(rows), self.failure)
        for _, done in waiting:
            done(None)

    def _refuse(self, count: int, reason: str) -> None:
        if not count:
            return
        self.refused_count += count
        now_ns = self._now_ns()
        loss = Loss(now_ns, now_ns, count, reason)
        self._loss = loss if self._loss is None else _joined(self._loss, loss)


def _reason(problem: BaseException) -> str:
    return str(getattr(problem, "orig", None) or problem).partition("\n")[0]


def _joined(first: Loss, second: Loss) -> Loss:
    return Loss(
        min(first.from_ns, second.from_ns),
        max(first.to_ns, second.to_ns),
        first.lost_count + second.lost_count,
        second.reason,
    )
