"""Exponentially decayed counting: a true sliding memory in a few numbers, updated in constant time.

A count kept with half-life h, fed at a steady rate r, settles at r * h / ln 2.
No boundary can be straddled, and what was added can be taken back exactly, as its age says what is left of it.
"""

SECOND_NS = 1_000_000_000
HOUR_NS = 3_600 * SECOND_NS
DAY_NS = 24 * HOUR_NS
HALF_LIVES_NS = (300 * SECOND_NS, HOUR_NS, 6 * HOUR_NS, DAY_NS)
FIVE_MINUTES, ONE_HOUR, SIX_HOURS, ONE_DAY = range(4)

Quad = tuple[float, float, float, float]
ONES: Quad = (1.0, 1.0, 1.0, 1.0)
ZEROS: Quad = (0.0, 0.0, 0.0, 0.0)

_PER_NS = tuple(-1.0 / h for h in HALF_LIVES_NS)
_GONE_NS = 60 * DAY_NS  # 2 ** -60 of anything is nothing; also keeps the powers below from underflowing slowly


def fade(age_ns: int) -> Quad:
    """What is left of 1 after `age_ns`, by half-life. A negative age (a late event) counts as none."""
    if age_ns <= 0:
        return ONES
    if age_ns >= _GONE_NS:
        return ZEROS
    a, b, c, d = _PER_NS
    return (2.0 ** (age_ns * a), 2.0 ** (age_ns * b), 2.0 ** (age_ns * c), 2.0 ** (age_ns * d))


def fade_day(age_ns: int) -> float:
    """What is left of 1 after `age_ns` with a half-life of one day."""
    return 1.0 if age_ns <= 0 else 2.0 ** (age_ns * _PER_NS[3]) if age_ns < _GONE_NS else 0.0


def scaled(values: list[float], factors: Quad) -> list[float]:
    """Multiply each of four values by its factor."""
    return [values[0] * factors[0], values[1] * factors[1], values[2] * factors[2], values[3] * factors[3]]
