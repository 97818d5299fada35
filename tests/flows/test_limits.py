"""What a flood can make the flow table remember holds at the number and not beside it; what is past it is counted."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lapwing.flows import MAX_CLOCK_NS
from lapwing.flows.layout import KEY_DTYPE
from lapwing.flows.plain_tcp import MAX_LETTER_COUNT
from lapwing.flows.rules import MAX_HOLE_LISTS
from tests.flows.rows import ACK, PSH, SECOND, Result, Trace, field_of, run

Track = Callable[..., Result]

HOLE_BYTES = 10
FLOODED = MAX_HOLE_LISTS // 2  # flows of two sides
LAST_NS = 2**63 - 1  # the latest a packet may say
FIRST_NS = -(2**63)  # and the earliest


class Flood(Trace):
    """One conversation on so many ports of the client, then further packets."""

    def __init__(self, talk: Trace, count: int) -> None:
        super().__init__(now_ns=talk.now_ns + count * len(talk.rows))
        self.repeated = np.tile(talk.packets, count)
        ports = np.repeat(np.arange(1, 1 + count), len(talk.rows))
        for name in ("src_port", "dst_port"):
            self.repeated[name] = np.where(self.repeated[name] == 80, 80, ports)
        self.repeated["ts_ns"] = talk.now_ns + np.arange(len(self.repeated))

    @property
    def packets(self) -> NDArray[np.void]:
        """The flood, and what was added to it."""
        return np.concatenate([self.repeated, super().packets])


def both_sides_with_a_hole() -> Trace:
    talk = Trace()
    for gap_bytes in (0, 1 + HOLE_BYTES):
        talk.tcp(0, PSH | ACK, 100 + gap_bytes, 500, b"x")
        talk.tcp(1, PSH | ACK, 500 + gap_bytes, 100, b"x")
    return talk


def port_of(key: tuple[Any, ...]) -> int:
    """The client's port in a row of keys."""
    port: int = dict(zip(KEY_DTYPE.names or (), key, strict=True))["client_port"]
    return port


def seen_of(result: Result, side: str) -> dict[int, tuple[int, int, int]]:
    """By port of the client: bytes missed, late segments and repeated ones of a side."""
    names = [f"{side}_{name}" for name in ("missed_bytes", "out_of_order_count", "retransmit_count")]
    ports = {key[0]: port_of(key) for key in result.keys}
    return {
        ports[field_of(record, "flow_id")]: tuple(field_of(record, name) for name in names) for record in result.records
    }


def test_holes_of_so_many_sides_are_remembered_those_of_more_count_as_missed_until_a_flow_ends(
    table_class: Any,
) -> None:
    flood = Flood(both_sides_with_a_hole(), FLOODED + 1)
    late = b"0123456789"
    flood.tcp(0, PSH | ACK, 101, 500, late, port=1)
    flood.tcp(1, PSH | ACK, 501, 100, late, port=FLOODED)  # the last that is remembered
    flood.tcp(0, PSH | ACK, 101, 500, late, port=FLOODED + 1)  # the first that is not
    flood.now_ns += 400 * SECOND  # all of them are over
    for sequence, said in ((100, b"x"), (111, b"x"), (101, late)):
        flood.tcp(0, PSH | ACK, sequence, 500, said, port=FLOODED + 2)
    result = run(table_class, flood, payloads=False, max_flows=FLOODED + 2)
    client, server = seen_of(result, "client"), seen_of(result, "server")
    assert len(client) == FLOODED + 2
    assert (client[1], server[FLOODED]) == ((0, 1, 0), (0, 1, 0))
    assert (client[FLOODED + 1], server[FLOODED + 1]) == ((HOLE_BYTES, 0, 1), (HOLE_BYTES, 0, 0))
    assert client[FLOODED + 2] == (0, 1, 0)
    untouched = [client[port] for port in range(2, FLOODED + 1)] + [server[port] for port in range(1, FLOODED)]
    assert set(untouched) == {(HOLE_BYTES, 0, 0)}


@pytest.mark.parametrize(
    ("said_ns", "counts_ns"), [(MAX_CLOCK_NS - 1, -1), (MAX_CLOCK_NS, 0), (MAX_CLOCK_NS + 1, 0), (LAST_NS, 0)]
)
def test_the_clock_goes_so_far_and_packets_of_later_times_count_as_of_then(
    track: Track, said_ns: int, counts_ns: int
) -> None:
    trace = Trace()
    for _ in range(3):
        trace.udp(0, at=said_ns)
    trace.udp(0, src_port=6_000, at=SECOND)
    result = track(trace)
    late, early = result.records
    assert field_of(late, "first_ts_ns") == field_of(late, "last_ts_ns") == min(said_ns, MAX_CLOCK_NS)
    assert (field_of(late, "client_packet_count"), field_of(early, "client_packet_count")) == (3, 1)
    counts = result.statistics
    assert (counts["packets"], counts["flows_ended"], counts["flows_active"]) == (4, 2, 0)
    assert (counts["clock_regressions"], counts["anomalies_flow.clock_regression"]) == (1, 1)


@pytest.mark.parametrize("said_ns", [1 - MAX_CLOCK_NS, -MAX_CLOCK_NS, -MAX_CLOCK_NS - 1, FIRST_NS])
def test_from_the_last_time_a_clock_goes_to_back_to_the_first_there_is_counts_as_going_back(
    track: Track, said_ns: int
) -> None:
    trace = Trace()
    trace.udp(0, at=MAX_CLOCK_NS)
    trace.udp(0, at=said_ns)
    result = track(trace)
    (record,) = result.records
    assert field_of(record, "last_ts_ns") == MAX_CLOCK_NS
    assert result.statistics["clock_regressions"] == 1


@pytest.mark.parametrize("times", [MAX_LETTER_COUNT, MAX_LETTER_COUNT + 1, 1_001])
def test_zero_windows_and_gaps_have_no_further_letters_past_a_number_and_the_bytes_count_on(
    track: Track, times: int
) -> None:
    trace = Trace()
    trace.handshake()
    for number in range(times):
        trace.tcp(0, PSH | ACK, 101 + 11 * number, 501, b"x", tcp_window=0)
        trace.tcp(1, ACK, 501, 102 + 11 * number)
    (record,) = track(trace, ooo_buffer_bytes=65_536).records
    history = field_of(record, "history").decode()
    assert (history.count("W"), history.count("G")) == (3, 3)  # the 1st, 10th and 100th
    assert field_of(record, "client_missed_bytes") == 10 * (times - 1)
    assert field_of(record, "client_packet_count") == 2 + times
