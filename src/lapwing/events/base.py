"""What every event carries."""

import msgspec

from lapwing.events.enums import Transport
from lapwing.events.notebook import event_page


class Facts(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """Common settings of all structs of the vocabulary."""


class Event(Facts, frozen=True, gc=False, kw_only=True, tag_field="event_type"):
    """One thing that happened. Subclasses add the facts; these two are stamped by the driver.

    `seq` is 1 for the first event of a stream and grows by one; 0 means not yet stamped.
    `sensor` names the observer when several feed one place.
    """

    seq: int = 0
    sensor: str = ""

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return event_page(self)


class FlowKey(Facts, frozen=True, gc=False):
    """Names one flow. Parsers and login adapters are made per flow from this.

    Addresses are text (RFC 5952). Ports are 0 where the transport has none. `community_id` is version 1.
    """

    flow_id: int
    community_id: str
    transport: Transport
    client_ip: str
    client_port: int
    server_ip: str
    server_port: int


class FlowBound(Event, frozen=True, gc=False):
    """An event about one flow: its time (int64 nanoseconds UTC) and the fields of its key, flat."""

    ts_ns: int
    flow_id: int
    community_id: str
    transport: Transport
    client_ip: str
    client_port: int
    server_ip: str
    server_port: int
