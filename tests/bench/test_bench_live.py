"""The sender of the live benchmark sends what its figures say."""

import socket

import pytest

live = pytest.importorskip("bench.live", reason="the live benchmark needs the C library's sendmmsg")


def test_a_call_sends_every_frame_of_a_batch_and_each_is_another() -> None:
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with left, right:
        left.setblocking(False)
        right.setblocking(False)
        messages, _frames = live.batch(512)
        sent = live.send_batch(left, messages)
        assert sent > 1
        seen = [right.recv(2_048) for _ in range(sent)]
    assert {len(frame) for frame in seen} == {live.FRAME_BYTES}
    assert [int.from_bytes(frame[34:36]) for frame in seen] == [live.FIRST_PORT + 512 + at for at in range(sent)]
