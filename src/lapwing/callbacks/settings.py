"""How a callback session waits, asks and remembers."""

from ipaddress import ip_network

import msgspec

from lapwing.callbacks.tokens import MAX_LABEL_LENGTH, MIN_PART_LENGTH
from lapwing.events import SettingsError


class SessionSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of the client's session. Times are seconds unless the name says otherwise."""

    default_timeout_s: float = 30.0  # a wait that names none
    max_timeout_s: float = 120.0  # longer waits are shortened to this
    verdict_grace_s: float = 10.0  # how long past its deadline a wait stays for the fetch that proves absence
    poll_interval_s: float = 2.0  # between polls while somebody waits; nobody waiting, nothing is asked
    degraded_after_count: int = 3  # failed fetches in a row; one success ends it
    max_backoff_s: float = 30.0  # after n failures 2**n seconds, at most this
    burst_count: int = 3  # requests to the collector at once
    sustained_per_s: float = 5.0  # and on average
    max_observation_age_s: float = 600.0  # then an interaction nobody waited for is forgotten
    gc_period_s: float = 60.0  # how often the old ones are looked for
    max_per_protocol_count: int = 64  # interactions kept per token and protocol; one flood hides no other protocol
    max_observation_count: int = 10_000  # interactions kept in all, the oldest token goes first
    max_waiter_count: int = 10_000  # waits at one time
    max_shared_count: int = 1_000  # interactions without an owner, kept until they are taken

    def __post_init__(self) -> None:
        """Raise SettingsError where the values do not fit one another."""
        for name in self.__struct_fields__:
            if getattr(self, name) <= 0:
                raise SettingsError(f"callbacks.waits.{name}: must be above 0")
        if self.default_timeout_s > self.max_timeout_s:
            raise SettingsError("callbacks.waits.default_timeout_s: must not be above max_timeout_s")
        if self.poll_interval_s >= self.default_timeout_s:
            raise SettingsError("callbacks.waits.poll_interval_s: must be below default_timeout_s")


class ClientSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a collector is reached, and what the tokens look like."""

    domain: str = ""  # below which tokens are planted; the server's own name when empty
    private_networks: tuple[str, ...] = ()  # of one's own collectors, e.g. 192.0.2.0/24; others are never contacted
    ca_file: str = ""  # PEM certificates that vouch for the collector; those of the system when empty
    call_timeout_s: float = 5.0  # of one call to the collector
    id_length: int = 20  # characters; as long as the collector's, or it reports nothing
    nonce_length: int = 13  # characters behind them; likewise
    waits: SessionSettings = SessionSettings()

    def __post_init__(self) -> None:
        """Raise SettingsError for a value no collector can be reached with."""
        if self.call_timeout_s <= 0:
            raise SettingsError("callbacks.call_timeout_s: must be above 0")
        shortest = MIN_PART_LENGTH
        total = self.id_length + self.nonce_length
        if min(self.id_length, self.nonce_length) < shortest or total > MAX_LABEL_LENGTH:
            allowed = f"at least {shortest} each, together at most {MAX_LABEL_LENGTH}"
            raise SettingsError(f"callbacks.id_length, nonce_length: {allowed}")
        for network in self.private_networks:
            try:
                ip_network(network)
            except ValueError as problem:
                raise SettingsError(f"callbacks.private_networks: {problem}; e.g. 192.0.2.0/24") from None
