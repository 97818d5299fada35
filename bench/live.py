"""Live capture between two cores: a sender at its full rate on one, Lapwing with full tracking on the other.

`python -m bench.live --seconds 120` prints what was sent, received and dropped; then the same with two readers among
which the kernel divides by flow. Needs root and `ip`.
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
from typing import Any

from lapwing.app.flow_reading import flows
from lapwing.io.capture import LiveSettings
from lapwing.testing import udp_frame

FRAME_BYTES = 200
FLOWS = 4_096
AT_ONCE = 512  # frames a system call sends
LEFT, RIGHT = "left", "right"
DEFAULT_SECONDS = 20
READERS = 2
SHARED_S = 10.0  # of the run with several readers
DRAIN_S = 2.0  # after the sender ended, until the reader is sure to have everything


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
        ("flags", ctypes.c_int),
        ("sent", ctypes.c_uint),
    ]


def send(seconds: float) -> None:
    """Send as fast as one core can; prints how many packets left."""
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    wire.bind((LEFT, 0))
    wire.setsockopt(263, 20, 1)  # SOL_PACKET, PACKET_QDISC_BYPASS
    batches = [_batch(first) for first in range(0, FLOWS, AT_ONCE)]
    sendmmsg = ctypes.CDLL(None, use_errno=True).sendmmsg
    sent, begin = 0, time.monotonic()
    while time.monotonic() - begin < seconds:
        for messages, _ in batches:
            sent += max(0, sendmmsg(wire.fileno(), messages, AT_ONCE, 0))
    print(json.dumps({"sent": sent, "seconds": time.monotonic() - begin}))


def _batch(first: int) -> tuple[Any, Any]:
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
    frame = udp_frame(source, 1_024 + number, "192.0.2.2", 9_999, bytes(FRAME_BYTES - 42))
    return ctypes.create_string_buffer(frame, FRAME_BYTES)


def receive(seconds: float, group: int | None) -> None:
    """Track until the time is over; prints what was seen and what the kernel dropped."""
    end = time.monotonic() + seconds
    begin_cpu = time.process_time()
    with flows(interface=RIGHT, live=LiveSettings(profile="high-throughput", fanout_group=group)) as reading:
        print("ready", flush=True)
        records = 0
        for rows in reading.records():
            records += len(rows)
            if time.monotonic() > end:
                reading.stop()
        counters = reading.statistics()
    found = {name: counters[f"capture.{name}"] for name in ("packets", "kernel_packets", "kernel_drops")}
    print(json.dumps(found | {"flows": counters["flows.created"], "cpu_seconds": time.process_time() - begin_cpu}))


def measure_live(seconds: float = DEFAULT_SECONDS) -> dict[str, float] | None:
    """Figures of one run; None where namespaces and interfaces cannot be made, or there is only one core."""
    if os.geteuid() != 0 or len(os.sched_getaffinity(0)) < 2:
        return None
    name = f"lapwing-bench-{os.getpid()}"
    try:
        subprocess.run(["ip", "netns", "add", name], check=True, capture_output=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    try:
        _connect(name)
        sent, (seen,) = _send_to(name, 1, seconds)
        _, shared = _send_to(name, READERS, min(seconds, SHARED_S))
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)
    return {
        "live_sent_pps": sent["sent"] / sent["seconds"],
        "live_kernel_drops": seen["kernel_drops"],
        "live_received_pps": seen["packets"] / sent["seconds"],
        "live_seconds": sent["seconds"],
        "live_reader_cpu_share": seen["cpu_seconds"] / sent["seconds"],
        "shard_live": _capacity(shared) / _capacity([seen]),
    }


def _capacity(readers: list[dict[str, float]]) -> float:
    """Packets a second all readers could take, each with a core of its own.

    By processor time: with the sender on one of two cores, two readers cannot be watched at their full rate. The one
    with the most packets is full first.
    """
    whole = sum(reader["packets"] for reader in readers)
    busiest = max(readers, key=lambda reader: reader["cpu_seconds"])
    return whole / busiest["cpu_seconds"]


def _connect(name: str) -> None:
    ip = ["ip", "-n", name, "link"]
    subprocess.run([*ip, "add", LEFT, "type", "veth", "peer", "name", RIGHT], check=True)
    for interface in (LEFT, RIGHT):
        subprocess.run([*ip, "set", interface, "up"], check=True)


def _send_to(name: str, readers: int, seconds: float) -> tuple[dict[str, float], list[dict[str, float]]]:
    """What the sender sent, and what each reader saw."""
    first, second = sorted(os.sched_getaffinity(0))[:2]
    group = ["--group", str(os.getpid() & 0xFFFF)] if readers > 1 else []
    started = [_start(name, first, "receive", seconds + DRAIN_S, group) for _ in range(readers)]
    for reader in started:
        assert reader.stdout is not None
        reader.stdout.readline()
    sent = json.loads(_start(name, second, "send", seconds, []).communicate()[0])
    return sent, [json.loads(reader.communicate()[0]) for reader in started]


def _start(name: str, core: int, what: str, seconds: float, more: list[str]) -> "subprocess.Popen[str]":
    program = [sys.executable, "-m", "bench.live", what, "--seconds", str(seconds), *more]
    command = ["ip", "netns", "exec", name, "taskset", "-c", str(core), *program]
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
