"""Parsers that asked to be woken are, at the time they named, whatever packets come in between and however cut."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lapwing
from lapwing.events import (
    AnomalySeen,
    Event,
    FlowKey,
    SessionEnded,
    SessionMessaged,
    Side,
    Transport,
)
from lapwing.events.messages import BaseMessage, DnsUnanswered
from lapwing.protocols import MAX_SILENT_TICKS, DatagramProtocol, Handover, Match, StreamProtocol
from lapwing.sessions import PipelineSettings, RunKeys, SessionDriver
from lapwing.sessions.session import NEVER_NS, DatagramSession
from lapwing.sessions.wakeups import SPARE_ENTRIES, Wakeups
from lapwing.testing import START_NS, TcpConversation, TimedFrame, pcap, udp_frame
from tests.sessions.driving import feed

SECOND = 1_000_000_000
PORT = 7_000


class Rang(BaseMessage, frozen=True, gc=False, tag="test.rang"):
    """A wake-up, or with `heard` a byte that came."""

    number: int
    heard: str = ""


class Clock:
    """Wakes up after as many seconds of silence as the last byte says, and `again` after that, for ever."""

    def __init__(self, key: FlowKey, again_ns: int | None = None) -> None:
        self.poisoned: str | None = None
        self.done = False
        self.next_wakeup_ns: int | None = None
        self.handover: Handover | None = None
        self._again_ns = again_ns
        self._count = 0
        self._closed: set[Side] = set()

    def feed(self, side: Side, data: bytes, now_ns: int) -> Iterable[Rang]:
        assert side not in self._closed
        self.next_wakeup_ns = now_ns + SECOND * data[-1]
        return [Rang(self._count, data.hex())]

    def parse(self, side: Side, datagram: bytes, now_ns: int) -> Iterable[Rang]:
        return self.feed(side, datagram, now_ns)

    def gap(self, side: Side, missing_bytes: int, now_ns: int) -> Iterable[Rang]:
        return ()

    def tick(self, now_ns: int) -> Iterable[Rang]:
        assert len(self._closed) < 2
        assert now_ns == self.next_wakeup_ns
        self._count += 1
        self.next_wakeup_ns = None if self._again_ns is None else now_ns + self._again_ns
        return [Rang(self._count)]

    def close(self, *what: object) -> Iterable[Rang]:
        self._closed |= {one for one in what if isinstance(one, Side)} or set(Side)
        return ()


def clock(make: Callable[[FlowKey], Any] = Clock) -> list[StreamProtocol | DatagramProtocol]:
    """The protocol, over TCP and UDP."""
    return [
        StreamProtocol("clock", frozenset({PORT}), lambda side, head: Match.YES, make),
        DatagramProtocol("clock", frozenset({PORT}), lambda side, datagram: Match.YES, make),
    ]


def says(seconds: int, port: int = 40_000, at: int = 0) -> TimedFrame:
    """A datagram after which its parser wants to be woken in so many seconds."""
    data = b"\xff\xff\xff" + bytes([seconds])  # no protocol of ours
    return TimedFrame(START_NS + at, udp_frame("192.0.2.1", port, "198.51.100.1", PORT, data))


def told(events: Iterable[Event]) -> list[tuple[int, int, int, str]]:
    """Client port, nanoseconds since the start, number of wake-ups before, bytes, of each message."""
    return [
        (event.client_port, event.ts_ns - START_NS, event.message.number, event.message.heard[-2:])
        for event in events
        if isinstance(event, SessionMessaged) and isinstance(event.message, Rang)
    ]


Read = Callable[..., tuple[list[Event], dict[str, int]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read frames with the clock protocol; events and counters."""

    def of(
        frames: Sequence[TimedFrame],
        make: Callable[[FlowKey], Clock] = Clock,
        events: Iterable[str] = ("session", "anomaly"),
    ) -> tuple[list[Event], dict[str, int]]:
        path = tmp_path / "in.pcap"
        path.write_bytes(pcap(frames, nanoseconds=True))
        with lapwing.read(path, protocols=clock(make), events=events) as reading:
            seen = list(reading)
            counters = reading.statistics()
        assert counters["sessions.parsers_created"] == counters["sessions.parsers_ended"]
        return seen, counters

    return of


