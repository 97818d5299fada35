"""What a session remembers of interactions: for late waits, within bounds, and honest about what it forgot."""

from collections import OrderedDict, deque
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from lapwing.callbacks.interaction import Interaction
from lapwing.callbacks.outcomes import Accepts, accepts
from lapwing.callbacks.settings import SessionSettings

MAX_DIGESTS = 16_384  # of interactions seen lately, to know a repeated delivery
MAX_FORGOTTEN = 65_536  # tokens of which something was dropped; past that, all of the time before is doubtful
MAX_GAPS = 64  # spans in which something may have been lost; past that, neighbours are joined


class _Kept(NamedTuple):
    received_ns: int
    interaction: Interaction


class Gap(NamedTuple):
    """A span in which interactions may have been lost."""

    from_ns: int
    to_ns: int
    reason: str


class Repeats:
    """Recognises a delivery that came before, by its content."""

    def __init__(self) -> None:
        self._digests: OrderedDict[bytes, None] = OrderedDict()

    def seen(self, interaction: Interaction) -> bool:
        """Whether the same interaction came before; remembers it."""
        digest = blake2b(msgspec.msgpack.encode(interaction), digest_size=16).digest()
        if digest in self._digests:
            return True
        self._digests[digest] = None
        if len(self._digests) > MAX_DIGESTS:
            self._digests.popitem(last=False)
        return False


class Gaps:
    """Spans in which something may have been lost, at most `MAX_GAPS`: joined rather than forgotten."""

    def __init__(self) -> None:
        self._gaps: deque[Gap] = deque()

    def add(self, gap: Gap) -> None:
        """Remember a span; spans come in the order of their ends."""
        self._gaps.append(gap)
        if len(self._gaps) > MAX_GAPS:
            first, second = self._gaps.popleft(), self._gaps.popleft()
            joined = Gap(min(first.from_ns, second.from_ns), second.to_ns, second.reason)
            self._gaps.appendleft(joined)

    def within(self, from_ns: int, to_ns: int) -> Gap | None:
        """Return a span that overlaps the given one; what ends where that begins does not."""
        for gap in reversed(self._gaps):
            if gap.from_ns <= to_ns and gap.to_ns > from_ns:
                return gap
        return None

    def spans(self) -> list[Gap]:
        """All of them, oldest first."""
        return list(self._gaps)

    def __len__(self) -> int:
        return len(self._gaps)


class Observations:
    """Interactions by token, in order of arrival."""

    def __init__(self, settings: SessionSettings) -> None:
        self.count = 0
        self.dropped_count = 0
        self.forgotten_before_ns = -1  # of tokens made before this, anything may have been dropped
        self._settings = settings
        self._kept: OrderedDict[str, list[_Kept]] = OrderedDict()
        self._forgotten: OrderedDict[str, int] = OrderedDict()

    def add(self, unique_id: str, interaction: Interaction, now_ns: int) -> None:
        """Keep an interaction unless there are enough of its token and protocol."""
        kept = self._kept.setdefault(unique_id, [])
        alike = sum(type(one.interaction) is type(interaction) for one in kept)
        if alike >= self._settings.max_per_protocol_count:
            self.dropped_count += 1  # the first of them answers every wait that one more would
            return
        kept.append(_Kept(now_ns, interaction))
        self.count += 1
        while self.count > self._settings.max_observation_count:
            self._forget_oldest(now_ns)

    def first(self, unique_id: str, wanted: Accepts) -> Interaction | None:
        """Return the first interaction of a token that the filter accepts."""
        for one in self._kept.get(unique_id, ()):
            if accepts(wanted, one.interaction):
                return one.interaction
        return None

    def forgot(self, unique_id: str, minted_ns: int) -> bool:
        """Whether interactions of a token may have been dropped that would answer a wait."""
        return unique_id in self._forgotten or minted_ns < self.forgotten_before_ns

    def expire(self, now_ns: int, max_age_ns: int) -> None:
        """Forget what is older than `max_age_ns`."""
        oldest_ns = now_ns - max_age_ns
        for unique_id in list(self._kept):
            kept = self._kept[unique_id]
            young = [one for one in kept if one.received_ns >= oldest_ns]
            if len(young) == len(kept):
                continue
            self.count -= len(kept) - len(young)
            self._note_forgotten(unique_id, now_ns)
            if young:
                self._kept[unique_id] = young
            else:
                del self._kept[unique_id]

    def _forget_oldest(self, now_ns: int) -> None:
        unique_id, kept = self._kept.popitem(last=False)
        self.count -= len(kept)
        self.dropped_count += len(kept)
        self._note_forgotten(unique_id, now_ns)

    def _note_forgotten(self, unique_id: str, now_ns: int) -> None:
        self._forgotten[unique_id] = now_ns
        self._forgotten.move_to_end(unique_id)
        if len(self._forgotten) > MAX_FORGOTTEN:
            _, when_ns = self._forgotten.popitem(last=False)
            self.forgotten_before_ns = max(self.forgotten_before_ns, when_ns)
