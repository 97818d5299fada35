"""What the collector promises, at size: `python -m bench.soak [NAME...]`, all without names.

    names     random names and near misses against registered ids: none may be taken for a token
    renewals  registrations renewed at the very moment they end: none may be lost
    readers   ten streams of one mailbox: each hears everything
    answers   a tenth of what the collector answers never reaches the client: it misses nothing and hears nothing twice
    kills     killed amid a flood, again and again: what was answered is in the store
    memory    ten million interactions into a million sessions: memory stays where it was

Each returns numbers of which `*_lost`, `*_wrong` and `*_repeated` must be 0; figures go to build/bench.json. The tests
run the same at a hundredth of the size.
"""

import argparse
import asyncio
import json
import os
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from bench.build import build_programs
from bench.collector import DOMAIN, FIGURES, LOOPBACK, NONCE, Server, ours, register
from bench.renewals import renewals
from lapwing.callbacks import (
    ClientSettings,
    DnsInteraction,
    Interaction,
    Peer,
    Registry,
    SessionSettings,
    attribute,
    correlation_id,
    session,
)
from lapwing.callbacks.push import CONSUMER_HEADER, MAILBOX_HEADER, SECRET_HEADER, EventReader
from lapwing.callbacks.tokens import ID_ALPHABET
from lapwing.io.store import Interactions, Store, StoreSettings, decode_payload

Figures = dict[str, float]

REGISTERED_COUNT = 10_000  # ids that random names could be mistaken for
WINDOW, SOCKETS = 1_000, 4
DROP_EVERY = 10  # answers of which one is lost
HANDFUL_COUNT = 40  # hits of one token, fetched before the next: of many more a session keeps count only
FLOOD_COUNT = 1_000_000  # queries of a flood that is not waited for
SERVED_S = (0.05, 0.4)  # how long a collector lives that is going to be killed
STORED_BYTES = 550  # of a query in the store, its places in the indexes included
STEPS = 10  # of the flood, memory looked at after each
PATIENCE_S = 120.0  # for what must come at last
MIB = 1024 * 1024


def names(count: int) -> Figures:
    """Ask for random names: words of any length, random ids, and ids of ours with one letter changed."""
    random = Random(1)
    registry = Registry()
    registered = [correlation_id(random.randbytes(20)) for _ in range(REGISTERED_COUNT)]
    for one in registered:
        registry.add(one)
    letters = ID_ALPHABET + "wxyz"
    wrong = 0
    for number in range(count):
        if number % 2:
            word = "".join(random.choices(letters, k=random.randrange(20, 63)))
        else:
            own = random.choice(registered)
            place = random.randrange(len(own))
            other = random.choice(letters.replace(own[place], ""))
            word = own[:place] + other + own[place + 1 :] + NONCE
        query = DnsInteraction(ts_ns=0, peer=Peer("192.0.2.7"), name=f"{word}.{DOMAIN}")
        for hit in attribute(query, registry):
            wrong += hit.attribution is not None and not any(one in word for one in registered)
    return {"names_count": count, "names_wrong": wrong}


def readers(count: int, *, reader_count: int = 10) -> Figures:
    """Send so many hits to a mailbox that ten streams read."""
    with tempfile.TemporaryDirectory(prefix="lapwing-soak-") as name, ours(Path(name)) as server:
        identity, _key = register(server)
        program = build_programs(Path(name) / "programs")["dnsload"]

        async def read(consumer: str) -> set[int]:
            reader, writer = await asyncio.open_connection(LOOPBACK, server.control)
            head = f"{MAILBOX_HEADER}: {identity.correlation_id}\r\n{SECRET_HEADER}: {identity.secret}"
            request = f"GET /v1/events HTTP/1.1\r\nHost: x\r\n{head}\r\n{CONSUMER_HEADER}: {consumer}\r\n\r\n"
            writer.write(request.encode())
            await reader.readuntil(b"\r\n\r\n")
            events, heard = EventReader(), set[int]()
            async with asyncio.timeout(PATIENCE_S):
                while len(heard) < count:
                    for event in events.feed(await reader.read(1 << 16)):
                        if event.kind == "interaction":
                            assert event.seq not in heard
                            heard.add(event.seq or 0)
            writer.close()
            return heard

        async def main() -> list[set[int]]:
            reading = [asyncio.create_task(read(f"r{number}")) for number in range(reader_count)]
            await asyncio.to_thread(_flood, server, program, count, f"{identity.correlation_id}{NONCE}.{DOMAIN}")
            return await asyncio.gather(*reading)

        heard = asyncio.run(main())
    return {
        "readers_count": reader_count,
        "readers_each": count,
        "readers_lost": sum(count - len(one) for one in heard),
    }


