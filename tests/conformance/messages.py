"""What the comparisons of application logs share: messages per flow, and rows matched in order."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from lapwing.events import Message, SessionMessaged
from tests.conformance.compare import Difference, endpoints, events_of
from tests.conformance.zeek_logs import Case, Row

Endpoints = tuple[str, int, str, int]
Same = Callable[[str, str | None, str | None], bool]


def messages_by_flow(case: Case, protocol: str) -> dict[Endpoints, list[SessionMessaged]]:
    """The messages of one protocol, by the endpoints of their flow, in order."""
    found: defaultdict[Endpoints, list[SessionMessaged]] = defaultdict(list)
    for event in events_of(case, ("session",)):
        if isinstance(event, SessionMessaged) and event.protocol == protocol:
            found[event.client_ip, event.client_port, event.server_ip, event.server_port].append(event)
    return found


def exactly(field: str, theirs: str | None, ours: str | None) -> bool:
    """Fields agree when they are equal."""
    return theirs == ours


def match_rows(
    case: Case,
    theirs: Iterable[Row],
    ours: dict[Endpoints, list[Row]],
    fields: Iterable[str],
    reasons: dict[str, str],
    same: Same = exactly,
) -> list[Difference]:
    """Match rows of one flow in order; a row cut to no endpoints matches any flow."""
    found = []
    everything = [row for rows in ours.values() for row in rows]
    for row in theirs:
        here = [field for field in fields if field in row]
        named = "id.orig_h" in row and "id.orig_p" in row
        pool = ours.get(endpoints(row), []) if named else everything
        name = "{} {} > {} {}".format(*endpoints(row)) if named else " ".join(f"{f}={row[f]}" for f in here)[:120]
        best = next((mine for mine in pool if all(same(f, row[f], mine.get(f)) for f in here)), None)
        if best is not None:
            pool.remove(best)
            continue
        near = min(pool, key=lambda mine: sum(not same(f, row[f], mine.get(f)) for f in here), default=None)
        if near is None:
            found.append(Difference(case.name, name, "no such message", reasons.get(case.name, "")))
            continue
        wrong = [f"{f} {row[f]!r} here {near.get(f)!r}" for f in here if not same(f, row[f], near.get(f))]
        found.append(Difference(case.name, name, ", ".join(wrong)[:300], reasons.get(case.name, "")))
    return found


def of_type(events: Iterable[SessionMessaged], *kinds: type) -> list[Message]:
    """The messages of some types."""
    return [event.message for event in events if isinstance(event.message, kinds)]
