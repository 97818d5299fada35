"""How logs are read."""

from typing import Annotated

import msgspec

from lapwing.logins.logs.rules import parse_outcome

KIBIBYTE = 1024
EARLIEST_YEAR = 1970


class LogSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of log reading.

    `time_zone`: zone of timestamps that carry none, a name such as `Europe/Vienna`, or `local` for this machine's.
    `year`: year of the last line of logs whose timestamps carry none; 0 takes it from when the file was written.
    `trusted_proxies`: networks of proxies whose word about the client's address counts; nobody else's does.
    `outcomes`: what statuses of a login surface mean where the log alone does not tell, as
    `METHOD /path STATUS OUTCOME`, e.g. `POST /login 200 failed`.
    `max_line_bytes`: longer lines are counted and passed over; a JSON array on one line may have 16 MiB.
    """

    time_zone: str = "UTC"
    year: Annotated[int, msgspec.Meta(ge=0, le=9999)] = 0
    trusted_proxies: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    max_line_bytes: Annotated[int, msgspec.Meta(ge=256, le=16 * KIBIBYTE * KIBIBYTE)] = 64 * KIBIBYTE

    def __post_init__(self) -> None:
        if 0 < self.year < EARLIEST_YEAR:
            raise ValueError(f"year: {self.year} is before {EARLIEST_YEAR}, from which times are counted")
        for rule in self.outcomes:
            parse_outcome(rule)
