# cython: infer_types=True, cpow=True
"""Source and account together: the place where a typo can be told from a guess.

Every other tracker counts pairs, so this one sees each login first and says on it what is new about it:
a repeated wrong secret counts once, as of its last time (W24), a known user may mistype, and a success takes back
the typos before it, but only that user's and only a few (W12).
"""

from typing import Any

from lapwing.detect import plainly as tallying
from lapwing.detect import slabs
from lapwing.detect.decay import HOUR_NS
from lapwing.detect.evidence import MACHINE_PACE, NO_SUCH_ACCOUNT, PAIR_SECRETS
from lapwing.detect.journal import BY_PAIR, Journal
from lapwing.detect.login import Login
from lapwing.detect.rows import ROW_FIELDS, Row
from lapwing.detect.settings import PairSettings
from lapwing.detect.table import Table
from lapwing.detect.trackers.tracker import HELD_TRIES, NO_DIMENSION, Tracker

MAX_SECRETS = 8  # wrong secrets remembered for a pair: devices with a stale password each repeat one
MACHINE_TRIES = 2.0  # with more different secrets than this, and as many tries too fast to be typed, no typos
ROUTINE_NS = HOUR_NS // 2  # a login again within this time adds nothing to know: good for many polling clients
HASTE = 0.5  # of a try too fast to be typed: typed in haste, or slowed down to look so
MILLISECOND_NS = 1_000_000

_ROUTINE = ROUTINE_NS
_MOST = MAX_SECRETS
_HASTE = HASTE
_HELD = HELD_TRIES
_SECRETS, _PACE, _ABSENT = PAIR_SECRETS, MACHINE_PACE, NO_SUCH_ACCOUNT


class Pair(Row):
    """`tries_*`: different failed tries by half-life, none unless `failing`. `failed_ns`: the last that counted, or 0.

    `fast`: different tries that came too fast to be typed, over a day; hasty ones, known to differ, count half.
    `good_ns`: the last success, 0 if none. `held` is what it is in a `Tally`, `extra` the number of its `Secrets`.
    """

    def start(self, at_ns: int) -> int:
        """Be a record that has seen nothing until `at_ns`."""
        Row.start(self, at_ns)
        self.failing = self.held = False
        self.tries_m = self.tries_h = self.tries_q = self.tries_d = self.fast = 0.0
        self.failed_ns = self.tried_ns = self.good_ns = 0
        return 0


slabs.keep(Pair)


class Secrets:
    """The wrong secrets of a pair: when each came last, and what it weighs; the latest last, at most `MAX_SECRETS`."""

    def __init__(self) -> None:
        self._tags = [0] * 8
        self._times = [0] * 8
        self._weights = [0.0] * 8
        self.count = 0
        self.before_ns = 0
        self.before = 0.0

    def renew(self, tag: int, now_ns: int, weight: float) -> float:
        """The secret comes (again): its weight now. `before_ns` and `before` tell when it came and weighed before."""
        self.before_ns, self.before = 0, 0.0
        at = 0
        while at < self.count and self._tags[at] != tag:
            at += 1
        if at < self.count:
            self.before_ns, self.before = self._times[at], self._weights[at]
        elif self.count < _MOST:
            self.count += 1
        else:
            at = 0
        for index in range(at, self.count - 1):
            self._tags[index] = self._tags[index + 1]
            self._times[index] = self._times[index + 1]
            self._weights[index] = self._weights[index + 1]
        at = self.count - 1
        self._tags[at] = tag
        self._times[at] = now_ns
        self._weights[at] = max(weight, self.before)
        return self._weights[at]

    def tags(self) -> tuple[int, ...]:
        """The secrets, without the rest."""
        return tuple([self._tags[index] for index in range(self.count)])

    def dump(self) -> list[Any]:
        """All there is, for a snapshot."""
        return [[self._tags[n], self._times[n], self._weights[n]] for n in range(self.count)]

    def load(self, state: list[Any]) -> "Secrets":
        """Become what `dump` gave."""
        self.count = 0
        for tag, at_ns, weight in state:
            self.renew(tag, at_ns, weight)
        return self


slabs.keep(Secrets)
_NO_SECRETS = Secrets()


