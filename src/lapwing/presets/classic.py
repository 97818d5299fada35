"""The classic detector: failures in a tumbling window, counted by address and path, and four lists beside it.

Its numbers, order of rules and outcomes are those of web firewalls in the field, kept exactly, weaknesses included.
What its settings left unchecked is checked here: a wrong value is refused. Lapwing's own detection is `lapwing.Guard`.
"""

import re
from collections import deque
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from lapwing.events import SettingsError

MILLISECOND_NS = 1_000_000
HOUR_NS = 3_600_000 * MILLISECOND_NS
HOURS = 24
RISK_DISTRIBUTED, RISK_USERNAME, RISK_VELOCITY, RISK_HIGH, RISK_MEDIUM = 30, 35, 20, 25, 10
MAX_EVENTS = 1_000
MAX_WINDOW_MS = 7 * 86_400_000  # so that no sum of windows can overflow
MAX_ENTITIES = 10_000_000
TOP_SHARE = 100  # of failures, from which one is as good as many: correlation scores stop growing
PATHS = ("/login", "/auth", "/signin", "/token", "/oauth", "/session")


class Classic(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The 21 settings with their classic defaults; windows in milliseconds."""

    failure_window_ms: int = 300_000
    failure_threshold_suspicious: int = 5
    failure_threshold_high: int = 20
    failure_threshold_block: int = 50
    distributed_min_ips: int = 3
    distributed_window_ms: int = 900_000
    username_targeted_min_ips: int = 5
    username_targeted_min_failures: int = 10
    username_targeted_window_ms: int = 600_000
    global_velocity_threshold_rate: float = 10.0
    global_velocity_window_ms: int = 60_000
    global_velocity_max_track: int = 5_000
    takeover_window_ms: int = 300_000
    takeover_min_failures: int = 5
    low_slow_min_hours: int = 3
    low_slow_min_per_hour: int = 2
    auth_path_patterns: tuple[str, ...] = PATHS
    max_entities: int = 100_000
    max_distributed_attacks: int = 1_000
    max_takeover_alerts: int = 1_000
    cleanup_interval_ms: int = 300_000

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise SettingsError(f"presets.classic.{name} = {value!r} is outside {low:g} to {high:g}")
        steps = self.failure_threshold_suspicious, self.failure_threshold_high, self.failure_threshold_block
        if not steps[0] < steps[1] < steps[2]:
            raise SettingsError("presets.classic: the failure thresholds suspicious, high and block must grow")
        for pattern in self.auth_path_patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise SettingsError(f"presets.classic.auth_path_patterns: {pattern!r}: {error}") from None


_WINDOWS = (
    "failure_window_ms", "distributed_window_ms", "username_targeted_window_ms", "global_velocity_window_ms",
    "takeover_window_ms", "cleanup_interval_ms",
)  # fmt: skip
_RANGES: tuple[tuple[str, float, float], ...] = (
    *((name, 10, MAX_WINDOW_MS) for name in _WINDOWS),
    ("failure_threshold_suspicious", 1, 1e6),
    ("failure_threshold_high", 2, 1e6),
    ("failure_threshold_block", 3, 1e6),
    ("distributed_min_ips", 2, 1e6),
    ("username_targeted_min_ips", 1, 1e6),
    ("username_targeted_min_failures", 1, 1e6),
    ("global_velocity_threshold_rate", 0.001, 1e6),
    ("global_velocity_max_track", 1, 1e7),
    ("takeover_min_failures", 1, 1e6),
    ("low_slow_min_hours", 1, HOURS),
    ("low_slow_min_per_hour", 1, 1e6),
    ("max_entities", 1, MAX_ENTITIES),
    ("max_distributed_attacks", 1, 100_000),
    ("max_takeover_alerts", 1, 100_000),
)


class Answer(StrEnum):
    """What an attempt is told."""

    ALLOW = "allow"
    SUSPICIOUS = "suspicious"
    BLOCK = "block"


class Verdict(NamedTuple):
    """One answer: `risk` is what it adds to the score of its source."""

    action: Answer
    risk: int = 0
    severity: str = ""
    reason: str = ""


class Takeover(NamedTuple):
    """A success after failures from the same address on the same path. It names no account."""

    source: str
    endpoint: str
    prior_failures: int
    success_ns: int
    severity: str


class Incident(NamedTuple):
    """One entry of the event ring."""

    kind: str
    severity: str
    ts_ns: int


class Metrics:
    """One address on one path."""

    def __init__(self, now_ns: int) -> None:
        self.failures = self.successes = 0
        self.window_start_ns = self.last_attempt_ns = self.last_rotation_ns = now_ns
        self.total_failures = self.total_successes = 0
        self.hourly = [0] * HOURS
        self.hour = 0

    def reset(self, now_ns: int) -> None:
        """Begin a new window."""
        self.failures = self.successes = 0
        self.window_start_ns = now_ns

    def fail(self, now_ns: int) -> None:
        """Count a failure. Hour buckets only turn here, and the rest of an hour is lost."""
        self.failures += 1
        self.total_failures += 1
        passed = max(0, now_ns - self.last_rotation_ns) // HOUR_NS
        for _ in range(min(passed, HOURS)):
            self.hour = (self.hour + 1) % HOURS
            self.hourly[self.hour] = 0
        if passed:
            self.last_rotation_ns = now_ns
        self.hourly[self.hour] += 1


class Shared:
    """What shares a fingerprint or an account on one path."""

    def __init__(self, now_ns: int) -> None:
        self.sources: set[str] = set()
        self.failures = 0
        self.window_start_ns = self.last_ns = now_ns

    @property
    def correlation(self) -> float:
        """From 0 to 1; used in no decision."""
        return (min(len(self.sources) / 10, 1.0) + min(self.failures / TOP_SHARE, 1.0)) / 2


class Detector:
    """The classic rules. Time is that of the calls."""

    def __init__(self, settings: Classic | None = None) -> None:
        self.settings = settings or Classic()
        self._paths = [re.compile(pattern, re.IGNORECASE) for pattern in self.settings.auth_path_patterns]
        self.metrics: dict[tuple[str, str], Metrics] = {}
        self.fingerprints: dict[tuple[str, str], Shared] = {}
        self.accounts: dict[tuple[str, str], Shared] = {}
        self.velocity: deque[int] = deque()
        self.takeovers: deque[Takeover] = deque(maxlen=self.settings.max_takeover_alerts)
        self.events: deque[Incident] = deque(maxlen=MAX_EVENTS)

    def is_login(self, path: str) -> bool:
        """Whether a path looks like a login's: an unanchored search, so `/authors/42` does."""
        return any(pattern.search(path) for pattern in self._paths)

    def attempt(
        self, source: str, endpoint: str, ts_ns: int, *, username: str | None = None, fingerprint: str | None = None
    ) -> Verdict:
        """Judge an attempt whose outcome is not known yet."""
        s = self.settings
        row = self.metrics.setdefault((source, endpoint), Metrics(ts_ns))
        if ts_ns - row.window_start_ns > s.failure_window_ms * MILLISECOND_NS:
            row.reset(ts_ns)
        row.last_attempt_ns = ts_ns
        if fingerprint is not None:
            self._meet(self.fingerprints, (fingerprint, endpoint), source, ts_ns)
        if username is not None:
            self._meet(self.accounts, (username, endpoint), source, ts_ns)
        if row.failures >= s.failure_threshold_block:
            return Verdict(Answer.BLOCK, reason=f"Credential stuffing: {row.failures} failures in window")
        if row.failures >= s.failure_threshold_high:
            return self._suspect("suspicious_failure_rate", "high", RISK_HIGH, ts_ns)
        if row.failures >= s.failure_threshold_suspicious:
            return self._suspect("suspicious_failure_rate", "medium", RISK_MEDIUM, ts_ns)
        return self._shared(endpoint, ts_ns, username, fingerprint)

    def _shared(self, endpoint: str, ts_ns: int, username: str | None, fingerprint: str | None) -> Verdict:
        """Only the first list that matches speaks."""
        s = self.settings
        client = self.fingerprints.get((fingerprint, endpoint)) if fingerprint is not None else None
        if client is not None and len(client.sources) >= s.distributed_min_ips:
            return self._suspect("distributed_attack_detected", "high", RISK_DISTRIBUTED, ts_ns)
        account = self.accounts.get((username, endpoint)) if username is not None else None
        if (
            account is not None
            and len(account.sources) >= s.username_targeted_min_ips
            and account.failures >= s.username_targeted_min_failures
        ):
            return self._suspect("username_targeted_attack", "high", RISK_USERNAME, ts_ns)
        if self.rate(ts_ns) >= s.global_velocity_threshold_rate:
            return self._suspect("global_velocity_spike", "high", RISK_VELOCITY, ts_ns)
        return Verdict(Answer.ALLOW)

    def result(
        self, source: str, endpoint: str, ts_ns: int, *, succeeded: bool, username: str | None = None
    ) -> Takeover | None:
        """Take in how an attempt ended. A window is never tested for its age here."""
        row = self.metrics.setdefault((source, endpoint), Metrics(ts_ns))
        if succeeded:
            return self._succeed(row, source, endpoint, ts_ns)
        row.fail(ts_ns)
        self._push(ts_ns)
        account = self.accounts.get((username, endpoint)) if username is not None else None
        if account is not None:
            account.failures += 1
            account.last_ns = ts_ns
        s = self.settings
        if sum(count >= s.low_slow_min_per_hour for count in row.hourly) >= s.low_slow_min_hours:
            self.events.append(Incident("low_and_slow", "medium", ts_ns))
        return None

    def _succeed(self, row: Metrics, source: str, endpoint: str, ts_ns: int) -> Takeover | None:
        s, prior, age = self.settings, row.failures, ts_ns - row.window_start_ns
        row.reset(ts_ns)
        row.successes = 1
        row.total_successes += 1
        if prior < s.takeover_min_failures or age > s.takeover_window_ms * MILLISECOND_NS:
            return None
        severity = "high" if s.failure_threshold_high <= prior < s.failure_threshold_block else "critical"
        alert = Takeover(source, endpoint, prior, ts_ns, severity)
        self.takeovers.append(alert)
        self.events.append(Incident("account_takeover", "critical", ts_ns))
        return alert

    def rate(self, now_ns: int) -> float:
        """Failures a second over the whole site."""
        window_ns = self.settings.global_velocity_window_ms * MILLISECOND_NS
        recent = sum(now_ns - ts_ns <= window_ns for ts_ns in self.velocity)
        return recent * 1e9 / window_ns

    def _push(self, ts_ns: int) -> None:
        """A full list drops the newest, so a fast attack is measured as a slower one."""
        window_ns = self.settings.global_velocity_window_ms * MILLISECOND_NS
        while self.velocity and ts_ns - self.velocity[0] > window_ns:
            self.velocity.popleft()
        if len(self.velocity) < self.settings.global_velocity_max_track:
            self.velocity.append(ts_ns)

    def cleanup(self, now_ns: int) -> None:
        """Drop what has been idle: addresses for twice the window, lists for their window."""
        s = self.settings
        self._drop(self.metrics, now_ns - 2 * s.failure_window_ms * MILLISECOND_NS, "last_attempt_ns")
        self._drop(self.fingerprints, now_ns - s.distributed_window_ms * MILLISECOND_NS, "last_ns")
        self._drop(self.accounts, now_ns - s.username_targeted_window_ms * MILLISECOND_NS, "last_ns")

    def distributed_failure(self, fingerprint: str, endpoint: str, source: str, ts_ns: int) -> None:
        """Count a failure of a fingerprint: results carry none, so this is told apart, if at all."""
        self._meet(self.fingerprints, (fingerprint, endpoint), source, ts_ns)
        self.fingerprints[fingerprint, endpoint].failures += 1

    def takeovers_since(self, ts_ns: int) -> list[Takeover]:
        """The alerts kept, from a time on."""
        return [alert for alert in self.takeovers if alert.success_ns >= ts_ns]

    def drain_events(self) -> list[Incident]:
        """Take the events out of the ring."""
        drained = list(self.events)
        self.events.clear()
        return drained

    def clear(self) -> None:
        """Forget addresses, fingerprints and alerts; accounts and the list of failures stay, as they always did."""
        self.metrics.clear()
        self.fingerprints.clear()
        self.takeovers.clear()
        self.events.clear()

    def dump(self) -> list[Any]:
        """Addresses, fingerprints and alerts; accounts and the list of failures are left out, as they always were."""
        metrics = [(key, vars(row).copy()) for key, row in self.metrics.items()]
        clients = [(key, vars(row) | {"sources": sorted(row.sources)}) for key, row in self.fingerprints.items()]
        return [metrics, clients, list(self.takeovers)]

    def load(self, state: list[Any]) -> None:
        """Take in what `dump` gave: rows replace those there are, of the alerts the first that fit are kept."""
        metrics, clients, takeovers = state
        for key, values in metrics:
            row = self.metrics[key] = Metrics(0)
            vars(row).update(values, hourly=list(values["hourly"]))
        for key, values in clients:
            client = self.fingerprints[key] = Shared(0)
            vars(client).update(values, sources=set(values["sources"]))
        room = self.settings.max_takeover_alerts - len(self.takeovers)
        self.takeovers.extend(takeovers[: max(0, room)])

    def statistics(self) -> dict[str, int]:
        """Gauges, as the classic names them: sums over the rows there are."""
        rows = self.metrics.values()
        return {
            "entity_count": len(self.metrics),
            "distributed_attack_count": len(self.fingerprints),
            "takeover_alert_count": len(self.takeovers),
            "event_count": len(self.events),
            "total_failures": sum(row.total_failures for row in rows),
            "total_successes": sum(row.total_successes for row in rows),
            "suspicious_entities": sum(r.failures >= self.settings.failure_threshold_suspicious for r in rows),
        }

    @staticmethod
    def _meet(table: dict[tuple[str, str], Shared], key: tuple[str, str], source: str, ts_ns: int) -> None:
        row = table.setdefault(key, Shared(ts_ns))
        row.sources.add(source)
        row.last_ns = ts_ns

    def _suspect(self, kind: str, severity: str, risk: int, ts_ns: int) -> Verdict:
        self.events.append(Incident(kind, severity, ts_ns))
        return Verdict(Answer.SUSPICIOUS, risk, severity, kind)

    @staticmethod
    def _drop(table: dict[tuple[str, str], Metrics] | dict[tuple[str, str], Shared], before: int, field: str) -> None:
        for key in [key for key, row in table.items() if getattr(row, field) < before]:
            table.pop(key)
