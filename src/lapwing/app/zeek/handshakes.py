"""Rows of `ssl.log` and `quic.log`: one for each handshake."""

from collections.abc import Iterable, Iterator

from lapwing.app.zeek.rows import Row
from lapwing.events import SessionMessaged, Side
from lapwing.events.messages.quic import QuicInitial
from lapwing.events.messages.tls import (
    TlsAlert,
    TlsCertificate,
    TlsCertificates,
    TlsClientHello,
    TlsEstablished,
    TlsMessage,
    TlsServerHello,
    TlsUnfinished,
)

_PRE_SHARED_KEY = 41  # extension of TLS 1.3; in the server's hello it says that the session is resumed
_TLS = (TlsClientHello, TlsServerHello, TlsCertificates, TlsAlert, TlsEstablished, TlsUnfinished)
_MAX_LETTERS = 100  # of a history: as many as a message tells; a usual one has ten
_LETTERS = {TlsClientHello: "c", TlsServerHello: "s", TlsCertificates: "x"}


class SslRows:
    """One row a connection, over TCP or in QUIC.

    `ssl_history` is what the last message tells that has one, and what came since; in QUIC it is hellos alone.
    """

    def __init__(self) -> None:
        self._row: Row = {}
        self._name: str | None = None
        self._history = ""

    def add(self, event: SessionMessaged) -> Iterator[Row]:
        """Nothing is complete before the end."""
        message = event.message
        if isinstance(message, _TLS):
            if not self._row:
                self._row = {"ts": event.ts_ns, "resumed": False, "established": False}
            self._row |= self._said(event.side, message)
            self._row["ssl_history"] = self._history = _history(self._history, event.side, message)
        yield from ()

    def end(self) -> Iterator[Row]:
        """The connection, when anything of TLS was seen."""
        if self._row:
            yield self._row

    def _said(self, side: Side, message: TlsMessage) -> Row:
        if isinstance(message, TlsClientHello):
            self._name = message.server_name
            return {"server_name": message.server_name}
        if isinstance(message, TlsServerHello):
            return {} if message.retry else _chosen(message)
        if isinstance(message, TlsCertificates):
            return self._shown(side, message.certificates)
        if isinstance(message, TlsAlert):
            return {"last_alert": message.description}
        if isinstance(message, TlsUnfinished):
            return {}
        return {"established": True, "resumed": message.resumed, "curve": message.group}

    def _shown(self, side: Side, chain: list[TlsCertificate]) -> Row:
        prints = tuple(one.sha256 for one in chain)
        if side is Side.CLIENT:
            return {"client_cert_chain_fps": prints}
        row: Row = {"cert_chain_fps": prints, "client_cert_chain_fps": self._row.get("client_cert_chain_fps", ())}
        if chain and self._name:
            row["sni_matches_cert"] = _matches(self._name.lower(), _names(chain[0]))
        return row


def _history(before: str, side: Side, message: TlsMessage) -> str:
    if isinstance(message, TlsAlert | TlsEstablished | TlsUnfinished):
        return message.history
    if len(before) >= _MAX_LETTERS:
        return before
    letter = "j" if isinstance(message, TlsServerHello) and message.retry else _LETTERS[type(message)]
    return before + (letter.upper() if side is Side.CLIENT else letter)


def _chosen(message: TlsServerHello) -> Row:
    return {
        "version": message.version.replace(".", ""),
        "cipher": message.cipher_suite,
        "curve": message.group,
        "next_protocol": message.alpn,
        "resumed": _PRE_SHARED_KEY in message.extensions,
    }


def _names(certificate: TlsCertificate) -> Iterable[str]:
    """The names a certificate is for: the alternative ones, else the common name (RFC 6125, 6.4.4)."""
    common = (part[3:] for part in certificate.subject.split(",") if part.startswith("CN="))
    return certificate.alternative_names or common


def _matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns is `name`; a leading `*` stands for one label."""
    _, _, parent = name.partition(".")
    return any(pattern.lower() in (name, f"*.{parent}") for pattern in patterns)


class QuicRows:
    """One row an attempt of the client; a retry of the server makes it try again."""

    def __init__(self) -> None:
        self._row: Row = {}

    def add(self, event: SessionMessaged) -> Iterator[Row]:
        """Another first packet of the client completes the row before."""
        message = event.message
        if isinstance(message, QuicInitial) and event.side is Side.CLIENT:
            yield from self.end()
            self._row = {
                "ts": event.ts_ns,
                "version": "quicv2" if message.version == "2" else message.version,
                "client_initial_dcid": message.destination_id,
                "client_scid": message.source_id,
            }
        elif not self._row:
            return
        elif isinstance(message, QuicInitial):
            self._row["server_scid"] = message.source_id
        elif isinstance(message, TlsClientHello):
            self._row |= {"server_name": message.server_name, "client_protocol": next(iter(message.alpn), None)}

    def end(self) -> Iterator[Row]:
        """The last attempt."""
        if self._row:
            yield self._row
