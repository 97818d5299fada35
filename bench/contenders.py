"""Who runs in the race, and how each is started."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.build import build_programs
from bench.peers.install import install_peers, version_of

HERE = Path(__file__).parent
BOTH, MIXED = ("mixed", "small"), ("mixed",)
ROUNDS, SLOW_ROUNDS = 5, 3  # a slow one takes ten seconds and more, and varies less


@dataclass(frozen=True)
class Contender:
    """One program; `CAPTURE` in its command stands for the file."""

    name: str
    title: str
    command: tuple[str | Path, ...]
    captures: tuple[str, ...] = BOTH
    rounds: int = ROUNDS
    answers: bool = True  # its last line of output gives packets, flows, seconds; else the whole process is timed

    def on(self, capture: Path) -> list[str | Path]:
        return [capture if part == "CAPTURE" else part for part in self.command]


def line_up(work: Path) -> tuple[list[Contender], dict[str, str]]:
    """Everybody who can start here, in the order of the table, and for each who cannot the reason."""
    programs = build_programs(work)
    contenders = [
        Contender("walk", "record headers only (the limit)", (programs["cwalk"], "CAPTURE")),
        Contender("ctracker", "minimal tracker in C", (programs["ctracker"], "CAPTURE")),
        Contender("track", "Lapwing, parse + track", _own("lapwing_track.py")),
        Contender("sessions", "Lapwing, all parsers, logins, detection", _own("lapwing_sessions.py"), MIXED),
        Contender("events", "the same, every event an object", (*_own("lapwing_sessions.py"), "--all"), MIXED),
    ]
    absent: dict[str, str] = {}
    contenders.extend(_native(work, absent))
    contenders.extend(_python(work, absent))
    return contenders, absent


def _own(script: str) -> tuple[str | Path, ...]:
    return (sys.executable, HERE / script, "CAPTURE")


def _native(work: Path, absent: dict[str, str]) -> Iterator[Contender]:
    flow_files = work / "nfcapd"
    flow_files.mkdir(parents=True, exist_ok=True)
    known = (
        ("nfpcapd", ("-r", "CAPTURE", "-w", flow_files), BOTH, ROUNDS, "-V"),
        ("argus", ("-r", "CAPTURE", "-w", "/dev/null"), BOTH, ROUNDS, "-h"),
        ("tshark", ("-n", "-q", "-r", "CAPTURE", "-z", "conv,tcp", "-z", "conv,udp"), MIXED, 1, "-v"),
    )
    for name, arguments, captures, rounds, version in known:
        program = shutil.which(name)
        if program is None:
            absent[name] = "not installed"
            continue
        title = _first_line_with_version(name, program, version)
        yield Contender(name, title, (program, *arguments), captures, rounds, answers=False)


def _first_line_with_version(name: str, program: str, flag: str) -> str:
    done = subprocess.run([program, flag], capture_output=True, text=True, timeout=20)
    for word in (done.stdout + done.stderr).replace(",", " ").split():
        number = word.removeprefix("Version:").rstrip(".")
        if number[:1].isdigit() and number.count(".") >= 1:
            return f"{name} {number}"
    return name


def _python(work: Path, absent: dict[str, str]) -> Iterator[Contender]:
    python, missing = install_peers(work / "venv")
    absent.update(missing)
    if "nfstream" not in missing:
        title = f"nfstream {version_of(python, 'nfstream')}"
        start = (python, HERE / "peers" / "nfstream_flows.py", "CAPTURE")
        yield Contender("nfstream_off", f"{title}, dissection off", (*start, "--dissections", "0"), BOTH, SLOW_ROUNDS)
        yield Contender("nfstream", f"{title}, default", start, BOTH, SLOW_ROUNDS)
    if "dpkt" not in missing:
        title = f"dpkt {version_of(python, 'dpkt')} with a dictionary"
        yield Contender("dpkt", title, (python, HERE / "peers" / "dpkt_flows.py", "CAPTURE"), MIXED, SLOW_ROUNDS)
