"""What every tracker is, and the counts most of them keep."""

from typing import Generic, TypeVar

import msgspec

from lapwing.detect.decay import DAY_NS, ZEROS, fade, fade_day
from lapwing.detect.episode import Episode, begin
from lapwing.detect.login import Glimpse, Login
from lapwing.detect.reasons import Reason
from lapwing.detect.table import Row, Table

NOTHING: tuple[Reason, ...] = ()
HELD_TRIES = 3.0  # failed tries from which a row is kept longer than untried ones


class Tally(Row, gc=False):
    """Decayed counts by half-life, None until something failed; `good` are accounts that log in well, over a day.

    `pairs` counts failing source-account pairs, each at most once; `tries` counts different failed tries.
    `owned` counts failures that an open finding of another record explains.
    `first` is the failure that stands alone so far; the second one makes it an `episode`.
    """

    good: float = 0.0
    pairs: list[float] | None = None
    tries: list[float] | None = None
    owned: int = 0
    first: Glimpse | None = None
    episode: Episode | None = None

    def settle(self, now_ns: int) -> None:
        """Bring the counts to `now_ns`. A late event changes nothing here."""
        age = now_ns - self.at_ns
        if age <= 0:
            return
        self.at_ns = now_ns
        if self.pairs is None or self.tries is None:
            if self.good:
                self.good *= fade_day(age)
            return
        a, b, c, d = fade(age)
        p, t = self.pairs, self.tries
        self.good *= d
        self.pairs = [p[0] * a, p[1] * b, p[2] * c, p[3] * d]
        self.tries = [t[0] * a, t[1] * b, t[2] * c, t[3] * d]

    def take(self, login: Login) -> None:
        """Count a login at the row's time."""
        if login.failed:
            if login.counts:
                self._add(login)
        elif login.succeeded:
            self.good += login.good_gain
            if login.back_pairs is not None:
                self._take_back(login)

    def _add(self, login: Login) -> None:
        g, w = login.pair_gain, login.try_gain
        p, t = self.pairs, self.tries
        if p is None or t is None:
            self.pairs, self.tries = list(g), list(w)
            return
        self.pairs = [p[0] + g[0], p[1] + g[1], p[2] + g[2], p[3] + g[3]]
        self.tries = [t[0] + w[0], t[1] + w[1], t[2] + w[2], t[3] + w[3]]

    def _take_back(self, login: Login) -> None:
        if self.pairs is None or self.tries is None:
            return
        back = login.back_pairs or ZEROS
        self.pairs = [max(0.0, a - b) for a, b in zip(self.pairs, back, strict=True)]
        self.tries = [max(0.0, a - b) for a, b in zip(self.tries, login.back_tries, strict=True)]

    def absorb(self, other: "Tally") -> None:
        """Add the counts another node kept for the same key."""
        now_ns = max(self.at_ns, other.at_ns)
        self.settle(now_ns)
        other.settle(now_ns)
        self.good += other.good
        self.owned += other.owned
        if other.pairs is not None and other.tries is not None:
            mine, tried = self.pairs or list(ZEROS), self.tries or list(ZEROS)
            self.pairs = [a + b for a, b in zip(mine, other.pairs, strict=True)]
            self.tries = [a + b for a, b in zip(tried, other.tries, strict=True)]
        ours, theirs = (r.episode or (begin(r.first) if r.first is not None else None) for r in (self, other))
        if ours is not None and theirs is not None:
            ours.absorb(theirs)
        self.first, self.episode = None, ours or theirs


R = TypeVar("R", bound=Row)


class Tracker(Generic[R]):
    """Counts by one key, bounded, alone: it knows nothing of other trackers.

    The key names how it shards: all logins with one key must reach one instance.
    """

    name: str
    row_type: type[R]
    forget_ns: int = 7 * DAY_NS  # `DetectSettings.forget_after_s` where a detector owns the tracker

    def __init__(self, limit: int) -> None:
        self.table: Table[R] = Table(limit)
        self.totals = Tally()  # of the whole site, for trackers that compare with it

    def key(self, login: Login) -> bytes | None:
        """What this tracker counts `login` by; None if the login has no such thing."""
        raise NotImplementedError

    def observe(self, login: Login, now_ns: int) -> tuple[Reason, ...]:
        """Count `login` and return what the key's record now says against it."""
        raise NotImplementedError

    def tick(self, now_ns: int) -> None:
        """Drop what was not touched for `forget_ns`."""
        self.table.forget_before(now_ns - self.forget_ns)

    def snapshot(self) -> bytes:
        """All state."""
        return msgspec.msgpack.encode((*self.table.dump(), self.totals))

    def restore(self, data: bytes) -> None:
        """Become what `snapshot` gave. Raises `msgspec.ValidationError` for anything else."""
        row = self.row_type
        rows = list[tuple[bytes, row]]  # type: ignore[valid-type]
        cold, held, evicted, refused, self.totals = msgspec.msgpack.decode(
            data, type=tuple[rows, rows, int, int, Tally]
        )
        self.table.load(cold, held, evicted, refused)

    def merge(self, data: bytes) -> None:
        """Add the state another node's `snapshot` gave."""
        other = type(self).__new__(type(self))
        other.table = Table(self.table.limit)
        Tracker.restore(other, data)
        self.totals.absorb(other.totals)
        for key, row in other.table.items():
            mine = self.table.peek(key)
            if mine is None:
                self.table.insert(key, row)
            else:
                self.join(mine, row)
            if other.table.holds(key):
                self.table.hold(key)

    def join(self, mine: R, other: R) -> None:
        """Add `other`'s counts to `mine`."""
        raise NotImplementedError

    def count_good(self, login: Login, now_ns: int) -> None:
        """Count an account that logs in well anywhere."""
        self.totals.settle(now_ns)
        self.totals.good += login.good_gain

    def all_good(self, now_ns: int) -> float:
        """Accounts that log in well anywhere, over a day."""
        return self.totals.good * fade_day(now_ns - self.totals.at_ns)

    def row(self, key: bytes, now_ns: int) -> R:
        """The row of `key`, touched; a new one if there was none (kept only if the table has room)."""
        row = self.table.touch(key)
        if row is None:
            row = self.fresh(now_ns)
            self.table.insert(key, row)
        return row

    def fresh(self, now_ns: int) -> R:
        """A row that has seen nothing."""
        return self.row_type(at_ns=now_ns)
