"""`lapwing flows`: one record per flow."""

import csv
import io
import json
from pathlib import Path

from lapwing.app.exit_codes import ExitCode
from lapwing.app.flow_reading import flows
from lapwing.app.shapes import FLOW_COLUMNS
from lapwing.testing import START_NS, TimedFrame, pcap, udp_frame
from tests.app.conftest import Lapwing


def test_each_line_is_one_closed_flow(lapwing: Lapwing, guessing: Path) -> None:
    records = [json.loads(line) for line in lapwing("flows", guessing, "-o", "ndjson").out.splitlines()]
    assert len(records) == 30
    assert {record["event_type"] for record in records} == {"flow.closed"}
    assert {record["conn_state"] for record in records} == {"SF"}
    assert {record["server_port"] for record in records} == {80}


def test_the_fast_way_gives_the_records_that_reading_gives(lapwing: Lapwing, guessing: Path) -> None:
    def records(*arguments: str) -> list[dict[str, object]]:
        out = [json.loads(line) for line in lapwing(*arguments).out.splitlines()]
        return [{**one, "seq": 0} for one in out if one["event_type"] == "flow.closed"]

    assert records("flows", str(guessing)) == records("read", str(guessing), "--events", "flow")


def test_csv_has_every_field(lapwing: Lapwing, calm: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(lapwing("flows", calm, "-o", "csv").out)))
    assert len(rows) == 1
    assert tuple(rows[0]) == FLOW_COLUMNS
    assert rows[0]["client_packet_count"].isdigit()


def test_a_table_shows_the_endpoints(lapwing: Lapwing, calm: Path) -> None:
    out = lapwing("flows", calm, "-o", "table").out
    assert "192.0.2.7:40000" in out
    assert "198.51.100.21:80" in out


def test_damage_is_told_and_what_is_readable_is_written(lapwing: Lapwing, guessing: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(guessing.read_bytes()[:-10])
    done = lapwing("flows", cut)
    assert done.code == ExitCode.PARTIAL
    assert len(done.out.splitlines()) == 30
    assert str(cut) in done.err


def test_open_flows_can_be_looked_at_while_reading(guessing: Path) -> None:
    with flows(guessing) as reading:
        first = next(reading.records())
        before = first.tobytes()
        live = reading.snapshot()
        assert first.tobytes() == before
        assert len(live) == reading.statistics()["flows.active"]
        rest = sum(len(records) for records in reading.records())
    assert len(first) + rest == 30


def test_copies_are_left_out_when_asked_for(lapwing: Lapwing, tmp_path: Path) -> None:
    frame = udp_frame("192.0.2.1", 1, "192.0.2.2", 9, b"x")
    path = tmp_path / "twice.pcap"
    path.write_bytes(pcap([TimedFrame(START_NS + at, frame) for at in (0, 10)], nanoseconds=True))
    for command in ("flows", "read"):
        for dedup, count in (("off", 2), ("loopback", 1)):
            more = ["--events", "flow"] if command == "read" else []
            out = lapwing(command, path, "-o", "ndjson", "--dedup", dedup, *more).out
            records = [json.loads(line) for line in out.splitlines()]
            assert records[-1]["client_packet_count"] == count
