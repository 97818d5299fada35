"""Interactions as events: who, when, by which token; never what was sent."""

from typing import Literal

from lapwing.callbacks.interaction import Interaction, protocol_of
from lapwing.callbacks.tokens import Token
from lapwing.events import CallbackReceived, TokenTripped

TokenKind = Literal["url", "name", "mail-address"]


def received_event(interaction: Interaction) -> CallbackReceived:
    """Return what is published of an interaction, whoever it belongs to."""
    attribution = interaction.attribution
    return CallbackReceived(
        ts_ns=interaction.ts_ns,
        protocol=protocol_of(interaction),
        client_ip=interaction.peer.client_ip,
        client_port=interaction.peer.client_port,
        server_port=interaction.peer.server_port,
        tls=interaction.peer.tls,
        unique_id=interaction.unique_id or None,
        full_id=None if attribution is None else attribution.full_id,
        placement=None if attribution is None else str(attribution.placement),
        request_bytes=interaction.request_bytes,
        malformed=interaction.malformed,
    )


def tripped_event(token: Token, kind: TokenKind, interaction: Interaction) -> TokenTripped:
    """Return that a planted token was used, in the words of whoever planted it."""
    return TokenTripped(
        ts_ns=interaction.ts_ns,
        token_kind=kind,
        token_id=token.unique_id,
        client_ip=interaction.peer.client_ip or None,
        protocol=protocol_of(interaction),
        purpose=token.purpose,
    )
