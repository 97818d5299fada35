"""The demo capture and its labels tell one story."""

from __future__ import annotations

import functools
import ipaddress
import itertools
import struct
from datetime import datetime
from typing import Any

import pytest

from lapwing import demo

MAX_CAPTURE_BYTES = 2 * 1024 * 1024
DOCUMENTATION = tuple(map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")))
SERVERS = tuple(map(ipaddress.ip_network, ("192.0.2.0/24", "2001:db8:10::/64")))
PORTS = {80: "http", 21: "ftp", 25: "smtp", 22: "ssh"}

Row = tuple[int, str, int, str, int, bytes]  # ts_ns, source, its port, destination, its port, TCP payload


@functools.cache
def packets() -> tuple[Row, ...]:
    """A reader of this one file, so that the test leans on none of the product's code."""
    data = demo.capture_path().read_bytes()
    assert data[:4] == b"\x4d\x3c\xb2\xa1", "a little-endian nanosecond pcap"
    rows, at = [], 24
    while at < len(data):
        seconds, fraction, captured, length = struct.unpack_from("<IIII", data, at)
        assert captured == length, "no packet is truncated"
        rows.append((seconds * 10**9 + fraction, *_addresses(data[at + 16 : at + 16 + captured])))
        at += 16 + captured
    return tuple(rows)


def _addresses(frame: bytes) -> tuple[str, int, str, int, bytes]:
    if frame[12:14] == b"\x08\x00":
        start, end, source, destination = (
            14 + (frame[14] & 15) * 4,
            14 + struct.unpack_from(">H", frame, 16)[0],
            26,
            30,
        )
        width, protocol = 4, frame[23]
    else:
        assert frame[12:14] == b"\x86\xdd", "only IPv4 and IPv6"
        start, end, source, destination = 54, 54 + struct.unpack_from(">H", frame, 18)[0], 22, 38
        width, protocol = 16, frame[20]
    assert protocol == 6, "only TCP"
    ports = struct.unpack_from(">HH", frame, start)
    payload = frame[start + (frame[start + 12] >> 4) * 4 : end]
    first, second = (str(ipaddress.ip_address(frame[at : at + width])) for at in (source, destination))
    return first, ports[0], second, ports[1], payload


def is_server(address: str) -> bool:
    return any(ipaddress.ip_address(address) in network for network in SERVERS)


def clients() -> set[str]:
    return {address for row in packets() for address in (row[1], row[3]) if not is_server(address)}


def attack_sources() -> list[str]:
    return [source for attack in demo.labels()["attacks"] for source in attack["sources"]]


def moment_ns(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * 10**9 + moment.microsecond * 1000


def replies(port: int, *starts: bytes) -> int:
    """How many TCP payloads from a server port begin with one of these."""
    return sum(row[5].startswith(starts) for row in packets() if row[2] == port and is_server(row[1]))


def test_the_capture_is_small() -> None:
    assert demo.capture_path().stat().st_size <= MAX_CAPTURE_BYTES


def test_packet_times_are_sorted_and_within_the_working_day() -> None:
    times = [row[0] for row in packets()]
    assert times == sorted(times)
    epoch = moment_ns(demo.labels()["epoch"])
    assert epoch <= times[0]
    assert times[-1] <= epoch + 9 * 3600 * 10**9
    assert times[-1] - times[0] >= 8 * 3600 * 10**9


def test_only_documentation_addresses_are_on_the_wire() -> None:
    seen = {ipaddress.ip_address(address) for row in packets() for address in (row[1], row[3])}
    assert not {address for address in seen if not any(address in network for network in DOCUMENTATION)}


def test_every_client_on_the_wire_is_labelled_exactly_once() -> None:
    benign = [source["ip"] for source in demo.labels()["benign"]["sources"]]
    labelled = benign + attack_sources()
    assert len(labelled) == len(set(labelled))
    assert set(labelled) == clients()


def test_every_kind_of_attack_is_there() -> None:
    findings = {attack["finding"] for attack in demo.labels()["attacks"]}
    by_source = {"credential-stuffing", "password-spraying", "password-guessing", "low-and-slow"}
    assert findings == by_source | {"targeted-account", "account-takeover"}
    guessed = {a["protocol"] for a in demo.labels()["attacks"] if a["finding"] == "password-guessing"}
    assert guessed == {"ftp", "smtp", "ssh"}


@pytest.mark.parametrize("attack", demo.labels()["attacks"], ids=lambda attack: attack["id"])
def test_an_attack_lies_between_its_labelled_times_on_its_labelled_protocol(attack: dict[str, Any]) -> None:
    rows = [row for row in packets() if row[1] in attack["sources"] or row[3] in attack["sources"]]
    assert abs(rows[0][0] - moment_ns(attack["start"])) < 1000
    assert abs(rows[-1][0] - moment_ns(attack["end"])) < 1000
    ports = {row[2] if is_server(row[1]) else row[4] for row in rows}
    assert {PORTS[port] for port in ports} == {attack["protocol"]}
    assert attack["attempt_count"] == attack["failed"] + attack["succeeded"]
    assert attack["accounts"]


def test_low_and_slow_never_hurries() -> None:
    [attack] = [a for a in demo.labels()["attacks"] if a["finding"] == "low-and-slow"]
    opened = sorted({row[2]: row[0] for row in reversed(packets()) if row[1] == attack["sources"][0]}.values())
    gaps = [(later - earlier) / 60e9 for earlier, later in itertools.pairwise(opened)]
    assert len(opened) == attack["attempt_count"]
    assert all(19 < gap < 41 for gap in gaps)


def test_the_distributed_stuffing_shares_one_header_order() -> None:
    [attack] = [a for a in demo.labels()["attacks"] if a["id"] == "stuffing-distributed"]
    requests = [row[5] for row in packets() if row[1] in attack["sources"] and row[5].startswith(b"POST")]
    orders = {tuple(line.partition(b":")[0] for line in r.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]) for r in requests}
    assert len(attack["sources"]) == 30
    assert len(requests) == attack["attempt_count"]
    assert len(orders) == 1


def test_the_takeover_ends_in_a_success_from_a_source_not_seen_before() -> None:
    taken = demo.labels()["takeover"]
    entered_ns = moment_ns(taken["entered_at"])
    assert min(row[0] for row in packets() if row[1] == taken["entered_from"]) >= entered_ns
    for source in taken["guessed_from"]:
        assert max(row[0] for row in packets() if row[1] == source) < entered_ns
    outcome = demo.labels()["logins_by_source"][taken["entered_from"]]["http"]
    assert outcome == {"succeeded": 1, "failed": 0}


def test_true_counts_match_the_servers_replies_on_the_wire() -> None:
    logins = demo.labels()["logins"]
    http = logins["http"]["by_mechanism"]
    assert replies(21, b"530 Login") == logins["ftp"]["failed"]
    assert replies(21, b"230 ") == logins["ftp"]["succeeded"]
    assert replies(25, b"535 ") == logins["smtp"]["failed"]
    assert replies(25, b"235 ") == logins["smtp"]["succeeded"]
    assert replies(80, b"HTTP/1.1 303") == http["form"]["succeeded"]
    assert replies(80, b"HTTP/1.1 401") == http["json"]["failed"] + http["basic"]["succeeded"]
    refused = sum(b"was not accepted" in row[5] for row in packets())
    assert refused == http["form"]["failed"]


def test_the_sums_of_the_labels_agree() -> None:
    labels = demo.labels()
    for protocol, outcomes in labels["logins"].items():
        for outcome in ("succeeded", "failed"):
            per_source = sum(s.get(protocol, {}).get(outcome, 0) for s in labels["logins_by_source"].values())
            per_mechanism = sum(counted[outcome] for counted in outcomes["by_mechanism"].values())
            assert per_source == per_mechanism == outcomes[outcome]


def test_ordinary_people_mistype_and_still_get_in() -> None:
    people = [source for source in demo.labels()["benign"]["sources"] if source["accounts"]]
    assert all(source["succeeded"] >= len(source["accounts"]) for source in people)
    assert sum(source["failed"] for source in people) >= 20
    assert max(len(source["accounts"]) for source in people) >= 20, "a NAT address with many people"


def test_no_password_is_in_the_labels() -> None:
    text = (demo.capture_path().parent / "labels.json").read_text()
    assert "password" not in {key for attack in demo.labels()["attacks"] for key in attack}
    typed = {row[5].rpartition(b"PASS ")[2].strip() for row in packets() if row[5].startswith(b"PASS ")}
    typed |= {row[5].rpartition(b"password=")[2] for row in packets() if b"&password=" in row[5]}
    assert len(typed) > 100
    assert not [secret for secret in typed if secret.decode() in text]
