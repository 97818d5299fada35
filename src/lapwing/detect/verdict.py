"""All evidence on one login added up: log-odds, each part capped, every reason kept.

Nothing is subtracted but what a success has earned before, so more failures never mean less risk (W25, W28).
"""

import math
from collections.abc import Mapping

import msgspec

from lapwing.detect.reasons import Reason
from lapwing.detect.settings import DetectSettings
from lapwing.events import Action

# Views of the same tries: the strongest counts, not their sum.
VOLUME = ("pair-secrets", "source-accounts", "source-tries")


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What to do about one login. `risk` is a probability-like score from 0 to 1."""

    action: Action
    risk: float
    log_odds: float
    reasons: tuple[Reason, ...]


def source_score(reasons: tuple[Reason, ...], cap: float) -> float:
    """What a source's own behaviour weighs: the strongest view of its tries, and what comes on top."""
    volume = extra = 0.0
    for reason in reasons:
        if reason.name in VOLUME:
            volume = max(volume, reason.weight)
        else:
            extra += reason.weight
    return min(cap, volume + extra)


def risk_of(log_odds: float) -> float:
    """Probability of `log_odds`."""
    return 1.0 / (1.0 + math.exp(-log_odds))


class Judge:
    """Turns evidence into verdicts."""

    def __init__(self, settings: DetectSettings) -> None:
        self._settings = settings
        self._caps = {
            "source": settings.source.cap,
            "network": settings.network.cap,
            "fingerprint": settings.fingerprint.cap,
            "account": settings.account.cap,
            "credential": settings.credential.cap,
            "site": settings.site.cap,
        }
        self._login_caps = {
            **self._caps,
            "network": settings.network.login_cap,
            "fingerprint": settings.fingerprint.login_cap,
            "site": settings.site.login_cap,
        }

    def judge(self, evidence: Mapping[str, tuple[Reason, ...]], *, known: bool) -> Verdict:
        """The verdict on one login. `known`: its account has logged in from its source before."""
        s = self._settings
        log_odds = s.prior + (s.known_pair if known else 0.0)
        reasons: list[Reason] = [Reason("known-pair", 1.0, 0.0, s.known_pair)] if known else []
        for group, found in evidence.items():
            if found:
                log_odds += min(self._login_caps[group], self.score(group, found))
                reasons.extend(found)
        risk = risk_of(log_odds)
        return Verdict(self.action(risk), risk, log_odds, tuple(reasons))

    def score(self, group: str, reasons: tuple[Reason, ...]) -> float:
        """What the reasons of one group weigh together."""
        if group == "source":
            return source_score(reasons, self._caps[group])
        return min(self._caps[group], sum([r.weight for r in reasons]))

    def action(self, risk: float) -> Action:
        """The graded answer to `risk`."""
        s = self._settings
        if risk < s.watch_at:
            return Action.ALLOW
        if risk < s.challenge_at:
            return Action.WATCH
        if risk < s.delay_at:
            return Action.CHALLENGE
        return Action.DELAY if risk < s.block_at else Action.BLOCK
