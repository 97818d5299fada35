"""Lapwing's own NDJSON: logins that another Lapwing saw, or an application that writes the same words."""

from collections.abc import Iterable

import msgspec

from lapwing.events import AuthResolved, WireError
from lapwing.logins.logs.context import LogContext, address
from lapwing.logins.logs.contract import LogFormat, Miss, Reading
from lapwing.logins.logs.documents import decoded, text
from lapwing.logins.logs.times import EARLIEST_NS, LATEST_NS

_RESOLVED = '"auth.resolved"'
_decode = msgspec.json.Decoder(AuthResolved).decode


class OwnLines:
    """Reads `auth.resolved` events; all others of the vocabulary are passed over. See LineReader."""

    __slots__ = ("_context",)

    def __init__(self, context: LogContext) -> None:
        self._context = context

    def read(self, line: str) -> Reading:
        """See LineReader."""
        if _RESOLVED not in line:
            return Miss.OTHER if _recognises(line) else Miss.FOREIGN
        try:
            event = _decode(line)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError, WireError):
            return Miss.FOREIGN
        if not EARLIEST_NS <= event.ts_ns <= LATEST_NS:
            return Miss.NO_TIME
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
    document = decoded(line)
    return document is not None and "ts_ns" in document and "." in text(document, "event_type")


OWN = LogFormat("lapwing", "Lapwing's NDJSON", _recognises, OwnLines)
