"""A packet socket with the kernel's block ring (AF_PACKET, TPACKET_V3), Linux only. See packet(7)."""

import ctypes
import errno
import mmap
import os
import select
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lapwing.events import SourceError
from lapwing.io.capture.live_settings import PROFILES, Fanout, LiveSettings, RingProfile
from lapwing.wire import ring_barrier
from lapwing.wire.filter import Instruction, program_of

ANY = "any"
NAMESPACES = Path("/run/netns")

SOL_PACKET = 263
PACKET_ADD_MEMBERSHIP = 1
PACKET_RX_RING = 5
PACKET_STATISTICS = 6
PACKET_VERSION = 10
PACKET_RESERVE = 12
PACKET_TIMESTAMP = 17
PACKET_FANOUT = 18
PACKET_IGNORE_OUTGOING = 23
PACKET_MR_PROMISC = 1
TPACKET_V3 = 2
ETH_P_ALL = 0x0003
SO_ATTACH_FILTER = 26
TAG_BYTES = 4  # room before each frame to put a VLAN tag back
SIOCGIFHWADDR = 0x8927
SIOCSHWTSTAMP = 0x89B0
HWTSTAMP_FILTER_ALL = 1
RAW_HARDWARE = 1 << 6  # SOF_TIMESTAMPING_RAW_HARDWARE
CLONE_NEWNET = 0x4000_0000
STATUS_USER = 1  # TP_STATUS_USER: the block is ours
SMALLEST_SHARE = 4  # a ring is cut down to a quarter where memory is short, not further

RETURN_CONSTANT, RETURN_ACCUMULATOR = 0x06, 0x16
NOTHING = program_of([Instruction(RETURN_CONSTANT, 0, 0, 0)])

LINK_ETHERNET, LINK_RAW = 1, 101
_ETHERNET_HARDWARE = frozenset({1, 772})  # ARPHRD_ETHER, ARPHRD_LOOPBACK
_RAW_HARDWARE = frozenset({65534, 768, 769, 776, 778, 823})  # tun, IP-in-IP, IPv6-in-IPv6, SIT, GRE, GRE6


class KernelCounts(NamedTuple):
    """What the kernel counted since the last call: given to us, dropped for want of room, times the ring stood full."""

    packets: int
    drops: int
    freezes: int


class Block(NamedTuple):
    """One block handed over by the kernel: its bytes, where the first frame begins, and how many there are."""

    number: int
    data: memoryview
    first_at: int
    frame_count: int


