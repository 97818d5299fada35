"""Sizes, gaps, flags and first packets of a record, against figures worked out another way."""

from collections import Counter
from collections.abc import Callable
from math import log2
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pytest

import lapwing
from lapwing.app.shapes import FEATURE_COLUMNS
from lapwing.events import FlowClosed, SettingsError
from lapwing.flows import FlowSettings, features_dtype
from lapwing.sessions import PipelineSettings
from lapwing.testing import TcpConversation, pcap
from tests.flows.rows import ACK, FIN, MS, PSH, SECOND, SYN, Reader, Trace

SETTINGS = FlowSettings(features=True, early_packets=4)


def features_of(table_class: Any, trace: Trace, **settings: Any) -> list[dict[str, Any]]:
    """Features of every record of a trace."""
    chosen = FlowSettings(**({"features": True, "early_packets": 4} | settings))
    table = table_class(chosen, bytes(16), payloads=False)
    reader = Reader(table)
    reader.process(trace)
    found = [table.features.copy()]
    more = True
    while more:
        more = table.finish()
        found.append(table.features.copy())
    return [dict(zip(rows.dtype.names, row, strict=True)) for rows in found for row in rows]


def talk() -> Trace:
    """A handshake with round trips of 20 and 5 ms, a question, an answer after 30 ms."""
    trace = Trace()
    trace.tcp(0, SYN, 100, at=SECOND)
    trace.tcp(1, SYN | ACK, 500, 101, at=SECOND + 20 * MS)
    trace.tcp(0, ACK, 101, 501, at=SECOND + 25 * MS)
    trace.tcp(0, PSH | ACK, 101, 501, b"abab", at=SECOND + 26 * MS)
    trace.tcp(1, PSH | ACK, 501, 105, bytes(range(100)), at=SECOND + 56 * MS)
    trace.tcp(0, FIN | ACK, 105, 601, at=SECOND + 60 * MS)
    return trace


def test_sizes_and_gaps_are_those_a_statistics_library_finds(table_class: Any) -> None:
    (found,) = features_of(table_class, talk())
    sizes = {"client": [54, 54, 58, 54], "server": [54, 154], "both": [54, 54, 54, 58, 154, 54]}
    times = {"client": [0, 25, 26, 60], "server": [20, 56], "both": [0, 20, 25, 26, 56, 60]}
    for scope in sizes:
        gaps = [(later - earlier) * MS for earlier, later in zip(times[scope], times[scope][1:], strict=False)]
        for name, values in (("packet_{}_bytes", sizes[scope]), ("gap_{}_ns", gaps)):
            for kind, figure in (("min", min), ("max", max), ("mean", mean), ("stddev", stdev)):
                wanted = figure(values) if len(values) > 1 or kind != "stddev" else 0
                assert found[f"{scope}_{name.format(kind)}"] == pytest.approx(wanted)


def test_flags_are_counted_by_side(table_class: Any) -> None:
    (found,) = features_of(table_class, talk())
    counted = {name: found[f"client_{name}_count"] for name in ("syn", "ack", "psh", "fin", "rst")}
    assert counted == {"syn": 1, "ack": 3, "psh": 1, "fin": 1, "rst": 0}
    assert (found["server_syn_count"], found["server_ack_count"]) == (1, 2)


def test_round_trips_of_the_handshake_and_the_time_to_the_answer_are_told(table_class: Any) -> None:
    (found,) = features_of(table_class, talk())
    assert (found["server_rtt_ns"], found["client_rtt_ns"]) == (20 * MS, 5 * MS)
    assert found["response_ns"] == 30 * MS


def test_a_repeated_syn_is_measured_from_its_last_try(table_class: Any) -> None:
    trace = Trace()
    for at, side, flags in ((0, 0, SYN), (1000, 0, SYN), (1040, 1, SYN | ACK), (1041, 1, SYN | ACK)):
        trace.tcp(side, flags, 100, at=SECOND + at * MS)
    (found,) = features_of(table_class, trace)
    assert (found["server_rtt_ns"], found["client_rtt_ns"], found["response_ns"]) == (40 * MS, 0, 0)


