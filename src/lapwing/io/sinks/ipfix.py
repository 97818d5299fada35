"""Flow records as IPFIX (RFC 7011), both directions in one record (RFC 5103), over UDP or TCP.

The source of a record is the client: roles are those of the flow, whichever address sorts first.
"""

import socket
import struct
import time
from collections.abc import Iterator
from typing import Self
from urllib.parse import SplitResult, urlsplit

import numpy as np
from numpy.typing import NDArray

from lapwing.events import SettingsError, SourceError
from lapwing.flows import CLOSE_REASONS

VERSION = 10
PORT = 4739  # RFC 7011 section 10.3.4
TEMPLATE_SET = 2
IPV4_TEMPLATE, IPV6_TEMPLATE = 256, 257
REVERSE = 29305  # enterprise number of reverse elements, RFC 5103 section 6.1
MAX_UDP_BYTES = 1_400  # of a message: RFC 7011 section 10.3.3 wants it whole in one packet
MAX_TCP_BYTES = 60_000  # the length field has 16 bits
TEMPLATES_EVERY = 32  # messages over UDP; RFC 7011 section 8.1 wants them sent again and again
CONNECT_S = 10.0
NS_PER_MS = 1_000_000

_END_REASONS = {"idle": 1, "active": 2, "fin": 3, "rst": 3, "superseded": 3, "flush": 4, "evicted": 5, "forced": 4}
_END_CODES = np.array([_END_REASONS[reason] for reason in CLOSE_REASONS], np.uint8)

# name, number, enterprise, type; octetDeltaCount counts from the IP header on
_COMMON = (
    ("flowStartMilliseconds", 152, 0, ">u8"),
    ("flowEndMilliseconds", 153, 0, ">u8"),
    ("octetDeltaCount", 1, 0, ">u8"),
    ("packetDeltaCount", 2, 0, ">u8"),
    ("reverseOctetDeltaCount", 1, REVERSE, ">u8"),
    ("reversePacketDeltaCount", 2, REVERSE, ">u8"),
    ("flowId", 148, 0, ">u8"),
    ("sourceTransportPort", 7, 0, ">u2"),
    ("destinationTransportPort", 11, 0, ">u2"),
    ("vlanId", 58, 0, ">u2"),
    ("tcpControlBits", 6, 0, ">u2"),
    ("reverseTcpControlBits", 6, REVERSE, ">u2"),
    ("protocolIdentifier", 4, 0, "u1"),
    ("flowEndReason", 136, 0, "u1"),
    ("biflowDirection", 239, 0, "u1"),
)
_ADDRESSES = {
    IPV4_TEMPLATE: (("sourceIPv4Address", 8, 0, "V4"), ("destinationIPv4Address", 12, 0, "V4")),
    IPV6_TEMPLATE: (("sourceIPv6Address", 27, 0, "V16"), ("destinationIPv6Address", 28, 0, "V16")),
}
INITIATOR = 1  # biflowDirection: the source began the flow


