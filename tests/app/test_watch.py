"""`lapwing watch`, `flows -i`, and the library on an interface: the same logins and flows as from a file."""

import asyncio
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest

import lapwing
from lapwing.app.planted import Planting, create, planted
from lapwing.app.reading import Reading
from lapwing.events import (
    AuthResolved,
    AuthUnanswered,
    Event,
    FlowClosed,
    SensorEnded,
    SensorFailed,
    SensorStarted,
    SessionMessaged,
    TokenTripped,
    decode,
)
from lapwing.flows import FlowSettings
from lapwing.io.capture import LiveSettings, Recorder
from lapwing.sessions import PipelineSettings, SessionSettings
from lapwing.testing import TcpConversation, interleave, udp_frame
from tests.app.conftest import Lapwing, start
from tests.app.traffic import web_login
from tests.io.wires import Wire, needs_wires, wire
from tests.patience import ENOUGH_S

__all__ = ["wire"]

pytestmark = needs_wires

LOGINS = 12
FRAMES = [one.frame for one in interleave(*[web_login(number, accepted=False) for number in range(LOGINS)])]
T = TypeVar("T")


def settings(wire: Wire) -> LiveSettings:
    return LiveSettings(namespace=wire.namespace, poll_timeout_ms=10, profile="low-latency")


def until(wanted: Callable[[list[Event]], bool], lists: Iterable[list[Event]]) -> list[Event]:
    seen: list[Event] = []
    give_up = time.monotonic() + ENOUGH_S
    for events in lists:
        seen += events
        if wanted(seen) or time.monotonic() > give_up:
            break
    return seen


def logins(events: Iterable[Event]) -> list[AuthResolved]:
    return [event for event in events if isinstance(event, AuthResolved)]


def test_logins_on_the_wire_are_told_while_it_is_watched(wire: Wire) -> None:
    with lapwing.read(interface=Wire.right, live=settings(wire)) as reading:
        wire.send(FRAMES)
        seen = until(lambda events: len(logins(events)) == LOGINS, reading.lists())
        assert {login.outcome for login in logins(seen)} == {"failed"}
        assert reading.statistics()["capture.kernel_packets"] == len(FRAMES)


def test_stopping_flushes_every_open_flow(wire: Wire) -> None:
    count = 500
    with lapwing.read(interface=Wire.right, live=settings(wire)) as reading:
        wire.send(udp_frame("192.0.2.1", port, "192.0.2.2", 9_999, b"x") for port in range(1, count + 1))
        lists = reading.lists()
        until(lambda _: reading.statistics()["flows.packets"] == count, lists)
        reading.stop()
        rest = [event for events in lists for event in events]
    assert len([event for event in rest if isinstance(event, FlowClosed)]) == count
    (ended,) = [event for event in rest if isinstance(event, SensorEnded)]
    assert ended.counters["kernel_drops"] == 0


def test_a_quiet_interface_is_told_of_and_by_the_clock(wire: Wire) -> None:
    begin_ns = time.time_ns()
    with lapwing.read(interface=Wire.right, live=settings(wire)) as reading:
        lists = reading.lists()
        until(lambda events: any(isinstance(event, SensorStarted) for event in events), lists)
        wire.ip("link", "set", Wire.right, "down")
        seen = [event for events in lists for event in events]
    (failed,) = [event for event in seen if isinstance(event, SensorFailed)]
    (ended,) = [event for event in seen if isinstance(event, SensorEnded)]
    for event in (failed, ended):
        assert begin_ns - 10**9 < event.ts_ns < time.time_ns()


def test_flows_expire_by_the_clock_when_no_packet_comes(wire: Wire) -> None:
    quick = PipelineSettings(flows=FlowSettings(idle_timeout_udp_s=0.2, sweep_interval_s=0.05))
    with lapwing.read(interface=Wire.right, live=settings(wire), settings=quick) as reading:
        wire.send([udp_frame("192.0.2.1", 1, "192.0.2.2", 9_999, b"x")])
        seen = until(lambda events: any(isinstance(event, FlowClosed) for event in events), reading.lists())
    (closed,) = [event for event in seen if isinstance(event, FlowClosed)]
    assert closed.reason == "idle"


def test_a_login_at_a_silent_server_is_told_by_the_clock_when_no_packet_comes(wire: Wire) -> None:
    quick = PipelineSettings(sessions=SessionSettings(unanswered_after_s=1))
    said = TcpConversation(server_port=21).handshake().server(b"220 FTP\r\n").client(b"USER ana\r\nPASS hunter22\r\n")
    with lapwing.read(interface=Wire.right, live=settings(wire), settings=quick) as reading:
        wire.send([one.frame for one in said.frames])
        seen = until(lambda events: any(isinstance(event, AuthUnanswered) for event in events), reading.lists())
        assert reading.statistics()["sessions.unanswered"] == 1
    (waiting,) = [event for event in seen if isinstance(event, AuthUnanswered)]
    assert waiting.ts_ns - waiting.attempted_ts_ns == 10**9
    assert (waiting.username, logins(seen)) == ("ana", [])


