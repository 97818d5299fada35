"""LDAP."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import Side
from lapwing.events.messages.ldap import LdapBind, LdapRequest, LdapResult
from lapwing.protocols import Handover, Match
from lapwing.protocols.ldap import LDAP, MAX_MESSAGE_BYTES, LdapParser
from tests.protocols.ldap_bytes import entry, message, result, sasl_bind, search, simple_bind, start_tls
from tests.protocols.playbook import SIZES, Step, any_steps, client, cut, lost, play, server

NAME = "cn=ana,dc=example,dc=com"
TALK = [
    client(simple_bind(1, NAME, "lapwing")),
    server(result(1, 49, "invalid credentials")),
    client(sasl_bind(2, "PLAIN", b"\0ana\0lapwing")),
    server(result(2, 0)),
    client(search(3, "dc=example,dc=com")),
    server(entry(3, "cn=a") + entry(3, "cn=b", MAX_MESSAGE_BYTES) + entry(3, "cn=c") + result(3, 0, tag=0x65)),
    client(message(4, b"\x42\0")),
]
PIECES = [one.data for one in TALK if len(one.data) < 1_000] + [
    b"\x30",
    b"\x30\x84",
    b"\x16\x03",
    start_tls(5),
    b"\x30\x80",
]
BYTES = st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(PIECES), max_size=4).map(b"".join))


def test_a_talk_becomes_binds_requests_and_results() -> None:
    assert play(LdapParser(), *TALK) == [
        LdapBind(1, 3, NAME, "simple", b"lapwing"),
        LdapResult(1, "bind", 49, text="invalid credentials"),
        LdapBind(2, 3, "", "plain", b"\0ana\0lapwing"),
        LdapResult(2, "bind", 0),
        LdapRequest(3, "search", "dc=example,dc=com"),
        LdapResult(3, "search", 0, entry_count=2),
        LdapRequest(4, "unbind"),
    ]


def test_credentials_are_published_redacted() -> None:
    (bind,) = play(LdapParser(), TALK[0])
    assert isinstance(bind, LdapBind)
    assert bind.redacted().credentials == b""


def test_after_start_tls_the_stream_goes_on_as_tls() -> None:
    parser = LdapParser()
    play(parser, client(start_tls(1)), server(result(1, 0, tag=0x78) + b"\x16\x03\x03"))
    assert parser.handover == Handover("tls", b"", b"\x16\x03\x03")
    refused = LdapParser()
    play(refused, client(start_tls(1)), server(result(1, 2, tag=0x78)))
    assert not refused.done


def test_what_a_security_layer_hides_ends_the_reading_without_blame() -> None:
    parser = LdapParser()
    play(parser, client(sasl_bind(1, "GSSAPI", b"x")), server(result(1, 0)), client(b"\0\0\0\x40" + bytes(64)))
    assert parser.done
    assert parser.poisoned is None


def test_a_hole_inside_a_message_loses_that_message_only() -> None:
    wire = simple_bind(1, NAME, "lapwing")
    talk = [client(wire[:10]), lost(Side.CLIENT, 20), client(wire[30:] + simple_bind(2, NAME, "again"))]
    assert [one.message_id for one in play(LdapParser(), *talk) if isinstance(one, LdapBind)] == [2]
    hidden = [client(wire[:10]), lost(Side.CLIENT, 500), client(simple_bind(2, NAME, "again"))]
    assert play(LdapParser(), *hidden) == []


@pytest.mark.parametrize(
    "data", [b"\x30\x84\xff\xff\xff\xff", b"\x30\x05\x02\x01\x01\x04\x00", b"GET / HTTP", b"\x30\x80"]
)
def test_what_is_no_ldap_poisons(data: bytes) -> None:
    parser = LdapParser()
    play(parser, client(data + bytes(10)))
    assert parser.poisoned


@given(SIZES)
def test_any_split_gives_the_same_messages(sizes: list[int]) -> None:
    short = TALK[:5]
    assert play(LdapParser(), *cut(short, sizes)) == play(LdapParser(), *short)


@given(any_steps(BYTES))
def test_any_bytes_give_messages_within_the_bounds(steps: list[Step]) -> None:
    parser = LdapParser()
    play(parser, *steps)
    assert parser.held_bytes <= sum(len(step.data) for step in steps)


def test_what_is_held_of_messages_that_never_end_is_bounded() -> None:
    parser = LdapParser()
    for step in (client, server):
        endless = entry(3, "cn=b", MAX_MESSAGE_BYTES - 100)[:-1]
        play(parser, *(step(endless[at : at + 1_400]) for at in range(0, len(endless), 1_400)))
    assert 0 < parser.held_bytes <= 2 * (MAX_MESSAGE_BYTES + 60)


@pytest.mark.parametrize(
    ("side", "head", "match"),
    [
        (Side.CLIENT, simple_bind(1, NAME, "x"), Match.YES),
        (Side.CLIENT, simple_bind(1, NAME, "x")[:4], Match.MORE),
        (Side.CLIENT, result(1, 0), Match.NO),
        (Side.SERVER, result(1, 0), Match.YES),
        (Side.CLIENT, b"0123456789", Match.NO),
    ],
)
def test_the_first_message_tells(side: Side, head: bytes, match: Match) -> None:
    assert LDAP.probe(side, head) is match


@given(st.integers(1, 4), st.integers(1, 40))
def test_no_prefix_of_a_first_message_speaks_against_it(length_bytes: int, seen: int) -> None:
    inner = simple_bind(1, NAME, "lapwing")[2:]
    head = bytes((0x30, 0x80 | length_bytes)) + len(inner).to_bytes(length_bytes, "big") + inner
    assert LDAP.probe(Side.CLIENT, head[:seen]) is not Match.NO
