"""Where the store is and how careful it writes."""

from enum import StrEnum

import msgspec

from lapwing.events import SettingsError


class Durability(StrEnum):
    """What a commit survives."""

    FULL = "full"  # the loss of power: each group is flushed to the disk before it is acknowledged
    NORMAL = "normal"  # the end of the process; after a loss of power the last groups may be missing


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of the store."""

    url: str = "sqlite:///lapwing.db"  # sqlite:///FILE, or postgresql://USER@HOST/DATABASE
    durability: Durability = Durability.FULL  # what a commit survives; PostgreSQL decides by its own settings
    max_group_count: int = 4_000  # interactions in one commit; more wait for the next
    max_waiting_count: int = 50_000  # interactions waiting for a commit; more are refused, never queued
    keep_s: float = 90 * 86_400.0  # interactions older than this are deleted
    keep_bytes: int = 4 * 1024**3  # of the database; then the oldest that belong to nobody go first
    readers_count: int = 4  # connections that only read

    def __post_init__(self) -> None:
        """Raise SettingsError for a URL of another database, or a bound that is none."""
        if self.url.partition(":")[0].partition("+")[0] not in ("sqlite", "postgresql", "postgres"):
            raise SettingsError("store.url: begins with sqlite:/// or postgresql://")
        for name in ("max_group_count", "max_waiting_count", "keep_s", "keep_bytes", "readers_count"):
            if getattr(self, name) <= 0:
                raise SettingsError(f"store.{name}: must be above 0")
