"""Logins at real servers, recorded by `tools/record_logins`: the adapters say what happened, and nothing else."""

import json
import re
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import msgspec
import pytest

import lapwing
from lapwing.events import AuthEvent, AuthResolved, Event, FlowClosed, SessionMessaged
from lapwing.events.messages.tls import TlsClientHello
from tools.record_logins.__main__ import tries
from tools.record_logins.plan import SECRETIVE, SECRETS

RECORDED = Path(__file__).parent / "recorded"
LABELS: dict[str, list[dict[str, Any]]] = json.loads((RECORDED / "labels.json").read_text())["captures"]
MAX_CAPTURE_BYTES = 300_000
DOCUMENTATION = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")

every_capture = pytest.mark.parametrize("capture", sorted(LABELS))
clear_captures = pytest.mark.parametrize("capture", sorted(LABELS.keys() - {"ssh"}))


@cache
def events(capture: str) -> tuple[Event, ...]:
    return tuple(lapwing.read(RECORDED / f"{capture}.pcap"))


def logins(capture: str) -> list[AuthResolved]:
    return [event for event in events(capture) if isinstance(event, AuthResolved)]


def seen(capture: str) -> list[dict[str, Any]]:
    return [row for row in LABELS[capture] if row["channel"] == "clear"]


@clear_captures
def test_every_login_in_clear_is_told_with_its_account_and_outcome(capture: str) -> None:
    found = [(e.client_ip, e.protocol, e.mechanism, e.username, e.outcome.value) for e in logins(capture)]
    rows = [(row["source"], row["mechanism"], row["username"] or None, row["outcome"]) for row in seen(capture)]
    assert found == [(source, capture, *rest) for source, *rest in rows]


@clear_captures
def test_equal_passwords_have_equal_tags_and_different_ones_different_tags(capture: str) -> None:
    tags: dict[tuple[str, str], str] = {}
    for row, event in zip(seen(capture), logins(capture), strict=True):
        assert (row["secret"] is None) == (event.secret_tag is None)
        if event.secret_tag is not None:
            person = re.search(r"\w+\.\w+", row["username"])  # of an address, a distinguished name or an account
            key = (person[0] if person else "guest", row["secret"])
            assert tags.setdefault(key, event.secret_tag) == event.secret_tag
    assert len(set(tags.values())) == len(tags)


@clear_captures
def test_outcomes_in_clear_are_read_from_the_servers_reply(capture: str) -> None:
    judged = [event for event in logins(capture) if event.outcome.value != "unknown"]
    assert {(event.evidence.value, event.confidence) for event in judged} == {("server-reply", 1.0)}


def test_outcomes_of_ssh_are_inferred_and_right() -> None:
    found = [(event.client_ip, event.outcome.value) for event in logins("ssh")]
    assert found == [(row["source"], row["outcome"]) for row in LABELS["ssh"]]
    assert {event.evidence.value for event in logins("ssh")} == {"packet-size"}
    assert all(event.confidence < 1 and event.username is None for event in logins("ssh"))


@every_capture
def test_of_logins_under_tls_only_the_hello_is_told(capture: str) -> None:
    hidden = [row for row in LABELS[capture] if row["channel"] != "clear"]
    assert not [e for e in events(capture) if isinstance(e, AuthEvent) and e.client_ip == SECRETIVE]
    spoken = [event for event in events(capture) if isinstance(event, SessionMessaged)]
    hellos = [event for event in spoken if isinstance(event.message, TlsClientHello)]
    assert {event.client_ip for event in hellos} <= {SECRETIVE}
    assert bool(hellos) == bool(hidden)


@every_capture
def test_the_labels_are_those_of_the_plan(capture: str) -> None:
    assert tries(capture) == LABELS[capture]


@every_capture
def test_both_outcomes_are_in_every_capture(capture: str) -> None:
    assert {"succeeded", "failed"} <= {row["outcome"] for row in LABELS[capture]}


@every_capture
def test_no_event_holds_a_password(capture: str) -> None:
    said = b"\n".join(msgspec.json.encode(event) for event in events(capture))
    assert not [name for secrets in SECRETS.values() for name, secret in secrets.items() if secret.encode() in said]


@every_capture
def test_captures_are_small_and_hold_documentation_addresses_only(capture: str) -> None:
    assert (RECORDED / f"{capture}.pcap").stat().st_size <= MAX_CAPTURE_BYTES
    networks = [ip_network(text) for text in DOCUMENTATION]
    closed = [event for event in events(capture) if isinstance(event, FlowClosed)]
    for address in {ip_address(ip) for event in closed for ip in (event.client_ip, event.server_ip)}:
        assert any(address in network for network in networks if network.version == address.version)
