"""How a wait ends. Absence is only reported where it was proved."""

from typing import Literal

import msgspec

from lapwing.callbacks.interaction import Interaction, protocol_of

Accepts = Literal["any", "dns", "http", "smtp", "ldap", "ftp"]


class Observed(msgspec.Struct, frozen=True):
    """The first interaction with the token that the filter accepts."""

    interaction: Interaction


class NotObserved(msgspec.Struct, frozen=True):
    """Nothing had arrived by the deadline: a fetch that began at `proved_ns`, later than it, says so."""

    proved_ns: int


class Inconclusive(msgspec.Struct, frozen=True):
    """Nothing is known: something may have arrived and was not seen. `reason` is a sentence for people."""

    reason: str


class Disabled(msgspec.Struct, frozen=True):
    """Nobody is listening. `reason` says what to do."""

    reason: str


Outcome = Observed | NotObserved | Inconclusive | Disabled


def accepts(wanted: Accepts, interaction: Interaction) -> bool:
    """Whether a wait for `wanted` is answered by `interaction`. HTTPS is HTTP; foreign protocols match `any` only."""
    return wanted == "any" or protocol_of(interaction) == wanted
