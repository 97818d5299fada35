"""Options of `lapwing callbacks listen`, `mint` and `wait`. Names are those of interactsh's client where it has one."""

from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from lapwing.app.exit_codes import ExitCode

Server = Annotated[
    str | None,
    typer.Option("-server", "--server", "-s", metavar="HOST,...", help="Collectors; the first that answers is used."),
]
ServerToken = Annotated[
    str | None,
    typer.Option("-token", "--token", "-t", metavar="TEXT", envvar="LAPWING_TOKEN", help="The collector's token."),
]
SessionFile = Annotated[
    Path | None,
    typer.Option("-session-file", "--session-file", "-sf", metavar="FILE", help="Keeps the session for later runs."),
]
KeptSession = Annotated[
    Path,
    typer.Option("-session-file", "--session-file", "-sf", metavar="FILE", help="The session the token belongs to."),
]
Domain = Annotated[
    str | None, typer.Option("--domain", metavar="NAME", help="Plant below this name, not the collector's own.")
]
Private = Annotated[
    list[str] | None,
    typer.Option("--private-network", metavar="CIDR", help="A network of collectors of your own; repeatable."),
]
CaFile = Annotated[
    Path | None, typer.Option("--ca", metavar="FILE", help="PEM certificates that vouch for the collector.")
]
PollInterval = Annotated[
    str | None,
    typer.Option("-poll-interval", "--poll-interval", "-pi", metavar="TIME", help="Between polls, 2s by default."),
]
IdLength = Annotated[
    int | None, typer.Option("-cidl", "--correlation-id-length", metavar="N", help="As long as the collector's.")
]
NonceLength = Annotated[
    int | None, typer.Option("-cidn", "--correlation-id-nonce-length", metavar="N", help="As long as the collector's.")
]
ConfigFile = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Settings in TOML.")]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="What the token is for; hits come with it.")]
Json = Annotated[bool, typer.Option("-json", "--json", help="One JSON object per line, with interactsh's fields.")]


class Accept(StrEnum):
    """What a wait can be for."""

    ANY = "any"
    DNS = "dns"
    HTTP = "http"
    SMTP = "smtp"
    LDAP = "ldap"
    FTP = "ftp"


def listen(
    server: Server = None,
    number: Annotated[
        int, typer.Option("-number", "--number", "-n", min=1, max=10_000, help="How many tokens to make.")
    ] = 1,
    token: ServerToken = None,
    session_file: SessionFile = None,
    domain: Domain = None,
    private_network: Private = None,
    ca: CaFile = None,
    poll_interval: PollInterval = None,
    id_length: IdLength = None,
    nonce_length: NonceLength = None,
    note: Note = "",
    dns_only: Annotated[bool, typer.Option("-dns-only", "--dns-only", help="Show DNS.")] = False,
    http_only: Annotated[bool, typer.Option("-http-only", "--http-only", help="Show HTTP and HTTPS.")] = False,
    smtp_only: Annotated[bool, typer.Option("-smtp-only", "--smtp-only", help="Show SMTP.")] = False,
    match: Annotated[
        list[str] | None,
        typer.Option("-match", "--match", "-m", metavar="REGEX", help="Show ids that match; repeatable."),
    ] = None,
    hide: Annotated[
        list[str] | None,
        typer.Option("-filter", "--filter", "-f", metavar="REGEX", help="Hide ids that match; repeatable."),
    ] = None,
    json: Json = False,
    output: Annotated[Path | None, typer.Option("-o", metavar="FILE", help="Append to a file too.")] = None,
    verbose: Annotated[bool, typer.Option("-v", help="Show requests and answers.")] = False,
    payload_store: Annotated[
        bool, typer.Option("-payload-store", "--payload-store", "-ps", help="Write tokens to interactsh_payload.txt.")
    ] = False,
    payload_file: Annotated[
        Path | None,
        typer.Option("-payload-store-file", "--payload-store-file", "-psf", metavar="FILE", help="Or to this file."),
    ] = None,
    _keep_alive: Annotated[
        str, typer.Option("-keep-alive-interval", "--keep-alive-interval", "-kai", help="Accepted: polls keep alive.")
    ] = "",
    _no_fallback: Annotated[
        bool, typer.Option("-no-http-fallback", "--no-http-fallback", "-nf", help="Accepted: there is no fallback.")
    ] = False,
    config: ConfigFile = None,
) -> None:
    """Make tokens with a collector, then print everything that reaches them until interrupted."""
    client = _client()
    chosen = {"dns": dns_only, "http": http_only, "smtp": smtp_only}
    stored = payload_file or (client.PAYLOAD_FILE if payload_store else None)
    options = client.ListenOptions(
        collector=client.CollectorOptions(
            server,
            token,
            session_file,
            domain,
            private_network or (),
            ca,
            poll_interval,
            id_length,
            nonce_length,
            config,
        ),
        number=number,
        protocols=[name for name, wanted in chosen.items() if wanted],
        matching=match or (),
        hiding=hide or (),
        json=json,
        output=output,
        verbose=verbose,
        payload_file=stored,
        note=note,
    )
    _exit(client.listen, options)


def mint(
    session_file: KeptSession,
    server: Server = None,
    number: Annotated[
        int, typer.Option("-number", "--number", "-n", min=1, max=10_000, help="How many tokens to make.")
    ] = 1,
    note: Note = "",
    token: ServerToken = None,
    domain: Domain = None,
    private_network: Private = None,
    ca: CaFile = None,
    config: ConfigFile = None,
) -> None:
    """Make tokens of a session that is kept in a file, and print their host names."""
    client = _client()
    options = client.CollectorOptions(server, token, session_file, domain, private_network or (), ca, config=config)
    _exit(client.mint, options, note, number)


def wait(
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="The token: its id, host name or address.")],
    session_file: KeptSession,
    accept: Annotated[Accept, typer.Option("--accept", help="Which protocol counts.")] = Accept.ANY,
    timeout: Annotated[str, typer.Option("--timeout", metavar="TIME", help="How long, e.g. 30s or 5m.")] = "30s",
    private_network: Private = None,
    ca: CaFile = None,
    json: Json = False,
    config: ConfigFile = None,
) -> None:
    """Wait until a token is reached: 0 when it was, 1 when it was not, 4 when that is not known, 3 when nobody listens.

    A hit before the wait counts. 1 is only said with proof: the collector was asked after the time was over.
    """
    client = _client()
    collector = client.CollectorOptions(
        session_file=session_file, private_networks=private_network or (), ca_file=ca, config=config
    )
    _exit(client.wait, client.WaitOptions(collector, token, accept.value, timeout, json))


def add_to(group: typer.Typer) -> None:
    """Put the client's commands beside the others of the group."""
    for command in (listen, mint, wait):
        group.command()(command)


def _client() -> ModuleType:
    """The commands, imported when one runs."""
    try:
        from lapwing.app.commands import callbacks_client
    except ModuleNotFoundError as missing:
        typer.echo(f"lapwing: needs {missing.name}: pip install 'lapwing[callbacks]'", err=True)
        raise typer.Exit(ExitCode.USAGE) from None
    return callbacks_client


def _exit(command: object, *arguments: object) -> None:
    """Run a command and leave with its exit code; what went wrong is one line, never a traceback."""
    from lapwing.app.guard import guarded

    raise typer.Exit(int(guarded(command, *arguments)))  # type: ignore[arg-type]
