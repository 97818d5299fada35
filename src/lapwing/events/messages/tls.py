"""What TLS shows before its encryption (RFC 8446, RFC 5246)."""

from msgspec import field

from lapwing.events.messages.base import BaseMessage


class TlsClientHello(BaseMessage, frozen=True, gc=False, tag="tls.client_hello"):
    """What a client offers. Numbers are IANA's, in the order sent, values of GREASE (RFC 8701) included.

    `version` is the highest offered. `resumes` says that a session ticket or a pre-shared key is presented, `ech` that
    an encrypted hello (or its imitation) came along, so `server_name` may be only the outer name.
    `ja3` is an MD5 in hex, `ja4` the fingerprint of the same name; both ignore GREASE.
    """

    version: str
    ja3: str
    ja4: str
    server_name: str | None = None
    alpn: list[str] = field(default_factory=list)
    cipher_suites: list[int] = field(default_factory=list)
    extensions: list[int] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    signature_algorithms: list[int] = field(default_factory=list)
    resumes: bool = False
    ech: bool = False


class TlsServerHello(BaseMessage, frozen=True, gc=False, tag="tls.server_hello"):
    """What the server chose. `retry` marks a request to the client to say hello again (RFC 8446, 4.1.4).

    `alpn` and `group` are None where they are not in the clear or not used; `ja3s` is an MD5 in hex.
    """

    version: str
    cipher_suite: str
    ja3s: str
    alpn: str | None = None
    group: str | None = None
    extensions: list[int] = field(default_factory=list)
    retry: bool = False


class TlsCertificate(BaseMessage, frozen=True, gc=False, tag="tls.certificate"):
    """One certificate (RFC 5280): names in the form of RFC 4514, times in nanoseconds UTC.

    `sha256` is over its whole encoding, hex. Of a certificate that cannot be read the rest is empty.
    `key` says algorithm and size, e.g. `rsa-2048`, `ec-secp256r1`, `ed25519`.
    """

    sha256: str
    subject: str = ""
    issuer: str = ""
    serial: str = ""
    not_before_ns: int = 0
    not_after_ns: int = 0
    alternative_names: list[str] = field(default_factory=list)
    key: str = ""


class TlsCertificates(BaseMessage, frozen=True, gc=False, tag="tls.certificates"):
    """The chain one side shows, its own certificate first. Never visible in TLS 1.3."""

    certificates: list[TlsCertificate]


class TlsAlert(BaseMessage, frozen=True, gc=False, tag="tls.alert"):
    """An alert in the clear, with its registered name, e.g. `handshake_failure`; `history` as in `tls.established`."""

    fatal: bool
    description: str
    history: str = ""


class TlsEstablished(BaseMessage, frozen=True, gc=False, tag="tls.established"):
    """Both sides went over to encryption: the handshake came to its end as far as can be seen.

    `history` has a letter for each message until then, in order, those of the client as capitals: `c` its hello, `s`
    the server's, `j` one that asks to say hello again, `x` certificates, `u` their status, `k` and `g` the key exchange
    of server and client, `r` and `n` the server's request for a certificate and end of turn, `y` proof of a key, `t` a
    ticket, `i` the change to encryption, `l` an alert, `h` a request for a hello, `v` one for its proof, `w` the
    address of a certificate, `a` supplements, `f` finished, `e` `o` `p` `m` those of TLS 1.3, `z` any other. At most
    100 letters.
    """

    version: str
    cipher_suite: str
    group: str | None = None
    resumed: bool = False
    history: str = ""


class TlsUnfinished(BaseMessage, frozen=True, gc=False, tag="tls.unfinished"):
    """A handshake that came to no end: neither encryption nor a fatal alert, for as long as is waited or until the flow
    ended. Told once; what follows late is told all the same.

    `asked_ns` is when the client said hello, `answered` whether a hello of the server was seen, `history` as in
    `tls.established`.
    """

    asked_ns: int
    answered: bool = False
    history: str = ""


TlsMessage = TlsClientHello | TlsServerHello | TlsCertificates | TlsAlert | TlsEstablished | TlsUnfinished
