"""The logs that `lapwing read -o zeek` writes of a trace, as rows."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from lapwing import read
from lapwing.app.zeek import FAMILIES, ZeekLogs
from tests.conformance.messages import Endpoints
from tests.conformance.reasons import LOGGED_WITHOUT_CHECKSUMS
from tests.conformance.zeek_logs import Case, Row, rows


def written(case: Case) -> dict[str, list[Row]]:
    """The rows of every log, by its name without `.log`. The trace is read as the other program did."""
    ignore = case.ignore_checksums or case.name in LOGGED_WITHOUT_CHECKSUMS
    return _written(case.trace, not ignore)


@cache  # a trace serves several logs, and there are 246 cases
def _written(trace: Path, verify_checksums: bool) -> dict[str, list[Row]]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        with (
            ZeekLogs(folder) as logs,
            read(trace, events=FAMILIES, verify_checksums=verify_checksums, files=True) as reading,
        ):
            for events in reading.lists():
                logs.write(events)
        return {path.stem: rows(path) for path in folder.iterdir()}


def by_endpoints(found: list[Row]) -> dict[Endpoints, list[Row]]:
    """Rows by client and server."""
    grouped: dict[Endpoints, list[Row]] = {}
    for row in found:
        key = (
            row["id.orig_h"] or "",
            int(row["id.orig_p"] or 0),
            row["id.resp_h"] or "",
            int(row["id.resp_p"] or 0),
        )
        grouped.setdefault(key, []).append(row)
    return grouped
