"""The collector's certificate from a real ACME authority: Pebble on loopback, which asks the collector's own DNS.

`make interop` builds it where there is Go.
"""

import asyncio
import json
import os
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from msgspec.structs import replace

from lapwing.io.listen import Collector, TlsSettings
from lapwing.io.listen.certificates import make_lab
from lapwing.io.listen.settings import AcmeSettings
from tests.io.listen.lab import DOMAIN, LOOPBACK, PORTS, Client, resolve, serving, settings
from tests.patience import ENOUGH_S
from tests.ports import free_port

pytest.importorskip("acme")
PEBBLE = Path(__file__).parents[2] / "build" / "interop" / "pebble"
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not PEBBLE.exists(), reason="Pebble is not built: make interop, where there is Go"),
]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@contextmanager
def authority(folder: Path, dns_port: int) -> Iterator[str]:
    """Address of its directory."""
    certificate, key = make_lab(folder / "pebble", ("localhost",))
    port = free_port()
    config = {
        "listenAddress": f"{LOOPBACK}:{port}",
        "managementListenAddress": f"{LOOPBACK}:{free_port()}",
        "certificate": str(certificate),
        "privateKey": str(key),
        "httpPort": free_port(),
        "tlsPort": free_port(),
        "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": config}))
    process = subprocess.Popen(
        [str(PEBBLE), "-config", str(folder / "pebble.json"), "-dnsserver", f"{LOOPBACK}:{dns_port}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"},
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if "Listening on" in line:
                break
        yield f"https://localhost:{port}/dir"
    finally:
        process.kill()
        process.communicate()


@asynccontextmanager
async def certified(folder: Path, port: int, directory: str) -> AsyncIterator[Collector]:
    acme = AcmeSettings(
        folder=str(folder / "acme"),
        directory=directory,
        ca_file=str(folder / "pebble" / "ca.pem"),
        email="a@example.com",
    )
    chosen = settings(folder, tls=TlsSettings(acme=acme), ports=replace(PORTS, dns=(port,)))
    async with serving(chosen) as collector:
        yield collector


def shown(port: int) -> x509.Certificate:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((LOOPBACK, port), timeout=ENOUGH_S) as plain,
        context.wrap_socket(plain, server_hostname=f"x.{DOMAIN}") as secure,
    ):
        return x509.load_der_x509_certificate(secure.getpeercert(binary_form=True) or b"")


async def issued(collector: Collector, count: int = 1) -> None:
    renewing = collector._renewing
    assert renewing is not None
    async with asyncio.timeout(ENOUGH_S):
        while renewing.issued_count < count:
            assert not renewing.failure
            await asyncio.sleep(0.01)


async def test_a_certificate_is_asked_for_proved_by_dns_and_used_without_a_restart(tmp_path: Path) -> None:
    port = free_port()
    with authority(tmp_path, port) as directory:
        async with certified(tmp_path, port, directory) as collector:
            before = await asyncio.to_thread(shown, collector.ports["https"][0])
            await issued(collector)
            await collector._upkeep.tick()
            after = await asyncio.to_thread(shown, collector.ports["https"][0])
            assert "Pebble" in after.issuer.rfc4514_string()
            assert before.serial_number != after.serial_number
            names = after.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            assert set(names.get_values_for_type(x509.DNSName)) == {DOMAIN, f"*.{DOMAIN}"}
            proof = await resolve(collector, f"_acme-challenge.{DOMAIN}", "TXT")
            assert not proof.answer  # nothing of it stays
            for file in ("key.pem", "account.pem"):
                assert (tmp_path / "acme" / file).stat().st_mode & 0o077 == 0
        async with certified(tmp_path, port, directory) as collector:
            again = await asyncio.to_thread(shown, collector.ports["https"][0])
            assert again.serial_number == after.serial_number  # kept over a restart, and not asked for anew
            assert collector._renewing is not None
            assert await collector._renewing.look() == ""
            assert collector._renewing.issued_count == 0
            issuer = collector._renewing._issuer
            soon = after.not_valid_after_utc - timedelta(hours=1)
            assert issuer.due(soon)
            assert not issuer.due(datetime.now(UTC))
            await collector._renewing._in_a_thread()  # renewed by the account that is there
            assert (await asyncio.to_thread(issuer._account)).key_size == 2048


async def test_an_authority_that_is_not_there_is_told_and_the_collector_serves(tmp_path: Path) -> None:
    make_lab(tmp_path / "pebble", ("localhost",))
    port, nobody = free_port(), free_port()
    async with certified(tmp_path, port, f"https://localhost:{nobody}/dir") as collector:
        assert collector._renewing is not None
        assert "no certificate from" in await collector._renewing.look()
        status, body = await Client(collector).ask("GET", "/health")
        assert status == 503
        assert "no certificate from" in json.loads(body)["problems"][0]
        assert (await asyncio.to_thread(shown, collector.ports["https"][0])).issuer
