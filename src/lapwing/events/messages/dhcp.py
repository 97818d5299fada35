"""DHCP (RFC 2131, RFC 2132)."""

from msgspec import field

from lapwing.events.messages.base import BaseMessage


class DhcpPacket(BaseMessage, frozen=True, gc=False, tag="dhcp.packet"):
    """One message. Addresses that are all zero are None; `type` is `discover`, `offer`, ..., `bootp` without an option.

    `client_id` is that of option 61 in hex, `parameters` are the options the client asks for, in its order.
    """

    type: str
    transaction_id: int
    client_mac: str
    client_ip: str | None = None
    assigned_ip: str | None = None
    server_ip: str | None = None
    relay_ip: str | None = None
    requested_ip: str | None = None
    host_name: str | None = None
    domain: str | None = None
    vendor_class: str | None = None
    client_id: str | None = None
    lease_s: int | None = None
    text: str | None = None
    parameters: list[int] = field(default_factory=list)


DhcpMessage = DhcpPacket
