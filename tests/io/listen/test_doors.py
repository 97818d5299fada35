"""Every listener with clients that nobody here wrote: they are content, what they reach is kept, whose it is known."""

import asyncio
import ftplib
import smtplib
import ssl
import subprocess
from io import BytesIO
from pathlib import Path
from shutil import which

import dns.rcode
import pytest

from lapwing.callbacks import Placement
from lapwing.callbacks.interaction import FtpInteraction, HttpInteraction, OtherInteraction, SmtpInteraction
from lapwing.io.listen import Collector, TlsSettings
from lapwing.io.store import decode_payload
from tests.io.listen.lab import (
    DOMAIN,
    LOOPBACK,
    Client,
    get,
    resolve,
    serving,
    settings,
    talk,
    trusting,
)
from tests.patience import ENOUGH_S

pytestmark = pytest.mark.anyio


async def kept(collector: Collector) -> list[object]:
    await collector.writer.barrier()
    page = await collector.mailroom.interactions.after(None, 0)
    return [decode_payload(entry.payload) for entry in page.entries]


@pytest.mark.parametrize("tcp", [False, True])
async def test_a_name_resolves_and_the_query_is_kept(tmp_path: Path, tcp: bool) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        answer = await resolve(collector, f"More.{client.host.upper()}", tcp=tcp)
        assert [str(one) for one in answer.answer[0]] == ["198.51.100.7"]
        (hit,) = await client.heard()
        assert hit.unique_id == client.unique_id
        assert await client.heard() == []


