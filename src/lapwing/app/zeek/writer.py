"""Events into log files, one folder."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Self

from lapwing.app.zeek.columns import COLUMNS, VLAN_COLUMNS
from lapwing.app.zeek.files import FileRows, of_transfer
from lapwing.app.zeek.handshakes import QuicRows, SslRows
from lapwing.app.zeek.lookups import DnsRows
from lapwing.app.zeek.mails import SmtpRows
from lapwing.app.zeek.names import fuid_of_flow, uid, uid_of
from lapwing.app.zeek.places import is_local
from lapwing.app.zeek.rows import HttpRows, Row, Rows, SshRows
from lapwing.app.zeek.services import DhcpLeases, LdapRows, LdapSearchRows, NtpRows, WebsocketRows
from lapwing.app.zeek.transfers import DataChannels, FtpRows
from lapwing.app.zeek.tunnels import TunnelRows, parents
from lapwing.app.zeek.weirds import WeirdRows, of_anomaly, of_end
from lapwing.events import (
    AnomalySeen,
    CloseReason,
    Event,
    FlowBound,
    FlowClosed,
    FlowOpened,
    SessionEnded,
    SessionEndReason,
    SessionIdentified,
    SessionMessaged,
)

Columns = tuple[tuple[str, str], ...]  # names and types

NS_PER_S = 1_000_000_000
UNSET, EMPTY = "-", "(empty)"
FTP_DATA = "ftp-data"  # the service of a connection that carries a file
PEER = "lapwing"  # who wondered, where no sensor is named
FAMILIES = ("flow", "session", "anomaly")  # of events the logs are made from

_PROTOCOLS = {"icmp6": "icmp", "other": "unknown_transport", "sctp": "unknown_transport"}
_SERVICES = {"tls": "ssl"}
LOGS: dict[str, dict[str, Callable[[], Rows]]] = {
    "http": {"http": HttpRows, "websocket": WebsocketRows, "weird": WeirdRows, "files": FileRows},
    "dns": {"dns": DnsRows},
    "ftp": {"weird": WeirdRows},  # and that of a session, which shares its channels with others
    "smtp": {"smtp": SmtpRows, "weird": WeirdRows, "files": FileRows},
    "ssh": {"ssh": SshRows},
    "tls": {"ssl": SslRows},
    "quic": {"quic": QuicRows, "ssl": SslRows},
    "ntp": {"ntp": NtpRows},
    "ldap": {"ldap": LdapRows, "ldap_search": LdapSearchRows},
}  # by protocol: the logs its messages go to


class ZeekLogs:
    """Writes the logs of a reading to a folder; a log nobody has a row for is not made. A context manager.

    Give it the events of the families in FAMILIES in order. A connection that outlives the active timeout has
    a row in `conn.log` for each of its records.
    """

    def __init__(self, folder: Path, *, vlan: bool = False) -> None:
        """Makes the folder. Raises OSError. With `vlan`, `conn.log` has columns for tags of VLANs."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._columns = COLUMNS | {"conn": COLUMNS["conn"] + VLAN_COLUMNS} if vlan else COLUMNS
        self._files: dict[str, BinaryIO] = {}
        self._stack = ExitStack()
        self._finished = False
        self._flows: dict[int, dict[str, Rows]] = {}  # by log: a stream may go on as another protocol
        self._leases = DhcpLeases()
        self._channels = DataChannels()
        self._tunnels = TunnelRows()
        self._logs = {**LOGS, "ftp": {"ftp": lambda: FtpRows(self._channels), **LOGS["ftp"]}}
        self._services: dict[int, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    def write(self, events: Iterable[Event]) -> None:
        """Write what these events complete. Raises OSError that names the file; then all of them are closed."""
        try:
            self._take(events)
        except OSError:
            with suppress(OSError):  # the first error says what there is to say
                self.finish()
            raise

    def _take(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, SessionMessaged):
                self._message(event)
            elif isinstance(event, FlowClosed):
                self._closed(event)
            elif isinstance(event, FlowOpened):
                self._opened(event)
            elif isinstance(event, SessionIdentified):
                self._identified(event)
            elif isinstance(event, AnomalySeen):
                self._wondered(event)
            elif isinstance(event, SessionEnded) and event.reason is SessionEndReason.POISONED:
                name, more, source = of_end(event)
                self._put("weird", event, [{"name": name, "addl": more, "source": source}])

    def finish(self) -> None:
        """Write the closing lines and close the files, once. Raises OSError that names the file."""
        if self._finished:
            return
        self._finished = True
        try:
            self._write("dhcp", self._leases.end())
            self._write("tunnel", self._tunnels.end())
            for log in self._files:
                self._add(log, f"#close\t{_stamp()}\n".encode())
        finally:
            self._stack.close()

    def _message(self, event: SessionMessaged) -> None:
        if event.protocol == "dhcp":
            self._write("dhcp", self._leases.add(event, uid(event)))
            return
        logs = self._logs.get(event.protocol)
        if logs is None:
            return
        held = self._flows.setdefault(event.flow_id, {})
        for log, make in logs.items():
            rows = held.get(log)
            if rows is None:
                rows = held[log] = make()
            self._put(log, event, rows.add(event))

    def _identified(self, event: SessionIdentified) -> None:
        name, before = _SERVICES.get(event.protocol, event.protocol), self._services.get(event.flow_id)
        self._services[event.flow_id] = name if before is None else f"{before},{name}"

    def _opened(self, event: FlowOpened) -> None:
        self._write("tunnel", self._tunnels.found(event.carriers, event.ts_ns))
        session = self._channels.take((event.server_ip, event.server_port))
        if session is not None:
            self._services[event.flow_id] = FTP_DATA
            session.opened(fuid_of_flow(event))

    def _closed(self, event: FlowClosed) -> None:
        self._write("tunnel", self._tunnels.closed(event))
        self._put("conn", event, [self._connection(event)])
        if event.reason is CloseReason.ACTIVE:
            return
        if self._services.pop(event.flow_id, None) == FTP_DATA:
            self._put("files", event, of_transfer(event))
        for log, rows in self._flows.pop(event.flow_id, {}).items():
            self._put(log, event, rows.end())
            if isinstance(rows, WeirdRows):
                self._put(log, event, rows.closed(event))

    def _wondered(self, event: AnomalySeen) -> None:
        row = of_anomaly(event)
        if event.flow_id is not None and event.community_id is not None:
            row["uid"] = uid_of(event.community_id, event.flow_id)
        self._write("weird", [{"notice": False, "peer": event.sensor or PEER, **row}])

    def _connection(self, flow: FlowClosed) -> Row:
        lasted_ns = flow.last_ts_ns - flow.first_ts_ns
        row: Row = {
            "ts": flow.first_ts_ns,
            "proto": _PROTOCOLS.get(flow.transport, str(flow.transport)),
            "service": self._services.get(flow.flow_id),
            "conn_state": flow.conn_state,
            "local_orig": is_local(flow.client_ip),
            "local_resp": is_local(flow.server_ip),
            "missed_bytes": flow.client_missed_bytes + flow.server_missed_bytes,
            "history": flow.history or None,
            "orig_pkts": flow.client_packet_count,
            "orig_ip_bytes": flow.client_ip_bytes,
            "resp_pkts": flow.server_packet_count,
            "resp_ip_bytes": flow.server_ip_bytes,
            "tunnel_parents": parents(flow),
            "ip_proto": flow.ip_protocol,
            "vlan": flow.outer_vlan_id or flow.vlan_id or None,
            "inner_vlan": flow.vlan_id if flow.outer_vlan_id and flow.vlan_id else None,
        }
        if flow.client_packet_count + flow.server_packet_count > 1:
            sizes = {"orig_bytes": flow.client_stream_bytes, "resp_bytes": flow.server_stream_bytes}
            row |= {"duration": lasted_ns / NS_PER_S, **sizes}
        return row

    def _put(self, log: str, flow: FlowBound, rows: Iterable[Row]) -> None:
        for row in rows:
            named = {
                "uid": uid(flow),
                "id.orig_h": flow.client_ip,
                "id.orig_p": flow.client_port,
                "id.resp_h": flow.server_ip,
                "id.resp_p": flow.server_port,
            }
            if log == "weird":
                named |= {"notice": False, "peer": flow.sensor or PEER}
            self._write(log, [{"ts": flow.ts_ns, **row, **named}])

    def _write(self, log: str, rows: Iterable[Row]) -> None:
        for row in rows:
            self._add(log, line(log, row, self._columns))

    def _add(self, log: str, data: bytes) -> None:
        try:
            self._file(log).write(data)
        except OSError as error:
            raise _naming(error, self._path(log))  # noqa: B904  the same error

    def _file(self, log: str) -> BinaryIO:
        stream = self._files.get(log)
        if stream is None:
            stream = self._files[log] = self._path(log).open("wb")
            self._stack.callback(_close, stream, self._path(log))
            stream.write("\n".join([*_head(log, self._columns[log]), ""]).encode())
        return stream

    def _path(self, log: str) -> Path:
        return self._folder / f"{log}.log"


def _close(stream: BinaryIO, path: Path) -> None:
    try:
        stream.close()  # which writes what was held back
    except OSError as error:
        raise _naming(error, path)  # noqa: B904  the same error


def _naming(error: OSError, path: Path) -> OSError:
    """An error of writing, which names no file where one of opening does."""
    error.filename = error.filename or str(path)
    return error


def line(log: str, row: Row, columns: Mapping[str, Columns] = COLUMNS) -> bytes:
    """A row as it stands in the file of `log`: a value for each of its columns, and the line's end."""
    cells = (_cell(row.get(name), kind) for name, kind in columns[log])
    return "\t".join(cells).encode() + b"\n"


def _head(log: str, columns: Columns) -> Iterator[str]:
    yield "#separator \\x09"
    yield "#set_separator\t,"
    yield f"#empty_field\t{EMPTY}"
    yield f"#unset_field\t{UNSET}"
    yield f"#path\t{log}"
    yield f"#open\t{_stamp()}"
    yield "\t".join(["#fields", *[name for name, _ in columns]])
    yield "\t".join(["#types", *[kind for _, kind in columns]])


def _stamp() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d-%H-%M-%S}"


def _cell(value: Any, kind: str) -> str:
    """A value as the logs write it."""
    if value is None:
        return UNSET
    if kind == "time":
        return f"{value // NS_PER_S}.{value % NS_PER_S // 1_000:06}"
    if kind == "interval":
        return f"{value:.6f}"
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, tuple):
        return ",".join(_text(str(one), ",") for one in value) if value else EMPTY
    text = str(value)
    if text in (UNSET, EMPTY):  # a value that looks like none
        return f"\\x{ord(text[0]):02x}{text[1:]}"
    return _text(text) if text else EMPTY


def _text(text: str, also: str = "") -> str:
    """Text with what would break a line, and bytes that are no ASCII, as `\\xHH`."""
    if text.isascii() and text.isprintable() and "\\" not in text and (not also or also not in text):
        return text
    shown = []
    raw = text.encode("latin-1") if max(text) <= "\xff" else text.encode("utf-8", "backslashreplace")
    for byte in raw:
        plain = 0x20 <= byte < 0x7F and chr(byte) != also and byte != 0x5C
        shown.append(chr(byte) if plain else f"\\x{byte:02x}")
    return "".join(shown)
