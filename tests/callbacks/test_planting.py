"""Planted things: each names its token, and what opens it calls back."""

import os
import re
import shutil
import subprocess
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.callbacks import HttpInteraction, Peer, Placement, Registry, correlate, places
from lapwing.callbacks.planting import KINDS, Artefact, Names, Wishes, plant
from lapwing.callbacks.planting.names import Grain
from lapwing.events import SettingsError
from tests.patience import ENOUGH_S

ID = "c23b2la0kl1krjcrdj10cndmnioyyyyyn"
NAMES = Names(ID, "oast.example.com")
WISHES = Wishes(target="https://www.example.com/", site="www.example.com")
SNIPPETS = ("cloned-site", "cloned-css")
SOFFICE, CHROMIUM = shutil.which("soffice"), shutil.which("chromium")


def made(kind: str, names: Names = NAMES, wishes: Wishes = WISHES, entropy: bytes = bytes(16)) -> Artefact:
    return plant(kind, names, entropy=entropy, wishes=wishes)


def content(artefact: Artefact) -> bytes:
    """Everything in it, unpacked."""
    if not artefact.data.startswith(b"PK"):
        return artefact.data or artefact.text.encode()
    with ZipFile(BytesIO(artefact.data)) as package:
        return b"".join(package.read(name).replace(b"\0", b"") for name in package.namelist())


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "qr-code"])
def test_every_kind_carries_its_token(kind: str) -> None:
    assert ID.encode() in content(made(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_equal_arguments_plant_equal_things(kind: str) -> None:
    assert made(kind) == made(kind)


@pytest.mark.parametrize("kind", ["env", "kubeconfig", "cloud-credentials", "sql-dump"])
def test_secrets_in_lookalikes_are_never_the_same_twice(kind: str) -> None:
    assert made(kind).text != made(kind, entropy=bytes(15) + b"x").text


@pytest.mark.parametrize("kind", ["env", "kubeconfig", "cloud-credentials"])
def test_configuration_leads_only_to_the_token(kind: str) -> None:
    hosts = re.findall(r"[a-z]+://(?:[^@/\s]*@)?([^/:\s]+)", made(kind).text)
    assert hosts
    assert all(host.endswith(NAMES.host) for host in hosts)


@pytest.mark.parametrize("kind", ["word", "excel"])
def test_parts_of_office_documents_are_well_formed_and_say_nothing_of_the_planter(kind: str) -> None:
    with ZipFile(BytesIO(made(kind).data)) as package:
        for part in package.infolist():
            ET.fromstring(package.read(part))
            assert part.date_time == (2024, 1, 2, 9, 0, 0)


@given(title=st.text(max_size=60))
def test_any_title_gives_well_formed_documents(title: str) -> None:
    for kind in ("word", "excel", "svg"):
        artefact = made(kind, wishes=Wishes(title="".join(one for one in title if one.isprintable())))
        if kind == "svg":
            ET.fromstring(artefact.data)
        else:
            with ZipFile(BytesIO(artefact.data)) as package:
                for name in package.namelist():
                    ET.fromstring(package.read(name))


def test_the_offsets_of_a_pdf_lead_to_its_objects() -> None:
    data = made("pdf", wishes=Wishes(title="(a) \\ b")).data
    start = int(re.findall(rb"startxref\n(\d+)\n", data)[0])
    assert data[start:].startswith(b"xref\n")
    offsets = [int(offset) for offset in re.findall(rb"(\d{10}) 00000 n", data)]
    for number, offset in enumerate(offsets, 1):
        assert data[offset:].startswith(b"%d 0 obj" % number)
    assert b"/OpenAction << /S /URI /URI (https://" + ID.encode() in data


def test_a_windows_folder_is_a_system_folder_or_nothing_is_fetched() -> None:
    with ZipFile(BytesIO(made("windows-folder").data)) as archive:
        folder, settings = archive.infolist()
        assert folder.external_attr & 0x14 == 0x14
        text = archive.read(settings).decode("utf-16")
    assert f"%COMPUTERNAME%.%USERDOMAIN%.{NAMES.host}\\" in text


def test_a_redirect_leads_on() -> None:
    answer = made("redirect").answer
    assert answer is not None
    assert (answer.status, answer.headers[0]) == (302, ("Location", "https://www.example.com/"))


def test_a_qr_code_is_a_picture() -> None:
    pytest.importorskip("segno")
    assert made("qr-code").data.startswith(b"\x89PNG\r\n")


@pytest.mark.parametrize(
    ("kind", "wishes"),
    [
        ("redirect", Wishes()),
        ("redirect", Wishes(target="javascript:alert(1)")),
        ("redirect", Wishes(target="https://a\r\nX: y")),
        ("cloned-site", Wishes()),
        ("cloned-site", Wishes(site="</script>")),
        ("cloned-css", Wishes(site='a.b") }')),
        ("wireguard", WISHES),
    ],
)
def test_a_wish_that_is_missing_or_wrong_is_refused(kind: str, wishes: Wishes) -> None:
    with pytest.raises(SettingsError):
        made(kind, wishes=wishes)


def test_too_little_entropy_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Grain(bytes(15))


class Site:
    """A listener that hears of fetches."""

    def __init__(self) -> None:
        self.heard: SimpleQueue[str] = SimpleQueue()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.command == "GET":
                    site.heard.put(self.path)
                self.send_response(200)
                self.send_header("Content-Type", "image/gif")
                self.end_headers()

            do_OPTIONS = do_HEAD = do_PROPFIND = do_GET  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"

    def tokens(self) -> set[str]:
        """The tokens in what was fetched, as the collector finds them."""
        registry = Registry()
        registry.add(ID[:20])
        found: set[str] = set()
        while True:
            try:
                target = self.heard.get_nowait()
            except Empty:
                return found
            request = HttpInteraction(ts_ns=0, peer=Peer("127.0.0.1"), target=target)
            hits = correlate(places(request), registry)
            assert all(hit.placement is Placement.URL_PATH for hit in hits)
            found |= {hit.unique_id for hit in hits}


@pytest.fixture
def site() -> Iterator[Site]:
    one = Site()
    thread = threading.Thread(target=one.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield one
    one.server.shutdown()
    one.server.server_close()
    thread.join()


def opened(program: str, *arguments: str, home: Path) -> None:
    environ = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "no_proxy": "127.0.0.1"}
    subprocess.run([program, *arguments], env=environ, timeout=ENOUGH_S, check=True, capture_output=True)


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed (libreoffice-writer, libreoffice-calc)")
@pytest.mark.parametrize("kind", ["word", "excel"])
def test_an_office_document_that_is_opened_fetches_its_beacon(kind: str, site: Site, tmp_path: Path) -> None:
    artefact = made(kind, Names(ID, "oast.example.com", base=site.base))
    document = tmp_path / artefact.filename
    document.write_bytes(artefact.data)
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    out = str(tmp_path / "out")
    opened(str(SOFFICE), profile, "--headless", "--convert-to", "pdf", "--outdir", out, str(document), home=tmp_path)
    assert site.tokens() == {ID}


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("kind", ["web-bug", "svg", "cloned-site", "cloned-css"])
def test_a_page_that_is_shown_fetches_its_beacon(kind: str, site: Site, tmp_path: Path) -> None:
    artefact = made(kind, Names(ID, "oast.example.com", base=site.base))
    data, name = artefact.data, artefact.filename
    if kind in SNIPPETS:
        around = "<style>%b</style>" if kind == "cloned-css" else "%b"
        data, name = b"<!DOCTYPE html><body>" + around.encode() % data + b"</body>", "page.html"
    page = tmp_path / name
    page.write_bytes(data)
    options = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile", "--timeout=20000")
    opened(str(CHROMIUM), *options, "--virtual-time-budget=3000", "--dump-dom", page.as_uri(), home=tmp_path)
    assert site.tokens() == {ID}
