"""Decisions: what the verdicts on logins amount to for whoever stands at the door, and for how long."""

from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Annotated, NamedTuple

import msgspec

from lapwing.events import Action, AuthEvent, DecisionLifted, DecisionMade, SettingsError

SECOND_NS = 1_000_000_000
IPV6_PREFIX = 64  # a host owns all of its /64, so changing address within it changes nothing
MAX_TOLD_REASONS = 8
STRICTNESS = {action: rank for rank, action in enumerate(Action)}

Seconds = Annotated[int, msgspec.Meta(ge=1, le=366 * 86_400)]


class EnforceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of decisions.

    `least`: the mildest answer that becomes a decision; `watch` harms nobody and is none by default.
    `first_s`: how long a source is held to its first decision.
    `growth`: how many times as long as the one before each further decision lasts.
    `longest_s`: how long a decision lasts at most.
    `forget_after_s`: for how long after a decision the next one counts as a further one.
    `max_sources`: sources with a decision or remembered for one; beyond, those whose decision ends first are let go.
    """

    least: Action = Action.CHALLENGE
    first_s: Seconds = 300
    growth: Annotated[float, msgspec.Meta(ge=1, le=100)] = 4.0
    longest_s: Seconds = 86_400
    forget_after_s: Seconds = 7 * 86_400
    max_sources: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 100_000

    def validate(self, path: str) -> None:
        """Raise SettingsError for durations that do not fit together."""
        if not self.first_s <= self.longest_s <= self.forget_after_s:
            raise SettingsError(f"{path}.first_s: first_s, longest_s and forget_after_s must not fall")


class Standing(NamedTuple):
    """What holds for a source: the answer, until when, how often there was one, and why."""

    action: Action
    until_ns: int
    times: int
    decision_id: str
    reasons: tuple[str, ...]


@lru_cache(maxsize=65_536)
def source_of(text: str) -> str | None:
    """The source that counts for an address: IPv4 itself, IPv6 its /64; None when it is no address."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((address, IPV6_PREFIX), strict=False))


class Decisions:
    """The decisions that hold, by source. Time is handed in; not safe for threads by itself."""

    def __init__(self, settings: EnforceSettings | None = None) -> None:
        self._settings = settings or EnforceSettings()
        self._standing: dict[str, Standing] = {}
        self._lifted: set[str] = set()  # remembered sources whose decision is over
        self.evicted_count = 0
        self.made_count = 0

    def weigh(self, login: AuthEvent, action: Action, reasons: tuple[str, ...], now_ns: int) -> DecisionMade | None:
        """Take the verdict on a login; return the decision it makes, None when nothing changes."""
        source = source_of(login.client_ip)
        if source is None or STRICTNESS[action] < STRICTNESS[self._settings.least]:
            return None
        before = self._standing.get(source)
        times = 0
        if before is not None:
            if before.until_ns > now_ns and STRICTNESS[before.action] >= STRICTNESS[action]:
                return None
            times = before.times if now_ns - before.until_ns < self._settings.forget_after_s * SECOND_NS else 0
            if before.until_ns > now_ns:
                times -= 1  # stricter while one holds: the same offence, not another
        return self._make(source, action, reasons[:MAX_TOLD_REASONS], times + 1, now_ns)

    def look_up(self, client_ip: str, now_ns: int) -> Standing | None:
        """What holds for an address now."""
        standing = self._standing.get(source_of(client_ip) or "")
        return standing if standing is not None and standing.until_ns > now_ns else None

    def tick(self, now_ns: int) -> list[DecisionLifted]:
        """Lift what is over and forget what is long over."""
        told = []
        forget_ns = self._settings.forget_after_s * SECOND_NS
        for source, standing in list(self._standing.items()):
            if standing.until_ns > now_ns:
                continue
            if source not in self._lifted:
                self._lifted.add(source)
                told.append(DecisionLifted(ts_ns=now_ns, decision_id=standing.decision_id, reason="expired"))
            if now_ns - standing.until_ns >= forget_ns:
                del self._standing[source]
                self._lifted.discard(source)
        return told

    def holding(self, now_ns: int) -> Iterator[tuple[str, Standing]]:
        """Every source with a decision that holds."""
        return ((source, standing) for source, standing in self._standing.items() if standing.until_ns > now_ns)

    def _make(self, source: str, action: Action, reasons: tuple[str, ...], times: int, now_ns: int) -> DecisionMade:
        s = self._settings
        duration_s = round(min(s.longest_s, s.first_s * s.growth ** min(max(times, 1) - 1, 64)))
        decision_id = blake2b(f"{source}\0{action}\0{now_ns}".encode(), digest_size=8).hexdigest()
        if source not in self._standing and len(self._standing) >= s.max_sources:
            self._evict(now_ns)
        self._standing[source] = Standing(action, now_ns + duration_s * SECOND_NS, times, decision_id, reasons)
        self._lifted.discard(source)
        self.made_count += 1
        return DecisionMade(
            ts_ns=now_ns,
            decision_id=decision_id,
            action=action,
            scope="range" if "/" in source else "ip",
            value=source,
            duration_s=duration_s,
            origin="lapwing",
            reasons=reasons,
        )

    def _evict(self, now_ns: int) -> None:
        """Make room: a tenth, those first whose decision is over or ends soonest."""
        by_end = sorted(self._standing, key=lambda source: self._standing[source].until_ns)
        for source in by_end[: max(1, len(by_end) // 10)]:
            self.evicted_count += self._standing[source].until_ns > now_ns
            del self._standing[source]
            self._lifted.discard(source)
