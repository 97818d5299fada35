"""What an owner says about the statuses of a login surface."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from lapwing.events import Outcome

_RULE = re.compile(r"([A-Z]+) (/\S*) (\d{3}) ([a-z]+)")


class OutcomeRule(NamedTuple):
    """`outcome` of requests to the surface `template` that were answered with `status`."""

    template: str
    status: int
    outcome: Outcome


def parse_outcome(text: str) -> OutcomeRule:
    """Read `METHOD /path STATUS OUTCOME`. Raises ValueError."""
    match = _RULE.fullmatch(text)
    if match is None or match[4] not in list(Outcome):
        raise ValueError(f"outcome {text!r} is not METHOD /path STATUS and one of {', '.join(Outcome)}")
    path = "/".join(part for part in match[2].split("/") if part)
    return OutcomeRule(f"{match[1]} /{path}", int(match[3]), Outcome(match[4]))


def outcome_table(rules: Iterable[str]) -> dict[tuple[str, int], Outcome]:
    """Outcomes by surface and status. Raises ValueError."""
    return {(rule.template, rule.status): rule.outcome for rule in map(parse_outcome, rules)}
