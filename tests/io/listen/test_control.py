"""The control interface: interactsh's calls to the letter, and those that lose nothing."""

import asyncio
import hmac
import json
import secrets
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lapwing.callbacks.interactsh import (
    Call,
    CallError,
    CipherMode,
    FetchFailure,
    Identity,
    check_status,
    poll_call,
    register_call,
    unwrap_key,
)
from lapwing.callbacks.push import unseal
from lapwing.io.listen import Collector, Eviction, Generation
from lapwing.io.listen.clock import Clock
from lapwing.io.listen.mailroom import MAX_CONSUMERS
from tests.io.listen.lab import DOMAIN, Client, Stream, get, resolve, rsa_key, serving, settings, talk

pytestmark = pytest.mark.anyio


async def hit(collector: Collector, client: Client, count: int = 1) -> None:
    """So many queries for a client's token, each told from the others by its first label."""
    for number in range(count):
        await resolve(collector, f"n{number}.{client.host}")


async def said(client: Client, call: Call) -> tuple[int, dict[str, object]]:
    status, body = await asyncio.to_thread(client.call, call)
    return status, json.loads(body)


# interactsh's words.


async def test_the_answers_are_interactshs(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        assert await said(client, Call("GET", "/poll?secret=x")) == (400, {"error": "no id specified for poll"})
        assert await said(client, Call("GET", "/poll?id=x")) == (400, {"error": "no secret specified for poll"})
        evicted = 'could not get interactions: cause="could not get correlation-id from cache"'
        assert await said(client, Call("GET", "/poll?id=x&secret=y")) == (400, {"error": evicted})
        wrong = "could not get interactions: invalid secret key passed for user"
        stranger = Identity(client.identity.correlation_id, "other")
        assert await said(client, poll_call(stranger)) == (400, {"error": wrong})
        taken = "could not set id and public key: correlation-id provided already exists"
        assert await said(client, register_call(stranger, rsa_key())) == (400, {"error": taken})
        status, refused = await said(client, Call("POST", "/register", b"{"))
        assert status == 400
        assert str(refused["error"]).startswith("could not decode json body: ")
        assert (await client.deregister())[0] == 200
        status, body = await client.deregister()
        assert (status, b'could not remove id: cause=\\"could not get' in body) == (400, True)


async def test_an_empty_poll_has_nulls_and_the_same_key_each_time(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        _, first = await said(client, poll_call(client.identity))
        _, second = await said(client, poll_call(client.identity))
        assert first == second
        assert (first["data"], first["extra"]) == (None, None)
        assert len(unwrap_key(str(first["aes_key"]), rsa_key())) == 32


async def test_any_method_will_do_and_every_answer_allows_other_origins(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        call = poll_call(client.identity)
        for method in ("POST", "PUT", "GET"):
            assert (await said(client, call._replace(method=method)))[0] == 200
        port = collector.ports["control"][0]
        heard = await talk(port, b"OPTIONS /poll HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert heard.startswith(b"HTTP/1.1 204")
        for field in (b"Access-Control-Allow-Origin: *", b"Access-Control-Allow-Credentials: true"):
            assert field in heard


async def test_secrets_are_compared_without_regard_to_letter_case(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        shouted = Identity(client.identity.correlation_id.upper(), client.identity.secret.upper())
        assert (await said(client, poll_call(shouted)))[0] == 200


async def test_older_clients_are_answered_in_their_cipher(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector, door="older-control").register()
        await hit(collector, client)
        assert len(await client.heard()) == 1
        assert client.reader.mode is CipherMode.CFB
        newer = await Client(collector).register()
        await hit(collector, newer)
        assert len(await newer.heard()) == 1
        assert newer.reader.mode is CipherMode.CTR


@pytest.mark.parametrize("generation", list(Generation))
async def test_each_generation_has_its_words(tmp_path: Path, generation: Generation) -> None:
    async with serving(settings(tmp_path, generation=generation)) as collector:
        client = await Client(collector).register()
        await talk(collector.ports["http"][0], get(client.host))
        assert len(await client.heard()) == 1
        await client.deregister()
        status, body = await asyncio.to_thread(client.call, poll_call(client.identity))
        assert (b'cause=\\"' in body) is (generation is not Generation.V1_2_4)
        with pytest.raises(CallError) as refused:
            check_status(status, body)
        assert refused.value.failure is FetchFailure.EVICTED


async def test_with_a_token_nothing_is_said_without_it(tmp_path: Path) -> None:
    async with serving(settings(tmp_path, token="letmein")) as collector:
        client = Client(collector)
        assert await asyncio.to_thread(client.call, register_call(client.identity, rsa_key())) == (401, b"")
        with pytest.raises(CallError):
            await Client(collector, token="Bearer letmein").register()
        friend = await Client(collector, token="letmein").register()
        await hit(collector, friend)
        assert len(await friend.heard()) == 1
        stream = await Stream(await Client(collector, token="letmein").register(), collector).open()
        assert stream.status == 200
        await stream.close()


async def test_what_belongs_to_nobody_goes_to_every_friend_once(tmp_path: Path) -> None:
    chosen = settings(tmp_path, token="letmein", wildcard=True)
    async with serving(chosen) as collector:
        first = await Client(collector, token="letmein").register()
        second = await Client(collector, token="letmein").register()
        await talk(collector.ports["ftp"][0], b"USER somebody\r\nQUIT\r\n")
        await resolve(collector, f"anything.{DOMAIN}")
        for client in (first, second):
            assert sorted(type(one).__name__ for one in (await client.poll()).shared) == [
                "DnsInteraction",
                "FtpInteraction",
            ]
            assert (await client.poll()).shared == []


async def test_what_belongs_to_nobody_is_handed_out_after_every_mailbox_ended(tmp_path: Path) -> None:
    chosen = settings(tmp_path, token="letmein", wildcard=True)
    async with serving(replace(chosen, eviction=Eviction.FIXED, eviction_s=0.001)) as collector:
        await Client(collector, token="letmein").register()
        await collector._upkeep.sweep()
        assert len(collector.directory) == 0
    async with serving(chosen) as collector:
        client = await Client(collector, token="letmein").register()
        await resolve(collector, f"anything.{DOMAIN}")
        assert [type(one).__name__ for one in (await client.poll()).shared] == ["DnsInteraction"]


# Capture and control are apart.


async def test_a_call_at_the_bare_domain_is_a_call_and_anywhere_else_an_interaction(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        port = collector.ports["http"][0]
        call = poll_call(client.identity)
        assert b'"aes_key"' in await talk(port, get(DOMAIN, call.path))
        for host in (client.host, "192.0.2.1", f"www.{DOMAIN}"):
            assert b'"aes_key"' not in await talk(port, get(host, call.path))
        assert b'"aes_key"' not in await talk(port, get(DOMAIN, "/other"))
        assert collector.recorder.counts == {"http": 4}


async def test_without_the_bare_domain_every_path_is_captured(tmp_path: Path) -> None:
    async with serving(settings(tmp_path, control_at_domain=False)) as collector:
        port = collector.ports["http"][0]
        for path in ("/register", "/poll", "/deregister", "/metrics", "/v1/events", "/health"):
            assert (await talk(port, get(DOMAIN, path))).startswith(b"HTTP/1.1 200")
        assert collector.recorder.counts == {"http": 6}


async def test_the_health_call_counts_and_needs_no_token(tmp_path: Path) -> None:
    async with serving(settings(tmp_path, token="letmein")) as collector:
        await resolve(collector, f"x.{DOMAIN}")
        status, health = await said(Client(collector), Call("GET", "/health"))
        assert (status, health["status"], health["dns"], health["written"]) == (200, "ok", 1, 1)
        assert (await asyncio.to_thread(Client(collector).call, Call("GET", "/metrics")))[0] == 401


async def test_a_registration_that_is_refused_is_not_counted(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = Client(collector)
        for body in (b"", b"{}", b'{"public-key":"x","secret-key":"y","correlation-id":"z"}'):
            assert (await asyncio.to_thread(client.call, Call("POST", "/register", body)))[0] == 400
        assert (await said(client, Call("GET", "/metrics")))[1]["sessions"] == len(collector.directory) == 0
        await client.register()
        assert (await said(client, Call("GET", "/metrics")))[1]["sessions"] == 1


async def test_secrets_are_compared_in_constant_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    usual = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return usual(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    monkeypatch.setattr(secrets, "compare_digest", compare)
    async with serving(settings(tmp_path, token="letmein")) as collector:
        client = await Client(collector, token="letmein").register()
        calls = (lambda: client.ask("GET", "/v1/interactions"), client.poll, client.register, client.deregister)
        for call in calls:
            compared.clear()
            await call()
            digests = [one for one in compared if len(one[0]) == 32]
            assert (b"letmein", b"letmein") in compared
            assert len(digests) == 1
            assert digests[0][0] == digests[0][1]


# Renewal and eviction.


async def test_registering_again_keeps_what_waits(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        assert client.offers["mailbox"] == "new"
        assert 0 < int(client.offers["expires_s"]) <= 30 * 86_400
        await hit(collector, client)
        await client.register()
        assert client.offers["mailbox"] == "kept"
        assert len(await client.heard()) == 1


async def test_registering_at_the_moment_it_ends_never_loses_the_new_one(tmp_path: Path) -> None:
    async with serving(settings(tmp_path, eviction_s=0.001)) as collector:
        client = await Client(collector).register()
        for _ in range(30):
            swept, _ = await asyncio.gather(collector.mailroom.sweep(), client.register())
            assert swept <= 1
            held = collector.directory.mailbox_of(client.identity.correlation_id)
            found = await collector.mailroom._mailboxes.find(client.identity.correlation_id)
            assert (held is None) is (found is None)
            assert found is None or found.mailbox_id == held


async def test_what_is_past_its_time_is_gone_for_everybody(tmp_path: Path) -> None:
    async with serving(settings(tmp_path, eviction=Eviction.FIXED, eviction_s=0.001)) as collector:
        client = await Client(collector).register()
        stream = await Stream(client, collector).open()
        await collector._upkeep.sweep()
        with pytest.raises(CallError) as refused:
            await client.poll()
        assert refused.value.failure is FetchFailure.EVICTED
        assert (await client.ask("POST", "/v1/ack"))[0] == 404
        await stream.close()


class Later(Clock):
    """The time in a while."""

    def __init__(self, by_ns: int) -> None:
        super().__init__()
        self._base_ns += by_ns


async def test_use_moves_a_sliding_end_and_no_other(tmp_path: Path) -> None:
    for eviction, moved in ((Eviction.SLIDING, True), (Eviction.FIXED, False)):
        async with serving(settings(tmp_path, eviction=eviction)) as collector:
            client = await Client(collector).register()
            before = await collector.mailroom._mailboxes.find(client.identity.correlation_id)
            collector.mailroom._clock = Later(collector.mailroom._grain_ns + 1)
            await hit(collector, client)
            await collector.mailroom.sweep()
            after = await collector.mailroom._mailboxes.find(client.identity.correlation_id)
            assert before is not None
            assert after is not None
            assert before.expires_ns is not None
            assert after.expires_ns is not None
            assert (after.expires_ns > before.expires_ns) is moved
            await client.deregister()


async def test_a_mailbox_that_is_hit_all_the_time_is_not_written_all_the_time(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        ends = []
        for _ in range(3):
            await hit(collector, client)
            await collector.mailroom.sweep()
            found = await collector.mailroom._mailboxes.find(client.identity.correlation_id)
            assert found is not None
            ends.append(found.expires_ns)
        assert ends[0] == ends[1] == ends[2]
        assert ends[0] is not None
        mailroom = collector.mailroom
        mailroom._clock = Later(mailroom._lifetime_ns)  # of the first use its time is over, not of the last
        assert await mailroom.sweep() == 0
        mailroom._clock = Later(mailroom._lifetime_ns + mailroom._grain_ns)
        assert await mailroom.sweep() == 1


async def test_a_restart_keeps_sessions_cursors_and_what_waits(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    async with serving(chosen) as collector:
        client = await Client(collector).register()
        await hit(collector, client, 2)
        assert len(await client.heard()) == 2
        await hit(collector, client, 3)
    async with serving(chosen) as collector:
        client._port = collector.ports["control"][0]
        assert len(await client.heard()) == 3
        await hit(collector, client)
        assert len(await client.heard()) == 1


# Reading that loses nothing.


async def test_a_page_is_given_again_until_it_is_acknowledged(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        await hit(collector, client, 3)
        for _ in range(2):
            status, body = await client.ask("GET", "/v1/interactions")
            page = json.loads(body)
            assert (status, len(page["entries"]), page["head"], page["cursor"]) == (200, 3, 3, 3)
        key = unwrap_key(page["aes_key"], rsa_key())
        read = unseal(page["entries"][0][1], aes_key=key)
        assert read.unique_id == client.unique_id
        assert read.peer.client_port is not None
        assert json.loads((await client.ask("GET", "/v1/interactions?after=2"))[1])["cursor"] == 3
        status, body = await client.ask("POST", "/v1/ack", b'{"cursor": 3}')
        assert (status, json.loads(body)) == (200, {"head": 3})
        assert json.loads((await client.ask("GET", "/v1/interactions"))[1])["entries"] == []


async def test_every_reader_sees_everything(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        await hit(collector, client, 4)
        assert len(await client.heard()) == 4
        for consumer in ("a", "b", "c"):
            assert len(json.loads((await client.ask("GET", "/v1/interactions", consumer=consumer))[1])["entries"]) == 4
            assert (await client.ask("POST", "/v1/ack", b'{"cursor": 4}', consumer=consumer))[0] == 200
            assert json.loads((await client.ask("GET", "/v1/interactions", consumer=consumer))[1])["entries"] == []


async def test_readers_of_a_mailbox_are_bounded(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        await hit(collector, client)
        answers = [
            (await client.ask("POST", "/v1/ack", b'{"cursor": 1}', consumer=f"reader{number}"))[0]
            for number in range(MAX_CONSUMERS + 1)
        ]
        assert answers == [200] * MAX_CONSUMERS + [429]


@pytest.mark.parametrize("consumer", ["@extra", "x" * 65])
async def test_readers_with_names_of_ours_are_refused(tmp_path: Path, consumer: str) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        assert (await client.ask("GET", "/v1/interactions", consumer=consumer))[0] == 400


async def test_the_secret_is_needed_and_only_from_the_header(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        own_id, secret = client.identity.correlation_id, client.identity.secret
        path = f"/v1/interactions?id={own_id}&secret={secret}"
        assert (await asyncio.to_thread(client.call, Call("GET", path)))[0] == 404
        client.identity = Identity(own_id, "other")
        assert (await client.ask("GET", "/v1/interactions"))[0] == 401


async def test_an_acknowledgement_beyond_what_there_is_counts_to_the_end(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        await client.ask("POST", "/v1/ack", b'{"cursor": 999999}')
        await hit(collector, client)
        assert len(json.loads((await client.ask("GET", "/v1/interactions"))[1])["entries"]) == 1


async def test_an_acknowledgement_of_brackets_alone_is_refused(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        status, body = await client.ask("POST", "/v1/ack", b'{"x":' + b"[" * 20_000)
        assert (status, b"could not decode json body" in body) == (400, True)


# Push.


async def test_a_stream_brings_what_waits_and_then_what_comes(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        await hit(collector, client, 2)
        stream = await Stream(client, collector).open()
        hello = msgspec.json.decode((await stream.next()).data)
        key = unwrap_key(hello["aes_key"], rsa_key())
        events = [await stream.next() for _ in range(2)]
        await hit(collector, client)
        events.append(await stream.next())
        assert [(event.kind, event.seq) for event in events] == [
            ("interaction", 1),
            ("interaction", 2),
            ("interaction", 3),
        ]
        assert {unseal(event.data, aes_key=key).unique_id for event in events} == {client.unique_id}
        assert json.loads((await client.ask("POST", "/v1/ack"))[1]) == {"head": 3}
        await stream.close()


async def test_a_broken_stream_goes_on_where_it_ended(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        await hit(collector, client, 3)
        again = await Stream(client, collector, last=1).open()
        assert (await again.next()).kind == "hello"
        assert [(await again.next()).seq for _ in range(2)] == [2, 3]
        await again.close()
        await client.ask("POST", "/v1/ack", b'{"cursor": 2}')
        later = await Stream(client, collector).open()
        await later.next()
        assert (await later.next()).seq == 3
        await later.close()


async def test_ten_readers_each_hear_everything(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        streams = [await Stream(client, collector, consumer=f"r{number}").open() for number in range(10)]
        for stream in streams:
            assert (await stream.next()).kind == "hello"
        await asyncio.gather(*(hit(collector, client, 10) for _ in range(5)))
        for stream in streams:
            assert [(await stream.next()).seq for _ in range(50)] == list(range(1, 51))
            await stream.close()


async def test_a_stream_ends_with_its_mailbox_and_says_so(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        stream = await Stream(client, collector).open()
        await stream.next()
        await client.deregister()
        assert (await stream.next()).kind == "expired"
        with pytest.raises(EOFError):
            await stream.next()
        await stream.close()
        assert collector.hub.count == 0


async def test_nobody_hears_a_stream_without_the_secret(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        client.identity = Identity(client.identity.correlation_id, "other")
        stream = await Stream(client, collector).open()
        assert stream.status == 401
        await stream.close()


@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.sampled_from(["/register", "/deregister", "/poll", "/v1/ack", "/v1/interactions"]))
def test_any_body_gets_an_answer(tmp_path_factory: pytest.TempPathFactory, body: bytes, path: str) -> None:
    async def ask() -> None:
        async with serving(settings(tmp_path_factory.mktemp("any"))) as collector:
            client = await Client(collector).register()
            assert (await client.ask("POST", path, body))[0] in (200, 400, 404)

    asyncio.run(ask())
