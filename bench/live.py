"""Live capture between two cores: a sender at its full rate on one, Lapwing with full tracking on the other.

`python -m bench.live --seconds 120` prints what was sent, received and dropped. Then several readers, among which the
kernel divides by flow, are held against one, in two ways:

- at their limit (`shard_live`): no sender on one core fills a reader on another, so each reader is given a small share
  of a core by the kernel (SCHED_DEADLINE), all of them drop, and what they take is compared;
- by processor time (`shard_live_by_cpu`): all packets are taken, and the readers' seconds are compared.

Needs root, `ip`, and `chrt` and `taskset` of util-linux.
"""

import argparse
import ctypes
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from statistics import mean
from threading import Thread
from typing import Any

from lapwing.app.flow_reading import FlowReading, flows
from lapwing.io.capture import LiveSettings
from lapwing.testing import udp_frame

FRAME_BYTES = 200
FLOWS = 4_096
FIRST_PORT = 1_024
AT_ONCE = 512  # frames a system call sends
LEFT, RIGHT = "left", "right"
DEFAULT_SECONDS = 20
READERS = 2
COMPARED_S = 10.0  # of each run that is only compared with another
ROUNDS = 5  # of these, in turn
DRAIN_S = 2.0  # after the sender ended, until the reader is sure to have everything
SAMPLE_S = 0.1
SETTLE_S = 1.0  # of sending that is not compared: flows are new, the ring fills
# A reader at its limit has 4 % of a core, a quarter of what it would need, in pieces long enough to warm its caches up.
SLICE_NS, PERIOD_NS = 10_000_000, 250_000_000

Outcome = dict[str, Any]
_library = ctypes.CDLL(None)


class _Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class _Message(ctypes.Structure):  # struct mmsghdr
    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("iovecs", ctypes.POINTER(_Iovec)),
        ("iovec_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_long),  # an int, and room up to the end of struct msghdr
        ("sent", ctypes.c_long),  # an unsigned int, and room up to the next message
    ]


def send(seconds: float) -> None:
    """Send as fast as one core can; prints how many packets left."""
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    wire.bind((LEFT, 0))
    wire.setsockopt(263, 20, 1)  # SOL_PACKET, PACKET_QDISC_BYPASS
    batches = [batch(first) for first in range(0, FLOWS, AT_ONCE)]
    sent, begin = 0, time.monotonic()
    while time.monotonic() - begin < seconds:
        for messages, _ in batches:
            sent += send_batch(wire, messages)
    print(json.dumps({"sent": sent, "begin": begin, "end": time.monotonic()}))


def send_batch(wire: socket.socket, messages: Any) -> int:
    """One system call; how many messages left."""
    return max(0, int(_library.sendmmsg(wire.fileno(), messages, len(messages), 0)))


def batch(first: int) -> tuple[Any, Any]:
    """Messages of one call, and what they point to."""
    frames = [_frame(number) for number in range(first, first + AT_ONCE)]
    iovecs = (_Iovec * AT_ONCE)()
    messages = (_Message * AT_ONCE)()
    for number, frame in enumerate(frames):
        iovecs[number].base = ctypes.cast(frame, ctypes.c_void_p).value
        iovecs[number].length = FRAME_BYTES
        messages[number].iovecs = ctypes.pointer(iovecs[number])
        messages[number].iovec_count = 1
    return messages, (frames, iovecs)


def _frame(number: int) -> Any:
    source = f"10.0.{number >> 8}.{number & 255}"
    frame = udp_frame(source, FIRST_PORT + number, "192.0.2.2", 9_999, bytes(FRAME_BYTES - 42))
    return ctypes.create_string_buffer(frame, FRAME_BYTES)


def receive(seconds: float, group: int | None) -> None:
    """Track until the time is over; prints what was seen, what the kernel dropped, and how both grew."""
    end = time.monotonic() + seconds
    samples: list[tuple[float, float, float]] = []
    with flows(interface=RIGHT, live=LiveSettings(profile="high-throughput", fanout_group=group)) as reading:
        Thread(target=_watch, args=(reading, samples, end), daemon=True).start()
        print("ready", flush=True)
        for _ in reading.records():
            pass
        counters = reading.statistics()
    found = {name: counters[f"capture.{name}"] for name in ("packets", "kernel_packets", "kernel_drops")}
    print(json.dumps(found | {"flows": counters["flows.created"], "samples": samples}))


def _watch(reading: FlowReading, samples: list[tuple[float, float, float]], end: float) -> None:
    """Note time, packets and processor time now and then; end the reading when its time is over."""
    while (now := time.monotonic()) < end:
        progress = reading.progress()
        packets = progress.read_bytes / FRAME_BYTES if progress is not None else 0.0
        samples.append((now, packets, time.process_time()))
        time.sleep(SAMPLE_S)
    reading.stop()


