"""`lapwing guard serve`: decisions from logs, enforced by proxies that ask."""

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lapwing.app.commands.read import families, tell
from lapwing.app.commands.watch_logs import say_absent
from lapwing.app.configuration import load
from lapwing.app.decoys import Decoys, using_decoys
from lapwing.app.exit_codes import ExitCode
from lapwing.app.formats import Format
from lapwing.app.gate_state import GateState
from lapwing.app.guard import complain
from lapwing.app.guarding import Enforcers, Losses, api_keys
from lapwing.app.log_reading import LogChoice
from lapwing.app.log_watching import LogWatching
from lapwing.app.output import STANDARD_OUTPUT, PatientWriter
from lapwing.app.reloading import Reloading
from lapwing.app.shapes import LOGIN_COLUMNS
from lapwing.events import Action, Event, SettingsError
from lapwing.io.enforce import DenyFile, DenyShape, NftSet, Webhook
from lapwing.web import LOOPBACK, ForwardAuth, ForwardServer, Gate, want_descriptors

CARRYING_OUT = "decisions"  # the source of what is told of those that could not be carried out


class GuardOptions(NamedTuple):
    """The command line of `lapwing guard serve`."""

    logs: Sequence[str]
    listen: str
    trust: Sequence[str] = ()
    deny_from: str = Action.DELAY
    fail_closed: bool = False
    format: str | None = None
    patterns: Sequence[Path] = ()
    positions: Path | None = None
    from_start: bool = False
    api_key_file: Path | None = None
    deny_file: Path | None = None
    deny_shape: str = DenyShape.PLAIN
    nft_set: str | None = None
    webhook: str | None = None
    output: Format | None = None
    events: str | None = None
    config: Path | None = None
    decoys: str | None = None
    state: Path | None = None


class _Guarding(LogWatching):
    """Logs that are watched, with what was decided carried out before it is told."""

    writer: PatientWriter | None
    enforcers: Enforcers
    gate: Gate
    state: GateState | None
    losses: Losses

    def turn(self) -> list[Event]:
        """See LogWatching. Whoever asks is answered, also while a disk is full or the packet filter refuses."""
        if self.writer is not None:
            self.tried(STANDARD_OUTPUT, self.writer.hand_on)
        self.tried(CARRYING_OUT, self.enforcers.turn)
        if self.state is not None:
            self.tried(str(self.state.path), partial(self.state.turn, self.gate))
        return self.losses()

    def lists(self) -> Iterator[list[Event]]:
        """See LogWatching."""
        for events in super().lists():
            self.enforcers(events)
            self.tried(CARRYING_OUT, self.enforcers.turn)
            yield events
        if failures := self._failed_now():
            yield failures


def serve(options: GuardOptions) -> ExitCode:
    """Serve until Ctrl-C or SIGTERM; events go to standard output."""
    with using_decoys(options.decoys, follow=True) as decoys:
        return _serve(options, decoys)


def _serve(options: GuardOptions, decoys: Decoys | None) -> ExitCode:
    chosen = families(options.events)
    settings = load(options.config).settings
    state = GateState(options.state) if options.state is not None else None
    gate = Gate(
        settings,
        key=state.key if state is not None else None,
        tag_key=decoys.tag_key if decoys is not None else None,
    )
    if state is not None and state.restore(gate):
        complain(f"going on from {options.state}")
    forward = _forward(gate, options)
    guarding = _Guarding(
        options.logs,
        settings=gate.settings,
        choice=LogChoice(options.format, options.patterns),
        positions=options.positions,
        from_start=options.from_start,
        driver=gate,
        tagger=gate.tagger,
        decoys=decoys,
    )
    webhook = Webhook(options.webhook) if options.webhook else None
    output = options.output or (Format.TABLE if sys.stdout.isatty() else Format.NDJSON)
    writer = None if output is Format.TABLE else PatientWriter(sys.stdout.buffer, output, LOGIN_COLUMNS)
    losses = Losses(forward, webhook, writer)
    guarding.gate, guarding.state, guarding.losses, guarding.writer = gate, state, losses, writer
    want_descriptors()
    with ForwardServer(forward, options.listen) as server:  # first: who listens writes the lists, and nobody beside it
        enforcers = guarding.enforcers = _enforcers(gate, webhook, options)
        try:
            complain(f"listening on {server.address}")
            say_absent(guarding)
            reloading = Reloading(settings, lambda: load(options.config).settings, guarding.change)
            return tell(guarding, writer, chosen, None, endless=True, reloading=reloading)
        finally:
            enforcers.close()
            for lost in losses.untold():
                complain(f"{lost.where}: {lost.lost_count} lost at the end")
            if state is not None:
                state.save(gate)


def _enforcers(gate: Gate, webhook: Webhook | None, options: GuardOptions) -> Enforcers:
    return Enforcers(
        gate,
        deny_file=DenyFile(options.deny_file, DenyShape(options.deny_shape)) if options.deny_file else None,
        nft_set=NftSet(options.nft_set) if options.nft_set else None,
        webhook=webhook,
        deny_from=Action(options.deny_from),
    )


def _forward(gate: Gate, options: GuardOptions) -> ForwardAuth:
    try:
        return ForwardAuth(
            gate,
            trusted_proxies=options.trust or LOOPBACK,
            deny_from=Action(options.deny_from),
            fail_open=not options.fail_closed,
            api_keys=api_keys(options.api_key_file),
        )
    except ValueError as error:
        raise SettingsError(f"--trust: {error}") from None
