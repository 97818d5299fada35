"""Logins: one event kind, whatever the protocol and wherever it was seen."""

from typing import Literal

import msgspec

from lapwing.events.base import Event
from lapwing.events.enums import AuthEvidence, Outcome


class Circumstances(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """What is known of a login beside itself; every field is None where nothing tells.

    `asn`, `country` (ISO 3166-1 alpha-2) and the degrees of `latitude` and `longitude` come from a location database.
    `secret_leaked` says whether the secret is in a list of leaked ones.
    `second_factor` is how a further step after the right secret ended.
    `response_ms` and `response_bytes` are of the server's answer.
    """

    asn: int | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    secret_leaked: bool | None = None
    second_factor: Literal["passed", "failed"] | None = None
    response_ms: float | None = None
    response_bytes: int | None = None


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
    circumstances: Circumstances | None = None


class AuthAttempted(AuthEvent, frozen=True, gc=False, kw_only=True, tag="auth.attempted"):
    """Credentials were presented; the outcome is not known yet."""


class AuthUnanswered(AuthEvent, frozen=True, gc=False, kw_only=True, tag="auth.unanswered"):
    """Credentials were presented, and the server has not said what it thinks of them for as long as is waited.

    Told once, of a try that nothing was said of until now. The outcome is still to come: `auth.resolved` has the same
    `auth_id`, with what the server says in the end, or `unknown`. `attempted_ts_ns` is when it was silent from.
    """

    attempted_ts_ns: int


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


class AccountChanged(Event, frozen=True, gc=False, kw_only=True, tag="account.changed"):
    """Somebody logged in changed what an account is kept by: the first thing done with a stolen one."""

    ts_ns: int
    client_ip: str
    username: str
    change: Literal["password", "email", "second-factor", "recovery"]
