"""Fingerprints are those that others published for the same recordings."""

import pytest

from tests.conformance.fingerprints import compare_fingerprints
from tests.conformance.zeek_logs import captures

TUNNELLED = {"gre-sample.pcap", "tcpdump-geneve.pcap"}  # SSH inside a tunnel, which is not looked into


@pytest.mark.skipif(captures() is None, reason="LAPWING_CAPTURES: no captures to compare with")
def test_every_published_fingerprint_is_found() -> None:
    agreement = compare_fingerprints()
    assert agreement is not None
    assert [one for one in agreement.differences if one[0] not in TUNNELLED] == []
    assert agreement.compared > 90
