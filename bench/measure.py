"""Runs one program as its own process and reads from the operating system what it took."""

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from resource import struct_rusage

SAMPLE_S = 0.02  # between two looks at the memory
TIMEOUT_S = 900.0


class RunError(Exception):
    """The program failed, answered nothing or took too long; the message says which."""


@dataclass(frozen=True)
class Run:
    """What one run took. `seconds` is the program's own figure, without its start, where it gives one.

    Otherwise it is the whole process's time or processor time, whichever is less: some wait a second before they end.
    `cpu_seconds` likewise.

    `anon_bytes` is the highest sum of anonymous memory over the process and its children; `rss_bytes` the highest
    resident size of one of them, mapped files included.
    """

    seconds: float
    cpu_seconds: float
    anon_bytes: int
    rss_bytes: int
    packets: int | None
    flows: int | None


def run(command: Sequence[str | Path], *, feed: Sequence[str | Path] | None = None, answers: bool = True) -> Run:
    """Runs `command`, with the output of `feed` on its standard input when given.

    With `answers` the last line of its output is a JSON object with packets, flows and seconds.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        feeder = None if feed is None else subprocess.Popen([str(part) for part in feed], stdout=subprocess.PIPE)
        begin = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL if feeder is None else feeder.stdout,
            stdout=output if answers else subprocess.DEVNULL,
            stderr=errors,
        )
        if feeder is not None and feeder.stdout is not None:
            feeder.stdout.close()  # so that the feeder notices when the program ends early
        sampler = _Sampler(process.pid)
        sampler.start()
        status, usage, timed_out = _wait(process.pid)
        wall = time.perf_counter() - begin
        sampler.done.set()
        sampler.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        if feeder is not None:
            feeder.wait()
        if timed_out:
            raise RunError(f"took longer than {TIMEOUT_S:.0f} s")
        if process.returncode not in (0, 4):  # 4: the input was damaged, what could be read was read
            errors.seek(0)
            last = errors.read().decode(errors="replace").strip().splitlines()
            raise RunError(last[-1] if last else f"exit code {process.returncode}")
        output.seek(0)
        answer = _last_line(output.read()) if answers else {}
    return _figures(answer, usage, wall, sampler.highest)


def _figures(answer: dict[str, float], usage: struct_rusage, wall: float, highest_bytes: int) -> Run:
    """What a program says of itself goes before what was seen of it."""
    cpu = usage.ru_utime + usage.ru_stime
    seconds = float(answer["seconds"]) if "seconds" in answer else min(wall, cpu)
    anon = max(highest_bytes, int(answer.get("anon_bytes", 0)))
    packets, flows = (None if name not in answer else int(answer[name]) for name in ("packets", "flows"))
    cpu = float(answer.get("cpu_seconds", cpu))
    return Run(seconds, cpu, anon, usage.ru_maxrss * 1024, packets, flows)


def _last_line(output: bytes) -> dict[str, float]:
    lines = output.strip().splitlines()
    try:
        answer: dict[str, float] = json.loads(lines[-1])
    except (IndexError, ValueError):
        raise RunError("gave no figures") from None
    return answer


def _wait(pid: int) -> tuple[int, struct_rusage, bool]:
    expired = threading.Event()

    def stop() -> None:
        expired.set()
        os.kill(pid, 9)

    timer = threading.Timer(TIMEOUT_S, stop)
    timer.start()
    try:
        _, status, usage = os.wait4(pid, 0)
    finally:
        timer.cancel()
    return status, usage, expired.is_set()


class _Sampler(threading.Thread):
    """Watches the anonymous memory of a process and its children."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.highest = 0
        self.done = threading.Event()

    def run(self) -> None:
        while True:
            self.highest = max(self.highest, sum(_anonymous(pid) for pid in _family(self.pid)))
            if self.done.wait(SAMPLE_S):
                break


def _family(pid: int) -> list[int]:
    family = [pid]
    for member in family:
        try:
            for children in Path(f"/proc/{member}/task").glob("*/children"):
                family.extend(int(child) for child in children.read_text().split())
        except OSError:
            continue
    return family


def _anonymous(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    for line in status.splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0
