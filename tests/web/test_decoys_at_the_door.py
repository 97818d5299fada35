"""Decoys typed into a guarded application."""

import secrets
from collections.abc import Callable

import pytest

from lapwing.callbacks import DecoyIndex, decoy_account, decoy_password
from lapwing.events import Event, Finding, TokenTripped
from lapwing.web import Gate

from .test_apps import Send, form, over_asgi, over_wsgi

NOTE = "left in the wiki of the finance team"
KEY = bytes(range(32))
both = pytest.mark.parametrize("make", [over_asgi, over_wsgi])


@both
def test_a_decoy_password_typed_into_an_application_is_found_with_its_note(make: Callable[[Gate], Send]) -> None:
    password = secrets.token_urlsafe(12)
    told: list[Event] = []
    gate = Gate(listener=told.extend, decoys=DecoyIndex([decoy_password(password, KEY, NOTE)]), tag_key=KEY)
    send = make(gate)
    send("/login", form("bob", "another one"))
    assert not [event for event in told if isinstance(event, TokenTripped)]
    send("/login", form("bob", password))
    (tripped,) = [event for event in told if isinstance(event, TokenTripped)]
    (finding,) = [event for event in told if isinstance(event, Finding) and event.finding == "decoy-used"]
    assert (tripped.token_kind, tripped.purpose) == ("password", NOTE)
    assert NOTE in finding.sentence
    assert password not in repr(told)


@both
def test_a_decoy_account_trips_at_the_door_too(make: Callable[[Gate], Send]) -> None:
    told: list[Event] = []
    send = make(Gate(listener=told.extend, decoys=DecoyIndex([decoy_account("svc-payroll", NOTE)])))
    send("/login", form("SVC-Payroll", "x"))
    assert [event.token_id for event in told if isinstance(event, TokenTripped)] == ["svc-payroll"]
