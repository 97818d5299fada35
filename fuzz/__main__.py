"""Runs fuzz targets, guided by coverage: an input that reaches new code joins the corpus the next are made from."""

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from random import Random
from typing import NamedTuple

from fuzz.coverage import Arcs
from fuzz.mutate import mutated

HERE = Path(__file__).parent
FAILURES = Path("build/fuzz")
SLOW_S = (
    5.0  # of computing for one input of a few kilobytes, traced, or a tenth untraced: it grows faster than the input
)
DEFAULT_SEEDS = (b"", bytes(64), bytes(range(256)))


class Target(NamedTuple):
    """One thing to fuzz."""

    name: str
    run: Callable[[bytes], object]
    seeds: Sequence[bytes]


class Result(NamedTuple):
    """How a target fared. `broken` is the input that broke it, with what it raised."""

    inputs: int
    corpus: int
    arcs: int
    broken: tuple[bytes, str] | None


def names() -> list[str]:
    """All targets."""
    return sorted(path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.py"))


def target(name: str) -> Target:
    """Load one."""
    module = import_module(f"fuzz.fuzz_{name}")
    return Target(name, module.run, getattr(module, "SEEDS", DEFAULT_SEEDS))


def fuzz(chosen: Target, seconds: float, seed: int) -> Result:
    """Try inputs for that long; stops at the first that breaks the target."""
    random, arcs = Random(seed), Arcs()
    corpus: list[bytes] = []
    inputs = 0
    end = time.monotonic() + seconds
    waiting = list(chosen.seeds)
    while waiting or time.monotonic() < end:
        data = waiting.pop() if waiting else mutated(random, corpus)
        inputs += 1
        began = time.process_time()
        try:
            fresh = arcs.of(lambda: chosen.run(data))  # noqa: B023 - run at once
        except Exception:
            return Result(inputs, len(corpus), len(arcs.known), (data, traceback.format_exc()))
        if time.process_time() - began > SLOW_S and is_slow(chosen, data):
            return Result(inputs, len(corpus), len(arcs.known), (data, f"takes more than {SLOW_S} s of computing"))
        if fresh or not corpus:
            corpus.append(data)
    return Result(inputs, len(corpus), len(arcs.known), None)


def is_slow(chosen: Target, data: bytes) -> bool:
    """Whether an input is slow again, untraced: the first time may have paid for imports and the tracing itself."""
    began = time.process_time()
    chosen.run(data)
    return time.process_time() - began > SLOW_S / 10


def report(chosen: Target, result: Result) -> None:
    """One line, and where the breaking input was written."""
    print(f"{chosen.name:<10} {result.inputs:>8,} inputs  {result.corpus:>5,} kept  {result.arcs:>6,} arcs", flush=True)
    if result.broken is not None:
        data, said = result.broken
        FAILURES.mkdir(parents=True, exist_ok=True)
        path = FAILURES / f"{chosen.name}-{blake2b(data, digest_size=6).hexdigest()}"
        path.write_bytes(data)
        print(f"{said}\n{path}: {len(data)} bytes break {chosen.name}", flush=True)


def main() -> int:
    """Run the chosen targets one after the other; 1 when one breaks."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"targets, all without: {', '.join(names())}")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each target")
    parser.add_argument("--seed", type=int, default=1, help="the same seed tries the same inputs first")
    parser.add_argument("--input", type=Path, help="try this one input and nothing else")
    options = parser.parse_args()
    broken = False
    for chosen in map(target, options.names or names()):
        if options.input is not None:
            chosen.run(options.input.read_bytes())
            continue
        result = fuzz(chosen, options.seconds, options.seed)
        report(chosen, result)
        broken |= result.broken is not None
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
