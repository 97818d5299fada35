"""`lapwing guard serve` put together: logs in, decisions out, and proxies that ask."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from lapwing.app.output import PatientWriter
from lapwing.events import Action, DecisionLifted, DecisionMade, Event, SensorLagged, SettingsError, StoreError
from lapwing.io.enforce import DenyFile, NftSet, Webhook
from lapwing.web import ForwardAuth, Gate, at_least

REFRESH_S = 1.0  # between looks for decisions that are over or renewed
MAX_KEY_FILE_BYTES = 64 * 1024
MIN_KEY_CHARS = 16
QUICK_S = 0.01  # a list written within that is written at once after every decision
REST = 4  # times as long as a longer one took nothing is written after it, or a long list would be all there is to do
ROUNDING_S = 2.0  # by which two looks at the same decision may differ


class Enforcers:
    """Everything that carries decisions out beside the endpoint; call it with every list of events."""

    def __init__(
        self,
        gate: Gate,
        *,
        deny_file: DenyFile | None = None,
        nft_set: NftSet | None = None,
        webhook: Webhook | None = None,
        deny_from: Action = Action.DELAY,
    ) -> None:
        """`deny_from` is the mildest answer that is carried out, as a block: elsewhere there is no other."""
        self._gate = gate
        self._deny_from = deny_from
        self._deny_file = deny_file
        self._webhook = webhook
        self._held = HeldUntil(nft_set) if nft_set is not None else None
        self._due = self._rest = 0.0
        self._write()

    def __call__(self, events: Sequence[Event]) -> None:
        """Carry out what changed: the webhook is told, the rest is due at the next turn."""
        decided = [event for event in events if isinstance(event, DecisionMade | DecisionLifted)]
        if not decided:
            return
        self._due = 0.0
        if self._webhook is not None:
            self._webhook.tell(decided)

    def turn(self) -> bool | None:
        """Let go who is held no longer, hold on to who is held for longer; None where it is not time for that.

        Raises StoreError when a file or the packet filter refuses; what did not is carried out all the same.
        """
        if time.monotonic() < max(self._due, self._rest):
            return None
        self._write()
        return True

    def close(self) -> None:
        """Let what waits go out."""
        if self._webhook is not None:
            self._webhook.close()

    def _write(self) -> None:
        began = time.monotonic()
        self._due = began + REFRESH_S
        if self._deny_file is None and self._held is None:
            return
        strict = frozenset(action for action in Action if at_least(action, self._deny_from))
        held = {source: answer.retry_after_s for source, answer in self._gate.holding() if answer.action in strict}
        refused = [*self._carried_out(held, began)]
        took = time.monotonic() - began
        self._rest = began + took + (REST * took if took > QUICK_S else 0.0)
        if refused:
            raise StoreError("; ".join(refused))

    def _carried_out(self, held: Mapping[str, int], now: float) -> Iterator[str]:
        """Tell everybody; yields what those say who refuse."""
        if self._deny_file is not None:
            try:
                self._deny_file.write(held)
            except StoreError as error:
                yield str(error)
        if self._held is not None:
            try:
                self._held.become(held, now)
            except StoreError as error:
                yield str(error)


class HeldUntil:
    """Whom the packet filter holds and until when, so that it is told only what changed.

    It begins with nobody: after a restart all who are held are told again, for as long as is left.
    """

    def __init__(self, nft_set: NftSet) -> None:
        self._nft_set = nft_set
        self._until: dict[str, float] = {}

    def become(self, held: Mapping[str, int], now: float) -> None:
        """Let exactly these sources be held, each for so many seconds from `now`. Raises StoreError."""
        news = {s: seconds for s, seconds in held.items() if now + seconds > self._until.get(s, 0.0) + ROUNDING_S}
        gone = [s for s, until in self._until.items() if s not in held and until > now]
        self._nft_set.hold(news.items())
        self._nft_set.let_go(gone)
        self._until = {s: self._until[s] for s in held if s not in news}
        self._until.update({s: now + seconds for s, seconds in news.items()})


class Losses:
    """Tells of answers that were given without the gate, as it was busy past the deadline, of connections that were
    turned away, and of events that a webhook or the output did not take; call it now and then.
    """

    def __init__(
        self, forward: ForwardAuth, webhook: Webhook | None = None, output: PatientWriter | None = None
    ) -> None:
        self._gate = forward.gate
        self._counts: dict[str, Callable[[], int]] = {
            "forward-auth": lambda: forward.late_count,
            "forward-auth.connections": lambda: forward.turned_away_count,
        }
        if webhook is not None:
            self._counts["webhook"] = lambda: webhook.lost_count
        if output is not None:
            self._counts["output"] = lambda: output.lost_count
        self._told = dict.fromkeys(self._counts, 0)

    def __call__(self) -> list[Event]:
        """One event of a kind for all that were not told yet."""
        return self._gate.note([*self.untold()])

    def untold(self) -> Iterator[SensorLagged]:
        """The same without a place in the stream, for when that has ended."""
        for where, count_of in self._counts.items():
            count = count_of() - self._told[where]
            if count:
                self._told[where] += count
                yield SensorLagged(ts_ns=self._gate.now_ns(), where=where, lost_count=count)


def api_keys(path: Path | None) -> list[str]:
    """The keys in a file, one a line, `#` before a comment. Raises SettingsError."""
    if path is None:
        return []
    try:
        text = path.read_text() if path.stat().st_size <= MAX_KEY_FILE_BYTES else ""
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"--api-key-file: {path}: cannot be read: {error}") from None
    keys = [key for line in text.splitlines() if (key := line.strip()) and not key.startswith("#")]
    if not keys or any(len(key) < MIN_KEY_CHARS or not key.isascii() for key in keys):
        raise SettingsError(
            f"--api-key-file: {path}: write one key of at least {MIN_KEY_CHARS} ASCII characters a line"
        )
    return keys
