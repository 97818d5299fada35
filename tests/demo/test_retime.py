"""Moving whole visits on the clock changes packet times and nothing else."""

from __future__ import annotations

import struct
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.record_demo.retime import Packet, Window, moved, read, write

SERVER, CLIENT, OTHER = "192.0.2.10", "198.51.100.7", "2001:db8:20::7"
SERVERS = frozenset({SERVER, "2001:db8:10::10"})


def frame(source: str, source_port: int, destination: str, destination_port: int, payload: bytes = b"") -> bytes:
    tcp = struct.pack(">HHIIBBHHH", source_port, destination_port, 0, 0, 0x50, 0x18, 0, 0, 0) + payload
    ends = ip_address(source).packed + ip_address(destination).packed
    if ip_address(source).version == 4:
        header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0)
        return bytes(12) + b"\x08\x00" + header + ends + tcp
    return bytes(12) + b"\x86\xdd" + struct.pack(">IHBB", 6 << 28, len(tcp), 6, 64) + ends + tcp


def connection(port: int, *times_ns: int, client: str = CLIENT) -> list[Packet]:
    """A connection whose packets go to and fro at these times."""
    server = SERVER if ip_address(client).version == 4 else "2001:db8:10::10"
    ends = ((client, port, server, 80), (server, 80, client, port))
    return [Packet(ts_ns, frame(*ends[number % 2], b"%d" % ts_ns)) for number, ts_ns in enumerate(times_ns)]


def test_a_connection_moves_with_the_visit_during_which_it_opened() -> None:
    windows = [Window(CLIENT, 100, 5000), Window(CLIENT, 200, 9000)]
    first, second = connection(40000, 110, 150, 230), connection(40001, 205, 220)
    times = [packet.ts_ns for packet in moved([*first, *second], windows, SERVERS)]
    assert times == [5010, 5050, 5130, 9005, 9020]


def test_visits_of_different_clients_move_independently() -> None:
    windows = [Window(CLIENT, 100, 9000), Window(OTHER, 100, 5000)]
    packets = [*connection(40000, 110), *connection(40000, 120, client=OTHER)]
    assert [packet.ts_ns for packet in moved(packets, windows, SERVERS)] == [5020, 9010]


def test_a_connection_outside_every_visit_is_refused() -> None:
    with pytest.raises(ValueError, match="before its first visit"):
        moved(connection(40000, 50), [Window(CLIENT, 100, 5000)], SERVERS)


@given(
    gaps=st.lists(st.lists(st.integers(0, 10**9), min_size=1, max_size=6), min_size=1, max_size=5),
    targets=st.lists(st.integers(0, 10**15), min_size=5, max_size=5),
)
def test_bytes_and_inner_gaps_stay_as_recorded(gaps: list[list[int]], targets: list[int]) -> None:
    windows, recorded, start = [], [], 10**12
    for number, steps in enumerate(gaps):
        times = [start + sum(steps[: at + 1]) for at in range(len(steps))]
        windows.append(Window(CLIENT, start, targets[number]))
        recorded.append(connection(40000 + number, *times))
        start = times[-1] + 1
    placed = moved([packet for packets in recorded for packet in packets], windows, SERVERS)
    assert [p.ts_ns for p in placed] == sorted(p.ts_ns for p in placed)
    assert sorted(p.frame for p in placed) == sorted(p.frame for packets in recorded for p in packets)
    new_time = {packet.frame: packet.ts_ns for packet in placed}
    for packets in recorded:
        shifts = {new_time[packet.frame] - packet.ts_ns for packet in packets}
        assert len(shifts) == 1


@given(st.lists(st.tuples(st.integers(0, 2**32 * 10**9 - 1), st.binary(max_size=80)), max_size=8))
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, bytes]]) -> None:
    path: Path = tmp_path_factory.mktemp("retime") / "day.pcap"
    packets = [Packet(ts_ns, data) for ts_ns, data in rows]
    write(path, packets)
    assert list(read(path)) == packets


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "micro.pcap"
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    with pytest.raises(ValueError, match="not a nanosecond capture"):
        list(read(path))
