"""tunnel.log, and the tunnels that conn.log names, as written by `-o zeek`.

Names of connections differ between programs, so a parent is compared by the ends of the tunnel it names.
"""

from collections import Counter

from tests.conformance.compare import Comparison, Difference, compared_cases
from tests.conformance.reasons import TUNNEL_REASONS
from tests.conformance.written import written
from tests.conformance.zeek_logs import Case, Row, rows

_NOT_OF_PACKETS = ("Tunnel::SOCKS", "Tunnel::HTTP")
_Parent = tuple[str | None, ...]


def compare_tunnel() -> Comparison:
    """Compare every case that has a tunnel.log."""
    differences: list[Difference] = []
    left_out: Counter[str] = Counter()
    compared = 0
    for case, theirs in compared_cases("tunnel.log", left_out):
        proxied = [row for row in theirs if row["tunnel_type"] in _NOT_OF_PACKETS]
        left_out["what proxies hand on (SOCKS, CONNECT): told in the messages of these protocols"] += len(proxied)
        count, found = _compare_case(case, [row for row in theirs if row not in proxied])
        compared += count
        differences += found
    return Comparison("tunnel.log", compared, differences, +left_out)


def _compare_case(case: Case, theirs: list[Row]) -> tuple[int, list[Difference]]:
    logs = written(case)
    left = Counter(_named(row) for row in logs.get("tunnel", []))
    wrong = []
    for row in theirs:
        name = _named(row)
        if left[name]:
            left[name] -= 1
        else:
            wrong.append((" ".join(map(str, name)), "no such tunnel"))
    wrong += [(" ".join(map(str, name)), "not in that log") for name in +left]
    carried = _carried(case)
    ours = _parents(logs.get("conn", []), logs.get("tunnel", []))
    for flow, parents in carried.items():
        if ours.get(flow, set()) != parents:
            wrong.append((" ".join(map(str, flow)), f"in {sorted(parents)} here {sorted(ours.get(flow, set()))}"))
    reason = TUNNEL_REASONS.get(case.name, "")
    return len(theirs) + len(carried), [Difference(case.name, *one, reason) for one in wrong]


def _carried(case: Case) -> dict[_Parent, set[_Parent]]:
    conn = case.expected / "conn.log"
    found = rows(conn) if conn.exists() else []
    if not found or "id.orig_h" not in found[0] or "tunnel_parents" not in found[0]:
        return {}
    tunnels = rows(case.expected / "tunnel.log")
    around = {name for row in found for name in (row["tunnel_parents"] or "").split(",")}
    inside = [row for row in found if row["uid"] not in around]
    return {flow: parents for flow, parents in _parents(inside, tunnels).items() if parents}


def _parents(flows: list[Row], tunnels: list[Row]) -> dict[_Parent, set[_Parent]]:
    by_name = {row["uid"]: _ends(row) for row in tunnels}
    return {
        _between(row): {by_name[name] for name in (row["tunnel_parents"] or "").split(",") if name in by_name}
        for row in flows
    }


def _named(row: Row) -> _Parent:
    return (*_ends(row), row["tunnel_type"], row["action"])


def _between(row: Row) -> _Parent:
    """The ends of a flow without who began, which is compared in conn.log."""
    first, second = sorted(((row["id.orig_h"] or "", row["id.orig_p"]), (row["id.resp_h"] or "", row["id.resp_p"])))
    return (*first, *second)


def _ends(row: Row) -> _Parent:
    return tuple(row[name] for name in ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p"))
