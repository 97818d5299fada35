"""Lapwing watches login sessions: packets in, typed messages, logins and credential attacks out.

`read` gives the events of captures, `stream` the same for `async for`, `flows` only their flow records, fast.
`Guard` judges logins inside a program: `attempt(AuthAttempt)` before a secret is checked, `result(AuthResult)` after.
`read_logs` gives the events of log files, `watch_logs` those of log files as they grow.
`load_decoys` gives the decoys that were planted, for any of these and for an application's gate.
`callbacks.session` waits for whoever reaches what was planted.
The words these speak are in `lapwing.events`.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from lapwing._version import __version__

if TYPE_CHECKING:
    from lapwing import callbacks
    from lapwing.app.decoys import Decoys, load_decoys
    from lapwing.app.flow_reading import FlowReading, flows
    from lapwing.app.log_reading import LogReading, read_logs
    from lapwing.app.log_watching import LogWatching, watch_logs
    from lapwing.app.login_guard import Guard
    from lapwing.app.login_tries import AuthAttempt, AuthResult, Takeover
    from lapwing.app.reading import Reading, read, stream

_HOMES = {
    "AuthAttempt": "lapwing.app.login_tries",
    "AuthResult": "lapwing.app.login_tries",
    "Decoys": "lapwing.app.decoys",
    "FlowReading": "lapwing.app.flow_reading",
    "Guard": "lapwing.app.login_guard",
    "LogReading": "lapwing.app.log_reading",
    "LogWatching": "lapwing.app.log_watching",
    "Reading": "lapwing.app.reading",
    "Takeover": "lapwing.app.login_tries",
    "load_decoys": "lapwing.app.decoys",
    "read": "lapwing.app.reading",
    "read_logs": "lapwing.app.log_reading",
    "stream": "lapwing.app.reading",
    "watch_logs": "lapwing.app.log_watching",
}

__all__ = [
    "AuthAttempt",
    "AuthResult",
    "Decoys",
    "FlowReading",
    "Guard",
    "LogReading",
    "LogWatching",
    "Reading",
    "Takeover",
    "__version__",
    "callbacks",
    "flows",
    "load_decoys",
    "read",
    "read_logs",
    "stream",
    "watch_logs",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `import lapwing` alone stays cheap."""
    from importlib import import_module

    if name == "callbacks":
        return import_module("lapwing.callbacks")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'lapwing' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """Lets `lapwing.flows` be the function while `from lapwing.flows import ...` still reaches the room.

    Importing a room makes Python bind it as an attribute of this package; for `flows` that binding is dropped.
    """

    def _get_flows(self) -> Any:
        from lapwing.app.flow_reading import flows

        return flows

    def _keep_flows(self, room: ModuleType) -> None:
        """The room stays in `sys.modules`, where `from` finds it."""

    if not TYPE_CHECKING:
        flows = property(_get_flows, _keep_flows)


sys.modules[__name__].__class__ = _Package
