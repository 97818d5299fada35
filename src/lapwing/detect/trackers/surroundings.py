"""What a login's circumstances say: another country an hour later, a leaked password, a second factor that was refused.

Only logins that carry any are looked at (`Circumstances`); who gives none pays nothing. Places are remembered by
account, failing sources by the network operator (ASN) they belong to; both bounded, the one touched longest ago goes.
"""

from collections import OrderedDict
from collections.abc import Iterator
from math import asin, cos, radians, sin, sqrt
from typing import Any, NamedTuple

from lapwing.detect.decay import DAY_NS, HOUR_NS
from lapwing.detect.distinct import SlidingDistinct, load_sliding
from lapwing.detect.login import Login
from lapwing.detect.reasons import Reason
from lapwing.detect.settings import CircumstanceSettings
from lapwing.detect.trackers.tracker import NOTHING
from lapwing.detect.unpacking import Unpacker
from lapwing.events import Circumstances

EARTH_KM = 6_371.0
MAX_PLACES = 65_536  # accounts whose last place is known, about 200 bytes each
MAX_OPERATORS = 4_096  # there are some 80 000 ASNs, of which an attack uses few
MAX_COUNTRIES = 4  # an account's own
PLACES_AT_ONCE = 1_024  # joined between two stops: under a millisecond
OPERATORS_AT_ONCE = 16  # read between two breaths: each has two counts of different things


class Place(NamedTuple):
    """Where and when an account logged in last, and the countries it did from."""

    at_ns: int
    latitude: float | None
    longitude: float | None
    countries: tuple[str, ...]


class Operator:
    """Failing sources and accounts of an ASN of about a day, and its accounts that log in well, which fade."""

    __slots__ = ("accounts", "at_ns", "good", "sources")

    def __init__(self, at_ns: int) -> None:
        self.at_ns = at_ns
        self.good = 0.0
        self.sources = SlidingDistinct(DAY_NS)
        self.accounts = SlidingDistinct(DAY_NS)

    def settle(self, now_ns: int) -> None:
        """Let the good logins fade by half in a day."""
        if now_ns > self.at_ns:
            self.good *= 2.0 ** (-(now_ns - self.at_ns) / DAY_NS)
            self.at_ns = now_ns


