"""Rows of `tunnel.log`, and what `conn.log` says of tunnels."""

from collections.abc import Iterator

from lapwing.app.zeek.names import uid_of
from lapwing.app.zeek.rows import Row
from lapwing.events import Carrier, FlowClosed

MAX_TUNNELS = 262_144  # known at a time; twice what a flow table tells apart. Of more, one is over for each that comes

_TYPES = {
    "gre": "Tunnel::GRE",
    "ip": "Tunnel::IP",
    "vxlan": "Tunnel::VXLAN",
    "geneve": "Tunnel::GENEVE",
    "gtp-u": "Tunnel::GTPv1",
    "teredo": "Tunnel::TEREDO",
    "l2tp": "Tunnel::L2TP",  # a name of ours: that program does not look into these
}
_CONNECTIONS = frozenset({"vxlan", "geneve", "gtp-u", "teredo", "l2tp"})  # over UDP: they close, others expire in a day


class TunnelRows:
    """A row as a tunnel is found, and one when it is over for those that are connections themselves."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Carrier, int]] = {}  # by name: when it was seen last, in ns; the latest last

    def found(self, carriers: tuple[Carrier, ...], ts_ns: int) -> Iterator[Row]:
        """Rows of those not known yet, the outermost first."""
        for carrier in carriers:
            name = uid_of_carrier(carrier)
            known = self._known.pop(name, None)
            if known is None:
                if len(self._known) >= MAX_TUNNELS:
                    yield from self._over(next(iter(self._known)))
                yield _row(name, carrier, ts_ns, "Tunnel::DISCOVER")
                self._known[name] = (carrier, ts_ns)
            else:
                self._known[name] = (known[0], max(known[1], ts_ns))

    def closed(self, flow: FlowClosed) -> Iterator[Row]:
        """The flow lasted until now, and so did its tunnels; some of them only carried the other direction."""
        for carriers in (flow.client_carriers, flow.server_carriers):
            yield from self.found(carriers, flow.last_ts_ns)

    def end(self) -> Iterator[Row]:
        """Connections are over when the input is."""
        for name in list(self._known):
            yield from self._over(name)

    def _over(self, name: str) -> Iterator[Row]:
        carrier, ts_ns = self._known.pop(name)
        if carrier.kind in _CONNECTIONS:
            yield _row(name, carrier, ts_ns, "Tunnel::CLOSE")


def parents(flow: FlowClosed) -> tuple[str, ...] | None:
    """Names of the tunnels directly around a flow; None when it came in none."""
    around = [carriers[-1] for carriers in (flow.client_carriers, flow.server_carriers) if carriers]
    return tuple(dict.fromkeys(uid_of_carrier(carrier) for carrier in around)) or None


def uid_of_carrier(carrier: Carrier) -> str:
    """The name of a tunnel: that of its connection, whatever number a packet has in it."""
    return uid_of(carrier.community_id, 0)


def _row(name: str, carrier: Carrier, ts_ns: int, action: str) -> Row:
    return {
        "ts": ts_ns,
        "uid": name,
        "id.orig_h": carrier.client_ip,
        "id.orig_p": carrier.client_port,
        "id.resp_h": carrier.server_ip,
        "id.resp_p": carrier.server_port,
        "tunnel_type": _TYPES[carrier.kind],
        "action": action,
    }
