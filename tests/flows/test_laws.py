from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lapwing.flows import FlowSettings, plain
from lapwing.wire import PACKET_DTYPE, Status
from tests.flows.conftest import IMPLEMENTATIONS
from tests.flows.noise import random_settings, random_trace
from tests.flows.rows import Trace, run

seeds = st.integers(0, 2**32)


@pytest.mark.skipif("hot" not in IMPLEMENTATIONS, reason="built without a compiler: no compiled table")
@given(seed=seeds, payloads=st.booleans(), calm=st.booleans())
@settings(max_examples=120, deadline=None)
def test_the_compiled_and_the_plain_table_say_the_same_in_every_byte(seed: int, payloads: bool, calm: bool) -> None:
    random = Random(seed)
    options = random_settings(random)
    trace = random_trace(random, random.choice([20, 100, 400]), calm=calm)
    expected = run(plain.FlowTable, trace, payloads=payloads, **options)
    assert run(IMPLEMENTATIONS["hot"], trace, payloads=payloads, **options) == expected


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@given(seed=seeds, batch=st.sampled_from([1, 2, 7, 63, 64, 65]))
@settings(max_examples=40, deadline=None)
def test_how_packets_are_cut_into_batches_changes_nothing(name: str, seed: int, batch: int) -> None:
    random = Random(seed)
    options = random_settings(random)
    trace = random_trace(random, 150)
    assert run(IMPLEMENTATIONS[name], trace, batch=batch, **options) == run(IMPLEMENTATIONS[name], trace, **options)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@given(seed=seeds)
@settings(max_examples=40, deadline=None)
def test_what_was_created_is_ended_or_active_and_nothing_is_held_at_the_end(name: str, seed: int) -> None:
    random = Random(seed)
    result = run(IMPLEMENTATIONS[name], random_trace(random, 200), **random_settings(random))
    counts = result.statistics
    assert counts["flows_created"] == counts["flows_ended"] == len(result.keys)
    assert len(result.records) == counts["flows_ended"] + counts["flows_active_cuts"]
    held = ("flows_active", "reassembly_pages", "reassembly_sides", "faults")
    assert [counts[name] for name in held] == [0, 0, 0, 0]
    assert [key[0] for key in result.keys] == list(range(1, len(result.keys) + 1))


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_a_flood_of_random_keys_never_exceeds_the_cap(name: str) -> None:
    random, trace = Random(7), Trace()
    for _ in range(2000):
        trace.udp(0, src_lo=random.randrange(2**32), port=random.randrange(65_536))
    table: Any = IMPLEMENTATIONS[name](FlowSettings(max_flows=50), bytes(16))
    packets, data = trace.packets, bytes(trace.data)
    for row in range(0, len(packets), 10):
        table.process(data, packets, row, row + 10)
        counts = table.statistics()
        assert counts["flows_active"] <= 50
        assert counts["flows_created"] == counts["flows_ended"] + counts["flows_active"]
    assert counts["flows_ended_evicted"] == 1950


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_the_hash_key_changes_no_result(name: str) -> None:
    trace = random_trace(Random(3), 300)
    packets, data = trace.packets, bytes(trace.data)
    records = []
    for key in (bytes(16), bytes(range(16)), b"\xff" * 16):
        table: Any = IMPLEMENTATIONS[name](FlowSettings(), key)
        assert table.process(data, packets, 0, len(packets)) == len(packets)
        records.append(table.records.tolist())
    assert records[0] == records[1] == records[2]


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_a_hash_key_of_another_length_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        IMPLEMENTATIONS[name](FlowSettings(), b"short")


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@given(
    st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.sampled_from(Status)), min_size=1, max_size=40), st.data()
)
def test_a_survey_knows_the_latest_time_and_whether_there_are_fragments(
    name: str, facts: list[tuple[int, Status]], data: st.DataObject
) -> None:
    table = IMPLEMENTATIONS[name](FlowSettings(max_flows=16), bytes(16))
    for _ in range(2):  # the second time the array is known
        rows = np.zeros(len(facts), PACKET_DTYPE)
        rows["ts_ns"], rows["status"] = zip(*facts, strict=True)
        count = data.draw(st.integers(1, len(facts)))
        kinds = {status for _, status in facts[:count]}
        latest_ns = max(ts_ns for ts_ns, _ in facts[:count])
        assert table.survey(rows, count) == table.survey(rows, count) == (latest_ns, Status.FRAGMENT in kinds)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_rows_in_many_arrays_are_each_read_as_they_are(name: str) -> None:
    table = IMPLEMENTATIONS[name](FlowSettings(max_flows=16), bytes(16))
    arrays = [np.zeros(1, PACKET_DTYPE) for _ in range(40)]
    for number, rows in enumerate(arrays):
        rows["ts_ns"] = number
    for _ in range(2):
        assert [table.survey(rows, 1)[0] for rows in arrays] == list(range(40))
