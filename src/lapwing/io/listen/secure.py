"""TLS between a socket and a responder: cipher text in, plain text out, and what a client said before it gave up.

The handshake is driven here rather than by the event loop, because the name a client asks for is a hit even when it
does not like our certificate.
"""

import ssl
from collections.abc import Callable

MAX_READ_BYTES = 64 * 1024  # of plain text taken at once


class TlsLayer:
    """The server's side of one connection."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.ready = False
        self.ended = False  # the client said that nothing more comes
        self.sni: str | None = None
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._in, self._out, server_side=True)
        self._object.lapwing_note = self._note_sni  # type: ignore[attr-defined]  # read by `note_sni`

    def _note_sni(self, name: str | None) -> None:
        self.sni = name

    def receive(self, data: bytes) -> bytes:
        """Take cipher text, return what it says; `take_out` afterwards. Raises ssl.SSLError where it is none."""
        self._in.write(data)
        if not self.ready:
            try:
                self._object.do_handshake()
            except ssl.SSLWantReadError:
                return b""
            self.ready = True
        return self._read()

    def _read(self) -> bytes:
        pieces = []
        while True:
            try:
                piece = self._object.read(MAX_READ_BYTES)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLZeroReturnError:
                piece = b""
            if not piece:
                self.ended = True
                break
            pieces.append(piece)
        return b"".join(pieces)

    def send(self, data: bytes) -> None:
        """Encrypt; `take_out` afterwards."""
        self._object.write(data)

    def close(self) -> None:
        """Say that nothing more comes; `take_out` afterwards."""
        if self.ready:
            try:
                self._object.unwrap()
            except (ssl.SSLWantReadError, ssl.SSLSyscallError):
                pass  # the client's own farewell is not waited for
            except ssl.SSLError:
                pass

    def take_out(self) -> bytes:
        """What has to be sent."""
        return self._out.read()

    @property
    def protocol(self) -> str | None:
        """The protocol agreed on (ALPN)."""
        return self._object.selected_alpn_protocol() if self.ready else None


def note_sni(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _context: ssl.SSLContext) -> None:
    """An `sni_callback`: tells the layer which name is asked for, before the handshake can fail."""
    note: Callable[[str | None], None] | None = getattr(connection, "lapwing_note", None)
    if note is not None:
        note(name)