class _Breaking:
    """Stands between a client and a collector, and breaks connections at one answer in ten, which is lost with it."""

    def __init__(self, control: int) -> None:
        self.begun = False  # a registration that fails is told, and nothing is planted then
        self.lost_count = 0
        self._control = control
        self._random = Random(2)
        self._relays: set[asyncio.Task[None]] = set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay one connection."""
        self._relays.add(asyncio.create_task(self._relay(reader, writer)))

    async def end(self) -> None:
        """Relay nothing more."""
        for one in self._relays:
            one.cancel()
        await asyncio.gather(*self._relays, return_exceptions=True)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, away = await asyncio.open_connection(LOOPBACK, self._control)
        asking = asyncio.create_task(_pass_on(reader, away))
        try:
            while data := await there.read(1 << 16):
                if self.begun and self._random.randrange(DROP_EVERY) == 0:
                    self.lost_count += 1
                    break
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            asking.cancel()
            away.close()
            writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
    writer.close()


def answers(count: int) -> Figures:
    """Send so many hits to a client whose connection breaks at every tenth answer, which is lost with it."""

    async def main(server: Server, program: Path) -> Figures:
        between = _Breaking(server.control)
        proxy = await asyncio.start_server(between.accept, LOOPBACK, 0)
        port = proxy.sockets[0].getsockname()[1]
        waits = SessionSettings(max_backoff_s=0.02, sustained_per_s=200.0)
        chosen = ClientSettings(domain=DOMAIN, waits=waits)
        opening = session(f"http://{LOOPBACK}:{port}", private_networks=["127.0.0.0/8"], settings=chosen)
        async with proxy, opening as callbacks:
            between.begun = True
            heard: list[str] = []
            async with callbacks.following() as hits:
                for first in range(0, count, HANDFUL_COUNT):
                    handful = min(HANDFUL_COUNT, count - first)
                    host = callbacks.mint("soak").host
                    await asyncio.to_thread(_flood, server, program, handful, host)
                    async with asyncio.timeout(PATIENCE_S):
                        while len(heard) < first + handful:
                            heard.append(_name((await anext(hits)).interaction))
        await between.end()
        return {
            "answers_hits": count,
            "answers_dropped": between.lost_count,
            "answers_lost": count - len(set(heard)),
            "answers_repeated": len(heard) - len(set(heard)),
        }

    with tempfile.TemporaryDirectory(prefix="lapwing-soak-") as name, ours(Path(name)) as server:
        return asyncio.run(main(server, build_programs(Path(name) / "programs")["dnsload"]))


def kills(count: int) -> Figures:
    """Kill collectors amid floods until so many queries were answered; look for each of them in the store."""
    random = Random(3)
    answered: set[str] = set()
    killed = 0
    with tempfile.TemporaryDirectory(prefix="lapwing-soak-") as name:
        folder = Path(name)
        program = build_programs(folder / "programs")["dnsload"]
        while len(answered) < count:
            with ours(folder) as server:
                words = [str(server.dns), str(FLOOD_COUNT), str(WINDOW), f"k{killed}.{DOMAIN}", str(SOCKETS)]
                flood = subprocess.Popen(
                    [str(program), *words, str(folder / "answered")], stdout=subprocess.PIPE, text=True
                )
                time.sleep(random.uniform(*SERVED_S))
                os.kill(server.pid, signal.SIGKILL)
                flood.terminate()
                flood.communicate(timeout=PATIENCE_S)
            numbers = struct.iter_unpack("<I", (folder / "answered").read_bytes())
            answered |= {f"q{number:08x}.k{killed}.{DOMAIN}" for (number,) in numbers}
            killed += 1
        stored = asyncio.run(_stored(folder / "store.db"))
    return {"kills_count": killed, "kills_answered": len(answered), "kills_lost": len(answered - stored)}


def memory(count: int, *, session_count: int | None = None) -> Figures:
    """Send so many hits to a tenth as many sessions, to all in no order, into a store with room for a third of them."""
    sessions = count // 10 if session_count is None else session_count
    with tempfile.TemporaryDirectory(prefix="lapwing-soak-") as name:
        folder = Path(name)
        program = build_programs(folder / "programs")["dnsload"]
        url = f"sqlite:///{folder / 'store.db'}"
        (folder / "ids").write_text("".join(asyncio.run(_fill(url, sessions))))
        keep_bytes = (folder / "store.db").stat().st_size + count // 3 * STORED_BYTES
        with ours(folder, url, keep_bytes=keep_bytes) as server:
            idle = server.rss_mb
            marks: list[tuple[float, float, float]] = []
            lost = 0
            began = time.perf_counter()
            for _ in range(STEPS):
                cpu_s, since = server.cpu_s, time.perf_counter()
                lost += _flood(server, program, count // STEPS, "x" * 20 + f"{NONCE}.{DOMAIN}", folder / "ids")
                per_s = count // STEPS / (time.perf_counter() - since)
                marks.append((server.rss_mb, per_s, 1e6 * (server.cpu_s - cpu_s) / (count // STEPS)))
                disk = (folder / "store.db").stat().st_size / MIB
                print(
                    f"  {len(marks) * count // STEPS:>12,} interactions  {marks[-1][0]:>8.1f} MiB"
                    f"  {per_s:>8,.0f} a second  {marks[-1][2]:>6.1f} us of processor each  {disk:>7,.0f} MiB on disk",
                    flush=True,
                )
            took = time.perf_counter() - began
            health = server.health()
    return {
        "memory_interactions": count,
        "memory_sessions": sessions,
        "memory_idle_mb": idle,
        "memory_first_tenth_mb": marks[0][0],
        "memory_last_tenth_mb": marks[-1][0],
        "memory_peak_mb": max(mark[0] for mark in marks),
        "memory_first_tenth_cpu_us": marks[0][2],
        "memory_last_tenth_cpu_us": marks[-1][2],
        "memory_keep_mb": keep_bytes / MIB,
        "memory_store_mb": disk,
        "memory_kept_mb": health["store_bytes"] / MIB,
        "memory_deleted": health["deleted"],
        "memory_per_s": (count - lost) / took,
        "memory_lost": lost,
    }


def _flood(server: Server, program: Path, count: int, host: str, ids: Path | None = None) -> int:
    """Send queries for names below a host, its first characters replaced by ids; returns how many were not answered."""
    words = [str(program), str(server.dns), str(count), str(WINDOW), host, str(SOCKETS)]
    words += [] if ids is None else ["-", str(ids)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[1])


def _name(interaction: Interaction) -> str:
    assert isinstance(interaction, DnsInteraction)
    return interaction.name


async def _stored(file: Path) -> set[str]:
    store = await Store.open(StoreSettings(url=f"sqlite:///{file}"))
    found: set[str] = set()
    cursor, more = 0, True
    while more:
        page = await Interactions(store).after(None, cursor)
        found |= {_name(decode_payload(entry.payload)) for entry in page.entries}
        cursor, more = (page.entries[-1].seq if page.entries else cursor), page.more
    await store.close()
    return found


async def _fill(url: str, sessions: int) -> list[str]:
    """Put sessions into an empty store, by hand: registering each would make an RSA key."""
    store = await Store.open(StoreSettings(url=url))
    file = store.file
    await store.close()
    assert file is not None
    random = Random(5)
    ids = [correlation_id(random.randbytes(20)) for _ in range(sessions)]
    columns = "correlation_id, secret_digest, public_key, aes_key, wrapped_key, nonce_length, created_ns, seen_ns"
    key = "A" * 392  # as long as a public key of 2048 bits
    with sqlite3.connect(file) as connection:
        rows = ((one, bytes(32), key, bytes(32), key[:344], 13, 1, time.time_ns()) for one in ids)
        connection.executemany(f"INSERT INTO mailboxes ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.close()
    return ids


SOAKS: dict[str, tuple[Callable[[int], Figures], int]] = {
    "names": (names, 1_000_000),
    "renewals": (renewals, 10_000),
    "readers": (readers, 10_000),
    "answers": (answers, 20_000),
    "kills": (kills, 100_000),
    "memory": (memory, 10_000_000),
}
MUST_BE_NONE = ("_lost", "_wrong", "_repeated")


def main() -> int:
    """Run the chosen ones, print and keep their figures; 1 where something was lost."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", choices=[[], *SOAKS], help="all without")
    parser.add_argument("--share", type=float, default=1.0, help="of the full size, e.g. 0.01")
    options = parser.parse_args()
    broken = False
    for name in options.names or SOAKS:
        soak, size = SOAKS[name]
        figures = {key: round(value, 2) for key, value in soak(max(100, int(size * options.share))).items()}
        known = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
        FIGURES.parent.mkdir(exist_ok=True)
        FIGURES.write_text(json.dumps(known | figures, indent=2) + "\n")
        for key, value in figures.items():
            print(f"{key:24} {value:>14,.0f}", flush=True)
        broken |= any(value for key, value in figures.items() if key.endswith(MUST_BE_NONE))
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
