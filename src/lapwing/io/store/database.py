"""Opening the store: one connection that writes, a few that read, the tables brought up to date first."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Engine, event, func, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from lapwing.events import StoreError
from lapwing.io.files import append_to
from lapwing.io.store.migrate import upgrade
from lapwing.io.store.schema import interactions
from lapwing.io.store.settings import Durability, StoreSettings

BUSY_MS = 10_000  # how long SQLite waits for another process's write
WRITER_CACHE_KIB = 48 * 1024  # of pages: the indexes of some million interactions, written to in no order
READER_CACHE_KIB = 8 * 1024  # of pages per connection that reads
CHECKPOINT_PAGES = 16_000  # 64 MiB of write-ahead log; then the writer moves it into the file itself and waits
ROW_BYTES = 100  # of an interaction beside its payload: columns, row header, index entries
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


class Store:
    """An open database. `writer` has one connection, `reader` several that cannot write."""

    def __init__(self, settings: StoreSettings, writer: AsyncEngine, reader: AsyncEngine) -> None:
        self.settings = settings
        self.writer = writer
        self.reader = reader
        self._bytes: int | None = None  # of PostgreSQL's interactions, once they were summed up

    @classmethod
    async def open(cls, settings: StoreSettings) -> Self:
        """Open and migrate. Raises StoreError saying what is wrong with the place."""
        url = _driver_url(settings.url)
        _check_place(url)
        try:
            store = cls(settings, *_engines(url, settings))
        except ModuleNotFoundError as missing:
            raise StoreError(f"{shown(url)}: needs {missing.name}; install lapwing[collector,postgres]") from None
        try:
            async with store.writer.begin() as connection:
                await connection.run_sync(upgrade)
        except (DBAPIError, OSError) as problem:
            await store.close()
            raise StoreError(f"{shown(url)}: cannot be opened: {_reason(problem)}") from None
        except BaseException:
            await store.close()
            raise
        return store

    async def close(self) -> None:
        """Close every connection."""
        await self.reader.dispose()
        await self.writer.dispose()

    @property
    def file(self) -> Path | None:
        """SQLite's file; None for a server's database."""
        database = self.writer.url.database
        return Path(database) if self.writer.dialect.name == "sqlite" and database else None

    async def size_bytes(self) -> int:
        """What the interactions take up: SQLite's pages in use, in PostgreSQL the rows without what it adds.

        PostgreSQL's files do not shrink when rows go, so their size says nothing about what is kept. Its rows are
        summed up once; from then on `count_bytes` is told of every change.
        """
        if self._bytes is not None:
            return self._bytes
        async with self.reader.connect() as connection:
            if self.writer.dialect.name == "sqlite":
                page, count, free = [
                    int((await connection.execute(text(f"PRAGMA {name}"))).scalar_one())
                    for name in ("page_size", "page_count", "freelist_count")
                ]
                return page * (count - free)
            total = await connection.execute(select(func.sum(func.length(interactions.c.payload) + ROW_BYTES)))
            self._bytes = int(total.scalar() or 0)
        return self._bytes

    @property
    def counts_bytes(self) -> bool:
        """Whether the size is counted and not read."""
        return self._bytes is not None

    def count_bytes(self, change: int) -> None:
        """Interactions of so many bytes came or, below 0, went."""
        if self._bytes is not None:
            self._bytes += change

    async def checkpoint(self) -> None:
        """Move SQLite's write-ahead log into its file beside the writer, so that no commit waits for it."""
        if self.file is not None:
            await asyncio.to_thread(_checkpoint, self.file)

    def compiled(self, statement: Any) -> str:
        """Return a statement in this database's words, its parameters in the order of its columns."""
        return str(statement.compile(dialect=self.writer.dialect))


def _checkpoint(file: Path) -> None:
    connection = sqlite3.connect(file, timeout=0)
    try:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    except sqlite3.OperationalError:
        pass  # somebody else is at it, or the disk is full: the next one tries again
    finally:
        connection.close()


def shown(url: URL) -> str:
    """An address as it is written in settings, without its password."""
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)


def _driver_url(text_url: str) -> URL:
    try:
        url = make_url(text_url)
    except ArgumentError:
        raise StoreError("store.url: sqlite:///FILE, or postgresql://USER@HOST/DATABASE") from None
    driver = _DRIVERS.get(url.get_backend_name())
    if driver is None:
        raise StoreError("store.url: begins with sqlite:/// or postgresql://")
    return url.set(drivername=driver)


def _check_place(url: URL) -> None:
    """Whether SQLite's file can be written: found out here, as the driver fails in a thread of its own.

    A new one is its owner's alone, as it keeps what was sent as it came; SQLite gives its side files the same mode.
    """
    if url.get_backend_name() != "sqlite" or not url.database:
        return
    try:
        append_to(Path(url.database)).close()
    except OSError as problem:
        raise StoreError(f"{shown(url)}: cannot be opened: {problem.strerror}") from None


def _engines(url: URL, settings: StoreSettings) -> tuple[AsyncEngine, AsyncEngine]:
    def engine(size: int) -> AsyncEngine:
        return create_async_engine(url, poolclass=AsyncAdaptedQueuePool, pool_size=size, max_overflow=0)

    writer, reader = engine(1), engine(settings.readers_count)
    if url.get_backend_name() == "sqlite":
        synchronous = "FULL" if settings.durability is Durability.FULL else "NORMAL"
        own = [f"cache_size=-{WRITER_CACHE_KIB}", "journal_mode=WAL", f"synchronous={synchronous}"]
        _prepare_sqlite(writer.sync_engine, own, "BEGIN IMMEDIATE")
        _prepare_sqlite(reader.sync_engine, [f"cache_size=-{READER_CACHE_KIB}", "query_only=ON"], "BEGIN")
    return writer, reader


def _prepare_sqlite(engine: Engine, pragmas: list[str], begin: str) -> None:
    """Transactions are begun by us: the driver's own way begins them too late to read and write in one."""

    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        common = [f"busy_timeout={BUSY_MS}", f"wal_autocheckpoint={CHECKPOINT_PAGES}"]
        for pragma in [*common, *pragmas]:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begun(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


def _reason(problem: BaseException) -> str:
    original = getattr(problem, "orig", None) or problem
    return str(original).partition("\n")[0] or type(original).__name__
