"""What the parts of the command line share: how groups, commands and options look, and how a command is run."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from lapwing.app.exit_codes import ExitCode
from lapwing.app.formats import ELSEWHERE, Format


class Command(TyperCommand):
    """A command whose help and errors speak of the command line, not of Python."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments by their names alone, then options."""
        rows: dict[str, list[tuple[str, str]]] = {"argument": [], "option": []}
        for parameter in self.get_params(ctx):
            if (record := parameter.get_help_record(ctx)) is not None:
                rows[parameter.param_type_name].append(record)
        named = [(name.partition(" <")[0], words) for name, words in rows["argument"]]
        for title, listed in (("Arguments", named), ("Options", rows["option"])):
            if listed:
                with formatter.section(title):
                    formatter.write_dl(listed)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As ever; what is wrong with a value is said without the name of an exception before it."""
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            raise


class Group(typer.Typer):
    """A group of commands; without any of them it shows its help."""

    def __init__(self, words: str, **options: Any) -> None:
        super().__init__(
            help=words, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, **options
        )

    def command(self, name: str | None = None, **options: Any) -> Callable[[Any], Any]:
        """Add a command."""
        return super().command(name, cls=Command, **options)


def leave(command: Callable[..., ExitCode], *arguments: object) -> None:
    """Run a command and leave with its exit code; what went wrong is one line, never a traceback."""
    from lapwing.app.guard import guarded

    raise typer.Exit(int(guarded(command, *arguments)))


def misused(message: str) -> typer.Exit:
    """Says what is wrong with the command line; raise what it returns."""
    typer.echo(f"lapwing: {message}", err=True)
    return typer.Exit(ExitCode.USAGE)


def refuse(reason: str, given: Mapping[str, object]) -> None:
    """Leave where one of these options was given: what means nothing here is not passed over in silence."""
    if named := given_of(given):
        raise misused(f"{', '.join(named)}: {reason}")


def given_of(options: Mapping[str, object]) -> list[str]:
    """Those of the options that were given."""
    return [option for option, value in options.items() if not (value is None or value is False or value == [])]


def commands(name: str, extra: str) -> ModuleType:
    """A module of commands that needs an extra; where it is not installed, says so and leaves."""
    try:
        return import_module(f"lapwing.app.commands.{name}")
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] == "lapwing":
            raise
        raise misused(f"needs {missing.name}: pip install 'lapwing[{extra}]'") from None


def output_option(*shapes: Format, words: str = "Shape; table on a terminal and ndjson elsewhere by default.") -> Any:
    """`-o` of a command that can write these shapes; any other word is refused with these, or where it is to be had."""

    def shape(word: str) -> Format:
        if word in shapes:
            return Format(word)
        raise typer.BadParameter(ELSEWHERE.get(word) or f"{word!r} is not one of {', '.join(shapes)} here.")

    def begun(incomplete: str) -> list[str]:
        return [one.value for one in shapes if one.startswith(incomplete)]

    return typer.Option("-o", "--output", metavar="|".join(shapes), parser=shape, autocompletion=begun, help=words)


class Level(StrEnum):
    """Severities, mildest first: those of the events, without loading them to show a help page."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


LINES = (Format.NDJSON, Format.JSON, Format.CSV, Format.EVE)
ConfigFile = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Settings in TOML.")]
EventOutput = Annotated[Format | None, output_option(Format.TABLE, *LINES)]
EventFamilies = Annotated[
    str | None,
    typer.Option(
        "--events",
        metavar="FAMILIES",
        help="Which events to write: auth,finding,decision,anomaly,token by default; also flow, session, sensor, all.",
    ),
]
FailOn = Annotated[Level | None, typer.Option("--fail-on", help="Exit with 1 when a finding is at least this severe.")]
SinkOptions = Annotated[
    list[str] | None,
    typer.Option("--sink", metavar="NAME[=ARGUMENT]", help="Also hand the events to this plugin; repeatable."),
]
CollectorToken = Annotated[
    str | None,
    typer.Option("-token", "--token", "-t", metavar="TEXT", envvar="LAPWING_TOKEN", help="The collector's token."),
]
