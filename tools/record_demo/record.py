"""Runs the plan against the daemons while tcpdump looks on, and checks that the day went as planned."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from .clients import Room, clean_environment
from .network import HUB, Network, enter
from .plan import Plan, Visit
from .retime import Window
from .servers import configure, servers
from .truth import Login, logins

WORKERS = 24  # sources visited at the same time; two processors are enough
SETTLE_S = 0.05  # between two visits of one source, so that their connections cannot be confused
DRAIN_S = 2.0  # last packets of closing connections
MIN_ATTACK_SHARE = 0.9  # tools give up a try now and then; fewer than this and the recording is worthless


def record(plan: Plan, out: Path) -> None:
    """Write `raw.pcap`, `windows.json`, `logins.json` into `out`; RuntimeError if the day went wrong."""
    clean_environment()
    out.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="lapdemo-"))
    work.chmod(0o755)
    visits = plan.visits
    sources = tuple(dict.fromkeys(visit.source for visit in visits))
    try:
        configure(work, web=plan.web, mail=plan.mail, shell=plan.shell)
        with Network(sources) as network, servers(work), tcpdump(out / "raw.pcap", work):
            windows = _run(visits, network, work)
            time.sleep(DRAIN_S)
        seen = logins(work / "truth")
        _check(plan, seen)
    except BaseException:
        print(f"left for inspection: {work}")
        raise
    shutil.rmtree(work)
    (out / "windows.json").write_text(json.dumps([asdict(window) for window in windows]))
    (out / "logins.json").write_text(json.dumps([asdict(login) for login in seen]))


@contextmanager
def tcpdump(path: Path, work: Path, words: str = "tcp") -> Iterator[None]:
    """Write what passes the hub and the filter `words` into `path`; RuntimeError if a packet was lost."""
    command = [
        "ip",
        "netns",
        "exec",
        HUB,
        "tcpdump",
        "-i",
        "to-servers",
        "-w",
        str(path),
        "-s",
        "0",
        "-n",
        "-Z",
        "root",
    ]
    command += ["--time-stamp-precision=nano", "-B", "65536", "-U", words]
    log = work / "tcpdump.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stderr=errors)
        try:
            _wait_for_words(log, "listening on")
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)
    if "\n0 packets dropped by kernel" not in log.read_text():
        raise RuntimeError(f"tcpdump lost packets: {log.read_text()}")


def _wait_for_words(log: Path, words: str, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while words not in log.read_text():
        if time.monotonic() > deadline:
            raise TimeoutError(f"tcpdump did not start: {log.read_text()}")
        time.sleep(0.1)


def _run(visits: Sequence[Visit], network: Network, work: Path) -> list[Window]:
    """All visits: sources side by side, the visits of one source one after the other."""
    by_source: dict[str, list[Visit]] = {}
    for visit in visits:
        by_source.setdefault(visit.source, []).append(visit)
    windows: list[Window] = []
    lock = threading.Lock()

    def visit_all(source: str) -> None:
        enter(network.names[source])
        for number, visit in enumerate(by_source[source]):
            folder = work / "rooms" / f"{network.names[source]}-{number}"
            folder.mkdir(parents=True)
            started_ns = time.time_ns()
            visit.act(Room(folder))
            with lock:
                windows.append(Window(source, started_ns, round(visit.at_s * 1e9)))
            time.sleep(SETTLE_S)

    longest_first = sorted(by_source, key=lambda source: -len(by_source[source]))
    with ThreadPoolExecutor(WORKERS) as pool:
        for done in [pool.submit(visit_all, source) for source in longest_first]:
            done.result()
    return sorted(windows, key=lambda window: window.started_ns)


def _check(plan: Plan, seen: Sequence[Login]) -> None:
    """Ordinary people must have failed and succeeded exactly as planned, attackers nearly so."""
    got = Counter((login.source, login.succeeded) for login in seen if login.mechanism != "bearer")
    wrong: list[str] = []
    for resident in plan.residents.values():
        planned = _planned(resident.visits)
        real = got[resident.source, False], got[resident.source, True]
        if real != planned:
            wrong.append(f"{resident.source}, {resident.who}: planned {planned}, got {real}")
    for attack in plan.attacks:
        planned = _planned(attack.visits)
        failed, succeeded = (sum(got[s, outcome] for s in attack.sources) for outcome in (False, True))
        if failed < MIN_ATTACK_SHARE * planned[0] or succeeded != planned[1]:
            wrong.append(f"{attack.id}: planned {planned}, got {(failed, succeeded)}")
    if wrong:
        raise RuntimeError("not what was planned (failed, succeeded):\n  " + "\n  ".join(wrong))


def _planned(visits: Sequence[Visit]) -> tuple[int, int]:
    return sum(visit.failed for visit in visits), sum(visit.succeeded for visit in visits)
