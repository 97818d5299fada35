"""`python -m tools.record_logins`: record every visit of the plan, write captures and labels.

Nothing is written unless every client was told what was planned and every server's own record agrees.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from tools.record_demo.clients import Room, clean_environment
from tools.record_demo.network import Network, enter
from tools.record_demo.record import DRAIN_S, tcpdump

from .plan import FILTERS, KEEPS_SECRET, SOURCES, VISITS, Visit, cast
from .servers import configure, servers
from .truth import disagreements

_ROOT = Path(__file__).parents[2]
_PACKAGES = (
    *("curl", "ldap-utils", "openssh-client", "openssl", "sshpass", "tcpdump"),
    *("dovecot-imapd", "dovecot-pop3d", "openssh-server", "postfix", "slapd", "vsftpd"),
)
_BETWEEN_S = 0.1  # visits of one capture come one after the other


def main() -> None:
    """Parse the command line and record."""
    parser = argparse.ArgumentParser(prog="record_logins", description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=_ROOT / "tests/logins/recorded", help="where captures and labels go"
    )
    out: Path = parser.parse_args().out
    clean_environment()
    work = Path(tempfile.mkdtemp(prefix="laplogins-"))
    work.chmod(0o755)
    try:
        _record(work)
    except BaseException:
        print(f"left for inspection: {work}")
        raise
    out.mkdir(parents=True, exist_ok=True)
    for capture in FILTERS:
        shutil.copyfile(work / f"{capture}.pcap", out / f"{capture}.pcap")
    (out / "labels.json").write_text(json.dumps(_labels(), indent=1) + "\n")
    shutil.rmtree(work)


def _record(work: Path) -> None:
    mail, people = cast()
    configure(work, mail=mail, people=people)
    with Network(SOURCES) as network, servers(work), ExitStack() as captures:
        for capture, words in FILTERS.items():
            folder = work / "tcpdump" / capture
            folder.mkdir(parents=True)
            captures.enter_context(tcpdump(work / f"{capture}.pcap", folder, words))
        with ThreadPoolExecutor(len(FILTERS)) as pool:
            for done in [pool.submit(_run, capture, network, work) for capture in FILTERS]:
                done.result()
        time.sleep(DRAIN_S)
    wrong = disagreements(VISITS, work / "truth")
    if wrong:
        raise RuntimeError("the servers' own records say otherwise:\n  " + "\n  ".join(wrong))


def _run(capture: str, network: Network, work: Path) -> None:
    for number, visit in enumerate(visit for visit in VISITS if visit.capture == capture):
        enter(network.names[visit.source])
        folder = work / "rooms" / f"{capture}-{number}"
        folder.mkdir(parents=True)
        told = visit.act(Room(folder), work)
        if told != [outcome == "succeeded" for outcome in visit.outcomes]:
            raise RuntimeError(f"{capture} {number}, {visit.client}, {visit.mechanism}: was told {told}; see {folder}")
        time.sleep(_BETWEEN_S)


def _labels() -> dict[str, object]:
    return {"tools": _versions(), "captures": {name: tries(name) for name in FILTERS}}


def tries(capture: str) -> list[dict[str, object]]:
    """The labels of one capture: every try in its order."""
    return [row for visit in VISITS if visit.capture == capture for row in _rows(visit)]


def _rows(visit: Visit) -> list[dict[str, object]]:
    common = {"source": visit.source, "client": visit.client, "channel": visit.channel, "mechanism": visit.mechanism}
    proved = visit.mechanism in KEEPS_SECRET or visit.secrets == ("none",)
    return [
        {**common, "username": visit.username, "secret": None if proved else secret, "outcome": outcome}
        for secret, outcome in zip(visit.secrets, visit.outcomes, strict=True)
    ]


def _versions() -> dict[str, str]:
    """Upstream versions of the Debian packages used."""
    query = ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *_PACKAGES]
    rows = subprocess.run(query, capture_output=True, text=True, check=True).stdout.split("\n")
    pairs = (row.split() for row in rows if row)
    return {name: re.sub(r"^\d+:|[-+].*$", "", version) for name, version in pairs}


if __name__ == "__main__":
    main()
