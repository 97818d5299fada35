"""What a login of an open finding changes was asked for before, however it came: it would wait for memory otherwise."""

from tests.builds import lines_of, needs_both


@needs_both
def test_nearly_all_that_a_finding_counts_was_asked_for() -> None:
    shares = {}
    for line in lines_of("tests.detect.asked", "plain"):
        name, known, added = line.split()
        assert int(added) >= 300
        shares[name] = int(known) / int(added)
    assert shares.keys() == {"judged", "standing", "events"}
    assert min(shares.values()) > 0.9, shares
