"""conn.log against `flow.closed`."""

from collections import Counter, defaultdict

from lapwing.events import FlowClosed, Transport
from tests.conformance.compare import Comparison, Difference, compared_cases, endpoints, events_of, first_column
from tests.conformance.reasons import CONN_REASONS, CUT_BY_ATTEMPT_TIMER
from tests.conformance.zeek_logs import Case, Row

FIELDS = (
    "proto",
    "conn_state",
    "history",
    "orig_pkts",
    "resp_pkts",
    "orig_ip_bytes",
    "resp_ip_bytes",
    "orig_bytes",
    "resp_bytes",
)
ENDPOINTS = (("id.orig_h", "src_ip"), ("id.orig_p", "src_port"), ("id.resp_h", "dst_ip"), ("id.resp_p", "dst_port"))
LOGS = ("conn.log", "conn.log.cut", "conn.cut")


def as_row(flow: FlowClosed) -> Row:
    """A flow in the columns of conn.log."""
    transport = flow.transport.value
    return {
        "proto": {"icmp6": "icmp", "other": "unknown_transport", "sctp": "unknown_transport"}.get(transport, transport),
        "conn_state": flow.conn_state,
        "history": flow.history or None,
        "orig_pkts": str(flow.client_packet_count),
        "resp_pkts": str(flow.server_packet_count),
        "orig_ip_bytes": str(flow.client_ip_bytes),
        "resp_ip_bytes": str(flow.server_ip_bytes),
        "orig_bytes": str(flow.client_stream_bytes),
        "resp_bytes": str(flow.server_stream_bytes),
    }


def compare_conn() -> Comparison:
    """Compare every case that has a conn.log, whole or cut."""
    differences: list[Difference] = []
    left_out: Counter[str] = Counter()
    compared = 0
    for case, theirs in compared_cases("conn.log", left_out, logs=LOGS, fields=FIELDS):
        plain = _comparable(case, theirs, left_out)
        if plain:
            compared += len(plain)
            differences += _compare_case(case, plain)
    return Comparison("conn.log", compared, differences, +left_out)


def _comparable(case: Case, theirs: list[Row], left_out: Counter[str]) -> list[Row]:
    """The rows Lapwing can have a flow for; the others are counted in `left_out`."""
    parents = {uid for row in theirs for uid in (row.get("tunnel_parents") or "").split(",")}
    plain = [row for row in theirs if row.get("uid") not in parents]
    left_out["the carrier of a tunnel: Lapwing follows what is inside"] += len(theirs) - len(plain)
    if case.name != CUT_BY_ATTEMPT_TIMER:
        return plain
    whole = _logged_once(plain)
    left_out["halves of connections that Zeek's timer for unanswered attempts cut"] += len(plain) - len(whole)
    return whole


def _logged_once(theirs: list[Row]) -> list[Row]:
    counts = Counter(endpoints(row) for row in theirs)
    return [row for row in theirs if counts[endpoints(row)] == 1]


def _compare_case(case: Case, theirs: list[Row]) -> list[Difference]:
    flows = [event for event in events_of(case, ("flow",)) if isinstance(event, FlowClosed)]
    if not all(first_column(theirs[0], *names) for names in ENDPOINTS):
        return _compare_unnamed(case, theirs, flows)
    by_endpoints: defaultdict[tuple[str, int, str, int], list[FlowClosed]] = defaultdict(list)
    for flow in flows:
        no_ports = flow.transport is Transport.SCTP  # which that program does not decode
        ports = (0, 0) if no_ports else (flow.client_port, flow.server_port)
        by_endpoints[flow.client_ip, ports[0], flow.server_ip, ports[1]].append(flow)
    found = []
    for row in theirs:
        candidates = by_endpoints[endpoints(row)]
        name = "{} {} > {} {}".format(*endpoints(row))
        if not candidates:
            found.append(Difference(case.name, name, "no such flow", CONN_REASONS.get(case.name, "")))
            continue
        ours = as_row(candidates.pop(0))
        fields = FIELDS if row.get("proto") != "unknown_transport" else FIELDS[:-2]  # it sees no payload there
        wrong = [field for field in fields if field in row and not _same(field, row[field], ours[field])]
        if wrong:
            text = ", ".join(f"{field} {row[field]} here {ours[field]}" for field in wrong)
            found.append(Difference(case.name, name, text, CONN_REASONS.get(case.name, "")))
    return found


def _compare_unnamed(case: Case, theirs: list[Row], flows: list[FlowClosed]) -> list[Difference]:
    """Logs cut to columns without endpoints: each row must find a flow that is like it."""
    left = [as_row(flow) for flow in flows]
    found = []
    for row in theirs:
        fields = [field for field in FIELDS if field in row]
        match = next((ours for ours in left if all(_same(field, row[field], ours[field]) for field in fields)), None)
        if match is None:
            text = " ".join(f"{field}={row[field]}" for field in fields)
            found.append(Difference(case.name, text, "no flow like it", CONN_REASONS.get(case.name, "")))
        else:
            left.remove(match)
    return found


def _same(field: str, theirs: str | None, ours: str | None) -> bool:
    if field in ("orig_bytes", "resp_bytes") and theirs is None:
        return True  # not written for a connection without duration
    if field == "history" and theirs is not None:
        theirs = theirs.replace("X", "") or None  # says that a parser of that program gave up: no fact of the transport
    return theirs == ours
