"""`lapwing callbacks listen`, `mint` and `wait`: the client of a collector on the command line."""

import logging
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from msgspec.structs import replace

from lapwing.app.callback_lines import json_line, text_line, verbose_lines
from lapwing.app.configuration import load
from lapwing.app.exit_codes import ExitCode
from lapwing.app.guard import complain
from lapwing.app.units import duration_ns, plural
from lapwing.callbacks import (
    Accepts,
    ClientSettings,
    Disabled,
    Inconclusive,
    Interaction,
    NotObserved,
    Observed,
    Outcome,
    protocol_of,
    session,
)
from lapwing.events import SettingsError
from lapwing.io.callbacks import BlockingSession, Hit, Planted
from lapwing.io.files import append_to

PAYLOAD_FILE = Path("interactsh_payload.txt")  # where interactsh's client puts them
MAX_PAYLOADS = 10_000


class CollectorOptions(NamedTuple):
    """How to reach the collector."""

    server: str | None = None
    token: str | None = None
    session_file: Path | None = None
    domain: str | None = None
    private_networks: Sequence[str] = ()
    ca_file: Path | None = None
    poll_interval: str | None = None
    id_length: int | None = None
    nonce_length: int | None = None
    config: Path | None = None


class ListenOptions(NamedTuple):
    """The command line of `lapwing callbacks listen`."""

    collector: CollectorOptions
    number: int = 1
    protocols: Sequence[str] = ()
    matching: Sequence[str] = ()
    hiding: Sequence[str] = ()
    json: bool = False
    output: Path | None = None
    verbose: bool = False
    payload_file: Path | None = None
    note: str = ""


class WaitOptions(NamedTuple):
    """The command line of `lapwing callbacks wait`."""

    collector: CollectorOptions
    token: str
    accepts: Accepts = "any"
    timeout: str = "30s"
    json: bool = False


def listen(options: ListenOptions) -> ExitCode:
    """Print tokens, then everything that reaches them, until interrupted."""
    chosen = _filter(options)
    with ExitStack() as stack:
        outputs: list[BinaryIO] = [sys.stdout.buffer]
        if options.output is not None:
            outputs.append(stack.enter_context(append_to(options.output)))
        callbacks = stack.enter_context(_connected(options.collector))
        if callbacks.disabled is not None:
            return ExitCode.INPUT
        _offer([callbacks.mint(options.note) for _ in range(options.number)], options.payload_file)
        following = stack.enter_context(callbacks.following())
        with _ended_by_signal(following.stop):
            for hit in following:
                if chosen(hit.interaction):
                    _write(hit, options, outputs)
        if following.lost_count:
            complain(f"{plural(following.lost_count, 'hit')} not shown: the output was too slow")
            return ExitCode.PARTIAL
    return ExitCode.CLEAN


def mint(options: CollectorOptions, note: str, number: int) -> ExitCode:
    """Print new tokens of a session that is kept in a file."""
    with _connected(options) as callbacks:
        if callbacks.disabled is not None:
            return ExitCode.INPUT
        for _ in range(number):
            print(callbacks.mint(note).host)
    return ExitCode.CLEAN


def wait(options: WaitOptions) -> ExitCode:
    """Wait for one token; the exit code says how it ended."""
    timeout_s = _seconds(options.timeout, "--timeout")
    file = options.collector.session_file
    if file is not None and not file.exists():
        raise SettingsError(f"--session-file {file}: no such file; `lapwing callbacks mint` makes one with its tokens")
    with _connected(options.collector, longest_s=timeout_s) as callbacks:
        planted = callbacks.find(options.token)
        if planted is None:
            raise SettingsError(f"{options.token}: no token of this session file")
        outcome = callbacks.wait_for(planted, options.accepts, timeout_s)
    return _tell(outcome, options)


def _tell(outcome: Outcome, options: WaitOptions) -> ExitCode:
    match outcome:
        case Observed(interaction):
            line = json_line(interaction) if options.json else text_line(interaction).encode()
            sys.stdout.buffer.write(line + b"\n")
            return ExitCode.CLEAN
        case NotObserved():
            complain(f"nobody reached {options.token} within {options.timeout}")
            return ExitCode.FINDINGS
        case Inconclusive(reason):
            complain(f"not known: {reason}")
            return ExitCode.PARTIAL
        case Disabled():
            return ExitCode.INPUT  # why was said when it happened


