"""Many logins at once: in blocks or as columns they give what they give one by one."""

import pickle
import random
from array import array
from collections.abc import Sequence
from typing import Any

import pytest

from lapwing import Guard
from lapwing.app.login_columns import Answers, LoginColumns
from lapwing.detect import Detector, DetectSettings, plainly
from lapwing.detect.block import BLOCK
from lapwing.detect.verdict import INSIDE
from lapwing.events import Action, AuthEvidence, AuthResolved, Finding, Outcome
from lapwing.testing.logins import START_NS

KEY = b"sixteen bytes or more"
STEPS_NS = (1_000_000, 1_000_000_000, 10_000_000_000)
SOURCES = [*(f"192.0.2.{n}" for n in range(20)), *(f"2001:db8::{n:x}" for n in range(9)), "198.51.100.7", "no address"]


def guard(**settings: Any) -> Guard:
    return Guard(DetectSettings(max_sources=1_024, **settings), key=KEY, clock=lambda: START_NS)


def facts(seed: int, count: int = 500) -> list[dict[str, Any]]:
    """Logins of every kind, good ones and bad ones, attacks among them."""
    draw = random.Random(seed)
    return [
        {
            "ts_ns": START_NS + n * draw.choice(STEPS_NS),
            "client_ip": draw.choice(SOURCES),
            "outcome": draw.choices(list(Outcome), [3, 8, 0.3, 0.3, 0.5])[0].value,
            "protocol": draw.choice(["http", "ssh"]),
            "endpoint": draw.choice(["POST /login", "ssh"]),
            "username": draw.choice([None, "root", "Ann", "naïve", f"user{draw.randrange(30)}"]),
            "secret_tag": draw.choice([None, f"t{draw.randrange(40)}"]),
            "fingerprint": draw.choice([None, "ja4:x", f"ja4:y{draw.randrange(5)}"]),
            "user_agent": draw.choice([None, "agent"]),
            "account_exists": draw.choice([None, None, False, True]),
            "attempt_count": draw.choice([1, 1, 1, 3, 50]),
            "confidence": draw.choice([1.0, 1.0, 0.5]),
            "evidence": draw.choice(list(AuthEvidence)).value,
            "seq": n,
        }
        for n in range(count)
    ]


def event_of(told: dict[str, Any]) -> AuthResolved:
    exact = {"outcome": Outcome(told["outcome"]), "evidence": AuthEvidence(told["evidence"])}
    return AuthResolved(mechanism="form", **(told | exact))


def columns_of(told: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [one[name] for one in told] for name in told[0]}


@pytest.mark.parametrize("ts_ns", [0, 1, 2**30 - 1, 2**30, 2**60 - 1, 2**60, START_NS, 2**63 - 1])
def test_a_time_is_read_as_it_stands(ts_ns: int) -> None:
    told = facts(0, 1)[0] | {"ts_ns": ts_ns, "client_ip": "192.0.2.1", "outcome": "failed"}
    block = Detector(key=KEY).block()
    assert block.add_event(event_of(told))
    assert LoginColumns(columns_of([told])).add_to(block, 0)
    assert [login.now_ns for login in block.logins[: block.count]] == [ts_ns, ts_ns]


@pytest.mark.parametrize("seed", range(4))
def test_blocks_and_columns_give_what_logins_give_one_by_one(seed: int) -> None:
    told = facts(seed)
    events = [event_of(one) for one in told]
    single, many, wide = guard(), guard(), guard()
    verdicts = [single.observe(event) for event in events]
    assert many.observe_many(events) == verdicts
    assert wide.observe_columns(columns_of(told)).verdicts == verdicts
    assert single.events_since(0)
    assert many.events_since(0) == wide.events_since(0) == single.events_since(0)
    assert many.snapshot() == wide.snapshot() == single.snapshot()
    assert many.statistics() == wide.statistics() == single.statistics()


@pytest.mark.parametrize("size", [1, BLOCK - 1, BLOCK, BLOCK + 1])
def test_the_size_of_a_batch_changes_nothing(size: int) -> None:
    told = facts(9, 300)
    whole, parts = guard(), guard()
    said = whole.observe_columns(columns_of(told)).verdicts
    pieces: list[Any] = []
    for at in range(0, len(told), size):
        pieces += parts.observe_columns(columns_of(told[at : at + size])).verdicts
    assert pieces == said
    assert parts.snapshot() == whole.snapshot()


def test_what_is_excluded_is_not_counted_in_columns_either() -> None:
    told = facts(5, 100)
    subject = guard(exclude=DetectSettings().exclude.__class__(sources=("0.0.0.0/0", "::/0")))
    subject.observe_columns(columns_of(told))
    assert subject.statistics()["rows_source"] == 0


