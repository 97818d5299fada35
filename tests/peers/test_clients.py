"""Clients that nobody here wrote reach the collector by its own DNS, on the usual ports, and are content."""

import re

import pytest

from lapwing.callbacks import Placement
from lapwing.callbacks.interaction import FtpInteraction, LdapInteraction, SmtpInteraction
from tests.peers.world import DOMAIN, SITE, World, needs


@needs("dig")
@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
def test_dig_gets_an_answer_with_authority(world: World, transport: str) -> None:
    done = world.run("dig", transport, world.name("dns"))
    assert "status: NOERROR" in done.stdout
    assert "flags: qr aa rd;" in done.stdout
    assert re.search(rf"^{world.name('dns')}\.\s+[01]\s+IN\s+A\s+127\.0\.0\.1$", done.stdout, re.MULTILINE)
    assert "dns" in world.protocols("dns")


@needs("dig")
def test_dig_is_refused_what_is_not_ours(world: World) -> None:
    assert "status: REFUSED" in world.run("dig", "www.example.org").stdout


@needs("dig")
@pytest.mark.parametrize("kind", ["MX", "NS", "SOA", "TXT", "CAA", "AAAA"])
def test_dig_gets_every_kind_of_record_or_their_absence_with_the_soa(world: World, kind: str) -> None:
    done = world.run("dig", kind, DOMAIN)
    assert "status: NOERROR" in done.stdout
    assert "SOA" in done.stdout or "ANSWER: 0" not in done.stdout


@needs("getent")
def test_the_systems_own_resolver_is_enough(world: World) -> None:
    before = len(world.hits("dns"))
    assert "127.0.0.1" in world.run("getent", "ahosts", world.name("dns")).stdout
    assert len(world.hits("dns")) > before


@needs("curl")
def test_curl_follows_a_redirect_to_its_end(world: World) -> None:
    written = "%{http_code} %{num_redirects} %{url_effective}"
    done = world.run("curl", "-sSL", "-o", "/dev/null", "-w", written, world.text("redirect"))
    assert done.stdout == f"200 1 http://{SITE}/after", done.stderr
    assert world.protocols("redirect") == {"dns", "http"}


@needs("curl")
def test_curl_trusts_the_ca_of_the_lab(world: World) -> None:
    ca = world.folder / "lab" / "ca.pem"
    done = world.run("curl", "-sSi", "--http1.1", "--cacert", ca, f"https://{world.name('url')}/a.json")
    assert "Not Found" in done.stdout, done.stderr
    assert any(one.peer.tls for one in world.hits("url"))


@needs("curl")
def test_nothing_in_the_answer_of_a_planted_address_tells_what_it_is(world: World) -> None:
    done = world.run("curl", "-sSi", world.text("url"))
    head, _, page = done.stdout.partition("\n\n")
    assert head.splitlines()[0].endswith("404 Not Found")
    assert not re.search(r"interactsh|lapwing|server:|callback", done.stdout, re.IGNORECASE)
    assert world.made["url"].token.name[::-1] not in page


@needs("swaks")
@pytest.mark.parametrize("how", [("--tls",), ("--tls-on-connect", "--port", "465"), ()], ids=["starttls", "tls", ""])
def test_swaks_finds_the_mail_server_and_delivers(world: World, how: tuple[str, ...]) -> None:
    before = len(world.hits("mail"))
    login = ("--auth", "LOGIN", "--auth-user", "ana", "--auth-password", "hers alone")
    mail = ("--to", world.text("mail"), "--from", "ana@example.com", "--helo", "client.example.com")
    done = world.run("swaks", *mail, "--body", "hello", "--server", f"mail.{DOMAIN}", *login, *how)
    assert done.returncode == 0, done.stdout + done.stderr
    hit = world.hits("mail")[before:][-1]
    assert isinstance(hit, SmtpInteraction)
    assert hit.recipients == (world.text("mail"),)
    assert hit.peer.tls is bool(how)
    assert hit.user == "ana"
    assert b"hello" in hit.raw_request
    assert not any(b"hers alone" in turn.data for turn in hit.turns)


@needs("ldapsearch")
@pytest.mark.parametrize("how", [(), ("-ZZ",)], ids=["plain", "starttls"])
def test_ldapsearch_binds_and_searches(world: World, how: tuple[str, ...]) -> None:
    before = len(world.hits("url"))
    base = f"dc={world.made['url'].token.name},dc=example"
    server = ("-H", f"ldap://{DOMAIN}", "-x", "-D", "cn=reader", "-w", "hers alone")
    trusted = world.folder / "lab" / "ca.pem"
    done = world.run("ldapsearch", *server, *how, "-b", base, "-s", "base", LDAPTLS_CACERT=trusted)
    assert done.returncode == 0, done.stderr
    (hit,) = [one for one in world.hits("url")[before:] if isinstance(one, LdapInteraction)]
    assert hit.attribution is not None
    assert (hit.attribution.placement, hit.peer.tls) == (Placement.LDAP_BASE_DN, bool(how))


@needs("tnftp")
def test_an_ftp_client_fetches_a_file(world: World) -> None:
    before = len(world.hits("url"))
    address = f"ftp://{DOMAIN}/{world.made['url'].token.name}/plan.txt"
    done = world.run("tnftp", "-o", world.folder / "fetched", address)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (world.folder / "fetched").read_bytes() == b"\n"
    found = [one for one in world.hits("url")[before:] if isinstance(one, FtpInteraction)]
    assert {one.command for one in found} >= {"CWD"}
