"""Fuzz target: the callback listeners and the client's reading of a collector's answers.

The first byte of the input chooses the listener, the rest is what a client says.
"""

import sys
from contextlib import suppress

from lapwing.callbacks.correlation import Registry, attribute
from lapwing.callbacks.interaction import Interaction, Peer
from lapwing.callbacks.interactsh import from_object, read_deregistration, read_poll, read_registration, to_object
from lapwing.callbacks.responders import (
    DiscardData,
    DnsResponder,
    DnsStreamResponder,
    FtpResponder,
    HttpResponder,
    HttpSite,
    LdapResponder,
    OpenData,
    Output,
    Responder,
    Send,
    SendData,
    SmtpResponder,
    StartTls,
    Zone,
)
from lapwing.events import WireError

PEER = Peer("192.0.2.7", 40_000)
DNS = DnsResponder(Zone(domains=("oast.example.com",), ipv4=("198.51.100.7",)))
SITE = HttpSite(domain="oast.example.com", dynamic=True)
IDS = Registry()
IDS.add("abc", 3)
LISTENERS = (
    lambda: SmtpResponder(PEER, 0, name="mail.example.com"),
    lambda: FtpResponder(PEER, 0),
    lambda: LdapResponder(PEER, 0),
    lambda: HttpResponder(PEER, 0, site=SITE),
    lambda: DnsStreamResponder(PEER, 0, dns=DNS),
)


def run(data: bytes) -> None:
    """Let a client say the input whole and byte by byte: the same is noted and answered, nothing is raised."""
    if not data:
        return
    choice, said = data[0] % (len(LISTENERS) + 2), data[1:]
    if choice < len(LISTENERS):
        assert _talk(LISTENERS[choice](), [said]) == _talk(
            LISTENERS[choice](), [said[index : index + 1] for index in range(len(said))]
        )
    elif choice == len(LISTENERS):
        for output in DNS.answer(said, PEER, 0):
            assert not isinstance(output, Send) or len(output.data) <= 3 * len(said)
    else:
        _wire(said)


def _talk(responder: Responder, pieces: list[bytes]) -> tuple[bytes, list[Interaction]]:
    heard = bytearray()
    noted: list[Interaction] = []
    for piece in pieces:
        _act(responder, responder.receive(piece, 0), heard, noted)
    _act(responder, responder.closed(0), heard, noted)
    for interaction in noted:
        for hit in attribute(interaction, IDS):
            from_object(to_object(hit), now_ns=0)
    return bytes(heard), noted


def _act(responder: Responder, outputs: list[Output], heard: bytearray, noted: list[Interaction]) -> None:
    for output in outputs:
        if isinstance(output, Send):
            heard += output.data
        elif isinstance(output, Interaction):
            noted.append(output)
        elif isinstance(output, StartTls):
            responder.closed(0)  # no handshake here
        elif isinstance(responder, FtpResponder) and isinstance(output, OpenData):
            _act(responder, responder.data_listening("198.51.100.9", 50_000, 0), heard, noted)
        elif isinstance(responder, FtpResponder) and isinstance(output, SendData | DiscardData):
            _act(responder, responder.data_done(0), heard, noted)


def _wire(data: bytes) -> None:
    with suppress(WireError):
        read_registration(data)
    with suppress(WireError):
        read_deregistration(data)
    with suppress(WireError):
        read_poll(data.decode("latin-1"))
    with suppress(WireError):
        to_object(from_object(data, now_ns=0))


if __name__ == "__main__":
    run(sys.stdin.buffer.read())
