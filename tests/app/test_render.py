"""The summary on a terminal says what was found and what could not be seen."""

import io

from rich.console import Console

from lapwing.app.render import Run, print_overview
from lapwing.app.summary import Summary
from lapwing.events import AuthEvidence, Outcome, SensorEnded, SensorStarted
from tests.app.samples import START_NS, S, anomaly, finding, login

FACTS = Run({"flows.packets": 1234, "flows.created": 56}, 500_000_000)


def shown(*events: object, run: Run = FACTS) -> str:
    summary = Summary()
    for event in events:
        summary.add(event)  # type: ignore[arg-type]
    text = io.StringIO()
    print_overview(Console(file=text, width=100, highlight=False, markup=False), summary, run)
    return text.getvalue()


def test_the_headline_names_source_amount_span_and_rate() -> None:
    ended = SensorEnded(ts_ns=START_NS + 600 * S, source="a.pcap", counters={})
    text = " ".join(shown(SensorStarted(ts_ns=START_NS, source="a.pcap"), ended).split())
    assert "a.pcap: 1,234 packets, 56 flows, 10 min from 2026-01-01 10:00:00Z" in text
    assert "2,468 packets/s" in text


def test_logins_stand_in_columns_of_their_outcomes_and_say_what_is_inferred() -> None:
    text = shown(login(Outcome.SUCCEEDED), login(protocol="ssh", evidence=AuthEvidence.PACKET_SIZE))
    header, *rows = [line.split() for line in text.split("Logins\n")[1].split("\n\n")[0].splitlines()]
    assert header == ["protocol", "succeeded", "failed", "accounts", "sources", "inferred"]
    assert rows == [["http", "1", "·", "1", "1", "·"], ["ssh", "·", "1", "1", "1", "1"]]


def test_a_finding_is_shown_with_its_sentence_and_id() -> None:
    text = shown(finding())
    assert "high      password-guessing  f0123456789abcde" in text
    assert "192.0.2.7 tried 40 passwords on alice@example.com." in text


def test_no_findings_is_said() -> None:
    assert "Findings\n  none" in shown()


def test_what_could_not_be_seen_is_listed_with_its_place() -> None:
    damage = anomaly("capture.tail_truncated", source="a.pcap", offset=4096, detail="the last packet is cut")
    text = shown(
        damage,
        anomaly("wire.unknown_link", count=3),
        run=Run({"sessions.gap_bytes": 2500, "sessions.encrypted": 2}, 1),
    )
    assert "a.pcap at byte 4,096: the last packet is cut" in text
    assert "3 frames of a link type that is not understood" in text
    assert "2.5 kB missing inside sessions" in text
    assert "2 encrypted sessions" in text


def test_names_from_the_network_cannot_drive_the_terminal_or_the_markup() -> None:
    hostile = "[bold]x[/bold]\x1b]0;owned\x07"
    text = shown(finding(sentence=f"{hostile} tried passwords."), login(protocol=hostile))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[bold]x[/bold]\\x1b" in text
