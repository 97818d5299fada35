"""The logs: header lines, escapes, and rows that say what the events say."""

from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

import lapwing
from lapwing.app.zeek import FAMILIES, ZeekLogs
from lapwing.events import FlowClosed
from lapwing.testing import START_NS, TcpConversation, TimedFrame, pcap, udp_frame
from tests.app.conftest import Lapwing
from tests.conformance import conn, http
from tests.conformance.compare import endpoints, events_of, why_not_compared
from tests.conformance.messages import messages_by_flow
from tests.conformance.reasons import LOGGED_WITHOUT_CHECKSUMS
from tests.conformance.zeek_logs import Case, Row, captures, cases, rows, unescape

NO_CAPTURES = captures() is None
RECORDED = Path(__file__).parents[1] / "logins" / "recorded"
ROWS_OF = {
    "http": http.transactions,
}
MODULES: dict[str, ModuleType] = {"http": http}


def test_the_demo_as_logs_has_a_row_per_flow_and_the_right_header(
    lapwing: Lapwing, guessing: Path, tmp_path: Path
) -> None:
    assert lapwing("read", guessing, "-o", "zeek", "--logdir", tmp_path / "logs").code == 0
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == ["conn.log", "files.log", "http.log"]
    lines = (tmp_path / "logs" / "conn.log").read_text().splitlines()
    assert lines[:5] == [
        "#separator \\x09",
        "#set_separator\t,",
        "#empty_field\t(empty)",
        "#unset_field\t-",
        "#path\tconn",
    ]
    assert lines[5].startswith("#open\t")
    assert lines[6].split("\t")[:4] == ["#fields", "ts", "uid", "id.orig_h"]
    assert lines[7].split("\t")[:4] == ["#types", "time", "string", "addr"]
    assert len(lines[6].split("\t")) == len(lines[7].split("\t")) == len(lines[8].split("\t")) + 1
    assert lines[-1].startswith("#close\t")
    connections = rows(tmp_path / "logs" / "conn.log")
    assert len(connections) == 30
    assert {(row["service"], row["conn_state"], row["proto"]) for row in connections} == {("http", "SF", "tcp")}
    requests = rows(tmp_path / "logs" / "http.log")
    assert {(row["method"], row["uri"], row["status_code"]) for row in requests} == {("POST", "/login", "401")}
    assert {row["uid"] for row in requests} == {row["uid"] for row in connections}
    assert all((row["uid"] or "").startswith("C") and len(row["uid"] or "") == 18 for row in connections)


def test_a_lone_packet_has_no_duration_and_no_bytes(tmp_path: Path) -> None:
    path = tmp_path / "one.pcap"
    path.write_bytes(pcap([TimedFrame(START_NS, udp_frame("192.0.2.1", 5_000, "192.0.2.2", 9_999, b"x"))]))
    (row,) = logs_of(path, tmp_path / "logs")["conn"]
    assert (row["duration"], row["orig_bytes"], row["orig_pkts"]) == (None, None, "1")


def test_what_would_break_a_line_is_escaped(tmp_path: Path) -> None:
    talk = TcpConversation("192.0.2.7", "198.51.100.21", client_port=40_000, server_port=80, start_ns=START_NS)
    talk.handshake().client(
        b"GET /a\\b HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: a\tb\xe9\r\nReferer: -\r\n\r\n"
    ).close()
    path = tmp_path / "odd.pcap"
    path.write_bytes(pcap(talk.frames))
    (row,) = logs_of(path, tmp_path / "logs")["http"]
    assert row["user_agent"] == "a\\x09b\\xe9"
    assert row["uri"] == "/a\\x5cb"
    assert row["referrer"] == "\\x2d"
    assert row["status_code"] is None


def test_a_folder_is_needed_and_only_for_logs(lapwing: Lapwing, calm: Path, tmp_path: Path) -> None:
    assert "--logdir" in lapwing("read", calm, "-o", "zeek").err
    assert lapwing("read", calm, "-o", "ndjson", "--logdir", tmp_path / "logs").code == 2


def logs_of(path: Path, folder: Path, *, verify: bool = False) -> dict[str, list[Row]]:
    with ZeekLogs(folder) as logs, lapwing.read(path, events=FAMILIES, verify_checksums=verify) as reading:
        for events in reading.lists():
            logs.write(events)
    return {path.stem: rows(path) for path in folder.iterdir()}


def _shown(row: Row, fields: tuple[str, ...]) -> tuple[str | None, ...]:
    return tuple(None if row.get(f) in (None, "", "(empty)") else unescape(row[f] or "") for f in fields)


def verified(case: Case) -> bool:
    return not (case.ignore_checksums or case.name in LOGGED_WITHOUT_CHECKSUMS)


def _is_compared(log: str, case: Case) -> bool:
    return why_not_compared(f"{log}.log", case) is None


