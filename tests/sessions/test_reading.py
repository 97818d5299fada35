"""The whole way, from a capture on disk to events in order."""

import asyncio
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path

import msgspec
import pytest

import lapwing
from lapwing.events import (
    AnomalySeen,
    AuthResolved,
    Event,
    FlowClosed,
    FlowOpened,
    Outcome,
    SensorEnded,
    SessionEnded,
    SessionIdentified,
    SessionMessaged,
    Side,
    SourceError,
)
from lapwing.sessions import RunKeys
from lapwing.testing import START_NS, TcpConversation, TimedFrame, interleave, pcap, udp_frame

KEYS = RunKeys(flow_key=b"k" * 16, tag_key=b"t" * 32)
PASSWORD = b"correct-horse-battery"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write frames to a capture and return its path."""

    def to_file(frames: Iterable[TimedFrame], name: str = "in.pcap") -> Path:
        path = tmp_path / name
        path.write_bytes(pcap(frames, nanoseconds=True))
        return path

    return to_file


def ftp_login(
    *, works: bool, client_port: int = 40_000, start_ns: int = START_NS, password: bytes = PASSWORD
) -> TcpConversation:
    talk = TcpConversation(client_port=client_port, server_port=21, start_ns=start_ns).handshake()
    talk.server(b"220 ftp.example.com FTP server ready\r\n")
    talk.client(b"USER Ana\r\n").server(b"331 Password required\r\n")
    talk.client(b"PASS " + password + b"\r\n")
    return talk.server(b"230 Logged in\r\n" if works else b"530 Login incorrect\r\n")


def http_exchange(*, client_port: int = 40_000, start_ns: int = START_NS) -> TcpConversation:
    talk = TcpConversation(client_port=client_port, start_ns=start_ns).handshake()
    talk.client(b"GET /a?x=1 HTTP/1.1\r\nHost: www.example.com\r\n\r\n")
    return talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")


def tags(events: Iterable[Event]) -> list[str]:
    return [str(event.__struct_config__.tag) for event in events]


def test_events_of_a_flow_come_in_the_order_of_its_packets(write: Write) -> None:
    path = write(http_exchange().close().frames)
    with lapwing.read(path, events=("flow", "session"), keys=KEYS) as events:
        seen = list(events)
    assert [tag for tag, _ in groupby(tags(seen))] == [
        "flow.opened",
        "flow.established",
        "session.identified",
        "session.messaged",
        "session.ended",
        "flow.closed",
    ]
    sides = [event.side for event in seen if isinstance(event, SessionMessaged)]
    assert sides == [Side.CLIENT, Side.SERVER]


def test_seq_counts_from_one_without_holes(write: Write) -> None:
    path = write(ftp_login(works=True).close().frames)
    with lapwing.read(path) as events:
        assert [event.seq for event in events] == list(range(1, 1 + len(list(lapwing.read(path)))))


def test_an_open_flow_is_ended_when_the_input_ends(write: Write) -> None:
    path = write(http_exchange().frames)
    seen = list(lapwing.read(path, events=("flow", "session")))
    assert tags(seen)[-2:] == ["session.ended", "flow.closed"]
    closed = seen[-1]
    assert isinstance(closed, FlowClosed)
    assert closed.reason == "flush"


def test_a_login_is_judged_failed_or_succeeded_by_the_reply(write: Write) -> None:
    for works, outcome in ((True, Outcome.SUCCEEDED), (False, Outcome.FAILED)):
        path = write(ftp_login(works=works).close().frames)
        resolved = [event for event in lapwing.read(path, events=("auth",)) if isinstance(event, AuthResolved)]
        assert [(event.username, event.outcome, event.protocol) for event in resolved] == [("ana", outcome, "ftp")]


def test_no_event_holds_the_password(write: Write) -> None:
    path = write(ftp_login(works=True).close().frames)
    encoded = b"".join(msgspec.json.encode(event) for event in lapwing.read(path))
    assert b"auth.resolved" in encoded
    assert PASSWORD not in encoded


def test_two_runs_under_the_same_keys_give_the_same_bytes(write: Write) -> None:
    path = write(interleave(ftp_login(works=False).close(), http_exchange(client_port=41_000).close()))
    first, second = ([msgspec.json.encode(event) for event in lapwing.read(path, keys=KEYS)] for _ in range(2))
    assert first == second


def test_stream_gives_the_events_of_read_in_the_same_order(write: Write) -> None:
    path = write(interleave(ftp_login(works=False).close(), http_exchange(client_port=41_000)))

    async def collect() -> list[Event]:
        return [event async for event in lapwing.stream(path, keys=KEYS)]

    assert asyncio.run(collect()) == list(lapwing.read(path, keys=KEYS))


def test_stopping_early_still_ends_what_is_open(write: Write) -> None:
    talks = [http_exchange(client_port=40_000 + n, start_ns=10**18 + n * 10**9).close() for n in range(3_000)]
    path = write([frame for talk in talks for frame in talk.frames])
    with lapwing.read(path, events=("flow",)) as reading:
        first = next(reading)
        reading.stop()
        rest = list(reading)
    opened = [event for event in [first, *rest] if isinstance(event, FlowOpened)]
    closed = [event for event in rest if isinstance(event, FlowClosed)]
    assert len(opened) == len(closed)
    assert 0 < len(opened) < 3_000


def test_count_ends_the_input_after_that_many_packets(write: Write) -> None:
    path = write(http_exchange().close().frames)
    closed = [event for event in lapwing.read(path, count=4) if isinstance(event, FlowClosed)]
    assert [event.client_packet_count + event.server_packet_count for event in closed] == [4]


def test_a_family_left_out_is_not_handed_over_but_logins_are_still_judged(write: Write) -> None:
    tries = [
        ftp_login(works=False, client_port=40_000 + n, start_ns=10**18 + n * 10**9, password=b"guess-%d" % n).close()
        for n in range(40)
    ]
    path = write([frame for talk in tries for frame in talk.frames])
    seen = list(lapwing.read(path, events=("finding",)))
    assert {tag.partition(".")[0] for tag in tags(seen)} == {"finding"}


def test_an_unknown_family_is_refused_with_the_ones_there_are() -> None:
    with pytest.raises(ValueError, match="no such event family: logins; there are flow, session"):
        lapwing.read("x.pcap", events=("logins",))


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere"):
        list(lapwing.read(tmp_path / "nowhere.pcap"))


def test_garbage_after_a_protocol_was_recognised_ends_the_session_once_and_not_the_flow(write: Write) -> None:
    talk = http_exchange()
    talk.client(b"\0\1\2" * 400).server(b"\xff" * 200).client(b"\0" * 50).close()
    seen = list(lapwing.read(write(talk.frames), events=("flow", "session")))
    assert len([event for event in seen if isinstance(event, SessionEnded)]) == 1
    closed = [event for event in seen if isinstance(event, FlowClosed)]
    assert [event.reason for event in closed] == ["fin"]


def test_a_hole_in_the_stream_is_counted_in_the_session(write: Write) -> None:
    talk = http_exchange()
    talk.skip(client=500).client(b"GET /b HTTP/1.1\r\nHost: www.example.com\r\n\r\n")
    talk.server(b"HTTP/1.1 204 No Content\r\n\r\n").close()
    seen = list(lapwing.read(write(talk.frames), events=("session",)))
    ended = [event for event in seen if isinstance(event, SessionEnded)]
    assert [event.client_gap_bytes for event in ended] == [500]


def test_parsers_made_equal_parsers_ended(write: Write) -> None:
    path = write(interleave(ftp_login(works=True), http_exchange(client_port=41_000).close()))
    with lapwing.read(path) as reading:
        list(reading)
        counters = reading.statistics()
    assert counters["sessions.parsers_created"] == counters["sessions.parsers_ended"] == 2
    assert counters["flows.created"] == counters["flows.ended"] == 2


def test_dns_over_udp_is_recognised_on_any_port(write: Write) -> None:
    query = bytes.fromhex("123401000001000000000000076578616d706c6503636f6d0000010001")
    frames = [TimedFrame(10**18, udp_frame("192.0.2.1", 50_000, "192.0.2.53", 10_053, query))]
    seen = list(lapwing.read(write(frames), events=("session",)))
    assert [event.protocol for event in seen if isinstance(event, SessionIdentified)] == ["dns"]


def test_a_capture_older_than_the_one_before_begins_a_new_story(write: Write) -> None:
    late = write(http_exchange(start_ns=2 * 10**18).frames, "late.pcap")
    early = write(http_exchange(start_ns=10**18).frames, "early.pcap")
    closed = [event for event in lapwing.read(late, early, events=("flow",)) if isinstance(event, FlowClosed)]
    assert [event.first_ts_ns for event in closed] == [2 * 10**18, 10**18]
    assert [event.flow_id for event in closed] == [1, 2]


def test_a_capture_that_goes_on_from_the_one_before_shares_its_flows(write: Write) -> None:
    frames = http_exchange().close().frames
    first, second = write(frames[:4], "1.pcap"), write(frames[4:], "2.pcap")
    whole = [event for event in lapwing.read(first, second, events=("flow",)) if isinstance(event, FlowClosed)]
    assert [(event.conn_state, event.reason) for event in whole] == [("SF", "fin")]


def test_a_damaged_tail_is_named_with_file_and_offset_and_the_rest_is_read(write: Write, tmp_path: Path) -> None:
    path = write(http_exchange().close().frames)
    data = path.read_bytes()
    path.write_bytes(data[:-20])
    with lapwing.read(path) as reading:
        seen = list(reading)
        assert reading.damaged
    damage = [event for event in seen if isinstance(event, AnomalySeen) and event.source == str(path)]
    assert [event.kind for event in damage] == ["capture.tail_truncated"]
    assert damage[0].offset is not None
    assert len([event for event in seen if isinstance(event, FlowClosed)]) == 1


def test_each_source_ends_with_its_counters(write: Write) -> None:
    path = write(http_exchange().close().frames)
    ended = [event for event in lapwing.read(path) if isinstance(event, SensorEnded)]
    assert [event.counters["packets"] for event in ended] == [8]


def test_flow_records_equal_the_flow_events_of_a_full_reading(write: Write) -> None:
    path = write(interleave(ftp_login(works=True).close(), http_exchange(client_port=41_000).close()))
    full = [event for event in lapwing.read(path, events=("flow",)) if isinstance(event, FlowClosed)]
    fast = list(lapwing.flows(path))
    for events in (full, fast):
        for event in events:
            msgspec.structs.force_setattr(event, "seq", 0)
    assert fast == full


def test_flows_can_be_called_whatever_was_imported_before() -> None:
    import lapwing.flows.settings  # binds the room to the package
    from lapwing.flows import FlowSettings

    assert callable(lapwing.flows)
    assert FlowSettings().max_flows > 0
