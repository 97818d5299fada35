"""From the bytes a listener receives to whoever planted the token, and to the event that is published."""

from base64 import b64encode
from collections.abc import Callable

import dns.message
import pytest

from lapwing.callbacks import Registry, Token, TokenBook, TokenKey, attribute, correlation_id
from lapwing.callbacks.interaction import Interaction, Peer, Placement
from lapwing.callbacks.published import received_event, tripped_event
from lapwing.callbacks.responders import (
    DnsResponder,
    DnsStreamResponder,
    FtpResponder,
    HttpResponder,
    HttpSite,
    LdapResponder,
    SmtpResponder,
    Zone,
)
from lapwing.wire.ber import write, write_integer
from tests.callbacks.playbook import PEER, TLS, Make, Step, play

DOMAIN = "oast.example.com"
BOOK = TokenBook(TokenKey(bytes(range(16)), correlation_id(bytes(range(50, 70)))))
TOKEN = BOOK.mint("webhook of the order service", 1)
DNS = DnsResponder(Zone(domains=(DOMAIN,), ipv4=("198.51.100.7",)))
SITE = HttpSite(domain=DOMAIN)


def smtp() -> SmtpResponder:
    return SmtpResponder(PEER, 0, name=DOMAIN)


def http() -> HttpResponder:
    return HttpResponder(PEER, 0, site=SITE)


def https() -> HttpResponder:
    return HttpResponder(Peer("192.0.2.7", tls=True, sni=TOKEN.host(DOMAIN)), 0, site=SITE)


def ldap() -> LdapResponder:
    return LdapResponder(PEER, 0)


def ftp() -> FtpResponder:
    return FtpResponder(PEER, 0)


def dns_tcp() -> DnsStreamResponder:
    return DnsStreamResponder(PEER, 0, dns=DNS)


def framed(name: str) -> bytes:
    wire = dns.message.make_query(name, "A").to_wire()
    return len(wire).to_bytes(2, "big") + wire


def search(base: str, wanted: str) -> bytes:
    fields = (write_integer(2, 10), write_integer(0, 10), write_integer(0), write_integer(0), write(1, b"\0"))
    compared = write(0xA3, write(4, b"uid"), write(4, wanted.encode()))
    return write(0x30, write_integer(1), write(0x63, write(4, base.encode()), *fields, compared, write(0x30)))


def bind(name: str) -> bytes:
    return write(0x30, write_integer(1), write(0x60, write_integer(3), write(4, name.encode()), write(0x80, b"x")))


