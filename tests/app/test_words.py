"""What comes from the network cannot act on the terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.app.words import ANOMALIES, MAX_TEXT, anomaly, safe
from lapwing.flows.layout import ANOMALY_KINDS


@given(st.text(alphabet=st.characters()))
def test_shown_text_has_no_control_format_or_surrogate_characters(text: str) -> None:
    assert not [char for char in safe(text) if unicodedata.category(char).startswith(("C", "Zl", "Zp"))]


def test_escape_sequences_and_bidi_overrides_become_visible() -> None:
    assert safe("a\x1b[2Jb") == "a\\x1b[2Jb"
    assert safe("user\u202egpj.exe") == "user\\u202egpj.exe"


def test_ordinary_names_of_any_script_stay_as_they_are() -> None:
    assert safe("jürgen.größe 名前") == "jürgen.größe 名前"


@pytest.mark.parametrize("beyond", [0, 1])
def test_a_long_name_is_cut(beyond: int) -> None:
    assert safe("a" * (MAX_TEXT + beyond)) == "a" * MAX_TEXT + "…" * beyond


def test_every_anomaly_of_the_flow_table_has_plain_words() -> None:
    assert set(ANOMALY_KINDS) <= set(ANOMALIES)


def test_an_unknown_kind_of_anomaly_is_still_named() -> None:
    assert anomaly("dns.label_loop") == "dns: label loop"
