"""What a login of an open finding changes was asked for before, however it came: it would wait for memory otherwise."""

from tests.builds import lines_of, needs_both


@needs_both
def test_findings_expected_nearly_all_logins_that_they_take_in() -> None:
    shares = {}
    for line in lines_of("tests.detect.asked", "plain"):
        name, known, taken = line.split()
        assert int(taken) >= 100
        shares[name] = int(known) / int(taken)
    assert shares.keys() == {"judged", "standing", "events"}
    assert min(shares.values()) > 0.9, shares
