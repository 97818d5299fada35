"""Files inside of messages: what is told of them, and what is not."""

import gzip
import zlib
from base64 import encodebytes
from hashlib import md5, sha256
from quopri import encodestring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import FlowKey, Side, Transport
from lapwing.events.messages import HttpRequest, HttpResponse, SmtpMail
from lapwing.events.messages.carried import CarriedFile
from lapwing.protocols.files import Entities, FileReader, body_reader
from lapwing.protocols.files.entities import MAX_DEPTH, MAX_FILES, MAX_LINE_BYTES
from lapwing.protocols.files.reader import Declared
from lapwing.protocols.http import HTTP
from lapwing.protocols.smtp import SMTP
from tests.protocols.playbook import SIZES, Step, client, cut, lost, play, server

KEY = FlowKey(1, "1:x", Transport.TCP, "192.0.2.1", 40_000, "192.0.2.2", 80)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(2_000)
PAGE = b"<html><body>hi</body></html>"
ASK = client(b"GET /a HTTP/1.1\r\nHost: example.com\r\n\r\n")


def http(*steps: Step) -> list[CarriedFile]:
    assert HTTP.make_with_files is not None
    messages = play(HTTP.make_with_files(KEY), *steps)
    return [file for one in messages if isinstance(one, HttpRequest | HttpResponse) for file in one.files]


def answer(body: bytes, *fields: str) -> bytes:
    head = "\r\n".join(("HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *fields))
    return head.encode() + b"\r\n\r\n" + body


def test_an_answer_is_a_file_of_any_size_with_digests() -> None:
    body = PNG * 100  # more than is kept of bodies
    fields = "Content-Type: image/gif; x=y", 'Content-Disposition: x; filename="a b.gif"'
    (file,) = http(ASK, server(answer(body, *fields)))
    assert (file.seen_bytes, file.missing_bytes, file.total_bytes) == (len(body), 0, len(body))
    assert (file.declared_type, file.name) == ("image/gif", "a b.gif")
    assert (file.md5, file.sha256) == (md5(body).hexdigest(), sha256(body).hexdigest())


def test_what_a_file_is_shows_by_its_bytes() -> None:
    pytest.importorskip("puremagic", reason="the extra `files` is not installed")
    bodies = PNG, PAGE, b"just text, and more of it\n", b'{"a": 1}', b"\1\2\3\4"
    kinds = [http(ASK, server(answer(body)))[0].mime_type for body in bodies]
    assert kinds == ["image/png", "text/html", "text/plain", "text/json", None]


@pytest.mark.parametrize(
    ("coding", "coded"),
    [("gzip", gzip.compress(PAGE)), ("deflate", zlib.compress(PAGE)), ("deflate", zlib.compress(PAGE, wbits=-15))],
)
def test_a_content_coding_is_taken_off(coding: str, coded: bytes) -> None:
    (file,) = http(ASK, server(answer(coded, f"Content-Encoding: {coding}")))
    assert (file.seen_bytes, file.total_bytes) == (len(PAGE), None)
    assert file.sha256 == sha256(PAGE).hexdigest()


def test_what_is_not_coded_as_it_says_is_counted_as_it_was_sent() -> None:
    (file,) = http(ASK, server(answer(PAGE, "Content-Encoding: gzip")))
    assert (file.seen_bytes, file.sha256) == (len(PAGE), None)


def test_of_a_coding_that_is_not_taken_off_nothing_is_digested() -> None:
    (file,) = http(ASK, server(answer(b"\x28\xb5\x2f\xfd", "Content-Encoding: zstd")))
    assert (file.seen_bytes, file.sha256) == (4, None)


def test_a_bomb_is_counted_and_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lapwing.protocols.files.reader.MAX_INFLATED_BYTES", 100_000)
    bomb = gzip.compress(bytes(10_000_000))
    (file,) = http(ASK, server(answer(bomb, "Content-Encoding: gzip")))
    assert (file.seen_bytes, file.sha256) == (len(bomb), None)


def test_a_hole_is_counted_and_takes_the_digests() -> None:
    body = bytes(1_000)
    wire = answer(body)
    (file,) = http(ASK, server(wire[:-600]), lost(Side.SERVER, 200), server(wire[-400:]))
    assert (file.seen_bytes, file.missing_bytes, file.total_bytes) == (800, 200, 1_000)
    assert file.sha256 is None


def test_chunks_and_holes_in_them_are_put_together() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = [server(head + b"5\r\nhello\r\n6\r\n wo"), lost(Side.SERVER, 2), server(b"d\n\r\n0\r\n\r\n")]
    (file,) = http(ASK, *chunks)
    assert (file.seen_bytes, file.missing_bytes, file.total_bytes) == (9, 2, None)
    (whole,) = http(ASK, server(head + b"5\r\nhello\r\n0\r\n\r\n"))
    assert whole.sha256 == sha256(b"hello").hexdigest()


def posted(kind: str, body: bytes) -> list[CarriedFile]:
    head = f"POST /login HTTP/1.1\r\nHost: example.com\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return http(client(head.encode() + body))


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "application/json", "text/plain", "application/soap+xml", ""]
)
def test_what_may_hold_a_password_is_not_digested(kind: str) -> None:
    (file,) = posted(kind, b"user=ana&password=lapwing")
    assert (file.seen_bytes, file.md5, file.sha1, file.sha256) == (25, None, None, None)


