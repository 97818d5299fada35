"""What a reading amounts to: a fold over events that the terminal, the demo and the tests look at."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from lapwing.events import (
    AnomalySeen,
    AuthEvidence,
    AuthResolved,
    DecisionMade,
    Event,
    Finding,
    Outcome,
    SensorEnded,
    SensorFailed,
    SensorLagged,
    SensorStarted,
    Severity,
)

MAX_NAMES = 100_000  # accounts or sources counted exactly per protocol; beyond, "at least"
MAX_FINDINGS = 10_000  # kept for the summary, the most severe last to go; the events themselves all pass through
SOME = 10  # parts of them: so many more are let in before those that go are looked for, which takes long
MAX_DAMAGES = 20  # places shown in full; the rest is counted
MAX_KINDS = 1_000  # kinds of anomalies; a closed list in practice

SEVERITIES = tuple(Severity)
INFERRED = (AuthEvidence.PROTOCOL_STATE, AuthEvidence.PACKET_SIZE)


class Names:
    """A set that stops growing, and says so."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self.full = False

    def add(self, name: str) -> None:
        """Count `name` unless the set is full."""
        if len(self._names) < MAX_NAMES:
            self._names.add(name)
        elif name not in self._names:
            self.full = True

    def __len__(self) -> int:
        return len(self._names)

    def __str__(self) -> str:
        return f"{len(self):,}{'+' if self.full else ''}"


class ProtocolLogins:
    """Logins of one protocol."""

    def __init__(self) -> None:
        self.outcomes: Counter[Outcome] = Counter()
        self.inferred_count = 0
        self.accounts = Names()
        self.sources = Names()

    def add(self, login: AuthResolved) -> None:
        """Count one login, or the several it stands for."""
        self.outcomes[login.outcome] += login.attempt_count
        if login.evidence in INFERRED and login.outcome is not Outcome.UNKNOWN:
            self.inferred_count += login.attempt_count
        if login.username is not None:
            self.accounts.add(login.username)
        self.sources.add(login.client_ip)


class Damage(NamedTuple):
    """A place where the input could not be read."""

    source: str
    offset: int | None
    what: str


class Summary:
    """Counts what passes; `add` takes every event of a reading in any order of kinds."""

    def __init__(self) -> None:
        self.logins: dict[str, ProtocolLogins] = {}
        self.findings: dict[str, Finding] = {}
        self.anomalies: Counter[str] = Counter()
        self.decisions: Counter[str] = Counter()
        self.damages: list[Damage] = []
        self.damage_count = 0
        self.lost: Counter[str] = Counter()
        self.sources: list[str] = []
        self.first_ts_ns: int | None = None
        self.last_ts_ns: int | None = None

    def add(self, event: Event) -> None:
        """Fold one event in."""
        if isinstance(event, AuthResolved):
            self.logins.setdefault(event.protocol, ProtocolLogins()).add(event)
        elif isinstance(event, Finding):
            self._finding(event)
        elif isinstance(event, AnomalySeen):
            self._anomaly(event)
        elif isinstance(event, DecisionMade):
            self.decisions[event.action] += 1
        elif isinstance(event, SensorStarted | SensorEnded):
            self._sensor(event)
        elif isinstance(event, SensorFailed):
            self._damage(Damage(event.source, event.offset, event.detail))
        elif isinstance(event, SensorLagged):
            self.lost[event.where] += event.lost_count

    def extend(self, events: Iterable[Event]) -> None:
        """Fold many events in."""
        for event in events:
            self.add(event)

    @property
    def login_count(self) -> int:
        """All logins whose outcome was looked for."""
        return sum(logins.outcomes.total() for logins in self.logins.values())

    @property
    def partial(self) -> bool:
        """Whether some input was damaged or lost, so that the result is not the whole story."""
        return bool(self.damage_count or self.lost)

    def worst(self) -> Severity | None:
        """The highest severity among the findings, None when there are none."""
        return max((one.severity for one in self.findings.values()), key=SEVERITIES.index, default=None)

    def at_least(self, severity: Severity) -> bool:
        """Whether a finding is of this severity or a higher one."""
        worst = self.worst()
        return worst is not None and SEVERITIES.index(worst) >= SEVERITIES.index(severity)

    def ranked(self) -> list[Finding]:
        """Findings in their latest state: most severe first, then most likely, then oldest."""
        return sorted(
            self.findings.values(),
            key=lambda one: (-SEVERITIES.index(one.severity), -one.risk, one.first_ts_ns, one.finding_id),
        )

    def _finding(self, event: Finding) -> None:
        self.findings[event.finding_id] = event
        if len(self.findings) > MAX_FINDINGS + MAX_FINDINGS // SOME:
            for one in self.ranked()[MAX_FINDINGS:]:
                del self.findings[one.finding_id]

    def _anomaly(self, event: AnomalySeen) -> None:
        if event.kind in self.anomalies or len(self.anomalies) < MAX_KINDS:
            self.anomalies[event.kind] += event.count
        if event.kind.startswith("capture."):
            what = event.detail or event.kind.partition(".")[2].replace("_", " ")
            self._damage(Damage(event.source or "input", event.offset, what))

    def _damage(self, damage: Damage) -> None:
        self.damage_count += 1
        if len(self.damages) < MAX_DAMAGES:
            self.damages.append(damage)

    def _sensor(self, event: SensorStarted | SensorEnded) -> None:
        if isinstance(event, SensorStarted):
            self.sources.append(event.source)
            self.first_ts_ns = event.ts_ns if self.first_ts_ns is None else min(self.first_ts_ns, event.ts_ns)
        self.last_ts_ns = event.ts_ns if self.last_ts_ns is None else max(self.last_ts_ns, event.ts_ns)
