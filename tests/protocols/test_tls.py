"""TLS until it is encrypted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import Side
from lapwing.events.messages.tls import (
    TlsAlert,
    TlsCertificate,
    TlsCertificates,
    TlsClientHello,
    TlsEstablished,
    TlsServerHello,
)
from lapwing.protocols import Match
from lapwing.protocols.tls import TLS, TlsParser
from lapwing.protocols.tls.certificates import MAX_CERTIFICATES, read_certificate
from lapwing.protocols.tls.parser import MAX_HISTORY_LETTERS
from lapwing.protocols.tls.records import MAX_HANDSHAKE_BYTES, MAX_RECORD_BYTES
from tests.protocols.playbook import SIZES, Step, any_steps, client, cut, lost, play, server
from tests.protocols.tls_bytes import (
    APPLICATION,
    CHANGE_CIPHER,
    ENCRYPTED,
    alpn,
    certificate,
    certificates,
    client_hello,
    handshake,
    record,
    server_hello,
    server_name,
    vector,
    words,
)

CERTIFICATE = certificate()
CURVE = handshake(12, b"\3" + words(29) + bytes(40))
TALK_12 = [
    client(record(22, client_hello(server_name("www.example.com"), alpn(b"h2", b"http/1.1")))),
    server(record(22, server_hello(alpn(b"h2")) + certificates(CERTIFICATE) + CURVE + handshake(14, b""))),
    client(record(22, handshake(16, bytes(33))) + CHANGE_CIPHER + ENCRYPTED),
    server(CHANGE_CIPHER + ENCRYPTED + APPLICATION),
]
TALK_13 = [
    client(record(22, client_hello((43, vector(1, words(0x0A0A, 0x0304, 0x0303)))))),
    server(record(22, server_hello((43, words(0x0304)), (51, words(24)), retry=True)) + CHANGE_CIPHER),
    client(CHANGE_CIPHER + record(22, client_hello((43, vector(1, words(0x0304)))))),
    server(record(22, server_hello((43, words(0x0304)), (51, words(24) + bytes(40)), cipher=0x1301)) + APPLICATION),
    client(APPLICATION),
]
PIECES = [part.data for part in TALK_12 + TALK_13] + [b"\x16", b"\3\3", b"\0\1", CHANGE_CIPHER, APPLICATION]
BYTES = st.one_of(st.binary(max_size=80), st.lists(st.sampled_from(PIECES), max_size=6).map(b"".join))


def test_a_tls_12_handshake_shows_hellos_certificate_and_end() -> None:
    parser = TlsParser()
    hello, answer, chain, established = play(parser, *TALK_12)
    assert isinstance(hello, TlsClientHello)
    assert (hello.version, hello.server_name, hello.alpn) == ("TLSv1.2", "www.example.com", ["h2", "http/1.1"])
    assert isinstance(answer, TlsServerHello)
    assert (answer.cipher_suite, answer.alpn) == ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "h2")
    assert isinstance(chain, TlsCertificates)
    assert established == TlsEstablished(
        "TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "x25519", history="CsxknGIi"
    )
    assert parser.done


def test_a_tls_13_handshake_with_a_retry_shows_both_hellos_and_nothing_of_what_is_encrypted() -> None:
    parser = TlsParser()
    messages = play(parser, *TALK_13)
    assert [type(message).__name__ for message in messages] == [
        "TlsClientHello", "TlsServerHello", "TlsClientHello", "TlsServerHello", "TlsEstablished",
    ]  # fmt: skip
    retries = [message.retry for message in messages if isinstance(message, TlsServerHello)]
    assert retries == [True, False]
    assert messages[-1] == TlsEstablished("TLSv1.3", "TLS_AES_128_GCM_SHA256", "secp384r1", history="CjiICs")
    assert parser.done


def test_a_certificate_is_described() -> None:
    found = read_certificate(CERTIFICATE)
    assert found == TlsCertificate(
        found.sha256,
        "CN=www.example.com",
        "CN=www.example.com",
        "abc",
        1_767_312_000_000_000_000,
        1_767_398_400_000_000_000,
        ["www.example.com", "192.0.2.1"],
        "ec-secp256r1",
    )
    assert len(found.sha256) == 64


@given(st.binary(max_size=60), st.integers(0, len(CERTIFICATE) - 1))
def test_a_damaged_certificate_is_at_least_named(noise: bytes, at: int) -> None:
    damaged = CERTIFICATE[:at] + noise + CERTIFICATE[at + len(noise) :]
    assert len(read_certificate(damaged).sha256) == 64


def test_a_long_chain_is_cut() -> None:
    (message,) = play(TlsParser(), server(record(22, certificates(*[b"\x30\0"] * (MAX_CERTIFICATES + 5)))))
    assert isinstance(message, TlsCertificates)
    assert len(message.certificates) == MAX_CERTIFICATES


def test_a_session_that_goes_on_from_an_earlier_one_is_told() -> None:
    talk = [
        client(record(22, client_hello(session_id=b"s" * 32))),
        server(record(22, server_hello(session_id=b"s" * 32)) + CHANGE_CIPHER + ENCRYPTED),
        client(CHANGE_CIPHER + ENCRYPTED),
    ]
    assert play(TlsParser(), *talk)[-1] == TlsEstablished(
        "TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", resumed=True, history="CsiI"
    )


def test_an_alert_in_the_clear_is_named_and_one_behind_the_change_of_ciphers_is_not_guessed() -> None:
    talk = [client(record(22, client_hello())), server(record(21, b"\2\x28"))]
    assert play(TlsParser(), *talk)[-1] == TlsAlert(True, "handshake_failure", "Cl")
    hidden = [*TALK_12[:2], server(CHANGE_CIPHER + record(21, b"\2\x28"))]
    assert not [message for message in play(TlsParser(), *hidden) if isinstance(message, TlsAlert)]


@pytest.mark.parametrize("beyond", [0, 1, 50])
def test_the_history_of_a_handshake_is_cut(beyond: int) -> None:
    requests = server(record(22, handshake(0, b"") * (MAX_HISTORY_LETTERS - 2 + beyond)))
    alert = play(TlsParser(), client(record(22, client_hello())), requests, server(record(21, b"\1\0")))[-1]
    assert isinstance(alert, TlsAlert)
    assert alert.history == ("C" + "h" * (MAX_HISTORY_LETTERS - 2 + beyond) + "l")[:MAX_HISTORY_LETTERS]


def test_an_offer_to_resume_and_an_encrypted_hello_are_marked() -> None:
    (message,) = play(TlsParser(), client(record(22, client_hello((35, b"ticket"), (0xFE0D, bytes(9))))))
    assert isinstance(message, TlsClientHello)
    assert message.resumes
    assert message.ech


def test_a_hello_over_many_records_is_one_hello() -> None:
    hello = client_hello(server_name("www.example.com"))
    pieces = b"".join(record(22, hello[at : at + 7]) for at in range(0, len(hello), 7))
    assert play(TlsParser(), client(pieces)) == play(TlsParser(), client(record(22, hello)))


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\3\3" + (MAX_RECORD_BYTES + 1).to_bytes(2, "big"),
        record(22, b"\1" + (MAX_HANDSHAKE_BYTES + 1).to_bytes(3, "big")),
        record(22, client_hello()) + b"GET / HTTP/1.1\r\n",
        record(22, handshake(1, b"\3\3")),
    ],
)
def test_what_is_no_tls_poisons(data: bytes) -> None:
    parser = TlsParser()
    play(parser, client(data))
    assert parser.poisoned


def test_a_hole_in_the_handshake_silences_one_side_only() -> None:
    talk = [TALK_12[0], lost(Side.CLIENT, 5), *TALK_12[1:]]
    messages = play(TlsParser(), *talk)
    assert [type(message).__name__ for message in messages] == ["TlsClientHello", "TlsServerHello", "TlsCertificates"]


@given(SIZES)
def test_any_split_gives_the_same_messages(sizes: list[int]) -> None:
    for talk in (TALK_12, TALK_13):
        assert play(TlsParser(), *cut(talk, sizes)) == play(TlsParser(), *talk)


@given(any_steps(BYTES))
def test_any_bytes_give_messages_within_the_bounds(steps: list[Step]) -> None:
    parser = TlsParser()
    play(parser, *steps)
    assert parser.held_bytes <= 2 * (MAX_RECORD_BYTES + MAX_HANDSHAKE_BYTES) + sum(
        len(step.data) for step in steps[-3:]
    )


@pytest.mark.parametrize(
    ("side", "head", "match"),
    [
        (Side.CLIENT, b"\x16\3\1\2\0\1", Match.YES),
        (Side.CLIENT, b"\x16\3\1\2\0", Match.MORE),
        (Side.CLIENT, b"\x16\3\1\2\0\2", Match.NO),
        (Side.SERVER, b"\x16\3\3\0\x7a\2", Match.YES),
        (Side.SERVER, b"\x15\3\3\0\2\2\x28", Match.YES),
        (Side.CLIENT, b"\x15\3\3\0\2\2\x28", Match.NO),
        (Side.CLIENT, b"\x16\3\1\xff\xff\1", Match.NO),
    ],
)
def test_the_first_record_tells(side: Side, head: bytes, match: Match) -> None:
    assert TLS.probe(side, head) is match
