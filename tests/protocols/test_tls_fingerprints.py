"""Fingerprints of hellos are those that others published."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lapwing.protocols.tls.fingerprints import ja3, ja3_and_ja4, ja3s, ja4
from lapwing.protocols.tls.hello import (
    MAX_OFFER_BYTES,
    MAX_OFFERS,
    ClientHello,
    ServerHello,
    is_grease,
    read_client_hello,
)
from tests.protocols.tls_bytes import alpn, client_hello, server_name, vector, words

CHROME_CIPHERS = "1301 1302 1303 c02b c02f c02c c030 cca9 cca8 c013 c014 009c 009d 002f 0035"
CHROME_EXTENSIONS = "0000 0017 ff01 000a 000b 0023 0010 0005 000d 0012 0033 002d 002b 001b 4469 0015"
CHROME_SIGNATURES = "0403 0804 0401 0503 0805 0501 0806 0601"


def hexed(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


def hello(**fields: Any) -> ClientHello:
    empty = ClientHello(0x0303, b"", [], [], None, [], [], b"", [], [])
    return replace(empty, **fields)


def kinds(*numbers: int) -> list[tuple[int, bytes]]:
    return [(number, b"") for number in numbers]


@pytest.mark.parametrize(
    ("ciphers", "extensions", "groups", "formats", "digest"),
    [
        # The two examples of the method's first publication.
        (
            [47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4],
            [0, 10, 11],
            [23, 24, 25],
            b"\0",
            "ada70206e40642a3e4461f35503241d5",
        ),
        ([4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99], [], [], b"", "de350869b8c85de67a350c8d186f11e6"),
    ],
)
def test_ja3_is_the_published_one(
    ciphers: list[int], extensions: list[int], groups: list[int], formats: bytes, digest: str
) -> None:
    one = hello(legacy_version=769, cipher_suites=ciphers, extensions=kinds(*extensions))
    assert ja3(replace(one, groups=groups, point_formats=formats)) == digest


def test_ja3s_is_the_published_one() -> None:
    answer = ServerHello(769, b"", 49172, kinds(65281, 11), None, None, False, 769)
    assert ja3s(answer) == "623de93db17d313345d7ea481e7443cf"


def chrome() -> ClientHello:
    return hello(
        cipher_suites=hexed(CHROME_CIPHERS),
        extensions=kinds(*hexed(CHROME_EXTENSIONS)),
        alpn=[b"h2", b"http/1.1"],
        signature_algorithms=hexed(CHROME_SIGNATURES),
        versions=[0x0304, 0x0303],
    )


def test_ja4_is_the_published_one() -> None:
    assert ja4(chrome(), "t") == "t13d1516h2_8daaf6152771_e5627efa2ab1"


def test_grease_changes_no_fingerprint() -> None:
    plain = chrome()
    greased = replace(
        plain,
        cipher_suites=[0x4A4A, *plain.cipher_suites],
        extensions=[(0xFAFA, b""), *plain.extensions, (0x2A2A, b"\0")],
        versions=[0xCACA, *plain.versions],
    )
    assert ja4(greased, "t") == ja4(plain, "t")
    assert ja3(greased) == ja3(plain)
    assert is_grease(0xFAFA)
    assert not is_grease(0xFA0A)


@pytest.mark.parametrize(
    ("names", "part"),
    [([], "00"), ([b""], "00"), ([b"h"], "hh"), ([b"http/1.1"], "h1"), ([b"\xab\xcd"], "99"), ([b"0\xab"], "3b")],
)
def test_the_alpn_part_of_ja4_is_two_characters_whatever_the_name(names: list[bytes], part: str) -> None:
    assert ja4(hello(alpn=names), "q") == f"q12i0000{part}_000000000000_000000000000"


def test_counts_of_a_ja4_stop_at_two_digits() -> None:
    many = hello(cipher_suites=list(range(200)), extensions=kinds(*range(1, 150)))
    assert ja4(many, "t").startswith("t12i9999")


FEW = st.lists(st.sampled_from([4, 23, 29, 0x0A0A, 0x1301, 0xC02F]), max_size=3).map(tuple)


@given(st.lists(st.tuples(FEW, FEW, FEW, st.booleans(), st.sampled_from([b"h2", b"http/1.1"])), max_size=8))
def test_an_offer_seen_before_is_read_as_if_it_were_new(offers: list[tuple[Any, Any, Any, bool, bytes]]) -> None:
    for number, (ciphers, groups, algorithms, named, protocol) in enumerate(offers):
        listed = [(10, vector(2, words(*groups))), (13, vector(2, words(*algorithms))), alpn(protocol), (21, b"")]
        if named:
            listed.insert(0, server_name(f"www{number}.example.com"))
        body = client_hello(*listed, ciphers=ciphers)[4:]
        for _ in range(2):
            read = read_client_hello(body)
            assert (read.cipher_suites, read.groups) == (list(ciphers), list(groups))
            assert (read.signature_algorithms, read.alpn) == (list(algorithms), [protocol])
            assert read.server_name == (f"www{number}.example.com" if named else None)
            for transport in ("t", "q"):
                assert ja3_and_ja4(read, transport) == (ja3(read), ja4(read, transport))


def test_who_changes_the_lists_of_a_hello_changes_no_other_hello() -> None:
    body = client_hello(alpn(b"h2"), (10, vector(2, words(29))), ciphers=(0x1301, 0x1302))[4:]
    first = read_client_hello(body)
    for one in (first.cipher_suites, first.groups, first.alpn, first.versions, first.signature_algorithms):
        one.clear()
    again = read_client_hello(body)
    assert (again.cipher_suites, again.groups, again.alpn) == ([0x1301, 0x1302], [29], [b"h2"])


def test_more_offers_than_are_remembered_and_those_too_long_for_it_are_read_all_the_same() -> None:
    for number in range(MAX_OFFERS + 10):
        read = read_client_hello(client_hello(ciphers=(number, 1))[4:])
        assert read.cipher_suites == [number, 1]
        assert ja3_and_ja4(read, "t") == (ja3(read), ja4(read, "t"))
    long = tuple(range(MAX_OFFER_BYTES))
    read = read_client_hello(client_hello(ciphers=long)[4:])
    assert read.cipher_suites == list(long)
    assert not read.offer
    assert ja3_and_ja4(read, "t") == (ja3(read), ja4(read, "t"))
