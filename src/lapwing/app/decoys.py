"""Decoys in a reading: the logins on their way out are looked at, what they trip follows at once, and is kept."""

import asyncio
import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Self

from lapwing.app.guard import complain
from lapwing.events import Event, SettingsError, StoreError, TokenTripped

if TYPE_CHECKING:
    from lapwing.callbacks import Decoy, DecoyIndex
    from lapwing.io.store import DecoyUse, PlantedToken, Store

ACCOUNT, PASSWORD = "decoy-account", "decoy-password"
KEY_NAME = "decoy-key"  # the row that holds the key under which decoy passwords are tagged
TAG_KEY_BYTES = 32
SQLITE = "sqlite:///"
REFRESH_S = 1.0  # between looks at the store, for what was planted or revoked meanwhile
MAX_WAITING = 10_000  # uses on their way to the store; of more the store learns nothing, which is told
MAX_GROUP = 1_000  # uses written at once

Lists = Generator[list[Event], None, None]
Say = Callable[[str], None]


class Decoys:
    """The decoys of a store during one run; make it with `load_decoys`.

    `known` recognises them; a run must tag secrets under `tag_key` for decoy passwords to be recognised. A thread
    writes down their uses, so that nobody waits for the disk.
    """

    def __init__(self, url: str, *, follow: bool, say: Say) -> None:
        """See `load_decoys`."""
        self.lost_count = 0  # uses that could not be written down; they were told all the same
        self._url = url
        self._follow = follow
        self._say = say
        self._waiting: SimpleQueue[tuple[str, DecoyUse] | None] = SimpleQueue()
        self._closed = False
        opened: Future[tuple[DecoyIndex, bytes]] = Future()
        self._thread = threading.Thread(target=self._run, args=(opened,), name="lapwing-decoys", daemon=True)
        self._thread.start()
        self.known, self.tag_key = opened.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def keep(self, events: Iterable[Event]) -> None:
        """Write down the uses among some events. Waits for nothing; safe for threads."""
        from lapwing.io.store import DecoyUse

        for event in events:
            if isinstance(event, TokenTripped) and event.token_kind in ("account", "password"):
                if self._waiting.qsize() >= MAX_WAITING:
                    self.lost_count += 1
                    continue
                use = DecoyUse(
                    ts_ns=event.ts_ns,
                    client_ip=event.client_ip or "",
                    protocol=event.protocol,
                    endpoint=event.endpoint,
                    auth_id=event.auth_id or 0,
                )
                self._waiting.put((event.token_id, use))

    def telling(self, listener: Callable[[list[Event]], None]) -> Callable[[list[Event]], None]:
        """A listener for a gate: the uses are kept, then all is told to `listener`."""

        def tell(events: list[Event]) -> None:
            self.keep(events)
            listener(events)

        return tell

    def close(self) -> None:
        """Write what waits, and end. Doing it twice does nothing more."""
        if not self._closed:
            self._closed = True
            self._waiting.put(None)
            self._thread.join()
            if self.lost_count:
                self._say(f"{self.lost_count} uses of decoys were told, but are not in the store's history")

    def _run(self, opened: "Future[tuple[DecoyIndex, bytes]]") -> None:
        try:
            asyncio.run(self._serve(opened))
        except BaseException as problem:
            if opened.done():
                raise
            opened.set_exception(problem)

    async def _serve(self, opened: "Future[tuple[DecoyIndex, bytes]]") -> None:
        from lapwing.app.planted import opened as open_store
        from lapwing.callbacks import DecoyIndex

        async with open_store(self._url) as (store, now_ns):
            opened.set_result((DecoyIndex(await _living(store, now_ns)), await decoy_key(store)))
            over = False
            looked_s = time.monotonic()
            while not over:
                group, over = self._next()
                if group:
                    await self._write(store, group)
                if self._follow and time.monotonic() - looked_s >= REFRESH_S:
                    await self._look_again(store)
                    looked_s = time.monotonic()

    def _next(self) -> "tuple[list[tuple[str, DecoyUse]], bool]":
        """What waits, once something does or it is time to look at the store again; and whether that was all."""
        group: list[tuple[str, DecoyUse]] = []
        try:
            one = self._waiting.get(timeout=REFRESH_S if self._follow else None)
            while one is not None:
                group.append(one)
                if len(group) == MAX_GROUP:
                    return group, False
                one = self._waiting.get_nowait()
        except Empty:
            return group, False
        return group, True

    async def _write(self, store: "Store", group: "list[tuple[str, DecoyUse]]") -> None:
        from sqlalchemy.exc import SQLAlchemyError

        from lapwing.io.store import DecoyUses

        try:
            await DecoyUses(store).add(group)
        except SQLAlchemyError as problem:
            if not self.lost_count:
                self._say(f"--decoys: uses cannot be written down: {str(problem).partition(chr(10))[0]}")
            self.lost_count += len(group)

    async def _look_again(self, store: "Store") -> None:
        from sqlalchemy.exc import SQLAlchemyError

        with suppress(SQLAlchemyError):  # what is known stays known; the next look may do better
            self.known.learn(await _living(store, time.time_ns()))


def load_decoys(url: str, *, follow: bool = False, say: Say = complain) -> Decoys:
    """The living decoys of a store, and what writes their uses into it; close it in the end.

    `follow` takes up what is planted or revoked meanwhile, within a second: for what runs on and on.
    Raises StoreError, and SettingsError where the library for stores is missing.
    """
    try:
        return Decoys(url, follow=follow, say=say)
    except ModuleNotFoundError as missing:
        raise SettingsError(f"--decoys: needs {missing.name}: pip install 'lapwing[collector]'") from None


def store_file(url: str) -> Path | None:
    """The file of a store in SQLite, None for another."""
    if "://" in url and not url.startswith(SQLITE):
        return None
    return Path(url.removeprefix(SQLITE))


@contextmanager
def using_decoys(url: str | None, *, follow: bool = False) -> Iterator[Decoys | None]:
    """The decoys a command line names with `--decoys`, closed in the end; None where it names none.

    Raises what `load_decoys` does, and StoreError for a file that is not there: a mistyped name would find nothing.
    """
    if url is None:
        yield None
        return
    if (file := store_file(url)) is not None and not file.is_file():
        raise StoreError(f"--decoys: {file}: no such store; `lapwing token create decoy-account` makes one")
    with load_decoys(url, follow=follow) as decoys:
        yield decoys


def tripping(lists: Lists, decoys: Decoys | None, note: Callable[[Iterable[Event]], list[Event]]) -> Lists:
    """Pass the lists on; `note` stamps what the logins in them trip."""
    return lists if decoys is None else _tripping(lists, decoys, note)


def _tripping(lists: Lists, decoys: Decoys, note: Callable[[Iterable[Event]], list[Event]]) -> Lists:
    observe = decoys.known.observe
    with closing(lists):
        for events in lists:
            found = [told for event in events for told in observe(event)]
            decoys.keep(found)
            yield events + note(found) if found else events


async def _living(store: "Store", now_ns: int) -> "list[Decoy]":
    from lapwing.io.store import PlantedTokens

    living = [one for one in await PlantedTokens(store).all() if one.live(now_ns)]
    return [decoy for decoy in map(as_decoy, living) if decoy is not None]


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
