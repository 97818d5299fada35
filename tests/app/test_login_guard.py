"""The guard: detection inside a program."""

import asyncio
import pickle
import threading
from hashlib import sha1
from typing import Any

import msgspec
import pytest

from lapwing import AuthAttempt, AuthResult, Guard, Takeover
from lapwing.detect import Detector, DetectSettings, Verdict
from lapwing.detect.settings import ExcludeSettings
from lapwing.events import (
    AccountChanged,
    Action,
    AuthEvent,
    AuthEvidence,
    AuthResolved,
    Circumstances,
    DecisionLifted,
    DecisionMade,
    Event,
    FindingRaised,
    Outcome,
)
from lapwing.logins import LeakFilter
from lapwing.logins.leaked import shape_for
from lapwing.testing.logins import START_NS, nat, stuffing
from lapwing.web import Gate

SECOND_NS = 1_000_000_000
HOUR_NS = 3_600 * SECOND_NS
KEY = b"sixteen bytes or more"


def guard(**settings: object) -> Guard:
    return Guard(msgspec.convert(settings, DetectSettings), key=KEY, clock=lambda: START_NS)


def fail(subject: Guard, n: int, source: str = "198.51.100.7", at_s: float | None = None) -> Verdict | Takeover:
    at_ns = START_NS + int((n if at_s is None else at_s) * SECOND_NS)
    return subject.result(
        AuthResult(source=source, username=f"victim{n}", secret=f"leak {n}", outcome="failed", ts_ns=at_ns)
    )


def ask(subject: Guard, username: str, source: str = "198.51.100.7", at_s: float = 60) -> Verdict:
    return subject.attempt(
        AuthAttempt(source=source, username=username, secret="any", ts_ns=START_NS + int(at_s * SECOND_NS))
    )


def test_a_clean_attempt_is_allowed_and_leaves_nothing_behind() -> None:
    subject = guard()
    before = subject.statistics()
    assert ask(subject, "user").action is Action.ALLOW
    assert subject.statistics() == before


def test_an_attack_is_blocked_and_the_block_is_an_event_with_reasons() -> None:
    subject = guard()
    for n in range(12):
        fail(subject, n)
    verdict = ask(subject, "victim99")
    assert verdict.action is Action.BLOCK
    assert verdict.retry_after_s >= 300
    made = [event for event in subject.events_since(0) if isinstance(event, DecisionMade)]
    assert made[-1].value == "198.51.100.7"
    assert any(reason.startswith("source-accounts=") for reason in made[-1].reasons)
    assert subject.decisions()["198.51.100.7"][0] is Action.BLOCK


def test_blocked_tries_count_and_renew_the_block() -> None:
    subject = guard()
    for n in range(12):
        fail(subject, n)
    until = [subject.decisions()["198.51.100.7"][1]]
    for n in range(5):
        ask(subject, f"more{n}", at_s=100 + 100 * n)
        until.append(subject.decisions()["198.51.100.7"][1])
    assert until == sorted(until)
    assert until[-1] > until[0]
    assert subject.statistics()["attempts_refused"] == 5


def test_a_further_block_lasts_longer_and_a_past_one_is_lifted() -> None:
    subject = guard()
    lengths = []
    for day in range(3):
        for n in range(14):
            fail(subject, n + 100 * day, at_s=day * 90_000 + n)
        made = [e for e in subject.events_since(0) if isinstance(e, DecisionMade) and e.action is Action.BLOCK]
        lengths.append(made[-1].duration_s)
    assert lengths == sorted(set(lengths))
    assert any(isinstance(event, DecisionLifted) for event in subject.events_since(0))


def test_a_known_user_of_a_blocked_address_gets_in() -> None:
    subject = guard()
    subject.result(AuthResult(source="198.51.100.7", username="owner", secret="s", outcome="succeeded", ts_ns=START_NS))
    for n in range(30):
        fail(subject, n)
    assert ask(subject, "stranger").action is Action.BLOCK
    assert ask(subject, "owner").action in (Action.ALLOW, Action.WATCH, Action.CHALLENGE)