async def test_names_of_others_are_refused_and_the_query_is_kept_all_the_same(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        assert (await resolve(collector, "www.example.org")).rcode() == dns.rcode.REFUSED
        assert len(await kept(collector)) == 1


async def test_a_request_over_http_and_https_is_kept_byte_for_byte(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        request = get(client.host, "/Some/path?x=1", "X-Odd:   Spaces\r\n")
        heard = await talk(collector.ports["http"][0], request)
        assert heard.startswith(b"HTTP/1.1 200 OK")
        assert client.unique_id[::-1].encode() in heard
        reader, writer = await asyncio.open_connection(
            LOOPBACK, collector.ports["https"][0], ssl=trusting(tmp_path), server_hostname=f"x.{DOMAIN}"
        )
        writer.write(request)
        assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
        writer.close()
        plain, secure = await kept(collector)
        assert isinstance(plain, HttpInteraction)
        assert isinstance(secure, HttpInteraction)
        assert plain.raw_request == secure.raw_request == request
        assert (plain.peer.tls, secure.peer.tls, secure.peer.sni) == (False, True, f"x.{DOMAIN}")
        assert [one.peer.tls for one in await client.heard()] == [False, True]


async def test_a_client_that_does_not_trust_us_has_told_the_name_it_wanted(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        with pytest.raises(ssl.SSLError):
            await asyncio.open_connection(
                LOOPBACK,
                collector.ports["https"][0],
                ssl=ssl.create_default_context(),
                server_hostname=client.host,
            )
        async with asyncio.timeout(ENOUGH_S):
            while not (hits := await kept(collector)):
                await asyncio.sleep(0)
        (hit,) = hits
        assert isinstance(hit, OtherInteraction)
        assert hit.name == "tls"
        assert hit.unique_id == client.unique_id
        assert hit.attribution is not None
        assert hit.attribution.placement is Placement.TLS_SNI


@pytest.mark.parametrize("door", ["smtp", "smtps", "starttls"])
async def test_a_mail_is_kept_with_its_conversation(tmp_path: Path, door: str) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        context = trusting(tmp_path)

        def send() -> None:
            mail = (
                smtplib.SMTP_SSL(timeout=ENOUGH_S, context=context)
                if door == "smtps"
                else smtplib.SMTP(timeout=ENOUGH_S)
            )
            with mail:
                vars(mail)["_host"] = DOMAIN  # the name to verify, the address being another
                mail.connect(LOOPBACK, collector.ports["smtps" if door == "smtps" else "smtp"][0])
                if door == "starttls":
                    mail.starttls(context=context)
                mail.login("ana", "hers alone")
                mail.sendmail("ana@example.com", [f"x@{client.host}"], "Subject: hi\n\nhello\n")

        if door == "smtps":
            context.check_hostname = False
        await asyncio.to_thread(send)
        (hit,) = await kept(collector)
        assert isinstance(hit, SmtpInteraction)
        assert hit.peer.tls is (door != "smtp")
        assert hit.unique_id == client.unique_id
        assert b"hello" in hit.raw_request
        assert any(b"MAIL FROM" in turn.data.upper() for turn in hit.turns)
        assert not any(b"hers" in turn.data for turn in hit.turns)


@pytest.mark.parametrize("secure", [False, True])
async def test_files_are_fetched_stored_and_listed_over_ftp(tmp_path: Path, secure: bool) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        received = BytesIO()

        def fetch() -> None:
            context = trusting(tmp_path)
            context.check_hostname = False
            ftp = ftplib.FTP_TLS(context=context, timeout=ENOUGH_S) if secure else ftplib.FTP(timeout=ENOUGH_S)
            with ftp:
                ftp.connect(LOOPBACK, collector.ports["ftp"][0])
                ftp.login("ana", "hers alone")
                if isinstance(ftp, ftplib.FTP_TLS):
                    ftp.prot_p()
                ftp.retrbinary(f"RETR /{client.unique_id}/a.txt", received.write)
                ftp.storbinary("STOR b.bin", BytesIO(b"x" * 200_000))
                assert ftp.nlst() == []

        await asyncio.to_thread(fetch)
        assert received.getvalue() == b"\n"
        hits = [hit for hit in await kept(collector) if isinstance(hit, FtpInteraction)]
        assert [hit.command for hit in hits] == ["USER", "PASS", "RETR", "STOR", "NLST"]
        assert hits[2].unique_id == client.unique_id
        assert b"hers alone" not in (tmp_path / "store.db").read_bytes()
        assert hits[2].peer.tls is secure


@pytest.mark.skipif(which("curl") is None, reason="curl is not here")
@pytest.mark.parametrize("door", ["http", "https", "ftp", "ldap"])
async def test_curl_is_content(tmp_path: Path, door: str) -> None:
    version = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout
    if door not in version.partition("Protocols:")[2].split():
        pytest.skip(f"this curl does not speak {door}")
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        port = collector.ports[door][0]
        targets = {"http": "/x", "https": "/x", "ftp": "/dir/x.txt", "ldap": f"/dc={client.unique_id},dc=example??sub"}
        command = ["curl", "--silent", "--show-error", "--globoff", "--noproxy", "*", "--max-time", "30"]
        command += ["--cacert", str(tmp_path / "lab" / "ca.pem"), "--resolve", f"{client.host}:{port}:{LOOPBACK}"]
        done = await asyncio.to_thread(
            lambda: subprocess.run(
                [*command, f"{door}://{client.host}:{port}{targets[door]}"], capture_output=True, text=True, check=False
            )
        )
        assert (done.returncode, done.stderr) in ((0, ""), (60, done.stderr))  # the name is two labels below the CA's
        assert done.returncode == 0 or door == "https"
        if door != "ftp":  # nothing in curl's commands says which host was meant
            assert client.unique_id in {hit.unique_id for hit in await client.heard()}
        else:
            assert any(isinstance(hit, FtpInteraction) and hit.path == "x.txt" for hit in await kept(collector))


async def test_without_certificate_nothing_offers_tls(tmp_path: Path) -> None:
    async with serving(settings(tmp_path, tls=TlsSettings())) as collector:
        assert not {"https", "smtps", "ldaps", "ftps"} & set(collector.ports)
        heard = await talk(collector.ports["smtp"][0], b"EHLO x\r\nSTARTTLS\r\nQUIT\r\n")
        assert b"STARTTLS" not in heard


@pytest.mark.parametrize(
    ("trusted", "source"), [((), LOOPBACK), (("127.0.0.0/8",), "192.0.2.9"), (("198.51.100.0/24",), LOOPBACK)]
)
async def test_only_a_trusted_proxy_is_believed_whom_it_speaks_for(
    tmp_path: Path, trusted: tuple[str, ...], source: str
) -> None:
    async with serving(settings(tmp_path, trusted_proxies=trusted)) as collector:
        await talk(collector.ports["http"][0], get("x", more="X-Forwarded-For: 203.0.113.1, 192.0.2.9\r\n"))
        (hit,) = await kept(collector)
        assert isinstance(hit, HttpInteraction)
        assert hit.peer.client_ip == source


@pytest.mark.skipif(which("curl") is None, reason="curl is not here")
async def test_curl_over_http2_is_content_and_so_is_its_poll(tmp_path: Path) -> None:
    version = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout
    if "HTTP2" not in version.partition("Features:")[2].split():
        pytest.skip("this curl does not speak HTTP/2")
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        port = collector.ports["https"][0]

        def curl(host: str, path: str) -> str:
            command = ["curl", "--silent", "--show-error", "--http2", "--noproxy", "*", "--max-time", "30"]
            command += ["--cacert", str(tmp_path / "lab" / "ca.pem"), "--resolve", f"{host}:{port}:{LOOPBACK}"]
            command += ["--write-out", " HTTP/%{http_version}", f"https://{host}:{port}{path}"]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout

        answer = await asyncio.to_thread(curl, client.host, "/a.json")
        assert answer == f'{{"data":"{client.unique_id[::-1]}"}} HTTP/2'
        own_id, secret = client.identity.correlation_id, client.identity.secret
        polled = await asyncio.to_thread(curl, DOMAIN, f"/poll?id={own_id}&secret={secret}")
        assert '"aes_key"' in polled
        assert polled.endswith("HTTP/2")
        (hit,) = await kept(collector)
        assert isinstance(hit, HttpInteraction)
        assert hit.raw_request.startswith(b"GET /a.json HTTP/2\r\nhost: ")
