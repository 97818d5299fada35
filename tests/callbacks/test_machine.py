"""The session: waits, proofs of absence, losses, pace, bounds."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.callbacks import Attribution, DnsInteraction, HttpInteraction, Interaction, Peer, Placement
from lapwing.callbacks.interaction import OtherInteraction
from lapwing.callbacks.interactsh import FetchFailure
from lapwing.callbacks.interactsh.client import MAX_REPLY_BYTES, MAX_SHOWN_CHARS, Batch
from lapwing.callbacks.machine import (
    CallbackSession,
    Fetch,
    Output,
    Received,
    Register,
    Resolve,
    State,
)
from lapwing.callbacks.outcomes import Accepts, Disabled, Inconclusive, NotObserved, Observed, Outcome
from lapwing.callbacks.pace import MANY_FAILURES, RateBucket, backoff_ns
from lapwing.callbacks.retention import MAX_DIGESTS, MAX_FORGOTTEN, MAX_GAPS, Gap, Gaps, Observations, Repeats
from lapwing.callbacks.settings import ClientSettings, SessionSettings
from lapwing.callbacks.tokens import Token, TokenBook, TokenKey, correlation_id
from lapwing.events import SettingsError

S = 1_000_000_000
OWN_ID = correlation_id(bytes(range(20)))
PEER = Peer("203.0.113.9", 5353)


def session(**settings: Any) -> CallbackSession:
    """A session that has been listening since time 0."""
    made = CallbackSession(TokenBook(TokenKey(bytes(32), OWN_ID)), SessionSettings(**settings))
    made.registered(0)
    return made


def hit(token: Token | str, kind: type[Interaction] = DnsInteraction, ts_ns: int = 0, **more: Any) -> Interaction:
    unique_id = token if isinstance(token, str) else token.unique_id
    found = Attribution(unique_id[:20], unique_id[20:], unique_id, Placement.DNS_NAME)
    return kind(ts_ns=ts_ns, peer=PEER, attribution=found, **more)


def batch(*interactions: Interaction, **more: Any) -> Batch:
    return Batch(list(interactions), **{"shared": [], **more})


def outcomes(outputs: list[Output]) -> dict[int, Outcome]:
    return {output.waiter_id: output.outcome for output in outputs if isinstance(output, Resolve)}


def fetch(outputs: list[Output]) -> int | None:
    """The time of the one plan in the outputs."""
    (plan,) = [output for output in outputs if isinstance(output, Fetch)]
    return plan.at_ns


def succeed(made: CallbackSession, at_ns: int, *interactions: Interaction, **more: Any) -> list[Output]:
    made.fetch_started(at_ns)
    return made.fetched(batch(*interactions, **more), at_ns + S // 10)


def fail(made: CallbackSession, at_ns: int, failure: FetchFailure = FetchFailure.CONNECT) -> list[Output]:
    made.fetch_started(at_ns)
    return made.fetch_failed(failure, at_ns + S // 10)


# Waits that are answered.


def test_what_came_before_the_wait_answers_it_at_once() -> None:
    made = session()
    token = made.book.mint("x", S)
    succeed(made, 2 * S, hit(token))
    waiter, outputs = made.wait(token, "dns", 3 * S)
    assert outcomes(outputs) == {waiter: Observed(hit(token))}
    assert made.waiter_count == 0


def test_what_comes_later_wakes_all_who_wait_for_it() -> None:
    made = session()
    token, other = made.book.mint("x", S), made.book.mint("y", S)
    first, _ = made.wait(token, "dns", S)
    second, _ = made.wait(token, "any", S)
    third, _ = made.wait(other, "any", S)
    outputs = succeed(made, 2 * S, hit(token))
    assert outputs[0] == Received(token, hit(token))
    assert outcomes(outputs) == {first: Observed(hit(token)), second: Observed(hit(token))}
    assert made.waiter_count == 1
    assert third not in outcomes(outputs)


def test_another_protocol_leaves_the_wait_going() -> None:
    made = session()
    token = made.book.mint("x", S)
    waiter, _ = made.wait(token, "http", S)
    assert outcomes(succeed(made, 2 * S, hit(token))) == {}
    wanted = hit(token, HttpInteraction)
    assert outcomes(succeed(made, 3 * S, hit(token, ts_ns=7), wanted)) == {waiter: Observed(wanted)}


def test_a_late_waiter_gets_the_first_that_its_filter_accepts() -> None:
    made = session()
    token = made.book.mint("x", S)
    hits = [hit(token, HttpInteraction if index > 2 else DnsInteraction, ts_ns=index) for index in range(6)]
    succeed(made, 2 * S, *hits)
    wanted: list[tuple[Accepts, Interaction]] = [("any", hits[0]), ("dns", hits[0]), ("http", hits[3])]
    for accepted, expected in wanted:
        waiter, outputs = made.wait(token, accepted, 5 * S)
        assert outcomes(outputs) == {waiter: Observed(expected)}


def test_unknown_protocols_answer_only_any() -> None:
    made = session()
    token = made.book.mint("x", S)
    made.wait(token, "dns", S)
    everything, _ = made.wait(token, "any", S)
    assert list(outcomes(succeed(made, S, hit(token, OtherInteraction, name="smb")))) == [everything]


def test_cancelling_one_wait_leaves_the_other() -> None:
    made = session()
    token = made.book.mint("x", S)
    first, _ = made.wait(token, "any", S)
    second, _ = made.wait(token, "any", S)
    made.cancel(first, S)
    made.cancel(first, S)
    assert list(outcomes(succeed(made, S, hit(token)))) == [second]
    third, _ = made.wait(made.book.mint("y", S), "any", S)
    assert fetch(made.cancel(third, 2 * S)) is None
    assert made.waiter_count == 0


def test_unique_id_is_compared_without_letter_case_and_full_id_not_at_all() -> None:
    made = session()
    token = made.book.mint("x", S)
    waiter, _ = made.wait(token, "any", S)
    found = Attribution(OWN_ID.upper(), token.nonce.upper(), "a.b." + token.unique_id.upper(), Placement.OTHER)
    outputs = succeed(made, S, DnsInteraction(ts_ns=1, peer=PEER, attribution=found))
    assert list(outcomes(outputs)) == [waiter]


# Absence and its proof.


def test_absence_needs_a_fetch_that_began_at_or_after_the_deadline() -> None:
    made = session()
    token = made.book.mint("x", S)
    waiter, _ = made.wait(token, "any", S, 10 * S)
    made.fetch_started(11 * S - 1)  # began before, ends after: proves nothing
    assert outcomes(made.fetched(batch(), 12 * S)) == {}
    assert outcomes(made.tick(12 * S)) == {}
    assert outcomes(succeed(made, 12 * S)) == {waiter: NotObserved(12 * S)}


def test_a_fetch_is_planned_for_the_deadline() -> None:
    made = session()
    token = made.book.mint("x", S)
    _, outputs = made.wait(token, "any", S, 3 * S)
    assert fetch(outputs) == S
    assert fetch(succeed(made, S)) == 3 * S
    assert fetch(succeed(made, 3 * S)) == 4 * S  # not at 5: the deadline is at 4


def test_without_the_proof_a_wait_ends_inconclusive_after_its_grace() -> None:
    made = session()
    waiter, _ = made.wait(made.book.mint("x", S), "any", S, 10 * S)
    fail(made, 11 * S)
    assert made.next_wakeup_ns == 21 * S
    assert outcomes(made.tick(21 * S - 1)) == {}
    assert isinstance(outcomes(made.tick(21 * S))[waiter], Inconclusive)


def test_a_degraded_session_gives_up_after_one_more_try() -> None:
    made = session()
    waiter, _ = made.wait(made.book.mint("x", S), "any", S, 30 * S)
    for at_s, degraded in ((2, False), (5, False), (10, True)):
        outputs = fail(made, at_s * S)
        assert made.degraded is degraded
    assert outcomes(outputs) == {}
    assert fetch(outputs) == 10 * S + S // 10 + 8 * S
    assert fetch(fail(made, 19 * S)) == 31 * S  # back-off says 35, the deadline is earlier
    assert isinstance(outcomes(fail(made, 31 * S))[waiter], Inconclusive)
    made.wait(made.book.mint("y", 40 * S), "any", 40 * S)
    succeed(made, 41 * S)
    assert not made.degraded


@pytest.mark.parametrize("failure", [failure for failure in FetchFailure if failure.may_have_lost])
def test_a_fetch_that_may_have_emptied_the_mailbox_leaves_doubt(failure: FetchFailure) -> None:
    made = session()
    waiter, _ = made.wait(made.book.mint("x", S), "any", S, 10 * S)
    fail(made, 2 * S, failure)
    made.registered(3 * S)
    later = made.book.mint("y", 5 * S)
    after, _ = made.wait(later, "any", 5 * S, 5 * S)
    ended = outcomes(succeed(made, 11 * S))
    assert isinstance(ended[waiter], Inconclusive)
    assert ended[after] == NotObserved(11 * S)  # made after the loss


@pytest.mark.parametrize("failure", [FetchFailure.CONNECT, FetchFailure.THROTTLED])
def test_a_fetch_that_took_nothing_leaves_no_doubt(failure: FetchFailure) -> None:
    made = session()
    waiter, _ = made.wait(made.book.mint("x", S), "any", S, 10 * S)
    fail(made, 2 * S, failure)
    assert outcomes(succeed(made, 11 * S)) == {waiter: NotObserved(11 * S)}


def test_an_acknowledging_collector_loses_nothing_by_a_failed_fetch() -> None:
    made = session()
    waiter, _ = made.wait(made.book.mint("x", S), "any", S, 10 * S)
    made.fetch_started(2 * S)
    made.fetch_failed(FetchFailure.BODY, 3 * S, acknowledged=True)
    assert outcomes(succeed(made, 11 * S)) == {waiter: NotObserved(11 * S)}


@pytest.mark.parametrize("loss", [{"undecryptable_count": 1}, {"dropped_count": 1}, {"cut": True}])
def test_entries_that_could_not_be_read_leave_doubt(loss: dict[str, Any]) -> None:
    made = session()
    waiter, _ = made.wait(made.book.mint("x", S), "any", S, 10 * S)
    succeed(made, 2 * S, **loss)
    assert isinstance(outcomes(succeed(made, 11 * S))[waiter], Inconclusive)
    made = session()
    waiter, _ = made.wait(made.book.mint("x", S), "any", S, 10 * S)
    assert isinstance(outcomes(succeed(made, 11 * S, **loss))[waiter], Inconclusive)


def test_what_was_observed_stays_observed_in_spite_of_doubt() -> None:
    made = session()
    token = made.book.mint("x", S)
    waiter, _ = made.wait(token, "any", S, 10 * S)
    fail(made, 2 * S, FetchFailure.BODY)
    assert outcomes(succeed(made, 3 * S, hit(token), undecryptable_count=4)) == {waiter: Observed(hit(token))}


def test_a_token_older_than_the_registration_cannot_be_proved_absent() -> None:
    made = CallbackSession(TokenBook(TokenKey(bytes(32), OWN_ID)))
    early = made.book.mint("x", 0)
    made.registered(S)
    waiter, _ = made.wait(early, "any", S, S)
    assert isinstance(outcomes(succeed(made, 3 * S))[waiter], Inconclusive)


def test_a_mailbox_that_was_kept_leaves_no_doubt() -> None:
    made = CallbackSession(TokenBook(TokenKey(bytes(32), OWN_ID)))
    early = made.book.mint("x", 0)
    made.registered(S, kept=True)
    waiter, _ = made.wait(early, "any", S, S)
    assert outcomes(succeed(made, 3 * S)) == {waiter: NotObserved(3 * S)}


# Eviction, refusal, end.


def test_eviction_registers_again_and_leaves_doubt_about_the_time_between() -> None:
    made = session()
    waiter, _ = made.wait(made.book.mint("x", S), "any", S, 20 * S)
    succeed(made, 2 * S)
    outputs = fail(made, 4 * S, FetchFailure.EVICTED)
    assert [output for output in outputs if isinstance(output, Register)] == [Register(4 * S + S // 10)]
    assert made.state is State.EVICTED
    outputs = made.registration_failed(FetchFailure.CONNECT, 5 * S)
    assert [output for output in outputs if isinstance(output, Register)] == [Register(9 * S)]
    assert fetch(made.registered(9 * S)) is not None
    assert isinstance(outcomes(succeed(made, 22 * S))[waiter], Inconclusive)


def test_a_wait_during_an_eviction_that_lasts_ends_inconclusive() -> None:
    made = session()
    fail(made, S, FetchFailure.EVICTED)
    waiter, outputs = made.wait(made.book.mint("x", 2 * S), "any", 2 * S, S)
    assert outputs == []
    outcome = outcomes(made.tick(13 * S))[waiter]
    assert isinstance(outcome, Inconclusive)
    assert "forgot the registration" in outcome.reason


def test_a_refused_registration_disables_and_says_why() -> None:
    made = CallbackSession(TokenBook(TokenKey(bytes(32), OWN_ID)))
    early, outputs = made.wait(made.book.mint("x", 0), "any", 0)
    assert outputs == []
    ended = outcomes(made.registration_failed(FetchFailure.CONNECT, S, "no route"))
    assert ended == {early: Disabled("the collector did not accept the registration (no route)")}
    waiter, outputs = made.wait(made.book.mint("x", S), "any", S)
    assert outcomes(outputs) == {waiter: ended[early]}


def test_a_refused_token_disables_until_registered_anew() -> None:
    made = session()
    token = made.book.mint("x", S)
    waiter, _ = made.wait(token, "any", S)
    assert isinstance(outcomes(fail(made, 2 * S, FetchFailure.UNAUTHORISED))[waiter], Disabled)
    made.registered(5 * S)
    waiter, _ = made.wait(token, "any", 6 * S, S)
    assert isinstance(outcomes(succeed(made, 7 * S))[waiter], Inconclusive)  # nobody listened from 2 to 5


def test_shutdown_tells_everybody_at_once_and_twice_is_once() -> None:
    made = session()
    waiters = [made.wait(made.book.mint("x", S), "any", S)[0] for _ in range(3)]
    assert outcomes(made.shutdown(2 * S)) == dict.fromkeys(waiters, Disabled("session shut down"))
    assert made.shutdown(2 * S) == []
    waiter, outputs = made.wait(made.book.mint("x", 3 * S), "any", 3 * S)
    assert outcomes(outputs) == {waiter: Disabled("session shut down")}
    assert made.next_wakeup_ns is None


# Pace.


def test_nobody_waiting_means_nothing_is_asked() -> None:
    made = session()
    token = made.book.mint("x", S)
    _, outputs = made.wait(token, "any", S)
    assert fetch(outputs) == S
    assert fetch(succeed(made, S)) == 3 * S
    assert not [one for one in succeed(made, 3 * S, hit(token)) if isinstance(one, Fetch) and one.at_ns is not None]


def test_each_new_wait_asks_at_once_within_the_rate() -> None:
    made = session()
    times = []
    for turn in range(6):
        _, outputs = made.wait(made.book.mint("x", S), "any", S)
        at_ns = fetch(outputs)
        assert at_ns is not None
        times.append(at_ns)
        succeed(made, at_ns, undecryptable_count=0)
        assert turn < 6
    assert times[:2] == [S, S]
    assert all(later - earlier <= S // 5 for earlier, later in pairwise(times))
    assert times[-1] >= S + 3 * S // 5


def test_backoff_grows_to_half_a_minute() -> None:
    assert [backoff_ns(count, 30.0) // S for count in range(1, 8)] == [2, 4, 8, 16, 30, 30, 30]


def test_many_failures_keep_requests_a_second_apart() -> None:
    made = session()
    for index in range(MANY_FAILURES + 1):
        fail(made, index * 60 * S)
    now_ns = 4000 * S
    succeed(made, now_ns)
    _, outputs = made.wait(made.book.mint("x", now_ns), "any", now_ns + S // 10)
    assert fetch(outputs) == now_ns + S


def test_the_bucket_lets_a_burst_through_and_then_the_rate() -> None:
    bucket = RateBucket(3, 5.0)
    sent = []
    for _ in range(6):
        at_ns = bucket.earliest(0)
        bucket.take(at_ns)
        sent.append(at_ns * 10 // S)
    assert sent == [0, 0, 0, 2, 4, 6]


def test_while_a_stream_delivers_the_collector_is_asked_once_past_the_deadline() -> None:
    made = session()
    token = made.book.mint("x", S)
    waiter, _ = made.wait(token, "http", S, 5 * S)
    assert fetch(made.pushed([hit(token)], 2 * S)) == 6 * S
    assert made.delivered([], 3 * S) == []
    assert outcomes(made.caught_up(6 * S - 1, 7 * S)) == {}
    assert outcomes(made.caught_up(6 * S, 7 * S)) == {waiter: NotObserved(6 * S)}
    other, _ = made.wait(token, "http", 8 * S, 5 * S)
    assert fetch(made.stream_ended(9 * S)) == 9 * S
    assert outcomes(succeed(made, 14 * S)) == {other: NotObserved(14 * S)}


def test_what_a_collector_says_it_lost_leaves_doubt() -> None:
    made = session()
    made.pushed([], S)
    waiter, _ = made.wait(made.book.mint("x", S), "any", S, 5 * S)
    made.lost(2 * S, "the disk was full")
    assert outcomes(made.caught_up(6 * S, 7 * S)) == {waiter: Inconclusive("the disk was full")}


# Foreign, forged, repeated, bounded.


def test_forged_tokens_are_counted_and_wake_nobody() -> None:
    made = session()
    token = made.book.mint("x", S)
    made.wait(token, "any", S)
    assert outcomes(succeed(made, S, hit(OWN_ID + "y" * 13))) == {}
    assert made.statistics()["forged"] == 1
    assert made.statistics()["observations"] == 0


def test_a_repeated_delivery_is_one_interaction() -> None:
    made = session()
    token = made.book.mint("x", S)
    assert [len(succeed(made, at * S, hit(token))) for at in (1, 2)] == [1, 0]
    assert made.statistics()["repeated"] == 1


def test_shared_interactions_are_kept_to_be_taken_and_ours_among_them_found() -> None:
    made = session(max_shared_count=2)
    token = made.book.mint("x", S)
    waiter, _ = made.wait(token, "any", S)
    foreign = [OtherInteraction(ts_ns=index, peer=PEER, name="smb") for index in range(3)]
    assert list(outcomes(succeed(made, S, shared=[*foreign, hit(token)]))) == [waiter]
    assert made.take_shared() == foreign[1:]
    assert made.take_shared() == []
    assert made.statistics()["shared_dropped"] == 1


def test_old_observations_go_and_leave_doubt_in_their_place() -> None:
    made = session()
    token = made.book.mint("x", S)
    succeed(made, S, hit(token))
    assert made.next_wakeup_ns == 60 * S
    made.tick(60 * S)
    assert made.statistics()["observations"] == 1
    made.tick(661 * S)
    assert made.statistics()["observations"] == 0
    waiter, _ = made.wait(token, "any", 662 * S, S)
    assert isinstance(outcomes(succeed(made, 664 * S))[waiter], Inconclusive)


def test_a_flood_of_one_protocol_hides_no_other() -> None:
    made = session(max_per_protocol_count=4)
    token = made.book.mint("x", S)
    waiter, _ = made.wait(token, "http", S)
    succeed(made, S, *(hit(token, ts_ns=index) for index in range(50)))
    assert made.statistics()["observations"] == 4
    assert made.statistics()["observations_dropped"] == 46
    assert list(outcomes(succeed(made, 2 * S, hit(token, HttpInteraction)))) == [waiter]


def test_caps_hold_and_what_was_dropped_is_not_called_absent() -> None:
    made = session(max_observation_count=10)
    tokens = [made.book.mint(str(index), S) for index in range(25)]
    succeed(made, S, *(hit(token) for token in tokens))
    assert made.statistics()["observations"] == 10
    waiter, _ = made.wait(tokens[0], "any", 2 * S, S)
    assert isinstance(outcomes(succeed(made, 4 * S))[waiter], Inconclusive)


def test_one_wait_too_many_is_refused_with_advice() -> None:
    made = session(max_waiter_count=2)
    token = made.book.mint("x", S)
    results = [made.wait(token, "any", S) for _ in range(3)]
    outcome = outcomes(results[2][1])[results[2][0]]
    assert isinstance(outcome, Disabled)
    assert "max_waiter_count" in outcome.reason


def test_memory_of_losses_is_bounded_and_never_gets_narrower() -> None:
    gaps = Gaps()
    for index in range(0, 10 * MAX_GAPS, 2):
        gaps.add(Gap(index, index + 1, "x"))
    assert len(gaps) == MAX_GAPS
    assert all(gaps.within(index, index) is not None for index in range(0, 10 * MAX_GAPS, 2))
    repeats = Repeats()
    for index in range(MAX_DIGESTS + 2):
        repeats.seen(hit("x" * 33, ts_ns=index))
    assert repeats.seen(hit("x" * 33, ts_ns=5))
    assert not repeats.seen(hit("x" * 33, ts_ns=0))


def test_forgetting_too_many_tokens_makes_their_whole_time_doubtful() -> None:
    kept = Observations(SessionSettings(max_observation_count=1))
    for index in range(MAX_FORGOTTEN + 3):
        kept.add(str(index), hit("x" * 33), 1000 + index)
    assert kept.forgot("0", 0)
    assert kept.forgot("never seen", 1000)
    assert not kept.forgot("never seen", 1002 + MAX_FORGOTTEN)


def test_the_defaults_are_those_of_clients_elsewhere() -> None:
    usual = SessionSettings()
    assert (usual.default_timeout_s, usual.max_timeout_s, usual.poll_interval_s) == (30, 120, 2)
    assert (usual.max_observation_age_s, usual.gc_period_s, usual.degraded_after_count) == (600, 60, 3)
    assert (usual.burst_count, usual.sustained_per_s, usual.max_backoff_s) == (3, 5, 30)
    client = ClientSettings()
    assert (client.call_timeout_s, client.id_length, client.nonce_length) == (5, 20, 13)
    assert (MAX_REPLY_BYTES, MAX_SHOWN_CHARS) == (64 * 1024, 256)


@pytest.mark.parametrize(
    "wrong",
    [{"poll_interval_s": 0}, {"default_timeout_s": 121}, {"poll_interval_s": 30}, {"max_shared_count": -1}],
)
def test_settings_that_do_not_fit_are_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"callbacks\.waits\."):
        SessionSettings(**wrong)


def test_a_wait_is_no_longer_than_allowed() -> None:
    made = session()
    waiter, _ = made.wait(made.book.mint("x", S), "any", S, 9999 * S)
    assert outcomes(succeed(made, 120 * S)) == {}
    assert outcomes(succeed(made, 121 * S)) == {waiter: NotObserved(121 * S)}


# The verdict, under any course of events: a model of the collector beside the session.


class World:
    """A collector with a destructive mailbox, the network before it, and the truth."""

    def __init__(self) -> None:
        self.session = session()
        self.now_ns = S
        self.mailbox: list[Interaction] = []
        self.token = self.session.book.mint("x", S)
        self.hit_at_ns: int | None = None
        self.waiter, outputs = self.session.wait(self.token, "any", S, 20 * S)
        self.ended: Outcome | None = outcomes(outputs).get(self.waiter)

    def step(self, action: str) -> None:
        self.now_ns += S
        if action == "hit":
            if self.session.state is not State.EVICTED:
                self.mailbox.append(hit(self.token, ts_ns=self.now_ns))
            self.hit_at_ns = self.hit_at_ns or self.now_ns
            return
        if action == "tick":
            self.take(self.session.tick(self.now_ns))
            return
        if self.session.state is State.EVICTED:
            if action == "fetch":
                self.take(self.session.registered(self.now_ns))
            return
        self.session.fetch_started(self.now_ns)
        mail = list(self.mailbox)
        if action in {"lost", "evict", "garbled"}:
            self.mailbox.clear()
        self.now_ns += S // 2
        if action == "fetch":
            self.mailbox.clear()
            self.take(self.session.fetched(batch(*mail), self.now_ns))
        elif action == "garbled":
            self.take(self.session.fetched(batch(undecryptable_count=len(mail)), self.now_ns))
        else:
            failure = {"refuse": FetchFailure.CONNECT, "lost": FetchFailure.BODY, "evict": FetchFailure.EVICTED}
            self.take(self.session.fetch_failed(failure[action], self.now_ns))

    def take(self, outputs: list[Output]) -> None:
        ended = outcomes(outputs).get(self.waiter)
        if ended is not None:
            assert self.ended is None  # told once
            self.ended = ended


ACTIONS = st.lists(
    st.sampled_from(["hit", "fetch", "fetch", "refuse", "lost", "evict", "garbled", "tick"]), min_size=1, max_size=40
)


@given(ACTIONS)
def test_absence_is_never_claimed_of_what_happened_before_the_deadline(actions: list[str]) -> None:
    world = World()
    for action in actions:
        world.step(action)
        if isinstance(world.ended, NotObserved):
            assert world.hit_at_ns is None or world.hit_at_ns > 21 * S
    world.now_ns = max(world.now_ns, 100 * S)
    world.step("tick")
    assert world.ended is not None  # every wait ends


@given(ACTIONS)
def test_an_undisturbed_session_sees_every_hit(actions: list[str]) -> None:
    world = World()
    for action in actions:
        world.step(action if action in {"hit", "fetch", "refuse"} else "tick")
    if world.now_ns < 31 * S and world.ended is None:
        world.now_ns = 29 * S
        world.step("fetch")
        assert isinstance(world.ended, Observed if world.hit_at_ns is not None else NotObserved)