def test_entropy_is_that_of_the_first_bytes_of_a_side_however_they_are_cut(table_class: Any) -> None:
    said = bytes(range(40)) + b"\7" * 60
    shares = [count / 64 for count in Counter(said[:64]).values()]
    wanted = -sum(share * log2(share) for share in shares)
    for cuts in ([100], [1] * 100, [63, 37]):
        trace, at = Trace(), 0
        for size in cuts:
            trace.tcp(0, ACK, 100 + at, 1, said[at : at + size])
            at += size
        (found,) = features_of(table_class, trace)
        assert found["client_entropy_bits"] == pytest.approx(wanted)
        assert found["server_entropy_bits"] == 0


def test_the_first_packets_are_kept_one_by_one(table_class: Any) -> None:
    (found,) = features_of(table_class, talk())
    assert found["early_count"] == 4
    assert found["early_bytes"].tolist() == [54, 54, 54, 58]
    assert found["early_sides"].tolist() == [0, 1, 0, 0]
    assert found["early_gaps_ns"].tolist() == [0, 20 * MS, 5 * MS, MS]
    (short,) = features_of(table_class, talk(), early_packets=255)
    assert short["early_count"] == 6
    assert short["early_bytes"][6:].tolist() == [0] * 249


def test_a_cut_record_begins_anew(table_class: Any) -> None:
    trace = Trace()
    for number in range(6):
        trace.udp(0, bytes(10 * number + 1), at=SECOND + number * SECOND)
    found = features_of(table_class, trace, active_timeout_s=3.0)
    assert [one["both_packet_min_bytes"] for one in found] == [55, 85]
    assert [one["early_count"] for one in found] == [3, 3]


def test_a_slot_taken_again_remembers_nothing(table_class: Any) -> None:
    trace = Trace()
    trace.udp(0, b"first, and longer", at=SECOND)
    trace.udp(0, b"x", port=7, at=SECOND + 100 * SECOND)
    first, second = features_of(table_class, trace, max_flows=1)
    assert (first["both_packet_max_bytes"], second["both_packet_max_bytes"]) == (71, 55)
    assert second["client_entropy_bits"] == 0


def test_features_are_kept_only_when_asked_for(table_class: Any) -> None:
    assert table_class(FlowSettings(), bytes(16)).features is None
    with pytest.raises(SettingsError, match="early_packets"):
        table_class(FlowSettings(early_packets=3), bytes(16))


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "in.pcap"
    talk = TcpConversation().handshake().client(b"GET / HTTP/1.1\r\n\r\n").server(b"HTTP/1.1 204 No Content\r\n\r\n")
    path.write_bytes(pcap(talk.close().frames, nanoseconds=True))
    return path


def test_events_and_columns_have_the_features_under_the_same_names(capture: Path) -> None:
    (fast,) = lapwing.flows(capture, settings=SETTINGS)
    settings = PipelineSettings(flows=SETTINGS)
    (full,) = (one for one in lapwing.read(capture, settings=settings) if isinstance(one, FlowClosed))
    assert fast.features is not None
    assert fast.features == full.features
    assert (features_dtype(1).names or ())[:-1] == FEATURE_COLUMNS
    assert len(fast.features.early_bytes) == 4
    pytest.importorskip("pyarrow")
    (row,) = lapwing.flows(capture, settings=SETTINGS).to_arrow().to_pylist()
    assert {name: row[name] for name in FEATURE_COLUMNS[:-3]} == {
        name: getattr(fast.features, name) for name in FEATURE_COLUMNS[:-3]
    }
    assert row["early_bytes"] == list(fast.features.early_bytes)


def test_features_are_written_in_every_shape(capture: Path, tmp_path: Path, run_flows: Callable[..., str]) -> None:
    header, row = run_flows(capture, "csv").splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    assert cells["early_bytes"].count(" ") == 3
    assert float(cells["client_packet_mean_bytes"]) > 0
    assert '"features":{"client_packet_min_bytes":' in run_flows(capture, "ndjson")
    pytest.importorskip("pyarrow")
    lapwing.flows(capture, settings=SETTINGS).to_csv(tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text().splitlines()[1].count(" ") >= 9
    lapwing.flows(capture, settings=SETTINGS).to_parquet(tmp_path / "out.parquet")


@pytest.fixture
def run_flows(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    from typer.testing import CliRunner

    from lapwing.app.cli import app

    def run(path: Path, output: str) -> str:
        environment = {"LAPWING_FLOWS__FEATURES": "true", "LAPWING_FLOWS__EARLY_PACKETS": "4"}
        result = CliRunner().invoke(app, ["flows", str(path), "-o", output], env=environment)
        assert result.exit_code == 0, result.output
        return result.stdout

    return run
