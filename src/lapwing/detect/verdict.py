# cython: infer_types=True, cpow=True
"""All evidence on one login added up: log-odds, each part capped, every reason kept.

Nothing is subtracted but what a success has earned before, so more failures never mean less risk (W25, W28).
Runs compiled, typed by `verdict.pxd`, and as it stands.
"""

import math
from typing import TYPE_CHECKING, Any

import msgspec

from lapwing.detect import plainly as natively
from lapwing.detect.evidence import GROUP_OF, GROUPS, KINDS, NAMES, Evidence, kinds_of
from lapwing.detect.reasons import Reason
from lapwing.detect.settings import DetectSettings
from lapwing.events import Action

if TYPE_CHECKING:
    import cython  # for the compiler, which takes this for a class from here alone
else:
    from lapwing.detect import plainly as cython

BESIDE = frozenset(
    ("asn-group", "leaked-secret", "second-factor-passed", "second-factor-failed", "impossible-travel", "new-country")
)
SAID = ("known-pair", *NAMES)
"""What a verdict has bits for, the lowest first: that the account is known there, then `NAMES`."""
RANK_SHIFT, RANKS = len(SAID), 7  # in a verdict's facts, above these bits
APART = 1 << RANK_SHIFT + 3  # a bit that no verdict has, for whoever keeps facts of many (`verdicts.py`)
RETRY_SHIFT = RANK_SHIFT + 4  # 40 bits are left for seconds, and 2 to the 63 nanoseconds are fewer than 34 bits of them
INSIDE = 4  # reasons whose numbers a verdict has in itself: more are 1 % of all, and a fifth of those on attacks
FURTHER = 3  # those whose numbers stand beside it; what is left are objects
UNKNOWN_RISK = -1.0
_E = math.e
_ACTIONS = tuple(Action)
_RANK_SHIFT, _RETRY_SHIFT = RANK_SHIFT, RETRY_SHIFT
_RANKS = RANKS
_INSIDE, _NUMBERS = 3 * INSIDE, 3 * (INSIDE + FURTHER)
_MASKS = [kinds_of(group) for group in GROUPS]
_GROUP_OF_KIND = [GROUPS.index(group) for _, group in KINDS]
_UNKNOWN = UNKNOWN_RISK


@cython.no_gc
@cython.freelist(64)
@cython.cclass  # lowest: the others may be said of such a class only
class Further:
    """What few verdicts have: `numbers` of further reasons, `others` as they are; what was given and not weighed."""

    def __init__(self) -> None:
        self.risk = _UNKNOWN
        self.retry_after_s = 0  # counts where a risk was given
        self.others: tuple[Reason, ...] = ()
        if _PLAIN:  # compiled, they are part of the object
            self.numbers = [0.0] * 9


@cython.no_gc
@cython.freelist(1024)
@cython.cclass
class Verdict:
    """What to do about one login. `risk` is a probability-like score from 0 to 1. Not to be changed.

    Risk and reasons are kept as numbers and put together when somebody asks: of most verdicts only the action is read.
    `facts` has a bit for each of `SAID`, the place of the answer in `Action`, and for how long it stands; `numbers` are
    three for each reason, in the order of the bits. It has no method of C, whose table would be eight bytes more: a
    verdict is 144, and for each login of a large batch it is memory that nothing has touched before.
    """

    def __init__(
        self,
        action: Action,
        risk: float,
        log_odds: float,
        reasons: tuple[Reason, ...],
        retry_after_s: int = 0,
        known: bool = False,
    ) -> None:
        self.facts = _ACTIONS.index(action) << RANK_SHIFT | (1 if known else 0)
        self.log_odds = log_odds
        self._reasons: tuple[Reason, ...] | None = reasons
        self.further: Further | None = Further()
        self.further.risk = risk
        self.further.retry_after_s = retry_after_s
        if _PLAIN:
            self.numbers = [0.0] * 12

    @property
    def rank(self) -> int:
        """How strict the answer is: its place in `Action`."""
        return self.facts >> _RANK_SHIFT & _RANKS

    @property
    def action(self) -> Action:
        """The answer."""
        return _ACTIONS[self.facts >> _RANK_SHIFT & _RANKS]

    @property
    def risk(self) -> float:
        """From 0 to 1, growing with `log_odds`."""
        if self.further is not None and self.further.risk != _UNKNOWN:
            return self.further.risk
        return risk_of(self.log_odds)

    @property
    def retry_after_s(self) -> int:
        """For how long the answer stands against the source; 0 where it is about this login alone."""
        if self.further is not None and self.further.risk != _UNKNOWN:
            return self.further.retry_after_s
        return self.facts >> _RETRY_SHIFT

    @property
    def known(self) -> bool:
        """The account has logged in from this source before."""
        return self.facts & 1 != 0

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """What speaks against the login, and what speaks for it."""
        if self._reasons is None:
            self._reasons = _reasons_of(self)
        return self._reasons

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Verdict) and self._facts() == other._facts()

    def __hash__(self) -> int:
        return hash(self._facts())

    def __repr__(self) -> str:
        names = ", ".join([reason.name for reason in self.reasons])
        stands = f" for {self.retry_after_s} s" if self.retry_after_s else ""
        return f"<Verdict {self.action.value}{stands}, risk {self.risk:.4f}: {names or 'no reasons'}>"

    def __reduce__(self) -> Any:
        return Verdict, self._facts()

    def _facts(self) -> tuple[Any, ...]:
        return self.action, self.risk, self.log_odds, self.reasons, self.retry_after_s, self.known

    def but(self, action: Action, retry_after_s: int) -> "Verdict":
        """The same with another answer, which stands for `retry_after_s`."""
        return Verdict(action, self.risk, self.log_odds, self.reasons, retry_after_s, self.known)


