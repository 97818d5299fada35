"""Registrations: whose mail is kept, under which keys, until when."""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from sqlalchemy import bindparam, delete, func, insert, select, update

from lapwing.io.store.database import ROW_BYTES, Store
from lapwing.io.store.schema import consumers, gaps, interactions, mailboxes

NOBODY = 0  # the mailbox of what no token was found in
ENDED_NS = 0  # the end of a mailbox that is only there until its last interaction is deleted
REMOVED_AT_ONCE = 500  # interactions that go with their mailbox; more go in steps, so that no commit waits for them
TOUCHED_AT_ONCE = 2_000  # mailboxes whose use is noted in one commit

_LIVES = mailboxes.c.expires_ns.is_(None) | (mailboxes.c.expires_ns != ENDED_NS)


class KeptMailbox(NamedTuple):
    """What every interaction is matched against: held in memory for each mailbox."""

    mailbox_id: int
    correlation_id: str
    nonce_length: int


class MailboxKeys(msgspec.Struct, frozen=True):
    """What opens a mailbox and seals what is sent from it. `expires_ns` None: never."""

    mailbox_id: int
    correlation_id: str
    secret_digest: bytes
    public_key: str
    aes_key: bytes
    wrapped_key: str
    nonce_length: int
    created_ns: int
    seen_ns: int
    expires_ns: int | None
    token_key: bytes | None = None

    def __repr__(self) -> str:
        """Without what opens it."""
        return f"MailboxKeys({self.correlation_id!r})"


def secret_digest(secret: str) -> bytes:
    """What is kept of a secret. Letter case does not count, as in interactsh; secrets are random, so no salt."""
    return hashlib.sha256(b"lapwing mailbox\0" + secret.lower().encode("utf-8", "replace")).digest()


