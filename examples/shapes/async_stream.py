"""An async stream of typed messages from an interface (or, with a path, from a capture)."""

import asyncio
import sys

import lapwing
from lapwing.events import SessionMessaged
from lapwing.events.messages import HttpRequest
from lapwing.io.capture import LiveSettings


async def main(interface: str, namespace: str | None = None, wanted: int | None = None) -> None:
    """Print requests as they are made; end after `wanted` of them."""
    live = LiveSettings(namespace=namespace, profile="low-latency")
    seen = 0
    async for event in lapwing.stream(interface=interface, events=("session",), live=live):
        if isinstance(event, SessionMessaged) and isinstance(event.message, HttpRequest):
            print(event.client_ip, event.message.method, event.message.target, flush=True)
            seen += 1
        if seen == wanted:
            break


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *sys.argv[2:3], *map(int, sys.argv[3:4])))
