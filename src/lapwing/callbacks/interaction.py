"""One interaction: who reached a listener, by which protocol, with which bytes.

Interactions are evidence and keep raw bytes, so they are no events: what is published of them are
`callback.received` and `token.tripped`, which carry no payload. Secrets of the conversational protocols (FTP `PASS`,
SMTP `AUTH`, LDAP bind) are replaced where they are captured; an HTTP request is kept byte for byte.
"""

from enum import StrEnum

import msgspec

from lapwing.events import Side

MAX_RAW_BYTES = 64 * 1024  # kept per direction of an interaction; `request_bytes` says how many there were
MAX_TURNS = 512  # pieces of a conversation; a dialogue of one-letter commands costs no more than this


class Placement(StrEnum):
    """Where in an interaction a token stood, most telling first."""

    DNS_NAME = "dns-name"
    TLS_SNI = "tls-sni"
    HTTP_HOST = "http-host"
    URL_PATH = "url-path"
    URL_QUERY = "url-query"
    HTTP_HEADER = "http-header"
    HTTP_BODY = "http-body"
    MAIL_DOMAIN = "mail-domain"
    MAIL_LOCAL_PART = "mail-local-part"
    MAIL_HELLO = "mail-hello"
    MAIL_USER = "mail-user"
    MAIL_CONTENT = "mail-content"
    LDAP_BASE_DN = "ldap-base-dn"
    LDAP_BIND_DN = "ldap-bind-dn"
    LDAP_FILTER = "ldap-filter"
    FTP_USER = "ftp-user"
    FTP_PATH = "ftp-path"
    OTHER = "other"


class Attribution(msgspec.Struct, frozen=True, gc=False):
    """Whose token it was. `full_id` is what stood before the token too, in its letters, without the domain."""

    correlation_id: str
    nonce: str
    full_id: str
    placement: Placement

    @property
    def unique_id(self) -> str:
        """Correlation id and nonce."""
        return self.correlation_id + self.nonce


class Peer(msgspec.Struct, frozen=True, gc=False):
    """Who is at the other end of a listener. `sni` is the server name of the TLS handshake, None without one."""

    client_ip: str
    client_port: int | None = None
    server_port: int | None = None
    tls: bool = False
    sni: str | None = None


class Turn(msgspec.Struct, frozen=True, gc=False):
    """A piece of a conversation, as one side said it."""

    side: Side
    data: bytes


class Interaction(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="protocol"
):
    """What all variants carry.

    `ts_ns` is when the last byte of it arrived. `request_bytes` counts what arrived, kept or not; None where the
    collector did not say. `malformed` says in a few words what did not fit the protocol, empty when all did.
    """

    ts_ns: int
    peer: Peer
    attribution: Attribution | None = None
    raw_request: bytes = b""
    raw_response: bytes = b""
    request_bytes: int | None = None
    malformed: str = ""

    @property
    def truncated(self) -> bool:
        """Whether more arrived than was kept."""
        return self.request_bytes is not None and self.request_bytes > len(self.raw_request)

    @property
    def unique_id(self) -> str:
        """The token's id; empty when none of ours was found."""
        return "" if self.attribution is None else self.attribution.unique_id


class DnsInteraction(Interaction, frozen=True, kw_only=True, tag="dns"):
    """One query. `name` in the letters of the query, without the last dot; `transport` is `udp` or `tcp`."""

    name: str = ""
    query_type: str = ""
    transport: str = "udp"


class HttpInteraction(Interaction, frozen=True, kw_only=True, tag="http"):
    """One request, over TLS where `peer.tls`. `raw_request` is it, byte for byte."""

    method: str = ""
    target: str = ""
    host: str = ""


class SmtpInteraction(Interaction, frozen=True, kw_only=True, tag="smtp"):
    """One mail, or what a client said that sent none.

    `raw_request` is the mail's content; `turns` is the conversation so far. `user` is who authenticated.
    """

    hello: str = ""
    user: str = ""
    mail_from: str = ""
    recipients: tuple[str, ...] = ()
    turns: tuple[Turn, ...] = ()


class LdapInteraction(Interaction, frozen=True, kw_only=True, tag="ldap"):
    """One operation, by its name in RFC 4511. `name` is the bind DN, the base DN, or the DN acted on."""

    operation: str = ""
    name: str = ""
    search_filter: str = ""


class FtpInteraction(Interaction, frozen=True, kw_only=True, tag="ftp"):
    """A login, a command that names a path, or a connection with neither, whose conversation is in `turns`."""

    command: str = ""
    user: str = ""
    path: str = ""
    turns: tuple[Turn, ...] = ()


class OtherInteraction(Interaction, frozen=True, kw_only=True, tag="other"):
    """What another collector reports by a protocol this one does not speak; `name` is its word for it."""

    name: str = ""


AnyInteraction = (
    DnsInteraction | HttpInteraction | SmtpInteraction | LdapInteraction | FtpInteraction | OtherInteraction
)

_PROTOCOLS: dict[type[Interaction], str] = {
    kind: str(kind.__struct_config__.tag)
    for kind in (DnsInteraction, HttpInteraction, SmtpInteraction, LdapInteraction, FtpInteraction)
}


def protocol_of(interaction: Interaction) -> str:
    """Return `dns`, `http`, `smtp`, `ldap`, `ftp`, or another collector's word. HTTPS is `http` with `peer.tls`."""
    return _PROTOCOLS.get(type(interaction)) or interaction.name  # type: ignore[attr-defined]  # OtherInteraction's


class RawKeeper:
    """Keeps the first bytes of something and counts all of them."""

    __slots__ = ("_data", "_limit", "total_bytes")

    def __init__(self, limit: int = MAX_RAW_BYTES) -> None:
        self._data = bytearray()
        self._limit = limit
        self.total_bytes = 0

    def add(self, data: bytes) -> None:
        """Append; what is past the limit is only counted."""
        self.total_bytes += len(data)
        room = self._limit - len(self._data)
        if room > 0:
            self._data += data[:room]

    def value(self) -> bytes:
        """What was kept."""
        return bytes(self._data)

    def take(self) -> tuple[bytes, int]:
        """Return what was kept and how much there was, and begin anew."""
        result = bytes(self._data), self.total_bytes
        self._data.clear()
        self.total_bytes = 0
        return result

    def __len__(self) -> int:
        return len(self._data)


class Transcript:
    """Keeps the first turns of a conversation. Pieces of one side that follow each other are one turn."""

    def __init__(self, limit: int = MAX_RAW_BYTES) -> None:
        self._turns: list[tuple[Side, bytearray]] = []
        self._limit = limit
        self.kept_bytes = 0
        self.client_bytes = 0

    def add(self, side: Side, data: bytes) -> None:
        """Append what `side` said; what is past the limits is counted only (`client_bytes`)."""
        if side is Side.CLIENT:
            self.client_bytes += len(data)
        data = data[: self._limit - self.kept_bytes]
        if not data:
            return
        if self._turns and self._turns[-1][0] is side:
            self._turns[-1][1].extend(data)
        elif len(self._turns) < MAX_TURNS:
            self._turns.append((side, bytearray(data)))
        else:
            self._limit = self.kept_bytes  # what comes behind a turn left out is left out too, or there were a hole
            return
        self.kept_bytes += len(data)

    def turns(self) -> tuple[Turn, ...]:
        """What was kept so far."""
        return tuple(Turn(side, bytes(data)) for side, data in self._turns)
