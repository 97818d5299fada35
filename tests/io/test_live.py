"""Live capture gives the packets of the wire as the file reader gives those of a file."""

import dataclasses
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lapwing.events import SettingsError, SourceError
from lapwing.io.capture import InterfaceSource, LiveSettings, open_capture, open_live
from lapwing.testing import TimedFrame, ethernet, ip, pcap, tcp_frame, udp, udp_frame
from lapwing.wire import PACKET_DTYPE, Status
from tests.io.wires import Wire, needs_wires, wire
from tests.patience import ENOUGH_S

__all__ = ["wire"]

pytestmark = needs_wires

A, B = "192.0.2.1", "198.51.100.2"


def live(wire: Wire, interface: str = Wire.right, filter_: str | None = None, **settings: object) -> InterfaceSource:
    chosen = LiveSettings(namespace=wire.namespace, poll_timeout_ms=10, **settings)  # type: ignore[arg-type]
    return open_live(interface, settings=chosen, filter=filter_)


def rows_of(source: InterfaceSource, wanted: int) -> list[tuple[object, ...]]:
    """The first `wanted` packets as rows with their frames in place of offsets."""
    found: list[tuple[object, ...]] = []
    give_up = time.monotonic() + ENOUGH_S
    while len(found) < wanted and time.monotonic() < give_up:
        batch = source.next_batch()
        assert batch is not None
        for row in batch.packets[: batch.count]:
            start, size = int(row["frame_off"]), int(row["captured"])
            names = [n for n in PACKET_DTYPE.names or () if n not in {"ts_ns", "frame_off", "ip_off", "payload_off"}]
            found.append((bytes(batch.buffer[start : start + size]), *[row[name].item() for name in names]))
    return found


def quiet(source: InterfaceSource) -> None:
    """Read until the source says that nothing more can come of what was sent; nothing may have come."""
    assert ports_until_quiet(source) == []


def ports_until_quiet(source: InterfaceSource) -> list[int]:
    """Source ports of what comes until the source says that nothing sent before the call can still come."""
    started_ns, give_up = time.time_ns(), time.monotonic() + ENOUGH_S
    ports: list[int] = []
    while (source.idle_until_ns or 0) < started_ns and time.monotonic() < give_up:
        batch = source.next_batch()
        assert batch is not None
        ports += batch.packets["src_port"][: batch.count].tolist()
    return ports


def read_on(source: InterfaceSource) -> None:
    for _ in range(1_000):
        source.next_batch()


FRAMES = [
    udp_frame(A, 4_000, B, 53, b"question"),
    tcp_frame(A, 4_001, B, 80, b"GET / HTTP/1.1\r\n\r\n"),
    ethernet(ip("2001:db8::1", "2001:db8::2", 17, udp(5, 6, b"six"))),
    ethernet(ip(A, B, 17, udp(7, 8, b"tagged")), vlans=(42,)),
    ethernet(ip(A, B, 17, udp(9, 10, b"twice")), vlans=(7, 8)),
    b"\xff" * 12 + b"\x88\xcc" + bytes(50),
]


def test_frames_of_the_wire_are_rows_like_those_of_a_file(wire: Wire, tmp_path: Path) -> None:
    path = tmp_path / "same.pcap"
    path.write_bytes(pcap([TimedFrame(number, frame) for number, frame in enumerate(FRAMES)]))
    with open_capture(path) as source:
        expected = rows_of(source, len(FRAMES))  # type: ignore[arg-type]
    with live(wire) as source:
        wire.send(FRAMES)
        assert rows_of(source, len(FRAMES)) == expected
    assert {row[0] for row in expected} == set(FRAMES)


def test_times_are_nanoseconds_of_the_wall_clock_in_order(wire: Wire) -> None:
    with live(wire) as source:
        before = time.time_ns()
        wire.send([FRAMES[0]] * 50)
        times: list[int] = []
        while len(times) < 50:
            batch = source.next_batch()
            assert batch is not None
            times += batch.packets["ts_ns"][: batch.count].tolist()
        assert before <= times[0] <= times[-1] <= time.time_ns()
        assert times == sorted(times)
        assert any(ts % 1_000 for ts in times)


