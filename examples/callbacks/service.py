"""A service with webhooks, for the test beside it: once as it is often written, once as it should be."""

import urllib.request
from urllib.parse import urlsplit

PARTNERS = {"hooks.example.com"}  # whom webhooks may be sent to


def set_webhook(url: str) -> str:
    """Take any address and try it at once: whoever sets a webhook makes the service ask what they please."""
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=10) as answer:
            return f"works, {answer.status}"
    except OSError as problem:
        return f"does not work: {problem}"


def set_webhook_of_partner(url: str) -> str:
    """Take addresses of partners alone."""
    return set_webhook(url) if urlsplit(url).hostname in PARTNERS else "not one of our partners"