def test_what_went_before_a_broken_event_is_counted() -> None:
    events = [event_of(one) for one in facts(6, 40)]
    one, many = guard(), guard()
    for event in events:
        one.observe(event)

    def broken() -> Any:
        yield from events
        raise OSError("the log is gone")

    with pytest.raises(OSError, match="the log is gone"):
        many.observe_many(broken())
    assert many.snapshot() == one.snapshot()


def test_a_column_may_be_one_value_for_all() -> None:
    many = {"ts_ns": [START_NS + n for n in range(30)], "client_ip": ["198.51.100.7"] * 30, "outcome": "failed"}
    subject = guard()
    answers = subject.observe_columns(many | {"username": [f"user{n}" for n in range(30)], "protocol": "ssh"})
    assert len(answers) == 30
    assert answers.action[-1] == "block"
    assert any(isinstance(event, Finding) for event in subject.events_since(0))


class Series:
    """A column as libraries of tables have them, which gives out what it keeps itself."""

    def __init__(self, values: list[Any]) -> None:
        self.values = values

    def to_list(self) -> list[Any]:
        return self.values


def test_whoever_empties_the_columns_while_they_are_read_changes_nothing() -> None:
    told = facts(8)
    kept = {name: Series(column) for name, column in columns_of(told).items()}
    heard = []

    def listen(event: Any) -> None:
        heard.append(event)
        for column in kept.values():
            column.values.clear()

    subject = Guard(DetectSettings(max_sources=1_024), key=KEY, clock=lambda: START_NS, on_event=listen)
    assert subject.observe_columns(kept).verdicts == guard().observe_columns(columns_of(told)).verdicts
    assert heard


def test_answers_are_a_sequence_of_verdicts() -> None:
    told = facts(3, 60)
    events = [event_of(one) for one in told]
    one = guard()
    verdicts = [one.observe(event) for event in events]
    answers = guard().observe_many(iter(events))
    assert isinstance(answers, Sequence)
    assert len(answers) == len(verdicts) == 60
    assert list(answers) == answers[:] == verdicts
    assert answers[-1] == verdicts[-1]
    assert answers[5:9] == verdicts[5:9]
    assert answers == verdicts
    assert verdicts == answers
    assert answers == guard().observe_columns(columns_of(told))
    assert answers != verdicts[:-1]
    assert answers != "answers"
    assert verdicts[7] in answers
    assert repr(answers) == "<Answers to 60 logins>"
    assert answers.action == [verdict.action for verdict in verdicts]
    assert pickle.loads(pickle.dumps(answers)) == answers
    assert Answers(iter(verdicts)) == answers
    with pytest.raises(IndexError):
        answers[60]
    assert len(guard().observe_many([])) == 0


@pytest.mark.parametrize("seed", range(3))
def test_answers_are_columns_of_what_the_verdicts_say(seed: int) -> None:
    told = facts(seed)
    verdicts = guard().observe_many([event_of(one) for one in told])
    assert {verdict.action for verdict in verdicts} == set(Action)
    assert {verdict.known for verdict in verdicts} == {False, True}
    assert max(len(verdict.reasons) for verdict in verdicts) > INSIDE
    answers = guard().observe_columns(columns_of(told))
    assert answers.columns() == {
        "action": [verdict.action for verdict in verdicts],
        "risk": array("d", [verdict.risk for verdict in verdicts]),
        "log_odds": array("d", [verdict.log_odds for verdict in verdicts]),
        "retry_after_s": array("q", [verdict.retry_after_s for verdict in verdicts]),
        "known": [verdict.known for verdict in verdicts],
        "reasons": [[reason.name for reason in verdict.reasons] for verdict in verdicts],
    }
    assert answers.verdicts is answers.verdicts


def test_answers_of_verdicts_are_the_answers_they_came_from() -> None:
    answers = guard().observe_columns(columns_of(facts(1, 100)))
    for same in (Answers(answers.verdicts), pickle.loads(pickle.dumps(answers))):
        assert len(same) == 100
        assert same.verdicts == answers.verdicts
        assert same.columns() == answers.columns()