def test_an_async_stream_gives_typed_messages_and_can_be_cancelled(wire: Wire) -> None:
    async def first_messages() -> list[SessionMessaged]:
        found: list[SessionMessaged] = []
        async for event in lapwing.stream(interface=Wire.right, live=settings(wire)):
            if isinstance(event, SessionMessaged):
                found.append(event)
            if len(found) == 2 * LOGINS:
                break
        return found

    async def run() -> list[SessionMessaged]:
        task = asyncio.create_task(first_messages())
        while not task.done():
            await asyncio.to_thread(wire.send, FRAMES)
            await asyncio.wait([task], timeout=0.3)
        waiting = asyncio.create_task(first_messages())
        await asyncio.wait([waiting], timeout=0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return await task

    kinds = {type(event.message).__name__ for event in asyncio.run(run())}
    assert kinds == {"HttpRequest", "HttpResponse"}


def test_two_runs_on_an_interface_judge_under_different_keys(wire: Wire) -> None:
    readings = [Reading([], interface=Wire.right, live=settings(wire)) for _ in range(2)]
    words = {reading._driver.detector._keyring.word(1, "b") for reading in readings}
    for reading in readings:
        reading.close()
    assert len(words) == 2


def test_a_recording_made_on_the_way_reads_the_same(wire: Wire, tmp_path: Path) -> None:
    path = tmp_path / "out.pcap"
    with lapwing.read(interface=Wire.right, live=settings(wire), record=Recorder(path)) as reading:
        wire.send(FRAMES)
        live = logins(until(lambda events: len(logins(events)) == LOGINS, reading.lists()))
    again = logins(lapwing.read(path))
    assert [(login.client_port, login.outcome, login.ts_ns) for login in again] == [
        (login.client_port, login.outcome, login.ts_ns) for login in live
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_program_tells_what_is_open_when_it_is_ended(wire: Wire, number: signal.Signals) -> None:
    arguments = (
        "watch",
        "-i",
        Wire.right,
        "--namespace",
        wire.namespace,
        "--events",
        "flow,auth",
        "--profile",
        "low-latency",
    )
    program = start(*arguments)
    assert program.stdout is not None
    readable = b""
    give_up = time.monotonic() + ENOUGH_S
    while b"auth.resolved" not in readable and time.monotonic() < give_up:  # until the program is listening
        wire.send([udp_frame("192.0.2.1", 40_007, "192.0.2.2", 9_999, b"open"), *FRAMES])
        if select.select([program.stdout], [], [], 0.3)[0]:
            readable += os.read(program.stdout.fileno(), 1 << 20)
    program.send_signal(number)
    out, err = program.communicate(timeout=ENOUGH_S)
    found = [decode(line) for line in (readable + out).splitlines()]
    assert program.returncode == 0, err
    assert [
        event
        for event in found
        if isinstance(event, FlowClosed) and event.client_port == 40_007 and event.reason == "flush"
    ]


def test_a_decoy_used_on_the_wire_is_told_and_kept(wire: Wire, tmp_path: Path) -> None:
    store = str(tmp_path / "store.db")
    asyncio.run(create(store, Planting("decoy-account", "in the wiki", username="archive")))
    live = ("-i", Wire.right, "--namespace", wire.namespace, "--profile", "low-latency")
    program = start("watch", *live, "-o", "ndjson", "--events", "token,finding", "--decoys", store)
    assert program.stdout is not None
    told = b""
    give_up = time.monotonic() + ENOUGH_S
    while b"decoy-used" not in told and time.monotonic() < give_up:  # until the program is listening
        wire.send(FRAMES)
        if select.select([program.stdout], [], [], 0.3)[0]:
            told += os.read(program.stdout.fileno(), 1 << 20)
    program.send_signal(signal.SIGTERM)
    out, err = program.communicate(timeout=ENOUGH_S)
    assert program.returncode == 0, err
    tripped = [event for line in (told + out).splitlines() if isinstance(event := decode(line), TokenTripped)]
    assert {(one.token_id, one.client_ip, one.purpose) for one in tripped} == {("archive", "192.0.2.7", "in the wiki")}
    (kept,) = asyncio.run(planted(store))
    assert kept.hit_count == len(tripped)


@pytest.mark.parametrize("group", [(), ("--fanout", "77")])
def test_flow_records_of_an_interface(wire: Wire, group: tuple[str, ...]) -> None:
    program = start("flows", "-i", Wire.right, "--namespace", wire.namespace, *group, "-c", "40", "-o", "ndjson")
    give_up = time.monotonic() + ENOUGH_S
    while program.poll() is None and time.monotonic() < give_up:
        wire.send(FRAMES)
        with suppress(subprocess.TimeoutExpired):
            program.wait(0.1)
    out, err = program.communicate(timeout=ENOUGH_S)
    records = [json.loads(line) for line in out.splitlines()]
    assert program.returncode == 0, err
    assert sum(record["client_packet_count"] + record["server_packet_count"] for record in records) == 40


def test_a_missing_interface_is_one_line_and_an_exit_code(lapwing: Lapwing) -> None:
    done = lapwing("watch", "-i", "nothere")
    assert done.code == 3
    assert "nothere: no such interface" in done.err
    assert done.err.count("\n") == 1


def test_rotation_needs_a_file(lapwing: Lapwing, calm: Path) -> None:
    done = lapwing("read", calm, "--rotate-size", "1MiB")
    assert done.code == 2
    assert "-w FILE" in done.err


def test_a_file_can_be_recorded_around_its_findings(lapwing: Lapwing, guessing: Path, tmp_path: Path) -> None:
    out = tmp_path / "around.pcap"
    assert lapwing("read", guessing, "-w", out, "--before", "5s", "--after", "1s").code == 0
    assert 24 < out.stat().st_size < guessing.stat().st_size
