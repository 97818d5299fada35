"""The example that tests a service's webhook, against the collector, by its names and its certificate."""

import sys
from pathlib import Path

import pytest

from tests.peers.world import DOMAIN, World, needs

EXAMPLE = Path(__file__).parents[2] / "examples" / "callbacks"


def known(world: World) -> dict[str, str]:
    """How the example is told of the collector."""
    ca = str(world.folder / "lab" / "ca.pem")
    return {"COLLECTOR": DOMAIN, "COLLECTOR_NETWORK": "127.0.0.0/8", "COLLECTOR_CA": ca, "PYTHONPATH": str(EXAMPLE)}


@needs()
@pytest.mark.parametrize(("webhook", "fetched"), [("set_webhook", True), ("set_webhook_of_partner", False)])
def test_a_webhook_that_fetches_any_address_is_told_from_one_that_does_not(
    world: World, webhook: str, fetched: bool
) -> None:
    program = f"import service, webhook_test; print(webhook_test.fetches(service.{webhook}, timeout_s=3))"
    done = world.run(sys.executable, "-c", program, **known(world))
    assert done.stdout.strip() == str(fetched), done.stderr


@needs()
def test_the_example_runs_as_the_test_it_is(world: World) -> None:
    options = ("-q", "-c", "/dev/null", "-p", "no:cacheprovider", "--rootdir", EXAMPLE)
    done = world.run(sys.executable, "-m", "pytest", *options, EXAMPLE / "webhook_test.py", **known(world))
    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout + done.stderr


@needs()
def test_without_a_collector_the_example_says_so_and_proves_nothing(world: World) -> None:
    program = "import service, webhook_test; webhook_test.fetches(service.set_webhook_of_partner, timeout_s=1)"
    done = world.run(sys.executable, "-c", program, **{**known(world), "COLLECTOR": f"{DOMAIN}:1"})
    assert done.returncode == 1
    assert "AssertionError: the collector did not accept the registration" in done.stderr
