"""What the pages of the binary protocols name as limits holds at the number and not beside it."""

from collections.abc import Callable

import pytest

from lapwing.events import Message, Side
from lapwing.events.messages import DnsQuery, DnsUnanswered, SshBanner, SshKexInit
from lapwing.events.messages.ldap import LdapRequest, LdapResult
from lapwing.events.messages.quic import QuicInitial, QuicUnread
from lapwing.events.messages.tls import TlsClientHello
from lapwing.protocols import DatagramParser, Match, dhcp, dns, ntp
from lapwing.protocols.dns import MAX_PENDING, DnsParser
from lapwing.protocols.dns_tcp import MAX_FIRST_ANSWER_BYTES, MAX_FIRST_QUERY_BYTES
from lapwing.protocols.dns_tcp import probe as dns_tcp_probe
from lapwing.protocols.ldap import MAX_PENDING as MAX_LDAP_PENDING
from lapwing.protocols.ldap import LdapParser
from lapwing.protocols.ldap_search import MAX_FILTER_CHARS, MAX_FILTER_DEPTH
from lapwing.protocols.quic import QuicParser
from lapwing.protocols.quic import parser as quic
from lapwing.protocols.quic.crypto import MAX_CRYPTO_BYTES, MAX_PIECES
from lapwing.protocols.quic.packets import MAX_ID_BYTES
from lapwing.protocols.ssh import SshParser
from lapwing.protocols.ssh.clear import MAX_BANNER_BYTES, MAX_KEXINIT_BYTES, MAX_PREAMBLE_BYTES
from lapwing.protocols.tls import TlsParser
from lapwing.protocols.tls.records import MAX_HANDSHAKE_BYTES
from lapwing.wire.ber import write
from tests.protocols.ldap_bytes import message, result
from tests.protocols.playbook import KEY, client, play, server
from tests.protocols.quic_bytes import crypto, initial
from tests.protocols.test_dns import query
from tests.protocols.test_ldap_search import PRESENT, content
from tests.protocols.tls_bytes import record

C, S = Side.CLIENT, Side.SERVER
AT_AND_BESIDE = pytest.mark.parametrize("beyond", [0, 1])
BAD: list[tuple[Callable[[], DatagramParser], int]] = [
    (lambda: dhcp.make(KEY), dhcp.MAX_BAD_DATAGRAMS),
    (lambda: ntp.make(KEY), ntp.MAX_BAD_DATAGRAMS),
    (lambda: DnsParser(KEY), dns.MAX_BAD_DATAGRAMS),
    (QuicParser, quic.MAX_BAD_DATAGRAMS),
]


@AT_AND_BESIDE
@pytest.mark.parametrize(("make", "most"), BAD)
def test_so_many_datagrams_in_a_row_that_are_none_end_the_reading(
    make: Callable[[], DatagramParser], most: int, beyond: int
) -> None:
    parser = make()
    for _ in range(most - 1 + beyond):
        parser.parse(C, b"\xc3\0\0\0\1\xff", 0)
    assert bool(parser.poisoned) == bool(beyond)


@AT_AND_BESIDE
def test_so_many_queries_wait_for_their_answers(beyond: int) -> None:
    parser = DnsParser(KEY)
    told: list[Message] = []
    for number in range(MAX_PENDING + beyond):
        told += parser.parse(C, query(number=number).to_wire(), number)
    assert len([one for one in told if isinstance(one, DnsQuery)]) == MAX_PENDING + beyond
    assert [one.transaction_id for one in told if isinstance(one, DnsUnanswered)] == [0] * beyond


@AT_AND_BESIDE
@pytest.mark.parametrize(("side", "most"), [(C, MAX_FIRST_QUERY_BYTES), (S, MAX_FIRST_ANSWER_BYTES)])
def test_the_first_message_over_tcp_is_shorter_than_that(side: Side, most: int, beyond: int) -> None:
    said = query().to_wire()
    said = said[:2] + bytes((said[2] | (0x80 if side is S else 0),)) + said[3:]
    head = (most - 1 + beyond).to_bytes(2, "big") + said
    assert dns_tcp_probe(side, head.ljust(64, b"\0")) is (Match.NO if beyond else Match.YES)


@AT_AND_BESIDE
def test_a_handshake_without_a_hello_of_the_server_has_so_many_datagrams(beyond: int) -> None:
    parser = QuicParser()
    for _ in range(quic.MAX_DATAGRAMS - 1 + beyond):
        parser.parse(C, initial(b"\1"), 0)
    assert parser.done == bool(beyond)


@AT_AND_BESIDE
def test_handshake_bytes_are_so_far_ahead_of_others(beyond: int) -> None:
    parser = QuicParser()
    parser.parse(C, initial(crypto(MAX_CRYPTO_BYTES - 3 + beyond, b"far")), 0)
    assert [one for one in parser.close(0) if isinstance(one, QuicUnread)] == [QuicUnread("damaged", 1)] * beyond


