"""What a notebook shows of readings, and the tutorial notebook."""

from pathlib import Path

import pytest

import lapwing
from lapwing.demo import capture_path
from lapwing.testing import pcap


def test_a_reading_shows_its_input_and_counters_and_reads_nothing_by_it(tmp_path: Path) -> None:
    odd = tmp_path / "<b>.pcap"
    odd.symlink_to(capture_path())
    with lapwing.read(odd, events=["auth"]) as reading:
        before = reading._repr_html_()
        assert "&lt;b&gt;.pcap" in before
        assert "capture.packets" not in before
        assert sum(1 for _ in reading) > 0
        assert "<tr><th>capture.packets</th><td>10,870</td></tr>" in reading._repr_html_()


def test_a_flow_reading_shows_what_it_counted() -> None:
    with lapwing.flows(capture_path()) as reading:
        next(iter(reading))
        assert "<tr><th>flows.ended</th><td>" in reading._repr_html_()
        assert "<b>lapwing.FlowReading</b>" in reading._repr_html_()


def test_a_log_reading_shows_itself(tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    log.write_text("Jan 12 10:00:00 shell sshd[7]: Failed password for root from 203.0.113.9 port 22 ssh2\n")
    with lapwing.read_logs(log) as reading:
        assert sum(1 for _ in reading) > 0
        assert "auth.log" in reading._repr_html_()


def test_an_input_that_could_not_be_read_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pcap"
    broken.write_bytes(b"no capture at all, whatever its name says")
    with lapwing.read(broken, capture_path(), events=["auth"]) as reading:
        list(reading)
        assert "<tr><th>not read</th>" in reading._repr_html_()


@pytest.mark.parametrize("kind", [lapwing.Reading, lapwing.FlowReading, lapwing.LogReading])
def test_every_reading_has_a_page(kind: type) -> None:
    assert callable(kind._repr_html_)  # type: ignore[attr-defined]


def test_a_reading_says_in_one_line_what_it_reads(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.pcap" for number in range(5)]
    for file in files:
        file.write_bytes(pcap([]))
    assert repr(lapwing.read(files[0])) == f"<lapwing.Reading of {files[0]}>"
    names = ", ".join(map(str, files[:3]))
    assert repr(lapwing.flows(*files)) == f"<lapwing.FlowReading of {names} and 2 more>"
    assert repr(lapwing.read_logs("auth.log")) == "<lapwing.LogReading of auth.log>"
