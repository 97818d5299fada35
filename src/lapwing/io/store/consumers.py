"""How far each reader of a mailbox has come. Readers do not know of one another, and each sees everything."""

from collections.abc import Mapping

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lapwing.io.store.database import Store
from lapwing.io.store.schema import consumers

Cursors = Mapping[tuple[int, str], int]  # mailbox and name of the reader, to the last number it took


class Consumers:
    """Queries on the cursors of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, mailbox_id: int) -> dict[str, int]:
        """The cursors of a mailbox by name."""
        query = select(consumers.c.name, consumers.c.cursor).where(consumers.c.mailbox_id == mailbox_id)
        async with self._store.reader.connect() as connection:
            return dict((await connection.execute(query)).all())

    async def save(self, connection: AsyncConnection, cursors: Cursors, now_ns: int) -> None:
        """Write cursors within the caller's transaction. A cursor never goes back."""
        for (mailbox_id, name), cursor in cursors.items():
            own = (consumers.c.mailbox_id == mailbox_id) & (consumers.c.name == name)
            change = update(consumers).where(own & (consumers.c.cursor <= cursor))
            done = await connection.execute(change.values(cursor=cursor, seen_ns=now_ns))
            if done.rowcount:
                continue
            if (await connection.execute(select(consumers.c.cursor).where(own))).first() is None:
                row = {"mailbox_id": mailbox_id, "name": name, "cursor": cursor, "seen_ns": now_ns}
                await connection.execute(insert(consumers).values(**row))

    async def forget(self, mailbox_id: int, name: str) -> None:
        """A reader will not come back."""
        own = (consumers.c.mailbox_id == mailbox_id) & (consumers.c.name == name)
        async with self._store.writer.begin() as connection:
            await connection.execute(delete(consumers).where(own))
