"""Settings: composed, checked one by one, each traceable to its origin."""

import json
import tomllib
from pathlib import Path

import pytest

from lapwing.app.configuration import leaves, load
from lapwing.app.exit_codes import ExitCode
from lapwing.callbacks import ClientSettings
from lapwing.events import SettingsError
from lapwing.sessions import PipelineSettings
from tests.app.conftest import Lapwing


def written(folder: Path, text: str) -> Path:
    file = folder / "lapwing.toml"
    file.write_text(text)
    return file


def test_without_anything_the_defaults_hold() -> None:
    configuration = load(None, {}, whole=True)
    assert (configuration.settings, configuration.callbacks) == (PipelineSettings(), ClientSettings())
    assert {entry.origin for entry in configuration.entries} == {"default"}
    assert [entry.path for entry in configuration.entries] == [path for path, _, _ in leaves()]


def test_the_environment_wins_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    file = written(tmp_path, '[flows]\nmax_flows = 10\nidle_timeout_tcp_s = "10m"\n')
    configuration = load(file, {"LAPWING_FLOWS__MAX_FLOWS": "20", "LAPWING_CAPTURES": "elsewhere"})
    assert configuration.settings.flows.max_flows == 20
    assert configuration.settings.flows.idle_timeout_tcp_s == 600
    origins = {entry.path: entry.origin for entry in configuration.entries}
    assert origins["flows.max_flows"] == "LAPWING_FLOWS__MAX_FLOWS"
    assert origins["flows.idle_timeout_tcp_s"] == str(file)
    assert origins["flows.max_ahead_bytes"] == "default"


def test_quantities_may_carry_their_unit(tmp_path: Path) -> None:
    file = written(tmp_path, '[flows]\nreassembly_memcap_bytes = "128MiB"\n')
    assert load(file, {}).settings.flows.reassembly_memcap_bytes == 128 * 1024**2
    assert (
        load(None, {"LAPWING_FLOWS__REASSEMBLY_MEMCAP_BYTES": "1GiB"}).settings.flows.reassembly_memcap_bytes == 1024**3
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[flows]\nmax_flow = 1", "flows.max_flow: no such setting.*did you mean flows.max_flows"),
        ("[flow]\nmax_flows = 1", "flow: no such setting.*did you mean flows"),
        ("zebra = 1", "zebra: no such setting.*there are"),
        ("flows = 7", r"flows: is a section, written \[flows\]"),
        ("[flows]\nmax_flows = 0", "flows.max_flows: 0 is not right, it takes integer, at least 1"),
        ("[detect.pair]\nfree_secrets = [1, 2]", r"free_secrets: \[1, 2\] is not right, it takes list of 4 numbers"),
        ("[detect.exclude]\nsources = [5]", r"sources\[0\]: \[5\] is not right: expected `str`, got `int`"),
        ('[flows]\nmax_flows = "many"', "flows.max_flows: 'many' is no number"),
        ("[flows]\nmax_flows = true", "flows.max_flows: True is not right"),
        ('[flows]\nidle_timeout_tcp_s = "10 parsecs"', "flows.idle_timeout_tcp_s: .*30s, 10m"),
        (
            '[flows]\noverlap_policy = "middle"',
            "overlap_policy: 'middle' is not right, it takes text, `first` or `last`",
        ),
        ("[flows]\nack_grace_s = 5", "flows.ack_grace_s: 5.* is more than flows.ooo_deadline_s"),
        ("[flows", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place_and_what_would_be_right(
    text: str, said: str, tmp_path: Path, lapwing: Lapwing
) -> None:
    file = written(tmp_path, text)
    with pytest.raises(SettingsError, match=said):
        load(file, {})
    done = lapwing("config", "check", file)
    assert (done.code, done.err.count("\n")) == (ExitCode.USAGE, 1)


def test_a_variable_that_names_no_setting_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"flows.max_flow: .*LAPWING_FLOWS__MAX_FLOW\); did you mean"):
        load(None, {"LAPWING_FLOWS__MAX_FLOW": "1"})


def test_a_missing_file_is_refused_when_it_was_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"missing\.toml: cannot be read"):
        load(tmp_path / "missing.toml", {})


