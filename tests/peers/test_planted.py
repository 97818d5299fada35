"""Everything that is planted, used by the program it is made for: each reports its use by its own token."""

import re
import shutil
from pathlib import Path

import pytest

from lapwing.callbacks import HttpInteraction
from tests.peers.world import DOMAIN, SITE, World, needs

PORT = 8081  # of the planter's own pages
CHROMIUM = ("chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--timeout=20000")


def show(world: World, address: str) -> str:
    """The page as the browser has it in the end."""
    profile = f"--user-data-dir={world.folder}/profile"
    return world.run(*CHROMIUM, profile, "--virtual-time-budget=5000", "--dump-dom", address).stdout


def fetched(world: World, kind: str) -> list[HttpInteraction]:
    return [one for one in world.hits(kind) if isinstance(one, HttpInteraction)]


@needs("chromium")
@pytest.mark.parametrize("kind", ["web-bug", "svg"])
def test_a_browser_that_shows_it_fetches_the_picture(world: World, kind: str) -> None:
    show(world, world.file(kind).as_uri())
    assert [one.target for one in fetched(world, kind)] == {"web-bug": ["/pixel.gif"], "svg": ["/logo.png"]}[kind]


@needs("chromium", "curl")
def test_a_copied_page_calls_and_the_own_page_does_not(world: World) -> None:
    pages = world.folder / "pages"
    pages.mkdir()
    style = world.text("cloned-css")
    (pages / "page.html").write_text(f"<!DOCTYPE html><body>{world.text('cloned-site')}")
    (pages / "styled.html").write_text(f"<!DOCTYPE html><style>{style}</style><body>")
    serve = ("python3", "-m", "http.server", str(PORT), "--directory", pages)
    with world.beside(*serve):
        world.run("curl", "-s", "--retry", "50", "--retry-connrefused", "--retry-delay", "1", f"http://{SITE}:{PORT}/")
        show(world, f"http://{SITE}:{PORT}/page.html")
        assert world.hits("cloned-site") == []
        show(world, f"http://127.0.0.1:{PORT}/page.html")
        show(world, f"http://{SITE}:{PORT}/styled.html")
    (copied,) = fetched(world, "cloned-site")
    assert copied.target.startswith(f"/copied.gif?at=http%3A%2F%2F127.0.0.1%3A{PORT}%2Fpage.html")
    (styled,) = fetched(world, "cloned-css")
    assert f"referer: http://{SITE}:{PORT}/" in styled.raw_request.decode().lower()


@needs("soffice")
@pytest.mark.parametrize("kind", ["word", "excel"])
def test_an_office_program_that_opens_it_fetches_the_picture(world: World, kind: str) -> None:
    profile = f"-env:UserInstallation=file://{world.folder}/office"
    out = world.folder / "out"
    done = world.run("soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", out, world.file(kind))
    assert (out / world.file(kind).with_suffix(".pdf").name).stat().st_size > 0, done.stderr
    assert "/header.png" in {one.target for one in fetched(world, kind)}


@needs("pdfinfo", "curl")
def test_a_pdf_is_whole_and_its_link_leads_to_the_token(world: World) -> None:
    """No viewer that can be had here follows an address on opening; whoever clicks is heard of."""
    done = world.run("pdfinfo", "-url", world.file("pdf"))
    assert (done.returncode, done.stderr) == (0, "")
    (link,) = re.findall(r"http\S+", done.stdout)
    world.run("curl", "-s", link)
    assert world.protocols("pdf") == {"dns", "http"}


@needs("zbarimg", "curl")
def test_a_qr_code_that_is_scanned_and_opened_is_heard_of(world: World) -> None:
    scanned = world.run("zbarimg", "--quiet", "--raw", world.file("qr-code")).stdout.strip()
    assert scanned == world.text("qr-code")
    world.run("curl", "-s", scanned)
    assert world.protocols("qr-code") == {"dns", "http"}


@needs("kubectl")
def test_kubectl_asks_the_collector_and_is_told_to_log_in(world: World) -> None:
    done = world.run("kubectl", "get", "pods", "--request-timeout=10s", KUBECONFIG=world.file("kubeconfig"))
    assert "Unauthorized" in done.stderr or "logged in" in done.stderr
    asked = fetched(world, "kubeconfig")
    assert asked[0].peer.tls
    assert asked[0].target.startswith(("/api", "/version"))


def settings_of(text: str) -> dict[str, str]:
    """The lines of an `.env` file."""
    return dict(line.split("=", 1) for line in text.splitlines())


