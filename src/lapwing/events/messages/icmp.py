"""ICMP (RFC 792, RFC 4443): what the network says of a packet."""

from lapwing.events.enums import Transport
from lapwing.events.messages.base import BaseMessage


class IcmpError(BaseMessage, frozen=True, gc=False, tag="icmp.error"):
    """A packet could not go on, as a host or router on its way reports.

    `reason` is a word for type and code, e.g. `port-unreachable`, or `type-3-code-99` for others. The fields after it
    are of the packet that is quoted, None where too little of it is: source and destination as it had them.
    `about_flow_id` names its flow while that is open; `about_community_id` names it always. `mtu` comes with
    `fragmentation-needed` and `packet-too-big`, `gateway` with redirects.
    """

    type: int
    code: int
    reason: str
    transport: Transport | None = None
    source_ip: str | None = None
    source_port: int | None = None
    destination_ip: str | None = None
    destination_port: int | None = None
    about_flow_id: int | None = None
    about_community_id: str | None = None
    mtu: int | None = None
    gateway: str | None = None


IcmpMessage = IcmpError
