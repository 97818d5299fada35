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
_E = math.e
MOST_NUMBERS = 6  # reasons a verdict keeps as numbers, which is as many as any has but the worst ones
UNKNOWN_RISK = -1.0
_ACTIONS = tuple(Action)
_MOST = 3 * MOST_NUMBERS
_MASKS = [kinds_of(group) for group in GROUPS]
_GROUP_OF_KIND = [GROUPS.index(group) for _, group in KINDS]
_UNKNOWN = UNKNOWN_RISK


@cython.no_gc
@cython.freelist(1024)
@cython.cclass  # lowest: the others may be said of such a class only
class Verdict:
    """What to do about one login. `risk` is a probability-like score from 0 to 1. Not to be changed.

    `retry_after_s` says for how long the answer stands against the source, 0 where it is about this login alone.
    `known`: the account has logged in from this source before.
    Risk and reasons are kept as numbers and put together when somebody asks: of most verdicts only the action is read.
    `rank` is the place of its answer in `Action`. `kinds` has a bit for each kind of reason, `numbers` three numbers
    for each, in the order of the bits.
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
        self.rank = _ACTIONS.index(action)
        self.log_odds = log_odds
        self.retry_after_s = retry_after_s
        self.known = known
        self._risk = risk
        self._reasons: tuple[Reason, ...] | None = reasons
        self._trust = 0.0  # what it weighs that the account is known there
        self._beside: tuple[Reason, ...] = ()
        self._count = 0
        self.kinds = 0
        self.numbers = [0.0] * 18

    @property
    def action(self) -> Action:
        """The answer."""
        return _ACTIONS[self.rank]

    @property
    def risk(self) -> float:
        """From 0 to 1, growing with `log_odds`."""
        if self._risk == _UNKNOWN:
            self._risk = 1.0 / (1.0 + _E**-self.log_odds)
        return self._risk

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """What speaks against the login, and what speaks for it."""
        if self._reasons is None:
            made = self._trusted()
            at = 0
            for kind, name in enumerate(NAMES):
                if self.kinds >> kind & 1:
                    made.append(Reason(name, self.numbers[at], self.numbers[at + 1], self.numbers[at + 2]))
                    at += 3
            self._reasons = (*made, *self._beside)
        return self._reasons

    def counted(self) -> int:
        """How many reasons `kinds` and `numbers` hold; -1 where these are not all."""
        return self._count if self._reasons is None and not self.known and not self._beside else -1

    def _trusted(self) -> list[Reason]:
        """What speaks for the account, where it is known."""
        return [Reason("known-pair", 1.0, 0.0, self._trust)] if self.known else []

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

    def _note(self, evidence: Evidence) -> int:
        """Keep the numbers of `evidence`, which the next login writes over."""
        if _PLAIN:
            self.numbers = [0.0] * 18
        at = 0
        bits = self.kinds = evidence.present
        while bits != 0:
            if at == _MOST:
                return self._note_all(evidence)
            kind = natively.trailing(bits)
            self.numbers[at] = evidence.values[kind]
            self.numbers[at + 1] = evidence.thresholds[kind]
            self.numbers[at + 2] = evidence.weights[kind]
            at += 3
            bits &= bits - 1
        self._count = at // 3
        return 0

    def _note_all(self, evidence: Evidence) -> int:
        made = self._trusted()
        for group in range(6):
            made += evidence.of(group)
        self._reasons = (*made, *evidence.beside)
        return 0


_PLAIN = hasattr(Verdict.__init__, "__code__")  # compiled, the numbers are part of the object


class Contribution(msgspec.Struct, frozen=True, gc=False):
    """One reason of a verdict, and what the verdict would have been without it."""

    reason: Reason
    group: str
    risk_without: float
    action_without: Action


def risk_of(log_odds: float) -> float:
    """Probability of `log_odds`."""
    return float(1.0 / (1.0 + math.e**-log_odds))


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
        self._prior, self._known_pair = s.prior, s.known_pair
        self._grades = [log_odds_of(risk) for risk in (s.watch_at, s.challenge_at, s.delay_at, s.block_at)]
        nothing = Evidence()
        self._nothing = self._made(nothing, self._prior, self.rank(self._prior), 0)
        nothing.known = True
        log_odds = self._prior + self._known_pair
        self._nothing_known = self._made(nothing, log_odds, self.rank(log_odds), 0)

    def weigh(self, evidence: Evidence) -> float:
        """The log-odds that `evidence` comes to: each part capped."""
        log_odds = self._prior
        if evidence.known:
            log_odds += self._known_pair
        bits = evidence.present
        while bits != 0:
            group = _GROUP_OF_KIND[natively.trailing(bits)]  # kinds of one group stand together, in the order of groups
            log_odds += min(self._login_caps[group], evidence.sum(group, 0))
            bits &= ~_MASKS[group]
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
            if nothing.rank == rank:
                return nothing
        return self._made(evidence, log_odds, rank, retry_after_s)

    def judge(self, evidence: Evidence) -> Verdict:
        """The verdict on one login."""
        log_odds = self.weigh(evidence)
        return self.verdict(evidence, log_odds, self.rank(log_odds), 0)

    def _made(self, evidence: Evidence, log_odds: float, rank: int, retry_after_s: int) -> Verdict:
        verdict: Verdict = Verdict.__new__(Verdict)  # without the detour of a call from Python
        verdict.rank = rank
        verdict.log_odds = log_odds
        verdict.retry_after_s = retry_after_s
        verdict.known = evidence.known
        verdict._risk = _UNKNOWN
        verdict._reasons = None
        verdict._trust = self._known_pair
        verdict._beside = evidence.beside
        verdict._note(evidence)
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
