"""What goes first, what goes last, who is told, and that a step costs what it deletes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from alembic import command
from alembic.config import Config
from msgspec.structs import replace
from sqlalchemy import Connection, event, select, text

from lapwing.io.store import NOBODY, GroupWriter, Interactions, Mailboxes, Retention, Row, Store, StoreSettings
from lapwing.io.store.mailboxes import REMOVED_AT_ONCE
from lapwing.io.store.migrate import SCRIPTS
from lapwing.io.store.retention import STEP_BYTES
from lapwing.io.store.schema import gaps, interactions, mailboxes, marks
from lapwing.io.store.writer import DELETED_PER_WRITTEN, MAX_STEP_COUNT
from tests.io.store.test_store import keys, put, row, writing

pytestmark = pytest.mark.anyio

ROOMY = 1 << 60  # bytes
DAY_NS = 86_400 * 10**9


async def fill(store: Store, rows: Sequence[Row], first_seq: int = 1) -> None:
    async with store.writer.begin() as connection:
        await Interactions(store).append(connection, first_seq, rows)
    store.count_bytes(sum(len(one.payload) + 100 for one in rows))


async def seqs(store: Store) -> list[int]:
    return [entry.seq for entry in (await Interactions(store).after(None, 0)).entries]


async def told(store: Store) -> dict[int, int]:
    async with store.reader.connect() as connection:
        return dict((await connection.execute(select(gaps.c.mailbox_id, gaps.c.through))).all())


async def shrink(store: Store, *, by: int, limit: int = 2_000) -> Retention:
    """Delete until the store holds so many bytes less."""
    retention = Retention(store)
    store.settings = replace(store.settings, keep_bytes=max(1, await store.size_bytes() - by))
    await retention.look(0, (await seqs(store))[-1])
    while await retention.step(limit):
        pass
    return retention


def mixed(count: int, seed: int = 1) -> list[Row]:
    """Of all three kinds, in no order; every row about as long."""
    random = Random(seed)
    return [row(random.choice([NOBODY, 1, 2, 3]), "x" * 900, random.choice([None, None, 7])) for _ in range(count)]


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95, 2.0])
@pytest.mark.parametrize("limit", [3, 2_000])
async def test_nobodys_go_first_then_mail_and_hits_of_planted_tokens_last(
    store: Store, share: float, limit: int
) -> None:
    rows = mixed(200)
    await fill(store, rows)
    retention = await shrink(store, by=int(200 * 1_000 * share), limit=limit)
    numbered = list(enumerate(rows, 1))
    nobodys = [seq for seq, one in numbered if one.mailbox_id == NOBODY and one.token_id is None]
    owned = [seq for seq, one in numbered if one.mailbox_id != NOBODY and one.token_id is None]
    planted = [seq for seq, one in numbered if one.token_id is not None]
    gone = (nobodys + owned + planted)[: retention.deleted_count]
    assert await seqs(store) == sorted(set(range(1, 201)) - set(gone))
    assert retention.deleted_count == min(200, 200 * share)
    lost = {one: max((seq for seq in gone if rows[seq - 1].mailbox_id == one), default=0) for one in (1, 2, 3)}
    assert await told(store) == {one: through for one, through in lost.items() if through}
    assert not retention.due


async def test_what_is_past_its_time_goes_whosever_it_is_and_the_owners_are_told(store: Store) -> None:
    await fill(store, [row(NOBODY), row(1), row(2, token_id=7), row(1)])
    retention = Retention(store)
    store.settings = replace(store.settings, keep_s=86_400.0)
    await retention.mark(1, 3)
    await retention.mark(2, 4)
    await retention.look(DAY_NS, 4)
    assert not retention.due
    await retention.look(DAY_NS + 1, 4)
    assert await retention.step(2) == 2
    assert await retention.step(2) == 1
    assert await retention.step(2) == 0
    assert await seqs(store) == [4]
    assert await told(store) == {1: 2, 2: 3}
    assert await Mailboxes(store).lost_through(2) == 3
    assert await Mailboxes(store).lost_through(3) == 0


async def test_a_step_of_the_clock_makes_nothing_older_and_old_marks_are_forgotten(store: Store) -> None:
    await fill(store, [row(1)] * 3)
    retention = Retention(store)
    for seq in (1, 2, 3):
        await retention.mark(seq * DAY_NS, seq)
    await retention.shift_marks(10 * DAY_NS)
    store.settings = replace(store.settings, keep_s=86_400.0)
    await retention.look(12 * DAY_NS, 3)
    assert await retention.step() == 0 + 1
    await retention.mark(13 * DAY_NS + 5, 3)  # what was the newest a day before is all that older times need
    async with store.reader.connect() as connection:
        kept = sorted((await connection.execute(select(marks.c.at_ns))).scalars())
    assert kept == [12 * DAY_NS, 13 * DAY_NS, 13 * DAY_NS + 5]


async def test_a_step_is_bounded_in_bytes_but_never_empty(store: Store) -> None:
    half = "x" * (STEP_BYTES // 2)
    await fill(store, [row(1, half * 3), row(1, half), row(1, half), row(1, half)])
    retention = Retention(store)
    store.settings = replace(store.settings, keep_bytes=1)
    await retention.look(0, 4)
    assert [await retention.step() for _ in range(3)] == [1, 2, 1]


async def test_no_more_is_deleted_than_is_too_much(store: Store) -> None:
    await fill(store, [row(1, "x" * 900)] * 50)
    retention = await shrink(store, by=9_500)
    assert retention.deleted_count == 10


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """What is said to the database."""
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if not statement.startswith("BEGIN"):
            said.append(statement)

    engines = (store.writer.sync_engine, store.reader.sync_engine)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield said
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def many(count: int, which: str) -> list[Row]:
    """Rows of a thousand mailboxes or of one, planted ones between them."""
    random = Random(3)
    mailbox: Callable[[], int] = {
        "nobodys": lambda: NOBODY,
        "one mailbox": lambda: 1,
        "a thousand mailboxes": lambda: random.randrange(1, 1_000),
    }[which]
    return [row(mailbox(), "x" * 200, 7 if number % 10 == 0 else None) for number in range(count)]


KINDS = ["nobodys", "one mailbox", "a thousand mailboxes"]


@pytest.mark.parametrize("which", KINDS)
async def test_a_step_takes_the_same_few_statements_however_many_mailboxes_lose(store: Store, which: str) -> None:
    await fill(store, many(6_000, which))
    store.settings = replace(store.settings, keep_bytes=1)
    retention = Retention(store)
    await retention.look(0, 6_000)
    await retention.step(500)
    with statements(store) as said:
        for _ in range(3):
            assert await retention.step(500) == 500
    assert len(said) == 3 * (2 if which == "nobodys" else 3)  # what goes, the gaps of its owners, the deletion


async def work(folder: Path, count: int, which: str, *, skip: int) -> float:
    """Steps of SQLite's machine for each interaction deleted, from the middle of a store of so many."""
    store = await Store.open(StoreSettings(url=f"sqlite:///{folder / f'{count}.db'}", readers_count=1))
    await fill(store, many(count, which))
    store.settings = replace(store.settings, keep_bytes=1)
    retention = Retention(store)
    await retention.look(0, count)
    for _ in range(skip):
        await retention.step(500)
    ran = 0

    def note() -> int:
        nonlocal ran
        ran += 10
        return 0

    for engine in (store.writer, store.reader):
        async with engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            await driver.set_progress_handler(note, 10)
    deleted = sum([await retention.step(500) for _ in range(4)])
    await store.close()
    assert deleted == 2_000
    return ran / deleted


