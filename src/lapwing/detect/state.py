"""What a detector knows, written, read and joined part by part.

A part is some hundred records: neither memory nor the time that other threads wait grows with what is known, but for
what the reader keeps of it. All of it stands under one seal, which is looked at before anything is taken.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from lapwing.detect.breath import breathe
from lapwing.detect.evidence import GROUPS
from lapwing.detect.findings import OpenFinding, load_finding
from lapwing.detect.login import CHECK, SEAL_BYTES, Keyring
from lapwing.detect.parts import is_whole, parts_of, sealed
from lapwing.detect.unpacking import Unpacker

if TYPE_CHECKING:
    from lapwing.detect.detector import Detector

SNAPSHOT_VERSION = 9
FINDINGS_AT_ONCE = 1  # read between two breaths: each may have thousands of hashes


def written(detector: "Detector", owner: list[Any]) -> list[bytes]:
    """All state in parts; `owner` is what whoever has the detector keeps beside it, a few facts."""
    campaigns, hijacks = detector._campaigns, detector._hijacks
    state = {
        "version": SNAPSHOT_VERSION,
        "check": detector._keyring.word(CHECK, ""),
        "owner": owner,
        "now_ns": detector._now_ns,
        "ticked_ns": detector._ticked_ns,
        "swept_ns": campaigns.swept_ns,
        "counts": detector.counts(),
        "refused": [campaigns.refused_count, hijacks.refused_count],
        "journal": detector._journal.dump(),
        "weekly": detector._weekly.dump(),
        "unknowns": detector._unknowns.dump(),
        "surroundings": detector._surroundings.dump(),
        "trackers": {tracker.name: tracker.dump() for tracker in detector._every},
        "campaigns": _dumped(campaigns.open.values()),
        "hijacks": _dumped(hijacks.open.values()),
        "answers": [decisions.dump() for decisions in detector._led],
    }
    return sealed(list(parts_of(state)), detector._keyring.state_seal())


def opened(data: bytes | memoryview, keyring: Keyring) -> tuple[list[Any], Unpacker]:
    """What the owner kept, and all that follows it. Raises ValueError for another version or key, or for damage."""
    view = memoryview(data)
    state = Unpacker(view[:-SEAL_BYTES])
    try:
        state.dict_length()
        state.key("version")
        version = state.whole()
        state.key("check")
        check = state.whole()
    except ValueError as error:
        raise ValueError(f"not a snapshot of version {SNAPSHOT_VERSION}: {error}") from None
    if version != SNAPSHOT_VERSION:
        raise ValueError(f"snapshot version {version}, this is version {SNAPSHOT_VERSION}")
    if check != keyring.word(CHECK, ""):
        raise ValueError("the snapshot was made under another key")
    if not is_whole(view, keyring.state_seal()):
        raise ValueError("the snapshot is damaged")
    state.key("owner")
    return state.value(), state


def read_into(detector: "Detector", state: Unpacker) -> None:
    """Let a detector that nobody uses meanwhile become what the state says."""
    _read_first(detector, state)
    state.key("trackers")
    state.dict_length()
    for tracker in detector._every:
        state.key(tracker.name)
        tracker.load(state)
        tracker.table.shed()
    campaigns = list(_findings(state, "campaigns"))
    detector._campaigns.adopt({(GROUPS.index(f.group), f.key): f for f in campaigns})
    detector._hijacks.open = {f.key: f for f in _findings(state, "hijacks")}
    state.key("answers")
    count = state.list_length()
    for decisions in detector._led[:count]:
        decisions.load(state)
    for decisions in detector._led[count:]:
        decisions.clear()


def joining(detector: "Detector", other: "Detector", state: Unpacker) -> Iterator[None]:
    """Add what the state says to a detector, with a stop after each part; `other` is a new one under the same key.

    Between two parts `detector` may go on as usual. Counts add up, and so do parts of them. Nothing is added before the
    first stop.
    """
    _read_first(other, state)
    yield
    detector._weekly.merge(other._weekly)
    detector._unknowns.merge(other._unknowns)
    _add_counts(detector, other)
    yield
    yield from detector._surroundings.merging(other._surroundings)
    state.key("trackers")
    state.dict_length()
    for number, theirs in enumerate(other._every):
        state.key(theirs.name)
        for sparks in theirs.loading(state):
            detector._every[number].merge_records(theirs, sparks)  # asked for anew: settings may have changed
            theirs.table.clear()
            yield
        detector._every[number].merge_rest(theirs)
        yield
    for found in _findings(state, "campaigns"):
        _translate(found, detector._keyring, other._keyring)
        _merge_finding(detector, (GROUPS.index(found.group), found.key), found)
        yield
    for found in _findings(state, "hijacks"):
        _translate(found, detector._keyring, other._keyring)
        _merge_hijack(detector, found)
        yield


def _read_first(detector: "Detector", state: Unpacker) -> None:
    """Read what stands before the records, which is bounded by itself."""
    numbers = {}
    for name in ("now_ns", "ticked_ns", "swept_ns", "counts", "refused"):
        state.key(name)
        numbers[name] = state.value()
    state.key("journal")
    detector._journal.load(state)
    for name, part in (("weekly", detector._weekly), ("unknowns", detector._unknowns)):
        state.key(name)
        part.load(state.value())
    state.key("surroundings")
    detector._surroundings.load(state)
    campaigns, hijacks = detector._campaigns, detector._hijacks
    detector._now_ns, detector._ticked_ns = numbers["now_ns"], numbers["ticked_ns"]
    campaigns.swept_ns = numbers["swept_ns"]
    campaigns.refused_count, hijacks.refused_count = numbers["refused"]
    detector.start_counts(numbers["counts"])


def _add_counts(detector: "Detector", other: "Detector") -> None:
    detector._now_ns = max(detector._now_ns, other._now_ns)
    mine = detector.counts()
    for name, count in other.counts().items():
        mine[name] = mine.get(name, 0) + count


def _translate(found: OpenFinding, ours: Keyring, theirs: Keyring) -> None:
    """Number its protocols as we do."""
    names = [theirs.protocol_name(number) for number in found.episode.protocols]
    found.episode.protocols = [ours.protocol_number(name) for name in names]


def _merge_finding(detector: "Detector", key: tuple[int, int], found: OpenFinding) -> None:
    mine = detector._campaigns.open.get(key)
    row = detector._grouped[key[0]].table.peek(key[1])
    if mine is not None:
        mine.episode.absorb(found.episode)
        mine.touched_ns = max(mine.touched_ns, found.touched_ns)
        mine.log_odds = max(mine.log_odds, found.log_odds)
    elif row is not None and len(detector._campaigns.open) >= detector.settings.finding.max_open:
        row.pinned = False  # as it is where the other node's record came whole
        detector._campaigns.refused_count += 1
    elif row is not None:
        row.pinned = True
        row.found = 0
        detector._campaigns.open[key] = found


def _merge_hijack(detector: "Detector", found: OpenFinding) -> None:
    hijacks = detector._hijacks
    mine = hijacks.open.get(found.key)
    if mine is not None:
        mine.episode.absorb(found.episode)
    elif len(hijacks.open) >= detector.settings.finding.max_open:
        hijacks.refused_count += 1
    else:
        hijacks.open[found.key] = found


def _findings(state: Unpacker, name: str) -> Iterator[OpenFinding]:
    state.key(name)
    for some in state.batches(FINDINGS_AT_ONCE):
        yield from map(load_finding, some)


def _dumped(findings: Iterable[OpenFinding]) -> list[Any]:
    """Open findings, packed one by one: their samples are long."""
    told = []
    for found in findings:
        told.append(msgspec.Raw(msgspec.msgpack.encode(found.dump())))
        breathe()
    return told
