"""Interactions as interactsh's JSON, timestamps, addresses of collectors."""

import json
from typing import Any

import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.callbacks.interaction import (
    Attribution,
    DnsInteraction,
    FtpInteraction,
    HttpInteraction,
    Interaction,
    LdapInteraction,
    Peer,
    Placement,
    RawKeeper,
    SmtpInteraction,
    Transcript,
    Turn,
    protocol_of,
)
from lapwing.callbacks.interactsh import V1_3_0, from_object, normalise_server, refused_address, to_object
from lapwing.callbacks.interactsh.dump import dns_text
from lapwing.callbacks.interactsh.objects import MAX_OBJECT_BYTES, MAX_PAYLOAD_BYTES
from lapwing.callbacks.interactsh.timestamps import read_timestamp, write_timestamp
from lapwing.events import SettingsError, Side, WireError

UNIQUE_ID = "c6rj61aciaeutn2ae680cg5ugboyyyyyn"
FOUND = Attribution(UNIQUE_ID[:20], UNIQUE_ID[20:], f"www.{UNIQUE_ID.upper()}", Placement.DNS_NAME)
TS_NS = 1_773_100_800_123_456_789
V4, V6 = Peer("203.0.113.7", 4000), Peer("2001:db8::7", 4000)
QUERY = dns.message.make_query(f"www.{UNIQUE_ID}.example.com", "A", id=7).to_wire()


def shown(interaction: Interaction) -> dict[str, str]:
    result = json.loads(to_object(interaction))
    assert isinstance(result, dict)
    return result


def common(**more: Any) -> dict[str, Any]:
    return {"ts_ns": TS_NS, "peer": V4, "attribution": FOUND, **more}


def test_fields_are_interactshs_in_its_order() -> None:
    made = shown(DnsInteraction(**common(query_type="A", raw_request=QUERY, name="x")))
    assert list(made) == [
        "protocol",
        "unique-id",
        "full-id",
        "remote-address",
        "timestamp",
        "q-type",
        "raw-request",
    ]
    assert made["unique-id"] == UNIQUE_ID
    assert made["full-id"] == f"www.{UNIQUE_ID.upper()}"
    assert made["timestamp"] == "2026-03-10T00:00:00.123456789Z"
    assert made["remote-address"] == "203.0.113.7"
    assert f";www.{UNIQUE_ID}.example.com.\tIN\t A\n" in made["raw-request"]
    assert "status: NOERROR, id: 7" in made["raw-request"]


@pytest.mark.parametrize(
    ("interaction", "expected"),
    [
        (DnsInteraction(**common(query_type="HTTPS")), {"protocol": "dns"}),
        (HttpInteraction(**common(raw_request=b"GET", raw_response=b"<")), {"protocol": "http", "raw-response": "<"}),
        (
            SmtpInteraction(**common(mail_from="a@b", raw_request=b"hi")),
            {"protocol": "smtp", "smtp-from": "a@b", "raw-request": "hi"},
        ),
        (
            LdapInteraction(**common(peer=V6, operation="search", name="cn=x", search_filter="(a=*)")),
            {"raw-request": "Type=Search\nBaseDn=cn=x\nFilter=(a=*)", "remote-address": "[2001:db8::7]:4000"},
        ),
        (
            FtpInteraction(**common(turns=(Turn(Side.CLIENT, b"HI\r\n"), Turn(Side.SERVER, b"500\r\n")))),
            {"raw-request": "HI\r\n500\r\n", "remote-address": "203.0.113.7:4000"},
        ),
    ],
)
def test_each_protocol_shows_what_interactsh_shows(interaction: Interaction, expected: dict[str, str]) -> None:
    made = shown(interaction)
    assert {name: made[name] for name in expected} == expected
    assert "q-type" not in made


def test_text_is_escaped_as_go_does_it() -> None:
    made = to_object(HttpInteraction(**common(raw_request=b"<a href='?b&c'>\xff")))
    assert b"\\u003ca href='?b\\u0026c'\\u003e\xef\xbf\xbd" in made
    assert json.loads(made)["raw-request"] == "<a href='?b&c'>\ufffd"
    assert to_object(HttpInteraction(**common()), V1_3_0).endswith(b"}\n")


@given(
    st.sampled_from([DnsInteraction, HttpInteraction, SmtpInteraction, LdapInteraction, FtpInteraction]),
    st.integers(0, 4_000_000_000 * 10**9),
    st.sampled_from([V4, V6]),
    st.text(max_size=50),
)
def test_what_was_written_reads_back(kind: type[Interaction], ts_ns: int, peer: Peer, raw: str) -> None:
    text = raw.encode("utf-8", "replace")
    made = kind(ts_ns=ts_ns, peer=peer, attribution=FOUND, raw_request=text)
    found = from_object(to_object(made), now_ns=0)
    assert (protocol_of(found), found.ts_ns, found.unique_id) == (protocol_of(made), ts_ns, UNIQUE_ID)
    assert found.peer.client_ip == peer.client_ip
    assert found.peer.client_port == (peer.client_port if kind in (LdapInteraction, FtpInteraction) else None)
    if kind in (HttpInteraction, SmtpInteraction):
        assert found.raw_request == text


