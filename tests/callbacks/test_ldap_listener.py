"""The LDAP listener."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.callbacks.interaction import LdapInteraction
from lapwing.callbacks.responders import LdapResponder
from lapwing.callbacks.responders.ldap import MAX_GARBAGE_BYTES, MAX_MESSAGE_BYTES, MAX_REQUESTS, START_TLS
from lapwing.events import WireError
from lapwing.wire.ber import message_size, read_elements, write, write_integer
from tests.callbacks.playbook import PEER, SIZES, TLS, Step, Talk, play, same_whichever_way_it_is_cut

# As OpenLDAP's client sends them.
BIND = bytes.fromhex("301a0201016015020103") + b"\x04\x06cn=ana" + b"\x80\x08hunter22"
UNBIND = bytes.fromhex("30050201034200")


def message(number: int, operation: bytes) -> bytes:
    return write(0x30, write_integer(number), operation)


def search(base: bytes, wanted: bytes = write(0x87, b"objectClass")) -> bytes:
    fields = (write_integer(2, 10), write_integer(0, 10), write_integer(0), write_integer(0), write(1, b"\0"))
    return write(0x63, write(4, base), *fields, wanted, write(0x30))


def bind(name: bytes, secret: bytes) -> bytes:
    return write(0x60, write_integer(3), write(4, name), write(0x80, secret))


def make() -> LdapResponder:
    return LdapResponder(PEER, 0)


def notes(talk: Talk) -> list[tuple[str, str, str]]:
    return [(one.operation, one.name, one.search_filter) for one in talk.noted if isinstance(one, LdapInteraction)]


def answers(talk: Talk) -> list[tuple[int, int]]:
    """Tags and result codes of what was heard."""
    found = []
    for outer in read_elements(bytes(talk.heard)):
        operation = read_elements(outer.content)[1]
        first = read_elements(operation.content)[0]
        found.append((operation.tag, first.content[0] if first.tag == 10 else -1))
    return found


CONVERSATION: list[Step] = [
    message(1, bind(b"cn=ana", b"hunter2")),
    message(2, search(b"cn=t0ken,dc=example,dc=com")),
    UNBIND,
]


def test_a_client_binds_searches_and_leaves() -> None:
    talk = play(make, CONVERSATION)
    assert notes(talk) == [("bind", "cn=ana", ""), ("search", "cn=t0ken,dc=example,dc=com", "(objectClass=*)")]
    assert answers(talk) == [(0x61, 0), (0x64, -1), (0x65, 0)]
    assert talk.closed == "unbind"
    assert talk.noted[1].raw_request == CONVERSATION[1]


@given(SIZES)
def test_a_conversation_is_the_same_in_any_pieces(sizes: list[int]) -> None:
    same_whichever_way_it_is_cut(make, [b"".join(step for step in CONVERSATION if isinstance(step, bytes))], sizes)


def test_no_password_is_kept_and_the_bind_stays_a_message() -> None:
    (note, *_) = play(make, CONVERSATION).noted
    assert b"hunter2" not in note.raw_request
    assert b"*******" in note.raw_request
    assert message_size(note.raw_request) == len(note.raw_request)


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (write(0x87, b"uid"), "(uid=*)"),
        (write(0xA3, write(4, b"uid"), write(4, b"a*(b)")), "(uid=a\\2a\\28b\\29)"),
        (write(0xA5, write(4, b"n"), write(4, b"1")), "(n>=1)"),
        (write(0xA0, write(0x87, b"a"), write(0xA2, write(0x87, b"b"))), "(&(a=*)(!(b=*)))"),
        (write(0xA1, write(0xA6, write(4, b"n"), write(4, b"1"))), "(|(n<=1))"),
        (write(0xA8, write(4, b"n"), write(4, b"x")), "(n~=x)"),
        (
            write(0xA4, write(4, b"cn"), write(0x30, write(0x80, b"a"), write(0x81, b"b"), write(0x82, b"c"))),
            "(cn=a*b*c)",
        ),
        (write(0xA9, write(0x81, b"2.5.13.5"), write(0x82, b"cn"), write(0x83, b"v")), "(cn:2.5.13.5:=v)"),
    ],
)
def test_filters_are_shown_as_text(wanted: bytes, text: str) -> None:
    assert notes(play(make, [message(1, search(b"dc=x", wanted))])) == [("search", "dc=x", text)]


@pytest.mark.parametrize(
    ("tag", "answer", "name"),
    [(0x66, 0x67, "modify"), (0x68, 0x69, "add"), (0x6C, 0x6D, "modify-dn"), (0x6E, 0x6F, "compare")],
)
def test_other_operations_are_noted_by_their_name_and_refused(tag: int, answer: int, name: str) -> None:
    talk = play(make, [message(7, write(tag, write(4, b"cn=t0ken")))])
    assert notes(talk) == [(name, "cn=t0ken", "")]
    assert answers(talk) == [(answer, 53)]


def test_a_deletion_is_noted_and_an_abandon_ignored() -> None:
    talk = play(make, [message(7, write(0x4A, b"cn=t0ken")) + message(8, write(0x50, b"\x07"))])
    assert notes(talk) == [("delete", "cn=t0ken", "")]
    assert answers(talk) == [(0x6B, 53)]


def test_starttls_drops_what_was_sent_ahead() -> None:
    start = message(1, write(0x77, write(0x80, START_TLS)))
    talk = play(
        make,
        [
            start + message(2, bind(b"injected", b"")),
            message(3, search(b"x")),
            TLS,
            *CONVERSATION,
        ],
    )
    assert [note[1] for note in notes(talk)] == ["cn=ana", "cn=t0ken,dc=example,dc=com"]
    assert all(note.peer.tls for note in talk.noted)


def test_other_extensions_are_noted_without_what_they_carry() -> None:
    change = write(0x77, write(0x80, b"1.3.6.1.4.1.4203.1.11.1"), write(0x81, b"hunter2"))
    talk = play(make, [message(1, change)])
    assert notes(talk) == [("extended", "1.3.6.1.4.1.4203.1.11.1", "")]
    assert talk.noted[0].truncated
    assert answers(talk) == [(0x78, 2)]


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x30\x80\x02\x01",
        b"\x30\x84\xff\xff\xff\xff",
        write(0x30, b"\x02\x05"),
        write(0x30),
        message(1, search(b"x", write(0xA3, write(4, b"a")))),
        message(1, write(0x63, write(4, b"x"))),
        message(1, search(b"x", write(0xA2, b"") * 1 + b"\xff")),
        message(1, write(0x99)),
        write(0x30, write(4, b"1"), write(0x60)),
    ],
)
def test_what_is_no_ldap_is_kept_and_ends_the_connection(garbage: bytes) -> None:
    talk = play(make, [garbage])
    assert talk.closed
    assert [note.raw_request for note in talk.noted] == [garbage]
    assert talk.noted[0].malformed


def test_deep_filters_do_not_exhaust_the_stack() -> None:
    wanted = write(0x87, b"a")
    for _ in range(2000):
        wanted = write(0xA2, wanted)
    talk = play(make, [message(1, search(b"x", wanted))])
    assert talk.noted[0].malformed


def test_bounds_end_the_connection() -> None:
    talk = play(make, [message(1, bind(b"a", b"")) * (MAX_REQUESTS + 5)])
    assert len(talk.noted) == MAX_REQUESTS
    talk = play(make, [b"\x30\x83\x10\x00\x00" + b"x" * 5000])
    assert talk.noted[0].raw_request == (b"\x30\x83\x10\x00\x00" + b"x" * 5000)[:MAX_GARBAGE_BYTES]
    assert MAX_GARBAGE_BYTES < MAX_MESSAGE_BYTES


@given(st.binary(max_size=40), st.integers(0, 0xFF))
def test_any_element_is_read_back_or_refused(content: bytes, tag: int) -> None:
    assert read_elements(write(tag, content)) == [(tag, content, 2)]
    with contextlib.suppress(WireError):
        assert all(content[one.start :].startswith(one.content) for one in read_elements(content))


PIECES = st.sampled_from([BIND, UNBIND, b"\x30", b"\x30\x84", message(1, search(b"a")), message(9, write(0x42))])


@given(st.lists(st.one_of(st.binary(max_size=40), PIECES), max_size=6), SIZES)
def test_any_bytes_in_any_pieces_are_the_same(steps: list[bytes], sizes: list[int]) -> None:
    same_whichever_way_it_is_cut(make, list(steps), sizes)