_PLAIN = hasattr(Verdict.__init__, "__code__")


def bare() -> Verdict:
    """A verdict whose facts and numbers are still to be written."""
    verdict: Verdict = Verdict.__new__(Verdict)  # without the detour of a call from Python
    if _PLAIN:  # compiled, it begins with these
        verdict._reasons = verdict.further = None
        verdict.numbers = [0.0] * 12
    return verdict


def note_further(verdict: Verdict, at: int, said: int, value: float, threshold: float, weight: float) -> int:
    """Keep a reason, one of `SAID`, whose numbers begin at `at` of all: there is no room for it in the verdict."""
    further = verdict.further
    if further is None:
        further = verdict.further = Further()
    if at < _NUMBERS:
        at -= _INSIDE
        further.numbers[at] = value
        further.numbers[at + 1] = threshold
        further.numbers[at + 2] = weight
    else:
        further.others = (*further.others, Reason(SAID[said], value, threshold, weight))
    return 0


def _reasons_of(verdict: Verdict) -> tuple[Reason, ...]:
    made = []
    at = 0
    for said, name in enumerate(SAID):
        if verdict.facts >> said & 1 and at < _NUMBERS:
            made.append(Reason(name, _number(verdict, at), _number(verdict, at + 1), _number(verdict, at + 2)))
            at += 3
    return tuple(made) if verdict.further is None else (*made, *verdict.further.others)


def _number(verdict: Verdict, at: int) -> float:
    if at < _INSIDE:
        return verdict.numbers[at]
    return verdict.further.numbers[at - _INSIDE] if verdict.further is not None else 0.0


def _note_beside(verdict: Verdict, evidence: Evidence) -> int:
    if verdict.further is None:
        verdict.further = Further()
    verdict.further.others += evidence.beside
    return 0


class Contribution(msgspec.Struct, frozen=True, gc=False):
    """One reason of a verdict, and what the verdict would have been without it."""

    reason: Reason
    group: str
    risk_without: float
    action_without: Action


def risk_of(log_odds: float) -> float:
    """Probability of `log_odds`."""
    return 1.0 / (1.0 + _E**-log_odds)  # type: ignore[no-any-return]


def log_odds_of(risk: float) -> float:
    """Log-odds of the probability `risk`."""
    if risk <= 0.0:
        return -math.inf
    return math.inf if risk >= 1.0 else math.log(risk / (1.0 - risk))


