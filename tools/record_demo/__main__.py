"""`python -m tools.record_demo all`: record the day, put it on the clock, write capture and labels."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
from pathlib import Path

from .labels import EPOCH_NS, labels
from .network import SERVER_ADDRESSES
from .plan import Plan
from .record import record
from .retime import Window, moved, read, spans, write
from .servers import exim4
from .truth import Login

_ROOT = Path(__file__).parents[2]
_PACKAGES = (
    "chromium",
    "nginx-light",
    "vsftpd",
    "openssh-server",
    "hydra",
    "medusa",
    "ncrack",
    "curl",
    "tcpdump",
)


def _versions() -> dict[str, str]:
    """Upstream versions of the Debian packages used; exim4 need not be installed to be run (see the README)."""
    exim = subprocess.run([exim4(), "-bV"], capture_output=True, text=True, check=True).stdout
    query = ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *_PACKAGES]
    rows = subprocess.run(query, capture_output=True, text=True, check=True).stdout.split("\n")
    pairs = (row.split() for row in rows if row)
    found = {name: re.sub(r"^\d+:|[-+].*$", "", version) for name, version in pairs}
    return found | {"exim4-daemon-heavy": exim.split()[2]}


def retime(plan: Plan, raw: Path, out: Path) -> None:
    """From the raw recording to `demo.pcap` and `labels.json`; the same input gives the same files."""
    rows = json.loads((raw / "windows.json").read_text())
    windows = [Window(row["source"], row["started_ns"], EPOCH_NS + row["target_ns"]) for row in rows]
    servers = frozenset(SERVER_ADDRESSES)
    packets = moved(read(raw / "raw.pcap"), windows, servers)
    seen = [Login(**row) for row in json.loads((raw / "logins.json").read_text())]
    out.mkdir(parents=True, exist_ok=True)
    write(out / "demo.pcap", packets)
    tools = json.loads((raw / "tools.json").read_text())
    document = labels(plan, seen, spans(packets, servers), tools)
    (out / "labels.json").write_text(json.dumps(document, indent=1) + "\n")


def main() -> None:
    """Parse the command line and run one or both steps."""
    parser = argparse.ArgumentParser(prog="record_demo", description=__doc__)
    parser.add_argument("step", choices=("record", "retime", "all"))
    parser.add_argument("--raw", type=Path, default=_ROOT / "build/demo", help="folder of the raw recording")
    parser.add_argument("--out", type=Path, default=_ROOT / "src/lapwing/demo", help="folder of capture and labels")
    chosen = parser.parse_args()
    plan = Plan()
    if chosen.step in {"record", "all"}:
        record(plan, chosen.raw)
        (chosen.raw / "tools.json").write_text(json.dumps(_versions()))
    if chosen.step in {"retime", "all"}:
        retime(plan, chosen.raw, chosen.out)


if __name__ == "__main__":
    main()
