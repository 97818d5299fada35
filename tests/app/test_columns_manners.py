"""Columns for whoever meets them first: what is read twice, cannot be written, or is stopped while nothing comes."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lapwing
from lapwing.app.flow_reading import FlowReading
from lapwing.demo import capture_path
from lapwing.flows import FlowSettings
from lapwing.testing import START_NS, TimedFrame, pcap, udp_frame
from tests.app.conftest import Lapwing, start
from tests.patience import ENOUGH_S

TAKERS: dict[str, Callable[[FlowReading], list[Any]]] = {
    "events": list,
    "lists": lambda reading: [event for events in reading.lists() for event in events],
    "records": lambda reading: [row for records in reading.records() for row in records.tolist()],
    "columns": lambda reading: reading.to_arrow().to_pylist(),
}


@pytest.mark.parametrize("first", TAKERS)
@pytest.mark.parametrize("second", TAKERS)
def test_flows_are_taken_once_and_nobody_gets_the_rest_for_the_whole(guessing: Path, first: str, second: str) -> None:
    reading = lapwing.flows(guessing)
    assert len(TAKERS[first](reading)) == 30
    if first == second and first != "columns":
        assert TAKERS[second](reading) == []
        return
    with pytest.raises(RuntimeError, match=f"taken as {first}.*call `flows` again"):
        TAKERS[second](reading)


def test_a_loop_that_was_left_is_gone_on_with_where_it_stood(guessing: Path) -> None:
    reading = lapwing.flows(guessing)
    begun = []
    for event in reading:
        begun.append(event.seq)
        if len(begun) == 7:
            break
    assert begun + [event.seq for event in reading] == list(range(1, 31))


def test_a_stream_may_be_asked_for_to_see_its_columns_and_is_read_once(guessing: Path) -> None:
    reading = lapwing.flows(guessing)
    only_looking = pa.RecordBatchReader.from_stream(reading)
    assert "client_ip" in only_looking.schema.names
    assert pa.RecordBatchReader.from_stream(reading).read_all().num_rows == 30
    with pytest.raises(pa.ArrowInvalid, match="read once"):  # as errors pass through that interface
        only_looking.read_all()
    with pytest.raises(RuntimeError, match="read once"):
        pa.RecordBatchReader.from_stream(reading)


def test_features_are_those_another_flow_library_finds(tmp_path: Path) -> None:
    nfstream = pytest.importorskip("nfstream", reason="nfstream is not installed: it is measured against, not needed")
    settings = FlowSettings(features=True, early_packets=8)
    ours = lapwing.flows(capture_path(), settings=settings).to_arrow().to_pylist()
    streamer = nfstream.NFStreamer(
        source=str(capture_path()), statistical_analysis=True, splt_analysis=8, idle_timeout=300, n_dissections=0,
        accounting_mode=0, n_meters=1,
    )  # fmt: skip
    theirs = {(flow.src_ip, flow.src_port, flow.bidirectional_first_seen_ms): flow for flow in streamer}
    assert len(theirs) == len(ours)
    for row in ours:
        flow = theirs[row["client_ip"], row["client_port"], row["first_ts_ns"] // 10**6]
        for side, way in (("client", "src2dst"), ("server", "dst2src")):
            assert row[f"{side}_packet_count"] == getattr(flow, f"{way}_packets")
            assert row[f"{side}_wire_bytes"] == getattr(flow, f"{way}_bytes")
            for kind in ("min", "mean", "stddev", "max"):
                size = getattr(flow, f"{way}_{kind}_ps")
                assert row[f"{side}_packet_{kind}_bytes"] == pytest.approx(size)
                gap = getattr(flow, f"{way}_{kind}_piat_ms")
                assert row[f"{side}_gap_{kind}_ns"] / 10**6 == pytest.approx(gap, abs=1.5)  # theirs are of milliseconds
            for flag in ("syn", "ack", "psh", "fin", "rst", "urg", "ece", "cwr"):
                assert row[f"{side}_{flag}_count"] == getattr(flow, f"{way}_{flag}_packets")
        assert row["early_bytes"] == flow.splt_ps[: len(row["early_bytes"])]
        assert row["early_sides"] == flow.splt_direction[: len(row["early_sides"])]


@pytest.mark.parametrize("write", [FlowReading.to_parquet, FlowReading.to_csv])
def test_a_file_is_replaced_by_a_whole_one_or_not_at_all(guessing: Path, tmp_path: Path, write: Any) -> None:
    target = tmp_path / "out"
    assert write(lapwing.flows(guessing), target) == 30
    before = target.read_bytes()
    with pytest.raises(lapwing.events.SourceError):
        write(lapwing.flows(tmp_path / "nowhere.pcap"), target)
    assert target.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("out")) == ["out"]


def test_an_input_that_cannot_be_read_leaves_no_empty_table(lapwing: Lapwing, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pcap"
    wrong.write_bytes(b"no capture at all")
    assert (lapwing("flows", wrong, "-o", "parquet").code, lapwing("flows", wrong, "-o", "parquet").out) == (3, "")
    assert lapwing("flows", wrong, "-o", "parquet", "--to", tmp_path / "out.parquet").code == 3
    assert list(tmp_path.glob("out*")) == []


def test_parquet_to_where_nothing_can_be_written_says_so(lapwing: Lapwing, guessing: Path, tmp_path: Path) -> None:
    done = lapwing("flows", guessing, "-o", "parquet", "--to", tmp_path / "no folder" / "out.parquet")
    assert (done.code, done.out) == (3, "")
    assert done.err.endswith("out.parquet: No such file or directory; nothing was written\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_ends_parquet_with_words_that_are_true(guessing: Path) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = start("flows", guessing, "-o", "parquet", stdout=full.fileno())
        _, err = done.communicate()
    assert done.returncode == 3
    assert b"output: No space left on device; what was written of it cannot be read" in err


def test_records_that_no_collector_took_are_told_by_words_and_exit_code(lapwing: Lapwing, tmp_path: Path) -> None:
    path = tmp_path / "many.pcap"
    frames = [TimedFrame(START_NS + port, udp_frame("192.0.2.1", port, "192.0.2.2", 9)) for port in range(1, 200)]
    path.write_bytes(pcap(frames, nanoseconds=True))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        target = f"udp://127.0.0.1:{taken.getsockname()[1]}"
        assert lapwing("flows", path, "--ipfix", target) == (0, "", "")
    done = lapwing("flows", path, "--ipfix", target)
    assert done.code == 3
    assert "could not be sent" in done.err


def test_sending_and_writing_at_once_is_refused(lapwing: Lapwing, guessing: Path) -> None:
    done = lapwing("flows", guessing, "--ipfix", "udp://127.0.0.1:4739", "-o", "csv")
    assert (done.code, done.out) == (2, "")
    assert "--ipfix writes none" in done.err


def test_parquet_into_a_pipe_by_name_is_streamed(lapwing: Lapwing, guessing: Path, tmp_path: Path) -> None:
    target = tmp_path / "pipe"
    os.mkfifo(target)
    with subprocess.Popen(["cat", target], stdout=subprocess.PIPE) as reader:
        assert lapwing("flows", guessing, "-o", "parquet", "--to", target).code == 0
        assert reader.stdout is not None
        assert pq.read_table(pa.BufferReader(reader.stdout.read())).num_rows == 30


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["flows", "sessions"])
def test_a_quiet_pipe_is_left_at_the_first_signal_and_what_was_seen_is_told(
    guessing: Path, command: str, number: int
) -> None:
    done = start(command, "-", "-o", "ndjson", stdin=subprocess.PIPE)
    assert done.stdin is not None
    done.stdin.write(guessing.read_bytes())
    done.stdin.flush()  # and it stays open: more could come
    assert done.stdout is not None
    assert b"event_type" in _first(done.stdout)
    done.send_signal(number)
    rest, err = done.stdout.read(), done.communicate(timeout=ENOUGH_S)[1]
    assert b"interrupted" in err
    assert done.returncode == 130
    if command == "flows":
        assert len(rest.splitlines()) == 29


def _first(stream: IO[bytes]) -> bytes:
    give_up = time.monotonic() + ENOUGH_S
    line = b""
    while not line.endswith(b"\n") and time.monotonic() < give_up:
        line += stream.read(1)
    return line
