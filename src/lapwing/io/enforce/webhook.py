"""Events posted to a URL, one request for what came meanwhile."""

import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from queue import Full, Queue
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import msgspec

from lapwing.events import Event, SettingsError

MAX_WAITING = 1_000  # events; while the other side is slow or gone, more are counted and dropped
MAX_AT_ONCE = 100  # of one request
TIMEOUT_S = 10.0


class _Unmoved(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like another that took nothing: it would lead anywhere, and leave the events behind."""

    def redirect_request(self, *_: Any) -> None:
        """Nowhere."""


class Webhook:
    """Posts JSON arrays of events, in order, from a thread of its own: whoever tells is never held up."""

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        """Raise SettingsError for what is no HTTP URL."""
        _check(url)
        self._url = url
        self._timeout_s = timeout_s
        self._opener = urllib.request.build_opener(_Unmoved)
        self._queue: Queue[Event | None] = Queue(MAX_WAITING)
        self._told_count = 0
        self.sent_count = 0
        self.lost_count = 0
        """Events dropped, for want of room or because the request failed."""
        self._thread = Thread(target=self._run, name="lapwing-webhook", daemon=True)
        self._thread.start()

    def tell(self, events: Sequence[Event]) -> None:
        """Post some events; never waits."""
        for event in events:
            self._told_count += 1
            try:
                self._queue.put_nowait(event)
            except Full:
                self.lost_count += 1

    def close(self) -> None:
        """Post what waits, as long as each request gets through, and end. What did not go out by then is lost."""
        self._queue.put(None)
        self._thread.join(self._timeout_s * 2)
        if self._thread.is_alive():  # the program will not wait for it any longer
            self.lost_count += self._told_count - self.sent_count - self.lost_count

    def _run(self) -> None:
        ended = False
        while not ended:
            batch: list[Event] = []
            first = self._queue.get()
            while first is not None:
                batch.append(first)
                if len(batch) >= MAX_AT_ONCE or self._queue.empty():
                    break
                first = self._queue.get()
            ended = first is None
            if batch:
                self._post(batch)

    def _post(self, batch: list[Event]) -> None:
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            self._url, msgspec.json.encode(batch), {"Content-Type": "application/json", "User-Agent": "lapwing"}
        )
        try:
            with self._opener.open(request, timeout=self._timeout_s):
                self.sent_count += len(batch)
        except (OSError, HTTPException, ValueError):
            self.lost_count += len(batch)


def _check(url: str) -> None:
    """Raise SettingsError for what nothing could ever be posted to."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or an address that is none
        good = False
    if not good or any(not "!" <= letter <= "~" for letter in url):
        raise SettingsError(f"--webhook: {url!r} is no http:// or https:// URL in ASCII")
    if "@" in parts.netloc:
        raise SettingsError("--webhook: a user and password in the URL are not sent; put a token into its path instead")
