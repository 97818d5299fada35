"""Alerts: on disk with their hit, delivered at least once, tried again, given up visibly, and never one per hit."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from lapwing.callbacks import HttpInteraction, Peer, SmtpInteraction, correlation_id
from lapwing.callbacks.alerts import tripped
from lapwing.events import SettingsError
from lapwing.io.listen import Collector, CollectorSettings
from lapwing.io.listen.settings import AlertSettings
from lapwing.io.store import Interactions, Letters, PlantedToken, PlantedTokens, decode_payload
from tests.io.listen.lab import DOMAIN, LOOPBACK, NONCE, Client, get, resolve, serving, settings, talk
from tests.patience import ENOUGH_S

pytestmark = pytest.mark.anyio

NAME = correlation_id(bytes(20)) + NONCE


class Receiver:
    """A webhook that answers as it is told to, one status after the other, the last one again and again."""

    def __init__(self, *statuses: int) -> None:
        self.bodies: list[dict[str, object]] = []
        self.news = asyncio.Event()
        self._statuses = list(statuses)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        self.bodies.append(json.loads(await reader.readexactly(length)))
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        writer.write(f"HTTP/1.1 {status} X\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()
        self.news.set()


@asynccontextmanager
async def receiving(receiver: Receiver, port: int = 0) -> AsyncIterator[str]:
    server = await asyncio.start_server(receiver.answer, LOOPBACK, port)
    async with server:
        yield f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}/hook?key=s3cret"


def alerting(folder: Path, **changes: Any) -> CollectorSettings:
    return settings(folder, alerts=AlertSettings(retry_s=0.01, **changes))


async def plant(collector: Collector, **more: Any) -> PlantedToken:
    fields: dict[str, Any] = {
        "kind": "url",
        "name": NAME,
        "note": "in the wiki",
        "placement": "page 7",
        "created_ns": 1,
        **more,
    }
    token = await PlantedTokens(collector.store).add(PlantedToken(**fields))
    await collector._upkeep.load_tokens()
    assert token is not None
    return token


async def settled(collector: Collector, *, delivered: int = 0, dead: int = 0) -> None:
    assert collector._alerting is not None
    async with asyncio.timeout(ENOUGH_S):
        while (collector._alerting.delivered_count, collector._alerting.dead_count) != (delivered, dead):
            await asyncio.sleep(0.01)


async def test_a_tripped_token_is_told_by_webhook_and_tried_until_it_is_taken(tmp_path: Path) -> None:
    receiver = Receiver(500, 302, 204)
    async with receiving(receiver) as url, serving(alerting(tmp_path, webhooks=(url,))) as collector:
        await plant(collector)
        await talk(collector.ports["http"][0], get(f"{NAME}.{DOMAIN}", more="User-Agent: curl/8\x01\r\n"))
        await settled(collector, delivered=1)
        assert await Letters(collector.store).counts() == (0, 0)
    assert receiver.bodies[0] == receiver.bodies[1] == receiver.bodies[2]
    told = receiver.bodies[2]
    assert (told["token"], told["memo"], told["placement"]) == (NAME, "in the wiki", "page 7")
    assert (told["channel"], told["token_type"], told["src_ip"]) == ("HTTP", "url", LOOPBACK)
    assert told["additional_data"] == {"method": "GET", "useragent": "curl/8?"}
    assert str(told["time"]).endswith(" (UTC)")


async def test_an_alert_nobody_takes_is_given_up_kept_and_told(tmp_path: Path) -> None:
    receiver = Receiver(500)
    said: list[str] = []
    async with receiving(receiver) as url:
        async with serving(alerting(tmp_path, webhooks=(url,), tries_count=3)) as collector:
            assert collector._alerting is not None
            collector._alerting._say = said.append
            await plant(collector)
            await resolve(collector, f"{NAME}.{DOMAIN}")
            await settled(collector, dead=1)
            health = json.loads((await Client(collector).ask("GET", "/health"))[1])
            assert (health["alerts_given_up"], health["alerts_failed_tries"]) == (1, 3)
            (dead,) = await Letters(collector.store).dead()
            assert (dead.tries_count, dead.failure) == (3, "status 500")
        assert len(said) == 1
        assert "s3cret" not in said[0]
        receiver._statuses = [200]
        async with serving(alerting(tmp_path, webhooks=(url,))) as collector:
            assert await Letters(collector.store).revive(1) == 1
            await settled(collector, delivered=1)


async def test_an_alert_outlives_the_collector_that_could_not_deliver_it(tmp_path: Path) -> None:
    receiver = Receiver(200)
    async with receiving(receiver) as url:
        pass
    port = int(url.partition("/hook")[0].rpartition(":")[2])
    async with serving(alerting(tmp_path, webhooks=(url,))) as collector:
        await plant(collector)
        await resolve(collector, f"{NAME}.{DOMAIN}")
    async with receiving(receiver, port), serving(alerting(tmp_path, webhooks=(url,))) as collector:
        await settled(collector, delivered=1)
    assert len(receiver.bodies) == 1


async def test_a_throttle_says_how_many_alerts_it_held_back_and_drops_no_hit(tmp_path: Path) -> None:
    receiver = Receiver(200)
    async with receiving(receiver) as url, serving(alerting(tmp_path, webhooks=(url,))) as collector:
        token = await plant(collector, alert_every_s=3_600)
        for number in range(3):
            await resolve(collector, f"n{number}.{NAME}.{DOMAIN}")
        await settled(collector, delivered=1)
        known = collector.directory.planted
        known[NAME] = replace(known[NAME], alert_every_s=0)  # from now on every use is told
        await resolve(collector, f"late.{NAME}.{DOMAIN}")
        await settled(collector, delivered=2)
        assert [(one["held_back_count"], one["quiet_s"]) for one in receiver.bodies] == [(0, 3_600), (2, 0)]
        assert len(await Interactions(collector.store).of_token(token.token_id)) == 4
        kept = await PlantedTokens(collector.store).find(NAME)
        assert kept is not None
        assert (kept.hit_count, kept.suppressed_count) == (4, 2)


async def test_an_alert_by_mail_reaches_a_mail_server(tmp_path: Path) -> None:
    async with serving(settings(tmp_path / "mail")) as server:
        post = f"{LOOPBACK}:{server.ports['smtp'][0]}"
        chosen = alerting(
            tmp_path / "own", mail_to=("soc@example.com",), mail_from="a@example.org", mail_server=post, mail_tls=False
        )
        async with serving(chosen) as collector:
            await plant(collector, note="line\r\nBcc: x@example.net")
            await resolve(collector, f"{NAME}.{DOMAIN}")
            await settled(collector, delivered=1)
        page = await Interactions(server.store).after(None, 0)
        mail = decode_payload(page.entries[0].payload)
    assert isinstance(mail, SmtpInteraction)
    assert (mail.mail_from, mail.recipients) == ("a@example.org", ("soc@example.com",))
    head = mail.raw_request.partition(b"\r\n\r\n")[0]
    assert b"Subject: Token tripped: line Bcc: x@example.net" in head
    assert b"\r\nBcc" not in head


async def test_one_address_that_fails_holds_up_no_other(tmp_path: Path) -> None:
    good, bad = Receiver(200), Receiver(500)
    async with receiving(good) as first, receiving(bad) as second:
        chosen = alerting(tmp_path, webhooks=(second, first), tries_count=2)
        async with serving(chosen) as collector:
            await plant(collector)
            await resolve(collector, f"{NAME}.{DOMAIN}")
            await settled(collector, delivered=1, dead=1)
    assert len(good.bodies) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhooks": ("ftp://example.com",)},
        {"webhooks": ("https://example.com/" + "x" * 1_024,)},
        {"mail_to": ("soc@example.com",)},
        {"mail_to": ("nobody",), "mail_from": "a@example.com", "mail_server": "mail.example.com"},
        {"tries_count": 0},
    ],
)
def test_addresses_that_are_none_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"collector\.alerts"):
        AlertSettings(**wrong)


def test_an_alert_for_people_says_what_was_held_back_and_what_will_be() -> None:
    interaction = HttpInteraction(ts_ns=0, peer=Peer("192.0.2.7", 4_000, tls=True, sni="x"), method="GET")
    alert = tripped(interaction, kind="url", token=NAME, held_back_count=3, quiet_s=60)
    assert "3 more uses since the last alert" in alert.text
    assert "within 60 s are kept" in alert.text
    assert alert.src_data == {"client_port": "4000", "tls": "yes", "sni": "x"}
    assert "held back" not in tripped(interaction, kind="url", token=NAME).text