def test_of_a_form_in_parts_only_files_are_digested() -> None:
    parts = (
        b'--B\r\nContent-Disposition: form-data; name="password"\r\n\r\nlapwing\r\n'
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    )
    secret, file = posted("multipart/form-data; boundary=B", parts + PNG + b"\r\n--B--\r\n")
    assert (secret.seen_bytes, secret.sha256) == (7, None)
    assert (file.name, file.declared_type, file.sha256) == ("a.png", "image/png", sha256(PNG).hexdigest())
    (upload,) = posted("image/png", PNG)
    assert upload.sha256 == sha256(PNG).hexdigest()


def test_nothing_of_files_is_made_where_nobody_asks() -> None:
    messages = play(HTTP.make(KEY), ASK, server(answer(PNG)))
    assert [one.files for one in messages if isinstance(one, HttpResponse)] == [[]]


MAIL = b"\r\n".join(
    (
        b"Subject: hi",
        b'Content-Type: multipart/mixed; boundary="OUT"',
        b"",
        b"preamble",
        b"--OUT",
        b"Content-Type: multipart/alternative;",
        b"\tboundary=IN",
        b"",
        b"--IN",
        b"Content-Type: text/plain",
        b"",
        b"..dots",
        b"--IN",
        b"Content-Type: text/html",
        b"Content-Transfer-Encoding: quoted-printable",
        b"",
        encodestring("<html>é</html>".encode()).rstrip().replace(b"\n", b"\r\n"),
        b"--IN--",
        b"--OUT",
        b"Content-Type: image/png; name=x",
        b"Content-Disposition: attachment; filename*=UTF-8''%C3%A9.png",
        b"Content-Transfer-Encoding: base64",
        b"",
        encodebytes(PNG).rstrip().replace(b"\n", b"\r\n"),
        b"--OUT--",
        b"epilogue",
    )
)
ENVELOPE = client(b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\n")
GO = server(b"220 hi\r\n250 ok\r\n250 ok\r\n354 go\r\n")


def mailed(*steps: Step) -> list[CarriedFile]:
    assert SMTP.make_with_files is not None
    messages = play(SMTP.make_with_files(KEY), ENVELOPE, *steps)
    return [file for one in messages if isinstance(one, SmtpMail) for file in one.files]


def test_parts_of_a_mail_are_files_with_their_coding_taken_off() -> None:
    plain, page, picture = mailed(client(b"DATA\r\n"), GO, client(MAIL + b"\r\n.\r\n"))
    assert plain.sha256 == sha256(b".dots").hexdigest()
    assert page.sha256 == sha256("<html>é</html>".encode()).hexdigest()
    assert picture.sha256 == sha256(PNG).hexdigest()
    assert (picture.name, picture.declared_type) == ("é.png", "image/png")
    assert [one.depth for one in (plain, page, picture)] == [3, 4, 5]


def test_a_mail_in_chunks_has_the_same_files() -> None:
    sent = MAIL.replace(b"\r\n..dots", b"\r\n.dots")
    dotted = mailed(client(b"DATA\r\n"), GO, client(MAIL + b"\r\n.\r\n"))
    assert mailed(client(f"BDAT {len(sent)} LAST\r\n".encode() + sent)) == dotted


def test_a_mail_without_parts_is_one_file() -> None:
    (file,) = mailed(client(b"DATA\r\n"), GO, client(b"Subject: x\r\n\r\nline\r\n\r\n.\r\n"))
    assert file.sha256 == sha256(b"line\r\n\r\n").hexdigest()
    assert mailed(client(b"DATA\r\n"), GO, client(b"Subject: x\r\n\r\n.\r\n")) == []


def test_a_mail_that_is_cut_has_no_digests() -> None:
    wire = b"Subject: x\r\n\r\n" + b"line\r\n" * 100 + b".\r\n"
    (file,) = mailed(client(b"DATA\r\n"), GO, client(wire[:100]), lost(Side.CLIENT, 50), client(wire[150:]))
    assert (file.missing_bytes, file.sha256) == (50, None)
    assert file.seen_bytes == 550


@given(SIZES)
def test_any_split_gives_the_same_files(sizes: list[int]) -> None:
    steps = [client(b"DATA\r\n"), GO, client(MAIL + b"\r\n.\r\n")]
    assert mailed(*cut(steps, sizes)) == mailed(*steps)


def test_parts_are_bounded_in_number_and_depth() -> None:
    many = Entities()
    many.add(b"Content-Type: multipart/mixed; boundary=B\r\n\r\n" + b"--B\r\n\r\nx\r\n" * (MAX_FILES + 50))
    assert len(many.finish()) == MAX_FILES
    deep = Entities()
    for level in range(MAX_DEPTH + 5):
        deep.add(b"Content-Type: multipart/mixed; boundary=B%d\r\n\r\n--B%d\r\n" % (level, level))
    assert len(deep.finish()) <= 1
    long = Entities()
    for _ in range(10):
        long.add(b"Content-Type: text/plain\r\n\r\n" + bytes(MAX_LINE_BYTES))
        assert len(long._line) <= MAX_LINE_BYTES


PIECES = st.one_of(st.binary(max_size=80), st.sampled_from([b"--B\r\n", b"--B--\r\n", b"\r\n", b"="]))


@given(st.lists(PIECES, max_size=12))
def test_any_bytes_are_files_or_none(pieces: list[bytes]) -> None:
    for coding in ("base64", "quoted-printable", "x"):
        fields = f"Content-Type: multipart/mixed; boundary=B\r\nContent-Transfer-Encoding: {coding}\r\n"
        entities = Entities(fields=fields.encode())
        for piece in pieces:
            entities.add(piece)
        assert sum(file.seen_bytes for file in entities.finish()) <= 2 * sum(map(len, pieces)) + 8


@given(st.binary(max_size=300), st.sampled_from(["", "gzip", "deflate", "br"]))
def test_any_body_is_one_file_or_none(data: bytes, coding: str) -> None:
    file = FileReader(Declared(coding=coding))
    file.add(data)
    assert len(file.finish()) <= 1
    assert coding or [one.seen_bytes for one in file.finish()] == [len(data)] * bool(data)


def test_header_fields_of_anybodys_choice_are_read_or_not() -> None:
    for value in ("multipart/mixed", "multipart/mixed; boundary=", "x; boundary*=x'y", "image/png; name*0*=%ff"):
        reader = body_reader([("Content-Type", value), ("Content-Disposition", "a; filename*=?'?'%zz")], True)
        reader.add(b"abc")
        assert len(reader.finish()) <= 1
