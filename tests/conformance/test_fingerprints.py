"""Fingerprints are those that others published for the same recordings."""

import pytest

from tests.conformance.fingerprints import compare_fingerprints
from tests.conformance.zeek_logs import captures


@pytest.mark.skipif(captures() is None, reason="LAPWING_CAPTURES: no captures to compare with")
def test_every_published_fingerprint_is_found() -> None:
    agreement = compare_fingerprints()
    assert agreement is not None
    assert agreement.differences == []
    assert agreement.compared > 90
