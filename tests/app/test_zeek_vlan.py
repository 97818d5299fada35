"""The columns of `conn.log` for tags of VLANs, which are there when they are asked for."""

from pathlib import Path

import pytest

import lapwing
from lapwing.app.zeek import COLUMNS, FAMILIES, ZeekLogs
from lapwing.flows import FlowSettings
from lapwing.sessions import PipelineSettings
from lapwing.testing import START_NS, TimedFrame, pcap, udp_frame
from tests.app.conftest import Lapwing
from tests.conformance.zeek_logs import captures, rows


@pytest.fixture
def tagged(tmp_path: Path) -> Path:
    """Flows without a tag, with one, with two, and with one that says a priority and no VLAN."""
    tags = ((), (7,), (7, 9), (0,))
    frames = [
        TimedFrame(START_NS + number, udp_frame("192.0.2.1", 5_000 + number, "192.0.2.2", 9_999, b"x", vlans=one))
        for number, one in enumerate(tags)
    ]
    path = tmp_path / "tagged.pcap"
    path.write_bytes(pcap(frames, nanoseconds=True))
    return path


def test_tags_stand_behind_the_other_columns_the_outer_first(lapwing: Lapwing, tagged: Path, tmp_path: Path) -> None:
    assert lapwing("read", tagged, "-o", "zeek", "--logdir", tmp_path / "logs", "--vlan").code == 0
    lines = (tmp_path / "logs" / "conn.log").read_text().splitlines()
    assert lines[6].split("\t") == ["#fields", *[name for name, _ in COLUMNS["conn"]], "vlan", "inner_vlan"]
    assert lines[7].split("\t")[-2:] == ["int", "int"]
    found = {row["id.orig_p"]: (row["vlan"], row["inner_vlan"]) for row in rows(tmp_path / "logs" / "conn.log")}
    assert found == {"5000": (None, None), "5001": ("7", None), "5002": ("7", "9"), "5003": (None, None)}


def test_without_asking_the_columns_are_those_that_everybody_has(
    lapwing: Lapwing, tagged: Path, tmp_path: Path
) -> None:
    assert lapwing("read", tagged, "-o", "zeek", "--logdir", tmp_path / "logs").code == 0
    assert {*rows(tmp_path / "logs" / "conn.log")[0]} == {name for name, _ in COLUMNS["conn"]}


def test_asking_for_them_elsewhere_is_refused(lapwing: Lapwing, tagged: Path) -> None:
    done = lapwing("read", tagged, "-o", "ndjson", "--vlan")
    assert (done.code, done.out) == (2, "")
    assert "--vlan is for -o zeek" in done.err


@pytest.mark.skipif(captures() is None, reason="LAPWING_CAPTURES names no directory of recorded captures")
def test_tags_of_flows_that_differ_in_nothing_else_are_those_the_other_program_tells(tmp_path: Path) -> None:
    root = captures()
    assert root is not None
    folder = root / "zeek"
    settings = PipelineSettings(flows=FlowSettings(key_also=("vlan",)))
    trace = folder / "traces" / "vlan-collisions.pcap"
    with ZeekLogs(tmp_path, vlan=True) as logs, lapwing.read(trace, settings=settings, events=FAMILIES) as reading:
        for events in reading.lists():
            logs.write(events)
    case = folder / "expected" / "scripts.policy.frameworks.conn_key.vlan_fivetuple_lookup_connection"
    theirs = rows(case / "conn.log.cut")
    common = ("id.orig_h", "id.orig_p", "orig_pkts", "resp_pkts", "service")
    told = {tuple(row[name] for name in (*common, "vlan", "inner_vlan")) for row in rows(tmp_path / "conn.log")}
    assert told == {tuple(row[name] for name in (*common, "id.ctx.vlan", "id.ctx.inner_vlan")) for row in theirs}
    assert len(told) == len(theirs) == 3
