"""Rows of `ntp.log`, `ldap.log`, `ldap_search.log`, `websocket.log` and `dhcp.log`."""

from collections.abc import Iterator
from typing import Any

from lapwing.app.zeek.rows import MAX_PENDING, NS_PER_S, Row, header
from lapwing.events import SessionMessaged, Side
from lapwing.events.messages import HttpRequest, HttpResponse
from lapwing.events.messages.dhcp import DhcpPacket
from lapwing.events.messages.ldap import LdapBind, LdapRequest, LdapResult
from lapwing.events.messages.ntp import NtpTime

_MODES = ("symmetric-active", "symmetric-passive", "client", "server", "broadcast")  # 1 to 5 (RFC 5905, 7.3)


class NtpRows:
    """One row a packet of timekeeping."""

    def add(self, event: SessionMessaged) -> Iterator[Row]:
        """A packet stands alone."""
        message = event.message
        if isinstance(message, NtpTime):
            yield {
                "ts": event.ts_ns,
                "version": message.version,
                "mode": _MODES.index(message.mode) + 1 if message.mode in _MODES else None,
                "stratum": message.stratum,
                "poll": message.poll_s,
                "precision": message.precision_s,
                "root_delay": message.root_delay_s,
                "root_disp": message.root_dispersion_s,
                "ref_id": message.reference_id.ljust(4 if message.stratum < 2 else 0, "\0"),  # a code of four letters
                "ref_time": _rounded(message.reference_ts_ns),
                "org_time": _rounded(message.origin_ts_ns),
                "rec_time": _rounded(message.receive_ts_ns),
                "xmt_time": _rounded(message.transmit_ts_ns),
                "num_exts": 0,
            }

    def end(self) -> Iterator[Row]:
        """Nothing is left."""
        yield from ()


def _rounded(ts_ns: int | None) -> int:
    """To microseconds: times on the wire are finer than those of packets, whose rest is cut."""
    return ((ts_ns or 0) + 500) // 1_000 * 1_000


# Names of RFC 4511, appendix A, in words.
_RESULTS = {
    0: "success", 1: "operations error", 2: "protocol error", 3: "time limit exceeded", 4: "size limit exceeded",
    5: "compare false", 6: "compare true", 7: "auth method not supported", 8: "stronger auth required",
    10: "referral", 11: "admin limit exceeded", 12: "unavailable critical extension", 13: "confidentiality required",
    14: "SASL bind in progress", 16: "no such attribute", 17: "undefined attribute type", 18: "inappropriate matching",
    19: "constraint violation", 20: "attribute or value exists", 21: "invalid attribute syntax", 32: "no such object",
    33: "alias problem", 34: "invalid DN syntax", 36: "alias dereferencing problem",
    48: "inappropriate authentication", 49: "invalid credentials", 50: "insufficient access rights", 51: "busy",
    52: "unavailable", 53: "unwilling to perform", 54: "loop detect", 64: "naming violation",
    65: "object class violation", 66: "not allowed on non-leaf", 67: "not allowed on RDN", 68: "entry already exists",
    69: "object class mods prohibited", 71: "affects multiple DSAs", 80: "other",
}  # fmt: skip
_OPERATIONS = {"modify-dn": "modify"}  # where that program has another word
_UNANSWERED = frozenset({"unbind", "abandon"})
_EXTENSIONS = {"1.3.6.1.4.1.1466.20037": "StartTLS", "1.3.6.1.4.1.4203.1.11.3": "whoami"}


class LdapRows:
    """Operations other than searches, joined with their results. What a simple bind presents is never shown."""

    searches = False

    def __init__(self) -> None:
        self._waiting: dict[int, Row] = {}

    def add(self, event: SessionMessaged) -> Iterator[Row]:
        """A result completes the row of its request."""
        message = event.message
        if isinstance(message, LdapBind | LdapRequest):
            asked = self._asked(message)
            if asked is not None:
                row = {"ts": event.ts_ns, "message_id": message.message_id, **asked}
                if isinstance(message, LdapRequest) and message.operation in _UNANSWERED:
                    yield row
                else:
                    yield from self._wait(message.message_id, row)
        elif isinstance(message, LdapResult) and (message.operation == "search") is self.searches:
            row = self._waiting.pop(message.message_id, {"ts": event.ts_ns, "message_id": message.message_id})
            yield row | self._ended(message)

    def end(self) -> Iterator[Row]:
        """Requests nobody answered."""
        yield from self._waiting.values()

    def _wait(self, number: int, row: Row) -> Iterator[Row]:
        before = self._waiting.pop(number, None)
        if before is not None:
            yield before
        self._waiting[number] = row
        if len(self._waiting) > MAX_PENDING:
            yield self._waiting.pop(next(iter(self._waiting)))

    def _asked(self, message: LdapBind | LdapRequest) -> Row | None:
        if isinstance(message, LdapBind):
            simple = message.mechanism == "simple"
            kind, argument = ("bind simple", "REDACTED") if simple else ("bind SASL", message.mechanism.upper())
            return {"version": message.version, "opcode": kind, "object": message.name, "argument": argument}
        if message.operation == "search":  # in the other log
            return None
        name = message.name or None
        if message.operation == "extended":
            name = f"{message.name} ({_EXTENSIONS.get(message.name, 'unknown')})"
        return {"opcode": _OPERATIONS.get(message.operation, message.operation), "object": name}

    def _ended(self, message: LdapResult) -> Row:
        name = _RESULTS.get(message.code, "unknown")
        return {"result": name, "diagnostic_message": message.text or None}


