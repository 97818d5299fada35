"""Starting, certificates, privileges, and what ends it."""

import asyncio
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509

from lapwing.app.commands.callbacks_serve import ServeOptions, effective
from lapwing.events import CollectorError, SettingsError
from lapwing.io.listen import Collector, Ports, TlsSettings
from lapwing.io.listen.certificates import Certificates, make_lab
from lapwing.io.listen.privileges import drop_privileges
from lapwing.io.listen.settings import AcmeSettings
from tests.io.listen.lab import DOMAIN, LOOPBACK, PORTS, Client, get, serving, settings, talk, trusting
from tests.patience import ENOUGH_S

pytestmark = pytest.mark.anyio


async def serial(port: int) -> int:
    """Of the certificate shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(LOOPBACK, port, ssl=context, server_hostname=DOMAIN)
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.write(get(DOMAIN))
    assert (await reader.read()).startswith(b"HTTP/1.1 200")
    writer.close()
    return x509.load_der_x509_certificate(shown).serial_number


async def test_a_new_certificate_is_taken_up_while_connections_go_on(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        port = collector.ports["https"][0]
        first = await serial(port)
        reader, writer = await asyncio.open_connection(
            LOOPBACK, port, ssl=trusting(tmp_path), server_hostname=f"x.{DOMAIN}"
        )
        make_lab(tmp_path / "lab", (DOMAIN,))
        serials = await asyncio.gather(*(serial(port) for _ in range(5)))
        await collector._upkeep.tick()
        second = await serial(port)
        assert second != first
        assert set(serials) <= {first, second}
        writer.write(get(DOMAIN))
        assert (await reader.read()).startswith(b"HTTP/1.1 200")  # the connection from before
        writer.close()


async def test_a_broken_certificate_is_not_taken_up_and_is_reported(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        port = collector.ports["https"][0]
        first = await serial(port)
        (tmp_path / "lab" / "certificate.pem").write_text("no certificate")
        await collector._upkeep.tick()
        assert await serial(port) == first
        status, body = await Client(collector).ask("GET", "/health")
        assert status == 503
        assert "certificate.pem" in json.loads(body)["problems"][0]


def test_a_lab_keeps_its_ca_and_its_keys_to_itself(tmp_path: Path) -> None:
    certificate, key = make_lab(tmp_path / "lab", (DOMAIN,))
    ca = (tmp_path / "lab" / "ca.pem").read_bytes()
    make_lab(tmp_path / "lab", (DOMAIN,))
    assert (tmp_path / "lab" / "ca.pem").read_bytes() == ca
    for path in (key, tmp_path / "lab" / "ca-key.pem"):
        assert path.stat().st_mode & 0o077 == 0
    names = x509.load_pem_x509_certificate(certificate.read_bytes()).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.DNSName) == [DOMAIN, f"*.{DOMAIN}"]


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_certificate_that_cannot_be_used_is_said_at_the_start(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "c.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CollectorError, match="no certificate with its key"):
        Certificates(TlsSettings(certificate=str(path), key=str(path)), (DOMAIN,))


async def test_a_port_that_is_taken_is_named_and_nothing_is_left_open(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        ports = Ports(dns=(0,), http=(port,), https=(), smtp=(), smtps=(), ldap=(), ldaps=(), ftp=(), ftps=())
        with pytest.raises(CollectorError, match=f"http: cannot listen on {LOOPBACK}:{port}"):
            await Collector(settings(tmp_path, ports=ports)).start()


async def test_stopping_writes_what_was_being_said(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        _, writer = await asyncio.open_connection(LOOPBACK, collector.ports["http"][0])
        writer.write(b"GET /half")
        async with asyncio.timeout(ENOUGH_S):
            while not collector._connections:
                await asyncio.sleep(0)
            (connection,) = collector._connections
            while connection._responder is None or not connection._responder.held_bytes:
                await asyncio.sleep(0)
    writer.close()
    async with serving(settings(tmp_path)) as collector:
        assert len((await collector.mailroom.interactions.after(None, 0)).entries) == 1


async def test_a_collector_whose_writer_dies_ends_and_says_why(tmp_path: Path) -> None:
    collector = Collector(settings(tmp_path))
    await collector.start()

    def broken(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    collector.writer.on_committed = broken
    asking = asyncio.create_task(talk(collector.ports["http"][0], get("x")))
    async with asyncio.timeout(ENOUGH_S):
        await collector.run()
    assert "a fault of ours" in collector.failure
    assert collector.health()["status"] == "failing"
    await collector.stop()
    assert await asking == b""


# The program.


def serve(folder: Path, *more: str) -> subprocess.Popen[str]:
    doors = [f"--port={name}=0" if name in ("dns", "http") else f"--port={name}=" for name in PORTS.__struct_fields__]
    command = [sys.executable, "-m", "lapwing", "callbacks", "serve", "-d", DOMAIN, "-l", LOOPBACK, *doors]
    command += ["--control", "0", "--store", str(folder / "store.db"), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def heard_ports(process: subprocess.Popen[str]) -> dict[str, int]:
    assert process.stderr is not None
    ports: dict[str, int] = {}
    for line in process.stderr:
        name, _, port = line.strip().rpartition(" ")
        if port.isdigit():
            ports[name.strip()] = int(port)
        if "control" in ports:
            break
    return ports


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_serves_writes_events_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with serve(tmp_path) as process:
        ports = heard_ports(process)
        assert asyncio.run(talk(ports["http"], get(f"x.{DOMAIN}"))).startswith(b"HTTP/1.1 200")
        assert process.stdout is not None
        event = json.loads(process.stdout.readline())
        assert (event["event_type"], event["protocol"], event["client_ip"]) == ("callback.received", "http", LOOPBACK)
        process.send_signal(number)
        process.communicate(timeout=ENOUGH_S)
        assert process.returncode == 0


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--listen", "203.0.113.1"], 3, "cannot listen"),
        (["--cert", "/no/such.pem", "--key", "/no/such.pem"], 3, "no certificate with its key"),
        (["--cert", "c.pem"], 2, "belong together"),
        (["--user", "no-such-user"], 3, "there is no user"),
        (["--port", "dns=x"], 2, "dns=5353"),
        (["--port", "gopher=70"], 2, "gopher"),
        (["--store", "/no/such/folder/store.db"], 3, "cannot be opened"),
        (["-o", "csv"], 2, "is not one of ndjson, eve"),
    ],
)
def test_what_is_wrong_is_one_line_and_an_exit_code(tmp_path: Path, more: list[str], code: int, said: str) -> None:
    with serve(tmp_path, *more) as process:
        _, errors = process.communicate(timeout=ENOUGH_S)
    assert process.returncode == code
    assert said in errors
    assert "Traceback" not in errors


def options(**changes: object) -> ServeOptions:
    empty = ServeOptions([], [], [], [], None, None, None, None, None, None, None, None, None, None, quiet=False)
    return empty._replace(**changes)  # type: ignore[arg-type]


def test_a_folder_for_an_authority_keeps_what_the_file_says_of_it(tmp_path: Path) -> None:
    file = tmp_path / "collector.toml"
    file.write_text('domains = ["oast.example.com"]\n[tls.acme]\ndirectory = "https://ca.example.net/dir"\n')
    chosen = effective(options(settings=file, acme=tmp_path))
    assert chosen.tls.acme == AcmeSettings(folder=str(tmp_path), directory="https://ca.example.net/dir")
    with pytest.raises(SettingsError, match="either certificate and key"):
        effective(options(settings=file, acme=tmp_path, lab=tmp_path))


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "collector.toml"
    file.write_text(
        'domains = ["a.example"]\ntoken = "x"\n[ports]\ndns = [1]\nhttp = [2]\n[allow]\nper_source_count = 7\n'
    )
    chosen = effective(options(settings=file, domains=["B.example."], ports=["dns=5353"], addresses=["2001:db8::1"]))
    assert chosen.domains == ("b.example",)
    assert (chosen.ports.dns, chosen.ports.http) == ((5353,), (2,))
    assert (chosen.token, chosen.ipv6, chosen.allow.per_source_count) == ("x", ("2001:db8::1",), 7)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "--domain"),
        ('domains = ["a.example"]\nwildcard = true', "token"),
        ('domains = ["a.example"]\nx = 1', "^collector: x: no such setting; there are domains, "),
        ('domains = ["a.example"]\nipv = []', r"^collector: ipv: no such setting; did you mean ipv[46]\?$"),
        ('domains = ["a.example"]\n[store]\nkeep_byte = 5', "^collector: store.keep_byte: no such .* mean keep_bytes"),
        (
            'domains = ["a.example"]\n[ports]\ngopher = [70]',
            "^collector: ports.gopher: no such setting; there are dns, ",
        ),
        ('domains = ["a.example"]\n[ports]\ndns = "x"', r"^collector: ports\.dns: expected `array`, got `str`$"),
        ('domains = ["a.example"]\n[ports]\ndns = [99999]', r"^collector: ports\.dns: ports are 0 to 65535"),
        ('domains = ["a b"]', r"^collector: domains: 'a b' is no domain"),
        ('domains = ["a.example"]\nipv4 = ["192.0.2.999"]', r"^collector: ipv4: '192\.0\.2\.999' is no such address"),
        ('domains = ["a.example"]\nipv4 = ["2001:db8::1"]', r"^collector: ipv4: '2001:db8::1' is no such address"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "collector.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=said):
        effective(options(settings=file))


def test_an_unknown_user_is_refused() -> None:
    with pytest.raises(CollectorError, match="there is no user"):
        drop_privileges("no-such-user")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_nothing_of_root_is_left() -> None:
    script = (
        "import json, os; from lapwing.io.listen.privileges import drop_privileges; drop_privileges('nobody');"
        "print(json.dumps([*os.getresuid(), *os.getresgid(), *os.getgroups()]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert 0 not in json.loads(done.stdout)


def nobody_can_run_python() -> bool:
    done = subprocess.run([sys.executable, "-c", "import lapwing"], user="nobody", capture_output=True, check=False)
    return done.returncode == 0


def test_privileges_are_given_up_once_the_ports_are_open(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    try:
        if not nobody_can_run_python():
            pytest.skip("this Python lies where nobody else may read")
    except PermissionError:
        pytest.skip("this Python lies where nobody else may read")
    shutil.chown(tmp_path, "nobody")
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    with serve(tmp_path, "--user", "nobody") as process:
        ports = heard_ports(process)
        status = Path(f"/proc/{process.pid}/status").read_text()
        uids = next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:]
        assert asyncio.run(talk(ports["http"], get("x"))).startswith(b"HTTP/1.1 200")
        process.terminate()
        process.communicate(timeout=ENOUGH_S)
    assert "0" not in uids
    assert (tmp_path / "store.db").owner() == "nobody"
