"""What the collector listens to, answers and allows."""

import re
from contextlib import suppress
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

import msgspec

from lapwing.callbacks import NoiseRules
from lapwing.callbacks.interactsh import V1_2_4, V1_3_0, V1_3_1, Dialect
from lapwing.callbacks.responders import CustomRecord, HttpAnswer, Limits
from lapwing.callbacks.tokens import DEFAULT_ID_LENGTH, DEFAULT_NONCE_LENGTH
from lapwing.events import SettingsError
from lapwing.io.store import StoreSettings
from lapwing.logins.forwarded import TrustedProxies

MAX_URL_CHARS = 1_024  # of a webhook
SUBMISSION_PORT = 587  # RFC 6409: where a mail server takes mail of its own users
IMPLICIT_TLS_PORT = 465  # RFC 8314: the same, with TLS from the start

MAX_DOMAIN_CHARS = 189  # of 253 in a name; a label for a token of 63 characters goes before it
_DOMAIN = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*", re.ASCII | re.IGNORECASE)


class Generation(StrEnum):
    """Which interactsh the control interface speaks like; its clients can be newer or older."""

    V1_2_4 = "1.2.4"  # CFB
    V1_3_0 = "1.3.0"  # CTR
    V1_3_1 = "1.3.1"  # CTR, and https has a name of its own

    @property
    def dialect(self) -> Dialect:
        """Its words."""
        return {Generation.V1_2_4: V1_2_4, Generation.V1_3_0: V1_3_0, Generation.V1_3_1: V1_3_1}[self]


class Eviction(StrEnum):
    """When a mailbox ends."""

    SLIDING = "sliding"  # so long after it was used or hit the last time
    FIXED = "fixed"  # so long after it was made
    NONE = "none"  # never


