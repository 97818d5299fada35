"""Who reached a token we planted: tokens, correlation, the interactsh wire, sessions, responders.

Nothing here opens a socket, reads a clock or draws a random number; time and entropy are handed in.
The room's face also hands out `session`, the client: it lives on the floor that may open sockets (decision 0009).
"""

from typing import TYPE_CHECKING, Any

from lapwing.callbacks import interactsh, planting, responders
from lapwing.callbacks.correlation import TO_THE_END, Place, Registry, attribute, correlate, places
from lapwing.callbacks.decoys import Decoy, DecoyIndex, decoy_account, decoy_password
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
from lapwing.callbacks.machine import CallbackSession, Fetch, Output, Received, Register, Resolve, State
from lapwing.callbacks.noise import Noise, NoiseMarker, NoiseRules
from lapwing.callbacks.outcomes import Accepts, Disabled, Inconclusive, NotObserved, Observed, Outcome, accepts
from lapwing.callbacks.policy import Answer, Policy, Verdict, decide, wait_needed
from lapwing.callbacks.published import received_event, tripped_event
from lapwing.callbacks.retention import Gap
from lapwing.callbacks.settings import ClientSettings, SessionSettings
from lapwing.callbacks.throttle import Doubts, Throttle
from lapwing.callbacks.tokens import (
    DEFAULT_ID_LENGTH,
    DEFAULT_NONCE_LENGTH,
    Token,
    TokenBook,
    TokenKey,
    correlation_id,
)

if TYPE_CHECKING:
    from lapwing.io.callbacks import session

__all__ = [
    "DEFAULT_ID_LENGTH",
    "DEFAULT_NONCE_LENGTH",
    "TO_THE_END",
    "Accepts",
    "Answer",
    "AnyInteraction",
    "Attribution",
    "CallbackSession",
    "ClientSettings",
    "Decoy",
    "DecoyIndex",
    "Disabled",
    "DnsInteraction",
    "Doubts",
    "Fetch",
    "FtpInteraction",
    "Gap",
    "HttpInteraction",
    "Inconclusive",
    "Interaction",
    "LdapInteraction",
    "Noise",
    "NoiseMarker",
    "NoiseRules",
    "NotObserved",
    "Observed",
    "OtherInteraction",
    "Outcome",
    "Output",
    "Peer",
    "Place",
    "Placement",
    "Policy",
    "Received",
    "Register",
    "Registry",
    "Resolve",
    "SessionSettings",
    "SmtpInteraction",
    "State",
    "Throttle",
    "Token",
    "TokenBook",
    "TokenKey",
    "Turn",
    "Verdict",
    "accepts",
    "attribute",
    "correlate",
    "correlation_id",
    "decide",
    "decoy_account",
    "decoy_password",
    "interactsh",
    "places",
    "planting",
    "protocol_of",
    "received_event",
    "responders",
    "session",
    "tripped_event",
    "wait_needed",
]


def __getattr__(name: str) -> Any:
    """Fetch the client when it is first asked for; nothing in this room uses it."""
    if name != "session":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return import_module("lapwing.io.callbacks").session
