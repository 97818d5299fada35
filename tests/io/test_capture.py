"""Captures as they come: packed, piped, cut, damaged, or no captures at all."""

import gzip
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from lapwing.events import AnomalySeen, SourceError
from lapwing.io.capture import open_capture
from lapwing.testing import PcapngWriter, TcpConversation, TimedFrame, pcap, pcap_header, pcap_record, pcapng, tcp_frame

TALK = TcpConversation().handshake().client(b"x" * 5000).server(b"y" * 900_000).close()
Found = tuple[list[tuple[int, bytes]], dict[str, int], list[AnomalySeen]]


def everything(path: Path | str) -> Found:
    found = []
    with open_capture(path) as source:
        while batch := source.next_batch():
            assert 0 < batch.count <= len(batch.packets)
            rows = batch.packets[: batch.count]
            for ts_ns, offset, size in rows[["ts_ns", "frame_off", "captured"]].tolist():
                found.append((ts_ns, bytes(batch.buffer[offset : offset + size])))
        assert source.next_batch() is None
        return found, source.statistics(), source.damage


def of(frames: list[TimedFrame]) -> list[tuple[int, bytes]]:
    return [(timed.ts_ns, timed.frame) for timed in frames]


def written(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "capture"
    path.write_bytes(data)
    return path


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("build", [pcap, pcapng])
@pytest.mark.parametrize("packer", PACKERS)
def test_a_capture_reads_the_same_whatever_its_format_and_packing(
    build: Callable[[list[TimedFrame]], bytes], packer: str, tmp_path: Path
) -> None:
    path = written(tmp_path, PACKERS[packer](build(TALK.frames)))
    found, counters, damage = everything(path)
    assert found == of(TALK.frames)
    assert counters["ok"] == counters["packets"] == len(TALK.frames)
    assert counters["wire_bytes"] == sum(len(timed.frame) for timed in TALK.frames)
    assert counters["read_bytes"] == path.stat().st_size
    assert not damage


@pytest.mark.parametrize("packer", ["gzip", "zstd"])
def test_parts_packed_one_by_one_read_as_one_capture(packer: str, tmp_path: Path) -> None:
    data = pcap(TALK.frames)
    path = written(tmp_path, b"".join(PACKERS[packer](data[at : at + 100_000]) for at in range(0, len(data), 100_000)))
    assert everything(path)[0] == of(TALK.frames)


def test_progress_counts_bytes_of_the_file_on_disk(tmp_path: Path) -> None:
    path = written(tmp_path, gzip.compress(pcap(TALK.frames)))
    with open_capture(path) as source:
        while source.next_batch():
            pass
        assert (source.progress().read_bytes, source.progress().total_bytes) == (path.stat().st_size,) * 2


def piped(data: bytes, monkeypatch: pytest.MonkeyPatch, piece: int) -> Found:
    reader, writer = os.pipe()

    def feed() -> None:
        with os.fdopen(writer, "wb", buffering=0) as sink:
            for at in range(0, len(data), piece):
                sink.write(data[at : at + piece])

    feeder = threading.Thread(target=feed)
    feeder.start()
    with os.fdopen(reader, "rb") as standard_input:
        monkeypatch.setattr(sys, "stdin", standard_input)
        result = everything("-")
    feeder.join()
    return result


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("piece", [1_000, 1_000_000])
def test_standard_input_reads_like_a_file(packer: str, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found, counters, damage = piped(PACKERS[packer](pcapng(TALK.frames)), monkeypatch, piece)
    assert found == of(TALK.frames)
    assert counters["ok"] == len(TALK.frames)
    assert not damage


def test_a_pipe_that_trickles_is_read_from_its_first_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    assert piped(pcap(TALK.frames[:5]), monkeypatch, 1)[0] == of(TALK.frames[:5])


HEADER = pcap_header()
NO_CAPTURES = [
    (b"", "capture: is empty"),
    (b"MZ" + bytes(200), "capture: offset 0: not a capture (it begins with 4d5a0000); pcap and pcapng are known"),
    (b"\xd4", "capture: offset 0: not a capture (it begins with d4); pcap and pcapng are known"),
    (HEADER[:20], "capture: offset 20: the pcap header is cut; it has 24 bytes"),
    (pcap_header(version=(1, 9)), "capture: pcap version 1.9; only 2.x is known"),
    (PcapngWriter().section().getvalue()[:20], "capture: offset 20: the pcapng section header is cut"),
    (b"\n\r\r\n" + bytes(40), "capture: offset 8: no pcapng byte-order magic but 00000000"),
    (b"\x1f\x8b" + bytes(40), "capture: the packed data is damaged in its first bytes: "),
    (b"\x28\xb5\x2f\xfd" + b"\xff" * 40, "capture: the packed data is damaged in its first bytes: "),
    (gzip.compress(b""), "capture: is empty"),
    (gzip.compress(b"no capture"), "capture: offset 0: not a capture (it begins with 6e6f2063)"),
]


@pytest.mark.parametrize(("data", "message"), NO_CAPTURES)
def test_what_is_no_capture_is_one_line_naming_file_and_place(data: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        open_capture(written(tmp_path, data))
    assert message in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_paths_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No such file"):
        open_capture(tmp_path / "missing.pcap")
    with pytest.raises(SourceError, match="is a directory"):
        open_capture(tmp_path)
    locked = written(tmp_path, pcap([]))
    locked.chmod(0)
    if os.access(locked, os.R_OK):
        pytest.skip("this user may read every file")
    with pytest.raises(SourceError, match="Permission denied"):
        open_capture(locked)


def test_a_capture_without_packets_is_no_error(tmp_path: Path) -> None:
    assert everything(written(tmp_path, pcap([])))[0] == []
    assert everything(written(tmp_path, PcapngWriter().section().getvalue()))[0] == []


def test_a_cut_capture_is_read_to_the_cut_which_is_named(tmp_path: Path) -> None:
    data = pcap(TALK.frames)
    last = len(data) - 16 - len(TALK.frames[-1].frame)
    found, counters, (damage,) = everything(written(tmp_path, data[:-7]))
    assert found == of(TALK.frames[:-1])
    assert (damage.kind, damage.offset) == ("capture.tail_truncated", last)
    assert damage.source == str(tmp_path / "capture")
    assert damage.ts_ns == TALK.frames[-2].ts_ns
    assert counters["tail_truncated"] == 1


@pytest.mark.parametrize("packer", ["gzip", "zstd"])
def test_a_cut_packed_capture_is_read_as_far_as_it_unpacks(packer: str, tmp_path: Path) -> None:
    noise = os.urandom(3_000_000)  # does not shrink, so that half of the file is half of the capture
    frames = [TimedFrame(at, tcp_frame("192.0.2.1", 1, "192.0.2.2", 2, noise[at : at + 1000])) for at in range(2000)]
    packed = PACKERS[packer](pcap(frames, nanoseconds=True))
    found, _, damage = everything(written(tmp_path, packed[: len(packed) // 2]))
    assert 0 < len(found) < len(frames)
    assert found == of(frames[: len(found)])
    assert damage


def test_a_broken_gzip_checksum_is_reported_and_costs_no_more_than_the_last_packet(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(pcap(TALK.frames)))
    packed[-5] ^= 1
    found, _, damage = everything(written(tmp_path, bytes(packed)))
    assert found == of(TALK.frames[:-1])
    assert damage[0].kind == "capture.compressed_data"


def test_absurd_lengths_are_reported_with_their_place_and_the_rest_is_read(tmp_path: Path) -> None:
    head = pcap(TALK.frames[:100])
    data = head + b"\xff" * 2_000_000 + pcap(TALK.frames[100:])[24:]
    found, counters, (damage,) = everything(written(tmp_path, data))
    assert found == of(TALK.frames)
    assert (damage.kind, damage.offset) == ("capture.record_length", len(head))
    assert counters["skipped_bytes"] == 2_000_000


def test_a_thoroughly_damaged_capture_reports_the_rest_by_kind(tmp_path: Path) -> None:
    piece = pcap(TALK.frames[:3])[24:]
    _, counters, damage = everything(written(tmp_path, pcap([]) + (piece + b"\xff" * 40) * 200 + piece))
    assert (counters["record_length"], len(damage)) == (200, 101)
    assert (damage[-1].count, damage[-1].offset) == (100, None)


def test_an_unknown_link_type_is_counted(tmp_path: Path) -> None:
    _, counters, damage = everything(written(tmp_path, pcap(TALK.frames[:5], link_type=147)))
    assert (counters["unknown_link"], counters["ok"]) == (5, 0)
    assert not damage


def test_random_bytes_behind_a_header_end_without_an_exception(tmp_path: Path) -> None:
    for head in (HEADER, PcapngWriter().section().interface().getvalue()):
        _, counters, damage = everything(written(tmp_path, head + os.urandom(300_000)))
        assert damage
        assert counters["fault"] == 0


def test_a_packet_of_the_largest_size_reads_and_a_larger_one_is_damage(tmp_path: Path) -> None:
    large = TimedFrame(0, bytes(262_144), 262_144)
    found, _, _ = everything(written(tmp_path, pcap([large, *TALK.frames])))
    assert found == of([large, *TALK.frames])
    larger = TimedFrame(0, bytes(262_145))
    found, _, (damage,) = everything(written(tmp_path, pcap([TALK.frames[0], larger, *TALK.frames[1:]])))
    assert found == of(TALK.frames)
    assert damage.kind == "capture.record_length"


def test_wrong_checksums_are_marked_only_when_asked_for(tmp_path: Path) -> None:
    frame = bytearray(TALK.frames[4].frame)
    frame[-1] ^= 1
    path = written(tmp_path, pcap([TimedFrame(0, bytes(frame))]))
    for verify, name in ((False, "ok"), (True, "bad_checksum")):
        with open_capture(path, verify_checksums=verify) as source:
            assert source.next_batch() is not None
            assert source.statistics()[name] == 1


MEASURE = """
import sys
from lapwing.io.capture import open_capture
with open_capture("-") as source:
    while source.next_batch():
        pass
peak = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(source.statistics()["ok"], *peak)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize("packer", PACKERS)
def test_memory_does_not_grow_with_the_capture(packer: str) -> None:
    body = b"".join(pcap_record(timed) for timed in TALK.frames)
    peaks = []
    for repeats in (8, 80):
        data = PACKERS[packer](HEADER + body * repeats)
        done = subprocess.run([sys.executable, "-c", MEASURE], input=data, capture_output=True, check=True)
        packets, peak_kb = map(int, done.stdout.split())
        assert packets == repeats * len(TALK.frames)
        peaks.append(peak_kb)
    assert peaks[1] < peaks[0] * 1.1


WITHOUT_COMPILER = """
import sys
sys.modules["lapwing.wire.hot"] = None
from lapwing.io.capture import open_capture
from lapwing.wire import COMPILED
with open_capture("-", filter="tcp") as source:
    while source.next_batch():
        pass
print(COMPILED, source.statistics()["ok"])
"""


def test_where_no_compiler_was_the_plain_loops_serve() -> None:
    command = [sys.executable, "-c", WITHOUT_COMPILER]
    done = subprocess.run(command, input=pcap(TALK.frames), capture_output=True, check=True)
    assert done.stdout.split() == [b"False", str(len(TALK.frames)).encode()]
