"""How much two cores gain: one file read ahead in a second thread, two files in two processes.

The base is one process on one core, without a second thread. `shard_machine_limit` is what the machine itself gives:
the minimal tracker in C twice at once, nothing between the two, over once after the other. Where two cores share
caches, memory or a host's clock, no program reaches 2. On a busy machine the ratios say little.

Two processes take as long as the slower one. On a host whose clock wanders by a third from second to second the slower
of two short runs is slower than one short run whatever the program does, so the capture takes seconds to read.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.build import build_programs
from bench.generate import Capture

ROUNDS = 7
SCALE = 4.0  # times the mixed capture: 4 GB

_PROGRAM = """
import json, os, sys, time
from lapwing.app.flow_reading import flows
from lapwing.app.sharding import shard_flows
how, paths = sys.argv[1], sys.argv[2:]
if how == "alone":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
if __name__ == "__main__":
    begin = time.perf_counter()
    if how == "sharded":
        with shard_flows(*paths, workers=len(paths)) as reading:
            begin = time.perf_counter()  # starting an interpreter is no matter of the packets
            count = sum(len(records) for _, records in reading.records())
    else:
        count = 0
        for path in paths:
            with flows(path) as one:
                count += sum(len(records) for records in one.records())
    print(json.dumps({"seconds": time.perf_counter() - begin, "records": count}))
"""


def measure_sharding(capture: Capture) -> dict[str, float]:
    """Ratios over one process on one core; empty where there is one core only."""
    if len(os.sched_getaffinity(0)) < 2:
        return {}
    program = capture.path.with_name("shard_program.py")
    program.write_text(_PROGRAM)
    python = [sys.executable, str(program)]
    tracker = _tracker(capture.path.parent)
    first, second = capture.path, capture.path.with_name("second.pcap")  # the same bytes under another name
    second.unlink(missing_ok=True)
    os.link(first, second)
    found: dict[str, list[float]] = {name: [] for name in ("alone", "ahead", "sharded", "c alone", "c two")}
    for _ in range(ROUNDS):  # in turn, so that a slow minute meets all of them
        for how, paths in (("alone", [first]), ("ahead", [first]), ("sharded", [first, second])):
            found[how].append(_seconds([[*python, how, *map(str, paths)]]))
        if tracker is not None:
            found["c alone"].append(_seconds([[*_on(0), tracker, str(first)]]))
            found["c two"].append(_seconds([[*_on(0), tracker, str(first)], [*_on(1), tracker, str(second)]]))
    second.unlink()
    middle = {how: median(seconds) for how, seconds in found.items() if seconds}
    ratios = {
        "shard_one_file": middle["alone"] / middle["ahead"],
        "shard_two_files": 2 * middle["alone"] / middle["sharded"],
    }
    return ratios | ({"shard_machine_limit": 2 * middle["c alone"] / middle["c two"]} if tracker is not None else {})


def _tracker(folder: Path) -> str | None:
    try:
        return str(build_programs(folder)["ctracker"])
    except FileNotFoundError:
        return None


def _on(number: int) -> list[str]:
    core = sorted(os.sched_getaffinity(0))[number]
    return [
        sys.executable,
        "-c",
        f"import os, sys; os.sched_setaffinity(0, {{{core}}}); os.execv(sys.argv[1], sys.argv[1:])",
    ]


def _seconds(commands: Sequence[Sequence[str]]) -> float:
    """What the slowest of programs started together says it took."""
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    answers = [program.communicate()[0] for program in started]
    if any(program.returncode for program in started):
        raise RuntimeError(f"{commands} failed")
    return max(float(json.loads(answer)["seconds"]) for answer in answers)
