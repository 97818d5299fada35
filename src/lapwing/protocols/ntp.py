"""NTP over UDP (RFC 5905; control: RFC 9327; private mode: as ntpd has it)."""

from ipaddress import IPv4Address
from struct import Struct

from lapwing.events import FlowKey, Message, Side
from lapwing.events.messages.ntp import NtpControl, NtpTime
from lapwing.protocols.contract import NO, YES, DatagramProtocol, Match

MAX_BAD_DATAGRAMS = 8  # in a row, before the flow is taken to speak something else
MAX_STRATUM = 16
TIME_BYTES = 48
CONTROL_BYTES = 12
PRIVATE_BYTES = 8

_TIME = Struct("!BBbbIIIQQQQ")
_MODES = {1: "symmetric-active", 2: "symmetric-passive", 3: "client", 4: "server", 5: "broadcast"}
_CONTROL, _PRIVATE = 6, 7
_STARTS = bytes(byte for byte in range(256) if 1 <= byte >> 3 & 7 <= 4 and byte & 7)
_MAX_CONTROL_OPERATION = 12
_EPOCH_S = 2_208_988_800  # from 1900 to 1970
_ERA_S = 1 << 32  # seconds below half of it are those after 2036 (RFC 5905, 6)
_NS_PER_S = 1_000_000_000
_ORDINARY_POLLS = range(18)  # RFC 5905, 7.3: up to 17, and 0 of simple clients


def probe(side: Side, datagram: bytes) -> Match:
    """Tell NTP by a version, a mode and fields that fit them."""
    size = len(datagram)
    if size < PRIVATE_BYTES:
        return NO
    version, mode = datagram[0] >> 3 & 7, datagram[0] & 7
    if not 1 <= version <= 4:
        return NO
    if mode in _MODES:
        if size < TIME_BYTES:
            return NO
        ordinary = size % 4 == 0 and datagram[1] <= MAX_STRATUM
        poll, precision, delays = datagram[2], datagram[3], (datagram[4], datagram[8])
        # A simple client sends zeros; clocks are finer than a second, delays shorter than a minute.
        fits = poll in _ORDINARY_POLLS and (precision == 0 or precision >= 0xE0) and delays == (0, 0)
        return YES if ordinary and fits else NO
    if mode == _CONTROL and size >= CONTROL_BYTES:
        count = datagram[10] << 8 | datagram[11]
        fits = datagram[1] & 0x1F <= _MAX_CONTROL_OPERATION and size == CONTROL_BYTES + (count + 3) // 4 * 4
        return YES if fits else NO
    return YES if mode == _PRIVATE and datagram[2] in (2, 3) and datagram[1] & 0x7F == 0 and version == 2 else NO


class NtpParser:
    """Packets of one flow; see DatagramParser for the contract."""

    def __init__(self) -> None:
        self.poisoned: str | None = None
        self.done = False
        self._bad = 0

    def parse(self, side: Side, datagram: bytes, now_ns: int) -> list[Message]:
        """Take one datagram."""
        message = _read(datagram)
        self._bad = 0 if message is not None else self._bad + 1
        if self._bad >= MAX_BAD_DATAGRAMS:
            self.poisoned = f"{MAX_BAD_DATAGRAMS} datagrams in a row are no NTP"
        return [] if message is None else [message]

    def close(self, now_ns: int) -> list[Message]:
        """Nothing is left to say."""
        return []


def _read(datagram: bytes) -> NtpTime | NtpControl | None:
    if len(datagram) < PRIVATE_BYTES:
        return None
    version, mode = datagram[0] >> 3 & 7, datagram[0] & 7
    if mode == _CONTROL:
        return NtpControl(version, "control", datagram[1] & 0x1F, bool(datagram[1] & 0x80))
    if mode == _PRIVATE:
        return NtpControl(version, "private", datagram[3], bool(datagram[0] & 0x80))
    if mode not in _MODES or len(datagram) < TIME_BYTES:
        return None
    _, stratum, poll, precision, delay, dispersion, reference, *times = _TIME.unpack_from(datagram)
    return NtpTime(
        version,
        _MODES[mode],
        stratum,
        2.0**poll,
        2.0**precision,
        delay / 65_536,
        dispersion / 65_536,
        _reference(reference, stratum),
        *(map(_time_ns, times)),
    )


def _reference(number: int, stratum: int) -> str:
    if stratum > 1:
        return str(IPv4Address(number))
    return number.to_bytes(4, "big").rstrip(b"\0").decode("ascii", "backslashreplace")


def _time_ns(stamp: int) -> int | None:
    if not stamp:
        return None
    seconds, fraction = stamp >> 32, stamp & 0xFFFF_FFFF
    if seconds < _ERA_S // 2:
        seconds += _ERA_S
    return (seconds - _EPOCH_S) * _NS_PER_S + (fraction * _NS_PER_S >> 32)


def make(key: FlowKey) -> NtpParser:
    """Make the parser of one flow."""
    return NtpParser()


NTP = DatagramProtocol("ntp", frozenset({123}), probe, make, starts=_STARTS)
