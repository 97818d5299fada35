"""Logins over LDAP."""

import pytest

from lapwing.events import AuthEvent
from lapwing.logins.ldap import MAX_PENDING
from lapwing.protocols.ldap import LdapParser
from tests.logins.lines import TAGGER, ended, logins, published, text
from tests.protocols.ldap_bytes import result, sasl_bind, simple_bind
from tests.protocols.playbook import Step, client, server

NAME = "cn=Ana,dc=example,dc=com"
MICROSOFT = "80090308: LdapErr: DSID-0C090400, comment: AcceptSecurityContext error, data {}, v1db1"


def ldap(*steps: Step) -> list[AuthEvent]:
    return logins("ldap", LdapParser(), *steps)


def test_a_refused_and_an_accepted_bind() -> None:
    talk = [
        client(simple_bind(1, NAME, "hunter2") + simple_bind(2, NAME, "lapwing")),
        server(result(2, 0) + result(1, 49)),
    ]
    events = ldap(*talk)
    assert ended(events) == [(NAME.lower(), "simple", "succeeded"), (NAME.lower(), "simple", "failed")]
    assert events[0].secret_tag == TAGGER.tag("hunter2")
    assert "hunter2" not in text(events) + published(LdapParser(), *talk)


@pytest.mark.parametrize(
    ("code", "said", "outcome"),
    [
        (49, MICROSOFT.format("52e"), "failed"),
        (49, MICROSOFT.format("775"), "locked"),
        (49, MICROSOFT.format("773"), "challenged"),
        (49, "account locked", "locked"),
        (32, "", "failed"),
        (53, "", "unknown"),
        (8, "TLS required", "unknown"),
    ],
)
def test_the_result_tells_the_outcome(code: int, said: str, outcome: str) -> None:
    talk = [client(simple_bind(1, NAME, "hunter2")), server(result(1, code, said))]
    assert [found for _, _, found in ended(ldap(*talk))] == [outcome]


@pytest.mark.parametrize(
    ("name", "secret", "mechanism"), [("", "", "anonymous"), (NAME, "", "unauthenticated"), (NAME, "x", "simple")]
)
def test_a_bind_without_credentials_is_named_so(name: str, secret: str, mechanism: str) -> None:
    assert [kind for _, kind, _ in ended(ldap(client(simple_bind(1, name, secret)), server(result(1, 0))))] == [
        mechanism
    ]


def test_a_sasl_exchange_over_several_binds_is_one_login() -> None:
    talk = [
        client(sasl_bind(1, "DIGEST-MD5", b"")),
        server(result(1, 14)),
        client(sasl_bind(2, "DIGEST-MD5", b'username="Ana",realm="x",response=0')),
        server(result(2, 49)),
        client(sasl_bind(3, "PLAIN", b"\0Ana\0hunter2")),
        server(result(3, 0)),
    ]
    assert ended(ldap(*talk)) == [("ana", "digest-md5", "failed"), ("ana", "plain", "succeeded")]


def test_binds_that_wait_for_an_answer_are_bounded() -> None:
    many = b"".join(simple_bind(number, NAME, "x") for number in range(1, 3 * MAX_PENDING + 1))
    assert [outcome for _, _, outcome in ended(ldap(client(many)))] == ["unknown"] * 3 * MAX_PENDING
