"""How much two cores gain: one file read ahead in a second thread, two files in two processes.

The base is one process on one core. On a busy machine the ratios say little; `undisturbed` tells.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.generate import Capture

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
    alone = _seconds(program, "alone", capture.path)
    return {
        "shard_one_file": alone / _seconds(program, "ahead", capture.path),
        "shard_two_files": 2
        * alone
        / _seconds(program, "sharded", capture.path, capture.path.with_name("second.pcap")),
    }


def _seconds(program: Path, how: str, path: Path, second: Path | None = None) -> float:
    """The median of three runs. The second file is the first under another name."""
    paths = [path]
    if second is not None:
        second.unlink(missing_ok=True)
        os.link(path, second)
        paths.append(second)
    found = []
    for _ in range(3):
        command = [sys.executable, str(program), how, *map(str, paths)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found.append(float(json.loads(done.stdout)["seconds"]))
    if second is not None:
        second.unlink()
    return sorted(found)[1]