class Judge:
    """Turns evidence into verdicts. Evidence is a list of the reasons of each of `GROUPS`."""

    def __init__(self, settings: DetectSettings) -> None:
        s = self._settings = settings
        parts = (s.account, s.fingerprint, s.credential, s.source, s.network, s.site)
        self._caps = [part.cap for part in parts]
        # What a group adds to a verdict is capped as its score is, and by a cap of its own.
        self._login_caps = [min(part.cap, getattr(part, "login_cap", part.cap)) for part in parts]
        self._beside_cap = s.circumstances.login_cap
        self._prior, self.known_pair = s.prior, s.known_pair
        self._grades = [log_odds_of(risk) for risk in (s.watch_at, s.challenge_at, s.delay_at, s.block_at)]
        nothing = Evidence()
        self._nothing = self._made(nothing, self._prior, self.rank(self._prior), 0)
        nothing.known = True
        log_odds = self._prior + self.known_pair
        self._nothing_known = self._made(nothing, log_odds, self.rank(log_odds), 0)

    def weigh(self, evidence: Evidence) -> float:
        """The log-odds that `evidence` comes to: each part capped."""
        log_odds = self._prior
        if evidence.known:
            log_odds += self.known_pair
        bits = evidence.present
        while bits != 0:
            kind = natively.trailing(bits)
            group = _GROUP_OF_KIND[kind]  # kinds of one group stand together, in the order of groups
            own = bits & _MASKS[group]
            weight = evidence.weights[kind] if own & (own - 1) == 0 else evidence.sum(group, 0)
            log_odds += min(self._login_caps[group], weight)
            bits &= ~own
        if evidence.beside:
            weight = 0.0
            for reason in evidence.beside:
                weight += reason.weight
            log_odds += min(self._beside_cap, weight)
        return log_odds

    def verdict(self, evidence: Evidence, log_odds: float, rank: int, retry_after_s: int) -> Verdict:
        """`evidence`, which comes to `log_odds`, answered with the action of `rank`."""
        if evidence.present == 0 and retry_after_s == 0 and not evidence.beside:
            nothing = self._nothing_known if evidence.known else self._nothing  # the same for most, so made once
            if nothing.facts >> _RANK_SHIFT == rank:
                return nothing
        return self._made(evidence, log_odds, rank, retry_after_s)

    def judge(self, evidence: Evidence) -> Verdict:
        """The verdict on one login."""
        log_odds = self.weigh(evidence)
        return self.verdict(evidence, log_odds, self.rank(log_odds), 0)

    def _made(self, evidence: Evidence, log_odds: float, rank: int, retry_after_s: int) -> Verdict:
        """Keep the numbers of `evidence`, which the next login writes over."""
        verdict: Verdict = bare() if _PLAIN else Verdict.__new__(Verdict)  # compiled, without the detour of a call
        verdict.log_odds = log_odds
        at = 0
        facts = rank << _RANK_SHIFT | retry_after_s << _RETRY_SHIFT | evidence.present << 1
        if evidence.known:
            facts |= 1
            verdict.numbers[0], verdict.numbers[1], verdict.numbers[2] = 1.0, 0.0, self.known_pair
            at = 3
        verdict.facts = facts
        bits = evidence.present
        while bits != 0:
            kind = natively.trailing(bits)
            value, threshold, weight = evidence.values[kind], evidence.thresholds[kind], evidence.weights[kind]
            if at < _INSIDE:
                verdict.numbers[at] = value
                verdict.numbers[at + 1] = threshold
                verdict.numbers[at + 2] = weight
            else:
                note_further(verdict, at, kind + 1, value, threshold, weight)
            at += 3
            bits &= bits - 1
        if evidence.beside:
            _note_beside(verdict, evidence)
        return verdict

    def explain(self, verdict: Verdict) -> list[Contribution]:
        """What each reason contributed, caps and all: the verdict without it."""
        told = []
        for dropped in verdict.reasons:
            evidence = Evidence()
            for reason in verdict.reasons:
                if reason is not dropped and reason.name in GROUP_OF:
                    evidence.add(reason)
            evidence.beside = tuple([r for r in verdict.reasons if r is not dropped and r.name in BESIDE])
            evidence.known = verdict.known and dropped.name != "known-pair"
            without = self.judge(evidence)
            group = "circumstances" if dropped.name in BESIDE else GROUP_OF.get(dropped.name, "trust")
            told.append(Contribution(dropped, group, without.risk, without.action))
        return told

    def score(self, group: int, evidence: Evidence, but: int) -> float:
        """What is said of one group weighs together, without the kinds whose bits are in `but`."""
        return min(self._caps[group], evidence.sum(group, but))

    def challenge_from(self) -> float:
        """The log-odds from which a login is answered with more than watching."""
        return self._grades[1]

    def rank(self, log_odds: float) -> int:
        """The graded answer to `log_odds`: its place in `Action`."""
        if log_odds < self._grades[0]:
            return 0
        if log_odds < self._grades[1]:
            return 1
        if log_odds < self._grades[2]:
            return 2
        return 3 if log_odds < self._grades[3] else 4

    def action(self, log_odds: float) -> Action:
        """The graded answer to `log_odds`."""
        return _ACTIONS[self.rank(log_odds)]
