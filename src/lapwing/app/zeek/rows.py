"""From the messages of one flow to rows: what all logs share, `http.log` and `ssh.log`.

A row is told as soon as nothing can be added to it.
"""

from collections.abc import Iterator
from typing import Any, Protocol

from lapwing.app.zeek.names import fuid
from lapwing.app.zeek.places import is_local
from lapwing.events import Outcome, SessionMessaged, Side
from lapwing.events.messages import (
    HttpRequest,
    HttpResponse,
    SshAuthInferred,
    SshBanner,
    SshKexInit,
)

NS_PER_S = 1_000_000_000
MAX_PENDING = 1_000  # rows of a flow that wait for their answers; the oldest is told without one

Row = dict[str, Any]  # values by column; None or a missing key is unset


class Rows(Protocol):
    """Makes the rows of one log for one flow."""

    def add(self, event: SessionMessaged) -> Iterator[Row]:
        """Take the next message; yields rows that are complete."""
        ...

    def end(self) -> Iterator[Row]:
        """The flow is over; yields what is left."""
        ...


class HttpRows:
    """Requests and responses joined by their index."""

    def __init__(self) -> None:
        self._waiting: dict[int, Row] = {}

    def add(self, event: SessionMessaged) -> Iterator[Row]:
        """A response completes the row of its request."""
        message = event.message
        if isinstance(message, HttpRequest):
            row = self._waiting.setdefault(message.index, {"ts": event.ts_ns, "response_body_len": 0, "tags": ()})
            row |= {
                "trans_depth": message.index + 1,
                "method": message.method,
                "host": message.host,
                "uri": message.target,
                "referrer": header(message.headers, "referer"),
                "user_agent": header(message.headers, "user-agent"),
                "origin": header(message.headers, "origin"),
                "proxied": _proxied(message.headers),
                "request_body_len": message.body_bytes,
                **_files(event, message, "orig"),
            }
            if len(self._waiting) > MAX_PENDING:
                yield self._waiting.pop(next(iter(self._waiting)))
        elif isinstance(message, HttpResponse):
            yield from self._answer(event, message)

    def _answer(self, event: SessionMessaged, message: HttpResponse) -> Iterator[Row]:
        if message.status < 200 and message.index in self._waiting:
            self._waiting[message.index] |= {"info_code": message.status, "info_msg": message.reason or None}
        if message.status < 200 and message.status != 101:
            return
        row = self._waiting.pop(message.index, {"ts": event.ts_ns, "request_body_len": 0, "tags": ()})
        yield row | {
            "trans_depth": message.index + 1,
            "version": message.version,
            "response_body_len": message.body_bytes,
            "status_code": message.status,
            "status_msg": message.reason or None,
            **_files(event, message, "resp"),
        }

    def end(self) -> Iterator[Row]:
        """Requests nobody answered."""
        yield from self._waiting.values()


def _files(event: SessionMessaged, message: HttpRequest | HttpResponse, side: str) -> Row:
    """What a message carried, under the names it has in `files.log`; the size is that without content coding."""
    if not message.files:
        return {}
    found: Row = {
        f"{side}_fuids": tuple(fuid(event, number) for number in range(len(message.files))),
        f"{side}_filenames": tuple(file.name for file in message.files if file.name) or None,
        f"{side}_mime_types": tuple(file.mime_type for file in message.files if file.mime_type) or None,
    }
    if header(message.headers, "content-encoding"):
        size = sum(file.seen_bytes + file.missing_bytes for file in message.files)
        found["request_body_len" if side == "orig" else "response_body_len"] = size
    return found


# Header fields that proxies add.
_PROXIES = frozenset(
    {"forwarded", "x-forwarded-for", "x-forwarded-from", "client-ip", "via", "xroxy-connection", "proxy-connection"}
)


def _proxied(headers: list[tuple[str, str]]) -> tuple[str, ...] | None:
    found = dict.fromkeys(f"{name.upper()} -> {value}" for name, value in headers if name.lower() in _PROXIES)
    return tuple(found) or None


def header(headers: list[tuple[str, str]], name: str) -> str | None:
    """The value of the first field of that name, in lower case."""
    return next((value for key, value in headers if key.lower() == name), None)


_NEGOTIATED = {
    "cipher_alg": "ciphers_client_to_server",
    "mac_alg": "macs_client_to_server",
    "compression_alg": "compression_client_to_server",
    "kex_alg": "kex_algorithms",
    "host_key_alg": "host_key_algorithms",
}


class SshRows:
    """One row a connection. Algorithms are the client's first that the server has too (RFC 4253 section 7.1)."""

    def __init__(self) -> None:
        self._row: Row = {"auth_attempts": 0}
        self._offers: dict[Side, SshKexInit] = {}

    def add(self, event: SessionMessaged) -> Iterator[Row]:
        """Nothing is complete before the end."""
        message, row = event.message, self._row
        row.setdefault("ts", event.ts_ns)
        if isinstance(message, SshBanner):
            row["client" if event.side is Side.CLIENT else "server"] = message.banner
            row |= {"direction": _direction(event.client_ip, event.server_ip), "version": _version(row)}
        elif isinstance(message, SshKexInit):
            self._offers.setdefault(event.side, message)
        elif isinstance(message, SshAuthInferred):
            row["auth_attempts"] = message.attempt_count
            if message.outcome in (Outcome.SUCCEEDED, Outcome.FAILED):
                row["auth_success"] = message.outcome is Outcome.SUCCEEDED
        yield from ()

    def end(self) -> Iterator[Row]:
        """The connection."""
        if len(self._offers) == 2:
            for column, field in _NEGOTIATED.items():
                theirs = getattr(self._offers[Side.SERVER], field)
                ours = getattr(self._offers[Side.CLIENT], field)
                self._row[column] = next((name for name in ours if name in theirs), None)
        yield self._row


def _direction(client_ip: str, server_ip: str) -> str | None:
    """Which way a login crosses the border of the site, None when it does not."""
    inside = is_local(client_ip)
    return None if inside is is_local(server_ip) else "OUTBOUND" if inside else "INBOUND"


def _version(row: Row) -> int | None:
    """The highest version of the protocol that both speak (RFC 4253, 5.1), 0 for none; None before both said theirs."""
    if "client" not in row or "server" not in row:
        return None
    return max(_versions(row["client"]) & _versions(row["server"]), default=0)


def _versions(banner: str) -> set[int]:
    return {1, 2} if banner.startswith("SSH-1.99") else {2} if banner.startswith("SSH-2.") else {1}
