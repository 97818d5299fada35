"""Fingerprints of recorded TLS, QUIC and SSH streams against the values published with the recordings."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import lapwing
from lapwing.events import SessionMessaged, Side
from lapwing.events.messages import SshKexInit
from lapwing.events.messages.tls import TlsClientHello
from tests.conformance.zeek_logs import captures

Stream = tuple[str, str, str, str]
_FIELDS = ("JA4.1", "JA4.2", "hassh", "hassh_server")


class Agreement(NamedTuple):
    """How many published values there are, and those that differ: where, theirs, ours."""

    compared: int
    differences: list[tuple[str, Stream, str, str | None]]

    @property
    def percent(self) -> float:
        """Values that agree, of those compared."""
        return 100.0 * (self.compared - len(self.differences)) / self.compared


def compare_fingerprints() -> Agreement | None:
    """Compare every published value; None without captures."""
    root = captures()
    if root is None:
        return None
    folder = root / "fingerprints"
    compared, differences = 0, []
    for entry in json.loads((folder / "index.json").read_text(encoding="utf-8")):
        found = found_in(folder / entry["capture"])
        for stream in entry["streams"]:
            key = _endpoints(stream)
            mine_here = found[key] if key in found else _by_ports(found, key)
            for name in (name for name in _FIELDS if name in stream):
                compared += 1
                mine = mine_here.get(name)
                if mine != stream[name]:
                    differences.append((entry["capture"], key, f"{name} {stream[name]}", mine))
    return Agreement(compared, differences)


def _endpoints(stream: dict[str, Any]) -> Stream:
    return stream["src"], stream["srcport"], stream["dst"], stream["dstport"]


def _by_ports(found: dict[Stream, dict[str, str]], key: Stream) -> dict[str, str]:
    """Of a stream inside a tunnel the index names the addresses outside and the ports inside."""
    alike = [values for endpoints, values in found.items() if endpoints[1::2] == key[1::2]]
    return alike[0] if len(alike) == 1 else {}


def found_in(path: Path) -> dict[Stream, dict[str, str]]:
    """The fingerprints of every flow of a capture, by the names of the index."""
    found: defaultdict[Stream, dict[str, str]] = defaultdict(dict)
    for event in lapwing.read(path, events=("session",)):
        if not isinstance(event, SessionMessaged):
            continue
        mine = found[event.client_ip, str(event.client_port), event.server_ip, str(event.server_port)]
        if isinstance(event.message, TlsClientHello):
            mine[f"JA4.{1 + sum(name.startswith('JA4') for name in mine)}"] = event.message.ja4
        elif isinstance(event.message, SshKexInit):
            mine["hassh" if event.side is Side.CLIENT else "hassh_server"] = event.message.hassh
    return found
