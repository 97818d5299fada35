"""Adapters of line protocols under test, with their parser in front, as they run in a session."""

import itertools

import msgspec

from lapwing.events import AuthAttempted, AuthEvent, AuthResolved, FlowKey, Transport
from lapwing.logins import LoginContext, LoginSettings, SecretTagger, adapter_for
from lapwing.protocols.contract import StreamParser
from tests.protocols.playbook import Step, play

KEY = FlowKey(7, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", Transport.TCP, "192.0.2.10", 40_000, "198.51.100.20", 21)
TAGGER = SecretTagger(b"a key that lives for one run")


def logins(protocol: str, parser: StreamParser, *steps: Step) -> list[AuthEvent]:
    """All login events of one flow; each step is one nanosecond after the last."""
    ids = itertools.count(1)
    adapter = adapter_for(protocol, LoginContext(KEY, LoginSettings(), TAGGER, lambda: next(ids)))
    assert adapter is not None
    events: list[AuthEvent] = []
    for ts_ns, step in enumerate(steps):
        if step.close:
            messages = parser.close(step.side, step.close, ts_ns)
        else:
            messages = parser.feed(step.side, step.data, ts_ns)
        for message in messages:
            events += adapter.message(step.side, message, ts_ns)
    events += adapter.close(len(steps))
    check_pairs(events)
    return events


def published(parser: StreamParser, *steps: Step) -> str:
    """Everything that is published of the messages of a flow."""
    return msgspec.json.encode([message.redacted() for message in play(parser, *steps)]).decode()


def check_pairs(events: list[AuthEvent]) -> None:
    """Every try is resolved exactly once, by an event that carries all of it."""
    tried = {event.auth_id: event for event in events if isinstance(event, AuthAttempted)}
    ended = [event for event in events if isinstance(event, AuthResolved)]
    assert len({event.auth_id for event in ended}) == len(ended)
    assert tried.keys() <= {event.auth_id for event in ended}
    for event in ended:
        if event.auth_id in tried:
            attempt = tried[event.auth_id]
            assert (event.attempted_ts_ns, event.secret_tag) == (attempt.ts_ns, attempt.secret_tag)


def ended(events: list[AuthEvent]) -> list[tuple[str | None, str, str]]:
    """User, mechanism and outcome of each login."""
    return [
        (event.username, event.mechanism, event.outcome.value) for event in events if isinstance(event, AuthResolved)
    ]


def text(events: list[AuthEvent]) -> str:
    """Everything the events say."""
    return msgspec.json.encode(events).decode()