def test_a_parser_is_woken_at_the_time_it_named_before_what_comes_later(read: Read) -> None:
    seen, counters = read([says(3), says(9, port=40_001, at=2 * SECOND), says(1, at=5 * SECOND)])
    assert told(seen) == [
        (40_000, 0, 0, "03"),
        (40_001, 2 * SECOND, 0, "09"),
        (40_000, 3 * SECOND, 1, ""),
        (40_000, 5 * SECOND, 1, "01"),
    ]
    assert counters["sessions.ticks"] == 1
    assert [event.seq for event in seen] == sorted(event.seq for event in seen)
    assert {event.side for event in seen if isinstance(event, SessionMessaged)} == {Side.CLIENT}


def test_packets_of_others_move_the_time_even_if_nobody_reads_them(read: Read) -> None:
    other = TimedFrame(START_NS + 4 * SECOND, b"\xff" * 12 + b"\x08\x06" + bytes(28))  # ARP
    assert told(read([says(3), other])[0])[-1] == (40_000, 3 * SECOND, 1, "")


def test_what_comes_at_the_very_time_comes_after(read: Read) -> None:
    assert [number for _, _, number, _ in told(read([says(3), says(9, at=3 * SECOND)])[0])] == [0, 1, 1]


def test_a_time_beyond_the_last_packet_is_not_reached(read: Read) -> None:
    seen, counters = read([says(3), says(2, port=40_001, at=SECOND)])
    assert counters["sessions.ticks"] == 0
    assert [event.ts_ns - START_NS for event in seen if isinstance(event, SessionEnded)] == [SECOND, SECOND]


def test_the_last_packet_wakes_whom_it_is_time_for(read: Read) -> None:
    assert told(read([says(3), says(0, port=40_001, at=3 * SECOND)])[0])[1:] == [
        (40_000, 3 * SECOND, 1, ""),
        (40_001, 3 * SECOND, 0, "00"),
        (40_001, 3 * SECOND, 1, ""),
    ]


