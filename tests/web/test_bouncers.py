"""CrowdSec's bouncers enforce our decisions: what they are told, and the real ones at work."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from lapwing.events import Action
from lapwing.web import Answer, ForwardAuth, Gate
from lapwing.web.bouncers import Bouncers
from tests.patience import ENOUGH_S

from .test_gate import ATTACKER, Clock, S, attacked

KEY = "0123456789abcdef"
LINE = '{ip} - - [05/Jan/2026:08:00:{n:02} +0000] "POST /login?user=u{n}&password=p{n} HTTP/1.1" 401 12 "-" "tool"\n'
SHORT = "[detect.answer]\nchallenge_s = 5\ndelay_s = 5\nblock_s = 5\ngrowth = 1.0\n"
COMMON = """
piddir: {folder}
pid_dir: {folder}
log_dir: {folder}
log_mode: stdout
log_level: info
daemonize: false
update_frequency: 1s
api_url: http://{address}/
api_key: {key}
prometheus: {{enabled: false, listen_addr: 127.0.0.1, listen_port: 60602}}
"""
CUSTOM = "bin_path: {folder}/hook\nfeed_via_stdin: false\ncache_retention_duration: 1s\n"
FIREWALL = """
mode: nftables
deny_action: DROP
supported_decisions_types: [ban]
blacklists_ipv4: crowdsec-blacklists
blacklists_ipv6: crowdsec6-blacklists
nftables:
  ipv4: {{enabled: true, set-only: false, table: crowdsec, chain: crowdsec-chain}}
  ipv6: {{enabled: true, set-only: false, table: crowdsec6, chain: crowdsec6-chain}}
"""

Pull = Callable[..., dict[str, Any]]


def pulling(forward: ForwardAuth) -> Pull:
    def pull(query: str = "", *, agent: str = "bouncer", peer: str = "192.0.2.1") -> dict[str, Any]:
        headers = [("X-Api-Key", KEY), ("User-Agent", agent)]
        response = forward.handle(f"/v1/decisions/stream{query}", headers, peer)
        assert response.status == 200
        found: dict[str, Any] = json.loads(response.body)
        return found

    return pull


def test_bouncers_pull_what_is_new() -> None:
    forward = ForwardAuth(Gate(), api_keys=[KEY])
    attacked(forward.gate)
    pull = pulling(forward)
    (decision,) = pull("?startup=true")["new"]
    assert (decision["value"], decision["scope"], decision["type"]) == (ATTACKER, "Ip", "ban")
    assert re.fullmatch(r"[1-9]\d*s", decision["duration"])
    assert pull() == {"new": None, "deleted": None}
    assert len(pull("?startup=true")["new"]) == 1


def test_each_bouncer_has_its_own_last_pull() -> None:
    forward = ForwardAuth(Gate(), api_keys=[KEY])
    attacked(forward.gate)
    pull = pulling(forward)
    assert pull()["new"]
    assert pull(agent="another")["new"]
    assert pull(peer="192.0.2.2")["new"]
    assert not pull()["new"]


def test_what_is_over_is_told_once() -> None:
    clock = Clock()
    forward = ForwardAuth(Gate(clock=clock), api_keys=[KEY])
    attacked(forward.gate)
    pull = pulling(forward)
    (begun,) = pull()["new"]
    clock.ns += 30 * 86_400 * S
    (over,) = pull()["deleted"]
    assert (over["id"], over["value"], over["duration"]) == (begun["id"], ATTACKER, "-1s")
    assert pull() == {"new": None, "deleted": None}


def test_a_decision_that_is_renewed_is_told_again_with_its_new_time() -> None:
    clock = Clock()
    forward = ForwardAuth(Gate(clock=clock), api_keys=[KEY])
    attacked(forward.gate)
    pull = pulling(forward)
    pull()
    clock.ns += 60 * S
    assert pull() == {"new": None, "deleted": None}
    attacked(forward.gate, count=1)
    told = pull()
    (again,) = told["new"]
    assert [one["value"] for one in told["deleted"]] == [ATTACKER]
    later_s = forward.gate.answer(ATTACKER).retry_after_s  # a tenth of a second later by the clock
    assert int(again["duration"][:-1]) - later_s in (0, 1)
    assert pull() == {"new": None, "deleted": None}


def test_decisions_have_numbers_of_their_own() -> None:
    forward = ForwardAuth(Gate(), api_keys=[KEY])
    sources = [f"{first}.0.113.9" for first in range(1, 20)]
    for source in sources:
        attacked(forward.gate, source)
    told = pulling(forward)()["new"]
    assert {one["value"] for one in told} == set(sources)
    assert len({one["id"] for one in told}) == len(sources)


@pytest.mark.parametrize(
    ("deny_from", "types"),
    [
        (Action.CHALLENGE, ["ban", "ban", "ban"]),
        (Action.DELAY, ["captcha", "ban", "ban"]),
        (Action.BLOCK, ["captcha", "captcha", "ban"]),
    ],
)
def test_whoever_is_refused_is_banned_and_others_are_challenged(deny_from: Action, types: list[str]) -> None:
    told = Bouncers([KEY], deny_from)
    actions = (Action.CHALLENGE, Action.DELAY, Action.BLOCK)
    assert [told.row(ATTACKER, Answer(action, 5))["type"] for action in actions] == types


@contextmanager
def running(command: list[str], until: str, **options: Any) -> Iterator[str]:
    """A program, once it says `until` on standard error; yields that line."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **options) as process:
        assert process.stderr is not None
        try:
            said: list[str] = []
            while not said or until not in said[-1]:
                said.append(process.stderr.readline())
                assert said[-1], "".join(said)
            yield said[-1]
        finally:
            process.terminate()
            process.stderr.read()


