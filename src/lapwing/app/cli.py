"""The `lapwing` program: its commands and options. The work is in `commands`, imported when it runs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lapwing._version import __version__
from lapwing.app import cli_callbacks, cli_guard, cli_lab, cli_leaks, cli_logs, cli_replay, cli_tokens
from lapwing.app.exit_codes import ExitCode
from lapwing.app.formats import Format

app = typer.Typer(
    name="lapwing",
    help="Finds credential attacks in network traffic and logs.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
logs_app = typer.Typer(help="Look at log files and their formats.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(logs_app, name="logs")
cli_logs.add_to(logs_app)
guard_app = typer.Typer(help="Stand at the door of applications.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(guard_app, name="guard")
cli_guard.add_to(guard_app)
lab_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(lab_app, name="lab")
cli_lab.add_to(lab_app)
leaks_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(leaks_app, name="leaks")
cli_leaks.add_to(leaks_app)
cli_replay.add_to(app)
config_app = typer.Typer(help="Write, check and show settings.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(config_app, name="config")
callbacks_app = typer.Typer(help="Learn who reached what was planted.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(callbacks_app, name="callbacks")
cli_callbacks.add_to(callbacks_app)
app.add_typer(cli_tokens.tokens_app, name="token")


class Level(StrEnum):
    """Severities, mildest first: those of the events, without loading them to show a help page."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class RingSize(StrEnum):
    """Profiles of the ring, without loading what uses them."""

    DEFAULT = "default"
    HIGH_THROUGHPUT = "high-throughput"
    LOW_LATENCY = "low-latency"
    LOW_MEMORY = "low-memory"
    JUMBO = "jumbo"


class Copies(StrEnum):
    """Where packets are seen twice, without loading what leaves them out."""

    OFF = "off"
    LOOPBACK = "loopback"
    BRIDGE = "bridge"
    MIRROR = "mirror"


class CaptureBy(StrEnum):
    """What reads an interface, without loading it."""

    AUTO = "auto"
    RING = "ring"
    LIBPCAP = "libpcap"


class Timestamps(StrEnum):
    """Where the times of live packets come from."""

    KERNEL = "kernel"
    HARDWARE = "hardware"


Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILE", help="Captures (pcap, pcapng, also .gz, .zst), folders, globs, or - for standard input."
    ),
]
MoreFiles = Annotated[
    list[str] | None, typer.Option("-r", "--read", metavar="FILE", help="The same as FILE, as tcpdump spells it.")
]
Filter = Annotated[
    str | None,
    typer.Option("-f", "--filter", metavar="EXPRESSION", help="Read only packets that match, e.g. 'tcp port 22'."),
]
Count = Annotated[int | None, typer.Option("-c", "--count", min=1, metavar="N", help="Stop after N packets.")]
OutputOption = Annotated[
    Format | None, typer.Option("-o", "--output", help="Shape; table on a terminal and ndjson elsewhere by default.")
]
ConfigFile = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Settings in TOML.")]
Interface = Annotated[
    str | None, typer.Option("-i", "--interface", metavar="IFACE", help="Watch this interface; any for all of them.")
]
EventFamilies = Annotated[
    str | None,
    typer.Option(
        "--events",
        metavar="FAMILIES",
        help="Which events to write: auth,finding,decision,anomaly,token by default; also flow, session, sensor, all.",
    ),
]
FailOn = Annotated[Level | None, typer.Option("--fail-on", help="Exit with 1 when a finding is at least this severe.")]
WriteTo = Annotated[
    str | None, typer.Option("-w", "--write", metavar="FILE", help="Also write the packets to this capture.")
]
RotateSize = Annotated[
    str | None, typer.Option("--rotate-size", metavar="SIZE", help="Begin a new file at this size, e.g. 100MiB.")
]
RotateTime = Annotated[
    str | None, typer.Option("--rotate-time", metavar="TIME", help="Begin a new file after this time, e.g. 10m.")
]
KeepFiles = Annotated[
    int | None, typer.Option("--keep", min=1, metavar="N", help="Delete the oldest files beyond this many.")
]
Before = Annotated[
    str | None,
    typer.Option("--before", metavar="TIME", help="Write only around findings, from this long before each, e.g. 30s."),
]
After = Annotated[
    str | None, typer.Option("--after", metavar="TIME", help="With --before: how long to go on; 60s by default.")
]
Profile = Annotated[RingSize, typer.Option("--profile", help="Size of the ring between kernel and reader.")]
Snaplen = Annotated[
    int | None,
    typer.Option("-s", "--snaplen", min=64, max=262_144, help="Bytes of each packet to take; all by default."),
]
Promiscuous = Annotated[
    bool, typer.Option("--promiscuous/--no-promiscuous", " /-p", help="Take packets addressed to others too.")
]
Namespace = Annotated[
    str | None, typer.Option("--namespace", metavar="NAME", help="Network namespace of the interface.")
]
FanoutGroup = Annotated[
    int | None,
    typer.Option("--fanout", min=0, max=65_535, metavar="GROUP", help="Share the packets with others of this group."),
]
CaptureOption = Annotated[
    CaptureBy, typer.Option("--capture", help="What reads it: the ring of Linux, or libpcap (extra `pcap`).")
]
TimestampsOption = Annotated[
    Timestamps, typer.Option("--timestamps", help="Packet times of the kernel, or of network cards that have a clock.")
]
User = Annotated[
    str | None, typer.Option("-Z", "--user", metavar="USER", help="Become this user once the interface is open.")
]
DedupOption = Annotated[
    Copies, typer.Option("--dedup", help="Leave out packets that are there twice, as captured in such a place.")
]
SinkOptions = Annotated[
    list[str] | None,
    typer.Option("--sink", metavar="NAME[=ARGUMENT]", help="Also hand the events to this plugin; repeatable."),
]
NoNames = Annotated[bool, typer.Option("-n", help="Accepted for the fingers: addresses are never resolved.")]