def test_a_later_time_replaces_an_earlier_one_and_an_earlier_a_later(read: Read) -> None:
    end = says(200, port=40_002, at=40 * SECOND)
    later, _ = read([says(3), says(9, at=2 * SECOND), end])
    assert [at // SECOND for port, at, number, heard in told(later) if not heard] == [11]
    earlier, _ = read([says(30), says(9, at=2 * SECOND), end])
    assert [at // SECOND for port, at, number, heard in told(earlier) if not heard] == [11]


def test_of_one_time_the_flow_that_opened_first_is_woken_first(read: Read) -> None:
    frames = [says(9 - number, port=40_005 - number, at=number * SECOND) for number in range(5)]
    seen, _ = read([*frames, says(200, at=20 * SECOND)])
    assert [(port, at // SECOND) for port, at, _, heard in told(seen) if not heard] == [
        (port, 9) for port in range(40_005, 40_000, -1)
    ]


def test_an_interface_in_silence_wakes_by_its_clock() -> None:
    driver = SessionDriver(PipelineSettings(), RunKeys(bytes(16), bytes(32)), protocols=clock())
    feed(driver, [says(3)], [])
    assert told(driver.advance(START_NS + 2 * SECOND)) == []
    assert told(driver.advance(START_NS + 30 * SECOND)) == [(40_000, 3 * SECOND, 1, "")]
    assert told(driver.advance(START_NS + 60 * SECOND)) == []


def test_nobody_is_woken_after_both_sides_closed_or_the_flow_ended(read: Read) -> None:
    talk = TcpConversation(server_port=PORT).handshake().client(b"\xff\x01").close()
    later = says(0, at=2 * SECOND)
    seen, counters = read([*talk.frames, later])
    assert [(port, number) for port, _, number, _ in told(seen)] == [(40_000, 0), (40_000, 0), (40_000, 1)]
    assert counters["sessions.ticks"] == 1  # the later one alone
    half = TcpConversation(server_port=PORT).handshake().client(b"\xff\x01").client_fin()
    assert read([*half.frames, later])[1]["sessions.ticks"] == 2
    idle = [says(255), says(0, port=40_001, at=400 * SECOND)]
    assert read(idle)[1]["sessions.ticks"] == 2  # at 255 s, though the packets only showed later that it had ended


@pytest.mark.parametrize("broken", ["tick", "next_wakeup_ns"])
def test_a_parser_that_raises_when_woken_or_asked_costs_its_own_session(read: Read, broken: str) -> None:
    class Broken(Clock):
        def tick(self, now_ns: int) -> Iterable[Rang]:
            if broken == "tick":
                raise ZeroDivisionError("a bug")
            self.next_wakeup_ns = "soon"  # type: ignore[assignment]
            return [Rang(1)]

    first: list[Clock] = []

    def make(key: FlowKey) -> Clock:
        one = Clock(key) if first else Broken(key)
        first.append(one)
        return one

    seen, counters = read([says(1), says(1, port=40_001), says(0, at=2 * SECOND)], make)
    fault = "ZeroDivisionError" if broken == "tick" else "TypeError"
    faults = [str(event.detail) for event in seen if isinstance(event, AnomalySeen)]
    assert [detail.partition(" in ")[0] for detail in faults] == [f"clock parser: {fault}"]
    assert counters["sessions.parser_faults"] == 1
    assert (40_001, SECOND, 1, "") in told(seen)
    assert [event.reason for event in seen if isinstance(event, SessionEnded)] == ["poisoned", "closed"]


def test_a_parser_that_poisons_itself_when_woken_has_its_messages_told_and_hears_no_more(read: Read) -> None:
    class Impatient(Clock):
        def tick(self, now_ns: int) -> Iterable[Rang]:
            self.poisoned = "nobody answered"
            return [Rang(1)]

    seen, counters = read([says(1), says(2, at=SECOND), says(2, at=2 * SECOND)], Impatient)
    assert [number for _, _, number, _ in told(seen)] == [0, 1]
    ended = [event for event in seen if isinstance(event, SessionEnded)]
    assert [(event.reason, event.detail, event.ts_ns) for event in ended] == [
        ("poisoned", "nobody answered", START_NS + SECOND)
    ]
    assert counters["sessions.parsers_created"] == 1


def test_a_parser_may_be_done_when_woken_and_hand_the_stream_on(read: Read) -> None:
    class Waiting(Clock):
        def tick(self, now_ns: int) -> Iterable[Rang]:
            self.done = True
            self.handover = Handover("http")
            return ()

    talk = TcpConversation(server_port=PORT).handshake().client(b"\xff\x01").wait(2 * SECOND)
    talk.client(b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n").close()
    seen, _ = read(talk.frames, Waiting)
    ended = [(event.protocol, event.reason) for event in seen if isinstance(event, SessionEnded)]
    assert ended == [("clock", "done"), ("http", "closed")]
    messages = [event for event in seen if isinstance(event, SessionMessaged)]
    assert [event.protocol for event in messages] == ["clock", "http"]


def test_time_that_jumps_by_years_wakes_a_silent_parser_so_many_times_and_no_more(read: Read) -> None:
    def make(key: FlowKey) -> Clock:
        return Clock(key, again_ns=1)

    frames = [says(1), says(1, at=2 * SECOND), says(1, port=40_001, at=10**9 * SECOND)]
    _, counters = read(frames, make)
    assert counters["sessions.ticks"] == 2 * MAX_SILENT_TICKS
    assert counters["sessions.ticks_refused"] == 2


def test_a_parser_that_asks_for_the_past_is_woken_as_often_and_no_more(read: Read) -> None:
    class Restless(Clock):
        def tick(self, now_ns: int) -> Iterable[Rang]:
            self.next_wakeup_ns = -1
            return ()

    _, counters = read([says(1), says(1, port=40_001, at=2 * SECOND)], Restless)
    assert counters["sessions.ticks"] == MAX_SILENT_TICKS


def test_a_parser_that_does_not_ask_is_never_woken(read: Read) -> None:
    talk = TcpConversation().handshake().client(b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n").close()
    assert read([*talk.frames, *talk.frames])[1]["sessions.ticks"] == 0


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(0, 2 * SECOND)), min_size=1, max_size=25),
    st.sets(st.integers(1, 24)),
    st.booleans(),
)
def test_however_packets_are_cut_into_batches_the_events_are_the_same(
    said: list[tuple[int, int, int]], cuts: set[int], flows: bool
) -> None:
    frames, now = [], 0
    for flow, seconds, gap_ns in said:
        now += gap_ns // SECOND * SECOND if seconds % 2 else gap_ns  # often at the very time of a wake-up
        frames.append(says(seconds, port=40_000 + flow, at=now))
    results = []
    for places in ([], sorted(one for one in cuts if one < len(frames)), list(range(1, len(frames)))):
        families = ("flow", "session") if flows else ("session",)
        driver = SessionDriver(
            PipelineSettings(),
            RunKeys(bytes(16), bytes(32)),
            wanted=lapwing.sessions.Wanted(families),
            protocols=clock(lambda key: Clock(key, again_ns=SECOND)),
        )
        seen = feed(driver, frames, places)
        for events in driver.finish():
            seen += events
        results.append(seen)
    assert results[0] == results[1] == results[2]
    times = [event.ts_ns for event in results[0] if isinstance(event, SessionMessaged)]
    assert times == sorted(times)


def test_wakeups_of_sessions_that_ended_are_swept_out() -> None:
    sessions: list[DatagramSession | None] = [None]
    wakeups = Wakeups(sessions)
    for number in range(1, 20 * SPARE_ENTRIES):
        sessions[0] = one = DatagramSession()
        one.key = FlowKey(number, "", Transport.UDP, "192.0.2.1", 1, "192.0.2.2", 2)
        wakeups.plan(one, 0, number)
        assert len(wakeups) <= 2 + SPARE_ENTRIES
    assert wakeups.due(SECOND) is sessions[0]
    assert wakeups.due(SECOND) is None
    assert wakeups.next_ns == NEVER_NS


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20)), max_size=60))
def test_one_session_has_one_time_and_entries_for_it_do_not_pile_up(steps: list[tuple[int, int]]) -> None:
    sessions = [DatagramSession() for _ in range(3)]
    for number, one in enumerate(sessions):
        one.key = FlowKey(number, "", Transport.UDP, "192.0.2.1", 1, "192.0.2.2", 2)
    wakeups, wanted, now = Wakeups(list(sessions)), {}, 0
    for place, value in steps:
        if place < 3:
            wakeups.plan(sessions[place], place, now + value)
            wanted[place] = now + value
            continue
        now += value
        due = sorted((at, number) for number, at in wanted.items() if at <= now)
        found = []
        while (session := wakeups.due(now)) is not None:
            assert session is sessions[wakeups.slot]
            found.append((wakeups.due_ns, wakeups.slot))
        assert found == due
        wanted = {number: at for number, at in wanted.items() if at > now}
        assert wakeups.next_ns > now


def test_a_dns_query_without_an_answer_is_told_while_its_flow_goes_on(tmp_path: Path) -> None:
    asked = b"\0\1\1\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1"
    other = asked.replace(b"\0\1\1", b"\0\2\1", 1)
    answered = other[:2] + b"\x81\x80" + other[4:]

    def frame(at: int, data: bytes, *, back: bool = False) -> TimedFrame:
        ends = [("192.0.2.1", 4_001), ("198.51.100.53", 53)]
        (source, source_port), (target, target_port) = reversed(ends) if back else ends
        return TimedFrame(START_NS + at * SECOND, udp_frame(source, source_port, target, target_port, data))

    path = tmp_path / "in.pcap"
    again = [frame(at, data, back=data is answered) for at in range(1, 40) for data in (other, answered)]
    path.write_bytes(pcap([frame(0, asked), *again], nanoseconds=True))
    seen = list(lapwing.read(path, events=("session",)))
    unanswered = [
        event for event in seen if isinstance(event, SessionMessaged) and isinstance(event.message, DnsUnanswered)
    ]
    assert [(event.ts_ns - START_NS, event.message.asked_ns - START_NS) for event in unanswered] == [(10 * SECOND, 0)]  # type: ignore[union-attr]
