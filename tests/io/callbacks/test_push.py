"""The client against Lapwing's own collector: push, acknowledgement, proofs over a stream, streams that break."""

import asyncio
import http.client
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from lapwing.callbacks import ClientSettings, Disabled, Inconclusive, NotObserved, Observed, SessionSettings, session
from lapwing.callbacks.interactsh import Call, CallError, FetchFailure
from lapwing.io.callbacks import Planted, Session
from lapwing.io.callbacks.wire import HttpCollector
from lapwing.io.listen import Collector
from tests.io.listen.lab import LOOPBACK, deleted, serving, settings, slowed
from tests.patience import ENOUGH_S

OWN = ("127.0.0.0/8",)
PATIENT = SessionSettings(verdict_grace_s=ENOUGH_S)
WAITS = SessionSettings(default_timeout_s=0.5, poll_interval_s=0.2)


def opening(collector: Collector, **options: Any) -> Any:
    port = collector.ports["control"][0]
    domain = collector.settings.domains[0]
    chosen = ClientSettings(domain=domain, call_timeout_s=ENOUGH_S, waits=options.pop("waits", PATIENT))
    return session(f"http://{LOOPBACK}:{port}", private_networks=OWN, settings=chosen, **options)


def touch(collector: Collector, planted: Planted) -> None:
    connection = http.client.HTTPConnection(LOOPBACK, collector.ports["http"][0], timeout=ENOUGH_S)
    try:
        connection.request("GET", "/", headers={"Host": planted.host})
        connection.getresponse().read()
    finally:
        connection.close()


async def streaming(collector: Collector) -> None:
    """Wait until there is a stream that has read what was there before it."""
    async with asyncio.timeout(ENOUGH_S):
        while not (streams := [one for some in collector.hub._streams.values() for one in some]) or streams[0].behind:
            await asyncio.sleep(0.01)


