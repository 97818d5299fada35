"""Flow records arrive at a collector, whole, and a stranger's decoder understands them."""

import shutil
import socket
import struct
import subprocess
import threading
from ipaddress import ip_address
from pathlib import Path

import pytest

import lapwing
from lapwing.events import FlowClosed, SettingsError, SourceError
from lapwing.flows import FlowSettings
from lapwing.io.sinks import IpfixEncoder, IpfixExporter
from lapwing.testing import START_NS, TimedFrame, ethernet, ip, pcap, udp, udp_frame
from tests.app.traffic import web_login
from tests.patience import ENOUGH_S
from tests.ports import free_port

Record = dict[tuple[int, int], bytes]  # by element number and enterprise


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """TCP whose client sorts second, UDP of version 6, and more flows than one message holds."""
    frames = list(web_login(1, accepted=True).frames)
    frames.append(TimedFrame(START_NS, ethernet(ip("2001:db8::2", "2001:db8::1", 17, udp(5_000, 53, b"six")))))
    frames += [
        TimedFrame(START_NS + port, udp_frame("203.0.113.9", port, "192.0.2.2", 53, b"x"))
        for port in range(2_000, 2_050)
    ]
    path = tmp_path / "in.pcap"
    path.write_bytes(pcap(frames, nanoseconds=True))
    return path


class Collector:
    """Reads messages as RFC 7011 has them."""

    def __init__(self) -> None:
        self.templates: dict[int, list[tuple[int, int, int]]] = {}
        self.records: list[Record] = []
        self.sequences: list[tuple[int, int]] = []

    def take(self, message: bytes) -> None:
        version, length, _, sequence, _ = struct.unpack_from(">HHIII", message)
        assert (version, length) == (10, len(message))
        before, at = len(self.records), 16
        while at < length:
            number, size = struct.unpack_from(">HH", message, at)
            body = message[at + 4 : at + size]
            self._templates(body) if number == 2 else self._data(number, body)
            at += size
        self.sequences.append((sequence, len(self.records) - before))

    def _templates(self, body: bytes) -> None:
        at = 0
        while at < len(body):
            number, count = struct.unpack_from(">HH", body, at)
            at += 4
            fields = []
            for _ in range(count):
                element, size = struct.unpack_from(">HH", body, at)
                at += 4
                enterprise = 0
                if element & 0x8000:
                    (enterprise,) = struct.unpack_from(">I", body, at)
                    at += 4
                fields.append((element & 0x7FFF, enterprise, size))
            self.templates[number] = fields

    def _data(self, number: int, body: bytes) -> None:
        fields = self.templates[number]
        size = sum(field[2] for field in fields)
        assert len(body) % size == 0
        for start in range(0, len(body), size):
            record: Record = {}
            at = start
            for element, enterprise, length in fields:
                record[element, enterprise] = body[at : at + length]
                at += length
            self.records.append(record)


def value(record: Record, element: int, enterprise: int = 0) -> int:
    return int.from_bytes(record[element, enterprise], "big")


def facts(record: Record) -> tuple[object, ...]:
    source, target = (27, 28) if (27, 0) in record else (8, 12)
    return (
        str(ip_address(record[source, 0])), value(record, 7), str(ip_address(record[target, 0])), value(record, 11),
        value(record, 4), value(record, 1), value(record, 2), value(record, 1, 29305), value(record, 2, 29305),
        value(record, 6), value(record, 6, 29305), value(record, 152), value(record, 153), value(record, 148),
    )  # fmt: skip


def expected(event: FlowClosed) -> tuple[object, ...]:
    return (
        event.client_ip, event.client_port, event.server_ip, event.server_port, event.ip_protocol,
        event.client_ip_bytes, event.client_packet_count, event.server_ip_bytes, event.server_packet_count,
        event.client_tcp_flags, event.server_tcp_flags, event.first_ts_ns // 10**6, event.last_ts_ns // 10**6,
        event.flow_id,
    )  # fmt: skip


def test_what_is_encoded_is_what_the_events_say(capture: Path) -> None:
    encoder, collector = IpfixEncoder(600, templates_every=3), Collector()
    for records in lapwing.flows(capture).records():
        for message in encoder.messages(records, 1_700_000_000):
            assert len(message) <= 600
            collector.take(message)
    assert sorted(map(str, map(facts, collector.records))) == sorted(
        str(expected(event)) for event in lapwing.flows(capture)
    )
    assert len(collector.records) == 52
    counted = 0
    for sequence, count in collector.sequences:
        assert sequence == counted
        counted += count


