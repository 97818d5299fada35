"""What the DNS listener answers for: its domains, their addresses, and what was set for single names."""

from collections import OrderedDict
from collections.abc import Iterator
from ipaddress import ip_address

import msgspec

from lapwing.events import SettingsError, WireError
from lapwing.wire.dns_names import escape, write_name
from lapwing.wire.dns_records import TYPE_NUMBERS, encode_data

MAX_REBINDINGS = 65_536  # names whose turn is remembered; the oldest begins anew
CUSTOM_TYPES = ("A", "AAAA", "CNAME", "MX", "TXT", "NS")
MAX_VALUES = 64  # of one record; more fit no answer
MAX_TEXT_BYTES = 255  # of one string in a TXT record

# Where cloud and local services listen, by a name: for testing what a resolver lets through.
WELL_KNOWN = {
    "aws": "169.254.169.254",
    "alibaba": "100.100.100.200",
    "localhost": "127.0.0.1",
    "oracle": "192.0.0.192",
}


class CustomRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer for one name below a domain, or for one token.

    Several values are all given, unless `rebind`: then each query gets the next of them, the last one staying.
    `priority` is for MX.
    """

    type: str
    values: tuple[str, ...]
    ttl_s: int = 0
    priority: int = 10
    rebind: bool = False

    def __post_init__(self) -> None:
        """Raise SettingsError for a type that has no custom answers, or a value that does not fit it."""
        if self.type not in CUSTOM_TYPES or not 0 < len(self.values) <= MAX_VALUES:
            raise SettingsError(
                f"callbacks.dns.records: type is one of {', '.join(CUSTOM_TYPES)}, with 1 to {MAX_VALUES} values"
            )
        for value in self.values:
            try:
                encode_data(*record_data(self, value))
            except WireError as problem:
                raise SettingsError(f"callbacks.dns.records: {value!r}: {problem}") from None


class Zone(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The listener's authority. Names are in lower case without a last dot.

    `records` are looked up by the whole name before the domain, then by each of its labels, so that a token's
    answers hold whatever stands before it. `challenges` are texts for `_acme-challenge` names.
    """

    domains: tuple[str, ...]
    ipv4: tuple[str, ...] = ()
    ipv6: tuple[str, ...] = ()
    ttl_s: int = 1  # a hit that is answered from a cache is not seen
    name_servers: tuple[str, ...] = ("ns1", "ns2")  # labels below each domain
    mailbox: str = "hostmaster"  # label below each domain
    serial: int = 1
    issuers: tuple[str, ...] = ("letsencrypt.org",)  # who may make certificates (RFC 8659)
    records: dict[str, tuple[CustomRecord, ...]] = {}
    challenges: dict[str, tuple[str, ...]] = {}

    def __post_init__(self) -> None:
        """Raise SettingsError where a name or address is none."""
        if not self.domains or any(domain != domain.strip(".").lower() or not domain for domain in self.domains):
            raise SettingsError("callbacks.dns.domains: names in lower case, without a dot at either end")
        try:
            for label in ("mail", self.mailbox, *self.name_servers):
                for domain in self.domains:
                    write_name(f"{label}.{domain}")
            for issuer in self.issuers:
                write_name(issuer)
        except WireError as problem:
            raise SettingsError(f"callbacks.dns: a name does not fit: {problem}") from None
        _check_addresses(self.ipv4, 4)
        _check_addresses(self.ipv6, 6)

    def domain_of(self, name: str) -> str | None:
        """Return the longest domain of ours that `name` is or stands below."""
        found = [domain for domain in self.domains if name == domain or name.endswith("." + domain)]
        return max(found, key=len, default=None)

    def custom(self, below: str) -> tuple[str, tuple[CustomRecord, ...]]:
        """Return what was set for a name, given without the domain, and under which key."""
        for key in _keys(below):
            records = self.records.get(key)
            if records is not None:
                return key, records
            if key in WELL_KNOWN:
                return key, (CustomRecord("A", (WELL_KNOWN[key],)),)
        return "", ()


class Rebindings:
    """Whose turn it is, by name: the only thing the DNS listener remembers between queries."""

    def __init__(self) -> None:
        self._turns: OrderedDict[tuple[str, str], int] = OrderedDict()

    def next(self, name: str, record: CustomRecord) -> tuple[str, ...]:
        """Return the values to give now."""
        if not record.rebind:
            return record.values
        key = name, record.type
        turn = self._turns.pop(key, 0)
        self._turns[key] = min(turn + 1, len(record.values) - 1)
        if len(self._turns) > MAX_REBINDINGS:
            self._turns.popitem(last=False)
        return (record.values[turn],)

    def __len__(self) -> int:
        return len(self._turns)


def record_data(record: CustomRecord, value: str) -> tuple[int, str]:
    """Return type number and presentation of one value."""
    if record.type == "MX":
        return TYPE_NUMBERS["MX"], f"{record.priority} {value}"
    return TYPE_NUMBERS[record.type], text_data(value) if record.type == "TXT" else value


def text_data(value: str) -> str:
    """Return a text as the strings of a TXT record."""
    data = value.encode("utf-8")
    pieces = [data[start : start + MAX_TEXT_BYTES] for start in range(0, len(data), MAX_TEXT_BYTES)] or [b""]
    return " ".join(f'"{escape(piece)}"' for piece in pieces)


def _keys(below: str) -> Iterator[str]:
    if below:
        yield below
        if "." in below:
            yield from below.split(".")


def _check_addresses(addresses: tuple[str, ...], version: int) -> None:
    for address in addresses:
        try:
            fits = ip_address(address).version == version
        except ValueError:
            fits = False
        if not fits:
            raise SettingsError(f"callbacks.dns: {address!r} is no IPv{version} address")
