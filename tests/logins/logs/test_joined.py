"""JSON spread over lines is read object by object, whatever the lines are cut like."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.logins.logs.joined import MAX_OBJECT_CHARS, Joiner, is_spread

from .reading import logins, told
from .samples import SAMPLES

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.text(max_size=6), VALUES, max_size=4), max_size=5)


@given(OBJECTS, st.sampled_from([None, 0, 2, "\t"]))
def test_any_array_gives_its_objects_in_order(objects: list[dict[str, object]], indent: int | str | None) -> None:
    lines = json.dumps(objects, indent=indent).split("\n")
    assert [json.loads(line) for line in Joiner().feed(lines)] == objects


@given(OBJECTS)
def test_lines_may_come_one_at_a_time(objects: list[dict[str, object]]) -> None:
    joiner = Joiner()
    found = [line for piece in json.dumps(objects, indent=1).split("\n") for line in joiner.feed([piece])]
    assert [json.loads(line) for line in found] == objects


@given(st.lists(st.text(alphabet='{}[]",\\ab', max_size=20), max_size=20))
def test_noise_raises_nothing_and_the_next_object_is_found(noise: list[str]) -> None:
    joiner = Joiner()
    joiner.feed(noise)
    joiner.feed(["}" * 200])
    assert [json.loads(line) for line in joiner.feed(['{"a": "}"}'])] == [{"a": "}"}]


def test_an_object_without_end_is_given_up() -> None:
    joiner = Joiner()
    joiner.feed(["{", *['"x": "' + "y" * 1_000 + '",'] * (MAX_OBJECT_CHARS // 1_000 + 2)])
    assert joiner.feed(['{"a": 1}']) == ['{"a": 1}']


def test_records_as_evtx_dump_writes_them_are_objects() -> None:
    lines, expected = next((lines, expected) for kind, lines, expected in SAMPLES if kind == "windows")
    records = "\n".join(f"Record {n}\n{json.dumps(json.loads(line), indent=2)}" for n, line in enumerate(lines))
    assert [told(login) for login in logins(None, *records.split("\n"))] == expected


@pytest.mark.parametrize("line", ["[", " [ ", '[{"a": 1},', "{", '[{"a":1},{"b":2}]'])
def test_arrays_and_open_objects_are_known_by_their_first_line(line: str) -> None:
    assert is_spread(line)


@pytest.mark.parametrize(
    "line", ['{"a": 1}', "[Mon Jan 05 08:00:00 2026] [error] x", "Jan  5 08:00:00 host sshd[1]: x", ""]
)
def test_other_logs_are_not(line: str) -> None:
    assert not is_spread(line)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", ["okta", "entra"])
def test_an_export_written_as_one_array_gives_the_logins_of_its_lines(name: str, indent: int | None) -> None:
    lines, expected = next((lines, expected) for kind, lines, expected in SAMPLES if kind == name)
    array = json.dumps([json.loads(line) for line in lines], indent=indent).split("\n")
    assert [told(login) for login in logins(None, *array)] == expected
    assert [told(login) for login in logins(name, *array)] == expected
