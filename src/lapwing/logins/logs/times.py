"""Timestamps of logs as nanoseconds UTC. What a timestamp leaves out (zone, year) is supplied, and that is told."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
MAX_EPOCH_CHARS = 40  # of a number of seconds with its fraction; what is longer is no time
EARLIEST_NS = 0
LATEST_NS = 7_258_118_399 * SECOND_NS  # the end of year 2199; detection counts time in 64 bits, which end in 2262

_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}
_SYSLOG = re.compile(r"([A-Z][a-z]{2}) ([ \d]\d|\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?")
_CLF = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?: ([+-])(\d\d)(\d\d))?")
_CTIME = re.compile(
    r"(?:[A-Z][a-z]{2} )?([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?: [A-Z]{3,5})? (\d{4})"
)
_EPOCH = re.compile(r"(\d{1,19})(?:\.(\d{1,9})\d*)?")
_BLANKS = re.compile(r"  +")
_SPACED_ZONE = re.compile(r" (?=(?:[+-]\d\d:?\d\d|Z|UTC)$)")
_EPOCH_SCALES = ((10**11, SECOND_NS), (10**14, 10**6), (10**17, 10**3), (10**20, 1))  # seconds, ms, us, ns by size


class Clock:
    """Reads timestamps. `latest_ns` is a moment no line is younger than: now, or when the file was last written.

    `year_assumed` and `zone_assumed` say whether a timestamp lacked one, so that it had to be supplied.
    """

    __slots__ = ("_clf_base", "_clf_minute", "_day", "_day_base", "latest_ns", "year_assumed", "zone", "zone_assumed")

    def __init__(self, zone: tzinfo = UTC, latest_ns: int = LATEST_NS) -> None:
        self.zone = zone
        self.latest_ns = latest_ns
        self.year_assumed = False
        self.zone_assumed = False
        self._day = self._clf_minute = ""
        self._day_base = self._clf_base = 0

    def move(self, zone: tzinfo) -> None:
        """From now on, times without a zone are of this one."""
        self.zone = zone
        self._day = self._clf_minute = ""

    def syslog(self, text: str) -> int | None:
        """Read `Mar 27 13:06:56` (RFC 3164 section 4.1.2), the year being the latest that is not in the future."""
        minute = text[:12]
        if minute == self._day and len(text) == 15 and text[13:].isdecimal():  # the same minute as the line before
            return self._day_base + int(text[13:]) * SECOND_NS
        match = _SYSLOG.fullmatch(text)
        if match is None or match[1] not in _MONTHS:
            return None
        moment = self._without_year(_MONTHS[match[1]], int(match[2]), int(match[3]), int(match[4]))
        if moment is None:
            return None
        self._day, self._day_base = minute, moment
        return moment + int(match[5]) * SECOND_NS + _fraction(match[6])

    def clf(self, text: str) -> int | None:
        """Read `27/Mar/2017:13:06:56 +0000`, the time of access logs."""
        minute = text[:17] + text[20:]
        if minute == self._clf_minute and text[18:20].isdecimal():
            return self._clf_base + int(text[18:20]) * SECOND_NS
        match = _CLF.fullmatch(text)
        if match is None or match[2] not in _MONTHS:
            return None
        zone: tzinfo | None = None
        if match[8]:
            offset = timedelta(hours=int(match[9]), minutes=int(match[10]))
            zone = _fixed(offset if match[8] == "+" else -offset)
        base = self._moment(int(match[3]), _MONTHS[match[2]], int(match[1]), int(match[4]), int(match[5]), zone)
        if base is None:
            return None
        if match[7] is None:
            self._clf_minute, self._clf_base = minute, base
        return base + int(match[6]) * SECOND_NS + _fraction(match[7])

    def iso(self, text: str) -> int | None:
        """Read an RFC 3339 or ISO 8601 time, also with a space for the `T`, a comma, or a space before the zone."""
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            try:
                moment = datetime.fromisoformat(_tidied(text))
            except ValueError:
                return None
        if moment.tzinfo is None:
            self.zone_assumed = True
            moment = moment.replace(tzinfo=self.zone)
        return _to_ns(moment)

    def epoch(self, value: float | str) -> int | None:
        """Read a number of seconds, milli-, micro- or nanoseconds since 1970, told apart by its size."""
        text = value if isinstance(value, str) else repr(value)
        if "e" in text:
            try:
                text = f"{float(text):f}"
            except ValueError:
                return None
        match = _EPOCH.fullmatch(text)
        if match is None or len(text) > MAX_EPOCH_CHARS:
            return None
        whole = int(match[1])
        for limit, unit in _EPOCH_SCALES:
            if whole < limit:
                ns = whole * unit + (_fraction(match[2]) if unit == SECOND_NS else 0)
                return ns if ns <= LATEST_NS else None
        return None

    def any(self, value: object) -> int | None:
        """Read a time of whatever kind; None when it is of none."""
        if isinstance(value, bool) or value is None:
            return None
        if isinstance(value, int | float):
            return self.epoch(value)
        if not isinstance(value, str):
            return None
        text = value.strip()
        if text[:4].isdigit() and text[4:5] in ("-", "/"):
            return self.iso(text)
        if text[:1].isdigit():
            return self.clf(text) if text[2:3] == "/" else self.epoch(text)
        return self._ctime(text) or self.syslog(text)

    def _ctime(self, text: str) -> int | None:
        """Read `Mon Jun  8 12:08:53 2020`, also with a fraction or a zone's letters, which nothing resolves."""
        match = _CTIME.fullmatch(text)
        if match is None or match[1] not in _MONTHS:
            return None
        year, month, day = int(match[7]), _MONTHS[match[1]], int(match[2])
        base = self._moment(year, month, day, int(match[3]), int(match[4]), None)
        return None if base is None else base + int(match[5]) * SECOND_NS + _fraction(match[6])

    def _without_year(self, month: int, day: int, hour: int, minute: int) -> int | None:
        """The latest such moment before `latest_ns`; a day ahead is allowed for zones and clocks that differ."""
        self.year_assumed = True
        limit = min(self.latest_ns + DAY_NS, LATEST_NS)
        year = datetime.fromtimestamp(limit // SECOND_NS, UTC).year
        for candidate in range(year, max(year - 9, 1970), -1):  # 29 February may be eight years back
            moment = self._moment(candidate, month, day, hour, minute, None)
            if moment is not None and moment <= limit:
                return moment
        return None

    def _moment(self, year: int, month: int, day: int, hour: int, minute: int, zone: tzinfo | None) -> int | None:
        if zone is None:
            self.zone_assumed = True
        try:
            return _to_ns(datetime(year, month, day, hour, minute, tzinfo=zone or self.zone))
        except ValueError:
            return None


def _tidied(text: str) -> str:
    """A time in one of the spellings near ISO 8601: `2026/01/05  5:13:11 UTC`."""
    return _SPACED_ZONE.sub("", _BLANKS.sub(" 0", text.replace("/", "-"))).replace("UTC", "Z")


def _fixed(offset: timedelta) -> tzinfo | None:
    return timezone(offset) if abs(offset) < timedelta(days=1) else None


_EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _to_ns(moment: datetime) -> int | None:
    try:
        ns = (moment - _EPOCH_START) // _MICROSECOND * 1000
    except OverflowError:
        return None
    return ns if EARLIEST_NS <= ns <= LATEST_NS else None


def _fraction(digits: str | None) -> int:
    """Nanoseconds of the digits behind a decimal point."""
    return int(digits.ljust(9, "0")[:9]) if digits else 0
