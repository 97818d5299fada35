"""Leaves out packets that are seen twice: on loopback, on a bridge, on `any`, behind two mirror ports."""

import secrets
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lapwing.io.capture.plain_dedup import Seen
else:
    try:
        from lapwing.io.capture.hot_dedup import Seen
    except (ImportError, AttributeError):  # not compiled
        from lapwing.io.capture.plain_dedup import Seen

_COLUMNS = ("ts_ns", "frame_off", "captured", "wire_bytes", "link_type")


class DedupSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What counts as the same packet again."""

    window_ms: Annotated[float, Meta(gt=0, le=10_000)] = 1.0
    """A copy comes at most this much later; a repetition by TCP comes much later than a copy by a bridge."""

    packets: Annotated[int, Meta(ge=1, le=1_000_000)] = 256
    """Packets remembered, about 50 bytes each; the oldest are forgotten first."""

    opposite_only: bool = False
    """Whether, where the link says which way a packet went (Linux cooked captures), only one that left and one that
    arrived are copies: two that went the same way are then a repetition."""

    skip_bytes: Annotated[int, Meta(ge=0, le=64)] = 0
    """Bytes at the front that may differ: 14 for copies on both sides of a router, whose addresses of the link do."""


PRESETS = {
    "loopback": DedupSettings(opposite_only=True),
    "bridge": DedupSettings(window_ms=5.0, packets=4_096),
    "mirror": DedupSettings(window_ms=20.0, packets=65_536, skip_bytes=14),
}


class Dedup:
    """Remembers packets for a moment. A copy has the same bytes and length, and comes within the window.

    A copy of a copy counts too: the window begins anew with each.
    """

    def __init__(self, settings: DedupSettings | None = None) -> None:
        settings = settings or DedupSettings()
        window_ns = round(settings.window_ms * 1_000_000)
        self._seen = Seen(
            settings.packets, window_ns, settings.skip_bytes, settings.opposite_only, secrets.token_bytes(16)
        )
        self.dropped_count = 0

    def apply(self, buffer: Any, rows: NDArray[np.void], count: int) -> int:
        """Move the packets seen for the first time to the front of the first `count` rows; returns how many."""
        keep = np.ones(count, np.uint8)
        columns = [np.ascontiguousarray(rows[name][:count]) for name in _COLUMNS]
        copies = self._seen.sift(buffer, columns, keep)
        if copies:
            rows[: count - copies] = rows[:count][keep.view(bool)]
            self.dropped_count += copies
        return count - copies
