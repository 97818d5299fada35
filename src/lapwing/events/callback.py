"""Out-of-band hits, and the use of what was planted to be used by nobody."""

import msgspec

from lapwing.events.base import Event


class CallbackReceived(Event, frozen=True, gc=False, kw_only=True, tag="callback.received"):
    """Somebody reached a listener of ours, with a known token or without.

    `protocol` is what was spoken, e.g. `dns`. `client_ip` is the peer: for DNS the resolver, not who asked it.
    `unique_id` is the token that was recognised, None for a hit that belongs to nobody; `full_id` is what stood before
    it as well, in the letters received, and `placement` where it stood, e.g. `dns-name` or `http-host`.
    `request_bytes` counts what arrived, None where the collector did not say; what it was stays in the store.
    `malformed` says in a few words what did not fit the protocol.
    """

    ts_ns: int
    protocol: str
    client_ip: str
    client_port: int | None = None
    server_port: int | None = None
    tls: bool = False
    unique_id: str | None = None
    full_id: str | None = None
    placement: str | None = None
    request_bytes: int | None = None
    malformed: str = ""


class TokenTripped(Event, frozen=True, gc=False, kw_only=True, tag="token.tripped"):
    """A planted token or decoy account was used.

    `token_kind` says what was planted, e.g. `url`, `web-bug`, `account` or `password`. `token_id` names it: a unique
    id, the normalised user name of a decoy account, or the keyed tag of a decoy password. `purpose` is the
    planter's own words. `auth_id` links the login with a decoy, None for other kinds. `doubts` are reasons why the hit
    may mean little, e.g. `scanner` for a mail gateway that looks at every link, `repeat` for what was asked before.
    """

    ts_ns: int
    token_kind: str
    token_id: str
    client_ip: str | None = None
    protocol: str = ""
    endpoint: str = ""
    purpose: str = ""
    auth_id: int | None = None
    doubts: list[str] = msgspec.field(default_factory=list)
