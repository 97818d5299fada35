"""The event stream's two halves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.callbacks import DnsInteraction, HttpInteraction, Peer
from lapwing.callbacks.push import (
    MAX_EVENT_BYTES,
    EventReader,
    Hello,
    ServerEvent,
    keep_alive,
    seal,
    unseal,
    write_event,
)
from lapwing.events import WireError

KEY, IV = bytes(range(32)), bytes(range(16))


@given(
    st.lists(
        st.tuples(st.sampled_from(["interaction", "refused"]), st.text("abc=+/", min_size=1), st.integers(1, 2**60))
    ),
    st.data(),
)
def test_events_come_back_whichever_way_they_are_cut(events: list[tuple[str, str, int]], data: st.DataObject) -> None:
    sent = b"".join(keep_alive() + write_event(kind, text, seq) for kind, text, seq in events)
    reader = EventReader()
    read: list[ServerEvent] = []
    while sent:
        size = data.draw(st.integers(1, len(sent)))
        read += reader.feed(sent[:size])
        sent = sent[size:]
    assert read == [ServerEvent(*event) for event in events]


@given(st.binary(max_size=400))
def test_any_bytes_are_events_or_none(data: bytes) -> None:
    EventReader().feed(data)


def test_an_event_that_never_ends_is_given_up() -> None:
    reader = EventReader()
    line = b"data: " + b"x" * (MAX_EVENT_BYTES // 2) + b"\n"
    reader.feed(line)
    with pytest.raises(WireError):
        reader.feed(line)


@given(st.binary(max_size=200), st.text(max_size=30))
def test_what_was_sealed_is_read_with_the_key_alone(raw: bytes, host: str) -> None:
    hit = HttpInteraction(ts_ns=7, peer=Peer("192.0.2.1", 5, 80), raw_request=raw, host=host)
    assert unseal(seal(hit, aes_key=KEY, iv=IV), aes_key=KEY) == hit
    with pytest.raises(WireError):
        unseal(seal(DnsInteraction(ts_ns=7, peer=Peer("192.0.2.1")), aes_key=KEY, iv=IV), aes_key=bytes(32))


def test_structs_are_written_as_one_line() -> None:
    assert (
        write_event("hello", Hello("key", 5))
        == b'event: hello\ndata: {"aes_key":"key","cursor":5,"lost_through":0}\n\n'
    )
