"""The `lapwing` program: its commands and options. The work is in `commands`, imported when it runs."""

import os
import sys
from pathlib import Path
from typing import Annotated, TextIO

import typer

from lapwing._version import __version__
from lapwing.app import (
    cli_callbacks,
    cli_config,
    cli_guard,
    cli_lab,
    cli_leaks,
    cli_logs,
    cli_replay,
    cli_tokens,
)
from lapwing.app import cli_captures as of_captures
from lapwing.app.cli_parts import (
    LINES,
    ConfigFile,
    EventFamilies,
    EventOutput,
    FailOn,
    Group,
    SinkOptions,
    given_of,
    leave,
    misused,
    output_option,
    refuse,
)
from lapwing.app.exit_codes import ExitCode
from lapwing.app.formats import Format

app = Group(
    "Finds credential attacks in network traffic and logs.",
    name="lapwing",
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
    files: of_captures.FilesOrLogs = None,
    more: of_captures.MoreFiles = None,
    filter_: of_captures.Filter = None,
    count: of_captures.Count = None,
    output: Annotated[Format | None, output_option(Format.TABLE, *LINES, Format.ZEEK)] = None,
    events: EventFamilies = None,
    fail_on: FailOn = None,
    logdir: Annotated[
        Path | None, typer.Option("--logdir", metavar="DIR", help="With -o zeek: the folder for the logs.")
    ] = None,
    vlan: Annotated[
        bool, typer.Option("--vlan", help="With -o zeek: columns vlan and inner_vlan in conn.log.")
    ] = False,
    write: of_captures.WriteTo = None,
    rotate_size: of_captures.RotateSize = None,
    rotate_time: of_captures.RotateTime = None,
    keep: of_captures.KeepFiles = None,
    before: of_captures.Before = None,
    after: of_captures.After = None,
    sink: SinkOptions = None,
    merge: Annotated[
        bool, typer.Option("--merge", help="Read captures of the same time together, in the order of packet times.")
    ] = False,
    dedup: of_captures.DedupOption = of_captures.Copies.OFF,
    log_format: cli_logs.LogKind = None,
    patterns: cli_logs.PatternFiles = None,
    decoys: cli_logs.DecoyStore = None,
    config: ConfigFile = None,
    _names: of_captures.NoNames = False,
) -> None:
    """Find attacks in captures or logs.

    Writes logins, findings, decisions and what could not be seen: a summary on a terminal, events elsewhere.
    """
    from lapwing.app.commands.options import RecordOptions
    from lapwing.app.commands.read import ReadOptions, run
    from lapwing.app.commands.read_logs import LogOptions, are_known_logs, are_logs, run_logs

    inputs = _inputs(files, more)
    record = RecordOptions(write, rotate_size, rotate_time, keep, before, after)
    packets = {"-f": filter_, "-c": count, "--logdir": logdir, "--merge": merge, "--dedup": dedup.given}
    packets |= {"--vlan": vlan}
    about_packets = packets | record.by_option()
    packets_meant = bool(given_of(about_packets))
    if log_format or patterns or (are_logs(inputs) and (not packets_meant or are_known_logs(inputs))):
        refuse("about packets; these inputs are logs", about_packets)
        leave(
            run_logs,
            LogOptions(inputs, log_format, patterns or (), output, events, fail_on, config, decoys, sink or ()),
        )
    shape = (filter_, count, output, events, fail_on, config)
    leave(run, ReadOptions(inputs, *shape, record, logdir, sink or (), decoys, merge, dedup, vlan))


