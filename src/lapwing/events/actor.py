"""Who is behind what was seen: actors are single sources, identities are actors believed to be one hand."""

from enum import StrEnum

from lapwing.events.base import Event


class TraitState(StrEnum):
    """How steady one trait of an identity is."""

    UNKNOWN = "unknown"  # too few observations
    STABLE = "stable"
    DRIFTING = "drifting"
    CONFLICTED = "conflicted"
    MULTI_ACTOR = "multi-actor"  # alternates between two values as two hands would


class Actor(Event, frozen=True, gc=False, kw_only=True):
    """Something about one source of attacks. `actor_id` is stable for an address within one store."""

    ts_ns: int
    actor_id: str
    client_ip: str


class ActorObserved(Actor, frozen=True, gc=False, kw_only=True, tag="actor.observed"):
    """An actor was seen for the first time, or its profile grew. Counts are totals since `first_ts_ns`.

    `account_count` counts distinct accounts tried; `protocols` and `fingerprints` are sorted, at most 16 each.
    """

    first_ts_ns: int
    last_ts_ns: int
    login_count: int
    failure_count: int
    account_count: int
    protocols: list[str]
    fingerprints: list[str]


class ActorScored(Actor, frozen=True, gc=False, kw_only=True, tag="actor.scored"):
    """The risk of an actor changed. `risk` is a probability-like score from 0 to 1; `reasons` are short sentences."""

    risk: float
    previous_risk: float | None = None
    reasons: tuple[str, ...] = ()


class ActorFingerprintRotated(Actor, frozen=True, gc=False, kw_only=True, tag="actor.fingerprint_rotated"):
    """A known actor came with other client software. Fingerprints name their kind, as in logins: `hassh:<md5>`.

    `rotation_count` counts the changes of that kind, this one included.
    """

    fingerprint: str
    previous_fingerprint: str
    rotation_count: int


class Identity(Event, frozen=True, gc=False, kw_only=True):
    """Something about a set of actors believed to be one hand. It is a probability and names nobody.

    `confidence` is 0 to 1.
    """

    ts_ns: int
    identity_id: str
    confidence: float


class IdentityFormed(Identity, frozen=True, gc=False, kw_only=True, tag="identity.formed"):
    """Actors were put together for the first time; `reasons` say what they share."""

    actor_ids: list[str]
    reasons: tuple[str, ...] = ()


class IdentityLinked(Identity, frozen=True, gc=False, kw_only=True, tag="identity.linked"):
    """One more actor joined; `reasons` say what it shares."""

    actor_id: str
    reasons: tuple[str, ...] = ()


class IdentityMerged(Identity, frozen=True, gc=False, kw_only=True, tag="identity.merged"):
    """Two identities turned out to be one: `merged_identity_id` lives on in `identity_id`."""

    merged_identity_id: str
    reasons: tuple[str, ...] = ()


class IdentityStateChanged(Identity, frozen=True, gc=False, kw_only=True, tag="identity.state_changed"):
    """One trait of an identity became steadier or less steady. `value` is the trait's present value."""

    trait: str
    state: TraitState
    previous_state: TraitState
    value: str = ""


class IdentityMultiActorSuspected(Identity, frozen=True, gc=False, kw_only=True, tag="identity.multi_actor_suspected"):
    """Several hands seem to act under one identity: `traits` alternate between two values."""

    traits: list[str]
