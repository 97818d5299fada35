"""Planted tokens: what was put where, for whom to trip over, and how often that happened."""

from typing import Any

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lapwing.io.store.database import Store
from lapwing.io.store.schema import tokens

MAX_LISTED = 10_000  # tokens returned at once


class PlantedToken(msgspec.Struct, frozen=True, kw_only=True):
    """One planted thing.

    `kind` is the maker's word for it, e.g. `url` or `decoy-account`. `name` is what is recognised: a unique id, a
    decoy's user name in lower case, or a decoy password's keyed tag, never the password. `details` is the maker's own.
    `hit_count` counts every hit; `suppressed_count` the alerts that were not sent because one was sent before.
    """

    kind: str
    name: str
    created_ns: int
    token_id: int = 0
    note: str = ""
    placement: str = ""
    expires_ns: int | None = None
    revoked_ns: int | None = None
    details: dict[str, Any] = {}
    alert_every_s: int = 60
    hit_count: int = 0
    suppressed_count: int = 0
    first_hit_ns: int | None = None
    last_hit_ns: int | None = None
    last_alert_ns: int | None = None

    def live(self, now_ns: int) -> bool:
        """Whether its use still trips it."""
        return self.revoked_ns is None and (self.expires_ns is None or now_ns < self.expires_ns)


class PlantedTokens:
    """Queries on the planted tokens of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, token: PlantedToken) -> PlantedToken | None:
        """Keep a token; its `token_id` is given here. None when something of that name is planted already."""
        values = msgspec.structs.asdict(token) | {"details": msgspec.msgpack.encode(token.details)}
        del values["token_id"]
        async with self._store.writer.begin() as connection:
            if (await connection.execute(select(tokens.c.token_id).where(tokens.c.name == token.name))).first():
                return None
            made = await connection.execute(insert(tokens).values(**values).returning(tokens.c.token_id))
            return msgspec.structs.replace(token, token_id=made.scalar_one())

    async def find(self, name: str) -> PlantedToken | None:
        """Return the token of a name."""
        found = await self._select(tokens.c.name == name)
        return found[0] if found else None

    async def planted(self, *, after_id: int = 0, limit: int = MAX_LISTED) -> list[PlantedToken]:
        """Return tokens in the order they were made, revoked and expired ones too."""
        return await self._select(tokens.c.token_id > after_id, limit)

    async def all(self) -> list[PlantedToken]:
        """Return every token, page by page."""
        found: list[PlantedToken] = []
        while True:
            page = await self.planted(after_id=found[-1].token_id if found else 0, limit=MAX_LISTED)
            found += page
            if len(page) < MAX_LISTED:
                return found

    async def revoke(self, name: str, now_ns: int) -> bool:
        """End a token: hits are still kept, nobody is alerted. False when there is none that lives."""
        change = update(tokens).where((tokens.c.name == name) & tokens.c.revoked_ns.is_(None))
        async with self._store.writer.begin() as connection:
            return (await connection.execute(change.values(revoked_ns=now_ns))).rowcount == 1

    async def change(self, name: str, **values: object) -> bool:
        """Set `note`, `placement`, `expires_ns` or `alert_every_s`; False when there is no such token."""
        async with self._store.writer.begin() as connection:
            return (
                await connection.execute(update(tokens).where(tokens.c.name == name).values(**values))
            ).rowcount == 1

    async def hit(self, connection: AsyncConnection, token_id: int, ts_ns: int, *, alerted: bool) -> None:
        """Count a hit, within the caller's transaction."""
        values: dict[str, Any] = {"hit_count": tokens.c.hit_count + 1, "last_hit_ns": ts_ns}
        if alerted:
            values["last_alert_ns"] = ts_ns
        else:
            values["suppressed_count"] = tokens.c.suppressed_count + 1
        await connection.execute(update(tokens).where(tokens.c.token_id == token_id).values(**values))
        first = update(tokens).where((tokens.c.token_id == token_id) & tokens.c.first_hit_ns.is_(None))
        await connection.execute(first.values(first_hit_ns=ts_ns))

    async def _select(self, condition: Any, limit: int = 1) -> list[PlantedToken]:
        query = select(tokens).where(condition).order_by(tokens.c.token_id).limit(limit)
        async with self._store.reader.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [PlantedToken(**{**row, "details": msgspec.msgpack.decode(row["details"])}) for row in rows]