@pytest.mark.skipif(NO_CAPTURES, reason="LAPWING_CAPTURES names no directory of recorded captures")
@pytest.mark.parametrize("log", ROWS_OF)
def test_written_rows_are_those_that_were_compared_with_the_other_program(log: str, tmp_path: Path) -> None:
    """`tests/conformance` holds the rows against that program's; here they are held against the written file."""
    compared = 0
    fields = tuple(field for field in MODULES[log].FIELDS if field != "rcptto")
    for number, case in enumerate(case for case in cases(f"{log}.log") if _is_compared(log, case)):
        by_flow = messages_by_flow(case, log)
        verify = verified(case)
        written = logs_of(case.trace, tmp_path / str(number), verify=verify).get(log, [])
        ours: Counter[tuple[object, ...]] = Counter()
        theirs: Counter[tuple[object, ...]] = Counter()
        for key, events in by_flow.items():
            for row in ROWS_OF[log](events):
                skipped = {field for field in fields if row.get(field) == "?"}
                kept = tuple(field for field in fields if field not in skipped)
                if kept == fields:
                    ours[key, _shown(row, kept)] += 1
        for row in written:
            theirs[endpoints(row), _shown(row, fields)] += 1
        if log == "http":  # rows whose body size is the other program's own were left out above
            assert not ours - theirs, case.name
        else:
            assert ours == theirs, case.name
        compared += sum(ours.values())
    assert compared > 10


@pytest.mark.skipif(NO_CAPTURES, reason="LAPWING_CAPTURES names no directory of recorded captures")
def test_written_connections_are_those_that_were_compared(tmp_path: Path) -> None:
    for number, case in enumerate(list(cases("conn.log"))[:40]):
        flows = [event for event in events_of(case, ("flow",)) if isinstance(event, FlowClosed)]
        written = logs_of(case.trace, tmp_path / str(number), verify=verified(case)).get("conn", [])
        fields = tuple(field for field in conn.FIELDS if field not in {"orig_bytes", "resp_bytes"})
        assert Counter(_shown(conn.as_row(flow), fields) for flow in flows) == Counter(
            _shown(row, fields) for row in written
        ), case.name


OWN_TO_ZEEK = frozenset({"ts", "uid", "uids", "history", "precision"})
"""Columns whose values are that program's own, and a precision that it writes as zero."""
OF_OTHER_SCRIPTS = frozenset(
    {"subject", "issuer", "validation_status", "circuit_id", "agent_remote_id", "subscriber_id"}
)
NO_SUCH_CASES = {
    "dhcp": ("large-msgtypes", "large-uids"),  # one transaction over hundreds of flows, cut up by the cases' scripts
}
TIMES = frozenset({"ref_time", "org_time", "rec_time", "xmt_time"})


def _line(row: Row, fields: tuple[str, ...]) -> tuple[object, ...]:
    where = endpoints(row) if "id.orig_h" in row or "src_ip" in row else ()
    return where, *(unescape(row.get(field) or "") for field in fields)


@pytest.mark.skipif(NO_CAPTURES, reason="LAPWING_CAPTURES names no directory of recorded captures")
@pytest.mark.parametrize("log", ["ssl", "quic", "ntp", "websocket", "dhcp"])
def test_the_written_log_is_field_by_field_that_of_the_other_program(log: str, tmp_path: Path) -> None:
    compared = 0
    for number, case in enumerate(case for case in cases(f"{log}.log") if _is_compared(log, case)):
        if case.name.endswith(NO_SUCH_CASES.get(log, ("no such case",))):
            continue
        theirs = rows(case.expected / f"{log}.log")
        fields = tuple(field for field in theirs[0] if field not in OWN_TO_ZEEK | OF_OTHER_SCRIPTS | TIMES)
        written = logs_of(case.trace, tmp_path / str(number), verify=verified(case)).get(log, [])
        assert Counter(_line(row, fields) for row in written) == Counter(_line(row, fields) for row in theirs), (
            case.name
        )
        for field in TIMES & theirs[0].keys():  # that program rounds in binary: a microsecond more is the same
            ours = sorted(float(row[field] or 0) for row in written)
            assert ours == pytest.approx(sorted(float(row[field] or 0) for row in theirs), rel=0, abs=2e-6)
        compared += len(theirs)
    assert compared >= 2


def test_binds_and_searches_are_logged_without_what_they_present(tmp_path: Path) -> None:
    logs = logs_of(RECORDED / "ldap.pcap", tmp_path)
    binds = Counter((row["opcode"], row["result"], row["argument"]) for row in logs["ldap"] if row["argument"])
    assert binds["bind simple", "invalid credentials", "REDACTED"] == 3
    assert binds["bind simple", "success", "REDACTED"] == 4
    assert binds["bind SASL", "success", "PLAIN"] == 1
    assert {(row["scope"], row["deref_aliases"], row["filter"]) for row in logs["ldap_search"]} == {
        ("base", "never", "(objectclass=*)")
    }
    assert [(row["base_object"], row["result_count"], row["result"]) for row in logs["ldap_search"]] == [
        ("dc=example,dc=com", "1", "success")
    ] * 2
    assert not set(logs) & {"http", "dns"}
