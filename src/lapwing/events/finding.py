"""What logins mean, for a person, and what was decided about it."""

from typing import Literal

from lapwing.events.base import Event, Facts
from lapwing.events.enums import Action, Severity
from lapwing.events.notebook import finding_page

FindingKind = Literal[
    "credential-stuffing",
    "password-spraying",
    "password-guessing",
    "targeted-account",
    "low-and-slow",
    "velocity-spike",
    "account-takeover",
    "decoy-used",
    "callback-hit",
]


class Evidence(Facts, frozen=True, gc=False):
    """One reason with its numbers. `weight` is its contribution to the risk in log-odds (natural logarithm)."""

    name: str
    value: float
    threshold: float
    weight: float
    sentence: str


class Finding(Event, frozen=True, gc=False, kw_only=True):
    """An attack or its consequence, with its evidence.

    `finding_id` is deterministic: the same input gives the same id. `subject` is what it is about, by `subject_kind`
    (`source`, `network`, `account`, `fingerprint`, `site`). `sources` and `accounts` are samples, at most 50 each, the
    counts are exact up to the stated sketch error. `sample_seqs` are the `seq` of up to five events behind it.
    `risk` is a probability-like score from 0 to 1. `sentence` is one English sentence.
    """

    ts_ns: int
    finding_id: str
    finding: FindingKind
    severity: Severity
    risk: float
    subject_kind: str
    subject: str
    protocols: list[str]
    techniques: list[str]
    first_ts_ns: int
    last_ts_ns: int
    attempt_count: int
    failure_count: int
    success_count: int
    source_count: int
    account_count: int
    sources: list[str]
    accounts: list[str]
    evidence: list[Evidence]
    sample_seqs: list[int]
    sentence: str

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return finding_page(self)


class FindingRaised(Finding, frozen=True, gc=False, kw_only=True, tag="finding.raised"):
    """Seen for the first time."""


class FindingUpdated(Finding, frozen=True, gc=False, kw_only=True, tag="finding.updated"):
    """Grew or changed."""


class FindingClosed(Finding, frozen=True, gc=False, kw_only=True, tag="finding.closed"):
    """Went quiet, or the input ended."""


class DecisionMade(Event, frozen=True, gc=False, kw_only=True, tag="decision.made"):
    """Something should be blocked, challenged, delayed or watched."""

    ts_ns: int
    decision_id: str
    action: Action
    scope: str
    value: str
    duration_s: int
    origin: str
    finding_id: str | None = None
    reasons: tuple[str, ...] = ()


class DecisionLifted(Event, frozen=True, gc=False, kw_only=True, tag="decision.lifted"):
    """A decision no longer holds."""

    ts_ns: int
    decision_id: str
    reason: str
