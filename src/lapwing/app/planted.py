"""Planted tokens of a store: made, listed, changed. What was made is known to a running collector within a second."""

import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import NamedTuple

from msgspec.structs import replace

from lapwing.app.decoys import ACCOUNT, PASSWORD, SQLITE, decoy_key, store_file
from lapwing.callbacks import Interaction, Noise, NoiseMarker, decoy_account, decoy_password
from lapwing.callbacks.planting import KINDS, NOTHING_HERE, Artefact, Names, Wishes, no_kind, plant
from lapwing.callbacks.tokens import DEFAULT_ID_LENGTH, DEFAULT_NONCE_LENGTH, NONCE_ALPHABET, correlation_id
from lapwing.events import SettingsError, StoreError
from lapwing.io.store import (
    DecoyUse,
    DecoyUses,
    Interactions,
    PlantedToken,
    PlantedTokens,
    Store,
    StoreSettings,
    decode_payload,
)

DECOYS = {
    ACCOUNT: "any login with the user name",
    PASSWORD: "any login with the password, where it can be seen",
}
PASSWORD_CHARS = 20  # of a decoy password that is made here
NAMES_COLLECTOR = "--domain: name the collector's domain, or --base its address"


class Planting(NamedTuple):
    """What the planter wants."""

    kind: str
    note: str = ""
    placement: str = ""
    expires_ns: int | None = None  # from now
    alert_every_s: int = 60
    domain: str = ""
    scheme: str = "https"
    port: int | None = None
    base: str = ""
    wishes: Wishes = Wishes()
    username: str = ""
    password: str | None = None
    excluded: tuple[str, ...] = ()


class Made(NamedTuple):
    """A kept token, and what to plant."""

    token: PlantedToken
    artefact: Artefact


@asynccontextmanager
async def opened(url: str, *, make: bool = False) -> AsyncIterator[tuple[Store, int]]:
    """A store and the time. Raises StoreError, also for a file that is not there unless told to `make` it.

    Whoever only looks leaves no empty store behind.
    """
    if not make and (file := store_file(url)) is not None and not file.is_file():
        raise StoreError(f"--store: {file}: no such store; `lapwing token create` makes one")
    store = await Store.open(StoreSettings(url=url if "://" in url else f"{SQLITE}{url}"))
    try:
        yield store, time.time_ns()
    finally:
        await store.close()


async def create(url: str, wanted: Planting, write: Callable[[Artefact], None] | None = None) -> Made:
    """Make a token and keep it; `write` puts its file where it is wanted before, so none is kept without its file.

    Raises SettingsError for a wish that cannot be met, StoreError, and what `write` raises.
    """
    async with opened(url, make=True) as (store, now_ns):
        if wanted.kind in DECOYS:
            token, artefact = await _decoy(store, wanted)
        else:
            token, artefact = _token(wanted)
        if write is not None:
            write(artefact)
        kept = await PlantedTokens(store).add(
            replace(
                token,
                created_ns=now_ns,
                note=wanted.note,
                placement=wanted.placement,
                expires_ns=None if wanted.expires_ns is None else now_ns + wanted.expires_ns,
                alert_every_s=wanted.alert_every_s,
            )
        )
    if kept is None:
        raise SettingsError(f"{wanted.kind}: this one is planted already")
    return Made(kept, artefact)


def _token(wanted: Planting) -> tuple[PlantedToken, Artefact]:
    if wanted.kind not in KINDS:
        raise no_kind(wanted.kind, (*KINDS, *DECOYS))
    if not wanted.domain and not wanted.base:
        raise SettingsError(NAMES_COLLECTOR)
    _check_networks(wanted.excluded)
    own_id = correlation_id(secrets.token_bytes(DEFAULT_ID_LENGTH))
    unique_id = own_id + "".join(secrets.choice(NONCE_ALPHABET) for _ in range(DEFAULT_NONCE_LENGTH))
    names = Names(unique_id, wanted.domain.strip(".").lower(), wanted.scheme, wanted.port, wanted.base)
    artefact = plant(wanted.kind, names, entropy=secrets.token_bytes(32), wishes=wanted.wishes)
    details: dict[str, object] = {"event_kind": KINDS[wanted.kind].event_kind, "excluded": list(wanted.excluded)}
    answer = artefact.answer or NOTHING_HERE
    headers = list(map(list, answer.headers))
    details["answer"] = {"status": answer.status, "headers": headers, "body": answer.body, "plain": True}
    return PlantedToken(kind=wanted.kind, name=unique_id, created_ns=0, details=details), artefact


def _check_networks(networks: Iterable[str]) -> None:
    for text in networks:
        try:
            ip_network(text)
        except ValueError as problem:
            raise SettingsError(f"--exclude: {problem}; networks look like 192.0.2.0/24") from None


async def _decoy(store: Store, wanted: Planting) -> tuple[PlantedToken, Artefact]:
    if wanted.kind == ACCOUNT:
        decoy = decoy_account(wanted.username, excluded=wanted.excluded)
        shown = decoy.key
    else:
        shown = wanted.password or secrets.token_urlsafe(PASSWORD_CHARS)[:PASSWORD_CHARS]
        decoy = decoy_password(shown, await decoy_key(store), excluded=wanted.excluded)
    details: dict[str, object] = {"excluded": list(wanted.excluded)}
    return PlantedToken(kind=wanted.kind, name=decoy.key, created_ns=0, details=details), Artefact(shown)


async def planted(url: str) -> list[PlantedToken]:
    """Every token, in the order they were made."""
    async with opened(url) as (store, _):
        return [one for one in await PlantedTokens(store).all() if one.kind in KINDS or one.kind in DECOYS]


async def named(url: str, name: str) -> PlantedToken:
    """The token whose name begins so. Raises SettingsError when there is none, or more than one."""
    found = [one for one in await planted(url) if one.name.startswith(name.lower())]
    exact = [one for one in found if one.name == name.lower()]
    if len(exact or found) != 1:
        raise SettingsError(f"{name}: {'no token' if not found else 'more than one token'} of that name")
    return (exact or found)[0]


async def revoke(url: str, name: str) -> PlantedToken:
    """End a token: hits are still kept, nobody is alerted."""
    token = await named(url, name)
    async with opened(url) as (store, now_ns):
        await PlantedTokens(store).revoke(token.name, now_ns)
    return await named(url, token.name)


async def place(url: str, name: str, placement: str) -> PlantedToken:
    """Write down where a token was put."""
    token = await named(url, name)
    async with opened(url) as (store, _):
        await PlantedTokens(store).change(token.name, placement=placement)
    return await named(url, token.name)


async def uses(url: str, token: PlantedToken) -> list[DecoyUse]:
    """The newest logins with a decoy, oldest first."""
    async with opened(url) as (store, _):
        return await DecoyUses(store).of_token(token.token_id)


async def history(url: str, token: PlantedToken) -> list[tuple[Interaction, frozenset[Noise]]]:
    """The newest hits of a token, each with the reasons to doubt that it means something. None is ever left out."""
    async with opened(url) as (store, _):
        kept = [decode_payload(one.payload) for one in await Interactions(store).of_token(token.token_id)]
    marker = NoiseMarker()
    kept.sort(key=lambda one: one.ts_ns)
    return [(one, marker.mark(one, earlier=kept[:place])) for place, one in enumerate(kept)]
