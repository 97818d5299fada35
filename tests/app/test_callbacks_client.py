"""`lapwing callbacks listen`, `mint` and `wait` against a collector on loopback."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lapwing.app.callback_lines import json_line, text_line, verbose_lines
from lapwing.callbacks import (
    Attribution,
    DnsInteraction,
    HttpInteraction,
    OtherInteraction,
    Peer,
    Placement,
    SmtpInteraction,
    Token,
)
from lapwing.callbacks.interactsh import from_object
from lapwing.io.callbacks import Planted
from tests.app.conftest import Lapwing
from tests.io.callbacks.desk import Desk, http_hit
from tests.io.callbacks.server import serving
from tests.patience import ENOUGH_S

PRIVATE = ("--private-network", "127.0.0.0/8")
ID = "c23b2la0kl1krjcrdj10cndmnioyyyyyn"
FOUND = Attribution(ID[:20], ID[20:], f"a.{ID}", Placement.DNS_NAME)
PEER = Peer("203.0.113.9", tls=True)
TS_NS = 1_772_360_102_500_000_000


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def server(desk: Desk) -> Iterator[str]:
    with serving(desk) as address:
        yield address


def planted(host: str) -> Planted:
    own = host.strip().partition(".")[0]
    return Planted(Token(own[:20], own[20:], 0, ""), "127.0.0.1")


class Listening:
    """`lapwing callbacks listen` as a process of its own."""

    def __init__(self, server: str, *options: str) -> None:
        command = [sys.executable, "-m", "lapwing", "callbacks", "listen", "-s", server, *PRIVATE, *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.out, self.err = self.process.stdout, self.process.stderr
        self._watchdog = threading.Timer(ENOUGH_S, self.process.kill)
        self._watchdog.start()
        self.announced = self.err.readline()
        self.planted = planted(self.err.readline().removeprefix("[INF] "))

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(ENOUGH_S)
        self._watchdog.cancel()
        self.out.close()
        self.err.close()
        return code


@pytest.fixture
def listen(server: str) -> Iterator[Callable[..., Listening]]:
    started: list[Listening] = []

    def start(*options: str) -> Listening:
        started.append(Listening(server, *options))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.end()


def test_listening_prints_tokens_and_then_hits_and_ends_in_order(
    desk: Desk, listen: Callable[..., Listening], tmp_path: Path
) -> None:
    stored, copied = tmp_path / "payloads", tmp_path / "hits"
    listening = listen("-psf", str(stored), "-o", str(copied), "-pi", "1", "-v")
    assert listening.announced == "[INF] Listing 1 payload for OOB Testing\n"
    http_hit(desk, listening.planted)
    line = listening.out.readline()
    assert line.startswith(f"[{listening.planted.unique_id}] Received HTTP interaction from 203.0.113.9 at ")
    shown = [listening.out.readline() for _ in range(7)]
    assert "HTTP Request\n" in shown
    assert "GET / HTTP/1.1\n" in shown
    assert listening.end() == 0
    assert copied.read_text().startswith(line)
    assert stored.read_text().startswith(listening.planted.unique_id)
    assert desk.boxes == {}


def test_lines_for_programs_are_interactshs(desk: Desk, listen: Callable[..., Listening]) -> None:
    listening = listen("-json", "-http-only")
    desk.hit(listening.planted)
    http_hit(desk, listening.planted)
    found = json.loads(listening.out.readline())
    assert found["protocol"] == "https"
    assert found["unique-id"] == found["full-id"] == listening.planted.unique_id
    assert found["raw-request"] == "GET / HTTP/1.1\r\n\r\n"
    assert found["remote-address"] == "203.0.113.9"
    assert listening.end() == 0


@pytest.mark.parametrize(("option", "shown"), [("-match", True), ("-filter", False)])
def test_ids_are_matched_and_hidden_by_expressions(
    desk: Desk, listen: Callable[..., Listening], option: str, shown: bool
) -> None:
    listening = listen("-json", "-n", "2", option, r"^a\.x$")
    desk.hit(listening.planted)
    found = Attribution(listening.planted.token.correlation_id, listening.planted.token.nonce, "a.x", Placement.OTHER)
    desk.deliver(DnsInteraction(ts_ns=2, peer=PEER, attribution=found))
    full_id = json.loads(listening.out.readline())["full-id"]
    assert (full_id == "a.x") is shown
    listening.end()


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "session"


def test_a_token_made_earlier_is_waited_for_by_a_later_command(
    desk: Desk, server: str, lapwing: Lapwing, kept: Path
) -> None:
    made = lapwing("callbacks", "mint", "-sf", kept, "-s", server, *PRIVATE, "--note", "order webhook", "-n", "2")
    assert made.code == 0, made.err
    first, second = map(planted, made.out.split())
    http_hit(desk, first)
    done = lapwing("callbacks", "wait", first.url, "-sf", kept, "--accept", "http", *PRIVATE)
    assert (done.code, done.out.startswith(f"[{first.unique_id}] Received HTTP")) == (0, True)
    done = lapwing("callbacks", "wait", first.unique_id, "-sf", kept, "-json", *PRIVATE)
    assert json.loads(done.out)["unique-id"] == first.unique_id
    done = lapwing("callbacks", "wait", second.host, "-sf", kept, "--timeout", "100ms", *PRIVATE)
    assert (done.code, done.out) == (1, "")
    assert "nobody reached" in done.err


def test_what_is_not_known_has_an_exit_code_of_its_own(desk: Desk, server: str, lapwing: Lapwing, kept: Path) -> None:
    made = lapwing("callbacks", "mint", "-sf", kept, "-s", server, *PRIVATE)
    desk.boxes.clear()
    done = lapwing("callbacks", "wait", made.out.strip(), "-sf", kept, "--timeout", "100ms", *PRIVATE)
    assert (done.code, done.out) == (4, "")
    assert done.err.startswith("lapwing: not known: ")


def test_nobody_listening_has_an_exit_code_of_its_own(server: str, lapwing: Lapwing, kept: Path) -> None:
    made = lapwing("callbacks", "mint", "-sf", kept, "-s", server)
    assert made.code == 3
    assert made.err.count("not contacted") == 1


def test_the_next_collector_is_used_when_one_does_not_answer(server: str, lapwing: Lapwing, kept: Path) -> None:
    dead = "http://127.0.0.1:9"
    made = lapwing("callbacks", "mint", "-sf", kept, "-s", f"{dead},{server}", *PRIVATE)
    assert made.code == 0, made.err


def test_a_token_of_another_session_is_refused(server: str, lapwing: Lapwing, kept: Path) -> None:
    lapwing("callbacks", "mint", "-sf", kept, "-s", server, *PRIVATE)
    done = lapwing("callbacks", "wait", ID, "-sf", kept, *PRIVATE)
    assert done.code == 2
    assert "no token of this session file" in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("listen",),
        ("listen", "-s", "localhost"),
        ("listen", "-s", "oast.example.com", "-m", "("),
        ("listen", "-s", "oast.example.com", "-pi", "soon"),
        ("listen", "-s", "oast.example.com", "-cidl", "60"),
        ("wait", "x", "-sf", os.devnull),
    ],
)
def test_a_wrong_command_line_is_one_line_and_touches_nothing(lapwing: Lapwing, arguments: tuple[str, ...]) -> None:
    done = lapwing("callbacks", *arguments)
    assert done.code == 2
    assert len(done.err.splitlines()) == 1


def test_a_line_says_who_when_and_by_which_protocol() -> None:
    dns = DnsInteraction(ts_ns=TS_NS, peer=PEER, attribution=FOUND, query_type="A")
    assert text_line(dns) == f"[a.{ID}] Received DNS interaction (A) from 203.0.113.9 at 2026-03-01 10:15:02"
    other = OtherInteraction(ts_ns=TS_NS, peer=Peer(""), name="responder")
    assert text_line(other) == "[] Received Responder interaction at 2026-03-01 10:15:02"


def test_what_strangers_sent_does_nothing_to_a_terminal() -> None:
    shouted = Attribution("a", "b", "\x1b]0;x\x07", Placement.OTHER)
    http = HttpInteraction(ts_ns=TS_NS, peer=PEER, attribution=shouted, raw_request=b"\x1b[2J\x9b\r\nend")
    assert "\x1b" not in text_line(http)
    shown = "\n".join(verbose_lines(http))
    assert "\x1b" not in shown
    assert "end" in shown


def test_json_lines_can_be_read_as_interactshs_objects() -> None:
    mail = SmtpInteraction(ts_ns=TS_NS, peer=PEER, attribution=FOUND, mail_from="a@example.com", raw_request=b"hi\xff")
    read = from_object(json_line(mail), now_ns=0)
    assert (read.ts_ns, read.unique_id, read.peer.client_ip) == (TS_NS, ID, "203.0.113.9")
    assert json.loads(json_line(mail))["smtp-from"] == "a@example.com"


def test_a_session_file_that_is_not_there_is_named_and_not_made(lapwing: Lapwing, tmp_path: Path) -> None:
    missing = tmp_path / "typo"
    said = lapwing("callbacks", "wait", "abc", "--session-file", missing, "--timeout", "1s")
    assert (said.code, len(said.err.splitlines())) == (2, 1)
    assert "no such file" in said.err
    assert not missing.exists()
