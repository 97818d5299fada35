"""One scenario judged: what was found, how soon, whom it named, and who was answered wrongly."""

from collections import Counter
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from lapwing.detect import Detector, DetectSettings
from lapwing.events import Action, AuthResolved, Finding, FindingRaised, Outcome
from lapwing.lab.baselines import LAB_KEY
from lapwing.lab.families import Family
from lapwing.lab.traffic import Expected, Scenario
from lapwing.presets import classic


class Measured(NamedTuple):
    """One scenario of one seed. Attempts are the campaign's own until its first finding; None if there was none.

    `taken_before`: its logins that went well until then, all of them if there was none.
    """

    family: str
    claim: str
    seed: int
    campaigns: int
    found: int
    attempts: int | None
    seconds: float | None
    taken: int
    taken_found: int
    takeovers_told: int
    named: int
    named_right: int
    attackers: int
    legitimate: int
    false_blocks: int
    false_challenges: int
    classic_found: int
    classic_accused: int
    classic_blocks: int
    taken_before: int = 0


def evaluate(families: Iterable[Family], seeds: Iterable[int], settings: DetectSettings) -> list[Measured]:
    """Every family with every seed, under one configuration."""
    every = list(seeds)
    return [measure(family, seed, settings) for family in families for seed in every]


class _Judged(NamedTuple):
    """What was told while a scenario went by, with the number of the login, and how ordinary logins were answered."""

    told: list[tuple[int, Finding]]
    answered: Counter[Action]


def measure(family: Family, seed: int, settings: DetectSettings) -> Measured:
    """Judge one scenario with Lapwing and with the classic preset."""
    scenario = family.build(seed)
    told, answered = _judge(scenario, settings)
    last = {found.finding_id: found for _, found in told}
    campaigns = [e for e in scenario.expected if e.kind != "account-takeover"]
    raised = [(n, f) for n, f in told if isinstance(f, FindingRaised)]
    firsts = [first for e in campaigns if (first := _first(e, raised)) is not None]
    first = min(firsts, default=None)
    named, right, attackers = _attribution(scenario, last.values())
    taken = {e.subject for e in scenario.expected if e.kind == "account-takeover"}
    said = {f.subject for f in last.values() if f.finding == "account-takeover"}
    old_found, old_accused, old_blocks = _classic(scenario)
    return Measured(
        family=family.name,
        claim=family.claim,
        seed=seed,
        campaigns=len(campaigns),
        found=len(firsts),
        attempts=None if first is None else _attempts(scenario, first),
        seconds=None if first is None else _seconds(scenario, first),
        taken=len(taken),
        taken_found=len(taken & said),
        takeovers_told=len(said),
        named=named,
        named_right=right,
        attackers=attackers,
        legitimate=answered.total(),
        false_blocks=answered[Action.BLOCK],
        false_challenges=answered[Action.CHALLENGE] + answered[Action.DELAY],
        classic_found=old_found,
        classic_accused=old_accused,
        classic_blocks=old_blocks,
        taken_before=_taken(scenario, len(scenario.events) if first is None else first),
    )


def _judge(scenario: Scenario, settings: DetectSettings) -> _Judged:
    detector = Detector(settings, key=LAB_KEY)
    answers = detector.decisions(settings.max_sources, LAB_KEY)
    judged = _Judged([], Counter())
    for number, event in enumerate(scenario.events):
        judged.told.extend((number, found) for found in detector.observe(event) if isinstance(found, Finding))
        verdict, _ = answers.answer(detector.verdict, event.client_ip, event.ts_ns, known=detector.verdict.known)
        if event.client_ip in scenario.ordinary:
            judged.answered[verdict.action] += 1
    ended = detector.finish(scenario.events[-1].ts_ns)
    judged.told.extend((len(scenario.events), found) for found in ended if isinstance(found, Finding))
    return judged


def _first(expected: Expected, raised: list[tuple[int, FindingRaised]]) -> int | None:
    """The number of the login at which the campaign was first told of, whatever it was called."""
    for number, found in raised:
        if found.finding == "account-takeover":
            continue
        if expected.sources & {found.subject, *found.sources} or found.subject == expected.subject:
            return number
        if found.subject_kind == expected.subject_kind == "site" or found.finding == "velocity-spike":
            return number
    return None


def _attackers(scenario: Scenario) -> frozenset[str]:
    return frozenset().union(*(e.sources for e in scenario.expected))


def _attempts(scenario: Scenario, number: int) -> int:
    bad = _attackers(scenario)
    return sum(event.client_ip in bad for event in scenario.events[: number + 1])


def _taken(scenario: Scenario, number: int) -> int:
    bad = _attackers(scenario)
    return sum(e.client_ip in bad and e.outcome is Outcome.SUCCEEDED for e in scenario.events[: number + 1])


def _seconds(scenario: Scenario, number: int) -> float:
    bad = _attackers(scenario)
    start = next(event.ts_ns for event in scenario.events if event.client_ip in bad)
    return (scenario.events[number].ts_ns - start) / 1e9


def _attribution(scenario: Scenario, findings: Iterable[Finding]) -> tuple[int, int, int]:
    """Sources named by findings (which name at most 50 each), those of them that attacked, and all that might be."""
    bad = _attackers(scenario)
    named: set[str] = set()
    nameable = 0
    for found in findings:
        if found.finding != "velocity-spike" and not found.sentence.count("part of finding"):
            named |= set(found.sources)
            if "/" in found.subject and found.subject_kind == "source":
                named |= {address for address in bad if ip_address(address) in ip_network(found.subject)}
            nameable = max(nameable, len(found.sources))
    named &= bad | scenario.ordinary  # scanners that only make the background are neither
    if not named:
        return 0, 0, 0
    return len(named), len(named & bad), min(len(bad), max(50, nameable))


def _classic(scenario: Scenario) -> tuple[int, int, int]:
    """With the classic preset: attackers and ordinary sources ever suspected, and logins of ordinary people blocked."""
    detector = classic.Detector()
    suspected: set[str] = set()
    blocks = 0
    for event in scenario.events:
        verdict = _ask(detector, event)
        if verdict.action is not classic.Answer.ALLOW:
            suspected.add(event.client_ip)
        if verdict.action is classic.Answer.BLOCK:
            blocks += event.client_ip in scenario.ordinary
        elif event.outcome in (Outcome.FAILED, Outcome.SUCCEEDED):
            good = event.outcome is Outcome.SUCCEEDED
            detector.result(event.client_ip, event.endpoint, event.ts_ns, succeeded=good, username=event.username)
    bad = _attackers(scenario)
    return int(bool(suspected & bad)), len(suspected & scenario.ordinary), blocks


def _ask(detector: classic.Detector, event: AuthResolved) -> classic.Verdict:
    return detector.attempt(
        event.client_ip, event.endpoint, event.ts_ns, username=event.username, fingerprint=event.fingerprint
    )
