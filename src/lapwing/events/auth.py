"""Logins: one event kind, whatever the protocol and wherever it was seen."""

from lapwing.events.base import Event
from lapwing.events.enums import AuthEvidence, Outcome


class AuthEvent(Event, frozen=True, gc=False, kw_only=True):
    """What is known of one login try.

    `auth_id` links an attempt to its outcome and is unique within the stream.
    `endpoint` names the login surface: a template such as `POST /login`, or a service such as `ssh`.
    `username` is normalised (NFKC, casefold, trimmed), None when it was not visible.
    `secret_tag` is a keyed, truncated tag: equal secrets have equal tags within one run; never the secret.
    `fingerprint` says what client software spoke, e.g. `hassh:<md5>` or a JA4.
    `flow_id` and `community_id` are absent for logins read from logs.
    """

    ts_ns: int
    protocol: str
    mechanism: str
    endpoint: str
    client_ip: str
    client_port: int | None = None
    server_ip: str | None = None
    server_port: int | None = None
    username: str | None = None
    secret_tag: str | None = None
    fingerprint: str | None = None
    user_agent: str | None = None
    flow_id: int | None = None
    community_id: str | None = None
    auth_id: int = 0


class AuthAttempted(AuthEvent, frozen=True, gc=False, kw_only=True, tag="auth.attempted"):
    """Credentials were presented; the outcome is not known yet."""


class AuthResolved(AuthEvent, frozen=True, gc=False, kw_only=True, tag="auth.resolved"):
    """The outcome of a login. Carries all of the attempt, so it can be read alone.

    `confidence` is 0 to 1. `detail` says in a few words what the outcome was read from, e.g. `status 401`.
    `attempted_ts_ns` is when the credentials were presented.
    `attempt_count` is above 1 where one event stands for several tries that could not be told apart.
    `account_exists` is False where the server said that it has no such account, None where nothing tells.
    """

    outcome: Outcome
    evidence: AuthEvidence
    confidence: float
    detail: str = ""
    attempted_ts_ns: int | None = None
    attempt_count: int = 1
    account_exists: bool | None = None
