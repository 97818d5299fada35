"""Where an address is and who operates its network, from databases in MaxMind's format that the owner brings.

None is shipped. Country, city and ASN databases of any maker will do; what one does not say another may.
"""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from lapwing.events import Circumstances, SettingsError

MAX_CACHED = 65_536  # addresses; a full cache starts anew


class PlaceBook:
    """Answers from all databases together. Raises SettingsError where one cannot be opened."""

    def __init__(self, paths: Iterable[str | Path]) -> None:
        try:
            from maxminddb import MODE_MEMORY, InvalidDatabaseError, open_database
        except ModuleNotFoundError:
            raise SettingsError("logins.places: needs maxminddb: pip install 'lapwing[places]'") from None
        self._readers: list[Any] = []
        for path in paths:
            try:
                self._readers.append(open_database(path, MODE_MEMORY))
            except (OSError, InvalidDatabaseError, ValueError) as error:
                raise SettingsError(f"logins.places: {path}: {error}") from None
        self._known: dict[str, Circumstances | None] = {}

    def look(self, address: str) -> Circumstances | None:
        """What the databases say of `address`; None where they say nothing."""
        if address not in self._known:
            if len(self._known) >= MAX_CACHED:
                self._known.clear()
            self._known[address] = self._read(address)
        return self._known[address]

    def _read(self, address: str) -> Circumstances | None:
        facts: dict[str, Any] = {}
        for reader in self._readers:
            record = None
            with suppress(ValueError):  # no address, or IPv6 in a database of IPv4
                record = reader.get(address)
            if isinstance(record, dict):
                facts = _facts(record) | facts
        return Circumstances(**facts) if facts else None


def _facts(record: dict[str, Any]) -> dict[str, Any]:
    """What we use of a record, by the names most makers use."""
    country, location = record.get("country"), record.get("location")
    code = country.get("iso_code") if isinstance(country, dict) else country or record.get("country_code")
    asn = record.get("autonomous_system_number", record.get("asn"))
    if isinstance(asn, str):
        asn = asn.upper().removeprefix("AS")
    facts: dict[str, Any] = {}
    if isinstance(code, str) and len(code) == 2:
        facts["country"] = code.upper()
    with suppress(TypeError, ValueError):
        facts["asn"] = int(asn)  # type: ignore[arg-type] # None is caught
    place = location if isinstance(location, dict) else record
    with suppress(TypeError, ValueError, KeyError):
        latitude, longitude = float(place["latitude"]), float(place["longitude"])
        if abs(latitude) <= 90 and abs(longitude) <= 180:
            facts |= {"latitude": latitude, "longitude": longitude}
    return facts
