# cython: infer_types=True, cpow=True
"""The whole site by names it does not have: a leaked list is mostly of other people's customers.

Where the server tells that an account does not exist, the share of such tries among all logins shows a list being
tried long before failures as such stand out, however many sources share the work. People mistype names too, so what
counts is the fewer of names and sources, of sources that never logged in and do not come to: whoever gets in after a
mistyped name, or after accounts were renamed, is taken out again.
"""

from typing import Any

from lapwing.detect.decay import HOUR_NS
from lapwing.detect.distinct import Distinct, load_distinct
from lapwing.detect.evidence import UNKNOWN_NAMES, Evidence
from lapwing.detect.login import Login
from lapwing.detect.settings import UnknownSettings

PERIOD_NS = 12 * HOUR_NS  # what is counted is of the last one or two of these

_PERIOD = PERIOD_NS
_KIND = UNKNOWN_NAMES


class Lately:
    """Different things of half a day to a day, exact up to a thousand."""

    def __init__(self) -> None:
        self._recent = Distinct()
        self._before = Distinct()

    def add(self, item: int) -> int:
        """Count `item`, once."""
        self._before.discard(item)
        self._recent.add(item)
        return 0

    def discard(self, item: int) -> int:
        """Take `item` back while it is known singly."""
        self._before.discard(item)
        self._recent.discard(item)
        return 0

    def turn(self, fresh: bool) -> int:
        """Half a day is over; more than that unless `fresh`."""
        self._before = self._recent if fresh else Distinct()
        self._recent = Distinct()
        return 0

    @property
    def count(self) -> int:
        """How many there are."""
        return self._recent.count + self._before.count

    def dump(self) -> list[Any]:
        """All state, for a snapshot."""
        return [self._recent.dump(), self._before.dump()]

    def load(self, state: list[Any]) -> None:
        """Become what `dump` gave."""
        self._recent = load_distinct(state[0]) or Distinct()
        self._before = load_distinct(state[1]) or Distinct()

    def merge(self, other: "Lately") -> None:
        """Add what another node has seen."""
        self._recent.merge(other._recent)
        self._before.merge(other._before)


class Unknowns:
    """Names that do not exist, and the sources they came from."""

    def __init__(self, settings: UnknownSettings) -> None:
        self._free = settings.free_names
        self._per_good = settings.per_good
        self._slope = settings.slope
        self._cap = settings.cap
        self._names = Lately()
        self._sources = Lately()
        self._turned_ns = 0

    def observe(self, login: Login, all_good: float, now_ns: int, evidence: Evidence) -> int:
        """Count a failure on a name that does not exist. `all_good`: accounts that log in well, over a day."""
        age = now_ns - self._turned_ns
        if age >= _PERIOD:
            self._names.turn(age < 2 * _PERIOD)
            self._sources.turn(age < 2 * _PERIOD)
            self._turned_ns = now_ns
        self._names.add(login.account)
        self._sources.add(login.source)
        count = min(self._names.count, self._sources.count)
        usual = self._free + self._per_good * all_good
        if count <= usual:
            return 0
        return evidence.put(_KIND, count, usual, min(self._cap, (count - usual) * self._slope))

    def take_back(self, login: Login) -> int:
        """Somebody got in: whatever name came from there before was mistyped."""
        return self._sources.discard(login.source)

    def dump(self) -> list[Any]:
        """All state, for a snapshot."""
        return [self._names.dump(), self._sources.dump(), self._turned_ns]

    def load(self, state: list[Any]) -> None:
        """Become what `dump` gave."""
        self._names.load(state[0])
        self._sources.load(state[1])
        self._turned_ns = state[2]

    def merge(self, other: "Unknowns") -> None:
        """Add what another node saw at the same time."""
        self._names.merge(other._names)
        self._sources.merge(other._sources)
        self._turned_ns = max(self._turned_ns, other._turned_ns)
