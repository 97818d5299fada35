"""`lapwing demo`: reads the recorded capture that comes with the package and compares the findings with its labels."""

import time
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lapwing.app.commands.read import SUMMARY_FAMILIES, followed
from lapwing.app.comparison import Comparison, compare
from lapwing.app.exit_codes import ExitCode
from lapwing.app.interrupt import stop_on_interrupt
from lapwing.app.reading import read
from lapwing.app.render import Run, indented, print_overview, safe_sentence, title
from lapwing.app.summary import Summary
from lapwing.app.terminal import stdout_console
from lapwing.app.units import plural
from lapwing.app.warning import warn_if_plain
from lapwing.demo import capture_path, labels
from lapwing.events import DecisionMade, Outcome


def run() -> ExitCode:
    """Read, compare, print. Clean only when every attack was found and nobody else accused."""
    warn_if_plain()
    truth = labels()
    summary = Summary()
    decisions: list[DecisionMade] = []
    started_ns = time.monotonic_ns()
    reading = read(capture_path(), events=SUMMARY_FAMILIES)
    with stop_on_interrupt(reading.stop) as interrupted, reading:
        for events in followed(reading, summary):
            decisions += [event for event in events if isinstance(event, DecisionMade)]
        facts = Run(reading.statistics(), time.monotonic_ns() - started_ns)
    console = stdout_console()
    print_overview(console, summary, facts)
    if interrupted.happened:
        return ExitCode.INTERRUPTED
    comparison = compare(truth, summary.ranked(), decisions)
    print_comparison(console, comparison, truth, summary)
    return ExitCode.CLEAN if comparison.holds else ExitCode.FINDINGS


def print_comparison(console: Console, comparison: Comparison, truth: dict[str, Any], summary: Summary) -> None:
    """Attack by attack, then the ordinary users, then how the login counts agree."""
    console.print(title("Compared with what really happened"))
    console.print(_attacks(comparison))
    for sentence in [*comparison.takeover, *comparison.accused]:
        console.print(Text("  NOT RIGHT  ", style="bold red").append(safe_sentence(sentence), style="not bold"))
    console.print()
    for line in verdict(comparison, truth):
        console.print(indented(line, 2, console.width))
    console.print(indented(_login_counts(truth, summary), 2, console.width, "dim"))


def _attacks(comparison: Comparison) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2), header_style="dim")
    for name in ("labelled attack", "finding", "", "ids"):
        table.add_column(name, no_wrap=name != "ids")
    for attack in comparison.attacks:
        state = Text("found", style="green") if attack.findings else Text("MISSED", style="bold red")
        ids = ", ".join(one.finding_id for one in attack.findings)
        table.add_row(attack.label["id"], attack.label["finding"], state, ids)
    return table


def verdict(comparison: Comparison, truth: dict[str, Any]) -> list[str]:
    """The three promises, each with how it went."""
    found = sum(bool(attack.findings) for attack in comparison.attacks)
    ordinary = len(truth["benign"]["sources"])
    takeover = truth["takeover"]
    named = "not named with all its sources" if comparison.takeover else "named with its sources"
    lines = [
        f"{found} of {len(comparison.attacks)} labelled attacks found",
        f"{plural(len(comparison.accused), 'accusation')} against {ordinary} ordinary sources",
        f"takeover of {takeover['account']}: {named} {', '.join(takeover['sources'])}",
    ]
    if comparison.unlabelled:
        others = ", ".join(f"{one.finding} {one.finding_id}" for one in comparison.unlabelled)
        lines.append(f"beyond the labels: {others}")
    return lines


def _login_counts(truth: dict[str, Any], summary: Summary) -> str:
    """Logins per protocol, read and true, in one line."""
    parts = []
    for protocol, true in sorted(truth["logins"].items()):
        seen = summary.logins.get(protocol)
        read_counts = [seen.outcomes[one] if seen else 0 for one in (Outcome.SUCCEEDED, Outcome.FAILED)]
        parts.append(f"{protocol} {read_counts[0]}+{read_counts[1]} of {true['succeeded']}+{true['failed']}")
    return f"logins read, succeeded+failed of the servers' own records: {'; '.join(parts)}"
