"""Fuzz target: a whole capture file, through reader, decoder, flow table, reassembly, parsers, logins and detection.

The plain loops run under coverage; where compiled ones are built, both must give the same events.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import msgspec

import lapwing
from lapwing.events import SourceError
from lapwing.flows import FlowSettings
from lapwing.flows import plain as plain_flows
from lapwing.sessions import PipelineSettings, RunKeys
from lapwing.testing import PcapngWriter, TcpConversation, TimedFrame, ethernet, interleave, ip, pcap, udp
from lapwing.wire import COMPILED, plain, plain_scan

KEYS = RunKeys(flow_key=bytes(16), tag_key=bytes(32))
SETTINGS = PipelineSettings(flows=FlowSettings(max_flows=64))  # small tables start fast, and their bounds bite
encode = msgspec.json.Encoder().encode


def _conversations() -> Iterator[TcpConversation]:
    yield (
        TcpConversation(server_port=21).handshake().server(b"220 x\r\n").client(b"USER a\r\n").server(b"331 x\r\n")
        .client(b"PASS b\r\n").server(b"530 x\r\n").close()
    )  # fmt: skip
    yield (
        TcpConversation("2001:db8::1", "2001:db8::2").handshake()
        .client(b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 19\r\n\r\nusername=a&pass=b123")
        .skip(server=5).server(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n").client_rst()
    )  # fmt: skip
    yield TcpConversation(server_port=22, vlans=(7,)).client(b"SSH-2.0-a\r\n").server(b"SSH-2.0-b\r\n").client_fin()


FRAMES = interleave(*_conversations())
DNS_QUERY = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03com\x00\x00\x01\x00\x01"
FRAMES.append(TimedFrame(FRAMES[-1].ts_ns, ethernet(ip("192.0.2.1", "192.0.2.53", 17, udp(4000, 53, DNS_QUERY)))))
FRAMES += FRAMES[3:6]


def _pcapng() -> bytes:
    writer = PcapngWriter().section().interface()
    for frame in FRAMES[:20]:
        writer.enhanced(frame)
    return writer.section(big_endian=True).interface().enhanced(FRAMES[0]).getvalue()


SEEDS = (pcap(FRAMES), pcap(FRAMES[:8], nanoseconds=True, big_endian=True), _pcapng(), b"")


def run(data: bytes) -> None:
    """Read the input as a capture: events or a SourceError, the same from both builds."""
    with _plain_loops():
        slow = events(data)
    if COMPILED:
        assert events(data) == slow


def events(data: bytes) -> list[bytes]:
    """What reading the input gives, as lines; the error in words when it cannot be read at all."""
    descriptor = os.memfd_create("capture")
    try:
        os.write(descriptor, data)
        path = f"/proc/self/fd/{descriptor}"
        with lapwing.read(path, keys=KEYS, settings=SETTINGS) as reading:
            return [encode(event).replace(path.encode(), b"capture") for event in reading]
    except SourceError as error:
        return [str(error).partition(": ")[2].encode()]
    finally:
        os.close(descriptor)


@contextmanager
def _plain_loops() -> Iterator[None]:
    with (
        patch("lapwing.io.capture.source.decode", plain.decode),
        patch("lapwing.wire.pcap.scan_pcap", plain_scan.scan_pcap),
        patch("lapwing.wire.pcapng.scan_pcapng", plain_scan.scan_pcapng),
        patch("lapwing.sessions.driver.FlowTable", plain_flows.FlowTable),
    ):
        yield
