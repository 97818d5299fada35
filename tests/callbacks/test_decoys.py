"""Decoys: whose use in a login trips, how often it is told, and what is never told."""

import secrets
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.callbacks import DecoyIndex, decoy_account, decoy_password
from lapwing.callbacks.decoys import MAX_LOGINS, MAX_OPEN, MAX_SAMPLES
from lapwing.events import (
    AnomalySeen,
    AuthAttempted,
    AuthEvidence,
    AuthResolved,
    Event,
    Finding,
    FindingRaised,
    FindingUpdated,
    Outcome,
    SettingsError,
    Severity,
    TokenTripped,
)
from lapwing.logins.secrets import SecretTagger

KEY = bytes(range(32))
NOTE = "left in the wiki of the finance team"


def login(ts_ns: int = 1, **more: Any) -> AuthAttempted:
    given: dict[str, Any] = {"protocol": "ssh", "mechanism": "password", "endpoint": "ssh", "client_ip": "203.0.113.9"}
    return AuthAttempted(ts_ns=ts_ns, **{**given, **more})


def outcome(of: AuthAttempted, result: Outcome) -> AuthResolved:
    return AuthResolved(
        **{name: getattr(of, name) for name in AuthAttempted.__struct_fields__},
        outcome=result,
        evidence=AuthEvidence.LOG,
        confidence=1.0,
    )


def observed(index: DecoyIndex, *events: Event) -> list[Event]:
    return [found for event in events for found in index.observe(event)]


def test_a_login_with_a_decoy_account_names_token_and_note() -> None:
    index = DecoyIndex([decoy_account("Svc-Payroll", NOTE)])
    tripped, finding = observed(index, login(username="svc-payroll", auth_id=7))
    assert isinstance(tripped, TokenTripped)
    assert (tripped.token_kind, tripped.token_id, tripped.purpose, tripped.auth_id) == (
        "account",
        "svc-payroll",
        NOTE,
        7,
    )
    assert isinstance(finding, FindingRaised)
    assert (finding.finding, finding.severity) == ("decoy-used", Severity.HIGH)
    assert "svc-payroll" in finding.sentence
    assert NOTE in finding.sentence


def test_a_login_with_a_decoy_password_trips_under_the_key_of_the_run() -> None:
    password = secrets.token_urlsafe(12)
    decoy = decoy_password(password, KEY, NOTE)
    index = DecoyIndex([decoy])
    tag = SecretTagger(KEY).tag(password)
    assert [type(one) for one in observed(index, login(username="alice", secret_tag=tag))] == [
        TokenTripped,
        FindingRaised,
    ]
    other = SecretTagger(bytes(32)).tag(password)
    assert observed(index, login(username="alice", secret_tag=other)) == []
    assert password not in msgspec.json.encode(decoy).decode()


def test_attempt_and_outcome_of_one_login_are_one_use() -> None:
    index = DecoyIndex([decoy_account("svc")])
    tried = login(username="svc", auth_id=1)
    assert len(observed(index, tried)) == 2
    assert observed(index, outcome(tried, Outcome.FAILED)) == []
    assert index.tripped_count == 1


def test_a_login_that_succeeds_is_told_as_worse() -> None:
    index = DecoyIndex([decoy_account("svc")])
    tried = login(username="svc", auth_id=1)
    observed(index, tried)
    (finding,) = observed(index, outcome(tried, Outcome.SUCCEEDED))
    assert isinstance(finding, FindingUpdated)
    assert finding.severity is Severity.CRITICAL
    assert "was let in" in finding.sentence


def test_a_flood_alarms_seldom_and_every_hit_is_kept() -> None:
    index = DecoyIndex([decoy_account("svc")])
    events = observed(index, *(login(ts, username="svc") for ts in range(1, 1001)))
    findings = [one for one in events if isinstance(one, Finding)]
    assert sum(isinstance(one, TokenTripped) for one in events) == 1000
    assert [one.attempt_count for one in findings] == [1, 10, 100, 1000]
    assert len({one.finding_id for one in findings}) == 1


def test_sources_are_told_apart() -> None:
    index = DecoyIndex([decoy_account("svc")])
    events = observed(index, login(username="svc"), login(username="svc", client_ip="198.51.100.7"))
    assert [one.subject for one in events if isinstance(one, FindingRaised)] == ["203.0.113.9", "198.51.100.7"]


