"""The client of a callback collector: sessions over HTTP, with an event loop or without, kept in a file or not.

Decides nothing: what a callback means, when to ask and how a wait ends is in `lapwing.callbacks`.
"""

from lapwing.io.callbacks.blocking import BlockingSession
from lapwing.io.callbacks.client import Session
from lapwing.io.callbacks.following import Following, Hit
from lapwing.io.callbacks.opening import Opening, session
from lapwing.io.callbacks.planted import Planted

__all__ = ["BlockingSession", "Following", "Hit", "Opening", "Planted", "Session", "session"]
