import msgspec
import pytest

from lapwing.events import SettingsError
from lapwing.flows import FlowSettings


def test_the_defaults_fit_together() -> None:
    FlowSettings().validate()


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"max_flows": 0}, "max_flows"),
        ({"idle_timeout_tcp_s": 0.0}, "idle_timeout_tcp_s"),
        ({"overlap_policy": "newest"}, "overlap_policy"),
        ({"ooo_buffer_bytes": 1024**2, "reassembly_memcap_bytes": 65_536}, "flows.ooo_buffer_bytes"),
        ({"ack_grace_s": 2.0}, "flows.ack_grace_s"),
    ],
)
def test_a_wrong_value_is_refused_by_name(changed: dict[str, object], key: str) -> None:
    with pytest.raises(SettingsError, match=key):
        msgspec.structs.replace(FlowSettings(), **changed).validate()


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="max_flow"):
        msgspec.convert({"max_flow": 5}, FlowSettings)
