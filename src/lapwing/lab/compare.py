"""Every rule on the same logins: which sources it flags, how many tries come after that, and whom it wrongs."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from lapwing.events import AuthResolved, Outcome
from lapwing.lab.baselines import BASELINES, Baseline, Rule
from lapwing.lab.families import Family
from lapwing.lab.traffic import Scenario

CLAIMS = ("loud", "distributed", "slow", "losing")


class Stopped(NamedTuple):
    """What a rule does on a log without labels.

    `sources`: share of failing sources ever flagged. `tries`: share of failed tries at or after the first flag of
    their source, the most that blocking could stop. `wronged`: flagged though named clean.
    """

    rule: str
    sources: float
    tries: float
    wronged: tuple[str, ...]


class Standing(NamedTuple):
    """What a rule does on labelled traffic: shares of campaigns found, by claim, of attack tries after the flag, and
    of logins of ordinary people at or after a flag of their source."""

    rule: str
    found: dict[str, float]
    stopped: float
    disturbed: float


def expanded(events: Iterable[AuthResolved]) -> list[AuthResolved]:
    """Repeated messages as the single tries they stand for: rules that count must be given what to count."""
    out: list[AuthResolved] = []
    for event in events:
        for _ in range(max(1, event.attempt_count)):
            out.append(msgspec.structs.replace(event, attempt_count=1, seq=len(out) + 1))
    return out


def stopped(events: Sequence[AuthResolved], clean: Iterable[str] = ()) -> list[Stopped]:
    """Every rule on one log."""
    return [_stopped(baseline, events, frozenset(clean)) for baseline in BASELINES]


def compare(families: Iterable[Family], seeds: Iterable[int]) -> list[Standing]:
    """Every rule on labelled traffic."""
    scenarios = [(family.claim, family.build(seed)) for family in families for seed in seeds]
    return [_standing(baseline, scenarios) for baseline in BASELINES]


def _stopped(baseline: Baseline, events: Sequence[AuthResolved], clean: frozenset[str]) -> Stopped:
    rule, flagged = baseline.make(), set[str]()
    failing: set[str] = set()
    failed = after = 0
    for event in events:
        flagged.update(rule.flags(event))
        if event.outcome is Outcome.FAILED:
            failing.add(event.client_ip)
            failed += 1
            after += event.client_ip in flagged
    sources = len(flagged & failing) / max(1, len(failing))
    return Stopped(baseline.name, sources, after / max(1, failed), tuple(sorted(flagged & clean)))


def _standing(baseline: Baseline, scenarios: Iterable[tuple[str, Scenario]]) -> Standing:
    found: Counter[str] = Counter()
    campaigns: Counter[str] = Counter()
    tries = after = people = disturbed = 0
    for claim, scenario in scenarios:
        attackers = frozenset[str]().union(*(e.sources for e in scenario.expected))
        flagged, counts = _run(baseline.make(), scenario, attackers)
        tries, after = tries + counts[0], after + counts[1]
        if claim == "benign":
            people, disturbed = people + counts[2], disturbed + counts[3]
        campaigns[claim] += 1
        found[claim] += bool(flagged & attackers)
    shares = {claim: found[claim] / max(1, campaigns[claim]) for claim in CLAIMS}
    return Standing(baseline.name, shares, after / max(1, tries), disturbed / max(1, people))


def _run(rule: Rule, scenario: Scenario, attackers: frozenset[str]) -> tuple[set[str], tuple[int, int, int, int]]:
    flagged: set[str] = set()
    tries = after = people = disturbed = 0
    for event in scenario.events:
        flagged.update(rule.flags(event))
        hit = event.client_ip in flagged
        if event.client_ip in attackers:
            tries, after = tries + 1, after + hit
        elif event.client_ip in scenario.ordinary:
            people, disturbed = people + 1, disturbed + hit
    return flagged, (tries, after, people, disturbed)


def standing_table(rows: Iterable[Standing]) -> str:
    """Labelled traffic, as Markdown."""
    lines = [
        "| rule | loud found | distributed | slow | losing | attack tries after the flag | ordinary logins after one |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        shares = " | ".join(f"{100 * row.found[claim]:.0f} %" for claim in CLAIMS)
        lines.append(f"| {row.rule} | {shares} | {100 * row.stopped:.1f} % | {100 * row.disturbed:.2f} % |")
    return "\n".join(lines) + "\n"


def stopped_table(rows: Iterable[Stopped]) -> str:
    """A log, as Markdown."""
    lines = ["| rule | failing sources flagged | tries stopped | clean addresses flagged |"]
    lines.append("| --- | ---: | ---: | --- |")
    for row in rows:
        wronged = ", ".join(row.wronged) or "none"
        lines.append(f"| {row.rule} | {100 * row.sources:.1f} % | {100 * row.tries:.1f} % | {wronged} |")
    return "\n".join(lines) + "\n"
