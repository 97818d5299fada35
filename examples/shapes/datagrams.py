"""A sync driver over a capture, for datagrams: which names were asked for, and who got no answer."""

import sys

import lapwing
from lapwing.events import SessionMessaged
from lapwing.events.messages import DnsQuery, DnsResponse


def main(path: str) -> None:
    """Print each query with its answers."""
    waiting: dict[tuple[int, int], str] = {}
    for event in lapwing.read(path, events=("session",), filter="udp"):
        if isinstance(event, SessionMessaged):
            key = (event.flow_id, getattr(event.message, "transaction_id", 0))
            if isinstance(event.message, DnsQuery) and event.message.questions:
                waiting[key] = event.message.questions[0].name
            elif isinstance(event.message, DnsResponse):
                answers = ", ".join(answer.data for answer in event.message.answers) or "nothing"
                print(waiting.pop(key, "?"), "is", answers)
    for name in waiting.values():
        print(name, "got no answer")


if __name__ == "__main__":
    main(sys.argv[1])
