"""The real interactsh, both ways: its client at our collector, our client at its server, in both of its ciphers.

`make interop` builds its programs from their public module; where they are not built, this is skipped.
"""

import asyncio
import json
import re
import signal
import smtplib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import dns.message
import dns.query
import pytest
from msgspec.structs import replace

import lapwing.callbacks
from lapwing.callbacks import ClientSettings, NotObserved, Observed
from lapwing.io.listen import Collector
from lapwing.io.listen.certificates import make_lab
from tests.io.listen.lab import DOMAIN, LOOPBACK, get, serving, settings
from tests.io.listen.test_matrix import UNBIND, search
from tests.patience import ENOUGH_S
from tests.ports import free_port

pytestmark = pytest.mark.anyio

PROGRAMS = Path("build/interop").resolve()
VERSIONS = ("1.2.4", "1.3.1")
PAYLOAD = re.compile(r"([a-z0-9]{33})\.127\.0\.0\.1")
HTTPS_NAME = {"1.2.4": "http", "1.3.1": "https"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def program(version: str, name: str) -> Path:
    path = PROGRAMS / version / f"interactsh-{name}"
    if not path.exists():
        pytest.skip(f"interactsh-{name} {version} is not built: make interop")
    return path


class Foreign:
    """A foreign program, its output as lines."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def payload(self) -> str:
        assert self.process.stderr is not None
        async with asyncio.timeout(ENOUGH_S):
            while line := await self.process.stderr.readline():
                if found := PAYLOAD.search(line.decode()):
                    return found[1]
        raise AssertionError("the client ended without a payload")

    async def told(self, count: int) -> list[dict[str, str]]:
        assert self.process.stdout is not None
        found: list[dict[str, str]] = []
        async with asyncio.timeout(ENOUGH_S):
            while len(found) < count:
                line = await self.process.stdout.readline()
                if line.startswith(b"{"):
                    found.append(json.loads(line))
        return found


@asynccontextmanager
async def their_client(collector: Collector, version: str, folder: Path, *more: str) -> AsyncIterator[Foreign]:
    door = "older-control" if version == "1.2.4" else "control"
    process = await asyncio.create_subprocess_exec(
        str(program(version, "client")),
        *("-s", f"http://{LOOPBACK}:{collector.ports[door][0]}", "-json", "-v", "-pi", "1", "-duc", *more),
        *(["-auth=false"] if version == "1.3.1" else []),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env={"HOME": str(folder), "PATH": ""},
    )
    try:
        yield Foreign(process)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        async with asyncio.timeout(ENOUGH_S):
            await process.communicate()


class Touch:
    """Reaches a token by each protocol, wherever the listeners are."""

    def __init__(self, ports: dict[str, int]) -> None:
        self._ports = ports

    def all(self, name: str) -> None:
        for protocol in ("dns", "http", "https", "smtp", "ldap"):
            self.by(protocol, name)

    def by(self, protocol: str, name: str) -> None:
        port = self._ports[protocol]
        token = name.partition(".")[0]
        if protocol == "dns":
            dns.query.udp(dns.message.make_query(name, "A"), LOOPBACK, timeout=ENOUGH_S, port=port)
        elif protocol == "smtp":
            with smtplib.SMTP(LOOPBACK, port, timeout=ENOUGH_S) as client:
                client.sendmail("a@example.com", [f"x@{name}"], "Subject: hi\r\n\r\nhello\r\n")
        else:
            said = get(name) if protocol != "ldap" else search(f"dc={token},dc=example") + UNBIND
            with self._connected(port, name, secure=protocol == "https") as connection:
                connection.sendall(said)
                while connection.recv(65_536):
                    pass

    @contextmanager
    def _connected(self, port: int, name: str, *, secure: bool) -> Iterator[socket.socket]:
        with socket.create_connection((LOOPBACK, port), timeout=ENOUGH_S) as plain:
            if not secure:
                yield plain
                return
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with context.wrap_socket(plain, server_hostname=name) as connection:
                yield connection


# Their client, our collector.


@pytest.mark.parametrize("version", VERSIONS)
async def test_their_client_registers_polls_restores_and_deregisters(tmp_path: Path, version: str) -> None:
    program(version, "client")
    async with serving(settings(tmp_path)) as collector:
        touch = Touch({name: ports[0] for name, ports in collector.ports.items()})
        session = ("-sf", str(tmp_path / "session.yaml"))
        async with their_client(collector, version, tmp_path, *session) as client:
            token = await client.payload()
            await asyncio.to_thread(touch.all, f"{token}.{DOMAIN}")
            told = await client.told(5)
        protocols = ["dns", "http", HTTPS_NAME[version], "ldap", "smtp"]
        assert sorted(one["protocol"] for one in told) == sorted(protocols)
        assert {one["unique-id"] for one in told} == {token}
        assert all(one["raw-request"] for one in told)
        await asyncio.to_thread(touch.by, "dns", f"{token}.{DOMAIN}")  # while nobody listens
        async with their_client(collector, version, tmp_path, *session) as client:
            (late,) = await client.told(1)
            assert late["unique-id"] == token
        assert len(collector.directory) == 1
        async with their_client(collector, version, tmp_path) as client:
            token = await client.payload()
            await asyncio.to_thread(touch.by, "dns", f"{token}.{DOMAIN}")
            await client.told(1)  # from its first poll on an interrupt finds it prepared
            assert len(collector.directory) == 2
        assert len(collector.directory) == 1  # the one without a session file has said goodbye


# Our client, their server.


@asynccontextmanager
async def their_server(version: str, folder: Path) -> AsyncIterator[dict[str, int]]:
    path = program(version, "server")
    certificate, key = make_lab(folder / "lab", (DOMAIN,))
    ports = {name: free_port() for name in ("dns", "http", "https", "smtp", "smtps", "smtp-autotls", "ldap")}
    process = await asyncio.create_subprocess_exec(
        str(path),
        *("-d", DOMAIN, "-ip", LOOPBACK, "-lip", LOOPBACK, "-cert", str(certificate), "-privkey", str(key), "-duc"),
        *(part for name, port in ports.items() for part in (f"-{name}-port", str(port))),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=folder,
        env={"HOME": str(folder), "PATH": ""},
    )
    try:
        async with asyncio.timeout(ENOUGH_S):
            for name in ("http", "https", "smtp", "ldap"):
                await reachable(ports[name], process)
        yield ports
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def reachable(port: int, process: asyncio.subprocess.Process) -> None:
    while True:
        assert process.returncode is None, "the server ended"
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            continue
        writer.close()
        return


@pytest.mark.parametrize("version", VERSIONS)
async def test_our_client_sees_every_protocol_at_their_server(tmp_path: Path, version: str) -> None:
    async with their_server(version, tmp_path) as ports:
        touch = Touch(ports)
        chosen = ClientSettings(domain=DOMAIN, private_networks=("127.0.0.0/8",), call_timeout_s=ENOUGH_S)
        chosen = replace(chosen, waits=replace(chosen.waits, poll_interval_s=0.2))
        server = f"http://{LOOPBACK}:{ports['http']}"
        async with lapwing.callbacks.session(server=server, settings=chosen) as session:
            assert session.disabled is None, session.disabled
            for protocol, accepts in (
                ("dns", "dns"),
                ("http", "http"),
                ("https", "http"),
                ("smtp", "smtp"),
                ("ldap", "ldap"),
            ):
                token = session.mint(purpose=protocol)
                await asyncio.to_thread(touch.by, protocol, token.name)
                outcome = await session.wait_for(token, accepts=accepts, timeout=ENOUGH_S)  # type: ignore[arg-type]
                assert isinstance(outcome, Observed), (protocol, outcome)
            silent = session.mint()
            assert isinstance(await session.wait_for(silent, timeout=0.5), NotObserved)
