"""Sizes of the kernel's ring, and what happens where memory is short; needs no rights."""

import errno
import os
import socket
import struct
from typing import Any

import pytest

from lapwing.events import SourceError
from lapwing.io.capture.live_settings import PROFILES, Fanout, LiveSettings, RingProfile
from lapwing.io.capture.ring import PacketRing

KIB, MIB = 1024, 1024**2

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_PACKET"), reason="packet rings are Linux's")


class Kernel:
    """Grants rings of at most so many bytes, as a socket would."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.asked: list[tuple[int, ...]] = []
        self._memory = os.memfd_create("ring")

    def setsockopt(self, _level: int, _option: int, request: bytes) -> None:
        asked = struct.unpack("IIIIIII", request)
        self.asked.append(asked)
        if asked[0] * asked[1] > self.room:
            raise OSError(errno.ENOMEM, "no memory")
        os.ftruncate(self._memory, asked[0] * asked[1])

    def fileno(self) -> int:
        return self._memory

    def close(self) -> None:
        os.close(self._memory)


def ring_of(kernel: Kernel, profile: RingProfile) -> PacketRing:
    ring = PacketRing.__new__(PacketRing)
    made: Any = ring
    made._socket, made._map = kernel, None
    ring._map_ring(profile)
    return ring


def test_profiles_are_those_that_are_promised() -> None:
    assert {
        "default": RingProfile(MIB, 64, 60, 2_048),
        "high-throughput": RingProfile(4 * MIB, 64, 60, 2_048),
        "low-latency": RingProfile(256 * KIB, 64, 1, 2_048),
        "low-memory": RingProfile(256 * KIB, 16, 100, 2_048),
        "jumbo": RingProfile(4 * MIB, 32, 60, 65_536),
    } == PROFILES
    page = os.sysconf("SC_PAGE_SIZE")
    for profile in PROFILES.values():
        assert profile.block_bytes % page == profile.block_bytes % profile.frame_bytes == 0
        assert profile.block_timeout_ms > 0  # 0 would hand over full blocks only: a quiet link would never deliver


def test_a_ring_is_asked_for_whole_and_cut_to_a_quarter_where_memory_is_short() -> None:
    profile = RingProfile(16 * KIB, 16, 60)
    for room, blocks in ((16, 16), (15, 8), (8, 8), (4, 4)):
        kernel = Kernel(room * 16 * KIB)
        ring = ring_of(kernel, profile)
        assert (ring.ring_bytes, len(ring._blocks)) == (blocks * 16 * KIB, blocks)
        assert kernel.asked[0] == (16 * KIB, 16, 2_048, 16 * 8, 60, 0, 0)
        ring.close()


def test_less_than_a_quarter_is_no_ring() -> None:
    kernel = Kernel(3 * 16 * KIB)
    with pytest.raises(OSError, match="no memory"):
        ring_of(kernel, RingProfile(16 * KIB, 16, 60))
    assert [asked[1] for asked in kernel.asked] == [16, 8, 4]
    kernel.close()


def test_what_an_interface_that_is_none_is_told_needs_no_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> socket.socket:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(socket, "socket", refused)
    with pytest.raises(SourceError, match=r"CAP_NET_RAW.*setcap"):
        PacketRing("lo", LiveSettings(), None)


def test_every_mode_of_the_settings_has_its_number() -> None:
    assert {mode.name.lower().replace("_", "-"): mode.value for mode in Fanout} == {
        "hash": 0, "load-balance": 1, "cpu": 2, "rollover": 3, "random": 4, "queue-mapping": 5,
    }  # fmt: skip
