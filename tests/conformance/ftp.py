"""ftp.log as it is written against that program's."""

from collections import Counter

from tests.conformance.compare import Comparison, Difference, compared_cases
from tests.conformance.messages import match_rows
from tests.conformance.reasons import FTP_REASONS
from tests.conformance.written import by_endpoints, written
from tests.conformance.zeek_logs import unescape

FIELDS = (
    "user",
    "password",
    "command",
    "arg",
    "file_size",
    "reply_code",
    "reply_msg",
    "data_channel.passive",
    "data_channel.orig_h",
    "data_channel.resp_h",
    "data_channel.resp_p",
)


def _same(field: str, theirs: str | None, ours: str | None) -> bool:
    if theirs is None or ours is None:
        return theirs == ours
    if ours == "<hidden>":
        return True  # a password
    return unescape(theirs).strip() == unescape(ours).strip()


def compare_ftp() -> Comparison:
    """Compare every case that has an ftp.log."""
    differences: list[Difference] = []
    left_out: Counter[str] = Counter()
    compared = 0
    for case, theirs in compared_cases("ftp.log", left_out):
        compared += len(theirs)
        ours = by_endpoints(written(case).get("ftp", []))
        differences += match_rows(case, theirs, ours, FIELDS, FTP_REASONS, _same)
    return Comparison("ftp.log", compared, differences, left_out)
