"""Ports for programs that must be told one before they start, and waiting until they listen on it.

What this process opens itself takes port 0 and asks which one it got. For another program that does not do: a port that
the kernel gave and took back may be a connection's own a moment later, and is so for a minute after the connection
ended. These lie below all that kernels give to connections.
"""

import random
import socket
import subprocess
import time

from tests.patience import ENOUGH_S

LOWEST, HIGHEST = 20_000, 32_000
_untried = iter(random.sample(range(LOWEST, HIGHEST), HIGHEST - LOWEST))


def free_port() -> int:
    """A port that nothing has, at any address, in TCP or in UDP; never the same twice in one run.

    Raises:
        StopIteration: All have been given.
    """
    while True:
        port = next(_untried)
        if _is_free(port, socket.SOCK_STREAM) and _is_free(port, socket.SOCK_DGRAM):
            return port


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(type=kind) as one:
        try:
            one.bind(("", port))
        except OSError:
            return False
    return True


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Until a program accepts connections on loopback; a failure when it ends before."""
    until = time.monotonic() + ENOUGH_S
    while time.monotonic() < until:
        assert process.poll() is None, f"{process.args!r} ended at once"
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise AssertionError(f"{process.args!r} does not listen on {port}")
