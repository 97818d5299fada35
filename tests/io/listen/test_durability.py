"""What was answered is on disk: through killed processes, full disks, set clocks, and the bounds of the store."""

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import Thread
from typing import IO

import dns.message
import pytest
from msgspec.structs import replace

from lapwing.callbacks import DnsInteraction, HttpInteraction, correlation_id
from lapwing.io.listen import Collector
from lapwing.io.listen.clock import NS_PER_S, STEP_NS, Clock
from lapwing.io.store import (
    Interactions,
    Losses,
    PlantedToken,
    PlantedTokens,
    Store,
    StoreSettings,
    decode_payload,
)
from tests.io.listen.lab import (
    DOMAIN,
    LOOPBACK,
    NONCE,
    Client,
    Stream,
    deleted,
    get,
    resolve,
    serving,
    settings,
    slowed,
    talk,
)
from tests.patience import ENOUGH_S

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
KILLS = 5
FULL_BYTES = 400_000  # no file may grow past this
LARGE_BYTES = 30_000  # of a request that fills it
SILENCE_S = 0.2  # after which it is asked whether it is failing; an answer that comes later still counts


class Process:
    """A collector in a process of its own."""

    def __init__(self, folder: Path, limit_bytes: int = 0) -> None:
        command = [sys.executable, "-m", "tests.io.listen.server", str(folder), str(limit_bytes)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert self._process.stdout is not None
        self.ports: dict[str, list[int]] = json.loads(self._process.stdout.readline())
        self._said: list[str] = []
        self._listener = Thread(target=self._listen, args=(self._process.stdout,))
        self._listener.start()

    def _listen(self, out: IO[str]) -> None:
        with out:
            self._said.extend(json.loads(line) for line in out)

    def has_said(self, words: str) -> bool:
        return any(words in text for text in self._said)

    def tell(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{text}\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        self._process.kill()
        self._end()

    def stop(self) -> None:
        self._end()
        assert self._process.returncode == 0

    def _end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._listener.join()


@contextmanager
def asking(port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.connect((LOOPBACK, port))
        asker.settimeout(ENOUGH_S)
        yield asker


def query(name: str) -> bytes:
    return dns.message.make_query(f"{name}.{DOMAIN}", "A").to_wire()


def answered_name(answer: bytes) -> str:
    return str(dns.message.from_wire(answer).question[0].name).removesuffix(f".{DOMAIN}.")


async def stored_names(folder: Path) -> set[str]:
    store = await Store.open(StoreSettings(url=f"sqlite:///{folder / 'store.db'}"))
    names, cursor, more = set(), 0, True
    while more:
        page = await Interactions(store).after(None, cursor)
        for entry in page.entries:
            cursor = entry.seq
            interaction = decode_payload(entry.payload)
            assert isinstance(interaction, DnsInteraction | HttpInteraction)
            asked = interaction.name if isinstance(interaction, DnsInteraction) else interaction.target
            names.add(asked.removesuffix(f".{DOMAIN}"))
        more = page.more
    await store.close()
    return names


async def test_a_killed_collector_has_kept_all_it_answered(tmp_path: Path) -> None:
    random = Random(5)
    answered: set[str] = set()
    for kill in range(KILLS):
        process = Process(tmp_path)
        left = random.randrange(50, 400)
        with asking(process.ports["dns"][0]) as asker:
            sent = 0
            while left:
                for _ in range(min(left, 20)):  # so many on their way at once
                    asker.send(query(f"k{kill}-{sent}"))
                    sent += 1
                for _ in range(min(left, 20)):
                    answered.add(answered_name(asker.recv(4096)))
                    left -= 1
            for extra in range(30):  # on their way when it dies: may be lost, were not answered
                asker.send(query(f"x{kill}-{extra}"))
            process.kill()
    assert len(answered) > 50 * KILLS
    assert answered <= await stored_names(tmp_path)


async def test_a_full_disk_answers_nothing_says_so_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    process = await asyncio.to_thread(Process, tmp_path, FULL_BYTES)
    answered: set[str] = set()
    failing = False
    with asking(process.ports["dns"][0]) as asker:
        asker.settimeout(SILENCE_S)
        for number in range(1000):
            large = get("x", f"/{number}", f"X: {'x' * LARGE_BYTES}\r\n")
            if (await talk(process.ports["http"][0], large)).startswith(b"HTTP/1.1 200"):
                answered.add(f"/{number}")
            asker.send(query(f"n{number}"))
            try:
                answered.add(answered_name(asker.recv(4096)))
            except TimeoutError:
                heard = await talk(process.ports["control"][0], get("x", "/health"))
                failing = heard.startswith(b"HTTP/1.1 503") and await talk(process.ports["http"][0], get("x")) == b""
            # A little room may come back when the log is moved into its file: full is what is full when it is told.
            if failing and process.has_said("cannot be written"):
                break
        assert failing, "the disk was never full"
        assert answered
        process.tell("room")
        async with asyncio.timeout(ENOUGH_S):
            while not process.has_said("there is room"):
                await asyncio.sleep(0.01)
        asker.settimeout(ENOUGH_S)
        asker.send(query("after"))
        while (name := answered_name(asker.recv(4096))) != "after":
            answered.add(name)
    process.stop()
    assert answered | {"after"} <= await stored_names(tmp_path)
    store = await Store.open(StoreSettings(url=f"sqlite:///{tmp_path / 'store.db'}"))
    losses = await Losses(store).since(0)
    await store.close()
    assert sum(loss.lost_count for loss in losses) >= 2
    assert all(loss.reason for loss in losses)


async def test_what_could_not_be_written_is_answered_by_nobody_and_pushed_as_a_loss(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        stream = await Stream(client, collector).open()
        await stream.next()
        collector.writer.last_seq = -1  # the first number is taken from here on: every second commit fails
        await resolve(collector, f"x.{DOMAIN}")
        collector.writer.last_seq = -1
        greetings = {"http": b"", "smtp": b"220 ", "ftp": b"220 ", "ldap": b""}
        said = {"http": get(client.host), "smtp": b"HELO x\r\nQUIT\r\n", "ftp": b"USER x\r\n", "ldap": b"x" * 2000}
        for door, greeting in greetings.items():
            heard = await talk(collector.ports[door][0], said[door])
            assert greeting.startswith(heard[:4])  # the reset may overtake the greeting
            assert b"221" not in heard
            assert b"331" not in heard
        event = await stream.next()
        assert event.kind == "refused"
        assert json.loads(event.data)["count"] >= 1
        await stream.close()
        assert collector.writer.refused_count >= 4
        collector.writer.last_seq = 10


async def test_a_clock_that_is_set_ends_nothing_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(settings(tmp_path)) as collector:
        said: list[str] = []
        collector._upkeep._say = said.append
        client = await Client(collector).register()
        await resolve(collector, client.host)
        await collector._upkeep.sweep()
        real = time.time_ns
        for step_s in (400 * 86_400, -800 * 86_400):
            monkeypatch.setattr(time, "time_ns", lambda step_s=step_s: real() + step_s * NS_PER_S)
            await collector._upkeep.tick()
            await collector._upkeep.sweep()
            assert abs(collector.clock.now_ns() - time.time_ns()) < STEP_NS
        assert len(await client.heard()) == 1
        assert [text.startswith("the system's clock was set by") for text in said] == [True, True]
        assert collector._upkeep.step_count == 2


def test_the_clock_follows_drift_in_silence_and_reports_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + STEP_NS // 2)
    assert clock.check() == 0
    monkeypatch.setattr(time, "time_ns", lambda: real() - 2 * STEP_NS)
    assert clock.check() < -STEP_NS


async def test_what_is_old_goes_and_its_owner_is_told(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        await resolve(collector, client.host)
        await collector._upkeep.sweep()
        collector.store.settings = replace(collector.store.settings, keep_s=1e-9)
        assert await deleted(collector) == 1
        page = json.loads((await client.ask("GET", "/v1/interactions"))[1])
        assert page["entries"] == []
        stream = await Stream(client, collector).open()
        assert json.loads((await stream.next()).data)["lost_through"] == 1
        await stream.close()


async def test_a_reader_that_asked_before_is_told_too_of_what_went_since(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        await resolve(collector, client.host)
        assert json.loads((await client.ask("GET", "/v1/interactions?after=1"))[1])["lost_through"] == 0
        await collector._upkeep.sweep()
        collector.store.settings = replace(collector.store.settings, keep_s=1e-9)
        assert await deleted(collector) == 1
        assert json.loads((await client.ask("GET", "/v1/interactions"))[1])["lost_through"] == 1


async def test_a_stream_that_fell_behind_says_what_went_before_it_was_read(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        stream = await Stream(client, collector).open()
        assert json.loads((await stream.next()).data)["lost_through"] == 0
        await resolve(collector, client.host)
        assert (await stream.next()).seq == 1
        with slowed(collector):
            await resolve(collector, client.host)
            await collector._upkeep.sweep()
            collector.store.settings = replace(collector.store.settings, keep_s=1e-9)
            assert await deleted(collector) == 2
            await resolve(collector, client.host)
        event = await stream.next()
        assert (event.kind, json.loads(event.data)["lost_through"]) == ("hello", 2)
        assert (await stream.next()).seq == 3
        await stream.close()


async def test_too_much_goes_what_belongs_to_nobody_first(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        await resolve(collector, client.host)
        for number in range(40):
            await talk(collector.ports["http"][0], get(f"n{number}.{DOMAIN}", more=f"X: {'x' * 20_000}\r\n"))
        size = await collector.store.size_bytes()
        collector.store.settings = replace(collector.store.settings, keep_bytes=size - 200_000)
        assert 0 < await deleted(collector) < 40  # no more than is too much
        assert await collector.store.size_bytes() <= collector.store.settings.keep_bytes
        assert len(await client.heard()) == 1


async def plant(collector: Collector, kind: str, name: str) -> PlantedToken:
    token = await PlantedTokens(collector.store).add(PlantedToken(kind=kind, name=name, created_ns=1))
    assert token is not None
    return token


async def test_a_hit_of_a_planted_token_is_nobodys_mail_and_stays_when_that_goes(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        name = correlation_id(bytes(20)) + NONCE
        token = await plant(collector, "url", name)
        await collector._upkeep.load_tokens()
        await resolve(collector, f"{name}.{DOMAIN}")
        for number in range(20):
            await talk(collector.ports["http"][0], get(f"n{number}.{DOMAIN}", more=f"X: {'x' * 20_000}\r\n"))
        size = await collector.store.size_bytes()
        collector.store.settings = replace(collector.store.settings, keep_bytes=size - 200_000)
        assert 0 < await deleted(collector) <= 20
        assert len(await Interactions(collector.store).of_token(token.token_id)) == 1


async def test_every_planted_token_is_known_however_many_there_are_and_a_revoked_one_in_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lapwing.io.listen.upkeep.TOKENS_AGAIN", 3)
    monkeypatch.setattr("lapwing.io.listen.upkeep.MAX_LISTED", 4)
    async with serving(settings(tmp_path)) as collector:
        for number in range(10):
            await plant(collector, "decoy-account", f"account-{number}")
        await collector._upkeep.load_tokens()
        known = collector.directory.planted
        assert len(known) == 10
        for number in (0, 5, 9):
            await PlantedTokens(collector.store).revoke(f"account-{number}", 2)
        for _ in range(5):  # three in each turn
            await collector._upkeep.load_tokens()
        assert [known[f"account-{number}"].revoked_ns for number in range(10)] == [2, *[None] * 4, 2, *[None] * 3, 2]
        await plant(collector, "decoy-account", "late")
        await collector._upkeep.load_tokens()
        assert "late" in known
        assert len(await PlantedTokens(collector.store).all()) == 11


async def flood(collector: Collector, count: int) -> None:
    with asking(collector.ports["dns"][0]) as asker:
        for number in range(count):
            asker.send(query(f"f{number}"))
        for _ in range(count):
            await asyncio.to_thread(asker.recv, 4096)


async def test_what_arrives_together_is_written_together(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        await flood(collector, 200)
        assert collector.writer.written_count == 200
        assert collector.writer.commit_count < 100
