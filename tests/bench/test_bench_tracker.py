"""The C programs count what a plain reading of the same capture counts."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from bench.build import build_programs
from bench.generate import Capture, generate
from tests.patience import ENOUGH_S

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler (cc) on this machine")


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return build_programs(tmp_path_factory.mktemp("programs"))


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    return generate("small", tmp_path_factory.mktemp("captures"), scale=0.15)


def run(program: Path, path: Path) -> dict[str, float]:
    done = subprocess.run([program, path], check=True, capture_output=True, timeout=ENOUGH_S)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def test_the_walk_sees_every_record(programs: dict[str, Path], capture: Capture) -> None:
    assert run(programs["cwalk"], capture.path)["packets"] == capture.packets


def test_the_tracker_finds_every_flow_also_after_its_table_has_grown(
    programs: dict[str, Path], capture: Capture
) -> None:
    answer = run(programs["ctracker"], capture.path)
    assert capture.flows > 1 << 16  # more than the table starts with
    assert (answer["packets"], answer["flows"], answer["skipped"]) == (capture.packets, capture.flows, 0)
    assert answer["flow_packets"] == capture.packets
    assert answer["flow_bytes"] == run(programs["cwalk"], capture.path)["bytes"]


def test_damaged_packets_are_skipped_and_counted(programs: dict[str, Path], tmp_path: Path) -> None:
    mixed = generate("mixed", tmp_path, scale=0.01)
    answer = run(programs["ctracker"], mixed.path)
    assert 0 < answer["skipped"] < 0.001 * mixed.packets
    assert answer["flow_packets"] + answer["skipped"] == mixed.packets
    assert abs(answer["flows"] - mixed.flows) <= 0.01 * mixed.flows


def test_a_file_that_is_no_capture_is_refused(programs: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "text.pcap"
    path.write_text("not a capture")
    done = subprocess.run([programs["ctracker"], path], capture_output=True, timeout=ENOUGH_S)
    assert done.returncode == 3
    assert b"not a little-endian pcap file" in done.stderr
