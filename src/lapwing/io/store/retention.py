"""What goes again: the oldest of what is missed least, in steps small enough to stand between two commits.

A step costs what it deletes, however much the store holds: it begins where the last one ended, reads rows in the order
of their numbers, and writes one statement for all mailboxes it took from.
"""

from collections.abc import Callable
from enum import Enum, auto

from sqlalchemy import ColumnElement, Table, delete, func, insert, select, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from lapwing.io.store.database import ROW_BYTES, Store
from lapwing.io.store.mailboxes import ENDED_NS, NOBODY
from lapwing.io.store.schema import gaps, interactions, mailboxes, marks

STEP_COUNT = 2_000  # interactions deleted at once: a commit that waits for it waits about as long as for its own
STEP_BYTES = 4 * 1024**2  # of payloads deleted at once: every page of a long one is looked at
MAX_LEFT_COUNT = 1_000  # ended mailboxes known at one time, whose interactions are still to go; then the next ones
NS_PER_S = 1_000_000_000


class Choice(Enum):
    """What a step deletes, the oldest of it."""

    LEFT = auto()  # what ended mailboxes held
    OLD = auto()  # whatever is past its time
    NOBODYS = auto()  # for want of room, first: no token was found in it
    OWNED = auto()  # then: somebody's mail
    PLANTED = auto()  # last: hits of planted tokens, which may be the only one there ever is


# `+ 0` keeps the database from choosing the index by mailbox or token: a step reads in the order of numbers.
_MAILBOX: ColumnElement[int] = interactions.c.mailbox_id + 0
_TOKEN: ColumnElement[int | None] = interactions.c.token_id + 0
_WHICH: dict[Choice, ColumnElement[bool]] = {
    Choice.OLD: true(),
    Choice.NOBODYS: (interactions.c.mailbox_id == NOBODY) & _TOKEN.is_(None),
    Choice.OWNED: (_MAILBOX != NOBODY) & _TOKEN.is_(None),
    Choice.PLANTED: _TOKEN.is_not(None),
}
_FOR_ROOM = (Choice.NOBODYS, Choice.OWNED, Choice.PLANTED)


