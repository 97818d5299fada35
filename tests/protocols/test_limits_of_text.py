"""What the pages of the text protocols name as limits holds at the number and not beside it."""

from collections.abc import Callable

import pytest

from lapwing.events import Message
from lapwing.events.messages import FtpCommand, HttpRequest, HttpResponse, SmtpCommand, SmtpMail
from lapwing.events.messages.imap import ImapCommand
from lapwing.events.messages.pop3 import Pop3Command
from lapwing.protocols import StreamParser, ftp, imap, pop3, smtp
from lapwing.protocols.ftp import FtpParser
from lapwing.protocols.http import HttpParser
from lapwing.protocols.http.bodies import MAX_BODY_BYTES, MAX_CHUNK_LINE_BYTES
from lapwing.protocols.http.framing import MAX_LENGTH_DIGITS
from lapwing.protocols.http.heads import MAX_HEADERS as MAX_HTTP_HEADERS
from lapwing.protocols.http.reader import MAX_HEAD_BYTES
from lapwing.protocols.http.sides import MAX_PENDING as MAX_REQUESTS
from lapwing.protocols.imap import MAX_COMMAND_BYTES, MAX_LITERALS, ImapParser
from lapwing.protocols.lines import MAX_LINE_BYTES
from lapwing.protocols.mail import MAX_HEADER_BYTES, MAX_HEADERS, MAX_RECIPIENTS
from lapwing.protocols.pop3 import Pop3Parser
from lapwing.protocols.smtp import SmtpParser
from tests.protocols.playbook import client, play, server

AT_AND_BESIDE = pytest.mark.parametrize("beyond", [0, 1])
PARSERS: dict[str, Callable[[], StreamParser]] = {
    "ftp": FtpParser,
    "smtp": SmtpParser,
    "pop3": Pop3Parser,
    "imap": ImapParser,
}
STRANGE = {
    "ftp": ftp.MAX_STRANGE_LINES,
    "smtp": smtp.MAX_STRANGE_LINES,
    "pop3": pop3.MAX_STRANGE_LINES,
    "imap": imap.MAX_STRANGE_LINES,
}
COMMANDS = {"ftp": b"USER ", "smtp": b"EHLO ", "pop3": b"USER ", "imap": b"a SELECT "}


def said(message: Message) -> str:
    """The argument of a command."""
    if isinstance(message, ImapCommand):
        return message.arguments[0]
    assert isinstance(message, FtpCommand | SmtpCommand | Pop3Command)
    return message.argument


@AT_AND_BESIDE
@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("protocol", PARSERS)
def test_a_line_has_so_many_bytes_and_what_comes_after_is_read(protocol: str, split: bool, beyond: int) -> None:
    begin = COMMANDS[protocol]
    text = b"n" * (MAX_LINE_BYTES - len(begin) + beyond)
    pieces = [begin + text, b"\n" + begin + b"x\r\n"] if split else [begin + text + b"\n" + begin + b"x\r\n"]
    long, short = play(PARSERS[protocol](), *map(client, pieces))
    assert len(said(long)) == MAX_LINE_BYTES - len(begin)
    assert said(short) == "x"


@AT_AND_BESIDE
@pytest.mark.parametrize("side", [client, server])
@pytest.mark.parametrize("protocol", PARSERS)
def test_so_many_strange_lines_in_a_row_end_the_reading(
    protocol: str, side: Callable[[bytes], object], beyond: int
) -> None:
    parser = PARSERS[protocol]()
    play(parser, side(b"%what is this\r\n" * (STRANGE[protocol] - 1 + beyond)))  # type: ignore[arg-type]
    assert bool(parser.poisoned) == bool(beyond)


@AT_AND_BESIDE
def test_a_literal_of_imap_has_so_many_bytes(beyond: int) -> None:
    size = MAX_COMMAND_BYTES + beyond
    login, after = play(ImapParser(), client(b"a LOGIN {%d+}\r\n%s x\r\nb NOOP\r\n" % (size, b"n" * size)))
    assert login == ImapCommand("a", "LOGIN", ["n" * MAX_COMMAND_BYTES, "x"])
    assert after == ImapCommand("b", "NOOP")


@AT_AND_BESIDE
def test_literals_of_a_command_of_imap_have_so_many_bytes_together(beyond: int) -> None:
    half = MAX_COMMAND_BYTES // 2
    data = b"a LOGIN {%d+}\r\n%s {%d+}\r\n%s\r\n" % (half, b"n" * half, half + beyond, b"p" * (half + beyond))
    assert play(ImapParser(), client(data)) == [ImapCommand("a", "LOGIN", ["n" * half, "p" * half])]


@AT_AND_BESIDE
def test_a_command_of_imap_has_so_many_literals_and_none_takes_what_another_says(beyond: int) -> None:
    names = [b"%03d" % number for number in range(MAX_LITERALS + beyond)]
    (login,) = play(ImapParser(), client(b"a LOGIN " + b" ".join(b"{3+}\r\n" + name for name in names) + b"\r\n"))
    assert isinstance(login, ImapCommand)
    assert login.arguments == [name.decode() for name in names[:MAX_LITERALS]] + [""] * beyond


