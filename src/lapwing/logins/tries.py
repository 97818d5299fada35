"""One login try and its outcome as events."""

import re

from lapwing.events import AuthAttempted, AuthEvidence, AuthResolved, AuthUnanswered, Outcome
from lapwing.logins.contract import LoginContext
from lapwing.logins.usernames import normalise

_LOCKED = re.compile(
    r"\block(?:ed|out)\b|\bdisabled\b|\bsuspended\b|\bblocked\b|\bbanned\b"
    r"|(?:too many|maximum|exceeded).{0,40}\b(?:log|auth|password|fail|attempt|tries|retr)",
    re.IGNORECASE,
)

# What an attempt says of the try itself, not of its own place in the stream.
_OF_THE_TRY = tuple(name for name in AuthAttempted.__struct_fields__ if name not in {"seq", "sensor", "ts_ns"})


def says_locked(text: str) -> bool:
    """Whether a server's words say that the account or the client is locked out."""
    return _LOCKED.search(text) is not None


def attempted(
    context: LoginContext,
    ts_ns: int,
    *,
    protocol: str,
    mechanism: str,
    username: str | None = None,
    secret: str | bytes | None = None,
    fingerprint: str | None = None,
) -> AuthAttempted:
    """Make the event of a try on the flow of `context`; the service itself is the endpoint."""
    key = context.key
    return AuthAttempted(
        ts_ns=ts_ns,
        protocol=protocol,
        mechanism=mechanism,
        endpoint=protocol,
        client_ip=key.client_ip,
        client_port=key.client_port,
        server_ip=key.server_ip,
        server_port=key.server_port,
        username=normalise(username, context.settings) if username else None,
        secret_tag=context.tagger.tag(secret) if secret else None,
        fingerprint=fingerprint,
        flow_id=key.flow_id,
        community_id=key.community_id,
        auth_id=context.next_auth_id(),
    )


def resolved(
    attempt: AuthAttempted,
    ts_ns: int,
    outcome: Outcome,
    detail: str,
    *,
    evidence: AuthEvidence = AuthEvidence.SERVER_REPLY,
    confidence: float = 1.0,
) -> AuthResolved:
    """Make the event of the outcome of `attempt`."""
    return AuthResolved(
        ts_ns=ts_ns,
        protocol=attempt.protocol,
        mechanism=attempt.mechanism,
        endpoint=attempt.endpoint,
        client_ip=attempt.client_ip,
        client_port=attempt.client_port,
        server_ip=attempt.server_ip,
        server_port=attempt.server_port,
        username=attempt.username,
        secret_tag=attempt.secret_tag,
        fingerprint=attempt.fingerprint,
        user_agent=attempt.user_agent,
        flow_id=attempt.flow_id,
        community_id=attempt.community_id,
        auth_id=attempt.auth_id,
        outcome=outcome,
        evidence=evidence,
        confidence=confidence,
        detail=detail,
        attempted_ts_ns=attempt.ts_ns,
    )


def unanswered(attempt: AuthAttempted, ts_ns: int, detail: str = "no answer seen") -> AuthResolved:
    """Make the event of a try of which nothing says how it ended."""
    return resolved(attempt, ts_ns, Outcome.UNKNOWN, detail, evidence=AuthEvidence.PROTOCOL_STATE, confidence=0.0)


def overdue(attempt: AuthAttempted, ts_ns: int) -> AuthUnanswered:
    """Make the event of a try whose outcome is still to come."""
    carried = {name: getattr(attempt, name) for name in _OF_THE_TRY}
    return AuthUnanswered(ts_ns=ts_ns, attempted_ts_ns=attempt.ts_ns, **carried)
