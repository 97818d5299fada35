"""What an HTTP answer and a callback mean together: three policies as one pure function.

A probe is sent with a token in it; the answer arrives, then the wait for the callback begins.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from lapwing.callbacks.outcomes import Disabled, Inconclusive, Observed, Outcome

SECOND_NS = 1_000_000_000
MAX_ATTEMPTS = 3  # of one probe, on answers that may pass
MAX_PAUSES_S = 1.875  # the two pauses between them, at most 0.625 and 1.25 seconds
DEFAULT_TIMEOUT_S = 30.0  # of the wait for a callback


class Policy(StrEnum):
    """Which evidence decides."""

    CALLBACK_AND_RESPONSE = "callback_and_response"
    CALLBACK_ONLY = "callback_only"
    CALLBACK_OPTIONAL = "callback_optional"  # waits too, for what the callback tells


class Answer(StrEnum):
    """What the HTTP answer to the probe said."""

    LIVE = "live"
    DEAD = "dead"
    RATE_LIMITED = "rate-limited"  # 429, 500 to 504
    ERROR = "error"


class Verdict(msgspec.Struct, frozen=True):
    """What is concluded. `observed` is None where no wait took place or none was conclusive.

    `skipped` says why there was no wait, `disabled` why a wait told nothing; both are empty otherwise.
    """

    answer: Answer
    observed: bool | None = None
    skipped: str = ""
    disabled: str = ""


SKIPPED = "no-live-response"
NO_SESSION = "no callback session is active"


def wait_needed(policy: Policy, answer: Answer) -> bool:
    """Whether to wait for the callback after this answer. A failed request may have had its effect all the same."""
    return policy is not Policy.CALLBACK_AND_RESPONSE or answer is Answer.LIVE


def decide(policy: Policy, answer: Answer, outcome: Outcome | None) -> Verdict:
    """Combine the answer with how the wait ended; None: there was no wait.

    Raises ValueError where the policy needs a wait and there was none.
    """
    if outcome is None:
        if wait_needed(policy, answer):
            raise ValueError(f"{policy} needs a wait after the answer {answer}")
        return Verdict(answer, skipped=SKIPPED)
    if isinstance(outcome, Disabled | Inconclusive):
        return Verdict(Answer.ERROR, disabled=outcome.reason)  # absence of proof proves nothing
    observed = isinstance(outcome, Observed)
    return Verdict(_combined(policy, answer, observed=observed), observed=observed)


def without_session() -> Verdict:
    """What a probe that needs callbacks ends with when nobody listens; it is not sent."""
    return Verdict(Answer.ERROR, disabled=NO_SESSION)


def _combined(policy: Policy, answer: Answer, *, observed: bool) -> Answer:
    if policy is Policy.CALLBACK_OPTIONAL:
        return answer
    if policy is Policy.CALLBACK_AND_RESPONSE:
        # Waits only follow a live answer; any other keeps its meaning whatever else was seen.
        return Answer.DEAD if answer is Answer.LIVE and not observed else answer
    if observed:
        return Answer.LIVE
    return Answer.DEAD if answer in {Answer.LIVE, Answer.DEAD} else answer


def try_again(policy: Policy, answer: Answer, outcome: Outcome | None, attempt: int) -> bool:
    """Whether to send the probe again, with a new token. `attempt` counts from 1. What was observed is final."""
    passing = answer in {Answer.RATE_LIMITED, Answer.ERROR}
    settled = isinstance(outcome, Observed) and policy is not Policy.CALLBACK_OPTIONAL
    return passing and not settled and attempt < MAX_ATTEMPTS


def pause_s(attempt: int, chance: float) -> float:
    """Seconds to wait after an attempt, counted from 1; `chance`, from 0 to 1, spreads those of many probes.

    Raises ValueError after the last attempt.
    """
    if not 1 <= attempt < MAX_ATTEMPTS:
        raise ValueError(f"no pause follows attempt {attempt}")
    return (0.5 + 0.125 * chance) * attempt


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict of several attempts: an observed one stands, otherwise the last.

    Raises ValueError when there are none.
    """
    last = None
    for verdict in verdicts:
        if verdict.observed:
            return verdict
        last = verdict
    if last is None:
        raise ValueError("no attempt was made")
    return last


def deadline_ns(start_ns: int, *, http_timeout_s: float, timeout_s: float = DEFAULT_TIMEOUT_S) -> int:
    """Return the one deadline of all attempts, with the waits as long as they were asked for."""
    return start_ns + int((MAX_ATTEMPTS * (http_timeout_s + timeout_s) + MAX_PAUSES_S) * SECOND_NS)
