"""What is named as limits of detection holds at the number and not beside it."""

import msgspec
import pytest

from lapwing.detect import Detector, DetectSettings
from lapwing.detect.decisions import GROWTHS
from lapwing.detect.episode import MAX_PROTOCOLS as MAX_NAMED_PROTOCOLS
from lapwing.detect.episode import MAX_SAMPLES, MAX_SEQS, Episode
from lapwing.detect.journal import Journal
from lapwing.detect.login import MAX_ADDRESS_CHARS, MAX_CACHED, MAX_COUNT, MAX_PROTOCOLS, NAME_BYTES, Keyring, Login
from lapwing.detect.reasons import Reason
from lapwing.detect.settings import AnswerSettings, CircumstanceSettings, TakeoverSettings
from lapwing.detect.standings import Standings
from lapwing.detect.trackers.homes import MAX_ATTACKERS, MAX_PLACES, Places, Wrongs
from lapwing.detect.trackers.pairs import MAX_SECRETS, Secrets
from lapwing.detect.trackers.surroundings import MAX_COUNTRIES, MAX_OPERATORS, Surroundings
from lapwing.detect.trackers.surroundings import MAX_PLACES as MAX_LAST_PLACES
from lapwing.detect.trackers.takeovers import MAX_HITS, Takeovers
from lapwing.events import Action, AuthResolved, Circumstances, DecisionMade
from lapwing.testing.logins import START_NS, Traffic, attacker

AT_AND_BESIDE = pytest.mark.parametrize("beyond", [0, 1])
KEY = bytes(range(16))
MOST_LEVELS = 255  # MOST_LEVELS of `standings`, which is none of Python's where that is compiled


def keyed(address: str = "192.0.2.1", username: str = "ana", protocol: str = "http") -> Login:
    """A login with its keys, at the beginning of time."""
    login = Keyring(KEY).identify(address, username, protocol, None, None)
    assert login is not None
    login.now_ns = START_NS
    return login


@AT_AND_BESIDE
@pytest.mark.parametrize("address", ["fe80::1%", "192.0.2.1%"])
def test_an_address_has_so_many_letters(address: str, beyond: int) -> None:
    text = address.ljust(MAX_ADDRESS_CHARS + beyond, "z")
    known = Keyring(KEY).halves(text)
    assert known == (None if beyond or address[0] == "1" else (0xFE80 << 48, 1))


@AT_AND_BESIDE
def test_so_many_protocols_have_a_name(beyond: int) -> None:
    ring = Keyring(KEY)
    numbers = [ring.protocol_number(f"p{number}") for number in range(MAX_PROTOCOLS + beyond)]
    assert ring.protocol_name(numbers[-1]) == ("other" if beyond else f"p{MAX_PROTOCOLS - 1}")
    assert ring.protocol_name(numbers[0]) == "p0"


@AT_AND_BESIDE
@pytest.mark.parametrize("letter", ["n", "\N{GREEK SMALL LETTER ALPHA}"])
def test_so_many_bytes_of_a_name_are_kept_in_whole_letters(letter: str, beyond: int) -> None:
    ring, account = Keyring(KEY), 7
    most = NAME_BYTES // len(letter.encode())
    sealed = ring.seal(letter * (most + beyond), account)
    assert ring.unseal(account.to_bytes(8, "big") + sealed) == letter * most


@AT_AND_BESIDE
def test_a_summary_weighs_no_more_than_so_many_tries(beyond: int) -> None:
    t = Traffic(1)
    t.login(START_NS, attacker(1), "ana", "secret", good=False, client="ja4:x")
    (event,) = t.scenario("one").events
    assert isinstance(event, AuthResolved)
    login = Keyring(KEY).login(msgspec.structs.replace(event, attempt_count=MAX_COUNT + beyond), START_NS)
    assert login is not None
    assert (login.count, login.weight) == (MAX_COUNT + beyond, MAX_COUNT * event.confidence)


@AT_AND_BESIDE
def test_an_account_is_at_home_in_so_many_places_the_latest(beyond: int) -> None:
    places = Places()
    for number in range(1, 1 + MAX_PLACES + beyond):
        places.settle(number, 100 + number, 200 + number)
    has = (places.has_source, places.has_network, places.has_client)
    first, last = (1, 101, 201), (MAX_PLACES + beyond, 100 + MAX_PLACES + beyond, 200 + MAX_PLACES + beyond)
    assert [known(key) for known, key in zip(has, first, strict=True)] == [not beyond] * 3
    assert [known(key) for known, key in zip(has, last, strict=True)] == [True] * 3
    assert places.has_source(2)


@AT_AND_BESIDE
def test_a_known_place_pushes_no_other_out(beyond: int) -> None:
    places = Places()
    for number in range(1, 1 + MAX_PLACES):
        places.settle(number, number, number)
    for _ in range(2 + beyond):
        places.settle(3, 3, 3)
    assert all(places.has_source(number) for number in range(1, 1 + MAX_PLACES))
    places.settle(99, 99, 99)
    assert [number for number in range(1, 1 + MAX_PLACES) if not places.has_source(number)] == [1]


