"""Rules of others, made again from the numbers they publish, to stand beside ours on the same logins.

They are not the products: only what a login shows, at default settings, outcomes known at once. Each takes one login
and says which sources it flags by it. What a rule forgets is kept here as long as its window, no longer.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from lapwing.detect import Detector, DetectSettings
from lapwing.events import AuthResolved, Outcome
from lapwing.presets import classic

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
DAY_NS = 1_440 * MINUTE_NS
LAB_KEY = b"the lab's key: results can be made again"
ANSWERED = 0.5  # Lapwing's risk from which a login is challenged or worse


class Rule(Protocol):
    """Takes logins in their order."""

    def flags(self, event: AuthResolved) -> Iterable[str]:
        """The sources that this login gets flagged."""


class Counting:
    """More than `limit` logins of one key within a sliding window; `strict` where the limit itself is still free."""

    def __init__(self, limit: int, window_ns: int, *, by_account: bool = False, all_logins: bool = False) -> None:
        self._limit, self._window_ns = limit, window_ns
        self._by_account, self._all = by_account, all_logins
        self._seen: defaultdict[tuple[str, str | None], deque[int]] = defaultdict(deque)

    def flags(self, event: AuthResolved) -> Iterable[str]:
        """See Rule."""
        if not (self._all or event.outcome is Outcome.FAILED):
            return ()
        times = self._seen[event.client_ip, event.username if self._by_account else None]
        while times and times[0] <= event.ts_ns - self._window_ns:
            times.popleft()
        times.append(event.ts_ns)
        if len(times) > self._limit:
            times.popleft()
        return (event.client_ip,) if len(times) >= self._limit else ()


class Leaking:
    """A bucket for each source that overflows above `capacity` failures and loses one every `leak_ns`."""

    def __init__(self, capacity: int, leak_ns: int) -> None:
        self._capacity, self._leak_ns = capacity, leak_ns
        self._level: dict[str, tuple[float, int]] = {}

    def flags(self, event: AuthResolved) -> Iterable[str]:
        """See Rule."""
        if event.outcome is not Outcome.FAILED:
            return ()
        level, at_ns = self._level.get(event.client_ip, (0.0, event.ts_ns))
        level = max(0.0, level - (event.ts_ns - at_ns) / self._leak_ns) + 1.0
        if level > self._capacity:
            self._level.pop(event.client_ip, None)
            return (event.client_ip,)
        self._level[event.client_ip] = (level, event.ts_ns)
        return ()


class Classic:
    """The classic preset, from one severity on: `suspicious`, `high` or `block` failures in its window."""

    def __init__(self, threshold: int) -> None:
        self._threshold = threshold
        self._detector = classic.Detector()

    def flags(self, event: AuthResolved) -> Iterable[str]:
        """See Rule."""
        ip, at_ns, name = event.client_ip, event.ts_ns, event.username
        verdict = self._detector.attempt(ip, "/login", at_ns, username=name, fingerprint=event.fingerprint)
        row = self._detector.metrics.get((ip, "/login"))
        before = 0 if row is None else row.failures
        if verdict.action is not classic.Answer.BLOCK and event.outcome in (Outcome.FAILED, Outcome.SUCCEEDED):
            good = event.outcome is Outcome.SUCCEEDED
            self._detector.result(ip, "/login", at_ns, succeeded=good, username=name)
        if self._threshold == 0:
            return (ip,) if verdict.action is not classic.Answer.ALLOW else ()
        return (ip,) if before >= self._threshold else ()


class Buckets:
    """Rules over all sources in fixed buckets of 15 minutes: stuffing, spraying and brute force by their shapes."""

    def __init__(self) -> None:
        self._bucket = -1
        self._tries: list[tuple[str, str]] = []

    def flags(self, event: AuthResolved) -> Iterable[str]:
        """See Rule."""
        if event.outcome is not Outcome.FAILED:
            return ()
        bucket = event.ts_ns // (15 * MINUTE_NS)
        if bucket != self._bucket:
            self._bucket, self._tries = bucket, []
        name, ip = event.username or "", event.client_ip
        self._tries.append((ip, name))
        return {*self._stuffing(ip), *self._spraying(), *self._brute(name)}

    def _stuffing(self, ip: str) -> Iterable[str]:
        names = [name for source, name in self._tries if source == ip]
        users = set(names)
        few = sum(names.count(user) <= 2 for user in users)
        return (ip,) if len(names) >= 25 and len(users) >= 15 and few >= 0.8 * len(users) else ()

    def _spraying(self) -> Iterable[str]:
        if len(self._tries) < 25:
            return ()
        sources, users = {s for s, _ in self._tries}, {u for _, u in self._tries}
        per_user = len(self._tries) / len(users)
        return sources if len(sources) >= 5 and len(users) >= 8 and per_user <= 5 else ()

    def _brute(self, name: str) -> Iterable[str]:
        sources = [source for source, user in self._tries if user == name]
        return set(sources) if len(sources) >= 10 and len(set(sources)) >= 8 else ()


class Lapwing:
    """Ours: a source is flagged once a login of it would be challenged or worse."""

    def __init__(self, settings: DetectSettings | None = None) -> None:
        self._detector = Detector(settings, key=LAB_KEY)

    def flags(self, event: AuthResolved) -> Iterable[str]:
        """See Rule."""
        self._detector.observe(event)
        return (event.client_ip,) if self._detector.verdict.risk >= ANSWERED else ()


class Baseline(NamedTuple):
    """A rule by its name in the tables."""

    name: str
    make: Callable[[], Rule]


BASELINES: tuple[Baseline, ...] = (
    Baseline("Lapwing", Lapwing),
    Baseline("classic preset, all its rules", lambda: Classic(0)),
    Baseline("classic preset, suspicious (5)", lambda: Classic(5)),
    Baseline("classic preset, high (20)", lambda: Classic(20)),
    Baseline("classic preset, block (50)", lambda: Classic(50)),
    Baseline("fail2ban 5 in 10 min", lambda: Counting(5, 10 * MINUTE_NS)),
    Baseline("CrowdSec ssh-bf", lambda: Leaking(5, 10 * SECOND_NS)),
    Baseline("CrowdSec ssh-slow-bf", lambda: Leaking(10, 60 * SECOND_NS)),
    Baseline("AWS ATP, above 10 failed in 10 min", lambda: Counting(11, 10 * MINUTE_NS)),
    Baseline("AWS ATP, above 20 logins in 10 min", lambda: Counting(21, 10 * MINUTE_NS, all_logins=True)),
    Baseline("Auth0, 10 by address and user in 24 h", lambda: Counting(10, DAY_NS, by_account=True)),
    Baseline("Auth0, 100 a day by address", lambda: Counting(100, DAY_NS)),
    Baseline("Zeek, 30 in 30 min", lambda: Counting(30, 30 * MINUTE_NS)),
    Baseline("Elastic's rules for Okta", Buckets),
)