def test_what_went_before_a_listener_that_breaks_is_counted_and_nothing_else_waits() -> None:
    told = [one | {"outcome": "failed", "client_ip": "192.0.2.1", "attempt_count": 1} for one in facts(7, 40)]
    heard: list[Any] = []

    def listen(event: Any) -> None:
        heard.append(event)
        raise OSError("nobody listens")

    one, wide = guard(), Guard(DetectSettings(max_sources=1_024), key=KEY, clock=lambda: START_NS, on_event=listen)
    seen = next(n for n, event in enumerate(told, 1) if one.observe(event_of(event)) and one.events_since(0))
    assert seen % BLOCK != 0  # others of its block come after it
    with pytest.raises(OSError, match="nobody listens"):
        wide.observe_columns(columns_of(told))
    assert len(heard) == 1
    assert wide.statistics()["logins_failed"] == seen
    assert len(wide.observe_columns({"ts_ns": [], "client_ip": [], "outcome": []})) == 0
    assert wide.statistics()["logins_failed"] == seen


def test_what_stood_against_a_source_is_not_said_of_the_next_one_once_it_was_released() -> None:
    subject = guard()
    attack = [one | {"outcome": "failed", "client_ip": "192.0.2.1"} for one in facts(7, 60)]
    assert subject.observe_columns(columns_of(attack)).retry_after_s[-1] > 0
    subject.release("192.0.2.1")
    other = {"ts_ns": [attack[-1]["ts_ns"]], "client_ip": ["198.51.100.9"], "outcome": ["succeeded"]}
    answers = subject.observe_columns(other)
    assert (answers.action, list(answers.retry_after_s)) == ([Action.ALLOW], [0])


def test_no_logins_are_no_answers() -> None:
    assert len(guard().observe_columns({"ts_ns": [], "client_ip": [], "outcome": []})) == 0


def test_arrow_tables_numpy_and_frames_are_columns() -> None:
    arrow = pytest.importorskip("pyarrow", reason="needs the extra columns")
    numpy = pytest.importorskip("numpy")
    told = facts(3, 80)
    columns = columns_of(told)
    plain, table, arrays = guard(), guard(), guard()
    plain.observe_columns(columns)
    table.observe_columns(arrow.table(columns))
    arrays.observe_columns(columns | {"ts_ns": numpy.array(columns["ts_ns"])})
    assert plain.snapshot() == table.snapshot() == arrays.snapshot()


class NAType:
    """As pandas says that there is nothing."""


def test_a_confidence_that_is_no_number_stays_in_no_record() -> None:
    subject = guard()
    told = [one | {"outcome": "failed", "client_ip": "192.0.2.1", "confidence": 1.0} for one in facts(7, 60)]
    unsure = event_of(told[0] | {"confidence": float("nan")})
    assert unsure.confidence != unsure.confidence
    subject.observe(unsure)
    assert subject.observe_many([event_of(one) for one in told]).action[-1] is Action.BLOCK
    assert all(value == value for value in subject.source("192.0.2.1").values())


@pytest.mark.parametrize("gap", [float("nan"), NAType()])
def test_what_is_missing_in_a_data_frame_is_none(gap: Any) -> None:
    columns = columns_of(facts(5, 40))
    holes = dict.fromkeys(("username", "secret_tag", "fingerprint", "user_agent", "account_exists"))
    full = columns | {name: [None if at % 3 else value for at, value in enumerate(columns[name])] for name in holes}
    framed = full | {name: [gap if value is None else value for value in full[name]] for name in holes}
    with_none, with_gaps = guard(), guard()
    assert with_none.observe_columns(full) == with_gaps.observe_columns(framed)
    assert with_none.snapshot() == with_gaps.snapshot()
    with pytest.raises(ValueError, match="column 'client_ip'"):
        with_gaps.observe_columns(columns | {"client_ip": [gap, *columns["client_ip"][1:]]})


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"password": ["x"]}, "no such column of logins: 'password'"),
        ({"outcome": None}, "column 'outcome': None is none of succeeded, failed"),
        ({"outcome": ["lost"]}, "column 'outcome': 'lost' is none of"),
        ({"client_ip": [None]}, "column 'client_ip': None is no str"),
        ({"client_ip": "192.0.2.1"}, "'client_ip' has to be a column"),
        ({"username": [7]}, "column 'username': 7 is no str or NoneType"),
        ({"username": ["a", "b"]}, "column 'username' has 2 values, 'client_ip' 1"),
        ({"ts_ns": [1.5]}, "column 'ts_ns': 1.5 is no int"),
        ({"ts_ns": [-1]}, "column 'ts_ns': numbers are from 0"),
        ({"seq": [2**63]}, "column 'seq': numbers are from 0"),
        ({"confidence": [float("nan")]}, "column 'confidence': nan is no share from 0 to 1"),
        ({"confidence": float("nan")}, "column 'confidence': nan is no share from 0 to 1"),
        ({"evidence": ["guess"]}, "column 'evidence': 'guess' is none of"),
    ],
)
def test_wrong_columns_are_refused_before_anything_is_counted(wrong: dict[str, Any], says: str) -> None:
    subject = guard()
    with pytest.raises(ValueError, match="^" + says.replace("(", "\\(")):
        subject.observe_columns({"ts_ns": [1], "client_ip": ["192.0.2.1"], "outcome": ["failed"]} | wrong)
    assert subject.statistics()["events"] == 0


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ts_ns", True, "column 'ts_ns': True is no int"),
        ("ts_ns", 2**64, "column 'ts_ns': numbers are from 0"),
        ("ts_ns", -(2**70), "column 'ts_ns': numbers are from 0"),
        ("client_ip", None, "column 'client_ip': None is no str"),
        ("outcome", 3, "column 'outcome': 3 is none of"),
        ("outcome", AuthEvidence.PACKET_SIZE, "column 'outcome': .* is none of"),
        ("fingerprint", b"ja4", "column 'fingerprint': b'ja4' is no str"),
        ("attempt_count", 2**63, "column 'attempt_count': numbers are from 0"),
        ("account_exists", 1, "column 'account_exists': 1 is no bool"),
    ],
)
def test_one_wrong_value_at_the_end_is_refused_before_the_first_login_is_counted(
    name: str, value: Any, says: str
) -> None:
    columns = columns_of(facts(1, 3 * BLOCK + 1))
    subject = guard()
    with pytest.raises(ValueError, match="^" + says):
        subject.observe_columns(columns | {name: [*columns[name][:-1], value]})
    assert subject.statistics() == guard().statistics()