class IpfixEncoder:
    """Records (RECORD_DTYPE) to messages. One per session of a transport: it numbers what it gives out."""

    def __init__(self, max_bytes: int, *, templates_every: int = 0, domain: int = 0) -> None:
        """`templates_every` so many messages they are repeated, 0 never; `domain` is the observation domain."""
        self._max_bytes = max_bytes
        self._templates_every = templates_every
        self._domain = domain
        self._sequence = 0
        self._messages = 0

    def messages(self, records: NDArray[np.void], now_s: int) -> Iterator[bytes]:
        """Messages of at most `max_bytes`; the first of all begins with the templates."""
        for version, template in ((4, IPV4_TEMPLATE), (6, IPV6_TEMPLATE)):
            chosen = records[records["ip_version"] == version]
            if not len(chosen):
                continue
            rows = _rows(chosen, template)
            data, size = rows.tobytes(), rows.itemsize
            at = 0
            while at < len(rows):
                head = self._head()
                count = min((self._max_bytes - 16 - len(head) - 4) // size, len(rows) - at)
                body = head + struct.pack(">HH", template, 4 + count * size) + data[at * size : (at + count) * size]
                yield struct.pack(">HHIII", VERSION, 16 + len(body), now_s, self._sequence, self._domain) + body
                self._sequence = (self._sequence + count) & 0xFFFFFFFF
                self._messages += 1
                at += count

    def _head(self) -> bytes:
        if self._messages == 0 or (self._templates_every and self._messages % self._templates_every == 0):
            return _TEMPLATES
        return b""


def _fields(template: int) -> tuple[tuple[str, int, int, str], ...]:
    return (*_ADDRESSES[template], *_COMMON)


def _layout(template: int) -> np.dtype[np.void]:
    return np.dtype([(name, kind) for name, _, _, kind in _fields(template)])


def _template(template: int) -> bytes:
    fields = _fields(template)
    found = struct.pack(">HH", template, len(fields))
    for _, number, enterprise, kind in fields:
        size = np.dtype(kind).itemsize
        found += (
            struct.pack(">HHI", number | 0x8000, size, enterprise) if enterprise else struct.pack(">HH", number, size)
        )
    return found


def _template_set() -> bytes:
    body = b"".join(map(_template, _ADDRESSES))
    return struct.pack(">HH", TEMPLATE_SET, 4 + len(body)) + body


_TEMPLATES = _template_set()


def _rows(records: NDArray[np.void], template: int) -> NDArray[np.void]:
    rows = np.zeros(len(records), _layout(template))
    names = [name for name, *_ in _ADDRESSES[template]]
    for name, side in zip(names, ("client", "server"), strict=True):
        low, high = records[f"{side}_lo"], records[f"{side}_hi"]
        if template == IPV4_TEMPLATE:
            rows[name] = low.astype(">u4").view("V4")
        else:
            rows[name] = np.stack((high, low), axis=1).astype(">u8").view("V16").reshape(-1)
    rows["flowStartMilliseconds"] = records["first_ts_ns"] // NS_PER_MS
    rows["flowEndMilliseconds"] = records["last_ts_ns"] // NS_PER_MS
    for prefix, side in (("", "client"), ("reverse", "server")):
        for element, counter in (("OctetDeltaCount", "ip_bytes"), ("PacketDeltaCount", "packet_count")):
            rows[prefix + element if prefix else element[0].lower() + element[1:]] = records[f"{side}_{counter}"]
        rows[prefix + "TcpControlBits" if prefix else "tcpControlBits"] = records[f"{side}_tcp_flags"]
    rows["sourceTransportPort"] = records["client_port"]
    rows["destinationTransportPort"] = records["server_port"]
    rows["vlanId"] = records["vlan_id"]
    rows["flowId"] = records["flow_id"]
    rows["protocolIdentifier"] = records["ip_protocol"]
    rows["flowEndReason"] = _END_CODES[records["close_reason"]]
    rows["biflowDirection"] = INITIATOR
    return rows


def _port(parts: SplitResult) -> int | None:
    """The port of a target, None when it is none."""
    try:
        return PORT if parts.port is None else parts.port or None
    except ValueError:
        return None


class IpfixExporter:
    """Sends records to a collector. A context manager.

    Over UDP what the network or the collector loses is lost; what could not even be sent is counted.
    """

    def __init__(self, target: str) -> None:
        """`target` is `udp://HOST[:PORT]` or `tcp://HOST[:PORT]`. Raises SettingsError and SourceError."""
        parts = urlsplit(target)
        port = _port(parts)
        if parts.scheme not in ("udp", "tcp") or not parts.hostname or port is None:
            raise SettingsError(f"ipfix: {target!r} is not udp://HOST[:PORT] or tcp://HOST[:PORT]")
        self._is_stream = parts.scheme == "tcp"
        self._counters = {"records": 0, "messages": 0, "unsent_messages": 0, "unsent_records": 0}
        self._target = target
        kind = socket.SOCK_STREAM if self._is_stream else socket.SOCK_DGRAM
        try:
            found = socket.getaddrinfo(parts.hostname, port, type=kind)[0]
            self._socket = socket.socket(found[0], kind)
        except OSError as error:
            raise SourceError(f"{target}: cannot be found: {error.strerror or error}") from error
        self._socket.settimeout(CONNECT_S)
        try:
            self._socket.connect(found[4])
        except OSError as error:
            self._socket.close()
            raise SourceError(f"{target}: cannot be reached: {error.strerror or error}") from error
        limit, every = (MAX_TCP_BYTES, 0) if self._is_stream else (MAX_UDP_BYTES, TEMPLATES_EVERY)
        self._encoder = IpfixEncoder(limit, templates_every=every)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, records: NDArray[np.void]) -> None:
        """Send records (RECORD_DTYPE). Raises SourceError when a TCP collector has gone."""
        for message in self._encoder.messages(records, int(time.time())):
            try:
                self._socket.sendall(message)
            except OSError as error:
                if self._is_stream:
                    raise SourceError(f"{self._target}: the collector has gone: {error.strerror or error}") from error
                self._counters["unsent_messages"] += 1  # a refusal of an earlier one; the next may arrive
            self._counters["messages"] += 1
        unsent = int(np.count_nonzero(records["ip_version"] == 0))  # of two stations: there is no template for them
        self._counters["records"] += len(records) - unsent
        self._counters["unsent_records"] += unsent

    def statistics(self) -> dict[str, int]:
        """Counters that only grow."""
        return dict(self._counters)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()
