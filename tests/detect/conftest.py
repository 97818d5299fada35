"""Runs a scenario through a detector."""

from collections.abc import Callable
from functools import cache

import pytest

from lapwing.detect import Detector, DetectSettings
from lapwing.events import Action, AuthResolved, Event, Finding, FindingClosed, FindingRaised
from lapwing.testing.logins import Builder, Scenario

MILDEST_FIRST = list(Action)


class Outcome:
    """What a detector said about a list of logins."""

    def __init__(self, logins: list[AuthResolved], settings: DetectSettings | None = None) -> None:
        self.detector = Detector(settings)
        self.told: list[Event] = []
        self.actions: dict[str, Action] = {}
        self.risks: list[float] = []
        for login in logins:
            self.told.extend(self.detector.observe(login))
            verdict = self.detector.verdict
            self.risks.append(verdict.risk)
            worst = self.actions.get(login.client_ip, Action.ALLOW)
            self.actions[login.client_ip] = max(worst, verdict.action, key=MILDEST_FIRST.index)
        if logins:
            self.told.extend(self.detector.finish(logins[-1].ts_ns))

    @property
    def raised(self) -> list[FindingRaised]:
        """Findings as first told."""
        return [f for f in self.told if isinstance(f, FindingRaised)]

    @property
    def last(self) -> list[Finding]:
        """Findings as last told, without those that became part of another."""
        found: dict[str, Finding] = {f.finding_id: f for f in self.told if isinstance(f, Finding)}
        return [f for f in found.values() if "part of finding" not in f.sentence]

    @property
    def kinds(self) -> list[str]:
        """Kinds of the findings as last told, sorted."""
        return sorted(f.finding for f in self.last)

    def one(self, kind: str) -> Finding:
        """The only finding of `kind`."""
        found = [f for f in self.last if f.finding == kind]
        assert len(found) == 1, [f.sentence for f in self.last]
        assert isinstance(found[0], FindingClosed)
        return found[0]

    def worst_of(self, addresses: frozenset[str]) -> Action:
        """The strictest answer anybody at `addresses` got."""
        return max((a for ip, a in self.actions.items() if ip in addresses), key=MILDEST_FIRST.index)


Run = Callable[..., Outcome]


@cache
def built(build: Builder, seed: int) -> tuple[Scenario, Outcome]:
    """A scenario and what was said about it, once for all tests that look at it."""
    scenario = build(seed)
    return scenario, Outcome(scenario.events)


@pytest.fixture
def run() -> Run:
    def run(what: Scenario | list[AuthResolved], settings: DetectSettings | None = None) -> Outcome:
        return Outcome(what.events if isinstance(what, Scenario) else what, settings)

    return run
