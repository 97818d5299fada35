"""The logins of the demo capture are those that the servers themselves recorded."""

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import lapwing
from lapwing.events import AuthResolved

DEMO = Path(lapwing.__file__).parent / "demo"
LABELS = json.loads((DEMO / "labels.json").read_text(encoding="utf-8"))


@cache
def resolved() -> tuple[AuthResolved, ...]:
    return tuple(event for event in lapwing.read(DEMO / "demo.pcap") if isinstance(event, AuthResolved))


@pytest.mark.parametrize("protocol", ["ftp", "smtp", "ssh"])
def test_each_source_has_the_outcomes_its_server_recorded(protocol: str) -> None:
    found: dict[str, Counter[str]] = {}
    for event in resolved():
        if event.protocol == protocol:
            found.setdefault(event.client_ip, Counter())[event.outcome.value] += 1
    labels: dict[str, Any] = LABELS["logins_by_source"]
    truth = {ip: Counter(one[protocol]) for ip, one in labels.items() if protocol in one}
    assert found == truth


def test_outcomes_of_ssh_are_marked_as_inferred() -> None:
    assert {event.evidence.value for event in resolved() if event.protocol == "ssh"} == {"packet-size"}