class Retention:
    """Deletes what is past its time or more than the store may hold. The writer takes its steps."""

    def __init__(self, store: Store) -> None:
        self.deleted_count = 0
        self.size_bytes = 0  # of the store, when it was last looked at
        self.failure = ""  # why the last step failed
        self._store = store
        inserts: dict[str, Callable[[Table], sqlite.Insert | postgresql.Insert]]
        inserts = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}  # the same words, in modules of their own
        self._insert = inserts[store.writer.dialect.name]
        self._old_through = 0
        self._excess_bytes = 0
        self._newest = 0  # the last number that could be deleted when the store was looked at
        self._left: list[int] = []
        self._gone = dict.fromkeys(Choice, 0)  # up to which number each is deleted

    @property
    def due(self) -> bool:
        """Whether a step would delete something."""
        return bool(self._left or self._old_through > self._gone[Choice.OLD] or self._excess_bytes > 0)

    async def look(self, now_ns: int, last_seq: int) -> None:
        """See what is past its time by now, and how much is too much."""
        settings = self._store.settings
        old_through = await self._seq_at(now_ns - int(settings.keep_s * NS_PER_S))
        size = await self._store.size_bytes()
        left = await self._ended()
        self.failure = ""
        self.size_bytes, self._newest, self._left = size, last_seq, left
        self._old_through, self._excess_bytes = old_through, max(0, size - settings.keep_bytes)

    def put_off(self, reason: str) -> None:
        """A step failed: try again after the next look."""
        self.failure = reason
        self._left, self._old_through, self._excess_bytes = [], 0, 0

    async def step(self, limit: int = STEP_COUNT) -> int:
        """Delete at most so many in a commit of their own; return how many went, 0 when nothing is due any more."""
        while self.due:
            choice = self._next()
            through = self._old_through if choice is Choice.OLD else self._newest
            last, size = await self._cut(choice, through, limit)
            if last:
                count = await self._delete(choice, last, size)
                self.deleted_count += count
                return count
            await self._exhausted(choice, through)
        return 0

    def _next(self) -> Choice:
        if self._left:
            return Choice.LEFT
        if self._old_through > self._gone[Choice.OLD]:
            return Choice.OLD
        return next(one for one in _FOR_ROOM if self._gone[one] < self._newest or one is Choice.PLANTED)

    def _condition(self, choice: Choice) -> ColumnElement[bool]:
        if choice is Choice.LEFT:
            return interactions.c.mailbox_id == self._left[0]
        return (interactions.c.seq > self._gone[choice]) & _WHICH[choice]

    async def _cut(self, choice: Choice, through: int, limit: int) -> tuple[int, int]:
        """The number up to which a step deletes, 0 for nothing, and the bytes that go."""
        budget = min(STEP_BYTES, self._excess_bytes) if choice in _FOR_ROOM else STEP_BYTES
        size = (func.length(interactions.c.payload) + ROW_BYTES).label("size")
        rows = select(interactions.c.seq, size).where(self._condition(choice) & (interactions.c.seq <= through))
        oldest = rows.order_by(interactions.c.seq).limit(limit).subquery()
        before = func.sum(oldest.c.size).over(order_by=oldest.c.seq) - oldest.c.size
        summed = select(oldest.c.seq, oldest.c.size, before.label("before")).subquery()
        query = select(func.max(summed.c.seq), func.sum(summed.c.size)).where(summed.c.before < budget)
        async with self._store.reader.connect() as connection:
            last, total = (await connection.execute(query)).one()
        return int(last or 0), int(total or 0)

    async def _delete(self, choice: Choice, last: int, size: int) -> int:
        condition = self._condition(choice) & (interactions.c.seq <= last)
        async with self._store.writer.begin() as connection:
            if choice not in (Choice.LEFT, Choice.NOBODYS):
                await self._tell_owners(connection, condition)
            count: int = (await connection.execute(delete(interactions).where(condition))).rowcount
        self._store.count_bytes(-size)
        if choice is Choice.OLD:
            self._gone = {one: max(gone, last) for one, gone in self._gone.items()}
        elif choice is not Choice.LEFT:
            self._gone[choice] = last
        self._excess_bytes = max(0, self._excess_bytes - size)
        return count

    async def _tell_owners(self, connection: AsyncConnection, condition: ColumnElement[bool]) -> None:
        """Remember in each mailbox's gap what it is about to lose."""
        lost = (
            select(_MAILBOX.label("mailbox_id"), func.max(interactions.c.seq).label("through"))
            .where(condition & (_MAILBOX != NOBODY))
            .group_by(_MAILBOX)
        )
        made = self._insert(gaps).from_select(["mailbox_id", "through"], lost)
        newer = made.excluded.through
        change = made.on_conflict_do_update(
            index_elements=["mailbox_id"], set_={"through": newer}, where=gaps.c.through < newer
        )
        await connection.execute(change)

    async def _exhausted(self, choice: Choice, through: int) -> None:
        """There is none of a choice any more up to a number."""
        if choice is Choice.LEFT:
            ended = self._left.pop(0)
            async with self._store.writer.begin() as connection:
                await connection.execute(delete(gaps).where(gaps.c.mailbox_id == ended))
                await connection.execute(delete(mailboxes).where(mailboxes.c.mailbox_id == ended))
            return
        self._gone[choice] = max(self._gone[choice], through)
        if choice is Choice.PLANTED:
            self._excess_bytes = 0  # there is nothing more to delete: the rest is no interaction

    async def _ended(self) -> list[int]:
        query = select(mailboxes.c.mailbox_id).where(mailboxes.c.expires_ns == ENDED_NS).limit(MAX_LEFT_COUNT)
        async with self._store.reader.connect() as connection:
            return list((await connection.execute(query)).scalars())

    # What was the newest when.

    async def mark(self, now_ns: int, seq: int) -> None:
        """Remember which number was the newest at a time, and forget what no look needs any more."""
        horizon = now_ns - int(self._store.settings.keep_s * NS_PER_S)
        needed = select(func.max(marks.c.at_ns)).where(marks.c.at_ns <= horizon).scalar_subquery()
        async with self._store.writer.begin() as connection:
            await connection.execute(delete(marks).where((marks.c.at_ns < needed) | (marks.c.at_ns == now_ns)))
            await connection.execute(insert(marks).values(at_ns=now_ns, seq=seq))

    async def shift_marks(self, by_ns: int) -> None:
        """Follow a step of the clock: what is old stays as old as it was."""
        async with self._store.writer.begin() as connection:
            # Away from one another first: two marks must not meet on the way.
            await connection.execute(update(marks).values(at_ns=-(marks.c.at_ns + by_ns)))
            await connection.execute(update(marks).values(at_ns=-marks.c.at_ns))

    async def _seq_at(self, at_ns: int) -> int:
        """The newest number known to be no younger than a time; 0 where none is known."""
        query = select(marks.c.seq).where(marks.c.at_ns <= at_ns).order_by(marks.c.at_ns.desc()).limit(1)
        async with self._store.reader.connect() as connection:
            return (await connection.execute(query)).scalar() or 0
