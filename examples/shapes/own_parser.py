"""A parser of one's own without packaging it: the one of ../protocol, handed to `read`."""

import sys
from pathlib import Path

import lapwing
from lapwing.events import SessionEnded, SessionMessaged

sys.path.insert(0, str(Path(__file__).parents[1] / "protocol"))
from lapwing_example_protocol import LINES, Line


def main(path: str) -> None:
    """Print what was said, and why it ended."""
    for event in lapwing.read(path, events=("session",), protocols=[LINES]):
        if isinstance(event, SessionMessaged) and isinstance(event.message, Line):
            print(event.side, event.message.text)
        elif isinstance(event, SessionEnded) and event.protocol == LINES.name:
            print(event.reason, event.detail)


if __name__ == "__main__":
    main(sys.argv[1])
