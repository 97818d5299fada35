"""The list of decisions in the form that CrowdSec's bouncers pull from its local API, so that they enforce ours."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from hmac import compare_digest
from typing import NamedTuple

from lapwing.events import Action
from lapwing.web.gate import SECOND_NS, Answer, at_least

MAX_PULLERS = 64  # bouncers whose last pull is remembered; the one that came first goes first
MAX_AGENT_CHARS = 100
RENEWED_S = 2  # by which a decision must last longer than was told to be told again: more than rounding makes of it
ID_BYTES = 6  # a number that every bouncer's language holds exactly

Held = Iterable[tuple[str, Answer]]
Row = dict[str, object]


class _Told(NamedTuple):
    """A decision as a bouncer knows it."""

    row: Row
    until_s: int


class Bouncers:
    """Who may pull, and what is new to each since it pulled last."""

    def __init__(self, api_keys: Sequence[str], deny_from: Action = Action.DELAY) -> None:
        self._deny_from = deny_from
        self._keys = [key.encode() for key in api_keys]
        self._told: dict[str, dict[str, _Told]] = {}

    def who(self, headers: Sequence[tuple[str, str]], peer: str) -> str | None:
        """Who pulls, by a key that is known and where it is; None for anybody else."""
        given = next((value for name, value in headers if name.lower() == "x-api-key"), "")
        for number, key in enumerate(self._keys):
            if compare_digest(key, given.encode("latin-1", "replace")):
                agent = next((value for name, value in headers if name.lower() == "user-agent"), "")
                return f"{number} {peer} {agent[:MAX_AGENT_CHARS]}"
        return None

    def pulled(self, who: str, held: Held, now_ns: int, *, afresh: bool) -> dict[str, list[Row] | None]:
        """What is new and what is over since the last pull; with `afresh` everything is new.

        A decision that lasts longer than was told is over and new, as a set of a packet filter keeps the time it was
        given first. Bouncers take what is over before what is new.
        """
        known = {} if afresh else self._told.get(who, {})
        if len(self._told) >= MAX_PULLERS and who not in self._told:
            del self._told[next(iter(self._told))]
        now_s = now_ns // SECOND_NS
        told = {source: _Told(self.row(source, answer), now_s + answer.retry_after_s) for source, answer in held}
        new = [one.row for source, one in told.items() if source not in known or _differ(known[source], one)]
        over = [one.row for source, one in known.items() if source not in told or _differ(one, told[source])]
        self._told[who] = {
            source: known[source] if source in known and not _differ(known[source], one) else one
            for source, one in told.items()
        }
        return {"new": new or None, "deleted": [{**one, "duration": "-1s"} for one in over] or None}

    def row(self, value: str, answer: Answer) -> Row:
        """One decision."""
        return {
            "id": int.from_bytes(blake2b(value.encode(), digest_size=ID_BYTES).digest(), "big"),
            "origin": "lapwing",
            "type": "ban" if at_least(answer.action, self._deny_from) else "captcha",
            "scope": "Range" if "/" in value else "Ip",
            "value": value,
            "duration": f"{answer.retry_after_s}s",
            "scenario": "lapwing/" + ("+".join(answer.reasons) or "login-attack"),
        }


def _differ(before: _Told, now: _Told) -> bool:
    return before.row["type"] != now.row["type"] or now.until_s - before.until_s >= RENEWED_S
