"""Flow records as columns say what the events say, in bounded memory."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lapwing
from lapwing.app.columns import SCHEMA, batches_of, schema_of
from lapwing.events import FlowClosed, FlowFeatures
from lapwing.flows import RECORD_DTYPE, addresses, closed_events, community_ids, full_dtype
from lapwing.testing import START_NS, TimedFrame, ethernet, icmp_frame, ip, pcap, sctp, udp, udp_frame
from tests.app.conftest import Lapwing

A, B = "192.0.2.1", "198.51.100.2"


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """TCP of version 4 beside UDP, ICMP, SCTP and version 6."""
    frames = [
        udp_frame(B, 9, A, 40_000, b"sorted the other way"),
        udp_frame(A, 1, A, 1, b"to itself"),
        icmp_frame(A, B, 8),
        icmp_frame(A, B, 3),
        ethernet(ip("2001:db8::2", "2001:db8::1", 17, udp(5, 6, b"six"))),
        ethernet(ip("2001:db8::1", "2001:db8::2", 17, udp(7, 6, b"six"))),
        ethernet(ip(A, B, 132, sctp(5, 6, b"chunk"))),
        ethernet(ip(A, B, 47, b"else")),
    ]
    path = tmp_path / "mixed.pcap"
    timed = [TimedFrame(START_NS + number * 1_000, frame) for number, frame in enumerate(frames * 2)]
    path.write_bytes(pcap(timed, nanoseconds=True))
    return path


def as_events(path: Path) -> list[dict[str, Any]]:
    names = [name for name in SCHEMA.names if name not in {"start", "end"}]
    listed = [{name: getattr(event, name) for name in names} for event in lapwing.flows(path)]
    for one in listed:
        one |= {name: " / ".join(map(str, one[name])) for name in ("client_carriers", "server_carriers")}
    return listed


@pytest.mark.parametrize("which", ["mixed", "guessing"])
def test_columns_say_what_the_events_say(which: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(which)
    table = lapwing.flows(path).to_arrow()
    assert table.drop_columns(["start", "end"]).to_pylist() == as_events(path)
    assert table["start"].cast(pa.int64()).to_pylist() == table["first_ts_ns"].to_pylist()
    assert table["end"].cast(pa.int64()).to_pylist() == table["last_ts_ns"].to_pylist()


def test_every_field_of_a_flow_record_is_a_column() -> None:
    beside = {"seq", "sensor", "ts_ns"}  # of the event, not of the flow
    assert set(FlowClosed.__struct_fields__) - beside - {"features"} <= set(SCHEMA.names)
    assert set(FlowFeatures.__struct_fields__) <= set(schema_of(full_dtype(1)).names)


records = st.lists(
    st.tuples(
        st.sampled_from([4, 6]),
        st.sampled_from([1, 6, 17, 47, 58, 132]),
        *[st.sampled_from([0, 1, 8, 0xC0000201, 2**32 - 1])] * 2,
        *[st.sampled_from([0, 2**63, 0x20010DB8 << 32])] * 2,
        *[st.sampled_from([0, 8, 80, 65_535])] * 2,
    ),
    max_size=20,
)


@given(records)
def test_texts_made_in_bulk_are_those_of_the_events(drawn: list[tuple[int, ...]]) -> None:
    rows = np.zeros(len(drawn), RECORD_DTYPE)
    for row, (version, protocol, client_lo, server_lo, client_hi, server_hi, client_port, server_port) in zip(
        rows, drawn, strict=True
    ):
        row["ip_version"], row["ip_protocol"] = version, protocol
        row["client_lo"], row["server_lo"] = client_lo, server_lo
        row["client_port"], row["server_port"] = client_port, server_port
        if version == 6:
            row["client_hi"], row["server_hi"] = client_hi, server_hi
    events = closed_events(rows)
    assert community_ids(rows) == [event.community_id for event in events]
    for side in ("client", "server"):
        coded = addresses(rows, side)
        assert [coded.values[code] for code in coded.codes.tolist()] == [getattr(e, f"{side}_ip") for e in events]
        assert len(set(coded.values)) == len(coded.values)


def test_batches_hold_no_more_rows_than_asked_for(guessing: Path) -> None:
    sizes = [batch.num_rows for batch in lapwing.flows(guessing).to_batches(7)]
    assert sizes == [7, 7, 7, 7, 2]


def test_records_are_taken_only_as_batches_are_asked_for() -> None:
    taken = []

    def chunks() -> Iterator[Any]:
        for number in range(100):
            taken.append(number)
            yield np.zeros(10, RECORD_DTYPE)

    batches = batches_of(chunks(), 20)
    next(batches)
    assert len(taken) == 2


def test_no_flow_at_all_is_a_table_with_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "none.pcap"
    path.write_bytes(pcap([]))
    assert lapwing.flows(path).to_arrow().schema.equals(SCHEMA)


def test_pandas_and_polars_take_them(guessing: Path) -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    frame = lapwing.flows(guessing).to_pandas()
    assert (frame["client_ip"] == "192.0.2.7").all()
    assert isinstance(frame, pandas.DataFrame)
    assert lapwing.flows(guessing).to_polars()["client_packet_count"].sum() == frame["client_packet_count"].sum()
    assert polars.DataFrame(lapwing.flows(guessing)).height == len(frame) == 30


def test_parquet_and_csv_hold_every_row(guessing: Path, tmp_path: Path) -> None:
    expected = lapwing.flows(guessing).to_arrow()
    assert lapwing.flows(guessing).to_parquet(tmp_path / "out.parquet") == 30
    assert pq.read_table(tmp_path / "out.parquet").cast(SCHEMA).equals(expected)
    written = io.BytesIO()
    assert lapwing.flows(guessing).to_csv(written) == 30
    rows = list(csv.DictReader(io.StringIO(written.getvalue().decode())))
    assert [row["community_id"] for row in rows] == expected["community_id"].to_pylist()


def test_the_program_writes_parquet_to_a_pipe(lapwing: Lapwing, guessing: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    assert lapwing("flows", guessing, "-o", "parquet", "--to", out).code == 0
    assert pq.read_table(out).num_rows == 30


def test_parquet_is_of_flows_only(lapwing: Lapwing, guessing: Path) -> None:
    done = lapwing("read", guessing, "-o", "parquet")
    assert done.code == 2
    assert "lapwing flows" in done.err
