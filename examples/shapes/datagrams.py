"""A sync driver over a capture, for datagrams: which names were asked for, and who got no answer."""

import sys

import lapwing
from lapwing.events import SessionMessaged
from lapwing.events.messages import DnsResponse, DnsUnanswered


def main(path: str) -> None:
    """Print each answer, and each query that nobody answered in ten seconds or before its flow ended."""
    for event in lapwing.read(path, events=("session",), filter="udp"):
        match event:
            case SessionMessaged(message=DnsResponse(questions=[question], answers=answers)):
                print(question.name, "is", ", ".join(answer.data for answer in answers) or "nothing")
            case SessionMessaged(message=DnsUnanswered(name=name)):
                print(name, "got no answer")


if __name__ == "__main__":
    main(sys.argv[1])
