"""What a published message no longer holds."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events.messages import REDACTED, FtpCommand, HttpRequest, HttpResponse, SmtpCommand
from lapwing.events.messages.http import redact_target


@pytest.mark.parametrize(
    ("target", "clean"),
    [
        ("/search?q=lapwing&page=2", "/search?q=lapwing&page=2"),
        ("/reset?token=abc123&lang=en", f"/reset?token={REDACTED}&lang=en"),
        ("/in?user=ana&userPassword=hunter2", f"/in?user=ana&userPassword={REDACTED}"),
        ("/in?a=1;SID=99", f"/in?a=1;SID={REDACTED}"),
        ("http://ana:hunter2@www.example.com/x", f"http://{REDACTED}@www.example.com/x"),
        ("/@ana/posts", "/@ana/posts"),
    ],
)
def test_secret_parameters_and_user_information_leave_a_target(target: str, clean: str) -> None:
    assert redact_target(target) == clean


SECRET_WORDS = "pass|pwd|secret|token|auth|session|sid|key|code|cred|sig|otp|pin|jwt|saml"
SLOW_BUT_PLAIN = re.compile(rf"([?&;][^=&;#]*(?:{SECRET_WORDS})[^=&;#]*=)[^&;#]+", re.IGNORECASE)
TARGET_PIECES = ["?", "&", ";", "#", "=", "/", "a", "b=c", "Pass", "key", "SID"]


@given(st.lists(st.sampled_from(TARGET_PIECES), max_size=12).map("".join))
def test_what_leaves_a_target_is_what_one_pattern_says(target: str) -> None:
    assert redact_target(target) == SLOW_BUT_PLAIN.sub(rf"\1{REDACTED}", target)


@pytest.mark.parametrize("piece", ["?", "?pass", "?a=", "&", "pass", "x://"])
def test_a_target_of_a_million_characters_is_gone_through_once(piece: str) -> None:
    filling = piece * (1_000_000 // len(piece))
    assert redact_target(f"{filling}&sid=99") == f"{filling}&sid={REDACTED}"


def test_a_published_request_has_no_body_and_no_secret_header() -> None:
    request = HttpRequest(
        "POST",
        "/login",
        "1.1",
        [("Host", "www.example.com"), ("AUTHORIZATION", "Basic YW5hOmh1bnRlcjI="), ("Cookie", "sid=99")],
        body=b"password=hunter2",
        body_bytes=16,
    )
    clean = request.redacted()
    assert clean.headers == [("Host", "www.example.com"), ("AUTHORIZATION", REDACTED), ("Cookie", REDACTED)]
    assert (clean.body, clean.body_bytes) == (b"", 16)


def test_a_published_response_has_no_body_and_no_secret_in_its_redirect() -> None:
    response = HttpResponse(302, "Found", "1.1", [("Location", "/next?code=xyz"), ("Set-Cookie", "sid=99")], body=b"x")
    clean = response.redacted()
    assert clean.headers == [("Location", f"/next?code={REDACTED}"), ("Set-Cookie", REDACTED)]
    assert clean.body == b""


@pytest.mark.parametrize(
    ("message", "argument"),
    [
        (FtpCommand("PASS", "hunter2"), REDACTED),
        (FtpCommand("USER", "ana"), "ana"),
        (SmtpCommand("AUTH", "PLAIN AGFuYQBodW50ZXIy"), f"PLAIN {REDACTED}"),
        (SmtpCommand("AUTH", "LOGIN"), "LOGIN"),
        (SmtpCommand("AUTH-DATA", "aHVudGVyMg=="), REDACTED),
    ],
)
def test_commands_that_carry_secrets_lose_their_argument(message: FtpCommand | SmtpCommand, argument: str) -> None:
    assert message.redacted().argument == argument
