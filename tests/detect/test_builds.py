"""The compiled and the plain build of detection say the same."""

from tests.builds import assert_same, needs_both


@needs_both
def test_the_compiled_build_says_byte_for_byte_what_the_plain_one_says() -> None:
    assert_same("tests.detect.told", 1_500)