def _version(value: bool) -> None:
    if value:
        typer.echo(f"lapwing {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Finds credential attacks in network traffic and logs."""


@app.command()
def read(
    files: Files = None,
    more: MoreFiles = None,
    filter_: Filter = None,
    count: Count = None,
    output: OutputOption = None,
    events: EventFamilies = None,
    fail_on: FailOn = None,
    logdir: Annotated[
        Path | None, typer.Option("--logdir", metavar="DIR", help="With -o zeek: the folder for the logs.")
    ] = None,
    write: WriteTo = None,
    rotate_size: RotateSize = None,
    rotate_time: RotateTime = None,
    keep: KeepFiles = None,
    before: Before = None,
    after: After = None,
    sink: SinkOptions = None,
    merge: Annotated[
        bool, typer.Option("--merge", help="Read captures of the same time together, in the order of packet times.")
    ] = False,
    dedup: DedupOption = Copies.OFF,
    log_format: cli_logs.LogKind = None,
    patterns: cli_logs.PatternFiles = None,
    decoys: cli_logs.DecoyStore = None,
    config: ConfigFile = None,
    _names: NoNames = False,
) -> None:
    """Read captures or logs: logins, findings, and what could not be seen."""
    from lapwing.app.commands.options import RecordOptions
    from lapwing.app.commands.read import ReadOptions, run
    from lapwing.app.commands.read_logs import LogOptions, are_logs, run_logs

    inputs = _inputs(files, more)
    if log_format or patterns or are_logs(inputs):
        about_packets = any(option is not None for option in (filter_, count, write, before))
        logs = LogOptions(inputs, log_format, patterns or (), output, events, fail_on, config, decoys)
        _exit(run_logs, logs, about_packets)
    record = RecordOptions(write, rotate_size, rotate_time, keep, before, after)
    shape = (filter_, count, output, events, fail_on, config)
    _exit(run, ReadOptions(inputs, *shape, record, logdir, sink or (), decoys, merge, dedup))


@app.command()
def sessions(
    files: Files = None,
    more: MoreFiles = None,
    filter_: Filter = None,
    count: Count = None,
    output: OutputOption = None,
    protocol: Annotated[
        str | None, typer.Option("--protocol", metavar="NAMES", help="Only these protocols, e.g. http,dns.")
    ] = None,
    config: ConfigFile = None,
    _names: NoNames = False,
) -> None:
    """Read captures and write what every parser read in them, message by message."""
    from lapwing.app.commands.sessions import SessionOptions, run

    _exit(run, SessionOptions(_inputs(files, more), filter_, count, output, protocol, config))


@app.command()
def watch(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="FILE", help="Log files and globs; a file may yet have to come.")
    ] = None,
    interface: Interface = None,
    filter_: Filter = None,
    count: Count = None,
    output: OutputOption = None,
    events: EventFamilies = None,
    fail_on: FailOn = None,
    write: WriteTo = None,
    rotate_size: RotateSize = None,
    rotate_time: RotateTime = None,
    keep: KeepFiles = None,
    before: Before = None,
    after: After = None,
    profile: Profile = RingSize.DEFAULT,
    snaplen: Snaplen = None,
    promiscuous: Promiscuous = True,
    namespace: Namespace = None,
    fanout: FanoutGroup = None,
    capture: CaptureOption = CaptureBy.AUTO,
    timestamps: TimestampsOption = Timestamps.KERNEL,
    dedup: DedupOption = Copies.OFF,
    user: User = None,
    sink: SinkOptions = None,
    log_format: cli_logs.LogKind = None,
    patterns: cli_logs.PatternFiles = None,
    positions: cli_logs.Positions = None,
    from_start: cli_logs.FromStart = False,
    decoys: cli_logs.DecoyStore = None,
    config: ConfigFile = None,
    _names: NoNames = False,
) -> None:
    """Watch an interface or logs: logins, findings, what could not be seen, as they happen. Ctrl-C ends it."""
    from lapwing.app.commands.options import LiveOptions, RecordOptions
    from lapwing.app.commands.watch import WatchOptions, run
    from lapwing.app.commands.watch_logs import WatchLogOptions, run_watch_logs

    if (interface is None) == (not files):
        typer.echo("lapwing: name logs, or an interface with -i", err=True)
        raise typer.Exit(ExitCode.USAGE)
    if interface is None:
        logs = WatchLogOptions(
            files or (), log_format, patterns or (), positions, from_start, output, events, fail_on, config, decoys
        )
        _exit(run_watch_logs, logs)
    assert interface is not None
    live = LiveOptions(interface, profile, snaplen, promiscuous, namespace, fanout, user, capture, timestamps, dedup)
    record = RecordOptions(write, rotate_size, rotate_time, keep, before, after)
    _exit(run, WatchOptions(live, record, filter_, count, output, events, fail_on, config, sink or (), decoys))


