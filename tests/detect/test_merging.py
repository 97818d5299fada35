"""Two nodes that saw parts of the traffic, merged, know what one node would have known."""

import pytest

from lapwing.detect import Detector, Verdict
from lapwing.detect.decay import SECOND_NS
from lapwing.events import AuthResolved
from lapwing.testing.logins import START_NS, Traffic, attacker


class Node:
    """The detector of one machine."""

    def __init__(self) -> None:
        self.detector = Detector()

    def see(self, event: AuthResolved) -> Verdict:
        self.detector.observe(event)
        return self.detector.verdict

    def merge(self, other: "Node") -> None:
        self.detector.merge(other.detector.snapshot())


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
    assert [r.name for r in merged.reasons] == [r.name for r in single.reasons]
    assert [r.weight for r in merged.reasons] == pytest.approx([r.weight for r in single.reasons], rel=0.05)


def test_merging_an_empty_node_changes_nothing() -> None:
    node, events = Node(), traffic()
    for event in events:
        node.see(event)
    node.merge(Node())
    after = Node()
    after.merge(node)
    t = Traffic(6)
    t.login(events[-1].ts_ns + SECOND_NS, attacker(3), "director", "the last guess")
    last = t.scenario("last").events[0]
    assert after.see(last) == node.see(last)