@needs("curl", "psql", "swaks", "ldapsearch")
@pytest.mark.parametrize("name", ["API_URL", "DATABASE_URL", "SMTP_HOST", "LDAP_URL"])
def test_every_service_of_an_env_file_that_is_tried_is_heard_of(world: World, name: str) -> None:
    values = settings_of(world.text("env"))
    before = len(world.hits("env"))
    commands = {
        "API_URL": ("curl", "-s", "-H", f"Authorization: Bearer {values['API_TOKEN']}", values["API_URL"]),
        "DATABASE_URL": ("psql", values["DATABASE_URL"], "-c", "select 1"),
        "SMTP_HOST": ("swaks", "--server", values["SMTP_HOST"], "--from", values["SMTP_USER"], "--to", "x@example.com"),
        "LDAP_URL": ("ldapsearch", "-x", "-H", values["LDAP_URL"], "-b", "dc=example"),
    }
    world.run(*commands[name])
    labels = {"API_URL": "", "DATABASE_URL": "db.", "SMTP_HOST": "mail.", "LDAP_URL": "directory."}
    full_ids = {one.attribution.full_id for one in world.hits("env")[before:] if one.attribution is not None}
    assert f"{labels[name]}{world.made['env'].token.name}" in full_ids


@needs("curl")
def test_a_signed_request_to_the_endpoint_of_cloud_credentials_is_heard_of(world: World) -> None:
    profile = dict(line.split(" = ") for line in world.text("cloud-credentials").splitlines() if " = " in line)
    keys = f"{profile['aws_access_key_id']}:{profile['aws_secret_access_key']}"
    signed = ("--aws-sigv4", f"aws:amz:{profile['region']}:sts", "--user", keys, "-d", "Action=GetCallerIdentity")
    done = world.run("curl", "-sS", "--cacert", world.folder / "lab" / "ca.pem", *signed, profile["endpoint_url"])
    assert done.returncode == 0, done.stderr
    (asked,) = fetched(world, "cloud-credentials")
    assert profile["aws_access_key_id"].encode() in asked.raw_request


MARIADB = ("mariadbd", "mariadb", "mariadb-install-db")


@needs(*MARIADB)
def test_a_database_into_which_a_dump_is_loaded_asks_for_its_source(world: World, tmp_path: Path) -> None:
    user = "nobody"
    tmp_path.chmod(0o755)
    data, socket = world.folder / "db", world.folder / "db" / "s"
    data.mkdir()
    shutil.chown(data, user)
    for folder in (world.folder, *world.folder.parents):
        if folder.name.startswith(("pytest-", "world")):
            folder.chmod(folder.stat().st_mode | 0o011)  # for whom the database runs as
    small = ("--innodb-log-file-size=4M", "--innodb-buffer-pool-size=8M", "--skip-log-bin")
    made = world.run(
        "mariadb-install-db", f"--user={user}", f"--datadir={data}", "--skip-test-db", "--skip-name-resolve", *small
    )
    assert made.returncode == 0, made.stdout + made.stderr
    options = (
        "--no-defaults",
        f"--user={user}",
        f"--datadir={data}",
        f"--socket={socket}",
        "--skip-networking",
        *small,
    )
    with world.beside("mariadbd", *options):
        world.until(lambda: world.run("mariadb", "-S", socket, "-e", "select 1").returncode == 0)
        assert world.run("mariadb", "-S", socket, "-e", "create database shop").returncode == 0
        loaded = world.run("mariadb", "-S", socket, "shop", stdin=world.text("sql-dump"))
        assert (loaded.returncode, loaded.stderr) == (0, "")
        counted = world.run("mariadb", "-N", "-S", socket, "shop", "-e", "select count(*) from draft").stdout
        assert counted.strip() == "20"
        world.until(lambda: "dns" in world.protocols("sql-dump"))


@needs("getent")
def test_the_name_of_a_windows_folders_icon_tells_who_looks(world: World) -> None:
    """Explorer fills in user, computer and domain and asks for the name; here the system's resolver does."""
    place = re.search(r"IconResource=\\\\(\S+?)\\", world.text("windows-folder"))
    assert place is not None
    asked = place[1].replace("%USERNAME%", "ana").replace("%COMPUTERNAME%", "pc7").replace("%USERDOMAIN%", "CORP")
    world.run("getent", "ahosts", asked)
    hit = world.hits("windows-folder")[-1]
    assert hit.attribution is not None
    assert hit.attribution.full_id == f"ana.pc7.CORP.{world.made['windows-folder'].token.name}"
    assert asked.endswith(DOMAIN)


def test_every_kind_is_tried_here(world: World) -> None:
    """A kind without a peer is one nobody has seen working."""
    here = Path(__file__).read_text() + (Path(__file__).parent / "test_clients.py").read_text()
    assert [kind for kind in world.made if f'"{kind}"' not in here] == []
