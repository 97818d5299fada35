"""What is asked for ahead changes nothing: the journal forgets an entry with all that points at it, at any pace."""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lapwing.detect import Detector, DetectSettings, plainly
from lapwing.detect.login import Keyring
from lapwing.detect.table import SPARK_BASE
from lapwing.events import AuthEvidence, AuthResolved, FindingClosed, Outcome

KEY = bytes(range(16))
LIMIT = 1_024


def failure(n: int, source: int, account: int, secret: int | None) -> AuthResolved:
    """One failed login."""
    return AuthResolved(
        ts_ns=(1_000 + n) * 1_000_000,
        client_ip=f"10.{source >> 16 & 255}.{source >> 8 & 255}.{source & 255}",
        username=f"user{account}",
        secret_tag=None if secret is None else f"{secret:x}",
        fingerprint=f"client{source % 7}",
        outcome=Outcome.FAILED,
        evidence=AuthEvidence.APPLICATION,
        protocol="http",
        mechanism="form",
        endpoint="POST /login",
        confidence=1.0,
    )


@pytest.mark.parametrize("step", [1, 7, 300])
def test_no_table_points_at_an_entry_the_journal_has_forgotten(step: int) -> None:
    subject = Detector(DetectSettings(max_sources=LIMIT), key=KEY)
    for n in range(6 * LIMIT):
        # In turn: a first failure of everything, one that other records know already, and one that makes no spark.
        again = n % 5 == 3
        known = n // step * 3 % 90
        source, account = (known, known) if again else (n * 257, n)
        subject.observe(failure(n, source, account, None if n % 11 == 0 else n))
    for tracker in subject._every:
        table, journal = tracker.table, tracker.table.journal
        slots = [slot for slot in range(journal.used()) if journal.has_spark(slot, table.number)]
        assert len(slots) == table.sparks
        assert all(table.find(journal.word(slot, table.field)) == SPARK_BASE - slot for slot in slots)
        assert len(table) <= table.limit


def test_a_finding_in_the_place_of_a_closed_one_counts_its_own_logins() -> None:
    subject = Detector(DetectSettings(max_sources=LIMIT), key=KEY)
    closed: list[FindingClosed] = []
    counts = {}
    n = 0
    for wave in range(3):
        for source in range(4):
            tries = counts[f"10.0.0.{10 * wave + source}"] = 100 + 10 * wave + source
            for _ in range(tries):
                n += 1
                event = failure(n + wave * 10**10, 10 * wave + source, 100 * wave + source, n)
                told = subject.observe(msgspec.structs.replace(event, fingerprint=None))
                closed += [finding for finding in told if type(finding) is FindingClosed]
    closed += [finding for finding in subject.finish(10**18) if type(finding) is FindingClosed]
    assert {finding.subject: finding.failure_count for finding in closed} == counts


@pytest.mark.parametrize("number", [0, 1, 300, 2**30 - 1, 2**30, 2**60 - 1, 2**60, 2**63 - 1])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_whole_number_of_an_event_is_read_whatever_its_size(number: int, sign: int) -> None:
    block = Detector(DetectSettings(max_sources=LIMIT), key=KEY).block()
    event = msgspec.structs.replace(failure(0, 1, 1, 1), seq=sign * number, ts_ns=sign * number)
    assert block.add_event(event)
    assert (block.logins[0].seq, block.logins[0].now_ns) == (sign * number, sign * number)


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("evidence", AuthEvidence)
def test_a_block_takes_what_failed_or_succeeded_and_knows_what_was_only_inferred(
    outcome: Outcome, evidence: AuthEvidence
) -> None:
    block = Detector(DetectSettings(max_sources=LIMIT), key=KEY).block()
    event = msgspec.structs.replace(failure(0, 1, 1, 1), outcome=outcome, evidence=evidence, attempt_count=3)
    assert block.add_event(event) == (outcome in (Outcome.FAILED, Outcome.SUCCEEDED))
    assert block.count == (outcome in (Outcome.FAILED, Outcome.SUCCEEDED))
    if block.count:
        login = block.logins[0]
        assert (login.failed, login.succeeded) == (outcome is Outcome.FAILED, outcome is Outcome.SUCCEEDED)
        assert login.inferred == (evidence in (AuthEvidence.PACKET_SIZE, AuthEvidence.PROTOCOL_STATE))
        assert (login.count, login.weight) == (3, 3.0)


