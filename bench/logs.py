"""Lines of logs a second on one core, from text to logins, without detection: `python -m bench.logs`.

Two kinds of lines for each of the common formats: an attack, in which every line is a login, and ordinary traffic.
Figures are of processor time and go into build/bench.json.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

from lapwing.logins import LoginSettings, SecretTagger
from lapwing.logins.logs import Clock, LogContext, LogLines, LogSettings, format_named

FIGURES = Path(__file__).resolve().parents[1] / "build" / "bench.json"
LINES = 100_000
PIECE = 2_000  # lines handed over at once, about what one read of a file gives
ROUNDS = 3  # the best counts: everything else is the machine's
LOGIN_EVERY = 50  # in ordinary traffic
WRITTEN_NS = 1_790_000_000 * 10**9


class Load(NamedTuple):
    """Lines of one format; `make` gives the line of a number, a login or not."""

    name: str
    log_format: str
    make: Callable[[int, bool], str]


def _address(number: int) -> str:
    return f"203.0.{number % 113}.{number % 250}"


def _sshd(number: int, login: bool) -> str:
    head = f"Mar 27 13:{number // 60 % 60:02d}:{number % 60:02d} host sshd[{number % 30_000}]: "
    where = f"{_address(number)} port {1024 + number % 60_000}"
    if login:
        return f"{head}Failed password for invalid user user{number % 5_000} from {where} ssh2"
    return f"{head}Received disconnect from {where}:11: Bye Bye [preauth]"


def _combined(number: int, login: bool) -> str:
    stamp = f"[27/Mar/2026:13:{number // 60 % 60:02d}:{number % 60:02d} +0000]"
    asked, status = ("POST /login", 401) if login else (f"GET /page/{number}", 200)
    return f'{_address(number)} - - {stamp} "{asked} HTTP/1.1" {status} 512 "https://example.com/" "Mozilla/5.0 (X11)"'


def _caddy(number: int, login: bool) -> str:
    request = {"client_ip": _address(number), "method": "POST" if login else "GET", "uri": "/login" if login else "/"}
    headers = {"User-Agent": ["Mozilla/5.0 (X11)"], "Accept": ["*/*"]}
    line = {"level": "info", "ts": 1_777_629_600.5 + number / 10, "request": {**request, "headers": headers}}
    return json.dumps({**line, "user_id": "", "status": 401 if login else 200}, separators=(",", ":"))


LOADS = (Load("sshd", "syslog", _sshd), Load("combined", "combined", _combined), Load("caddy", "caddy", _caddy))


def rate(load: Load, lines: Sequence[str]) -> float:
    """Lines per second of processor time, the best of some rounds."""
    best = 0.0
    for _ in range(ROUNDS):
        clock, tagger = Clock(latest_ns=WRITTEN_NS), SecretTagger(bytes(16))
        context = LogContext(LoginSettings(), LogSettings(), clock, tagger, count(1).__next__)
        reader = LogLines(context, format_named(load.log_format))
        begun = time.process_time()
        for start in range(0, len(lines), PIECE):
            reader.feed(lines[start : start + PIECE])
        best = max(best, len(lines) / (time.process_time() - begun))
    return best


def main() -> int:
    """Measure, print, and add the figures to those of the other benchmarks."""
    figures: dict[str, float] = {}
    for load in LOADS:
        attack = [load.make(number, True) for number in range(LINES)]
        ordinary = [load.make(number, number % LOGIN_EVERY == 0) for number in range(LINES)]
        for kind, lines in (("attack", attack), ("ordinary", ordinary)):
            figures[f"logs_{load.name}_{kind}_lines_per_s"] = found = round(rate(load, lines))
            print(f"{load.name:9} {kind:9} {found:>10,} lines/s")
    known = json.loads(FIGURES.read_text()) if FIGURES.is_file() else {}
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps({**known, **figures}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
