"""What was found in the demo capture against what really happened in it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

from lapwing.app.units import NS_PER_S
from lapwing.events import Action, DecisionMade, Finding

HARMFUL = (Action.CHALLENGE, Action.DELAY, Action.BLOCK)  # `watch` harms nobody


class Attack(NamedTuple):
    """A labelled attack and the findings that name it: of its kind, its protocol, its hours, its people."""

    label: dict[str, Any]
    findings: list[Finding]


class Comparison(NamedTuple):
    """`accused` are sentences about ordinary users who were named as attackers."""

    attacks: list[Attack]
    takeover: list[str]
    accused: list[str]
    unlabelled: list[Finding]

    @property
    def holds(self) -> bool:
        """Every attack found, nobody else accused, the takeover named in full."""
        return all(attack.findings for attack in self.attacks) and not self.accused and not self.takeover


def compare(labels: dict[str, Any], findings: Sequence[Finding], decisions: Iterable[DecisionMade]) -> Comparison:
    """Compare the last state of each finding, and every decision, with the labels."""
    attacks = [Attack(label, [one for one in findings if matches(one, label)]) for label in labels["attacks"]]
    named = {one.finding_id for attack in attacks for one in attack.findings}
    also = {
        one.finding_id for one in findings for label in labels["attacks"] if matches(one, label, label["also_true"])
    }
    benign = {source["ip"]: source["who"] for source in labels["benign"]["sources"]}
    return Comparison(
        attacks,
        list(missing_of_takeover(labels["takeover"], findings)),
        [*accusations(findings, benign), *punishments(decisions, benign)],
        [one for one in findings if one.finding_id not in named | also],
    )


def matches(finding: Finding, label: dict[str, Any], kinds: Sequence[str] | None = None) -> bool:
    """Whether a finding is about a labelled attack."""
    if finding.finding not in (kinds if kinds is not None else [label["finding"]]):
        return False
    if label["protocol"] not in finding.protocols:
        return False
    if finding.first_ts_ns > to_ns(label["end"]) or finding.last_ts_ns < to_ns(label["start"]):
        return False
    sources, accounts = set(label["sources"]), set(label["accounts"])
    return bool(
        sources & {finding.subject, *finding.sources}
        or (finding.subject_kind == "account" and finding.subject in accounts)
    )


def missing_of_takeover(label: dict[str, Any], findings: Iterable[Finding]) -> list[str]:
    """What is missing until the takeover is named with account and sources; empty when a finding has it all."""
    best: list[str] | None = None
    for finding in findings:
        if finding.finding != "account-takeover" or label["account"] not in (finding.subject, *finding.accounts):
            continue
        missing = [
            f"the takeover of {label['account']} does not name {source}"
            for source in label["sources"]
            if source not in (finding.subject, *finding.sources)
        ]
        best = missing if best is None or len(missing) < len(best) else best
    return [f"the takeover of {label['account']} was not found"] if best is None else best


def accusations(findings: Iterable[Finding], benign: dict[str, str]) -> list[str]:
    """Ordinary sources that a finding names as its subject or among its sources."""
    return [
        f"{finding.finding} {finding.finding_id} names {ip} ({benign[ip]})"
        for finding in findings
        for ip in sorted({finding.subject, *finding.sources} & set(benign))
    ]


def punishments(decisions: Iterable[DecisionMade], benign: dict[str, str]) -> list[str]:
    """Decisions against an address or a network that would hit an ordinary source."""
    found: set[str] = set()
    for decision in decisions:
        if decision.action not in HARMFUL:
            continue
        for ip, who in benign.items():
            if _covers(decision.value, ip):
                found.add(f"{decision.action.value} {decision.value} hits {ip} ({who})")
    return sorted(found)


def _covers(value: str, ip: str) -> bool:
    try:
        return ip_address(ip) in ip_network(value, strict=False)
    except ValueError:
        return False  # the decision is about an account or a fingerprint


def to_ns(text: str) -> int:
    """Nanoseconds of an RFC 3339 time."""
    moment = datetime.fromisoformat(text)
    return int(moment.replace(microsecond=0).timestamp()) * NS_PER_S + moment.microsecond * 1000