@AT_AND_BESIDE
def test_so_many_attackers_of_an_account_are_named_the_first(beyond: int) -> None:
    wrongs = Wrongs()
    for number in range(MAX_ATTACKERS + beyond):
        wrongs.add_attacker(0, number)
        wrongs.add_attacker(0, 0)
    assert wrongs.attackers() == tuple((0, number) for number in range(MAX_ATTACKERS))


@AT_AND_BESIDE
def test_so_many_wrong_secrets_of_an_account_are_known_again(beyond: int) -> None:
    wrongs = Wrongs()
    assert all(wrongs.add_secret(1 + number) for number in range(MAX_PLACES + beyond))
    assert wrongs.add_secret(1) is bool(beyond)


@AT_AND_BESIDE
def test_so_many_failing_clients_of_an_account_are_known_again(beyond: int) -> None:
    wrongs = Wrongs()
    for number in range(MAX_PLACES + beyond):
        wrongs.add_client(1 + number, 7)
    assert wrongs.failed_elsewhere(1, 8) is (not beyond)
    assert wrongs.failed_elsewhere(MAX_PLACES + beyond, 8)


@AT_AND_BESIDE
def test_so_many_wrong_secrets_of_a_pair_are_known_again(beyond: int) -> None:
    secrets = Secrets()
    for number in range(MAX_SECRETS + beyond):
        secrets.renew(1 + number, START_NS + number, 0.5)
    assert secrets.count == MAX_SECRETS
    secrets.renew(1, START_NS + 100, 0.5)
    assert (secrets.before_ns, secrets.before) == ((0, 0.0) if beyond else (START_NS, 0.5))


@AT_AND_BESIDE
def test_a_finding_names_so_many_sources_accounts_and_protocols(beyond: int) -> None:
    episode = Episode()
    for number in range(MAX_SAMPLES + beyond):
        login = keyed(f"192.0.2.{number}", f"user{number}")
        login.protocol = number % (MAX_NAMED_PROTOCOLS + beyond)
        login.seq = number
        episode.note(login)
    assert (len(episode.places), len(episode.named)) == (MAX_SAMPLES, MAX_SAMPLES)
    assert (episode.sources.count, episode.accounts.count) == (MAX_SAMPLES + beyond, MAX_SAMPLES + beyond)
    assert episode.protocols == list(range(MAX_NAMED_PROTOCOLS))
    last = MAX_SAMPLES + beyond - 1
    assert episode.seqs == [0, 1, 2, last - 1, last]


@AT_AND_BESIDE
def test_a_finding_tells_so_many_logins(beyond: int) -> None:
    episode = Episode()
    for number in range(MAX_SEQS + beyond):
        login = keyed()
        login.seq = number
        episode.note(login)
    assert episode.seqs == [0, 1, 2, 3 + beyond, 4 + beyond]


def settled(surroundings: Surroundings, account: int, country: str, now_ns: int = START_NS) -> None:
    """Somebody logs in to an account from a country."""
    login = keyed()
    login.account, login.now_ns = account, now_ns
    surroundings.settle_in(login, Circumstances(country=country))


def failing(surroundings: Surroundings, asn: int, now_ns: int = START_NS) -> None:
    """A login fails at a network operator."""
    login = keyed()
    login.failed = login.counts = True
    login.now_ns = now_ns
    surroundings.observe(login, Circumstances(asn=asn))


@AT_AND_BESIDE
def test_so_many_countries_are_an_accounts_own_the_latest(beyond: int) -> None:
    surroundings = Surroundings(CircumstanceSettings())
    countries = [f"A{chr(65 + number)}" for number in range(MAX_COUNTRIES + beyond)]
    for country in countries:
        settled(surroundings, 7, country)
    login = keyed()
    login.account, login.succeeded = 7, True
    said = surroundings.observe(login, Circumstances(country=countries[0]))
    assert [reason.name for reason in said] == ["new-country"] * beyond


@AT_AND_BESIDE
def test_last_places_of_so_many_accounts_are_known_the_latest(beyond: int) -> None:
    surroundings = Surroundings(CircumstanceSettings())
    login, given = keyed(), Circumstances(country="DE")
    for account in range(1, 1 + MAX_LAST_PLACES + beyond):
        login.account = account
        surroundings.settle_in(login, given)
    places, _ = surroundings.dump()
    assert (len(places), places[0][0]) == (MAX_LAST_PLACES, 1 + beyond)


@AT_AND_BESIDE
def test_so_many_network_operators_are_known_the_latest(beyond: int) -> None:
    surroundings = Surroundings(CircumstanceSettings())
    for asn in range(MAX_OPERATORS + beyond):
        failing(surroundings, asn)
    _, operators = surroundings.dump()
    assert (len(operators), operators[0][0]) == (MAX_OPERATORS, beyond)