@app.command()
def watch(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="FILE", help="Log files and globs; a file may yet have to come.")
    ] = None,
    interface: of_captures.Interface = None,
    filter_: of_captures.Filter = None,
    count: of_captures.Count = None,
    output: EventOutput = None,
    events: EventFamilies = None,
    fail_on: FailOn = None,
    write: of_captures.WriteTo = None,
    rotate_size: of_captures.RotateSize = None,
    rotate_time: of_captures.RotateTime = None,
    keep: of_captures.KeepFiles = None,
    before: of_captures.Before = None,
    after: of_captures.After = None,
    profile: of_captures.Profile = of_captures.RingSize.DEFAULT,
    snaplen: of_captures.Snaplen = None,
    promiscuous: of_captures.Promiscuous = True,
    namespace: of_captures.Namespace = None,
    fanout: of_captures.FanoutGroup = None,
    capture: of_captures.CaptureOption = of_captures.CaptureBy.AUTO,
    timestamps: of_captures.TimestampsOption = of_captures.Timestamps.KERNEL,
    dedup: of_captures.DedupOption = of_captures.Copies.OFF,
    user: of_captures.User = None,
    sink: SinkOptions = None,
    log_format: cli_logs.LogKind = None,
    patterns: cli_logs.PatternFiles = None,
    positions: cli_logs.Positions = None,
    from_start: cli_logs.FromStart = False,
    decoys: cli_logs.DecoyStore = None,
    config: ConfigFile = None,
    _names: of_captures.NoNames = False,
) -> None:
    """Find attacks on an interface or in logs, as they happen.

    Ctrl-C ends it, and what is open then is told: a summary on a terminal, events elsewhere.
    SIGHUP reads the configuration again.
    """
    from lapwing.app.commands.options import LiveOptions, RecordOptions
    from lapwing.app.commands.watch import WatchOptions, run
    from lapwing.app.commands.watch_logs import WatchLogOptions, run_watch_logs

    if (interface is None) == (not files):
        raise misused(f"name logs, or an interface with -i{', not both' if files else ''}")
    record = RecordOptions(write, rotate_size, rotate_time, keep, before, after)
    about_logs = {"--format": log_format, "--patterns": patterns, "--positions": positions, "--from-start": from_start}
    if interface is None:
        about_packets = {"-f": filter_, "-c": count, "--snaplen": snaplen, "--namespace": namespace, "--fanout": fanout}
        refuse(
            "about packets; without -i these inputs are logs",
            about_packets | {"--user": user, "--dedup": dedup.given} | record.by_option(),
        )
        choice = (log_format, patterns or (), positions, from_start)
        leave(
            run_watch_logs, WatchLogOptions(files or (), *choice, output, events, fail_on, config, decoys, sink or ())
        )
    assert interface is not None
    refuse("about logs; -i watches packets", about_logs)
    live = LiveOptions(interface, profile, snaplen, promiscuous, namespace, fanout, user, capture, timestamps, dedup)
    leave(run, WatchOptions(live, record, filter_, count, output, events, fail_on, config, sink or (), decoys))


@app.command()
def flows(
    files: of_captures.Files = None,
    more: of_captures.MoreFiles = None,
    filter_: of_captures.Filter = None,
    count: of_captures.Count = None,
    output: Annotated[Format | None, output_option(Format.TABLE, *LINES, Format.PARQUET)] = None,
    ipfix: Annotated[
        str | None,
        typer.Option("--ipfix", metavar="URL", help="Send the records to udp://HOST[:PORT] or tcp://..., write none."),
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="With -o parquet: the file; standard output without it.")
    ] = None,
    interface: of_captures.Interface = None,
    namespace: of_captures.Namespace = None,
    fanout: of_captures.FanoutGroup = None,
    user: of_captures.User = None,
    dedup: of_captures.DedupOption = of_captures.Copies.OFF,
    config: ConfigFile = None,
    _names: of_captures.NoNames = False,
) -> None:
    """Write one record per flow of captures or an interface.

    Nothing above the transport is parsed.
    """
    from lapwing.app.commands.flows import FlowOptions, run
    from lapwing.app.commands.options import LiveOptions

    if output is not Format.PARQUET:
        refuse("for -o parquet", {"--to": to})
    if ipfix is not None:
        refuse("for records that are written, and --ipfix writes none", {"-o": output})
    if interface is None:
        refuse("for an interface: add -i", {"--namespace": namespace, "--fanout": fanout, "--user": user})
        live, inputs = None, _inputs(files, more)
    elif files or more:
        raise misused("name captures, or an interface with -i, not both")
    else:
        live, inputs = LiveOptions(interface, namespace=namespace, fanout=fanout, user=user, dedup=dedup), []
    leave(run, FlowOptions(inputs, filter_, count, output, config, live, to, ipfix, dedup))


