"""Windows Security events as JSON: winlogbeat's, evtx_dump's and EvtxECmd's shape, and flat ones such as NXLog's.

4624 and 4625 are logons and refused ones, 4771 refused Kerberos pre-authentications, 4776 NTLM validations (which name
a workstation, no address, and are counted as such).
"""

from typing import Any

from lapwing.events import Outcome
from lapwing.logins.logs.context import address, port
from lapwing.logins.logs.contract import LogFormat, Miss, Reading
from lapwing.logins.logs.documents import Document, DocumentLines, decoded, inside, number, text

LOGON, REFUSED, KERBEROS_REFUSED, NTLM = 4624, 4625, 4771, 4776
EVENTS = (LOGON, REFUSED, KERBEROS_REFUSED, NTLM)
_TYPES = {2: "interactive", 3: "network", 7: "unlock", 8: "network-cleartext", 10: "rdp", 11: "cached"}
_NOBODYS = (4, 5, 9)  # batch, service, new credentials: no person logs in
_LOCKED = frozenset({"0xc0000234", "0xc0000072", "0xc0000193", "0xc000006f", "0xc0000070"})
_KERBEROS_WRONG, _KERBEROS_LOCKED = "0x18", "0x12"


class WindowsLines(DocumentLines):
    """Reads one event a line; see LineReader."""

    __slots__ = ()

    def take(self, document: dict[str, Any]) -> Reading:
        """See DocumentLines."""
        found = _event(document)
        if found is None:
            return Miss.FOREIGN
        event_id, time, data = found
        if event_id not in EVENTS:
            return Miss.OTHER
        of_machine = event_id == LOGON and text(data, "TargetUserName").endswith("$")
        if of_machine or number(data, "LogonType") in _NOBODYS:
            return Miss.OTHER
        outcome = _outcome(event_id, data)
        if outcome is None:
            return Miss.OTHER
        ts_ns = self._clock.any(time)
        return Miss.NO_TIME if ts_ns is None else self._login(event_id, ts_ns, data, outcome)

    def _login(self, event_id: int, ts_ns: int, data: Document, outcome: Outcome) -> Reading:
        client_ip = address(text(data, "IpAddress"))
        if client_ip is None:
            return Miss.NO_ADDRESS
        kind = number(data, "LogonType")
        mechanism = "kerberos" if event_id == KERBEROS_REFUSED else (text(data, "AuthenticationPackageName") or "ntlm")
        return self._context.login(
            ts_ns,
            "windows",
            mechanism.strip().lower(),
            client_ip,
            outcome,
            f"event {event_id}",
            username=text(data, "TargetUserName"),
            client_port=port(text(data, "IpPort")),
            endpoint=f"windows {_TYPES.get(kind or 0, 'kerberos' if kind is None else f'type {kind}')}",
        )


def _outcome(event_id: int, data: Document) -> Outcome | None:
    if event_id == LOGON:
        return Outcome.SUCCEEDED
    status = text(data, "Status").lower()
    if event_id == KERBEROS_REFUSED:
        wrong = Outcome.FAILED if status == _KERBEROS_WRONG else None
        return Outcome.LOCKED if status == _KERBEROS_LOCKED else wrong
    if event_id == NTLM and status in ("0x0", "0"):
        return Outcome.SUCCEEDED
    return Outcome.LOCKED if {status, text(data, "SubStatus").lower()} & _LOCKED else Outcome.FAILED


def _event(document: dict[str, Any]) -> tuple[int, object, Document] | None:
    """Id, time and data of an event of whichever shape."""
    log = inside(document, "winlog")
    if log:
        event_id = number(log, "event_id")
        time = document.get("@timestamp")
        return None if event_id is None else (event_id, time, inside(log, "event_data"))
    event = inside(document, "Event")
    if event:
        system = inside(event, "System")
        event_id = number(system, "EventID") or number(inside(system, "EventID"), "#text")
        made = inside(system, "TimeCreated")
        time = made.get("SystemTime") or made.get("@SystemTime") or inside(made, "#attributes").get("SystemTime")
        return None if event_id is None else (event_id, time, _data(event))
    event_id = number(document, "EventID", "EventId", "event_id", "Id")
    payload = decoded(text(document, "Payload"))  # EvtxECmd puts what lies below Event into a text
    if event_id is not None and payload is not None:
        return event_id, document.get("TimeCreated"), _data(payload)
    if event_id is None or not ("TargetUserName" in document or inside(document, "EventData")):
        return None
    time = next(
        (document[name] for name in ("TimeCreated", "EventTime", "@timestamp", "UtcTime") if name in document), 0
    )
    return event_id, time, inside(document, "EventData") or document


def _data(event: dict[str, Any]) -> Document:
    """The named values, also where they come as a list of names and texts."""
    data = inside(event, "EventData")
    listed = data.get("Data")
    if not isinstance(listed, list):
        return data
    rows = [row for row in listed if isinstance(row, dict)]
    return {text(row, "@Name", "Name"): text(row, "#text", "Value") for row in rows}


def _recognises(line: str) -> bool:
    document = decoded(line)
    return document is not None and _event(document) is not None


WINDOWS = LogFormat("windows", "Windows Security events in JSON", _recognises, WindowsLines)
