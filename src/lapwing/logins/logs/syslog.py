"""System logs: lines of many programs (RFC 3164, RFC 5424, and both with RFC 3339 times), and the journal's export.

Which program may say what is a table: a login is read only from the program that is the authority on it, so nothing a
client makes another program write can pass for one.
"""

import re
from collections.abc import Callable, Iterable

import msgspec

from lapwing.events import AuthResolved
from lapwing.logins.logs.access import AccessLines
from lapwing.logins.logs.context import LogContext
from lapwing.logins.logs.contract import LogFormat, MessageReader, Miss, Reading
from lapwing.logins.logs.dovecot import DovecotMessages
from lapwing.logins.logs.haproxy import HaproxyMessages
from lapwing.logins.logs.openvpn import OpenVpnMessages
from lapwing.logins.logs.pam import read_pam
from lapwing.logins.logs.postfix import PostfixMessages
from lapwing.logins.logs.sshd import SshdMessages
from lapwing.logins.logs.vsftpd import VsftpdMessages
from lapwing.logins.logs.wellknown import WellKnownMessages

MAX_REPEATS = 10_000  # of a message, as one line says it; more is written by nobody's daemon

_LEGACY = re.compile(r"(?:<\d{1,3}>)?([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?) (.*)")
_DATED = re.compile(r"(?:<\d{1,3}>)?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)) (.*)")
_RFC5424 = re.compile(r'<\d{1,3}>1 (\S+) (\S+) (\S+) (\S+) \S+ (?:-|(?:\[(?:[^"\]]|"(?:[^"\\]|\\.)*")*\])+) ?(.*)')
_REPEATED = re.compile(r"message repeated (\d{1,9}) times: \[ ?(.*)\]")
_TAGGED = re.compile(r"[\w.:@-]{1,255} [\w./@()+-]{1,64}(?:\[\d+\])?:? .*|\S+ last message repeated .*")
_LAST_REPEATED = re.compile(r"last message (?:.*: )?repeated (\d{1,9}) times?")
_BYTE_ORDER_MARK = "\ufeff"


class WebMessages:
    """Access log lines that a web server sends to the system log; their own times count."""

    __slots__ = ("_lines",)

    def __init__(self, context: LogContext) -> None:
        self._lines = AccessLines(context)

    def read(self, _ts_ns: int, _pid: str, message: str) -> Reading:
        """See MessageReader."""
        found = self._lines.read(message)
        return Miss.OTHER if found is Miss.FOREIGN else found

    def close(self) -> Iterable[AuthResolved]:
        """See MessageReader."""
        return ()


# By the program's name up to the first slash. Programs of no entry are looked at for PAM's words and well-known ones.
PROGRAMS: dict[str, Callable[[LogContext], MessageReader]] = {
    "sshd": SshdMessages,
    "sshd-session": SshdMessages,
    "dovecot": DovecotMessages,
    "postfix": PostfixMessages,
    "vsftpd": VsftpdMessages,
    "openvpn": OpenVpnMessages,
    "ovpn-server": OpenVpnMessages,
    "haproxy": HaproxyMessages,
    "nginx": WebMessages,
    "apache": WebMessages,
    "apache2": WebMessages,
    "httpd": WebMessages,
}


