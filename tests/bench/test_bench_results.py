"""Ratios, the page they are written to, and the measuring itself."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.build import build_programs
from bench.contenders import Contender
from bench.generate import Capture, generate
from bench.measure import Run, RunError, run
from bench.report import BEGIN, END, aim_rows, write_page
from bench.results import MEBIBYTE, Results
from tests.patience import ENOUGH_S

CAPTURES = {kind: Capture(Path(f"{kind}.pcap"), 1_000, 10, 100_000) for kind in ("mixed", "small")}


def took(seconds: float, anon_mib: int = 1) -> Run:
    return Run(seconds, seconds, anon_mib * MEBIBYTE, anon_mib * MEBIBYTE, 1_000, 10)


@pytest.fixture
def results() -> Results:
    results = Results(CAPTURES)
    for seconds in (1.0, 9.0, 2.0):
        results.add("ctracker", "mixed", took(seconds))
    results.add("ctracker", "small", took(4.0))
    results.add("track", "mixed", took(3.0))
    results.add("track", "small", took(5.0, 300))
    results.add("nfstream_off", "mixed", took(90.0))
    results.add("nfstream_off", "small", took(100.0))
    return results


def test_a_ratio_compares_medians_and_keeps_the_worse_capture(results: Results) -> None:
    figures = results.figures()
    assert figures["track_vs_c_mixed"] == 1.5
    assert figures["track_vs_c_small"] == 1.25
    assert figures["track_vs_c"] == 1.5
    assert figures["track_vs_nfstream"] == 20.0
    assert figures["track_anon_mb"] == 300.0
    assert figures["ctracker_mixed_packets_per_s"] == 500.0


def test_on_a_busy_machine_processor_time_can_be_compared_instead() -> None:
    results = Results(CAPTURES, by_cpu=True)
    results.add("ctracker", "mixed", Run(9.0, 1.0, 0, 0, None, None))
    results.add("track", "mixed", Run(3.0, 2.0, 0, 0, None, None))
    assert results.figures()["track_vs_c"] == 2.0
    assert results.undisturbed() < 0.2


def test_an_absent_program_leaves_its_ratios_out(results: Results) -> None:
    figures = results.figures()
    assert not {"track_vs_argus", "track_vs_nfpcapd", "sessions_vs_c", "growth_10x"} & set(figures)
    assert all(isinstance(value, float) for value in figures.values())


def test_an_aim_missed_by_a_hair_is_shown_as_missed(results: Results) -> None:
    results.more["growth_10x"] = 1.101
    met = {row[0]: row[4] for row in aim_rows(results)}
    assert met["growth_10x"] == "no"
    assert met["track_vs_c"] == "yes"
    assert met["track_vs_argus"] == ""


def test_the_page_keeps_everything_outside_the_marks(results: Results, tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"# Before\n\n{BEGIN}\nold\n{END}\n\nAfter.\n")
    write_page(page, [Contender("track", "Lapwing", ())], results)
    text = page.read_text()
    assert text.startswith("# Before\n")
    assert text.endswith("\n\nAfter.\n")
    assert "old" not in text
    assert "| Lapwing |" in text


def test_memory_of_a_program_and_of_its_children_is_seen() -> None:
    child = "import time; block = b'x' * (64 << 20); time.sleep(0.3)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}]); print('{{}}')"
    assert run([sys.executable, "-c", parent]).anon_bytes > 64 * MEBIBYTE


def test_a_program_that_fails_is_named_with_its_last_words() -> None:
    with pytest.raises(RunError, match="no such thing"):
        run([sys.executable, "-c", "import sys; sys.exit('no such thing')"])
    with pytest.raises(RunError, match="gave no figures"):
        run([sys.executable, "-c", "print('hello')"])


def test_a_repeated_capture_has_its_packets_again_and_later(tmp_path: Path) -> None:
    capture = generate("small", tmp_path, scale=0.002)
    command: list[str | Path] = [sys.executable, "-m", "bench.repeat", capture.path, "3", "100"]
    done = subprocess.run(command, check=True, capture_output=True, timeout=ENOUGH_S)
    once = capture.path.read_bytes()
    assert done.stdout[: len(once)] == once
    body = len(once) - 24
    assert len(done.stdout) == 24 + 3 * body
    for turn in (1, 2):
        repeated = done.stdout[24 + turn * body :][:body]
        assert repeated[4:58] == once[28:82]  # the headers of the first record
        assert int.from_bytes(repeated[:4], "little") == int.from_bytes(once[24:28], "little") + turn * 100


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler (cc) on this machine")
def test_what_a_c_program_says_of_itself_is_taken_over(tmp_path: Path) -> None:
    capture = generate("small", tmp_path, scale=0.002)
    one = run([build_programs(tmp_path)["ctracker"], capture.path])
    assert (one.packets, one.flows) == (capture.packets, capture.flows)
