"""dhcp.log against the rows made of `dhcp.packet`."""

from collections import Counter

from lapwing.app.zeek import COLUMNS, DhcpLeases, line, uid
from lapwing.events import SessionMessaged
from tests.conformance.compare import Comparison, Difference, compared_cases, events_of
from tests.conformance.messages import match_rows
from tests.conformance.reasons import DHCP_REASONS
from tests.conformance.zeek_logs import Case, Row, unescape

FIELDS = (
    "client_addr",
    "server_addr",
    "mac",
    "host_name",
    "client_fqdn",
    "domain",
    "requested_addr",
    "assigned_addr",
    "lease_time",
    "client_message",
    "server_message",
    "msg_types",
    "duration",
)
# What the scripts of these cases let a row hold.
BOUNDS = {
    "scripts.base.protocols.dhcp.dhcp-prevent-large-msgtypes": {"max_types": 8},
    "scripts.base.protocols.dhcp.dhcp-prevent-large-uids": {"max_uids": 5},
}


def leases(case: Case) -> list[Row]:
    """The rows of a trace."""
    made = DhcpLeases(**BOUNDS.get(case.name, {}))
    found: list[dict[str, object]] = []
    for event in events_of(case, ("session",)):
        if isinstance(event, SessionMessaged) and event.protocol == "dhcp":
            found += made.add(event, uid(event))
    names = [name for name, _ in COLUMNS["dhcp"]]
    shown = (line("dhcp", row).decode().rstrip("\n").split("\t") for row in (*found, *made.end()))
    return [dict(zip(names, (None if one == "-" else one for one in row), strict=True)) for row in shown]


def _same(field: str, theirs: str | None, ours: str | None) -> bool:
    return (theirs and unescape(theirs)) == (ours and unescape(ours))


def compare_dhcp() -> Comparison:
    """Compare every case that has a dhcp.log."""
    differences: list[Difference] = []
    left_out: Counter[str] = Counter()
    compared = 0
    for case, theirs in compared_cases("dhcp.log", left_out):
        compared += len(theirs)
        pool = {("", 0, "", 0): leases(case)}
        differences += match_rows(case, theirs, pool, FIELDS, DHCP_REASONS, _same)
    return Comparison("dhcp.log", compared, differences, left_out)
