"""Keys of logins: the compiled way gives what the plain one says, whatever the text."""

from hashlib import blake2b

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lapwing.detect.decay import DAY_NS, HOUR_NS, SECOND_NS
from lapwing.detect.journal import NAME_BYTES_EACH, Journal
from lapwing.detect.login import ACCOUNT, CLIENT, NAME, NETWORK, SECRET, SOURCE, Keyring, Login, fold_name
from lapwing.detect.plainly import exp2, octets, sip
from lapwing.detect.rows import Fading

KEY = bytes(range(16))
TEXTS = st.one_of(st.text(max_size=40), st.text(st.characters(max_codepoint=127), max_size=40))
WAYS = range(3)  # one after the other, with AVX2, with AVX-512VL: as many of them as the processor has


def halves_of_key(key: bytes) -> tuple[int, int]:
    """What a keyring under `key` hashes with."""
    digest = blake2b(key, digest_size=16, person=b"lapwing detect").digest()
    return int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big")


def word_of(key: bytes, domain: int, text: str) -> int:
    """The keyed hash of a text, as `login` describes it."""
    k0, k1 = halves_of_key(key)
    data = text.encode("utf-8", "surrogatepass")
    state = len(data) << 8 | domain
    for at in range(0, max(1, len(data)), 16):
        low, high = (int.from_bytes(data[at + n : at + n + 8], "little") for n in (0, 8))
        state = sip(k0, k1, state, low, high)
    return state


@given(TEXTS)
@example("")
@example("a" * 16)
@example("a" * 17)
@example("naïve")
def test_a_word_is_of_all_its_text(text: str) -> None:
    ring = Keyring(KEY)
    assert ring.word(ACCOUNT, text) == word_of(KEY, ACCOUNT, text)
    assert ring.word(ACCOUNT, text) != ring.word(ACCOUNT, text + "\0")
    assert ring.word(ACCOUNT, text) != ring.word(SOURCE, text)


@pytest.mark.parametrize("way", WAYS)
@given(TEXTS, st.none() | TEXTS, st.none() | TEXTS)
@example("victim1", "s1", "ja4:t13d1516h2_8daaf6152771_02713d6af862")
@example("a" * 16, "b" * 17, "c" * 8)
def test_keys_of_one_login_are_the_words_of_its_texts(
    way: int, name: str, secret: str | None, client: str | None
) -> None:
    ring = Keyring(KEY)
    assert 0 <= ring.hash_by(way) <= way
    login = ring.identify("192.0.2.1", name, "http", secret, client)
    assert login is not None
    spelled = fold_name(name)
    assert login.account == (word_of(KEY, ACCOUNT, spelled) if spelled else 0)
    assert login.secret == (0 if secret is None else word_of(KEY, SECRET, secret))
    assert login.client == (word_of(KEY, CLIENT, client) if client else 0)
    assert (login.name, login.client_text) == (spelled, client or "")
    assert login.source == sip(*halves_of_key(KEY), SOURCE, 0, 0xFFFF_C000_0201)
    assert login.network == sip(*halves_of_key(KEY), NETWORK, 0, 0xFFFF_C000_0200)


@pytest.mark.parametrize("way", WAYS)
@given(st.lists(st.tuples(st.integers(1, 2**64 - 1), st.integers(0, 7)), max_size=6))
def test_a_pad_is_of_its_account_and_place(way: int, asked: list[tuple[int, int]]) -> None:
    ring = Keyring(KEY)
    ring.hash_by(way)
    for account, place in asked:
        assert ring.pad(account, 8 * place) == sip(*halves_of_key(KEY), NAME, account, 8 * place)


@pytest.mark.parametrize("way", WAYS)
@given(
    st.lists(st.tuples(st.text(max_size=70) | st.text("az", max_size=70), st.none() | TEXTS, st.booleans())),
    st.integers(1, 9),
)
@example([("a" * 24, "s", False), ("a" * 25, "s", False), ("root", "s", True), ("a" * 17, None, True)], 5)
@example([("a", "s", False)] * 9 + [("abc", "s", False)] * 40, 3)
def test_names_in_the_journal_are_sealed_as_by_the_keyring(
    way: int, asked: list[tuple[str, str | None, bool]], limit: int
) -> None:
    """Whatever was computed with its other keys, of this account or of another that it was taken for."""
    ring, other = Keyring(KEY), Keyring(KEY)
    ring.hash_by(way)
    journal, room = Journal(limit, ring), limit * NAME_BYTES_EACH
    login = Login()
    entered: list[bytes] = []
    ends: list[int] = []
    for name, secret, elsewhere in asked:
        assert ring.name(login, "192.0.2.1", name, "http", secret, None)
        login.account ^= 1 if elsewhere else 0
        journal.append(login)
        entered.append(other.seal(login.name, login.account) if login.account != 0 else b"")
        ends.append((ends[-1] if ends else 0) + len(entered[-1]))
        for pos in range(max(0, len(entered) - limit), len(entered)):
            forgotten = ends[-1] - ends[pos] + len(entered[pos]) > room
            assert journal.name_of(journal.slot_of(pos)) == (b"" if forgotten else entered[pos])


@given(TEXTS)
@example("root")
@example("Root")
@example("a b")
@example("abcdefgh[")
@example("abcdefg\x7f")
def test_a_name_is_folded_unless_it_is_its_own_spelling(text: str) -> None:
    login = Keyring(KEY).identify("192.0.2.1", text, "http", None, None)
    assert login is not None
    assert login.name == fold_name(text)


@pytest.mark.parametrize(
    "address", ["192.0.2.1", "0.0.0.0", "255.255.255.255", "::", "2001:db8::1", "ffff:" * 7 + "ffff"]
)
def test_keys_at_hand_are_those_computed_anew(address: str) -> None:
    ring, other = Keyring(KEY), Keyring(KEY)
    login = ring.identify(address, None, "http", None, None)
    assert login is not None
    hi, lo, source, network = login.hi, login.lo, login.source, login.network
    for far in ((0, 0xFFFF_0A00_0001), (0, 0), (1 << 63, 5)):
        assert ring.source_of(*far) == other.source_of(*far) == other.source_of(*far)
        assert ring.network_of(*far) == other.network_of(*far)
        assert ring.source_of(hi, lo) == source == other.source_of(hi, lo)
        assert ring.network_of(hi, lo) == network == other.network_of(hi, lo)


@given(st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=24), st.integers(0, 24))
def test_octets_are_the_bytes_from_there(text: str, at: int) -> None:
    assert octets(text, at).to_bytes(8, "little").rstrip(b"\0") == text[at : at + 8].encode().rstrip(b"\0")


@given(st.lists(st.integers(-1, 100 * DAY_NS), max_size=8))
def test_what_is_left_depends_on_the_age_alone(ages: list[int]) -> None:
    fading = Fading()
    for age in ages:
        fading.set(age)
        fresh = Fading()
        fresh.set(age)
        assert (fading.m, fading.h, fading.q, fading.d) == (fresh.m, fresh.h, fresh.q, fresh.d)


def test_half_is_left_after_a_half_life() -> None:
    fading = Fading()
    for age, left in ((300 * SECOND_NS, "m"), (HOUR_NS, "h"), (6 * HOUR_NS, "q"), (DAY_NS, "d")):
        fading.set(age)
        assert getattr(fading, left) == pytest.approx(0.5, rel=1e-12)
    fading.set(2 * DAY_NS)
    assert fading.d == exp2(-2.0)
