"""Pattern files: other logs by description."""

import pytest

from lapwing.events import Outcome, SettingsError
from lapwing.logins.logs import LogLines, Miss, parse_patterns, pattern_format
from lapwing.logins.logs.templates import Template

from .reading import context, logins, miss, told

TEXT = """
[[pattern]]
name = "shop"
line = "{time} login failed for {user} from {address}"
outcome = "failed"

[[pattern]]
name = "shop"
where = { kind = "login", "result.ok" = true }
address = "peer"
user = "who.name,who.mail"
time = "at"
outcome = "succeeded"
"""


def test_lines_and_documents_are_read_by_a_pattern_file() -> None:
    shop = pattern_format("shop", "shop", parse_patterns(TEXT, "shop.toml"))
    found = logins(
        shop,
        "2026-05-01 10:00:00 login failed for Bob Smith from 192.0.2.7",
        '{"kind":"login","result":{"ok":true},"peer":"192.0.2.8:5000","who":{"mail":"e@example.com"},"at":1777629600}',
    )
    assert [told(event) for event in found] == [
        "failed 192.0.2.7 bob smith shop password",
        "succeeded 192.0.2.8 e@example.com shop password",
    ]
    assert found[1].client_port == 5000


def test_lines_that_fit_no_pattern_are_counted() -> None:
    shop = pattern_format("shop", "shop", parse_patterns(TEXT, "shop.toml"))
    assert miss(shop, "2026-05-01 10:00:00 order 7 from 192.0.2.7") is Miss.FOREIGN
    assert miss(shop, '{"kind":"order"}') is Miss.OTHER
    assert miss(shop, "2026-05-01 10:00:00 login failed for bob from somewhere") is Miss.FOREIGN
    assert miss(shop, "25:00 o'clock login failed for bob from 192.0.2.7") is Miss.NO_TIME


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "pattern"),
        ("[[pattern]]\nname = 'a'\noutcome = 'failed'", "either `line` or `where`"),
        ("[[pattern]]\nname = 'a'\noutcome = 'lost'\nline = 'x {address}'", "outcome"),
        ("[[pattern]]\nname = 'a'\noutcome = 'failed'\nline = 'x {user}'", "{address}"),
        ("[[pattern]]\nname = 'a'\noutcome = 'failed'\nline = 'x {adress}'", "no field {adress}"),
        ("[[pattern]]\nname = 'a'\noutcome = 'failed'\nline = '{user}{address}'", "there must be text"),
        ("[[pattern]]\nname = 'a'\noutcome = 'failed'\nwhere = {a = 1}", "must name the field"),
        ("[[pattern]]\nname = 'a'\noutcome = 'failed'\nwhere = {}\naddress = 'a'", "`where` must name"),
        ("[[pattern]]\nname = 'a'\noutcome = 'failed'\nline = 'x {address}'", "{time}"),
        ("[[pattern]]\nname = 'a'\ncolour = 1", "colour"),
        ("[[pattern", "shop.toml"),
    ],
)
def test_a_wrong_pattern_file_is_refused_with_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=r"shop\.toml") as caught:
        parse_patterns(text, "shop.toml")
    assert words in str(caught.value)


def test_doubled_braces_are_braces() -> None:
    found = Template('{{"ip":"{address}"}}').find('{"ip":"192.0.2.7"}')
    assert found is not None
    assert not isinstance(found, Miss)
    assert found.address == "192.0.2.7"


def test_outcomes_of_all_kinds_can_be_described() -> None:
    for outcome in Outcome:
        text = f"[[pattern]]\nname = 'a'\noutcome = '{outcome}'\nline = '{{time}} x {{address}}'"
        assert parse_patterns(text, "a.toml")[0].outcome is outcome


def test_an_owners_patterns_count_also_where_most_lines_are_of_a_known_log() -> None:
    text = "[[pattern]]\nname='shop'\noutcome='failed'\nline='{time} {word} shop: no {user} from {address}'"
    shop = pattern_format("shop", "shop", parse_patterns(text, "shop.toml"))
    lines = LogLines(context(), own=[shop])
    sshd = "May  1 10:00:00 host sshd[7]: Failed password for root from 192.0.2.8 port 22 ssh2"
    bad = "May  1 10:00:00 host shop: no bob from 192.0.2.7"
    found = [*lines.feed([*["May  1 10:00:00 host cron[7]: job"] * 9, bad, sshd]), *lines.close()]
    assert [told(event) for event in found] == [
        "failed 192.0.2.7 bob shop password",
        "failed 192.0.2.8 root ssh password",
    ]
    lines = LogLines(context(), own=[shop])
    assert len([*lines.feed([bad, bad, sshd]), *lines.close()]) == 3


def test_accounts_known_by_a_number_have_it_for_a_name() -> None:
    text = "[[pattern]]\nname='shop'\noutcome='failed'\nwhere={kind='login'}\naddress='ip'\nuser='id'"
    shop = pattern_format("shop", "shop", parse_patterns(text, "shop.toml"))
    (found,) = logins(shop, '{"kind":"login","ip":"192.0.2.7","id":4711,"time":1777629600}')
    assert found.username == "4711"
