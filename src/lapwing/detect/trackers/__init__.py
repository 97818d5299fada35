"""One file per tracker. Each counts by one key, is bounded, and knows nothing of the others."""

from lapwing.detect.trackers.accounts import Accounts
from lapwing.detect.trackers.credentials import Credentials
from lapwing.detect.trackers.groups import Fingerprints, Networks
from lapwing.detect.trackers.pairs import Pairs
from lapwing.detect.trackers.site import Site
from lapwing.detect.trackers.sources import Sources
from lapwing.detect.trackers.strays import Strays
from lapwing.detect.trackers.takeovers import Glimpse, Hit, Suspicion, Takeovers
from lapwing.detect.trackers.tracker import Tracker

__all__ = [
    "Accounts",
    "Credentials",
    "Fingerprints",
    "Glimpse",
    "Hit",
    "Networks",
    "Pairs",
    "Site",
    "Sources",
    "Strays",
    "Suspicion",
    "Takeovers",
    "Tracker",
]
