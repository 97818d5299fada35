"""TCP and UDP parsers, flows and logins together, in one pass over the packets and in the order of what happened."""

import sys

import lapwing
from lapwing.events import AuthResolved, FlowClosed, SessionMessaged


def main(*paths: str) -> None:
    """Print a line for each message, login and flow."""
    for event in lapwing.read(*paths, events=("flow", "session", "auth")):
        match event:
            case SessionMessaged():
                print(event.seq, event.transport, event.protocol, type(event.message).__name__)
            case AuthResolved():
                print(event.seq, event.protocol, "login", event.outcome)
            case FlowClosed():
                print(event.seq, event.transport, "flow of", event.client_packet_count, "packets and the answers")


if __name__ == "__main__":
    main(*sys.argv[1:])
