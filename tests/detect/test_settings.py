import msgspec
import pytest

from lapwing.detect import DetectSettings
from lapwing.detect.settings import ExcludeSettings, PairSettings, SiteSettings
from lapwing.events import SettingsError


def test_the_defaults_are_valid() -> None:
    assert DetectSettings().prior < 0


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"max_sources": 10}, "detect.max_sources"),
        ({"prior": 3}, "detect.prior"),
        ({"watch_at": float("nan")}, "detect.watch_at"),
        ({"block_at": 1.5}, "detect.block_at"),
        ({"pair": {"secret_slope": -1}}, "detect.pair.secret_slope"),
        ({"pair": {"free_secrets": [1, 2, 3, -4]}}, "detect.pair.free_secrets"),
        ({"source": {"free_hours": 30}}, "detect.source.free_hours"),
        ({"network": {"per_good": 2}}, "detect.network.per_good"),
        ({"credential": {"cap": 51}}, "detect.credential.cap"),
        ({"account": {"min_sources": 1}}, "detect.account.min_sources"),
        ({"site": {"over_usual": 0}}, "detect.site.over_usual"),
        ({"takeover": {"unfamiliar": 21}}, "detect.takeover.unfamiliar"),
        ({"finding": {"growth": 1}}, "detect.finding.growth"),
        ({"finding": {"max_open": 0}}, "detect.finding.max_open"),
    ],
)
def test_a_wrong_value_is_refused_with_its_key_path_and_range(wrong: dict[str, object], key: str) -> None:
    with pytest.raises(SettingsError, match=key.replace(".", r"\.") + r" = .* is outside .* to "):
        msgspec.convert(wrong, DetectSettings)


@pytest.mark.parametrize("wrong", [{"accounts": "bob"}, {"sources": "192.0.2.0/24"}, {"endpoints": "POST /login"}])
def test_one_text_is_no_list_of_exclusions(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=rf"detect\.exclude\.{next(iter(wrong))} = .* is one text; a tuple"):
        DetectSettings(exclude=ExcludeSettings(**wrong))  # type: ignore[arg-type]


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field `max_source`"):
        msgspec.convert({"max_source": 2_000}, DetectSettings)


def test_answers_must_not_grow_milder_with_risk() -> None:
    with pytest.raises(SettingsError, match="must not fall"):
        DetectSettings(watch_at=0.6, challenge_at=0.5)


def test_half_lives_are_four() -> None:
    with pytest.raises(SettingsError, match=r"detect\.pair\.free_secrets needs four numbers"):
        DetectSettings(pair=PairSettings(free_secrets=(1.0, 2.0)))  # type: ignore[arg-type]


def test_zero_and_nan_rates_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"detect\.site\.free_accounts"):
        DetectSettings(site=SiteSettings(free_accounts=float("nan")))
