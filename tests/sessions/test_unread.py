"""What a reading could not look into is counted."""

from pathlib import Path

import lapwing
from lapwing.testing import TcpConversation, interleave, pcap

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