def measure_live(seconds: float = DEFAULT_SECONDS) -> dict[str, float] | None:
    """Figures of one run; None where namespaces and interfaces cannot be made, or there is only one core."""
    if os.geteuid() != 0 or len(os.sched_getaffinity(0)) < 2:
        return None
    name = f"lapwing-bench-{os.getpid()}"
    try:
        subprocess.run(["ip", "netns", "add", name], check=True, capture_output=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    compared = min(seconds, COMPARED_S)
    try:
        _connect(name)
        sent, (seen,) = _send_to(name, 1, seconds)
        turns = [readers for _ in range(ROUNDS) for readers in (1, READERS)]
        free = [_send_to(name, readers, compared) for readers in turns]
        bound = [_send_to(name, readers, compared, at_limit=True) for readers in turns]
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)
    figures = {
        "live_sent_pps": sent["sent"] / _length(sent),
        "live_kernel_drops": seen["kernel_drops"],
        "live_received_pps": seen["packets"] / _length(sent),
        "live_seconds": _length(sent),
        "live_flows": seen["flows"],
        "live_reader_cpu_share": _grown(seen, sent)[1],
        "shard_live_by_cpu": mean(_room(*run) for run in free[1::2]) / mean(_room(*run) for run in free[::2]),
    }
    if all(reader["kernel_drops"] for _, readers in bound for reader in readers):  # else nobody was at the limit
        one, several = (mean(_taken(*run) for run in runs) for runs in (bound[::2], bound[1::2]))
        figures |= {"shard_live": several / one, "shard_live_one_pps": one, "shard_live_all_pps": several}
    return figures


def _grown(reader: Outcome, sent: Outcome) -> tuple[float, float]:
    """Packets a second that a reader took while they were sent, and the share of a core it needed."""
    samples = [one for one in reader["samples"] if sent["begin"] + SETTLE_S <= one[0] <= sent["end"]]
    (begin, packets, cpu), (end, packets_then, cpu_then) = samples[0], samples[-1]
    return (packets_then - packets) / (end - begin), (cpu_then - cpu) / (end - begin)


def _taken(sent: Outcome, readers: list[Outcome]) -> float:
    """Packets a second all readers took."""
    return sum(_grown(reader, sent)[0] for reader in readers)


def _room(sent: Outcome, readers: list[Outcome]) -> float:
    """Packets a second all readers could take, each with a core of its own; the busiest is full first."""
    return _taken(sent, readers) / max(_grown(reader, sent)[1] for reader in readers)


def _length(sent: Outcome) -> float:
    return float(sent["end"] - sent["begin"])


def _connect(name: str) -> None:
    ip = ["ip", "-n", name, "link"]
    subprocess.run([*ip, "add", LEFT, "type", "veth", "peer", "name", RIGHT], check=True)
    for interface in (LEFT, RIGHT):
        subprocess.run([*ip, "set", interface, "up"], check=True)


def _send_to(name: str, readers: int, seconds: float, *, at_limit: bool = False) -> tuple[Outcome, list[Outcome]]:
    """What the sender sent, and what each reader saw."""
    first, second = sorted(os.sched_getaffinity(0))[:2]
    group = ["--group", str(os.getpid() & 0xFFFF)] if readers > 1 else []
    core = None if at_limit else first  # the kernel gives shares only to those who may run anywhere
    started = [_start(name, core, "receive", seconds + DRAIN_S, group) for _ in range(readers)]
    for reader in started:
        assert reader.stdout is not None
        reader.stdout.readline()
        if at_limit:
            share = ["-T", str(SLICE_NS), "-P", str(PERIOD_NS), "-D", str(PERIOD_NS)]
            subprocess.run(["chrt", "--deadline", *share, "--pid", "0", str(reader.pid)], check=True)
    sent = json.loads(_start(name, second, "send", seconds, []).communicate()[0])
    return sent, [json.loads(reader.communicate()[0]) for reader in started]


def _start(name: str, core: int | None, what: str, seconds: float, more: list[str]) -> "subprocess.Popen[str]":
    program = [sys.executable, "-m", "bench.live", what, "--seconds", str(seconds), *more]
    pinned = [] if core is None else ["taskset", "-c", str(core)]
    command = ["ip", "netns", "exec", name, *pinned, *program]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.live", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("send", "receive"), help="one side alone; both without it")
    parser.add_argument("--seconds", type=float, default=DEFAULT_SECONDS)
    parser.add_argument("--group", type=int, help="the fanout group of a receiver")
    options = parser.parse_args()
    if options.what == "send":
        send(options.seconds)
    elif options.what == "receive":
        receive(options.seconds, options.group)
    else:
        print(json.dumps(measure_live(options.seconds), indent=2))


if __name__ == "__main__":
    main()
