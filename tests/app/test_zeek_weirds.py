"""weird.log: what broke the rules, under the names the field knows where they mean the same."""

from pathlib import Path

import pytest

import lapwing
from lapwing.app.zeek import FAMILIES, ZeekLogs
from lapwing.app.zeek.weirds import (
    MAX_FTP_COMMANDS,
    MAX_FTP_REPLY,
    MAX_FTP_USER,
    MAX_LENGTH,
    MAX_PIPELINED,
    WeirdRows,
)
from lapwing.events import AnomalySeen, Message, SessionMessaged, Severity, Side, Transport
from lapwing.events.messages import FtpCommand, FtpReply, HttpRequest, HttpResponse, SmtpCommand
from lapwing.testing import START_NS, TcpConversation, pcap
from tests.conformance.zeek_logs import Row, rows

GET = HttpRequest("GET", "/", "1.1", [])
Said = tuple[str, str | None]


def told(*messages: Message) -> list[Said]:
    weirds, found = WeirdRows(), []
    for message in messages:
        side = Side.SERVER if isinstance(message, HttpResponse | FtpReply) else Side.CLIENT
        event = SessionMessaged(
            START_NS, 1, "1:x", Transport.TCP, "192.0.2.1", 40_000, "192.0.2.2", 80, "http", side, message
        )
        found += [(row["name"], row["addl"]) for row in weirds.add(event)]
    return found


def response(status: int, *headers: tuple[str, str], version: str = "1.1") -> HttpResponse:
    return HttpResponse(status, "", version, list(headers))


def test_usual_messages_are_not_weird() -> None:
    assert told(GET, response(200, ("Content-Length", "5")), GET, response(100), response(204)) == []
    assert told(SmtpCommand("MAIL", "FROM:<a@example.com>"), SmtpCommand("RCPT", "TO:<b@example.com>")) == []
    assert told(FtpCommand("USER", "ana"), FtpReply(331, "go on")) == []


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([HttpRequest("BREW", "/", "1.1", [])], ("unknown_HTTP_method", "BREW")),
        ([HttpRequest("GET", "", "1.1", [])], ("missing_HTTP_uri", None)),
        ([HttpRequest("POST", "/", "", [])], ("invalid_http_09_request_method", "POST")),
        ([GET, HttpRequest("GET", "/", "1.0", [])], ("HTTP_version_mismatch", None)),
        ([response(200), GET], ("HTTP_response_before_request", None)),
        ([GET] * 101, ("HTTP_excessive_pipelining", None)),
        ([HttpRequest("GET", "/", "1.1", [("Content-Length", "9" * 20)])], ("HTTP_bad_content_length", "9" * 20)),
        ([HttpRequest("GET", "/", "1.1", [("Transfer-Encoding", "chunked, x")])], ("HTTP_chunked_multi", ", x")),
        ([response(206, ("Content-Range", "lines 1-2/3"))], ("HTTP_content_range_unknown_byte_unit", "lines")),
        ([response(206, ("Content-Range", "bytes a-b/c"))], ("HTTP_content_range_cannot_parse", "a-b/c")),
        ([response(206, ("Content-Range", "bytes 9-8/20"))], ("HTTP_non_positive_content_range", None)),
        (
            [response(206, ("Content-Range", "bytes 0-9/20"), ("Content-Length", "9"))],
            ("HTTP_range_not_matching_len", None),
        ),
        ([SmtpCommand("RCPT", "TO:<b@example.com>")], ("smtp_mail_transaction_invalid", "rcpt to missing mail from")),
        ([SmtpCommand("DATA")], ("smtp_mail_transaction_invalid", "data missing rcpt to")),
        ([FtpCommand("USER", "u" * 129)], ("FTP_user_too_long", "129")),
        ([FtpReply(200, "r" * 4097)], ("FTP_reply_msg_too_long", "4097")),
        ([FtpCommand("NOOP")] * 21, ("FTP_too_many_pending_commands", "20")),
    ],
)
def test_each_name_is_told_once_for_what_it_means(messages: list[Message], said: Said) -> None:
    assert told(*messages, *messages).count(said) == 1
    assert told(*messages) == [said]


def test_a_chunk_that_fits_nowhere_is_named() -> None:
    before = (SmtpCommand("MAIL", "FROM:<a@example.com>"), SmtpCommand("RCPT", "TO:<b@example.com>"))
    assert told(*before, SmtpCommand("BDAT", "1" * 20)) == [("smtp_huge_bdat_chunk", "1" * 20)]
    invalid = "BDAT not followed by a valid chunk-size"
    assert told(*before, SmtpCommand("BDAT", "-1 LAST")) == [("smtp_invalid_bdat_command", invalid)]
    assert told(*before, SmtpCommand("BDAT", "12 last")) == []


