"""Interactions as interactsh's JSON objects, both ways."""

from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

import msgspec

from lapwing.callbacks.interaction import (
    Attribution,
    DnsInteraction,
    FtpInteraction,
    HttpInteraction,
    Interaction,
    LdapInteraction,
    OtherInteraction,
    Peer,
    Placement,
    SmtpInteraction,
    protocol_of,
)
from lapwing.callbacks.interactsh.dialect import V1_3_1, Dialect
from lapwing.callbacks.interactsh.dump import dns_text
from lapwing.callbacks.interactsh.timestamps import read_timestamp, write_timestamp
from lapwing.callbacks.tokens import DEFAULT_ID_LENGTH
from lapwing.events import WireError

MAX_OBJECT_BYTES = 1024 * 1024  # of one interaction; interactsh sets no limit, a request with its answer stays below
MAX_PAYLOAD_BYTES = 16 * 1024  # of raw text kept by a client
QUERY_TYPES: Final = frozenset({"A", "NS", "CNAME", "SOA", "PTR", "MX", "TXT", "AAAA"})  # others are left out


class _Written(msgspec.Struct, frozen=True, rename="kebab", omit_defaults=True):
    """The fields in interactsh's order; those without a default are always there."""

    protocol: str
    unique_id: str
    full_id: str
    remote_address: str
    timestamp: str
    q_type: str = ""
    raw_request: str = ""
    raw_response: str = ""
    smtp_from: str = ""


class _Read(msgspec.Struct, frozen=True, rename="kebab"):
    """Whatever a server leaves out or sends as null is None."""

    protocol: str
    unique_id: str | None = None
    full_id: str | None = None
    q_type: str | None = None
    raw_request: str | None = None
    raw_response: str | None = None
    smtp_from: str | None = None
    remote_address: str | None = None
    timestamp: str | None = None


_decoder = msgspec.json.Decoder(_Read)
# Go escapes what could end a script element; clients compare texts, so the same characters are escaped here.
_ESCAPES = ((b"<", b"\\u003c"), (b">", b"\\u003e"), (b"&", b"\\u0026"))


def to_object(interaction: Interaction, dialect: Dialect = V1_3_1) -> bytes:
    """Return the JSON text a collector puts into `data` (encrypted), `extra` or `tlddata`.

    Raises WireError for a time no timestamp can show.
    """
    attribution = interaction.attribution
    protocol = protocol_of(interaction)
    if protocol == "http" and interaction.peer.tls and dialect.https_name:
        protocol = "https"
    written = _Written(
        protocol=protocol,
        unique_id=interaction.unique_id,
        full_id="" if attribution is None else attribution.full_id,
        remote_address=_remote_address(interaction),
        timestamp=write_timestamp(interaction.ts_ns),
        q_type=_query_type(interaction),
        raw_request=_request_text(interaction),
        raw_response=_response_text(interaction),
        smtp_from=interaction.mail_from if isinstance(interaction, SmtpInteraction) else "",
    )
    text = msgspec.json.encode(written)
    for character, escape in _ESCAPES:
        text = text.replace(character, escape)
    return text + b"\n" if dialect.newline else text


def _query_type(interaction: Interaction) -> str:
    if isinstance(interaction, DnsInteraction) and interaction.query_type in QUERY_TYPES:
        return interaction.query_type
    return ""


def _request_text(interaction: Interaction) -> str:
    if isinstance(interaction, DnsInteraction):
        return dns_text(interaction.raw_request)
    if isinstance(interaction, LdapInteraction):
        title = interaction.operation.capitalize()
        return f"Type={title}\nBaseDn={interaction.name}\nFilter={interaction.search_filter}"
    if isinstance(interaction, FtpInteraction):
        said = b"".join(turn.data for turn in interaction.turns) or interaction.raw_request
        return said.decode("utf-8", "replace")
    return interaction.raw_request.decode("utf-8", "replace")


