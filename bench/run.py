"""Everything side by side in one run: `make bench`.

Every program is a process of its own. The rounds are interleaved, so that a slow minute of the machine meets all of
them; medians are reported.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bench.agreement import measure_agreement
from bench.collector import measure as measure_collector
from bench.contenders import Contender, line_up
from bench.generate import Capture, generate
from bench.growth import measure_growth
from bench.live import measure_live
from bench.measure import RunError, run
from bench.report import show, write_page
from bench.results import Results
from bench.shard import SCALE as SHARD_SCALE
from bench.shard import measure_sharding

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "bench"
FIGURES = ROOT / "build" / "bench.json"
PAGE = ROOT / "docs" / "performance.md"
QUICK_SCALE, QUICK_ROUNDS = 0.05, 1
LIVE_S, QUICK_LIVE_S = 120, 5
APART = ("bench.logs", "bench.decisions")  # in processes of their own, as they measure memory and processor time


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the race; 1 when one of Lapwing's own programs failed."""
    options = _options(arguments)
    console = Console(stderr=False, soft_wrap=not sys.stdout.isatty(), width=None if sys.stdout.isatty() else 200)
    os.chdir(ROOT)
    scale = QUICK_SCALE if options.quick else 1.0
    captures = {kind: generate(kind, WORK, scale=scale) for kind in ("mixed", "small")}
    contenders, absent = line_up(WORK)
    if options.only:
        contenders = [contender for contender in contenders if contender.name in options.only]
    results = Results(captures, absent=list(absent), by_cpu=options.clock == "cpu")
    for name, reason in absent.items():
        console.print(f"left out: {name}: {reason}")
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else None)
    race(contenders, captures, results, rounds, console)
    if not options.no_growth:
        console.print("memory at ten times the input")
        measure_growth(captures["mixed"], results)
    measure_agreement(results)
    console.print("two cores: one file, two files, and live between two interfaces")
    results.more.update(measure_sharding(generate("mixed", WORK, scale=scale * SHARD_SCALE)))
    results.more.update(measure_live(QUICK_LIVE_S if options.quick else LIVE_S) or {})
    if not options.quick and not options.only:
        console.print("the collector under load")
        results.more.update(measure_collector())
    FIGURES.write_text(json.dumps(results.figures(), indent=2) + "\n")
    for name in () if options.quick or options.only else APART:
        console.print(name)
        subprocess.run([sys.executable, "-m", name], check=False)  # each adds what it measured
    results.more.update(json.loads(FIGURES.read_text()))
    show(contenders, results, console)
    figures = results.figures()
    FIGURES.write_text(json.dumps(figures, indent=2) + "\n")
    console.print(f"figures: {FIGURES.relative_to(ROOT)}")
    if options.write_docs and not options.quick and not options.only:
        write_page(PAGE, contenders, results)
        console.print(f"tables: {PAGE.relative_to(ROOT)}")
    return 0 if "track_vs_c" in figures and "sessions_vs_c" in figures else 1


def race(
    contenders: Sequence[Contender],
    captures: dict[str, Capture],
    results: Results,
    rounds: int | None,
    console: Console,
) -> None:
    """Runs round after round; who fails is named once and not started again."""
    out: set[tuple[str, str]] = set()
    for turn in range(max(rounds or contender.rounds for contender in contenders)):
        for kind, capture in captures.items():
            for contender in contenders:
                entry = (contender.name, kind)
                if kind not in contender.captures or entry in out or turn >= (rounds or contender.rounds):
                    continue
                try:
                    one = run(contender.on(capture.path), answers=contender.answers)
                except RunError as error:
                    out.add(entry)
                    results.notes.append(f"{contender.title} on {kind}: {error}")
                    console.print(f"left out: {results.notes[-1]}")
                    continue
                results.add(*entry, one)
                console.print(f"round {turn + 1}  {kind:6} {one.seconds:8.3f} s  {contender.title}")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small captures, one round: does it run at all")
    parser.add_argument("--rounds", type=int, help="repetitions of everything")
    parser.add_argument(
        "--clock", choices=("wall", "cpu"), default="wall", help="cpu: compare processor time, on a busy machine"
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these programs")
    parser.add_argument("--no-growth", action="store_true", help="leave out memory at ten times the input")
    parser.add_argument("--write-docs", action="store_true", help="put the tables into docs/performance.md")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
