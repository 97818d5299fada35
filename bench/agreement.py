"""How far others' results for the same captures agree; nothing where the captures are absent."""

from bench.results import Results
from tests.conformance.fingerprints import compare_fingerprints
from tests.conformance.page import compare_all


def measure_agreement(results: Results) -> None:
    """Adds `fingerprints_agree_percent`, and `zeek_rows_agree_percent` over all logs that are compared."""
    agreement = compare_fingerprints()
    if agreement is None:
        return
    results.more["fingerprints_agree_percent"] = agreement.percent
    compared = compare_all()
    rows = sum(one.compared for one in compared)
    differ = sum(len(one.differences) for one in compared)
    results.more["zeek_rows_agree_percent"] = 100.0 * (rows - differ) / rows