def _response_text(interaction: Interaction) -> str:
    if isinstance(interaction, DnsInteraction):
        return dns_text(interaction.raw_response)
    if isinstance(interaction, HttpInteraction):
        return interaction.raw_response.decode("utf-8", "replace")
    return ""


def _remote_address(interaction: Interaction) -> str:
    peer = interaction.peer
    if not isinstance(interaction, LdapInteraction | FtpInteraction) or peer.client_port is None:
        return peer.client_ip
    host = f"[{peer.client_ip}]" if ":" in peer.client_ip else peer.client_ip
    return f"{host}:{peer.client_port}"


def from_object(text: bytes, *, now_ns: int, id_length: int = DEFAULT_ID_LENGTH) -> Interaction:
    """Read what a collector reports. `https` becomes `http` over TLS; a missing time becomes `now_ns`.

    The unique id is split at `id_length` and lowered, as letter case does not survive DNS.
    Raises WireError for what is no such object.
    """
    if len(text) > MAX_OBJECT_BYTES:
        raise WireError(f"an interaction has at most {MAX_OBJECT_BYTES} bytes")
    try:
        read = _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise WireError(f"no interaction: {problem}") from None
    raw, size = _keep(read.raw_request or "")
    ts_ns = read_timestamp(read.timestamp) if read.timestamp else now_ns
    client_ip, client_port = _split_address(read.remote_address or "")
    peer = Peer(client_ip, client_port, tls=read.protocol.lower() == "https")
    attribution = _attribution(read, id_length)
    answer, _ = _keep(read.raw_response or "")
    return _variant(
        read, raw_request=raw, request_bytes=size, raw_response=answer, ts_ns=ts_ns, peer=peer, attribution=attribution
    )


def _variant(
    read: _Read,
    *,
    ts_ns: int,
    peer: Peer,
    attribution: Attribution | None,
    raw_request: bytes,
    raw_response: bytes,
    request_bytes: int,
) -> Interaction:
    protocol = read.protocol.lower()
    kind = _VARIANTS.get(protocol, OtherInteraction)
    own: dict[str, str] = {}
    if kind is DnsInteraction:
        own = {"name": read.full_id or "", "query_type": read.q_type or ""}
    elif kind is SmtpInteraction:
        own = {"mail_from": read.smtp_from or ""}
    elif kind is OtherInteraction:
        own = {"name": protocol}
    return kind(
        ts_ns=ts_ns,
        peer=peer,
        attribution=attribution,
        raw_request=raw_request,
        raw_response=raw_response,
        request_bytes=request_bytes,
        **own,
    )


_VARIANTS: dict[str, Callable[..., Interaction]] = {
    "dns": DnsInteraction,
    "http": HttpInteraction,
    "https": HttpInteraction,
    "smtp": SmtpInteraction,
    "smtp-mail": SmtpInteraction,
    "ldap": LdapInteraction,
    "ftp": FtpInteraction,
}


def _attribution(read: _Read, id_length: int) -> Attribution | None:
    unique_id = (read.unique_id or "").lower()
    if not unique_id:
        return None
    return Attribution(unique_id[:id_length], unique_id[id_length:], read.full_id or "", Placement.OTHER)


def _keep(text: str) -> tuple[bytes, int]:
    """The first bytes of `text`, cut between characters, and how many there were."""
    data = text.encode("utf-8", "replace")
    if len(data) <= MAX_PAYLOAD_BYTES:
        return data, len(data)
    return data[:MAX_PAYLOAD_BYTES].decode("utf-8", "ignore").encode("utf-8"), len(data)


def _split_address(text: str) -> tuple[str, int | None]:
    """`192.0.2.1`, `192.0.2.1:389`, `2001:db8::1` and `[2001:db8::1]:389` to address and port."""
    try:
        return str(ip_address(text)), None
    except ValueError:
        host, _, port = text.rpartition(":")
        number = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else None
        return (text if number is None else host.strip("[]")), number
