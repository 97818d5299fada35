"""Events of rows are the same whoever makes them."""

import random

import numpy as np
import pytest

from lapwing.flows import (
    CLOSE_REASONS,
    COMPILED,
    CONN_STATES,
    KEY_DTYPE,
    RECORD_DTYPE,
    ROLE_EVIDENCE,
    closed_events,
    objects,
    opened_events,
)

pytestmark = pytest.mark.skipif(not COMPILED, reason="the compiled modules are absent")

_NAMED = {"ip_version": (0, 4, 6), "ip_protocol": (1, 6, 17, 47, 58, 132, 255)}
_INDEXES = {"role_evidence": ROLE_EVIDENCE, "close_reason": CLOSE_REASONS, "conn_state": CONN_STATES}
_HISTORIES = (b"", b"S", b"ShADadFf", b"ShADadFfR", b"ShADadttFfccggwwIiQqRr", b"ABCDEFGHIJKLMNOPQRSTUVWX")
_HALVES = (0, 1, 0xFFFF_0A00_0001, 0x0A00_0001, 0x2001_0DB8_0000_0000, 0x0001_0000_0000_0001, 2**64 - 1)


def rows_of(dtype: "np.dtype[np.void]", count: int, seed: int) -> "np.ndarray[tuple[int], np.dtype[np.void]]":
    """Rows of any values their fields can have, of which ends are often alike."""
    dice = random.Random(seed)
    rows = np.zeros(count, dtype)
    for row in rows:
        for name in dtype.names or ():
            if name in _NAMED:
                row[name] = dice.choice(_NAMED[name])
            elif name in _INDEXES:
                row[name] = dice.randrange(len(_INDEXES[name]))
            elif name == "history":
                row[name] = dice.choice(_HISTORIES)
            elif name.endswith(("_hi", "_lo")):
                row[name] = dice.choice((*_HALVES, dice.getrandbits(64)))
            else:
                bits = 8 * row[name].dtype.itemsize - 1
                row[name] = dice.getrandbits(dice.choice((3, bits)))
        if row["ip_version"] == 4:
            for side in ("client", "server"):
                row[f"{side}_hi"], row[f"{side}_lo"] = 0, int(row[f"{side}_lo"]) & 0xFFFF_FFFF
    return rows


@pytest.mark.parametrize("seed", range(8))
def test_openings_agree(seed: int) -> None:
    rows = rows_of(KEY_DTYPE, 200, seed)
    assert opened_events(rows) == objects.opened_events(rows)
    assert opened_events(rows, str) == objects.opened_events(rows, str)


@pytest.mark.parametrize("seed", range(8))
def test_records_agree(seed: int) -> None:
    rows = rows_of(RECORD_DTYPE, 200, seed)
    times = list(range(len(rows)))
    assert closed_events(rows) == objects.closed_events(rows)
    assert closed_events(rows, times, str) == objects.closed_events(rows, times, str)


def test_flows_whose_names_take_the_place_of_each_other_keep_their_own() -> None:
    rows = np.zeros(20_000, KEY_DTYPE)  # several times as many as names are kept
    rows["flow_id"], rows["ip_version"], rows["ip_protocol"] = np.arange(1, 20_001), 4, 6
    rows["client_lo"], rows["server_lo"] = 0xC000_0201, 0xC633_6400 + np.arange(20_000) % 200
    rows["client_port"], rows["server_port"] = 1024 + np.arange(20_000) // 200, 443
    expected = objects.opened_events(rows)
    assert opened_events(rows) == expected
    assert opened_events(rows) == expected
    assert opened_events(rows[::-1].copy()) == expected[::-1]


def test_what_differs_in_one_field_has_names_of_its_own() -> None:
    rows = np.zeros(64, KEY_DTYPE)
    rows["flow_id"], rows["ip_version"], rows["ip_protocol"] = np.arange(1, 65), 6, 6
    for bit, name in enumerate(("client_hi", "client_lo", "server_hi", "server_lo", "client_port", "server_port")):
        rows[name] = 0x2001 + (np.arange(64) >> bit & 1)
    for number in (17, 6):  # the same places again, with another transport
        rows["ip_protocol"] = number
        assert opened_events(rows) == objects.opened_events(rows)
    rows["client_hi"] = rows["server_hi"] = 0
    for version in (6, 4):
        rows["ip_version"] = version
        assert opened_events(rows) == objects.opened_events(rows)


def test_rows_that_do_not_lie_side_by_side_give_events_too() -> None:
    rows = rows_of(RECORD_DTYPE, 20, 1)[::2]
    assert closed_events(rows) == objects.closed_events(rows)
    assert opened_events(rows_of(KEY_DTYPE, 0, 1)) == []
