"""The lab's figures: flat numbers for machines, one page for people."""

import math
from collections.abc import Iterable, Sequence
from statistics import median

from lapwing.lab.evaluate import Measured
from lapwing.lab.pace import Pace

Z = 1.96  # of a 95 % interval
HEAD = """# Detection

What is found, how soon, and who is disturbed, measured with `lapwing lab run --suite release` on labelled traffic made
from seeds. One configuration, the default one, for everything. Seeds {seeds}, ordinary stress {benign}; intervals are
95 % (Wilson). Thresholds were chosen on seeds below 1000.
Where nothing was seen to go wrong, the interval says how much could still be behind it.
Attempts to detect are the logins an attack has made, good ones too, when the first finding tells of it: medians over
the seeds. `attempts_to_detect_loud` is the median of the loud family that takes longest, `_fingerprint` that of
`stuffing_distributed`, `_rotating` that of `rotating`; `hours_to_detect_slow` is the longest of all slow ones.
Costs are of one thread's processor time, an attack going on, with a million sources known.
Beside it stands the classic preset (`lapwing.presets.classic`) on the same traffic.
"""
BY_FAMILY = (
    "Attempts and seconds until the first finding are medians over the seeds; logins won by then are of all seeds."
)
CLAIMS = ("loud", "distributed", "slow", "losing", "benign")
TARGETS: tuple[tuple[str, str], ...] = (
    ("recall_loud", "at least 0.99"),
    ("recall_distributed", "at least 0.95"),
    ("recall_slow", "at least 0.95"),
    ("false_blocks_per_million", "at most 1"),
    ("false_challenges_per_ten_thousand", "at most 1"),
    ("takeover_precision", "at least 0.9"),
    ("takeover_recall", "at least 0.9"),
    ("attribution_f1", "at least 0.9"),
    ("attempts_to_detect_loud", "at most 6"),
    ("attempts_to_detect_fingerprint", "at most 50"),
    ("attempts_to_detect_rotating", "at most 300"),
    ("hours_to_detect_slow", "at most 24"),
    ("highest_undetected_per_day", "at most 50"),
    ("decision_p50_us", "at most 2"),
    ("decision_p99_us", "at most 10"),
    ("bytes_per_source", "at most 300"),
)


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share."""
    if of == 0:
        return 0.0, 1.0
    share, spread = hits / of, Z * Z / of
    middle = (share + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * math.sqrt(share * (1 - share) / of + spread / (4 * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def figures(measured: Sequence[Measured], pace: Pace | None) -> dict[str, float]:
    """One flat object of numbers. `*_low` and `*_high` bound a share; attempts are medians over seeds."""
    out: dict[str, float] = {}
    for claim in ("loud", "distributed", "slow", "losing"):
        own = [m for m in measured if m.claim == claim]
        _share(out, f"recall_{claim}", sum(m.found for m in own), sum(m.campaigns for m in own))
    out |= _false_answers(measured)
    _share(out, "takeover_precision", sum(m.taken_found for m in measured), sum(m.takeovers_told for m in measured))
    _share(out, "takeover_recall", sum(m.taken_found for m in measured), sum(m.taken for m in measured))
    out["attribution_f1"] = _f1(measured)
    out |= _delays(measured)
    if pace is not None:
        out |= {
            "decision_p50_us": round(pace.p50_us, 2),
            "decision_p99_us": round(pace.p99_us, 2),
            "decisions_per_second": round(pace.batch_per_second),
            "bytes_per_source": round(pace.bytes_per_source, 1),
            "resident_sources": pace.resident,
            "flood_growth": round(pace.flood_growth, 4),
        }
    return out


def _false_answers(measured: Sequence[Measured]) -> dict[str, float]:
    """What ordinary people met with."""
    people = sum(m.legitimate for m in measured)
    blocks, challenges = sum(m.false_blocks for m in measured), sum(m.false_challenges for m in measured)
    out: dict[str, float] = {}
    for name, scale, hits in (
        ("false_blocks_per_million", 1e6, blocks),
        ("false_challenges_per_ten_thousand", 1e4, challenges),
    ):
        out[name] = round(scale * hits / people, 3) if people else 0.0
        out[f"{name}_high"] = round(scale * wilson(hits, people)[1], 3)
    return out | {
        "legitimate_logins": people,
        "false_blocks_seen": blocks,
        "false_challenges_seen": challenges,
    }


def _delays(measured: Sequence[Measured]) -> dict[str, float]:
    """How long attacks went on before they were told of."""
    loud = {m.family for m in measured if m.claim == "loud"}
    slow = [m.seconds for m in measured if m.claim == "slow" and m.seconds is not None]
    return {
        "attempts_to_detect_loud": max((_attempts(measured, family) for family in loud), default=math.inf),
        "attempts_to_detect_fingerprint": _attempts(measured, "stuffing_distributed"),
        "attempts_to_detect_rotating": _attempts(measured, "rotating"),
        "hours_to_detect_slow": round(max(slow) / 3_600, 2) if slow else math.inf,
    }


def page(
    measured: Sequence[Measured], numbers: dict[str, float], seeds: Sequence[int], benign: Sequence[int] = ()
) -> str:
    """The page for people."""
    lines = [HEAD.format(seeds=_span(seeds), benign=_span(benign or seeds)), "## Against the targets", ""]
    lines += ["| figure | measured | 95 % interval | target | holds |", "| --- | ---: | --- | --- | --- |"]
    for name, target in TARGETS:
        if name in numbers:
            lines.append(
                f"| {name} | {numbers[name]:g} | {_interval(numbers, name)} | {target} "
                f"| {'yes' if _holds(numbers[name], target) else '**no**'} |"
            )
    lines += ["", "## By family", "", BY_FAMILY, ""]
    lines += [
        "| family | claim | found | attempts | seconds | won by then | takeovers found, told, real | classic |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, own in _by_family(m for m in measured if m.claim != "benign"):
        lines.append(_attack_row(name, own))
    lines += ["", "## Ordinary stress", ""]
    lines += [
        "| family | logins | blocked | challenged | findings name | classic suspects | classic blocks |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, own in _by_family(m for m in measured if m.claim == "benign"):
        parts = ("legitimate", "false_blocks", "false_challenges", "named", "classic_accused", "classic_blocks")
        lines.append(f"| {name} | " + " | ".join(f"{sum(getattr(m, p) for m in own):,}" for p in parts) + " |")
    return "\n".join(lines) + "\n"


def _span(seeds: Sequence[int]) -> str:
    return f"{min(seeds)} to {max(seeds)}"


def _share(out: dict[str, float], name: str, hits: int, of: int) -> None:
    low, high = wilson(hits, of)
    out[name] = round(hits / of, 4) if of else 0.0
    out[f"{name}_low"], out[f"{name}_high"] = round(low, 4), round(high, 4)


def _f1(measured: Sequence[Measured]) -> float:
    right = sum(m.named_right for m in measured)
    precision = right / max(1, sum(m.named for m in measured))
    recall = right / max(1, sum(m.attackers for m in measured))
    return round(2 * precision * recall / max(1e-9, precision + recall), 4)


def _attempts(measured: Sequence[Measured], family: str) -> float:
    """Median over seeds; a campaign never found counts as infinite."""
    counts = [math.inf if m.attempts is None else m.attempts for m in measured if m.family == family]
    return median(counts) if counts else math.inf


def _interval(numbers: dict[str, float], name: str) -> str:
    if f"{name}_low" in numbers:
        return f"{numbers[f'{name}_low']:g} to {numbers[f'{name}_high']:g}"
    return f"up to {numbers[f'{name}_high']:g}" if f"{name}_high" in numbers else ""


def _holds(value: float, target: str) -> bool:
    limit = float(target.split()[-1])
    return value >= limit if target.startswith("at least") else value <= limit


def _by_family(measured: Iterable[Measured]) -> list[tuple[str, list[Measured]]]:
    groups: dict[str, list[Measured]] = {}
    for one in measured:
        groups.setdefault(one.family, []).append(one)
    return list(groups.items())


def _attack_row(name: str, own: list[Measured]) -> str:
    seconds = [math.inf if m.seconds is None else m.seconds for m in own]
    found = f"{sum(m.found for m in own)} of {sum(m.campaigns for m in own)}"
    taken = f"{sum(m.taken_found for m in own)}, {sum(m.takeovers_told for m in own)}, {sum(m.taken for m in own)}"
    return (
        f"| {name} | {own[0].claim} | {found} | {_attempts(own, name):g} | {median(seconds):,.0f} "
        f"| {sum(m.taken_before for m in own)} | {taken} "
        f"| {sum(m.classic_found for m in own)} of {len(own)} |"
    )
