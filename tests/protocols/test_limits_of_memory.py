"""What parsers remember of a connection is as much as their pages name: of more, the oldest is forgotten."""

import pytest

from lapwing.events import Message, Outcome, Side
from lapwing.events.messages import HttpRequest, HttpResponse, SshAuthInferred
from lapwing.events.messages.ldap import LdapResult
from lapwing.protocols.http import HttpParser
from lapwing.protocols.http.heads import MANGLED_LINE_BYTES
from lapwing.protocols.http.reader import MAX_START_LINE_BYTES
from lapwing.protocols.imap import MAX_PENDING as MAX_TAGS
from lapwing.protocols.imap import ImapParser
from lapwing.protocols.ldap import MAX_PENDING as MAX_LDAP_PENDING
from lapwing.protocols.ldap import LdapParser
from lapwing.protocols.ssh import SshParser
from lapwing.protocols.ssh.outcome import MAX_OTHER_ANSWERS, MAX_OTHER_BYTES
from lapwing.protocols.ssh.sizes import MAX_LENGTH, MAX_TURN_PACKETS, Framing, Turn
from lapwing.protocols.tls import fingerprints
from lapwing.protocols.tls.fingerprints import MAX_COUNT, MAX_REMEMBERED_CHARS, ja4
from lapwing.wire.ber import write
from tests.protocols import ssh_bytes as ssh
from tests.protocols.ldap_bytes import entry, message, result, start_tls
from tests.protocols.playbook import Step, client, lost, play, server
from tests.protocols.test_tls_fingerprints import hello, kinds

AT_AND_BESIDE = pytest.mark.parametrize("beyond", [0, 1])
LONGEST_TARGET = 8_000  # of a request line that is sought; with method and version it is below what is looked back for
LONGEST_REASON = 1_000  # of a status line that is sought


def inferred(*steps: Step) -> list[tuple[Outcome, float]]:
    """What was inferred of the logins of an SSH session."""
    found = play(SshParser(), *steps)
    return [(one.outcome, one.confidence) for one in found if isinstance(one, SshAuthInferred)]


@AT_AND_BESIDE
def test_so_many_answers_of_ssh_in_a_row_may_be_neither_failure_nor_success(beyond: int) -> None:
    others = [(ssh.KEY_OFFER,), (ssh.KEY_ACCEPTED,)] * (MAX_OTHER_ANSWERS + beyond)
    turns = [(ssh.NONE,), (ssh.FAILURE,), *others, (ssh.KEY_OFFER,)]
    assert inferred(*ssh.session(ssh.CHACHA, *turns)) == [(Outcome.SUCCEEDED, 0.6)] * beyond


@AT_AND_BESIDE
def test_such_answers_of_ssh_have_so_many_bytes(beyond: int) -> None:
    half = MAX_OTHER_BYTES // 2
    begin = ssh.session(ssh.CHACHA, (ssh.NONE,), (ssh.FAILURE,))
    ask = client(ssh.sealed(ssh.CHACHA, ssh.KEY_OFFER))
    talk = [*begin, ask, server(b"\xcc" * half), ask, server(b"\xcc" * (half + beyond)), ask]
    assert inferred(*talk) == [(Outcome.SUCCEEDED, 0.6)] * beyond


@AT_AND_BESIDE
def test_a_failure_of_ssh_begins_the_count_of_other_answers_anew(beyond: int) -> None:
    others = [(ssh.KEY_OFFER,), (ssh.KEY_ACCEPTED,)] * (MAX_OTHER_ANSWERS - 1 + beyond)
    guess = [(ssh.password(8),), (ssh.FAILURE,)]
    turns = [(ssh.NONE,), (ssh.FAILURE,), *others, *guess, *others, (ssh.KEY_OFFER,)]
    assert inferred(*ssh.session(ssh.CHACHA, *turns)) == [(Outcome.FAILED, 0.9)]


@AT_AND_BESIDE
def test_so_many_packets_of_a_turn_of_ssh_are_told_apart(beyond: int) -> None:
    answer = (300,) * (MAX_TURN_PACKETS - 1 + beyond) + (ssh.SUCCESS,)
    turns = [(ssh.NONE,), (ssh.FAILURE,), (ssh.password(8),), answer, (ssh.KEY_OFFER,)]
    assert inferred(*ssh.session(ssh.GCM, *turns)) == [(Outcome.SUCCEEDED, 0.95)] * (1 - beyond)