@contextmanager
def _connected(options: CollectorOptions, longest_s: float = 0.0) -> Iterator[BlockingSession]:
    """A session with the first collector that takes the registration, or else with the last one named."""
    servers = [one.strip() for one in (options.server or "").split(",") if one.strip()] or [""]
    settings = _settings(options, longest_s)
    with ExitStack() as stack, _warnings_told():
        for server in servers:
            opened = session(server, token=options.token, session_file=options.session_file, settings=settings)
            callbacks = stack.enter_context(opened)
            if callbacks.disabled is None or server == servers[-1]:
                break
            stack.close()
        yield callbacks


@contextmanager
def _warnings_told() -> Iterator[None]:
    """What the session warns of goes to standard error, like every other complaint."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("lapwing: %(message)s"))
    logger = logging.getLogger("lapwing.callbacks")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _settings(options: CollectorOptions, longest_s: float) -> ClientSettings:
    """The settings of the file and the environment, with the command line over them."""
    usual = load(options.config, whole=True).callbacks
    assert usual is not None
    text = options.poll_interval
    interval_s = usual.waits.poll_interval_s
    if text is not None:  # a bare number is seconds, as interactsh's client takes it
        interval_s = float(text) if text.isascii() and text.isdigit() else _seconds(text, "--poll-interval")
    waits = replace(
        usual.waits,
        poll_interval_s=interval_s,
        default_timeout_s=max(usual.waits.default_timeout_s, interval_s + 1),
        max_timeout_s=max(usual.waits.max_timeout_s, usual.waits.default_timeout_s, interval_s + 1, longest_s),
    )
    named = {
        "domain": options.domain,
        "private_networks": tuple(options.private_networks),
        "ca_file": None if options.ca_file is None else str(options.ca_file),
        "id_length": options.id_length,
        "nonce_length": options.nonce_length,
    }
    return replace(usual, waits=waits, **{name: value for name, value in named.items() if value})


def _seconds(text: str, option: str) -> float:
    try:
        return duration_ns(text) / 1e9
    except ValueError as problem:
        raise SettingsError(f"{option}: {problem}") from None


def _offer(tokens: Sequence[Planted], file: Path | None) -> None:
    """Tokens go to standard error, as interactsh's client prints them, so that standard output holds hits alone."""
    print(f"[INF] Listing {plural(len(tokens), 'payload')} for OOB Testing", file=sys.stderr)
    for planted in tokens:
        print(f"[INF] {planted.host}", file=sys.stderr, flush=True)
    if file is not None:
        file.write_text("".join(f"{planted.host}\n" for planted in tokens), encoding="ascii")


def _filter(options: ListenOptions) -> Callable[[Interaction], bool]:
    """Raises SettingsError for an expression that is none."""
    matching = [_expression(text) for text in options.matching]
    hiding = [_expression(text) for text in options.hiding]

    def chosen(interaction: Interaction) -> bool:
        if options.protocols and protocol_of(interaction) not in options.protocols:
            return False
        full_id = "" if interaction.attribution is None else interaction.attribution.full_id
        if matching and not any(one.search(full_id) for one in matching):
            return False
        return not any(one.search(full_id) for one in hiding)

    return chosen


def _expression(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as problem:
        raise SettingsError(f"{text!r} is no regular expression: {problem}") from None


def _write(hit: Hit, options: ListenOptions, outputs: Sequence[BinaryIO]) -> None:
    if options.json:
        data = json_line(hit.interaction) + b"\n"
    else:
        lines = [text_line(hit.interaction)]
        if options.verbose:
            lines += verbose_lines(hit.interaction)
        data = "".join(f"{line}\n" for line in lines).encode()
    for output in outputs:
        output.write(data)
        output.flush()


@contextmanager
def _ended_by_signal(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C and a service manager's signal are how listening ends: no error. The second Ctrl-C ends it at once."""

    def end(number: int, _frame: object) -> None:
        signal.signal(number, usual[number])
        stop()

    usual: dict[int, Any] = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