def test_more_packets_than_a_batch_or_a_block_come_whole_and_in_order(wire: Wire) -> None:
    with live(wire, profile="low-memory") as source:
        wire.send(udp_frame(A, number, B, 9, b"x" * (number % 700)) for number in range(1, 5_001))
        rows = rows_of(source, 5_000)
        ports = [row[[n for n in PACKET_DTYPE.names or () if n not in _LEFT_OUT].index("src_port") + 1] for row in rows]
        assert ports == list(range(1, 5_001))
        assert source.statistics()["kernel_packets"] == 5_000
        assert source.statistics()["kernel_drops"] == 0
        assert source.statistics()["skipped_blocks"] == 0


_LEFT_OUT = {"ts_ns", "frame_off", "ip_off", "payload_off"}


def test_drops_of_a_full_ring_are_counted_and_the_counter_only_grows(wire: Wire) -> None:
    with live(wire, profile="low-memory") as source:
        ring = source.ring_bytes
        sent = 2 * ring // 1_500
        wire.send([udp_frame(A, 1, B, 9, bytes(1_400))] * sent)  # nobody reads meanwhile
        first = source.statistics()
        assert first["kernel_drops"] > 0
        assert first["kernel_packets"] == sent
        assert source.take_drops() == first["kernel_drops"]
        assert source.take_drops() == 0
        assert len(rows_of(source, sent - first["kernel_drops"])) == sent - first["kernel_drops"]
        second = source.statistics()
        assert (second["kernel_drops"], second["kernel_packets"]) == (first["kernel_drops"], sent)
    assert source.statistics()["kernel_drops"] == first["kernel_drops"]


def test_the_filter_is_set_before_the_first_packet(wire: Wire) -> None:
    with live(wire, filter_="udp port 53") as source:
        wire.send([*FRAMES, ethernet(ip(A, B, 17, udp(7, 53, b"tagged")), vlans=(42,))])
        assert [row[0] for row in rows_of(source, 1)] == [FRAMES[0]]
        quiet(source)
        counted = source.statistics()
        assert counted["packets"] == 1
        assert counted["kernel_packets"] == 2, "the kernel sees the tagged frame without its tag; we look again"
        assert counted["filtered_packets"] == 1


def test_a_filter_about_tags_sees_the_tags(wire: Wire) -> None:
    with live(wire, filter_="vlan 42") as source:
        wire.send(FRAMES)
        assert [row[0] for row in rows_of(source, 1)] == [FRAMES[3]]


def test_a_filter_can_be_swapped_while_packets_come(wire: Wire) -> None:
    with live(wire, filter_="udp port 53") as source:
        wire.send(FRAMES[:2])
        assert [row[0] for row in rows_of(source, 1)] == [FRAMES[0]]
        source.set_filter("tcp port 80")
        wire.send(FRAMES[:2])
        assert [row[0] for row in rows_of(source, 1)] == [FRAMES[1]]
        source.set_filter(None)
        wire.send(FRAMES[:2])
        assert [row[0] for row in rows_of(source, 2)] == FRAMES[:2]


def test_the_snap_length_cuts_packets_and_keeps_their_true_length(wire: Wire) -> None:
    long = udp_frame(A, 1, B, 9, bytes(1_000))
    for filter_ in (None, "udp"):
        with live(wire, filter_=filter_, snaplen_bytes=100) as source:
            wire.send([long])
            while not (batch := source.next_batch()) or not batch.count:
                pass
            row = batch.packets[0]
            assert (int(row["captured"]), int(row["wire_bytes"]), int(row["payload_bytes"])) == (100, len(long), 1_000)
            assert int(row["status"]) == Status.OK


def test_loopback_shows_each_packet_once(wire: Wire) -> None:
    frame = udp_frame("127.0.0.1", 5, "127.0.0.1", 6, b"once")
    send = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b'once', ('127.0.0.1', 6))"
    for interface in ("lo", "any"):
        with live(wire, interface, "udp port 6") as source:
            subprocess.run(["ip", "netns", "exec", wire.namespace, sys.executable, "-c", send], check=True)
            assert len(rows_of(source, 1)) == 1
            quiet(source)
    assert frame