def test_records_arrive_over_udp(capture: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(ENOUGH_S)
        with IpfixExporter(f"udp://127.0.0.1:{listener.getsockname()[1]}") as exporter:
            for records in lapwing.flows(capture).records():
                exporter.send(records)
            counted = exporter.statistics()
        collector = Collector()
        for _ in range(counted["messages"]):
            collector.take(listener.recv(65_536))
    assert len(collector.records) == counted["records"] == 52
    assert counted["unsent_messages"] == 0


def test_records_arrive_over_tcp(capture: Path) -> None:
    received: list[bytes] = []

    def collect(listener: socket.socket) -> None:
        taken, _ = listener.accept()
        with taken:
            while piece := taken.recv(65_536):
                received.append(piece)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=collect, args=(listener,))
        thread.start()
        with IpfixExporter(f"tcp://127.0.0.1:{listener.getsockname()[1]}") as exporter:
            for records in lapwing.flows(capture).records():
                exporter.send(records)
        thread.join()
    stream, collector = b"".join(received), Collector()
    while stream:
        (length,) = struct.unpack_from(">H", stream, 2)
        collector.take(stream[:length])
        stream = stream[length:]
    assert len(collector.records) == 52


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_a_strangers_decoder_understands_the_messages(capture: Path, tmp_path: Path) -> None:
    messages = [
        message
        for records in lapwing.flows(capture).records()
        for message in IpfixEncoder(1_400).messages(records, 1_700_000_000)
    ]
    path = tmp_path / "ipfix.pcap"
    path.write_bytes(
        pcap([TimedFrame(START_NS, udp_frame("192.0.2.9", 40_000, "192.0.2.10", 4739, one)) for one in messages])
    )
    fields = ["-e", "cflow.srcaddr", "-e", "cflow.dstaddr", "-e", "cflow.srcport", "-e", "_ws.malformed"]
    done = subprocess.run(
        ["tshark", "-n", "-r", str(path), "-T", "fields", *fields], check=True, capture_output=True, text=True
    )
    assert "203.0.113.9" in done.stdout
    assert "198.51.100.21" in done.stdout
    assert "alformed" not in done.stdout
    assert all(str(port) in done.stdout for port in range(2_000, 2_050))


@pytest.mark.parametrize(
    "target",
    ["127.0.0.1:4739", "http://127.0.0.1", "udp://", "udp://127.0.0.1:99999", "tcp://127.0.0.1:0", "udp://127.0.0.1:x"],
)
def test_a_target_that_is_none_is_refused(target: str) -> None:
    with pytest.raises(SettingsError, match="ipfix: "):
        IpfixExporter(target)


def test_a_collector_that_is_not_there_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        target = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SourceError, match="cannot be reached"):
            IpfixExporter(target)


def test_records_of_stations_are_counted_as_not_sent(capture: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        with IpfixExporter(f"udp://127.0.0.1:{listener.getsockname()[1]}") as exporter:
            for records in lapwing.flows(capture, settings=FlowSettings(key="mac-pair")).records():
                exporter.send(records)
            counted = exporter.statistics()
    assert counted["unsent_records"] > 0
    assert (counted["records"], counted["messages"]) == (0, 0)


NFCAPD = shutil.which("nfcapd") is not None and shutil.which("nfdump") is not None


@pytest.mark.skipif(not NFCAPD, reason="nfcapd and nfdump are not installed")
def test_a_real_collector_over_udp_counts_the_same(capture: Path, tmp_path: Path) -> None:
    port = free_port()
    command = ["nfcapd", "-w", str(tmp_path), "-p", str(port), "-b", "127.0.0.1", "-t", "3600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as collector:
        try:
            assert collector.stdout is not None
            while b"Startup" not in collector.stdout.readline():
                assert collector.poll() is None
            with IpfixExporter(f"udp://127.0.0.1:{port}") as exporter:
                for records in lapwing.flows(capture).records():
                    exporter.send(records)
            told = b""
            while b"New ipfix exporter" not in told:
                told = collector.stdout.readline()
        finally:
            collector.terminate()
        collector.stdout.read()
    fields = "%sa,%sp,%da,%dp,%pr,%ipkt,%ibyt,%opkt,%obyt"
    command = ["nfdump", "-R", str(tmp_path), "-q", "-6", "-N", "-o", f"fmt:{fields}"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seen = sorted(tuple(cell.strip() for cell in line.split(",")) for line in done.stdout.splitlines() if "," in line)
    wanted = sorted(
        (
            event.client_ip, str(event.client_port), event.server_ip, str(event.server_port), str(event.ip_protocol),
            str(event.client_packet_count), str(event.client_ip_bytes),
            str(event.server_packet_count), str(event.server_ip_bytes),
        )
        for event in lapwing.flows(capture)
    )  # fmt: skip
    assert seen == wanted


@pytest.mark.skipif(shutil.which("ipfixDump") is None, reason="ipfixDump of libfixbuf is not installed")
def test_a_strangers_library_reads_the_stream_of_a_connection(capture: Path, tmp_path: Path) -> None:
    path = tmp_path / "stream.ipfix"
    encoder = IpfixEncoder(60_000)
    path.write_bytes(
        b"".join(
            message
            for records in lapwing.flows(capture).records()
            for message in encoder.messages(records, 1_700_000_000)
        )
    )
    done = subprocess.run(["ipfixDump", "--in", path], check=True, capture_output=True, text=True)
    assert "52 Data Records, 2 Template Records" in done.stdout
    assert done.stdout.count("sourceIPv6Address : 2001:0db8::0002") == 1
    assert done.stdout.count("sourceIPv4Address : 203.0.113.9") == 50
    assert "reverseOctetDeltaCount" in done.stdout
    assert not done.stderr
