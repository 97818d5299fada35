"""Medians and ratios of the runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.generate import Capture
from bench.measure import Run

MEBIBYTE = 1 << 20


@dataclass
class Results:
    """All runs by program and capture, and what was said about those that could not run."""

    captures: Mapping[str, Capture]
    runs: dict[tuple[str, str], list[Run]] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    more: dict[str, float] = field(default_factory=dict)
    by_cpu: bool = False  # compare processor time: for a machine that is busy with other work

    def add(self, name: str, kind: str, run: Run) -> None:
        self.runs.setdefault((name, kind), []).append(run)

    def middle(self, name: str, kind: str, what: Callable[[Run], float]) -> float | None:
        """The median of one figure, None when the program did not run on this capture."""
        runs = self.runs.get((name, kind))
        return median(what(run) for run in runs) if runs else None

    def seconds(self, name: str, kind: str) -> float | None:
        return self.middle(name, kind, lambda run: run.cpu_seconds if self.by_cpu else run.seconds)

    def rate(self, name: str, kind: str) -> float | None:
        """Packets per second."""
        seconds = self.seconds(name, kind)
        return None if seconds is None else self.captures[kind].packets / seconds

    def anon_mb(self, name: str, kind: str) -> float | None:
        """Peak anonymous memory in MiB."""
        size = self.middle(name, kind, lambda run: run.anon_bytes)
        return None if size is None else size / MEBIBYTE

    def times(self, slower: str, faster: str, kind: str) -> float | None:
        """How many times as long `slower` takes as `faster`."""
        over, under = self.seconds(slower, kind), self.seconds(faster, kind)
        return None if over is None or under is None else over / under

    def undisturbed(self) -> float:
        """The share of the C tracker's time in which it had a processor: below one, others were at work too."""
        shares = [
            run.cpu_seconds / run.seconds for (name, _), runs in self.runs.items() if name == "ctracker" for run in runs
        ]
        return min(1.0, median(shares)) if shares else 1.0

    def figures(self) -> dict[str, float]:
        """One flat object of numbers; what could not be measured is left out."""
        kinds = tuple(self.captures)
        found: dict[str, float | None] = {
            "track_vs_nfstream": self._worst(min, "nfstream_off", "track", kinds),
            "track_vs_argus": self._worst(min, "argus", "track", kinds),
            "track_vs_nfpcapd": self._worst(min, "nfpcapd", "track", kinds),
            "sessions_vs_nfstream": self.times("nfstream", "sessions", "mixed"),
            "sessions_vs_c": self.times("sessions", "ctracker", "mixed"),
            "track_vs_c": self._worst(max, "track", "ctracker", kinds),
            "track_vs_walk": self._worst(max, "track", "walk", kinds),
            "track_anon_mb": self.anon_mb("track", "small"),
            "undisturbed": self.undisturbed(),
        }
        for kind in kinds:
            found[f"track_vs_c_{kind}"] = self.times("track", "ctracker", kind)
            found[f"track_vs_walk_{kind}"] = self.times("track", "walk", kind)
        for name, kind in self.runs:
            found[f"{name}_{kind}_packets_per_s"] = self.rate(name, kind)
            found[f"{name}_{kind}_anon_mb"] = self.anon_mb(name, kind)
        found.update(self.more)
        return {name: round(value, 4) for name, value in found.items() if value is not None}

    def _worst(
        self, choose: Callable[[Sequence[float]], float], slower: str, faster: str, kinds: Sequence[str]
    ) -> float | None:
        ratios = [ratio for kind in kinds if (ratio := self.times(slower, faster, kind)) is not None]
        return choose(ratios) if ratios else None
