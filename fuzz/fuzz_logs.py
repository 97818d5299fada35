"""Fuzz target: lines of a log, of a named kind or one to be recognised, in one piece and byte by byte."""

import sys
from ipaddress import ip_address
from itertools import count

from lapwing.io.logs import LineSplitter
from lapwing.logins import LoginSettings, SecretTagger
from lapwing.logins.logs import LOG_FORMATS, Clock, LogContext, LogLines, LogSettings
from tests.logins.logs.samples import SAMPLES

MAX_LINE_BYTES = 2048
WRITTEN_NS = 1_780_000_000 * 10**9
NUMBERS = {log_format.name: number for number, log_format in enumerate(LOG_FORMATS)}
SEEDS = tuple(
    bytes([kind]) + "\n".join(lines).encode() + b"\n"
    for name, lines, _ in SAMPLES
    for kind in (NUMBERS[name], len(LOG_FORMATS))
)


def run(data: bytes) -> None:
    """The first byte chooses the kind; both ways of reading agree, and every client has an address."""
    if not data:
        return
    kind = data[0] % (len(LOG_FORMATS) + 1)
    whole = _events(kind, [data[1:]])
    assert whole == _events(kind, [data[at : at + 1] for at in range(1, len(data))])
    for event in whole:
        assert str(ip_address(event.client_ip)) == event.client_ip  # type: ignore[attr-defined]


def _events(kind: int, pieces: list[bytes]) -> list[object]:
    splitter = LineSplitter(MAX_LINE_BYTES)
    ids = count(1)
    context = LogContext(
        LoginSettings(), LogSettings(), Clock(latest_ns=WRITTEN_NS), SecretTagger(bytes(16)), lambda: next(ids)
    )
    lines = LogLines(context, LOG_FORMATS[kind] if kind < len(LOG_FORMATS) else None)
    events: list[object] = []
    for batch in [*map(splitter.feed, pieces), splitter.finish()]:
        lines.skip_long(batch.too_long_count)
        events += lines.feed(batch.lines)
    return [*events, *lines.close()]


if __name__ == "__main__":
    run(sys.stdin.buffer.read())
