"""Who reached a token we planted: tokens, correlation, the interactsh wire, sessions, responders.

Nothing here opens a socket, reads a clock or draws a random number; time and entropy are handed in.
"""

from lapwing.callbacks import interactsh
from lapwing.callbacks.correlation import TO_THE_END, Place, Registry, attribute, correlate, places
from lapwing.callbacks.interaction import (
    AnyInteraction,
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
    Turn,
    protocol_of,
)
from lapwing.callbacks.tokens import (
    DEFAULT_ID_LENGTH,
    DEFAULT_NONCE_LENGTH,
    Token,
    TokenBook,
    TokenKey,
    correlation_id,
)

__all__ = [
    "DEFAULT_ID_LENGTH",
    "DEFAULT_NONCE_LENGTH",
    "TO_THE_END",
    "AnyInteraction",
    "Attribution",
    "DnsInteraction",
    "FtpInteraction",
    "HttpInteraction",
    "Interaction",
    "LdapInteraction",
    "OtherInteraction",
    "Peer",
    "Place",
    "Placement",
    "Registry",
    "SmtpInteraction",
    "Token",
    "TokenBook",
    "TokenKey",
    "Turn",
    "attribute",
    "correlate",
    "correlation_id",
    "interactsh",
    "places",
    "protocol_of",
]
