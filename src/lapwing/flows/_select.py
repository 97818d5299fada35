"""Picks the compiled flow table, or its plain twin where no compiler was present at build time."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lapwing.flows.objects import closed_events, opened_events
    from lapwing.flows.plain import FlowTable
    from lapwing.flows.plain_walk import ActionWalk

    COMPILED: bool  # False: the plain twin serves, about 40 times slower
else:
    try:
        from lapwing.flows.hot import FlowTable
        from lapwing.flows.hot_events import closed_events, opened_events
        from lapwing.flows.hot_walk import ActionWalk

        COMPILED = True
    except (ImportError, AttributeError):  # the second: uncompiled, where Cython is installed but could not build
        from lapwing.flows.objects import closed_events, opened_events
        from lapwing.flows.plain import FlowTable
        from lapwing.flows.plain_walk import ActionWalk

        COMPILED = False

__all__ = ["COMPILED", "ActionWalk", "FlowTable", "closed_events", "opened_events"]