@given(
    st.binary(max_size=100)
    | st.dictionaries(st.text(max_size=12), st.none() | st.text() | st.integers()).map(
        lambda d: json.dumps({"protocol": "dns", **d}).encode()
    )
)
def test_any_object_is_an_interaction_or_refused(text: bytes) -> None:
    try:
        found = from_object(text, now_ns=0)
    except WireError:
        return
    assert isinstance(found, Interaction)


def test_long_payloads_are_cut_between_characters_and_counted() -> None:
    made = json.dumps({"protocol": "http", "unique-id": UNIQUE_ID, "raw-request": "é" * MAX_PAYLOAD_BYTES})
    found = from_object(made.encode(), now_ns=0)
    assert len(found.raw_request) == MAX_PAYLOAD_BYTES
    assert found.request_bytes == 2 * MAX_PAYLOAD_BYTES
    assert found.truncated
    odd = json.dumps({"protocol": "http", "unique-id": UNIQUE_ID, "raw-request": "x" + "é" * MAX_PAYLOAD_BYTES})
    assert len(from_object(odd.encode(), now_ns=0).raw_request) == MAX_PAYLOAD_BYTES - 1
    with pytest.raises(WireError, match="at most"):
        from_object(b" " * (MAX_OBJECT_BYTES + 1), now_ns=0)


@pytest.mark.parametrize(
    ("text", "ts_ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("2026-03-10T02:00:00.5+02:00", 1_773_100_800_500_000_000),
        ("2026-03-09T18:30:00-05:30", 1_773_100_800_000_000_000),
        ("1969-12-31T23:59:59.9Z", -100_000_000),
    ],
)
def test_timestamps_keep_nanoseconds_and_read_any_offset(text: str, ts_ns: int) -> None:
    assert read_timestamp(text) == ts_ns


@given(st.integers(-(10**18), 10**19))
def test_timestamps_read_back(ts_ns: int) -> None:
    assert read_timestamp(write_timestamp(ts_ns)) == ts_ns


@pytest.mark.parametrize("text", ["", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00+99:00", "x"])
def test_what_is_no_timestamp_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        read_timestamp(text)
    with pytest.raises(WireError):
        write_timestamp(10**30)


def test_a_query_that_cannot_be_read_is_shown_in_hex() -> None:
    assert dns_text(b"\x01\x02") == ";; malformed: 0102\n"
    assert dns_text(b"") == ""
    reply = dns.message.make_response(dns.message.from_wire(QUERY))
    reply.answer.append(dns.rrset.from_text("x.example.com.", 1, "IN", "A", "192.0.2.1"))
    assert "x.example.com.\t1\tIN\tA\t192.0.2.1\n" in dns_text(reply.to_wire())


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("oast.example.com", "https://oast.example.com"),
        (" http://u:p@OAST.example.com.:8443/x?y ", "https://oast.example.com:8443"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("http://192.0.2.1:8080", "https://192.0.2.1:8080"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
    ],
)
def test_a_collectors_address_has_one_form(text: str, server: str) -> None:
    assert normalise_server(text) == server


@pytest.mark.parametrize(
    "text", ["", "localhost", "ftp://x.example.com", "a.b\r\nX: y", "x.example.com:port", "ä.example"]
)
def test_what_is_no_collectors_address_is_refused_with_advice(text: str) -> None:
    with pytest.raises(SettingsError, match=r"callbacks\.server"):
        normalise_server(text)


@pytest.mark.parametrize(
    ("address", "refused"),
    [
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("169.254.169.254", True),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("::ffff:10.0.0.1", True),
        ("2002:0a00:0001::1", True),
        ("64:ff9b::7f00:1", True),
        ("2001:0:4136:e378:8000:63bf:f5ff:fffe", True),
        ("224.0.0.1", True),
        ("not an address", True),
        ("8.8.8.8", False),
        ("2606:4700::1111", False),
        ("64:ff9b::808:808", False),
    ],
)
def test_private_addresses_are_not_contacted_however_they_are_written(address: str, refused: bool) -> None:
    assert refused_address(address) is refused


def test_own_collectors_can_be_allowed() -> None:
    assert not refused_address("10.1.2.3", ["10.1.0.0/16"])
    assert refused_address("10.2.2.3", ["10.1.0.0/16"])


def test_what_is_kept_is_bounded_and_counted() -> None:
    keeper = RawKeeper(4)
    keeper.add(b"abc")
    keeper.add(b"def")
    assert (keeper.value(), keeper.total_bytes, len(keeper)) == (b"abcd", 6, 4)
    assert keeper.take() == (b"abcd", 6)
    assert keeper.take() == (b"", 0)
    kept = Transcript(10)
    for _ in range(2000):
        kept.add(Side.CLIENT, b"c")
        kept.add(Side.SERVER, b"s")
    assert (kept.kept_bytes, kept.client_bytes, len(kept.turns())) == (10, 2000, 10)
    many = Transcript()
    for _ in range(2000):
        many.add(Side.CLIENT, b"c")
        many.add(Side.SERVER, b"s")
    assert len(many.turns()) == 512
