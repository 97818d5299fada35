"""Names the flow that an error of ICMP is about."""

from collections.abc import Iterable
from ipaddress import ip_address

import msgspec

from lapwing.events import Message, Transport
from lapwing.events.messages.icmp import IcmpError
from lapwing.flows import community_id

_PROTOCOLS = {Transport.TCP: 6, Transport.UDP: 17, Transport.SCTP: 132}
_HALF = (1 << 64) - 1


def named(messages: Iterable[Message], flow_id: int) -> list[Message]:
    """The messages with the names of the flow they are about; `flow_id` is 0 when it is not open."""
    return [_named(one, flow_id) if isinstance(one, IcmpError) else one for one in messages]


def _named(error: IcmpError, flow_id: int) -> IcmpError:
    return msgspec.structs.replace(
        error, about_flow_id=flow_id or None, about_community_id=_community_id(error) or None
    )


def _community_id(error: IcmpError) -> str:
    """Of flows with ports; empty for others."""
    protocol = _PROTOCOLS.get(error.transport) if error.transport is not None else None
    if protocol is None or error.source_port is None or error.destination_port is None:
        return ""
    source, destination = ip_address(error.source_ip or ""), ip_address(error.destination_ip or "")
    first, second = (
        (int(address) >> 64, int(address) & _HALF, port)
        for address, port in ((source, error.source_port), (destination, error.destination_port))
    )
    return community_id(source.version, protocol, first, second)
