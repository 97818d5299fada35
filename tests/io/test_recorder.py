"""Recorded packets can be read again, whole, in a file, in a series of files, or around what was found."""

from pathlib import Path

import numpy as np

from lapwing.io.capture import Recorder, RecordSettings, open_capture
from lapwing.testing import START_NS, TimedFrame, pcap, udp_frame
from lapwing.wire import PACKET_DTYPE

SECOND_NS = 1_000_000_000


def timed(number: int, size: int = 100) -> TimedFrame:
    return TimedFrame(START_NS + number * SECOND_NS, udp_frame("192.0.2.1", number + 1, "192.0.2.2", 9, bytes(size)))


def give(recorder: Recorder, *packets: TimedFrame, link: int = 1) -> None:
    rows = np.zeros(len(packets), PACKET_DTYPE)
    sizes = [len(one.frame) for one in packets]
    rows["ts_ns"] = [one.ts_ns for one in packets]
    rows["frame_off"] = [sum(sizes[:k]) for k in range(len(sizes))]
    rows["captured"] = rows["wire_bytes"] = sizes
    rows["link_type"] = link
    recorder.write(b"".join(one.frame for one in packets), rows, len(packets))


def ports(path: Path) -> list[int]:
    found: list[int] = []
    with open_capture(path) as source:
        while (batch := source.next_batch()) is not None:
            found += batch.packets["src_port"][: batch.count].tolist()
    return found


def test_a_recording_is_the_capture_it_was_made_from(tmp_path: Path) -> None:
    with Recorder(tmp_path / "out.pcap") as recorder:
        give(recorder, *map(timed, range(5)))
        give(recorder, *map(timed, range(5, 9)))
    assert (tmp_path / "out.pcap").read_bytes() == pcap(map(timed, range(9)), nanoseconds=True)
    assert recorder.statistics()["packets"] == 9


def test_a_series_begins_a_file_at_a_size_and_keeps_the_last_ones(tmp_path: Path) -> None:
    settings = RecordSettings(rotate_bytes=4096, keep_files=2)
    with Recorder(tmp_path / "out.pcap", settings) as recorder:
        for number in range(12):
            give(recorder, timed(number, 1_000))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out-00003.pcap", "out-00004.pcap"]
    assert [ports(path) for path in recorder.paths] == [[7, 8, 9], [10, 11, 12]]
    assert all(path.stat().st_size <= 4096 for path in recorder.paths)


def test_a_series_begins_a_file_after_a_time(tmp_path: Path) -> None:
    with Recorder(tmp_path / "out.pcap", RecordSettings(rotate_s=2)) as recorder:
        for number in range(5):
            give(recorder, timed(number))
    assert [ports(path) for path in recorder.paths] == [[1, 2], [3, 4], [5]]


def test_with_a_pre_trigger_only_what_surrounds_a_finding_is_written(tmp_path: Path) -> None:
    with Recorder(tmp_path / "out.pcap", RecordSettings(before_s=2, after_s=1)) as recorder:
        for number in range(20):
            give(recorder, timed(number))
            if number == 10:
                recorder.trigger(timed(number).ts_ns)
    assert ports(tmp_path / "out.pcap") == [9, 10, 11, 12]
    assert recorder.statistics()["forgotten_packets"] > 0


def test_without_a_finding_a_pre_trigger_writes_nothing(tmp_path: Path) -> None:
    with Recorder(tmp_path / "out.pcap", RecordSettings(before_s=2)) as recorder:
        give(recorder, *map(timed, range(9)))
    assert list(tmp_path.iterdir()) == []


def test_what_waits_for_a_finding_is_bounded(tmp_path: Path) -> None:
    with Recorder(tmp_path / "out.pcap", RecordSettings(before_s=3600, before_bytes=4096)) as recorder:
        for number in range(100):
            give(recorder, timed(number, 1_000))
        recorder.trigger(timed(99).ts_ns)
    assert ports(tmp_path / "out.pcap") == [98, 99, 100]
    assert recorder.statistics()["forgotten_packets"] == 97


def test_packets_of_another_link_are_counted_not_mixed_in(tmp_path: Path) -> None:
    with Recorder(tmp_path / "out.pcap") as recorder:
        give(recorder, timed(0))
        give(recorder, timed(1), link=101)
    assert ports(tmp_path / "out.pcap") == [1]
    assert recorder.statistics()["other_link_packets"] == 1


def test_a_file_that_cannot_be_written_ends_the_recording_with_words(tmp_path: Path) -> None:
    with Recorder(tmp_path / "missing" / "out.pcap") as recorder:
        give(recorder, timed(0))
        give(recorder, timed(1))
    assert recorder.failure is not None
    assert "recording stopped: No such file or directory" in recorder.failure


def test_a_series_follows_no_link_that_somebody_left_in_its_folder(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    (tmp_path / "out-00001.pcap").symlink_to(victim)
    with Recorder(tmp_path / "out.pcap", RecordSettings(rotate_bytes=4096)) as recorder:
        give(recorder, timed(0))
    assert recorder.failure is not None
    assert not victim.exists()
