"""What strangers reach: listeners for callbacks over the store, and the control interface for those who planted them.

An interaction is on disk before it is answered, acknowledged or shown. Protocols are spoken in `callbacks`; here are
sockets, time, limits and TLS.
"""

from lapwing.io.listen.alerting import shown_address
from lapwing.io.listen.collector import Collector
from lapwing.io.listen.settings import Allowance, CollectorSettings, Eviction, Generation, Ports, TlsSettings

__all__ = [
    "Allowance",
    "Collector",
    "CollectorSettings",
    "Eviction",
    "Generation",
    "Ports",
    "TlsSettings",
    "shown_address",
]
