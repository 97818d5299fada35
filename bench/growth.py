"""Constant memory: the peak on a capture ten times as long over the peak on the capture itself.

The long capture is the mixed one played ten times, each time later, through a pipe: nothing is stored.
"""

import sys
from pathlib import Path
from statistics import median

from bench.generate import MIXED_DURATION_S, Capture
from bench.measure import RunError, run
from bench.results import MEBIBYTE, Results

TIMES = 10
ROUNDS = 3  # of both; large pages the system gives, or has none of, make runs differ by 2 MiB
HERE = Path(__file__).parent
PATHS = {"track": HERE / "lapwing_track.py", "sessions": HERE / "lapwing_sessions.py"}


def measure_growth(capture: Capture, results: Results) -> None:
    """Adds `growth_10x`, the worse of the two paths, and the figures behind it."""
    ratios = []
    for name, script in PATHS.items():
        try:
            once, often = (median(_peak(script, capture.path, times) for _ in range(ROUNDS)) for times in (1, TIMES))
        except RunError as error:
            results.notes.append(f"growth of {name}: {error}")
            continue
        results.more[f"{name}_piped_anon_mb"] = once / MEBIBYTE
        results.more[f"{name}_piped_10x_anon_mb"] = often / MEBIBYTE
        results.more[f"growth_10x_{name}"] = often / once
        ratios.append(often / once)
    if ratios:
        results.more["growth_10x"] = max(ratios)


def _peak(script: Path, path: Path, times: int) -> float:
    feed: list[str | Path] = [sys.executable, "-m", "bench.repeat", path, str(times), str(int(MIXED_DURATION_S))]
    return run([sys.executable, script, "-"], feed=feed).anon_bytes
