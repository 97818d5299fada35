"""What is named as limits of files, mails, replies and names holds at the number and not beside it."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from lapwing.events.messages import FtpReply, SmtpCommand, SmtpMail, SmtpReply
from lapwing.events.messages.carried import CarriedFile
from lapwing.events.messages.tls import TlsCertificate, TlsCertificates
from lapwing.protocols import StreamParser
from lapwing.protocols.contract import MAX_POISON_REASON_BYTES, cut_reason
from lapwing.protocols.files import Entities, kinds
from lapwing.protocols.files.entities import MAX_HEADER_BYTES, MAX_NAME
from lapwing.protocols.files.kinds import MAX_KIND
from lapwing.protocols.ftp import FtpParser
from lapwing.protocols.mail import MAX_HEADER_SECTION_BYTES
from lapwing.protocols.replies import MAX_REPLY_TEXT_BYTES
from lapwing.protocols.smtp import MAX_CHUNK_DIGITS, SmtpParser
from lapwing.protocols.tls import TlsParser
from lapwing.protocols.tls.certificates import MAX_NAME_CHARS, MAX_NAMES
from tests.protocols.playbook import client, play, server
from tests.protocols.test_files import ASK, PNG, answer, http
from tests.protocols.test_limits_of_text import mail_of
from tests.protocols.tls_bytes import certificates, record

BEGINS = datetime(2026, 1, 2, tzinfo=UTC)
ENDS = BEGINS + timedelta(days=1)
AT_AND_BESIDE = pytest.mark.parametrize("beyond", [0, 1])


def part(*fields: str, body: bytes = b"hello") -> CarriedFile:
    """What is told of a message with these fields and this body."""
    entities = Entities()
    entities.add("".join(f"{field}\r\n" for field in fields).encode() + b"\r\n" + body)
    (file,) = entities.finish()
    return file


@AT_AND_BESIDE
def test_the_name_of_a_file_has_so_many_letters(beyond: int) -> None:
    name = "n" * (MAX_NAME + beyond)
    attached = f'Content-Disposition: attachment; filename="{name}"'
    (carried,) = http(ASK, server(answer(b"hello", attached)))
    assert carried.name == part(attached).name == name[:MAX_NAME]
    assert part(f'Content-Type: image/png; name="{name}"').name == name[:MAX_NAME]


@AT_AND_BESIDE
def test_a_declared_kind_has_so_many_letters(beyond: int) -> None:
    kind = "image/".ljust(MAX_KIND + beyond, "k")
    (carried,) = http(ASK, server(answer(b"hello", f"Content-Type: {kind}")))
    assert carried.declared_type == part(f"Content-Type: {kind}").declared_type == kind[:MAX_KIND]


@AT_AND_BESIDE
def test_a_kind_shown_by_bytes_has_so_many_letters(beyond: int, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = "image/".ljust(MAX_KIND + beyond, "k")
    library = SimpleNamespace(from_string=lambda head, mime: kind)
    monkeypatch.setattr(kinds, "_library", lambda: library)
    assert kinds.kind_of(PNG) == kind[:MAX_KIND]


@AT_AND_BESIDE
def test_the_header_of_a_part_has_so_many_bytes_and_the_rest_is_its_body(beyond: int) -> None:
    last = "Content-Type: image/png"
    filler = "X: ".ljust(MAX_HEADER_BYTES - len(last) - 2 * len("\r\n") + beyond, "x")
    found = part(filler, last)
    assert found.declared_type == (None if beyond else "image/png")
    assert found.seen_bytes == len(b"hello") + beyond * len(last + "\r\n\r\n")


@AT_AND_BESIDE
def test_the_header_section_of_a_mail_has_so_many_bytes_and_the_rest_is_its_body(beyond: int) -> None:
    last, line = b"Subject: late", b"X: ".ljust(4_096, b"x")
    lines = [line] * (MAX_HEADER_SECTION_BYTES // len(line) - 1)
    lines.append(line[: len(line) - len(last) + beyond])
    mail = mail_of(*(one + b"\r\n" for one in (*lines, last)))
    assert mail.headers == [("Subject", "late")] * (1 - beyond)
    assert mail.body_bytes == len(b"body\r\n") + beyond * len(b"\r\n")


@AT_AND_BESIDE
def test_the_size_of_a_chunk_of_a_mail_has_so_many_digits(beyond: int) -> None:
    content = b"\r\nNOOP\r\n"
    size = str(len(content)).rjust(MAX_CHUNK_DIGITS + beyond, "0")
    talk = client(b"BDAT %s LAST\r\n%sQUIT\r\n" % (size.encode(), content))
    found = play(SmtpParser(), server(b"220 mail.example.com ESMTP\r\n"), talk)
    assert [one.body_bytes for one in found if isinstance(one, SmtpMail)] == [len(b"NOOP\r\n")] * (1 - beyond)
    verbs = [one.verb for one in found if isinstance(one, SmtpCommand)]
    assert verbs == (["BDAT", "NOOP", "QUIT"] if beyond else ["BDAT", "QUIT"])


@AT_AND_BESIDE
@pytest.mark.parametrize("make", [FtpParser, SmtpParser])
def test_the_text_of_a_reply_has_so_many_bytes_and_the_next_one_is_read(make: type[StreamParser], beyond: int) -> None:
    first, second = "a" * 4_000, "b" * (MAX_REPLY_TEXT_BYTES - 4_001 + beyond)
    found = play(make(), server(f"220-{first}\r\n220 {second}\r\n221 bye\r\n".encode()))
    texts = [one.text for one in found if isinstance(one, FtpReply | SmtpReply)]
    assert texts == [first if beyond else f"{first}\n{second}", "bye"]


@pytest.mark.parametrize("make", [FtpParser, SmtpParser])
def test_what_is_told_of_a_long_reply_is_its_beginning_without_a_hole(make: type[StreamParser]) -> None:
    first, long = "a" * 4_000, "b" * (MAX_REPLY_TEXT_BYTES - 4_000)
    found = play(make(), server(f"220-{first}\r\n220-{long}\r\n220-\r\n220 short\r\n221 bye\r\n".encode()))
    assert [one.text for one in found if isinstance(one, FtpReply | SmtpReply)] == [first, "bye"]


def told(*names: str, subject: str = "www") -> TlsCertificate:
    """What is told of a certificate with these alternative names."""
    key = ec.derive_private_key(7, ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, subject)])
    alternative = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, BEGINS, ENDS).add_extension(alternative, False)
    encoded = built.sign(key, SHA256()).public_bytes(Encoding.DER)
    (chain,) = play(TlsParser(), server(record(22, certificates(encoded))))
    assert isinstance(chain, TlsCertificates)
    return chain.certificates[0]


@AT_AND_BESIDE
def test_so_many_alternative_names_of_a_certificate_are_told(beyond: int) -> None:
    names = [f"n{number}.example.com" for number in range(MAX_NAMES + beyond)]
    assert told(*names).alternative_names == names[:MAX_NAMES]


@AT_AND_BESIDE
def test_a_name_in_a_certificate_has_so_many_letters(beyond: int) -> None:
    name = "n" * (MAX_NAME_CHARS + beyond)
    subject = "n" * (MAX_NAME_CHARS - len("O=") + beyond)
    found = told(name, subject=subject)
    assert found.alternative_names == [name[:MAX_NAME_CHARS]]
    assert found.subject == found.issuer == ("O=" + subject)[:MAX_NAME_CHARS]


@AT_AND_BESIDE
@pytest.mark.parametrize("letter", ["a", "\N{GREEK SMALL LETTER ALPHA}"])
def test_a_reason_of_poison_has_so_many_bytes_in_whole_characters(letter: str, beyond: int) -> None:
    most = MAX_POISON_REASON_BYTES // len(letter.encode())
    assert cut_reason(letter * (most + beyond)) == letter * most
    assert cut_reason("x" + letter * most) == "x" + letter * (most - 1)
