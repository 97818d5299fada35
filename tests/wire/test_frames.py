"""Ring blocks become rows, and rows become capture records, alike in both builds."""

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.testing import TimedFrame, ethernet, ip, pcap, udp
from lapwing.wire import COMPILED, PACKET_DTYPE, plain_frames

BUILDS: dict[str, Any] = {"plain": plain_frames}
if COMPILED:
    from lapwing.wire import hot_frames

    BUILDS["compiled"] = hot_frames

both = pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS)
FRAME = ethernet(ip("192.0.2.1", "192.0.2.2", 17, udp(1, 2, b"data")))
COLUMNS = ("ts_ns", "frame_off", "captured", "wire_bytes", "link_type")


def in_ring(frame: bytes, ts_ns: int = 0, *, tag: int | None = None, index: int = 2, kind: int = 0) -> bytes:
    """One frame as the kernel lays it out."""
    status, tci, tpid = (1, 0, 0) if tag is None else (0x51, tag, 0x8100)
    mac = 86
    size = (mac + len(frame) + 15) & ~15
    head = struct.pack(
        "<IIIIIIHHIIHH8x", size, *divmod(ts_ns, 10**9), len(frame), len(frame), status, mac, 100, 0, tci, tpid, 0
    )
    address = struct.pack("<HHiHBB8s", 17, 0, index, 1, kind, 6, b"")
    return (head + address).ljust(mac, b"\0") + frame + bytes(size - mac - len(frame))


def walked(
    build: Any, block: bytes, count: int, *, rows: int = 8, link: int = 1, echo: int = 0
) -> tuple[Any, Any, Any]:
    memory = bytearray(block)
    packets = np.zeros(rows, PACKET_DTYPE)
    cursor = np.array((48, count, 0), np.int64)
    found = build.walk_ring(memoryview(memory), packets, cursor, link, echo)
    return memory, packets[:found], cursor.tolist()


@both
def test_frames_of_a_block_become_rows(build: Any) -> None:
    block = bytes(48) + in_ring(FRAME, 5_000_000_007) + in_ring(FRAME + b"more", 6)
    memory, rows, (_, left, passed) = walked(build, block, 2)
    assert rows["ts_ns"].tolist() == [5_000_000_007, 6]
    assert rows["captured"].tolist() == [len(FRAME), len(FRAME) + 4]
    assert [bytes(memory[at : at + len(FRAME)]) for at in rows["frame_off"].tolist()] == [FRAME, FRAME]
    assert (left, passed) == (0, 0)


@both
def test_a_tag_the_kernel_took_out_is_put_back(build: Any) -> None:
    memory, rows, _ = walked(build, bytes(48) + in_ring(FRAME, tag=42), 1)
    at, size = int(rows["frame_off"][0]), int(rows["captured"][0])
    assert bytes(memory[at : at + size]) == ethernet(FRAME[14:], vlans=(42,))
    assert int(rows["wire_bytes"][0]) == size


@both
def test_what_loopback_sends_is_passed_over(build: Any) -> None:
    block = bytes(48) + in_ring(FRAME, index=1, kind=4) + in_ring(FRAME, index=1) + in_ring(FRAME, index=2, kind=4)
    _, rows, (_, _, passed) = walked(build, block, 3, echo=1)
    assert (len(rows), passed) == (2, 1)


@both
def test_a_full_batch_stops_and_goes_on_where_it_stopped(build: Any) -> None:
    memory = bytearray(bytes(48) + in_ring(FRAME, 1) + in_ring(FRAME, 2) + in_ring(FRAME, 3))
    packets, cursor = np.zeros(2, PACKET_DTYPE), np.array((48, 3, 0), np.int64)
    assert build.walk_ring(memoryview(memory), packets, cursor, 1, 0) == 2
    assert build.walk_ring(memoryview(memory), packets, cursor, 1, 0) == 1
    assert int(packets["ts_ns"][0]) == 3
    assert build.walk_ring(memoryview(memory), packets, cursor, 1, 0) == 0


frames = st.lists(
    st.builds(
        in_ring,
        st.binary(max_size=80),
        st.integers(0, 2**32 * 10**9 - 1),
        tag=st.none() | st.integers(0, 4095),
        index=st.integers(0, 3),
        kind=st.integers(0, 4),
    ),
    max_size=6,
)


@pytest.mark.skipif(not COMPILED, reason="the compiled loops are not built here")
@given(frames, st.integers(1, 4), st.sampled_from([1, 101]), st.integers(0, 2), st.data())
def test_both_builds_walk_alike(blocks: list[bytes], rows: int, link: int, echo: int, data: st.DataObject) -> None:
    block = bytearray(bytes(48) + b"".join(blocks) + bytes(200))
    for at in data.draw(st.lists(st.integers(48, len(block) - 1), max_size=2)):
        block[at] = data.draw(st.integers(0, 255))
    outcomes = []
    for build in BUILDS.values():
        try:
            memory, packets, cursor = walked(build, bytes(block), len(blocks), rows=rows, link=link, echo=echo)
        except (IndexError, struct.error):
            outcomes.append(("outside",))
            continue
        outcomes.append((bytes(memory), cursor, *[packets[name].tolist() for name in COLUMNS]))
    assert outcomes[0] == outcomes[1]


@both
def test_packed_rows_are_the_records_of_a_capture(build: Any) -> None:
    timed = [TimedFrame(1_700_000_000_123_456_789, FRAME), TimedFrame(1_700_000_001_000_000_001, FRAME[:30], 99)]
    buffer = b"".join(one.frame for one in timed)
    rows = np.zeros(3, PACKET_DTYPE)
    rows["ts_ns"][:2] = [one.ts_ns for one in timed]
    rows["frame_off"][:2] = [0, len(FRAME)]
    rows["captured"][:2] = [len(FRAME), 30]
    rows["wire_bytes"][:2] = [len(FRAME), 99]
    rows["link_type"] = [1, 1, 101]
    assert build.pack_pcap(buffer, rows, 3, 1) == pcap(timed, nanoseconds=True)[24:]
