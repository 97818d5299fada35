"""`lapwing callbacks alerts`: what nobody took is listed, and tried again by the collector that is asked to."""

import asyncio
import json
from pathlib import Path

import pytest

from lapwing.io.store import Letters, Store, StoreSettings
from tests.app.conftest import Lapwing
from tests.io.listen.lab import DOMAIN, resolve, serving
from tests.io.listen.test_alerts import NAME, Receiver, alerting, plant, receiving, settled


def test_a_given_up_alert_is_listed_without_its_key_and_delivered_after_a_retry(
    lapwing: Lapwing, tmp_path: Path
) -> None:
    store = tmp_path / "store.db"

    async def main() -> None:
        receiver = Receiver(500, 500, 200)
        async with (
            receiving(receiver) as url,
            serving(alerting(tmp_path, webhooks=(url,), tries_count=2)) as collector,
        ):
            await plant(collector)
            await resolve(collector, f"{NAME}.{DOMAIN}")
            await settled(collector, dead=1)
            listed = await asyncio.to_thread(lapwing, "callbacks", "alerts", "--store", store)
            assert "s3cret" not in listed.out
            given_up = json.loads(listed.out)
            assert given_up["to"] == url.partition("/hook")[0].rpartition(":")[0]
            assert (given_up["token"], given_up["note"], given_up["failure"]) == (NAME, "in the wiki", "status 500")
            assert (given_up["tries_count"], given_up["next_try_ns"]) == (2, None)
            again = await asyncio.to_thread(lapwing, "callbacks", "alerts", "--retry", "--store", store)
            assert "1 alert will be tried again by the collector" in again.err
            await settled(collector, delivered=1)
        nothing = await asyncio.to_thread(lapwing, "callbacks", "alerts", "--retry", "--store", store)
        assert (nothing.code, nothing.out) == (0, "")
        assert "none was given up" in nothing.err

    asyncio.run(main())


def test_an_alert_that_waits_is_listed_with_its_next_try(lapwing: Lapwing, tmp_path: Path) -> None:
    async def main() -> None:
        receiver = Receiver(500)
        async with receiving(receiver) as url:
            chosen = alerting(tmp_path, webhooks=(url,), max_retry_s=3_600.0)
            async with serving(chosen) as collector:
                await plant(collector, note="wiki\x1b[2J")
                await resolve(collector, f"{NAME}.{DOMAIN}")
                await receiver.news.wait()
        kept = await Store.open(StoreSettings(url=f"sqlite:///{tmp_path / 'store.db'}"))
        (letter,) = await Letters(kept).waiting()
        await Letters(kept).failed(letter.letter_id, "refused", 10**18)
        await kept.close()

    asyncio.run(main())
    store = tmp_path / "store.db"
    (line,) = lapwing("callbacks", "alerts", "--store", store).out.splitlines()
    assert json.loads(line)["next_try_ns"] == 10**18
    table = lapwing("callbacks", "alerts", "-o", "table", "--store", store).out
    assert "2001-09-09" in table
    assert "\x1b" not in table


@pytest.mark.parametrize(
    "command", [("callbacks", "alerts"), ("token", "list"), ("token", "show", "x"), ("token", "revoke", "x")]
)
def test_a_store_that_is_not_there_is_named_and_not_made(
    lapwing: Lapwing, tmp_path: Path, command: tuple[str, ...]
) -> None:
    missing = tmp_path / "typo.db"
    said = lapwing(*command, "--store", missing)
    assert said.code == 3
    assert "no such store" in said.err
    assert str(missing) in said.err
    assert not missing.exists()


def test_alerts_have_two_shapes(lapwing: Lapwing, tmp_path: Path) -> None:
    said = lapwing("callbacks", "alerts", "-o", "csv", "--store", tmp_path / "store.db")
    assert said.code == 2
    assert "csv" in said.err
