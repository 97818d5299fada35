"""How often Python looks for unreachable cycles while a capture is read."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Allocations between two looks. Sessions form no cycles and some ten thousand of them live: each look goes over them
# all for nothing, which took 5 to 9 % of the time at the usual 700, and 1.5 % at 50,000.
ALLOCATIONS = 200_000


@contextmanager
def rare_collections() -> Iterator[None]:
    """Look seldom within the block; for programs of ours, as the setting belongs to the whole process."""
    before = gc.get_threshold()
    gc.set_threshold(ALLOCATIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
