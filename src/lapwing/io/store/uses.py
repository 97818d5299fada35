"""Uses of decoys: who logged in with one, when and where. Written by whoever saw the login, of any process."""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lapwing.io.store.database import Store
from lapwing.io.store.schema import tokens, uses

MAX_KEPT = 100_000  # uses of one decoy; of a flood the oldest go, `hit_count` still counts them


class DecoyUse(msgspec.Struct, frozen=True, kw_only=True):
    """One login with a decoy. `auth_id` is its number within the reading that saw it, 0 where it has none."""

    ts_ns: int
    client_ip: str
    protocol: str
    endpoint: str = ""
    auth_id: int = 0


class DecoyUses:
    """Queries on the uses of a store's decoys."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, used: Iterable[tuple[str, DecoyUse]]) -> int:
        """Keep uses, each with its decoy's name; return how many were new.

        The same log read again gives the same uses, and those count once. A name that is not kept is left out.
        """
        by_name: dict[str, list[DecoyUse]] = {}
        for name, use in used:
            by_name.setdefault(name, []).append(use)
        count = 0
        async with self._store.writer.begin() as connection:
            for name, those in by_name.items():
                found = await connection.execute(select(tokens.c.token_id).where(tokens.c.name == name))
                token_id = found.scalar()
                if token_id is not None:
                    count += await self._add(connection, token_id, those)
        return count

    async def _add(self, connection: AsyncConnection, token_id: int, used: Sequence[DecoyUse]) -> int:
        first, last = min(one.ts_ns for one in used), max(one.ts_ns for one in used)
        columns = (uses.c.ts_ns, uses.c.client_ip, uses.c.protocol, uses.c.auth_id)
        within = (uses.c.token_id == token_id) & uses.c.ts_ns.between(first, last)
        known = set(map(tuple, (await connection.execute(select(*columns).where(within))).all()))
        rows = []
        for one in used:
            key = (one.ts_ns, one.client_ip, one.protocol, one.auth_id)
            if not one.auth_id or key not in known:
                known.add(key)
                rows.append(msgspec.structs.asdict(one) | {"token_id": token_id})
        if not rows:
            return 0
        await connection.execute(insert(uses), rows)
        await self._count(connection, token_id, len(rows), first, last)
        await self._trim(connection, token_id)
        return len(rows)

    async def _count(self, connection: AsyncConnection, token_id: int, count: int, first: int, last: int) -> None:
        change = update(tokens).where(tokens.c.token_id == token_id)
        earliest, latest = tokens.c.first_hit_ns, tokens.c.last_hit_ns
        await connection.execute(change.values(hit_count=tokens.c.hit_count + count))
        await connection.execute(change.where(earliest.is_(None) | (earliest > first)).values(first_hit_ns=first))
        await connection.execute(change.where(latest.is_(None) | (latest < last)).values(last_hit_ns=last))

    async def _trim(self, connection: AsyncConnection, token_id: int) -> None:
        own = uses.c.token_id == token_id
        count = (await connection.execute(select(func.count()).where(own))).scalar_one()
        if count > MAX_KEPT:
            oldest = select(uses.c.use_id).where(own).order_by(uses.c.use_id).limit(count - MAX_KEPT)
            await connection.execute(delete(uses).where(uses.c.use_id.in_(oldest)))

    async def of_token(self, token_id: int, *, limit: int = 1_000) -> list[DecoyUse]:
        """Return the newest uses of a decoy, oldest first."""
        columns = [uses.c[name] for name in DecoyUse.__struct_fields__]
        newest = (uses.c.ts_ns.desc(), uses.c.use_id.desc())
        query = select(*columns).where(uses.c.token_id == token_id).order_by(*newest).limit(limit)
        async with self._store.reader.connect() as connection:
            return [DecoyUse(**row) for row in (await connection.execute(query)).mappings()][::-1]
