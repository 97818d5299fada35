"""Decisions carried out elsewhere: files, the packet filter, webhooks."""

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest

from lapwing.events import Action, DecisionMade, SettingsError, StoreError
from lapwing.io.enforce import DenyFile, DenyShape, NftSet, Webhook
from lapwing.io.enforce import webhook as webhook_module
from lapwing.io.enforce.nftables import AT_ONCE
from tests.patience import ENOUGH_S


def decision(number: int = 0) -> DecisionMade:
    return DecisionMade(
        ts_ns=number,
        decision_id=str(number),
        action=Action.BLOCK,
        scope="ip",
        value="192.0.2.1",
        duration_s=60,
        origin="lapwing",
    )


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (DenyShape.PLAIN, "192.0.2.1\n2001:db8::/64\n"),
        (DenyShape.NGINX, "deny 192.0.2.1;\ndeny 2001:db8::/64;\n"),
        (DenyShape.NGINX_MAP, "192.0.2.1 1;\n2001:db8::/64 1;\n"),
    ],
)
def test_a_deny_file_has_the_lines_its_reader_knows(tmp_path: Path, shape: DenyShape, text: str) -> None:
    DenyFile(tmp_path / "deny", shape).write(["2001:db8::/64", "192.0.2.1"])
    assert (tmp_path / "deny").read_text() == text


def test_a_deny_file_is_replaced_and_only_when_it_changes(tmp_path: Path) -> None:
    file = DenyFile(tmp_path / "deny")
    file.write([])
    first = (tmp_path / "deny").stat().st_ino
    file.write([])
    assert (tmp_path / "deny").stat().st_ino == first
    file.write(["192.0.2.1"])
    assert (tmp_path / "deny").read_text() == "192.0.2.1\n"
    assert [path.name for path in tmp_path.iterdir()] == ["deny"]


def test_a_deny_file_that_somebody_removes_or_changes_is_written_again(tmp_path: Path) -> None:
    file = DenyFile(tmp_path / "deny")
    file.write(["192.0.2.1"])
    (tmp_path / "deny").unlink()
    file.write(["192.0.2.1"])
    assert (tmp_path / "deny").read_text() == "192.0.2.1\n"
    (tmp_path / "deny").write_text("")
    file.write(["192.0.2.1"])
    assert (tmp_path / "deny").read_text() == "192.0.2.1\n"


def test_a_deny_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        DenyFile(tmp_path / "nowhere" / "deny").write(["192.0.2.1"])


@pytest.fixture
def fake_nft(tmp_path: Path) -> Path:
    """Writes down what it is told; fails when told of 192.0.2.66."""
    path = tmp_path / "nft"
    path.write_text(
        f"#!{sys.executable}\nimport sys\ntext = sys.stdin.read()\nopen({str(tmp_path / 'said')!r}, 'a').write(text)\n"
        "sys.exit('no such set' if '192.0.2.66' in text else 0)\n"
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_sources_are_added_to_the_set_of_their_family_for_as_long_as_they_are_held(fake_nft: Path) -> None:
    NftSet("inet/lapwing/blocked", [str(fake_nft)]).hold([("192.0.2.1", 60), ("2001:db8::/64", 90)])
    said = (fake_nft.parent / "said").read_text()
    assert "add element inet lapwing blocked { 192.0.2.1 timeout 60s }" in said
    assert "add element inet lapwing blocked6 { 2001:db8::/64 timeout 90s }" in said


def test_many_sources_are_told_in_several_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [f"198.51.{n >> 8}.{n & 255}" for n in range(AT_ONCE + 1)]
    calls: list[str] = []
    filter_set = NftSet("inet/lapwing/blocked")
    monkeypatch.setattr(filter_set, "_tell", calls.append)
    filter_set.hold((source, 60) for source in sources)
    assert [call.count("timeout 60s") for call in calls] == [AT_ONCE, 1]


def test_what_the_packet_filter_refuses_is_said(fake_nft: Path) -> None:
    with pytest.raises(StoreError, match="no such set"):
        NftSet("inet/lapwing/blocked", [str(fake_nft)]).hold([("192.0.2.66", 60)])
    with pytest.raises(StoreError, match="nft"):
        NftSet("inet/lapwing/blocked", ["/nowhere/nft"]).hold([("192.0.2.1", 60)])


@pytest.mark.parametrize(
    "name", ["", "blocked", "inet/lapwing", "inet/a b/c", "inet/lapwing/x;flush ruleset", "arp/a/b"]
)
def test_a_name_that_is_no_set_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="--nft-set"):
        NftSet(name)


