"""Who is told of which hit of a planted token."""

from hypothesis import given
from hypothesis import strategies as st

from lapwing.callbacks import (
    Attribution,
    DnsInteraction,
    HttpInteraction,
    Interaction,
    Noise,
    NoiseRules,
    Peer,
    Placement,
)
from lapwing.callbacks.throttle import MAX_ASKED, MAX_TOKENS, Throttle

S = 1_000_000_000
EVERY_S = 60


def owned(name: str = "n") -> Attribution:
    return Attribution("i", name, f"i{name}", Placement.HTTP_HOST)


def looked_up(at_s: float, name: str = "n", kind: str = "A") -> Interaction:
    ts_ns = int(at_s * S)
    return DnsInteraction(ts_ns=ts_ns, peer=Peer("192.0.2.53"), attribution=owned(name), name="x", query_type=kind)


def visited(at_s: float, client: str = "203.0.113.9", target: str = "/", agent: str = "Mozilla/5.0") -> Interaction:
    request = f"GET {target} HTTP/1.1\r\nUser-Agent: {agent}\r\n\r\n".encode()
    peer, ts_ns = Peer(client), int(at_s * S)
    return HttpInteraction(ts_ns=ts_ns, peer=peer, attribution=owned(), target=target, raw_request=request)


def told(*hits: Interaction, throttle: Throttle | None = None) -> list[set[Noise] | None]:
    throttle = throttle or Throttle()
    looks = [throttle.look(hit, every_s=EVERY_S) for hit in hits]
    return [None if look is None else set(look) for look in looks]


def test_one_hit_in_a_while_is_told_of() -> None:
    assert told(visited(0, target="/a"), visited(30, target="/b"), visited(60, target="/c")) == [set(), None, set()]


def test_a_mail_gateway_that_was_first_does_not_hide_the_person() -> None:
    gateway = visited(0, "198.51.100.25", agent="Mimecast")
    assert told(gateway, visited(1), visited(2, target="/b")) == [{Noise.SCANNER}, set(), None]


def test_a_visit_is_told_of_although_the_lookup_before_was() -> None:
    assert told(looked_up(0), visited(1), looked_up(2, kind="AAAA")) == [set(), set(), None]


def test_what_is_asked_again_is_told_with_a_doubt_and_not_often() -> None:
    weeks = 14 * 86_400
    assert told(looked_up(0), looked_up(5), looked_up(weeks), looked_up(weeks + 5)) == [
        set(),
        None,
        {Noise.REPEAT},
        None,
    ]


def test_own_networks_and_resolvers_are_doubts() -> None:
    rules = NoiseRules(own_networks=("203.0.113.0/24",), resolver_networks=("192.0.2.0/24",))
    found = told(visited(0), looked_up(100), throttle=Throttle(rules))
    assert found == [{Noise.OWN_EGRESS}, {Noise.KNOWN_RESOLVER}]


def test_tokens_are_told_of_each_for_itself() -> None:
    assert told(looked_up(0, "a"), looked_up(0, "b")) == [set(), set()]


def test_what_the_store_knows_holds_back_what_is_doubtful() -> None:
    throttle = Throttle()
    gateway = visited(30, agent="Slackbot")
    assert throttle.look(gateway, every_s=EVERY_S, last_ns=0) is None
    assert throttle.look(visited(31), every_s=EVERY_S, last_ns=0) == frozenset()


def test_a_flood_of_tokens_and_questions_stays_within_the_bounds() -> None:
    throttle = Throttle()
    for number in range(MAX_TOKENS + 10):
        throttle.look(looked_up(0, str(number)), every_s=EVERY_S)
    assert (len(throttle._told), len(throttle._asked)) == (MAX_TOKENS, MAX_ASKED)


@given(st.lists(st.tuples(st.floats(0, 500), st.sampled_from(["dns", "http", "scanner"])), max_size=40))
def test_no_clear_visit_waits_longer_than_asked_for(steps: list[tuple[float, str]]) -> None:
    """A visit nobody has a doubt about is told of, unless another such was within the time."""
    throttle = Throttle()
    last_s = None
    for number, (at_s, what) in enumerate(sorted(steps)):
        if what == "http":
            found = throttle.look(visited(at_s, target=f"/{number}"), every_s=EVERY_S)
            due = last_s is None or int(at_s * S) - int(last_s * S) >= EVERY_S * S
            assert (found is not None) is due
            last_s = at_s if due else last_s
        elif what == "dns":
            throttle.look(looked_up(at_s), every_s=EVERY_S)
        else:
            throttle.look(visited(at_s, agent="Barracuda"), every_s=EVERY_S)
