"""The command line of `lapwing guard`; see `cli`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lapwing.app import cli_logs
from lapwing.app.cli_parts import ConfigFile, EventFamilies, EventOutput, Group, leave

group = Group("Stand at the door of applications.")


class Strictness(StrEnum):
    """Answers that can refuse, mildest first."""

    CHALLENGE = "challenge"
    DELAY = "delay"
    BLOCK = "block"


class Shape(StrEnum):
    """What a line of the deny file looks like."""

    PLAIN = "plain"
    NGINX = "nginx"
    NGINX_MAP = "nginx-map"


@group.command()
def serve(
    logs: Annotated[list[str], typer.Argument(metavar="LOG", help="Logs to decide from, followed as they grow.")],
    listen: Annotated[
        str, typer.Option("--listen", metavar="ADDRESS", help="Where proxies ask: host:port or unix:PATH.")
    ] = "127.0.0.1:4180",
    trust: Annotated[
        list[str] | None,
        typer.Option("--trust", metavar="NETWORK", help="Proxies that may say for whom they ask; loopback by default."),
    ] = None,
    deny_from: Annotated[
        Strictness, typer.Option("--deny-from", help="The mildest answer that refuses.")
    ] = Strictness.DELAY,
    fail_closed: Annotated[
        bool, typer.Option("--fail-closed", help="Refuse requests of which nobody can tell whose they are.")
    ] = False,
    log_format: cli_logs.LogKind = None,
    patterns: cli_logs.PatternFiles = None,
    positions: cli_logs.Positions = None,
    from_start: cli_logs.FromStart = False,
    api_key_file: Annotated[
        Path | None, typer.Option("--api-key-file", metavar="FILE", help="Keys for bouncers that pull decisions.")
    ] = None,
    deny_file: Annotated[
        Path | None, typer.Option("--deny-file", metavar="FILE", help="Keep a list of who is held back in this file.")
    ] = None,
    deny_shape: Annotated[Shape, typer.Option("--deny-shape", help="What its lines look like.")] = Shape.PLAIN,
    nft_set: Annotated[
        str | None, typer.Option("--nft-set", metavar="FAMILY/TABLE/SET", help="Add who is held back to this set.")
    ] = None,
    webhook: Annotated[
        str | None, typer.Option("--webhook", metavar="URL", help="Post decisions here as JSON.")
    ] = None,
    output: EventOutput = None,
    events: EventFamilies = None,
    decoys: cli_logs.DecoyStore = None,
    state: Annotated[
        Path | None,
        typer.Option("--state", metavar="FOLDER", help="Keep what is known and decided there, over restarts."),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Decide from logs, and answer proxies that ask.

    nginx asks about each request with auth_request, Caddy with forward_auth. Ctrl-C ends it, SIGHUP
    reads the configuration again.
    """
    from lapwing.app.commands.guard import GuardOptions, serve

    options = GuardOptions(
        logs,
        listen,
        trust or (),
        deny_from,
        fail_closed,
        log_format,
        patterns or (),
        positions,
        from_start,
        api_key_file,
        deny_file,
        deny_shape,
        nft_set,
        webhook,
        output,
        events,
        config,
        decoys,
        state,
    )
    leave(serve, options)
