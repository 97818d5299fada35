"""QUIC: the hellos of its Initial packets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import Message, Side
from lapwing.events.messages.quic import QuicInitial, QuicRetry, QuicUnfinished, QuicUnread, QuicVersionNegotiation
from lapwing.events.messages.tls import TlsClientHello, TlsServerHello
from lapwing.protocols import Match
from lapwing.protocols.quic import QUIC, QuicParser
from lapwing.protocols.quic.crypto import MAX_PIECES
from lapwing.protocols.quic.keys import derive
from lapwing.protocols.quic.packets import VERSION_1, VERSION_2
from lapwing.protocols.quic.parser import MAX_BAD_DATAGRAMS, MAX_DATAGRAMS
from tests.protocols.quic_bytes import CLIENT_ID, SERVER_ID, crypto, initial, negotiation, retry
from tests.protocols.tls_bytes import alpn, client_hello, server_hello, server_name, vector, words

C, S = Side.CLIENT, Side.SERVER
HELLO = client_hello(server_name("www.example.com"), alpn(b"h3"), (43, vector(1, words(0x0304))), ciphers=(0x1301,))
ANSWER = server_hello((43, words(0x0304)), (51, words(29) + bytes(34)), cipher=0x1301)


def play(parser: QuicParser, *datagrams: tuple[Side, bytes]) -> list[Message]:
    found: list[Message] = []
    for side, datagram in datagrams:
        if not (parser.done or parser.poisoned):
            found += parser.parse(side, datagram, 0)
    return found if parser.done or parser.poisoned else [*found, *parser.close(0)]


def test_the_keys_are_those_of_the_standards() -> None:
    client, server = derive(VERSION_1, CLIENT_ID)  # RFC 9001, appendix A.1
    assert [one.hex() for one in client] == [
        "1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2",
    ]  # fmt: skip
    assert [one.hex() for one in server] == [
        "cf3a5331653c364c88f0f379b6067e37", "0ac1493ca1905853b0bba03e", "c206b8d9b9f0f37644430b490eeaa314",
    ]  # fmt: skip
    second, _ = derive(VERSION_2, CLIENT_ID)  # RFC 9369, appendix A.1
    assert [one.hex() for one in second] == [
        "8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9",
    ]  # fmt: skip


@pytest.mark.parametrize(("version", "name"), [(VERSION_1, "1"), (VERSION_2, "2"), (0xFF00001D, "draft-29")])
def test_both_hellos_are_read_and_then_nothing_more_is_wanted(version: int, name: str) -> None:
    parser = QuicParser()
    talk = [(C, initial(crypto(0, HELLO), version=version))]
    talk.append((S, initial(b"\2\0\0\0\0" + crypto(0, ANSWER), from_server=True, version=version)))
    begun, hello, answered, answer = play(parser, *talk)
    assert begun == QuicInitial(name, CLIENT_ID.hex(), "")
    assert isinstance(hello, TlsClientHello)
    assert (hello.server_name, hello.alpn, hello.ja4[:10]) == ("www.example.com", ["h3"], "q13d0103h3")
    assert answered == QuicInitial(name, "", SERVER_ID.hex())
    assert isinstance(answer, TlsServerHello)
    assert (answer.cipher_suite, answer.group) == ("TLS_AES_128_GCM_SHA256", "x25519")
    assert parser.done


@given(st.permutations(range(0, len(HELLO), 20)), st.integers(20, 30))
def test_a_hello_in_any_order_of_pieces_over_many_packets_is_read(order: list[int], size: int) -> None:
    talk = [(C, initial(crypto(at, HELLO[at : at + size]), number=turn)) for turn, at in enumerate(order)]
    found = [one for one in play(QuicParser(), *talk) if isinstance(one, TlsClientHello)]
    assert [one.server_name for one in found] == ["www.example.com"]


def test_after_a_retry_the_hello_is_said_again_under_new_keys() -> None:
    talk = [
        (C, initial(crypto(0, HELLO))),
        (S, retry(SERVER_ID)),
        (C, initial(crypto(0, HELLO), made_for=SERVER_ID, token=b"token")),
    ]
    kinds = [type(message) for message in play(QuicParser(), *talk)]
    assert kinds == [QuicInitial, TlsClientHello, QuicRetry, QuicInitial, TlsClientHello, QuicUnfinished]


def test_offered_versions_are_told() -> None:
    talk = [(C, initial(crypto(0, HELLO))), (S, negotiation(VERSION_2, 0x1A2A3A4A))]
    assert play(QuicParser(), *talk)[-1] == QuicVersionNegotiation(["2", "0x1a2a3a4a"])


def test_damage_and_unknown_versions_are_counted() -> None:
    good = initial(crypto(0, HELLO))
    talk = [(C, good), (C, good[:-1] + b"\0"), (C, good[:100]), (C, b"\xc0\x1a\x2a\x3a\x4a\x08" + bytes(1200))]
    assert play(QuicParser(), *talk)[-2:] == [QuicUnread("damaged", 2), QuicUnread("unknown version", 1)]


def test_what_never_opens_is_given_up() -> None:
    parser = QuicParser()
    damaged = initial(crypto(0, HELLO))[:-1] + b"\0"
    messages = play(parser, *[(C, damaged)] * (MAX_BAD_DATAGRAMS + 1))
    assert parser.poisoned
    assert messages == [QuicUnread("damaged", MAX_BAD_DATAGRAMS)]


def test_a_handshake_without_an_answer_is_left_after_a_while() -> None:
    parser = QuicParser()
    play(parser, *[(C, initial(b"\1"))] * (MAX_DATAGRAMS + 5))
    assert parser.done


BEGUN = initial(crypto(0, HELLO))
ACKNOWLEDGED = initial(b"\2\0\0\0\0", from_server=True)
REFUSED = initial(b"\2\0\0\0\0\x1c\2\0\0", from_server=True)


def waited(parser: QuicParser, *datagrams: tuple[Side, bytes], first_ns: int = 7) -> list[Message]:
    """What is told of datagrams a nanosecond apart, when the parser is woken, and at the end."""
    found = [one for at, said in enumerate(datagrams, first_ns) for one in parser.parse(*said, at)]
    if parser.next_wakeup_ns is not None:
        found += parser.tick(parser.next_wakeup_ns)
        assert parser.next_wakeup_ns is None
    return [one for one in [*found, *parser.close(99)] if isinstance(one, QuicUnfinished)]


@pytest.mark.parametrize(
    ("talk", "answered"),
    [
        ([(C, BEGUN)], False),
        ([(C, initial(b"\1"))], False),  # no hello at all in it
        ([(C, BEGUN), (C, BEGUN)], False),
        ([(C, BEGUN), (C, initial(b"\x1c\0\0\0", number=1))], False),  # the client gives up
        ([(C, BEGUN), (S, ACKNOWLEDGED)], True),
        ([(C, BEGUN), (S, retry(SERVER_ID))], True),
        ([(C, BEGUN), (S, retry(SERVER_ID)), (C, initial(crypto(0, HELLO), made_for=SERVER_ID, token=b"t"))], True),
    ],
)
def test_a_handshake_without_a_hello_of_the_server_is_told_once(talk: list[tuple[Side, bytes]], answered: bool) -> None:
    assert waited(QuicParser(), *talk) == [QuicUnfinished(7, answered)]


@pytest.mark.parametrize(
    "said",
    [
        initial(crypto(0, ANSWER), from_server=True),
        REFUSED,
        negotiation(VERSION_2),
        initial(crypto(0, ANSWER), from_server=True)[:-1] + b"\0",  # cannot be opened
        b"\xe0" + VERSION_1.to_bytes(4, "big") + bytes(2) + b"\x40\x20" + bytes(32),  # a Handshake packet
        b"\x40" + bytes(40),  # a short header
    ],
)
def test_a_handshake_that_the_server_ended_or_may_have_gone_on_with_is_not_told(said: bytes) -> None:
    parser = QuicParser()
    assert waited(parser, (C, BEGUN), (S, said)) == []
    assert parser.next_wakeup_ns is None


def test_a_client_that_begins_again_with_another_version_is_waited_for_anew() -> None:
    again = initial(crypto(0, HELLO), version=VERSION_2)
    assert waited(QuicParser(), (C, BEGUN), (S, negotiation(VERSION_2)), (C, again)) == [QuicUnfinished(9, False)]


def test_the_wait_is_as_long_as_the_parser_is_patient_from_the_first_packet_on() -> None:
    parser = QuicParser()
    parser.patience_ns = 5
    parser.parse(C, BEGUN, 100)
    parser.parse(C, BEGUN, 103)
    assert parser.next_wakeup_ns == 105
    assert parser.tick(105) == [QuicUnfinished(100, False)]
    assert [type(one) for one in parser.parse(S, initial(crypto(0, ANSWER), from_server=True), 200)] == [
        QuicInitial,
        TlsServerHello,
    ]
    assert parser.done


@pytest.mark.parametrize(
    "payload",
    [
        crypto(100_000, b"far"),
        b"\x1e" + bytes(20),
        b"\6" + b"\xff" * 8,
        b"".join(crypto(2 + 2 * at, b"x") for at in range(MAX_PIECES + 1)),
    ],
)
def test_handshake_bytes_beyond_the_bounds_count_as_damage(payload: bytes) -> None:
    assert QuicUnread("damaged", 1) in play(QuicParser(), (C, initial(payload)))


@given(st.lists(st.tuples(st.sampled_from(Side), st.binary(max_size=60)), max_size=12))
def test_any_payload_gives_messages_and_never_an_exception(payloads: list[tuple[Side, bytes]]) -> None:
    play(QuicParser(), *[(side, initial(data, from_server=side is S)) for side, data in payloads])


@given(st.lists(st.tuples(st.sampled_from(Side), st.binary(max_size=80)), max_size=12))
def test_any_datagram_gives_messages_and_never_an_exception(datagrams: list[tuple[Side, bytes]]) -> None:
    parser = QuicParser()
    play(parser, *[(side, b"\xc3\0\0\0\1" + data) for side, data in datagrams])


def test_only_long_headers_of_likely_versions_are_taken_for_quic() -> None:
    good = initial(crypto(0, HELLO))
    assert QUIC.probe(C, good) is Match.YES
    assert QUIC.probe(C, b"\x40" + good[1:]) is Match.NO
    assert QUIC.probe(C, good[:600]) is Match.NO
    assert QUIC.probe(C, good[:1] + b"GET " + good[5:]) is Match.NO
    assert QUIC.probe(S, good[:600]) is Match.YES
