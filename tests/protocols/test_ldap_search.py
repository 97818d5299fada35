"""What a search of LDAP asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events.messages.ldap import LdapRequest
from lapwing.protocols.ldap import LdapParser
from lapwing.protocols.ldap_search import MAX_FILTER_CHARS, MAX_FILTER_DEPTH, read_search
from lapwing.wire.ber import write, write_integer
from tests.protocols.ldap_bytes import message
from tests.protocols.playbook import client, play


def octets(text: str, tag: int = 4) -> bytes:
    return write(tag, text.encode())


def content(wanted: bytes, *attributes: str, scope: int = 2, dereference: int = 3) -> bytes:
    numbers = write_integer(scope, 10), write_integer(dereference, 10), write_integer(0), write_integer(0)
    names = write(0x30, *map(octets, attributes))
    return b"".join((octets("dc=example,dc=com"), *numbers, write(1, b"\0"), wanted, names))


def equal(name: str, value: str, tag: int = 0xA3) -> bytes:
    return write(tag, octets(name), octets(value))


PRESENT = octets("objectClass", 0x87)


def test_a_search_says_where_how_and_for_what() -> None:
    wanted = write(0xA0, equal("objectClass", "person"), write(0xA1, equal("uid", "ana"), equal("uid", "ben")))
    (request,) = play(LdapParser(), client(message(3, write(0x63, content(wanted, "cn", "mail")))))
    assert request == LdapRequest(
        3,
        "search",
        "dc=example,dc=com",
        "tree",
        "always",
        "(&(objectClass=person)(|(uid=ana)(uid=ben)))",
        ["cn", "mail"],
    )


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (PRESENT, "(objectClass=*)"),
        (write(0xA2, PRESENT), "(!(objectClass=*))"),
        (equal("age", "18", 0xA5), "(age>=18)"),
        (equal("age", "18", 0xA6), "(age<=18)"),
        (equal("cn", "ana", 0xA8), "(cn~=ana)"),
        (equal("cn", "a*(b)\\"), "(cn=a\\2a\\28b\\29\\5c)"),
        (write(0xA4, octets("cn"), write(0x30, octets("a", 0x80), octets("b", 0x81))), "(cn=a*b*)"),
        (write(0xA4, octets("cn"), write(0x30, octets("b", 0x81), octets("c", 0x82))), "(cn=*b*c)"),
        (write(0xA9, octets("1.2.3", 0x81), octets("cn", 0x82), octets("x", 0x83)), "(cn:1.2.3:=x)"),
        (write(0xA9, octets("cn", 0x82), octets("x", 0x83), write(0x84, b"\xff")), "(cn:dn:=x)"),
    ],
)
def test_filters_are_text_of_rfc_4515(wanted: bytes, text: str) -> None:
    asked = read_search(content(wanted))
    assert asked is not None
    assert asked.filter == text


def test_passwords_that_are_filtered_by_are_not_shown() -> None:
    wanted = write(0xA0, equal("userPassword", "lapwing"), equal("unicodePwd;binary", "lapwing"))
    asked = read_search(content(wanted))
    assert asked is not None
    assert "lapwing" not in asked.filter
    assert asked.filter.count("[redacted]") == 2


def test_filters_are_bounded_in_depth_and_length() -> None:
    deep = PRESENT
    for _ in range(MAX_FILTER_DEPTH + 10):
        deep = write(0xA2, deep)
    asked = read_search(content(deep))
    assert asked is not None
    assert asked.filter == "(!" * MAX_FILTER_DEPTH + "(...)" + ")" * MAX_FILTER_DEPTH
    long = read_search(content(write(0xA1, *(equal("cn", "x" * 50) for _ in range(900)))))
    assert long is not None
    assert len(long.filter) == MAX_FILTER_CHARS


def test_a_search_of_another_form_keeps_what_can_be_read() -> None:
    broken = octets("dc=example,dc=com") + write_integer(2, 10)
    assert play(LdapParser(), client(message(3, write(0x63, broken)))) == [
        LdapRequest(3, "search", "dc=example,dc=com")
    ]


def test_numbers_without_a_name_are_unknown() -> None:
    asked = read_search(content(PRESENT, scope=7, dereference=9))
    assert asked is not None
    assert (asked.scope, asked.deref_aliases) == ("unknown", "unknown")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_search_or_none(data: bytes) -> None:
    asked = read_search(data)
    assert asked is None or len(asked.filter) <= MAX_FILTER_CHARS
