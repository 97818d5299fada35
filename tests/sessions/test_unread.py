"""What a reading could not look into is counted."""

from pathlib import Path

import pytest

import lapwing
from lapwing.events import AnomalySeen
from lapwing.protocols import DatagramTally
from lapwing.protocols.dns import DNS
from lapwing.testing import START_NS, TcpConversation, TimedFrame, interleave, pcap, udp_frame

CLIENT_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)


def counters(folder: Path, *talks: TcpConversation) -> dict[str, int]:
    path = folder / "capture.pcap"
    path.write_bytes(pcap(interleave(*talks)))
    with lapwing.read(path, events=[]) as reading:
        list(reading)
        return reading.statistics()


def test_tls_is_counted_as_encrypted_and_other_unknown_bytes_are_not(tmp_path: Path) -> None:
    tls = TcpConversation(server_port=443).handshake().client(CLIENT_HELLO).server(CLIENT_HELLO).close()
    other = (
        TcpConversation(client_port=4001, server_port=9999).handshake().client(bytes(300)).server(bytes(300)).close()
    )
    assert counters(tmp_path, tls, other)["sessions.encrypted"] == 1


def test_bytes_missing_inside_a_session_are_counted(tmp_path: Path) -> None:
    talk = TcpConversation(server_port=21).handshake().server(b"220 ready\r\n").client(b"USER a\r\n")
    talk.skip(server=100).server(b"331 password\r\n").client(b"PASS b\r\n").server(b"530 no\r\n").close()
    assert counters(tmp_path, talk)["sessions.gap_bytes"] == 100


def test_dns_messages_are_counted_whether_or_not_anybody_looks_at_them(tmp_path: Path) -> None:
    asked = b"\0\1\1\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1"
    answered = asked[:2] + b"\x81\x80" + asked[4:]
    ways = ((4_001, 53, asked), (53, 4_001, answered), (4_002, 53, asked), (4_003, 53, asked))
    hosts = {53: "198.51.100.53"}
    broken = [(4_003, 53, asked[:-4])] * 9
    frames = [
        TimedFrame(START_NS + at, udp_frame(hosts.get(a, "192.0.2.1"), a, hosts.get(b, "192.0.2.1"), b, data))
        for at, (a, b, data) in enumerate([*ways, *broken])
    ]
    path = tmp_path / "capture.pcap"
    path.write_bytes(pcap(frames, nanoseconds=True))
    seen = []
    for families in ((), ("session",)):
        with lapwing.read(path, events=families) as reading:
            list(reading)
            seen.append({name: n for name, n in reading.statistics().items() if name.startswith("sessions.")})
    assert seen[0] == seen[1]
    assert seen[0]["sessions.messages"] == 5  # two queries without an answer, one of them said so
    assert seen[0]["sessions.parsers_ended"] == 3


def test_a_tally_that_raises_costs_its_own_flow_and_is_reported_as_the_parser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(DatagramTally):
        def parse(self, datagram: bytes, now_ns: int) -> int:
            raise ZeroDivisionError("a bug")

        def close(self) -> int:
            raise AssertionError("it has ended")

    broken = DNS._replace(tally=lambda client_port, server_port: Broken())
    monkeypatch.setattr("lapwing.sessions.driver.DATAGRAM_PROTOCOLS", (broken,))
    asked = b"\0\1\1\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1"
    frame = udp_frame("192.0.2.1", 4_000, "198.51.100.53", 53, asked)
    path = tmp_path / "capture.pcap"
    path.write_bytes(pcap([TimedFrame(START_NS + at, frame) for at in range(2)], nanoseconds=True))
    with lapwing.read(path, events=["anomaly"]) as reading:
        assert [str(event.detail).partition(" in ")[0] for event in reading if isinstance(event, AnomalySeen)] == [
            "dns parser: ZeroDivisionError"
        ]
        counters = reading.statistics()
    assert counters["sessions.parser_faults"] == 1
    assert counters["sessions.parsers_created"] == counters["sessions.parsers_ended"] == 1


def test_the_plainest_tally_counts_every_datagram_as_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = DNS._replace(tally=lambda client_port, server_port: DatagramTally())
    monkeypatch.setattr("lapwing.sessions.driver.DATAGRAM_PROTOCOLS", (plain,))
    asked = b"\0\1\1\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1"
    frame = udp_frame("192.0.2.1", 4_000, "198.51.100.53", 53, asked)
    path = tmp_path / "capture.pcap"
    path.write_bytes(pcap([TimedFrame(START_NS + at, frame) for at in range(3)], nanoseconds=True))
    with lapwing.read(path, events=["anomaly"]) as reading:
        list(reading)
        counters = reading.statistics()
    assert counters["sessions.messages"] == 3
    assert counters["sessions.parsers_created"] == counters["sessions.parsers_ended"] == 1