MATRIX: dict[str, tuple[Make, Callable[[str], list[Step]], Placement]] = {
    "DNS over TCP": (dns_tcp, lambda t: [framed(f"a.{t}.{DOMAIN}")], Placement.DNS_NAME),
    "HTTP host": (http, lambda t: [f"GET / HTTP/1.1\r\nHost: {t}.{DOMAIN}\r\n\r\n".encode()], Placement.HTTP_HOST),
    "HTTP path": (http, lambda t: [f"GET /{t} HTTP/1.1\r\n\r\n".encode()], Placement.URL_PATH),
    "HTTP query": (http, lambda t: [f"GET /?u={t} HTTP/1.1\r\n\r\n".encode()], Placement.URL_QUERY),
    "HTTP header": (http, lambda t: [f"GET / HTTP/1.1\r\nCookie: {t}\r\n\r\n".encode()], Placement.HTTP_HEADER),
    "HTTP body": (http, lambda t: [f"POST / HTTP/1.1\r\nContent-Length: 33\r\n\r\n{t}".encode()], Placement.HTTP_BODY),
    "HTTP cut off": (
        http,
        lambda t: [f"POST / HTTP/1.1\r\nContent-Length: 99\r\n\r\n{t}".encode()],
        Placement.HTTP_BODY,
    ),
    "HTTP malformed": (http, lambda t: [f"what is {t}\r\n\r\n".encode()], Placement.HTTP_HEADER),
    "HTTPS server name": (https, lambda t: [b"GET / HTTP/1.0\r\n\r\n"], Placement.TLS_SNI),
    "SMTP recipient": (
        smtp,
        lambda t: [f"MAIL FROM:<>\r\nRCPT TO:<x@{t}.{DOMAIN}>\r\nDATA\r\n.\r\n".encode()],
        Placement.MAIL_DOMAIN,
    ),
    "SMTP local part": (smtp, lambda t: [f"RCPT TO:<{t}@{DOMAIN}>\r\n".encode()], Placement.MAIL_LOCAL_PART),
    "SMTP hello": (smtp, lambda t: [f"EHLO {t}\r\n".encode()], Placement.MAIL_HELLO),
    "SMTP user": (smtp, lambda t: [b"AUTH LOGIN\r\n", b64encode(t.encode()) + b"\r\n"], Placement.MAIL_USER),
    "SMTP content": (smtp, lambda t: [f"RCPT TO:<a@b>\r\nDATA\r\n{t}\r\n.\r\n".encode()], Placement.MAIL_CONTENT),
    "SMTP question": (smtp, lambda t: [f"VRFY {t}\r\n".encode()], Placement.OTHER),
    "LDAP base DN": (ldap, lambda t: [search(f"ou={t},dc=x", "a")], Placement.LDAP_BASE_DN),
    "LDAP filter": (ldap, lambda t: [search("dc=x", t)], Placement.LDAP_FILTER),
    "LDAP bind DN": (ldap, lambda t: [bind(f"cn={t}")], Placement.LDAP_BIND_DN),
    "LDAP malformed": (ldap, lambda t: [f"0\x84{t}".encode("latin-1")], Placement.OTHER),
    "FTP user": (ftp, lambda t: [f"USER {t}\r\n".encode()], Placement.FTP_USER),
    "FTP path": (ftp, lambda t: [f"RETR /pub/{t}\r\n".encode()], Placement.FTP_PATH),
    "FTP other command": (ftp, lambda t: [f"SITE {t}\r\n".encode()], Placement.OTHER),
}


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("place", MATRIX)
def test_every_listener_leads_back_to_the_planted_token(place: str, upper: bool) -> None:
    make, steps, placement = MATRIX[place]
    planted = TOKEN.unique_id.upper() if upper else TOKEN.unique_id
    talk = play(make, steps(planted))
    hits = [hit for note in talk.noted for hit in attribute(note, registry())]
    found = [hit for hit in hits if hit.attribution is not None]
    assert {hit.unique_id for hit in found} == {TOKEN.unique_id}
    assert found[-1].attribution is not None
    assert found[-1].attribution.placement is placement
    assert BOOK.read(found[-1].unique_id) == TOKEN


def registry() -> Registry:
    listening = Registry()
    listening.add(TOKEN.correlation_id)
    return listening


def test_a_name_asked_for_within_tls_is_the_tls_name_too() -> None:
    talk = play(smtp, [b"STARTTLS\r\n", TLS, b"EHLO x\r\n"])
    assert talk.noted[-1].peer.sni == "mail.example.com"


def test_what_is_published_names_the_token_and_holds_no_payload() -> None:
    (note,) = play(http, [f"GET /{TOKEN.unique_id}?secret=1 HTTP/1.1\r\n\r\n".encode()]).noted
    (hit,) = attribute(note, registry())
    event = received_event(hit)
    assert (event.protocol, event.unique_id, event.placement) == ("http", TOKEN.unique_id, "url-path")
    assert (event.client_ip, event.client_port, event.request_bytes) == (PEER.client_ip, 40_000, len(note.raw_request))
    assert "secret" not in repr(event)
    unowned = received_event(note)
    assert (unowned.unique_id, unowned.full_id, unowned.placement) == (None, None, None)
    tripped = tripped_event(TOKEN, "url", hit)
    assert (tripped.token_id, tripped.purpose, tripped.protocol) == (TOKEN.unique_id, TOKEN.purpose, "http")
    assert tripped_event(Token("a", "b", 0, ""), "name", _nobody()).client_ip is None


def _nobody() -> Interaction:
    (note,) = play(lambda: HttpResponder(Peer(""), 0, site=SITE), [b"GET / HTTP/1.0\r\n\r\n"]).noted
    return note
