"""Lapwing's own NDJSON: logins that another Lapwing saw, or an application that writes the same words."""

from collections.abc import Iterable

import msgspec

from lapwing.events import AuthResolved, WireError
from lapwing.logins.logs.context import LogContext, address
from lapwing.logins.logs.contract import LogFormat, Miss, Reading

_MARK = '"event_type":"'
_decode = msgspec.json.Decoder(AuthResolved).decode


class OwnLines:
    """Reads `auth.resolved` events; all others of the vocabulary are passed over. See LineReader."""

    __slots__ = ("_context",)

    def __init__(self, context: LogContext) -> None:
        self._context = context

    def read(self, line: str) -> Reading:
        """See LineReader."""
        if _MARK not in line:
            return Miss.FOREIGN
        if f'{_MARK}auth.resolved"' not in line:
            return Miss.OTHER
        try:
            event = _decode(line)
        except (msgspec.DecodeError, UnicodeEncodeError, WireError):
            return Miss.FOREIGN
        client_ip = address(event.client_ip)
        if client_ip is None:
            return Miss.NO_ADDRESS
        return msgspec.structs.replace(
            event,
            seq=0,
            client_ip=client_ip,
            username=self._context.name(event.username),
            auth_id=self._context.next_auth_id(),
        )

    def close(self) -> Iterable[AuthResolved]:
        """See LineReader."""
        return ()


def _recognises(line: str) -> bool:
    start = line.find(_MARK)
    if start < 0 or line[:1] != "{":
        return False
    kind = line[start + len(_MARK) :].partition('"')[0]
    return "." in kind


OWN = LogFormat("lapwing", "Lapwing's NDJSON", _recognises, OwnLines)