def test_the_file_of_the_user_is_found(tmp_path: Path) -> None:
    (tmp_path / "lapwing").mkdir()
    written(tmp_path / "lapwing", "[flows]\nmax_flows = 33\n")
    assert load(None, {"XDG_CONFIG_HOME": str(tmp_path)}).settings.flows.max_flows == 33
    assert load(None, {"HOME": str(tmp_path)}).settings.flows.max_flows != 33


def test_an_initial_file_is_valid_and_changes_nothing(lapwing: Lapwing, tmp_path: Path) -> None:
    file = tmp_path / "lapwing.toml"
    assert lapwing("config", "init", file).code == ExitCode.CLEAN
    assert load(file, {}).settings == PipelineSettings()
    assert lapwing("config", "init", file).code == ExitCode.USAGE
    assert lapwing("config", "init", file, "--force").code == ExitCode.CLEAN


def test_an_initial_file_with_every_line_uncommented_is_valid_too(lapwing: Lapwing, tmp_path: Path) -> None:
    text = lapwing("config", "init").out
    known = {path.rpartition(".")[2] for path, _, _ in leaves()}
    kept = []
    for line in text.splitlines():
        bare = line.removeprefix("# ")
        is_value = bare.partition(" = ")[0] in known or bare.startswith(('    "', "    {", "]"))
        kept.append(bare if is_value else line)
    file = written(tmp_path, "\n".join(kept))
    assert {entry.origin for entry in load(file, {}).entries} == {str(file)}
    assert load(file, {}).settings == PipelineSettings()


def test_what_is_shown_can_be_read_back(lapwing: Lapwing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LAPWING_FLOWS__MAX_FLOWS", "77")
    shown = lapwing("config", "show").out
    assert "max_flows = 77  # LAPWING_FLOWS__MAX_FLOWS" in shown
    assert tomllib.loads(shown)["flows"]["max_flows"] == 77
    rows = {row["key"]: row for row in json.loads(lapwing("config", "show", "-o", "json").out)}
    assert rows["flows.max_flows"] == {"key": "flows.max_flows", "value": 77, "origin": "LAPWING_FLOWS__MAX_FLOWS"}
    assert load(written(tmp_path, shown), {}).settings.flows.max_flows == 77


def test_settings_reach_the_reading(lapwing: Lapwing, guessing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAPWING_FLOWS__MAX_FLOWS", "wrong")
    done = lapwing("read", guessing)
    assert (done.code, done.out) == (ExitCode.USAGE, "")


def test_the_callback_clients_settings_are_shown_with_their_origin(lapwing: Lapwing, tmp_path: Path) -> None:
    file = written(
        tmp_path, '[callbacks]\nprivate_networks = ["192.0.2.0/24"]\n[callbacks.waits]\npoll_interval_s = 5\n'
    )
    shown = json.loads(lapwing("config", "show", "--config", file, "-o", "json").out)
    values = {one["key"]: (one["value"], one["origin"]) for one in shown}
    assert values["callbacks.private_networks"] == (["192.0.2.0/24"], str(file))
    assert values["callbacks.waits.poll_interval_s"] == (5, str(file))
    assert values["callbacks.waits.max_timeout_s"] == (120, "default")


def test_the_callback_client_takes_its_settings_from_the_file_and_the_environment(tmp_path: Path) -> None:
    file = written(tmp_path, "[callbacks.waits]\npoll_interval_s = 5\n")
    loaded = load(file, {"LAPWING_CALLBACKS__ID_LENGTH": "12"}).callbacks
    assert loaded is not None
    assert (loaded.waits.poll_interval_s, loaded.id_length) == (5, 12)
    assert load(None, {}).callbacks is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[callbacks]\nid_length = 2", "callbacks.id_length"),
        ("[callbacks.waits]\npoll_interval_s = 60", "callbacks.waits.poll_interval_s: must be below"),
        ("[callbacks.waits]\ndefault_timeout_s = 600", "callbacks.waits.default_timeout_s: must not be above"),
        ("[callbacks.waits]\nburst = 3", "callbacks.waits.burst: no such setting.*burst_count"),
        ('[callbacks]\nprivate_networks = ["here"]', "callbacks.private_networks"),
    ],
)
def test_wrong_settings_of_the_callback_client_are_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load(written(tmp_path, text), {})
