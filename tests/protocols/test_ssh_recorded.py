"""Fingerprints of recorded SSH connections are those that others published for them."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

import lapwing
from lapwing.events import SessionMessaged, Side
from lapwing.events.messages import SshKexInit

CAPTURES = os.environ.get("LAPWING_CAPTURES")
TUNNELLED = {"gre-sample.pcap", "tcpdump-geneve.pcap"}  # SSH inside a tunnel, which is not looked into


def published() -> list[Any]:
    if not CAPTURES:
        return []
    index = json.loads((Path(CAPTURES) / "fingerprints" / "index.json").read_text(encoding="utf-8"))
    return [one for one in index if one["capture"] not in TUNNELLED and any("hassh" in flow for flow in one["streams"])]


@pytest.mark.skipif(not CAPTURES, reason="LAPWING_CAPTURES names no directory of recorded captures")
def test_hassh_is_the_published_one() -> None:
    compared = 0
    for one in published():
        found = hassh_by_flow(Path(CAPTURES or "") / "fingerprints" / one["capture"])
        for flow in one["streams"]:
            if "hassh" in flow:
                key = (flow["src"], int(flow["srcport"]))
                assert found[key] == {Side.CLIENT: flow["hassh"], Side.SERVER: flow["hassh_server"]}, one["capture"]
                compared += 1
    assert compared >= 5


def hassh_by_flow(path: Path) -> dict[tuple[str, int], dict[Side, str]]:
    found: dict[tuple[str, int], dict[Side, str]] = {}
    for event in lapwing.read(path):
        if isinstance(event, SessionMessaged) and isinstance(event.message, SshKexInit):
            found.setdefault((event.client_ip, event.client_port), {})[event.side] = event.message.hassh
    return found
