"""Records live beside one another, whoever makes them and however many come and go."""

import gc
from itertools import pairwise

import pytest

from lapwing.detect import slabs
from lapwing.detect.seen import Sketches
from lapwing.detect.trackers.groups import Group
from lapwing.detect.trackers.homes import Home, Places, Wrongs
from lapwing.detect.trackers.pairs import Pair, Secrets
from lapwing.detect.trackers.sources import Source
from lapwing.detect.trackers.surroundings import Surroundings

LINE = 64
KINDS = [Sketches, Group, Home, Places, Wrongs, Pair, Secrets, Source]
is_compiled = not slabs.__file__.endswith(".py")


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_records_share_memory_and_what_goes_is_used_again(kind: type) -> None:
    kept = [kind() for _ in range(1_000)]
    kept += [slabs.like(kept[0]) for _ in range(1_000)]
    places = sorted(map(id, kept))
    assert len(set(places)) == 2_000
    if is_compiled and places[0] % LINE == 0:  # where the system has large pages
        size = -(-kind.__basicsize__ // LINE) * LINE
        assert all(place % LINE == 0 for place in places)
        assert min(after - before for before, after in pairwise(places)) >= size
    del kept
    gc.collect()
    again = [slabs.like(pattern) for pattern in [kind()] for _ in range(1_500)]
    assert not is_compiled or len(set(map(id, again)) & set(places)) >= 1_000


def test_a_copy_of_what_stands_beside_a_record_shares_nothing_with_its_pattern() -> None:
    pattern = Wrongs()
    pattern.add_attacker(0, 7)
    copy = slabs.like(pattern)
    copy.add_attacker(0, 8)
    copy.add_client(3, 4)
    assert (pattern.dump(), copy.dump()) == ([[], [], [[0, 7]]], [[], [[3, 4]], [[0, 7], [0, 8]]])


def test_a_class_that_derives_from_a_record_has_its_own_memory() -> None:
    class Named(Source):
        name = "none"

    for _ in range(100):
        named = Named(7)
        named.name = "one"
        assert (named.at_ns, named.name) == (7, "one")


@pytest.mark.skipif(not is_compiled, reason="uncompiled records are ordinary objects")
def test_only_what_holds_numbers_alone_is_kept_so() -> None:
    class Other:
        pass

    for kind in (Other, list, Surroundings):
        with pytest.raises(TypeError, match="numbers alone"):
            slabs.keep(kind)
    with pytest.raises(TypeError, match="numbers alone"):
        slabs.like([])
