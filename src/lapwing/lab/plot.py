"""The lab's figures drawn, with the plotting library the owner has (matplotlib); none is installed for it."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from lapwing.events import SettingsError
from lapwing.lab.evaluate import Measured

INCHES = (9.0, 7.0)


def draw(measured: Sequence[Measured], path: Path) -> None:
    """Attempts until an attack is told of, by family, and the people each kind of stress asks about classic rules.

    Raises SettingsError where the library is missing or does not know the kind of file.
    """
    figure = _library()(figsize=INCHES, layout="constrained")
    attempts, stress = figure.subplots(2, 1)
    _bars(attempts, "attempts until the first finding, median", attempts_by_family(measured))
    _bars(stress, "share of ordinary logins that classic rules suspect", suspected_by_family(measured))
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise SettingsError(f"--plot: {path}: {error}") from None


def check_plot(path: Path) -> None:
    """Raise SettingsError where `draw` would for want of the library, or because of what the file is called."""
    known = _library()().canvas.get_supported_filetypes()
    kind = path.suffix.removeprefix(".").lower()
    if kind not in known:
        raise SettingsError(f"--plot: {path}: not a kind of picture; there are {', '.join(sorted(known))}")


def _library() -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise SettingsError("--plot: needs matplotlib: pip install matplotlib") from None
    return Figure


def attempts_by_family(measured: Sequence[Measured]) -> dict[str, float]:
    """Medians over the seeds in which the attack was found; families never found are left out."""
    found: dict[str, list[int]] = {}
    for one in measured:
        if one.claim != "benign" and one.attempts is not None:
            found.setdefault(one.family, []).append(one.attempts)
    return {family: median(counts) for family, counts in found.items()}


def suspected_by_family(measured: Sequence[Measured]) -> dict[str, float]:
    """Sources the classic preset suspects for each ordinary login."""
    people: dict[str, tuple[int, int]] = {}
    for one in measured:
        if one.claim == "benign":
            logins, accused = people.get(one.family, (0, 0))
            people[one.family] = (logins + one.legitimate, accused + one.classic_accused)
    return {family: accused / max(1, logins) for family, (logins, accused) in people.items()}


def _bars(axes: Any, title: str, values: dict[str, float]) -> None:
    axes.barh(list(values), list(values.values()))
    axes.set_title(title)
    axes.invert_yaxis()