def test_a_success_after_guessing_elsewhere_is_a_takeover_that_names_the_account() -> None:
    subject = guard()
    subject.result(AuthResult(source="192.0.2.9", username="owner", secret="s", outcome="succeeded", ts_ns=START_NS))
    for n in range(20):
        at_ns = START_NS + (60 + n) * SECOND_NS
        subject.result(
            AuthResult(source="198.51.100.7", username="owner", secret=f"g{n}", outcome="failed", ts_ns=at_ns)
        )
    taken = subject.result(
        AuthResult(
            source="203.0.113.5", username="owner", secret="s", outcome="succeeded", ts_ns=START_NS + 200 * SECOND_NS
        )
    )
    assert isinstance(taken, Takeover)
    assert (taken.account, taken.source) == ("owner", "203.0.113.5")
    assert taken.action in (Action.CHALLENGE, Action.BLOCK)
    assert [finding.subject for finding in subject.takeovers_since(0)] == ["owner"]


def test_every_source_that_takes_an_account_over_is_told_of() -> None:
    subject = guard()
    owner: dict[str, Any] = {"username": "owner", "secret": "s", "outcome": "succeeded"}
    subject.result(AuthResult(source="192.0.2.9", **owner, ts_ns=START_NS))
    for n in range(20):
        at_ns = START_NS + (60 + n) * SECOND_NS
        subject.result(
            AuthResult(source="198.51.100.7", username="owner", secret=f"g{n}", outcome="failed", ts_ns=at_ns)
        )
    takers = ["203.0.113.5", "203.0.114.5", "203.0.115.5"]
    for n, source in enumerate([*takers, takers[-1]]):
        taken = subject.result(AuthResult(source=source, **owner, ts_ns=START_NS + (200 + n) * SECOND_NS))
        assert isinstance(taken, Takeover) == (n < len(takers))  # the last one is known by now
        if isinstance(taken, Takeover):
            assert (taken.account, taken.source) == ("owner", source)
    assert [finding.finding_id for finding in subject.takeovers_since(0)] == [taken_id(subject)] * 3
    assert subject.takeovers_since(0)[-1].sources == [takers[0], "198.51.100.7", *takers[1:]]


def taken_id(subject: Guard) -> str:
    return next(one.finding_id for one in subject.campaigns() if one.finding == "account-takeover")


def test_a_try_that_gives_an_earlier_takeover_away_names_its_account_and_its_source() -> None:
    subject = guard()
    tool = "ja4:tool"
    for name, home in (("bob", "192.0.2.9"), ("carl", "192.0.2.10")):
        at_home: dict[str, Any] = {"source": home, "username": name, "fingerprint": "ja4:browser"}
        subject.result(AuthResult(**at_home, secret="s", outcome="succeeded", ts_ns=START_NS))
    told = []
    for n in range(40):
        at_ns = START_NS + (1_000 + 30 * n) * SECOND_NS
        how: dict[str, Any] = {"source": f"203.0.{n}.7", "fingerprint": tool, "ts_ns": at_ns}
        who = {3: "bob", 30: "carl"}.get(n)
        if who is None:
            how |= {"username": f"x{n}", "secret": f"p{n}", "outcome": "failed"}
        else:
            how |= {"username": who, "secret": "s", "outcome": "succeeded"}
        answer = subject.result(AuthResult(**how))
        if isinstance(answer, Takeover):
            told.append((n > 3, answer.account, answer.source))
    assert told == [(True, "bob", "203.0.3.7"), (True, "carl", "203.0.30.7")]


def test_a_secret_is_dropped_when_the_guard_has_seen_it() -> None:
    attempt = AuthAttempt(source="192.0.2.1", username="user", secret="hunter2hunter2")
    assert "hunter2" not in repr(attempt)
    guard().attempt(attempt)
    assert attempt._secret is None
    assert attempt.secret_tag is not None
    with pytest.raises(TypeError):
        pickle.dumps(attempt)


def test_no_snapshot_shows_a_secret_its_tag_or_an_account_name() -> None:
    subject = guard()
    for n in range(30):
        fail(subject, n)
    tags = AuthAttempt(source="192.0.2.1", secret="leak 3")
    subject.attempt(tags)
    snapshot = subject.snapshot()
    for word in ("victim", "leak", tags.secret_tag or ""):
        assert word.encode() not in snapshot


