"""What is kept on disk, in SQLite or PostgreSQL, by one query text.

One process writes interactions, in groups: what was taken is on disk before anybody is told. Nothing is decided here.
"""

from lapwing.io.store.consumers import Consumers
from lapwing.io.store.database import Store
from lapwing.io.store.interactions import Interactions, Page, Row, Stored, decode_payload, encode_payload
from lapwing.io.store.letters import Letter, Letters
from lapwing.io.store.losses import Loss, Losses
from lapwing.io.store.mailboxes import NOBODY, KeptMailbox, Mailboxes, MailboxKeys, secret_digest
from lapwing.io.store.retention import Retention
from lapwing.io.store.settings import Durability, StoreSettings
from lapwing.io.store.tokens import MAX_LISTED, PlantedToken, PlantedTokens
from lapwing.io.store.uses import DecoyUse, DecoyUses
from lapwing.io.store.writer import GroupWriter, Hit

__all__ = [
    "MAX_LISTED",
    "NOBODY",
    "Consumers",
    "DecoyUse",
    "DecoyUses",
    "Durability",
    "GroupWriter",
    "Hit",
    "Interactions",
    "KeptMailbox",
    "Letter",
    "Letters",
    "Loss",
    "Losses",
    "MailboxKeys",
    "Mailboxes",
    "Page",
    "PlantedToken",
    "PlantedTokens",
    "Retention",
    "Row",
    "Store",
    "StoreSettings",
    "Stored",
    "decode_payload",
    "encode_payload",
    "secret_digest",
]
