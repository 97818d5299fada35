"""What a person who is held back gets to see."""

from lapwing.web.gate import Answer

STATUS = 429  # RFC 6585 section 4: says that trying again later is worth while, and nothing about the account
BODY = b"Too many login attempts. Please try again later.\n"
TYPE = "text/plain; charset=utf-8"


def refusal(answer: Answer) -> list[tuple[str, str]]:
    """The headers of the response to a request that is held back."""
    return [
        ("Content-Type", TYPE),
        ("Content-Length", str(len(BODY))),
        ("Retry-After", str(answer.retry_after_s)),
        ("Cache-Control", "no-store"),
    ]
