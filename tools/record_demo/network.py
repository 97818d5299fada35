"""One namespace per client address, a routing hub with a bridge, one namespace for the servers.

    client ns (eth0) -- veth -- [bridge] hub ns [to-servers] -- veth -- servers ns (eth0)

The capture is taken on the hub's server-side interface,
so every packet is seen once, with the addresses that the servers see.
Nothing touches the interfaces, routes or addresses of the host.
"""

from __future__ import annotations

import ctypes
import ipaddress
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeVar

T = TypeVar("T")

PREFIX = "lapdemo"  # every namespace made here begins with it, and only those are removed
HUB = f"{PREFIX}-hub"
SERVERS = f"{PREFIX}-servers"

WEB_V4, WEB_V6 = "192.0.2.10", "2001:db8:10::10"
FTP_V4, SMTP_V4, SSH_V4 = "192.0.2.21", "192.0.2.25", "192.0.2.22"
LDAP_V4 = "192.0.2.39"
SERVER_ADDRESSES = (WEB_V4, FTP_V4, SSH_V4, SMTP_V4, LDAP_V4, WEB_V6)

_CLIENT_GATEWAYS = ("198.51.100.1/24", "203.0.113.1/24", "2001:db8:20::1/48", "2001:db8:bad::1/48")
_SERVER_GATEWAYS = ("192.0.2.1/24", "2001:db8:10::1/64")
_CLONE_NEWNET = 0x40000000  # from linux/sched.h
_OFFLOADS = ("tx", "tso", "gso", "gro")  # off: frames as a wire carries them, with real checksums


def enter(namespace: str) -> None:
    """Move the calling thread (and what it starts from now on) into a network namespace; raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(f"/run/netns/{namespace}").open("rb") as handle:
        if libc.setns(handle.fileno(), _CLONE_NEWNET) != 0:
            errno = ctypes.get_errno()
            raise OSError(errno, os.strerror(errno), namespace)


def inside(namespace: str, call: Callable[[], T]) -> T:
    """Run `call` in a thread of its own that lives in `namespace`; programs it starts live there too."""

    def entered() -> T:
        enter(namespace)
        return call()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(entered).result()


def _ip(*arguments: str, batch: list[str] | None = None) -> None:
    command = ["ip", *arguments] + (["-batch", "-"] if batch is not None else [])
    subprocess.run(command, input="\n".join(batch) if batch is not None else None, text=True, check=True)


def _in(namespace: str, *command: str) -> None:
    subprocess.run(["ip", "netns", "exec", namespace, *command], check=True, stdout=subprocess.DEVNULL)


def _offloads_off(namespace: str, device: str) -> None:
    _in(namespace, "ethtool", "-K", device, *(word for name in _OFFLOADS for word in (name, "off")))


def _nodad(address: str) -> str:
    return " nodad" if ":" in address else ""


def _with_length(address: str) -> str:
    """Client addresses of one family share a link; a /48 keeps the rotating /64s of IPv6 clients on it."""
    return f"{address}/48" if ipaddress.ip_address(address).version == 6 else f"{address}/24"


def _gateway(address: str) -> str:
    network = ipaddress.ip_interface(_with_length(address)).network
    return str(network.network_address + 1)


@dataclass
class Network:
    """The namespaces of one recording. A context manager: what it made is gone when it ends."""

    clients: tuple[str, ...]
    names: dict[str, str] = field(default_factory=dict)
    _made: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        for name in reversed(self._made):
            subprocess.run(["ip", "netns", "del", name], check=False)
        self._made.clear()

    def _namespace(self, name: str) -> None:
        _ip("netns", "add", name)
        self._made.append(name)
        _in(name, "sysctl", "-qw", "net.ipv4.tcp_timestamps=0", "net.ipv6.conf.all.accept_dad=0")
        _ip("-n", name, "link", "set", "lo", "up")

    def _build(self) -> None:
        self._namespace(HUB)
        self._namespace(SERVERS)
        _in(HUB, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        hub = ["link add br0 type bridge", f"link add to-servers type veth peer name eth0 netns {SERVERS}"]
        hub += ["link set to-servers address 02:00:00:00:00:01"]
        hub += [f"addr add {gateway} dev br0{_nodad(gateway)}" for gateway in _CLIENT_GATEWAYS]
        hub += [f"addr add {gateway} dev to-servers{_nodad(gateway)}" for gateway in _SERVER_GATEWAYS]
        _ip("-n", HUB, batch=[*hub, "link set br0 up", "link set to-servers up"])
        servers = ["link set eth0 address 02:00:00:00:00:02"]
        servers += [f"addr add {a}/{64 if ':' in a else 24} dev eth0{_nodad(a)}" for a in SERVER_ADDRESSES]
        servers += ["link set eth0 up", "route add default via 192.0.2.1"]
        _ip("-n", SERVERS, batch=servers)
        _ip("-n", SERVERS, "-6", "route", "add", "default", "via", "2001:db8:10::1")
        _offloads_off(HUB, "to-servers")
        _offloads_off(SERVERS, "eth0")
        for number, address in enumerate(self.clients):
            self._client(number, address)

    def _client(self, number: int, address: str) -> None:
        name, port = f"{PREFIX}-c{number}", f"c{number}"
        self._namespace(name)
        self.names[address] = name
        link = [f"link add {port} type veth peer name eth0 netns {name}", f"link set {port} master br0"]
        _ip("-n", HUB, batch=[*link, f"link set {port} up"])
        own = [f"addr add {_with_length(address)} dev eth0{_nodad(address)}", "link set eth0 up"]
        _ip("-n", name, batch=[*own, f"route add default via {_gateway(address)}"])
        _offloads_off(name, "eth0")
