"""The generated captures: the same every time, well-formed, and what they claim to be."""

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.generate import Capture, generate

SCALE = 0.003


@pytest.fixture(scope="module", params=["mixed", "small"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def capture(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Capture:
    return generate(kind, tmp_path_factory.mktemp("captures"), scale=SCALE)


def records(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Time in microseconds, original length and bytes of every packet."""
    data = path.read_bytes()
    at = 24
    while at < len(data):
        seconds, micros, captured, original = struct.unpack_from("<IIII", data, at)
        yield seconds * 1_000_000 + micros, original, data[at + 16 : at + 16 + captured]
        at += 16 + captured


def ones_complement_sum(data: bytes) -> int:
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def network_layer(frame: bytes) -> tuple[int, bytes]:
    at = 12
    while frame[at : at + 2] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    return int.from_bytes(frame[at : at + 2], "big"), frame[at + 2 :]


def test_one_seed_gives_the_same_bytes_and_another_does_not(kind: str, capture: Capture, tmp_path: Path) -> None:
    again = generate(kind, tmp_path, scale=SCALE)
    other = generate(kind, tmp_path, scale=SCALE, seed=1)
    assert again.path.read_bytes() == capture.path.read_bytes()
    assert other.path.read_bytes() != capture.path.read_bytes()


def test_a_capture_that_is_there_is_not_made_again(capture: Capture, kind: str) -> None:
    before = capture.path.stat().st_mtime_ns
    assert generate(kind, capture.path.parent, scale=SCALE) == capture
    assert capture.path.stat().st_mtime_ns == before


def test_the_file_holds_the_packets_it_claims_in_the_order_of_time(capture: Capture) -> None:
    times = [ts for ts, _, _ in records(capture.path)]
    assert len(times) == capture.packets
    assert times == sorted(times)
    assert capture.path.stat().st_size == capture.bytes


def test_checksums_of_whole_packets_are_valid(capture: Capture) -> None:
    wrong = checked = 0
    for _, original, frame in records(capture.path):
        kind, packet = network_layer(frame)
        if kind not in (0x0800, 0x86DD) or original != len(frame):
            continue
        checked += 1
        if kind == 0x0800:
            pseudo, protocol, segment = packet[12:20], packet[9], packet[20:]
            wrong += ones_complement_sum(packet[:20]) != 0xFFFF
        else:
            pseudo, protocol, segment = packet[8:40], packet[6], packet[40:]
        head = b"" if protocol == 1 else pseudo + struct.pack(">II", protocol, len(segment))
        wrong += ones_complement_sum(head + segment) != 0xFFFF
    assert checked > 0.99 * capture.packets
    assert wrong < 0.002 * capture.packets  # the packets damaged on purpose


def test_addresses_are_of_ranges_nobody_uses(capture: Capture) -> None:
    strange = 0
    for _, original, frame in records(capture.path):
        kind, packet = network_layer(frame)
        if kind == 0x0800 and original == len(frame):
            strange += packet[12:13] + packet[16:17] != b"\xc6\xc6" or packet[13] not in (18, 19)
        elif kind == 0x86DD and original == len(frame):
            strange += packet[8:12] != b"\x20\x01\x0d\xb8"
    assert strange < 0.002 * capture.packets


def test_mixed_carries_logins_names_and_damage(tmp_path: Path) -> None:
    data = generate("mixed", tmp_path, scale=0.01).path.read_bytes()
    expected = (
        b"POST /login",
        b"Authorization: Basic",
        b"530 Login incorrect",
        b"AUTH LOGIN",
        b"SSH-2.0-",
        b"\x07example",
    )
    assert [marker for marker in expected if marker not in data] == []
    assert any(original != len(frame) for _, original, frame in records(next(tmp_path.glob("*.pcap"))))
