"""Wires for tests of live capture: a veth pair in a network namespace of its own, and a sender of raw frames."""

import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

CLONE_NEWNET = 0x4000_0000
_numbers = count(1)


def why_no_wires() -> str | None:
    """What is missing for making namespaces and interfaces here, None when they can be made."""
    if not hasattr(socket, "AF_PACKET"):
        return "live capture needs Linux"
    name = f"lapwing-probe-{os.getpid()}"
    try:
        made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    except FileNotFoundError:
        return "`ip` of iproute2 is not installed"
    if made.returncode:
        return f"network namespaces cannot be made here, CAP_NET_ADMIN is missing: {made.stderr.decode().strip()}"
    made = subprocess.run(
        ["ip", "-n", name, "link", "add", "left", "type", "veth", "peer", "name", "right"],
        capture_output=True,
        check=False,
    )
    subprocess.run(["ip", "netns", "del", name], check=True)
    return f"veth pairs cannot be made here: {made.stderr.decode().strip()}" if made.returncode else None


WHY_NO_WIRES = why_no_wires()
needs_wires = pytest.mark.skipif(WHY_NO_WIRES is not None, reason=str(WHY_NO_WIRES))


def in_namespace(name: str, work: Callable[[], Any]) -> Any:
    """What `work` gives in a network namespace; a namespace is a thread's."""
    outcome: list[Any] = []

    def enter() -> None:
        descriptor = os.open(Path("/run/netns") / name, os.O_RDONLY)
        try:
            assert ctypes.CDLL(None).setns(descriptor, CLONE_NEWNET) == 0
        finally:
            os.close(descriptor)
        outcome.append(work())

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return outcome[0]


class Wire:
    """A namespace with the pair `left` and `right`: frames sent on the left arrive on the right."""

    left, right = "left", "right"

    def __init__(self) -> None:
        self.namespace = f"lapwing-{os.getpid()}-{next(_numbers)}"
        subprocess.run(["ip", "netns", "add", self.namespace], check=True)
        self.ip("link", "add", self.left, "type", "veth", "peer", "name", self.right)
        for name in ("lo", self.left, self.right):
            # Without addresses of its own the kernel sends nothing on the wire.
            subprocess.run(
                ["ip", "netns", "exec", self.namespace, "sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1"],
                check=False,
                capture_output=True,
            )
            self.ip("link", "set", name, "up")
        for _ in range(1_000):  # until the carrier is noticed, frames are dropped without a word
            if all("state UP" in self.state(name) for name in (self.left, self.right)):
                break
        self._out: socket.socket = in_namespace(self.namespace, self._open)

    def _open(self) -> socket.socket:
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        opened.bind((self.left, 0))
        return opened

    def ip(self, *arguments: str) -> None:
        subprocess.run(["ip", "-n", self.namespace, *arguments], check=True, capture_output=True)

    def state(self, interface: str) -> str:
        command = ["ip", "-n", self.namespace, "link", "show", interface]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def send(self, frames: Iterable[bytes]) -> None:
        for frame in frames:
            self._out.send(frame)

    def close(self) -> None:
        self._out.close()
        subprocess.run(["ip", "netns", "del", self.namespace], check=True)


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.close()