def test_snapshot_and_restore_change_no_answer() -> None:
    straight, other = guard(), guard()
    for n in range(25):
        fail(straight, n)
    other.restore(straight.snapshot())
    assert ask(other, "x") == ask(straight, "x")
    assert other.decisions() == straight.decisions()
    assert fail(other, 77) == fail(straight, 77)


@pytest.mark.parametrize("damaged", [b"", b"\x93", b"not a snapshot", msgspec.msgpack.encode([9, 0, 0, [], b""])])
def test_a_damaged_snapshot_is_refused(damaged: bytes) -> None:
    with pytest.raises(ValueError, match="snapshot"):
        guard().restore(damaged)


def test_a_snapshot_of_a_guard_is_refused_and_not_begun_wherever_a_byte_changed() -> None:
    subject = guard()
    for n in range(25):
        fail(subject, n)
    snapshot, other = subject.snapshot(), guard()
    before = other.snapshot()
    for at in (*range(0, len(snapshot), 997), *range(len(snapshot) - 200, len(snapshot))):  # decisions are at the end
        damaged = bytearray(snapshot)
        damaged[at] ^= 1
        for take in (other.restore, other.merge):
            with pytest.raises(ValueError, match="snapshot"):
                take(bytes(damaged))
    assert other.snapshot() == before


def test_a_snapshot_that_no_guard_made_is_refused_with_nothing_taken() -> None:
    subject = guard()
    before = subject.snapshot()
    for stranger in (Gate(key=KEY).snapshot(), Detector(key=KEY).snapshot()):
        for take in (subject.restore, subject.merge):
            with pytest.raises(ValueError, match="not a snapshot of a guard"):
                take(stranger)
    assert subject.snapshot() == before


def test_a_snapshot_of_another_key_is_refused() -> None:
    with pytest.raises(ValueError, match="another key"):
        Guard(key=bytes(16)).restore(guard().snapshot())


def test_two_merged_nodes_know_what_one_would() -> None:
    left, right, one = guard(), guard(), guard()
    for n in range(12):
        fail(left if n % 2 else right, n)
        fail(one, n)
    left.merge(right.snapshot())
    merged, single = left.source("198.51.100.7"), one.source("198.51.100.7")
    assert {**merged, "under_attack": 1.0} == pytest.approx(single, rel=0.05)
    assert fail(left, 50).risk == pytest.approx(fail(one, 50).risk, rel=0.05)
    assert left.source("198.51.100.7")["under_attack"] == 1.0


def test_queries_answer_about_source_account_fingerprint_and_campaign() -> None:
    subject = guard()
    for event in stuffing(3).events:
        subject.observe(event)
    assert subject.source("203.0.113.7")["under_attack"] == 1.0
    assert subject.source("192.0.2.200") == {}
    assert subject.account("user3")
    assert subject.fingerprint("ja4:t12d0505_tool")["tries_d"] > 20
    (campaign,) = [f for f in subject.campaigns() if f.finding == "credential-stuffing"]
    assert subject.campaign(campaign.finding_id) == campaign
    assert subject.campaign("none") is None


def test_explain_tells_what_leaving_a_reason_out_would_change() -> None:
    subject = guard()
    for n in range(8):
        fail(subject, n)
    verdict = ask(subject, "next")
    told = {part.reason.name: part for part in subject.explain(verdict)}
    assert told["source-accounts"].risk_without < verdict.risk
    assert told["source-accounts"].group == "source"


def test_exclusions_are_neither_judged_nor_counted() -> None:
    subject = guard(exclude={"sources": ["198.51.100.0/24"], "accounts": ["Probe"], "endpoints": ["GET /health"]})
    for n in range(50):
        fail(subject, n)
        subject.result(AuthResult(source=f"192.0.2.{n}", username="probe", secret=f"{n}", outcome="failed"))
    assert ask(subject, "x").action is Action.ALLOW
    assert subject.statistics()["rows_source"] == 0


@pytest.mark.parametrize(
    ("excluded", "source"),
    [
        ("192.0.2.0/24", "::ffff:192.0.2.9"),
        ("::ffff:192.0.2.0/120", "192.0.2.9"),
        ("::ffff:192.0.2.9", "::ffff:c000:209"),
        ("2001:db8::/32", "2001:db8::9"),
    ],
)
def test_an_exclusion_holds_however_the_address_is_written(excluded: str, source: str) -> None:
    subject = guard(exclude={"sources": [excluded]})
    for n in range(20):
        fail(subject, n, source=source)
    assert subject.events_since(0) == []
    assert subject.source(source) == {}