@given(st.integers(1, 2**64 - 1), st.integers(-(2**40), 2**40))
def test_bits_are_counted_and_halves_rounded_in_plain_python_as_in_c(word: int, halves: int) -> None:
    lead, trail = plainly.leading(word), plainly.trailing(word)
    assert word >> 63 - lead == 1
    assert word >> trail & 1
    assert word % (1 << trail) == 0
    assert plainly.leading(0) == 64
    assert plainly.nearest(halves / 2) == (halves // 2 if halves % 2 == 0 else (halves + 1) // 4 * 2)


@given(st.lists(st.integers(1, 2**64 - 1), max_size=16, unique=True), st.integers(1, 2**64 - 1))
def test_an_item_stands_where_its_share_of_a_set_points_or_at_the_first_free_place_after(
    items: list[int], item: int
) -> None:
    words = [0] * 20
    for one in items:
        words[plainly.seek(words, 20, one)] = one
    first, at = item * 20 >> 64, plainly.seek(words, 20, item)
    passed = [words[(first + step) % 20] for step in range((at - first) % 20)]
    assert words[at] in (0, item)
    assert all(passed)
    assert item not in passed


@given(st.lists(st.integers(1, 2**64 - 1), max_size=24, unique=True), st.integers(1, 2**64 - 1), st.booleans())
def test_an_item_stands_in_its_line_of_a_set_or_in_the_first_one_with_room_after(
    items: list[int], item: int, crowded: bool
) -> None:
    if crowded:  # all belong into the last line
        items, item = sorted({one | 7 << 61 for one in items}), item | 7 << 61
    words = [0] * 32
    for one in items:
        words[plainly.seek_lined(words, 32, one)] = one
    share, at = item * 32 >> 64, plainly.seek_lined(words, 32, item)
    lines = [words[first : first + 8] for first in range(0, 32, 8)]
    passed = [lines[(share // 8 + step) % 4] for step in range((at // 8 - share // 8) % 4)]
    assert words[at] in (0, item)
    assert all(all(line) and item not in line for line in passed)
    assert sorted(word for word in words if word) == sorted(items)


OCTET = st.integers(0, 300).map(str) | st.sampled_from(["", "00", "01", "1 ", "+1", "a", "256", "255", "0", "1234"])


ALMOST = st.lists(OCTET, min_size=4, max_size=4).map(".".join)  # so many parts there have to be


@pytest.mark.parametrize("way", range(3))
@given(st.lists(OCTET, min_size=1, max_size=6).map(".".join) | ALMOST | st.text(max_size=18))
@example("192.0.2.1")
@example("255.255.255.255")
@example("0.0.0.0")
@example("1.2.3")
@example("1.2.3.4.5")
@example("1..3.45")
@example(".1.2.34")
@example("10.20.30.")
@example("1.2.3.4567")
@example("1.2.3.04")
@example("100.020.3.4")
@example("1.2.3.256")
@example("1.2.3.4/")
@example("1.2.3:.4")
def test_an_ipv4_address_is_read_as_the_plain_way_reads_it(way: int, text: str) -> None:
    value = plainly.ipv4(text)
    ring = Keyring(KEY)
    ring.hash_by(way)
    login = ring.identify(text, None, "http", None, None)
    if value >= 0:
        assert login is not None
        assert (login.hi, login.lo) == (0, 0xFFFF_0000_0000 | value)
        assert text == ".".join(str(value >> shift & 255) for shift in (24, 16, 8, 0))
    elif login is not None:
        assert ":" in text
