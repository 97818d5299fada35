"""Two nodes that saw parts of the traffic, merged, know what one node would have known."""

from typing import Any

import pytest

from lapwing.detect.decay import SECOND_NS
from lapwing.detect.login import Keyring, Login
from lapwing.detect.settings import DetectSettings
from lapwing.detect.trackers import (
    Accounts,
    Credentials,
    Fingerprints,
    Networks,
    Pairs,
    Site,
    Sources,
    Takeovers,
    Tracker,
)
from lapwing.events import AuthResolved
from lapwing.testing.logins import START_NS, Traffic, attacker

RING = Keyring(bytes(16))
S = DetectSettings()


class Node:
    """The trackers of one machine."""

    def __init__(self) -> None:
        self.pairs = Pairs(S.pair, 5_000)
        self.others: list[Tracker[Any]] = [
            Sources(S.source, 5_000),
            Accounts(S.account, 5_000),
            Fingerprints(S.fingerprint, 5_000),
            Networks(S.network, 5_000),
            Credentials(S.credential, 5_000),
            Site(S.site),
            Takeovers(S.takeover, 5_000, RING),
        ]

    def see(self, event: AuthResolved) -> dict[str, list[tuple[str, float]]]:
        login = RING.login(event, event.ts_ns)
        assert isinstance(login, Login)
        said = {"pair": [(r.name, r.weight) for r in self.pairs.observe(login, login.now_ns)]}
        for tracker in self.others:
            said[tracker.name] = [(r.name, r.weight) for r in tracker.observe(login, login.now_ns)]
        return said

    def merge(self, other: "Node") -> None:
        self.pairs.merge(other.pairs.snapshot())
        for mine, theirs in zip(self.others, other.others, strict=True):
            mine.merge(theirs.snapshot())


def traffic() -> list[AuthResolved]:
    t = Traffic(5)
    for n in range(60):
        account = "director" if n % 3 == 0 else f"user{n}"
        t.login(START_NS + n * SECOND_NS, attacker(n % 12), account, f"guess {n % 20}")
        t.person(START_NS + n * SECOND_NS, f"10.1.{n}.1", f"worker{n}", "ja4:browser")
    return t.scenario("both").events


@pytest.mark.parametrize("split", ["by source", "by turns"])
def test_merged_trackers_say_what_one_would_have_said(split: str) -> None:
    one, left, right = Node(), Node(), Node()
    events = traffic()
    for n, event in enumerate(events):
        one.see(event)
        to_left = n % 2 == 0 if split == "by turns" else event.client_ip[-1] in "02468"
        (left if to_left else right).see(event)
    left.merge(right)
    t = Traffic(6)
    t.login(events[-1].ts_ns + SECOND_NS, attacker(3), "director", "the last guess")
    last = t.scenario("last").events[0]
    merged, single = left.see(last), one.see(last)
    for name in single:
        assert [n for n, _ in merged[name]] == [n for n, _ in single[name]], name
        assert [w for _, w in merged[name]] == pytest.approx([w for _, w in single[name]], rel=0.05), name


def test_merging_an_empty_node_changes_nothing() -> None:
    node, events = Node(), traffic()
    for event in events:
        node.see(event)
    before = [tracker.snapshot() for tracker in (node.pairs, *node.others)]
    node.merge(Node())
    assert len(before) == 8
    after = Node()
    after.merge(node)
    t = Traffic(6)
    t.login(events[-1].ts_ns + SECOND_NS, attacker(3), "director", "the last guess")
    last = t.scenario("last").events[0]
    assert after.see(last) == node.see(last)