class Dispatch:
    """Hands messages to their program's reader, and counts repeated ones as often as they were."""

    __slots__ = ("_context", "_last", "_readers", "_well_known")

    def __init__(self, context: LogContext) -> None:
        self._context = context
        self._readers: dict[str, MessageReader] = {}
        self._well_known = WellKnownMessages(context)
        self._last: Reading = Miss.OTHER

    def read(self, ts_ns: int, program: str, pid: str, message: str) -> Reading:
        """Read one message."""
        if message.startswith("message repeated "):
            match = _REPEATED.fullmatch(message)
            if match is not None:
                found = self._last = self._one(ts_ns, program, pid, match[2].rstrip())
                return self._times(found, int(match[1]), ts_ns)
        found = self._last = self._one(ts_ns, program, pid, message)
        return found

    def repeated(self, ts_ns: int, count: int) -> Reading:
        """The last message came `count` more times."""
        return self._times(self._last, count, ts_ns)

    def close(self) -> Iterable[AuthResolved]:
        """End every program's reader."""
        return [event for reader in self._readers.values() for event in reader.close()]

    def _one(self, ts_ns: int, program: str, pid: str, message: str) -> Reading:
        reader = self._readers.get(program)
        if reader is None:
            make = PROGRAMS.get(program.partition("/")[0])
            if make is None:
                if "): authentication failure; " in message:
                    return read_pam(self._context, ts_ns, message)
                return self._well_known.read(ts_ns, pid, message)
            if len(self._readers) < len(PROGRAMS) * 4:  # programs such as postfix/smtpd have their own names
                reader = self._readers[program] = make(self._context)
            else:
                reader = make(self._context)
        found = reader.read(ts_ns, pid, message)
        if found is Miss.OTHER and "): authentication failure; " in message:
            return read_pam(self._context, ts_ns, message)
        return found

    def _times(self, found: Reading, count: int, ts_ns: int) -> Reading:
        if not isinstance(found, AuthResolved):
            return found
        times = min(max(count, 1), MAX_REPEATS) * found.attempt_count
        return msgspec.structs.replace(
            found, attempt_count=times, ts_ns=ts_ns, attempted_ts_ns=ts_ns, auth_id=self._context.next_auth_id()
        )


class SyslogLines:
    """Reads a system log; see LineReader."""

    __slots__ = ("_clock", "_dispatch")

    def __init__(self, context: LogContext) -> None:
        self._clock = context.clock
        self._dispatch = Dispatch(context)

    def read(self, line: str) -> Reading:
        """See LineReader."""
        # The usual line, by the places of its blanks: `Mar 27 13:06:56 host program[12]: message`.
        ts_ns = self._clock.syslog(line[:15]) if line[15:16] == " " else None
        if ts_ns is not None:
            return self._rest(ts_ns, line[16:])
        match = _DATED.fullmatch(line)
        if match is not None:
            ts_ns = self._clock.iso(match[1])
            return Miss.NO_TIME if ts_ns is None else self._rest(ts_ns, match[2])
        match = _LEGACY.fullmatch(line)
        if match is not None:
            ts_ns = self._clock.syslog(match[1])
            return Miss.NO_TIME if ts_ns is None else self._rest(ts_ns, match[2])
        return self._rfc5424(line)

    def close(self) -> Iterable[AuthResolved]:
        """See LineReader."""
        return self._dispatch.close()

    def _rest(self, ts_ns: int, rest: str) -> Reading:
        host, _, text = rest.partition(" ")
        if host.endswith("-login:"):  # Dovecot's own log: no host, no program
            return self._dispatch.read(ts_ns, "dovecot", "", rest)
        tag, _, message = text.partition(": ")
        if " " in tag or not message:
            match = _LAST_REPEATED.fullmatch(text)
            if match is not None:
                return self._dispatch.repeated(ts_ns, int(match[1]))
            tag, _, message = text.partition(" ")  # some programs leave the colon out
            tag = tag.rstrip(":")
        program, _, pid = tag.partition("[")
        return self._dispatch.read(ts_ns, program, pid[:-1], message)

    def _rfc5424(self, line: str) -> Reading:
        match = _RFC5424.fullmatch(line)
        if match is None:
            return Miss.FOREIGN
        ts_ns = self._clock.iso(match[1])
        if ts_ns is None:
            return Miss.NO_TIME
        pid = match[4] if match[4] != "-" else ""
        return self._dispatch.read(ts_ns, match[3], pid, match[5].removeprefix(_BYTE_ORDER_MARK))


def _recognises(line: str) -> bool:
    match = _LEGACY.fullmatch(line) or _DATED.fullmatch(line)
    return _TAGGED.fullmatch(match[2]) is not None if match is not None else _RFC5424.fullmatch(line) is not None


SYSLOG = LogFormat("syslog", "system log, auth.log, mail.log", _recognises, SyslogLines)
