"""What is remembered of requests, answers and addresses in front of them is as much as is named, and no more."""

from base64 import b64encode

import pytest

from lapwing.events import Outcome
from lapwing.logins import LeakFilter, SecretTagger, http_pages
from lapwing.logins.endpoints import MAX_PATH_CHARS, MAX_SEGMENT_CHARS, MAX_SEGMENTS, derived_template, path_segments
from lapwing.logins.forwarded import MAX_HOP_CHARS, MAX_HOPS, TrustedProxies, _plain, plain_address
from lapwing.logins.http_answers import MAX_FAILURE_PAGES, MAX_SURFACES, OTHER_PAGE_BYTES, SAME_PAGE_BYTES
from lapwing.logins.http_credentials import MAX_AUTHORIZATION_CHARS
from lapwing.logins.leaked import shape_for
from lapwing.logins.secrets import MAX_LEAKED
from tests.logins.lines import TAGGER
from tests.logins.test_http import attempts, get, outcomes, post, reply
from tests.protocols.playbook import Step

AT_AND_BESIDE = pytest.mark.parametrize("beyond", [0, 1])
WORDS = "invalid password "
SIZE = 2_000  # of a page, far from that of any other


def page(size: int, words: str = "") -> Step:
    return reply(200, words.ljust(size, "."))


def tried(path: str = "/login") -> Step:
    return post("username=ana&password=x", path)


def told(*steps: Step) -> tuple[Outcome, str]:
    """How the last login ended, and what that was read from."""
    last = outcomes(*steps)[-1]
    return last.outcome, last.detail


@AT_AND_BESIDE
def test_so_many_pages_of_failures_are_remembered_the_newest(beyond: int) -> None:
    pages = [page(SIZE * (1 + number), WORDS) for number in range(MAX_FAILURE_PAGES + beyond)]
    steps = [step for one in pages for step in (tried(), one)]
    like_the_first = told(*steps, tried(), page(SIZE))
    assert like_the_first == (
        (Outcome.SUCCEEDED, "page differs from earlier failures")
        if beyond
        else (Outcome.FAILED, "page as long as earlier failures")
    )


@AT_AND_BESIDE
def test_pages_of_failures_are_remembered_of_so_many_surfaces(beyond: int) -> None:
    paths = [f"/in{number}" for number in range(MAX_SURFACES + beyond)]
    steps = [step for path in paths for step in (tried(path), page(SIZE, WORDS))]
    assert told(*steps, tried(paths[-1]), page(SIZE))[0] is (Outcome.UNKNOWN if beyond else Outcome.FAILED)


@AT_AND_BESIDE
def test_pages_that_differ_by_so_few_bytes_are_one(beyond: int) -> None:
    found = told(tried(), page(SIZE, WORDS), tried(), page(SIZE + SAME_PAGE_BYTES + beyond))
    assert found[0] is (Outcome.UNKNOWN if beyond else Outcome.FAILED)


@AT_AND_BESIDE
def test_pages_that_differ_by_so_many_bytes_are_two(beyond: int) -> None:
    found = told(tried(), page(SIZE, WORDS), tried(), page(SIZE + OTHER_PAGE_BYTES - 1 + beyond))
    assert found[0] is (Outcome.SUCCEEDED if beyond else Outcome.UNKNOWN)


@AT_AND_BESIDE
def test_credentials_in_a_header_are_read_so_far(beyond: int) -> None:
    most = (MAX_AUTHORIZATION_CHARS - len("Basic ")) * 3 // 4 - len("ana:")
    encoded = b64encode(b"ana:" + b"p" * (most + beyond)).rstrip(b"=").decode()
    assert len(f"Basic {encoded}") == MAX_AUTHORIZATION_CHARS + beyond
    (attempt,) = attempts(get("/private", f"Authorization: Basic {encoded}\r\n"))
    assert (attempt.username, attempt.secret_tag) == ("ana", TAGGER.tag("p" * most))


@AT_AND_BESIDE
@pytest.mark.parametrize("origin", ["", "http://www.example.com"])
def test_a_path_is_looked_at_so_far(origin: str, beyond: int) -> None:
    path = "/".ljust(MAX_PATH_CHARS + beyond, "a")
    assert path_segments(origin + path) == ("a" * (MAX_PATH_CHARS - 1),)


@AT_AND_BESIDE
def test_a_path_has_so_many_segments(beyond: int) -> None:
    assert path_segments("/a" * (MAX_SEGMENTS + beyond)) == ("a",) * MAX_SEGMENTS


@AT_AND_BESIDE
def test_a_segment_of_so_many_letters_is_a_word_and_a_longer_one_an_id(beyond: int) -> None:
    word = "w" * (MAX_SEGMENT_CHARS + beyond)
    assert derived_template("POST", (word,)) == ("POST /{id}" if beyond else f"POST /{word}")


@AT_AND_BESIDE
def test_so_many_proxies_of_a_chain_are_believed(beyond: int) -> None:
    chain = ["192.0.2.7", *(f"10.0.0.{number}" for number in range(MAX_HOPS - 1 + beyond))]
    client = TrustedProxies(("10.0.0.0/8",)).client("10.0.1.1", ", ".join(chain))
    assert client == chain[beyond]


def test_a_hop_is_remembered_no_longer_than_it_is_read() -> None:
    before = _plain.cache_info().misses
    begin = "192.0.2.7:".ljust(MAX_HOP_CHARS, "5")
    assert {plain_address(begin + str(number) * 10_000) for number in range(9)} == {"192.0.2.7"}
    assert _plain.cache_info().misses - before == 1


@AT_AND_BESIDE
def test_what_so_many_pages_show_is_remembered_and_then_all_anew(beyond: int) -> None:
    http_pages._page_signs.clear()
    http_pages._json_signs.clear()
    for number in range(http_pages.MAX_REMEMBERED + beyond):
        http_pages.read_page(b"%d" % number)
        http_pages.read_json(b'{"n": %d}' % number)
    most = 1 if beyond else http_pages.MAX_REMEMBERED
    assert (len(http_pages._page_signs), len(http_pages._json_signs)) == (most, most)


@AT_AND_BESIDE
def test_tags_of_leaked_secrets_are_remembered_in_two_halves(beyond: int) -> None:
    shape = shape_for(1, 0.5)
    tagger = SecretTagger(bytes(16))
    tagger.watch_for(LeakFilter(shape, b"\xff" * (shape.bits // 8)))  # all are leaked
    first = tagger.tag("first")
    for number in range(2 * MAX_LEAKED - 1 + beyond):
        tagger.tag(str(number))
    assert tagger.is_leaked(first) is (not beyond)
