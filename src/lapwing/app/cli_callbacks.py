"""Options of `lapwing callbacks`. Names of the client's are those of interactsh's where it has one; see `cli`."""

from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from lapwing.app.cli_parts import ConfigFile, Group, commands, leave, output_option
from lapwing.app.cli_tokens import Output, StoreOption
from lapwing.app.formats import Format

group = Group("Learn who reached what was planted.")

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
Number = Annotated[
    int, typer.Option("-number", "--number", "-n", min=1, max=10_000, metavar="N", help="How many tokens to make.")
]
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


@group.command()
def listen(
    server: Server = None,
    number: Number = 1,
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
        str,
        typer.Option(
            "-keep-alive-interval", "--keep-alive-interval", "-kai", metavar="TIME", help="Accepted: polls keep alive."
        ),
    ] = "",
    _no_fallback: Annotated[
        bool, typer.Option("-no-http-fallback", "--no-http-fallback", "-nf", help="Accepted: there is no fallback.")
    ] = False,
    config: ConfigFile = None,
) -> None:
    """Make tokens, then print everything that reaches them.

    Ctrl-C ends it.
    """
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
    leave(client.listen, options)


@group.command()
def mint(
    session_file: KeptSession,
    server: Server = None,
    number: Number = 1,
    note: Note = "",
    token: ServerToken = None,
    domain: Domain = None,
    private_network: Private = None,
    ca: CaFile = None,
    config: ConfigFile = None,
) -> None:
    """Make tokens of a kept session, and print their names."""
    client = _client()
    options = client.CollectorOptions(server, token, session_file, domain, private_network or (), ca, config=config)
    leave(client.mint, options, note, number)


@group.command()
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
    """Wait until a token is reached.

    Exit code 0 when it was, 1 when it was not, 4 when that is not known, 3 when nobody listens.
    A hit before the wait counts. 1 is only said with proof: the collector was asked after the time was over.
    """
    client = _client()
    collector = client.CollectorOptions(
        session_file=session_file, private_networks=private_network or (), ca_file=ca, config=config
    )
    leave(client.wait, client.WaitOptions(collector, token, accept.value, timeout, json))


@group.command()
def alerts(
    retry: Annotated[bool, typer.Option("--retry", help="Have those that were given up tried again.")] = False,
    store: StoreOption = "lapwing.db",
    output: Output = None,
) -> None:
    """List alerts that nobody has taken yet: those that wait for another try, and those that were given up."""
    leave(commands("callback_alerts", "collector").run, store, output, retry)


@group.command()
def serve(
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
    output: Annotated[
        Format | None, output_option(Format.NDJSON, Format.EVE, words="Shape of the events; ndjson by default.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Write no events; the store has them.")] = False,
) -> None:
    """Answer for a domain and keep every interaction.

    By DNS, HTTP, SMTP, LDAP and FTP. Ctrl-C ends it.
    """
    server = commands("callbacks_serve", "collector")
    options = server.ServeOptions(
        domain or [], ip or [], listen or [], port or [], control, store, token, cert, key, lab, acme, user, settings,
        output,
        quiet,
    )  # fmt: skip
    leave(server.run, options)


def _client() -> ModuleType:
    return commands("callbacks_client", "callbacks")
