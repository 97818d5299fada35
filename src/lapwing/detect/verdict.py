# cython: infer_types=True, cpow=True
"""All evidence on one login added up: log-odds, each part capped, every reason kept.

Nothing is subtracted but what a success has earned before, so more failures never mean less risk (W25, W28).
Runs compiled, typed by `verdict.pxd`, and as it stands.
"""

import math
from typing import Any

import msgspec

from lapwing.detect.reasons import Reason
from lapwing.detect.settings import DetectSettings
from lapwing.events import Action

GROUPS = ("account", "fingerprint", "credential", "source", "network", "site")  # evidence comes in this order
SOURCE_GROUP = 3
GROUP_OF = {
    "account-sources": "account",
    "account-secrets": "account",
    "fingerprint-group": "fingerprint",
    "shared-secret": "credential",
    "account-strangers": "account",
    "default-name": "account",
    "pair-secrets": "source",
    "no-such-account": "source",
    "machine-pace": "source",
    "source-accounts": "source",
    "source-tries": "source",
    "one-client": "source",
    "strange-client": "source",
    "persistence": "source",
    "network-group": "network",
    "site-failures": "site",
    "strays": "site",
    "unknown-names": "site",
    "hour-of-week": "site",
}
BESIDE = frozenset(
    ("asn-group", "leaked-secret", "second-factor-passed", "second-factor-failed", "impossible-travel", "new-country")
)
_E = math.e
_SOURCE = SOURCE_GROUP
_ACTIONS = tuple(Action)


class Verdict:
    """What to do about one login. `risk` is a probability-like score from 0 to 1. Not to be changed.

    `retry_after_s` says for how long the answer stands against the source, 0 where it is about this login alone.
    `known`: the account has logged in from this source before.
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
        self.action = action
        self.risk = risk
        self.log_odds = log_odds
        self.reasons = reasons
        self.retry_after_s = retry_after_s
        self.known = known

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
        return judged(action, self.risk, self.log_odds, self.reasons, retry_after_s, self.known)


def judged(
    action: Action, risk: float, log_odds: float, reasons: tuple[Reason, ...], retry_after_s: int, known: bool
) -> Verdict:
    """A verdict, made without the detour of a call from Python."""
    verdict = Verdict.__new__(Verdict)
    verdict.action = action
    verdict.risk = risk
    verdict.log_odds = log_odds
    verdict.reasons = reasons
    verdict.retry_after_s = retry_after_s
    verdict.known = known
    return verdict


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
        self._login_caps = [getattr(part, "login_cap", part.cap) for part in parts]
        self._beside_cap = s.circumstances.login_cap
        self._prior, self._known_pair = s.prior, s.known_pair
        self._grades = [log_odds_of(risk) for risk in (s.watch_at, s.challenge_at, s.delay_at, s.block_at)]
        self._known_reason = Reason("known-pair", 1.0, 0.0, s.known_pair)
        self._nothing = self._of_nothing(False)
        self._nothing_known = self._of_nothing(True)

    def judge(self, evidence: list[tuple[Reason, ...]], known: bool, beside: tuple[Reason, ...] = ()) -> Verdict:
        """The verdict on one login. `known`: its account has logged in from its source before.

        `beside` is what its context says.
        """
        for group in range(6):
            if len(evidence[group]) > 0:
                break
        else:
            if len(beside) == 0:
                return self._nothing_known if known else self._nothing
        log_odds = self._prior
        all_found = []
        if known:
            log_odds += self._known_pair
            all_found.append(self._known_reason)
        for group in range(6):
            found = evidence[group]
            if found:
                log_odds += min(self._login_caps[group], self.score(group, found))
                all_found.extend(found)
        if beside:
            weight = 0.0
            for reason in beside:
                weight += reason.weight
            log_odds += min(self._beside_cap, weight)
            all_found.extend(beside)
        risk = 1.0 / (1.0 + _E**-log_odds)
        return judged(self.action(log_odds), risk, log_odds, tuple(all_found), 0, known)

    def _of_nothing(self, known: bool) -> Verdict:
        """The verdict where nothing speaks against the login: the same for most, so made once."""
        log_odds = self._prior + (self._known_pair if known else 0.0)
        risk = 1.0 / (1.0 + _E**-log_odds)
        reasons = (self._known_reason,) if known else ()
        return judged(self.action(log_odds), risk, log_odds, reasons, 0, known)

    def explain(self, verdict: Verdict) -> list[Contribution]:
        """What each reason contributed, caps and all: the verdict without it."""
        told = []
        for dropped in verdict.reasons:
            evidence: list[tuple[Reason, ...]] = [()] * len(GROUPS)
            for reason in verdict.reasons:
                if reason is not dropped and reason.name in GROUP_OF:
                    evidence[GROUPS.index(GROUP_OF[reason.name])] += (reason,)
            beside = tuple([r for r in verdict.reasons if r is not dropped and r.name in BESIDE])
            without = self.judge(evidence, verdict.known and dropped.name != "known-pair", beside)
            group = "circumstances" if dropped.name in BESIDE else GROUP_OF.get(dropped.name, "trust")
            told.append(Contribution(dropped, group, without.risk, without.action))
        return told

    def score(self, group: int, reasons: tuple[Reason, ...]) -> float:
        """What the reasons of one group weigh together; of a source's own tries the strongest view counts."""
        volume = extra = 0.0
        for reason in reasons:
            weight = reason.weight
            if group == _SOURCE and _is_volume(reason.name):
                volume = max(volume, weight)
            else:
                extra += weight
        return min(self._caps[group], volume + extra)

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


def _is_volume(name: str) -> bool:
    """Whether it is one of the views of the same tries, of which the strongest counts."""
    return name == "source-tries" or name == "source-accounts" or name == "pair-secrets"
