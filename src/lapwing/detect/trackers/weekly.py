# cython: infer_types=True, cpow=True
"""The whole site by the hour of the week: more failures than this hour usually has, adding up (W22).

A site's own rhythm is the measure: Monday mornings have more typos than Sunday nights. For every hour of the week the
usual number of failing pairs from unknown places is learnt, after attacks apart, and what exceeds it by more than
chance adds up from hour to hour (a cumulative sum, Page 1954; on failures of a site, Javed and Paxson 2013). It says
nothing until it has seen the same hour a week before.
"""

from math import sqrt
from typing import Any

from lapwing.detect.decay import HOUR_NS
from lapwing.detect.evidence import HOUR_OF_WEEK, Evidence
from lapwing.detect.login import Login
from lapwing.detect.settings import WeeklySettings

HOURS = 168
LEARNING = 0.3  # share of the latest week in what is usual: a changed habit is learnt in a month
ALARMED = 3.0  # an hour this many times above the allowance is an attack's, and not learnt from

_HOUR = HOUR_NS
_HOURS = HOURS
_KIND = HOUR_OF_WEEK


class Weekly:
    """`usual` and `seen`: failing pairs of each hour of the week, and in how many weeks it was looked at."""

    def __init__(self, settings: WeeklySettings) -> None:
        self._free = settings.free
        self._deviations = settings.deviations
        self._slope = settings.slope
        self._cap = settings.cap
        self._usual = [0.0] * HOURS
        self._seen = [0] * HOURS
        self._hour = -1  # since 1970
        self._count = 0.0
        self._sum = 0.0

    def observe(self, login: Login, now_ns: int, evidence: Evidence) -> int:
        """Count a failure; the sum over what is usual, where it is above it."""
        hour = now_ns // _HOUR
        if hour > self._hour:
            self._turn(hour)
        self._count += login.pair_3
        at = self._hour % _HOURS
        if self._seen[at] == 0 or login.known:
            return 0
        usual = self._usual[at]
        allowed = self._allowed(usual)
        total = self._sum + self._count - allowed
        if total <= 0.0 or self._count <= usual:
            return 0
        return evidence.put(_KIND, self._count, allowed, min(self._cap, total * self._slope))

    def take_back(self, login: Login) -> int:
        """A success shows that failures of this hour were typos."""
        self._count = max(0.0, self._count - login.back_pair_3)
        return 0

    def _allowed(self, usual: float) -> float:
        """What chance makes of the usual number, most of the time."""
        return self._free + usual + self._deviations * sqrt(usual)

    def _turn(self, hour: int) -> int:
        """Learn from the hours that are over; those without any failure are hours with none."""
        if self._hour < 0:
            self._hour = hour
        for passed in range(min(hour - self._hour, _HOURS)):
            self._learn((self._hour + passed) % _HOURS, self._count)
            self._count = 0.0
        self._hour = max(self._hour, hour)
        return 0

    def _learn(self, at: int, count: float) -> int:
        usual = self._usual[at]
        known, allowed = self._seen[at] > 0, self._allowed(usual)
        self._sum = max(0.0, self._sum + count - allowed) if known else 0.0
        self._seen[at] += 1
        if not known:
            self._usual[at] = count
        elif count <= ALARMED * allowed:
            self._usual[at] = usual + LEARNING * (min(count, allowed) - usual)
        return 0

    def dump(self) -> list[Any]:
        """All state, for a snapshot."""
        return [list(self._usual), list(self._seen), self._hour, self._count, self._sum]

    def load(self, state: list[Any]) -> None:
        """Become what `dump` gave."""
        self._usual, self._seen = list(state[0]), list(state[1])
        self._hour, self._count, self._sum = state[2], state[3], state[4]

    def merge(self, other: "Weekly") -> None:
        """Add what another node saw in the same hours."""
        hour = max(self._hour, other._hour)
        for node in (self, other):
            node._turn(hour)
        self._usual = [a + b for a, b in zip(self._usual, other._usual, strict=True)]
        self._seen = [max(a, b) for a, b in zip(self._seen, other._seen, strict=True)]
        self._count += other._count
        self._sum += other._sum
