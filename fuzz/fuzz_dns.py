"""Fuzz target: one DNS datagram."""

import sys
from collections.abc import Callable

from lapwing.events import FlowKey, Side, Transport, WireError
from lapwing.protocols.dns import DNS
from lapwing.wire import COMPILED, looks_like_dns, plain_dns, read_dns
from lapwing.wire.dns import decode, encode

KEY = FlowKey(1, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", Transport.UDP, "192.0.2.10", 40_000, "198.51.100.53", 53)


def run(data: bytes) -> None:
    """Parse the input as a datagram: nothing may raise, and both builds read the same."""
    plain = plain_dns.looks_like_dns(data), _told(plain_dns.read_dns, data)
    if COMPILED:
        assert (looks_like_dns(data), _told(read_dns, data)) == plain
    parser = DNS.make(KEY)
    messages = list(parser.parse(Side.CLIENT, data, 0))
    if not messages:
        return
    message = decode(data)
    if message.questions and not message.answers:
        assert decode(encode(message)) == message


def _told(read: Callable[[bytes, int], object], data: bytes) -> object:
    try:
        return read(data, 0xFFFF)
    except WireError as problem:
        return str(problem)


if __name__ == "__main__":
    run(sys.stdin.buffer.read())
