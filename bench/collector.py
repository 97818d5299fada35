"""The collector under load, its store included: answers a second, time to a reader over push, what it takes.

`python -m bench.collector` prints the figures and puts them into build/bench.json. Where `make interop` has built
interactsh-server, it stands the same DNS and HTTP load in the same run; it keeps nothing on disk.
"""

import asyncio
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import IO, NamedTuple

from cryptography.hazmat.primitives.asymmetric import rsa

from bench.build import build_programs
from lapwing.callbacks import DnsInteraction, correlation_id
from lapwing.callbacks.interactsh import Identity, register_call, unwrap_key
from lapwing.callbacks.push import MAILBOX_HEADER, SECRET_HEADER, EventReader, unseal
from lapwing.events import CollectorError

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "build" / "bench.json"
OTHER = ROOT / "build" / "interop" / "1.3.1" / "interactsh-server"
LOOPBACK = "127.0.0.1"
DOMAIN = "oast.example.com"
NONCE = "cg5ugboyyyyyn"
# Queries, how many are on their way at once, from how many ports.
DNS_COUNT, DNS_WINDOW, DNS_SOCKETS = 200_000, 1_000, 4
HTTP_COUNT, HTTP_CONNECTIONS = 12_000, 32
PUSH_PER_S, PUSH_S = 2_000, 8
PACE_S = 0.005  # between two handfuls of the steady load
SERVER = """
import asyncio, gc, json, sys
gc.set_threshold(50000)
import uvloop
from lapwing.io.listen import Allowance, Collector, CollectorSettings, Ports
from lapwing.io.store import StoreSettings
async def main():
    none = dict.fromkeys(("https", "smtp", "smtps", "ldap", "ldaps", "ftp", "ftps"), ())
    allow = Allowance(dns_per_source_s=10**9, per_source_s=10**9, per_source_count=4_000)
    collector = Collector(CollectorSettings(
        domains=("oast.example.com",), ipv4=("198.51.100.7",), listen=("127.0.0.1",), control_port=0, allow=allow,
        ports=Ports(dns=(0,), http=(0,), **none), store=StoreSettings(url=sys.argv[1], **json.loads(sys.argv[2]))))
    await collector.start()
    print(json.dumps(collector.ports), flush=True)
    await collector.run()
uvloop.run(main())
"""


class Server(NamedTuple):
    """A running collector. `control` takes registrations."""

    pid: int
    dns: int
    http: int
    control: int

    @property
    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def rss_mb(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024

    def health(self) -> dict[str, int]:
        """What ours says of itself."""
        with urllib.request.urlopen(f"http://{LOOPBACK}:{self.control}/health") as answer:
            counts: dict[str, int] = json.load(answer)
        return counts


class Load(NamedTuple):
    """What a load came to. `per_cpu_s` is answers per second of the server's processor time."""

    per_s: float
    per_cpu_s: float
    lost_count: int


@contextmanager
def ours(folder: Path, url: str = "", *, keep_bytes: int = 0) -> Iterator[Server]:
    """Our collector. `keep_bytes` 0 bounds its store as usual. Raises CollectorError with its last words."""
    bounds = json.dumps({"keep_bytes": keep_bytes} if keep_bytes else {})
    command = [sys.executable, "-c", SERVER, url or f"sqlite:///{folder / 'store.db'}", bounds]
    with tempfile.TemporaryFile("w+") as said:  # a file takes any amount, a pipe that nobody reads would stop it
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True)
        try:
            assert process.stdout is not None
            if not (line := process.stdout.readline()):
                raise CollectorError(f"the collector ended as it began: {_last_words(process, said)}")
            ports = json.loads(line)
            yield Server(process.pid, ports["dns"][0], ports["http"][0], ports["control"][0])
        finally:
            process.terminate()
            process.communicate()


def _last_words(process: subprocess.Popen[str], said: IO[str]) -> str:
    """How it ended, and what it wrote before: nothing where somebody killed it."""
    code = process.wait()
    how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    said.seek(0)
    return f"{how}, on standard error {said.read() or 'nothing'}"


@contextmanager
def theirs(folder: Path) -> Iterator[Server]:
    """interactsh-server, in memory as it is by default."""
    names = ("dns", "http", "https", "smtp", "smtps", "smtp-autotls", "ldap")
    sockets = [socket.create_server((LOOPBACK, 0)) for _ in names]
    ports = {name: one.getsockname()[1] for name, one in zip(names, sockets, strict=True)}
    for one in sockets:
        one.close()
    flags = [part for name, port in ports.items() for part in (f"-{name}-port", str(port))]
    process = subprocess.Popen(
        [str(OTHER), "-d", DOMAIN, "-ip", LOOPBACK, "-lip", LOOPBACK, "-sa", "-duc", *flags],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        env={"HOME": str(folder), "PATH": ""},
    )
    try:
        while True:
            try:
                socket.create_connection((LOOPBACK, ports["http"])).close()
                break
            except OSError:
                time.sleep(0.1)
        yield Server(process.pid, ports["dns"], ports["http"], ports["http"])
    finally:
        process.terminate()
        process.wait()