def test_what_two_nodes_know_of_places_and_operators_is_no_more_than_one_may() -> None:
    one, other = Surroundings(CircumstanceSettings()), Surroundings(CircumstanceSettings())
    login, given = keyed(), Circumstances(country="DE")
    for number in range(1, 1 + MAX_LAST_PLACES):
        login.account, login.now_ns = number, START_NS + number
        one.settle_in(login, given)
        login.account = -number % 2**64
        other.settle_in(login, given)
    for asn in range(MAX_OPERATORS):
        failing(one, asn, START_NS + asn)
        failing(other, MAX_OPERATORS + asn, START_NS + asn)
    assert all(step is None for step in one.merging(other))
    places, operators = one.dump()
    assert (len(places), len(operators)) == (MAX_LAST_PLACES, MAX_OPERATORS)
    assert min(place[1] for place in places) >= START_NS + MAX_LAST_PLACES // 2
    assert min(operator[1] for operator in operators) >= START_NS + MAX_OPERATORS // 2


@AT_AND_BESIDE
def test_how_often_a_source_was_answered_is_counted_so_far_and_never_begins_anew(beyond: int) -> None:
    standings = Standings(Keyring(KEY))
    row = standings.put(0, 0xFFFF_C000_0201)
    standings.write(row, 4, MOST_LEVELS + beyond, START_NS, START_NS + 10**9)
    assert standings.level(row) == MOST_LEVELS


@AT_AND_BESIDE
@pytest.mark.parametrize("kind", ["2001:db8::{:x}", "nobody {}"])
def test_so_many_addresses_that_are_not_ipv4_are_remembered_and_read_anew_when_there_are_more(
    kind: str, beyond: int
) -> None:
    ring = Keyring(KEY)
    first = ring.halves(kind.format(0))
    for number in range(1, MAX_CACHED + beyond):
        ring.halves(kind.format(number))
    again = ring.halves(kind.format(0))
    assert again == first == ((0x2001_0DB8 << 32, 0) if kind[0] == "2" else None)
    if first is not None:
        assert (again is first) is (not beyond)
        assert ring.halves(kind.format(MAX_CACHED)) == (first[0], MAX_CACHED)


def waiting(takeovers: Takeovers, account: int, now_ns: int) -> None:
    """A success on an account, from a place new to it, that waits for its source to show its colours."""
    login = keyed()
    login.account, login.now_ns, login.seq = account, now_ns, account
    assert takeovers.half_in(login, Reason("second-factor-failed", 1.0, 0.0, 1.0))


def watching() -> Takeovers:
    ring = Keyring(KEY)
    return Takeovers(TakeoverSettings(), 100, ring, Journal(100, ring))


@AT_AND_BESIDE
def test_so_many_successes_wait_for_what_their_source_turns_out_to_be_then_a_quarter_of_them_goes(beyond: int) -> None:
    takeovers = watching()
    for account in range(1, 1 + MAX_HITS + beyond):
        waiting(takeovers, account, START_NS + account)
    quarter = MAX_HITS // 4
    assert len(takeovers.hits) == MAX_HITS + beyond * (1 - quarter)
    assert takeovers.table.evicted_count == beyond * quarter
    gone = [takeovers.hit_of(account, 0) is None for account in (1, quarter, quarter + 1)]
    assert gone == [bool(beyond), bool(beyond), False]
    latest = takeovers.hit_of(MAX_HITS + beyond, 0)
    assert latest is takeovers.latest()


def test_what_two_nodes_know_of_waiting_successes_is_no_more_than_one_may() -> None:
    one, other = watching(), watching()
    for number in range(1, 1 + MAX_HITS):
        waiting(one, 2 * number, START_NS + 2 * number)
        waiting(other, 2 * number + 1, START_NS + 2 * number + 1)
    one.merge_rest(other)
    assert [hit.account for hit in one.hits] == list(range(MAX_HITS + 2, 2 * MAX_HITS + 2))


def test_answers_to_a_source_grow_so_often_and_then_last_as_long_as_before() -> None:
    answers = AnswerSettings(block_s=60, longest_s=1_000_000, growth=1.1, jitter=0.0)
    detector = Detector(DetectSettings(answer=answers))
    t = Traffic(1)
    for number in range(40):
        t.login(START_NS + number, attacker(1), f"user{number}", f"leak {number}", good=False)
    for event in t.scenario("one").events:
        list(detector.observe(event))
    assert detector.verdict.action is Action.BLOCK
    decisions, now_ns, lengths = detector.decisions(100, KEY), START_NS, []
    for _ in range(GROWTHS + 2):
        _, told = decisions.answer(detector.verdict, attacker(1), now_ns, known=False)
        (made,) = [event for event in told if isinstance(event, DecisionMade)]
        lengths.append(made.duration_s)
        now_ns += made.duration_s * 1_000_000_000
    assert lengths == [int(60 * 1.1 ** min(level, GROWTHS - 1)) for level in range(GROWTHS + 2)]
