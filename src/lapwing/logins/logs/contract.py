"""What turns the lines of one log into logins."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NamedTuple, Protocol

from lapwing.events import AuthResolved
from lapwing.logins.logs.context import LogContext


class Miss(StrEnum):
    """Why a line gave no login."""

    OTHER = "other"  # of the format, about something else
    FOREIGN = "foreign"  # not of the format
    NO_ADDRESS = "no-address"  # a login that does not say from where, or names a host instead of an address
    NO_TIME = "no-time"  # its time cannot be read
    AMBIGUOUS = "ambiguous"  # has two readings that name different clients: one may have been written by an attacker
    TOO_LONG = "too-long"  # longer than a line may be


Reading = AuthResolved | Miss


class LineReader(Protocol):
    """Lines of one log in, logins out. Bounded; never raises for hostile content."""

    def read(self, line: str) -> Reading:
        """Take one line, without its line end."""

    def close(self) -> Iterable[AuthResolved]:
        """The log ended: what still waited for its end."""


class MessageReader(Protocol):
    """Messages of one program in a system log."""

    def read(self, ts_ns: int, pid: str, message: str) -> Reading:
        """Take one message; `pid` is empty where the log has none."""

    def close(self) -> Iterable[AuthResolved]:
        """See LineReader."""


class LogFormat(NamedTuple):
    """A kind of log.

    `recognises` tells by one line whether it is of this kind: no other kind's lines may pass, except where a kind
    later in the list of formats is the more general one.
    """

    name: str
    title: str
    recognises: Callable[[str], bool]
    make: Callable[[LogContext], LineReader]