class Pairs(Tracker):
    """Failures and successes by (source, account), or (source, protocol) where the account is not visible."""

    def __init__(self, settings: PairSettings, limit: int, journal: Journal) -> None:
        Tracker.__init__(self, limit, journal, BY_PAIR, NO_DIMENSION, "pair")
        self.pattern = Pair()
        self._settings = settings
        self._machine_gap_ns = settings.machine_gap_ms * MILLISECOND_NS
        self._hasty_gap_ns = settings.hasty_gap_ms * MILLISECOND_NS
        self._device_gap_ns = settings.device_gap_ms * MILLISECOND_NS
        self._free_known = settings.free_known_secrets
        self._typo_secrets = settings.typo_secrets
        self._machine_slope = settings.machine_slope
        self._machine_cap = settings.machine_cap
        self._slope = settings.secret_slope
        self._free = list(settings.free_secrets)
        self._free_absent = settings.free_absent
        self._absent_slope = settings.absent_slope
        self._absent_cap = settings.absent_cap
        self.quiet_first = min(settings.free_secrets) >= 1.0

    def key(self, login: Login) -> int:
        """The pair: made of two keyed hashes, so no two pairs share a key (W18)."""
        return login.pair

    def observe(self, login: Login, now_ns: int) -> int:
        """Count `login`, set its `known`, `counts`, gains and what it takes back; evidence are secrets and pace."""
        row = tallying.row_for(self, login, login.pair, login.at_pair)
        new = row is None
        if new:
            if not login.failed and not login.succeeded:
                return 0
            if login.failed and self.quiet_first and login.begin_pair():
                self.table.spark(login.pair, login.pos)
                return 0
            row = self.fresh(now_ns)
        login.known = row.good_ns > 0 and login.account != 0
        if now_ns > row.at_ns:
            if row.failing:
                at = tallying.at(self, now_ns - row.at_ns)
                row.tries_m *= self.fading.left[at]
                row.tries_h *= self.fading.left[at + 1]
                row.tries_q *= self.fading.left[at + 2]
                row.tries_d *= self.fading.left[at + 3]
                row.fast *= self.fading.left[at + 3]
            row.at_ns = now_ns
        if login.failed:
            self._fail(row, login, now_ns)
            self._say(row, login)
        else:
            self._say(row, login)
            if login.succeeded:
                self._succeed(row, login, now_ns)
        if new:
            self.keep(login.pair, row, login)
        if not row.held and (row.tries_d >= _HELD or (row.good_ns > 0 and login.account != 0)):
            row.held = True
            self.table.hold(login.pair)
        return 0

    def knows(self, login: Login) -> bool:
        """Whether the account has logged in from this source. Nothing is touched."""
        row = self.table.peek(login.pair)
        return row is not None and row.good_ns > 0 and login.account != 0

    def count(self, row: Any, login: Login) -> int:
        """A failure retold by the journal."""
        mine = row
        self._fail(mine, login, login.now_ns)
        return 0

    def _fail(self, row: Any, login: Login, now_ns: int) -> int:
        self._novelty(row, login, now_ns)
        if row.tried_ns > 0:
            # The gap to any try, repetitions too: one between two others may only add to what is held against them.
            gap_ns, new = now_ns - row.tried_ns, min(1.0, login.try_3)
            if gap_ns < self._machine_gap_ns:
                row.fast += new
            elif gap_ns < self._hasty_gap_ns and login.secret != 0:
                row.fast += _HASTE * new
        row.tried_ns = now_ns
        row.failing = True
        row.tries_m += login.try_0
        row.tries_h += login.try_1
        row.tries_q += login.try_2
        row.tries_d += login.try_3
        if login.known and row.tries_d <= self._free_known:
            return 0
        login.counts = True
        if login.account != 0:
            login.pair_0 = login.pair_1 = login.pair_2 = login.pair_3 = 1.0
            if row.failed_ns > 0:
                fading = self.fading
                fading.set(now_ns - row.failed_ns)
                login.pair_0 -= fading.m
                login.pair_1 -= fading.h
                login.pair_2 -= fading.q
                login.pair_3 -= fading.d
        row.failed_ns = now_ns
        return 0

    def _novelty(self, row: Any, login: Login, now_ns: int) -> int:
        """What a failure adds: its weight, or where the secret failed before only what has faded of that since.

        Where no secret is visible, an account at home that fails at a device's pace repeats one secret.
        """
        w = login.weight
        login.try_0 = login.try_1 = login.try_2 = login.try_3 = w
        secret = login.secret
        if secret == 0:
            if login.known and row.tried_ns > 0 and now_ns - row.tried_ns >= self._device_gap_ns:
                self._fade_novelty(login, w, w, now_ns - row.tried_ns)
            return 0
        if row.extra < 0:
            row.extra = self.table.put_beside(slabs.like(_NO_SECRETS))
        secrets = self.table.beside(row.extra)
        weight = secrets.renew(secret, now_ns, w)
        if secrets.before > 0.0:
            self._fade_novelty(login, weight, secrets.before, now_ns - secrets.before_ns)
        return 0

    def _fade_novelty(self, login: Login, weight: float, before: float, age_ns: int) -> int:
        """A repetition: it weighed `before` so long ago."""
        fading = self.fading
        fading.set(age_ns)
        login.try_0 = weight - before * fading.m
        login.try_1 = weight - before * fading.h
        login.try_2 = weight - before * fading.q
        login.try_3 = weight - before * fading.d
        return 0

    def _succeed(self, row: Any, login: Login, now_ns: int) -> int:
        if login.known and not row.failing and now_ns - row.good_ns < _ROUTINE:
            login.routine = True
            return 0
        login.good_gain = 1.0
        if row.good_ns > 0:
            fading = self.fading
            fading.set(now_ns - row.good_ns)
            login.good_gain = 1.0 - fading.d
        if row.failing:
            login.pair_tries = row.tries_d
            if login.account == 0:
                self._take_one_back(row, login)
            elif self._were_typos(row):
                self._take_back(row, login, now_ns)
        row.good_ns = max(row.good_ns, now_ns)
        return 0

    def _were_typos(self, row: Any) -> bool:
        """Few different secrets, and typed; software that repeats one of them at once is not the user's doing."""
        tries = row.tries_d
        return bool(tries <= self._typo_secrets and (tries <= MACHINE_TRIES or row.fast < MACHINE_TRIES))

    def _take_back(self, row: Any, login: Login, now_ns: int) -> int:
        login.took_back = True
        if row.failed_ns > 0:
            fading = self.fading
            fading.set(now_ns - row.failed_ns)
            login.back_pair_0 = fading.m
            login.back_pair_1 = fading.h
            login.back_pair_2 = fading.q
            login.back_pair_3 = fading.d
            login.back_try_0 = row.tries_m
            login.back_try_1 = row.tries_h
            login.back_try_2 = row.tries_q
            login.back_try_3 = row.tries_d
        if row.extra >= 0:
            secrets = self.table.beside(row.extra)
            login.back_secrets = secrets.tags()
        row.failing = False
        row.tries_m = row.tries_h = row.tries_q = row.tries_d = row.fast = 0.0
        row.failed_ns = 0
        return 0

    def _take_one_back(self, row: Any, login: Login) -> int:
        """Whose success it was is not visible: it excuses one try, whatever came before."""
        login.took_back = True
        login.back_try_0 = min(1.0, row.tries_m)
        login.back_try_1 = min(1.0, row.tries_h)
        login.back_try_2 = min(1.0, row.tries_q)
        login.back_try_3 = min(1.0, row.tries_d)
        row.tries_m -= login.back_try_0
        row.tries_h -= login.back_try_1
        row.tries_q -= login.back_try_2
        row.tries_d -= login.back_try_3
        return 0

    def _say(self, row: Any, login: Login) -> int:
        if not row.failing:
            return 0
        free = self._free_known if login.known else 0.0
        best = value = limit = 0.0
        for index in range(4):
            count = row.tries_m
            if index == 1:
                count = row.tries_h
            elif index == 2:
                count = row.tries_q
            elif index == 3:
                count = row.tries_d
            ordinary = max(self._free[index], free)
            if count - ordinary > best:
                best, value, limit = count - ordinary, count, ordinary
        if login.nobody:
            self._say_absent(row)
        if best <= 0.0:
            return 0
        self.evidence.put(_SECRETS, value, limit, best * self._slope)
        if row.fast >= 1.0:
            self.evidence.put(_PACE, row.fast, 0.0, min(self._machine_cap, row.fast * self._machine_slope))
        return 0

    def _say_absent(self, row: Any) -> int:
        over = row.tries_d - self._free_absent
        if over <= 0.0:
            return 0
        return self.evidence.put(
            _ABSENT, row.tries_d, self._free_absent, min(self._absent_cap, over * self._absent_slope)
        )

    def fields(self) -> tuple[str, ...]:
        """What of a pair goes into a snapshot."""
        return PAIR_FIELDS

    def load_beside(self, which: int, state: list[Any]) -> Any:  # noqa: ARG002 - there is one kind
        """Secrets from their dump."""
        return Secrets().load(state)

    def join(self, mine: Any, other: Any, their_table: Table) -> None:
        """Add `other`'s counts to `mine`."""
        now_ns = max(mine.at_ns, other.at_ns)
        sums = [0.0, 0.0, 0.0, 0.0]
        for pair in (mine, other):
            self.fading.set(now_ns - pair.at_ns)
            sums[0] += pair.tries_m * self.fading.m
            sums[1] += pair.tries_h * self.fading.h
            sums[2] += pair.tries_q * self.fading.q
            sums[3] += pair.tries_d * self.fading.d
        mine.tries_m, mine.tries_h, mine.tries_q, mine.tries_d = sums
        mine.failing = mine.failing or other.failing
        mine.fast += other.fast
        mine.failed_ns, mine.good_ns = max(mine.failed_ns, other.failed_ns), max(mine.good_ns, other.good_ns)
        mine.tried_ns, mine.at_ns = max(mine.tried_ns, other.tried_ns), now_ns
        if other.extra >= 0:
            both = their_table.beside(other.extra).dump()
            if mine.extra >= 0:
                both = sorted([*self.table.beside(mine.extra).dump(), *both], key=lambda secret: secret[1])
                self.table.beside(mine.extra).load(both)
            else:
                mine.extra = self.table.put_beside(Secrets().load(both))


PAIR_FIELDS = (
    *ROW_FIELDS, "failing", "tries_m", "tries_h", "tries_q", "tries_d", "fast", "failed_ns", "tried_ns", "good_ns",
)  # fmt: skip
