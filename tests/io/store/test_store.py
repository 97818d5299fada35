"""The same tests for SQLite and PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from lapwing.callbacks import DnsInteraction, Peer
from lapwing.events import StoreError
from lapwing.io.store import (
    NOBODY,
    Consumers,
    GroupWriter,
    Hit,
    Interactions,
    Losses,
    Mailboxes,
    MailboxKeys,
    PlantedToken,
    PlantedTokens,
    Row,
    Store,
    StoreSettings,
    decode_payload,
    encode_payload,
    secret_digest,
)
from lapwing.io.store.interactions import STATEMENT_COUNT
from lapwing.io.store.schema import metadata

pytestmark = pytest.mark.anyio


def keys(correlation_id: str, **more: int | None) -> MailboxKeys:
    return MailboxKeys(
        mailbox_id=0,
        correlation_id=correlation_id,
        secret_digest=secret_digest("s3cret"),
        public_key="PEM",
        aes_key=bytes(32),
        wrapped_key="wrapped",
        nonce_length=13,
        created_ns=1,
        seen_ns=1,
        expires_ns=more.get("expires_ns"),
    )


def row(mailbox_id: int, text: str = "x", token_id: int | None = None, protocol: str = "dns") -> Row:
    return Row(mailbox_id, token_id, 1, protocol, text.encode())


@asynccontextmanager
async def writing(store: Store) -> AsyncIterator[GroupWriter]:
    writer = GroupWriter(store, now_ns=lambda: 1_000)
    await writer.start()
    task = asyncio.create_task(writer.run())
    yield writer
    writer.close()
    await task


async def put(writer: GroupWriter, rows: Sequence[Row], hits: Sequence[Hit] = ()) -> int | None:
    done: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
    writer.submit(rows, done.set_result, hits)
    return await done


async def test_the_migrations_make_the_tables_the_queries_expect(store: Store) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with store.writer.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_store_of_a_newer_program_is_refused(store: Store, url: str) -> None:
    async with store.writer.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = 'later'"))
    with pytest.raises(StoreError, match="newer version"):
        await Store.open(StoreSettings(url=url))


async def test_what_was_committed_is_there_when_it_is_opened_again(store: Store, url: str) -> None:
    async with writing(store) as writer:
        assert await put(writer, [row(7, "a"), row(7, "b")]) == 1
    again = await Store.open(StoreSettings(url=url))
    async with writing(again) as writer:
        assert writer.last_seq == 2
        assert await put(writer, [row(7, "c")]) == 3
    page = await Interactions(again).after(7, 0)
    assert [(one.seq, one.payload) for one in page.entries] == [(1, b"a"), (2, b"b"), (3, b"c")]
    await again.close()


async def test_a_page_holds_one_mailbox_after_a_cursor(store: Store) -> None:
    async with writing(store) as writer:
        await put(writer, [row(1 + number % 2, str(number)) for number in range(100)])
    interactions = Interactions(store)
    page = await interactions.after(1, 50, limit=10)
    assert [int(one.payload) for one in page.entries] == list(range(50, 70, 2))
    assert page.more
    assert not (await interactions.after(1, 90)).more
    assert len((await interactions.after(None, 0)).entries) == 100
    assert [await interactions.head(mailbox_id) for mailbox_id in (1, 2, 3)] == [99, 100, 0]


async def test_a_page_is_bounded_in_bytes_but_never_empty(store: Store) -> None:
    big = "x" * 1_500_000
    async with writing(store) as writer:
        await put(writer, [row(1, big), row(1, big), row(1, "small")])
    page = await Interactions(store).after(1, 0)
    assert len(page.entries) == 1
    assert page.more
    page = await Interactions(store).after(1, 1)
    assert [len(one.payload) for one in page.entries] == [1_500_000, 5]


async def test_protocols_choose_from_a_bucket(store: Store) -> None:
    async with writing(store) as writer:
        await put(writer, [row(NOBODY, "d"), row(NOBODY, "f", protocol="ftp"), row(NOBODY, "l", protocol="ldap")])
    page = await Interactions(store).after(NOBODY, 0, protocols=("ftp", "ldap"))
    assert [one.payload for one in page.entries] == [b"f", b"l"]


async def test_cursors_are_kept_by_reader_and_never_go_back(store: Store) -> None:
    consumers = Consumers(store)
    async with writing(store) as writer:
        writer.acknowledge(1, "", 5)
        writer.acknowledge(1, "second", 3)
        await writer.barrier()
        writer.acknowledge(1, "", 4)
        await writer.barrier()
    assert await consumers.of(1) == {"": 5, "second": 3}
    await consumers.forget(1, "second")
    assert await consumers.of(1) == {"": 5}


async def test_a_mailbox_is_made_once_and_found_with_its_keys(store: Store) -> None:
    mailboxes = Mailboxes(store)
    made = await mailboxes.add(keys("abcdefghij"))
    assert made is not None
    assert await mailboxes.add(keys("abcdefghij")) is None
    assert await mailboxes.find("ABCDEFGHIJ") == made
    assert await mailboxes.find("other") is None
    assert [one.correlation_id for one in await mailboxes.all()] == ["abcdefghij"]


async def test_renewing_keeps_what_waits_and_removing_takes_it_along(store: Store) -> None:
    mailboxes, interactions = Mailboxes(store), Interactions(store)
    made = await mailboxes.add(keys("abcdefghij", expires_ns=10))
    assert made is not None
    async with writing(store) as writer:
        await put(writer, [row(made.mailbox_id)])
    assert await mailboxes.renew(made.mailbox_id, 5, 50)
    assert len((await interactions.after(made.mailbox_id, 0)).entries) == 1
    assert await mailboxes.ended(49) == []
    assert [one.mailbox_id for one in await mailboxes.ended(50)] == [made.mailbox_id]
    await mailboxes.remove(made.mailbox_id)
    assert not await mailboxes.renew(made.mailbox_id, 5, 50)
    assert (await interactions.after(made.mailbox_id, 0)).entries == []


async def test_a_step_of_the_clock_cuts_nobodys_time(store: Store) -> None:
    mailboxes = Mailboxes(store)
    await mailboxes.add(keys("abcdefghij", expires_ns=100))
    await mailboxes.add(keys("endless"))
    await mailboxes.shift(1_000)
    assert await mailboxes.ended(1_099) == []
    assert len(await mailboxes.ended(1_100)) == 1


async def test_what_does_not_fit_the_queue_is_refused_and_reported(url: str) -> None:
    store = await Store.open(StoreSettings(url=url, max_waiting_count=2))
    async with writing(store) as writer:
        assert await put(writer, [row(1), row(1), row(1)]) is None
        assert await writer.barrier()
        assert await writer.barrier()
        assert (writer.refused_count, writer.last_seq) == (3, 0)
    (loss,) = await Losses(store).since(0)
    assert (loss.lost_count, loss.from_ns) == (3, 1_000)
    await store.close()


async def test_a_failed_commit_refuses_its_group_and_the_next_one_works(store: Store) -> None:
    async with writing(store) as writer:
        assert await put(writer, [row(1)]) == 1
        writer.last_seq = 0  # the next number is taken: the database refuses
        assert await put(writer, [row(1), row(1)]) is None
        assert writer.failure
        writer.last_seq = 1
        assert await put(writer, [row(1)]) == 2
        assert not writer.failure
    assert sum(loss.lost_count for loss in await Losses(store).since(0)) == 2


async def test_groups_are_bounded_and_keep_submissions_whole(url: str) -> None:
    store = await Store.open(StoreSettings(url=url, max_group_count=5))
    groups: list[int] = []
    async with writing(store) as writer:
        writer.on_committed = lambda _first, rows: groups.append(len(rows))
        done = await asyncio.gather(*(put(writer, [row(1)] * 3) for _ in range(4)), put(writer, [row(1)] * 9))
    assert done == [1, 4, 7, 10, 13]
    assert groups == [3, 3, 3, 3, 9]
    await store.close()


async def test_planted_tokens_are_listed_revoked_and_count_their_hits(store: Store) -> None:
    tokens = PlantedTokens(store)
    made = await tokens.add(
        PlantedToken(kind="url", name="abc", note="in the wiki", created_ns=1, details={"answer": {"status": 302}})
    )
    assert made is not None
    assert await tokens.add(PlantedToken(kind="url", name="abc", created_ns=2)) is None
    async with writing(store) as writer:
        await put(writer, [row(1, "first", made.token_id)], [Hit(made.token_id, 50, alerted=True)])
        await put(writer, [row(1, "second", made.token_id)], [Hit(made.token_id, 60, alerted=False)])
    (listed,) = await tokens.planted()
    assert (listed.hit_count, listed.suppressed_count) == (2, 1)
    assert (listed.first_hit_ns, listed.last_hit_ns, listed.last_alert_ns) == (50, 60, 50)
    assert listed.details == {"answer": {"status": 302}}
    assert [one.payload for one in await Interactions(store).of_token(made.token_id)] == [b"second", b"first"]
    assert await tokens.revoke("abc", 70)
    assert not await tokens.revoke("abc", 80)
    assert await tokens.change("abc", placement="page 7")
    found = await tokens.find("abc")
    assert found is not None
    assert (found.live(75), found.placement) == (False, "page 7")


async def test_the_size_counts_what_is_kept(store: Store) -> None:
    before = await store.size_bytes()
    async with writing(store) as writer:
        await put(writer, [Row(1, None, 1, "dns", Random(1).randbytes(2_000_000))])
    assert await store.size_bytes() > before + 1_900_000


async def test_the_log_is_moved_beside_the_writer(store: Store) -> None:
    async with writing(store) as writer:
        await put(writer, [row(1, "x" * 100_000)])
        before = 0 if store.file is None else store.file.stat().st_size
        await store.checkpoint()
        assert store.file is None or store.file.stat().st_size > before
        assert await put(writer, [row(1)]) == 2


async def test_secrets_are_not_in_the_database(store: Store) -> None:
    mailboxes = Mailboxes(store)
    await mailboxes.add(keys("abcdefghij"))
    found = await mailboxes.find("abcdefghij")
    assert found is not None
    assert found.secret_digest == secret_digest("S3CRET")
    assert found.secret_digest != secret_digest("other")
    assert b"s3cret" not in found.secret_digest
    assert "wrapped" not in repr(found)


@given(st.binary(max_size=300), st.text(max_size=60), st.integers(0, 2**62))
def test_interactions_come_back_as_they_were_stored(raw: bytes, name: str, ts_ns: int) -> None:
    stored = DnsInteraction(ts_ns=ts_ns, peer=Peer("192.0.2.1", 53), raw_request=raw, name=name, query_type="A")
    assert decode_payload(encode_payload(stored)) == stored


@pytest.mark.parametrize("url", ["mysql://host/db", "nothing"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(Exception, match=r"store\.url"):
        StoreSettings(url=url)


async def test_a_place_that_cannot_be_opened_is_named() -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        await Store.open(StoreSettings(url="sqlite:////no/such/folder/store.db"))


@pytest.mark.parametrize("count", [1, STATEMENT_COUNT - 1, STATEMENT_COUNT, 3 * STATEMENT_COUNT + 5])
async def test_a_group_of_any_size_is_written_whole_and_in_order(store: Store, count: int) -> None:
    rows = [row(number % 3, f"n{number}", token_id=number or None) for number in range(count)]
    async with store.writer.begin() as connection:
        await Interactions(store).append(connection, 7, rows)
    page = await Interactions(store).after(None, 0)
    assert page.entries == [(7 + number, one.payload) for number, one in enumerate(rows)]
    assert [hit.seq for hit in await Interactions(store).of_token(count - 1)] == ([6 + count] if count > 1 else [])


async def test_what_was_sent_is_readable_for_the_owner_of_the_store_alone(tmp_path: Path) -> None:
    store = await Store.open(StoreSettings(url=f"sqlite+aiosqlite:///{tmp_path / 'lapwing.db'}"))
    try:
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    finally:
        await store.close()
    assert "lapwing.db" in modes
    assert set(modes.values()) == {0o600}