@pytest.mark.skipif(shutil.which("nft") is None, reason="nft is not installed")
@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="a network namespace needs root")
def test_the_real_packet_filter_takes_it(tmp_path: Path) -> None:
    """In a network namespace of its own, so that nothing of this machine is touched."""
    program = (
        "import subprocess\n"
        "from lapwing.io.enforce import NftSet\n"
        "def nft(*words): return subprocess.run(['nft', *words], check=True, capture_output=True, text=True).stdout\n"
        "nft('add table inet lapwing')\n"
        "nft('add set inet lapwing blocked { type ipv4_addr; flags timeout, interval; }')\n"
        "nft('add set inet lapwing blocked6 { type ipv6_addr; flags timeout, interval; }')\n"
        "for _ in range(2): NftSet('inet/lapwing/blocked').hold([('192.0.2.1', 60), ('2001:db8::/64', 60)])\n"
        "print(nft('list table inet lapwing'))\n"
        "for _ in range(2): NftSet('inet/lapwing/blocked').let_go(['192.0.2.1', '2001:db8::/64'])\n"
        "print('then', nft('list table inet lapwing'))\n"
    )
    done = subprocess.run(["unshare", "-n", sys.executable, "-c", program], capture_output=True, text=True, check=False)
    if "Operation not permitted" in done.stderr or "Operation not supported" in done.stderr:
        pytest.skip("this machine gives no network namespace or no nf_tables")
    assert done.returncode == 0, done.stderr
    assert "192.0.2.1 timeout 1m" in done.stdout
    before, after = done.stdout.split("then")
    assert "2001:db8::/64 timeout 1m" in before
    assert "timeout 1m" not in after


Posted = Queue[list[dict[str, object]]]


@pytest.fixture
def receiver() -> Iterator[tuple[str, Posted]]:
    posted: Posted = Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if "/garbage" in self.path:
                self.wfile.write(b"garbage\r\n\r\n")
                return
            self.send_response(500 if "/broken" in self.path else 302 if "/moved" in self.path else 204)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def do_GET(self) -> None:
            posted.put([{"asked": self.path}])
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *_arguments: object) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/", posted
        server.shutdown()
        thread.join()


def test_a_webhook_gets_every_decision_in_order(receiver: tuple[str, Posted]) -> None:
    url, posted = receiver
    hook = Webhook(url)
    hook.tell([decision(number) for number in range(250)])
    hook.close()
    got = [one["decision_id"] for _ in range(posted.qsize()) for one in posted.get()]
    assert got == [str(number) for number in range(250)]
    assert (hook.sent_count, hook.lost_count) == (250, 0)


@pytest.mark.parametrize("path", ["broken", "moved", "garbage"])
def test_a_webhook_that_fails_is_counted_and_holds_nobody_up(receiver: tuple[str, Posted], path: str) -> None:
    url, posted = receiver
    hook = Webhook(url + path)
    count = webhook_module.MAX_AT_ONCE + 1
    hook.tell([decision(number) for number in range(count)])
    hook.close()
    assert (hook.sent_count, hook.lost_count) == (0, count)
    got = [one.get("decision_id") for _ in range(posted.qsize()) for one in posted.get()]
    assert got == [str(number) for number in range(count)]


def test_more_than_a_webhook_holds_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lapwing.io.enforce.webhook.Thread.start", lambda _self: None)
    hook = Webhook("http://127.0.0.1:1/")
    hook.tell([decision(number) for number in range(webhook_module.MAX_WAITING + 5)])
    assert hook.lost_count == 5


def test_what_a_webhook_that_hangs_has_not_taken_at_the_end_is_lost() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hook = Webhook(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout_s=ENOUGH_S)
        hook._timeout_s = 0.0  # of waiting at the end; the request that is under way has more
        hook.tell([decision(number) for number in range(webhook_module.MAX_AT_ONCE * 2)])
        hook.close()
        assert (hook.sent_count, hook.lost_count) == (0, webhook_module.MAX_AT_ONCE * 2)


@pytest.mark.parametrize(
    "url",
    [
        "", "file:///etc/passwd", "example.com", "http://", "http://[::1", "http://example.com:99999/", "http://:80/",
        "http://example.com/a b", "http://example.com/\u00fc",
    ],
)  # fmt: skip
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"--webhook.*no http"):
        Webhook(url)


def test_a_webhook_with_a_password_is_refused_and_the_password_not_told() -> None:
    with pytest.raises(SettingsError, match="--webhook") as refused:
        Webhook("https://bot:hunter2@example.com/")
    assert "hunter2" not in str(refused.value)
