"""The results as tables: for the terminal and for docs/performance.md."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.contenders import Contender
from bench.results import Results

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"

AIMS: tuple[tuple[str, str, float | None, bool], ...] = (
    # figure, what it says, the aim (None for what only helps to read another), whether smaller is better
    ("track_vs_c", "parse + track: time over the C tracker's, worse of the two captures", 1.5, True),
    ("track_vs_nfstream", "parse + track: times as fast as nfstream, dissection off", 20.0, False),
    ("track_vs_argus", "parse + track: times as fast as argus", 1.0, False),
    ("track_vs_nfpcapd", "parse + track: times as fast as nfpcapd", 1.0, False),
    ("track_anon_mb", "parse + track: peak anonymous memory on `small`, MiB", 400.0, True),
    ("sessions_vs_c", "everything on: time over the C tracker's", 9.0, True),
    ("sessions_vs_nfstream", "everything on: times as fast as nfstream's default", 3.0, False),
    ("growth_10x", "peak memory at ten times the input over the peak at once", 1.1, True),
    ("shard_one_file", "one file, read in one thread and tracked in another: times as fast as on one core", 1.4, False),
    ("shard_two_files", "two files in two processes: times as fast as one after the other on one core", 1.8, False),
    (
        "shard_machine_limit",
        "the same two files, C trackers with nothing in common: what two cores gain here",
        None,
        False,
    ),
    (
        "shard_live",
        "two readers of one interface, each at its limit: packets a second taken, over one reader's",
        1.8,
        False,
    ),
    ("shard_live_by_cpu", "the same, everything taken: packets for each second of the busiest reader", None, False),
    ("live_sent_pps", "packets of 200 bytes that one core sent in a second, for minutes", None, False),
    ("live_kernel_drops", "of these, packets the kernel dropped while one reader tracked 4,096 flows", 0.0, True),
    ("live_reader_cpu_share", "share of a core that this reader needed", None, True),
    ("zeek_rows_agree_percent", "rows of the protocol logs that agree with the expected ones", 97.0, False),
    ("fingerprints_agree_percent", "streams whose JA3, JA4 and HASSH are the expected ones", 100.0, False),
    ("collector_dns_per_s", "DNS queries answered and durably written, a second and process", 30_000.0, False),
    ("collector_http_per_s", "HTTP requests answered and durably written, a second and process", 3_000.0, False),
    ("collector_push_p50_ms", "2,000 interactions a second, pushed: median time to the client", 20.0, True),
    ("collector_push_p99_ms", "the same: time that one in a hundred exceeds", 100.0, True),
    ("decision_p50_us", "a login judged, a million sources known: median time", 2.0, True),
    ("decision_p99_us", "the same: time that one in a hundred exceeds", 10.0, True),
    ("decision_c_p50_us", "the same logins counted by the same six keys in C, nothing else: median time", None, True),
    ("decision_vs_c", "a try of the attack: median time over that in C", None, True),
    ("decisions_per_second", "logins of the attack judged in batches, a second", 500_000.0, False),
    ("decisions_columns_per_second", "the same in columns", 500_000.0, False),
    ("decisions_third_per_second", "the same in batches, each with new records of its source and network", None, False),
    ("decisions_mixed_per_second", "the attack and ordinary users in turn, in batches, a second", None, False),
    ("bytes_per_source", "memory of a known source with all that is kept of it", 300.0, True),
)


def summary_rows(contenders: Sequence[Contender], results: Results) -> list[list[str]]:
    """Per program: rate and ratio to the C tracker and memory on each capture."""
    rows = []
    for contender in contenders:
        row = [contender.title]
        for kind in results.captures:
            rate, over = results.rate(contender.name, kind), results.times(contender.name, "ctracker", kind)
            memory = results.anon_mb(contender.name, kind)
            row.append("" if rate is None else f"{rate / 1000:,.0f}")
            row.append("" if over is None else f"{over:.2f}")
            row.append("" if memory is None else f"{memory:,.0f}")
        rows.append(row)
    return rows


def summary_head(results: Results) -> list[str]:
    head = ["program"]
    for kind in results.captures:
        head += [f"{kind}: 1,000 packets/s", "time over C", "memory, MiB"]
    return head


def aim_rows(results: Results) -> list[list[str]]:
    figures = results.figures()
    rows = []
    for name, meaning, aim, smaller in AIMS:
        value = figures.get(name)
        bound = "" if aim is None else f"at {'most' if smaller else 'least'} {aim:,g}"
        rows.append(
            [name, meaning, bound, "not measured" if value is None else f"{value:,.2f}", _met(value, aim, smaller)]
        )
    return rows


def _met(value: float | None, aim: float | None, smaller: bool) -> str:
    if value is None or aim is None:
        return ""
    return "yes" if (value <= aim if smaller else value >= aim) else "no"


def count_rows(contenders: Sequence[Contender], results: Results) -> list[list[str]]:
    """What each program says it saw: a check that they did the same work."""
    rows = []
    for kind in results.captures:
        for contender in contenders:
            runs = results.runs.get((contender.name, kind))
            if runs and runs[-1].packets is not None:
                flows = "" if not runs[-1].flows else f"{runs[-1].flows:,}"
                rows.append([kind, contender.title, f"{runs[-1].packets:,}", flows])
    return rows


COUNT_HEAD = ["capture", "program", "packets", "flows"]
AIM_HEAD = ["figure", "meaning", "aim", "measured", "met"]


def show(contenders: Sequence[Contender], results: Results, console: Console) -> None:
    """The tables on the terminal."""
    for title, head, rows in _tables(contenders, results):
        table = Table(title=title, title_justify="left")
        for index, name in enumerate(head):
            table.add_column(name, justify="left" if index == 0 else "right")
        for row in rows:
            table.add_row(*row)
        console.print(table)
    for note in results.notes:
        console.print(f"left out: {note}")
    if results.undisturbed() < 0.9:
        console.print("The machine was busy with other work: trust the ratios less than usual.")


def write_page(path: Path, contenders: Sequence[Contender], results: Results) -> None:
    """Replaces what stands between the two marks of the page."""
    page = path.read_text()
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    parts = [f"### {title}\n\n{_markdown(head, rows)}" for title, head, rows in _tables(contenders, results)]
    if results.absent:
        parts.append(f"Not installed when these figures were made: {', '.join(results.absent)}.")
    path.write_text(f"{before}{BEGIN}\n\n" + "\n\n".join(parts) + f"\n\n{END}{after}")


def _tables(contenders: Sequence[Contender], results: Results) -> list[tuple[str, list[str], list[list[str]]]]:
    return [
        ("Rates and memory", summary_head(results), summary_rows(contenders, results)),
        ("Ratios and aims", AIM_HEAD, aim_rows(results)),
        ("What each saw", COUNT_HEAD, count_rows(contenders, results)),
    ]


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
