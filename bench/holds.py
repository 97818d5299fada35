"""How long a guard of very many sources keeps the interpreter to itself while its state is made, read or joined.

    python -m bench.holds SOURCES [save] [restore] [merge]

A second thread asks for its turn all the time, and looks at how much processor time the first one had since: the most
of that is what it ever had to wait for, on a busy machine too. Five milliseconds of it are the interpreter's own, which
lets a thread run on for so long (`sys.getswitchinterval`). Memory is the resident peak beyond what stood before.
"""

import gc
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lapwing import Guard
from lapwing.detect import DetectSettings
from lapwing.lab.pace import _observe, _tries

KEY = bytes(32)
ASKS_EVERY_S = 0.0005
ROUNDS = 2  # the first makes sparks of the sources, the second rows
MEBI = 1024 * 1024


class Held(NamedTuple):
    """The longest turn and all of it in processor seconds, and how much more memory it took for a time."""

    longest_s: float
    all_s: float
    peak_bytes: int


def measured(work: Callable[[], object]) -> Held:
    clock = time.pthread_getcpuclockid(threading.get_ident())
    done, longest = threading.Event(), 0.0

    def watch() -> None:
        nonlocal longest
        last = time.clock_gettime(clock)
        while not done.is_set():
            time.sleep(ASKS_EVERY_S)
            now = time.clock_gettime(clock)
            longest, last = max(longest, now - last), now

    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = _status("VmRSS")
    watcher = threading.Thread(target=watch)
    begin = time.clock_gettime(clock)
    watcher.start()
    work()
    done.set()
    watcher.join()
    return Held(longest, time.clock_gettime(clock) - begin, _status("VmHWM") - before)


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def _filled(guard: Guard, sources: int) -> Guard:
    for _ in range(ROUNDS):
        _observe(guard, _tries(0, sources))
    return guard


def _says(what: str, held: Held) -> None:
    more = held.peak_bytes / MEBI
    print(f"{what}: longest {held.longest_s * 1e3:.1f} ms, all {held.all_s:.2f} s, {more:,.0f} MiB more for a time")


def main(sources: int, wanted: list[str]) -> None:
    settings = DetectSettings(max_sources=max(sources, 1_024))
    guard = _filled(Guard(settings, key=KEY), sources)
    print(f"{sources:,} sources, {_status('VmRSS') / MEBI:,.0f} MiB")
    if "save" in wanted:
        kept: list[bytes] = []
        _says("parts", measured(lambda: kept.extend(guard.parts())))
        print(f"  {sum(map(len, kept)) / MEBI:,.0f} MiB of state")
        del kept
    snapshot = guard.snapshot()
    if "merge" in wanted:
        _says("merge", measured(lambda: guard.merge(snapshot)))
    if "restore" in wanted:
        _says("restore over what is known", measured(lambda: guard.restore(snapshot)))
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:] or ["save", "merge", "restore"])
