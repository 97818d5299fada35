"""The session on an event loop: waits, polls, outages, evictions, the end. On virtual time."""

import asyncio
import logging
from collections.abc import Awaitable

import pytest

from lapwing.callbacks import Disabled, HttpInteraction, Inconclusive, NotObserved, Observed, Outcome
from lapwing.callbacks.interactsh import V1_2_4, V1_3_0, V1_3_1, Dialect, FetchFailure
from tests.io.callbacks.conftest import MakeSession
from tests.io.callbacks.desk import DeskCollector, http_hit, run


async def soon(*waits: Awaitable[Outcome]) -> list[asyncio.Task[Outcome]]:
    """Start waits and let them get as far as they can without time passing."""
    tasks = [asyncio.ensure_future(one) for one in waits]
    await asyncio.sleep(0)
    return tasks


def test_a_hit_before_the_wait_is_observed(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> Outcome:
        async with make() as session:
            planted = session.mint("order webhook")
            collector.desk.hit(planted)
            return await session.wait_for(planted, timeout=30)

    outcome = run(main())
    assert isinstance(outcome, Observed)
    assert outcome.interaction.peer.client_ip == "203.0.113.9"


def test_a_hit_during_the_wait_ends_it_within_one_poll(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> tuple[Outcome, float]:
        async with make(poll_interval_s=2.0) as session:
            planted = session.mint()
            (waiting,) = await soon(session.wait_for(planted, timeout=30))
            await asyncio.sleep(5)
            collector.desk.hit(planted)
            began = asyncio.get_running_loop().time()
            return await waiting, asyncio.get_running_loop().time() - began

    outcome, took_s = run(main())
    assert isinstance(outcome, Observed)
    assert took_s <= 2.1  # virtual seconds: the poll interval and the call


def test_a_second_wait_is_answered_from_what_was_seen(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> tuple[Outcome, int, int]:
        async with make() as session:
            planted = session.mint()
            collector.desk.hit(planted)
            await session.wait_for(planted)
            polls = collector.poll_count
            return await session.wait_for(planted, timeout=0), polls, collector.poll_count

    outcome, before, after = run(main())
    assert isinstance(outcome, Observed)
    assert before == after


def test_a_wait_for_http_stays_parked_when_dns_comes_first(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> Outcome:
        async with make() as session:
            planted = session.mint()
            (waiting,) = await soon(session.wait_for(planted, "http", timeout=30))
            collector.desk.hit(planted)
            await asyncio.sleep(5)
            assert not waiting.done()
            http_hit(collector.desk, planted)
            return await waiting

    outcome = run(main())
    assert isinstance(outcome, Observed)
    assert isinstance(outcome.interaction, HttpInteraction)


def test_waits_for_different_tokens_do_not_hear_one_another(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> list[Outcome]:
        async with make() as session:
            hit, quiet = session.mint(), session.mint()
            waits = await soon(session.wait_for(hit, timeout=10), session.wait_for(quiet, timeout=10))
            collector.desk.hit(hit)
            return [await one for one in waits]

    assert [type(one) for one in run(main())] == [Observed, NotObserved]


def test_minting_sends_nothing_and_works_in_an_outage(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> tuple[list[str], str]:
        async with make() as session:
            collector.outage = True
            planted = [session.mint() for _ in range(100)]
            assert len({one.unique_id for one in planted}) == 100
            return list(collector.desk.calls), planted[0].url

    calls, url = run(main())
    assert calls == ["/register"]
    assert url == f"https://{url.removeprefix('https://')[:33]}.oast.example.com"


def test_two_sessions_live_side_by_side_each_with_names_of_its_own(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> tuple[list[Outcome], int]:
        async with make() as one, make() as other:
            mine, theirs = one.mint(), other.mint()
            collector.desk.hit(mine)
            outcomes = [await one.wait_for(mine), await other.wait_for(theirs, timeout=5)]
            assert one.find(theirs.host) is None
            return outcomes, len(collector.desk.boxes)

    outcomes, boxes = run(main())
    assert [type(one) for one in outcomes] == [Observed, NotObserved]
    assert boxes == 2


def test_what_a_hit_brings_is_who_came_when_by_what_and_for_which_purpose(
    make: MakeSession, collector: DeskCollector
) -> None:
    async def main() -> tuple[Outcome, str | None]:
        async with make() as session, session.following() as hits:
            http_hit(collector.desk, session.mint("webhook of the order service"))
            hit = await anext(hits)
            assert hit.token is not None
            return await session.wait_for(hit.token), hit.token.purpose

    outcome, purpose = run(main())
    assert isinstance(outcome, Observed)
    hit = outcome.interaction
    assert isinstance(hit, HttpInteraction)
    assert (hit.peer.client_ip, hit.peer.tls, hit.ts_ns) == ("203.0.113.9", True, 1)
    assert hit.raw_request == b"GET / HTTP/1.1\r\n\r\n"
    assert purpose == "webhook of the order service"


@pytest.mark.parametrize("dialect", [V1_2_4, V1_3_0, V1_3_1])
def test_every_generation_of_server_is_understood(
    make: MakeSession, collector: DeskCollector, dialect: Dialect
) -> None:
    async def main() -> Outcome:
        async with make() as session:
            planted = session.mint()
            http_hit(collector.desk, planted, tls=True)
            return await session.wait_for(planted, "http")

    collector.desk.dialect = dialect
    assert isinstance(run(main()), Observed)


def test_absence_is_said_after_a_poll_past_the_deadline(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> tuple[Outcome, float]:
        async with make(poll_interval_s=2.0) as session:
            began = asyncio.get_running_loop().time()
            return await session.wait_for(session.mint(), timeout=3), began + 3

    outcome, deadline = run(main())
    assert isinstance(outcome, NotObserved)
    assert collector.times[-1] >= deadline


def test_a_hit_in_the_last_moment_is_still_observed(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> Outcome:
        async with make(poll_interval_s=20.0) as session:
            planted = session.mint()
            (waiting,) = await soon(session.wait_for(planted, timeout=10))
            await asyncio.sleep(9.999)
            collector.desk.hit(planted)
            return await waiting

    assert isinstance(run(main()), Observed)


def test_an_outage_at_the_deadline_is_inconclusive(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> Outcome:
        async with make() as session:
            (waiting,) = await soon(session.wait_for(session.mint(), timeout=5))
            await asyncio.sleep(1)
            collector.outage = True
            return await waiting

    assert isinstance(run(main()), Inconclusive)


def test_an_outage_before_the_deadline_that_lost_nothing_is_no_doubt(
    make: MakeSession, collector: DeskCollector
) -> None:
    async def main() -> Outcome:
        async with make() as session:
            (waiting,) = await soon(session.wait_for(session.mint(), timeout=30))
            collector.outage = True
            await asyncio.sleep(8)
            collector.outage = False
            return await waiting

    assert isinstance(run(main()), NotObserved)


@pytest.mark.parametrize("failure", [one for one in FetchFailure if one.may_have_lost])
def test_a_poll_that_may_have_emptied_the_mailbox_leaves_doubt(
    make: MakeSession, collector: DeskCollector, failure: FetchFailure
) -> None:
    async def main() -> Outcome:
        async with make() as session:
            collector.failures.append(failure)
            return await session.wait_for(session.mint(), timeout=20)

    assert isinstance(run(main()), Inconclusive)


def test_entries_that_cannot_be_decrypted_leave_doubt_and_a_warning(
    make: MakeSession, collector: DeskCollector, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> Outcome:
        async with make() as session:
            planted = session.mint()
            collector.desk.boxes[planted.token.correlation_id].mail.append("bm90IGVuY3J5cHRlZCBhdCBhbGwsIGF0IGFsbA==")
            return await session.wait_for(planted, timeout=10)

    assert isinstance(run(main()), Inconclusive)
    assert [one.levelno for one in caplog.records] == [logging.WARNING]


def test_one_bad_entry_costs_the_others_nothing(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> Outcome:
        async with make() as session:
            planted = session.mint()
            collector.desk.put(planted.token.correlation_id, b'{"protocol": 7}')
            collector.desk.hit(planted)
            return await session.wait_for(planted)

    assert isinstance(run(main()), Observed)


def test_an_evicted_session_registers_again_with_the_same_id(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> tuple[Outcome, Outcome, set[str]]:
        async with make() as session:
            planted = session.mint()
            collector.desk.boxes.clear()
            before = await session.wait_for(planted, timeout=10)
            collector.desk.hit(planted)
            return before, await session.wait_for(planted, timeout=10), set(collector.desk.boxes)

    before, after, ids = run(main())
    assert isinstance(before, Inconclusive)
    assert isinstance(after, Observed)
    assert ids == {after.interaction.unique_id[:20]}
    assert collector.desk.calls.count("/register") == 2


def test_nobody_waiting_means_nothing_is_asked(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> int:
        async with make() as session:
            await asyncio.sleep(600)
            await session.wait_for(session.mint(), timeout=1)
            polls = collector.poll_count
            await asyncio.sleep(600)
            return collector.poll_count - polls

    assert run(main()) == 0


def test_all_waits_share_one_poller(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> None:
        async with make(poll_interval_s=2.0, burst_count=3) as session:
            await asyncio.gather(*(session.wait_for(session.mint(), timeout=20) for _ in range(50)))

    run(main())
    assert collector.poll_count <= 14
    assert collector.desk.calls.count("/register") == 1


def test_the_old_is_forgotten_during_an_outage_too(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> tuple[int, int]:
        async with make() as session:
            planted = session.mint()
            collector.desk.hit(planted)
            await session.wait_for(planted)
            kept = session.statistics()["observations"]
            collector.outage = True
            await asyncio.sleep(700)
            return kept, session.statistics()["observations"]

    assert run(main()) == (1, 0)


def test_failing_polls_are_backed_off(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> None:
        async with make() as session:
            collector.outage = True
            await session.wait_for(session.mint(), timeout=60)

    run(main())
    pauses = [round(after - before) for before, after in zip(collector.times, collector.times[1:], strict=False)]
    assert pauses[:4] == [2, 4, 8, 16]


def test_three_failures_degrade_a_session_and_one_success_ends_it(
    make: MakeSession, collector: DeskCollector, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> list[bool]:
        seen = []
        async with make() as session:
            collector.failures.extend([FetchFailure.CONNECT] * 3)
            collector.after_poll = lambda: seen.append(session.degraded)
            (waiting,) = await soon(session.wait_for(session.mint(), timeout=60))
            await asyncio.sleep(10)
            seen.append(session.degraded)
            await waiting
            return [*seen[:2], session.degraded]

    assert run(main()) == [True, True, False]
    assert [one.message for one in caplog.records] == ["the callback collector does not answer: connect (url redacted)"]


def test_a_collector_that_takes_no_registration_disables_every_wait_and_warns_once(
    make: MakeSession, collector: DeskCollector, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> tuple[Outcome, Disabled | None]:
        async with make() as session:
            return await session.wait_for(session.mint(), timeout=30), session.disabled

    collector.outage = True
    outcome, disabled = run(main())
    assert isinstance(outcome, Disabled)
    assert outcome == disabled
    assert len(caplog.records) == 1
    assert collector.poll_count == 0


def test_a_wrong_token_disables_and_a_right_one_does_not(make: MakeSession, collector: DeskCollector) -> None:
    async def main(token: str | None) -> Outcome:
        async with make(token=token) as session:
            planted = session.mint()
            if session.disabled is None:
                collector.desk.hit(planted)
            return await session.wait_for(planted)

    collector.desk.token = "the collector's"
    assert isinstance(run(main("the collector's")), Observed)
    assert isinstance(run(main(None)), Disabled)


def test_the_end_wakes_who_waits_and_tells_the_collector(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> tuple[Outcome, float]:
        async with make() as session:
            (waiting,) = await soon(session.wait_for(session.mint(), timeout=60))
            await asyncio.sleep(1)
        began = asyncio.get_running_loop().time()
        await session.aclose()  # a second time does nothing more
        return await waiting, asyncio.get_running_loop().time() - began

    outcome, took_s = run(main())
    assert outcome == Disabled("session shut down")
    assert took_s == 0
    assert collector.desk.calls[-1] == "/deregister"
    assert collector.desk.boxes == {}
    assert collector.closed


def test_a_wait_after_the_end_is_disabled_at_once(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> Outcome:
        async with make() as session:
            planted = session.mint()
        return await session.wait_for(planted, timeout=60)

    assert run(main()) == Disabled("session shut down")


def test_a_cancelled_wait_leaves_nothing_behind_and_others_go_on(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> tuple[Outcome, int]:
        async with make() as session:
            planted = session.mint()
            one, other = await soon(session.wait_for(planted, timeout=30), session.wait_for(planted, timeout=30))
            one.cancel()
            await asyncio.sleep(0)
            left = session.statistics()["waiters"]
            collector.desk.hit(planted)
            return await other, left

    outcome, left = run(main())
    assert isinstance(outcome, Observed)
    assert left == 1


def test_a_collector_that_hangs_does_not_hold_up_the_end(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> float:
        async with make() as session:
            await soon(session.wait_for(session.mint(), timeout=60))
            collector.delay_s = 3600
            await asyncio.sleep(5)
            began = asyncio.get_running_loop().time()
        return asyncio.get_running_loop().time() - began

    assert run(main()) <= 2.0


def test_followers_see_everything_own_and_shared(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> list[tuple[str | None, str]]:
        async with make() as session, session.following() as hits:
            planted = session.mint("mail gateway")
            collector.desk.hit(planted)
            collector.desk.extra.append('{"protocol":"ftp","unique-id":"","remote-address":"198.51.100.4:21"}')
            found = [await anext(hits), await anext(hits)]
            return [(one.token.purpose if one.token else None, one.interaction.peer.client_ip) for one in found]

    assert sorted(run(main()), key=str) == [("mail gateway", "203.0.113.9"), (None, "198.51.100.4")]


def test_a_follower_is_told_of_the_end(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> list[object]:
        async with make() as session, session.following() as hits:
            asyncio.get_running_loop().call_later(10, lambda: asyncio.ensure_future(session.aclose()))
            return [hit async for hit in hits]

    assert run(main()) == []


def test_a_token_is_found_again_in_any_form_it_was_planted_in(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> None:
        async with make() as session:
            planted = session.mint("x")
            for text in (planted.unique_id.upper(), planted.host, planted.url, f"{planted.url}/a?b", str(planted)):
                assert session.find(text) == planted
            assert session.find(planted.mail_address) == planted
            assert session.find("https://www.example.com") is None

    run(main())


def test_a_fault_in_a_call_ends_waits_without_a_verdict(make: MakeSession, collector: DeskCollector) -> None:
    async def main() -> tuple[Outcome, list[str]]:
        faults: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context["message"]))
        async with make() as session:

            def break_once() -> None:
                collector.after_poll = lambda: None
                raise ZeroDivisionError

            collector.after_poll = break_once
            return await session.wait_for(session.mint(), timeout=10), faults

    outcome, faults = run(main())
    assert isinstance(outcome, Inconclusive)
    assert faults == ["a call to a callback collector"]