class Mailboxes:
    """Queries on the registrations of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def all(self) -> list[KeptMailbox]:
        """Every mailbox, as listeners need it."""
        columns = mailboxes.c.mailbox_id, mailboxes.c.correlation_id, mailboxes.c.nonce_length
        async with self._store.reader.connect() as connection:
            return [KeptMailbox(*row) for row in await connection.execute(select(*columns).where(_LIVES))]

    async def find(self, correlation_id: str) -> MailboxKeys | None:
        """Return a mailbox with its keys."""
        query = select(mailboxes).where(mailboxes.c.correlation_id == correlation_id.lower())
        async with self._store.reader.connect() as connection:
            row = (await connection.execute(query)).mappings().first()
        return None if row is None else MailboxKeys(**row)

    async def add(self, keys: MailboxKeys) -> MailboxKeys | None:
        """Make a mailbox; its `mailbox_id` is given here. None when the id is taken, and nothing changed."""
        values = {name: getattr(keys, name) for name in keys.__struct_fields__ if name != "mailbox_id"}
        async with self._store.writer.begin() as connection:
            taken = select(mailboxes.c.mailbox_id).where(mailboxes.c.correlation_id == keys.correlation_id)
            if (await connection.execute(taken)).first() is not None:
                return None
            made = await connection.execute(insert(mailboxes).values(**values).returning(mailboxes.c.mailbox_id))
            return msgspec.structs.replace(keys, mailbox_id=made.scalar_one())

    async def renew(self, mailbox_id: int, now_ns: int, expires_ns: int | None) -> bool:
        """Move the end of a mailbox; False when it is gone. What it holds stays."""
        change = update(mailboxes).where(mailboxes.c.mailbox_id == mailbox_id)
        async with self._store.writer.begin() as connection:
            done = await connection.execute(change.values(seen_ns=now_ns, expires_ns=expires_ns))
            return done.rowcount == 1

    async def replace_keys(self, mailbox_id: int, public_key: str, aes_key: bytes, wrapped_key: str) -> None:
        """The owner came back with another key: what waits is sealed with the new one."""
        change = update(mailboxes).where(mailboxes.c.mailbox_id == mailbox_id)
        async with self._store.writer.begin() as connection:
            await connection.execute(change.values(public_key=public_key, aes_key=aes_key, wrapped_key=wrapped_key))

    async def touch(self, seen: Mapping[int, int], lifetime_ns: int | None, grain_ns: int = 0) -> None:
        """Mailboxes were used: note when, and move their ends where they slide.

        Nothing is written of one whose use was noted within `grain_ns` before.
        """
        own = (mailboxes.c.mailbox_id == bindparam("own")) & (mailboxes.c.seen_ns < bindparam("seen") - grain_ns)
        change = update(mailboxes).where(own & _LIVES).values(seen_ns=bindparam("seen"))
        if lifetime_ns is not None:
            change = change.values(expires_ns=bindparam("seen") + lifetime_ns)
        rows = [{"own": mailbox_id, "seen": seen_ns} for mailbox_id, seen_ns in seen.items()]
        for first in range(0, len(rows), TOUCHED_AT_ONCE):
            async with self._store.writer.begin() as connection:
                await connection.execute(change, rows[first : first + TOUCHED_AT_ONCE])

    async def remove(self, mailbox_id: int) -> None:
        """End a registration with all it holds; what is too much to go at once waits for retention, unseen."""
        own = mailboxes.c.mailbox_id == mailbox_id
        held = select(interactions.c.seq, (func.length(interactions.c.payload) + ROW_BYTES).label("size"))
        held = held.where(interactions.c.mailbox_id == mailbox_id)
        async with self._store.writer.begin() as connection:
            await connection.execute(delete(consumers).where(consumers.c.mailbox_id == mailbox_id))
            oldest = held.order_by(interactions.c.seq).limit(REMOVED_AT_ONCE).subquery()
            last, size = (await connection.execute(select(func.max(oldest.c.seq), func.sum(oldest.c.size)))).one()
            mine = interactions.c.mailbox_id == mailbox_id
            await connection.execute(delete(interactions).where(mine & (interactions.c.seq <= (last or 0))))
            if (await connection.execute(held.limit(1))).first() is None:
                await connection.execute(delete(gaps).where(gaps.c.mailbox_id == mailbox_id))
                await connection.execute(delete(mailboxes).where(own))
            else:
                await connection.execute(update(mailboxes).where(own).values(_nobody(mailbox_id)))
        self._store.count_bytes(-int(size or 0))

    async def ended(self, now_ns: int, limit: int = 1_000) -> list[KeptMailbox]:
        """Mailboxes past their end."""
        columns = mailboxes.c.mailbox_id, mailboxes.c.correlation_id, mailboxes.c.nonce_length
        query = select(*columns).where(_LIVES & (mailboxes.c.expires_ns <= now_ns)).limit(limit)
        async with self._store.reader.connect() as connection:
            return [KeptMailbox(*row) for row in await connection.execute(query)]

    async def shift(self, by_ns: int) -> None:
        """Follow a step of the clock: nobody's time is cut short by it."""
        ends = mailboxes.c.expires_ns + by_ns
        async with self._store.writer.begin() as connection:
            await connection.execute(
                update(mailboxes).where(_LIVES).values(seen_ns=mailboxes.c.seen_ns + by_ns, expires_ns=ends)
            )

    async def lost_through(self, mailbox_id: int) -> int:
        """The newest number that retention deleted of a mailbox; 0 for none."""
        query = select(gaps.c.through).where(gaps.c.mailbox_id == mailbox_id)
        async with self._store.reader.connect() as connection:
            return (await connection.execute(query)).scalar() or 0


def _nobody(mailbox_id: int) -> dict[str, object]:
    """What is left of an ended mailbox: its number, so that no other gets it, and a name nobody can ask for."""
    empty = {"secret_digest": b"", "public_key": "", "aes_key": b"", "wrapped_key": "", "token_key": None}
    return {"correlation_id": f"~{mailbox_id}", "expires_ns": ENDED_NS, **empty}
