"""What this installation can do: compiled loops or plain ones, libpcap, the right to capture."""

import ctypes.util
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import lapwing

SLOWDOWN = 24  # plain loops against compiled ones, see docs/decisions/0001
CAP_NET_RAW = 13  # bit in the effective set, capabilities(7)


def hot_modules() -> dict[str, bool]:
    """Every hot module by name, and whether it is compiled."""
    root = Path(str(files(lapwing)))
    names = sorted(f"lapwing.{path.parent.name}.{path.stem}" for path in root.glob("*/hot*.py"))
    return {name: _is_compiled(name) for name in names}


def _is_compiled(name: str) -> bool:
    spec = find_spec(name)
    return spec is not None and spec.origin is not None and not spec.origin.endswith(".py")


def libpcap() -> str | None:
    """The name of the shared library, None when it is not installed."""
    return ctypes.util.find_library("pcap")


def may_capture() -> bool:
    """Whether this process may open packet sockets."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return False
    effective = next((line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), "0")
    return bool(int(effective, 16) >> CAP_NET_RAW & 1)