@AT_AND_BESIDE
def test_a_command_of_imap_in_pieces_has_so_many_bytes(beyond: int) -> None:
    begin, piece = b"a APPEND ", b"n" * 1_000
    pieces = (MAX_COMMAND_BYTES - len(begin)) // (len(piece) + 1)
    rest = MAX_COMMAND_BYTES - len(begin) - pieces * (len(piece) + 1) + beyond
    (append,) = play(ImapParser(), client(begin + (piece + b"{0+}\r\n") * pieces + b"r" * rest + b"\r\n"))
    assert isinstance(append, ImapCommand)
    assert append.arguments[0].endswith("{}" + "r" * (rest - beyond))


def mail_of(*lines: bytes) -> SmtpMail:
    """The mail whose commands or text these are."""
    begin = [server(b"220 mail.example.com ESMTP\r\n"), client(b"MAIL FROM:<ana@example.com>\r\n")]
    recipients = b"".join(line for line in lines if line.startswith(b"RCPT"))
    text = b"".join(line for line in lines if not line.startswith(b"RCPT"))
    asked = [client(recipients or b"RCPT TO:<bob@example.com>\r\n"), client(b"DATA\r\n")]
    answers = server(b"250 ok\r\n" * (1 + max(1, recipients.count(b"RCPT"))) + b"354 go\r\n")
    talk = [*begin, *asked, answers, client(text + b"\r\nbody\r\n.\r\n"), server(b"250 queued\r\n")]
    (mail,) = [one for one in play(SmtpParser(), *talk) if isinstance(one, SmtpMail)]
    return mail


@AT_AND_BESIDE
def test_so_many_recipients_of_a_mail_are_kept(beyond: int) -> None:
    names = [b"n%d@example.com" % number for number in range(MAX_RECIPIENTS + beyond)]
    mail = mail_of(*(b"RCPT TO:<%s>\r\n" % name for name in names))
    assert mail.rcpt_to == [name.decode() for name in names[:MAX_RECIPIENTS]]


@AT_AND_BESIDE
def test_so_many_header_fields_of_a_mail_are_kept(beyond: int) -> None:
    mail = mail_of(*(b"Received: %d\r\n" % number for number in range(MAX_HEADERS + beyond)))
    assert len(mail.headers) == MAX_HEADERS


@AT_AND_BESIDE
def test_a_header_field_of_a_mail_has_so_many_bytes(beyond: int) -> None:
    (field,) = mail_of(b"Subject: " + b"s" * (MAX_HEADER_BYTES + beyond) + b"\r\n").headers
    assert len(field[1]) == MAX_HEADER_BYTES


@AT_AND_BESIDE
def test_a_request_of_http_has_a_head_of_so_many_bytes(beyond: int) -> None:
    begin, end = b"GET / HTTP/1.1\r\nHost: www.example.com\r\nX: ", b"\r\n\r\n"
    parser = HttpParser()
    found = play(parser, client(begin + b"x" * (MAX_HEAD_BYTES - len(begin + end) + beyond) + end))
    assert bool(parser.poisoned) == bool(beyond)
    assert [type(one) for one in found] == [HttpRequest] * (1 - beyond)


@AT_AND_BESIDE
def test_so_many_headers_of_a_request_are_told(beyond: int) -> None:
    many = b"".join(b"X-%d: y\r\n" % number for number in range(MAX_HTTP_HEADERS + beyond))
    (request,) = play(HttpParser(), client(b"GET / HTTP/1.1\r\n" + many + b"\r\n"))
    assert isinstance(request, HttpRequest)
    assert len(request.headers) == MAX_HTTP_HEADERS


@AT_AND_BESIDE
def test_so_much_of_a_body_is_kept_and_the_rest_counted(beyond: int) -> None:
    size = MAX_BODY_BYTES + beyond
    (request,) = play(
        HttpParser(), client(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size + bytes(size))
    )
    assert isinstance(request, HttpRequest)
    assert (request.body_bytes, len(request.body), request.complete) == (size, MAX_BODY_BYTES, True)


@AT_AND_BESIDE
def test_the_line_of_a_chunk_has_so_many_bytes(beyond: int) -> None:
    line = b"1;" + b"e" * (MAX_CHUNK_LINE_BYTES - 3 + beyond) + b"\r"
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    found = play(HttpParser(), client(head + line + b"\nx\r\n0\r\n\r\n"))
    assert isinstance(found[0], HttpRequest)
    assert found[0].complete == (not beyond)


@AT_AND_BESIDE
def test_the_length_of_a_body_has_so_many_digits(beyond: int) -> None:
    length = b"5".rjust(MAX_LENGTH_DIGITS + beyond, b"0")
    found = play(HttpParser(), client(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %s\r\n\r\nhello" % length))
    assert isinstance(found[0], HttpRequest)
    assert found[0].body_bytes == (0 if beyond else 5)


@AT_AND_BESIDE
def test_so_many_requests_wait_for_their_answers(beyond: int) -> None:
    asked = client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * (MAX_REQUESTS + beyond))
    answers = server(b"HTTP/1.1 204 No\r\n\r\n" * (MAX_REQUESTS + beyond))
    found = play(HttpParser(), asked, answers)
    told = [one.request_method for one in found if isinstance(one, HttpResponse)]
    assert len([method for method in told if method == "GET"]) == MAX_REQUESTS