def after_damage(side: Side, start: bytes) -> list[Message]:
    """What is read after a hole, garbage without a line end, and a start line whose own end comes last."""
    step = client if side is Side.CLIENT else server
    garbage = [step(b"~" * 700)] * (1 + MAX_START_LINE_BYTES // 700)
    parser = HttpParser()
    assert len(start) <= MAX_START_LINE_BYTES
    return play(parser, lost(side, 5), *garbage, step(start), step(b"\r\nContent-Length: 0\r\n\r\n"))


@AT_AND_BESIDE
def test_a_request_line_of_so_many_bytes_is_found_again_after_damage(beyond: int) -> None:
    target = "/".ljust(LONGEST_TARGET + beyond, "t")
    found = after_damage(Side.CLIENT, f"DELETE {target} HTTP/1.1".encode())
    assert [one.target for one in found if isinstance(one, HttpRequest)] == [target] * (1 - beyond)


@AT_AND_BESIDE
def test_a_status_line_of_so_many_bytes_is_found_again_after_damage(beyond: int) -> None:
    found = after_damage(Side.SERVER, b"HTTP/1.1 404 ".ljust(13 + LONGEST_REASON + beyond, b"r"))
    assert [one.status for one in found if isinstance(one, HttpResponse)] == [404] * (1 - beyond)


@AT_AND_BESIDE
def test_so_many_tags_of_imap_wait_for_answers_that_change_the_connection(beyond: int) -> None:
    asked = b"".join(b"t%d STARTTLS\r\n" % number for number in range(MAX_TAGS + beyond))
    parser = ImapParser()
    play(parser, server(b"* OK ready\r\n"), client(asked), server(b"t0 OK go\r\n"))
    assert parser.done == (not beyond)


@AT_AND_BESIDE
def test_a_wish_of_ldap_for_tls_is_remembered_while_so_many_requests_wait(beyond: int) -> None:
    others = b"".join(message(2 + n, write(0x77, write(0x80, b"1.2.3"))) for n in range(MAX_LDAP_PENDING - 1 + beyond))
    parser = LdapParser()
    play(parser, client(start_tls(1) + others), server(result(1, 0, tag=0x78)))
    assert parser.done == (not beyond)


@AT_AND_BESIDE
def test_entries_of_so_many_searches_of_ldap_are_counted(beyond: int) -> None:
    entries = b"".join(entry(1 + number, "cn=a") for number in range(MAX_LDAP_PENDING + beyond))
    found = play(LdapParser(), server(entries + result(1, 0, tag=0x65) + result(2, 0, tag=0x65)))
    assert [one.entry_count for one in found if isinstance(one, LdapResult)] == [1 - beyond, 1]


@AT_AND_BESIDE
def test_garbage_of_a_server_is_waited_for_until_it_might_mention_http(beyond: int) -> None:
    parser = HttpParser()
    play(parser, server(b"~" * (MANGLED_LINE_BYTES - 1 + beyond)))
    assert bool(parser.poisoned) == bool(beyond)


@AT_AND_BESIDE
def test_a_mangled_line_of_a_server_mentions_http_in_its_first_bytes(beyond: int) -> None:
    parser = HttpParser()
    play(parser, server(b"HTTP/1".rjust(MANGLED_LINE_BYTES + beyond, b"~") + b".1 200 OK\r\n"))
    assert bool(parser.poisoned) == bool(beyond)


@AT_AND_BESIDE
def test_packets_of_ssh_are_told_apart_up_to_this_length(beyond: int) -> None:
    turn = Turn(Framing(16, tag_bytes=16, clear_length=True, covers_length=False))
    long, short = MAX_LENGTH + beyond, 32
    for length in (short, long, short):
        turn.push(length.to_bytes(4, "big") + bytes(length + 16))
    whole = [4 + length + 16 for length in (short, long, short)]
    assert turn.sizes == ([sum(whole)] if beyond else whole)


@AT_AND_BESIDE
def test_the_hash_of_a_fingerprint_is_remembered_with_a_text_of_so_many_letters(beyond: int) -> None:
    text = "7" * (MAX_REMEMBERED_CHARS + beyond)
    for hashed, remembered in (
        (fingerprints._md5, fingerprints._remembered_md5),
        (fingerprints._short_hash, fingerprints._remembered_short),
    ):
        remembered.cache_clear()
        assert hashed(text) == hashed(text)
        assert remembered.cache_info().currsize == 1 - beyond


@AT_AND_BESIDE
def test_a_fingerprint_counts_so_many_suites_and_extensions(beyond: int) -> None:
    numbers = range(0x100, 0x100 + MAX_COUNT + beyond)
    told = ja4(hello(cipher_suites=list(numbers), extensions=kinds(*numbers)), "t")
    assert told[4:8] == f"{MAX_COUNT}{MAX_COUNT}"