def test_a_hit_is_pushed_while_nobody_polls(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(settings(tmp_path)) as collector, opening(collector) as callbacks:
            await streaming(collector)
            planted = callbacks.mint("order webhook")
            waiting = asyncio.ensure_future(callbacks.wait_for(planted, accepts="http", timeout=ENOUGH_S))
            await asyncio.to_thread(touch, collector, planted)
            outcome = await waiting
            assert isinstance(outcome, Observed)
            assert outcome.interaction.raw_request.startswith(b"GET / HTTP/1.1\r\n")

    asyncio.run(main())


def test_absence_is_proved_by_a_mark_the_stream_has_passed(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(settings(tmp_path)) as collector, opening(collector, waits=WAITS) as callbacks:
            await streaming(collector)
            other = callbacks.mint()
            await asyncio.to_thread(touch, collector, other)
            assert isinstance(await callbacks.wait_for(callbacks.mint()), NotObserved)
            assert isinstance(await callbacks.wait_for(other, timeout=0), Observed)

    asyncio.run(main())


def test_a_stream_that_breaks_loses_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(settings(tmp_path)) as collector, opening(collector) as callbacks:
            for _ in range(3):
                await streaming(collector)
                planted = callbacks.mint()
                collector.hub.end_all("broken for a test")
                await asyncio.to_thread(touch, collector, planted)
                assert isinstance(await callbacks.wait_for(planted, timeout=ENOUGH_S), Observed)
            assert callbacks.statistics()["repeated"] == 0

    asyncio.run(main())


def test_a_stream_that_breaks_before_it_says_anything_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, broken = HttpCollector.stream, asyncio.Event()

    def breaking(self: HttpCollector, call: Call) -> Any:
        if broken.is_set():
            return stream(self, call)
        raise CallError(FetchFailure.BODY)

    async def main() -> None:
        monkeypatch.setattr(HttpCollector, "stream", breaking)
        async with serving(settings(tmp_path)) as collector, opening(collector) as callbacks:
            planted = callbacks.mint()
            await asyncio.to_thread(touch, collector, planted)
            assert isinstance(await callbacks.wait_for(planted, timeout=ENOUGH_S), Observed)
            broken.set()

    asyncio.run(main())


def test_a_collector_that_restarts_is_found_again_with_all_it_had_taken(tmp_path: Path) -> None:
    async def main() -> None:
        chosen = settings(tmp_path)
        async with serving(chosen) as collector:
            callbacks: Session = await opening(collector).__aenter__()
            port = collector.ports["control"][0]
            await streaming(collector)
            planted = callbacks.mint()
        try:
            async with serving(settings(tmp_path, control_port=port)) as collector:
                await asyncio.to_thread(touch, collector, planted)
                assert isinstance(await callbacks.wait_for(planted, timeout=ENOUGH_S), Observed)
                assert isinstance(await callbacks.wait_for(callbacks.mint(), timeout=0.5), NotObserved)
        finally:
            await callbacks.aclose()

    asyncio.run(main())


def test_what_retention_took_before_the_stream_told_of_it_leaves_no_verdict(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(settings(tmp_path)) as collector, opening(collector, waits=WAITS) as callbacks:
            await streaming(collector)
            planted = callbacks.mint()
            with slowed(collector):
                await asyncio.to_thread(touch, collector, planted)
                await collector._upkeep.sweep()
                collector.store.settings = replace(collector.store.settings, keep_s=1e-9)
                assert await deleted(collector) == 1
            assert isinstance(await callbacks.wait_for(planted), Inconclusive)

    asyncio.run(main())


def test_a_collector_that_is_gone_at_the_deadline_leaves_no_verdict(tmp_path: Path) -> None:
    async def main() -> None:
        short = SessionSettings(default_timeout_s=0.5, poll_interval_s=0.2, verdict_grace_s=0.5)
        async with serving(settings(tmp_path)) as collector:
            callbacks: Session = await opening(collector, waits=short).__aenter__()
        try:
            assert isinstance(await callbacks.wait_for(callbacks.mint()), Inconclusive)
        finally:
            await callbacks.aclose()

    asyncio.run(main())


def test_what_was_acknowledged_is_not_given_again_to_a_later_run(tmp_path: Path) -> None:
    async def main() -> None:
        file = tmp_path / "session"
        async with serving(settings(tmp_path)) as collector:
            async with opening(collector, session_file=file) as callbacks:
                planted = callbacks.mint()
                await asyncio.to_thread(touch, collector, planted)
                assert isinstance(await callbacks.wait_for(planted, timeout=ENOUGH_S), Observed)
            async with opening(collector, session_file=file) as callbacks:
                assert isinstance(await callbacks.wait_for(planted, timeout=0), Observed)
                late = callbacks.mint()
                await asyncio.to_thread(touch, collector, late)
                assert isinstance(await callbacks.wait_for(late, timeout=ENOUGH_S), Observed)
                assert callbacks.statistics()["repeated"] == 0

    asyncio.run(main())


def test_the_end_is_prompt_and_ends_the_mailbox(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(settings(tmp_path)) as collector:
            async with opening(collector) as callbacks:
                await streaming(collector)
                waiting = asyncio.ensure_future(callbacks.wait_for(callbacks.mint(), timeout=60))
                await asyncio.sleep(0)
            assert await waiting == Disabled("session shut down")
            assert len(collector.directory) == 0

    asyncio.run(main())


@pytest.mark.parametrize("count", [200])
def test_many_hits_all_arrive_once_and_in_time(tmp_path: Path, count: int) -> None:
    """The delays are printed, not asserted: the machine decides them."""

    async def main() -> list[float]:
        delays: list[float] = []
        async with serving(settings(tmp_path)) as collector, opening(collector) as callbacks:
            await streaming(collector)
            async with callbacks.following() as hits:
                for _ in range(count):
                    planted = callbacks.mint()
                    began = time.perf_counter()
                    await asyncio.to_thread(touch, collector, planted)
                    hit = await anext(hits)
                    delays.append(time.perf_counter() - began)
                    assert hit.token == planted.token
            assert callbacks.statistics()["repeated"] == 0
        return sorted(delays)

    delays = asyncio.run(main())
    print(f"sender to reader: p50 {delays[count // 2] * 1e3:.1f} ms, p99 {delays[int(count * 0.99)] * 1e3:.1f} ms")
