"""This machine's time zone, as logs mean it: with the offset of each moment, which in summer is not that of winter."""

from datetime import UTC, datetime, timedelta, tzinfo


class LocalZone(tzinfo):
    """What the system makes of a time without a zone."""

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        """See tzinfo."""
        return None if moment is None else _placed(moment).utcoffset()

    def dst(self, _moment: datetime | None) -> timedelta | None:
        """See tzinfo; how much of the offset is the summer's is not known."""
        return None

    def tzname(self, moment: datetime | None) -> str | None:
        """See tzinfo."""
        return None if moment is None else _placed(moment).tzname()

    def __str__(self) -> str:
        return "local"


def _placed(moment: datetime) -> datetime:
    """The moment with the offset it has here; one that the system cannot tell is taken as UTC."""
    try:
        return moment.replace(tzinfo=None).astimezone()
    except (OverflowError, ValueError, OSError):
        return moment.replace(tzinfo=UTC)
