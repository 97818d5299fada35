"""What OpenVPN's server says of logins, in its own log or the system's."""

import re
from collections.abc import Iterable

from lapwing.events import AuthResolved, Outcome
from lapwing.logins.logs.context import LogContext, address, port
from lapwing.logins.logs.contract import LogFormat, Miss, Reading

KEY_CONFIDENCE = 0.7  # a packet with a wrong static key is a client without it, or a damaged packet

_LINE = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}) (?:us=\d+ )?"
    r"((?:\S+/)?(?:[0-9.]+|\[?[0-9A-Fa-f:]+\]?):\d{1,5} .*|\S.*)"
)
_PEER = re.compile(r"(?:[^/\s]*/)?((?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f:]{2,}):(\d{1,5}) (?:\[(.*)\] )?(.*)")
_OPENVPN_WORDS = ("OpenVPN ", "TLS", "VERIFY ", "MULTI", "Peer Connection Initiated", "AUTH", "UDP", "Initialization")


class OpenVpnMessages:
    """Reads messages that begin with the client's address and port; see MessageReader."""

    __slots__ = ("_context",)

    def __init__(self, context: LogContext) -> None:
        self._context = context

    def read(self, ts_ns: int, _pid: str, message: str) -> Reading:
        """See MessageReader."""
        match = _PEER.fullmatch(message)
        if match is None:
            return Miss.OTHER
        name, text = match[3], match[4]
        if text.startswith(("TLS Auth Error: ", "AUTH_FAILED")):
            mechanism, outcome, sure = "password", Outcome.FAILED, 1.0
        elif text.startswith("TLS Error: incoming packet authentication failed"):
            mechanism, outcome, sure = "tls-key", Outcome.FAILED, KEY_CONFIDENCE
        elif name is not None and text.startswith("Peer Connection Initiated with "):
            mechanism, outcome, sure = "certificate", Outcome.SUCCEEDED, 1.0
        else:
            return Miss.OTHER
        client_ip = address(match[1])
        if client_ip is None:
            return Miss.NO_ADDRESS
        return self._context.login(
            ts_ns,
            "openvpn",
            mechanism,
            client_ip,
            outcome,
            f"openvpn: {outcome}",
            username=name,
            client_port=port(match[2]),
            confidence=sure,
        )

    def close(self) -> Iterable[AuthResolved]:
        """See MessageReader."""
        return ()


class OpenVpnLines:
    """Reads openvpn.log; see LineReader."""

    __slots__ = ("_clock", "_messages")

    def __init__(self, context: LogContext) -> None:
        self._clock = context.clock
        self._messages = OpenVpnMessages(context)

    def read(self, line: str) -> Reading:
        """See LineReader."""
        match = _LINE.fullmatch(line)
        if match is None:
            return Miss.FOREIGN
        ts_ns = self._clock.any(match[1])
        return Miss.NO_TIME if ts_ns is None else self._messages.read(ts_ns, "", match[2])

    def close(self) -> Iterable[AuthResolved]:
        """See LineReader."""
        return ()


def _recognises(line: str) -> bool:
    match = _LINE.fullmatch(line)
    if match is None:
        return False
    peer = _PEER.fullmatch(match[2])
    return (peer[4] if peer else match[2]).startswith(_OPENVPN_WORDS)


OPENVPN = LogFormat("openvpn", "openvpn.log", _recognises, OpenVpnLines)