@pytest.mark.parametrize("which", KINDS)
async def test_deleting_an_interaction_is_the_same_work_in_a_small_store_and_in_one_ten_times_as_large(
    tmp_path: Path, which: str
) -> None:
    small = await work(tmp_path, 4_000, which, skip=1)
    assert await work(tmp_path, 40_000, which, skip=20) < 1.1 * small
    assert small < 500  # a scan of the small store for each step would be more


async def test_while_more_comes_no_more_is_deleted_than_twice_what_came(store: Store) -> None:
    await fill(store, [row(1, "x" * 900)] * 10_000)
    store.settings = replace(store.settings, keep_bytes=1)
    async with writing(store) as writer:
        writer.last_seq = 10_000
        deleted_before = []
        await writer.retention.look(0, writer.last_seq)
        for _ in range(30):
            submitted = [put(writer, [row(2)] * 200) for _ in range(3)]
            deleted_before.append(writer.retention.deleted_count)
            for one in submitted:
                await one
        written = writer.written_count
        assert written == 30 * 600
        bound = DELETED_PER_WRITTEN * written + MAX_STEP_COUNT
        assert 0 < writer.retention.deleted_count <= bound
        assert max(later - one for one, later in pairwise(deleted_before)) <= 3 * MAX_STEP_COUNT


async def test_while_nothing_comes_all_that_has_to_go_goes(store: Store) -> None:
    await fill(store, [row(1)] * 9_000)
    store.settings = replace(store.settings, keep_bytes=1)
    async with writing(store) as writer:
        writer.last_seq = 9_000
        while await seqs(store):
            await writer.keep_bounds(0)
            await settled(writer)
        assert writer.retention.deleted_count == 9_000
        assert await put(writer, [row(1)]) == 9_001


async def settled(writer: GroupWriter) -> None:
    while writer.retention.due:
        await writer.barrier()


