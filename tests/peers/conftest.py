"""One world for all peers."""

from collections.abc import Iterator

import pytest

from lapwing.callbacks.planting import KINDS
from tests.peers.world import WHY_NO_WORLD, World, planted_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The collector on its usual ports, with one thing of every kind planted."""
    if WHY_NO_WORLD is not None:
        pytest.skip(WHY_NO_WORLD)
    pytest.importorskip("segno", reason="segno is not installed")
    with planted_world(tmp_path_factory.mktemp("world"), tuple(KINDS)).alive() as world:
        yield world
