"""What a login decision costs: `make bench` prints the figures and puts them into build/bench.json.

`python -m bench.decisions --resident N` fills a detector with N sources first (a million by default). Beside it runs
`clogins.c`, which counts the same traffic by the same six keys and does nothing else: `decision_c_*`.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.build import build_programs
from lapwing import AuthAttempt, Guard
from lapwing.lab import Pace, measure_pace

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "build" / "bench.json"
RESIDENT = 1_000_000
TIMED = 50_000  # decisions of the yardstick, as many as of the guard
ROUNDS = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.decisions", description=__doc__)
    parser.add_argument("--resident", type=int, default=RESIDENT, help="sources known before decisions are timed")
    parser.add_argument("--once", action="store_true", help="one run, printed as JSON and written nowhere")
    given = parser.parse_args(arguments)
    if given.once:
        print(json.dumps(figures_of(measure_pace(given.resident, Guard, AuthAttempt))))
        return 0
    figures = measure_rounds(given.resident)
    for name, value in figures.items():
        print(f"{name:28} {value:>14,}")
    known = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(known | figures, indent=2) + "\n")
    return 0


def measure_rounds(resident: int) -> dict[str, float]:
    """Medians of runs of both programs in turn, each a process of its own: a slow minute meets both."""
    ours, yardsticks = [], []
    program = _yardstick()
    for _ in range(ROUNDS):
        ours.append(_run([sys.executable, "-m", "bench.decisions", "--once", "--resident", str(resident)]))
        if program is not None:
            yardsticks.append(_run([str(program), str(resident), str(TIMED)]))
    figures = {name: round(median(run[name] for run in ours), 4) for name in ours[0]}
    if yardsticks:
        names = ("p50_us", "p99_us", "attack_p50_us")
        figures |= {f"decision_c_{name}": round(median(run[name] for run in yardsticks), 2) for name in names}
        figures["decision_vs_c"] = round(figures["decision_attack_p50_us"] / figures["decision_c_attack_p50_us"], 2)
    return figures


def figures_of(pace: Pace) -> dict[str, float]:
    """What is written of a run."""
    return {
        "decision_p50_us": round(pace.p50_us, 2),
        "decision_p99_us": round(pace.p99_us, 2),
        "decision_attack_p50_us": round(pace.attack_p50_us, 2),
        "decision_attack_p99_us": round(pace.attack_p99_us, 2),
        "decisions_per_second": round(pace.batch_per_second),
        "decisions_columns_per_second": round(pace.columns_per_second),
        "decisions_third_per_second": round(pace.third_per_second),
        "decisions_mixed_per_second": round(pace.mixed_per_second),
        "bytes_per_source": round(pace.bytes_per_source, 1),
        "decision_flood_growth": round(pace.flood_growth, 4),
        "decision_resident_sources": pace.resident,
    }


def _yardstick() -> Path | None:
    """The minimal program; None without a compiler."""
    try:
        return build_programs(FIGURES.parent / "bench")["clogins"]
    except FileNotFoundError:
        return None


def _run(command: list[str]) -> dict[str, float]:
    """What it prints of itself."""
    made: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)
    return made


if __name__ == "__main__":
    raise SystemExit(main())
