"""Every claim is tested on both implementations."""

from collections.abc import Callable
from typing import Any

import pytest

from lapwing.flows import COMPILED, plain
from tests.flows.rows import Result, Trace, run

IMPLEMENTATIONS: dict[str, Any] = {"plain": plain.FlowTable}
if COMPILED:
    from lapwing.flows import hot

    IMPLEMENTATIONS["hot"] = hot.FlowTable


@pytest.fixture(params=IMPLEMENTATIONS)
def table_class(request: pytest.FixtureRequest) -> Any:
    return IMPLEMENTATIONS[request.param]


@pytest.fixture
def track(table_class: Any) -> Callable[..., Result]:
    def track_trace(trace: Trace, **options: Any) -> Result:
        return run(table_class, trace, **options)

    return track_trace
