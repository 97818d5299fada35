"""What strangers may take: places, time, size and turns; and that nobody takes another's."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import dns.edns
import dns.message
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.callbacks import DnsInteraction, Interaction
from lapwing.callbacks.responders import Limits
from lapwing.io.listen import Allowance
from lapwing.io.listen.admission import MAX_SOURCES, Admission, Rate, source_of
from lapwing.io.listen.datagrams import MAX_QUERY_BYTES
from tests.io.listen.lab import DOMAIN, LOOPBACK, Client, get, resolve, serving, settings, talk
from tests.patience import ENOUGH_S

pytestmark = pytest.mark.anyio
SECOND_NS = 1_000_000_000
OPTION_HEAD_BYTES = 4  # code and length of an option (RFC 6891, 6.1.2)
DOORS = ["http", "https", "smtp", "ldap", "ftp", "dns"]


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9%eth0", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
    ],
)
def test_a_source_is_an_address_or_a_customers_network(address: str, source: str) -> None:
    assert source_of(address) == source


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans())))
def test_places_never_go_past_their_bounds_and_come_back(steps: list[tuple[str, bool]]) -> None:
    admission = Admission(total_count=4, per_source_count=2, per_source_s=10**9)
    inside: list[str] = []
    for source, enters in steps:
        if enters and admission.enter(source, 0):
            inside.append(source)
        elif not enters and source in inside:
            inside.remove(source)
            admission.leave(source)
        assert admission.open_count == len(inside) <= 4
        assert all(inside.count(one) <= 2 for one in "abc")
    for source in inside:
        admission.leave(source)
    assert admission.enter("a", 0)


def test_a_rate_is_per_source_and_second_and_bounded_under_random_sources() -> None:
    rate = Rate(3)
    assert [rate.allows("a", 0) for _ in range(5)] == [True, True, True, False, False]
    assert rate.allows("b", 0)
    assert rate.allows("a", SECOND_NS)
    for number in range(MAX_SOURCES + 1000):
        rate.allows(str(number), 2 * SECOND_NS)
    assert len(rate._counts) <= MAX_SOURCES + 1
    assert rate.refused_count > 2


async def test_a_source_holds_no_more_than_its_share(tmp_path: Path) -> None:
    async with serving(settings(tmp_path, allow=Allowance(per_source_count=5))) as collector:
        port = collector.ports["http"][0]
        held = [await asyncio.open_connection(LOOPBACK, port) for _ in range(5)]
        for _, writer in held:
            writer.write(b"GET / HT")  # and then nothing
        assert await talk(port, get("x")) == b""
        assert collector.health()["connections_refused"] == 1
        for reader, writer in held[:1]:
            writer.write(b"TP/1.0\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 200")
        assert (await talk(port, get("x"))).startswith(b"HTTP/1.1 200")
        for _, writer in held:
            writer.close()


async def test_a_client_that_drips_is_cut_off_all_the_same(tmp_path: Path) -> None:
    limits = Limits(idle_s=60.0, message_s=0.3, connection_s=60.0)
    async with serving(settings(tmp_path, limits=limits)) as collector:
        reader, writer = await asyncio.open_connection(LOOPBACK, collector.ports["http"][0])

        async def drip() -> None:
            while not writer.is_closing():
                writer.write(b"x")
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await asyncio.Event().wait()

        dripping = asyncio.create_task(drip())
        async with asyncio.timeout(ENOUGH_S):
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
        writer.close()
        await dripping
        assert collector.recorder.counts == {"http": 1}  # what it said is kept


async def test_a_client_that_says_nothing_and_one_that_never_shakes_hands_are_let_go(tmp_path: Path) -> None:
    chosen = settings(tmp_path, limits=Limits(idle_s=0.2), allow=Allowance(handshake_s=0.2))
    async with serving(chosen) as collector:
        for door in ("http", "https", "smtp", "smtps", "ldap", "ftp", "dns"):
            await talk(collector.ports[door][0], b"")
        assert collector.health()["connections"] == 0


async def test_queries_of_one_source_are_bounded_in_a_second(tmp_path: Path) -> None:
    async with serving(settings(tmp_path, allow=Allowance(dns_per_source_s=1))) as collector:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            for _ in range(200):
                asker.sendto(b"x" * 20, (LOOPBACK, collector.ports["dns"][0]))
        async with asyncio.timeout(ENOUGH_S):
            while not collector._sockets[0].rate.refused_count:
                await asyncio.sleep(0)
        assert int(str(collector.health()["queries_refused"])) > 0


@pytest.mark.parametrize("beyond", [0, 1])
@pytest.mark.parametrize("whole", [True, False])
async def test_a_query_over_udp_is_read_so_far_and_what_is_behind_a_whole_question_costs_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beyond: int, whole: bool
) -> None:
    query = dns.message.make_query(f"www.{DOMAIN}", "A", use_edns=0)
    room = MAX_QUERY_BYTES + beyond - len(query.to_wire()) - OPTION_HEAD_BYTES
    padding = dns.edns.GenericOption(dns.edns.PADDING, bytes(room))
    query.use_edns(0, options=[padding], request_payload=2 * MAX_QUERY_BYTES)
    asked = query.to_wire() if whole else query.to_wire()[:2].ljust(MAX_QUERY_BYTES + beyond, b"\x01")
    assert len(asked) == MAX_QUERY_BYTES + beyond
    noted: list[Interaction] = []
    async with serving(settings(tmp_path)) as collector:
        take = collector.recorder.take

        def taking(batch: list[Interaction], done: Callable[[bool], None]) -> None:
            noted.extend(batch)
            take(batch, done)

        monkeypatch.setattr(collector.recorder, "take", taking)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(ENOUGH_S)
            asker.sendto(asked, (LOOPBACK, collector.ports["dns"][0]))
            reply = dns.message.from_wire(await asyncio.to_thread(asker.recv, MAX_QUERY_BYTES))
        assert (reply.id, reply.rcode()) == (query.id, dns.rcode.NOERROR if whole else dns.rcode.FORMERR)
        assert bool(reply.answer) is whole
        assert (await resolve(collector, f"next.{DOMAIN}")).answer
    long, following = noted
    assert isinstance(long, DnsInteraction)
    assert isinstance(following, DnsInteraction)
    assert (long.request_bytes, bool(long.malformed)) == (MAX_QUERY_BYTES, not whole)
    assert following.name == f"next.{DOMAIN}"


async def test_registrations_are_bounded(tmp_path: Path) -> None:
    chosen = settings(tmp_path, allow=Allowance(mailboxes_count=2))
    async with serving(chosen) as collector:
        first, _ = await Client(collector).register(), await Client(collector).register()
        with pytest.raises(Exception, match="throttled"):
            await Client(collector).register()
        await first.register()  # who is in stays in


async def test_a_client_that_does_not_read_is_not_read(tmp_path: Path) -> None:
    async with serving(settings(tmp_path, dynamic=True)) as collector:
        reader, writer = await asyncio.open_connection(LOOPBACK, collector.ports["http"][0])
        body = "x" * 20_000
        request = f"GET /?body={body} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        sent = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                while True:
                    writer.write(request)
                    await writer.drain()
                    sent += 1
        assert sent < 5_000  # 100 MB: the sender was held back
        (connection,) = collector._connections
        assert connection._transport is not None
        assert connection._transport.get_write_buffer_size() < 3 * 1024 * 1024
        writer.transport.abort()
        assert len(await reader.read(1)) == 1


@given(
    st.lists(st.sampled_from(["http", "smtp", "ldap", "ftp", "dns", "https"]), min_size=1, max_size=4),
    st.binary(max_size=200),
)
def test_whatever_one_says_its_neighbour_is_served(
    tmp_path_factory: pytest.TempPathFactory, doors: list[str], data: bytes
) -> None:
    async def both() -> None:
        async with serving(settings(tmp_path_factory.mktemp("both"))) as collector:
            client = await Client(collector).register()
            neighbours = [asyncio.open_connection(LOOPBACK, collector.ports[door][0]) for door in doors]
            opened = await asyncio.gather(*neighbours)
            for _, writer in opened:
                writer.write(data)
            await resolve(collector, f"{client.unique_id}.{DOMAIN}")
            assert len(await client.heard()) == 1
            for _, writer in opened:
                writer.close()

    asyncio.run(both())
