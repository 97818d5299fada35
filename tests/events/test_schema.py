"""The written form of events is a closed contract: golden lines, a schema, and a way back."""

import json
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lapwing.events
from lapwing.events import EVENT_TYPES, AnyEvent, AuthEvidence, AuthResolved, Message, Outcome, decode, encode, schema

GOLDEN = (Path(__file__).parent / "golden.ndjson").read_bytes().splitlines()
TAGS = {one.__struct_config__.tag for one in get_args(AnyEvent)}
KINDS = {one.__struct_config__.tag for one in get_args(Message)}


@pytest.mark.parametrize("line", GOLDEN, ids=lambda line: json.loads(line)["event_type"])
def test_a_golden_line_is_read_and_written_unchanged(line: bytes) -> None:
    assert msgspec.json.encode(decode(line)) == line


def test_every_event_and_every_message_has_a_golden_line() -> None:
    lines = [json.loads(line) for line in GOLDEN]
    assert {line["event_type"] for line in lines} == TAGS
    assert {line["message"]["kind"] for line in lines if "message" in line} == KINDS


@pytest.mark.parametrize("line", GOLDEN, ids=lambda line: json.loads(line)["event_type"])
def test_an_unknown_field_is_refused(line: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(json.dumps(json.loads(line) | {"surprise": 1}))


def test_the_schema_is_closed() -> None:
    definitions: dict[str, Any] = schema()["$defs"]
    objects = [one for one in definitions.values() if one.get("type") == "object"]
    assert len(objects) > len(TAGS)
    assert all(one["additionalProperties"] is False for one in objects)


def test_no_field_of_any_event_is_named_like_a_secret() -> None:
    names = {name for one in schema()["$defs"].values() for name in one.get("properties", {})}
    assert not {name for name in names if "password" in name or name in ("secret", "token", "credential")}


@given(st.text(alphabet=st.characters(codec="utf-8")), st.integers(-(2**63), 2**63 - 1), st.floats(0, 1))
def test_what_is_written_is_read_back_whatever_the_text(name: str, ts_ns: int, confidence: float) -> None:
    event = AuthResolved(
        ts_ns=ts_ns,
        protocol="http",
        mechanism="form",
        endpoint=name,
        client_ip="192.0.2.7",
        username=name,
        outcome=Outcome.UNKNOWN,
        evidence=AuthEvidence.SERVER_REPLY,
        confidence=confidence,
    )
    assert decode(msgspec.json.encode(event)) == event


@pytest.mark.parametrize("tag", sorted(EVENT_TYPES))
def test_a_class_is_named_by_the_words_of_its_tag(tag: str) -> None:
    words = tag.replace(".", "_").split("_")
    assert EVENT_TYPES[tag].__name__ == "".join(word.capitalize() for word in words)


@pytest.mark.parametrize("tag", sorted(EVENT_TYPES))
def test_every_event_says_what_it_means_and_can_be_imported_from_the_room(tag: str) -> None:
    event = EVENT_TYPES[tag]
    assert event.__doc__
    assert getattr(lapwing.events, event.__name__) is event
    assert event.__name__ in lapwing.events.__all__


@pytest.mark.parametrize("line", GOLDEN, ids=lambda line: json.loads(line)["event_type"])
def test_encode_and_decode_are_inverse(line: bytes) -> None:
    event = decode(line)
    assert encode(event) == line
    assert type(event) is EVENT_TYPES[json.loads(line)["event_type"]]
