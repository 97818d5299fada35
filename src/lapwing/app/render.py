"""A summary for a person: logins per protocol and outcome, findings in plain words, what could not be seen."""

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from lapwing.app.summary import Summary
from lapwing.app.units import NS_PER_S, plural, say_bytes, say_duration, say_time
from lapwing.app.words import anomaly, safe
from lapwing.events import Finding, Outcome, Severity

MAX_SHOWN_FINDINGS = 40  # on a screen; the rest is counted, and every one of them is in the other outputs

SEVERITY_STYLE = {
    Severity.INFO: "dim",
    Severity.LOW: "cyan",
    Severity.MEDIUM: "yellow",
    Severity.HIGH: "red",
    Severity.CRITICAL: "bold red",
}
OUTCOME_STYLE = {Outcome.SUCCEEDED: "green", Outcome.FAILED: "red", Outcome.LOCKED: "red"}


class Run(NamedTuple):
    """What is known of a reading beside its events: counters by dotted name, and how long it took."""

    counters: Mapping[str, int]
    elapsed_ns: int


def overview(summary: Summary, run: Run, width: int) -> RenderableType:
    """Everything, top to bottom, in lines of at most `width`."""
    parts: list[RenderableType] = [headline(summary, run)]
    if summary.logins:
        parts += [title("Logins"), logins(summary)]
    parts += [title("Findings"), findings(summary, width)]
    unseen = list(not_seen(summary, run))
    if unseen:
        parts += [title("Not seen"), *[indented(line, 2, width) for line in unseen]]
    return Group(*parts)


def title(text: str) -> RenderableType:
    """A heading with an empty line before it."""
    return Text("\n").append(text, style="bold")


def indented(text: str, by: int, width: int, style: str = "") -> Text:
    """`text` wrapped to `width`, every line begun with `by` spaces; no spaces after them, unlike padding."""
    margin = " " * by
    return Text(textwrap.fill(text, max(width, by + 20), initial_indent=margin, subsequent_indent=margin), style=style)


def headline(summary: Summary, run: Run) -> Text:
    """What was read, its time span, and how fast it went."""
    unit = "line" if "logs.lines" in run.counters else "packet"
    units = run.counters.get("logs.lines", run.counters.get("flows.packets", 0))
    names = ", ".join(safe(Path(source).name) for source in summary.sources[:3]) or "nothing"
    if len(summary.sources) > 3:
        names += f" and {len(summary.sources) - 3} more"
    line = Text(names, style="bold")
    line.append(f": {plural(units, unit)}", style="not bold")
    flows = run.counters.get("flows.created")
    if flows is not None:
        line.append(f", {plural(flows, 'flow')}", style="not bold")
    if summary.first_ts_ns is not None and summary.last_ts_ns is not None:
        span = say_duration(max(0, summary.last_ts_ns - summary.first_ts_ns))
        line.append(f", {span} from {say_time(summary.first_ts_ns)}", style="not bold")
    if run.elapsed_ns > 0:
        rate = units * NS_PER_S // run.elapsed_ns
        line.append(f"; read in {say_duration(run.elapsed_ns)} ({rate:,} {unit}s/s)", style="dim not bold")
    return line


def logins(summary: Summary) -> Table:
    """One row per protocol, one column per outcome that occurred."""
    outcomes = [one for one in Outcome if any(per.outcomes[one] for per in summary.logins.values())]
    inferred = any(per.inferred_count for per in summary.logins.values())
    table = _table()
    table.add_column("protocol")
    for outcome in outcomes:
        table.add_column(outcome.value, justify="right", style=OUTCOME_STYLE.get(outcome, ""))
    table.add_column("accounts", justify="right")
    table.add_column("sources", justify="right")
    if inferred:
        table.add_column("inferred", justify="right", style="dim")
    for protocol, per in sorted(summary.logins.items()):
        cells = [f"{per.outcomes[one]:,}" if per.outcomes[one] else "·" for one in outcomes]
        extra = [f"{per.inferred_count:,}" if per.inferred_count else "·"] if inferred else []
        table.add_row(safe(protocol), *cells, str(per.accounts), str(per.sources), *extra)
    return table


def findings(summary: Summary, width: int) -> RenderableType:
    """The findings, worst first, each with its id for `explain`."""
    ranked = summary.ranked()
    if not ranked:
        return Text("  none")
    parts: list[RenderableType] = []
    for finding in ranked[:MAX_SHOWN_FINDINGS]:
        parts += [finding_line(finding), indented(safe_sentence(finding.sentence), 12, width)]
    if len(ranked) > MAX_SHOWN_FINDINGS:
        parts.append(Text(f"  and {len(ranked) - MAX_SHOWN_FINDINGS:,} more; -o ndjson has them all"))
    return Group(*parts)


def finding_line(finding: Finding) -> Text:
    """Severity, kind and id of a finding."""
    line = Text("  ").append(f"{finding.severity.value:<10}", style=SEVERITY_STYLE[finding.severity])
    line.append(finding.finding, style="bold")
    return line.append(f"  {safe(finding.finding_id)}", style="dim")


def safe_sentence(sentence: str) -> str:
    """A sentence with names from the network in it, shown whole."""
    return " ".join(safe(word) for word in sentence.split(" "))


def not_seen(summary: Summary, run: Run) -> Iterator[str]:
    """What is missing from the picture, one line each: damage, losses, holes, what was not understood."""
    for damage in summary.damages:
        place = f" at byte {damage.offset:,}" if damage.offset is not None else ""
        yield f"{safe(damage.source)}{place}: {safe(damage.what)}"
    if summary.damage_count > len(summary.damages):
        yield f"{summary.damage_count - len(summary.damages):,} more damaged places"
    for where, count in sorted(summary.lost.items()):
        yield f"{count:,} lost at {safe(where)}"
    for kind, count in sorted(summary.anomalies.items()):
        if not kind.startswith("capture."):
            yield f"{count:,} {anomaly(kind)}"
    yield from _counted(run.counters)


def _counted(counters: Mapping[str, int]) -> Iterator[str]:
    missed = counters.get("sessions.gap_bytes", 0)
    if missed:
        yield f"{say_bytes(missed)} missing inside sessions: packets that the capture does not hold"
    encrypted = counters.get("sessions.encrypted", 0)
    if encrypted:
        yield f"{plural(encrypted, 'encrypted session')}, whose logins cannot be read"


def _table() -> Table:
    table = Table(box=None, show_edge=False, pad_edge=False, padding=(0, 2, 0, 2), header_style="dim")
    table.show_header = True
    return table


def print_overview(console: Console, summary: Summary, run: Run) -> None:
    """Print the whole of it."""
    console.print(overview(summary, run, console.width), highlight=False)
