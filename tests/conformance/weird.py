"""weird.log as it is written against that program's: the names both know, in both directions."""

from collections import Counter

from tests.conformance.compare import Comparison, Difference, why_not_compared
from tests.conformance.reasons import WEIRD_REASONS, WEIRDS_LEFT_OUT
from tests.conformance.written import written
from tests.conformance.zeek_logs import Row, cases, rows

LOGS = ("weird.log", "weird.log.cut")
FIELDS = ("name", "addl", "source")
ONE_WORD = {"bad_HTTP_request_with_version": "bad_HTTP_request"}  # two of theirs for what is one here
ENDPOINTS = ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p")


def compare_weird() -> Comparison:
    """Compare every case that has a weird.log: what only one of both says of a name that both know differs too."""
    differences: list[Difference] = []
    left_out: Counter[str] = Counter()
    compared = 0
    for log in LOGS:
        for case in cases(log):
            theirs = [row for row in rows(case.expected / log) if row.get("name")]
            theirs = [{**row, "name": ONE_WORD.get(row["name"] or "", row["name"])} for row in theirs]
            if reason := why_not_compared("weird.log", case):
                left_out[reason] += len(theirs)
                continue
            left_out.update(WEIRDS_LEFT_OUT[row["name"] or ""] for row in theirs if row["name"] in WEIRDS_LEFT_OUT)
            theirs = [row for row in theirs if row["name"] not in WEIRDS_LEFT_OUT]
            ours = [row for row in written(case).get("weird", []) if "." not in (row["name"] or "")]
            compared += len(theirs)
            differences += _differences(case.name, theirs, ours)
    return Comparison("weird.log", compared, differences, left_out)


def _differences(case: str, theirs: list[Row], ours: list[Row]) -> list[Difference]:
    found = []
    reason = WEIRD_REASONS.get(case, "")
    for row in theirs:
        here = [field for field in (*ENDPOINTS, *FIELDS) if field in row]
        same = next((mine for mine in ours if all(row[field] == mine[field] for field in here)), None)
        if same is None:
            found.append(Difference(case, str(row["name"]), "not said here", reason))
        else:
            ours.remove(same)
    return found + [Difference(case, str(row["name"]), "said only here", reason) for row in ours]
