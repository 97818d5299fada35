"""A capture with every protocol, as somebody new to the program meets it: `lapwing sessions` tells of each."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import pytest

from lapwing.events import Message
from lapwing.protocols.quic.packets import VERSION_1, VERSION_2
from lapwing.testing import START_NS, TcpConversation, TimedFrame, ethernet, ip, pcap, udp, udp_frame
from tests.app.conftest import Lapwing
from tests.protocols import quic_bytes as quic
from tests.protocols import ssh_bytes as ssh
from tests.protocols import (
    test_dhcp,
    test_dns_tcp,
    test_ftp,
    test_http,
    test_imap,
    test_ldap,
    test_ntp,
    test_pop3,
    test_quic,
    test_smtp,
    test_tls,
    test_websocket,
)
from tests.protocols.playbook import Step, client, server
from tests.protocols.tls_bytes import client_hello, record, server_name
from tests.sessions.test_handover import ANSWER, BEGINNINGS, HELLO

SECOND = 1_000_000_000
HOST, SERVER, ROUTER = "192.0.2.10", "198.51.100.20", "203.0.113.9"
KINDS = {one.__struct_config__.tag for one in get_args(Message)}
ASKED = b"\0\7\1\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1"
UPGRADE = [
    client(b"GET /chat HTTP/1.1\r\nHost: www.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
    server(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
]
STREAMS: dict[str, tuple[int, list[Step]]] = {
    "http": (80, test_http.TALK),
    "ftp": (21, test_ftp.TALK),
    "smtp": (25, test_smtp.TALK),
    "pop3": (110, test_pop3.TALK),
    "imap": (143, test_imap.TALK),
    "ldap": (389, test_ldap.TALK),
    "dns": (53, test_dns_tcp.TALK),
    "websocket": (8080, [*UPGRADE, *test_websocket.TALK]),
    "tls 1.2": (443, test_tls.TALK_12),
    "tls 1.3": (443, test_tls.TALK_13),
    "tls ech": (443, [client(record(22, client_hello(server_name("outer.example.com"), (0xFE0D, bytes(20))))),
                      server(b"\x15\3\3\0\2\2\x28")]),
    "ssh": (22, [*ssh.session(ssh.CHACHA, (ssh.NONE,), (ssh.FAILURE,), *[(ssh.password(8),), (ssh.FAILURE,)] * 2),
                 client(ssh.sealed(ssh.CHACHA, ssh.password(8)))]),
    **{
        f"{name} over to tls": (number, [(server if side else client)(data) for side, data in steps] +
                                [client(HELLO), server(ANSWER)])
        for number, (name, steps) in zip((2525, 2121, 1110, 1143, 1389), BEGINNINGS.items(), strict=True)
    },
}  # fmt: skip


def stream(number: int, port: int, steps: Iterable[Step]) -> list[TimedFrame]:
    talk = TcpConversation(HOST, SERVER, client_port=40_000 + number, server_port=port, start_ns=START_NS + number)
    talk.handshake()
    for step in steps:
        (talk.client if step.side == "client" else talk.server)(step.data)
    return talk.close().frames


def datagrams() -> Iterable[tuple[int, int, bytes, bool]]:
    """Client port, server port, bytes, and whether the server sends them."""
    hello, cut = test_quic.HELLO, 60
    for port, version in ((50_001, VERSION_1), (50_002, VERSION_2)):
        yield port, 443, quic.initial(quic.crypto(cut, hello[cut:]), version=version, number=1), False
        yield port, 443, quic.initial(quic.crypto(0, hello[:cut]), version=version), False
        yield port, 443, quic.initial(quic.crypto(0, test_quic.ANSWER), from_server=True, version=version), True
    yield 50_003, 443, quic.initial(quic.crypto(0, hello)), False
    yield 50_003, 443, quic.retry(quic.SERVER_ID), True
    yield 50_004, 443, quic.initial(quic.crypto(0, hello)), False
    yield 50_004, 443, quic.initial(quic.crypto(0, hello))[:-1] + b"\0", False
    yield 50_004, 443, quic.negotiation(VERSION_2), True
    yield 68, 67, test_dhcp.REQUEST, False
    yield 68, 67, test_dhcp.ACK, True
    yield 50_005, 123, test_ntp.ASKED, False
    yield 50_005, 123, test_ntp.ANSWER, True
    yield 50_006, 123, b"\x17\0\3\x2a" + bytes(4), False
    yield 50_007, 53, ASKED, False


def frames() -> list[TimedFrame]:
    found = [frame for number, (port, steps) in enumerate(STREAMS.values()) for frame in stream(number, port, steps)]
    for number, (port, other, data, back) in enumerate(datagrams()):
        ends = (SERVER, other, HOST, port) if back else (HOST, port, SERVER, other)
        found.append(TimedFrame(START_NS + number, udp_frame(*ends, data)))
    unreachable = bytes([3, 3, 0, 0]) + bytes(4) + ip(HOST, SERVER, 17, udp(50_007, 53, ASKED))
    found.append(TimedFrame(START_NS + SECOND, ethernet(ip(ROUTER, HOST, 1, unreachable))))
    asleep = stream(90, 22, ssh.session(ssh.CHACHA, (ssh.NONE,), (ssh.FAILURE,), (ssh.password(8),)))[:-3]
    later = udp_frame(ROUTER, 1, SERVER, 1, b"\xff\xff\xff\xff")
    return [*sorted([*found, *asleep], key=lambda one: one.ts_ns), TimedFrame(START_NS + 60 * SECOND, later)]


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("capture") / "everything.pcap"
    path.write_bytes(pcap(frames(), nanoseconds=True))
    return path


@pytest.fixture
def lines(lapwing: Lapwing, capture: Path) -> list[dict[str, Any]]:
    done = lapwing("sessions", capture, "-o", "ndjson")
    assert (done.code, done.err) == (0, "")
    return [json.loads(line) for line in done.out.splitlines()]


def messages(lines: Iterable[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [line["message"] for line in lines if "message" in line and line["message"]["kind"] == kind]


def test_every_kind_of_message_is_told(lines: list[dict[str, Any]]) -> None:
    assert {line["message"]["kind"] for line in lines if "message" in line} == KINDS
    assert [line for line in lines if line.get("reason") == "poisoned"] == []


def test_every_session_that_begins_ends(lines: list[dict[str, Any]]) -> None:
    begun = [(line["flow_id"], line["protocol"]) for line in lines if line["event_type"] == "session.identified"]
    ended = [(line["flow_id"], line["protocol"]) for line in lines if line["event_type"] == "session.ended"]
    assert sorted(begun) == sorted(ended)
    assert len(begun) == len(set(begun))


def test_hellos_of_tls_and_quic_have_their_names_and_fingerprints(lines: list[dict[str, Any]]) -> None:
    hellos = messages(lines, "tls.client_hello")
    assert len([one for one in hellos if one["ja4"].startswith("q13d") and one["alpn"] == ["h3"]]) == 4
    assert [one["server_name"] for one in hellos if one.get("ech")] == ["outer.example.com"]
    assert all(len(one["ja3"]) == 32 for one in hellos)
    assert all(len(one["ja3s"]) == 32 for one in messages(lines, "tls.server_hello"))
    assert {one["version"] for one in messages(lines, "quic.initial")} == {"1", "2"}
    assert [one["description"] for one in messages(lines, "tls.alert")] == ["handshake_failure"]
    (chain,) = messages(lines, "tls.certificates")
    assert chain["certificates"][0]["alternative_names"] == ["www.example.com", "192.0.2.1"]


def test_queries_are_paired_over_tcp_and_the_unanswered_named(lines: list[dict[str, Any]]) -> None:
    answers = [line for line in lines if line.get("message", {}).get("kind") == "dns.response"]
    assert [line["transport"] for line in answers] == ["tcp", "tcp"]
    assert all(line["message"]["rtt_ns"] > 0 for line in answers)
    assert [one["name"] for one in messages(lines, "dns.unanswered")] == ["www.example.com"]


def test_what_goes_over_to_tls_is_read_on_as_tls(lines: list[dict[str, Any]]) -> None:
    over = {
        line["flow_id"]: line["evidence"]
        for line in lines
        if line["event_type"] == "session.identified" and line["protocol"] == "tls" and line["server_port"] != 443
    }
    assert list(over.values()) == ["handover"] * len(BEGINNINGS)
    before = {line["protocol"] for line in lines if line.get("flow_id") in over} - {"tls"}
    assert before == set(BEGINNINGS)


def test_an_error_of_the_network_names_the_flow_it_is_about(lines: list[dict[str, Any]]) -> None:
    (error,) = messages(lines, "icmp.error")
    assert (error["reason"], error["source_port"], error["destination_port"]) == ("port-unreachable", 50_007, 53)
    asked = [
        line for line in lines if line.get("message", {}).get("kind") == "dns.query" and line["transport"] == "udp"
    ]
    assert error["about_flow_id"] == asked[0]["flow_id"]


def test_each_protocol_can_be_asked_for_alone(lapwing: Lapwing, capture: Path) -> None:
    for protocol in sorted({kind.partition(".")[0] for kind in KINDS}):
        told = lapwing("sessions", capture, "--protocol", protocol, "-o", "ndjson").out.splitlines()
        assert {json.loads(line)["protocol"] for line in told} == {protocol}


@pytest.mark.parametrize("shape", ["table", "csv", "json", "eve"])
def test_every_shape_tells_every_message(
    shape: str, lapwing: Lapwing, capture: Path, lines: list[dict[str, Any]]
) -> None:
    done = lapwing("sessions", capture, "-o", shape)
    assert (done.code, done.err) == (0, "")
    rows = len(json.loads(done.out)) if shape == "json" else len(done.out.splitlines()) - (shape == "csv")
    assert rows == (sum("message" in line for line in lines) if shape == "table" else len(lines))
    assert "hunter2" not in done.out


def test_csv_has_the_kind_of_a_message_and_what_it_says(
    lapwing: Lapwing, capture: Path, lines: list[dict[str, Any]]
) -> None:
    rows = csv.DictReader(lapwing("sessions", capture, "-o", "csv").out.splitlines())
    said = [{"kind": row["kind"], **json.loads(row["message"])} for row in rows if row["kind"]]
    assert said == [line["message"] for line in lines if "message" in line]