def test_an_upgrade_that_was_not_agreed_to_as_it_should_be_is_named() -> None:
    asked = HttpRequest("GET", "/", "1.1", [("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")])  # RFC 6455, 1.3
    right = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert told(asked, response(101, ("Sec-WebSocket-Accept", right))) == []
    said = ("websocket_wrong_accept_header", f"expected={right}, found=x")
    assert told(asked, response(101, ("Sec-WebSocket-Accept", "x"))) == [said]


def test_an_answer_to_what_is_no_request_gives_that_away(tmp_path: Path) -> None:
    talk = TcpConversation("192.0.2.7", "198.51.100.21", client_port=40_000, server_port=80, start_ns=START_NS)
    talk.handshake().client(b"\x01\x02\x03 rubbish\r\n\r\n")
    talk.server(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").close()
    (row,) = weirds_of(tmp_path, pcap(talk.frames))
    assert (row["name"], row["source"], row["notice"], row["peer"]) == ("bad_HTTP_request", "HTTP", "F", "lapwing")
    assert (row["id.orig_h"], row["id.orig_p"]) == ("192.0.2.7", "40000")


def test_anomalies_of_flows_and_of_captures_keep_their_names(tmp_path: Path) -> None:
    known = AnomalySeen(ts_ns=START_NS, kind="wire.fragment_overlap", severity=Severity.MEDIUM, count=2)
    ours = AnomalySeen(
        ts_ns=START_NS,
        kind="tcp.overlap_conflict",
        severity=Severity.LOW,
        flow_id=7,
        community_id="1:x",
        client_ip="192.0.2.1",
        client_port=40_000,
        server_ip="192.0.2.2",
        server_port=80,
        sensor="edge",
    )
    with ZeekLogs(tmp_path / "logs") as logs:
        logs.write([known, ours])
    first, second = rows(tmp_path / "logs" / "weird.log")
    assert (first["name"], first["addl"], first["uid"], first["id.orig_h"]) == (
        "fragment_inconsistency",
        "count=2",
        None,
        None,
    )
    assert (second["name"], second["source"], second["peer"]) == ("tcp.overlap_conflict", "TCP", "edge")
    assert (second["id.orig_p"], second["id.resp_p"], (second["uid"] or "")[0]) == ("40000", "80", "C")


def test_bytes_of_no_protocol_are_told_with_the_reason(tmp_path: Path) -> None:
    talk = TcpConversation("192.0.2.7", "198.51.100.21", client_port=40_000, server_port=25, start_ns=START_NS)
    talk.handshake().client(b"EHLO a\r\n" + b"rubbish\r\n" * 20).close()
    names = {(row["name"], row["source"]) for row in weirds_of(tmp_path, pcap(talk.frames))}
    assert ("session.poisoned", "SMTP") in names


def weirds_of(folder: Path, capture: bytes) -> list[Row]:
    (folder / "odd.pcap").write_bytes(capture)
    with ZeekLogs(folder / "logs") as logs, lapwing.read(folder / "odd.pcap", events=FAMILIES) as reading:
        for events in reading.lists():
            logs.write(events)
    return rows(folder / "logs" / "weird.log")


@pytest.mark.parametrize("beyond", [0, 1])
def test_what_is_excess_begins_behind_a_number(beyond: int) -> None:
    length = str(MAX_LENGTH + beyond)
    chunk = [SmtpCommand("MAIL", "FROM:<a@example.com>"), SmtpCommand("RCPT", "TO:<b@example.com>")]
    for messages, name in (
        ([GET] * (MAX_PIPELINED + beyond), "HTTP_excessive_pipelining"),
        ([HttpRequest("GET", "/", "1.1", [("Content-Length", length)])], "HTTP_bad_content_length"),
        ([FtpCommand("NOOP")] * (MAX_FTP_COMMANDS + beyond), "FTP_too_many_pending_commands"),
        ([FtpCommand("USER", "u" * (MAX_FTP_USER + beyond))], "FTP_user_too_long"),
        ([FtpReply(220, "x\n" + "r" * (MAX_FTP_REPLY + beyond))], "FTP_reply_msg_too_long"),
        ([*chunk, SmtpCommand("BDAT", length)], "smtp_huge_bdat_chunk"),
    ):
        assert [said for said, _ in told(*messages)] == [name] * beyond
