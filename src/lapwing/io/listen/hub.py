"""Push: readers that stay, told of what is committed.

A stream takes what it is offered while it keeps up. Where it does not, it goes back to reading the store by its cursor:
the store is the truth, the offer only a shortcut.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

from lapwing.callbacks.push import Refused
from lapwing.io.store import NOBODY, Row, Stored

MAX_FRESH = 1_024  # interactions offered to a stream and not taken; then it reads the store
MAX_STREAMS_PER_MAILBOX = 64


class Subscription:
    """One stream's view of its mailbox."""

    def __init__(self) -> None:
        self.fresh: deque[Stored] = deque()
        self.behind = True  # something was committed that is not in `fresh`
        self.notices: deque[Refused] = deque(maxlen=16)
        self.ended = ""  # why there will be nothing more
        self._news = asyncio.Event()

    def offer(self, entry: Stored) -> None:
        """Hand over what was just committed."""
        if len(self.fresh) >= MAX_FRESH:
            self.fresh.clear()
            self.behind = True
        elif not self.behind:
            self.fresh.append(entry)
        self._news.set()

    def caught_up(self) -> None:
        """The stream is about to read the store: what comes from now on is offered."""
        self.fresh.clear()
        self.behind = False

    def notify(self, notice: Refused) -> None:
        """Tell of a loss."""
        self.notices.append(notice)
        self._news.set()

    def end(self, reason: str) -> None:
        """Tell that the mailbox is gone or the collector stops."""
        self.ended = reason
        self._news.set()

    async def news(self, timeout_s: float) -> bool:
        """Wait for anything; False when nothing came in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        except TimeoutError:
            return False
        self._news.clear()
        return True


class Hub:
    """All streams by mailbox."""

    def __init__(self) -> None:
        self.count = 0
        self._streams: dict[int, set[Subscription]] = {}

    def subscribe(self, mailbox_id: int) -> Subscription | None:
        """Begin to listen; None where a mailbox has as many streams as it may."""
        own = self._streams.setdefault(mailbox_id, set())
        if len(own) >= MAX_STREAMS_PER_MAILBOX:
            return None
        subscription = Subscription()
        own.add(subscription)
        self.count += 1
        return subscription

    def unsubscribe(self, mailbox_id: int, subscription: Subscription) -> None:
        """Listen no more."""
        own = self._streams.get(mailbox_id, set())
        if subscription in own:
            own.remove(subscription)
            self.count -= 1
        if not own:
            self._streams.pop(mailbox_id, None)

    def committed(self, first_seq: int, rows: Sequence[Row]) -> None:
        """Offer what was written to whoever listens for it."""
        if not self._streams:
            return
        for seq, row in enumerate(rows, first_seq):
            if row.mailbox_id != NOBODY:
                for subscription in self._streams.get(row.mailbox_id, ()):
                    subscription.offer(Stored(seq, row.payload))

    def refused(self, notice: Refused) -> None:
        """Tell every stream of a loss: whose it was is not known."""
        for own in self._streams.values():
            for subscription in own:
                subscription.notify(notice)

    def end(self, mailbox_id: int, reason: str) -> None:
        """End the streams of a mailbox."""
        for subscription in self._streams.get(mailbox_id, ()):
            subscription.end(reason)

    def end_all(self, reason: str) -> None:
        """End every stream."""
        for mailbox_id in list(self._streams):
            self.end(mailbox_id, reason)
