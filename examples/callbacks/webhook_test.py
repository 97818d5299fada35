"""Can the webhook of a service be made to fetch an address? Ten lines around a callback session.

Name the collector in `COLLECTOR` and run it with `pytest webhook_test.py`. For a collector of one's own in a private
network there are `COLLECTOR_NETWORK` and `COLLECTOR_CA`, the certificate it is known by.
"""

import os
from collections.abc import Callable

import service

import lapwing
from lapwing.callbacks import ClientSettings, NotObserved, Observed

OWN = tuple(filter(None, [os.environ.get("COLLECTOR_NETWORK")]))
SETTINGS = ClientSettings(private_networks=OWN, ca_file=os.environ.get("COLLECTOR_CA", ""))


def fetches(set_webhook: Callable[[str], object], timeout_s: float = 30) -> bool:
    """Whether somebody came by for an address that nobody but the service was told."""
    with lapwing.callbacks.session(os.environ["COLLECTOR"], settings=SETTINGS) as callbacks:
        planted = callbacks.mint("webhook of the order service")
        set_webhook(planted.url)
        outcome = callbacks.wait_for(planted, accepts="any", timeout=timeout_s)
    assert isinstance(outcome, Observed | NotObserved), outcome.reason  # "not known" is no answer
    return isinstance(outcome, Observed)


def test_the_webhook_is_not_tricked() -> None:
    """With `service.set_webhook` in its place this fails."""
    assert not fetches(service.set_webhook_of_partner, timeout_s=5)
