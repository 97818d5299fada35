"""RFC 3339 timestamps with up to nine digits of fraction, to nanoseconds and back."""

import re
from datetime import UTC, datetime, timedelta, timezone

from lapwing.events import WireError

_STAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(?:([Zz])|([+-])(\d\d):(\d\d))", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND_NS = 1_000_000_000


def read_timestamp(text: str) -> int:
    """Return nanoseconds since the epoch, UTC. Raises WireError."""
    found = _STAMP.fullmatch(text)
    if found is None:
        raise WireError("not an RFC 3339 timestamp")
    day, clock, fraction, utc, sign, hours, minutes = found.groups()
    offset = timedelta() if utc else timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=timezone(offset))
    except ValueError:
        raise WireError("not a time of any calendar") from None
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * _SECOND_NS + int((fraction or "").ljust(9, "0"))


def write_timestamp(ts_ns: int) -> str:
    """Return the shortest form in UTC: no trailing zeros in the fraction, as Go writes it.

    Raises WireError for a time outside the years 1 to 9999.
    """
    seconds, nanos = divmod(ts_ns, _SECOND_NS)
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        raise WireError("a timestamp has a year of four digits") from None
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    return f"{moment.replace(tzinfo=None).isoformat()}{fraction}Z"