class PacketRing:
    """One bound packet socket and its ring. `take` gives blocks in order; `give_back` returns the one taken last."""

    def __init__(self, interface: str, settings: LiveSettings, program: NDArray[np.void] | None) -> None:
        """Raises SourceError that says what is missing: the interface, the right to open it, or memory."""
        if not hasattr(socket, "AF_PACKET"):
            raise SourceError(f"{interface}: live capture needs Linux")
        self.interface = interface
        self._settings = settings
        self._map: mmap.mmap | None = None
        self._next = 0
        self._seq = 0
        self.skipped_blocks = 0  # holes in the kernel's numbering of blocks
        self._socket = _in_namespace(settings.namespace, interface, self._open)
        try:
            self._set_up(program)
        except BaseException:
            self.close()
            raise
        self._poll = select.poll()
        self._poll.register(self._socket.fileno(), select.POLLIN | select.POLLERR)

    def fileno(self) -> int:
        """The descriptor that becomes readable with the next block."""
        return self._socket.fileno()

    def attach(self, program: NDArray[np.void] | None) -> None:
        """Swap the kernel's filter; each packet meets the old one or the new one. None lets everything pass."""
        _attach(self._socket, _cut_to(program, self._settings.snaplen_bytes))

    def wait(self, timeout_ms: int) -> None:
        """Sleep until a block may be there. Raises SourceError when the interface is gone or down."""
        for _, event in self._poll.poll(timeout_ms):
            if event & select.POLLERR:
                code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code:
                    raise SourceError(f"{self.interface}: {_reason(code)}")

    def take(self) -> Block | None:
        """The next block when the kernel has finished it, else None."""
        view = self._blocks[self._next]
        _, _, status, count, first_at, _, seq = _DESCRIPTOR.unpack_from(view)
        if not status & STATUS_USER:
            return None
        if self._seq and seq != self._seq + 1:
            self.skipped_blocks += max(0, seq - self._seq - 1)
        self._seq = seq
        return Block(self._next, view, first_at, count)

    def give_back(self) -> None:
        """Return the block taken last to the kernel; its bytes must not be used any more."""
        ring_barrier()
        self._words[self._next][2] = 0
        self._next = (self._next + 1) % len(self._blocks)

    def counts(self) -> KernelCounts:
        """What happened since the last call: the kernel resets its counters when they are read."""
        return KernelCounts(*struct.unpack("III", self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 12)))

    def close(self) -> None:
        """Close socket and ring. Batches handed out point into the ring: use none of them afterwards."""
        self._socket.close()
        self._blocks: list[memoryview] = []
        self._words: list[memoryview] = []
        if self._map is not None:
            with suppress(BufferError):  # somebody still holds a batch; the mapping goes when that does
                self._map.close()
            self._map = None

    def _open(self) -> socket.socket:
        kind = socket.SOCK_DGRAM if self.interface == ANY else socket.SOCK_RAW
        opened = socket.socket(socket.AF_PACKET, kind, 0)
        try:
            self.index = 0 if self.interface == ANY else _index(self.interface)
            self.loopback_index = _index("lo")
        except BaseException:
            opened.close()
            raise
        return opened

    def _set_up(self, program: NDArray[np.void] | None) -> None:
        """Version before ring, everything refused until the ring and the place in the group are there."""
        wire, settings = self._socket, self._settings
        try:
            self.link_type = self._link_type()
            wire.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V3)
            wire.setsockopt(SOL_PACKET, PACKET_RESERVE, TAG_BYTES)
            if settings.timestamps == "hardware":
                self._use_hardware_time()
            self._map_ring(PROFILES[settings.profile])
            if self.index == self.loopback_index:
                wire.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
            _attach(wire, NOTHING)
            self._bind()
            if settings.promiscuous and self.index:
                request = struct.pack("iHH8s", self.index, PACKET_MR_PROMISC, 0, b"")
                wire.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, request)
            if settings.fanout_group is not None:
                mode = Fanout[settings.fanout_mode.replace("-", "_").upper()]
                wire.setsockopt(SOL_PACKET, PACKET_FANOUT, settings.fanout_group | mode << 16)
            self.attach(program)
        except OSError as error:
            raise SourceError(f"{self.interface}: {_reason(error.errno or 0)}") from error

    def _bind(self) -> None:
        """From now on packets come. By hand, as `socket.bind` cannot name all interfaces."""
        address = struct.pack("=HHiHBB8x", socket.AF_PACKET, socket.htons(ETH_P_ALL), self.index, 0, 0, 0)
        library = ctypes.CDLL(None, use_errno=True)
        if library.bind(self._socket.fileno(), address, len(address)) != 0:
            raise OSError(ctypes.get_errno(), "bind")

    def _link_type(self) -> int:
        if not self.index:
            return LINK_RAW
        hardware = struct.unpack_from("H", self._ioctl(SIOCGIFHWADDR, bytes(24)), 16)[0]
        if hardware in _ETHERNET_HARDWARE:
            return LINK_ETHERNET
        if hardware in _RAW_HARDWARE:
            return LINK_RAW
        raise SourceError(f"{self.interface}: frames of its kind (ARPHRD {hardware}) are not understood")

    def _ioctl(self, request: int, data: bytes) -> bytes:
        import fcntl

        return fcntl.ioctl(self._socket.fileno(), request, struct.pack("16s", self.interface.encode()) + data)

    def _use_hardware_time(self) -> None:
        wanted = ctypes.create_string_buffer(struct.pack("iii", 0, 0, HWTSTAMP_FILTER_ALL))
        try:
            self._ioctl(SIOCSHWTSTAMP, struct.pack("P16x", ctypes.addressof(wanted)))
            self._socket.setsockopt(SOL_PACKET, PACKET_TIMESTAMP, RAW_HARDWARE)
        except OSError as error:
            raise SourceError(
                f"{self.interface}: gives no hardware timestamps ({os.strerror(error.errno or 0)}); use kernel ones"
            ) from error

    def _map_ring(self, profile: RingProfile) -> None:
        """Ask for the whole ring, then for less, down to a quarter of it."""
        count = profile.block_count
        while True:
            size = profile.block_bytes * count
            request = struct.pack(
                "IIIIIII", profile.block_bytes, count, profile.frame_bytes, size // profile.frame_bytes,
                profile.block_timeout_ms, 0, 0,
            )  # fmt: skip
            try:
                self._socket.setsockopt(SOL_PACKET, PACKET_RX_RING, request)
                break
            except OSError as error:
                if error.errno != errno.ENOMEM or count * SMALLEST_SHARE <= profile.block_count:
                    raise
                count //= 2
        self.ring_bytes = size
        self._map = mmap.mmap(self._socket.fileno(), size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        whole = memoryview(self._map)
        self._blocks = [whole[at : at + profile.block_bytes] for at in range(0, size, profile.block_bytes)]
        self._words = [block[:48].cast("I") for block in self._blocks]


_DESCRIPTOR = struct.Struct("=IIIIIIQ")  # tpacket_block_desc: version, private, status, frames, first, length, number


def _in_namespace(name: str | None, interface: str, work: Callable[[], socket.socket]) -> socket.socket:
    """Run `work` in a network namespace: in a thread of its own, because the namespace is the thread's for ever."""
    outcome: list[Any] = []

    def enter() -> None:
        try:
            if name is not None:
                _enter(name)
            outcome.append(work())
        except (OSError, SourceError) as error:
            outcome.append(error)

    if name is None:
        enter()
    else:
        thread = Thread(target=enter, name="lapwing-namespace")
        thread.start()
        thread.join()
    found = outcome[0]
    if isinstance(found, SourceError):
        raise found
    if isinstance(found, OSError):
        raise SourceError(f"{interface}: {_reason(found.errno or 0)}") from found
    opened: socket.socket = found
    return opened


def _index(interface: str) -> int:
    try:
        return socket.if_nametoindex(interface)
    except OSError as error:
        raise SourceError(f"{interface}: {_reason(errno.ENODEV)}") from error


def _enter(name: str) -> None:
    path = NAMESPACES / name
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise SourceError(
            f"namespace {name}: {path} cannot be opened: {error.strerror}; see `ip netns list`"
        ) from error
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET) != 0:
            reason = os.strerror(ctypes.get_errno())
            raise SourceError(f"namespace {name}: cannot be entered: {reason}; this needs CAP_SYS_ADMIN")
    finally:
        os.close(descriptor)


