"""Login surfaces."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.logins import LoginSettings
from lapwing.logins.endpoints import Endpoints, derived_template, parse_rule, path_segments


@pytest.mark.parametrize("rule", ["", "/login", "POST login", "POST /login xml", "post /login", "POST /a b c"])
def test_a_rule_that_is_none_is_refused_with_what_would_be_right(rule: str) -> None:
    with pytest.raises(ValueError, match="is not METHOD /path"):
        parse_rule(rule)
    with pytest.raises(msgspec.ValidationError, match="endpoint"):
        msgspec.convert({"endpoints": [rule]}, LoginSettings)


def test_a_rule_fits_its_method_its_segments_and_its_body() -> None:
    endpoints = Endpoints(["POST /api/{version}/login json", "POST /api/v1/login"])
    assert endpoints.find("POST", ("api", "v1", "login"), "json") == "POST /api/{version}/login"
    assert endpoints.find("POST", ("api", "v1", "login"), "form") == "POST /api/v1/login"
    assert endpoints.find("POST", ("api", "v2", "login"), "form") is None
    assert endpoints.find("PUT", ("api", "v1", "login"), "json") is None
    assert endpoints.find("POST", ("api", "login"), "json") is None


@given(st.text(max_size=300))
def test_any_target_gives_a_template_of_bounded_length(target: str) -> None:
    assert len(derived_template("POST", path_segments(target))) <= 1024
