"""Fuzz target: the collector's DNS door over TCP, and the same bytes as one message over UDP."""

from fuzz.listeners import DNS, Target
from lapwing.callbacks import Interaction, Peer
from lapwing.callbacks.responders import DnsStreamResponder, Send
from lapwing.io.store import decode_payload, encode_payload

PEER = Peer("192.0.2.7", 40_000)
QUERY = bytes.fromhex("0001010000010000000000000178046f617374076578616d706c6503636f6d0000010001")
EDNS = bytes.fromhex("0002010000010000000000010178046f617374076578616d706c6503636f6d00001c00010000291000000000000000")
MAX_AMPLIFICATION = 3
SEEDS = tuple(
    how + len(message).to_bytes(2, "big") + message
    for how in (b"\0", b"\xfe", b"\1")
    for message in (QUERY, EDNS, QUERY[:-4] + b"\0\x10\0\1", EDNS.replace(b"\1x", b"\1*"))
)
_stream = Target(
    lambda peer, now_ns, _: DnsStreamResponder(peer, now_ns, dns=DNS),
    len(QUERY).to_bytes(2, "big") + QUERY[:9],
    QUERY[9:],
)


def run(data: bytes) -> None:
    """Say the input both ways."""
    message = data[3:]
    outputs = DNS.answer(message, PEER, 0)
    for output in outputs:
        if isinstance(output, Interaction):
            assert decode_payload(encode_payload(output)) == output
        elif isinstance(output, Send):
            assert len(output.data) <= MAX_AMPLIFICATION * len(message)
    assert len(outputs) in ((0,) if message[2:3] >= b"\x80" else (1, 2))
    _stream.run(data)
