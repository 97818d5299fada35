"""What is named as limits of logins holds at the number and not beside it."""

import json
import zlib
from collections.abc import Callable

import pytest

from lapwing.events import AuthAttempted, AuthEvent, AuthResolved, Outcome
from lapwing.logins import ftp, http, imap, ldap, pop3
from lapwing.logins.http_fields import MAX_FIELD_CHARS, MAX_FIELDS, MAX_INFLATED_BYTES, MAX_JSON_DEPTH, inflated
from lapwing.logins.http_names import MAX_NAME_CHARS
from lapwing.logins.http_pages import FAILURE, MAX_PAGE_BYTES, NOTHING, read_page
from lapwing.logins.sasl_exchange import MAX_MECHANISM_CHARS
from lapwing.protocols import StreamParser
from lapwing.protocols.ftp import FtpParser
from lapwing.protocols.http import HttpParser
from lapwing.protocols.imap import ImapParser
from lapwing.protocols.ldap import LdapParser
from lapwing.protocols.pop3 import Pop3Parser
from tests.logins.lines import TAGGER, logins
from tests.logins.test_http import OK, attempts, basic, outcomes, post
from tests.protocols.ldap_bytes import simple_bind
from tests.protocols.playbook import Step, client, server

AT_AND_BESIDE = pytest.mark.parametrize("beyond", [0, 1])
# Protocol, its parser, how many tries wait, and so many of them in one piece.
WAITING: list[tuple[str, Callable[[], StreamParser], int, Callable[[int], bytes]]] = [
    ("ftp", FtpParser, ftp.MAX_PENDING, lambda many: b"USER ana\r\n" + b"PASS x\r\n" * many),
    ("pop3", Pop3Parser, pop3.MAX_PENDING, lambda many: b"PASS x\r\n" * many),
    ("imap", ImapParser, imap.MAX_PENDING, lambda many: b"".join(b"t%d LOGIN ana x\r\n" % n for n in range(many))),
    ("ldap", LdapParser, ldap.MAX_PENDING, lambda many: b"".join(simple_bind(1 + n, "cn=a", "x") for n in range(many))),
    ("http", HttpParser, http.MAX_PENDING, lambda many: post("username=ana&password=x").data * many),
]


@AT_AND_BESIDE
@pytest.mark.parametrize(("protocol", "make", "most", "tries"), WAITING, ids=[row[0] for row in WAITING])
def test_so_many_tries_wait_and_the_oldest_beyond_is_resolved_as_unknown(
    protocol: str, make: Callable[[], StreamParser], most: int, tries: Callable[[int], bytes], beyond: int
) -> None:
    events = logins(protocol, make(), client(tries(most + beyond)), server(b""))
    tried = [event.auth_id for event in events if isinstance(event, AuthAttempted)]
    assert len(tried) == most + beyond
    pushed = [event for event in events if isinstance(event, AuthResolved) and event.ts_ns == 0]
    assert [(event.auth_id, event.outcome) for event in pushed] == [(tried[0], Outcome.UNKNOWN)] * beyond


def mechanism(events: list[AuthEvent]) -> str:
    """Of the first try."""
    first = events[0]
    assert isinstance(first, AuthAttempted)
    return first.mechanism


@AT_AND_BESIDE
def test_a_mechanism_has_so_many_letters(beyond: int) -> None:
    name = "X-".ljust(MAX_MECHANISM_CHARS + beyond, "y")
    events = logins("imap", ImapParser(), client(f"a AUTHENTICATE {name} eA==\r\n".encode()), server(b"a NO no\r\n"))
    assert mechanism(events) == name[:MAX_MECHANISM_CHARS].lower()


@AT_AND_BESIDE
def test_so_many_accepted_credentials_repeat_without_being_new_logins(beyond: int) -> None:
    users = [f"u{number}" for number in range(http.MAX_ACCEPTED + beyond)]
    steps: list[Step] = []
    for user in [*users, users[0]]:
        steps += [basic(user, "Correct-Horse-9"), server(OK)]
    assert [event.username for event in outcomes(*steps)] == users + users[:1] * beyond


@AT_AND_BESIDE
def test_the_name_of_a_browser_has_so_many_letters(beyond: int) -> None:
    agent = "b" * (http.MAX_USER_AGENT_CHARS + beyond)
    step = post("username=ana&password=x")
    (attempt,) = attempts(client(step.data.replace(b"browser/1", agent.encode())))
    assert attempt.user_agent == agent[: http.MAX_USER_AGENT_CHARS]


def form(fields: list[tuple[str, str]]) -> Step:
    return post("&".join(f"{name}={value}" for name, value in fields))


def document(fields: list[tuple[str, str]]) -> Step:
    return post(json.dumps(dict(fields)), kind="application/json")


def multipart(fields: list[tuple[str, str]]) -> Step:
    parts = [f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields]
    return post("".join(parts) + "--b--\r\n", kind="multipart/form-data; boundary=b")


KINDS = pytest.mark.parametrize("made", [form, document, multipart])


@AT_AND_BESIDE
@KINDS
def test_so_many_fields_of_a_request_are_looked_at(made: Callable[[list[tuple[str, str]]], Step], beyond: int) -> None:
    others = [(f"f{number}", "x") for number in range(MAX_FIELDS - 2 + beyond)]
    tried = attempts(made([("username", "ana"), *others, ("password", "Correct-Horse-9")]))
    assert [attempt.username for attempt in tried] == ["ana"] * (1 - beyond)


@AT_AND_BESIDE
@KINDS
def test_the_value_of_a_field_has_so_many_letters(made: Callable[[list[tuple[str, str]]], Step], beyond: int) -> None:
    (attempt,) = attempts(made([("username", "ana"), ("password", "p" * (MAX_FIELD_CHARS + beyond))]))
    assert attempt.secret_tag == TAGGER.tag("p" * MAX_FIELD_CHARS)


@AT_AND_BESIDE
def test_the_name_of_a_field_is_looked_at_so_far(beyond: int) -> None:
    name = "[password".rjust(MAX_NAME_CHARS + beyond, "f")
    assert len(attempts(form([("username", "ana"), (name, "Correct-Horse-9")]))) == 1 - beyond


@AT_AND_BESIDE
def test_objects_in_objects_are_looked_into_so_deep(beyond: int) -> None:
    inner: object = {"username": "ana", "password": "Correct-Horse-9"}
    for _ in range(MAX_JSON_DEPTH - 1 + beyond):
        inner = {"in": inner}
    assert len(attempts(post(json.dumps(inner), kind="application/json"))) == 1 - beyond


@AT_AND_BESIDE
def test_so_much_of_a_compressed_body_is_inflated(beyond: int) -> None:
    size = MAX_INFLATED_BYTES + beyond
    assert len(inflated(zlib.compress(bytes(size)), "deflate")) == MAX_INFLATED_BYTES


@AT_AND_BESIDE
def test_a_page_is_searched_so_far(beyond: int) -> None:
    page = b"unauthorized".rjust(MAX_PAGE_BYTES + beyond)
    assert read_page(page, FAILURE) == (NOTHING if beyond else FAILURE)
