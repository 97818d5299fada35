"""Fuzz target: one DNS datagram."""

import sys

from lapwing.events import FlowKey, Side, Transport
from lapwing.protocols.dns import DNS
from lapwing.wire.dns import decode, encode

KEY = FlowKey(1, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", Transport.UDP, "192.0.2.10", 40_000, "198.51.100.53", 53)


def run(data: bytes) -> None:
    """Parse the input as a datagram: nothing may raise, and what is recognised must parse."""
    parser = DNS.make(KEY)
    messages = list(parser.parse(Side.CLIENT, data, 0))
    if not messages:
        return
    message = decode(data)
    if message.questions and not message.answers:
        assert decode(encode(message)) == message


if __name__ == "__main__":
    run(sys.stdin.buffer.read())
