# cython: infer_types=True, cpow=True
"""A tracker that counts all logins together.

Runs compiled, typed by `lone.pxd`, and as it stands.
"""

from typing import Any

from lapwing.detect.login import Login
from lapwing.detect.trackers.tracker import Tracker

KEY = 1  # of the only record
_KEY = KEY


class Lone(Tracker):
    """A tracker with one record, which is `current` once it is there: nobody has to look for it at every login."""

    def key(self, login: Login) -> int:  # noqa: ARG002 - the same for all
        """Always the same."""
        return _KEY

    def only(self, login: Login, now_ns: int) -> Any:
        """The one record, which is `current` from then on; None where there is none and `login` makes none."""
        self.current_key = _KEY
        row = self.table.peek(_KEY)
        if row is None:
            if not login.failed and not login.succeeded:
                return None
            row = self.fresh(now_ns)
            self.table.insert(_KEY, row)
        self.current = row
        return row

    def tick(self, now_ns: int) -> None:
        """Drop what was not touched for `forget_ns`, which may be the record."""
        Tracker.tick(self, now_ns)
        self.current = self.table.peek(_KEY)