class Ports(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to listen; an empty list closes a door, 0 takes any free port."""

    dns: tuple[int, ...] = (53,)
    http: tuple[int, ...] = (80,)
    https: tuple[int, ...] = (443,)
    smtp: tuple[int, ...] = (25, 587)
    smtps: tuple[int, ...] = (465,)
    ldap: tuple[int, ...] = (389,)
    ldaps: tuple[int, ...] = (636,)
    ftp: tuple[int, ...] = (21,)
    ftps: tuple[int, ...] = (990,)

    def __post_init__(self) -> None:
        """Raise SettingsError for what is no port."""
        for name in self.__struct_fields__:
            if any(not 0 <= port <= 65_535 for port in getattr(self, name)):
                raise SettingsError(f"collector.ports.{name}: ports are 0 to 65535")


class Allowance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What strangers may take, in all and each. A source is an IPv4 address or an IPv6 network of 64 bits."""

    connections_count: int = 4_096  # open in all
    per_source_count: int = 128  # open of one source; a slow one holds no more than this
    per_source_s: int = 500  # connections a second of one source
    dns_per_source_s: int = 5_000  # queries over UDP a second of one source
    control_count: int = 1_024  # open to the control interface, streams included
    control_per_source_s: int = 200  # connections to it a second of one source
    mailboxes_count: int = 2_500_000  # registered at one time
    registrations_per_source_s: int = 50  # of one source; each costs an RSA operation
    handshake_s: float = 10.0  # for TLS to be agreed on

    def __post_init__(self) -> None:
        """Raise SettingsError for a bound that is none."""
        for name in self.__struct_fields__:
            if getattr(self, name) <= 0:
                raise SettingsError(f"collector.allow.{name}: must be above 0")


class AcmeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An authority that issues certificates to whoever answers for the domains' DNS."""

    folder: str = ""  # where account, certificate and keys are kept; empty: no authority is asked
    directory: str = "https://acme-v02.api.letsencrypt.org/directory"  # of the authority
    email: str = ""  # whom it may write to
    ca_file: str = ""  # PEM certificates that vouch for the authority itself; those of the system when empty

    def __post_init__(self) -> None:
        """Raise SettingsError for a directory that is none."""
        if not self.directory.startswith("https://"):
            raise SettingsError("collector.tls.acme.directory: begins with https://")


class TlsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the certificate comes from: files that are read again when they change, an own CA, or an authority."""

    certificate: str = ""  # PEM file, the chain behind it
    key: str = ""  # PEM file
    lab_folder: str = ""  # where an own CA is kept; ca.pem in it is what clients must trust
    acme: AcmeSettings = AcmeSettings()

    def __post_init__(self) -> None:
        """Raise SettingsError where one half is missing."""
        if bool(self.certificate) != bool(self.key):
            raise SettingsError("collector.tls: certificate and key belong together")
        if sum(map(bool, (self.certificate, self.lab_folder, self.acme.folder))) > 1:
            raise SettingsError("collector.tls: either certificate and key, or lab_folder, or acme.folder")

    @property
    def wanted(self) -> bool:
        """Whether there is TLS at all."""
        return bool(self.certificate or self.lab_folder or self.acme.folder)


class AlertSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is told when a planted token trips, and how hard it is tried."""

    webhooks: tuple[str, ...] = ()  # URLs that get each alert as JSON
    mail_to: tuple[str, ...] = ()  # addresses that get each alert as text
    mail_from: str = ""  # in whose name
    mail_server: str = ""  # HOST or HOST:PORT that takes mail, 587 without a port
    mail_tls: bool = True  # whether it must offer STARTTLS; port 465 speaks TLS from the start
    mail_user: str = ""  # for a server that wants a login, which is only done over TLS
    mail_password: str = ""
    ca_file: str = ""  # PEM certificates that vouch for webhooks and server; those of the system when empty
    tries_count: int = 10  # then an alert is given up, and kept
    retry_s: float = 5.0  # before the second try; each later one waits twice as long
    max_retry_s: float = 3_600.0  # and no longer than this
    timeout_s: float = 10.0  # of one try

    def __post_init__(self) -> None:
        """Raise SettingsError where an address is none, or mail has no way to go."""
        for url in self.webhooks:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname or len(url) > MAX_URL_CHARS:
                raise SettingsError("collector.alerts.webhooks: URLs of http or https, of at most 1024 characters")
        if self.mail_to and not (self.mail_from and self.mail_server):
            raise SettingsError("collector.alerts.mail_to: needs mail_from and mail_server")
        if any("@" not in address or not address.isprintable() for address in self.mail_to):
            raise SettingsError("collector.alerts.mail_to: addresses like soc@example.com")
        if self.mail_server:
            _mail_place(self.mail_server)
        if bool(self.mail_user) != bool(self.mail_password):
            raise SettingsError("collector.alerts: mail_user and mail_password belong together")
        if self.mail_user and not self.mail_tls:
            raise SettingsError("collector.alerts.mail_tls: a password is sent over TLS alone; leave mail_user empty")
        for name in ("tries_count", "retry_s", "max_retry_s", "timeout_s"):
            if getattr(self, name) <= 0:
                raise SettingsError(f"collector.alerts.{name}: must be above 0")

    @property
    def mail_place(self) -> tuple[str, int]:
        """Host and port of the mail server."""
        return _mail_place(self.mail_server)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Everybody who is told."""
        return (*self.webhooks, *(f"mailto:{address}" for address in self.mail_to))


def _mail_place(text: str) -> tuple[str, int]:
    """Host and port of a mail server. Raises SettingsError."""
    parts = urlsplit(f"//{text}")
    with suppress(ValueError):
        if parts.hostname and parts.netloc == text and "@" not in text:
            return parts.hostname, parts.port or SUBMISSION_PORT
    raise SettingsError("collector.alerts.mail_server: HOST or HOST:PORT, as mail.example.com:587")


class CollectorSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of the collector."""

    domains: tuple[str, ...]  # answered for with authority; the first names the collector
    ipv4: tuple[str, ...] = ()  # what names below the domains resolve to
    ipv6: tuple[str, ...] = ()
    listen: tuple[str, ...] = ("0.0.0.0",)  # noqa: S104 - strangers are to reach it
    ports: Ports = Ports()
    control_listen: str = "127.0.0.1"  # the control interface's own address
    control_port: int | None = 8053  # and port; None: only at the bare domain
    older_control_port: int | None = None  # the same for clients of interactsh up to 1.2.4
    control_tls: bool = False  # whether it speaks TLS there
    control_at_domain: bool = True  # also where the bare domain is asked for over HTTP, as interactsh's clients do
    generation: Generation = Generation.V1_3_1
    token: str | None = None  # what clients must send as Authorization; None: everybody may register
    eviction: Eviction = Eviction.SLIDING
    eviction_s: float = 30 * 86_400.0
    id_length: int = DEFAULT_ID_LENGTH
    nonce_length: int = DEFAULT_NONCE_LENGTH  # of ids of that length; other nonces reach to the end of their word
    keep_nobodys: bool = True  # keep interactions without a known token
    wildcard: bool = False  # hand everything below the domains to whoever has the token
    dynamic: bool = False  # a query may say what the HTTP answer is
    records: dict[str, tuple[CustomRecord, ...]] = {}  # DNS answers of single names or tokens
    answers: dict[str, HttpAnswer] = {}  # HTTP answers of single names or tokens
    noise: NoiseRules = NoiseRules()  # whose hits of planted tokens say little
    trusted_proxies: tuple[str, ...] = ()  # networks whose X-Forwarded-For is believed
    user: str = ""  # become this user once the ports are open
    tls: TlsSettings = TlsSettings()
    alerts: AlertSettings = AlertSettings()
    allow: Allowance = Allowance()
    limits: Limits = Limits()
    store: StoreSettings = StoreSettings()

    def __post_init__(self) -> None:
        """Raise SettingsError where settings do not fit one another."""
        if not self.domains:
            raise SettingsError("collector.domains: name at least one domain")
        for domain in self.domains:
            if len(domain) > MAX_DOMAIN_CHARS or not _DOMAIN.fullmatch(domain):
                raise SettingsError(f"collector.domains: {domain!r} is no domain; write it as oast.example.com")
        for name, kind in (("ipv4", IPv4Address), ("ipv6", IPv6Address)):
            for address in getattr(self, name):
                try:
                    kind(address)
                except ValueError:
                    raise SettingsError(f"collector.{name}: {address!r} is no such address") from None
        if self.wildcard and not self.token:
            raise SettingsError("collector.wildcard: needs a token, as everybody would read everything")
        try:
            TrustedProxies(self.trusted_proxies)
        except ValueError as problem:
            raise SettingsError(f"collector.trusted_proxies: {problem}; networks look like 192.0.2.0/24") from None
        if self.eviction_s <= 0:
            raise SettingsError("collector.eviction_s: must be above 0")
