"""Tokens."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.callbacks.tokens import NONCE_ALPHABET, TokenBook, TokenKey, correlation_id, is_correlation_id

OWN_ID = correlation_id(bytes(range(20)))
KEY = TokenKey(bytes(range(32)), OWN_ID)


def test_ids_have_interactshs_lengths_and_alphabets() -> None:
    token = KEY.mint(0, "ssrf")
    assert re.fullmatch(r"[0-9a-v]{20}", token.correlation_id)
    assert re.fullmatch(rf"[{NONCE_ALPHABET}]{{13}}", token.nonce)
    assert token.host("oast.example.com") == f"{token.unique_id}.oast.example.com"
    assert token.url("oast.example.com") == f"https://{token.unique_id}.oast.example.com"


def test_minting_is_a_function_of_key_id_number_and_purpose() -> None:
    again = TokenKey(bytes(range(32)), OWN_ID)
    assert [again.mint(number, "x").nonce for number in range(50)] == [
        KEY.mint(number, "x").nonce for number in range(50)
    ]
    assert KEY.mint(3, "x").nonce != KEY.mint(3, "y").nonce
    assert KEY.mint(3, "x").nonce != TokenKey(b"k" * 32, OWN_ID).mint(3, "x").nonce
    assert KEY.mint(3, "x").nonce != TokenKey(bytes(range(32)), correlation_id(b"e" * 20)).mint(3, "x").nonce


def test_tokens_do_not_tell_the_order_they_were_made_in() -> None:
    nonces = [KEY.mint(number).nonce for number in range(200)]
    assert len({nonce[-5:] for nonce in nonces}) > 190
    assert len(set(nonces)) == 200


@given(st.integers(3, 40), st.integers(0, 2**24 - 1), st.text(max_size=40), st.binary(min_size=16, max_size=40))
def test_every_minted_nonce_verifies_in_any_letter_case(length: int, number: int, purpose: str, key: bytes) -> None:
    minter = TokenKey(key, OWN_ID, length)
    number %= minter.capacity
    nonce = minter.mint(number, purpose).nonce
    assert len(nonce) == length
    assert minter.verify(nonce.upper(), purpose) == minter.number(nonce) == number


@given(st.text(NONCE_ALPHABET, min_size=13, max_size=13))
def test_a_forged_nonce_is_recognised(nonce: str) -> None:
    assert KEY.verify(nonce, "ssrf") is None


@given(st.integers(0, 12), st.sampled_from(NONCE_ALPHABET))
def test_a_nonce_with_one_other_letter_is_forged(place: int, letter: str) -> None:
    nonce = KEY.mint(7, "ssrf").nonce
    changed = nonce[:place] + letter + nonce[place + 1 :]
    assert (KEY.verify(changed, "ssrf") == 7) is (changed == nonce)


def test_a_token_is_good_for_its_purpose_only() -> None:
    nonce = KEY.mint(7, "ssrf").nonce
    assert KEY.verify(nonce, "ssrf") == 7
    assert KEY.verify(nonce, "mail") is None


@pytest.mark.parametrize("text", ["", "ab", "a-b-c", "a.b.c", "é" * 20, "a" * 61])
def test_an_id_no_host_name_carries_is_refused(text: str) -> None:
    assert not is_correlation_id(text)
    with pytest.raises(ValueError, match="letters and digits"):
        TokenKey(b"k" * 16, text)


def test_a_shape_says_how_many_tokens_it_has_room_for() -> None:
    small = TokenKey(b"k" * 16, OWN_ID, 3)
    assert small.capacity == 32
    with pytest.raises(ValueError, match="32 tokens"):
        small.mint(32)
    with pytest.raises(ValueError, match="32 tokens"):
        small.mint(-1)
    assert KEY.capacity == 2**24


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        TokenKey(b"short", OWN_ID)
    with pytest.raises(ValueError, match="at most 63"):
        TokenKey(b"k" * 16, OWN_ID, 44)
    with pytest.raises(ValueError, match="at least 3"):
        correlation_id(b"ab")
    with pytest.raises(ValueError, match="1024 bytes"):
        KEY.mint(0, "x" * 1025)


def test_the_book_names_the_purpose_of_a_reported_id() -> None:
    book = TokenBook(KEY)
    first, second = book.mint("webhook of orders", 10), book.mint("avatar import", 20)
    assert book.read(first.unique_id.upper()) == first
    assert book.read(second.unique_id) == second
    assert (book.minted_ns(second.number), book.minted_ns(99)) == (20, None)
    assert book.read(OWN_ID + "y" * 13) is None
    assert book.read("z" * 33) is None
    assert book.read(OWN_ID) is None
    assert book.read(KEY.mint(0, "another purpose").unique_id) is None


def test_the_book_counts_what_it_forgets() -> None:
    book = TokenBook(KEY, limit=2, first_number=40)
    tokens = [book.mint(str(index), index) for index in range(3)]
    assert [token.number for token in tokens] == [40, 41, 42]
    assert book.forgotten_count == 1
    assert [book.read(token.unique_id) for token in tokens] == [None, tokens[1], tokens[2]]
