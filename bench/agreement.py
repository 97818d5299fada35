"""How far others' results for the same captures agree; nothing where the captures are absent."""

from bench.results import Results
from tests.conformance.fingerprints import compare_fingerprints


def measure_agreement(results: Results) -> None:
    """Adds `fingerprints_agree_percent`."""
    agreement = compare_fingerprints()
    if agreement is not None:
        results.growth["fingerprints_agree_percent"] = agreement.percent
