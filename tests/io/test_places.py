"""Databases the owner brings say where a login came from, and a log is read with them."""

from pathlib import Path

import pytest

from lapwing.app.log_reading import read_logs
from lapwing.events import AuthResolved, Circumstances, SettingsError
from lapwing.io.places import PlaceBook
from lapwing.io.surroundings import look_up
from lapwing.logins import LoginSettings, SecretTagger
from lapwing.sessions import PipelineSettings

from .mmdb import database

pytest.importorskip("maxminddb", reason="maxminddb is absent: pip install 'lapwing[places]'")

CITY = {"country": {"iso_code": "DE"}, "location": {"latitude": 52.5, "longitude": 13.4}}
ASN = {"autonomous_system_number": 64_496, "autonomous_system_organization": "Example"}


@pytest.fixture
def databases(tmp_path: Path) -> tuple[str, str]:
    city, asn = tmp_path / "city.mmdb", tmp_path / "asn.mmdb"
    city.write_bytes(database({"192.0.2.0/24": CITY, "198.51.100.0/24": {"country_code": "at"}}))
    asn.write_bytes(database({"192.0.0.0/16": ASN, "203.0.113.0/24": {"asn": "AS64497"}}))
    return str(city), str(asn)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", Circumstances(asn=64_496, country="DE", latitude=52.5, longitude=13.4)),
        ("192.0.3.7", Circumstances(asn=64_496)),
        ("198.51.100.7", Circumstances(country="AT")),
        ("203.0.113.7", Circumstances(asn=64_497)),
        ("10.0.0.1", None),
        ("2001:db8::1", None),
        ("no address", None),
    ],
)
def test_databases_answer_together(databases: tuple[str, str], address: str, expected: Circumstances | None) -> None:
    book = PlaceBook(databases)
    assert book.look(address) == expected
    assert book.look(address) == expected


@pytest.mark.parametrize(
    "record", [{"country": {"iso_code": "Germany"}}, {"location": {"latitude": 1e9, "longitude": 0.0}}, {"asn": "AS"}]
)
def test_what_makes_no_sense_is_passed_over(tmp_path: Path, record: object) -> None:
    path = tmp_path / "odd.mmdb"
    path.write_bytes(database({"192.0.2.0/24": record}))
    assert PlaceBook([path]).look("192.0.2.1") is None


def test_a_database_that_is_none_is_refused_by_its_key(tmp_path: Path) -> None:
    path = tmp_path / "none.mmdb"
    path.write_bytes(b"not a database")
    for wrong in (path, tmp_path / "absent.mmdb"):
        with pytest.raises(SettingsError, match=r"logins\.places: .*mmdb"):
            look_up(LoginSettings(places=(str(wrong),)), SecretTagger(bytes(32)))


def test_without_databases_and_leaks_nothing_is_asked() -> None:
    assert look_up(LoginSettings(), SecretTagger(bytes(32))) is None


def test_a_log_is_read_with_the_places_of_its_sources(databases: tuple[str, str], tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    log.write_text("Jan  5 08:00:00 host sshd[1]: Failed password for root from 192.0.2.9 port 22 ssh2\n")
    settings = PipelineSettings(logins=LoginSettings(places=databases))
    (login,) = [e for e in read_logs(log, settings=settings) if isinstance(e, AuthResolved)]
    assert login.circumstances == Circumstances(asn=64_496, country="DE", latitude=52.5, longitude=13.4)
