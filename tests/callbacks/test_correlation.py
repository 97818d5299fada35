"""The attribution matrix: every place a token can stand in, however it is dressed."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.callbacks.correlation import (
    MAX_ATTRIBUTIONS,
    MAX_ID_LENGTHS,
    TO_THE_END,
    Place,
    Registry,
    attribute,
    correlate,
)
from lapwing.callbacks.interaction import (
    DnsInteraction,
    FtpInteraction,
    HttpInteraction,
    Interaction,
    LdapInteraction,
    OtherInteraction,
    Peer,
    Placement,
    SmtpInteraction,
    Turn,
)
from lapwing.callbacks.tokens import ID_ALPHABET, NONCE_ALPHABET, TokenKey, correlation_id
from lapwing.events import Side

OWN_ID = correlation_id(bytes(range(40, 60)))
TOKEN = TokenKey(bytes(32), OWN_ID).mint(5, "matrix").unique_id
DOMAIN = "oast.example.com"
PEER = Peer("192.0.2.7", 40_000)


def registry(*ids: str) -> Registry:
    listening = Registry()
    for own_id in ids or (OWN_ID,):
        listening.add(own_id)
    return listening


def mixed(text: str) -> str:
    """As resolvers that guard against spoofing write it."""
    return "".join(letter.upper() if index % 2 else letter for index, letter in enumerate(text))


DRESSES: dict[str, Callable[[str], str]] = {
    "plain": lambda token: token,
    "mixed case": mixed,
    "upper case": str.upper,
    "prefix with hyphen": lambda token: f"pre-{token}",
    "suffix with hyphen": lambda token: f"{token}-suf",
    "glued prefix": lambda token: f"pre{token}",
    "glued suffix": lambda token: f"{token}suf9",
    "glued both": lambda token: f"a1{token}b2",
}


def http(target: str = "/", host: str = DOMAIN, extra: str = "", body: str = "") -> HttpInteraction:
    raw = f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{extra}\r\n{body}".encode("latin-1")
    return HttpInteraction(ts_ns=0, peer=PEER, method="GET", target=target, host=host, raw_request=raw)


def smtp(recipient: str = "x@example.org", sender: str = "", hello: str = "", content: str = "") -> SmtpInteraction:
    return SmtpInteraction(
        ts_ns=0, peer=PEER, recipients=(recipient,), mail_from=sender, hello=hello, raw_request=content.encode()
    )


MATRIX: dict[str, tuple[Callable[[str], Interaction], Placement]] = {
    "DNS leftmost label": (lambda t: DnsInteraction(ts_ns=0, peer=PEER, name=f"{t}.{DOMAIN}"), Placement.DNS_NAME),
    "DNS after other labels": (
        lambda t: DnsInteraction(ts_ns=0, peer=PEER, name=f"www.data-1.{t}.{DOMAIN}"),
        Placement.DNS_NAME,
    ),
    "DNS before other labels": (
        lambda t: DnsInteraction(ts_ns=0, peer=PEER, name=f"{t}.more.{DOMAIN}"),
        Placement.DNS_NAME,
    ),
    "HTTP host": (lambda t: http(host=f"{t}.{DOMAIN}:8080"), Placement.HTTP_HOST),
    "HTTP absolute form": (lambda t: http(f"http://u:p@{t}.{DOMAIN}/x", host=""), Placement.HTTP_HOST),
    "HTTP path": (lambda t: http(f"/a/{t}/b.png"), Placement.URL_PATH),
    "HTTP escaped path": (lambda t: http("/" + "".join(f"%{ord(c):02x}" for c in t)), Placement.URL_PATH),
    "HTTP query": (lambda t: http(f"/?q=1&u=%2F{t}"), Placement.URL_QUERY),
    "HTTP header": (lambda t: http(extra=f"Referer: http://x.example/{t}\r\n"), Placement.HTTP_HEADER),
    "HTTP body": (lambda t: http(body=f"<a>{t}</a>"), Placement.HTTP_BODY),
    "TLS SNI": (
        lambda t: HttpInteraction(ts_ns=0, peer=Peer("192.0.2.7", sni=f"{t}.{DOMAIN}", tls=True)),
        Placement.TLS_SNI,
    ),
    "SMTP domain": (lambda t: smtp(f"x@{t}.{DOMAIN}"), Placement.MAIL_DOMAIN),
    "SMTP local part": (lambda t: smtp(f"{t}@{DOMAIN}"), Placement.MAIL_LOCAL_PART),
    "SMTP plus address": (lambda t: smtp(f"ana+{t}@{DOMAIN}"), Placement.MAIL_LOCAL_PART),
    "SMTP sender": (lambda t: smtp(sender=f"bounce@{t}.{DOMAIN}"), Placement.MAIL_DOMAIN),
    "SMTP hello": (lambda t: smtp(hello=f"{t}.{DOMAIN}"), Placement.MAIL_HELLO),
    "SMTP content": (lambda t: smtp(content=f"Reply-To: {t}@{DOMAIN}\r\n\r\n"), Placement.MAIL_CONTENT),
    "SMTP other command": (
        lambda t: SmtpInteraction(ts_ns=0, peer=PEER, turns=(Turn(Side.CLIENT, f"VRFY {t}\r\n".encode()),)),
        Placement.OTHER,
    ),
    "LDAP base DN": (
        lambda t: LdapInteraction(ts_ns=0, peer=PEER, operation="search", name=f"cn={t},dc=example,dc=com"),
        Placement.LDAP_BASE_DN,
    ),
    "LDAP DN escapes": (
        lambda t: LdapInteraction(ts_ns=0, peer=PEER, operation="search", name=f"cn=\\{ord(t[0]):02x}{t[1:]}"),
        Placement.LDAP_BASE_DN,
    ),
    "LDAP bind DN": (
        lambda t: LdapInteraction(ts_ns=0, peer=PEER, operation="bind", name=f"uid={t}"),
        Placement.LDAP_BIND_DN,
    ),
    "LDAP filter": (
        lambda t: LdapInteraction(ts_ns=0, peer=PEER, operation="search", search_filter=f"(uid={t})"),
        Placement.LDAP_FILTER,
    ),
    "FTP user": (lambda t: FtpInteraction(ts_ns=0, peer=PEER, command="USER", user=t), Placement.FTP_USER),
    "FTP path": (
        lambda t: FtpInteraction(ts_ns=0, peer=PEER, command="RETR", path=f"/pub/{t}.zip"),
        Placement.FTP_PATH,
    ),
    "another protocol": (
        lambda t: OtherInteraction(ts_ns=0, peer=PEER, name="smb", raw_request=f"\\\\host\\{t}".encode()),
        Placement.OTHER,
    ),
}


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize("place", MATRIX)
def test_a_token_is_found_wherever_it_stands_and_however_it_is_dressed(place: str, dress: str) -> None:
    make, placement = MATRIX[place]
    interaction = make(DRESSES[dress](TOKEN))
    (hit,) = attribute(interaction, registry())
    assert hit.attribution is not None
    assert (hit.unique_id, hit.attribution.placement) == (TOKEN, placement)
    assert hit.attribution.correlation_id == OWN_ID


def test_no_random_name_is_taken_for_a_token() -> None:
    listening = registry(*(correlation_id(bytes([index] * 20)) for index in range(32)))
    source = random.Random(7)
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
    names = "".join(source.choices(alphabet, k=33 * 50_000))
    assert not correlate([Place(Placement.DNS_NAME, names)], listening)  # 1.6 million windows


def test_full_id_keeps_labels_and_letters_and_drops_the_domain() -> None:
    (found,) = correlate([Place(Placement.DNS_NAME, f"WWW.a-{mixed(TOKEN)}-b.more.{DOMAIN}")], registry())
    assert found.full_id == f"WWW.a-{mixed(TOKEN)}-b"
    (found,) = correlate([Place(Placement.URL_PATH, f"/x/{TOKEN}")], registry())
    assert found.full_id == TOKEN


def test_the_longest_registered_prefix_wins() -> None:
    shorter, longer = OWN_ID[:8], OWN_ID[:12]
    name = [Place(Placement.DNS_NAME, f"{TOKEN}.{DOMAIN}")]
    listening = registry(shorter, longer, OWN_ID)
    assert [found.correlation_id for found in correlate(name, listening)] == [OWN_ID]
    listening.discard(OWN_ID)
    assert [found.correlation_id for found in correlate(name, listening)] == [longer]
    assert shorter in listening
    listening.discard(longer)
    listening.discard(shorter)
    listening.discard(shorter)
    assert len(listening) == 0
    assert not correlate(name, listening)


def test_somebody_elses_short_id_does_not_hide_a_token() -> None:
    found = correlate([Place(Placement.DNS_NAME, f"www{TOKEN}.{DOMAIN}")], registry("www", OWN_ID))
    assert [one.correlation_id for one in found] == ["www", OWN_ID]


def test_ids_of_other_lengths_are_found_with_their_whole_nonce() -> None:
    listening = Registry()
    listening.add("k" * 24, TO_THE_END)
    listening.add("abc", 4)
    found = correlate([Place(Placement.DNS_NAME, f"{'K' * 24}{'n' * 24}.abc1234567.{DOMAIN}")], listening)
    assert [one.unique_id for one in found] == ["k" * 24 + "n" * 24, "abc1234"]
    assert not correlate([Place(Placement.DNS_NAME, "k" * 24 + "nn")], listening)


def test_an_id_without_its_nonce_is_no_token() -> None:
    for text in (OWN_ID, OWN_ID + "yyy", TOKEN[:-1], f"{OWN_ID}.{TOKEN[20:]}"):
        assert not correlate([Place(Placement.DNS_NAME, text)], registry())


def test_several_tokens_in_one_interaction_are_several_hits() -> None:
    other = correlation_id(b"o" * 20)
    hits = attribute(http(f"/{other}{'y' * 13}", host=f"{TOKEN}.{DOMAIN}"), registry(OWN_ID, other))
    assert [hit.unique_id for hit in hits] == [TOKEN, other + "y" * 13]


def test_an_interaction_without_a_token_stays_as_it_is() -> None:
    interaction = http()
    assert attribute(interaction, registry()) == [interaction]
    assert interaction.unique_id == ""


def test_a_list_of_ids_is_read_up_to_its_bound() -> None:
    text = " ".join(OWN_ID + f"{index:013d}" for index in range(100))
    assert len(correlate([Place(Placement.HTTP_BODY, text)], registry())) == MAX_ATTRIBUTIONS


def test_the_registry_refuses_what_would_cost_every_listener() -> None:
    listening = Registry()
    for length in range(MAX_ID_LENGTHS):
        listening.add("a" * (length + 3))
    with pytest.raises(ValueError, match="lengths"):
        listening.add("a" * 30)
    with pytest.raises(ValueError, match="letters and digits"):
        listening.add("not an id")
    listening.add("a" * 3)
    listening.discard("a" * 4)
    listening.add("a" * 30)
    assert len(listening) == MAX_ID_LENGTHS


@given(
    st.text(max_size=60),
    st.text(ID_ALPHABET + "xyz.-%\\", max_size=60),
    st.text(NONCE_ALPHABET, min_size=13, max_size=13),
)
def test_any_text_around_a_token_leaves_it_findable(before: str, after: str, nonce: str) -> None:
    places = [Place(Placement.OTHER, before + OWN_ID + nonce + after)]
    assert OWN_ID + nonce in [one.unique_id for one in correlate(places, registry())]


@given(
    st.lists(
        st.sampled_from([TOKEN, TOKEN.upper(), OWN_ID, "x", "-", ".", "%41", "\\065", "ab1", "\u0130"]), max_size=6
    )
)
def test_a_queried_name_is_read_like_every_other_place(parts: list[str]) -> None:
    ids = registry(OWN_ID, "ab1")
    query = DnsInteraction(ts_ns=0, peer=PEER, name="".join(parts) + f".{DOMAIN}")
    found = [one.attribution for one in attribute(query, ids) if one.attribution is not None]
    assert found == correlate([Place(Placement.DNS_NAME, query.name)], ids)
