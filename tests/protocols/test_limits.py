"""What the pages of the protocols name as limits holds at the number and not beside it."""

import pytest

from lapwing.events import Message
from lapwing.events.messages.ldap import LdapBind, LdapRequest, LdapResult
from lapwing.events.messages.tls import TlsCertificates, TlsClientHello
from lapwing.protocols.ldap import MAX_MESSAGE_BYTES, MAX_SKIPPED_BYTES, MAX_TEXT_CHARS, LdapParser
from lapwing.protocols.ldap_search import MAX_ATTRIBUTES
from lapwing.protocols.pop3 import MAX_PENDING_COMMANDS, Pop3Parser
from lapwing.protocols.smtp import MAX_PENDING_COMMANDS as MAX_SMTP_COMMANDS
from lapwing.protocols.smtp import SmtpParser
from lapwing.protocols.ssh import SshParser
from lapwing.protocols.ssh.clear import MAX_PACKET_BYTES
from lapwing.protocols.tls import TlsParser
from lapwing.protocols.tls.certificates import MAX_CERTIFICATES
from lapwing.protocols.tls.hello import MAX_EXTENSIONS
from lapwing.protocols.tls.records import MAX_RECORD_BYTES
from lapwing.protocols.websocket import MAX_FRAME_BYTES, WebsocketParser
from lapwing.wire.ber import write
from tests.protocols.ldap_bytes import entry, message, result, simple_bind
from tests.protocols.playbook import client, play, server
from tests.protocols.test_ldap_search import PRESENT, content
from tests.protocols.tls_bytes import certificates, client_hello, record

AT_AND_BESIDE = pytest.mark.parametrize("beyond", [0, 1])


@AT_AND_BESIDE
def test_a_frame_of_a_websocket_has_a_terabyte_at_most(beyond: int) -> None:
    parser = WebsocketParser()
    play(parser, server(b"\x82\x7f" + (MAX_FRAME_BYTES + beyond).to_bytes(8, "big") + b"x"))
    assert bool(parser.poisoned) == bool(beyond)


@AT_AND_BESIDE
def test_so_many_attributes_of_a_search_are_kept(beyond: int) -> None:
    names = [f"a{number}" for number in range(MAX_ATTRIBUTES + beyond)]
    (request,) = play(LdapParser(), client(message(3, write(0x63, content(PRESENT, *names)))))
    assert isinstance(request, LdapRequest)
    assert request.attributes == names[:MAX_ATTRIBUTES]


@AT_AND_BESIDE
def test_a_name_of_ldap_is_cut(beyond: int) -> None:
    (bind,) = play(LdapParser(), client(simple_bind(1, "n" * (MAX_TEXT_CHARS + beyond), "x")))
    assert isinstance(bind, LdapBind)
    assert bind.name == "n" * MAX_TEXT_CHARS


@AT_AND_BESIDE
def test_a_long_message_of_ldap_is_skipped_and_the_next_one_read(beyond: int) -> None:
    text = "t" * (MAX_MESSAGE_BYTES - len(result(1, 0, "t" * 60_000)) + 60_000 + beyond)
    assert len(result(1, 0, text)) == MAX_MESSAGE_BYTES + beyond
    found = play(LdapParser(), server(result(1, 0, text) + result(2, 49)))
    assert [one.message_id for one in found if isinstance(one, LdapResult)] == [1, 2][beyond:]


@AT_AND_BESIDE
def test_a_message_of_ldap_that_is_far_too_long_ends_the_reading(beyond: int) -> None:
    parser = LdapParser()
    size = MAX_SKIPPED_BYTES - len(b"\x30\x84....") + beyond
    play(parser, server(entry(1, "cn=a") + b"\x30\x84" + size.to_bytes(4, "big") + entry(2, "cn=b")[2:]))
    assert bool(parser.poisoned) == bool(beyond)


@AT_AND_BESIDE
def test_a_hello_has_so_many_extensions(beyond: int) -> None:
    parser = TlsParser()
    found = play(parser, client(record(22, client_hello(*[(7_000, b"")] * (MAX_EXTENSIONS + beyond)))))
    assert bool(parser.poisoned) == bool(beyond)
    assert [type(one) for one in found] == [TlsClientHello] * (1 - beyond)


@AT_AND_BESIDE
def test_so_many_certificates_of_a_chain_are_told(beyond: int) -> None:
    chain = certificates(*[b"0\0"] * (MAX_CERTIFICATES + beyond))
    (found,) = play(TlsParser(), server(record(22, chain)))
    assert isinstance(found, TlsCertificates)
    assert len(found.certificates) == MAX_CERTIFICATES


@AT_AND_BESIDE
def test_a_record_of_tls_is_so_long(beyond: int) -> None:
    parser = TlsParser()
    play(parser, client(record(22, client_hello())), server(record(23, bytes(MAX_RECORD_BYTES + beyond))))
    assert bool(parser.poisoned) == bool(beyond)


@AT_AND_BESIDE
def test_a_packet_of_ssh_before_encryption_is_so_long(beyond: int) -> None:
    parser = SshParser()
    play(parser, server(b"SSH-2.0-x\r\n" + (MAX_PACKET_BYTES + beyond).to_bytes(4, "big") + b"\4\x1f" + bytes(9)))
    assert bool(parser.poisoned) == bool(beyond)


@AT_AND_BESIDE
def test_a_wish_for_tls_is_remembered_while_so_many_commands_wait(beyond: int) -> None:
    for parser, greeting, wish, most, agreed in (
        (Pop3Parser(), b"+OK ready\r\n", b"STLS\r\n", MAX_PENDING_COMMANDS, b"+OK go\r\n"),
        (SmtpParser(), b"220 a ESMTP\r\n", b"STARTTLS\r\n", MAX_SMTP_COMMANDS, b"220 go\r\n"),
    ):
        waiting = b"NOOP\r\n" * (most - 1 + beyond)
        found: list[Message] = play(parser, server(greeting), client(wish + waiting), server(agreed))
        assert len(found) == 1 + most + beyond + 1
        assert parser.done == (not beyond)
