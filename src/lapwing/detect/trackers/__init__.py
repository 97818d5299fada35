"""One file per tracker. Each counts by one key, is bounded, and knows nothing of the others."""

from lapwing.detect.trackers.accounts import Accounts
from lapwing.detect.trackers.credentials import Credentials
from lapwing.detect.trackers.groups import Fingerprints, Networks
from lapwing.detect.trackers.pairs import Pairs
from lapwing.detect.trackers.site import Site
from lapwing.detect.trackers.sources import Sources
from lapwing.detect.trackers.takeovers import Hit, Suspicion, Takeovers
from lapwing.detect.trackers.tracker import Tally, Tracker

__all__ = [
    "Accounts",
    "Credentials",
    "Fingerprints",
    "Hit",
    "Networks",
    "Pairs",
    "Site",
    "Sources",
    "Suspicion",
    "Takeovers",
    "Tally",
    "Tracker",
]
