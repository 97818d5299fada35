"""Interactions as rows: written by the group, read in the order of their numbers."""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import msgspec
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lapwing.callbacks import AnyInteraction, Interaction
from lapwing.io.store.database import Store
from lapwing.io.store.schema import interactions, marks

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

    async def head(self, mailbox_id: int) -> int:
        """The newest number in a mailbox; 0 where it holds nothing."""
        query = select(func.max(interactions.c.seq)).where(interactions.c.mailbox_id == mailbox_id)
        async with self._store.reader.connect() as connection:
            return (await connection.execute(query)).scalar() or 0

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