class LdapSearchRows(LdapRows):
    """Searches joined with their results. That program names the attributes only when told to: they are unset."""

    searches = True

    def _asked(self, message: LdapBind | LdapRequest) -> Row | None:
        if isinstance(message, LdapBind) or message.operation != "search":
            return None
        return {
            "scope": message.scope or None,
            "deref_aliases": message.deref_aliases or None,
            "base_object": message.name or None,
            "filter": message.filter or None,
            "result_count": 0,
        }

    def _ended(self, message: LdapResult) -> Row:
        return {**super()._ended(message), "result_count": message.entry_count}


class WebsocketRows:
    """One row for each upgrade that the server agreed to."""

    def __init__(self) -> None:
        self._asked: HttpRequest | None = None

    def add(self, event: SessionMessaged) -> Iterator[Row]:
        """The answer 101 completes the row of the request before it."""
        message = event.message
        if isinstance(message, HttpRequest):
            self._asked = message
        elif isinstance(message, HttpResponse) and message.status == 101 and self._asked is not None:
            asked = self._asked.headers
            if (header(asked, "upgrade") or "").lower() == "websocket":
                yield {
                    "ts": event.ts_ns,
                    "host": self._asked.host,
                    "uri": self._asked.target,
                    "user_agent": header(asked, "user-agent"),
                    "subprotocol": header(message.headers, "sec-websocket-protocol"),
                    "client_protocols": _listed(asked, "sec-websocket-protocol"),
                    "server_extensions": _listed(message.headers, "sec-websocket-extensions"),
                    "client_extensions": _listed(asked, "sec-websocket-extensions"),
                }

    def end(self) -> Iterator[Row]:
        """Nothing is left."""
        yield from ()


def _listed(headers: list[tuple[str, str]], name: str) -> tuple[str, ...] | None:
    value = header(headers, name)
    return None if value is None else tuple(part.strip() for part in value.split(","))


MAX_WATCHED_NS = 30 * NS_PER_S  # since the first message of a transaction; then its row is told
MAX_UIDS = 10  # flows named in one row
MAX_TYPES = 50  # messages named in one row
_FROM_SERVER = frozenset({"offer", "ack", "nak"})  # whoever sent the first packet of the flow


class DhcpLeases:
    """One row a transaction, over all its flows: clients and servers speak from several addresses.

    A transaction of more messages or flows than a row may name goes on in another row.
    """

    def __init__(self, *, max_uids: int = MAX_UIDS, max_types: int = MAX_TYPES) -> None:
        self._max_uids, self._max_types = max_uids, max_types
        self._open: dict[int, Row] = {}  # by transaction, oldest first

    def add(self, event: SessionMessaged, uid: str) -> Iterator[Row]:
        """Yields the transactions that are over by now."""
        message = event.message
        while self._open and event.ts_ns - next(iter(self._open.values()))["ts"] > MAX_WATCHED_NS:
            yield self._take(next(iter(self._open)))
        if isinstance(message, DhcpPacket):
            number = message.transaction_id
            row = self._open.setdefault(number, {"ts": event.ts_ns, "uids": (), "msg_types": ()})
            if uid not in row["uids"]:
                row["uids"] = (*row["uids"], uid)
            row["msg_types"] = (*row["msg_types"], message.type.upper())
            row["duration"] = (event.ts_ns - row["ts"]) / NS_PER_S
            if message.type in _FROM_SERVER:
                row |= _of_server(event, message)
                row.setdefault("client_addr", message.assigned_ip)
            else:
                row |= _of_client(event, message)
            if len(row["uids"]) >= self._max_uids or len(row["msg_types"]) >= self._max_types:
                yield self._take(number)
            if len(self._open) > MAX_PENDING:
                yield self._take(next(iter(self._open)))

    def end(self) -> Iterator[Row]:
        """What is left."""
        for number in list(self._open):
            yield self._take(number)

    def _take(self, number: int) -> Row:
        return self._open.pop(number)


def _of_client(event: SessionMessaged, message: DhcpPacket) -> Row:
    return _known(
        mac=message.client_mac,
        client_addr=_host(event, sender=True),
        host_name=message.host_name,
        requested_addr=message.requested_ip,
        client_message=message.text,
    )


def _of_server(event: SessionMessaged, message: DhcpPacket) -> Row:
    """Who handed out what; a server that gave no address is not named."""
    giver = _host(event, sender=True) if message.assigned_ip else None
    return _known(
        mac=message.client_mac,
        server_addr=message.server_ip if message.assigned_ip and message.server_ip else giver,
        domain=message.domain,
        assigned_addr=message.assigned_ip,
        lease_time=message.lease_s,
        server_message=message.text,
    )


def _host(event: SessionMessaged, *, sender: bool) -> str | None:
    """Who sent or got this message, None for nobody in particular."""
    from_client = event.side is Side.CLIENT
    address = event.client_ip if from_client is sender else event.server_ip
    return None if address in ("0.0.0.0", "255.255.255.255") else address  # noqa: S104  not bound to, compared


def _known(**values: Any) -> Row:
    return {name: value for name, value in values.items() if value is not None}