@app.command()
def sessions(
    files: of_captures.Files = None,
    more: of_captures.MoreFiles = None,
    filter_: of_captures.Filter = None,
    count: of_captures.Count = None,
    output: EventOutput = None,
    protocol: Annotated[
        str | None, typer.Option("--protocol", metavar="NAMES", help="Only these protocols, e.g. http,dns.")
    ] = None,
    config: ConfigFile = None,
    _names: of_captures.NoNames = False,
) -> None:
    """Write every message that the parsers read in captures."""
    from lapwing.app.commands.sessions import SessionOptions, run

    leave(run, SessionOptions(_inputs(files, more), filter_, count, output, protocol, config))


@app.command()
def explain(
    finding: Annotated[
        str, typer.Argument(metavar="FINDING", help="Id of a finding, the start of one, or a kind of finding.")
    ],
    files: Annotated[list[str] | None, typer.Argument(metavar="FILE", help="Captures to read again.")] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="FILE", help="NDJSON of an earlier run, of logs too; - for standard input."),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Say in plain words why something was found."""
    from lapwing.app.commands.explain import ExplainOptions, run

    leave(run, ExplainOptions(finding, files or [], source, config))


cli_replay.add_to(app)


@app.command()
def demo() -> None:
    """Find the attacks in a recorded capture that comes along.

    What is found is compared with what really happened in it.
    """
    from lapwing.app.commands.demo import run

    leave(run)


@app.command()
def doctor() -> None:
    """Say what this installation can do, and what is missing."""
    from lapwing.app.commands.doctor import run

    leave(run)


@app.command()
def schema() -> None:
    """Write the JSON Schema of all events."""
    from lapwing.app.commands.schema import run

    leave(run)


app.add_typer(cli_logs.group, name="logs")
app.add_typer(cli_guard.group, name="guard")
app.add_typer(cli_callbacks.group, name="callbacks")
app.add_typer(cli_tokens.group, name="token")
app.add_typer(cli_leaks.group, name="leaks")
app.add_typer(cli_config.group, name="config")
app.add_typer(cli_lab.group, name="lab")


def _inputs(files: list[str] | None, more: list[str] | None) -> list[str]:
    inputs = [*(files or []), *(more or [])]
    if not inputs:
        raise misused("name a capture, a folder, a glob, or - for standard input")
    return inputs


def main() -> None:
    """Entry point of the program. What cannot be written, or nobody reads, ends it with a code of its own."""
    sys.stdout = sys.stdout or _nowhere(1)
    sys.stderr = sys.stderr or _nowhere(2)  # `print` takes the other one where there is none
    try:
        app()
    except SystemExit as ending:  # also raised where a page of help met a reader that went away
        unwritten = ending.__context__ if isinstance(ending.__context__, BrokenPipeError) else _flush()
        raise SystemExit(ending.code if unwritten is None else _told(unwritten)) from None
    except OSError as error:
        raise SystemExit(_told(error)) from None


def _nowhere(number: int) -> TextIO:
    """Stands for an output that was closed before the program began, and keeps its number from other files."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)
    return open(number, "w", encoding="utf-8", closefd=False)


def _flush() -> OSError | None:
    try:
        sys.stdout.flush()
    except OSError as error:
        return error
    return None


def _told(unwritten: OSError) -> ExitCode:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter would try again
    if isinstance(unwritten, BrokenPipeError):
        return ExitCode.PIPE_CLOSED
    typer.echo(f"lapwing: output: {unwritten.strerror}", err=True)
    return ExitCode.INPUT
