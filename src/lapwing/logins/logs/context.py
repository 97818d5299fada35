"""What readers share: the run's settings, the clock, and how a login becomes an event."""

from collections.abc import Callable
from datetime import tzinfo
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Protocol
from weakref import WeakSet

from lapwing.events import AuthEvidence, AuthResolved, Outcome
from lapwing.logins.logs.settings import LogSettings
from lapwing.logins.logs.times import Clock
from lapwing.logins.secrets import SecretTagger
from lapwing.logins.settings import LoginSettings
from lapwing.logins.usernames import MAX_USERNAME_CHARS, normalise

MAX_CACHED_ADDRESSES = 65_536  # an address is parsed once while it is in use
MAX_CACHED_NAMES = 16_384
MAX_ADDRESS_CHARS = 64  # longer than any address with a zone
MAX_PORT = 65_535
MAX_USER_AGENT_CHARS = 512


@lru_cache(maxsize=MAX_CACHED_ADDRESSES)
def _parsed(text: str) -> str | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


def address(text: str) -> str | None:
    """One spelling of an address, also of one in brackets; an IPv4-mapped one as IPv4; None for anything else."""
    if len(text) > MAX_ADDRESS_CHARS:
        return None
    return _parsed(text[1:-1] if text[:1] == "[" and text[-1:] == "]" else text)


def host_port(text: str) -> tuple[str | None, int | None]:
    """Split `192.0.2.1:443`, `[2001:db8::1]:443` or a bare address into address and port, None where there is none."""
    found = address(text)
    if found is not None:
        return found, None
    host, _, digits = text.rpartition(":")
    return address(host), port(digits)


def port(text: str) -> int | None:
    """A port number; None when it is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        return None
    number = int(text)
    return number if 0 < number <= MAX_PORT else None


class Follows(Protocol):
    """Who makes something of the settings."""

    def follow(self) -> None:
        """The settings of the context are others now."""


class LogContext:
    """What a reader is made from. `next_auth_id()` gives ids unique within the stream.

    Settings may change while a log is read: who makes something of them at the start is among `followers`.
    """

    __slots__ = ("_names", "clock", "followers", "logs", "next_auth_id", "settings", "tagger")

    def __init__(
        self,
        settings: LoginSettings,
        logs: LogSettings,
        clock: Clock,
        tagger: SecretTagger,
        next_auth_id: Callable[[], int],
    ) -> None:
        self.settings = settings
        self.logs = logs
        self.clock = clock
        self.tagger = tagger
        self.next_auth_id = next_auth_id
        self.followers: WeakSet[Follows] = WeakSet()
        self._names: dict[str, str | None] = {}

    def change(self, settings: LoginSettings, logs: LogSettings, zone: tzinfo) -> None:
        """Go on under other settings; what was learnt of the log stays."""
        self.settings, self.logs = settings, logs
        self.clock.move(zone)
        self._names.clear()
        for one in self.followers:
            one.follow()

    def name(self, text: str | None) -> str | None:
        """The account `text` names, in one spelling."""
        if not text:
            return None
        text = text[:MAX_USERNAME_CHARS]  # a line of names is not kept for the sake of one
        try:
            return self._names[text]
        except KeyError:
            if len(self._names) >= MAX_CACHED_NAMES:
                self._names.clear()
            found = self._names[text] = normalise(text, self.settings)
            return found

    def login(
        self,
        ts_ns: int,
        service: str,
        mechanism: str,
        client_ip: str,
        outcome: Outcome,
        detail: str,
        *,
        username: str | None = None,
        client_port: int | None = None,
        endpoint: str | None = None,
        confidence: float = 1.0,
        user_agent: str | None = None,
        secret: str | None = None,
        server_ip: str | None = None,
        attempt_count: int = 1,
        account_exists: bool | None = None,
    ) -> AuthResolved:
        """Make the event of a login; without an endpoint the service itself is the surface."""
        return AuthResolved(
            ts_ns=ts_ns,
            protocol=service,
            mechanism=mechanism,
            endpoint=endpoint or service,
            client_ip=client_ip,
            client_port=client_port,
            server_ip=server_ip,
            username=self.name(username),
            secret_tag=self.tagger.tag(secret) if secret else None,
            user_agent=user_agent[:MAX_USER_AGENT_CHARS] if user_agent else None,
            auth_id=self.next_auth_id(),
            outcome=outcome,
            evidence=AuthEvidence.LOG,
            confidence=confidence,
            detail=detail,
            attempted_ts_ns=ts_ns,
            attempt_count=attempt_count,
            account_exists=account_exists,
        )
