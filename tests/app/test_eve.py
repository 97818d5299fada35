"""EVE lines of protocol messages: EVE's names, and nothing of the message is lost."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

import lapwing
from lapwing.app.eve import eve
from lapwing.demo import capture_path
from lapwing.events import Message, SessionMessaged, Side, Transport
from lapwing.events.messages import DnsQuery, DnsQuestion, DnsRecord, DnsResponse
from lapwing.events.messages.dhcp import DhcpPacket
from lapwing.events.messages.quic import QuicInitial

RECORDED = Path(__file__).parents[1] / "logins" / "recorded"
CAPTURES = {path.stem: path for path in sorted(RECORDED.glob("*.pcap"))} | {"demo": capture_path()}
MAX_LINES = 2_000  # of one capture
ASKED = [DnsQuestion("www.example.com", "A")]
ANSWERS = [DnsRecord("www.example.com", "A", 300, "198.51.100.80")]


def messaged(protocol: str, side: Side, message: Message) -> SessionMessaged:
    return SessionMessaged(
        1_000_000_000,
        7,
        "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
        Transport.UDP,
        "192.0.2.7",
        40_000,
        "198.51.100.53",
        53,
        protocol,
        side,
        message,
    )


@cache
def lines(capture: str) -> list[tuple[SessionMessaged, dict[str, Any]]]:
    events = (
        event for event in lapwing.read(CAPTURES[capture], events=["session"]) if isinstance(event, SessionMessaged)
    )
    return [(event, eve(event)) for event, _ in zip(events, range(2_000), strict=False)]


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)


@pytest.mark.parametrize("capture", CAPTURES)
def test_nothing_of_a_message_is_lost(capture: str) -> None:
    for event, line in lines(capture):
        text = "\n".join(strings(line)).replace("TLS 1", "TLSv1").lower()
        said = strings(msgspec.to_builtins(event.message))
        assert [part for one in said for part in one.lower().split() if part not in text] == []


@pytest.mark.parametrize("capture", CAPTURES)
def test_lines_are_told_by_protocol_and_direction(capture: str) -> None:
    for event, line in lines(capture):
        assert line["event_type"] == line["app_proto"] == event.protocol
        assert line["direction"] == ("to_server" if event.side is Side.CLIENT else "to_client")
        assert line["lapwing"]["message"]["kind"].partition(".")[0] in (event.protocol, "tls")
        json.dumps(line)


def objects(capture: str, protocol: str) -> list[dict[str, Any]]:
    return [line[protocol] for _, line in lines(capture) if protocol in line]


def test_http_lines_name_request_and_answer() -> None:
    asked = next(one for one in objects("demo", "http") if one.get("http_method") == "POST" and "status" not in one)
    assert asked["url"].startswith("/")
    assert asked["hostname"] == "shop.example.com"
    assert asked["protocol"] == "HTTP/1.1"
    assert "http_user_agent" in asked
    answered = next(one for one in objects("demo", "http") if "status" in one)
    assert answered["http_method"] in ("GET", "POST")
    assert answered["length"] >= 0


def test_tls_lines_carry_both_fingerprints() -> None:
    hello = next(one for one in objects("imap", "tls") if "ja3" in one)
    assert hello["ja4"].startswith("t13")
    assert len(hello["ja3"]["hash"]) == 32
    assert hello["version"] == "TLS 1.3"
    assert any("ja3s" in one for one in objects("imap", "tls"))


def test_ssh_lines_name_software_and_hassh_by_side() -> None:
    found = objects("ssh", "ssh")
    assert found[0]["client"]["proto_version"] == "2.0"
    assert found[0]["client"]["software_version"].startswith("OpenSSH_9.2p1")
    assert any("hassh" in one.get("server", {}) for one in found)


def test_lines_of_logins_in_clear_hold_codes_and_no_secret() -> None:
    assert {"command": "PASS", "command_data": "[redacted]"} in objects("ftp", "ftp")
    assert {"completion_code": ["530"], "reply": ["Login incorrect."]} in objects("ftp", "ftp")
    codes = {tuple(one["completion_code"]) for one in objects("smtp", "smtp") if "completion_code" in one}
    assert {("235",), ("535",)} <= codes
    results = [one["responses"][0] for one in objects("ldap", "ldap") if "responses" in one]
    assert {one["bind_response"]["result_code"] for one in results if "bind_response" in one} == {0, 14, 49, 53}
    assert {"request": {"command": "PASS", "args": ["[redacted]"]}} in objects("pop3", "pop3")


def test_dns_lines_name_question_and_answers() -> None:
    query = eve(messaged("dns", Side.CLIENT, DnsQuery(11, 0, ASKED, recursion_desired=True)))
    assert query["dns"] == {
        "type": "query",
        "id": 11,
        "rrname": "www.example.com",
        "rrtype": "A",
        "opcode": 0,
        "rd": True,
    }
    answer = eve(messaged("dns", Side.SERVER, DnsResponse(11, 0, 3, ASKED, ANSWERS)))["dns"]
    assert (answer["type"], answer["rcode"]) == ("answer", "NXDOMAIN")
    assert answer["answers"] == [{"rrname": "www.example.com", "rrtype": "A", "ttl": 300, "rdata": "198.51.100.80"}]


def test_dhcp_and_quic_lines() -> None:
    offer = DhcpPacket("offer", 5, "02:00:00:00:00:07", assigned_ip="192.0.2.9", lease_s=3_600)
    line = eve(messaged("dhcp", Side.SERVER, offer))["dhcp"]
    assert (line["type"], line["dhcp_type"], line["lease_time"]) == ("reply", "offer", 3_600)
    line = eve(messaged("quic", Side.CLIENT, QuicInitial("1", "aa", "bb")))
    assert line["quic"] == {"version": "1"}
    assert line["lapwing"]["message"]["destination_id"] == "aa"


def test_what_eve_has_no_name_for_stands_below_lapwing() -> None:
    line = next(line for _, line in lines("imap") if line["app_proto"] == "imap")
    assert "imap" not in line
    assert line["lapwing"]["message"]["kind"] == "imap.response"
