"""What carries decisions out beside the endpoint, and the keys of those who may pull them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lapwing.app import guarding
from lapwing.app.exit_codes import ExitCode
from lapwing.app.guarding import Enforcers, HeldUntil, Losses, api_keys
from lapwing.events import Action, DecisionMade, Event, SensorLagged, SettingsError, StoreError
from lapwing.io.enforce import DenyFile, NftSet, Webhook
from lapwing.web import Answer, ForwardAuth, Gate
from tests.app.conftest import Lapwing
from tests.ports import free_port
from tests.web.test_gate import ATTACKER, Clock, S, attacked


def test_who_is_held_is_in_the_file_until_it_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarding, "REFRESH_S", 0.0)
    monkeypatch.setattr(guarding, "QUICK_S", 60.0)
    clock = Clock()
    gate = Gate(clock=clock)
    enforcers = Enforcers(gate, deny_file=DenyFile(tmp_path / "deny"))
    assert (tmp_path / "deny").read_text() == ""
    attacked(gate)
    enforcers.turn()
    assert (tmp_path / "deny").read_text() == f"{ATTACKER}\n"
    clock.ns += 30 * 86_400 * S
    enforcers.turn()
    assert (tmp_path / "deny").read_text() == ""


@pytest.mark.parametrize(
    ("deny_from", "held"),
    [
        (Action.CHALLENGE, ["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
        (Action.DELAY, ["192.0.2.2", "192.0.2.3"]),
        (Action.BLOCK, ["192.0.2.3"]),
    ],
)
def test_lists_hold_whom_the_endpoint_refuses(tmp_path: Path, deny_from: Action, held: list[str]) -> None:
    class Three(Gate):
        def holding(self, *, wait_s: float = -1.0) -> Iterator[tuple[str, Answer]]:
            for number, action in enumerate((Action.CHALLENGE, Action.DELAY, Action.BLOCK), 1):
                yield f"192.0.2.{number}", Answer(action, 60)

    Enforcers(Three(), deny_file=DenyFile(tmp_path / "deny"), deny_from=deny_from)
    assert (tmp_path / "deny").read_text().split() == held


def test_the_packet_filter_is_told_only_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    packet_filter = NftSet("inet/lapwing/blocked")
    monkeypatch.setattr(packet_filter, "_tell", told.append)
    held = HeldUntil(packet_filter)
    held.become({"192.0.2.1": 60, "2001:db8::/64": 600}, 1_000.0)
    assert "add element inet lapwing blocked { 192.0.2.1 timeout 60s }" in told[0]
    assert "add element inet lapwing blocked6 { 2001:db8::/64 timeout 600s }" in told.pop(0)
    held.become({"192.0.2.1": 51, "2001:db8::/64": 590}, 1_010.0)
    assert not told  # as it stood
    held.become({"192.0.2.1": 60, "2001:db8::/64": 580}, 1_020.0)
    assert "add element inet lapwing blocked { 192.0.2.1 timeout 60s }" in told[0]  # renewed
    assert "2001:db8::" not in told.pop(0)
    held.become({"192.0.2.1": 50}, 1_030.0)
    assert told.pop(0).endswith("delete element inet lapwing blocked6 { 2001:db8::/64 }\n")  # lifted early
    held.become({}, 1_090.0)
    assert not told  # its time was over: the set forgot it by itself


def test_after_a_restart_the_packet_filter_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    packet_filter = NftSet("inet/lapwing/blocked")
    monkeypatch.setattr(packet_filter, "_tell", told.append)
    gate = Gate(clock=Clock())
    attacked(gate)
    Enforcers(gate, nft_set=packet_filter)
    assert f"add element inet lapwing blocked {{ {ATTACKER} timeout" in told[0]


def test_whoever_refuses_keeps_nobody_else_from_carrying_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarding, "REFRESH_S", 0.0)
    monkeypatch.setattr(guarding, "QUICK_S", 60.0)
    told: list[str] = []
    packet_filter = NftSet("inet/lapwing/blocked")
    monkeypatch.setattr(packet_filter, "_tell", told.append)
    gate, folder = Gate(clock=Clock()), tmp_path / "lists"
    folder.mkdir()
    enforcers = Enforcers(gate, deny_file=DenyFile(folder / "deny"), nft_set=packet_filter)
    shutil.rmtree(folder)
    attacked(gate)
    with pytest.raises(StoreError, match="deny: cannot be written"):
        enforcers.turn()
    assert ATTACKER in told[0]
    folder.mkdir()
    assert enforcers.turn()
    assert (folder / "deny").read_text() == f"{ATTACKER}\n"


def test_events_that_a_webhook_does_not_take_are_told_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    webhook = Webhook(f"http://127.0.0.1:{free_port()}")
    told = Losses(ForwardAuth(Gate()), webhook)
    gate = Gate(clock=Clock())
    decided: list[Event] = []
    monkeypatch.setattr(gate, "_listener", decided.extend)
    attacked(gate)
    made = next(event for event in decided if isinstance(event, DecisionMade))
    webhook.tell([made] * 3)
    webhook.close()
    (lagged,) = told()
    assert isinstance(lagged, SensorLagged)
    assert (lagged.where, lagged.lost_count) == ("webhook", 3)
    assert told() == []


def test_answers_past_the_deadline_are_told_once() -> None:
    forward = ForwardAuth(Gate())
    told = Losses(forward)
    assert told() == []
    forward.late_count = 3
    (lagged,) = told()
    assert isinstance(lagged, SensorLagged)
    assert (lagged.where, lagged.lost_count) == ("forward-auth", 3)
    assert told() == []


def test_connections_that_were_turned_away_are_told_once_beside_late_answers() -> None:
    forward = ForwardAuth(Gate())
    told = Losses(forward)
    forward.late_count, forward.turned_away_count = 1, 2
    assert [(lagged.where, lagged.lost_count) for lagged in told() if isinstance(lagged, SensorLagged)] == [
        ("forward-auth", 1),
        ("forward-auth.connections", 2),
    ]
    assert told() == []


def test_keys_are_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("# of the firewall\n0123456789abcdef\n\n  # rotated in January\n fedcba9876543210\n")
    assert api_keys(tmp_path / "keys") == ["0123456789abcdef", "fedcba9876543210"]
    assert api_keys(None) == []


@pytest.mark.parametrize("text", ["", "short\n", "# nothing\n", "ключ-ключ-ключ-ключ\n"])
def test_a_file_without_good_keys_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys").write_text(text)
    with pytest.raises(SettingsError, match="--api-key-file"):
        api_keys(tmp_path / "keys")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--trust", "nonsense"), "--trust"),
        (("--nft-set", "x"), "--nft-set"),
        (("--webhook", "ftp://example.com"), "--webhook"),
        (("--listen", "nowhere"), "cannot be listened on"),
        (("--format", "nonsense"), "--format"),
    ],
)
def test_wrong_options_are_refused_with_what_would_be_right(
    tmp_path: Path, lapwing: Lapwing, options: tuple[str, str], words: str
) -> None:
    done = lapwing("guard", "serve", tmp_path / "access.log", *options)
    assert done.code in (ExitCode.USAGE, ExitCode.INPUT)
    assert words in done.err


def test_a_list_that_takes_long_is_not_written_after_every_decision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarding, "QUICK_S", -1.0)
    monkeypatch.setattr(guarding, "REST", 10**9)
    gate = Gate(clock=Clock())
    enforcers = Enforcers(gate, deny_file=DenyFile(tmp_path / "deny"))
    told: list[Event] = []
    monkeypatch.setattr(gate, "_listener", told.extend)
    attacked(gate)
    assert any(isinstance(event, DecisionMade) for event in told)
    enforcers(told)
    assert (tmp_path / "deny").read_text() == ""
    monkeypatch.setattr(enforcers, "_rest", 0.0)
    enforcers.turn()
    assert (tmp_path / "deny").read_text() == f"{ATTACKER}\n"
