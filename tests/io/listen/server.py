"""A collector as a process of its own, to be killed: `python -m tests.io.listen.server FOLDER [FILE_LIMIT_BYTES]`.

Prints its ports as a line of JSON, then what it has to say, one text a line. Ends when its standard input does.
"""

import asyncio
import json
import resource
import signal
import sys
from pathlib import Path

from lapwing.io.listen import Collector
from tests.io.listen.lab import settings


def say(value: object) -> None:
    """One line."""
    print(json.dumps(value), flush=True)


async def serve(folder: Path, limit_bytes: int) -> None:
    """Until standard input ends."""
    collector = Collector(settings(folder), say=say)
    await collector.start()
    if limit_bytes:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, resource.RLIM_INFINITY))
    say(collector.ports)
    while line := await asyncio.to_thread(sys.stdin.readline):
        if line == "room\n":
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            say("there is room")
    await collector.stop()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
