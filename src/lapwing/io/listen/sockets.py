"""Opening ports, all of them before privileges are given up and before anything is served."""

import socket

from lapwing.events import CollectorError
from lapwing.io.listen.settings import CollectorSettings

BACKLOG = 1_024  # connections the system holds until they are taken
UDP_BUFFER_BYTES = 8 * 1024 * 1024  # what arrives while the disk is busy
FREE_PORT_TRIES = 20  # to find a port that is free for UDP and TCP
TLS_DOORS = frozenset({"https", "smtps", "ldaps", "ftps"})
UDP = "dns-udp"

Bound = dict[str, list[socket.socket]]


def bind_all(settings: CollectorSettings) -> Bound:
    """Return listening sockets by door. Raises CollectorError naming the one that failed; closes the rest."""
    bound: Bound = {}
    try:
        for address in settings.listen:
            for port in settings.ports.dns:
                _bind_dns(bound, address, port)
            for name in settings.ports.__struct_fields__:
                if name != "dns" and (settings.tls.wanted or name not in TLS_DOORS):
                    for port in getattr(settings.ports, name):
                        bound.setdefault(name, []).append(_bind(name, address, port))
        for name, control in (("control", settings.control_port), ("older-control", settings.older_control_port)):
            if control is not None:
                bound.setdefault(name, []).append(_bind(name, settings.control_listen, control))
    except CollectorError:
        close_all(bound)
        raise
    return bound


def close_all(bound: Bound) -> None:
    """Close every one."""
    for sockets in bound.values():
        for one in sockets:
            one.close()


def _bind_dns(bound: Bound, address: str, port: int) -> None:
    """The same number for both: resolvers come back to it over TCP."""
    for last in range(FREE_PORT_TRIES if port == 0 else 1):
        udp = _bind("dns", address, port, socket.SOCK_DGRAM)
        try:
            tcp = _bind("dns", address, udp.getsockname()[1])
        except CollectorError:
            udp.close()
            if port or last == FREE_PORT_TRIES - 1:
                raise
            continue
        bound.setdefault(UDP, []).append(udp)
        bound.setdefault("dns", []).append(tcp)
        return


def _bind(name: str, address: str, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    one = socket.socket(family, kind)
    try:
        one.setblocking(False)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_DGRAM:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UDP_BUFFER_BYTES)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UDP_BUFFER_BYTES)
        else:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((address, port))
        if kind == socket.SOCK_STREAM:
            one.listen(BACKLOG)
    except OSError as problem:
        one.close()
        udp = "/udp" if kind == socket.SOCK_DGRAM else ""
        raise CollectorError(f"{name}: cannot listen on {address}:{port}{udp}: {problem.strerror}") from None
    return one