def register(server: Server) -> tuple[Identity, rsa.RSAPrivateKey]:
    """A mailbox, so that there is somebody to keep things for."""
    import http.client

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    identity = Identity(correlation_id(secrets.token_bytes(20)), secrets.token_hex(16))
    call = register_call(identity, key)
    connection = http.client.HTTPConnection(LOOPBACK, server.control)
    connection.request(call.method, call.path, body=call.body, headers=dict(call.headers))
    assert connection.getresponse().status == 200
    connection.close()
    return identity, key


def query(name: str, number: int = 1) -> bytes:
    """A query for an address."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in f"{name}.{DOMAIN}".split("."))
    return (number & 0xFFFF).to_bytes(2, "big") + b"\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1"


def dns_load(server: Server, name: str, program: Path, *, count: int = DNS_COUNT) -> Load:
    """So many queries, each for a name of its own, by a program that takes a tenth of what answering does."""
    words = [str(server.dns), str(count), str(DNS_WINDOW), f"{name}.{DOMAIN}", str(DNS_SOCKETS)]
    cpu = server.cpu_s
    done = subprocess.run([str(program), *words], capture_output=True, text=True, check=True)
    answered, lost, took_s, _own_s = map(float, done.stdout.split())
    return Load(answered / took_s, answered / max(server.cpu_s - cpu, 0.01), int(lost))


async def http_load(server: Server, name: str) -> Load:
    """Requests over connections that stay, one after the other on each."""
    request = f"GET /x HTTP/1.1\r\nHost: {name}.{DOMAIN}\r\nUser-Agent: bench\r\n\r\n".encode()
    each = HTTP_COUNT // HTTP_CONNECTIONS

    async def one() -> int:
        reader, writer = await asyncio.open_connection(LOOPBACK, server.http)
        for _ in range(each):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
        writer.close()
        return each

    began, cpu = time.perf_counter(), server.cpu_s
    done = sum(await asyncio.gather(*(one() for _ in range(HTTP_CONNECTIONS))))
    return Load(
        done / (time.perf_counter() - began), done / max(server.cpu_s - cpu, 0.01), HTTP_COUNT // each * each - done
    )


async def push_latency(server: Server, identity: Identity, key: rsa.RSAPrivateKey) -> list[float]:
    """Milliseconds from sending a query to holding its decrypted event, under a steady load."""
    reader, writer = await asyncio.open_connection(LOOPBACK, server.control)
    fields = f"{MAILBOX_HEADER}: {identity.correlation_id}\r\n{SECRET_HEADER}: {identity.secret}\r\nLast-Event-ID: 0"
    writer.write(f"GET /v1/events HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    events = EventReader()
    (hello,) = events.feed(await reader.readuntil(b"\n\n"))
    aes_key = unwrap_key(json.loads(hello.data)["aes_key"], key)
    sent: dict[str, float] = {}
    taken: list[float] = []
    total = PUSH_PER_S * PUSH_S

    async def listen() -> None:
        while len(taken) < total:
            for event in events.feed(await reader.read(1 << 16)):
                if event.kind == "interaction":
                    interaction = unseal(event.data, aes_key=aes_key)
                    assert isinstance(interaction, DnsInteraction)
                    label = interaction.name.partition(".")[0]
                    taken.append((time.perf_counter() - sent[label]) * 1_000)

    listening = asyncio.create_task(listen())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.connect((LOOPBACK, server.dns))
        asker.setblocking(False)
        began = time.perf_counter()
        for number in range(total):
            due = began + number / PUSH_PER_S
            if (wait := due - time.perf_counter()) > PACE_S:
                await asyncio.sleep(wait)
            label = f"n{number}"
            sent[label] = time.perf_counter()
            asker.send(query(f"{label}.{identity.correlation_id}{NONCE}", number))
        await asyncio.wait_for(listening, 60)
    writer.close()
    return taken


def measure() -> dict[str, float]:
    """Everything, as one flat object of numbers."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="lapwing-bench-") as name:
        folder = Path(name)
        program = build_programs(folder / "programs")["dnsload"]
        with ours(folder) as server:
            _loads(figures, "collector", server, program)
            identity, key = register(server)
            # The stream begins behind what the loads left.
            times = asyncio.run(push_latency(server, identity, key))
            cuts = quantiles(times, n=100)
            figures |= {
                "collector_push_p50_ms": cuts[49],
                "collector_push_p99_ms": cuts[98],
                "collector_push_max_ms": max(times),
                "collector_rss_mb": server.rss_mb,
            }
        if OTHER.exists():
            with theirs(folder) as server:
                _loads(figures, "interactsh_server", server, program)
                figures["interactsh_server_rss_mb"] = server.rss_mb
    return {key_: round(value, 2) for key_, value in figures.items()}


def _loads(figures: dict[str, float], who: str, server: Server, program: Path) -> None:
    identity, _ = register(server)
    name = identity.correlation_id + NONCE
    for what, load in (("dns", dns_load(server, name, program)), ("http", asyncio.run(http_load(server, name)))):
        figures[f"{who}_{what}_per_s"] = load.per_s
        figures[f"{who}_{what}_per_cpu_s"] = load.per_cpu_s
        figures[f"{who}_{what}_lost"] = load.lost_count


def main() -> int:
    """Print and keep the figures."""
    figures = measure()
    known = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(known | figures, indent=2) + "\n")
    for name, value in figures.items():
        print(f"{name:36} {value:>12,.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