def test_release_lifts_a_decision() -> None:
    subject = guard()
    for n in range(12):
        fail(subject, n)
    subject.release("198.51.100.7")
    assert subject.decisions() == {}
    assert isinstance(subject.events_since(0)[-1], DecisionLifted)


def test_many_events_at_once_are_judged_as_one_by_one() -> None:
    events = stuffing(4).events
    one, many = guard(), guard()
    singly = [one.observe(event) for event in events]
    assert many.observe_many(events) == singly
    assert many.events_since(0) == one.events_since(0)


def test_threads_and_tasks_share_a_guard() -> None:
    subject = guard()

    def work(base: int) -> None:
        for n in range(200):
            fail(subject, base + n, source=f"198.51.100.{base // 1000}", at_s=n)

    threads = [threading.Thread(target=work, args=(base,)) for base in (1_000, 2_000, 3_000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    async def tasks() -> None:
        await asyncio.gather(*(asyncio.to_thread(fail, subject, n) for n in range(20)))

    asyncio.run(tasks())
    assert subject.statistics()["logins_failed"] == 620


def test_nobody_behind_a_shared_address_is_answered_with_more_than_a_watch() -> None:
    subject = guard()
    verdicts = [subject.observe(event) for event in nat(5).events]
    assert {verdict.action for verdict in verdicts} <= {Action.ALLOW, Action.WATCH}
    assert subject.events_since(0) == []


def test_events_are_numbered_and_handed_over_as_they_come() -> None:
    heard: list[object] = []
    subject = Guard(key=KEY, clock=lambda: START_NS, on_event=heard.append)
    for n in range(20):
        fail(subject, n)
    assert subject.events_since(0) == heard
    assert [event.seq for event in subject.events_since(1)] == list(range(2, len(heard) + 1))
    assert any(isinstance(event, FindingRaised) for event in heard)


def test_a_leaked_password_and_a_changed_address_are_taken_into_account() -> None:
    leaks = LeakFilter(shape_for(10, 0.001))
    leaks.add_hash(sha1(b"hunter2", usedforsecurity=False).digest())
    subject = Guard(key=KEY, leaks=leaks, clock=lambda: START_NS)
    home: dict[str, Any] = {"source": "192.0.2.1", "username": "alice", "fingerprint": "ja4:browser", "ts_ns": START_NS}
    subject.result(AuthResult(outcome="succeeded", secret="hunter2", **home))
    away: dict[str, Any] = {"source": "203.0.113.9", "username": "alice", "fingerprint": "ja4:tool"}
    for n in range(2):
        subject.result(AuthResult(outcome="failed", secret=f"guess {n}", **away, ts_ns=START_NS + HOUR_NS + n))
    told = subject.result(AuthResult(outcome="succeeded", secret="hunter2", **away, ts_ns=START_NS + HOUR_NS + 9))
    assert isinstance(told, Verdict)
    assert "leaked-secret" in {reason.name for reason in told.reasons}
    change = AccountChanged(ts_ns=START_NS + HOUR_NS + 20, client_ip="203.0.113.9", username="alice", change="password")
    taken = subject.changed(change)
    assert taken is not None
    assert (taken.account, taken.source) == ("alice", "203.0.113.9")
    assert subject.changed(change) is None
    assert b"hunter2" not in subject.snapshot()


def test_places_are_looked_up_beside_a_leaked_password() -> None:
    leaks = LeakFilter(shape_for(10, 0.001))
    leaks.add_hash(sha1(b"hunter2", usedforsecurity=False).digest())
    asked: list[tuple[type[AuthEvent], Circumstances | None]] = []
    places = {"192.0.2.1": Circumstances(country="DE"), "203.0.113.9": Circumstances(country="BR")}

    def look_up(event: AuthEvent) -> Circumstances | None:
        asked.append((type(event), event.circumstances))
        return places.get(event.client_ip)

    subject = Guard(key=KEY, leaks=leaks, look_up=look_up, clock=lambda: START_NS)
    subject.result(AuthResult(source="192.0.2.1", username="alice", secret="hunter2", outcome="succeeded"))
    subject.attempt(AuthAttempt(source="198.51.100.1", username="alice", secret="hunter2"))
    told = subject.result(AuthResult(source="203.0.113.9", username="alice", secret="hunter2", outcome="succeeded"))
    assert isinstance(told, Verdict)
    assert {reason.name for reason in told.reasons} >= {"leaked-secret", "new-country"}
    assert [kind.__name__ for kind, _ in asked] == ["AuthResolved", "AuthAttempted", "AuthResolved"]
    assert [given for _, given in asked] == [None] * 3
    given = Circumstances(country="FR")
    subject.attempt(AuthAttempt(source="203.0.113.9", username="alice", secret="hunter2", circumstances=given))
    assert len(asked) == 3


def test_events_of_before_are_gone_when_a_state_is_restored() -> None:
    subject = guard()
    fresh = subject.snapshot()
    for n in range(20):
        fail(subject, n)
    assert subject.events_since(0)
    subject.restore(fresh)
    assert (subject.events_since(0), subject.takeovers_since(0)) == ([], [])
    for n in range(20):
        fail(subject, n, source="203.0.113.5")
    told = subject.events_since(0)
    assert [event.seq for event in told] == list(range(1, len(told) + 1))


def test_whoever_is_called_by_a_guard_and_calls_it_is_told_so() -> None:
    subject = guard()

    def ask_on_event(event: Event) -> None:
        asking.source("198.51.100.7")

    def ask_to_look_up(event: AuthEvent) -> Circumstances | None:
        looking.statistics()
        return None

    asking = Guard(key=KEY, clock=lambda: START_NS, on_event=ask_on_event)
    looking = Guard(key=KEY, clock=lambda: START_NS, look_up=ask_to_look_up)
    login = AuthResolved(
        ts_ns=START_NS, protocol="http", mechanism="form", endpoint="POST /login", client_ip="192.0.2.1",
        outcome=Outcome.FAILED, evidence=AuthEvidence.LOG, confidence=1.0,
    )  # fmt: skip
    for call in (
        lambda: [fail(asking, n) for n in range(20)],
        lambda: fail(looking, 1),
        lambda: subject.observe_many(login for _ in range(3) if not subject.source("192.0.2.1")),
    ):
        with pytest.raises(RuntimeError, match=r"on_event, look_up"):
            call()
    for one in (asking, looking, subject):
        assert one.source("203.0.113.1") == {}  # nobody is left inside


def test_a_host_that_changes_its_address_within_its_subnet_is_answered_as_one_source() -> None:
    subject = guard()
    for n in range(12):
        fail(subject, n, source=f"2001:db8:1:2::{n:x}")
    assert ask(subject, "victim99", source="2001:db8:1:2:3:4:5:6").action is Action.BLOCK
    assert list(subject.decisions()) == ["2001:db8:1:2::/64"]
    assert ask(subject, "victim99", source="2001:db8:1:3::1").action is not Action.BLOCK
    subject.release("2001:db8:1:2::7")
    assert subject.decisions() == {}


def test_an_ipv4_address_written_as_ipv6_is_the_same_source() -> None:
    subject = guard()
    for n in range(12):
        fail(subject, n)
    assert ask(subject, "victim99", source="::ffff:198.51.100.7").action is Action.BLOCK
    assert list(subject.decisions()) == ["198.51.100.7"]


def test_settings_change_with_nothing_forgotten() -> None:
    subject = guard()
    for n in range(12):
        subject.result(AuthResult(source="198.51.100.7", username=f"user{n}", secret=f"leaked {n}", outcome="failed"))
    known, decided = subject.source("198.51.100.7"), subject.decisions()
    assert known
    assert decided
    excluded = DetectSettings(exclude=ExcludeSettings(sources=("203.0.113.0/24",)))
    subject.change(excluded)
    assert subject.settings == excluded
    assert (subject.source("198.51.100.7"), subject.decisions()) == (known, decided)
    subject.result(AuthResult(source="203.0.113.5", username="user1", secret="guess", outcome="failed"))
    assert not subject.source("203.0.113.5")
    with pytest.raises(ValueError, match="max_sources"):
        subject.change(DetectSettings(max_sources=2_048))
