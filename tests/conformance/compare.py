"""What one comparison found, and the rules all comparisons share."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from lapwing import read
from lapwing.events import Event
from tests.conformance.reasons import LOGGED_WITHOUT_CHECKSUMS, NOT_COMPARED, OUT_OF_SCOPE
from tests.conformance.zeek_logs import Case, Row, cases, rows


class Difference(NamedTuple):
    """One row that does not agree: where, which fields, and the reason as far as it is known."""

    case: str
    row: str
    fields: str
    reason: str


class Comparison(NamedTuple):
    """The result for one log."""

    log: str
    compared: int
    differences: list[Difference]
    left_out: Counter[str]

    @property
    def agree_percent(self) -> float:
        """Rows that agree, of those compared."""
        return 100.0 * (self.compared - len(self.differences)) / self.compared if self.compared else 100.0


def events_of(case: Case, families: tuple[str, ...]) -> list[Event]:
    """Read the trace as the other program did: with or without packets of wrong checksum."""
    ignore = case.ignore_checksums or case.name in LOGGED_WITHOUT_CHECKSUMS
    with read(case.trace, events=families, verify_checksums=not ignore) as reading:
        return list(reading)


def why_not_compared(log: str, case: Case) -> str | None:
    """The reason why this log of the case is left out, None when it is compared."""
    return OUT_OF_SCOPE.get(case.name) or NOT_COMPARED.get((log, case.name))


def compared_cases(
    name: str, left_out: Counter[str], *, logs: Sequence[str] = (), fields: Sequence[str] = ()
) -> Iterator[tuple[Case, list[Row]]]:
    """Each case that is compared, with the expected rows; those of the others are counted by reason.

    `logs` are the names that cases give the log, `name` alone by default. With `fields` only rows that have one count.
    """
    for log in logs or (name,):
        for case in cases(log):
            theirs = [row for row in rows(case.expected / log) if not fields or any(field in row for field in fields)]
            if reason := why_not_compared(name, case):
                left_out[reason] += len(theirs)
            else:
                yield case, theirs


def first_column(row: Row, *names: str) -> str | None:
    """The value of the first of `names` that the row has: some cases rename their columns."""
    return next((row[name] for name in names if name in row), None)


def endpoints(row: Row) -> tuple[str, int, str, int]:
    """Client and server of a row."""
    return (
        first_column(row, "id.orig_h", "src_ip") or "",
        int(first_column(row, "id.orig_p", "src_port") or 0),
        first_column(row, "id.resp_h", "dst_ip") or "",
        int(first_column(row, "id.resp_p", "dst_port") or 0),
    )


Log = Callable[[], Iterator[Comparison]]