@contextmanager
def guard(folder: Path, *inside: str, config: str = "") -> Iterator[str]:
    """`lapwing guard serve` with an attack in its log; yields where it listens."""
    (folder / "access.log").write_text("".join(LINE.format(ip=ATTACKER, n=n) for n in range(40)))
    (folder / "keys").write_text(f"{KEY}\n")
    (folder / "settings.toml").write_text(config)
    serve = [*inside, sys.executable, "-m", "lapwing", "guard", "serve", str(folder / "access.log"), "--from-start"]
    files = ["--api-key-file", str(folder / "keys"), "--config", str(folder / "settings.toml")]
    with running([*serve, "--listen", "127.0.0.1:0", *files], "listening on") as line:
        yield line.split()[-1]


@contextmanager
def bouncer(name: str, settings: str, folder: Path, address: str, *inside: str) -> Iterator[None]:
    """A real one."""
    config = folder / f"{name}.yaml"
    config.write_text((COMMON + settings).format(folder=folder, address=address, key=KEY))
    with running([*inside, f"crowdsec-{name}-bouncer", "-c", str(config)], ""):
        yield


def until(holds: Callable[[], bool], what: str) -> None:
    give_up = time.monotonic() + ENOUGH_S
    while not holds():
        assert time.monotonic() < give_up, what
        time.sleep(0.05)


@pytest.mark.skipif(shutil.which("crowdsec-custom-bouncer") is None, reason="crowdsec-custom-bouncer is not installed")
def test_the_real_custom_bouncer_carries_decisions_out_and_lifts_them(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    calls.touch()
    (tmp_path / "hook").write_text(f'#!/bin/sh\necho "$1 $2 $3 $4" >> {calls}\n')
    (tmp_path / "hook").chmod(0o755)
    with guard(tmp_path, config=SHORT) as address, bouncer("custom", CUSTOM, tmp_path, address):
        until(lambda: f"del {ATTACKER}" in calls.read_text(), "the decision is not lifted")
    first, *_ = calls.read_text().splitlines()
    assert re.fullmatch(rf"add {re.escape(ATTACKER)} [1-5] lapwing/login-attack", first)


@contextmanager
def network() -> Iterator[list[str]]:
    """A network of its own with the attacker's address on it; yields what runs a command inside."""
    addresses = f"ip link set lo up && ip address add {ATTACKER}/32 dev lo"
    command = ["unshare", "--net", "sh", "-c", f"{addresses} && echo up >&2 && exec sleep 600"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            said = process.stderr.readline()
            if said != "up\n":
                pytest.skip(f"namespaces cannot be made here: {said}")
            yield ["nsenter", "--net", "-t", str(process.pid)]
        finally:
            process.terminate()


@pytest.mark.skipif(os.geteuid() != 0, reason="a network of its own needs root")
def test_the_real_firewall_bouncer_drops_the_packets_of_whoever_is_blocked(tmp_path: Path) -> None:
    missing = [
        one for one in ("crowdsec-firewall-bouncer", "nft", "ip", "nsenter", "curl") if shutil.which(one) is None
    ]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    with ExitStack() as stack:
        inside = stack.enter_context(network())
        address = stack.enter_context(guard(tmp_path, *inside))

        def reaches(source: str) -> bool:
            asks = [*inside, "curl", "-s", "-m", "2", "--interface", source, f"http://{address}/livez"]
            return subprocess.run(asks, capture_output=True, check=False).returncode == 0

        assert reaches(ATTACKER)
        stack.enter_context(bouncer("firewall", FIREWALL, tmp_path, address, *inside))
        until(lambda: not reaches(ATTACKER), "the attacker's packets pass")
        assert reaches("127.0.0.1")
        listed = subprocess.run([*inside, "nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout
    assert re.search(rf"{re.escape(ATTACKER)} timeout \d+", listed)
