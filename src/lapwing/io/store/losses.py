"""What could not be taken: when, how much, why. Written as soon as writing is possible again."""

from typing import NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lapwing.io.store.database import Store
from lapwing.io.store.schema import losses


class Loss(NamedTuple):
    """A span in which interactions were refused; those who sent them got no answer."""

    from_ns: int
    to_ns: int
    lost_count: int
    reason: str


class Losses:
    """Queries on the losses of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, connection: AsyncConnection, loss: Loss) -> None:
        """Write one within the caller's transaction."""
        await connection.execute(insert(losses).values(**loss._asdict()))

    async def since(self, from_ns: int, limit: int = 100) -> list[Loss]:
        """The newest losses that ended after a time, oldest first."""
        columns = losses.c.from_ns, losses.c.to_ns, losses.c.lost_count, losses.c.reason
        query = select(*columns).where(losses.c.to_ns >= from_ns).order_by(losses.c.loss_id.desc()).limit(limit)
        async with self._store.reader.connect() as connection:
            return [Loss(*row) for row in await connection.execute(query)][::-1]