@AT_AND_BESIDE
def test_so_many_pieces_of_handshake_wait_for_others(beyond: int) -> None:
    parser = QuicParser()
    parser.parse(C, initial(b"".join(crypto(2 + 2 * at, b"x") for at in range(MAX_PIECES + beyond))), 0)
    assert [one for one in parser.close(0) if isinstance(one, QuicUnread)] == [QuicUnread("damaged", 1)] * beyond


@AT_AND_BESIDE
def test_a_connection_id_has_so_many_bytes(beyond: int) -> None:
    told = QuicParser().parse(C, initial(b"\1", made_for=bytes(MAX_ID_BYTES + beyond)), 0)
    assert [type(one) for one in told] == [QuicInitial] * (1 - beyond)


@AT_AND_BESIDE
def test_a_handshake_message_of_tls_has_so_many_bytes(beyond: int) -> None:
    parser = TlsParser()
    size = MAX_HANDSHAKE_BYTES + beyond
    body = (b"\1" + size.to_bytes(3, "big") + b"\3\3" + bytes(32) + b"\0\0\2\x13\1\1\0").ljust(size + 4, b"\0")
    records = b"".join(record(22, body[at : at + 16_384]) for at in range(0, len(body), 16_384))
    found = play(parser, client(records))
    assert bool(parser.poisoned) == bool(beyond)
    assert [type(one) for one in found] == [TlsClientHello] * (1 - beyond)


@AT_AND_BESIDE
def test_an_identification_of_ssh_is_told_up_to_so_many_bytes(beyond: int) -> None:
    name = b"SSH-2.0-".ljust(MAX_BANNER_BYTES + beyond, b"x")
    (banner,) = play(SshParser(), server(name + b"\r\n"))
    assert isinstance(banner, SshBanner)
    assert banner.banner == name[:MAX_BANNER_BYTES].decode()


@AT_AND_BESIDE
def test_lines_before_an_identification_of_ssh_have_so_many_bytes(beyond: int) -> None:
    parser = SshParser()
    line = b"notice of %d bytes" % MAX_PREAMBLE_BYTES
    text = (line + b"\n") * (MAX_PREAMBLE_BYTES // (len(line) + 1) - 1)
    text += b"n" * (MAX_PREAMBLE_BYTES - len(text) - 1 + beyond) + b"\n"
    assert len(text) == MAX_PREAMBLE_BYTES + beyond
    found = play(parser, server(text + b"SSH-2.0-x\r\n"))
    assert bool(parser.poisoned) == bool(beyond)
    assert [type(one) for one in found] == [SshBanner] * (1 - beyond)


@AT_AND_BESIDE
def test_an_offer_of_algorithms_has_so_many_bytes(beyond: int) -> None:
    parser = SshParser()
    lists = b"".join((1).to_bytes(4, "big") + b"x" for _ in range(10))
    size = MAX_KEXINIT_BYTES + beyond
    offer = (b"\4\x14" + bytes(16) + lists + bytes(5)).ljust(size, b"\0")
    found = play(parser, client(b"SSH-2.0-x\r\n" + size.to_bytes(4, "big") + offer))
    assert bool(parser.poisoned) == bool(beyond)
    assert [type(one) for one in found] == [SshBanner, SshKexInit][: 2 - beyond]


@AT_AND_BESIDE
def test_so_many_requests_of_ldap_wait_for_results(beyond: int) -> None:
    parser = LdapParser()
    asked = b"".join(message(1 + n, write(0x63, content(PRESENT))) for n in range(MAX_LDAP_PENDING + beyond))
    found = play(parser, client(asked), server(result(1, 0, tag=0x65)))
    assert len([one for one in found if isinstance(one, LdapRequest)]) == MAX_LDAP_PENDING + beyond
    (ended,) = [one for one in found if isinstance(one, LdapResult)]
    assert ended.message_id == 1


@AT_AND_BESIDE
def test_filters_of_ldap_lie_so_deep_in_one_another(beyond: int) -> None:
    inner = PRESENT
    for _ in range(MAX_FILTER_DEPTH - 1 + beyond):
        inner = write(0xA2, inner)
    (asked,) = play(LdapParser(), client(message(3, write(0x63, content(inner)))))
    assert isinstance(asked, LdapRequest)
    assert ("..." in asked.filter) == bool(beyond)


@AT_AND_BESIDE
def test_a_filter_of_ldap_has_so_many_letters(beyond: int) -> None:
    size = MAX_FILTER_CHARS - len("(=*)") + beyond
    (asked,) = play(LdapParser(), client(message(3, write(0x63, content(write(0x87, b"a" * size))))))
    assert isinstance(asked, LdapRequest)
    assert asked.filter == ("(" + "a" * size + "=*)")[:MAX_FILTER_CHARS]
