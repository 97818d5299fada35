"""A guard compiled and a guard as it stands give the same answers, events and snapshots."""

from tests.builds import assert_same, needs_both


@needs_both
def test_both_builds_answer_tell_and_keep_the_same_to_the_last_byte() -> None:
    assert_same("tests.app.guarded", 10_000)
