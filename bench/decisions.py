"""What a login decision costs: `make bench` prints the figures and puts them into build/bench.json.

`python -m bench.decisions --resident N` fills a detector with N sources first (a million by default). Beside it runs
`clogins.c`, which counts the same traffic by the same six keys and does nothing else: `decision_c_*`.
"""

import argparse
import json
import subprocess
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
ROUNDS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.decisions", description=__doc__)
    parser.add_argument("--resident", type=int, default=RESIDENT, help="sources known before decisions are timed")
    resident = parser.parse_args(arguments).resident
    yardstick = measure_yardstick(resident)
    pace = measure_pace(resident, Guard, AuthAttempt)
    figures = yardstick | figures_of(pace)
    if yardstick:
        figures["decision_vs_c"] = round(pace.attack_p50_us / yardstick["decision_c_attack_p50_us"], 2)
    for name, value in figures.items():
        print(f"{name:28} {value:>14,}")
    known = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(known | figures, indent=2) + "\n")
    return 0


def figures_of(pace: Pace) -> dict[str, float]:
    """What is written of a run."""
    return {
        "decision_p50_us": round(pace.p50_us, 2),
        "decision_p99_us": round(pace.p99_us, 2),
        "decision_attack_p50_us": round(pace.attack_p50_us, 2),
        "decision_attack_p99_us": round(pace.attack_p99_us, 2),
        "decisions_per_second": round(pace.batch_per_second),
        "decisions_columns_per_second": round(pace.columns_per_second),
        "bytes_per_source": round(pace.bytes_per_source, 1),
        "decision_flood_growth": round(pace.flood_growth, 4),
        "decision_resident_sources": pace.resident,
    }


def measure_yardstick(resident: int) -> dict[str, float]:
    """What the minimal program needs here, microseconds, the median of its runs; empty without a compiler."""
    try:
        program = build_programs(FIGURES.parent / "bench")["clogins"]
    except FileNotFoundError:
        return {}
    runs = [
        json.loads(subprocess.run([program, str(resident), str(TIMED)], check=True, capture_output=True).stdout)
        for _ in range(ROUNDS)
    ]
    names = ("p50_us", "p99_us", "attack_p50_us")
    return {f"decision_c_{name}": round(median(run[name] for run in runs), 2) for name in names}


if __name__ == "__main__":
    raise SystemExit(main())
