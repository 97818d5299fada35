"""Makes the two large captures, always the same bytes from the same seed.

`mixed`: what a busy link carries. `small`: half a million flows alive at once, packets of 60 to 100 bytes.
"""

import argparse
import json
import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.traffic import datagrams, dialogues, web
from bench.traffic.frames import RECORD, Flows, Headers, Packets, build_headers
from bench.traffic.schedule import Plan, choose, disturb, endpoints, lay_out, spread
from bench.traffic.script import Pool

VERSION = 2  # raise with every change of the bytes; part of the file name
SEED = 2026
FILE_HEADER = bytes.fromhex("d4c3b2a1020004000000000000000000") + (262_144).to_bytes(4, "little") + b"\x01\0\0\0"
DAMAGED = 0.0005  # of all packets
WRITE_PACKETS = 20_000  # joined in memory at a time

MIXED_FLOWS = 128_000
MIXED_DURATION_S = 90.0  # longer than the idle timeout of datagrams, so expiry has work to do
MIXED_CLIENTS = 12_000
SMALL_FLOWS = 567_000
SMALL_DURATION_S = 25.0  # shorter than every idle timeout, so all flows stay
SMALL_CLIENTS = 60_000


@dataclass(frozen=True)
class Capture:
    """Where a generated capture is and what was put into it."""

    path: Path
    packets: int
    flows: int
    bytes: int


def generate(kind: str, folder: Path, *, scale: float = 1.0, seed: int = SEED) -> Capture:
    """The capture `kind` ("mixed" or "small") in `folder`; made only when it is not there yet."""
    path = folder / f"{kind}-v{VERSION}-s{seed}-x{scale:g}.pcap"
    note = path.with_suffix(".json")
    if not note.exists() or not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(_write(kind, path, scale, seed)))
    facts = json.loads(note.read_text())
    return Capture(path, facts["packets"], facts["flows"], facts["bytes"])


def _write(kind: str, path: Path, scale: float, seed: int) -> dict[str, int]:
    rng, pool = np.random.default_rng(seed), Pool()
    if kind == "mixed":
        packets, flows = _mixed(pool, scale, seed, rng)
    else:
        packets, flows = _small(pool, scale, seed, rng)
    packets = packets.take(np.argsort(packets.ts_us, kind="stable"))
    headers = build_headers(packets, flows, pool, tcp_options=kind == "mixed")
    special = _damage(packets, headers, pool, rng) if kind == "mixed" else {}
    partial = path.with_suffix(".partial")
    written = _write_file(partial, packets, headers, pool, special)
    partial.rename(path)
    return {"packets": len(packets.flow), "flows": len(np.unique(packets.flow)), "bytes": written}


def _mixed(pool: Pool, scale: float, seed: int, rng: np.random.Generator) -> tuple[Packets, Flows]:
    dice = random.Random(seed)
    variety = max(int(400 * min(scale, 1.0)), 20)

    def share(part: float) -> int:
        return max(int(MIXED_FLOWS * scale * part), 4)

    largest = max(int(9_000 * min(scale, 1.0)), 60)
    plans = [
        Plan(web.tls_scripts(pool, dice, largest=largest), share(0.29), 3_000, skew=1.35),
        Plan(datagrams.dns_scripts(pool, dice, variety * 4), share(0.38), 20),
        Plan(web.browsing_scripts(pool, dice, variety), share(0.04), 600),
        Plan(web.login_scripts(pool, dice, variety), share(0.02), 30),
        Plan(
            web.download_scripts(pool, dice, largest=int(6_000_000 * min(scale, 1.0)) + 90_000),
            share(0.002),
            10,
            skew=1.1,
        ),
        Plan(dialogues.ssh_scripts(pool, dice, variety // 2), share(0.006), 40),
        Plan(dialogues.ftp_scripts(pool, dice, variety // 4), share(0.008), 10),
        Plan(dialogues.smtp_scripts(pool, dice, variety // 4), share(0.012), 20),
        Plan(datagrams.quic_scripts(pool, dice, largest=largest // 6), share(0.07), 1_500, skew=1.15),
        Plan(datagrams.ping_scripts(pool, dice), share(0.04), 400),
        Plan(datagrams.other_scripts(pool, dice), share(0.047), 100, skew=0.5),
        Plan(datagrams.refused_scripts(pool), share(0.085), 4_000),
    ]
    scripts, pick, owner = choose(plans, rng)
    flows = endpoints(plans, scripts, pick, owner, clients=MIXED_CLIENTS, rng=rng)
    packets = lay_out(scripts, pick, duration_s=MIXED_DURATION_S, rng=rng)
    return disturb(packets, pool.lengths(), flows.protocol, rng), flows


def _small(pool: Pool, scale: float, seed: int, rng: np.random.Generator) -> tuple[Packets, Flows]:
    plans = [Plan(datagrams.tiny_scripts(pool, random.Random(seed)), int(SMALL_FLOWS * scale), 8_000, skew=1.06)]
    scripts, pick, owner = choose(plans, rng)
    flows = endpoints(plans, scripts, pick, owner, clients=SMALL_CLIENTS, rng=rng)
    return spread(scripts, pick, duration_s=SMALL_DURATION_S, rng=rng), flows


def _damage(packets: Packets, headers: Headers, pool: Pool, rng: np.random.Generator) -> dict[int, bytes]:
    """Whole records by packet number: cut short, impossible header lengths, bytes without sense."""
    special = {}
    rows = np.flatnonzero(rng.random(len(packets.flow)) < DAMAGED)
    for index, row in enumerate(rows.tolist()):
        head = bytearray(headers.data[headers.start[row] : headers.end[row]])
        body = bytearray(pool.payloads[packets.payload[row]])
        frame = head[RECORD:] + body
        kind = index % 4
        if kind == 0:
            frame = frame[: int(rng.integers(10, len(frame)))]
        elif kind == 1:
            frame[14:16] = b"\x4f\xff"
        elif kind == 2:
            frame[-min(24, len(frame)) :] = rng.bytes(min(24, len(frame)))
        else:
            frame[12:] = rng.bytes(len(frame) - 12)
        special[row] = bytes(head[:8] + len(frame).to_bytes(4, "little") + head[12:16] + frame)
    return special


def _write_file(path: Path, packets: Packets, headers: Headers, pool: Pool, special: dict[int, bytes]) -> int:
    data, payloads = headers.data.tobytes(), pool.payloads
    written = len(FILE_HEADER)
    with path.open("wb") as file:
        file.write(FILE_HEADER)
        for first in range(0, len(packets.flow), WRITE_PACKETS):
            rows = slice(first, first + WRITE_PACKETS)
            columns = (
                headers.start[rows].tolist(),
                headers.end[rows].tolist(),
                packets.payload[rows].tolist(),
            )
            records = [data[start:end] + payloads[number] for start, end, number in zip(*columns, strict=True)]
            for row in range(first, first + len(records)):
                if row in special:
                    records[row - first] = special[row]
            block = b"".join(records)
            written += len(block)
            file.write(block)
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("mixed", "small"))
    parser.add_argument("--folder", type=Path, default=Path("build/bench"))
    parser.add_argument("--scale", type=float, default=1.0)
    arguments = parser.parse_args()
    begin = time.perf_counter()
    capture = generate(arguments.kind, arguments.folder, scale=arguments.scale)
    print(f"{capture} in {time.perf_counter() - begin:.1f} s")


if __name__ == "__main__":
    main()
