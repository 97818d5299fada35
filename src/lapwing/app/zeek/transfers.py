"""Rows of `ftp.log`, and which connections carry the files that are asked for there."""

import re
from collections import deque
from collections.abc import Iterator
from ipaddress import ip_address
from posixpath import normpath

from lapwing.app.zeek.rows import MAX_PENDING, Row
from lapwing.events import SessionMessaged
from lapwing.events.messages import FtpCommand, FtpReply

MAX_CHANNELS = 10_000  # announced and not seen yet, over all sessions; of more, the oldest are forgotten
HIDDEN = "<hidden>"  # stands for a password
MAX_PATH = 4096  # letters of a working directory, and of a path seen from it; servers take no longer ones

_PATHS = frozenset("APPE CWD DELE MKD RETR RMD RNFR RNTO STOR STOU REST SIZE MDTM".split())  # noqa: SIM905
_CARRIES = frozenset({"RETR", "STOR", "STOU", "APPE"})
_MOVED = {("CWD", 250), ("CDUP", 200), ("CDUP", 250)}
_TOLD = {("PWD", 257), ("XPWD", 257)}
_SIX = re.compile(r"(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3})")
_EXTENDED = re.compile(r"([!-~])(?:[12])?\1([^|]{0,45})\1(\d{1,5})\1")  # RFC 2428
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_NUMBER = re.compile(r"\d+")

Place = tuple[str, int]  # address and port that listen for data


class DataChannels:
    """Connections that sessions of FTP have announced: where somebody listens, and for which session."""

    def __init__(self) -> None:
        self._announced: dict[Place, FtpRows] = {}

    def announce(self, place: Place, session: "FtpRows") -> None:
        """Somebody listens at `place`."""
        self._announced.pop(place, None)
        self._announced[place] = session
        if len(self._announced) > MAX_CHANNELS:
            del self._announced[next(iter(self._announced))]

    def take(self, place: Place) -> "FtpRows | None":
        """The session for which a connection to `place` carries data, None where none is announced."""
        return self._announced.pop(place, None)


class FtpRows:
    """Commands joined with the last reply they got, in order; the greeting answers `<init>`.

    All commands are told, where that program's settings choose some. Passwords stand as `<hidden>`.
    """

    def __init__(self, channels: DataChannels) -> None:
        self._channels = channels
        self._user = "<unknown>"
        self._password: str | None = None
        self._directory = "."
        self._next_file: str | None = None
        self._waiting: deque[Row] = deque([{"user": self._user, "command": "<init>"}])
        self._answered: Row = {}  # by the reply before; may get another

    def add(self, event: SessionMessaged) -> Iterator[Row]:
        """A row is told once the next command comes, or a reply to another."""
        message = event.message
        if isinstance(message, FtpCommand):
            yield from self._told()
            self._waiting.append(self._asked(event, message))
            if len(self._waiting) > MAX_PENDING:
                row = self._waiting.popleft()
                if row is self._answered:
                    self._answered = {}  # told here, and not again
                yield row | {"password": self._password}
        elif isinstance(message, FtpReply):
            if self._waiting and self._answered is not self._waiting[0]:
                yield from self._told()
                self._answered = self._waiting[0]
            self._reply(event, message, self._answered)
            if message.code >= 200 and self._waiting and self._waiting[0] is self._answered:
                self._waiting.popleft()

    def end(self) -> Iterator[Row]:
        """Commands nobody answered. Nothing of them is kept: channels announced here may wait for long yet."""
        yield from self._told()
        yield from (row | {"password": self._password} for row in self._waiting)
        self._waiting.clear()
        self._answered = {}

    def opened(self, name: str) -> None:
        """A connection for data was opened: what it carries has this name. It may come before the command."""
        row = next((one for one in (self._answered, *self._waiting) if one.get("command") in _CARRIES), None)
        if row is None or "fuid" in row:
            self._next_file = name
        else:
            row["fuid"] = name

    def _told(self) -> Iterator[Row]:
        row, self._answered = self._answered, {}
        if row and not (self._waiting and row is self._waiting[0]):
            yield row | {"password": self._password}  # as far as it is known when the row is told
        elif row:
            self._answered = row

    def _asked(self, event: SessionMessaged, message: FtpCommand) -> Row:
        verb, argument = message.verb, message.argument
        if verb == "USER":
            self._user = argument
        elif verb == "PASS":
            self._password, argument = HIDDEN, HIDDEN
        row: Row = {"ts": event.ts_ns, "user": self._user, "command": verb}
        row["arg"] = argument or None
        if verb in _CARRIES and self._next_file is not None:
            row["fuid"], self._next_file = self._next_file, None
        if verb in _PATHS:
            row |= {"arg": self._url(event.server_ip, argument), "path": argument}
        place = _of_port(argument) if verb == "PORT" else _of_extended(argument, "") if verb == "EPRT" else None
        if place is not None:
            row |= self._expect(place, passive=False, opener=event.server_ip)
        return row

    def _reply(self, event: SessionMessaged, message: FtpReply, row: Row) -> None:
        code, text = message.code, message.text.split("\n")[-1]
        verb = row.get("command")
        row |= {"ts": row.get("ts", event.ts_ns), "reply_code": code, "reply_msg": text or None}
        row.setdefault("user", self._user)
        if (verb, code) in {("RETR", 150), ("SIZE", 213)}:
            numbers = _NUMBER.findall(text)
            row["file_size"] = int(numbers[-1][:18]) if numbers else None
        elif verb in ("PASV", "EPSV") and code in (227, 229):
            place = _of_port(text) if code == 227 else _of_extended(text, event.server_ip)
            if place is not None:
                row |= self._expect(place, passive=True, opener=event.client_ip)
        elif (verb, code) in _MOVED:
            self._directory = self._path(str(row.get("path", "..")) if verb == "CWD" else "..")[:MAX_PATH]
        elif (verb, code) in _TOLD and (quoted := _QUOTED.search(message.text)):
            self._directory = quoted[1].replace('""', '"')[:MAX_PATH]

    def _expect(self, place: Place, *, passive: bool, opener: str) -> Row:
        self._channels.announce(place, self)
        names = ("passive", "orig_h", "resp_h", "resp_p")
        return {f"data_channel.{name}": value for name, value in zip(names, (passive, opener, *place), strict=True)}

    def _path(self, argument: str) -> str:
        """`argument` seen from the working directory; a directory never told is `.`. Twice `MAX_PATH` at most."""
        argument = argument[:MAX_PATH]
        joined = argument if argument.startswith("/") else f"{self._directory.rstrip('/')}/{argument}"
        clean = normpath(joined).replace("//", "/")
        return clean if clean.startswith(("/", ".")) else f"./{clean}"

    def _url(self, host: str, argument: str) -> str:
        path = self._path(argument)
        return f"ftp://{f'[{host}]' if ':' in host else host}{path if path.startswith('/') else '/' + path}"


def _of_port(text: str) -> Place | None:
    """The place six numbers name (RFC 959), None when they name none."""
    found = _SIX.search(text)
    numbers = [int(number) for number in found.groups()] if found else []
    if not numbers or max(numbers) > 255:
        return None
    return ".".join(map(str, numbers[:4])), numbers[4] << 8 | numbers[5]


def _of_extended(text: str, host: str) -> Place | None:
    """The place named as in RFC 2428; one without an address is at `host`."""
    found = _EXTENDED.search(text)
    if found is None or int(found[3]) > 65_535 or not (found[2] or host):
        return None
    try:
        return str(ip_address(found[2] or host)), int(found[3])
    except ValueError:
        return None