def test_of_two_things_that_are_wrong_the_length_is_told_first_and_then_the_earlier_column() -> None:
    columns = columns_of(facts(1, 20))
    with pytest.raises(ValueError, match="column 'seq' has 19 values"):
        guard().observe_columns(columns | {"ts_ns": [-1] * 20, "seq": [0] * 19})
    with pytest.raises(ValueError, match="column 'username': 7 is no str"):
        guard().observe_columns(columns | {"outcome": ["lost"] * 20, "username": [7] * 20, "seq": [-1] * 20})


def test_what_is_handed_over_as_columns_stays_as_it_was() -> None:
    columns = columns_of(facts(2, 50))
    before = {name: list(column) for name, column in columns.items()}
    guard().observe_columns(columns)
    assert columns == before


def test_a_login_that_no_block_takes_is_still_there_as_an_event() -> None:
    told = [facts(4, 1)[0] | {"client_ip": address, "outcome": "failed"} for address in ("192.0.2.1", "no address")]
    rows, block = LoginColumns(columns_of(told)), Detector(key=KEY).block()
    assert rows.add_to(block, 0)
    assert not rows.add_to(block, 1)
    assert rows.event(1) == event_of(told[1])


def test_outcomes_and_words_for_them_may_stand_in_one_column() -> None:
    told = facts(3, 60)
    columns = columns_of(told)
    mixed = [Outcome(word) if n % 3 else word for n, word in enumerate(columns["outcome"])]
    subject, other = guard(), guard()
    assert subject.observe_columns(columns | {"outcome": mixed}).verdicts == other.observe_columns(columns).verdicts
    assert subject.snapshot() == other.snapshot()


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_columns_are_taken_over_in_plain_python_as_in_c(count: int) -> None:
    texts: list[Any] = [f"{n}" for n in range(count)]
    copy = plainly.copied(texts, str, type(None))
    assert copy == texts
    assert copy is not texts
    assert plainly.copied([*texts, None], str, type(None)) == [*texts, None]
    assert plainly.copied([*texts, 1], str, str) is None
    numbers = memoryview(bytearray(8 * (count + 1))).cast("Q")
    assert plainly.read_counts([7] * count + [2**63 - 1], numbers)
    assert numbers.tolist() == [7] * count + [2**63 - 1]
    for wrong in (-1, 2**63, True, 1.0, "1"):
        assert not plainly.read_counts([7] * count + [wrong], numbers)
    for at in range(count):
        item = plainly.take_item(texts, at)
        assert item == f"{at}"
        assert texts[at] == (item if count == 1 else None)
        plainly.put_back(texts, at, item)
    assert texts == [f"{n}" for n in range(count)]


def test_columns_that_are_needed_are_named() -> None:
    with pytest.raises(ValueError, match="columns of logins need 'ts_ns', 'outcome'"):
        guard().observe_columns({"client_ip": ["192.0.2.1"]})
    with pytest.raises(ValueError, match="an Arrow table, a data frame or a mapping"):
        guard().observe_columns([1, 2])
    assert isinstance(Answers([]).columns(), dict)
