"""`lapwing token` over a store, a collector that hears of the tokens, and readings that know the decoys."""

import asyncio
import http.client
import io
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from lapwing.app.planted import planted
from lapwing.callbacks import Doubts, Noise
from lapwing.callbacks.planting import KINDS
from lapwing.io.listen import Collector
from lapwing.io.store import PlantedToken
from tests.app.conftest import Lapwing
from tests.io.listen.lab import DOMAIN, LOOPBACK, serving, settings
from tests.patience import ENOUGH_S

SOFFICE = shutil.which("soffice")
NOTE = "left in the wiki of the finance team"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def token(store: Path) -> PlantedToken:
    (one,) = asyncio.run(planted(str(store)))
    return one


def test_a_token_is_made_listed_placed_shown_and_revoked(lapwing: Lapwing, store: Path) -> None:
    made = lapwing("token", "create", "url", "--note", NOTE, "-d", DOMAIN, "--expires", "90d", "--store", store)
    assert made.code == 0, made.err
    kept = token(store)
    assert made.out == f"https://{kept.name}.{DOMAIN}/\n"
    assert kept.expires_ns == kept.created_ns + 90 * 86_400 * 10**9
    placed = lapwing("token", "place", kept.name[:8], "front page of the wiki", "--store", store)
    assert "front page of the wiki" in placed.out
    listed = json.loads(lapwing("token", "list", "--store", store).out)
    assert (listed["name"], listed["note"], listed["state"]) == (kept.name, NOTE, "live")
    assert "revoked" in lapwing("token", "revoke", kept.name, "--store", store).out
    assert json.loads(lapwing("token", "show", kept.name, "-o", "ndjson", "--store", store).out)["state"] == "revoked"
    assert kept.name in lapwing("token", "list", "-o", "table", "--store", store).out.replace("\n", "")


def test_files_are_written_where_they_are_wanted_and_never_over_others(
    lapwing: Lapwing, store: Path, tmp_path: Path
) -> None:
    arguments = ("token", "create", "word", "-d", DOMAIN, "--store", store, "-o", tmp_path)
    assert lapwing(*arguments).code == 0
    assert (tmp_path / "notes.docx").read_bytes().startswith(b"PK")
    again = lapwing(*arguments)
    assert again.code == 3
    assert "notes.docx" in again.err
    assert len(asyncio.run(planted(str(store)))) == 1  # none that nobody has a file of


@pytest.mark.parametrize(
    "arguments",
    [
        ("wireguard", "-d", DOMAIN),
        ("url",),
        ("word", "-d", DOMAIN),
        ("url", "-d", DOMAIN, "-o", "nowhere"),
        ("qr-code", "-d", DOMAIN),
        ("redirect", "-d", DOMAIN),
        ("decoy-account",),
        ("url", "-d", DOMAIN, "--expires", "soon"),
        ("url", "-d", DOMAIN, "--exclude", "192.0.2.1/24"),
        ("decoy-account", "--username", "x", "-o", "file"),
    ],
)
def test_a_wrong_wish_is_one_line_and_keeps_nothing(lapwing: Lapwing, store: Path, arguments: tuple[str, ...]) -> None:
    done = lapwing("token", "create", *arguments, "--store", store)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert not store.exists() or asyncio.run(planted(str(store))) == []


@pytest.mark.parametrize(
    ("typed", "meant"), [("ulr", "url"), ("decoy-acount", "decoy-account"), ("kubeconf", "kubeconfig")]
)
def test_a_word_that_is_nearly_a_kind_is_understood(lapwing: Lapwing, store: Path, typed: str, meant: str) -> None:
    done = lapwing("token", "create", typed, "-d", DOMAIN, "--store", store)
    assert (done.code, f"did you mean {meant}?" in done.err) == (2, True)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_something_to_plant(lapwing: Lapwing, store: Path, tmp_path: Path, kind: str) -> None:
    wishes = ("--target", "https://www.example.com", "--site", "www.example.com")
    place = ("-o", tmp_path) if KINDS[kind].is_file else ()
    done = lapwing("token", "create", kind, "-d", DOMAIN, *wishes, *place, "--store", store)
    assert done.code == 0, done.err
    assert token(store).name in done.out
    assert KINDS[kind].fires_on in done.err


def test_kinds_say_what_they_trip_on(lapwing: Lapwing) -> None:
    listed = lapwing("token", "kinds").out
    assert "word" in listed
    assert "decoy-password" in listed


def ask(collector: Collector, host: str, path: str = "/") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(LOOPBACK, collector.ports["http"][0], timeout=ENOUGH_S)
    try:
        connection.request("GET", path, headers={"Host": host, "User-Agent": "Slackbot-LinkExpanding 1.0"})
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


async def known(collector: Collector, count: int = 1) -> None:
    """Until the collector has looked at the store again."""
    async with asyncio.timeout(ENOUGH_S):
        while len(collector.directory.planted) < count:
            await asyncio.sleep(0.05)


