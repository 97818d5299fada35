"""Interactions as interactsh's client prints them: one line for people, one JSON object for programs."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from lapwing.app.words import safe
from lapwing.callbacks import DnsInteraction, Interaction, OtherInteraction, SmtpInteraction, protocol_of
from lapwing.callbacks.interactsh import dns_text, write_timestamp
from lapwing.events import WireError

_UNSHOWN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class _Line(msgspec.Struct, frozen=True, rename="kebab", omit_defaults=True):
    """interactsh's fields in its order; those without a default are always there."""

    protocol: str
    unique_id: str
    full_id: str
    q_type: str = ""
    raw_request: str = ""
    raw_response: str = ""
    smtp_from: str = ""
    remote_address: str = ""
    timestamp: str = ""


def json_line(interaction: Interaction) -> bytes:
    """The object interactsh's client writes under `-json`, without a line end."""
    attribution = interaction.attribution
    protocol = protocol_of(interaction)
    return msgspec.json.encode(
        _Line(
            protocol="https" if protocol == "http" and interaction.peer.tls else protocol,
            unique_id=interaction.unique_id,
            full_id="" if attribution is None else attribution.full_id,
            q_type=interaction.query_type if isinstance(interaction, DnsInteraction) else "",
            raw_request=_text(interaction, interaction.raw_request),
            raw_response=_text(interaction, interaction.raw_response),
            smtp_from=interaction.mail_from if isinstance(interaction, SmtpInteraction) else "",
            remote_address=interaction.peer.client_ip,
            timestamp=_timestamp(interaction.ts_ns),
        )
    )


def text_line(interaction: Interaction) -> str:
    """`[id] Received DNS interaction (A) from 203.0.113.9 at 2026-03-01 10:15:02`, safe for a terminal."""
    attribution = interaction.attribution
    full_id = "" if attribution is None else attribution.full_id
    kind = f" ({interaction.query_type})" if isinstance(interaction, DnsInteraction) and interaction.query_type else ""
    name = protocol_of(interaction)
    spoken = name.capitalize() if isinstance(interaction, OtherInteraction) else name.upper()
    at = datetime.fromtimestamp(interaction.ts_ns // 1_000_000_000, UTC)
    source = f" from {interaction.peer.client_ip}" if interaction.peer.client_ip else ""
    return safe(f"[{full_id}] Received {spoken} interaction{kind}{source} at {at:%Y-%m-%d %H:%M:%S}")


def verbose_lines(interaction: Interaction) -> Iterator[str]:
    """What was asked and answered, each under a title. Control characters are shown as dots."""
    name = "SMTP Interaction" if isinstance(interaction, SmtpInteraction) else f"{protocol_of(interaction).upper()} "
    parts = [("" if name.endswith("Interaction") else "Request", interaction.raw_request)]
    if interaction.raw_response:
        parts.append(("Response", interaction.raw_response))
    for what, data in parts:
        title = name + what
        rule = "-" * len(title)
        yield from ("", rule, title, rule, "", _shown(_text(interaction, data)), "")


def _shown(text: str) -> str:
    return _UNSHOWN.sub(".", text.replace("\r\n", "\n"))


def _text(interaction: Interaction, data: bytes) -> str:
    """Collectors of interactsh's kind send a DNS message as text already; Lapwing's own send it as it was."""
    if isinstance(interaction, DnsInteraction) and not data.startswith(b";; "):
        return dns_text(data)
    return data.decode("utf-8", "replace")


def _timestamp(ts_ns: int) -> str:
    try:
        return write_timestamp(ts_ns)
    except WireError:
        return ""