class Surroundings:
    """Places by account and operators by ASN."""

    def __init__(self, settings: CircumstanceSettings) -> None:
        self._settings = settings
        self._places: OrderedDict[int, Place] = OrderedDict()
        self._operators: OrderedDict[int, Operator] = OrderedDict()

    def observe(self, login: Login, given: Circumstances) -> tuple[Reason, ...]:
        """Count `login`; what they say against it."""
        s = self._settings
        reasons = [] if given.asn is None else self._operator(login, given.asn)
        if given.secret_leaked:
            reasons.append(Reason("leaked-secret", 1.0, 0.0, s.leaked))
        if login.succeeded:
            if given.second_factor == "passed":
                reasons.append(Reason("second-factor-passed", 1.0, 0.0, s.second_factor_passed))
            reasons += self._travel(login, given)
        return NOTHING if login.known else tuple(reasons)

    def settle_in(self, login: Login, given: Circumstances) -> None:
        """The success was not taken for a takeover: its place is the account's last one."""
        if login.account == 0 or (given.latitude is None and given.country is None):
            return
        before = self._places.pop(login.account, None)
        countries = before.countries if before is not None else ()
        if given.country is not None:
            countries = (*[c for c in countries if c != given.country][1 - MAX_COUNTRIES :], given.country)
        self._places[login.account] = Place(login.now_ns, given.latitude, given.longitude, countries)
        while len(self._places) > MAX_PLACES:
            self._places.popitem(last=False)

    def _travel(self, login: Login, given: Circumstances) -> list[Reason]:
        s, last = self._settings, self._places.get(login.account)
        if last is None:
            return []
        reasons = []
        if given.country is not None and last.countries and given.country not in last.countries:
            reasons.append(Reason("new-country", 1.0, 0.0, s.new_country))
        here = (given.latitude, given.longitude)
        if None not in (*here, last.latitude, last.longitude):
            km = distance_km((last.latitude, last.longitude), here)  # type: ignore[arg-type] # none is None
            hours = max((login.now_ns - last.at_ns) / HOUR_NS, 1 / 60)  # clocks of log writers differ by a minute
            if km >= s.travel_km and km / hours > s.travel_kmh:
                reasons.append(Reason("impossible-travel", km / hours, s.travel_kmh, s.travel))
        return reasons

    def _operator(self, login: Login, asn: int) -> list[Reason]:
        s = self._settings
        row = self._operators.pop(asn, None)
        if row is None:
            if not login.counts and login.good_gain <= 0.0:
                return []
            row = Operator(login.now_ns)
        self._operators[asn] = row
        if len(self._operators) > MAX_OPERATORS:
            self._operators.popitem(last=False)
        row.settle(login.now_ns)
        row.good += login.good_gain
        if login.counts:
            row.sources.add(login.source, login.now_ns)
            row.accounts.add(login.account or login.source, login.now_ns)
        elif login.took_back:
            row.sources.discard(login.source)
            row.accounts.discard(login.account)
        usual = s.asn_sources + s.asn_per_good * row.good
        over = min(row.sources.count, row.accounts.count) - usual
        if over <= 0.0:
            return []
        return [Reason("asn-group", row.sources.count, usual, min(s.asn_cap, over * s.asn_slope))]

    # -- state ---------------------------------------------------------------------------------------------------------

    def dump(self) -> list[Any]:
        """All state, for a snapshot."""
        operators = [(asn, o.at_ns, o.good, o.sources.dump(), o.accounts.dump()) for asn, o in self._operators.items()]
        return [[(account, *place) for account, place in self._places.items()], operators]

    def go_on_from(self, before: "Surroundings") -> None:
        """Take over what is known under other settings."""
        self._places, self._operators = before._places, before._operators

    def load(self, state: Unpacker) -> None:
        """Become what `dump` gave."""
        state.list_length()
        self._places, self._operators = OrderedDict(), OrderedDict()
        for places in state.batches():
            for account, at_ns, latitude, longitude, countries in places:
                self._places[account] = Place(at_ns, latitude, longitude, tuple(countries))
        for operators in state.batches(OPERATORS_AT_ONCE):
            for asn, at_ns, good, sources, accounts in operators:
                row = self._operators[asn] = Operator(at_ns)
                row.good = good
                row.sources = load_sliding(sources) or row.sources
                row.accounts = load_sliding(accounts) or row.accounts

    def merging(self, other: "Surroundings") -> Iterator[None]:
        """Add the state of another node, with a stop now and then.

        The later place holds, counts unite; of more than fit, the latest stay.
        """
        for number, (account, place) in enumerate(other._places.items()):
            mine = self._places.get(account)
            if mine is None or mine.at_ns < place.at_ns:
                self._places[account] = place
            if number % PLACES_AT_ONCE == 0:
                yield
        for asn, theirs in other._operators.items():
            row = self._operators.setdefault(asn, theirs)
            if row is not theirs:
                now_ns = max(row.at_ns, theirs.at_ns)
                row.settle(now_ns)
                theirs.settle(now_ns)
                row.good += theirs.good
                row.sources.merge(theirs.sources)
                row.accounts.merge(theirs.accounts)
                yield
        for known, most in ((self._places, MAX_PLACES), (self._operators, MAX_OPERATORS)):
            _keep_latest(known, most)
            yield


def _keep_latest(known: OrderedDict[int, Any], most: int) -> None:
    """In the order of their times, as if the latest had been touched last."""
    for key, _ in sorted(known.items(), key=lambda one: one[1].at_ns):
        known.move_to_end(key)
    while len(known) > most:
        known.popitem(last=False)


def distance_km(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Between two places in degrees, along the surface (haversine)."""
    (lat1, lon1), (lat2, lon2) = (tuple(map(radians, place)) for place in (first, second))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(min(1.0, half)))
