"""Options of `lapwing token`."""

from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from lapwing.app.cli_parts import Group, commands, leave, output_option
from lapwing.app.formats import Format

StoreOption = Annotated[
    str,
    typer.Option("--store", metavar="FILE|URL", envvar="LAPWING_STORE", help="The collector's store."),
]
Output = Annotated[Format | None, output_option(Format.TABLE, Format.NDJSON)]
Name = Annotated[str, typer.Argument(metavar="TOKEN", help="Its name, or the start of it.")]
group = Group("Plant things that report their use.")


@group.command("create")
def create(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="What to plant; `lapwing token kinds` lists them.")],
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="Your own words; alerts come with them.")] = "",
    domain: Annotated[
        str, typer.Option("--domain", "-d", metavar="NAME", envvar="LAPWING_DOMAIN", help="The collector's domain.")
    ] = "",
    base: Annotated[
        str, typer.Option("--base", metavar="URL", help="Without DNS: the collector's address, the token in the path.")
    ] = "",
    plain: Annotated[bool, typer.Option("--http", help="Plant http addresses, not https.")] = False,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", min=1, max=65_535, metavar="N", help="Port of the addresses; the scheme's own by default."
        ),
    ] = None,
    target: Annotated[str, typer.Option("--target", metavar="URL", help="Where a redirect leads.")] = "",
    site: Annotated[str, typer.Option("--site", metavar="NAME", help="Host name of the page a snippet watches.")] = "",
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="What a document or folder is called.")] = "",
    username: Annotated[str, typer.Option("--username", metavar="NAME", help="Name of a decoy account.")] = "",
    stdin_password: Annotated[
        bool, typer.Option("--stdin", help="Read a decoy password from standard input, not make one.")
    ] = False,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", metavar="CIDR", help="A network whose use means nothing; repeatable."),
    ] = None,
    placement: Annotated[str, typer.Option("--placement", metavar="TEXT", help="Where it is put.")] = "",
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="TIME", help="Alert no longer than, e.g. 90d.")
    ] = None,
    alert_every: Annotated[
        str, typer.Option("--alert-every", metavar="TIME", help="At most one alert in this time; every hit is kept.")
    ] = "60s",
    output: Annotated[Path | None, typer.Option("-o", metavar="FILE", help="Where a file is written.")] = None,
    store: StoreOption = "lapwing.db",
) -> None:
    """Make a token, and print or write what to plant.

    It is kept in the collector's store.
    """
    token = _commands()
    from lapwing.app.planted import Planting
    from lapwing.callbacks.planting import Wishes

    planting = Planting(
        kind=kind,
        note=note,
        placement=placement,
        domain=domain,
        scheme="http" if plain else "https",
        port=port,
        base=base,
        wishes=Wishes(target, site, title),
        username=username,
        excluded=tuple(exclude or ()),
    )
    leave(token.run_create, token.CreateOptions(store, planting, expires, alert_every, output, stdin_password))


@group.command("kinds")
def kinds() -> None:
    """List what can be planted, and what it trips on."""
    from lapwing.callbacks.planting import KINDS

    for name, kind in KINDS.items():
        typer.echo(f"{name:<18} {kind.fires_on}")
    typer.echo(f"{'decoy-account':<18} any login with the user name")
    typer.echo(f"{'decoy-password':<18} any login with the password, where it can be seen")


@group.command("list")
def list_(store: StoreOption = "lapwing.db", output: Output = None) -> None:
    """List all tokens with their notes and hits."""
    leave(_commands().run_list, store, output)


@group.command("show")
def show(name: Name, store: StoreOption = "lapwing.db", output: Output = None) -> None:
    """Show one token and the history of its hits.

    Each with what makes it doubtful.
    """
    leave(_commands().run_show, store, name, output)


@group.command("revoke")
def revoke(name: Name, store: StoreOption = "lapwing.db") -> None:
    """End a token.

    Its hits are still kept, nobody is alerted.
    """
    leave(_commands().run_revoke, store, name)


@group.command("place")
def place(
    name: Name,
    where: Annotated[str, typer.Argument(metavar="TEXT", help="Where it was put.")],
    store: StoreOption = "lapwing.db",
) -> None:
    """Note where a token was put."""
    leave(_commands().run_place, store, name, where)


def _commands() -> ModuleType:
    return commands("token", "collector")
