"""Source and account together: the place where a typo can be told from a guess.

Every other tracker counts pairs, so this one sees each login first and says on it what is new about it:
a repeated wrong secret counts once, as of its last time (W24), a known user may mistype, and a success takes back
the typos before it, but only that user's and only a few (W12).
"""

import msgspec

from lapwing.detect.decay import HOUR_NS, ZEROS, Quad, fade, fade_day, scaled
from lapwing.detect.login import Login
from lapwing.detect.reasons import Reason
from lapwing.detect.settings import PairSettings
from lapwing.detect.table import Row
from lapwing.detect.trackers.tracker import HELD_TRIES, NOTHING, Tracker

MAX_SECRETS = 8  # wrong secrets remembered for a pair: devices with a stale password each repeat one
MACHINE_TRIES = 2.0  # with more different secrets than this, and as many tries too fast to be typed, no typos
ROUTINE_NS = HOUR_NS // 2  # a login again within this time adds nothing to know: good for many polling clients
MILLISECOND_NS = 1_000_000


class Pair(Row, gc=False):
    """`tries`: different failed tries by half-life. `failed_ns`: the last that counted, 0 if none.

    `fast`: tries that came too fast to be typed, over a day. `good_ns`: the last success, 0 if none.
    `secrets`: the wrong ones, when each came last, and what it weighs.
    """

    tries: list[float] | None = None
    fast: float = 0.0
    failed_ns: int = 0
    tried_ns: int = 0
    good_ns: int = 0
    secrets: list[tuple[bytes, int, float]] = msgspec.field(default_factory=list)


class Pairs(Tracker[Pair]):
    """Failures and successes by (source, account), or (source, protocol) where the account is not visible."""

    name = "pair"
    row_type = Pair

    def __init__(self, settings: PairSettings, limit: int) -> None:
        super().__init__(limit)
        self._settings = settings

    def key(self, login: Login) -> bytes:
        """The pair: fixed-length parts, so no two pairs share a key (W18)."""
        return login.pair

    def observe(self, login: Login, now_ns: int) -> tuple[Reason, ...]:
        """Count `login`, set its `known`, `counts`, gains and what it takes back."""
        row = self.row(login.pair, now_ns)
        login.known = row.good_ns > 0 and login.account is not None
        if row.tries is not None and now_ns > row.at_ns:
            factors = fade(now_ns - row.at_ns)
            row.tries = scaled(row.tries, factors)
            row.fast *= factors[3]
        row.at_ns = max(row.at_ns, now_ns)
        if login.failed:
            self._fail(row, login, now_ns)
        elif login.succeeded:
            reasons = self._reasons(row, login)
            self._succeed(row, login, now_ns)
            return reasons
        return self._reasons(row, login)

    def _fail(self, row: Pair, login: Login, now_ns: int) -> None:
        if row.tried_ns and now_ns - row.tried_ns < self._settings.machine_gap_ms * MILLISECOND_NS:
            row.fast += 1.0  # repetitions too: a try between two others may only add to what is held against them
        row.tried_ns = now_ns
        gain = self._novelty(row, login, now_ns)
        tries = row.tries or list(ZEROS)
        row.tries = tries = [n + g for n, g in zip(tries, gain, strict=True)]
        login.try_gain = gain
        if tries[3] >= HELD_TRIES:
            self.table.hold(login.pair)
        if login.known and tries[3] <= self._settings.free_known_secrets:
            return
        login.counts = True
        if login.account is not None:
            left = fade(now_ns - row.failed_ns) if row.failed_ns else ZEROS
            login.pair_gain = (1.0 - left[0], 1.0 - left[1], 1.0 - left[2], 1.0 - left[3])
        row.failed_ns = now_ns

    @staticmethod
    def _novelty(row: Pair, login: Login, now_ns: int) -> Quad:
        """What a failure adds: its weight, or where the secret failed before only what has faded of that since."""
        w, secret = login.weight, login.secret
        if secret is None:
            return (w, w, w, w)
        before = next((s for s in row.secrets if s[0] == secret), (secret, now_ns, 0.0))
        weight = max(w, before[2])
        row.secrets = [*[s for s in row.secrets if s[0] != secret][1 - MAX_SECRETS :], (secret, now_ns, weight)]
        a, b, c, d = scaled([before[2]] * 4, fade(now_ns - before[1]))
        return (weight - a, weight - b, weight - c, weight - d)

    def _succeed(self, row: Pair, login: Login, now_ns: int) -> None:
        if login.known and row.tries is None and now_ns - row.good_ns < ROUTINE_NS:
            login.routine = True
            return
        login.good_gain = 1.0 - fade_day(now_ns - row.good_ns) if row.good_ns else 1.0
        if row.tries is not None:
            login.pair_tries = row.tries[3]
            if login.account is None:
                self._take_one_back(row, login)
            elif self._were_typos(row, row.tries[3]):
                login.back_pairs = fade(now_ns - row.failed_ns) if row.failed_ns else ZEROS
                a, b, c, d = row.tries if row.failed_ns else ZEROS
                login.back_tries = (a, b, c, d)
                login.back_secrets = tuple([s[0] for s in row.secrets])
                row.tries, row.failed_ns, row.fast = None, 0, 0.0
        row.good_ns = max(row.good_ns, now_ns)
        if login.account is not None:
            self.table.hold(login.pair)

    def _were_typos(self, row: Pair, tries: float) -> bool:
        """Few different secrets, and typed; software that repeats one of them at once is not the user's doing."""
        return tries <= self._settings.typo_secrets and (tries <= MACHINE_TRIES or row.fast < MACHINE_TRIES)

    @staticmethod
    def _take_one_back(row: Pair, login: Login) -> None:
        """Whose success it was is not visible: it excuses one try, whatever came before."""
        a, b, c, d = [min(1.0, n) for n in row.tries or ZEROS]
        login.back_pairs, login.back_tries = ZEROS, (a, b, c, d)
        row.tries = [max(0.0, n - 1.0) for n in row.tries or ZEROS]

    def _reasons(self, row: Pair, login: Login) -> tuple[Reason, ...]:
        tries, s = row.tries, self._settings
        if tries is None:
            return NOTHING
        best, free = 0.0, s.free_known_secrets if login.known else 0.0
        value = limit = 0.0
        for count, ordinary in zip(tries, s.free_secrets, strict=True):
            over = count - max(ordinary, free)
            if over > best:
                best, value, limit = over, count, max(ordinary, free)
        if best <= 0.0:
            return NOTHING
        secrets = Reason("pair-secrets", value, limit, best * s.secret_slope)
        if row.fast < 1.0:
            return (secrets,)
        return (secrets, Reason("machine-pace", row.fast, 0.0, min(s.machine_cap, row.fast * s.machine_slope)))

    def join(self, mine: Pair, other: Pair) -> None:
        """Add `other`'s counts to `mine`."""
        now_ns = max(mine.at_ns, other.at_ns)
        ours, theirs = (scaled(p.tries or list(ZEROS), fade(now_ns - p.at_ns)) for p in (mine, other))
        mine.tries = [a + b for a, b in zip(ours, theirs, strict=True)] if mine.tries or other.tries else None
        mine.fast += other.fast
        mine.failed_ns, mine.good_ns = max(mine.failed_ns, other.failed_ns), max(mine.good_ns, other.good_ns)
        mine.tried_ns, mine.at_ns = max(mine.tried_ns, other.tried_ns), now_ns
        latest = {s[0]: s for s in sorted([*mine.secrets, *other.secrets], key=lambda s: s[1])}
        mine.secrets = sorted(latest.values(), key=lambda s: s[1])[-MAX_SECRETS:]
