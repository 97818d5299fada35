"""Interactions as rows: written by the group, read in the order of their numbers."""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import msgspec
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lapwing.callbacks import AnyInteraction, Interaction
from lapwing.io.store.database import Store
from lapwing.io.store.mailboxes import NOBODY
from lapwing.io.store.schema import interactions, mailboxes, marks

MAX_PAGE_COUNT = 1_000  # interactions read at once
MAX_PAGE_BYTES = 2 * 1024**2  # of payloads read at once; clients elsewhere give up past 4 MiB
STATEMENT_COUNT = 32  # rows of one statement: SQLite runs it in one go, while others compute
READ_AHEAD_COUNT = 32  # rows asked for first; a page of large ones ends before more are loaded

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(AnyInteraction)
encode_payload = _encoder.encode


class Row(NamedTuple):
    """An interaction to be written. `mailbox_id` 0 is nobody's; `token_id` names the planted token it tripped."""

    mailbox_id: int
    token_id: int | None
    ts_ns: int
    protocol: str
    payload: bytes


class Stored(NamedTuple):
    """An interaction with its number."""

    seq: int
    payload: bytes


class Page(NamedTuple):
    """What came after a cursor. `more`: the page was full, there may be more behind it."""

    entries: list[Stored]
    more: bool


def decode_payload(payload: bytes) -> Interaction:
    """Read what was stored."""
    interaction: AnyInteraction = _decoder.decode(payload)
    return interaction


class Interactions:
    """Queries on the interactions of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._insert = store.compiled(insert(interactions))
        one = "(" + ", ".join("?" * (len(Row._fields) + 1)) + ")"
        self._insert_many = self._insert.replace(one, ", ".join([one] * STATEMENT_COUNT))
        self._many = self._insert_many != self._insert  # a server's driver sends all rows at once by itself

    async def append(self, connection: AsyncConnection, first_seq: int, rows: Sequence[Row]) -> None:
        """Write rows numbered from `first_seq`, within the caller's transaction."""
        numbered = [(seq, *row) for seq, row in enumerate(rows, first_seq)]
        whole = len(numbered) // STATEMENT_COUNT * STATEMENT_COUNT if self._many else 0
        if whole:
            pieces = [
                tuple(chain.from_iterable(numbered[start : start + STATEMENT_COUNT]))
                for start in range(0, whole, STATEMENT_COUNT)
            ]
            await connection.exec_driver_sql(self._insert_many, pieces)
        if whole < len(numbered):
            await connection.exec_driver_sql(self._insert, numbered[whole:])

    async def last_seq(self) -> int:
        """The newest number ever given; 0 before the first."""
        async with self._store.reader.connect() as connection:
            newest = [
                (await connection.execute(select(func.max(table.c.seq)))).scalar() for table in (interactions, marks)
            ]
        return max(one or 0 for one in newest)

    async def heads(self) -> dict[int, int]:
        """The newest number of every mailbox that holds something."""
        query = select(interactions.c.mailbox_id, func.max(interactions.c.seq)).group_by(interactions.c.mailbox_id)
        async with self._store.reader.connect() as connection:
            return dict((await connection.execute(query)).all())

    async def after(
        self, mailbox_id: int | None, cursor: int, *, limit: int = MAX_PAGE_COUNT, protocols: Sequence[str] = ()
    ) -> Page:
        """Return a page of a mailbox, of all mailboxes for None, oldest first; `protocols` empty takes all."""
        entries: list[Stored] = []
        size, want = 0, min(limit, READ_AHEAD_COUNT)
        while len(entries) < limit:
            rows = await self._read(mailbox_id, cursor, min(want, limit - len(entries)), protocols)
            for row in rows:
                if entries and size + len(row.payload) > MAX_PAGE_BYTES:
                    return Page(entries, more=True)
                entries.append(row)
                size += len(row.payload)
                cursor = row.seq
            if len(rows) < want:
                return Page(entries, more=len(entries) >= limit)
            want = max(1, min(limit, MAX_PAGE_BYTES * len(entries) // (size + 1)))
        return Page(entries, more=True)

    async def _read(self, mailbox_id: int | None, cursor: int, limit: int, protocols: Sequence[str]) -> list[Stored]:
        query = select(interactions.c.seq, interactions.c.payload).where(interactions.c.seq > cursor)
        if mailbox_id is not None:
            query = query.where(interactions.c.mailbox_id == mailbox_id)
        if protocols:
            query = query.where(interactions.c.protocol.in_(protocols))
        async with self._store.reader.connect() as connection:
            return [Stored(*row) for row in await connection.execute(query.order_by(interactions.c.seq).limit(limit))]

    async def of_token(self, token_id: int, *, limit: int = MAX_PAGE_COUNT) -> list[Stored]:
        """Return the newest hits of a planted token, newest first."""
        query = (
            select(interactions.c.seq, interactions.c.payload)
            .where(interactions.c.token_id == token_id)
            .order_by(interactions.c.seq.desc())
            .limit(limit)
        )
        async with self._store.reader.connect() as connection:
            return [Stored(*row) for row in await connection.execute(query)]

    async def mark(self, now_ns: int, seq: int) -> None:
        """Remember which number was the newest at a time."""
        async with self._store.writer.begin() as connection:
            await connection.execute(delete(marks).where(marks.c.at_ns == now_ns))
            await connection.execute(insert(marks).values(at_ns=now_ns, seq=seq))

    async def seq_at(self, at_ns: int) -> int:
        """The newest number known to be no younger than a time; 0 where none is known."""
        query = select(func.max(marks.c.seq)).where(marks.c.at_ns <= at_ns)
        async with self._store.reader.connect() as connection:
            return (await connection.execute(query)).scalar() or 0

    async def shift_marks(self, by_ns: int) -> None:
        """Follow a step of the clock: what is old stays as old as it was."""
        async with self._store.writer.begin() as connection:
            # Away from one another first: two marks must not meet on the way.
            await connection.execute(update(marks).values(at_ns=-(marks.c.at_ns + by_ns)))
            await connection.execute(update(marks).values(at_ns=-marks.c.at_ns))

    async def delete_through(self, seq: int, *, limit: int = 10_000, nobodys: bool = False) -> int:
        """Delete the oldest interactions up to `seq`, at most `limit`; their owners' mailboxes remember it.

        `nobodys` deletes only what belongs to no mailbox and tripped no planted token. Returns how many were deleted.
        """
        condition = interactions.c.seq <= seq
        if nobodys:
            condition &= (interactions.c.mailbox_id == NOBODY) & interactions.c.token_id.is_(None)
        chosen = select(interactions.c.seq).where(condition).order_by(interactions.c.seq).limit(limit)
        async with self._store.writer.begin() as connection:
            bounds = chosen.subquery()
            last = (await connection.execute(select(func.max(bounds.c.seq)))).scalar()
            if last is None:
                return 0
            condition &= interactions.c.seq <= last
            lost = (
                select(interactions.c.mailbox_id, func.max(interactions.c.seq))
                .where(condition & (interactions.c.mailbox_id > 0))
                .group_by(interactions.c.mailbox_id)
            )
            for mailbox_id, through in (await connection.execute(lost)).all():
                await connection.execute(
                    update(mailboxes).where(mailboxes.c.mailbox_id == mailbox_id).values(lost_through=through)
                )
            done = await connection.execute(delete(interactions).where(condition))
            return done.rowcount
