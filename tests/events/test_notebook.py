"""What a notebook shows of events: readable, complete enough, and safe."""

import html
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import AnomalySeen, Event, Severity, decode
from tests.app.samples import anomaly, finding, flow, login

GOLDEN = [decode(line) for line in (Path(__file__).parent / "golden.ndjson").read_bytes().splitlines()]


def page(event: Event) -> str:
    return event._repr_html_()


@pytest.mark.parametrize("event", GOLDEN, ids=lambda event: type(event).__name__)
def test_every_kind_of_event_shows_itself(event: Event) -> None:
    shown = page(event)
    assert re.findall(r"<(/?\w+)", shown)
    opened, closed = re.findall(r"<(\w+)", shown), re.findall(r"</(\w+)", shown)
    assert sorted(opened) == sorted(closed)


def test_what_is_said_of_both_sides_stands_side_by_side() -> None:
    shown = page(flow())
    assert "<tr><th></th><th>client</th><th>server</th></tr>" in shown
    assert f"<tr><th>ip</th><td>{flow().client_ip}</td><td>{flow().server_ip}</td></tr>" in shown
    assert "<b>flow.closed</b>" in shown
    assert "2026-01-01 10:00:0" in shown


def test_a_finding_shows_its_sentence_and_reasons() -> None:
    event = finding(severity=Severity.CRITICAL)
    shown = html.unescape(page(event))
    assert event.sentence in shown
    assert "critical" in shown
    for reason in event.evidence:
        assert reason.sentence in shown


@given(st.text(max_size=60))
def test_a_name_never_becomes_markup(name: str) -> None:
    shown = page(login(username=f"<script>{name}</script>"))
    assert "<script" not in shown
    assert re.sub(r"</?(?:b|table|tr|th|td)>", "", shown).count("<") == 0
    assert shown.isprintable()


def test_a_long_text_is_cut_and_any_time_is_shown() -> None:
    assert len(page(msgspec.structs.replace(anomaly("tcp.out_of_window"), detail="x" * 10_000))) < 2_000
    for ts_ns, year in ((2**63 - 1, "2262"), (-(2**63), "1677")):
        assert f"<td>{year}-" in page(AnomalySeen(ts_ns=ts_ns, kind="a.b", severity=Severity.INFO))