def test_a_running_collector_hears_of_a_new_token_and_keeps_every_hit(
    lapwing: Lapwing, store: Path, tmp_path: Path
) -> None:
    alerts: list[Doubts | None] = []

    async def main() -> None:
        async with serving(settings(tmp_path)) as collector:
            collector.recorder.told = lambda _interaction, tripped, doubts: alerts.append(doubts if tripped else None)
            target = "https://www.example.com/"
            arguments = ("redirect", "--target", target, "-d", DOMAIN, "--store", store, "--note", NOTE)
            made = await asyncio.to_thread(lapwing, "token", "create", *arguments)
            assert made.code == 0, made.err
            await known(collector)
            host = made.out.removeprefix("https://").rstrip("/\n")
            for _ in range(3):
                answer = await asyncio.to_thread(ask, collector, host)
                assert (answer.status, answer.getheader("Location")) == (302, target)

    asyncio.run(main())
    assert alerts == [{Noise.SCANNER}, None, None]  # one a minute
    kept = token(store)
    assert (kept.hit_count, kept.suppressed_count) == (3, 2)
    shown = lapwing("token", "show", kept.name, "--store", store).out
    assert shown.count("Received HTTP interaction from 127.0.0.1") == 3
    assert "(scanner)" in shown
    assert "(repeat, scanner)" in shown


def test_an_excluded_source_alerts_nobody_and_is_kept(lapwing: Lapwing, store: Path, tmp_path: Path) -> None:
    made = lapwing("token", "create", "url", "-d", DOMAIN, "--exclude", "127.0.0.0/8", "--store", store)
    alerts: list[Doubts | None] = []

    async def main() -> None:
        async with serving(settings(tmp_path, keep_nobodys=False)) as collector:
            collector.recorder.told = lambda _interaction, _token, doubts: alerts.append(doubts)
            await asyncio.to_thread(ask, collector, made.out.removeprefix("https://").rstrip("/\n"))

    asyncio.run(main())
    assert alerts == [None]
    assert token(store).hit_count == 1


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed (libreoffice-writer)")
def test_a_document_opened_by_an_office_program_is_a_hit_on_its_token(
    lapwing: Lapwing, store: Path, tmp_path: Path
) -> None:
    async def main() -> None:
        async with serving(settings(tmp_path)) as collector:
            base = f"http://{LOOPBACK}:{collector.ports['http'][0]}"
            arguments = ("word", "--base", base, "-d", DOMAIN, "--store", store, "-o", tmp_path / "plan.docx")
            made = await asyncio.to_thread(lapwing, "token", "create", *arguments)
            assert made.code == 0, made.err
            await known(collector)
            command = [str(SOFFICE), f"-env:UserInstallation=file://{tmp_path}/profile", "--headless"]
            command += ["--convert-to", "pdf", "--outdir", str(tmp_path / "out"), str(tmp_path / "plan.docx")]
            await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, timeout=ENOUGH_S)

    asyncio.run(main())
    assert token(store).hit_count >= 1


def test_a_decoy_account_in_an_sshd_log_raises_a_finding_with_its_note(
    lapwing: Lapwing, store: Path, tmp_path: Path
) -> None:
    made = lapwing("token", "create", "decoy-account", "--username", "svc-payroll", "--note", NOTE, "--store", store)
    assert made.out == "svc-payroll\n"
    log = tmp_path / "auth.log"
    log.write_text(
        "2026-03-01T10:15:02.000000+00:00 web sshd[812]: Failed password for alice from 198.51.100.4 port 4022 ssh2\n"
        "2026-03-01T10:15:03.000000+00:00 web sshd[813]: Failed password for invalid user svc-payroll from "
        "203.0.113.9 port 4023 ssh2\n"
    )
    done = lapwing("read", log, "--decoys", store, "-o", "ndjson", "--events", "all", "--fail-on", "high")
    assert done.code == 1, done.err
    events = [json.loads(line) for line in done.out.splitlines()]
    (tripped,) = [one for one in events if one["event_type"] == "token.tripped"]
    assert (tripped["token_id"], tripped["purpose"]) == ("svc-payroll", NOTE)
    (finding,) = [one for one in events if one["event_type"].startswith("finding.") and one["finding"] == "decoy-used"]
    assert finding["subject"] == "203.0.113.9"
    assert "svc-payroll" in finding["sentence"]
    assert NOTE in finding["sentence"]


def test_a_decoy_password_on_the_wire_is_found_and_never_written(
    lapwing: Lapwing, store: Path, guessing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = "swordfish7"
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    made = lapwing("token", "create", "decoy-password", "--stdin", "--note", NOTE, "--store", store)
    assert (made.code, made.out) == (0, "")
    done = lapwing("read", guessing, "--decoys", store, "-o", "ndjson")
    (finding,) = [one for one in map(json.loads, done.out.splitlines()) if one.get("finding") == "decoy-used"]
    assert (finding["subject"], finding["accounts"], finding["attempt_count"]) == ("192.0.2.7", ["archive"], 1)
    assert NOTE in finding["sentence"]
    assert password not in done.out
    assert password.encode() not in store.read_bytes()


def test_a_decoy_password_that_is_made_is_shown_once(lapwing: Lapwing, store: Path) -> None:
    made = lapwing("token", "create", "decoy-password", "--store", store)
    assert len(made.out.strip()) == 20
    assert made.out.strip() not in lapwing("token", "list", "--store", store).out


@pytest.mark.parametrize("command", [("list",), ("show", "abc"), ("revoke", "abc"), ("place", "abc", "there")])
def test_looking_into_a_store_that_is_not_there_makes_none(
    lapwing: Lapwing, store: Path, command: tuple[str, ...]
) -> None:
    done = lapwing("token", *command, "--store", store)
    assert (done.code, done.out) == (3, "")
    assert f"{store}: no such store" in done.err
    assert not store.exists()
