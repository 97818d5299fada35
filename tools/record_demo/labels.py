"""The labels beside the capture: who was what, when, and how many logins there are. Never a password."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from .plan import EPOCH, Plan
from .truth import Login

Spans = Mapping[str, tuple[int, int]]
EPOCH_AT = datetime.fromisoformat(EPOCH)
EPOCH_NS = int(EPOCH_AT.timestamp()) * 1_000_000_000


def _text(ts_ns: int) -> str:
    """RFC 3339 with microseconds, cut off rather than rounded."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ts_ns // 1000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _outcomes(logins: Sequence[Login]) -> dict[str, int]:
    count = Counter(login.succeeded for login in logins)
    return {"succeeded": count[True], "failed": count[False]}


def _by(logins: Sequence[Login], field: str) -> dict[str, dict[str, int]]:
    names = sorted({str(getattr(login, field)) for login in logins})
    return {name: _outcomes([login for login in logins if getattr(login, field) == name]) for name in names}


def labels(plan: Plan, recorded: Sequence[Login], spans: Spans, tools: Mapping[str, str]) -> dict[str, Any]:
    """The whole document. `recorded` comes from the servers' records, `spans` from the finished capture."""
    attempts = [login for login in recorded if login.mechanism != "bearer"]
    bearer = [login for login in recorded if login.mechanism == "bearer"]
    protocols: dict[str, Any] = _by(attempts, "protocol")
    for name, counted in protocols.items():
        counted["by_mechanism"] = _by([login for login in attempts if login.protocol == name], "mechanism")
    return {
        "epoch": EPOCH,
        "capture": "demo.pcap",
        "tools": dict(tools),
        "logins": protocols,
        "bearer_requests": _outcomes(bearer),
        "attacks": sorted(_attacks(plan, attempts, spans), key=lambda attack: str(attack["start"])),
        "takeover": _takeover(plan, spans),
        "benign": {"sources": _benign(plan, attempts)},
        "logins_by_source": _by_source(attempts),
    }


def _attacks(plan: Plan, attempts: Sequence[Login], spans: Spans) -> list[dict[str, Any]]:
    found = []
    for attack in plan.attacks:
        own = [login for login in attempts if login.source in attack.sources]
        edges = [spans[source] for source in attack.sources]
        found.append(
            {
                "id": attack.id,
                "finding": attack.finding,
                "also_true": list(attack.also_true),
                "protocol": attack.protocol,
                "tool": attack.tool,
                "sources": attack.sources,
                "accounts": attack.accounts,
                "start": _text(min(first for first, _last in edges)),
                "end": _text(max(last for _first, last in edges)),
                "attempt_count": len(own),
                **_outcomes(own),
                "note": attack.note,
            }
        )
    return found


def _takeover(plan: Plan, spans: Spans) -> dict[str, Any]:
    taken = plan.takeover
    return {
        "account": taken.account,
        "sources": [*taken.guessed_from, taken.entered_from],
        "guessed_from": taken.guessed_from,
        "entered_from": taken.entered_from,
        "entered_at": _text(spans[taken.entered_from][0]),
        "owner_source": taken.owner,
    }


def _benign(plan: Plan, attempts: Sequence[Login]) -> list[dict[str, Any]]:
    return [
        {
            "ip": resident.source,
            "who": resident.who,
            "accounts": resident.accounts,
            **_outcomes([login for login in attempts if login.source == resident.source]),
        }
        for resident in plan.residents.values()
    ]


def _by_source(attempts: Sequence[Login]) -> dict[str, dict[str, dict[str, int]]]:
    sources = sorted({login.source for login in attempts})
    return {name: _by([login for login in attempts if login.source == name], "protocol") for name in sources}