def _attach(wire: socket.socket, program: NDArray[np.void]) -> None:
    code = ctypes.create_string_buffer(program.tobytes())
    wire.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(program), ctypes.addressof(code)))


def _cut_to(program: NDArray[np.void] | None, snaplen_bytes: int) -> NDArray[np.void]:
    """The program with its acceptances cut to the snap length, which is how the kernel is told."""
    if program is None:
        return program_of([Instruction(RETURN_CONSTANT, 0, 0, snaplen_bytes)])
    cut = program.copy()
    accepts = (cut["code"] == RETURN_CONSTANT) & (cut["k"] != 0)
    cut["k"][accepts] = snaplen_bytes
    return cut


def _reason(code: int) -> str:
    """What went wrong, and what to do about it."""
    match code:
        case errno.EPERM | errno.EACCES:
            return (
                "capturing needs CAP_NET_RAW: run as root, or grant it with `setcap cap_net_raw+ep` to the interpreter"
            )
        case errno.ENODEV | errno.ENXIO:
            return "no such interface, see `ip link`"
        case errno.ENETDOWN:
            return "the interface is down or gone; bring it up with `ip link set ... up`"
        case errno.ENOMEM:
            return "the kernel has no memory for the ring; choose a smaller profile, e.g. low-memory"
        case errno.ENOPROTOOPT | errno.EINVAL:
            return (
                f"the kernel refused the capture settings ({os.strerror(code)}); TPACKET_V3 needs Linux 4.20 or later"
            )
    return os.strerror(code)
