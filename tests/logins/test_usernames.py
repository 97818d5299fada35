"""One spelling per account."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.logins import LoginSettings
from lapwing.logins.usernames import MAX_USERNAME_CHARS, normalise

PLAIN = LoginSettings()


@pytest.mark.parametrize("spelling", ["ana", "ANA", " Ana ", "Ａｎａ", "ana\r\n", "\tana\0"])
def test_spellings_of_one_account_are_one(spelling: str) -> None:
    assert normalise(spelling, PLAIN) == "ana"


def test_case_folds_beyond_ascii() -> None:
    assert normalise("STRASSE", PLAIN) == normalise("Straße", PLAIN)


def test_a_secret_sent_along_behind_a_nul_is_no_part_of_the_name() -> None:
    assert normalise("\0ana\0correct horse", PLAIN) == "ana"


@pytest.mark.parametrize("nothing", ["", "  ", "\0"])
def test_a_name_of_nothing_is_none(nothing: str) -> None:
    assert normalise(nothing, PLAIN) is None


def test_dots_and_tags_are_kept_unless_settings_say_otherwise() -> None:
    name = "Ana.Lee+shop@example.com"
    assert normalise(name, PLAIN) == "ana.lee+shop@example.com"
    assert normalise(name, LoginSettings(drop_username_tag=True)) == "ana.lee@example.com"
    assert normalise(name, LoginSettings(drop_username_tag=True, fold_username_dots=True)) == "analee@example.com"


@given(st.text(max_size=400))
def test_normalising_is_bounded_and_settles(name: str) -> None:
    once = normalise(name, PLAIN)
    assert once is None or (len(once) <= MAX_USERNAME_CHARS and once == once.strip())
    if once is not None and len(once) < MAX_USERNAME_CHARS:
        assert normalise(once, PLAIN) == once
