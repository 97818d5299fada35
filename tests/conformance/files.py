"""How many files messages carried, and of which kinds: the columns of other logs that name rows of files.log."""

from collections import Counter

from tests.conformance.compare import Comparison, Difference, why_not_compared
from tests.conformance.messages import match_rows
from tests.conformance.reasons import FILES_REASONS, OLD_HTTP
from tests.conformance.written import by_endpoints, written
from tests.conformance.zeek_logs import Row, cases, rows

COLUMNS = {
    "http": ("trans_depth", "orig_fuids", "orig_filenames", "orig_mime_types", "resp_fuids", "resp_mime_types"),
    "smtp": ("trans_depth", "fuids"),
    "ftp": ("command", "arg", "reply_code", "fuid"),
}
NAMES = frozenset({"orig_fuids", "resp_fuids", "fuids", "fuid"})


def _same(field: str, theirs: str | None, ours: str | None) -> bool:
    if field in NAMES:  # made up by each program: their number counts
        return _number(theirs) == _number(ours)
    return theirs == ours


def _number(names: str | None) -> int:
    return 0 if names in (None, "(empty)") else len(names.split(","))


def _carries(row: Row) -> bool:
    return any(_number(row.get(name)) for name in NAMES)


def compare_files() -> Comparison:
    """Compare the rows of http.log, smtp.log and ftp.log that name a file, and those where only one program does."""
    differences: list[Difference] = []
    left_out: Counter[str] = Counter()
    compared = 0
    for log, columns in COLUMNS.items():
        for case in cases(f"{log}.log"):
            ours = written(case)
            theirs = [row for row in rows(case.expected / f"{log}.log") if _carries(row)]
            left_out[OLD_HTTP] += sum(row.get("version") == "0.9" for row in theirs)
            theirs = [row for row in theirs if row.get("version") != "0.9"]
            if reason := why_not_compared(f"{log}.log", case) or why_not_compared("files.log", case):
                left_out[reason] += len(theirs)
                continue
            compared += len(theirs)
            pool = by_endpoints(ours.get(log, []))
            differences += match_rows(case, theirs, pool, columns, FILES_REASONS, _same)
    return Comparison("files.log", compared, differences, +left_out)
