"""Marks on interactions that say less than they seem to."""

import pytest

from lapwing.callbacks.interaction import (
    DnsInteraction,
    FtpInteraction,
    HttpInteraction,
    Interaction,
    LdapInteraction,
    Peer,
)
from lapwing.callbacks.noise import Noise, NoiseMarker, NoiseRules
from lapwing.callbacks.outcomes import accepts
from lapwing.events import SettingsError

S = 1_000_000_000
MARKER = NoiseMarker(NoiseRules(("192.0.2.0/24", "2001:db8::/32"), ("198.51.100.0/24",), late_after_s=60))


def query(client_ip: str, name: str = "t.example.com", ts_ns: int = 0) -> DnsInteraction:
    return DnsInteraction(ts_ns=ts_ns, peer=Peer(client_ip), name=name, query_type="A")


def request(client_ip: str, target: str = "/") -> HttpInteraction:
    return HttpInteraction(ts_ns=0, peer=Peer(client_ip), method="GET", target=target, host="t.example.com")


@pytest.mark.parametrize(
    ("interaction", "marks"),
    [
        (query("192.0.2.9"), {Noise.OWN_EGRESS}),
        (query("2001:db8::9"), {Noise.OWN_EGRESS}),
        (query("198.51.100.53"), {Noise.KNOWN_RESOLVER}),
        (request("198.51.100.53"), set()),  # whoever fetches from there is no resolver
        (query("203.0.113.1"), set()),
        (query(""), set()),
        (query("203.0.113.1", ts_ns=71 * S), {Noise.LATE}),
        (query("203.0.113.1", ts_ns=70 * S), set()),
    ],
)
def test_senders_and_times_are_marked(interaction: Interaction, marks: set[Noise]) -> None:
    assert MARKER.mark(interaction, minted_ns=10 * S) == marks


def test_a_repeat_is_the_same_question_again() -> None:
    first = query("203.0.113.1")
    assert MARKER.mark(query("203.0.113.2", "T.example.com"), earlier=[first]) == {Noise.REPEAT}
    assert MARKER.mark(query("203.0.113.1", "x.t.example.com"), earlier=[first]) == set()
    assert MARKER.mark(request("203.0.113.1"), earlier=[request("203.0.113.1")]) == {Noise.REPEAT}
    assert MARKER.mark(request("203.0.113.2"), earlier=[request("203.0.113.1")]) == set()
    for kind in (FtpInteraction, LdapInteraction):
        one = kind(ts_ns=0, peer=Peer("203.0.113.1"))
        assert MARKER.mark(one, earlier=[first, one]) == {Noise.REPEAT}


def test_without_rules_nothing_but_age_and_repetition_is_known() -> None:
    assert NoiseMarker().mark(query("192.0.2.9")) == set()


def test_a_lookup_alone_never_answers_a_wait_for_http() -> None:
    assert not accepts("http", query("203.0.113.1"))
    assert accepts("http", request("203.0.113.1"))


def test_a_wrong_network_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"callbacks\.noise"):
        NoiseRules(own_networks=("192.0.2.1/24",))
