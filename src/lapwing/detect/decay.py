"""Exponentially decayed counting: a true sliding memory in a few numbers, updated in constant time.

A count kept with half-life h, fed at a steady rate r, settles at r * h / ln 2.
No boundary can be straddled, and what was added can be taken back exactly, as its age says what is left of it.
"""

SECOND_NS = 1_000_000_000
HOUR_NS = 3_600 * SECOND_NS
DAY_NS = 24 * HOUR_NS
HALF_LIVES_NS = (300 * SECOND_NS, HOUR_NS, 6 * HOUR_NS, DAY_NS)
FIVE_MINUTES, ONE_HOUR, SIX_HOURS, ONE_DAY = range(4)
