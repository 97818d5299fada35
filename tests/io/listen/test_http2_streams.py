"""The stream of events over HTTP/2: beside other requests on one connection, as fast as the client's window allows."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import pytest

from lapwing.callbacks.interactsh import deregister_call, unwrap_key
from lapwing.callbacks.push import EventReader, ServerEvent, unseal
from lapwing.io.listen import Collector
from tests.io.listen.lab import DOMAIN, LOOPBACK, Client, resolve, rsa_key, serving, settings, trusting
from tests.patience import ENOUGH_S

pytestmark = pytest.mark.anyio


class Http2:
    """h2's own client on one connection. What arrives on a stream is taken off its window only while `reads`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reads = True
        self.ended: set[int] = set()
        self.status: dict[int, str] = {}
        self.data: dict[int, bytes] = {}
        self._reader = reader
        self._writer = writer
        self._unread: dict[int, int] = {}
        self._connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self._connection.initiate_connection()

    def ask(self, client: Client, method: str, path: str, body: bytes = b"") -> int:
        stream = self._connection.get_next_available_stream_id()
        fields = [(":method", method), (":scheme", "https"), (":authority", DOMAIN), (":path", path)]
        fields += [(name.lower(), value) for name, value in client.headers()]
        self._connection.send_headers(stream, fields, end_stream=not body)
        if body:
            self._connection.send_data(stream, body, end_stream=True)
        self._writer.write(self._connection.data_to_send())
        return stream

    def take_back(self, stream: int) -> None:
        self._connection.reset_stream(stream)
        self._writer.write(self._connection.data_to_send())

    async def hear(self) -> None:
        async with asyncio.timeout(ENOUGH_S):
            heard = await self._reader.read(65_536)
        assert heard
        for event in self._connection.receive_data(heard):
            if isinstance(event, h2.events.ResponseReceived):
                # Text, as the configuration says; the annotation knows bytes only.
                self.status[event.stream_id] = next(
                    str(value) for name, value in event.headers if str(name) == ":status"
                )
            elif isinstance(event, h2.events.DataReceived):
                self.data[event.stream_id] = self.data.get(event.stream_id, b"") + event.data
                self._unread[event.stream_id] = self._unread.get(event.stream_id, 0) + event.flow_controlled_length
            elif isinstance(event, h2.events.StreamEnded):
                self.ended.add(event.stream_id)
        if self.reads:
            for stream, size in self._unread.items():
                self._connection.acknowledge_received_data(size, stream)
            self._unread.clear()
        self._writer.write(self._connection.data_to_send())

    async def whole(self, stream: int) -> bytes:
        while stream not in self.ended:
            await self.hear()
        return self.data.get(stream, b"")

    async def events(self, stream: int, count: int) -> list[ServerEvent]:
        while len(found := EventReader().feed(self.data.get(stream, b""))) < count:
            await self.hear()
        return found


@asynccontextmanager
async def connected(folder: Path, collector: Collector) -> AsyncIterator[Http2]:
    context = trusting(folder)
    context.set_alpn_protocols(["h2"])
    port = collector.ports["https"][0]
    reader, writer = await asyncio.open_connection(LOOPBACK, port, ssl=context, server_hostname=DOMAIN)
    tls = writer.get_extra_info("ssl_object")
    assert isinstance(tls, ssl.SSLObject)
    assert tls.selected_alpn_protocol() == "h2"
    yield Http2(reader, writer)
    writer.close()


async def test_a_stream_of_events_shares_its_connection_with_other_calls(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector, connected(tmp_path, collector) as http:
        client = await Client(collector).register()
        stream = http.ask(client, "GET", "/v1/events")
        (hello,) = await http.events(stream, 1)
        assert http.status[stream] == "200"
        key = unwrap_key(json.loads(hello.data)["aes_key"], rsa_key())
        await resolve(collector, client.host)
        _, event = await http.events(stream, 2)
        assert unseal(event.data, aes_key=key).unique_id == client.unique_id
        acknowledged = await http.whole(http.ask(client, "POST", "/v1/ack", b'{"cursor": 1}'))
        assert json.loads(acknowledged) == {"head": 1}
        second = http.ask(client, "GET", "/v1/events")
        await http.events(second, 1)
        assert collector.hub.count == 2
        http.take_back(second)
        call = deregister_call(client.identity)
        assert b"deregistration" in await http.whole(http.ask(client, "POST", "/deregister", call.body or b""))
        events = EventReader().feed(await http.whole(stream))
        assert events[-1].kind == "expired"
        assert (await http.whole(http.ask(client, "GET", "/health"))).startswith(b"{")  # the connection stays


async def test_a_stream_waits_for_the_clients_window_and_brings_everything(tmp_path: Path) -> None:
    count = 600
    async with serving(settings(tmp_path)) as collector, connected(tmp_path, collector) as http:
        client = await Client(collector).register()
        stream = http.ask(client, "GET", "/v1/events")
        await http.events(stream, 1)
        http.reads = False
        for number in range(count // 20):
            await asyncio.gather(*(resolve(collector, f"n{number}-{one}.{client.host}") for one in range(20)))
        while len(http.data[stream]) < 65_535:  # the window every stream begins with
            await http.hear()
        held = len(EventReader().feed(http.data[stream]))
        assert held < count
        health = await http_health(collector)
        assert health["streams"] == 1
        http.reads = True
        http.ask(client, "GET", "/health")  # its answer makes the client open its windows
        events = await http.events(stream, count + 1)
        assert [event.seq for event in events[1:]] == list(range(1, count + 1))


async def http_health(collector: Collector) -> dict[str, int]:
    found: dict[str, int] = json.loads((await Client(collector).ask("GET", "/health"))[1])
    return found


async def test_a_stream_is_not_for_who_does_not_know_the_secret(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector, connected(tmp_path, collector) as http:
        stream = http.ask(Client(collector), "GET", "/v1/events")
        await http.whole(stream)
        assert http.status[stream] == "404"
        assert collector.hub.count == 0
