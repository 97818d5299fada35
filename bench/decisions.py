"""What a login decision costs: `make bench` prints the figures and puts them into build/bench.json.

`python -m bench.decisions --resident N` fills a detector with N sources first (a million by default).
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from lapwing import AuthAttempt, Guard
from lapwing.lab import measure_pace

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "build" / "bench.json"
RESIDENT = 1_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.decisions", description=__doc__)
    parser.add_argument("--resident", type=int, default=RESIDENT, help="sources known before decisions are timed")
    pace = measure_pace(parser.parse_args(arguments).resident, Guard, AuthAttempt)
    figures = {
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
    for name, value in figures.items():
        print(f"{name:28} {value:>14,}")
    known = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(known | figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
