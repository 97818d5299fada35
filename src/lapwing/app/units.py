"""Durations, sizes, counts and times as people write and read them."""

import re
from datetime import UTC, datetime

NS_PER_S = 1_000_000_000

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION_NS = {"ns": 1, "us": 1_000, "ms": 1_000_000} | {unit: value * NS_PER_S for unit, value in _SECONDS.items()}
_SIZE_BYTES = {"B": 1} | {
    prefix + suffix: int(base**power)
    for suffix, base in (("B", 1000), ("iB", 1024))
    for power, prefix in enumerate(("K" if base == 1024 else "k", "M", "G", "T"), 1)
}
_QUANTITY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*")

FIELD_UNITS_NS = {"_ns": 1, "_ms": 1_000_000, "_s": NS_PER_S}


def duration_ns(text: str) -> int:
    """Nanoseconds of `300ms`, `10m`, `24h`, `7d` or a sum such as `1h30m`. Raises ValueError."""
    total, end = 0.0, 0
    for match in _QUANTITY.finditer(text):
        unit = _DURATION_NS.get(match[2])
        if unit is None or match.start() != end:
            break
        total += float(match[1]) * unit
        end = match.end()
    if not end or end != len(text):
        raise ValueError(f"{text!r} is no duration; write for example 30s, 10m, 24h or 7d")
    return round(total)


def size_bytes(text: str) -> int:
    """Bytes of `64MiB`, `1.5GB` or `512B`. Raises ValueError."""
    match = _QUANTITY.fullmatch(text)
    unit = _SIZE_BYTES.get(match[2]) if match else None
    if match is None or unit is None:
        raise ValueError(f"{text!r} is no size; write for example 64KiB, 64MiB or 1GB")
    return round(float(match[1]) * unit)


def field_value(name: str, text: str) -> int | float:
    """The number meant by `text` for a field whose name ends in its unit (`_s`, `_ms`, `_ns`, `_bytes`).

    Raises ValueError when the name carries no unit or the text no fitting quantity.
    """
    if name.endswith("_bytes"):
        return size_bytes(text)
    for suffix, unit_ns in FIELD_UNITS_NS.items():
        if name.endswith(suffix):
            whole, rest = divmod(duration_ns(text), unit_ns)
            return whole if not rest else whole + rest / unit_ns
    raise ValueError(f"{text!r} is no number")


def say_duration(duration: int) -> str:
    """A duration in nanoseconds as `250 ms`, `12.3 s`, `40 min`, `3 h 20 min`, `2 d 4 h`."""
    seconds = duration / NS_PER_S
    if seconds < 1:
        return f"{duration / 1_000_000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    for size, unit, small_size, small in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if seconds >= size:
            whole, rest = divmod(int(seconds), size)
            return f"{whole} {unit} {rest // small_size} {small}" if rest // small_size else f"{whole} {unit}"
    return f"{seconds / 60:.3g} min"


def say_bytes(count: int) -> str:
    """A size as `512 B`, `4.5 MB`."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"


def say_time(ts_ns: int) -> str:
    """A time as `2026-03-01 10:15:02Z`."""
    return f"{datetime.fromtimestamp(ts_ns // NS_PER_S, UTC):%Y-%m-%d %H:%M:%S}Z"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 login`, `1,234 logins`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
