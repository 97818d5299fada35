"""Alerts on their way: written with the hit they tell of, gone once delivered, kept when nobody takes them."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lapwing.io.store.database import Store
from lapwing.io.store.schema import letters

MAX_DEAD = 10_000  # given up and kept; of more the oldest go


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One alert to one address. `due_ns` None: given up."""

    address: str
    made_ns: int
    body: bytes
    due_ns: int | None
    letter_id: int = 0
    tries_count: int = 0
    failure: str = ""


class Letters:
    """Queries on the alerts of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, connection: AsyncConnection, fresh: Sequence[Letter]) -> None:
        """Keep alerts within the caller's transaction."""
        rows = [msgspec.structs.asdict(one) for one in fresh]
        for row in rows:
            del row["letter_id"]
        await connection.execute(insert(letters), rows)

    async def due(self, now_ns: int, limit: int) -> list[Letter]:
        """Alerts whose time has come, the longest waiting first."""
        query = select(letters).where(letters.c.due_ns <= now_ns).order_by(letters.c.due_ns).limit(limit)
        return await self._read(query)

    async def waiting(self, limit: int = MAX_DEAD) -> list[Letter]:
        """Alerts that are to be tried, the soonest first."""
        query = select(letters).where(letters.c.due_ns.is_not(None)).order_by(letters.c.due_ns).limit(limit)
        return await self._read(query)

    async def dead(self, limit: int = MAX_DEAD) -> list[Letter]:
        """Alerts that were given up, newest first."""
        query = select(letters).where(letters.c.due_ns.is_(None)).order_by(letters.c.letter_id.desc()).limit(limit)
        return await self._read(query)

    async def counts(self) -> tuple[int, int]:
        """How many wait, and how many were given up."""
        query = select(func.count(letters.c.due_ns), func.count())
        async with self._store.reader.connect() as connection:
            waiting, total = (await connection.execute(query.select_from(letters))).one()
        return waiting, total - waiting

    async def delivered(self, letter_id: int) -> None:
        """It was taken."""
        async with self._store.writer.begin() as connection:
            await connection.execute(delete(letters).where(letters.c.letter_id == letter_id))

    async def failed(self, letter_id: int, failure: str, due_ns: int | None) -> None:
        """It was not: try again at a time, or give it up for None."""
        change = update(letters).where(letters.c.letter_id == letter_id)
        values = {"due_ns": due_ns, "failure": failure, "tries_count": letters.c.tries_count + 1}
        async with self._store.writer.begin() as connection:
            await connection.execute(change.values(**values))
            if due_ns is None:
                dead = (
                    select(letters.c.letter_id).where(letters.c.due_ns.is_(None)).order_by(letters.c.letter_id.desc())
                )
                oldest = (await connection.execute(dead.offset(MAX_DEAD).limit(1))).scalar()
                if oldest is not None:
                    gone = letters.c.due_ns.is_(None) & (letters.c.letter_id <= oldest)
                    await connection.execute(delete(letters).where(gone))

    async def revive(self, now_ns: int) -> int:
        """Try again what was given up; returns how many."""
        change = update(letters).where(letters.c.due_ns.is_(None)).values(due_ns=now_ns, tries_count=0)
        async with self._store.writer.begin() as connection:
            return (await connection.execute(change)).rowcount

    async def _read(self, query: Select[Any]) -> list[Letter]:
        async with self._store.reader.connect() as connection:
            return [Letter(**row) for row in (await connection.execute(query)).mappings().all()]
