"""Detection as a library: ask before a login is checked, tell how it ended, and ask what is known.

Nothing here waits or reads: a call takes microseconds, so it may be made from an event loop as it is.
"""

import secrets
import time
from collections.abc import Callable

from lapwing.app.guard_core import GuardCore
from lapwing.detect import DetectSettings
from lapwing.events import AuthEvent, Circumstances, Event
from lapwing.logins import LeakFilter


class Guard(GuardCore):
    """Judges logins, from any thread. Holds no secret and waits for nothing.

    A guard is a library for code that checks logins itself: facts in, a verdict with its reasons or a takeover out,
    questions about all that is known. It reads no requests and no settings file. Where a middleware or a proxy does the
    asking, `lapwing.asgi.Gate` holds the same detection: login events in, answers by address, one stream of events out.

    `key` (16 to 64 bytes) makes what is kept unreadable and unpredictable; random by default. A snapshot can be
    restored, and two nodes merged, only under one key. `clock` gives nanoseconds UTC where an event has no time.
    `on_event` gets every finding and decision as it is made, in the calling thread and under the guard's lock: what it
    wants to ask or tell the guard has to wait until then, and is a RuntimeError before.
    `leaks` tells leaked secrets; `look_up` gives the circumstances of logins that come without, as a location database
    does: it is called under the guard's lock and must not wait.
    """

    def __init__(
        self,
        settings: DetectSettings | None = None,
        *,
        key: bytes | None = None,
        clock: Callable[[], int] = time.time_ns,
        on_event: Callable[[Event], None] | None = None,
        leaks: LeakFilter | None = None,
        look_up: Callable[[AuthEvent], Circumstances | None] | None = None,
    ) -> None:
        key = key if key is not None else secrets.token_bytes(32)
        super().__init__(settings or DetectSettings(), key, clock, on_event, leaks, look_up)