async def test_a_step_that_fails_is_said_and_taken_again_and_takes_no_hit_along(store: Store) -> None:
    await fill(store, [row(1)] * 10)
    async with store.writer.begin() as connection:
        await connection.execute(text("ALTER TABLE gaps RENAME TO elsewhere"))
    store.settings = replace(store.settings, keep_bytes=1)
    async with writing(store) as writer:
        await writer.keep_bounds(0)
        await settled(writer)
        assert "gaps" in writer.retention.failure
        assert await seqs(store) == list(range(1, 11))
        assert await put(writer, [row(1)]) == 11
        assert not writer.failure
        async with store.writer.begin() as connection:
            await connection.execute(text("ALTER TABLE elsewhere RENAME TO gaps"))
        await writer.keep_bounds(0)
        await settled(writer)
        assert await seqs(store) == []


async def test_the_size_is_followed_without_being_summed_up_again(store: Store, url: str) -> None:
    other = await Store.open(StoreSettings(url=url))
    made = await Mailboxes(store).add(keys("abcdefghij"))
    assert made is not None
    async with writing(store) as writer:
        rows = [row(made.mailbox_id, "x" * length) for length in range(2 * REMOVED_AT_ONCE)] + mixed(100)
        await put(writer, rows)
        await Mailboxes(store).remove(made.mailbox_id)
        await writer.retention.look(0, writer.last_seq)
        while await writer.retention.step():
            pass
    assert len(await seqs(store)) == 100 - sum(one.mailbox_id == made.mailbox_id for one in rows[-100:])
    assert await store.size_bytes() == await other.size_bytes()  # which sums up anew, or reads the same pages
    await other.close()


async def test_a_mailbox_of_many_interactions_ends_at_once_and_they_go_in_steps(store: Store) -> None:
    held = Mailboxes(store)
    made = await held.add(keys("abcdefghij", expires_ns=1_000))
    assert made is not None
    await fill(store, [row(made.mailbox_id)] * (3 * REMOVED_AT_ONCE))
    await held.remove(made.mailbox_id)
    assert await held.find("abcdefghij") is None
    assert await held.all() == []
    await held.shift(5)
    assert await held.ended(10_000) == []
    assert len(await seqs(store)) == 1_000
    other = await held.add(keys("abcdefghij"))
    assert other is not None
    assert other.mailbox_id != made.mailbox_id  # what is still there is not the next one's
    retention = Retention(store)
    await retention.look(0, 3 * REMOVED_AT_ONCE)
    assert await retention.step(900) == 900
    assert await retention.step(900) == 100
    assert await retention.step(900) == 0
    assert await told(store) == {}
    async with store.reader.connect() as connection:
        assert list((await connection.execute(select(mailboxes.c.mailbox_id))).scalars()) == [other.mailbox_id]


async def test_use_is_noted_for_many_by_one_statement(store: Store) -> None:
    held = Mailboxes(store)
    made = [await held.add(keys(f"abcdefghi{number}", expires_ns=1_000)) for number in range(2)]
    ids = [one.mailbox_id for one in made if one is not None]
    await held.touch({ids[0]: 500, ids[1]: 11}, 1_000, 10)  # used at 1 before
    ends = [one.expires_ns for one in [await held.find(f"abcdefghi{number}") for number in range(2)] if one is not None]
    assert ends == [1_500, 1_000]
    with statements(store) as said:
        await held.touch(dict.fromkeys(range(1_000), 5_000), 1_000)
    assert len(said) == 1


async def test_what_mailboxes_lost_is_still_known_after_the_migration(url: str) -> None:
    store = await Store.open(StoreSettings(url=url))

    def back_to_three(connection: Connection) -> None:
        for table in reversed(interactions.metadata.sorted_tables):
            table.drop(connection)
        connection.execute(text("DELETE FROM alembic_version"))
        config = Config()
        config.set_main_option("script_location", str(SCRIPTS))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        keys = "secret_digest, public_key, aes_key, wrapped_key, nonce_length, created_ns, seen_ns"
        values = ":name, :no, '', :no, '', 13, 1, 1, :lost"
        query = f"INSERT INTO mailboxes (correlation_id, {keys}, lost_through) VALUES ({values})"
        for name, lost in (("lucky", 0), ("unlucky", 41)):
            connection.execute(text(query), {"name": name, "no": b"", "lost": lost})

    async with store.writer.begin() as connection:
        await connection.run_sync(back_to_three)
    await store.close()
    again = await Store.open(StoreSettings(url=url))
    held = Mailboxes(again)
    lost = [await held.lost_through(one.mailbox_id) for name in ("lucky", "unlucky") if (one := await held.find(name))]
    assert lost == [0, 41]
    await again.close()