def test_members_of_a_fanout_group_share_the_packets_by_flow(wire: Wire) -> None:
    group = os.getpid() & 0xFFFF
    with live(wire, fanout_group=group) as first, live(wire, fanout_group=group) as second:
        wire.send(udp_frame(A, port, B, 9, b"x") for port in range(1, 65) for _ in range(2))
        seen: list[set[int]] = []
        for source in (first, second):
            ports = ports_until_quiet(source)
            assert all(ports.count(port) == 2 for port in ports)
            seen.append(set(ports))
        assert seen[0] | seen[1] == set(range(1, 65))
        assert not seen[0] & seen[1]
        assert all(seen)


@pytest.mark.parametrize("mode", ["hash", "load-balance", "cpu", "rollover", "random", "queue-mapping"])
def test_every_mode_of_sharing_is_taken_by_the_kernel_and_loses_nothing(wire: Wire, mode: str) -> None:
    group = 1 + (os.getpid() + len(mode)) % 0xFFFF
    with (
        live(wire, fanout_group=group, fanout_mode=mode) as first,
        live(wire, fanout_group=group, fanout_mode=mode) as second,
    ):
        wire.send(udp_frame(A, port, B, 9, b"x") for port in range(1, 65))
        assert sorted(ports_until_quiet(first) + ports_until_quiet(second)) == list(range(1, 65))


@pytest.mark.parametrize(("promiscuous", "wanted"), [(True, "1"), (False, "0")])
def test_packets_for_others_are_asked_for_only_where_the_settings_say_so(
    wire: Wire, promiscuous: bool, wanted: str
) -> None:
    with live(wire, promiscuous=promiscuous):
        details = subprocess.run(
            ["ip", "-d", "-n", wire.namespace, "link", "show", Wire.right], check=True, capture_output=True, text=True
        ).stdout
        assert f"promiscuity {wanted}" in details


def test_time_passes_by_the_clock_while_nothing_comes(wire: Wire) -> None:
    with live(wire) as source:
        quiet(source)
        assert source.idle_until_ns is not None
        assert 0 < time.time_ns() - source.idle_until_ns < 60_000_000_000


def test_an_interface_that_goes_ends_with_words(wire: Wire) -> None:
    with live(wire) as source:
        wire.ip("link", "del", wire.left)
        with pytest.raises(SourceError, match=r"right: the interface is down or gone"):
            read_on(source)


@pytest.mark.parametrize(
    ("interface", "settings", "words"),
    [
        ("nothere", {}, "nothere: no such interface"),
        ("right", {"namespace": "nothere"}, "namespace nothere: .* cannot be opened"),
        ("right", {"timestamps": "hardware"}, "gives no hardware timestamps"),
    ],
)
def test_what_is_missing_is_said(wire: Wire, interface: str, settings: dict[str, str], words: str) -> None:
    chosen = LiveSettings(**{"namespace": wire.namespace, **settings})  # type: ignore[arg-type]
    with pytest.raises(SourceError, match=words):
        open_live(interface, settings=chosen)


def test_a_wrong_filter_is_refused_before_anything_is_read(wire: Wire) -> None:
    with pytest.raises(SettingsError, match="filter"):
        live(wire, filter_="udp prot 53")


def test_a_batch_points_into_the_ring_and_is_copied_by_nobody(wire: Wire) -> None:
    with live(wire) as source:
        wire.send([FRAMES[0]])
        while not (batch := source.next_batch()) or not batch.count:
            pass
        assert dataclasses.is_dataclass(batch)
        assert len(batch.buffer) >= 256 * 1024


DROPPING = """
from lapwing.io.capture import LiveSettings, drop_privileges, open_live
from lapwing.events import SourceError
import sys
source = open_live("lo")
drop_privileges(sys.argv[1] if len(sys.argv) > 1 else None)
source.next_batch()
try:
    open_live("lo")
except SourceError as error:
    print(error)
"""


@pytest.mark.parametrize("user", [[], ["nobody"]])
def test_after_dropping_privileges_the_open_interface_is_read_and_no_other_can_be(user: list[str], wire: Wire) -> None:
    command = ["ip", "netns", "exec", wire.namespace, sys.executable, "-c", DROPPING, *user]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "capturing needs CAP_NET_RAW" in done.stdout
