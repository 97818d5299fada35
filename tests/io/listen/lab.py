"""A collector on free ports of the loopback address, and clients for it that nobody here wrote."""

import asyncio
import http.client
import secrets
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path

import dns.message
import dns.query
from cryptography.hazmat.primitives.asymmetric import rsa
from msgspec.structs import replace

from lapwing.callbacks import Interaction, correlation_id
from lapwing.callbacks.interactsh import (
    Batch,
    Call,
    Identity,
    PollReader,
    deregister_call,
    poll_call,
    read_register_reply,
    register_call,
)
from lapwing.callbacks.push import (
    CONSUMER_HEADER,
    MAILBOX_HEADER,
    RESUME_HEADER,
    SECRET_HEADER,
    EventReader,
    Hello,
    ServerEvent,
)
from lapwing.io.listen import Collector, CollectorSettings, Ports, TlsSettings
from lapwing.io.store import StoreSettings
from tests.patience import ENOUGH_S

DOMAIN = "oast.example.com"
LOOPBACK = "127.0.0.1"
NONCE = "cg5ugboyyyyyn"
ANY = (0,)
PORTS = Ports(dns=ANY, http=ANY, https=ANY, smtp=ANY, smtps=ANY, ldap=ANY, ldaps=ANY, ftp=ANY, ftps=ANY)


def settings(folder: Path, **changes: object) -> CollectorSettings:
    plain = CollectorSettings(
        domains=(DOMAIN,),
        ipv4=("198.51.100.7",),
        listen=(LOOPBACK,),
        ports=PORTS,
        control_port=0,
        older_control_port=0,
        tls=TlsSettings(lab_folder=str(folder / "lab")),
        store=StoreSettings(url=f"sqlite:///{folder / 'store.db'}"),
    )
    return replace(plain, **changes)


@asynccontextmanager
async def serving(chosen: CollectorSettings) -> AsyncIterator[Collector]:
    said: list[str] = []
    collector = Collector(chosen, say=said.append)
    await collector.start()
    try:
        yield collector
    finally:
        await collector.stop()
    assert not collector.failure
    assert not [text for text in said if "upkeep" in text], said


async def deleted(collector: Collector) -> int:
    """What retention has deleted once the store is within its bounds."""
    retention = collector.writer.retention
    while True:
        before = retention.deleted_count
        await collector._upkeep.keep_bounds()
        while retention.due:
            await collector.writer.barrier()
        if retention.deleted_count == before:
            return before


@contextmanager
def slowed(collector: Collector) -> Iterator[None]:
    """The only stream of a collector is offered nothing meanwhile; then it has fallen behind."""
    (subscription,) = next(iter(collector.hub._streams.values()))
    subscription.offer = lambda entry: None  # type: ignore[method-assign]
    yield
    del subscription.offer
    subscription.behind = True
    subscription._news.set()


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Client:
    """interactsh's wire over the standard library's HTTP client."""

    def __init__(self, collector: Collector, *, door: str = "control", token: str | None = None) -> None:
        self.identity = Identity(correlation_id(secrets.token_bytes(20)), f"S3cret-{secrets.token_hex(8)}", token)
        self.offers: dict[str, str] = {}
        self.reader = PollReader(rsa_key())
        self._port = collector.ports[door][0]

    @property
    def unique_id(self) -> str:
        return self.identity.correlation_id + NONCE

    @property
    def host(self) -> str:
        return f"{self.unique_id}.{DOMAIN}"

    def call(self, call: Call) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=ENOUGH_S)
        try:
            connection.request(call.method, call.path, body=call.body or None, headers=dict(call.headers))
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    async def register(self) -> "Client":
        self.offers = read_register_reply(*await asyncio.to_thread(self.call, register_call(self.identity, rsa_key())))
        return self

    async def poll(self) -> Batch:
        status, body = await asyncio.to_thread(self.call, poll_call(self.identity))
        return self.reader.read(status, body, now_ns=0)

    async def heard(self) -> list[Interaction]:
        return (await self.poll()).interactions

    async def deregister(self) -> tuple[int, bytes]:
        return await asyncio.to_thread(self.call, deregister_call(self.identity))

    def headers(self, consumer: str = "", last: int | None = None) -> tuple[tuple[str, str], ...]:
        fields = [(MAILBOX_HEADER, self.identity.correlation_id), (SECRET_HEADER, self.identity.secret)]
        if self.identity.token is not None:
            fields.append(("Authorization", self.identity.token))
        if consumer:
            fields.append((CONSUMER_HEADER, consumer))
        if last is not None:
            fields.append((RESUME_HEADER, str(last)))
        return tuple(fields)

    async def ask(self, method: str, path: str, body: bytes = b"", consumer: str = "") -> tuple[int, bytes]:
        return await asyncio.to_thread(self.call, Call(method, path, body, self.headers(consumer)))


class Stream:
    """A reader of the event stream."""

    def __init__(self, client: Client, collector: Collector, *, consumer: str = "", last: int | None = None) -> None:
        self._port = collector.ports["control"][0]
        fields = "".join(f"{name}: {value}\r\n" for name, value in client.headers(consumer, last))
        self._request = f"GET {client.offers['events']} HTTP/1.1\r\nHost: control\r\n{fields}\r\n".encode()
        self._events = EventReader()
        self._ready: list[ServerEvent] = []
        self.status = 0
        self.hello: Hello | None = None

    async def open(self) -> "Stream":
        self._reader, self._writer = await asyncio.open_connection(LOOPBACK, self._port)
        self._writer.write(self._request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        self.status = int(head.split()[1])
        return self

    async def next(self) -> ServerEvent:
        async with asyncio.timeout(ENOUGH_S):
            while not self._ready:
                data = await self._reader.read(65_536)
                if not data:
                    raise EOFError
                self._ready += self._events.feed(data)
        return self._ready.pop(0)

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


def trusting(folder: Path) -> ssl.SSLContext:
    """A client's context that knows the lab's CA."""
    return ssl.create_default_context(cafile=str(folder / "lab" / "ca.pem"))


async def resolve(collector: Collector, name: str, kind: str = "A", *, tcp: bool = False) -> dns.message.Message:
    port = collector.ports["dns"][0]
    ask = dns.query.tcp if tcp else dns.query.udp
    query = dns.message.make_query(name, kind)
    return await asyncio.to_thread(lambda: ask(query, LOOPBACK, timeout=ENOUGH_S, port=port))


async def talk(port: int, said: bytes, *, until: Sequence[bytes] = ()) -> bytes:
    """Say something, return what is heard until the other side closes, or says one of `until`."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(said)
    heard = b""
    try:
        async with asyncio.timeout(ENOUGH_S):
            while not any(end in heard for end in until):
                piece = await reader.read(65_536)
                if not piece:
                    break
                heard += piece
    except ConnectionResetError:
        pass
    finally:
        writer.close()
    return heard


def get(host: str, target: str = "/", more: str = "") -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n".encode()
