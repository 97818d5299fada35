"""Every shape says the same of an event, and hostile text stays data."""

import csv
import io
import json
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import BinaryIO

import msgspec
import pytest

from lapwing.app import output
from lapwing.app.eve import eve
from lapwing.app.formats import Format
from lapwing.app.output import PatientWriter, Writer
from lapwing.app.shapes import FLOW_COLUMNS, LOGIN_COLUMNS, csv_row, ndjson, rfc3339
from lapwing.events import AuthResolved, Event, FlowClosed, Severity, StoreError
from tests.app.samples import START_NS, anomaly, finding, flow, login

EVENTS: list[Event] = [login(), finding(), anomaly("tcp.out_of_window"), flow()]


def written(output: Format, *batches: list[Event], columns: tuple[str, ...] = LOGIN_COLUMNS) -> str:
    stream = io.BytesIO()
    writer = Writer(stream, output, columns)
    for batch in batches:
        writer.write(batch)
    writer.finish()
    return stream.getvalue().decode()


def test_ndjson_holds_the_events_themselves() -> None:
    lines = ndjson(EVENTS).splitlines()
    assert msgspec.json.decode(lines[0], type=AuthResolved) == EVENTS[0]
    assert msgspec.json.decode(lines[3], type=FlowClosed) == EVENTS[3]
    assert [json.loads(line)["event_type"] for line in lines] == [
        "auth.resolved",
        "finding.raised",
        "anomaly.seen",
        "flow.closed",
    ]


@pytest.mark.parametrize("batches", [[], [EVENTS], [EVENTS[:1], [], EVENTS[1:]]])
def test_json_is_one_array_however_the_events_come(batches: list[list[Event]]) -> None:
    parsed = json.loads(written(Format.JSON, *batches))
    assert parsed == [json.loads(line) for batch in batches for line in ndjson(batch).splitlines()]


def test_csv_has_a_header_even_without_events() -> None:
    assert written(Format.CSV) == ",".join(LOGIN_COLUMNS) + "\n"


def test_csv_gives_every_field_of_a_flow() -> None:
    rows = list(csv.DictReader(io.StringIO(written(Format.CSV, [EVENTS[3]], columns=FLOW_COLUMNS))))
    given = msgspec.to_builtins(EVENTS[3])
    assert {name: text for name, text in rows[0].items() if text} == {name: str(value) for name, value in given.items()}


@pytest.mark.parametrize("name", ["=cmd()", "+1", "-1", "@x", "\tx"])
def test_a_username_never_becomes_a_formula(name: str) -> None:
    assert csv_row(login(username=name), ("username",)) == ["'" + name]


def test_a_username_with_commas_quotes_and_newlines_stays_one_cell() -> None:
    name = 'a,"b"\nc'
    rows = list(csv.reader(io.StringIO(written(Format.CSV, [login(username=name)], columns=("username",)))))
    assert rows == [["username"], [name]]


def test_eve_lines_carry_eve_names() -> None:
    line = eve(flow())
    assert (line["event_type"], line["src_ip"], line["dest_port"], line["proto"]) == ("flow", "192.0.2.7", 80, "TCP")
    assert line["flow"]["pkts_toserver"] == 7
    assert line["timestamp"].startswith("2026-01-01T10:00:01")
    alert = eve(finding(severity=Severity.CRITICAL))
    assert (alert["event_type"], alert["alert"]["severity"]) == ("alert", 1)
    assert eve(login())["app_proto"] == "http"
    assert eve(anomaly("tcp.overlap_conflict"))["anomaly"] == {"type": "stream", "event": "tcp.overlap_conflict"}
    assert eve(anomaly("wire.ip_truncated"))["anomaly"]["type"] == "decode"


@pytest.mark.parametrize("event", EVENTS)
def test_eve_loses_no_field(event: Event) -> None:
    text = json.dumps(eve(event))
    for name, value in msgspec.to_builtins(event).items():
        if isinstance(value, str) and name != "event_type":
            assert value in text or value.upper() in text


def test_times_keep_their_nanoseconds() -> None:
    assert rfc3339(START_NS + 7) == "2026-01-01T10:00:00.000000007Z"


@pytest.fixture
def pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    ends = os.pipe()
    with os.fdopen(ends[0], "rb", 0) as reader, os.fdopen(ends[1], "wb", 0) as stream:
        yield reader, stream


@pytest.mark.parametrize("shape", [Format.NDJSON, Format.JSON, Format.CSV])
def test_a_slow_reader_gets_everything_when_it_reads(shape: Format, pipe: tuple[BinaryIO, BinaryIO]) -> None:
    reader, stream = pipe
    writer = PatientWriter(stream, shape, LOGIN_COLUMNS)
    for _ in range(500):
        writer.write(EVENTS)
    wanted = len(written(shape, *[EVENTS] * 500))
    got = b""
    assert writer.hand_on()
    assert writer.hand_on() is None  # the pipe is full, and nobody waits for its reader
    while writer._waiting:
        got += reader.read(10_000)
        writer.hand_on()
    writer.finish()
    while len(got) < wanted:
        got += reader.read(wanted)
    assert got.decode() == written(shape, *[EVENTS] * 500)
    assert writer.lost_count == 0


def test_what_waits_is_bounded_and_what_does_not_fit_is_counted(
    pipe: tuple[BinaryIO, BinaryIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "MAX_WAITING_BYTES", 100_000)
    monkeypatch.setattr(output, "PATIENCE_S", 0.01)
    reader, stream = pipe
    writer = PatientWriter(stream, Format.NDJSON)
    for _ in range(1_000):
        writer.write(EVENTS)
        writer.hand_on()
        assert writer._waiting_bytes < 100_000 + len(ndjson(EVENTS))
    assert 0 < writer.lost_count < 1_000 * len(EVENTS)
    writer.finish()  # nobody reads
    stream.close()
    whole, _, _ = reader.read(10_000_000).rpartition(b"\n")
    assert writer.lost_count == 1_000 * len(EVENTS) - len(EVENTS) * ((whole.count(b"\n") + 1) // len(EVENTS))


def test_a_reader_that_takes_little_holds_up_the_end_for_no_longer_than_its_bound(
    pipe: tuple[BinaryIO, BinaryIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = iter((0.0, 1.0, output.END_S - 0.1))
    monkeypatch.setattr(output, "time", SimpleNamespace(monotonic=lambda: next(ends, output.END_S)))
    writer = PatientWriter(pipe[1], Format.NDJSON)
    writer.write([login(username="x" * 900) for _ in range(50)])
    writer.finish()
    assert len(os.read(pipe[0].fileno(), 65_536)) == 2 * output.CHUNK_BYTES
    assert writer.lost_count == 50


def test_an_output_that_cannot_be_written_is_told(pipe: tuple[BinaryIO, BinaryIO]) -> None:
    reader, stream = pipe
    reader.close()
    writer = PatientWriter(stream, Format.NDJSON)
    assert writer.hand_on() is None
    writer.write([])
    assert writer.hand_on() is None
    writer.write(EVENTS)
    for _ in range(2):
        with pytest.raises(StoreError, match="standard output: cannot be written: Broken pipe"):
            writer.hand_on()
    assert writer.lost_count == 0
    with pytest.raises(StoreError):
        writer.finish()
    assert writer.lost_count == len(EVENTS)
