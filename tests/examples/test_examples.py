"""The example packages install and run, and the four shapes do what they say."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import lapwing
from lapwing.app import plugins
from lapwing.app.plugins import MAX_SINK_FAILURES, ContainedSink, Plugins, installed, opened_sinks
from lapwing.events import Event, PluginError, SessionMessaged
from lapwing.io.capture import Recorder, open_capture
from lapwing.protocols import STREAM_PROTOCOLS
from lapwing.testing import START_NS, TcpConversation, TimedFrame, pcap, udp_frame
from tests.app.traffic import guessing_at
from tests.io.wires import Wire, needs_wires, wire
from tests.patience import ENOUGH_S

__all__ = ["wire"]

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(*command: str | Path, packages: Path | None = None, code: int = 0) -> str:
    environment = {**os.environ, "PYTHONPATH": str(packages)} if packages else None
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        timeout=ENOUGH_S,
        env=environment,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three packages, installed into a folder of their own."""
    target = tmp_path_factory.mktemp("packages")
    copies = tmp_path_factory.mktemp("sources")
    for kind in ("protocol", "source", "sink"):
        for file in (EXAMPLES / kind).iterdir():
            if file.is_file():
                (copies / kind).mkdir(exist_ok=True)
                (copies / kind / file.name).write_bytes(file.read_bytes())
    folders = [copies / kind for kind in ("protocol", "source", "sink")]
    run("-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "--target", target, *folders)
    return target


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """Two conversations in the example's protocol; the second breaks its rules."""
    first = TcpConversation(client_port=40_001, server_port=7007).handshake()
    first.client(b"LINES/1\n\x05he").client(b"llo").server(b"\x02hi").close()
    second = TcpConversation(client_port=40_002, server_port=7007).handshake()
    second.client(b"LINES/1\n\x03bad\x00never").close()
    path = tmp_path / "lines.pcap"
    path.write_bytes(pcap([*first.frames, *second.frames], nanoseconds=True))
    return path


def test_the_protocol_package_reads_its_protocol(packages: Path, lines: Path) -> None:
    out = run("-m", "lapwing", "sessions", lines, "--protocol", "example-lines", "-o", "ndjson", packages=packages)
    events = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    assert [e["message"]["text"] for e in events if e["event_type"] == "session.messaged"] == ["hello", "hi", "bad"]


def test_the_source_package_opens_its_files(packages: Path, tmp_path: Path) -> None:
    question = bytes.fromhex("000101000001000000000000076578616d706c6503636f6d0000010001")
    frame = udp_frame("192.0.2.1", 40_000, "192.0.2.2", 53, question)
    (tmp_path / "frames.txt").write_text(f"1000000000.5 {frame.hex()}\n")
    out = run("-m", "lapwing", "sessions", f"example-hex://{tmp_path}/frames.txt", "-o", "ndjson", packages=packages)
    assert '"example.com"' in out
    out = run("-m", "lapwing", "read", "example-hex://missing.txt", packages=packages, code=3)
    assert "missing.txt" in out


def test_the_sink_package_gets_the_events(packages: Path, tmp_path: Path) -> None:
    guessing = guessing_at(tmp_path / "in.pcap")
    counts = tmp_path / "counts.txt"
    run("-m", "lapwing", "read", guessing, "--sink", f"example-counts={counts}", packages=packages)
    assert "30 auth.resolved\n" in counts.read_text()


def test_an_unknown_sink_is_refused(packages: Path, tmp_path: Path) -> None:
    out = run("-m", "lapwing", "read", guessing_at(tmp_path / "in.pcap"), "--sink", "x", packages=packages, code=3)
    assert "no sink 'x'; example-counts" in out


# -- loading ----------------------------------------------------------------------------------------------------------


def entries(monkeypatch: pytest.MonkeyPatch, *found: EntryPoint) -> None:
    monkeypatch.setattr(plugins, "entry_points", lambda group: [one for one in found if one.group == group])


def test_a_name_of_our_own_cannot_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    entries(monkeypatch, EntryPoint("http", "lapwing.protocols:STREAM_PROTOCOLS", plugins.PROTOCOLS))
    with pytest.raises(PluginError, match="is no StreamProtocol"):
        installed()
    entries(monkeypatch, EntryPoint("http", "lapwing.protocols.http:HTTP", plugins.PROTOCOLS))
    with pytest.raises(PluginError, match="there is a protocol 'http' already"):
        installed()


def test_two_packages_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    two = [EntryPoint("same", f"os:{word}", plugins.SINKS) for word in ("sep", "name")]
    entries(monkeypatch, *two)
    with pytest.raises(PluginError, match="both os:sep and os:name bring 'same'"):
        installed()


def test_a_plugin_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    entries(monkeypatch, EntryPoint("broken", "lapwing.nothere:thing", plugins.SOURCES))
    with pytest.raises(PluginError, match=r"plugin 'broken' of lapwing\.nothere:thing cannot be loaded"):
        installed()


class Failing:
    def __init__(self, failures: int) -> None:
        self.calls = 0
        self._failures = failures

    def write(self, events: Sequence[Event]) -> None:
        self.calls += 1
        if self.calls <= self._failures:
            raise ZeroDivisionError("a bug")

    def close(self) -> None:
        pass


@pytest.mark.parametrize(("failures", "calls", "off"), [(2, 20, False), (100, MAX_SINK_FAILURES, True)])
def test_a_failing_sink_is_told_of_once_and_switched_off_when_it_goes_on(failures: int, calls: int, off: bool) -> None:
    told: list[str] = []
    sink = Failing(failures)
    (contained,) = opened_sinks(Plugins({}, [], {"x": lambda _: sink}), ["x=1"], told.append)
    event: list[Event] = [Event(seq=1)]
    for _ in range(20):
        contained.write(event)
    contained.close()
    assert isinstance(contained, ContainedSink)
    assert (sink.calls, contained.is_off) == (calls, off)
    assert told[0] == "sink x: ZeroDivisionError: a bug"
    assert len(told) == (2 if off else 1)


def test_two_protocols_of_one_name_are_refused_by_the_library(lines: Path) -> None:
    with pytest.raises(ValueError, match="two protocols have the name"):
        lapwing.read(lines, protocols=[STREAM_PROTOCOLS[0]])


# -- the four shapes --------------------------------------------------------------------------------------------------


def test_a_parser_of_ones_own_reads_and_poisons_itself(lines: Path) -> None:
    assert run(EXAMPLES / "shapes" / "own_parser.py", lines).splitlines() == [
        "client hello", "server hi", "client bad", "poisoned an empty message", "closed ",
    ]  # fmt: skip


def test_datagrams_of_a_capture(tmp_path: Path) -> None:
    asked = bytes.fromhex("000101000001000000000000076578616d706c6503636f6d0000010001")
    answer = bytes.fromhex("000181800001000100000000076578616d706c6503636f6d0000010001c00c000100010000003c0004c6336415")
    frames = [
        udp_frame("192.0.2.1", 40_000, "192.0.2.2", 53, asked),
        udp_frame("192.0.2.2", 53, "192.0.2.1", 40_000, answer),
        udp_frame("192.0.2.1", 40_001, "192.0.2.2", 53, asked),
    ]
    path = tmp_path / "dns.pcap"
    path.write_bytes(pcap([TimedFrame(number * 1_000, frame) for number, frame in enumerate(frames)], nanoseconds=True))
    out = run(EXAMPLES / "shapes" / "datagrams.py", path)
    assert out.splitlines() == ["example.com is 198.51.100.21", "example.com got no answer"]
    assert any(isinstance(event, SessionMessaged) for event in lapwing.read(path))


def test_one_pass_has_everything_in_order(tmp_path: Path) -> None:
    query = bytes.fromhex("000101000001000000000000076578616d706c6503636f6d0000010001")
    asked = [TimedFrame(at, udp_frame("192.0.2.1", 40_000, "192.0.2.2", 53, query)) for at in (START_NS, 2 * START_NS)]
    path, other = guessing_at(tmp_path / "in.pcap"), tmp_path / "both.pcap"
    with open_capture(path) as source, Recorder(other) as recorder:
        while (batch := source.next_batch()) is not None:
            recorder.write(batch.buffer, batch.packets, batch.count)
    other.write_bytes(other.read_bytes() + pcap(asked, nanoseconds=True)[24:])
    out = run(EXAMPLES / "shapes" / "one_pass.py", other).splitlines()
    assert len([line for line in out if "login failed" in line]) == 30
    assert {line.split(maxsplit=1)[1] for line in out if "Http" in line or "Dns" in line} == {
        "tcp http HttpRequest", "tcp http HttpResponse", "udp dns DnsQuery", "udp dns DnsUnanswered",
    }  # fmt: skip
    assert [int(line.split()[0]) for line in out] == sorted(int(line.split()[0]) for line in out)


@needs_wires
def test_an_async_stream_from_an_interface(wire: Wire) -> None:
    from tests.app.test_watch import FRAMES

    command = [sys.executable, str(EXAMPLES / "shapes" / "async_stream.py"), Wire.right, wire.namespace, "12"]
    program = subprocess.Popen(command, stdout=subprocess.PIPE)
    for _ in range(100):
        wire.send(FRAMES)
        try:
            program.wait(0.3)
            break
        except subprocess.TimeoutExpired:
            pass
    out, _ = program.communicate(timeout=ENOUGH_S)
    assert out.decode().splitlines()[0] == "192.0.2.7 POST /login"
    assert program.returncode == 0
