"""Listeners against clients that nobody here wrote, over a loopback connection."""

import ftplib
import http.client
import shutil
import smtplib
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from io import BytesIO
from queue import SimpleQueue

import pytest

from lapwing.callbacks.interaction import FtpInteraction, HttpInteraction, Interaction, LdapInteraction, SmtpInteraction
from lapwing.callbacks.responders import (
    Close,
    DiscardData,
    FtpResponder,
    HttpResponder,
    HttpSite,
    LdapResponder,
    OpenData,
    Output,
    Responder,
    Send,
    SendData,
    SmtpResponder,
)
from tests.callbacks.playbook import PEER
from tests.patience import ENOUGH_S

LOOPBACK = "127.0.0.1"
SITE = HttpSite(domain="oast.example.com")


class Listener:
    """One responder per connection, driven by blocking sockets: the smallest adapter there can be."""

    def __init__(self, make: Callable[[], Responder]) -> None:
        self.noted: SimpleQueue[Interaction] = SimpleQueue()
        self._make = make
        self._socket = socket.create_server((LOOPBACK, 0))
        self.port: int = self._socket.getsockname()[1]

    def serve(self) -> None:
        """Until the listening socket is closed."""
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(ENOUGH_S)
                self._talk(connection, self._make())

    def stop(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _talk(self, connection: socket.socket, responder: Responder) -> None:
        self._data: socket.socket | None = None
        self._act(connection, responder, responder.start())
        while not responder.ended:
            try:
                received = connection.recv(65_536)
            except OSError:
                received = b""
            self._act(connection, responder, responder.receive(received, 0) if received else responder.closed(0))

    def _act(self, connection: socket.socket, responder: Responder, outputs: list[Output]) -> None:
        for output in outputs:
            if isinstance(output, Send):
                connection.sendall(output.data)
            elif isinstance(output, Interaction):
                self.noted.put(output)
            elif isinstance(output, Close):
                return
            else:
                assert isinstance(responder, FtpResponder)
                self._act(connection, responder, self._transfer(responder, output))

    def _transfer(self, responder: FtpResponder, output: Output) -> list[Output]:
        if isinstance(output, OpenData):
            self._data = socket.create_server((LOOPBACK, 0))
            return responder.data_listening(LOOPBACK, self._data.getsockname()[1], 0)
        assert self._data is not None
        with self._data, self._data.accept()[0] as transfer:
            if isinstance(output, SendData):
                transfer.sendall(output.data)
            elif isinstance(output, DiscardData):
                while transfer.recv(65_536):
                    pass
        return responder.data_done(0)


@contextmanager
def listening(make: Callable[[], Responder]) -> Iterator[Listener]:
    listener = Listener(make)
    thread = threading.Thread(target=listener.serve)
    thread.start()
    try:
        yield listener
    finally:
        listener.stop()
        thread.join(ENOUGH_S)


def noted(listener: Listener) -> list[Interaction]:
    found = []
    while not listener.noted.empty():
        found.append(listener.noted.get())
    return found


def test_smtplib_logs_in_and_delivers_a_mail() -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "ana@example.com", "t0ken@oast.example.com", "hello"
    mail.set_content("first\n.dotted\nlast\n")
    with (
        listening(lambda: SmtpResponder(PEER, 0, name="mail.example.com", starttls=False)) as listener,
        smtplib.SMTP(LOOPBACK, listener.port, timeout=ENOUGH_S) as client,
    ):
        client.login("ana", "a secret of hers")
        assert client.send_message(mail) == {}
    (note,) = noted(listener)
    assert isinstance(note, SmtpInteraction)
    assert (note.user, note.recipients) == ("ana", ("t0ken@oast.example.com",))
    assert b"\r\n.dotted\r\nlast\r\n" in note.raw_request
    assert not any(b"secret" in turn.data for turn in note.turns)


def test_ftplib_fetches_stores_and_lists() -> None:
    received = BytesIO()
    with (
        listening(lambda: FtpResponder(PEER, 0, content=b"content")) as listener,
        ftplib.FTP(timeout=ENOUGH_S) as client,
    ):
        client.connect(LOOPBACK, listener.port)
        client.login("t0ken", "a secret")
        client.cwd("/pub")
        client.retrbinary("RETR a.bin", received.write)
        client.storbinary("STOR b.bin", BytesIO(b"x" * 100_000))
        assert client.nlst() == []
        assert client.size("a.bin") == 7
    assert received.getvalue() == b"content"
    commands = [(note.command, note.path) for note in noted(listener) if isinstance(note, FtpInteraction)]
    assert commands == [
        ("USER", ""),
        ("PASS", ""),
        ("CWD", "/pub"),
        ("RETR", "a.bin"),
        ("STOR", "b.bin"),
        ("NLST", ""),
        ("SIZE", "a.bin"),
    ]


def test_the_standard_http_client_reuses_its_connection() -> None:
    with listening(lambda: HttpResponder(PEER, 0, site=SITE)) as listener:
        client = http.client.HTTPConnection(LOOPBACK, listener.port, timeout=ENOUGH_S)
        for method, body in (("GET", None), ("HEAD", None), ("POST", b"x" * 5000), ("PUT", iter([b"chunk", b"ed"]))):
            client.request(method, "/t0ken", body=body, encode_chunked=method == "PUT")
            response = client.getresponse()
            assert response.status == 200
            response.read()
        client.close()
    notes = [note for note in noted(listener) if isinstance(note, HttpInteraction)]
    assert [(note.method, note.malformed) for note in notes] == [("GET", ""), ("HEAD", ""), ("POST", ""), ("PUT", "")]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not here")
@pytest.mark.parametrize(
    ("make", "url", "kind"),
    [
        (lambda: HttpResponder(PEER, 0, site=SITE), "http://{}/t0ken.json", HttpInteraction),
        (lambda: FtpResponder(PEER, 0), "ftp://{}/dir/t0ken.txt", FtpInteraction),
        (lambda: LdapResponder(PEER, 0), "ldap://{}/cn=t0ken,dc=example??sub?(uid=*)", LdapInteraction),
    ],
)
def test_curl_is_content(make: Callable[[], Responder], url: str, kind: type[Interaction]) -> None:
    scheme = url.partition(":")[0]
    version = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout
    if scheme not in version.partition("Protocols:")[2].split():
        pytest.skip(f"this curl does not speak {scheme}")
    with listening(make) as listener:
        address = url.format(f"{LOOPBACK}:{listener.port}")
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--globoff", "--noproxy", "*", "--max-time", "20", address],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    notes = noted(listener)
    assert notes
    assert all(isinstance(note, kind) for note in notes)
    assert any("t0ken" in repr(note) for note in notes)