@app.command()
def flows(
    files: Files = None,
    more: MoreFiles = None,
    filter_: Filter = None,
    count: Count = None,
    output: OutputOption = None,
    ipfix: Annotated[
        str | None,
        typer.Option("--ipfix", metavar="URL", help="Send the records to udp://HOST[:PORT] or tcp://..., write none."),
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="With -o parquet: the file; standard output without it.")
    ] = None,
    interface: Interface = None,
    namespace: Namespace = None,
    user: User = None,
    dedup: DedupOption = Copies.OFF,
    config: ConfigFile = None,
    _names: NoNames = False,
) -> None:
    """Read captures, or watch an interface, and write one record per flow; nothing above the transport is parsed."""
    from lapwing.app.commands.flows import FlowOptions, run
    from lapwing.app.commands.options import LiveOptions

    live = LiveOptions(interface, namespace=namespace, user=user, dedup=dedup) if interface is not None else None
    inputs = _inputs(files, more) if live is None else [*(files or []), *(more or [])]
    _exit(run, FlowOptions(inputs, filter_, count, output, config, live, to, ipfix, dedup))


@app.command()
def explain(
    finding: Annotated[str, typer.Argument(help="Id of a finding, the start of one, or a kind of finding.")],
    files: Annotated[list[str] | None, typer.Argument(metavar="FILE", help="Captures to read again.")] = None,
    source: Annotated[
        str | None, typer.Option("--from", metavar="FILE", help="NDJSON of an earlier run, - for standard input.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Say in plain words why something was found, with the numbers."""
    from lapwing.app.commands.explain import ExplainOptions, run

    _exit(run, ExplainOptions(finding, files or [], source, config))


@config_app.command("init")
def config_init(
    file: Annotated[Path | None, typer.Argument(help="Where to write; standard output without it.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")] = False,
) -> None:
    """Write a settings file with every setting, its default and its meaning."""
    from lapwing.app.commands.config import init

    _exit(init, file, force)


@config_app.command("check")
def config_check(
    file: Annotated[
        Path | None, typer.Argument(help="The file to check; the one that would be used without it.")
    ] = None,
) -> None:
    """Check a settings file and the environment."""
    from lapwing.app.commands.config import check

    _exit(check, file)


@config_app.command("show")
def config_show(
    config: ConfigFile = None,
    output: Annotated[
        Format, typer.Option("-o", "--output", help="table is TOML with origins; or json, ndjson.")
    ] = Format.TABLE,
) -> None:
    """Show the effective settings and where each value comes from."""
    from lapwing.app.commands.config import show

    _exit(show, config, output)


@callbacks_app.command("serve")
def callbacks_serve(
    domain: Annotated[
        list[str] | None, typer.Option("--domain", "-d", metavar="NAME", help="A domain to answer for; repeatable.")
    ] = None,
    ip: Annotated[
        list[str] | None,
        typer.Option("--ip", metavar="ADDRESS", help="What names below the domains resolve to; repeatable."),
    ] = None,
    listen: Annotated[
        list[str] | None,
        typer.Option("--listen", "-l", metavar="ADDRESS", help="Where to listen, 0.0.0.0 by default; repeatable."),
    ] = None,
    port: Annotated[
        list[str] | None,
        typer.Option("--port", metavar="NAME=N,...", help="A listener's ports, e.g. dns=5353 or ftp= for none."),
    ] = None,
    control: Annotated[
        str | None,
        typer.Option("--control", metavar="ADDRESS:PORT", help="Where clients register; 127.0.0.1:8053 by default."),
    ] = None,
    store: Annotated[
        str | None, typer.Option("--store", metavar="FILE|URL", help="SQLite file, or postgresql://USER@HOST/DATABASE.")
    ] = None,
    token: Annotated[
        str | None,
        typer.Option("--token", metavar="TEXT", envvar="LAPWING_TOKEN", help="What clients must show to register."),
    ] = None,
    cert: Annotated[Path | None, typer.Option("--cert", metavar="FILE", help="Certificate chain, PEM.")] = None,
    key: Annotated[Path | None, typer.Option("--key", metavar="FILE", help="Its private key, PEM.")] = None,
    lab: Annotated[
        Path | None, typer.Option("--lab", metavar="FOLDER", help="Keep a CA there and make the certificate with it.")
    ] = None,
    acme: Annotated[
        Path | None, typer.Option("--acme", metavar="FOLDER", help="Let an ACME authority issue it, and keep it there.")
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", metavar="NAME", help="Become this user once the ports are open.")
    ] = None,
    settings: Annotated[
        Path | None, typer.Option("--settings", metavar="FILE", help="The collector's settings in TOML.")
    ] = None,
    output: Annotated[Format | None, typer.Option("-o", "--output", help="Shape of the events: ndjson or eve.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Write no events; the store has them.")] = False,
) -> None:
    """Answer DNS, HTTP, SMTP, LDAP and FTP for a domain and keep every interaction."""
    try:
        from lapwing.app.commands.callbacks_serve import ServeOptions, run
    except ModuleNotFoundError as missing:
        typer.echo(f"lapwing: needs {missing.name}: pip install 'lapwing[collector]'", err=True)
        raise typer.Exit(ExitCode.USAGE) from None

    options = ServeOptions(
        domain or [], ip or [], listen or [], port or [], control, store, token, cert, key, lab, acme, user, settings,
        output,
        quiet,
    )  # fmt: skip
    _exit(run, options)


@app.command()
def doctor() -> None:
    """Say what this installation can do, and what is missing."""
    from lapwing.app.commands.doctor import run

    _exit(run)


@app.command()
def demo() -> None:
    """Find the attacks in a recorded capture and compare them with what really happened in it."""
    from lapwing.app.commands.demo import run

    _exit(run)


@app.command()
def schema() -> None:
    """Write the JSON Schema of all events."""
    from lapwing.app.commands.schema import run

    _exit(run)


def _inputs(files: list[str] | None, more: list[str] | None) -> list[str]:
    inputs = [*(files or []), *(more or [])]
    if not inputs:
        typer.echo("lapwing: name a capture, a folder, a glob, or - for standard input", err=True)
        raise typer.Exit(ExitCode.USAGE)
    return inputs


def _exit(command: object, *arguments: object) -> None:
    """Run a command and leave with its exit code; what went wrong is one line, never a traceback."""
    from lapwing.app.guard import guarded

    raise typer.Exit(int(guarded(command, *arguments)))  # type: ignore[arg-type]


def main() -> None:
    """Entry point of the program."""
    app()
