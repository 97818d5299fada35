"""Decoys in a reading: the logins on their way out are looked at, and what they trip follows them at once."""

import asyncio
import secrets
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, NamedTuple

from lapwing.events import Event, SettingsError

if TYPE_CHECKING:
    from lapwing.callbacks import Decoy, DecoyIndex
    from lapwing.io.store import PlantedToken, Store

ACCOUNT, PASSWORD = "decoy-account", "decoy-password"
KEY_NAME = "decoy-key"  # the row that holds the key under which decoy passwords are tagged
TAG_KEY_BYTES = 32

Lists = Generator[list[Event], None, None]


class Decoys(NamedTuple):
    """The decoys of one run, and the key under which it must tag secrets for decoy passwords to be recognised."""

    known: "DecoyIndex"
    tag_key: bytes


def tripping(lists: Lists, decoys: Decoys | None, note: Callable[[Iterable[Event]], list[Event]]) -> Lists:
    """Pass the lists on; `note` stamps what the logins in them trip."""
    if decoys is None or not len(decoys.known):
        return lists
    return _tripping(lists, decoys.known, note)


def _tripping(lists: Lists, known: "DecoyIndex", note: Callable[[Iterable[Event]], list[Event]]) -> Lists:
    try:
        for events in lists:
            found = [told for event in events for told in known.observe(event)]
            yield events + note(found) if found else events
    finally:
        lists.close()


def load_decoys(url: str) -> Decoys:
    """The living decoys of a store. Raises StoreError, and SettingsError where the library for stores is missing."""
    try:
        from lapwing.app.planted import opened
        from lapwing.callbacks import DecoyIndex
        from lapwing.io.store import PlantedTokens
    except ModuleNotFoundError as missing:
        raise SettingsError(f"--decoys: needs {missing.name}: pip install 'lapwing[collector]'") from None

    async def load() -> Decoys:
        async with opened(url) as (store, now_ns):
            living = [one for one in await PlantedTokens(store).planted() if one.live(now_ns)]
            return Decoys(DecoyIndex(filter(None, map(as_decoy, living))), await decoy_key(store))

    return asyncio.run(load())


def as_decoy(token: "PlantedToken") -> "Decoy | None":
    """The decoy a kept token is; None for what is planted otherwise."""
    from lapwing.callbacks import Decoy

    excluded = tuple(token.details.get("excluded", ()))
    if token.kind == ACCOUNT:
        return Decoy(kind="account", key=token.name, note=token.note, excluded=excluded)
    if token.kind == PASSWORD:
        return Decoy(kind="password", key=token.name, note=token.note, excluded=excluded)
    return None


async def decoy_key(store: "Store") -> bytes:
    """The key of a store's decoy passwords, made when it is first asked for."""
    from lapwing.io.store import PlantedToken, PlantedTokens

    tokens = PlantedTokens(store)
    fresh = PlantedToken(
        kind=KEY_NAME, name=KEY_NAME, created_ns=0, details={"key": secrets.token_bytes(TAG_KEY_BYTES)}
    )
    kept = await tokens.find(KEY_NAME) or await tokens.add(fresh) or await tokens.find(KEY_NAME)
    assert kept is not None
    key: bytes = kept.details["key"]
    return key
