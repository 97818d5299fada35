"""A driver fed by hand, so that a test chooses where batches end."""

from collections.abc import Iterable, Sequence
from tempfile import NamedTemporaryFile

from lapwing.events import Event
from lapwing.io.capture import open_capture
from lapwing.sessions import SessionDriver
from lapwing.testing import TimedFrame, pcap


def feed(driver: SessionDriver, frames: Sequence[TimedFrame], cuts: Iterable[int] = ()) -> list[Event]:
    """Hand frames to a driver in batches that end at `cuts`."""
    with NamedTemporaryFile(suffix=".pcap") as file:
        file.write(pcap(frames, nanoseconds=True))
        file.flush()
        with open_capture(file.name) as source:
            batch = source.next_batch()
            assert batch is not None
            assert batch.count == len(frames)
            places = [*cuts]
            return [
                event
                for first, last in zip([0, *places], [*places, batch.count], strict=True)
                for event in driver.process(batch.buffer, batch.packets[first:last], last - first)
            ]
