"""Fuzz target: the TLS before a listener, and the event stream's reader.

The first byte of the input chooses. What a listener itself says is the target of that listener.
"""

from contextlib import suppress

from fuzz.listeners import SITE, Target
from lapwing.callbacks.push import MAX_EVENT_BYTES, EventReader
from lapwing.callbacks.responders import HttpResponder
from lapwing.events import WireError

HELLO = bytes.fromhex("16030100310100002d0303") + bytes(32) + bytes.fromhex("0000021301010000020000")
SEEDS = (
    b"\0\0" + HELLO,
    b"\0\xff" + HELLO,
    b"\1id: 1\nevent: interaction\ndata: x\n\n",
)
_tls = Target(lambda peer, now_ns, _: HttpResponder(peer, now_ns, site=SITE), tls=True)


def run(data: bytes) -> None:
    """Say the input where the first byte says."""
    if data and data[0] & 1:
        _events(data[1:])
    elif data:
        _tls.run(data[1:])


def _events(said: bytes) -> None:
    reader = EventReader()
    with suppress(WireError):
        for event in reader.feed(said):
            assert len(event.data) <= MAX_EVENT_BYTES
