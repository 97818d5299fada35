"""What a finding counts and names is what its logins say, whichever of them came last."""

from hypothesis import given
from hypothesis import strategies as st

from lapwing.detect import Detector, DetectSettings
from lapwing.detect.distinct import Distinct
from lapwing.detect.episode import FIRST_SEQS, LAST_SEQS, Episode, load_episode
from lapwing.detect.login import Login
from lapwing.detect.trackers.homes import MAX_ATTACKERS, Wrongs
from lapwing.testing.logins import START_NS, Traffic

FEW = st.integers(0, 3)  # 0 for what is not visible


def login_of(source: int, account: int, secret: int, seq: int) -> Login:
    """A failed login."""
    login = Login()
    login.source, login.account, login.secret, login.seq = source << 60, account << 60, secret << 60, seq
    login.hi, login.lo, login.failed, login.now_ns = 0, source, True, START_NS + seq
    return login


@given(st.lists(st.tuples(FEW, FEW, FEW), max_size=40), st.integers(0, 40))
def test_an_episode_counts_each_thing_once_in_whatever_order(logins: list[tuple[int, int, int]], stop: int) -> None:
    episode = Episode()
    for seq, (source, account, secret) in enumerate(logins):
        if seq == stop:
            episode = load_episode(episode.dump())
        episode.note(login_of(source, account, secret, seq))
    seen = [dict.fromkeys(one for one in column if one) for column in zip(*logins, strict=True)] or [{}, {}, {}]
    assert [episode.sources.count, episode.accounts.count, episode.secrets.count] == [len(each) for each in seen]
    assert episode.places == [(0, source) for source in seen[0]]
    assert [named[0] >> 4 for named in episode.named] == list(seen[1])
    every = list(range(len(logins)))
    later = every[FIRST_SEQS:]
    assert episode.seqs == [*every[:FIRST_SEQS], *later[-LAST_SEQS:]]


@given(st.integers(0, 3), st.sets(st.integers(0, 199)))
def test_what_waits_to_be_counted_is_counted_whenever_somebody_asks(one: int, asked: set[int]) -> None:
    """With 60 sources, accounts and secrets, or few of one of them, so that those are never more than are named."""
    left, looked_at = Episode(), Episode()
    count = [60, 60, 60]
    if one < 3:
        count[one] = 7
    for seq in range(200):
        login = login_of(0, 0, 0, seq)
        login.failed = seq % 11 != 0
        login.source, login.account, login.secret = ((1 + seq * 11 % most) << 50 for most in count)
        for episode in (left, looked_at):
            episode.note(login)
        if seq in asked:
            assert looked_at.knows_source(login.source)
            assert looked_at.sources.count == min(seq + 1, count[0])
            assert looked_at.accounts.count == min(seq + 1, count[1])
    assert left.secrets.count == count[2]
    assert left.dump() == looked_at.dump()


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 1), st.integers(0, 30)), max_size=80))
def test_the_first_addresses_that_failed_are_named_but_those_that_are_excused(
    steps: list[tuple[bool, int, int]],
) -> None:
    wrongs = Wrongs()
    named: dict[tuple[int, int], bool] = {}
    for excused, hi, lo in steps:
        if excused:
            wrongs.excuse(hi, lo)
            named.pop((hi, lo), None)
        else:
            wrongs.add_attacker(hi, lo)
            if len(named) < MAX_ATTACKERS:
                named[(hi, lo)] = True
    assert list(wrongs.attackers()) == list(named)


def test_sets_of_any_size_own_their_words() -> None:
    for size in (1, 51, 52, 110, 1_024, 1_025):
        kept = [Distinct() for _ in range(3)]
        for n in range(size):
            for which, distinct in enumerate(kept):
                distinct.add((3 * n + which + 1) * 0x9E37_79B9_7F4A_7C15 & (1 << 64) - 1)
        said = [distinct.dump() for distinct in kept]
        assert said[0] != said[1] != said[2] != said[0]
        kept[1] = Distinct()  # what was there goes, and its memory is used again
        assert kept[1].add(5)
        assert [kept[0].dump(), kept[2].dump()] == [said[0], said[2]]


def test_the_only_record_of_the_site_goes_when_nothing_comes_for_long_and_comes_back() -> None:
    subject = Detector(DetectSettings())
    lone = [tracker for tracker in subject._every if tracker.name in ("site", "strays")]
    traffic = Traffic(1)
    traffic.login(START_NS, "203.0.113.7", "ana", "one")
    traffic.login(START_NS + 1, "203.0.113.8", "bob", "two")
    first, second = traffic.logins
    subject.assess(first)
    assert [(len(one.table), one.current) for one in lone] == [(0, None)] * 2
    subject.observe(first)
    assert all(one.current is one.table.peek(one.current_key) is not None for one in lone)
    for one in lone:
        one.tick(START_NS + 2 * one.forget_ns)
    assert [(len(one.table), one.current) for one in lone] == [(0, None)] * 2
    subject.observe(second)
    assert all(one.current is one.table.peek(one.current_key) is not None for one in lone)