def test_excluded_networks_trip_nothing_and_are_counted() -> None:
    index = DecoyIndex([decoy_account("svc", excluded=("203.0.113.0/24",))])
    assert observed(index, login(username="svc"), login(username="svc", client_ip="not an address")) != []
    assert (index.excluded_count, index.tripped_count) == (1, 1)


def test_an_excluded_network_holds_for_ipv4_addresses_written_as_ipv6() -> None:
    index = DecoyIndex([decoy_account("svc", excluded=("203.0.113.0/24",))])
    assert observed(index, login(username="svc", client_ip="::ffff:203.0.113.9")) == []
    assert observed(index, login(username="svc", client_ip="::ffff:198.51.100.9")) != []


def test_other_logins_and_other_events_trip_nothing() -> None:
    index = DecoyIndex([decoy_account("svc")])
    anomaly = AnomalySeen(ts_ns=1, kind="tcp.out_of_window", severity=Severity.INFO)
    assert observed(index, login(username="alice", secret_tag="svc"), login(), anomaly) == []


def test_a_flood_of_sources_stays_within_the_bound() -> None:
    index = DecoyIndex([decoy_account("svc")])
    observed(index, *(login(ts, username="svc", client_ip=f"10.{ts >> 8}.{ts & 255}.1") for ts in range(10_100)))
    assert index.statistics() == {"decoys": 1, "tripped": 10_100, "excluded": 0, "uses": 10_000}


@pytest.mark.parametrize("username", ["", " ", "\n"])
def test_a_decoy_account_has_a_name(username: str) -> None:
    with pytest.raises(SettingsError, match="--username"):
        decoy_account(username)


def test_what_would_trip_by_chance_is_refused() -> None:
    with pytest.raises(SettingsError, match="8 characters"):
        decoy_password("x" * 7, KEY)
    with pytest.raises(SettingsError, match="--exclude"):
        decoy_account("svc", excluded=("203.0.113.9/24",))


@given(st.lists(st.tuples(st.sampled_from(["svc", "alice", None]), st.integers(0, 3), st.integers(0, 4)), max_size=40))
def test_what_is_told_depends_on_the_logins_alone(steps: list[tuple[str | None, int, int]]) -> None:
    logins = [
        login(ts, username=name, auth_id=auth_id, client_ip=f"192.0.2.{host}")
        for ts, (name, host, auth_id) in enumerate(steps)
    ]
    first, second = (observed(DecoyIndex([decoy_account("svc", NOTE)]), *logins) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("beyond", [0, 1])
def test_uses_of_so_many_sources_are_counted_together_and_the_longest_unused_is_forgotten(beyond: int) -> None:
    index = DecoyIndex([decoy_account("svc")])
    for number in range(MAX_OPEN + beyond):
        index.observe(login(username="svc", client_ip=f"10.0.{number >> 8}.{number & 255}"))
    assert index.statistics()["uses"] == MAX_OPEN
    again = [type(event) for event in index.observe(login(2, username="svc", client_ip="10.0.0.0"))]
    assert again == [TokenTripped, FindingRaised][: 1 + beyond]


@pytest.mark.parametrize("beyond", [0, 1])
def test_so_many_logins_are_known_again_by_their_outcome(beyond: int) -> None:
    index = DecoyIndex([decoy_account("svc")])
    tries = [login(username="svc", auth_id=1 + number) for number in range(MAX_LOGINS + beyond)]
    for one in tries:
        index.observe(one)
    tripped = index.tripped_count
    index.observe(outcome(tries[0], Outcome.FAILED))
    assert index.tripped_count - tripped == beyond


@pytest.mark.parametrize("beyond", [0, 1])
def test_a_finding_of_a_decoy_names_so_many_logins_the_first(beyond: int) -> None:
    index = DecoyIndex([decoy_account("svc")])
    for number in range(MAX_SAMPLES + beyond):
        one = login(username="svc", auth_id=1 + number)
        told = observed(index, msgspec.structs.replace(one, seq=1 + number))
    told = observed(index, msgspec.structs.replace(outcome(one, Outcome.SUCCEEDED), seq=100))
    assert [list(event.sample_seqs) for event in told if isinstance(event, Finding)] == [[*range(1, 1 + MAX_SAMPLES)]]


def test_many_uses_are_told_with_a_number_people_can_read() -> None:
    index = DecoyIndex([decoy_account("svc")])
    told = [event for number in range(1_000) for event in index.observe(login(1 + number, username="svc"))]
    assert [event.sentence for event in told if isinstance(event, Finding)][-1].endswith(
        "used the decoy account svc 1,000 times at ssh, for which nobody has a reason."
    )
