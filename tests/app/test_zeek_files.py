"""files.log: a row for each file, by the name that the other logs have for it."""

from hashlib import sha256
from pathlib import Path

import lapwing
from lapwing.app.zeek import FAMILIES, ZeekLogs
from lapwing.testing import START_NS, TcpConversation, TimedFrame, pcap
from tests.conformance.zeek_logs import Row, rows

PAGE = b"<html><body>hello</body></html>"


def logs_of(folder: Path, frames: list[TimedFrame], *, files: bool = True) -> dict[str, list[Row]]:
    (folder / "in.pcap").write_bytes(pcap(frames))
    with ZeekLogs(folder / "logs") as logs, lapwing.read(folder / "in.pcap", events=FAMILIES, files=files) as reading:
        for events in reading.lists():
            logs.write(events)
    return {path.stem: rows(path) for path in (folder / "logs").iterdir()}


def talk(port: int, client_port: int = 40_000, start_ns: int = START_NS) -> TcpConversation:
    return TcpConversation(
        "192.0.2.7", "8.8.8.8", client_port=client_port, server_port=port, start_ns=start_ns
    ).handshake()


def test_an_answer_is_a_row_with_its_digest(tmp_path: Path) -> None:
    said = talk(80).client(b"GET /a HTTP/1.1\r\nHost: example.com\r\n\r\n")
    said.server(b"HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE).close()
    logs = logs_of(tmp_path, said.frames)
    (row,), (request,) = logs["files"], logs["http"]
    assert (row["source"], row["depth"], row["is_orig"], row["local_orig"]) == ("HTTP", "1", "F", "F")
    assert (row["seen_bytes"], row["total_bytes"], row["missing_bytes"]) == ("31", "31", "0")
    assert (row["sha256"], row["analyzers"]) == (sha256(PAGE).hexdigest(), "MD5,SHA1,SHA256")
    assert row["mime_type_declared"] == "text/x"
    assert (row["fuid"] or "").startswith("F")
    assert request["resp_fuids"] == row["fuid"]
    assert row["uid"] == request["uid"]


def test_parts_of_a_mail_are_named_in_its_row(tmp_path: Path) -> None:
    said = talk(25).server(b"220 mail ESMTP\r\n").client(b"EHLO c\r\n").server(b"250 ok\r\n")
    said.client(b"MAIL FROM:<a@example.com>\r\n").server(b"250 ok\r\n")
    said.client(b"RCPT TO:<b@example.com>\r\n").server(b"250 ok\r\n").client(b"DATA\r\n").server(b"354 go\r\n")
    said.client(b"Subject: hi\r\nContent-Type: text/plain; name=a.txt\r\n\r\nhello\r\n.\r\n").server(
        b"250 ok\r\n"
    ).close()
    logs = logs_of(tmp_path, said.frames)
    (row,), (mail,) = logs["files"], logs["smtp"]
    assert (row["source"], row["filename"], row["seen_bytes"], row["is_orig"]) == ("SMTP", "a.txt", "7", "T")
    assert mail["fuids"] == row["fuid"]


def test_a_data_connection_of_ftp_is_a_file_and_named_by_its_command(tmp_path: Path) -> None:
    control = talk(21).server(b"220 ready\r\n").client(b"USER ana\r\n").server(b"230 ok\r\n")
    control.client(b"PASV\r\n").server(b"227 Entering (8,8,8,8,4,1)\r\n").client(b"RETR a\r\n").server(b"150 go\r\n")
    asked = len(control.frames)
    data = talk(1025, 40_001).server(PAGE).close()
    control.server(b"226 done\r\n").close()
    frames = [*control.frames[:asked], *data.frames, *control.frames[asked:]]
    shifted = [TimedFrame(START_NS + number * 1_000_000, *frame[1:]) for number, frame in enumerate(frames)]
    logs = logs_of(tmp_path, shifted)
    (row,) = logs["files"]
    assert (row["source"], row["seen_bytes"], row["is_orig"], row["md5"]) == ("FTP_DATA", "31", "F", None)
    assert [one["service"] for one in logs["conn"] if one["id.resp_p"] == "1025"] == ["ftp-data"]
    assert [one["fuid"] for one in logs["ftp"] if one["command"] == "RETR"] == [row["fuid"]]


def test_without_being_asked_there_are_no_files(tmp_path: Path) -> None:
    said = talk(80).client(b"GET /a HTTP/1.1\r\nHost: example.com\r\n\r\n")
    said.server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").close()
    assert "files" not in logs_of(tmp_path, said.frames, files=False)
