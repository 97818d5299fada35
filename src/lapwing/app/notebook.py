"""What a reading shows of itself in a notebook: where it reads, how far it is, what it counted so far."""

from collections.abc import Mapping, Sequence

from lapwing.events import notebook
from lapwing.io.capture import Progress

SHOWN_INPUTS = 3  # by name in one line; the rest is counted


def reading_line(kind: str, inputs: Sequence[str]) -> str:
    """A line of text for a reading, as an interpreter shows it."""
    more = f" and {len(inputs) - SHOWN_INPUTS:,} more" if len(inputs) > SHOWN_INPUTS else ""
    return f"<{kind} of {', '.join(inputs[:SHOWN_INPUTS]) or 'an interface'}{more}>"


def reading_page(
    kind: str,
    inputs: Sequence[str],
    counters: Mapping[str, int],
    failed: Sequence[str],
    progress: Progress | None = None,
) -> str:
    """A piece of HTML of a reading; looking at it reads nothing. Counters of zero are left out."""
    rows: notebook.Pairs = [("input", list(inputs))]
    if progress is not None and progress.total_bytes:
        rows.append(("read", f"{100 * progress.read_bytes // progress.total_bytes} %"))
    rows += [("not read", list(failed))] if failed else []
    rows += [(name, f"{count:,}") for name, count in counters.items() if count]
    return f"<b>{notebook.cell(kind)}</b>{notebook.table(rows)}"
